"""What JSON Schema cannot say of declared experiments: that what they name exists, and when they record. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.experiments import FALLTHROUGH, moments, part_of
from trackside.launchdarkly.item_checks import did_you_mean
from trackside.launchdarkly.model import Item
from trackside.launchdarkly.settings import Experiment, Iteration, LaunchDarklySettings

Flags = Mapping[str, Mapping[str, Item]]
"""The declared flags by environment and key."""


def faults(settings: LaunchDarklySettings, flags: Flags, *, complete: bool) -> Iterator[TracksideError]:
    """Yield what is wrong with the experiments of a workspace (launchdarkly.counting.experiments).

    Args:
        settings: of the project.
        flags: the declared ones, those of files among them.
        complete: whether the flags are all there are; without their file nothing is said of unknown ones.
    """
    running: dict[tuple[str, str, str], str] = {}
    for key, experiment in settings.experiments.items():
        yield from _reference_faults(key, experiment, settings, flags, complete=complete)
        yield from _time_faults(key, experiment)
        if experiment.recorded[-1].status == "running":
            place = (_environment(experiment, flags), experiment.flag, experiment.rule)
            if place in running:
                what = f"{running[place]} runs on the same rule of the flag {experiment.flag!r}"
                yield TracksideError(
                    what, _at("experiments", key, "flag"), "let one of them be stopped, or name another rule"
                )
            running.setdefault(place, key)


def _at(*path: str | int) -> str:
    return catalog.json_path(["launchdarkly", *path])


def _environment(experiment: Experiment, flags: Flags) -> str:
    return experiment.environment or next(iter(flags), "")


def _reference_faults(
    key: str, experiment: Experiment, settings: LaunchDarklySettings, flags: Flags, *, complete: bool
) -> Iterator[TracksideError]:
    """Yield each environment, flag, rule and metric that an experiment names and that is not there."""
    if experiment.environment and experiment.environment not in flags:
        what = f"there is no environment {experiment.environment!r}"
        yield TracksideError(what, _at("experiments", key, "environment"), did_you_mean(experiment.environment, flags))
        return
    known = flags.get(_environment(experiment, flags), {})
    flag = known.get(experiment.flag)
    if flag is None:
        if complete:
            what = f"there is no flag {experiment.flag!r}"
            yield TracksideError(what, _at("experiments", key, "flag"), did_you_mean(experiment.flag, known))
    elif part_of(flag, experiment.rule) is None:
        rules = [FALLTHROUGH, *(rule["id"] for rule in flag["rules"])]
        what = f"the flag {experiment.flag!r} has no rule {experiment.rule!r}"
        yield TracksideError(what, _at("experiments", key, "rule"), did_you_mean(experiment.rule, rules))
    for number, metric in enumerate(experiment.metrics):
        if metric not in settings.metrics:
            at = _at("experiments", key, "metrics", number)
            yield TracksideError(f"there is no metric {metric!r}", at, did_you_mean(metric, settings.metrics))
    if experiment.primary_metric and experiment.primary_metric not in experiment.metrics:
        what = f"the primary metric {experiment.primary_metric!r} is none of the experiment's"
        fix = did_you_mean(experiment.primary_metric, experiment.metrics)
        yield TracksideError(what, _at("experiments", key, "primary_metric"), fix)


# ---- when it records


def _time_faults(key: str, experiment: Experiment) -> Iterator[TracksideError]:
    """Yield moments that cannot be read, and iterations that cannot follow one another (launchdarkly.counting.iteration)."""
    if experiment.iterations and (experiment.status, experiment.started_at, experiment.ended_at) != ("running", "", ""):
        what = f"{key} has iterations, and a status or moment of its own beside them"
        yield TracksideError(what, _at("experiments", key), "write status, started_at and ended_at in each iteration")
    places = [_at("experiments", key, *(("iterations", n) if experiment.iterations else ())) for n in range(len(experiment.recorded))]  # fmt: skip
    for one, at in zip(experiment.recorded, places, strict=True):
        yield from _iteration_faults(one, at)
    yield from _order_faults(experiment.recorded, places)


def _iteration_faults(one: Iteration, at: str) -> Iterator[TracksideError]:
    told = moments(one)
    for name, text, moment in (("started_at", one.started_at, "startedAt"), ("ended_at", one.ended_at, "endedAt")):
        if text and moment not in told:
            what = f"{name} is {text!r}, which is no moment"
            yield TracksideError(what, f"{at}.{name}", "write one such as 2026-11-22T09:00:00Z")
    if told.get("endedAt", 0) < told.get("startedAt", 0) and "endedAt" in told:
        what = f"it ended at {one.ended_at}, before it started at {one.started_at}"
        yield TracksideError(what, f"{at}.ended_at", "let it end after its start")
    if one.status == "running" and one.ended_at:
        yield TracksideError(f"it is running and ended at {one.ended_at}", f"{at}.ended_at", "write status: stopped, or take ended_at away")  # fmt: skip
    if one.status == "stopped" and one.started_at and not one.ended_at:
        yield TracksideError("it is stopped, and nothing says when", f"{at}.ended_at", "add ended_at")
    if one.status == "not_started" and (one.started_at or one.ended_at):
        name = "started_at" if one.started_at else "ended_at"
        yield TracksideError(f"it has not started and has {name}", f"{at}.{name}", f"take {name} away, or write status: running")  # fmt: skip


def _order_faults(iterations: Sequence[Iteration], places: Sequence[str]) -> Iterator[TracksideError]:
    for before, after, at in zip(iterations, iterations[1:], places[1:], strict=False):
        if before.status != "stopped":
            what = f"the iteration before it is {before.status}"
            yield TracksideError(what, at, "let every iteration but the last one be stopped")
        ended, started = moments(before).get("endedAt"), moments(after).get("startedAt")
        if ended is not None and started is not None and started < ended:
            what = f"it started at {after.started_at}, before the one before it ended at {before.ended_at}"
            yield TracksideError(what, f"{at}.started_at", "write the iterations in order, the oldest first")
