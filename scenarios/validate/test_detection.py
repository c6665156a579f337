"""Which contract a payload is held against, told from its form alone: measured on the examples of every contract."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from trackside import catalog
from trackside.validation import marks
from trackside.validation.detection import Known, detect, is_whole, nearest

CALLS = {f"segment/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias")}

SAME_FORM: dict[str, frozenset[str] | set[str]] = {
    **dict.fromkeys(
        (
            "launchdarkly/segment-page",
            "launchdarkly/segment-track",
            "ownlayer/segment-track",
            "segment/audience-identify",
            "segment/audience-track",
            "segment/call",
            "segment/consent-preference-updated",
            "segment/delivered-call",
            "segment/violation-generated",
            "split/segment-call",
            "split/segment-track",
            "statsig/segment-config-change",
            "statsig/segment-track",
            "statsig/segment-webhook",
        ),
        frozenset((*CALLS, "segment/call", "segment/delete")),
    ),
    "launchdarkly/experiment-patch": {"launchdarkly/feature-flag-patch"},
    "launchdarkly/feature-flag-patch": {"launchdarkly/json-patch"},
    "launchdarkly/flag-file": {"launchdarkly/server-data"},
    "launchdarkly/import-events": {"launchdarkly/sdk-events"},
    "launchdarkly/segment-events": {"launchdarkly/sdk-events"},
    "launchdarkly/server-segment": {"launchdarkly/client-delete"},
    "segment/pixel": {"segment/track"},
    "segment/public-api-rules-replace": {"segment/tracking-plan"},
    "segment/public-api-rules-update": {"segment/tracking-plan"},
    "split/admin-attribute": {"split/admin-attribute-request"},
    "split/admin-attributes-request": {"split/admin-attributes"},
    "split/admin-patch-request": {"launchdarkly/json-patch"},
    "split/unique-keys-client": {"split/admin-keys-request"},
    "split/unique-keys-server": {"split/admin-keys-request"},
    "statsig/console-audit-logs": {"statsig/console-list"},
    "statsig/console-dynamic-config-update": {"statsig/console-dynamic-config"},
    "statsig/console-events": {"statsig/console-list"},
    "statsig/console-experiment-update": {"statsig/console-experiment"},
    "statsig/console-gate-update": {"statsig/console-gate"},
    "statsig/console-layer-update": {"statsig/console-layer"},
    "statsig/specs-request": {"statsig/id-lists-request"},
}
"""Contracts whose payloads have the form of another one, which they keep too."""

KEPT_BY_ITS_DESTINATION_ALONE = {"split/segment-call/valid/track-without-event.json"}
"""Split takes what Segment would refuse."""


@cache
def contracts() -> list[str]:
    """Return every contract but those of Segment's specs, which are held on demand."""
    return [name for name in catalog.names() if "x-spec" not in catalog.load(name)]


@cache
def examples(name: str, side: str) -> dict[str, Any]:
    """Return the payloads of a contract's examples by their files."""
    vendor, payload = name.split("/")
    files = sorted((catalog.folder() / vendor / "examples" / payload / side).glob("*.json"))
    return {f"{name}/{side}/{file.name}": json.loads(file.read_text(encoding="utf-8")) for file in files}


def says_little(payload: Any) -> bool:
    """Return whether a payload is so bare that a person could not tell it either."""
    if isinstance(payload, dict):
        return len(payload) <= 2 or not any(payload.get("objects", (None,)))
    return isinstance(payload, str) or len(payload) == 0


# ---- each contract by its own form


@pytest.mark.parametrize("name", contracts())
def test_a_valid_payload_is_known_by_its_form(name: str) -> None:
    allowed = {name} | SAME_FORM.get(name, set())
    for file, payload in examples(name, "valid").items():
        if file in KEPT_BY_ITS_DESTINATION_ALONE:
            continue
        known = detect(payload)
        if known is None:
            assert name in marks.UNTOLD or says_little(payload), f"{file} is not known"
            continue
        assert known.contract in allowed, f"{file} is taken for {known.contract}, as {known.how}"
        assert catalog.validator(known.contract).is_valid(payload), f"{file} breaks {known.contract}"


@pytest.mark.parametrize("name", contracts())
def test_a_contract_is_known_by_one_of_its_examples_at_least(name: str) -> None:
    found = {known.contract for payload in examples(name, "valid").values() if (known := detect(payload))}
    if name in marks.UNTOLD:
        assert found == set(), "take it out of UNTOLD"
    else:
        assert found & ({name} | SAME_FORM.get(name, set()))


def test_a_payload_with_one_fault_is_known_as_what_it_should_be() -> None:
    told: Counter[str] = Counter()
    wrong = []
    for name in contracts():
        for file, payload in examples(name, "invalid").items():
            known = detect(payload)
            how = "unknown" if known is None else "own" if known.contract == name else "same form"
            if known is not None and how == "same form" and known.contract not in SAME_FORM.get(name, ()):
                how = "another"
                wrong.append(f"{file} -> {known.contract}")
            told[how] += 1
    total = told.total()
    assert told["another"] <= 0.05 * total, wrong
    told_apart = total - told["same form"]
    assert told["another"] <= 0.015 * told_apart, "\n".join(wrong)
    assert told["own"] >= 0.85 * told_apart, told


def test_no_contract_is_listed_that_is_none() -> None:
    listed = {contract for contract, _ in (*marks.OBJECTS, *marks.ARRAYS)} | set(marks.UNTOLD) | set(SAME_FORM)
    assert sorted(listed - set(catalog.names())) == []


