"""Segment page and screen calls as Harness FME keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.split.mapping import segment_call
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.steps import Mapped


def receive(call: dict[str, Any], **configuration: Any) -> Mapped:
    inbound = SegmentInbound("fme-key", environment="production", **configuration)
    message = {"userId": "u-1", "timestamp": "2025-01-02T03:04:05Z", **call}
    return segment_call(message, inbound, SplitSettings(traffic_types=("user", "account")))


def named(mapped: Mapped) -> list[str]:
    return [record["eventTypeId"] for record in mapped.records]


@pytest.mark.rule("split.in.page", "split.in.specs")
def test_a_named_page_becomes_a_view_event() -> None:
    assert named(receive({"type": "page", "name": "signup"})) == ["view_signup_page"]


@pytest.mark.rule("split.in.screen", "split.in.specs")
def test_a_named_screen_becomes_a_viewed_event() -> None:
    assert named(receive({"type": "screen", "name": "signup"})) == ["viewed_signup_screen"]


@pytest.mark.rule("split.in.page")
def test_the_prefix_of_pages_can_be_set() -> None:
    assert named(receive({"type": "page", "name": "signup"}, page_prefix="viewed_")) == ["viewed_signup_page"]


@pytest.mark.rule("split.in.screen")
def test_the_prefix_of_screens_can_be_set() -> None:
    assert named(receive({"type": "screen", "name": "signup"}, screen_prefix="view_")) == ["view_signup_screen"]


@pytest.mark.rule("split.in.page")
def test_the_choice_of_the_prefix_is_noted() -> None:
    step = receive({"type": "page", "name": "signup"}).steps[0]
    assert (step.kind, step.rule, step.level) == ("assumed", "split.in.page", "note")


@pytest.mark.rule("split.in.page", "split.in.event-type-spaces")
def test_spaces_in_the_name_of_a_page_become_underscores() -> None:
    assert named(receive({"type": "page", "category": "Docs", "name": "sign up"})) == ["view_sign_up_page"]


@pytest.mark.rule("split.in.page.case")
@pytest.mark.parametrize(("case", "event_type"), [("keep", "view_Signup_page"), ("lower", "view_signup_page")])
def test_the_case_of_the_name_is_kept_or_lowered(case: str, event_type: str) -> None:
    assert named(receive({"type": "page", "name": "Signup"}, page_case=case)) == [event_type]


@pytest.mark.rule("split.in.event-type-name", "split.in.page")
def test_the_name_of_a_page_follows_the_naming_rules() -> None:
    dropped = receive({"type": "page", "name": "50%"}).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.at) == ("split.in.event-type-name", "$.name")


@pytest.mark.rule("split.in.unnamed")
@pytest.mark.parametrize("kind", ["page", "screen"])
@pytest.mark.parametrize("name", [None, "", " ", 7])
def test_a_call_without_a_name_is_dropped_with_a_warning(kind: str, name: object) -> None:
    dropped = receive({"type": kind, "name": name}).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.level) == ("split.in.unnamed", "warning")


@pytest.mark.rule("split.in.page-toggles")
@pytest.mark.parametrize(("kind", "toggle"), [("page", "named_pages"), ("screen", "named_screens")])
def test_a_toggle_switches_its_calls_off(kind: str, toggle: str) -> None:
    dropped = receive({"type": kind, "name": "signup"}, **{toggle: False}).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.level) == ("split.in.page-toggles", None)


@pytest.mark.rule("split.in.page-toggles")
@pytest.mark.parametrize("kind", ["page", "screen"])
def test_pages_and_screens_do_not_depend_on_the_track_toggle(kind: str) -> None:
    assert len(receive({"type": kind, "name": "signup"}, track=False).records) == 1


@pytest.mark.rule("split.in.page-toggles")
@pytest.mark.parametrize(("kind", "other"), [("page", "named_screens"), ("screen", "named_pages")])
def test_pages_and_screens_do_not_depend_on_each_other(kind: str, other: str) -> None:
    assert len(receive({"type": kind, "name": "signup"}, **{other: False}).records) == 1


@pytest.mark.rule("split.in.properties")
def test_the_properties_of_a_page_are_stored() -> None:
    call = {"type": "page", "name": "signup", "properties": {"path": "/signup"}}
    assert receive(call).records[0]["properties"] == {"path": "/signup"}


@pytest.mark.rule("split.in.page.fields")
def test_the_field_mapping_is_not_used_for_pages() -> None:
    call = {"type": "page", "name": "signup", "properties": {"value": 3, "split": [{"account": "acme"}]}}
    mapped = receive(call)
    assert [(record["key"], record["value"]) for record in mapped.records] == [("u-1", None)]
    assert [step.at for step in mapped.steps if step.rule == "split.in.page.fields"] == [
        "$.properties.value",
        "$.properties.split",
    ]


@pytest.mark.rule("split.in.page.fields")
def test_the_field_mapping_is_used_for_pages_where_the_workspace_says_so() -> None:
    call = {"type": "page", "name": "signup", "properties": {"value": 3, "split": [{"account": "acme"}]}}
    mapped = receive(call, page_fields=True)
    assert [(record["key"], record["value"]) for record in mapped.records] == [("u-1", 3), ("acme", 3)]


@pytest.mark.rule("split.in.two-identities")
def test_a_page_with_both_mapped_ids_counts_for_both() -> None:
    mapped = receive({"type": "page", "name": "signup", "anonymousId": "a-1"})
    assert [record["trafficTypeName"] for record in mapped.records] == ["user", "anonymous"]


@pytest.mark.rule("split.in.no-identity")
def test_a_page_without_any_id_is_dropped() -> None:
    dropped = receive({"type": "page", "name": "signup", "userId": None}).dropped
    assert dropped is not None
    assert dropped.rule == "split.in.no-identity"
