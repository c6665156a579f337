"""The event stream: its token, what it begins with, and the message of each change."""

from __future__ import annotations

import base64
import json
import zlib

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.errors import TracksideError
from trackside.split import streams
from trackside.split.store import TOLD_SINGLY

WORKSPACE = {
    "split": {
        "environments": {"production": {"sdk_key": "sdk-key"}, "staging": {"sdk_key": "staging-key"}},
        "flags": {"banner": "on"},
        "segments": {"beta": ["user-1"]},
        "large_segments": {"big": ["user-1"]},
        "rule_based_segments": {"vip": {"rules": [{"if": {"plan": ["gold"]}}]}},
    }
}
pytestmark = pytest.mark.trackside(workspace=WORKSPACE)

CONTROLS = "%5B%3Foccupancy%3Dmetrics.publishers%5Dcontrol_pri,%5B%3Foccupancy%3Dmetrics.publishers%5Dcontrol_sec"


class Stream:
    """An open event stream, read message by message."""

    def __init__(self, answer):
        self.answer = answer
        self._parts = answer.stream(1 << 16, decode_content=False)
        self._text = b""
        self.first = [self.message() for _ in range(2)]

    def frame(self):
        """Return the next frame's lines."""
        while b"\n\n" not in self._text:
            self._text += next(self._parts)
        frame, _, self._text = self._text.partition(b"\n\n")
        return frame.decode().split("\n")

    def message(self):
        """Return the next message, each part held against its contract."""
        lines = dict(line.split(": ", 1) for line in self.frame())
        told = json.loads(lines["data"])
        assert (lines["event"], lines["id"]) == ("message", told["id"])
        assert catalog.faults("split/stream-message", told) == []
        return told

    def update(self):
        """Return the next message's data."""
        data = json.loads(self.message()["data"])
        assert catalog.faults("split/stream-update", data) == []
        return data


@pytest.fixture
def ask(trackside):
    """Return a function from a path to Split's answer."""
    with urllib3.PoolManager(retries=False, timeout=10) as pool:

        def of(path, key="sdk-key", **options):
            headers = {"Authorization": f"Bearer {key}"}
            return pool.request("GET", trackside.split.url + path, headers=headers, **options)

        yield of


@pytest.fixture
def listen(ask):
    """Return a function that opens an event stream as an SDK of a key does."""
    opened = []

    def open_one(key="sdk-key", auth="/api/v2/auth?s=1.3", path="/sse"):
        token = ask(auth, key).json()["token"]
        named = [name for name in allowed(token) if not name.startswith("control")]
        answer = ask(f"{path}?v=1.1&accessToken={token}&channels={','.join(named)},{CONTROLS}", preload_content=False)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
        opened.append(answer)
        return Stream(answer)

    yield open_one
    for answer in opened:
        answer.close()


def payload(token):
    part = token.split(".")[1]
    return json.loads(base64.b64decode(part + "=" * (-len(part) % 4)))


def allowed(token):
    return json.loads(payload(token)["x-ably-capability"])


def unpacked(data):
    plain = base64.b64decode(data["d"])
    return json.loads(zlib.decompress(plain) if data["c"] == 2 else plain)


# ---- tokens


@pytest.mark.rule("split.sdk.token")
@pytest.mark.parametrize("path", ["/api/v2/auth", "/v2/auth", "/api/v3/auth?capabilities=config"])
def test_auth_gives_a_token_for_at_once(ask, path):
    told = ask(path).json()

    assert catalog.faults("split/auth-answer", told) == []
    assert (told["pushEnabled"], told["connDelay"]) == (True, 0)


@pytest.mark.rule("split.sdk.token")
def test_a_token_is_good_for_an_hour(ask):
    told = payload(ask("/api/v2/auth").json()["token"])

    assert catalog.faults("split/token-payload", told) == []
    assert told["exp"] - told["iat"] == 3600


@pytest.mark.rule("split.sdk.token")
def test_the_signature_is_that_of_a_jwt(ask):
    head, body, signature = ask("/api/v2/auth").json()["token"].split(".")

    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "kid": "trackside", "typ": "JWT"}
    assert streams.token_payload(f"{head}.{body}.{signature}")
    assert streams.token_payload(f"{head}.{body}.{signature[:-2]}xx") is None


