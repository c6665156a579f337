"""Experiments as the REST API shows them, and what they make of the flags that serve them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trackside.errors import TracksideError
from trackside.launchdarkly.model import WHOLE, Item, name_of
from trackside.launchdarkly.representation import Representation, link, made_id, variations_of
from trackside.launchdarkly.settings import Experiment, Iteration
from trackside.times import epoch_ms

FALLTHROUGH = "fallthrough"
"""How a flag's default rule is named where the others have ids."""

MAINTAINER = made_id("member")


# ---- what a flag serves


def part_of(flag: Item, rule: str) -> Item | None:
    """Return a rule of a flag, or its default rule, by the name that experiments give it; None where there is none."""
    if rule == FALLTHROUGH:
        found: Item = flag["fallthrough"]
        return found
    return next((one for one in flag["rules"] if one["id"] == rule), None)


def with_part(flag: Item, rule: str, served: Mapping[str, Any]) -> Item:
    """Return a flag in which a rule serves something else: a ``variation`` or a ``rollout``."""
    if rule == FALLTHROUGH:
        return {**flag, "fallthrough": dict(served)}
    rules = [{**_unserved(one), **served} if one["id"] == rule else one for one in flag["rules"]]
    return {**flag, "rules": rules}


def _unserved(rule: Item) -> Item:
    return {name: value for name, value in rule.items() if name not in ("variation", "rollout")}


def is_experiment(part: Mapping[str, Any] | None) -> bool:
    """Return whether what a rule serves is an experiment, which SDKs report as such."""
    return bool(part) and ((part or {}).get("rollout") or {}).get("kind") == "experiment"


def as_experiment(flag: Item, rule: str, unit: str) -> Item:
    """Return a flag whose rollout is an experiment's, as an iteration that starts makes it (launchdarkly.counting.experiments).

    Args:
        flag: as SDKs have it; one that serves no percentages there stays as it is.
        rule: whose rollout.
        unit: the context kind that is divided up.
    """
    rollout = (part_of(flag, rule) or {}).get("rollout")
    if rollout is None:
        return flag
    return with_part(flag, rule, {"rollout": {**rollout, "kind": "experiment", "contextKind": unit}})


# ---- representations


def experiment_shown(
    project: str, environment: str, told: Representation, iterations: Representation, created: int
) -> Representation:
    """Return an experiment as the API shows it.

    Args:
        project: its key.
        environment: its key.
        told: ``key``, ``name`` and what else was posted.
        iterations: ``currentIteration``, ``draftIteration``, ``previousIterations``, as far as there are any.
        created: epoch milliseconds.
    """
    path = f"/api/v2/projects/{project}/environments/{environment}/experiments"
    return {
        "_id": made_id(project, environment, "experiment", told["key"]),
        "key": told["key"],
        "name": told["name"],
        "description": told.get("description", ""),
        "tags": told.get("tags", []),
        "methodology": told.get("methodology", "bayesian"),
        "environmentKey": environment,
        "_maintainerId": told.get("maintainerId", MAINTAINER),
        "_creationDate": created,
        "_links": {"self": link(f"{path}/{told['key']}"), "parent": link(path)},
        **iterations,
    }


def iteration_shown(told: Representation, number: str, status: str, created: int) -> Representation:
    """Return an iteration as the API shows it, without its metrics.

    Args:
        told: what was posted of it.
        number: its id.
        status: ``not_started``, ``running`` or ``stopped``.
        created: epoch milliseconds.
    """
    flags = {
        key: {
            "targetingRule": one["ruleId"],
            "flagConfigVersion": one["flagConfigVersion"],
            **({"notInExperimentVariationId": rest} if (rest := one.get("notInExperimentVariationId")) else {}),
            "_links": {"self": link(f"/api/v2/flags/{key}")},
        }
        for key, one in told["flags"].items()
    }
    return {
        "_id": number,
        "hypothesis": told["hypothesis"],
        "status": status,
        "createdAt": created,
        "canReshuffleTraffic": told.get("canReshuffleTraffic", True),
        "randomizationUnit": told.get("randomizationUnit", "user"),
        "treatments": treatments_shown(told.get("treatments", ()), number),
        "flags": flags,
        "metrics": [],
    }


