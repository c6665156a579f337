"""Events as SDKs post them: by SDK key, mobile key and client-side ID, and events that other systems import."""

from __future__ import annotations

import base64
import gzip
import time
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.lab import Lab

AT = 1795293287852
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE = {
    "launchdarkly": {
        "environments": {
            "production": {
                "client_side_id": CLIENT_SIDE_ID,
                "sdk_key": "sdk-production",
                "mobile_key": "mob-production",
            },
            "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
        },
        "access_token": "api-token",
    }
}
EVENT = {"kind": "custom", "key": "Order Completed", "creationDate": AT, "contextKeys": {"user": "u-1"}}
USER = {"kind": "user", "key": "u-1", "name": "Ann", "_meta": {"redactedAttributes": ["email"]}}
MOBILE_PATHS = ["/mobile", "/mobile/events", "/mobile/events/bulk"]
IMPORT = "/v2/event-data-import/default/production"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def send(lab: Lab, body: Any, path: str = "/bulk", key: str | None = "sdk-production", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {"X-LaunchDarkly-Event-Schema": "4", **headers}
    if key is not None:
        given["Authorization"] = key
    return urllib3.request("POST", lab.urls["launchdarkly"] + path, headers=given, body=content)


def only_step(lab: Lab) -> Any:
    [finding] = lab.findings(notes=True)
    return finding.step


# ---- whose events they are


@pytest.mark.rule("launchdarkly.events.accepted")
def test_events_with_an_sdk_key_are_answered_202_with_an_empty_body(trackside: Lab) -> None:
    answer = send(trackside, [EVENT])

    assert (answer.status, answer.data) == (202, b"")
    assert trackside.launchdarkly.events() == [{**EVENT, "environment": "production", "effect": "metric"}]
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.accepted")
def test_events_belong_to_the_environment_of_their_key(trackside: Lab) -> None:
    send(trackside, [EVENT], key="sdk-staging")

    assert trackside.launchdarkly.expect_event("Order Completed")["environment"] == "staging"


@pytest.mark.rule("launchdarkly.events.mobile-paths")
@pytest.mark.parametrize("path", MOBILE_PATHS)
def test_events_with_a_mobile_key_are_accepted_at_each_mobile_path(trackside: Lab, path: str) -> None:
    assert send(trackside, [EVENT], path, "mob-production").status == 202

    assert len(trackside.launchdarkly.events()) == 1


@pytest.mark.rule("launchdarkly.events.api-key-scheme")
def test_the_word_api_key_may_stand_before_the_key(trackside: Lab) -> None:
    assert send(trackside, [EVENT], key="api_key sdk-production").status == 202


@pytest.mark.rule("launchdarkly.events.unknown-key")
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/bulk", "sdk-wrong"),
        ("/bulk", "mob-production"),
        ("/bulk", ""),
        ("/bulk", None),
        *((path, "mob-wrong") for path in MOBILE_PATHS),
        ("/mobile", "sdk-production"),
    ],
)
def test_an_unknown_key_is_answered_401(trackside: Lab, path: str, key: str | None) -> None:
    answer = send(trackside, [EVENT], path, key)

    assert answer.status == 401
    assert catalog.faults("launchdarkly/error-answer", answer.json()) == []
    assert trackside.launchdarkly.events() == []
    assert (only_step(trackside).rule, only_step(trackside).level) == ("launchdarkly.events.unknown-key", "error")


@pytest.mark.rule("launchdarkly.events.unknown-key")
def test_a_key_is_never_repeated_in_a_report(trackside: Lab) -> None:
    answer = send(trackside, [EVENT], key="sdk-secret-of-another")

    assert "secret-of-another" not in f"{answer.data!r} {only_step(trackside)}"


@pytest.mark.rule("launchdarkly.events.not-an-array")
@pytest.mark.parametrize("body", [b"", b"{", b"null", orjson.dumps(EVENT)])
def test_a_body_that_is_no_array_is_answered_400_and_told_once(trackside: Lab, body: bytes) -> None:
    answer = send(trackside, body)

    assert answer.status == 400
    assert catalog.faults("launchdarkly/error-answer", answer.json()) == []
    assert only_step(trackside).rule == "launchdarkly.events.not-an-array"


