"""The impressions webhook: what SDKs post is posted on, without the SDK waiting for it."""

from __future__ import annotations

import gzip
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from trackside import Lab, catalog
from trackside.errors import TracksideError
from trackside.split.webhook import outgoing, payload

IMPRESSIONS = [
    {
        "f": "banner",
        "i": [
            {"k": "u-1", "t": "on", "m": 1735787045000, "c": 1500000000001, "r": "default rule", "b": "b-1", "properties": '{"screen":"cart"}'},
            {"k": "u-2", "t": "off", "m": 1735787046000, "c": 1500000000001, "r": None},
        ],
    }
]  # fmt: skip
RECORD = {"kind": "impression", "split": "banner", "key": "u-1", "treatment": "on", "time": 1735787045000,
          "environmentName": "production"}  # fmt: skip


class Hook(ThreadingHTTPServer):
    """A server of the user's: it answers with the next of these statuses, 200 when there is none left."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.statuses: list[int] = []
        self.taken: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/impressions"


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hook.hold.wait(10)
        hook.taken.put(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hooked(trackside: Lab, hook: Hook) -> Lab:
    """The running lab, its webhook at the server of the user's."""
    trackside.configure(workspace(hook.url))
    return trackside


def workspace(url: str) -> dict[str, Any]:
    return {"split": {"environments": {"production": {"sdk_key": "sdk-local"}}, "impressions_webhook": {"url": url}}}


@pytest.mark.rule("split.webhook", "split.webhook.gzip")
def test_posted_impressions_arrive_at_the_webhook_compressed(hooked: Lab, hook: Hook, post: Any) -> None:
    assert post("/api/testImpressions/bulk", IMPRESSIONS, SplitSDKVersion="python-10.7.0").status == 200

    headers, body = hook.taken.get(timeout=5)
    rows = json.loads(gzip.decompress(body))
    assert (headers["content-type"], headers["content-encoding"]) == ("application/json", "gzip")
    assert catalog.faults("split/impressions-webhook", rows) == []
    assert [(one["key"], one["treatment"], one["sdk"]) for one in rows] == [
        ("u-1", "on", "python"),
        ("u-2", "off", "python"),
    ]


@pytest.mark.rule("split.webhook")
def test_the_impressions_of_a_beacon_arrive_too(hooked: Lab, hook: Hook, post: Any) -> None:
    body = {"entries": IMPRESSIONS, "token": "sdk-local", "sdk": "browserjs-1.7.1"}
    assert post("/api/testImpressions/beacon", body, None).status == 204

    assert len(json.loads(gzip.decompress(hook.taken.get(timeout=5)[1]))) == 2


@pytest.mark.rule("split.webhook")
def test_the_sdk_does_not_wait_for_the_webhook(hooked: Lab, hook: Hook, post: Any) -> None:
    hook.hold.clear()
    assert post("/api/testImpressions/bulk", IMPRESSIONS).status == 200
    assert hook.taken.empty()
    hook.hold.set()

    assert hook.taken.get(timeout=5)


@pytest.mark.rule("split.webhook", "split.webhook.retry")
def test_a_lab_has_settled_when_the_webhook_was_posted_to(hooked: Lab, hook: Hook, post: Any) -> None:
    hook.statuses = [500]
    post("/api/testImpressions/bulk", IMPRESSIONS)
    hooked.settle()

    assert hook.taken.qsize() == 2


@pytest.mark.rule("split.webhook")
def test_a_webhook_that_does_not_answer_lets_a_lab_not_settle_until_a_reset(hooked: Lab, hook: Hook, post: Any) -> None:
    hook.hold.clear()
    post("/api/testImpressions/bulk", IMPRESSIONS)
    with pytest.raises(TracksideError, match=r"still under way after 0\.05 s"):
        hooked.settle(0.05)
    hooked.reset()
    hooked.settle(0.05)


@pytest.mark.rule("split.webhook")
def test_a_post_that_is_refused_or_holds_no_impression_is_not_posted_on(hooked: Lab, hook: Hook, post: Any) -> None:
    post("/api/testImpressions/bulk", IMPRESSIONS, key="sdk-of-nobody")
    post("/api/testImpressions/bulk", [])
    post("/api/testImpressions/count", {"pf": [{"f": "banner", "m": 1735786800000, "rc": 4}]})
    post("/api/testImpressions/bulk", [{"f": "last", "i": IMPRESSIONS[0]["i"]}])

    assert {one["split"] for one in json.loads(gzip.decompress(hook.taken.get(timeout=5)[1]))} == {"last"}
    assert hook.taken.empty()


