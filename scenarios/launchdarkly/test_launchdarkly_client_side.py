"""Flags of client-side SDKs: evaluated for a context, fetched or streamed."""

from __future__ import annotations

import base64
import json
import sys
import threading

import pytest
from ldclient import Context
from ldclient.client import LDClient
from ldclient.config import Config

from trackside import catalog
from trackside.launchdarkly.asking import Asking
from trackside.launchdarkly.evaluation import context_of
from trackside.launchdarkly.streams import ClientView

ID = "57be1db38b75bf0772d11384"
FLAGS = {
    "new-checkout": True,
    "banner": {
        "variations": ["control", "blue", "green"],
        "serve": {"control": 50, "blue": 50},
        "experiment": True,
        "targets": {"green": ["user-9"]},
        "context_targets": {"organization": {"green": ["org-9"]}},
        "rules": [{"if": {"country": ["fr"]}, "serve": "green"}, {"segment": "beta", "serve": "green"}],
    },
    "limits": {
        "version": 7,
        "on": True,
        "variations": [{"items": 3}, {"items": 9}],
        "fallthrough": {"variation": 1},
        "offVariation": 0,
        "prerequisites": [{"key": "new-checkout", "variation": 0}],
        "trackEvents": True,
        "debugEventsUntilDate": 1795296864832,
    },
    "off": {"serve": "a", "on": False},
    "no-off-variation": {"version": 1, "on": False, "variations": ["a"], "fallthrough": {"variation": 0}},
    "server-only": {"serve": True, "client_side": False},
    "mobile-only": {
        "version": 1,
        "on": True,
        "variations": [True],
        "fallthrough": {"variation": 0},
        "clientSideAvailability": {"usingMobileKey": True, "usingEnvironmentId": False},
    },
}
BLOCK = {
    "environments": {
        "production": {"client_side_id": ID, "sdk_key": "sdk-local", "mobile_key": "mob-local"},
        "staging": {"client_side_id": "67be1db38b75bf0772d11385"},
    },
    "flags": FLAGS,
    "segments": {"beta": ["user-2"]},
}
USER = {"kind": "user", "key": "user-1"}
CONTEXTS = [
    USER,
    {"kind": "user", "key": "user-9"},
    {"kind": "user", "key": "user-2"},
    {"kind": "user", "key": "user-3", "country": "fr"},
    {"kind": "organization", "key": "org-1"},
    {"kind": "multi", "user": {"key": "user-4"}, "organization": {"key": "org-9"}},
    {"kind": "user", "key": "anonymous-1", "anonymous": True},
]

pytestmark = pytest.mark.trackside(workspace={"launchdarkly": BLOCK})


@pytest.fixture
def flags_of(ask, b64):
    """Return a function that fetches the flags of a context, as a browser does."""

    def fetch(context, query=""):
        answer = ask("GET", f"/sdk/evalx/{ID}/contexts/{b64(context)}{query}")
        assert answer.status == 200, answer.data
        return answer.json()

    return fetch


# ---- what a context gets


@pytest.mark.rule("launchdarkly.client.evaluation", "launchdarkly.client.version", "launchdarkly.contract")
def test_an_answer_has_what_browsers_need_of_each_flag(flags_of, trackside):
    flags = flags_of(USER)

    version = trackside.launchdarkly.live.environment().version
    flag_version = trackside.launchdarkly.flag("limits").row["version"]
    assert flags["limits"] == {
        "value": {"items": 9},
        "variation": 1,
        "version": version,
        "flagVersion": flag_version,
        "trackEvents": True,
        "debugEventsUntilDate": 1795296864832,
        "prerequisites": ["new-checkout"],
    }
    assert flags["off"]["value"] == "a"
    assert (flags["no-off-variation"]["value"], "variation" in flags["no-off-variation"]) == (None, False)
    assert catalog.faults("launchdarkly/evaluated-flags", flags) == []


@pytest.mark.rule("launchdarkly.client.evaluation", "launchdarkly.contract")
@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.get("key", "multi"))
def test_an_answer_is_what_a_server_sdk_gives_for_bootstrapping(trackside, flags_of, context):
    with LDClient(Config(**trackside.launchdarkly.python_options(), send_events=False)) as client:
        state = client.all_flags_state(context_of(context), with_reasons=True).to_json_dict()
    flags = flags_of(context, "?withReasons=true")

    told = state["$flagsState"]
    assert {key: entry["value"] for key, entry in flags.items()} == {key: state[key] for key in flags}
    assert {key: _but(entry) for key, entry in flags.items()} == {
        key: {"trackEvents": False, **told[key], "version": told[key]["version"]} for key in flags
    }
    assert catalog.faults("launchdarkly/evaluated-flags", flags) == []


