"""What is refused of the metrics and experiments that a workspace declares, each with its place and its fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trackside.errors import WorkspaceError
from trackside.workspace import load

SPLIT: dict[str, Any] = {
    "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
    "flags": {"banner": {"treatments": ["blue", "plain"], "serve": {"blue": 60, "plain": 40}, "default": "plain"}},
    "metrics": {"paid": {"event_type": "checkout"}},
}


def faults(**more: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(WorkspaceError) as told:
        load({"split": {**SPLIT, **more}})
    return [(one.what, one.where.removeprefix("the workspace: "), one.fix) for one in told.value.faults]


def of_metric(**row: Any) -> tuple[str, str, str]:
    [found] = faults(metrics={"paid": {"event_type": "checkout", **row}})
    return found


def of_filter(**row: Any) -> tuple[str, str, str]:
    event = {"event_type_id": "checkout", "property_filters": [{"property": "plan", "operator": "IN", **row}]}
    [found] = faults(metrics={"paid": {"base_event_types": [event]}})
    return found


def of_experiment(**row: Any) -> tuple[str, str, str]:
    [found] = faults(experiments={"banner_test": {"flag": "banner", **row}})
    return found


AT = "$.split.metrics.paid"
FILTER_AT = f"{AT}.base_event_types[0].property_filters[0].values"


# ---- metrics


@pytest.mark.rule("split.counting.metric-types")
def test_a_metric_takes_an_event() -> None:
    assert faults(metrics={"paid": {}}) == [("the metric takes no event", AT, "name its event_type")]


@pytest.mark.rule("split.counting.metric-types")
def test_a_metric_says_its_event_once() -> None:
    found = of_metric(base_event_types=[{"event_type_id": "checkout"}])

    assert found == ("the metric has event_type and base_event_types", AT, "take one of the two away")


@pytest.mark.rule("split.counting.value")
def test_a_property_for_the_value_stands_beside_its_event_type() -> None:
    [found] = faults(
        metrics={"paid": {"property_for_value": "price", "base_event_types": [{"event_type_id": "checkout"}]}}
    )

    assert found == (
        "property_for_value stands without event_type",
        f"{AT}.property_for_value",
        "write it beside the event_type_id that it belongs to",
    )


@pytest.mark.rule("split.counting.second-event")
def test_a_metric_of_several_event_types_is_refused() -> None:
    [found] = faults(
        metrics={"paid": {"base_event_types": [{"event_type_id": "checkout"}, {"event_type_id": "renewal"}]}}
    )

    assert found == (
        "the metric takes 2 event types, which is not emulated (split.counting.second-event)",
        f"{AT}.base_event_types",
        "give each event type a metric of its own",
    )


@pytest.mark.rule("split.counting.second-event")
@pytest.mark.parametrize("word", ["filter_event_type", "trigger_event_type"])
def test_a_metric_of_two_events_is_refused(word: str) -> None:
    assert of_metric(**{word: {"event_type_id": "signup"}}) == (
        "metrics of two events are not emulated (split.counting.second-event)",
        f"{AT}.{word}",
        "take it away, or measure each event by a metric of its own",
    )


@pytest.mark.rule("split.counting.traffic-type")
def test_the_traffic_type_of_a_metric_is_known() -> None:
    assert of_metric(traffic_type="usr") == (
        "there is no traffic type 'usr'",
        f"{AT}.traffic_type",
        "did you mean user?",
    )


@pytest.mark.rule("split.counting.metric-types")
@pytest.mark.parametrize("name", ["2nd", "two words", "a" * 101])
def test_the_name_of_a_metric_is_as_the_vendor_takes_it(name: str) -> None:
    [(what, _, fix)] = faults(metrics={name: {"event_type": "checkout"}})

    assert what == f"{name!r} is no name of a metric"
    assert fix == "use at most 100 letters, digits, hyphens and underscores, a letter first"


@pytest.mark.rule("split.counting.filters")
@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, ("IN is compared with nothing", FILTER_AT, "give it a value")),
        (
            {"operator": "EXISTS", "values": ["gold"]},
            ("EXISTS is compared with values", FILTER_AT, "take them away"),
        ),
        (
            {"operator": "MATCHES", "values": [7]},
            ("7 is no regular expression", f"{FILTER_AT}[0]", "give a text"),
        ),
    ],
)
def test_a_filter_has_what_its_operator_asks(row: dict[str, Any], told: tuple[str, str, str]) -> None:
    assert of_filter(**row) == told


@pytest.mark.rule("split.counting.filters")
def test_a_pattern_can_be_compiled() -> None:
    what, where, _ = of_filter(operator="MATCHES", values=["gold", "("])

    assert what.startswith("the pattern '(' cannot be compiled")
    assert where == f"{FILTER_AT}[1]"


# ---- experiments

TEST_AT = "$.split.experiments.banner_test"


@pytest.mark.rule("split.counting.experiment")
@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"flag": "baner"}, ("there is no flag 'baner'", f"{TEST_AT}.flag", "did you mean banner?")),
        (
            {"environment": "qa"},
            ("there is no environment 'qa'", f"{TEST_AT}.environment", "declared under split.environments are: production, staging"),
        ),
        ({"key_metrics": ["paids"]}, ("there is no metric 'paids'", f"{TEST_AT}.key_metrics[0]", "did you mean paid?")),
        (
            {"supporting_metrics": ["paid", "left"]},
            ("there is no metric 'left'", f"{TEST_AT}.supporting_metrics[1]", "declared under split.metrics are: paid"),
        ),
        (
            {"baseline_treatment": "on"},
            ("there is no treatment 'on'", f"{TEST_AT}.baseline_treatment", "declared are: blue, plain"),
        ),
        (
            {"comparison_treatments": ["red"]},
            ("there is no treatment 'red'", f"{TEST_AT}.comparison_treatments[0]", "declared are: blue, plain"),
        ),
        (
            {"baseline_treatment": "blue", "comparison_treatments": ["plain", "blue"]},
            ("the treatment 'blue' is compared twice", f"{TEST_AT}.comparison_treatments[1]", "name it once"),
        ),
        (
            {"start_at": "tomorrow"},
            ("'tomorrow' is no moment", f"{TEST_AT}.start_at", "write ISO 8601, such as 2026-11-22T09:00:00Z"),
        ),
        (
            {"start_at": "2026-01-02", "end_at": "2026-01-02"},
            ("the experiment ends before it starts", f"{TEST_AT}.end_at", "write a moment after start_at"),
        ),
        (
            {"status": "COMPLETED"},
            ("the experiment is completed and has no end", f"{TEST_AT}.end_at", "say when it ended"),
        ),
    ],
)  # fmt: skip
def test_an_experiment_names_what_is_there(row: dict[str, Any], told: tuple[str, str, str]) -> None:
    assert of_experiment(**row) == told


@pytest.mark.rule("split.counting.experiment")
@pytest.mark.parametrize("name", ["b", "2nd", "two words", "a" * 251])
def test_the_name_of_an_experiment_is_as_the_vendor_takes_it(name: str) -> None:
    [(what, _, fix)] = faults(experiments={name: {"flag": "banner"}})

    assert what == f"{name!r} is no name of an experiment"
    assert fix == "use 2 to 250 letters, digits, hyphens and underscores, a letter first"


@pytest.mark.rule("split.counting.traffic-type")
def test_a_metric_of_another_traffic_type_than_the_flags_is_no_fault() -> None:
    metrics = {"paid": {"event_type": "checkout", "traffic_type": "account"}}
    row = {"flag": "banner", "key_metrics": ["paid"]}

    load({"split": {**SPLIT, "traffic_types": ["user", "account"], "metrics": metrics, "experiments": {"test": row}}})


@pytest.mark.rule("split.counting.experiment", "split.counting.traffic-type")
def test_flags_and_traffic_types_of_a_file_that_is_not_read_are_not_looked_for(tmp_path: Path) -> None:
    split = {
        "environments": {"production": {}},
        "flags_file": "flags.yaml",
        "metrics": {"paid": {"event_type": "checkout", "traffic_type": "company"}},
        "experiments": {"menu_test": {"flag": "menu"}},
    }
    path = tmp_path / "trackside.yaml"
    path.write_text(json.dumps({"split": split}), encoding="utf-8")

    load(path, flag_files=False)
