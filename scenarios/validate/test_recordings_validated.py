"""Recordings and HAR: the bodies of requests and of answers are held against the contracts of their paths."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trackside.lab import VENDORS
from trackside.recording_files import RecordingFile
from trackside.validation.findings import Finding
from trackside.validation.inputs import Source
from trackside.validation.options import Options
from trackside.validation.recorded import ANSWER, REQUEST, payloads
from trackside.validation.run import Run

TRACK = {"type": "track", "event": "A", "userId": "u-1", "writeKey": "wk_web"}
AT = "2026-01-02T03:00:00.000Z"


def line(
    vendor: str, method: str, path: str, body: Any = None, *, status: int = 200, answer: Any = None, **more: Any
) -> dict[str, Any]:
    """Return the line of an exchange; bodies that are no text are written as JSON."""

    def written(value: Any) -> dict[str, Any]:
        return {} if value is None else {"body": value if isinstance(value, str) else json.dumps(value)}

    headers = more.pop("headers", {})
    return {
        "recording": 1,
        "vendor": vendor,
        "at": AT,
        "request": {"method": method, "path": path, "query": {}, "headers": headers, **written(body)},
        "answer": {"status": status, **written(answer)},
        **more,
    }


def held(one: dict[str, Any]) -> list[tuple[str, str]]:
    """Return each body of a line that has a contract, with that."""
    return [(body.side, body.known.contract) for body in payloads(one)]


class Kept:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.payloads: dict[tuple[str, str], int] = {}

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def file(self, result: Any) -> None:
        self.payloads = dict(result.payloads)

    def finish(self, summary: Any) -> None:
        pass


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Kept]:
    """Return a function that writes a file, and gives what is told of it."""

    def run(data: bytes | str, name: str = "events.ndjson") -> Kept:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        kept = Kept()
        Run(Options(), [kept]).over([Source(str(path))])
        return kept

    return run


# ---- which contract a body has


@pytest.mark.parametrize(
    ("one", "request_contract", "answer_contract"),
    [
        (line("segment", "POST", "/v1/track", TRACK, answer={"success": True}), "segment/track", "segment/success-answer"),
        (line("segment", "POST", "/v1/p", {"userId": "u"}, answer={"success": True}), "segment/page", "segment/success-answer"),
        (line("segment", "POST", "/v1/batch", {"batch": []}, status=400, answer={"code": "x", "message": "m"}), "segment/batch", "segment/error-answer"),
        (line("segment", "GET", "/sources/abc", status=404, answer={"errors": [{"type": "not-found"}]}), "", "segment/public-api-error"),
        (line("segment", "PATCH", "/tracking-plans/p/rules", {"rules": []}, answer={"data": {"status": "SUCCESS"}}), "segment/public-api-rules-update", "segment/public-api-status"),
        (line("statsig", "POST", "/v1/webhooks/segment", TRACK, answer={"success": True}), "statsig/segment-webhook", "statsig/segment-webhook-answer"),
        (line("statsig", "POST", "/v1/initialize", {"user": {}}, answer={"has_updates": False}), "statsig/initialize-request", "statsig/no-updates"),
        (line("statsig", "GET", "/v2/download_config_specs/k.json", answer={"has_updates": False}), "", "statsig/no-updates"),
        (line("statsig", "GET", "/console/v1/gates", status=403, answer={"status": 403, "message": "m"}), "", "statsig/console-error"),
        (line("split", "GET", "/api/splitChanges", answer={"splits": [], "since": 1, "till": 1}), "", "split/split-changes-older"),
        (line("split", "GET", "/internal/api/v2/workspaces", status=401, answer={"code": 401, "message": "m"}), "", "split/admin-error"),
        (line("split", "POST", "/segment", {**TRACK, "type": "page"}, answer={}), "split/segment-call", "split/segment-call-answer"),
        (line("launchdarkly", "GET", "/sdk/latest-all", answer={"flags": {}, "segments": {}}), "", "launchdarkly/server-data"),
        (line("launchdarkly", "REPORT", "/sdk/evalx/e/context", {"key": "u"}, answer={}), "launchdarkly/context", "launchdarkly/evaluated-flags"),
        (line("ownlayer", "POST", "/api/v1/inferences/", {"input": "a"}, status=201, answer={"id": "i"}), "ownlayer/inference", "ownlayer/inference-answer"),
    ],
)  # fmt: skip
def test_a_path_gives_the_contracts_of_both_directions(
    one: dict[str, Any], request_contract: str, answer_contract: str
) -> None:
    wanted = [(REQUEST, request_contract)] * bool(request_contract) + [(ANSWER, answer_contract)]
    assert held(one) == wanted


def test_how_a_contract_was_known_names_the_route_and_not_the_path_so_that_there_are_few() -> None:
    hows = {
        body.known.how
        for number in range(100)
        for body in payloads(line("split", "GET", f"/api/memberships/u-{number}", answer={"ms": {}, "ls": {}}))
    }
    assert hows == {"200 to GET /api/memberships/<path:key> of split"}


# ---- what is held, and what is not


@pytest.mark.rule("trackside.input.recording")
def test_a_fault_of_a_body_is_told_with_its_place(told) -> None:
    lines = [
        line("segment", "POST", "/v1/track", {**TRACK, "userId": 5}, answer={"success": True}),
        line("segment", "POST", "/v1/track", TRACK, answer={"success": "yes"}),
    ]
    kept = told("\n".join(map(json.dumps, lines)))
    assert [(one.code, one.line, one.at) for one in kept.findings] == [
        ("segment/track.type", 1, "$.request.body.userId"),
        ("segment/success-answer.const", 2, "$.answer.body.success"),
    ]
    assert kept.findings[0].known_by == "POST /v1/track of segment"
    assert kept.findings[1].known_by == "200 to POST /v1/track of segment"


@pytest.mark.parametrize(
    "one",
    [
        line("launchdarkly", "GET", "/sdk/latest-all", answer="event: put\ndata: {}\n\n", stream=True),
        line("launchdarkly", "GET", "/sdk/latest-all", status=304, answer="not changed"),
        line("launchdarkly", "GET", "/sdk/latest-all"),
        line("segment", "GET", "/v1/pixel/track", answer="GIF89a"),
        line("split", "POST", "/api/nothing/here", "no JSON", status=404, answer="<html>Not found</html>"),
        line("split", "POST", "/api/nothing/here", {"nobody": "knows"}),
        line("statsig", "OPTIONS", "/v1/initialize", answer="anything"),
    ],
)
def test_streams_and_what_has_no_contract_are_passed_over(one: dict[str, Any]) -> None:
    assert held(one) == []


def test_a_body_on_a_path_without_a_contract_is_known_by_its_form() -> None:
    assert held(line("split", "POST", "/somewhere/else", [{"eventTypeId": "e"}])) == [(REQUEST, "split/events-bulk")]


@pytest.mark.rule("trackside.input.recording")
@pytest.mark.parametrize(
    ("change", "side", "what"),
    [
        ({"request": {"body": "{"}}, "request.body", "the body is not JSON"),
        ({"request": {"body": "e30=", "encoding": "base64", "undecodable": "gzip: no"}}, "request.body", "gzip: no"),
        ({"request": {"body": "?", "encoding": "base64"}}, "request.body", "the body is not base64"),
        ({"answer": {"body": "<html>"}}, "answer.body", "the body of the answer is not JSON"),
        ({"answer": {"body": "?", "encoding": "base64"}}, "answer.body", "the body of the answer is not JSON"),
        ({"vendor": "nobody"}, "", "vendor is"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_held(told, change: dict[str, Any], side: str, what: str) -> None:
    one = line("segment", "POST", "/v1/track", TRACK, answer={"success": True})
    for name, value in change.items():
        one[name] = {**one[name], **value} if isinstance(value, dict) else value
    kept = told("\n".join(map(json.dumps, (one, TRACK))))
    assert [(fault.code, fault.line) for fault in kept.findings] == [("trackside.input.recording", 1)]
    assert what in kept.findings[0].text
    assert kept.findings[0].at == ("$" + f".{side}" * bool(side))
    assert kept.payloads[("segment/track", "type is track")] == 1


def test_base64_and_forms_are_read_as_replay_reads_them() -> None:
    body = base64.b64encode(json.dumps(TRACK).encode()).decode()
    one = line("segment", "POST", "/v1/track", body)
    one["request"]["encoding"] = "base64"
    assert [body.payload for body in payloads(one)] == [TRACK]
    form = line(
        "segment", "POST", "/token", "grant_type=a&scope=b%20c",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert [(body.payload, body.known.contract) for body in payloads(form)] == [
        ({"grant_type": "a", "scope": "b c"}, "segment/oauth-token-request")
    ]


def test_a_packed_body_that_an_sdk_encoded_in_its_own_way_is_unpacked() -> None:
    packed = gzip.compress(json.dumps({"events": [], "statsigMetadata": {}}).encode())
    one = line("statsig", "POST", "/v1/rgstr", base64.b64encode(packed).decode())
    one["request"]["encoding"] = "base64"
    one["request"]["headers"] = {"content-encoding": "gzip"}
    (body,) = payloads(one)
    assert body.known.contract == "statsig/log-event"


@pytest.mark.rule("trackside.input.recording")
def test_a_key_that_was_redacted_is_as_good_as_it_was(told) -> None:
    one = line("split", "GET", "/api/v2/auth", answer={"pushEnabled": True, "token": "{{unknown}}", "connDelay": 0})
    assert told(json.dumps(one)).findings == []
    one["answer"]["body"] = one["answer"]["body"].replace("{{unknown}}", "unknown")
    assert [fault.code for fault in told(json.dumps(one)).findings] == ["split/auth-answer.pattern"]


def test_a_contract_that_is_named_is_that_of_each_request(validate) -> None:
    events = json.dumps(line("segment", "POST", "/v1/track", TRACK, answer={"success": True}))
    result = validate("rec.ndjson", "--contract", "segment/page", rec=events)
    assert "1 segment/page, as --contract" in result.output
    assert "success-answer" not in result.output


# ---- HAR


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "a browser", "version": "1"}, "entries": list(entries)}}


def entry(url: str, body: Any = None, *, status: int = 200, answer: str = "", **post: Any) -> dict[str, Any]:
    data = {"mimeType": "application/json", "text": body if isinstance(body, str) else json.dumps(body), **post}
    return {
        "startedDateTime": AT,
        "request": {"method": "POST" if body is not None else "GET", "url": url, "headers": [], "postData": data},
        "response": {"status": status, "content": {"text": answer, "mimeType": "application/json"}},
    }


ENTRIES = (
    entry("https://api.segment.io/v1/t", {**TRACK, "userId": 5}, answer='{"success": true}'),
    entry("https://www.example.com/api", {"any": "thing"}),
    entry("https://events.split.io/api/events/bulk", [{"key": "u"}]),
    entry("https://cdn.segment.com/v1/projects/wk/settings", answer="[]"),
    {"no": "entry"},
    entry("https://www.example.com/style.css"),
)


@pytest.mark.rule("trackside.input.har")
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["page.har", "page.json", "page.har.gz", "-"])
def test_the_entries_of_a_har_are_held_in_both_directions(told, monkeypatch, name: str, indent: int | None) -> None:
    text = json.dumps(har(*ENTRIES), indent=indent).encode()
    if name == "-":
        import io

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        kept = Kept()
        Run(Options(), [kept]).over([Source("-")])
    else:
        kept = told(gzip.compress(text) if name.endswith(".gz") else text, name)
    assert {(one.code, one.at) for one in kept.findings} == {
        ("segment/track.type", "$.log.entries[0].request.body.userId"),
        ("split/events-bulk.required", "$.log.entries[2].request.body[0].eventTypeId"),
        ("split/events-bulk.required", "$.log.entries[2].request.body[0].trafficTypeName"),
        ("split/events-bulk.required", "$.log.entries[2].request.body[0].timestamp"),
        ("segment/settings.type", "$.log.entries[3].answer.body"),
        ("trackside.input.har", "$.log.entries[4]"),
    }
    assert kept.payloads[("", "requests that concern no vendor")] == 2


@pytest.mark.rule("trackside.input.har")
def test_entries_that_concern_no_vendor_are_counted_and_are_no_payloads(validate) -> None:
    Path("page.har").write_text(json.dumps(har(*ENTRIES)))
    told = validate("page.har")
    assert "    2 requests that concern no vendor\n" in told.stdout
    counts = json.loads(validate("page.har", "--json").stdout)["files"][0]
    held = [row for row in counts["contracts"] if row["contract"]]
    assert counts["payloads"] == sum(row["payloads"] for row in held)


def test_the_posted_data_of_an_entry_may_be_base64() -> None:
    from trackside.har import line_of_entry

    text = base64.b64encode(json.dumps(TRACK).encode()).decode()
    one, _ = line_of_entry(entry("https://api.segment.io/v1/t", text, encoding="base64"), {})
    assert one is not None
    assert [body.payload for body in payloads(one)] == [TRACK]


@pytest.mark.rule("trackside.input.har")
@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('{"log": {\n"entries": [}', (2, 13), "the file is not JSON"),
        ('{"log": {"entries": 5}}', (0, 0), "no HAR: it has no log.entries"),
        ("[1]", (0, 0), "no HAR: it has no log.entries"),
    ],
)
def test_a_har_that_is_none_is_told(told, text: str, place: tuple[int, int], what: str) -> None:
    (fault,) = told(text, "page.har").findings
    assert (fault.code, fault.line, fault.column) == ("trackside.input.har", *place)
    assert what in fault.text


def test_an_own_recording_as_har_is_held_too(tmp_path: Path, told) -> None:
    file = RecordingFile(tmp_path / "own.har", "har", dict.fromkeys(VENDORS, "http://127.0.0.1:8801"))
    file.write(line("segment", "POST", "/v1/track", {**TRACK, "userId": 5}, answer={"success": True}))
    file.close()
    kept = told((tmp_path / "own.har").read_bytes(), "copy.json")
    assert [one.code for one in kept.findings] == ["segment/track.type"]
