"""Which Segment calls become Statsig events, and under which names."""

from __future__ import annotations

import pytest

from trackside.statsig.mapping import segment_event
from trackside.statsig.settings import SegmentInbound, StatsigSettings
from trackside.steps import Mapped


def mapped(call: dict, **inbound) -> Mapped:
    message = {"userId": "u-1", "timestamp": "2026-11-21T12:00:00.000Z", **call}
    return segment_event(message, StatsigSettings(segment_inbound=SegmentInbound(**inbound)))


def name_of(call: dict, **inbound) -> str:
    return mapped(call, **inbound).records[0]["eventName"]


def rules_of(result: Mapped) -> list[str]:
    return [step.rule for step in result.steps]


@pytest.mark.rule("statsig.in.event-name", "statsig.in.prefix")
def test_a_track_event_is_stored_with_the_segment_prefix():
    result = mapped({"type": "track", "event": "Application Opened"})
    assert result.records[0]["eventName"] == "segment::Application Opened"
    assert [(step.kind, step.rule, step.level) for step in result.steps] == [("rename", "statsig.in.prefix", "note")]


@pytest.mark.rule("statsig.in.event-name.missing")
@pytest.mark.parametrize("event", [None, "", 42, {"name": "x"}])
def test_a_track_call_that_names_no_event_is_dropped(event):
    result = mapped({"type": "track", "event": event})
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.at) == ("statsig.in.event-name.missing", "$.event")
    assert result.dropped.level == "warning"


@pytest.mark.rule("statsig.in.types", "statsig.in.names")
@pytest.mark.parametrize(
    ("call", "stored"),
    [
        ({"type": "page", "name": "Home"}, "segment::Home"),
        ({"type": "screen", "name": "Settings"}, "segment::Settings"),
        ({"type": "group", "groupId": "g-1"}, "segment::group"),
    ],
)
def test_page_screen_and_group_calls_become_events(call, stored):
    result = mapped(call)
    assert result.records[0]["eventName"] == stored
    assert ("assumed", "statsig.in.names") in [(step.kind, step.rule) for step in result.steps]


@pytest.mark.rule("statsig.in.names")
@pytest.mark.parametrize(
    ("call", "stored"),
    [
        ({"type": "track", "event": "Login Button Clicked"}, "segment_track:Login Button Clicked"),
        ({"type": "page", "name": "Home"}, "segment_page:Home"),
        ({"type": "screen", "name": "Home"}, "segment_screen:Home"),
    ],
)
def test_the_names_of_segments_older_page_are_a_setting(call, stored):
    result = mapped(call, names="older")
    assert result.records[0]["eventName"] == stored
    assert [step.level for step in result.steps if step.rule == "statsig.in.names"] == [None]


@pytest.mark.rule("statsig.in.names")
def test_a_template_can_be_set_for_one_call_type_alone():
    names = {"page": "segment::page {name}"}
    assert name_of({"type": "page", "name": "Home"}, names=names) == "segment::page Home"
    assert name_of({"type": "track", "event": "Home"}, names=names) == "segment::Home"


@pytest.mark.rule("statsig.in.unnamed")
@pytest.mark.parametrize("name", [None, "", 7])
def test_an_unnamed_page_is_named_after_its_type(name):
    result = mapped({"type": "page", "name": name})
    assert result.records[0]["eventName"] == "segment::page"
    assert "statsig.in.unnamed" in rules_of(result)


@pytest.mark.rule("statsig.in.unnamed")
def test_an_unnamed_screen_is_dropped_where_the_workspace_asks_for_it():
    result = mapped({"type": "screen"}, unnamed="drop")
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.unnamed", None)


@pytest.mark.rule("statsig.in.types")
def test_an_identify_call_makes_no_event_and_a_note_says_so():
    result = mapped({"type": "identify", "traits": {"plan": "pro"}})
    assert result.records == []
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.types", "note")


@pytest.mark.rule("statsig.in.unsupported")
@pytest.mark.parametrize("call", ["alias", "wave", None, ["track"]])
def test_other_call_types_make_no_event_and_a_warning_says_so(call):
    result = mapped({"type": call})
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.unsupported", "warning")


@pytest.mark.rule("statsig.in.name-characters")
@pytest.mark.parametrize("character", list("\\[]{}<>#=;&$%|\0\n\r"))
def test_an_event_whose_name_holds_a_forbidden_character_is_dropped(character):
    result = mapped({"type": "track", "event": f"Terms {character} Conditions"})
    assert result.records == []
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.name-characters", "warning")


@pytest.mark.rule("statsig.in.name-characters")
def test_other_punctuation_stays_in_the_name():
    assert name_of({"type": "track", "event": "Déjà vu: 100 ✓ (a/b)_c-d.e!?*+@'\"^~`"}).startswith("segment::Déjà vu")


@pytest.mark.rule("statsig.in.filter")
def test_a_refused_event_is_not_ingested_and_is_no_finding():
    result = mapped({"type": "track", "event": "Heartbeat"}, refuse_events=("Heartbeat",))
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.filter", None)


@pytest.mark.rule("statsig.in.filter")
def test_the_filter_compares_the_raw_name():
    assert (
        name_of({"type": "track", "event": "Heartbeat"}, refuse_events=("segment::Heartbeat",)) == "segment::Heartbeat"
    )


@pytest.mark.rule("statsig.in.filter")
def test_the_filter_takes_pages_too():
    assert mapped({"type": "page", "name": "Home"}, refuse_events=("Home",)).records == []


@pytest.mark.rule("statsig.in.enabled")
def test_a_disabled_integration_drops_events():
    result = mapped({"type": "track", "event": "Sign Up"}, enabled=False)
    assert result.dropped is not None
    assert (result.dropped.rule, result.dropped.level) == ("statsig.in.enabled", None)


@pytest.mark.rule("statsig.in.enabled")
def test_a_disabled_integration_can_keep_events_without_mappings_and_filters():
    result = mapped(
        {"type": "track", "event": "Sign Up", "anonymousId": "a-1"},
        enabled=False,
        when_disabled="keep",
        map_identifiers={"anonymousId": "segmentAnonymousId"},
        refuse_events=("Sign Up",),
    )
    assert result.records[0]["user"] == {"userID": "u-1"}
    assert "statsig.in.enabled" in rules_of(result)


@pytest.mark.rule("statsig.in.limit.name")
def test_a_name_over_64_characters_is_kept_whole_with_a_warning():
    event = "x" * 56
    result = mapped({"type": "track", "event": event})
    assert result.records[0]["eventName"] == f"segment::{event}"
    assert [step.level for step in result.steps if step.rule == "statsig.in.limit.name"] == ["warning"]


@pytest.mark.rule("statsig.in.limit.name")
def test_a_name_of_64_characters_is_within_the_limit():
    assert "statsig.in.limit.name" not in rules_of(mapped({"type": "track", "event": "x" * 55}))