@pytest.mark.rule("launchdarkly.events.accepted")
def test_compressed_events_are_read(trackside: Lab) -> None:
    assert send(trackside, gzip.compress(orjson.dumps([EVENT])), **{"Content-Encoding": "gzip"}).status == 202

    trackside.launchdarkly.expect_event("Order Completed")


@pytest.mark.rule("launchdarkly.events.not-an-array")
def test_events_that_are_not_compressed_as_they_say_are_answered_400(trackside: Lab) -> None:
    assert send(trackside, orjson.dumps([EVENT]), **{"Content-Encoding": "gzip"}).status == 400


@pytest.mark.rule("launchdarkly.events.schema-header")
def test_events_without_a_schema_are_read_as_schema_4_with_a_note(trackside: Lab) -> None:
    assert send(trackside, [EVENT], **{"X-LaunchDarkly-Event-Schema": "3"}).status == 202

    assert (only_step(trackside).rule, only_step(trackside).level) == ("launchdarkly.events.schema-header", "note")


# ---- what is kept


@pytest.mark.rule("launchdarkly.events.kinds-kept")
@pytest.mark.parametrize(
    "event",
    [
        {"kind": "index", "creationDate": AT, "context": USER},
        {"kind": "identify", "creationDate": AT, "context": USER},
        {"kind": "feature", "creationDate": AT, "key": "banner", "value": "blue", "context": USER},
        {"kind": "debug", "creationDate": AT, "key": "banner", "value": "blue", "default": None, "context": USER},
        {"kind": "custom", "creationDate": AT, "key": "Order Completed", "data": None, "context": USER},
        {"kind": "summary", "startDate": AT, "endDate": AT, "features": {}, "context": USER},
        {
            "kind": "migration_op",
            "creationDate": AT,
            "operation": "read",
            "evaluation": {"key": "move", "value": "shadow"},
            "measurements": [{"key": "invoked", "values": {"old": True}}],
            "context": USER,
        },
    ],
    ids=lambda event: event["kind"],
)
def test_an_event_with_a_context_is_kept_whole_with_its_context_keys(trackside: Lab, event: dict[str, Any]) -> None:
    send(trackside, [event])

    [record] = trackside.launchdarkly.events()
    assert {name: record[name] for name in event} == event
    assert (record["environment"], record["contextKeys"]) == ("production", {"user": "u-1"})
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.kinds-kept")
@pytest.mark.parametrize("kind", ["click", "pageview", "click_pageview"])
def test_events_of_a_browsers_goals_are_kept(trackside: Lab, kind: str) -> None:
    event = {"kind": kind, "creationDate": AT, "key": "home", "url": "http://x/", "contextKeys": {"user": "u-1"}}

    send(trackside, [{**event, "selector": ".buy", "data": None}], f"/events/bulk/{CLIENT_SIDE_ID}", None)

    assert trackside.launchdarkly.expect_event("home", kind=kind)["effect"] == "metric"
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.kinds-kept")
def test_a_summary_of_a_server_names_no_context(trackside: Lab) -> None:
    counters = [{"count": 3, "value": True, "variation": 0, "version": 3}]
    features = {"allowed": {"default": False, "contextKinds": ["user"], "counters": counters}}

    send(trackside, [{"kind": "summary", "startDate": AT, "endDate": AT, "features": features}])

    [record] = trackside.launchdarkly.events()
    assert "contextKeys" not in record
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.contract")
@pytest.mark.parametrize(
    ("event", "at"),
    [
        ({**EVENT, "url": 7}, "$[0].url"),
        ({"kind": "feature", "creationDate": AT, "key": "f", "version": "7", "context": USER}, "$[0].version"),
        ({"kind": "summary", "startDate": AT, "endDate": AT, "features": {"f": {}}}, "$[0].features.f.counters"),
    ],
)
def test_a_field_that_breaks_the_contract_is_a_finding_and_the_event_is_kept(
    trackside: Lab, event: dict[str, Any], at: str
) -> None:
    assert send(trackside, [event]).status == 202

    assert (only_step(trackside).rule, only_step(trackside).at) == ("launchdarkly.contract", at)
    assert len(trackside.launchdarkly.events()) == 1


