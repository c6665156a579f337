"""FDv2, LaunchDarkly's data saving mode: transfers in polls and on streams, for server-side and client-side SDKs."""

from __future__ import annotations

import pytest

from trackside import catalog
from trackside.launchdarkly.asking import asking
from trackside.launchdarkly.fdv2 import EvaluatedView
from trackside.wire import Request

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
BLOCK = {
    "environments": {
        "production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local", "mobile_key": "mob-local"},
        "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
    },
    "flags": {
        "banner": {
            "variations": ["blue", "green"],
            "serve": "blue",
            "rules": [{"segment": "beta", "serve": "green"}],
        },
        "server-only": {"serve": True, "client_side": False},
    },
    "segments": {"beta": ["u-9"]},
}
USER = {"kind": "user", "key": "u-1"}

pytestmark = pytest.mark.trackside(workspace={"launchdarkly": BLOCK})


def names(events):
    return [event["event"] for event in events]


def intent(events):
    [payload] = events[0]["data"]["payloads"]
    return payload


def objects(events):
    return {(one["data"]["kind"], one["data"]["key"]): one["data"] for one in events if one["event"] == "put-object"}


@pytest.fixture
def poll(ask):
    """Return a function that polls and gives the events."""

    def polled(path="/sdk/poll", key="sdk-local", method="GET", **more):
        answer = ask(method, path, key, **more)
        assert answer.status == 200, answer.data
        assert catalog.faults("launchdarkly/fdv2-poll", answer.json()) == []
        return answer.json()["events"]

    return polled


# ---- server-side SDKs


@pytest.mark.rule("launchdarkly.fdv2.transfer", "launchdarkly.fdv2.objects", "launchdarkly.fdv2.poll")
def test_a_first_poll_transfers_everything_segments_first(poll):
    events = poll()

    assert intent(events)["intentCode"] == "xfer-full"
    assert names(events) == ["server-intent", "put-object", "put-object", "put-object", "payload-transferred"]
    assert list(objects(events)) == [("segment", "beta"), ("flag", "banner"), ("flag", "server-only")]


@pytest.mark.rule("launchdarkly.fdv2.objects")
def test_an_object_is_the_flag_that_other_sdks_download(poll, ask):
    banner = objects(poll())["flag", "banner"]

    assert banner["object"] == ask("GET", "/sdk/latest-all", "sdk-local").json()["flags"]["banner"]
    assert banner["version"] == banner["object"]["version"]


@pytest.mark.rule("launchdarkly.fdv2.basis", "launchdarkly.fdv2.transfer")
def test_nothing_is_transferred_to_an_sdk_whose_basis_is_how_things_stand(poll):
    state = poll()[-1]["data"]["state"]

    events = poll("/sdk/poll?basis=" + state)

    assert (names(events), intent(events)["intentCode"]) == (["server-intent"], "none")


@pytest.mark.rule("launchdarkly.fdv2.basis", "launchdarkly.fdv2.transfer")
def test_everything_is_transferred_to_an_sdk_that_is_behind(trackside, poll):
    state = poll()[-1]["data"]["state"]
    trackside.launchdarkly.flag("banner").serve("green")

    events = poll("/sdk/poll?basis=" + state)

    assert intent(events)["intentCode"] == "xfer-full"
    assert poll("/sdk/poll?basis=" + events[-1]["data"]["state"])[0]["data"]["payloads"][0]["intentCode"] == "none"


@pytest.mark.rule("launchdarkly.fdv2.basis")
@pytest.mark.parametrize("basis", ["", "(p:other:1)", "nonsense"])
def test_a_basis_from_elsewhere_gets_everything(poll, basis):
    assert intent(poll("/sdk/poll?basis=" + basis))["intentCode"] == "xfer-full"


@pytest.mark.rule("launchdarkly.fdv2.basis")
def test_the_basis_of_another_environment_gets_everything(poll):
    state = poll()[-1]["data"]["state"]

    assert intent(poll("/sdk/poll?basis=" + state, "sdk-staging"))["intentCode"] == "xfer-full"


@pytest.mark.rule("launchdarkly.fdv2.poll")
def test_a_poll_with_the_etag_of_its_answer_is_answered_304(trackside, ask):
    etag = ask("GET", "/sdk/poll", "sdk-local").headers["ETag"]

    again = ask("GET", "/sdk/poll", "sdk-local", headers={"If-None-Match": etag})
    trackside.launchdarkly.flag("banner").serve("green")
    changed = ask("GET", "/sdk/poll", "sdk-local", headers={"If-None-Match": etag})

    assert (again.status, again.data, changed.status) == (304, b"", 200)