@pytest.mark.rule("split.sdk.token")
@pytest.mark.parametrize(
    ("auth", "kinds"), [("/api/v2/auth", {"splits", "segments"}), ("/api/v2/auth?users=u", {"splits", "memberships"})]
)
def test_a_token_opens_the_channels_of_its_side(ask, auth, kinds):
    channels = allowed(ask(auth).json()["token"])

    assert {name.rpartition("_")[2] for name in channels} == {*kinds, "pri", "sec"}
    assert channels["control_pri"] == ["subscribe", "channel-metadata:publishers"]


@pytest.mark.rule("split.sdk.token")
def test_each_environment_has_channels_of_its_own(ask):
    one, other = (set(allowed(ask("/api/v2/auth", key).json()["token"])) for key in ("sdk-key", "staging-key"))

    assert one & other == {"control_pri", "control_sec"}


@pytest.mark.rule("split.sdk.auth.push-off")
@pytest.mark.trackside(
    workspace={"split": {"environments": {"production": {"sdk_key": "sdk-key"}}, "streaming": False}}
)
def test_without_streaming_sdks_are_told_to_poll(ask):
    told = ask("/api/v2/auth").json()

    assert told == {"pushEnabled": False, "token": ""}
    assert catalog.faults("split/auth-answer", told) == []


@pytest.mark.rule("split.sdk.stream-token")
@pytest.mark.parametrize("token", ["", "a.b.c", "abc"])
def test_a_stream_without_a_token_of_this_mock_is_refused(trackside, ask, token):
    answer = ask(f"/sse?accessToken={token}&channels=control_pri")

    assert (answer.status, answer.json()["error"]["code"]) == (401, 40140)
    assert [finding.step.rule for finding in trackside.findings()] == ["split.sdk.stream-token"]


@pytest.mark.rule("split.sdk.stream-token")
def test_a_token_runs_out(trackside, ask):
    token = ask("/api/v2/auth").json()["token"]
    trackside.advance(streams.TOKEN_SECONDS)
    answer = ask(f"/sse?accessToken={token}&channels=control_pri")

    assert (answer.status, answer.json()["error"]["code"]) == (401, 40142)


@pytest.mark.rule("split.sdk.stream-token")
def test_a_token_of_an_environment_that_is_gone_is_refused(trackside, ask):
    token = ask("/api/v2/auth", "staging-key").json()["token"]
    trackside.configure({"split": {"environments": {"production": {"sdk_key": "sdk-key"}}}})

    assert ask(f"/sse?accessToken={token}&channels=control_pri").status == 401


# ---- the stream


@pytest.mark.rule("split.sdk.stream")
@pytest.mark.parametrize("path", ["/sse", "/event-stream"])
def test_a_stream_begins_at_once_with_the_occupancy(listen, path):
    first = listen(path=path).first

    assert [(told["name"], told["channel"]) for told in first] == [
        ("[meta]occupancy", "[?occupancy=metrics.publishers]control_pri"),
        ("[meta]occupancy", "[?occupancy=metrics.publishers]control_sec"),
    ]
    assert [json.loads(told["data"]) for told in first] == [{"metrics": {"publishers": 2}}] * 2
    assert catalog.faults("split/occupancy", json.loads(first[0]["data"])) == []


@pytest.mark.rule("split.sdk.stream")
def test_a_stream_without_news_is_kept_alive(trackside, listen, monkeypatch):
    monkeypatch.setattr(trackside.split.live.streams, "keep_alive_seconds", 0.0)

    assert listen().frame() == [":keepalive"]


@pytest.mark.rule("split.sdk.stream")
def test_a_stream_carries_what_its_channels_allow_and_nothing_else(trackside, listen):
    server, client = listen(), listen(auth="/api/v2/auth?users=user-1")
    trackside.split.segment("beta").add("user-2")
    trackside.split.flag("banner").serve("off")

    assert [server.update()["type"] for _ in range(2)] == ["SEGMENT_UPDATE", "SPLIT_UPDATE"]
    assert [client.update()["type"] for _ in range(2)] == ["MEMBERSHIPS_MS_UPDATE", "SPLIT_UPDATE"]