@pytest.mark.rule("launchdarkly.events.kind", "launchdarkly.events.required-field", "launchdarkly.events.context")
@pytest.mark.parametrize(
    ("event", "at"),
    [
        (7, "$[0]"),
        ({**EVENT, "kind": "metric"}, "$[0].kind"),
        ({**EVENT, "kind": None}, "$[0].kind"),
        ({**EVENT, "key": ""}, "$[0].key"),
        ({**EVENT, "creationDate": "now"}, "$[0].creationDate"),
        ({**EVENT, "metricValue": "9"}, "$[0].metricValue"),
        ({**EVENT, "contextKeys": {}}, "$[0].contextKeys"),
        ({**EVENT, "contextKeys": {"user": ""}}, "$[0].contextKeys.user"),
        ({"kind": "custom", "key": "k", "creationDate": AT}, "$[0]"),
        ({"kind": "index", "creationDate": AT, "context": "u-1"}, "$[0].context"),
        ({"kind": "index", "creationDate": AT, "context": {"key": "u-1"}}, "$[0].context.kind"),
        ({"kind": "index", "creationDate": AT, "context": {"kind": "user"}}, "$[0].context.key"),
        ({"kind": "index", "creationDate": AT, "context": {"kind": "multi"}}, "$[0].context"),
        ({"kind": "index", "creationDate": AT, "context": {"kind": "multi", "org": {}}}, "$[0].context.org.key"),
        ({"kind": "index", "creationDate": AT, "context": {"kind": "multi", "org": "o"}}, "$[0].context.org"),
    ],
)
def test_a_fault_for_which_an_event_is_dropped_is_told_once(trackside: Lab, event: Any, at: str) -> None:
    assert send(trackside, [event]).status == 202

    assert (only_step(trackside).kind, only_step(trackside).at) == ("drop", at)
    assert trackside.launchdarkly.events() == []


# ---- the clock


@pytest.mark.rule("launchdarkly.events.date")
@pytest.mark.parametrize(
    ("path", "body"),
    [("/bulk", [EVENT]), ("/diagnostic", {"kind": "diagnostic"}), (f"/events/bulk/{CLIENT_SIDE_ID}", [EVENT])],
)
def test_answers_to_events_carry_the_labs_clock_as_date(make_trackside: Any, path: str, body: Any) -> None:
    lab = make_trackside(WORKSPACE, start_at=1767322800.0)

    assert send(lab, body, path).headers["Date"] == "Fri, 02 Jan 2026 03:00:00 GMT"


@pytest.mark.rule("launchdarkly.events.date")
def test_browsers_may_read_the_date(trackside: Lab) -> None:
    answer = send(trackside, [EVENT], f"/events/bulk/{CLIENT_SIDE_ID}", None, Origin="http://shop.test")

    assert answer.headers["Access-Control-Expose-Headers"] == "Date"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.test"


# ---- the pixel


@pytest.mark.rule("launchdarkly.events.pixel")
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_events_in_the_address_of_a_pixel_are_kept(trackside: Lab, encode: Any) -> None:
    text = encode(orjson.dumps([{**EVENT, "key": "è?>"}])).decode().rstrip("=")
    url = f"{trackside.urls['launchdarkly']}/a/{CLIENT_SIDE_ID}.gif"

    answer = urllib3.request("GET", url, fields={"d": text})

    assert (answer.status, answer.headers["Content-Type"], answer.data[:6]) == (200, "image/gif", b"GIF89a")
    trackside.launchdarkly.expect_event("è?>")


