"""What an experiment has counted, as JSON and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trackside.counting.model import (
    Experiment,
    ExperimentResult,
    MetricResult,
    SampleRatio,
    Uncounted,
    Unmet,
    Variation,
    VariationResult,
)


def result_json(result: ExperimentResult) -> dict[str, Any]:
    """Return a result as JSON; keys are there always, also where there is nothing to tell.

    Returns:
        ``vendor``, ``experiment``, ``environment``, ``unit``, ``status``, ``recording``; ``variations``, each with
        ``key``, ``name``, ``share`` (0 to 1), ``units``, ``by_day`` (units by UTC date) and ``metrics`` by their keys;
        ``sample_ratio`` or None; ``excluded``, units by condition; ``switched``, units that were seen in several variations, or None; ``uncounted`` and ``problems``, each with the
        condition, rule, text, place and fix, the former with ``events`` and ``units``; ``events`` and ``counted``.
    """
    experiment = result.experiment
    return {
        "vendor": experiment.vendor,
        "experiment": experiment.key,
        "environment": experiment.environment,
        "unit": experiment.unit,
        "status": experiment.status,
        "recording": result.recording,
        "variations": [_variation(one) for one in result.variations],
        "sample_ratio": asdict(result.sample_ratio) if result.sample_ratio else None,
        "excluded": dict(result.excluded),
        "switched": _left_out(result.switched) if result.switched else None,
        "uncounted": [_left_out(one) for one in result.uncounted.values()],
        "problems": [one.as_json() for one in experiment.problems],
        "events": result.events,
        "counted": result.counted,
    }


def _left_out(one: Uncounted) -> dict[str, Any]:
    return {**one.unmet.as_json(), "events": one.events, "units": one.units}


def _variation(of: VariationResult) -> dict[str, Any]:
    return {
        "key": of.variation.key,
        "name": of.variation.name,
        "share": of.variation.share,
        "units": of.units,
        "by_day": dict(sorted(of.by_day.items())),
        "metrics": {key: _metric(metric) for key, metric in of.metrics.items()},
    }


def _metric(of: MetricResult) -> dict[str, Any]:
    return {
        "measure": of.measure,
        "units": of.units,
        "events": of.events,
        "total": of.total,
        "mean": of.mean,
    }


def read_result(told: dict[str, Any]) -> ExperimentResult:
    """Return a result of its JSON, as far as tables and pages show it."""
    problems = tuple(map(_unmet, told["problems"]))
    variations = tuple(Variation(one["key"], one["name"], one["share"]) for one in told["variations"])
    names = ("vendor", "environment", "unit", "status")
    experiment = Experiment(
        key=told["experiment"],
        exposed_by="",
        variations=variations,
        problems=problems,
        **{name: told[name] for name in names},
    )
    results = [
        VariationResult(
            variation,
            one["units"],
            {key: MetricResult(key, **metric) for key, metric in one["metrics"].items()},
            one["by_day"],
        )
        for variation, one in zip(variations, told["variations"], strict=True)
    ]
    return ExperimentResult(
        experiment,
        results,
        sample_ratio=SampleRatio(**told["sample_ratio"]) if told["sample_ratio"] else None,
        excluded=told["excluded"],
        uncounted={one["condition"]: _uncounted(one) for one in told["uncounted"]},
        switched=_uncounted(told["switched"]) if told["switched"] else None,
        **{name: told[name] for name in ("events", "counted", "recording")},
    )


def _uncounted(told: dict[str, Any]) -> Uncounted:
    return Uncounted(_unmet(told), told["events"], told["units"])


def _unmet(told: dict[str, Any]) -> Unmet:
    return Unmet(*(told[name] for name in ("condition", "rule", "text", "at", "fix")))
