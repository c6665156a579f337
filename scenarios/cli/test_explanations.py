"""`trackside.explain` from Python, and the origin that each field of a record is given."""

from __future__ import annotations

import pytest

from trackside.errors import TracksideError
from trackside.explain import Explainer, explain
from trackside.rules import RULES
from trackside.workspace import DEMO

AT = 1767600000.0


def origins(call: dict, destination: str, workspace: dict | None = None, record: int = 0) -> dict[str, tuple[str, str]]:
    call = {"userId": "u-1", "messageId": "m-1", "timestamp": "2026-01-05T09:00:00.000Z", **call}
    explanation = explain(call, workspace, at=AT)
    at = next(one for one in explanation.calls[0].destinations if one.destination == destination)
    return {origin.field: (origin.source, origin.rule) for origin in at.records[record].origins}


def demo(**blocks: dict) -> dict:
    """Return the demo workspace with some settings of Segment's inbound side changed."""
    statsig, split = blocks.get("statsig", {}), blocks.get("split", {})
    destination = {**DEMO["segment"]["destinations"]["ld"], **blocks.get("ld", {})}
    return {
        **DEMO,
        "segment": {**DEMO["segment"], "destinations": {**DEMO["segment"]["destinations"], "ld": destination}},
        "statsig": {**DEMO["statsig"], "segment_inbound": {**DEMO["statsig"]["segment_inbound"], **statsig}},
        "split": {**DEMO["split"], "segment_inbound": [{**DEMO["split"]["segment_inbound"][0], **split}]},
    }


TRACK = {"type": "track", "event": "Order Completed", "properties": {"value": 42, "order id": "o-1"}}


def test_explaining_depends_on_nothing_but_its_arguments():
    assert explain(TRACK | {"userId": "u"}, at=AT).as_json() == explain(TRACK | {"userId": "u"}, at=AT).as_json()


def test_explaining_leaves_the_call_as_it_was():
    call = {"type": "track", "event": "A", "userId": "u", "properties": {"a": {"b": 1}}}
    explain(call, at=AT)
    assert call == {"type": "track", "event": "A", "userId": "u", "properties": {"a": {"b": 1}}}


def test_a_workspace_without_a_source_cannot_explain():
    with pytest.raises(TracksideError, match="the workspace has no source"):
        Explainer({})


@pytest.mark.rule("statsig.in.event-name", "statsig.in.user-id", "statsig.in.time", "statsig.in.metadata")
def test_the_origins_of_a_statsig_event():
    assert origins(TRACK, "statsig") == {
        "$.eventName": ("$.event", "statsig.in.prefix"),
        "$.time": ("$.timestamp", "statsig.in.time"),
        "$.value": ("", "statsig.in.value"),
        "$.user.userID": ("$.userId", "statsig.in.user-id"),
        "$.metadata.value": ("$.properties.value", "statsig.in.metadata"),
        '$.metadata["order id"]': ('$.properties["order id"]', "statsig.in.metadata"),
    }


@pytest.mark.rule("statsig.in.names")
@pytest.mark.parametrize(
    ("call", "source"),
    [
        ({"type": "page", "name": "Home"}, "$.name"),
        ({"type": "page"}, "$.type"),
        ({"type": "group", "groupId": "g"}, "$.type"),
    ],
)
def test_the_name_of_a_statsig_event_that_is_no_track_call_comes_from_its_name_or_its_type(call, source):
    assert origins(call, "statsig")["$.eventName"] == (source, "statsig.in.names")


@pytest.mark.rule("statsig.in.names")
def test_a_name_by_another_template_follows_the_rule_of_names():
    older = demo(statsig={"names": "older"})
    assert origins(TRACK, "statsig", older)["$.eventName"] == ("$.event", "statsig.in.names")