@pytest.mark.rule("launchdarkly.events.pixel")
@pytest.mark.parametrize("text", ["", "%%%", "e30"])
def test_a_pixel_without_events_is_answered_all_the_same(trackside: Lab, text: str) -> None:
    url = f"{trackside.urls['launchdarkly']}/a/{CLIENT_SIDE_ID}.gif"

    assert urllib3.request("GET", url, fields={"d": text}).status == 200
    assert only_step(trackside).rule == "launchdarkly.events.not-an-array"


@pytest.mark.rule("launchdarkly.events.pixel", "launchdarkly.events.unknown-client-side-id")
def test_a_pixel_of_an_unknown_client_side_id_is_answered_404(trackside: Lab) -> None:
    url = f"{trackside.urls['launchdarkly']}/a/000000000000000000000000.gif?d=W10"

    assert urllib3.request("GET", url).status == 404


# ---- imported events


def imported(lab: Lab, body: Any, path: str = IMPORT, key: str | None = "api-token", **headers: str) -> Any:
    return send(lab, body, path, key, **{"User-Agent": "MetricImport-Example-int/1.0", **headers})


@pytest.mark.rule("launchdarkly.events.accepted", "launchdarkly.access-token")
def test_imported_events_are_kept_for_the_environment_in_the_path(trackside: Lab) -> None:
    answer = imported(trackside, [{**EVENT, "metricValue": 9}])

    assert (answer.status, answer.data) == (202, b"")
    assert trackside.launchdarkly.expect_event("Order Completed", value=9)["environment"] == "production"
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.access-token")
@pytest.mark.parametrize("key", [None, "", "api-wrong", "sdk-production"])
def test_an_import_without_the_access_token_is_answered_401(trackside: Lab, key: str | None) -> None:
    answer = imported(trackside, [EVENT], key=key)

    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
    assert only_step(trackside).rule == "launchdarkly.access-token"


@pytest.mark.rule("launchdarkly.access-token")
@pytest.mark.trackside(workspace={"launchdarkly": {**WORKSPACE["launchdarkly"], "access_token": ""}})
@pytest.mark.parametrize(("key", "status"), [("api-any", 202), ("", 401), ("sdk-production", 401), ("mob-x", 401)])
def test_any_access_token_will_do_where_none_is_declared(trackside: Lab, key: str, status: int) -> None:
    assert imported(trackside, [EVENT], key=key).status == status


@pytest.mark.rule("launchdarkly.import.unknown-environment")
@pytest.mark.parametrize("path", ["/v2/event-data-import/default/nowhere", "/v2/event-data-import/other/production"])
def test_an_import_into_an_unknown_environment_is_answered_404(trackside: Lab, path: str) -> None:
    assert imported(trackside, [EVENT], path).status == 404
    assert only_step(trackside).rule == "launchdarkly.import.unknown-environment"


@pytest.mark.rule("launchdarkly.import.schema-header")
@pytest.mark.parametrize("schema", ["3", ""])
def test_an_import_in_another_schema_is_answered_406(trackside: Lab, schema: str) -> None:
    assert imported(trackside, [EVENT], **{"X-LaunchDarkly-Event-Schema": schema}).status == 406
    assert only_step(trackside).rule == "launchdarkly.import.schema-header"


@pytest.mark.rule("launchdarkly.import.size")
def test_an_import_of_more_than_10_mb_is_answered_413(trackside: Lab) -> None:
    assert imported(trackside, [{**EVENT, "data": "x" * (10 * 1024 * 1024)}]).status == 413
    assert only_step(trackside).rule == "launchdarkly.import.size"


@pytest.mark.rule("launchdarkly.import.kinds")
def test_an_import_with_an_event_of_another_kind_is_answered_400_and_nothing_is_kept(trackside: Lab) -> None:
    answer = imported(trackside, [EVENT, {"kind": "index", "creationDate": AT, "context": USER}])

    assert answer.status == 400
    assert "launchdarkly.import.kinds" in {finding.step.rule for finding in trackside.findings()}
    assert [finding.step.at for finding in trackside.findings()].count("$[1].kind") == 1
    assert trackside.launchdarkly.events() == []