def treatments_shown(told: Sequence[Representation], number: str) -> list[Representation]:
    """Return treatments as the API shows them; the id of one is that of the variation that it serves.

    Args:
        told: as they were posted.
        number: id of the iteration, for treatments that serve nothing.
    """
    shown = []
    for one in told:
        served = [inner["variationId"] for inner in one.get("parameters", ())]
        shown.append({"_id": served[0] if served else made_id(number, one["name"]), **one})
    return shown


def attached(
    project: str, asked: Sequence[Representation], known: Mapping[str, Representation], primary: str
) -> Representation:
    """Return the ``metrics`` of an iteration, and which of them decides.

    Args:
        project: its key.
        asked: the ``key`` of each, and whether it is a group.
        known: the project's metrics by key.
        primary: key of the one that decides; empty for none.
    """
    metrics = [_attached(project, one, known.get(one["key"], {})) for one in asked]
    deciding = next((one for one in metrics if one["key"] == primary), None)
    return {"metrics": metrics, **({"primarySingleMetric": deciding} if deciding else {})}


def _attached(project: str, asked: Representation, known: Representation) -> Representation:
    key = asked["key"]
    return {
        "key": key,
        "_versionId": known.get("_versionId", made_id(project, "metric", key, 1)),
        "name": known.get("name", key),
        "kind": known.get("kind", "custom"),
        "isGroup": asked.get("isGroup", False),
        "_links": {"self": link(f"/api/v2/metrics/{project}/{key}")},
    }


# ---- of flags


def served_experiment(project: str, environment: str, flag: Item) -> Iterator[Representation]:
    """Yield the experiment of a flag that serves one: it runs, with the flag's key (launchdarkly.rest.experiments).

    Args:
        project: its key.
        environment: its key.
        flag: as SDKs have it; an experiment is what its default rule or its first such rule serves.
    """
    for rule, part in ((FALLTHROUGH, flag["fallthrough"]), *((rule["id"], rule) for rule in flag["rules"])):
        if is_experiment(part) and flag["on"]:
            key = flag["key"]
            told = _of_flag(flag, rule, (part["rollout"]).get("contextKind", "user"))
            iteration = iteration_shown(told, made_id(environment, key, "iteration"), "running", 0)
            iterations = {"currentIteration": {**iteration, "startedAt": 0}}
            yield experiment_shown(project, environment, {"key": key, "name": key}, iterations, 0)
            return


def _of_flag(flag: Item, rule: str, unit: str) -> Representation:
    """Return the iteration that would be posted of what a flag serves."""
    flags = {flag["key"]: {"ruleId": rule, "flagConfigVersion": flag["version"]}}
    return {"hypothesis": "", "randomizationUnit": unit, "treatments": _treatments(flag, rule), "flags": flags}


def _treatments(flag: Item, rule: str) -> list[Representation]:
    """Return a treatment for each variation of a rollout; for all of the flag's, without traffic, where there is none."""
    rollout = (part_of(flag, rule) or {}).get("rollout")
    none = [{"variation": index, "weight": 0} for index in range(len(flag["variations"]))]
    parts = [one for one in rollout["variations"] if not one.get("untracked")] if rollout else none
    variations = variations_of(flag["key"], flag["variations"], ())
    return [
        {
            "name": name_of(flag["variations"][part["variation"]]),
            "allocationPercent": f"{part['weight'] * 100 / WHOLE:g}",
            "baseline": number == 0,
            "parameters": [{"flagKey": flag["key"], "variationId": variations[part["variation"]]["_id"]}],
        }
        for number, part in enumerate(parts)
    ]


# ---- of a workspace