@pytest.mark.rule("statsig.in.custom-ids", "statsig.in.map-identifier")
def test_a_custom_id_comes_from_the_array_or_from_the_mapped_field():
    call = {**TRACK, "anonymousId": "a-1", "properties": {"statsigCustomIDs": ["companyID", "c-1"]}}
    found = origins(call, "statsig")
    assert found["$.user.customIDs.companyID"] == ("$.properties.statsigCustomIDs[1]", "statsig.in.custom-ids")
    assert found["$.user.customIDs.segmentAnonymousId"] == ("$.anonymousId", "statsig.in.map-identifier")


@pytest.mark.rule("statsig.in.custom", "statsig.in.environment", "statsig.in.context")
def test_the_origins_of_what_else_statsig_knows_of_a_user():
    properties = {"statsigCustom": ["plan", "pro", "seats", 3], "statsigEnvironment": {"tier": "staging"}}
    found = origins({**TRACK, "properties": properties, "context": {"ip": "203.0.113.9"}}, "statsig")
    assert found["$.user.custom.seats"] == ("$.properties.statsigCustom[3]", "statsig.in.custom")
    assert found["$.user.statsigEnvironment"] == ("$.properties.statsigEnvironment", "statsig.in.environment")
    assert found["$.user.ip"] == ("$.context.ip", "statsig.in.context")


@pytest.mark.rule("statsig.in.value")
def test_the_value_of_a_statsig_event_comes_from_the_property_that_is_set():
    found = origins(TRACK, "statsig", demo(statsig={"value_property": "value"}))
    assert found["$.value"] == ("$.properties.value", "statsig.in.value")


@pytest.mark.rule("statsig.in.group")
def test_the_metadata_of_a_group_call_comes_from_its_traits():
    found = origins({"type": "group", "groupId": "g", "traits": {"plan": "pro"}}, "statsig")
    assert found["$.metadata.plan"] == ("$.traits.plan", "statsig.in.metadata")


@pytest.mark.rule("split.in.event-type-path", "split.in.identity", "split.in.environment", "split.in.foreign-id")
def test_the_origins_of_a_split_event():
    assert origins(TRACK, "fme-user") == {
        "$.eventTypeId": ("$.event", "split.in.event-type-path"),
        "$.trafficTypeName": ("$.userId", "split.in.identity"),
        "$.key": ("$.userId", "split.in.identity"),
        "$.value": ("$.properties.value", "split.in.value"),
        "$.timestamp": ("$.timestamp", "split.in.timestamp"),
        "$.properties.value": ("$.properties.value", "split.in.properties"),
        '$.properties["order id"]': ('$.properties["order id"]', "split.in.properties"),
        "$.environmentName": ("split.segment_inbound[0].environment", "split.in.environment"),
        "$.foreignId": ("$.messageId", "split.in.foreign-id"),
    }


@pytest.mark.rule("split.in.event-type-path", "split.in.value")
def test_the_configurations_own_paths_are_the_origins():
    own = demo(split={"event_type_id": "properties.name", "value": "properties.amount"})
    found = origins({**TRACK, "properties": {"name": "paid", "amount": 1}}, "fme-user", own)
    assert found["$.eventTypeId"] == ("$.properties.name", "split.in.event-type-path")
    assert found["$.value"] == ("$.properties.amount", "split.in.value")


@pytest.mark.rule("split.in.two-identities", "split.in.track-groups")
def test_each_record_of_a_call_has_the_origin_of_its_own_key():
    call = {**TRACK, "anonymousId": "a-1", "properties": {"split": [{"account": "acme"}]}}
    keys = [origins(call, "fme-user", record=number)["$.key"] for number in range(3)]
    assert keys == [
        ("$.userId", "split.in.identity"),
        ("$.anonymousId", "split.in.identity"),
        ("$.properties.split", "split.in.track-groups"),
    ]


@pytest.mark.rule("split.in.key")
def test_a_key_whose_blanks_were_taken_off_still_comes_from_its_id():
    assert origins({**TRACK, "userId": " u-1 "}, "fme-user")["$.key"] == ("$.userId", "split.in.identity")


@pytest.mark.rule("split.in.page", "split.in.screen")
@pytest.mark.parametrize("kind", ["page", "screen"])
def test_the_event_type_of_a_page_or_screen_comes_from_its_name(kind):
    assert origins({"type": kind, "name": "Home"}, "fme-user")["$.eventTypeId"] == ("$.name", f"split.in.{kind}")