def _but(entry):
    """Return an evaluated flag as bootstrap data has it: its value elsewhere, its own version as the only one."""
    return {
        **{name: entry[name] for name in entry if name not in ("value", "flagVersion")},
        "version": entry["flagVersion"],
    }


@pytest.mark.rule("launchdarkly.client.reasons")
def test_a_reason_is_sent_where_it_was_asked_for_or_the_context_is_in_an_experiment(flags_of):
    plain, asked = flags_of(USER), flags_of(USER, "?withReasons=true")

    assert "reason" not in plain["off"]
    assert asked["off"]["reason"] == {"kind": "OFF"}
    for flags in (plain, asked):
        assert flags["banner"]["reason"] == {"kind": "FALLTHROUGH", "inExperiment": True}
        assert (flags["banner"]["trackEvents"], flags["banner"]["trackReason"]) == (True, True)


@pytest.mark.rule("launchdarkly.client.availability")
def test_a_browser_gets_only_flags_that_are_available_to_it(flags_of):
    assert sorted(set(FLAGS) - set(flags_of(USER))) == ["mobile-only", "server-only"]


@pytest.mark.rule("launchdarkly.client.availability", "launchdarkly.client.mobile")
def test_a_mobile_sdk_gets_those_that_are_available_to_mobile_keys(ask, b64):
    answer = ask("GET", f"/msdk/evalx/contexts/{b64(USER)}", "mob-local")
    assert sorted(set(FLAGS) - set(answer.json())) == ["server-only"]


@pytest.mark.rule("launchdarkly.client.version")
def test_the_version_grows_with_every_change_also_of_a_segment(trackside, flags_of):
    before = flags_of(USER)["banner"]
    with trackside.lock:
        trackside.launchdarkly.live.put("production", "segments", {"key": "beta", "included": ["user-1"]})

    after = flags_of(USER)["banner"]
    assert (before["value"] == "green", after["value"]) == (False, "green")
    assert after["version"] > before["version"]
    assert after["flagVersion"] == before["flagVersion"]


@pytest.mark.rule("launchdarkly.client.evaluation")
def test_a_change_is_evaluated_at_once(trackside, flags_of):
    assert flags_of(USER)["off"]["value"] == "a"
    trackside.launchdarkly.flag("off").serve("b")
    assert flags_of(USER)["off"]["value"] == "b"
    trackside.launchdarkly.flag("off").delete()
    assert "off" not in flags_of(USER)
    trackside.reset()
    assert flags_of(USER)["off"]["value"] == "a"


@pytest.mark.rule("launchdarkly.contract")
def test_answers_keep_their_contracts(ask):
    goals = ask("GET", f"/sdk/goals/{ID}")
    refused = [
        ask("GET", f"/sdk/evalx/{ID}/contexts/e30"),
        ask("REPORT", f"/sdk/evalx/{ID}/context", body=b"{}", headers={"Content-Type": "text/plain"}),
        ask("GET", "/sdk/evalx/nobody/contexts/e30"),
        ask("GET", "/all", "sdk-of-nobody"),
    ]
    assert catalog.faults("launchdarkly/goals", goals.json()) == []
    assert [catalog.faults("launchdarkly/error-answer", answer.json()) for answer in refused] == [[]] * 4


# ---- how it is asked


@pytest.mark.rule("launchdarkly.client.report-path", "launchdarkly.client.user", "launchdarkly.client.mobile")
@pytest.mark.parametrize("name", ["context", "contexts", "user", "users"])
@pytest.mark.parametrize(("base", "key"), [(f"/sdk/evalx/{ID}", ""), ("/msdk/evalx", "mob-local")])
def test_a_context_may_be_reported(ask, name, base, key):
    answer = ask("REPORT", f"{base}/{name}", key, json=USER)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["new-checkout"]["value"] is True


@pytest.mark.rule("launchdarkly.client.context-in-path")
@pytest.mark.parametrize(("encode", "marks"), [(base64.urlsafe_b64encode, "-_"), (base64.b64encode, "+/")])
@pytest.mark.parametrize("padding", ["", "="])
def test_a_context_in_a_path_is_base64_of_either_alphabet(ask, encode, marks, padding):
    context = b'{"kind": "user", "key": "user-9", "name": "~~>>??~~"}'
    text = encode(context).decode().rstrip("=") + padding * (-len(context) % 3)

    assert set(marks) < set(text)
    assert ask("GET", f"/sdk/evalx/{ID}/contexts/{text}").json()["banner"]["value"] == "green"