@pytest.mark.rule("launchdarkly.events.required-field")
def test_an_imported_event_with_another_mistake_is_dropped_in_silence(trackside: Lab) -> None:
    assert imported(trackside, [EVENT, {**EVENT, "key": ""}]).status == 202
    assert len(trackside.launchdarkly.events()) == 1


@pytest.mark.rule("launchdarkly.import.user-agent")
def test_an_import_with_another_user_agent_is_noted(trackside: Lab) -> None:
    assert imported(trackside, [EVENT], **{"User-Agent": "curl/8"}).status == 202
    assert (only_step(trackside).rule, only_step(trackside).level) == ("launchdarkly.import.user-agent", "note")


# ---- the vendor's own SDK


class _Declared:
    """A source of data for LaunchDarkly's SDK that needs no stream."""

    def __init__(self, _config: Any, store: Any, ready: Any) -> None:
        self._store, self._ready = store, ready

    def start(self) -> None:
        from ldclient.versioned_data_kind import FEATURES

        serves = {"on": True, "fallthrough": {"variation": 0}, "salt": "s", "version": 7}
        until = int(time.time() * 1000) + 600_000
        flags = {
            "banner": {"variations": ["blue"], "trackEvents": True, "debugEventsUntilDate": until},
            "move": {"variations": ["shadow"], "migration": {"checkRatio": 1}},
        }
        self._store.init({FEATURES: {key: {"key": key, **serves, **flag} for key, flag in flags.items()}})
        self._ready.set()

    def stop(self) -> None:
        """Nothing runs."""

    def initialized(self) -> bool:
        return True

    def is_alive(self) -> bool:
        return True


def python_client(lab: Lab, **options: Any) -> Any:
    from ldclient import Config, LDClient

    url = lab.urls["launchdarkly"]
    uris = {"base_uri": url, "stream_uri": url, "events_uri": url}
    return LDClient(Config("sdk-production", **uris, update_processor_class=_Declared, **options))


@pytest.mark.rule("launchdarkly.events.kinds-kept", "launchdarkly.diagnostics.accepted")
@pytest.mark.parametrize("compressed", [False, True])
def test_every_kind_of_event_of_launchdarklys_python_sdk_is_kept_without_a_finding(
    trackside: Lab, compressed: bool
) -> None:
    from ldclient import Context, Result, Stage
    from ldclient.migrations import MigratorBuilder

    user, both = Context.create("u-1"), Context.create_multi(Context.create("u-1"), Context.create("o-1", "org"))
    client = python_client(trackside, enable_event_compression=compressed)
    assert client.variation("banner", both, "none") == "blue"
    client.variation_detail("nope", user, None)
    client.identify(user)
    client.track("Order Completed", user, {"sku": "A1"}, 49.95)
    builder = MigratorBuilder(client)
    builder.read(lambda _: Result.success(1), lambda _: Result.success(1), lambda one, other: one == other)
    builder.write(lambda _: Result.success(1), lambda _: Result.success(1))
    builder.build().read("move", user, Stage.OFF)
    client.close()

    kinds = {event["kind"] for event in trackside.launchdarkly.events()}
    assert kinds == {"index", "feature", "debug", "identify", "custom", "migration_op", "summary"}
    assert [one["kind"] for one in trackside.launchdarkly.diagnostics()] == ["diagnostic-init"]
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.date")
def test_launchdarklys_python_sdk_stops_debug_events_when_the_labs_clock_is_past_their_end(trackside: Lab) -> None:
    from ldclient import Context

    trackside.advance(3_600)
    client = python_client(trackside, diagnostic_opt_out=True)
    client.track("first", Context.create("u-1"))
    client.flush()
    trackside.launchdarkly.expect_event("first")
    client._event_processor._wait_until_inactive()  # noqa: SLF001 - no other way tells that the answer was read
    client.variation("banner", Context.create("u-1"), "none")
    client.close()

    assert trackside.launchdarkly.events(kind="feature")
    assert trackside.launchdarkly.events(kind="debug") == []
