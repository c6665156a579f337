"""Segment's published client of its Public API, which reads every answer by the models of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

from trackside.lab import Lab

LD = "57be1db38b75bf0772d11384"
WORKSPACE: dict[str, Any] = {
    "segment": {
        "public_api_token": "token-local",
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
        "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": {"server_secret": "secret-local"},
    "launchdarkly": {"environments": {"production": {"client_side_id": LD}}},
}
RULE = {
    "type": "TRACK",
    "key": "Order Completed",
    "version": 1,
    "jsonSchema": {"properties": {"properties": {"required": ["total"]}}},
}
PAGE = {"count": 10}
"""The client lists nothing without."""

JAVASCRIPT, LAUNCHDARKLY = "IqDTy1TpoU", "624dddd054ced46facfdb9c0"

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("need_node"), pytest.mark.trackside(workspace=WORKSPACE)]

Ask = Callable[..., Any]


@pytest.fixture
def ask(trackside: Lab, driver: Callable[..., Any]) -> Ask:
    """Return a function that calls a method of the client and gives the data of the answer."""
    client = driver("node_segment_public_api.cjs")
    client.ask("start", url=trackside.urls["segment"], token="token-local")

    def asked(api: str, method: str, *arguments: Any, status: int = 200) -> Any:
        told = client.ask("call", api=api, method=method, arguments=list(arguments))
        assert told["status"] == status, told
        return told.get("body", told.get("error"))

    return asked


def track(lab: Lab, write_key: str) -> Any:
    """Post an order without its total, and return its journey."""
    body = {"writeKey": write_key, "userId": "u-1", "event": "Order Completed", "properties": {}}
    urllib3.request("POST", f"{lab.urls['segment']}/v1/track", body=json.dumps(body).encode())
    return next(lab.journeys(newest_first=True))


@pytest.mark.rule("segment.public-api.sources", "segment.public-api.destinations", "segment.public-api.mappings")
def test_the_client_builds_a_source_with_a_destination_and_a_mapping(trackside: Lab, ask: Ask) -> None:
    source = ask("SourcesApi", "createSource", {"slug": "app", "enabled": True, "metadataId": JAVASCRIPT}, status=201)
    source = source["source"]
    metadata = ask("CatalogApi", "getDestinationMetadata", LAUNCHDARKLY)["destinationMetadata"]
    made = {"sourceId": source["id"], "metadataId": LAUNCHDARKLY, "name": "LD", "settings": {"client_id": LD}}
    destination = ask("DestinationsApi", "createDestination", made)["destination"]
    preset = metadata["presets"][0]
    mapping = {
        "name": preset["name"],
        "actionId": preset["actionId"],
        "trigger": preset["trigger"],
        "enabled": True,
        "settings": preset["fields"],
    }

    ask("DestinationsApi", "createDestinationSubscription", destination["id"], mapping)

    assert [row.outcome for row in track(trackside, source["writeKeys"][0]).deliveries] == ["delivered"]
    connected = ask("SourcesApi", "listConnectedDestinationsFromSource", source["id"], PAGE)
    assert [row["name"] for row in connected["destinations"]] == ["LD"]


@pytest.mark.rule("segment.public-api.mappings")
def test_the_client_changes_and_removes_a_mapping(trackside: Lab, ask: Ask) -> None:
    web = ask("SourcesApi", "listSources", PAGE)["sources"][0]["id"]
    made = {"sourceId": web, "metadataId": LAUNCHDARKLY, "settings": {"client_id": LD}}
    id_ = ask("DestinationsApi", "createDestination", made)["destination"]["id"]
    action = ask("CatalogApi", "getDestinationMetadata", LAUNCHDARKLY)["destinationMetadata"]["actions"][0]["id"]
    body = {"name": "A", "actionId": action, "trigger": 'type = "track"', "enabled": True}
    row = ask("DestinationsApi", "createDestinationSubscription", id_, body)["destinationSubscription"]

    changed = ask("DestinationsApi", "updateSubscriptionForDestination", id_, row["id"], {"input": {"enabled": False}})
    assert changed["subscription"]["enabled"] is False
    assert ask("DestinationsApi", "removeSubscriptionFromDestination", id_, row["id"]) == {"status": "SUCCESS"}
    assert ask("DestinationsApi", "listSubscriptionsFromDestination", id_, PAGE)["subscriptions"] == []


@pytest.mark.rule("segment.public-api.filters", "segment.public-api.preview")
def test_the_client_previews_and_makes_a_filter(trackside: Lab, ask: Ask) -> None:
    web = ask("SourcesApi", "listSources", PAGE)["sources"][0]["id"]
    statsig = ask("DestinationsApi", "listDestinations", PAGE)["destinations"][0]["id"]
    chosen = {"if": "event = 'Order Completed'", "actions": [{"type": "DROP"}]}
    payload = {"type": "track", "event": "Order Completed"}

    preview = ask("DestinationFiltersApi", "previewDestinationFilter", {"filter": chosen, "payload": payload})
    assert preview == {"inputPayload": payload, "result": None}
    made = {**chosen, "sourceId": web, "title": "No orders", "enabled": True}
    row = ask("DestinationFiltersApi", "createFilterForDestination", statsig, made)["filter"]

    assert track(trackside, "wk_web").delivery("statsig").outcome == "dropped"
    assert ask("DestinationFiltersApi", "removeFilterFromDestination", statsig, row["id"]) == {"status": "SUCCESS"}


@pytest.mark.rule("segment.public-api.tracking-plans", "segment.public-api.settings", "segment.protocols.block")
def test_the_client_connects_a_tracking_plan_that_blocks(trackside: Lab, ask: Ask) -> None:
    web = ask("SourcesApi", "listSources", PAGE)["sources"][0]["id"]
    plan = ask("TrackingPlansApi", "createTrackingPlan", {"name": "Acme", "type": "LIVE"})["trackingPlan"]["id"]
    ask("TrackingPlansApi", "replaceRulesInTrackingPlan", plan, {"rules": [RULE]})
    ask("TrackingPlansApi", "addSourceToTrackingPlan", plan, {"sourceId": web})
    ask("SourcesApi", "updateSchemaSettingsInSource", web, {"track": {"allowEventOnViolations": False}})

    assert track(trackside, "wk_web").outcome == "blocked"
    gone = [{"type": "TRACK", "key": "Order Completed", "version": 1}]
    assert ask("TrackingPlansApi", "removeRulesFromTrackingPlan", plan, gone) == {"status": "SUCCESS"}
    assert ask("TrackingPlansApi", "listRulesFromTrackingPlan", plan, PAGE)["rules"] == []
    assert ask("TrackingPlansApi", "removeSourceFromTrackingPlan", plan, web) == {"status": "SUCCESS"}


@pytest.mark.rule("segment.public-api.errors", "segment.public-api.pages")
def test_the_client_is_told_what_is_wrong(ask: Ask) -> None:
    assert ask("SourcesApi", "getSource", "nothing", status=404)[0]["type"] == "not-found"
    [error] = ask("CatalogApi", "getDestinationsCatalog", {"count": 5000}, status=422)
    assert (error["type"], error["field"]) == ("input-validation", "pagination.count")
