"""Bad input: each request gets the vendor's answer, each mistake an error in three clauses, and the server lives."""

import gzip
import json
import os
import socket
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackside.errors import TracksideError
from trackside.lab import Lab
from trackside.wire import Request

ENDPOINTS = {
    "segment": ("/v1/track", {}),
    "statsig": ("/v1/webhooks/segment_webhook", {"authorization": "Basic c2VjcmV0LWxvY2FsOg=="}),
    "split": ("/segment", {"authorization": "Basic Zm1lLWtleTo="}),
    "launchdarkly": ("/events/bulk/57be1db38b75bf0772d11384", {}),
}
CALL = {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "event": "Order Completed"}


@pytest.fixture(params=ENDPOINTS)
def vendor(request):
    return request.param


@pytest.fixture
def lives(trackside, http_json):
    """Return a function that checks that the server still takes an event and shows what became of it."""

    def check():
        status, _ = http_json("POST", f"{trackside.segment.url}/v1/track", {**CALL, "messageId": "m-alive"})
        assert status == 200
        status, journey = http_json("GET", trackside.urls["admin"] + "/journeys/m-alive")
        assert (status, journey["outcome"]) == (200, "accepted")
        status, _ = http_json("GET", trackside.urls["admin"] + "/exchanges?limit=500")
        assert status == 200

    return check


@pytest.fixture
def send(trackside, http_json):
    """Return a function that posts a body to a vendor's endpoint over HTTP."""

    def to(vendor, body, **headers):
        path, more = ENDPOINTS[vendor]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return http_json("POST", trackside.urls[vendor] + path, body, {**more, **named})

    return to


# ---- bodies


BAD_BODIES = {
    "cut short": b'{"event": ',
    "Latin-1": b'{"event": "\xe9t\xe9"}',
    "UTF-16": '{"event": "été"}'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"event": "E"}',
    "half a surrogate pair": b'{"event": "\\ud800"}',
    "NaN": b'{"event": NaN}',
    "a form": b"event=E&userId=u-1",
    "XML": b"<event/>",
    "nothing": b"",
    "zeros": b"\x00" * 100,
}


@pytest.mark.rule(
    "segment.answer.bad-request", "statsig.in.json", "split.in.malformed", "launchdarkly.events.not-an-array"
)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_body_that_is_no_json_gets_the_vendors_400_and_is_an_error_on_record(trackside, send, lives, vendor, body):
    status, answer = send(vendor, body)

    assert (status, bool(answer["message"])) == (400, True)
    [finding] = trackside.findings()
    assert (finding.vendor, finding.step.level, bool(finding.step.fix)) == (vendor, "error", True)
    lives()


@pytest.mark.rule(
    "segment.answer.bad-request", "statsig.in.json", "split.in.malformed", "launchdarkly.events.not-an-array"
)
@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br", "gzip, gzip"])
def test_a_body_in_another_encoding_than_it_names_gets_the_vendors_400(send, lives, vendor, encoding):
    status, _ = send(vendor, b"{}", content_encoding=encoding)

    assert status == 400
    lives()


@pytest.fixture(scope="module")
def bombs():
    """17 MB in a few KB, by content encoding."""
    plain = b"0" * 17 * 2**20
    return {"gzip": gzip.compress(plain), "zstd": zstandard.compress(plain)}


@pytest.mark.rule(
    "segment.answer.bad-request", "statsig.in.json", "split.in.malformed", "launchdarkly.events.not-an-array"
)
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_stopped_early(trackside, send, lives, vendor, bombs, encoding):
    status, _ = send(vendor, bombs[encoding], content_encoding=encoding)

    assert status == 400
    assert "holds more than 16777216 bytes" in str(next(trackside.findings()))
    lives()


@pytest.mark.rule("segment.limit.event-size", "segment.limit.batch-size")
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_a_body_of_10_mb_gets_segments_400(trackside, http_json, lives, path):
    body = json.dumps({**CALL, "properties": {"fill": "x" * 10_000_000}, "batch": []}).encode()

    status, answer = http_json("POST", trackside.segment.url + path, body)

    assert (status, answer["code"]) == (400, "invalid_request")
    lives()


def test_a_body_of_10_mb_does_other_vendors_no_harm(send, lives):
    call = {"type": "track", "userId": "u-1", "event": "E", "properties": {"fill": "x" * 10_000_000}}

    assert [send("statsig", call)[0], send("split", call)[0], send("launchdarkly", [call])[0]] == [200, 200, 202]
    lives()