@pytest.mark.rule("launchdarkly.events.unknown-key")
@pytest.mark.parametrize("path", ["/sdk/poll", "/sdk/stream"])
@pytest.mark.parametrize("key", ["", "sdk-wrong"])
def test_an_unknown_sdk_key_is_answered_401(ask, path, key):
    assert ask("GET", path, key).status == 401


@pytest.mark.rule("launchdarkly.fdv2.stream")
def test_a_stream_begins_with_a_transfer(listen):
    stream = listen("/sdk/stream", "sdk-local")

    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    begun = [stream.next() for _ in range(5)]
    told = {"events": [{"event": event, "data": data} for event, data in begun]}
    assert catalog.faults("launchdarkly/fdv2-poll", told) == []
    assert names(told["events"])[0::4] == ["server-intent", "payload-transferred"]


@pytest.mark.rule("launchdarkly.fdv2.stream", "launchdarkly.fdv2.basis")
def test_a_stream_goes_on_from_a_poll(trackside, poll, listen):
    stream = listen("/sdk/stream?basis=" + poll()[-1]["data"]["state"], "sdk-local")

    event, data = stream.next()
    assert (event, data["payloads"][0]["intentCode"]) == ("server-intent", "none")
    trackside.launchdarkly.flag("banner").serve("green")
    event, data = stream.next()
    assert (event, data["key"], data["object"]["fallthrough"]) == ("put-object", "banner", {"variation": 1})


@pytest.mark.rule("launchdarkly.fdv2.stream")
def test_the_state_after_a_change_is_a_basis(trackside, poll, listen):
    stream = listen("/sdk/stream?basis=" + poll()[-1]["data"]["state"], "sdk-local")
    stream.next()
    trackside.launchdarkly.flag("banner").off()
    stream.next()

    event, data = stream.next()

    assert event == "payload-transferred"
    assert intent(poll("/sdk/poll?basis=" + data["state"]))["intentCode"] == "none"


@pytest.mark.rule("launchdarkly.fdv2.objects", "launchdarkly.fdv2.stream")
def test_a_flag_that_is_gone_is_deleted_with_a_higher_version(trackside, poll, listen):
    version = objects(poll())["flag", "banner"]["version"]
    stream = listen("/sdk/stream?basis=" + poll()[-1]["data"]["state"], "sdk-local")
    stream.next()
    with trackside.lock:
        trackside.launchdarkly.live.delete("flags", "banner")

    event, data = stream.next()

    assert (event, data["kind"], data["key"]) == ("delete-object", "flag", "banner")
    assert data["version"] > version


# ---- client-side SDKs


@pytest.mark.rule("launchdarkly.fdv2.eval", "launchdarkly.fdv2.objects")
def test_a_browser_polls_evaluated_flags_with_its_client_side_id(poll, b64):
    events = poll(f"/sdk/poll/eval/{b64(USER)}?auth={CLIENT_SIDE_ID}", "")

    assert list(objects(events)) == [("flag-eval", "banner")]
    banner = objects(events)["flag-eval", "banner"]
    assert (banner["object"]["value"], banner["object"]["variation"]) == ("blue", 0)
    assert "version" not in banner["object"]


@pytest.mark.rule("launchdarkly.fdv2.eval")
def test_a_mobile_sdk_polls_with_its_mobile_key(poll, b64):
    assert list(objects(poll(f"/sdk/poll/eval/{b64(USER)}", "mob-local"))) == [("flag-eval", "banner")]


@pytest.mark.rule("launchdarkly.fdv2.eval")
@pytest.mark.parametrize("method", ["POST", "REPORT"])
def test_a_context_may_be_the_body(poll, method):
    told = {"json": {"kind": "user", "key": "u-9"}}

    events = poll(f"/sdk/poll/eval?auth={CLIENT_SIDE_ID}", "", method, **told)

    assert objects(events)["flag-eval", "banner"]["object"]["value"] == "green"


@pytest.mark.rule("launchdarkly.fdv2.eval")
def test_reasons_are_there_where_they_are_asked_for(poll, b64):
    path = f"/sdk/poll/eval/{b64(USER)}?auth={CLIENT_SIDE_ID}&withReasons=true"

    assert objects(poll(path, ""))["flag-eval", "banner"]["object"]["reason"] == {"kind": "FALLTHROUGH"}


