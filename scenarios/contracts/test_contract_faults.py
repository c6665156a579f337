"""What a fault tells: what was wrong with its value, where, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import catalog
from trackside.errors import TracksideError
from trackside.rules import RULES

pytestmark = pytest.mark.rule("segment.contract")


def only_fault(contract: str, payload: Any) -> catalog.Fault:
    [fault] = catalog.faults(contract, payload)
    return fault


def test_a_missing_field_is_told_at_the_place_where_it_should_be() -> None:
    fault = only_fault("segment/batch", {"batch": [{"type": "track", "userId": "u-1"}]})

    assert fault == catalog.Fault(
        contract="segment/batch",
        keyword="required",
        at="$.batch[0].event",
        what="event is missing",
        fix="Add event: Name of what the user did, such as Order Completed",
        value=None,
    )


def test_the_text_is_three_clauses() -> None:
    fault = only_fault("segment/track", {"userId": 42, "event": "Order Completed"})

    assert fault.text == "userId is a number, 42. $.userId. Send a non-empty string: An id, as text."


def test_the_code_is_the_contract_and_the_keyword() -> None:
    assert only_fault("segment/track", {"userId": "u-1", "event": ""}).code == "segment/track.minLength"


def test_a_missing_id_is_told_for_both_ids() -> None:
    fault = only_fault("segment/track", {"userId": None, "event": "Order Completed"})

    assert fault.what == "userId is null and anonymousId is missing"
    assert fault.fix.startswith("Send a userId or an anonymousId")


def test_a_time_that_cannot_be_read_is_told_with_one_that_can() -> None:
    fault = only_fault("segment/track", {"userId": "u-1", "event": "Order Completed", "timestamp": "yesterday"})

    assert fault.what == 'timestamp is "yesterday"'
    assert fault.fix.startswith("Send an ISO 8601 time such as 2026-01-02T03:04:05.678Z")


def test_an_unknown_type_is_told_with_the_known_ones() -> None:
    fault = only_fault("segment/call", {"type": "tracks", "userId": "u-1"})

    assert fault.what == 'type is "tracks"'
    assert '"track", "identify", "page", "screen", "group", "alias"' in fault.fix


def test_an_unknown_field_is_told_at_its_own_place() -> None:
    fault = only_fault("segment/success-answer", {"success": True, "retry after": 5})

    assert (fault.at, fault.what, fault.value) == ('$["retry after"]', "retry after is not a known field", 5)


def test_a_field_whose_name_is_a_number_is_told_by_its_name() -> None:
    identity = {"kind": "identity", "trafficTypeName": "user", "key": "u-1", "environmentName": "production"}

    fault = only_fault("split/identity", {**identity, "values": {"0": 12}})

    assert (fault.at, fault.what) == ('$.values["0"]', "0 is a number, 12")


def test_a_long_value_is_cut_in_the_text() -> None:
    fault = only_fault("segment/track", {"userId": "u-1", "event": "Order Completed", "timestamp": "x" * 5000})

    assert len(fault.text) < 300
    assert fault.value == "x" * 5000


def test_all_faults_of_a_payload_are_told() -> None:
    payload = {"userId": 1, "event": 2, "properties": 3}

    assert {fault.at for fault in catalog.faults("segment/track", payload)} == {"$.userId", "$.event", "$.properties"}


def test_a_refused_value_of_very_many_levels_is_told_without_failing() -> None:
    deep: Any = "Order Completed"
    for _ in range(900):
        deep = {"event": deep}

    fault = only_fault("segment/track", {"userId": "u-1", "event": deep})

    assert fault.code == "segment/track.depth"


def test_no_more_faults_are_told_than_wanted() -> None:
    payload = {"batch": [{"type": "track", "userId": "u-1"}] * 50}

    assert len(catalog.faults("segment/batch", payload, limit=20)) == 20


def test_a_fault_becomes_an_error_step_under_the_vendors_rule() -> None:
    step = catalog.as_step(
        only_fault(
            "split/identity",
            {"kind": "identity", "trafficTypeName": "user", "key": "u-1", "environmentName": "production"},
        )
    )

    assert step.as_json() == {
        "kind": "fault",
        "rule": "split.contract",
        "text": "values is missing",
        "at": "$.values",
        "fix": "Add values: Its attributes",
        "level": "error",
        "code": "split/identity.required",
    }


@pytest.mark.parametrize("vendor", ["segment", "statsig", "split", "launchdarkly", "ownlayer"])
def test_every_vendor_has_the_rule_that_its_faults_name(vendor: str) -> None:
    assert f"{vendor}.contract" in RULES


def test_a_contract_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(TracksideError, match=r"no contract 'segment/tracks'.*segment/track, ") as told:
        catalog.faults("segment/tracks", {})

    assert told.value.where == str(catalog.folder())


UNEVALUATED = {
    "type": "object",
    "allOf": [{"$ref": "#/$defs/named"}],
    "unevaluatedProperties": False,
    "$defs": {"named": {"properties": {"name": {"type": "string"}, "age": {"type": "number"}}}},
}


def test_a_declared_field_behind_a_failing_reference_is_not_called_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "load", lambda _: UNEVALUATED)

    [fault] = catalog.faults("scenario/unevaluated", {"name": 5, "age": 40})

    assert fault.at == "$.name"


def test_an_unknown_field_beside_a_failing_reference_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "load", lambda _: UNEVALUATED)

    told = catalog.faults("scenario/unevaluated", {"name": 5, "nmae": "Ann"})

    assert {fault.at for fault in told} == {"$.name", "$.nmae"}