@pytest.mark.rule("split.in.traits", "split.in.group", "split.in.group.attributes")
def test_the_origins_of_split_identities():
    identified = origins({"type": "identify", "traits": {"plan": "pro"}}, "fme-user")
    grouped = origins(
        {"type": "group", "groupId": "g", "traits": {"split": {"account": "a"}, "plan": "pro"}}, "fme-user"
    )
    assert identified["$.values.plan"] == ("$.traits.plan", "split.in.traits")
    assert grouped["$.values.plan"] == ("$.traits.plan", "split.in.group.attributes")
    assert grouped["$.key"] == ("$.traits.split", "split.in.group")


@pytest.mark.rule("launchdarkly.in.event-key-exact", "launchdarkly.in.context-key", "launchdarkly.in.client-side-id")
def test_the_origins_of_a_launchdarkly_event():
    assert origins({**TRACK, "anonymousId": "a-1"}, "ld") == {
        "$.key": ("$.event", "launchdarkly.in.event-key-exact"),
        "$.contextKeys.unauthenticatedUser": ("$.anonymousId", "launchdarkly.in.additional-context-keys"),
        "$.contextKeys.user": ("$.userId", "launchdarkly.in.context-key"),
        "$.creationDate": ("$.timestamp", "launchdarkly.in.timestamp"),
        "$.metricValue": ("$.properties.value", "launchdarkly.in.metric-value"),
        "$.data": ("$.properties", "launchdarkly.in.properties"),
        "$.environment": ("launchdarkly.environments.production", "launchdarkly.in.client-side-id"),
    }


@pytest.mark.rule("launchdarkly.in.context-key", "launchdarkly.in.metric-value")
def test_the_place_that_a_preset_really_read_is_the_origin():
    call = {"type": "track", "event": "A", "userId": None, "anonymousId": "a-1", "properties": {"revenue": 9}}
    found = origins(call, "ld")
    assert found["$.contextKeys.user"] == ("$.anonymousId", "launchdarkly.in.context-key")
    assert found["$.contextKeys.unauthenticatedUser"] == ("$.anonymousId", "launchdarkly.in.additional-context-keys")
    assert found["$.metricValue"] == ("$.properties.revenue", "launchdarkly.in.metric-value")


@pytest.mark.rule("launchdarkly.in.identify")
def test_the_origins_of_a_launchdarkly_alias_event():
    found = origins({"type": "alias", "previousId": "old"}, "ld")
    assert found["$.previousKey"] == ("$.previousId", "launchdarkly.in.identify")


@pytest.mark.rule("segment.mappings")
def test_a_mapping_of_the_workspace_tells_its_own_origins():
    mapping = {
        "action": "trackEvent",
        "name": "Orders",
        "trigger": 'type = "track"',
        "mapping": {"event_name": {"@path": "$.properties.kind"}, "user_key": {"@path": "$.userId"}},
    }
    call = {**TRACK, "properties": {"kind": "order"}}
    found = origins(call, "ld", demo(ld={"mappings": [mapping]}))
    assert found["$.key"] == ("$.properties.kind", "launchdarkly.in.event-key-exact")


CALLS = [
    {**TRACK, "anonymousId": "a-1", "properties": {"value": 1, "split": [{"account": "a"}], "statsigCustom": ["a", 1]}},
    {"type": "identify", "anonymousId": "a-1", "traits": {"plan": "pro"}},
    {"type": "page", "name": "Home"},
    {"type": "screen", "name": "Home"},
    {"type": "group", "groupId": "g", "traits": {"split": {"account": "a"}, "plan": "pro"}},
    {"type": "alias", "previousId": "old"},
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["type"])
def test_every_origin_names_a_rule_that_has_a_row(call):
    explanation = explain({"userId": "u-1", **call}, at=AT)
    records = [record for at in explanation.calls[0].destinations for record in at.records]
    assert {origin.rule for record in records for origin in record.origins} - set(RULES) == set()