@pytest.mark.rule("split.webhook.retry")
def test_where_the_answer_is_not_200_it_is_posted_once_more(hooked: Lab, hook: Hook, post: Any, found: Any) -> None:
    hook.statuses = [202]
    post("/api/testImpressions/bulk", IMPRESSIONS)

    first, second = hook.taken.get(timeout=5), hook.taken.get(timeout=5)
    assert first[1] == second[1]
    assert found() == []


@pytest.mark.rule("split.webhook.retry")
def test_a_second_failure_is_an_error(hooked: Lab, hook: Hook, post: Any) -> None:
    hook.statuses = [500, 503]
    post("/api/testImpressions/bulk", IMPRESSIONS)

    assert hooked.journal.wait(lambda: any(hooked.findings()), 5)
    [finding] = hooked.findings()
    assert (finding.step.rule, finding.step.level, finding.vendor) == ("split.webhook.retry", "error", "split")
    assert "status 503" in finding.step.text
    assert hook.taken.qsize() == 2


@pytest.mark.rule("split.webhook.retry")
def test_a_webhook_that_nobody_listens_at_is_an_error(trackside: Lab, post: Any) -> None:
    trackside.configure(workspace("http://127.0.0.1:9/impressions"))
    assert post("/api/testImpressions/bulk", IMPRESSIONS).status == 200

    assert trackside.journal.wait(lambda: any(trackside.findings()), 5)
    assert "NewConnectionError" in next(trackside.findings()).step.text


@pytest.mark.rule("split.webhook")
def test_without_a_setting_nothing_is_posted_on(trackside: Lab, hook: Hook, post: Any) -> None:
    trackside.configure({"split": {"environments": {"production": {"sdk_key": "sdk-local"}}}})
    post("/api/testImpressions/bulk", IMPRESSIONS)

    assert hook.taken.empty()


@pytest.mark.rule("split.webhook")
def test_a_lab_that_stops_leaves_no_thread_behind_and_tries_no_more(make_trackside: Any, hook: Hook) -> None:
    def threads() -> int:
        return sum(one.name == "trackside-split-webhook" for one in threading.enumerate())

    before = threads()
    hook.statuses = [500]
    lab = make_trackside(workspace(hook.url))
    lab.split.live.webhook.send(outgoing([RECORD], hook.url))
    assert hook.taken.get(timeout=5)
    assert threads() == before + 1
    lab.stop()

    assert threads() == before
    assert hook.taken.empty()


# ---- the payload


@pytest.mark.rule("split.webhook")
def test_the_payload_has_the_documented_fields() -> None:
    whole = {**RECORD, "bucketingKey": "b-1", "label": "default rule", "splitVersionNumber": 1500000000001, "machineName": "host",
             "machineIp": "10.0.0.1", "sdk": "python", "sdkVersion": "10.7.0", "properties": {"screen": "cart"}}  # fmt: skip
    [row] = payload([whole])

    assert catalog.faults("split/impressions-webhook", [row]) == []
    assert row == {
        "key": "u-1",
        "split": "banner",
        "environmentId": row["environmentId"],
        "environmentName": "production",
        "treatment": "on",
        "time": 1735787045000,
        "bucketingKey": "b-1",
        "label": "default rule",
        "machineName": "host",
        "machineIp": "10.0.0.1",
        "splitVersionNumber": 1500000000001,
        "sdk": "python",
        "sdkVersion": "10.7.0",
        "properties": '{"screen":"cart"}',
    }


@pytest.mark.rule("split.webhook")
def test_what_is_not_known_is_left_out_where_the_page_calls_it_optional() -> None:
    [row] = payload([{**RECORD, "bucketingKey": None, "machineName": None, "machineIp": None, "properties": None}])

    assert {"bucketingKey", "machineName", "machineIp", "properties"} & set(row) == set()


@pytest.mark.rule("split.webhook.gzip")
@pytest.mark.parametrize(
    ("url", "compressed"),
    [
        ("https://example.com/hook", True),
        ("https://example.com/hook?gzip=true", True),
        ("https://example.com/hook?gzip=false", False),
        ("https://hooks.slack.com/services/x", False),
        ("https://webhooks.fivetran.com/webhooks/x", False),
        ("https://notslack.com/x", True),
    ],
)
def test_what_is_compressed(url: str, compressed: bool) -> None:
    request = outgoing([RECORD], url)

    assert request is not None
    assert request.headers.get("Content-Encoding") == ("gzip" if compressed else None)
    assert json.loads(gzip.decompress(request.body) if compressed else request.body)[0]["key"] == "u-1"
