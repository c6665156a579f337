"""Segment's Public API: what it reads of the workspace, what it changes, and what it refuses."""

import json

import pytest

from trackside.lab import Lab
from trackside.wire import Request

NOW = 1767322800.0
TOKEN = "token-local"
LD = "57be1db38b75bf0772d11384"
WORKSPACE = {
    "segment": {
        "public_api_token": "token-local",
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig", "ld"]}},
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local", "filters": [{"if": "event = 'X'", "actions": [{"type": "drop"}]}]},
            "ld": {"type": "launchdarkly", "client_side_id": LD},
        },
    },
    "statsig": {"server_secret": "secret-local", "gates": {"new_checkout": True}},
    "launchdarkly": {"environments": {"production": {"client_side_id": LD}}},
}  # fmt: skip
RULE = {
    "type": "TRACK",
    "key": "Order Completed",
    "version": 1,
    "jsonSchema": {"properties": {"properties": {"required": ["total"]}}},
}


class Api:
    """The Public API of one lab, called without sockets."""

    def __init__(self, lab):
        self.lab = lab

    def ask(self, method, path, body=None, token=TOKEN, query=None, **headers):
        """Return the status and the JSON of an answer; bytes are sent as they are."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"authorization": f"Bearer {token}", **headers} if token else headers
        answer = self.lab.receive("segment", Request(method, path, named, content, query or {}))
        return answer.status, json.loads(answer.body)

    def data(self, method, path, body=None, **more):
        """Return the data of an answer that is a success."""
        status, answer = self.ask(method, path, body, **more)
        assert status in (200, 201), answer
        assert list(answer) == ["data"]
        return answer["data"]

    def error(self, method, path, body=None, **more):
        """Return the status, type and field of an answer that is none."""
        status, answer = self.ask(method, path, body, **more)
        [error] = answer["errors"]
        return status, error["type"], error.get("field")

    def id_of(self, rows, name):
        """Return the id of a source, destination or tracking plan by its name."""
        named = {"sources": "sources", "destinations": "destinations", "tracking-plans": "trackingPlans"}[rows]
        return next(row["id"] for row in self.data("GET", f"/{rows}")[named] if row["name"] == name)

    def track(self, key="wk_web", **call):
        """Post a track call and return its journey."""
        body = {"writeKey": key, "userId": "u-1", "event": "Order Completed", **call}
        self.lab.receive("segment", Request("POST", "/v1/track", body=json.dumps(body).encode()))
        return next(self.lab.journeys(newest_first=True))


@pytest.fixture
def make_api():
    """Return a function that makes the API of a lab with this workspace."""
    labs = []

    def make(workspace=WORKSPACE, **options):
        labs.append(Lab(workspace, start_at=NOW, **options))
        return Api(labs[-1])

    yield make
    for lab in labs:
        lab.stop()


@pytest.fixture
def api(make_api):
    """The API of a lab with one source and two destinations."""
    return make_api()


# ---- token, envelope, pages, errors


@pytest.mark.rule("segment.public-api.token")
@pytest.mark.parametrize("token", ["", "another"])
def test_a_call_without_the_workspaces_token_is_refused_with_a_finding(api, token):
    assert api.error("GET", "/sources", token=token) == (401, "unauthorized", None)
    [finding] = api.lab.findings()
    assert (finding.step.rule, finding.step.level) == ("segment.public-api.token", "error")


@pytest.mark.rule("segment.public-api.token")
def test_a_workspace_without_a_token_refuses_every_call(make_api):
    segment = {name: value for name, value in WORKSPACE["segment"].items() if name != "public_api_token"}

    assert make_api({**WORKSPACE, "segment": segment}).error("GET", "/sources")[0] == 401


@pytest.mark.rule("segment.public-api.token")
def test_any_token_will_do_where_any_key_is_accepted(make_api):
    assert make_api({**WORKSPACE, "accept_any_key": True}).ask("GET", "/sources", token="another")[0] == 200


@pytest.mark.rule("segment.public-api.envelope")
@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("application/vnd.segment.v1alpha+json", "application/vnd.segment.v1alpha+json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html, application/vnd.segment.v1+json;q=0.9", "application/vnd.segment.v1+json"),
    ],
)
def test_an_answer_comes_in_the_media_type_that_was_asked_for(api, accept, media):
    headers = {"authorization": "Bearer token-local", "accept": accept}

    assert api.lab.receive("segment", Request("GET", "/", headers)).headers["Content-Type"] == media


@pytest.mark.rule("segment.public-api.pages")
@pytest.mark.parametrize("written", ["pagination.{}", "pagination[{}]"])
def test_a_list_is_read_page_by_page(api, written):
    first = api.data("GET", "/destinations", query={written.format("count"): "1"})
    after = {written.format("count"): "1", written.format("cursor"): first["pagination"]["next"]}
    second = api.data("GET", "/destinations", query=after)

    assert [row["name"] for row in first["destinations"] + second["destinations"]] == ["statsig", "ld"]
    assert first["pagination"] == {"current": "MA==", "next": "MQ==", "totalEntries": 2}
    assert second["pagination"] == {"current": "MQ==", "previous": "MA==", "totalEntries": 2}


@pytest.mark.rule("segment.public-api.pages", "segment.public-api.errors")
@pytest.mark.parametrize(
    ("name", "value"),
    [("count", "0"), ("count", "1001"), ("count", "ten"), ("count", "²"), ("cursor", "?"), ("cursor", "LTU="), ("cursor", "wqQ=")],
)  # fmt: skip
def test_a_page_that_there_cannot_be_is_refused(api, name, value):
    told = api.error("GET", "/sources", query={f"pagination.{name}": value})

    assert told == (422, "input-validation", f"pagination.{name}")


@pytest.mark.rule("segment.public-api.unknown-path", "segment.unknown-path")
def test_a_path_that_the_slice_does_not_have_is_answered_in_the_apis_shape(api):
    assert api.error("GET", "/warehouses") == (404, "not-found", None)
    [finding] = api.lab.findings()
    assert finding.step.rule == "segment.unknown-path"
    assert "GET /sources" in finding.step.fix


@pytest.mark.rule("segment.public-api.errors")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nothing", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert api.error("POST", "/sources", body)[:2] == (422, "input-validation")


@pytest.mark.rule("segment.public-api.errors", "segment.public-api.workspace")
@pytest.mark.parametrize("levels", [240, 246, 300])
def test_a_body_that_is_too_deep_for_a_workspace_is_refused_and_changes_nothing(api, levels):
    nested = 1
    for _ in range(levels):
        nested = [nested]
    plan = api.data("POST", "/tracking-plans", {"name": "Acme", "type": "LIVE"})["trackingPlan"]["id"]
    rule = {**RULE, "jsonSchema": {"properties": {"properties": {"const": nested}}}}

    refused = api.error("PUT", f"/tracking-plans/{plan}/rules", {"rules": [rule]})

    assert refused == (422, "input-validation", None)
    assert api.data("GET", f"/tracking-plans/{plan}/rules")["rules"] == []


@pytest.mark.rule("segment.public-api.errors")
@pytest.mark.parametrize(
    "path",
    ["/sources/x", "/destinations/x", "/tracking-plans/x", "/destination/x/filters", "/catalog/destinations/x", "/catalog/sources/x"],
)  # fmt: skip
def test_an_id_that_nothing_has_is_not_found(api, path):
    assert api.error("GET", path) == (404, "not-found", None)


# ---- what it reads


@pytest.mark.rule("segment.public-api.catalog")
def test_the_catalogue_has_what_the_lab_delivers_to(api):
    rows = api.data("GET", "/catalog/destinations")["destinationsCatalog"]

    assert {row["slug"]: row["id"] for row in rows} == {
        "statsig": "613ba8c0114797213a8eff94",
        "split": "5c6e2b9d79daff00017ec990",
        "actions-launchdarkly": "624dddd054ced46facfdb9c0",
        "actions-webhook": "614a3c7d791c91c41bae7599",
    }
    one = api.data("GET", "/catalog/destinations/624dddd054ced46facfdb9c0")["destinationMetadata"]
    assert [action["slug"] for action in one["actions"]] == ["trackEvent", "aliasUser"]
    assert one["presets"][0]["trigger"] == 'type = "track"'


@pytest.mark.rule("segment.public-api.catalog")
def test_the_catalogue_of_sources_has_javascript_by_its_id(api):
    assert api.data("GET", "/catalog/sources/IqDTy1TpoU")["sourceMetadata"]["slug"] == "javascript"
    assert len(api.data("GET", "/catalog/sources")["sourcesCatalog"]) == 2


@pytest.mark.rule("segment.public-api.sources", "segment.public-api.destinations")
def test_what_the_workspace_declares_is_there_under_stable_ids(api, make_api):
    again = make_api()

    assert api.data("GET", "/sources") == again.data("GET", "/sources")
    source = api.data("GET", f"/sources/{api.id_of('sources', 'web')}")["source"]
    assert (source["slug"], source["writeKeys"], source["enabled"]) == ("web", ["wk_web"], True)
    rows = api.data("GET", f"/sources/{source['id']}/connected-destinations")["destinations"]
    assert [(row["name"], row["settings"], row["sourceId"]) for row in rows] == [
        ("statsig", {"apiKey": "secret-local"}, source["id"]),
        ("ld", {"client_id": LD}, source["id"]),
    ]


@pytest.mark.rule("segment.public-api.mappings")
def test_presets_in_force_are_read_as_subscriptions(api):
    rows = api.data("GET", f"/destinations/{api.id_of('destinations', 'ld')}/subscriptions")["subscriptions"]

    assert [(row["actionSlug"], row["enabled"]) for row in rows] == [("trackEvent", True), ("aliasUser", True)]
    assert rows[0]["settings"]["event_name"] == {"@path": "$.event"}


def test_the_workspace_is_read(api):
    assert api.data("GET", "/")["workspace"]["slug"] == "trackside"


# ---- sources


@pytest.mark.rule("segment.public-api.sources", "segment.public-api.workspace")
def test_a_source_that_was_made_takes_messages_at_once(api):
    status, answer = api.ask("POST", "/sources", {"slug": "app", "enabled": True, "metadataId": "IqDTy1TpoU"})
    source = answer["data"]["source"]

    assert (status, source["metadata"]["slug"]) == (201, "javascript")
    assert api.track(source["writeKeys"][0]).outcome == "accepted"
    assert api.lab.workspace.document["segment"]["sources"]["app"]["write_key"] == source["writeKeys"][0]


@pytest.mark.rule("segment.public-api.sources")
def test_a_source_is_switched_off_and_on(api):
    path = f"/sources/{api.id_of('sources', 'web')}"

    assert api.data("PATCH", path, {"enabled": False, "name": "Web shop"})["source"]["name"] == "Web shop"
    assert api.lab.settings("segment").open_sources == frozenset()
    assert api.data("PATCH", path, {"enabled": True})["source"]["enabled"] is True
    assert api.track().outcome == "accepted"


@pytest.mark.rule("segment.public-api.sources")
def test_a_source_tells_the_tracking_plan_that_it_is_connected_to(api):
    source = api.id_of("sources", "web")
    before = api.data("GET", f"/sources/{source}")["trackingPlanId"]
    plan = api.data("POST", "/tracking-plans", {"name": "Acme", "type": "LIVE"})["trackingPlan"]["id"]
    api.data("POST", f"/tracking-plans/{plan}/sources", {"sourceId": source})

    assert (before, api.data("GET", f"/sources/{source}")["trackingPlanId"]) == (None, plan)


@pytest.mark.rule("segment.public-api.sources")
def test_a_source_that_is_deleted_takes_its_destinations_along(api):
    api.data("DELETE", f"/sources/{api.id_of('sources', 'web')}")

    assert (api.data("GET", "/sources")["sources"], api.data("GET", "/destinations")["destinations"]) == ([], [])


@pytest.mark.rule("segment.public-api.sources", "segment.protocols.forward")
def test_a_new_slug_keeps_what_names_the_source(api):
    api.data("POST", "/sources", {"slug": "bad", "enabled": True, "metadataId": "IqDTy1TpoU"})
    web, bad = api.id_of("sources", "web"), api.id_of("sources", "bad")
    api.data("PATCH", f"/sources/{web}/settings", {"forwardingViolationsTo": bad})

    api.data("PATCH", f"/sources/{bad}", {"slug": "worse"})

    settings = api.data("GET", f"/sources/{web}/settings")["settings"]
    assert settings["forwardingViolationsTo"] == api.id_of("sources", "worse")


@pytest.mark.rule("segment.public-api.errors")
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"enabled": True, "metadataId": "x"}, (422, "input-validation", "slug")),
        ({"slug": "", "enabled": True, "metadataId": "x"}, (422, "input-validation", "slug")),
        ({"slug": "a b", "enabled": True, "metadataId": "x"}, (422, "input-validation", "slug")),
        ({"slug": "app", "metadataId": "x"}, (422, "input-validation", "enabled")),
        ({"slug": "app", "enabled": "yes", "metadataId": "x"}, (422, "input-validation", "enabled")),
        ({"slug": "app", "enabled": True}, (422, "input-validation", "metadataId")),
        ({"slug": "web", "enabled": True, "metadataId": "x"}, (409, "conflict", None)),
    ],
)
def test_a_source_that_cannot_be_made_is_refused(api, body, told):
    assert api.error("POST", "/sources", body) == told


# ---- settings of a source


@pytest.mark.rule("segment.public-api.settings")
def test_settings_that_are_not_named_stay(api):
    path = f"/sources/{api.id_of('sources', 'web')}/settings"
    api.data("PATCH", path, {"track": {"allowUnplannedEvents": False}})
    settings = api.data("PATCH", path, {"identify": {"commonEventOnViolations": "BLOCK"}})["settings"]

    assert settings["track"]["allowUnplannedEvents"] is False
    assert settings["identify"]["commonEventOnViolations"] == "BLOCK"
    assert settings["group"] == {
        "allowUnplannedTraits": True,
        "allowTraitsOnViolations": True,
        "commonEventOnViolations": "ALLOW",
    }


@pytest.mark.rule("segment.public-api.settings", "segment.public-api.errors")
@pytest.mark.parametrize(
    "body",
    [{"track": {"allowEverything": True}}, {"track": {"allowUnplannedEvents": "no"}}, {"forwardingViolationsTo": "x"}, {"track": []}],
)  # fmt: skip
def test_settings_that_there_are_not_are_refused_and_change_nothing(api, body):
    before = api.lab.workspace.document

    assert api.error("PATCH", f"/sources/{api.id_of('sources', 'web')}/settings", body)[:2] == (422, "input-validation")
    assert api.lab.workspace.document == before


# ---- destinations and mappings


def made(api, metadata_id, **settings):
    """Return a destination that the API made for the source web."""
    body = {"sourceId": api.id_of("sources", "web"), "metadataId": metadata_id, "settings": settings}
    return api.data("POST", "/destinations", body)["destination"]


def outcomes(journey):
    return {row.destination: row.outcome for row in journey.deliveries}


@pytest.mark.rule("segment.public-api.destinations", "segment.public-api.workspace")
def test_a_destination_that_was_made_gets_messages_at_once(api):
    destination = made(api, "613ba8c0114797213a8eff94", apiKey="secret-local")

    assert (destination["name"], destination["enabled"]) == ("statsig-2", True)
    assert [row.outcome for row in api.track().deliveries_to("statsig-2")] == ["delivered"]


@pytest.mark.rule("segment.public-api.destinations")
def test_a_destination_is_renamed_switched_off_and_given_another_key(api):
    path = f"/destinations/{api.id_of('destinations', 'statsig')}"
    changed = {"name": "Statsig EU", "enabled": False, "settings": {"apiKey": "secret-eu"}}

    row = api.data("PATCH", path, changed)["destination"]

    assert (row["name"], row["enabled"], row["settings"]) == ("Statsig EU", False, {"apiKey": "secret-eu"})
    assert api.track().delivery("statsig").outcome == "dropped"


@pytest.mark.rule("segment.public-api.destinations")
def test_a_destination_that_is_deleted_is_fed_no_more(api):
    api.data("DELETE", f"/destinations/{api.id_of('destinations', 'ld')}")

    assert [row.destination for row in api.track().deliveries] == ["statsig"]


@pytest.mark.rule("segment.public-api.mappings")
def test_a_new_destination_sends_nothing_until_it_has_a_mapping(api):
    destination = made(api, "624dddd054ced46facfdb9c0", client_id=LD)
    assert outcomes(api.track())["launchdarkly"] == "dropped"

    action = destination["metadata"]["actions"][0]
    body = {"name": "Orders", "actionId": action["id"], "trigger": 'event = "Order Completed"', "enabled": True}
    path = f"/destinations/{destination['id']}/subscriptions"
    made_row = api.data("POST", path, body)["destinationSubscription"]

    assert (made_row["name"], made_row["actionSlug"]) == ("Orders", "trackEvent")
    assert api.lab.workspace.segment.destinations["launchdarkly"].mappings[0]["trigger"] == body["trigger"]
    assert outcomes(api.track())["launchdarkly"] == "delivered"


@pytest.mark.rule("segment.public-api.mappings")
def test_a_subscription_keeps_its_id_when_it_is_changed(api):
    path = f"/destinations/{api.id_of('destinations', 'ld')}/subscriptions"
    first, second = api.data("GET", path)["subscriptions"]
    change = {"input": {"name": "Renamed", "enabled": False, "settings": {"event_name": "fixed"}}}

    api.data("PATCH", f"{path}/{first['id']}", change)
    api.data("DELETE", f"{path}/{second['id']}")

    assert api.data("GET", f"{path}/{first['id']}")["subscription"] == {
        **first,
        "name": "Renamed",
        "enabled": False,
        "settings": {"event_name": "fixed"},
    }
    assert api.error("GET", f"{path}/{second['id']}")[0] == 404


@pytest.mark.rule("segment.public-api.mappings")
def test_a_webhook_gets_its_address_by_its_mapping(api):
    destination = made(api, "614a3c7d791c91c41bae7599")
    body = {
        "name": "Send",
        "actionId": destination["metadata"]["actions"][0]["id"],
        "trigger": 'type = "track"',
        "enabled": True,
        "settings": {"url": "http://127.0.0.1:9/hook", "method": "POST", "data": {"@path": "$."}},
    }
    api.data("POST", f"/destinations/{destination['id']}/subscriptions", body)

    message = {"type": "track", "event": "E", "userId": "u-1", "messageId": "m-1"}
    [routed] = [one for one in api.lab.workspace.plan.route(message, "web", NOW) if one.type == "webhook"]
    assert [sending.outgoing.url for sending in routed.sendings] == ["http://127.0.0.1:9/hook"]


@pytest.mark.rule("segment.public-api.errors")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sourceId": "x"}, "sourceId"),
        ({"metadataId": "x"}, "metadataId"),
        ({"settings": {"apiKey": "k", "color": "blue"}}, "settings.color"),
        ({"settings": None}, "settings"),
        ({"settings": {}}, '$.segment.destinations["statsig-2"].api_key'),
        ({"name": 5}, "name"),
    ],
)
def test_a_destination_that_cannot_be_made_is_refused(api, change, field):
    body = {
        "sourceId": api.id_of("sources", "web"),
        "metadataId": "613ba8c0114797213a8eff94",
        "settings": {"apiKey": "k"},
    }

    assert api.error("POST", "/destinations", {**body, **change}) == (422, "input-validation", field)


@pytest.mark.rule("segment.public-api.errors")
def test_a_destination_that_gets_raw_messages_takes_no_subscription(api):
    body = {"name": "x", "actionId": "x", "trigger": 'type = "track"', "enabled": True}
    path = f"/destinations/{api.id_of('destinations', 'statsig')}/subscriptions"

    assert api.data("GET", path)["subscriptions"] == []
    assert api.error("POST", path, body) == (422, "input-validation", "actionId")


# ---- filters


@pytest.mark.rule("segment.public-api.filters")
def test_a_filter_is_made_changed_and_deleted(api):
    destination, source = api.id_of("destinations", "statsig"), api.id_of("sources", "web")
    path = f"/destination/{destination}/filters"
    body = {"sourceId": source, "if": "all", "actions": [{"type": "DROP"}], "title": "All", "enabled": True}

    row = api.data("POST", path, body)["filter"]
    assert api.track().delivery("statsig").outcome == "dropped"
    api.data("PATCH", f"{path}/{row['id']}", {"if": "event = 'Y'", "description": "why"})
    assert api.track().delivery("statsig").outcome == "delivered"
    assert api.data("GET", f"{path}/{row['id']}")["filter"]["if"] == "event = 'Y'"
    api.data("DELETE", f"{path}/{row['id']}")

    [declared] = api.data("GET", path)["filters"]
    assert (declared["if"], declared["actions"], declared["destinationId"]) == (
        "event = 'X'",
        [{"type": "DROP"}],
        destination,
    )


@pytest.mark.rule("segment.public-api.filters", "segment.public-api.errors")
def test_a_filter_with_an_action_that_there_is_not_is_refused(api):
    path = f"/destination/{api.id_of('destinations', 'statsig')}/filters"
    body = {
        "sourceId": api.id_of("sources", "web"),
        "if": "all",
        "actions": [{"type": "KEEP"}],
        "title": "t",
        "enabled": True,
    }

    assert api.error("POST", path, body)[:2] == (422, "input-validation")


@pytest.mark.rule("segment.public-api.preview")
@pytest.mark.parametrize(
    ("action", "result"),
    [
        ({"type": "DROP"}, None),
        ({"type": "DROP_PROPERTIES", "fields": {"properties": ["email"]}}, {"type": "track", "properties": {"plan": "pro"}}),
        ({"type": "ALLOW_PROPERTIES", "fields": {"": ["type"]}}, {"type": "track"}),
    ],
)  # fmt: skip
def test_a_filter_is_previewed_on_a_payload(api, action, result):
    payload = {"type": "track", "properties": {"plan": "pro", "email": "a@b.c"}}
    body = {"filter": {"if": "type = 'track'", "actions": [action]}, "payload": payload}

    assert api.data("POST", "/destination/filters/preview", body) == {"inputPayload": payload, "result": result}


@pytest.mark.rule("segment.public-api.preview", "segment.public-api.errors")
@pytest.mark.parametrize("chosen", [{}, {"if": "all"}, {"if": "all", "actions": [{"type": "KEEP"}]}, {"if": "all", "actions": "DROP"}])  # fmt: skip
def test_a_preview_of_what_is_no_filter_is_refused(api, chosen):
    told = api.error("POST", "/destination/filters/preview", {"filter": chosen, "payload": {"type": "track"}})

    assert told[:2] == (422, "input-validation")


# ---- tracking plans


@pytest.fixture
def plan(api):
    """The path of a tracking plan that the API made, with one rule."""
    made_plan = api.data("POST", "/tracking-plans", {"name": "Acme", "type": "LIVE"})["trackingPlan"]
    api.data("PUT", f"/tracking-plans/{made_plan['id']}/rules", {"rules": [RULE]})
    return f"/tracking-plans/{made_plan['id']}"


@pytest.mark.rule("segment.public-api.tracking-plans", "segment.public-api.workspace")
def test_a_plan_that_is_connected_to_a_source_is_followed_at_once(api, plan):
    source = {"sourceId": api.id_of("sources", "web")}
    assert api.track().verdict is None

    api.data("POST", f"{plan}/sources", source)
    assert [one.field for one in api.track(properties={}).verdict.violations] == ["properties.total"]
    assert [row["slug"] for row in api.data("GET", f"{plan}/sources")["sources"]] == ["web"]

    api.data("DELETE", f"{plan}/sources", query=source)
    assert api.track().verdict is None


@pytest.mark.rule("segment.public-api.tracking-plans")
def test_rules_are_added_renamed_and_removed(api, plan):
    page = {"type": "PAGE", "version": 1, "jsonSchema": {}}
    api.data("PATCH", f"{plan}/rules", {"rules": [page, {**RULE, "newKey": "Order Paid"}]})
    assert [(row["type"], row["key"]) for row in api.data("GET", f"{plan}/rules")["rules"]] == [
        ("TRACK", "Order Paid"),
        ("PAGE", ""),
    ]

    gone = {"rules[0][type]": "TRACK", "rules[0][key]": "Order Paid", "rules[0][version]": "1"}
    api.data("DELETE", f"{plan}/rules", query=gone)
    assert [row["type"] for row in api.data("GET", f"{plan}/rules")["rules"]] == ["PAGE"]
    assert api.error("DELETE", f"{plan}/rules", query=gone)[0] == 404


@pytest.mark.rule("segment.public-api.tracking-plans")
def test_a_plan_keeps_its_id_under_another_name(api, plan):
    api.data("PATCH", plan, {"name": "Acme 2", "description": "Orders"})

    row = api.data("GET", plan)["trackingPlan"]
    assert (row["name"], row["slug"], row["description"]) == ("Acme 2", "Acme", "Orders")


@pytest.mark.rule("segment.public-api.tracking-plans")
def test_a_plan_that_is_deleted_leaves_its_sources(api, plan):
    api.data("POST", f"{plan}/sources", {"sourceId": api.id_of("sources", "web")})
    api.data("DELETE", plan)

    assert api.track().verdict is None
    assert api.data("GET", "/tracking-plans")["trackingPlans"] == []


@pytest.mark.rule("segment.public-api.tracking-plans", "segment.public-api.errors")
def test_a_source_takes_no_second_plan(api, plan):
    other = api.data("POST", "/tracking-plans", {"name": "Other", "type": "LIVE"})["trackingPlan"]["id"]
    source = {"sourceId": api.id_of("sources", "web")}
    api.data("POST", f"{plan}/sources", source)

    assert api.error("POST", f"/tracking-plans/{other}/sources", source) == (409, "conflict", None)


@pytest.mark.rule("segment.public-api.rules-limit")
def test_an_update_of_over_200_rules_is_refused(api, plan):
    rules = [{**RULE, "version": version} for version in range(1, 202)]

    assert api.error("PATCH", f"{plan}/rules", {"rules": rules}) == (422, "input-validation", "rules")
    assert api.data("PATCH", f"{plan}/rules", {"rules": rules[:200]}) == {"status": "SUCCESS"}


@pytest.mark.rule("segment.public-api.errors", "segment.protocols.look-ahead")
@pytest.mark.parametrize(
    "rule",
    [
        {**RULE, "jsonSchema": {"properties": {"event": {"pattern": "^(?!x)"}}}},
        {**RULE, "jsonSchema": "{}"},
        {**RULE, "type": "CLICK"},
        {**RULE, "version": 0},
        {"type": "TRACK", "jsonSchema": {}},
        "TRACK",
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_and_changes_nothing(api, plan, rule):
    assert api.error("PUT", f"{plan}/rules", {"rules": [rule]})[:2] == (422, "input-validation")
    assert api.data("GET", f"{plan}/rules")["rules"][0]["key"] == "Order Completed"


# ---- what a change leaves alone


@pytest.mark.rule("segment.public-api.workspace")
def test_a_change_leaves_flags_as_they_stand(api):
    api.lab.statsig.gate("new_checkout").serve(False)
    api.data("POST", "/sources", {"slug": "app", "enabled": True, "metadataId": "IqDTy1TpoU"})

    [gate] = [row for row in api.lab.statsig.flags() if row["name"] == "new_checkout"]
    assert gate["serves"] is False


@pytest.mark.rule("segment.public-api.workspace")
def test_what_came_before_a_change_is_read_under_the_workspace_of_its_time(api):
    before = api.track(messageId="m-1")
    api.data("DELETE", f"/destinations/{api.id_of('destinations', 'ld')}")

    assert [row.destination for row in api.lab.journey("m-1").deliveries] == [
        row.destination for row in before.deliveries
    ]


@pytest.mark.rule("segment.public-api.workspace")
def test_a_restarted_lab_reads_messages_under_the_workspace_that_the_api_made(make_api, tmp_path):
    api = make_api(data=tmp_path / "journal.sqlite")
    api.data("DELETE", f"/destinations/{api.id_of('destinations', 'ld')}")
    api.track(messageId="m-1")
    api.lab.stop()

    again = make_api(data=tmp_path / "journal.sqlite")

    assert [row.destination for row in again.lab.journey("m-1").deliveries] == ["statsig"]