@pytest.mark.rule("split.sdk.stream")
def test_a_stream_hears_of_its_own_environment_only(trackside, listen):
    staging = listen("staging-key")
    trackside.split.flag("banner").serve("off")
    trackside.split.flag("banner", "staging").serve("blue")

    assert unpacked(staging.update())["conditions"][0]["partitions"][0]["treatment"] == "blue"


# ---- messages


@pytest.mark.rule("split.sdk.split-update")
def test_a_changed_flag_is_told_with_its_definition_and_the_number_before(trackside, listen, ask):
    stream = listen()
    before = ask("/api/splitChanges?s=1.3").json()["ff"]["t"]
    trackside.split.flag("banner").serve("off")
    data = stream.update()
    after = ask("/api/splitChanges?s=1.3").json()["ff"]

    assert (data["type"], data["pcn"], data["changeNumber"]) == ("SPLIT_UPDATE", before, after["t"])
    assert unpacked(data) == after["d"][0]


@pytest.mark.rule("split.sdk.split-update")
def test_a_long_definition_is_compressed(trackside, listen):
    stream = listen()
    trackside.split.flag("banner").target("u" * streams.SMALL_BYTES, "on")
    data = stream.update()

    assert (data["c"], unpacked(data)["name"]) == (2, "banner")


@pytest.mark.rule("split.sdk.split-update")
def test_several_changes_at_once_are_told_one_by_one_with_their_definitions(trackside, listen):
    stream = listen()
    trackside.configure({"split": {**WORKSPACE["split"], "flags": {"banner": "off", "checkout": "on"}}})
    first, second = stream.update(), stream.update()

    assert {unpacked(first)["name"], unpacked(second)["name"]} == {"banner", "checkout"}
    assert second["pcn"] == first["changeNumber"]


@pytest.mark.rule("split.sdk.split-update")
def test_many_changes_at_once_share_a_message_without_definitions(trackside, listen, ask):
    stream = listen()
    flags = {f"flag-{number}": "on" for number in range(TOLD_SINGLY + 1)}
    trackside.configure({"split": {**WORKSPACE["split"], "flags": flags}})
    data = stream.update()

    assert data == {"type": "SPLIT_UPDATE", "changeNumber": ask("/api/splitChanges?s=1.3").json()["ff"]["t"]}


@pytest.mark.rule("split.sdk.split-update", "split.sdk.archived")
def test_a_deleted_flag_is_told_as_archived(trackside, listen):
    stream = listen()
    trackside.split.flag("banner").archive()

    assert unpacked(stream.update())["status"] == "ARCHIVED"


@pytest.mark.rule("split.sdk.rb-segment-update")
def test_a_changed_rule_based_segment_is_told_with_its_definition(trackside, listen, ask):
    stream, before = listen(), ask("/api/splitChanges?s=1.3").json()["rbs"]
    with trackside.lock:
        trackside.split.live.put_rule_based_segment({**before["d"][0], "conditions": []})
    data = stream.update()

    assert (data["type"], data["pcn"], unpacked(data)["conditions"]) == ("RB_SEGMENT_UPDATE", before["t"], [])


@pytest.mark.rule("split.sdk.kill")
def test_a_kill_is_told_with_the_treatment_that_is_served_now(trackside, listen):
    stream = listen()
    trackside.split.flag("banner").kill("sorry")
    data = stream.update()

    assert (data["type"], data["splitName"], data["defaultTreatment"]) == ("SPLIT_KILL", "banner", "sorry")


@pytest.mark.rule("split.sdk.kill")
def test_a_kill_of_a_killed_flag_is_not_told_again(trackside, listen):
    stream = listen()
    trackside.split.flag("banner").kill().kill().restore()

    assert [stream.update()["type"] for _ in range(2)] == ["SPLIT_KILL", "SPLIT_UPDATE"]


@pytest.mark.rule("split.sdk.segment-update")
def test_a_changed_segment_is_told_by_its_name(trackside, listen, ask):
    stream = listen()
    trackside.split.segment("beta").add("user-2")
    data = stream.update()

    assert (data["segmentName"], data["changeNumber"]) == ("beta", ask("/api/segmentChanges/beta").json()["till"])