def declared_experiment(
    project: str, environment: str, key: str, told: Experiment, flag: Item, metrics: Mapping[str, Representation]
) -> Representation:
    """Return an experiment of a workspace as if the API had made it (launchdarkly.counting.experiments).

    Args:
        project: its key.
        environment: its key.
        key: of the experiment.
        told: what is declared, checked.
        flag: as the workspace declares it.
        metrics: the project's, by key.
    """
    posted = _of_flag(flag, told.rule, told.randomization_unit)
    primary = told.primary_metric or next(iter(told.metrics), "")
    chosen = attached(project, [{"key": one} for one in told.metrics], metrics, primary)
    shown = []
    for index, one in enumerate(told.recorded):
        number = made_id(environment, key, "iteration", index)
        shown.append({**iteration_shown(posted, number, one.status, 0), **chosen, **moments(one)})
    return experiment_shown(project, environment, {"key": key, "name": told.name or key}, in_order(shown), 0)


def moments(iteration: Iteration) -> dict[str, int]:
    """Return ``startedAt`` and ``endedAt`` of a declared iteration, epoch milliseconds, as far as it has them."""
    told = {"startedAt": iteration.started_at, "endedAt": iteration.ended_at}
    return {name: moment for name, text in told.items() if text and (moment := epoch_ms(text, 0)) is not None}


def in_order(iterations: Sequence[Representation]) -> Representation:
    """Return iterations, the oldest first, by the names that an experiment has for them (launchdarkly.rest.iterations)."""
    draft = [one for one in iterations if one["status"] == "not_started"][-1:]
    begun = [one for one in iterations if one["status"] != "not_started"]
    found: Representation = {}
    if begun:
        found["currentIteration"] = begun[-1]
    if draft:
        found["draftIteration"] = draft[0]
    if begun[:-1]:
        found["previousIterations"] = begun[:-1]
    return found


def iterations_of(shown: Representation) -> list[Representation]:
    """Return the iterations of an experiment that recorded, the oldest first."""
    current = shown.get("currentIteration")
    return [*shown.get("previousIterations", ()), *([current] if current else ())]


# ---- an iteration that starts or stops


def allocation(iteration: Representation, flag: Item, variations: Sequence[Mapping[str, Any]], rule: str) -> Item:
    """Return a flag that serves the treatments of an iteration, as the one that starts (launchdarkly.rest.start-iteration).

    Traffic that no treatment has gets the flag's ``notInExperimentVariationId``, else the baseline, and is not tracked.

    Args:
        iteration: as the API shows it.
        flag: as SDKs have it.
        variations: of the flag, as the API shows them.
        rule: where.

    Raises:
        TracksideError: the treatments have more than all traffic, or serve what the flag has not.
    """
    numbers = {one["_id"]: index for index, one in enumerate(variations)}
    parts, baseline = [], ""
    for treatment in iteration["treatments"]:
        served = next((one["variationId"] for one in treatment["parameters"] if one["flagKey"] == flag["key"]), "")
        if served not in numbers:
            fix = f"use one of: {', '.join(numbers)}"
            raise TracksideError(f"the treatment {treatment['name']!r} serves no variation of {flag['key']}", "$.treatments", fix)  # fmt: skip
        baseline = served if treatment.get("baseline") or not baseline else baseline
        parts.append({"variation": numbers[served], "weight": round(float(treatment["allocationPercent"]) * WHOLE / 100)})  # fmt: skip
    rest = WHOLE - sum(part["weight"] for part in parts)
    if rest < 0:
        what = f"the treatments have {(WHOLE - rest) * 100 / WHOLE:g} percent of the traffic"
        raise TracksideError(what, "$.treatments", "let their allocationPercent add up to 100 at most")
    other = iteration["flags"][flag["key"]].get("notInExperimentVariationId") or baseline
    if rest:
        parts.append({"variation": numbers.get(other, numbers[baseline]), "weight": rest, "untracked": True})
    unit = iteration["randomizationUnit"]
    return with_part(flag, rule, {"rollout": {"kind": "experiment", "contextKind": unit, "variations": parts}})