def test_every_contract_has_marks_or_stands_in_the_list_of_those_that_cannot_be_told() -> None:
    marked = {contract for contract, _ in (*marks.OBJECTS, *marks.ARRAYS)} | CALLS | set(SAME_FORM)
    assert sorted(set(contracts()) - marked - set(marks.UNTOLD)) == []


# ---- how it was known


@pytest.mark.parametrize(
    ("payload", "contract", "how"),
    [
        ({"type": "track", "event": "A", "userId": "u-1"}, "segment/track", "type is track"),
        ({"batch": [], "writeKey": "wk_web"}, "segment/batch", "it has batch and writeKey"),
        ({"events": [], "statsigMetadata": {}}, "statsig/log-event", "it has events"),
        ({"gateName": "new_checkout", "user": {}}, "statsig/check-gate", "it has gateName"),
        ({"data": {"workspace": {}}}, "segment/public-api-workspace", "data has workspace"),
        ({"events": [{"event": "put-object", "data": {}}]}, "launchdarkly/fdv2-poll", "the items of events have event"),
        ([{"f": "new_checkout", "i": []}], "split/impressions", "its items have f and i"),
        ([{"eventTypeId": "purchase", "key": "u-1"}], "split/events-bulk", "its items have eventTypeId"),
        ({"kind": "exposure", "eventName": "e"}, "statsig/exposure", "kind is exposure"),
        ({"path": "/flags/banner", "version": 8}, "launchdarkly/server-delete", "it has version and path begins with /flags/"),
        ({"banner": {"flagVersion": 1}}, "launchdarkly/evaluated-flags", "what its fields hold has flagVersion"),
    ],
)  # fmt: skip
def test_it_is_said_how_a_contract_was_known(payload: Any, contract: str, how: str) -> None:
    assert detect(payload) == Known(contract, how)


@pytest.mark.parametrize("id_of", ["userId", "anonymousId", "messageId"])
@pytest.mark.parametrize("kind", ["Track", "purchase", "", None, 7, ["track"]])
def test_a_call_of_a_type_that_segment_does_not_have_is_held_against_the_contract_of_all_calls(
    id_of: str, kind: Any
) -> None:
    payload = {"type": kind, id_of: "u-1", "event": "A"}
    known = detect(payload)
    assert known is not None
    assert known.contract == "segment/call"
    assert any(fault.at == "$.type" for fault in catalog.faults(known.contract, payload))


@pytest.mark.parametrize(
    ("payload", "contract"),
    [
        ({"event": "A", "anonymousId": "a-1"}, "segment/track"),
        ({"traits": {}, "userId": "u-1"}, "segment/identify"),
        ({"groupId": "g-1", "userId": "u-1"}, "segment/group"),
        ({"previousId": "a-1", "userId": "u-1"}, "segment/alias"),
    ],
)
def test_a_call_that_was_posted_to_the_path_of_its_type_needs_no_type(payload: Any, contract: str) -> None:
    known = detect(payload)
    assert known is not None
    assert known.contract == contract


@pytest.mark.parametrize(
    "payload", [None, True, 7, 1.5, "text", [], {}, [[]], [None], [7, 8], {"a": 1}, {"r": []}, {"": {}}, [[[]]]]
)
def test_what_has_no_telling_form_has_no_contract(payload: Any) -> None:
    assert detect(payload) is None


@pytest.mark.parametrize("kind", [[], {}, 7, None, {"a": 1}, "x" * 10_000])
@pytest.mark.parametrize("field", ["kind", "type", "path", "data", "events", "batch", "keys"])
def test_no_value_of_a_telling_field_upsets_the_detection(field: str, kind: Any) -> None:
    detect({field: kind, "key": kind})
    detect([{field: kind}])
    assert isinstance(nearest({field: kind}), list)


# ---- arrays


@pytest.mark.parametrize(
    ("first", "whole"),
    [
        ({"kind": "identify", "creationDate": 1, "context": {"kind": "user", "key": "u-1"}}, True),
        ({"f": "new_checkout", "i": []}, True),
        ({"type": "track", "event": "A", "userId": "u-1"}, False),
        ({"batch": [], "writeKey": "wk"}, False),
        ({"events": []}, False),
        ({"type": "track", "key": "u", "eventTypeId": "e", "userId": "u"}, False),
        (5, False),
        ([], False),
        (None, False),
    ],
)
def test_an_array_is_one_payload_where_its_first_item_says_so(first: Any, whole: bool) -> None:
    assert is_whole(first) is whole


# ---- what is told of a payload without a contract


def test_contracts_that_come_near_are_named() -> None:
    assert "segment/group" in nearest({"userId": "u-1", "groupID": "g-1"})
    assert nearest({"objects": [], "offset": 0, "limit": 20, "totalCount": 0})
    assert nearest({"nobody": 1, "knows": 2}) == []
    assert nearest([]) == nearest(None) == nearest("text") == []


def test_detection_remembers_a_bounded_number_of_forms() -> None:
    from trackside.validation import forms

    fields = sorted({word for _, line in marks.OBJECTS for word in line.split() if word.isalpha()})[:60]
    for one, other in combinations(fields, 2):
        detect({one: 1, other: 1})
    assert forms.objects._candidates.cache_info().currsize <= 1_000  # noqa: SLF001 - no payload shows it