COMPRESSED = pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["gzip", "zstd"]
)


@COMPRESSED
def test_a_body_that_is_cut_short_is_refused(trackside, send, lives, encoding, compress):
    status, _ = send("segment", compress(json.dumps(CALL).encode())[:-4], content_encoding=encoding)

    assert status == 400
    assert f"the {encoding} body is cut short" in str(next(trackside.findings()))
    lives()


@COMPRESSED
def test_a_body_may_come_in_several_parts(trackside, send, encoding, compress):
    body = json.dumps(CALL).encode()

    assert send("segment", compress(body[:30]) + compress(body[30:]), content_encoding=encoding)[0] == 200
    assert trackside.journey("m-1").outcome == "accepted"


@COMPRESSED
def test_a_body_may_be_small_and_large_when_unpacked(trackside, send, encoding, compress):
    body = compress(json.dumps({**CALL, "properties": {"fill": "x" * 30_000}}).encode())

    assert send("segment", body, content_encoding=encoding)[0] == 200
    assert trackside.journey("m-1").outcome == "accepted"


@pytest.mark.rule("segment.timestamp.unreadable")
def test_numbers_beyond_all_bounds_do_no_harm(trackside, send, lives):
    digits = b"123456789012345678901234567890"
    body = b'{"writeKey":"wk_web","messageId":"m-1","userId":"u-1","event":"E","timestamp":1e308,"properties":{"value":%s}}'

    assert send("segment", body % digits)[0] == 200
    assert trackside.journey("m-1").outcome == "accepted"
    lives()


DEPTHS = (253, 254, 260, 1_020, 100_000)


@pytest.mark.rule("segment.limit.depth")
@pytest.mark.parametrize("levels", DEPTHS)
@pytest.mark.parametrize("brackets", ['{"a":', "["], ids=["objects", "arrays"])
def test_deep_nesting_gets_an_answer_and_can_be_looked_at(trackside, send, lives, vendor, levels, brackets):
    nested = brackets * levels + "1" + ("}" if brackets == '{"a":' else "]") * levels
    call = f'{{"writeKey":"wk_web","type":"track","userId":"u-1","event":"E","kind":"custom","properties":{{"deep":{nested}}}}}'

    status, _ = send(vendor, (f"[{call}]" if vendor == "launchdarkly" else call).encode())

    assert status in (200, 202, 400)
    assert list(trackside.findings(notes=True)) is not None
    lives()


@pytest.mark.rule("segment.contract")
def test_unknown_keys_pass_and_reach_the_destination(trackside, send):
    send("segment", {**CALL, "tenant": "acme", "_sdk": {"build": 7}})

    journey = trackside.journey("m-1")
    assert journey.contract == "valid"
    sent = json.loads(journey.delivery("statsig").sent[0].outgoing.body)
    assert (sent["tenant"], sent["_sdk"]) == ("acme", {"build": 7})


# ---- anything at all

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS = ("userId", "anonymousId", "groupId", "previousId", "messageId", "writeKey")
TIMES = ("timestamp", "sentAt", "originalTimestamp")
REST = ("event", "name", "category", "properties", "traits", "context", "integrations", "type", "version")
FIELDS = st.sampled_from((*IDS, *TIMES, *REST))
ANY_CALL = st.dictionaries(FIELDS, ANY_JSON).map(lambda call: {"userId": "u-1", "event": "E", **call})


@pytest.fixture(scope="module")
def fuzzed():
    lab = Lab(start_at=1767322800.0)
    yield lab
    lab.stop()


def looked_at(lab):
    """Read all that there is to read of a lab, as JSON."""
    orjson.dumps([journey.as_json() for journey in lab.journeys()])
    orjson.dumps([finding.as_json() for finding in lab.findings(notes=True)])
    orjson.dumps([kept.record for vendor in lab.mocks for kept in lab.kept(vendor)])


@pytest.mark.rule("segment.answer.success", "segment.answer.bad-request")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]), ANY_CALL)
def test_any_call_is_answered_200_or_400_and_can_be_looked_at(fuzzed, kind, call):
    fuzzed.reset()
    body = orjson.dumps({**call, "writeKey": "wk_web"})

    answer = fuzzed.receive("segment", Request("POST", f"/v1/{kind}", {}, body))

    assert answer.status in (200, 400)
    looked_at(fuzzed)