@pytest.mark.rule("launchdarkly.client.user")
@pytest.mark.parametrize(
    "user",
    [
        {"key": "user-3", "country": "fr"},
        {"key": "user-3", "custom": {"country": "fr"}},
        {"key": "user-9", "anonymous": True, "email": None},
    ],
)
def test_a_user_of_older_sdks_is_a_context_of_that_kind(ask, b64, user):
    assert ask("GET", f"/sdk/evalx/{ID}/users/{b64(user)}").json()["banner"]["value"] == "green"


@pytest.mark.rule("launchdarkly.client.user")
def test_such_a_user_may_be_anonymous():
    assert context_of({"key": "user-1", "anonymous": True}).anonymous
    assert not context_of({"key": "user-1"}).anonymous


@pytest.mark.rule("launchdarkly.client.user")
def test_the_key_of_such_a_user_may_be_a_number(ask, b64):
    assert ask("GET", f"/sdk/evalx/{ID}/users/{b64({'key': 7})}").status == 200


@pytest.mark.rule("launchdarkly.client.context")
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"kind": "user"},
        {"kind": "user", "key": ""},
        {"kind": "user", "key": 7},
        {"kind": "my kind", "key": "x"},
        {"kind": "kind", "key": "x"},
        {"kind": 7, "key": "x"},
        {"kind": None, "key": "x"},
        {"kind": "multi"},
        {"kind": "multi", "user": "user-1"},
        {"key": None},
        [],
        "user-1",
        None,
    ],
    ids=json.dumps,
)
def test_what_is_no_context_is_answered_400_with_a_message(trackside, ask, b64, context):
    for answer in (
        ask("GET", f"/sdk/evalx/{ID}/contexts/{b64(context)}"),
        ask("GET", f"/eval/{ID}/{b64(context)}"),
        ask(
            "REPORT", f"/sdk/evalx/{ID}/context", body=json.dumps(context), headers={"Content-Type": "application/json"}
        ),
    ):
        assert answer.status == 400
        assert answer.json()["message"].startswith("Invalid context: ")
    rules = {finding.step.rule for finding in trackside.findings()}
    assert "launchdarkly.client.context" in rules
    assert trackside.errors == []


@pytest.mark.rule("launchdarkly.client.context")
@pytest.mark.parametrize("text", ["a", "!!!", "e30e", "%ff%fe", "bm90IGpzb24"])
def test_what_cannot_be_decoded_is_answered_400(ask, text):
    assert ask("GET", f"/sdk/evalx/{ID}/contexts/{text}").status == 400


