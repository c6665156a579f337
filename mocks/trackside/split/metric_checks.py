"""What is wrong with the metrics and experiments of a workspace beyond what its contract says. Pure functions.

A reference to what is not there is a fault. What could never count, such as a metric of another traffic type than the
flag, is none: the vendor takes it too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.split import metrics
from trackside.split.definitions import used_treatments
from trackside.split.flag_checks import pattern_fault

if TYPE_CHECKING:
    from trackside.live import Declared
    from trackside.split.changes import Content, Definition
    from trackside.split.metric_settings import Experiment, Metric, PropertyFilter
    from trackside.split.settings import SplitSettings

METRIC_NAME = re.compile(r"[A-Za-z][-_A-Za-z0-9]{0,99}").fullmatch
EXPERIMENT_NAME = re.compile(r"[A-Za-z][-_A-Za-z0-9]{1,249}").fullmatch


def faults(settings: SplitSettings, declared: Declared) -> Iterator[TracksideError]:
    """Yield each name that points nowhere, and each metric and experiment that the vendor would not take.

    Args:
        settings: the block.
        declared: what each environment serves; flags and traffic types are not looked for where a file of flags was
            not read.
    """
    contents: dict[str, Content] = declared.data or {}
    unread = bool(settings.flags_file) and not declared.files
    for name, metric in settings.metrics.items():
        yield from _metric_faults(name, metric)
        types = _traffic_types(settings, contents)
        if metric.traffic_type not in types and not unread:
            at = json_path(["split", "metrics", name, "traffic_type"])
            yield _unknown("traffic type", metric.traffic_type, at, types, "split.traffic_types")
    for name, experiment in settings.experiments.items():
        at = json_path(["split", "experiments", name])
        yield from _experiment_faults(name, experiment, at)
        yield from _metric_reference_faults(experiment, settings, at)
        if not unread:
            yield from _flag_faults(experiment, settings, contents, at)


def _traffic_types(settings: SplitSettings, contents: Mapping[str, Content]) -> list[str]:
    mapped = (kind for one in settings.segment_inbound for kind in one.identities.values())
    used = (str(flag["trafficTypeName"]) for content in contents.values() for flag in content.flags.values())
    return list(dict.fromkeys([*settings.traffic_types, *mapped, *used]))


# ---- metrics


def _metric_faults(name: str, metric: Metric) -> Iterator[TracksideError]:
    at = json_path(["split", "metrics", name])
    if not METRIC_NAME(name):
        fix = "use at most 100 letters, digits, hyphens and underscores, a letter first"
        yield TracksideError(f"{name!r} is no name of a metric", at, fix)
    yield from _event_faults(metric, at)
    for word in ("filter_event_type", "trigger_event_type"):
        if getattr(metric, word) is not None:
            what = "metrics of two events are not emulated (split.counting.second-event)"
            yield TracksideError(what, f"{at}.{word}", "take it away, or measure each event by a metric of its own")
    for index, event in enumerate(metric.base_event_types):
        for number, row in enumerate(event.property_filters):
            yield from _filter_faults(row, f"{at}.base_event_types[{index}].property_filters[{number}]")


def _event_faults(metric: Metric, at: str) -> Iterator[TracksideError]:
    if not metric.events:
        yield TracksideError("the metric takes no event", at, "name its event_type")
    elif metric.event_type and metric.base_event_types:
        yield TracksideError("the metric has event_type and base_event_types", at, "take one of the two away")
    elif len(metric.events) > 1:
        what = f"the metric takes {len(metric.events)} event types, which is not emulated (split.counting.second-event)"
        yield TracksideError(what, f"{at}.base_event_types", "give each event type a metric of its own")
    if metric.property_for_value and not metric.event_type:
        fix = "write it beside the event_type_id that it belongs to"
        yield TracksideError("property_for_value stands without event_type", f"{at}.property_for_value", fix)


def _filter_faults(row: PropertyFilter, at: str) -> Iterator[TracksideError]:
    alone = row.operator in ("EXISTS", "NOT_EXISTS")
    if not row.values and not alone:
        yield TracksideError(f"{row.operator} is compared with nothing", f"{at}.values", "give it a value")
    if row.values and alone:
        yield TracksideError(f"{row.operator} is compared with values", f"{at}.values", "take them away")
    for index, value in enumerate(row.values if row.operator == "MATCHES" else ()):
        if isinstance(value, str):
            yield from pattern_fault(value, f"{at}.values[{index}]")
        else:
            yield TracksideError(f"{value!r} is no regular expression", f"{at}.values[{index}]", "give a text")


# ---- experiments


def _experiment_faults(name: str, experiment: Experiment, at: str) -> Iterator[TracksideError]:
    if not EXPERIMENT_NAME(name):
        fix = "use 2 to 250 letters, digits, hyphens and underscores, a letter first"
        yield TracksideError(f"{name!r} is no name of an experiment", at, fix)
    yield from _time_faults(experiment, at)


def _metric_reference_faults(experiment: Experiment, settings: SplitSettings, at: str) -> Iterator[TracksideError]:
    for word in ("key_metrics", "supporting_metrics"):
        for index, metric in enumerate(getattr(experiment, word)):
            if metric not in settings.metrics:
                yield _unknown("metric", metric, f"{at}.{word}[{index}]", settings.metrics, "split.metrics")


def _flag_faults(
    experiment: Experiment, settings: SplitSettings, contents: Mapping[str, Content], at: str
) -> Iterator[TracksideError]:
    environment = experiment.environment or next(iter(settings.environment_names), "")
    if environment not in contents:
        yield _unknown("environment", environment, f"{at}.environment", contents, "split.environments")
    elif experiment.flag not in (flags := contents[environment].flags):
        yield _unknown("flag", experiment.flag, f"{at}.flag", flags, "split.flags")
    else:
        yield from _treatment_faults(experiment, flags[experiment.flag], at)


def _treatment_faults(experiment: Experiment, flag: Definition, at: str) -> Iterator[TracksideError]:
    known = list(dict.fromkeys([*used_treatments(flag), flag["defaultTreatment"]]))
    if experiment.baseline_treatment and experiment.baseline_treatment not in known:
        yield _unknown("treatment", experiment.baseline_treatment, f"{at}.baseline_treatment", known)
    seen = {experiment.baseline_treatment}
    for index, treatment in enumerate(experiment.comparison_treatments):
        place = f"{at}.comparison_treatments[{index}]"
        if treatment not in known:
            yield _unknown("treatment", treatment, place, known)
        elif treatment in seen:
            yield TracksideError(f"the treatment {treatment!r} is compared twice", place, "name it once")
        seen.add(treatment)


def _time_faults(experiment: Experiment, at: str) -> Iterator[TracksideError]:
    moments = {}
    for word in ("start_at", "end_at"):
        text = getattr(experiment, word)
        moments[word] = metrics.moment(text)
        if text and moments[word] is None:
            yield TracksideError(
                f"{text!r} is no moment", f"{at}.{word}", "write ISO 8601, such as 2026-11-22T09:00:00Z"
            )
    start, end = moments["start_at"], moments["end_at"]
    if start is not None and end is not None and end <= start:
        what = "the experiment ends before it starts"
        yield TracksideError(what, f"{at}.end_at", "write a moment after start_at")
    if experiment.status in ("COMPLETED", "ARCHIVED") and not experiment.end_at:
        what = f"the experiment is {experiment.status.lower()} and has no end"
        yield TracksideError(what, f"{at}.end_at", "say when it ended")


def _unknown(what: str, name: str, at: str, known: Collection[str], where: str = "") -> TracksideError:
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known) or "none"
    fix = f"did you mean {close[0]}?" if close else f"declared{f' under {where}' if where else ''} are: {listed}"
    return TracksideError(f"there is no {what} {name!r}", at, fix)
