"""Split's experiments as they are counted: those that are declared or made by the API, and those that flags are anyhow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackside.catalog import json_path
from trackside.counting.model import Experiment, Period, Unmet, Variation
from trackside.split import flags, metrics

if TYPE_CHECKING:
    from trackside.split.changes import Definition
    from trackside.split.metrics import KeptExperiment, KeptMetric
    from trackside.split.settings import SplitSettings
    from trackside.split.store import Split

_EXPERIMENT = "split.counting.experiment"


@dataclass(frozen=True, slots=True)
class FlagExperiment(Experiment):
    """An experiment on a flag.

    Attributes:
        rule: the label of the rule whose impressions count; empty for any (split.counting.rule-label). It is not the
            core's ``label``, as impressions by other rules have to be seen too: they are switches.
    """

    rule: str = ""


def experiments(settings: SplitSettings, live: Split | None) -> list[FlagExperiment]:
    """Return the experiments by key, and one more for each flag with a percentage rule that has none (split.counting.experiment).

    The latter has the flag's name, and is there only where a metric is of the flag's traffic type.
    """
    flags_of, known = served(settings, live), metrics.metrics(settings, live)
    kept = metrics.experiments(settings, live)
    found = [_experiment(name, row, flags_of, known, live) for name, row in kept.items()]
    taken = {(row.environment, row.definition["parent"]["name"]) for row in kept.values()}
    types = {row.definition["trafficType"] for row in known.values()}
    for environment, rows in flags_of.items():
        for name, flag in rows.items():
            if (environment, name) not in taken and flag["trafficTypeName"] in types:
                found += _of_flag(environment, flag, live)
    return sorted(found, key=lambda one: one.key)


def served(settings: SplitSettings, live: Split | None) -> dict[str, dict[str, Definition]]:
    """Return the flags of each environment as they stand; without a lab those that the workspace itself declares."""
    if live is not None:
        return {name: {row["name"]: row for row in state.flags.active()} for name, state in live.environments.items()}
    return {name: content.flags for name, content in (flags.declared(settings, None).data or {}).items()}


def _experiment(
    key: str,
    kept: KeptExperiment,
    served: Mapping[str, Mapping[str, Definition]],
    known: Mapping[str, KeptMetric],
    live: Split | None,
) -> FlagExperiment:
    definition, environment = kept.definition, kept.environment
    name, label = definition["parent"]["name"], definition["rule"]
    flag = served.get(environment, {}).get(name)
    rule = metrics.rule_of(flag, label) if flag else None
    baseline, compared = _treatments(definition, flag, rule)
    sizes = metrics.shares(rule, compared) if rule else {}
    return FlagExperiment(
        "split",
        key,
        environment,
        name,
        flag["trafficTypeName"] if flag else "",
        tuple(Variation(one, one, sizes.get(one, 0.0)) for one in dict.fromkeys([baseline, *compared]) if one),
        metrics.attached(definition, known),
        _since(kept.periods, _version(live, environment, name)),
        definition.get("status") or "ACTIVE",
        problems=tuple(_problems(name, environment, label, flag, compared, sizes)),
        place=kept.place,
        rule=label,
    )


def _treatments(
    definition: Mapping[str, object], flag: Definition | None, rule: Mapping[str, object] | None
) -> tuple[str, list[str]]:
    """Return the baseline, and all that are compared with the baseline among them."""
    baseline = str(definition.get("baselineTreatment") or (flag["defaultTreatment"] if flag else ""))
    named = definition.get("comparisonTreatments")
    others = list(named) if isinstance(named, list) and named else list(metrics.shares(rule)) if rule else []
    return baseline, [baseline, *(one for one in others if one != baseline)]


def _problems(
    name: str,
    environment: str,
    label: str,
    flag: Definition | None,
    compared: Sequence[str],
    sizes: Mapping[str, float],
) -> Iterator[Unmet]:
    """Yield what keeps an experiment from having impressions, whatever events come."""
    at = json_path(["split", "flags", name])
    if flag is None:
        text = f"the flag {name!r} is not in the environment {environment!r}"
        yield Unmet("flag", _EXPERIMENT, text, at, "define the flag there, or name another environment")
        return
    if flag["killed"]:
        text = f"the flag is killed in {environment!r}: everybody has {flag['defaultTreatment']!r}, and no rule decides"
        yield Unmet("flag", "split.counting.rule-label", text, f"{at}.killed", "restore the flag")
    if flag.get("impressionsDisabled"):
        text = "the flag sends no impressions, so that nobody is known to have had a treatment"
        yield Unmet("flag", "split.impressions.keys", text, f"{at}.track", "set track to true")
    if not flag.get("trafficAllocation", 100):
        text = "the flag's traffic allocation is 0: every key is outside of it"
        yield Unmet("flag", "split.counting.control", text, f"{at}.allocation", "give it an allocation above 0")
    if metrics.rule_of(flag, label) is None:
        known = ", ".join(repr(one.get("label") or "") for one in metrics.rules(flag))
        text = f"no rule of the flag has the label {label!r}, so that no impression has it"
        yield Unmet("flag", "split.counting.rule-label", text, at, f"set the experiment's rule to one of: {known}")
    elif missing := [one for one in compared if one not in sizes]:
        text = f"the rule {label!r} gives nobody {' or '.join(map(repr, missing))}"
        yield Unmet("flag", _EXPERIMENT, text, at, "give each treatment that is compared a percentage above 0")


def _of_flag(environment: str, flag: Definition, live: Split | None) -> Iterator[FlagExperiment]:
    """Yield what a flag with a percentage rule is an experiment of, though nobody declared one."""
    rule = next((one for one in metrics.rules(flag) if len(metrics.shares(one)) > 1), None)
    if rule is None:
        return
    label, sizes = rule.get("label") or "", metrics.shares(rule)
    yield FlagExperiment(
        "split",
        flag["name"],
        environment,
        flag["name"],
        flag["trafficTypeName"],
        tuple(Variation(name, name, share) for name, share in sizes.items()),
        periods=_since((Period(),), _version(live, environment, flag["name"])),
        status="ACTIVE",
        problems=tuple(_problems(flag["name"], environment, label, flag, list(sizes), sizes)),
        place=json_path(["split", "flags", flag["name"]]),
        implied=True,
        rule=label,
    )


def _version(live: Split | None, environment: str, flag: str) -> int | None:
    """Return when the version of a flag began that is in force; None for the one that the workspace declares."""
    return live.versions.get((environment, flag)) if live is not None else None


def _since(periods: Sequence[Period], start: int | None) -> tuple[Period, ...]:
    """Return periods from a moment on: what came before belongs to another version of the flag (split.counting.version)."""
    if start is None:
        return tuple(periods)
    left = [one for one in periods if one.end is None or one.end > start]
    return tuple(Period(max(start, one.start or start), one.end) for one in left)