@pytest.mark.rule("split.sdk.memberships-update")
@pytest.mark.parametrize(("large", "kind"), [(False, "MEMBERSHIPS_MS_UPDATE"), (True, "MEMBERSHIPS_LS_UPDATE")])
def test_changed_memberships_are_fetched_at_once(trackside, listen, ask, large, kind):
    stream = listen(auth="/api/v2/auth?users=user-1")
    trackside.split.segment("big" if large else "beta", large=large).remove("user-1")
    data = stream.update()

    assert (data["type"], data["u"], data["i"]) == (kind, 0, 1)
    assert data["cn"] == ask("/api/memberships/user-1").json()["ls" if large else "ms"]["cn"]


@pytest.mark.rule("split.sdk.change-numbers")
def test_a_reset_is_told_to_connected_sdks(trackside, listen):
    stream = listen()
    trackside.split.flag("banner").serve("off")
    trackside.reset()
    changed, back = stream.update(), stream.update()

    assert (back["pcn"], unpacked(back)["conditions"][0]["partitions"][0]["treatment"]) == (
        changed["changeNumber"],
        "on",
    )


@pytest.mark.rule("split.sdk.change-numbers")
def test_a_reset_that_takes_nothing_back_is_not_told(trackside, listen):
    stream = listen()
    trackside.reset()
    trackside.split.flag("banner").serve("off")

    assert unpacked(stream.update())["conditions"][0]["partitions"][0]["treatment"] == "off"


# ---- control


@pytest.mark.rule("split.sdk.control")
@pytest.mark.parametrize("control_type", streams.CONTROL_TYPES)
def test_a_control_message_goes_to_every_stream(trackside, listen, control_type):
    opened = [listen(), listen("staging-key"), listen(auth="/api/v2/auth?users=user-1")]
    trackside.split.control(control_type)

    assert [stream.update() for stream in opened] == [{"type": "CONTROL", "controlType": control_type}] * 3


@pytest.mark.rule("split.sdk.control")
def test_a_control_message_may_be_for_one_environment(trackside, listen):
    stream = listen()
    trackside.split.control("STREAMING_PAUSED", "staging")
    trackside.split.control("STREAMING_RESET", "production")

    assert stream.update()["controlType"] == "STREAMING_RESET"


@pytest.mark.rule("split.sdk.control")
def test_an_unknown_control_message_is_an_error_that_names_the_known_ones(trackside):
    with pytest.raises(TracksideError, match="use one of: STREAMING_PAUSED, STREAMING_RESUMED"):
        trackside.split.control("STREAMING_ENABLED")


@pytest.mark.rule("split.sdk.control")
def test_a_reset_resumes_what_a_test_paused(trackside, listen):
    stream = listen()
    trackside.split.control("STREAMING_PAUSED")
    trackside.reset()

    assert [stream.update()["controlType"] for _ in range(2)] == ["STREAMING_PAUSED", "STREAMING_RESUMED"]


@pytest.mark.rule("split.sdk.occupancy")
def test_the_occupancy_is_told_on_both_channels_and_to_new_streams(trackside, listen):
    stream = listen()
    trackside.split.occupancy(0)
    told = [stream.message() for _ in range(2)] + listen().first
    trackside.reset()
    back = [stream.message() for _ in range(2)]

    assert [json.loads(one["data"])["metrics"]["publishers"] for one in [*told, *back]] == [0, 0, 0, 0, 2, 2]


@pytest.mark.rule("split.sdk.auth.push-off")
def test_streaming_that_is_switched_off_is_told_and_ended(trackside, listen):
    stream = listen()
    trackside.configure({"split": {**WORKSPACE["split"], "streaming": False}})

    assert stream.update() == {"type": "CONTROL", "controlType": "STREAMING_DISABLED"}
    assert stream.answer.read() == b""


@pytest.mark.rule("split.sdk.stream")
def test_messages_grow_in_time_so_that_sdks_take_none_for_an_old_one(trackside, listen):
    stream = listen()
    trackside.split.control("STREAMING_PAUSED")
    trackside.split.control("STREAMING_RESUMED")
    times = [told["timestamp"] for told in [*stream.first, stream.message(), stream.message()]]

    assert times == sorted(set(times))
    assert orjson.dumps(times)


@pytest.mark.rule("split.sdk.occupancy")
@pytest.mark.parametrize("publishers", [-1, "two"])
def test_a_number_of_publishers_that_cannot_be_is_an_error(make_sdk, publishers):
    with pytest.raises(TracksideError, match="give 0 or more"):
        make_sdk().lab.split.occupancy(publishers)