@pytest.mark.rule("launchdarkly.fdv2.basis", "launchdarkly.fdv2.eval")
def test_the_basis_of_one_context_is_none_of_another(poll, b64):
    state = poll(f"/sdk/poll/eval/{b64(USER)}?auth={CLIENT_SIDE_ID}", "")[-1]["data"]["state"]

    def code(context):
        path = f"/sdk/poll/eval/{b64(context)}?auth={CLIENT_SIDE_ID}&basis={state}"
        return intent(poll(path, ""))["intentCode"]

    assert (code(USER), code({"kind": "user", "key": "u-9"})) == ("none", "xfer-full")


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id", "launchdarkly.events.unknown-key")
@pytest.mark.parametrize(
    ("query", "key", "status"),
    [("?auth=000000000000000000000000", "", 404), ("", "mob-wrong", 401), ("", "", 401)],
)
def test_an_unknown_client_is_refused(ask, b64, query, key, status):
    assert ask("GET", f"/sdk/poll/eval/{b64(USER)}{query}", key).status == status
    assert ask("GET", f"/sdk/stream/eval/{b64(USER)}{query}", key).status == status


@pytest.mark.rule("launchdarkly.fdv2.eval", "launchdarkly.client.context")
def test_a_context_that_cannot_be_read_is_answered_400(ask):
    assert ask("GET", f"/sdk/poll/eval/e30?auth={CLIENT_SIDE_ID}").status == 400


@pytest.mark.rule("launchdarkly.fdv2.eval", "launchdarkly.fdv2.stream")
def test_a_browsers_stream_tells_of_changes_for_its_context(trackside, listen, b64):
    stream = listen(f"/sdk/stream/eval/{b64(USER)}?auth={CLIENT_SIDE_ID}")
    assert [stream.next()[0] for _ in range(3)] == ["server-intent", "put-object", "payload-transferred"]
    trackside.launchdarkly.flag("banner").serve("green")

    event, data = stream.next()

    assert (event, data["key"], data["object"]["value"]) == ("put-object", "banner", "green")
    assert stream.next()[0] == "payload-transferred"


@pytest.mark.rule("launchdarkly.fdv2.eval")
def test_a_browser_is_not_told_of_what_is_the_same_for_its_context(trackside, b64):
    live = trackside.launchdarkly.live
    params = {"client_side_id": CLIENT_SIDE_ID, "context": b64(USER)}
    with trackside.lock:
        view = EvaluatedView(asking(Request("GET", "/sdk/stream/eval", params=params), live, "usingEnvironmentId"))
        banner, other = live.item("production", "flags", "banner"), live.item("production", "flags", "server-only")
        elsewhere = live.apply("production", {"server-only": {**other, "on": False}})

    assert view.changes(elsewhere) == b""
    with trackside.lock:
        own = live.apply("production", {"banner": {**banner, "fallthrough": {"variation": 1}}})
    assert b"green" in view.changes(own)


@pytest.mark.rule("launchdarkly.fdv2.eval")
def test_a_browser_that_is_behind_ends_with_what_is_in_force(trackside, b64):
    live = trackside.launchdarkly.live
    params = {"client_side_id": CLIENT_SIDE_ID, "context": b64(USER)}
    with trackside.lock:
        view = EvaluatedView(asking(Request("GET", "/sdk/stream/eval", params=params), live, "usingEnvironmentId"))
        banner = live.item("production", "flags", "banner")
        served = [live.apply("production", {"banner": {**banner, "fallthrough": {"variation": n}}}) for n in (1, 0, 1)]

    told = view.changes(served[0]).decode()
    assert f'"version":{served[-1].version},"kind":"flag-eval","key":"banner"' in told
    with trackside.lock:
        gone = live.apply("production", {"banner": None})
    assert [view.changes(change) for change in served[1:]] == [b"", b""]
    assert f'{{"version":{gone.version},"kind":"flag-eval","key":"banner"}}' in view.changes(gone).decode()


@pytest.mark.rule("launchdarkly.fdv2.eval", "launchdarkly.fdv2.objects")
def test_a_browser_is_told_of_a_flag_that_is_gone(trackside, listen, b64):
    stream = listen(f"/sdk/stream/eval/{b64(USER)}?auth={CLIENT_SIDE_ID}")
    for _ in range(3):
        stream.next()
    with trackside.lock:
        trackside.launchdarkly.live.delete("flags", "banner")

    event, data = stream.next()

    assert (event, data["kind"], data["key"]) == ("delete-object", "flag-eval", "banner")


@pytest.mark.rule("launchdarkly.fdv2.eval")
@pytest.mark.parametrize("path", ["/sdk/poll/eval", "/sdk/stream/eval"])
def test_browsers_of_another_origin_may_ask(ask, b64, path):
    answer = ask("OPTIONS", f"{path}/{b64(USER)}?auth={CLIENT_SIDE_ID}", headers={"Origin": "http://shop.test"})

    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.test"