@pytest.mark.rule("launchdarkly.client.context", "launchdarkly.client.content-type")
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {"Content-Type": "application/json"}, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400),
        (json.dumps(USER).encode(), {"Content-Type": "text/plain"}, 415),
        (json.dumps(USER).encode(), {}, 415),
        (json.dumps(USER).encode(), {"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_a_report_has_to_be_json(ask, body, headers, status):
    for path in (f"/sdk/evalx/{ID}/context", "/msdk/evalx/context"):
        assert ask("REPORT", path, "mob-local", body=body, headers=headers).status == status


@pytest.mark.rule("launchdarkly.contract")
def test_a_reported_context_is_checked(trackside, ask):
    ask("REPORT", f"/sdk/evalx/{ID}/context", json={"kind": "user", "key": "user-1", "anonymous": "yes"})
    told = {(finding.step.rule, finding.step.at) for finding in trackside.findings()}
    assert ("launchdarkly.contract", "$.anonymous") in told


# ---- keys


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
@pytest.mark.parametrize("path", ["/sdk/evalx/{}/contexts/e30", "/eval/{}/e30", "/ping/{}", "/sdk/goals/{}"])
def test_an_unknown_client_side_id_is_answered_404(trackside, ask, path):
    answer = ask("GET", path.format("000000000000000000000000"))
    assert answer.status == 404
    assert [finding.step.rule for finding in trackside.findings()] == ["launchdarkly.events.unknown-client-side-id"]


@pytest.mark.rule("launchdarkly.client.mobile")
@pytest.mark.parametrize("path", ["/msdk/evalx/contexts/e30", "/meval/e30", "/mping"])
@pytest.mark.parametrize("key", ["", "mob-other", "sdk-local"])
def test_an_unknown_mobile_key_is_answered_401(ask, path, key):
    assert ask("GET", path, key).status == 401


# ---- streams


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.contract")
@pytest.mark.parametrize("method", ["GET", "REPORT"])
@pytest.mark.parametrize(("base", "key"), [(f"/eval/{ID}", ""), ("/meval", "mob-local")])
def test_a_stream_puts_the_context_s_flags_at_once(listen, flags_of, b64, method, base, key):
    body = {"json": USER} if method == "REPORT" else {}
    stream = listen(base + ("" if body else f"/{b64(USER)}"), key, method, **body)

    event, flags = stream.next()
    assert event == "put"
    assert {name: entry for name, entry in flags.items() if name != "mobile-only"} == flags_of(USER)
    assert catalog.faults("launchdarkly/evaluated-flags", flags) == []


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.contract")
def test_a_change_is_a_patch_of_what_is_another_for_this_context(trackside, listen, b64):
    ann, bob = listen(f"/eval/{ID}/{b64(USER)}"), listen(f"/eval/{ID}/{b64({'kind': 'user', 'key': 'user-3'})}")
    (_, before), _ = ann.next(), bob.next()
    trackside.launchdarkly.flag("off").target("user-1", "b")

    event, patch = ann.next()
    assert (event, patch["key"], patch["value"]) == ("patch", "off", "b")
    assert patch["version"] > before["off"]["version"]
    assert catalog.faults("launchdarkly/client-patch", patch) == []
    event, patch = bob.next()
    assert (patch["key"], patch["value"]) == ("off", "a")


@pytest.mark.rule("launchdarkly.client.stream")
def test_what_is_the_same_for_a_context_is_not_sent_to_it(trackside, listen, b64):
    stream = listen(f"/eval/{ID}/{b64(USER)}")
    stream.next()
    trackside.launchdarkly.flag("server-only").serve(False)
    with trackside.lock:
        trackside.launchdarkly.live.put("production", "segments", {"key": "beta", "included": ["somebody"]})
    trackside.launchdarkly.flag("off").serve("b")

    assert stream.next()[1]["key"] == "off"


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.client.version")
def test_a_changed_segment_is_a_patch_for_whom_it_matters(trackside, listen, b64):
    stream = listen(f"/eval/{ID}/{b64(USER)}")
    _, before = stream.next()
    with trackside.lock:
        trackside.launchdarkly.live.put("production", "segments", {"key": "beta", "included": ["user-1"]})

    event, patch = stream.next()
    assert (event, patch["key"], patch["value"]) == ("patch", "banner", "green")
    assert patch["version"] > before["banner"]["version"]


@pytest.mark.rule("launchdarkly.client.stream")
def test_a_changed_prerequisite_patches_what_depends_on_it(trackside, listen, b64):
    stream = listen(f"/eval/{ID}/{b64(USER)}?withReasons=true")
    stream.next()
    trackside.launchdarkly.flag("new-checkout").serve(False)

    patches = {patch["key"]: patch for _, patch in (stream.next(), stream.next())}
    assert patches["limits"]["value"] == {"items": 3}
    assert patches["limits"]["reason"] == {"kind": "PREREQUISITE_FAILED", "prerequisiteKey": "new-checkout"}


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.contract")
def test_a_deleted_flag_is_a_delete(trackside, listen, b64):
    stream = listen(f"/eval/{ID}/{b64(USER)}")
    _, before = stream.next()
    trackside.launchdarkly.flag("off").delete()

    event, data = stream.next()
    assert (event, data["key"]) == ("delete", "off")
    assert data["version"] > before["off"]["version"]
    assert catalog.faults("launchdarkly/client-delete", data) == []


@pytest.fixture
def view(trackside):
    """Return what a stream told and tells of the flags of `USER`."""
    live = trackside.launchdarkly.live
    with trackside.lock:
        data = live.environment()
        asked = Asking(data, live.evaluator(data.name), context_of(USER), "usingEnvironmentId", with_reasons=False)
        return ClientView(asked, asked.evaluated())


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.client.version")
def test_a_stream_that_is_behind_ends_with_what_is_in_force(trackside, view, monkeypatch):
    changes = []
    monkeypatch.setattr(trackside.launchdarkly.live.streams, "publish", lambda _topic, change: changes.append(change))
    for value in ("b", "c", "b"):
        trackside.launchdarkly.flag("off").serve(value)

    patched = json.loads(view.changes(changes[0]).partition(b"data: ")[2])
    assert (patched["key"], patched["value"]) == ("off", "b")
    trackside.launchdarkly.flag("off").delete()
    told = b"".join(map(view.changes, changes[1:]))
    deleted = json.loads(told.partition(b"data: ")[2])
    assert told.startswith(b"event: delete")
    assert (deleted["key"], deleted["version"] > patched["version"]) == ("off", True)


@pytest.mark.rule("launchdarkly.client.stream", "launchdarkly.client.version")
def test_a_change_waits_for_a_stream_that_evaluates(trackside, view):
    evaluator = trackside.launchdarkly.live.evaluator("production")
    changing = threading.Thread(target=trackside.launchdarkly.flag("off").serve, args=("b",), daemon=True)
    with evaluator.turn:
        version = evaluator.version
        changing.start()
        changing.join(0.1)
        half = evaluator.evaluate(context_of(USER), "usingEnvironmentId")["off"]
        assert (half["value"], evaluator.version) == ("a", version)
    changing.join(5)
    assert evaluator.evaluate(context_of(USER), "usingEnvironmentId")["off"]["value"] == "b"


@pytest.mark.rule("launchdarkly.client.stream")
def test_a_flag_that_is_no_longer_available_is_deleted(trackside, listen, b64):
    stream = listen(f"/eval/{ID}/{b64(USER)}")
    stream.next()
    with trackside.lock:
        live = trackside.launchdarkly.live
        none = {"usingMobileKey": False, "usingEnvironmentId": False}
        live.put("production", "flags", {**live.item("production", "flags", "off"), "clientSideAvailability": none})

    assert stream.next()[0] == "delete"


@pytest.mark.rule("launchdarkly.client.ping", "launchdarkly.client.mobile")
@pytest.mark.parametrize(("path", "key"), [(f"/ping/{ID}", ""), ("/mping", "mob-local")])
def test_a_ping_comes_at_once_and_for_each_change_and_has_data(trackside, ask, path, key):
    answer = ask("GET", path, key, preload_content=False)
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.read1() == b"event: ping\ndata: {}\n\n"
    trackside.launchdarkly.flag("off").serve("b")
    assert answer.read1() == b"event: ping\ndata: {}\n\n"
    answer.close()


# ---- browsers, and a lab without the extra


@pytest.mark.rule("launchdarkly.client.evaluation", "launchdarkly.client.stream", "launchdarkly.client.ping")
@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/sdk/evalx/{ID}/contexts/e30", "GET"),
        (f"/sdk/evalx/{ID}/context", "REPORT"),
        (f"/eval/{ID}/e30", "GET"),
        (f"/ping/{ID}", "GET"),
    ],
)
def test_browsers_may_ask_from_any_page(ask, path, method):
    asked = "x-launchdarkly-user-agent, x-launchdarkly-wrapper, content-type"
    answer = ask(
        "OPTIONS",
        path,
        headers={
            "Origin": "http://shop.example",
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": asked,
        },
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.example"
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == asked


@pytest.mark.rule("launchdarkly.extra-missing")
@pytest.mark.parametrize("path", [f"/sdk/evalx/{ID}/contexts/", f"/eval/{ID}/"])
def test_without_the_extra_the_answer_is_503_and_an_error_names_it(make_trackside, http, b64, monkeypatch, path):
    lab = make_trackside({"launchdarkly": BLOCK})
    monkeypatch.setitem(sys.modules, "ldclient.context", None)

    answer = http.request("GET", lab.launchdarkly.url + path + b64(USER))
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/json")
    [finding] = lab.findings()
    assert (finding.step.level, finding.step.rule) == ("error", "launchdarkly.extra-missing")
    assert "trackside[launchdarkly]" in finding.step.fix


@pytest.mark.rule("launchdarkly.client.evaluation")
def test_evaluation_needs_no_network_and_no_thread(trackside, flags_of):
    import threading

    flags_of(USER)
    assert [thread.name for thread in threading.enumerate() if "ldclient" in thread.name] == []


@pytest.mark.rule("launchdarkly.client.evaluation")
def test_the_sdk_takes_each_kind_of_context(flags_of):
    assert [flags_of(context)["banner"]["value"] for context in CONTEXTS[1:4]] == ["green"] * 3
    assert Context.from_dict(CONTEXTS[5]).multiple
    assert flags_of(CONTEXTS[5])["banner"]["value"] == "green"