@pytest.mark.rule("segment.answer.success", "segment.answer.bad-request")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["context", "integrations", "sentAt"]), ANY_JSON),
    st.lists(ANY_CALL | ANY_JSON, max_size=3),
)
def test_any_batch_is_answered_200_or_400_and_can_be_looked_at(fuzzed, outer, calls):
    fuzzed.reset()
    body = orjson.dumps({**outer, "batch": calls, "writeKey": "wk_web"})

    answer = fuzzed.receive("segment", Request("POST", "/v1/batch", {}, body))

    assert answer.status in (200, 400)
    assert len(list(fuzzed.journeys())) in (0, len(calls))
    looked_at(fuzzed)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(FIELDS | st.just("properties.a.b") | st.just("data") | st.text(max_size=8), st.text(max_size=20))
)
def test_any_pixel_is_answered_with_its_gif(fuzzed, query):
    fuzzed.reset()

    answer = fuzzed.receive("segment", Request("GET", "/v1/pixel/track", {}, b"", query))

    assert (answer.status, answer.body[:3]) == (200, b"GIF")
    looked_at(fuzzed)


# ---- connections


def test_a_client_that_hangs_up_does_no_harm(trackside, lives):
    port = int(trackside.segment.url.rpartition(":")[2])
    for text in (
        b"",
        b"POST /v1/track HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(text)

    lives()


@pytest.mark.parametrize(
    "path", ["/v1/track%00", "/v1/%ff%fe", "/v1/projects/%2e%2e%2fetc/settings", "//v1//track", "/?a=%zz"]
)
def test_odd_paths_are_unknown_paths(trackside, http_json, lives, path):
    status, _ = http_json("POST", trackside.segment.url + path, CALL)

    assert status == 404
    lives()


@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "BREW"])
def test_a_method_that_no_vendor_has_gets_the_vendors_answer_to_an_unknown_path(trackside, http_json, vendor, method):
    path, _ = ENDPOINTS[vendor]

    status, answer = http_json(method, trackside.urls[vendor] + path)

    assert (status, isinstance(answer, dict)) == (404, True)
    [finding] = trackside.findings()
    assert (finding.step.rule, finding.where) == (f"{vendor}.unknown-path", f"{method} {path}")


# ---- ports


def test_a_port_in_use_is_told_with_who_holds_it():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(TracksideError) as caught:
            Lab(ports={"statsig": port}).start()

    name = Path("/proc/self/comm")  # where there is none, nobody is named
    told = f" (held by {name.read_text().strip()}, process {os.getpid()})" if name.exists() else ""
    assert caught.value.what == f"statsig's port {port} cannot be bound: Address already in use{told}"
    assert caught.value.where == f"127.0.0.1:{port}"
    assert caught.value.fix == "end that program, or serve on free ports with --ephemeral"


def test_after_a_port_in_use_nothing_stays_bound_and_the_lab_starts_elsewhere():
    with socket.socket() as holder, socket.socket() as free:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        lab = Lab(ports={"segment": port, "split": holder.getsockname()[1]})
        with pytest.raises(TracksideError, match="split's port"):
            lab.start()

        with Lab(ports={"segment": port}) as other:
            assert other.segment.url == f"http://127.0.0.1:{port}"
        with pytest.raises(TracksideError, match="the lab is not listening"):
            assert lab.urls


def test_a_port_that_is_no_port_is_told():
    with pytest.raises(TracksideError, match="segment's port 70000 cannot be bound: ports go from 0 to 65535"):
        Lab(ports={"segment": 70_000}).start()


def test_a_host_that_is_not_this_machine_is_told():
    with pytest.raises(TracksideError, match=r"cannot be bound: .*\. 192\.0\.2\.1:0\."):
        Lab(host="192.0.2.1").start()


# ---- destinations that fail: see test_webhook_delivery.py for one that answers 500, hangs, or is gone


@pytest.mark.rule("segment.delivery.retry")
def test_nothing_accepted_is_lost_while_every_vendor_fails(trackside, send):
    for mock in (trackside.statsig, trackside.split, trackside.launchdarkly):
        mock.fail(503, times=None)
    for number in range(10):
        assert send("segment", {**CALL, "messageId": f"m-{number}"})[0] == 200
    for mock in (trackside.statsig, trackside.split, trackside.launchdarkly):
        mock.recover()

    trackside.advance(60)

    assert [len(trackside.statsig.events()), len(trackside.split.events()), len(trackside.launchdarkly.events())] == [
        10,
        10,
        10,
    ]
