"""Recordings: each request from outside as a line or as an entry of a HAR, without a key in it; and back."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import orjson
import pytest

from trackside import catalog, har
from trackside.errors import TracksideError
from trackside.journal import NO_CAUSE
from trackside.lab import VENDORS
from trackside.recording import CONTRACT, Lines, is_stream, lines_of, request_of
from trackside.recording_files import LINE_BYTES, RecordingFile, format_of, read
from trackside.redaction import Restorer, keys_of
from trackside.sqlite import SqliteReader
from trackside.wire import Request
from trackside.workspace import DEMO

NOW = 1767322800.0
BASES = {name: f"http://127.0.0.1:{vendor.port}" for name, vendor in VENDORS.items()}
WK_WEB = {"authorization": "Basic d2tfd2ViOg=="}
CALL = {"type": "track", "userId": "u-1", "event": "A", "messageId": "m-1"}


def recorded(lab) -> list[dict[str, Any]]:
    made = lines_of(lab)
    return [line for row in lab.journal.rows() if (line := made.of(row)) is not None]


def keys(document=DEMO) -> Restorer:
    return Restorer(keys_of(document))


@pytest.fixture
def line(lab):
    """Return a function that gives the line of one request."""

    def of(vendor: str = "segment", method: str = "POST", path: str = "/v1/track", body: bytes = b"", **more: Any):
        lab.receive(vendor, Request(method, path, body=body, **more))
        return recorded(lab)[-1]

    return of


# ---- a line


def test_a_line_has_the_request_and_the_answer_without_the_key(line):
    assert line(headers=WK_WEB, body=b'{"userId":"u-1","event":"A"}') == {
        "recording": 1,
        "vendor": "segment",
        "at": "2026-01-02T03:00:00.000Z",
        "request": {
            "method": "POST",
            "path": "/v1/track",
            "query": {},
            "headers": {"authorization": "Basic {{base64}}{{segment.sources.web.write_key}}:"},
            "body": '{"userId":"u-1","event":"A"}',
        },
        "answer": {"status": 200, "body": '{"success":true}'},
    }


def test_a_body_that_is_no_utf8_is_base64(line):
    assert line(body=b"\xff\x00")["request"]["body"] == "/wA="


def test_a_packed_body_that_cannot_be_unpacked_is_left_out_as_keys_may_be_in_it(line):
    packed = gzip.compress(b'{"writeKey":"wk_web"}')[:-4]
    request = line(body=packed, undecodable="the gzip body is cut short")["request"]
    assert "body" not in request
    assert request["undecodable"] == "the gzip body is cut short"


def test_a_body_in_an_encoding_of_statsigs_is_recorded_plain(line):
    body = base64.b64encode(b'{"events":[],"sdkKey":"client-local"}')[::-1]
    told = line("statsig", path="/v1/rgstr", body=body, query={"se": "1", "k": "client-local"})
    assert json.loads(told["request"]["body"]) == {"events": [], "sdkKey": "{{statsig.client_key}}"}
    assert told["request"]["query"] == {"se": "1", "k": "{{statsig.client_key}}"}


def test_the_key_of_a_pixel_is_replaced_inside_its_base64(line):
    data = base64.b64encode(b'{"writeKey":"wk_web","userId":"u","event":"A"}').decode()
    told = line(method="GET", path="/v1/pixel/track", query={"data": data})
    assert "{{segment.sources.web.write_key}}" in told["request"]["query"]["data"]
    assert request_of(told, keys()).query == {"data": data}


def test_each_line_keeps_the_contract(lab, line, post):
    line(body=b"\xff", headers={"x": "é"})
    line("launchdarkly", "GET", "/all", headers={"authorization": "sdk-local"})
    post(lab, "/segment", CALL, vendor="split")
    assert [fault for one in recorded(lab) for fault in catalog.faults(CONTRACT, one)] == []


def test_a_key_is_redacted_by_the_workspace_of_its_time(lab, line):
    other = {"segment": {"sources": {"app": {"write_key": "wk_app"}}}}
    line(body=b'{"writeKey":"wk_web"}')
    lab.configure(other)
    line(body=b'{"writeKey":"wk_app"}')
    assert [one["request"]["body"] for one in recorded(lab)] == [
        '{"writeKey":"{{segment.sources.web.write_key}}"}',
        '{"writeKey":"{{segment.sources.app.write_key}}"}',
    ]


def test_what_the_lab_sends_itself_is_not_recorded(lab, line):
    line(body=orjson.dumps(CALL))
    row = lab.journal.row(1)
    made = Lines(lambda _number: DEMO)
    assert made.of(row) is not None
    row.cause = (1, 0)
    assert made.of(row) is None
    row.cause, row.request.headers = NO_CAUSE, {"x-trackside-delivery": "1"}  # over HTTP
    assert made.of(row) is None
    row.request.headers, row.request.method = {}, ""  # what happened inside a vendor, such as a changed gate
    assert made.of(row) is None


# ---- event streams


@pytest.mark.parametrize("vendor", list(VENDORS))
def test_the_paths_of_event_streams_are_those_whose_endpoint_opens_one(vendor):
    for route in VENDORS[vendor].routes:
        path = route.path.replace("<", "").replace(">", "").replace("path:", "")
        opens = "stream" in getattr(route.endpoint, "__name__", "") and "GIF" not in path
        assert is_stream(vendor, path) is opens, route.path


def test_a_stream_is_recorded_as_one_and_without_an_answer_that_does_not_end(line):
    told = line("launchdarkly", "GET", "/all", headers={"authorization": "sdk-local"})
    assert told["stream"] is True
    assert told["answer"] == {"status": 200}


# ---- HAR

REQUIRED = {
    "": {"startedDateTime": str, "time": int, "request": dict, "response": dict, "cache": dict, "timings": dict},
    "request": {
        "method": str,
        "url": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "queryString": list,
        "headersSize": int,
        "bodySize": int,
    },
    "response": {
        "status": int,
        "statusText": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "content": dict,
        "redirectURL": str,
        "headersSize": int,
        "bodySize": int,
    },
    "timings": {"send": int, "wait": int, "receive": int},
}
"""What HAR 1.2 requires of an entry, part by part."""


def test_an_entry_of_a_har_has_every_field_that_the_format_requires(line):
    entry = har.entry_of(line(body=b'{"a":1}', headers={"content-type": "application/json"}), BASES)
    for part, fields in REQUIRED.items():
        value = entry[part] if part else entry
        assert {name: type(value.get(name)) for name in fields} == fields
    assert entry["request"]["postData"] == {"mimeType": "application/json", "text": '{"a":1}'}
    assert entry["response"]["content"].keys() == {"size", "mimeType", "text"}
    assert entry["_vendor"] == "segment"


def test_a_har_names_its_version_and_creator(tmp_path, line):
    file = RecordingFile(tmp_path / "a.har", "har", BASES)
    file.write(line())
    file.close()
    log = json.loads((tmp_path / "a.har").read_bytes())["log"]
    assert (log["version"], log["creator"]["name"], len(log["entries"])) == ("1.2", "trackside", 1)
    assert log["creator"]["version"]


def test_the_url_of_an_entry_is_the_address_that_was_asked(line):
    told = line(method="GET", path="/v1/pixel/träck", query={"a b": "c&d"}, headers={"host": "127.0.0.1:40001"})
    assert har.entry_of(told, BASES)["request"]["url"] == "http://127.0.0.1:40001/v1/pixel/tr%C3%A4ck?a%20b=c%26d"


@pytest.mark.parametrize("host", [{}, {"host": "bad host/"}], ids=["none", "bad"])
def test_a_request_without_a_good_host_has_the_vendors_usual_address(host, line):
    assert har.entry_of(line(headers=host), BASES)["request"]["url"] == "http://127.0.0.1:8801/v1/track"


@pytest.mark.parametrize(
    ("vendor", "method", "path", "more"),
    [
        ("segment", "POST", "/v1/track", {"body": b'{"writeKey":"wk_web"}', "headers": WK_WEB}),
        ("segment", "GET", "/v1/projects/wk_web/settings", {}),
        ("segment", "POST", "/v1/träck", {"body": b"\xff", "query": {"a b": "{{c}}"}}),
        ("launchdarkly", "GET", "/all", {"headers": {"authorization": "sdk-local"}}),
        ("segment", "POST", "/v1/t", {"body": b"\xff", "undecodable": "the gzip body is cut short"}),
    ],
)
def test_a_line_comes_back_from_a_har_as_it_was(vendor, method, path, more, line):
    told = line(vendor, method, path, **more)
    assert har.line_of_entry(har.entry_of(told, BASES), {}) == (told, True)


# ---- HAR of other programs


def entry(url: str, method: str = "POST", status: int = 200, **request: Any) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-02T04:00:00.000+01:00",
        "request": {"method": method, "url": url, "headers": [], **request},
        "response": {"status": status, "content": {}},
    }


@pytest.mark.parametrize(
    ("url", "vendor"),
    [
        ("https://api.segment.io/v1/t", "segment"),
        ("https://cdn.segment.com/v1/projects/x/settings", "segment"),
        ("https://events.eu1.segmentapis.com/v1/t", "segment"),
        ("https://api.statsig.com/v1/log_event", "statsig"),
        ("https://statsigapi.net/v1/initialize", "statsig"),
        ("https://prodregistryv2.org/v1/rgstr", "statsig"),
        ("https://sdk.split.io/api/splitChanges", "split"),
        ("https://events.split.io/api/events/bulk", "split"),
        ("https://events.launchdarkly.com/bulk", "launchdarkly"),
        ("https://clientsdk.launchdarkly.us/sdk/evalx/a/contexts/b", "launchdarkly"),
        ("https://app.ownlayer.com/api/v1/inferences", "ownlayer"),
        ("http://127.0.0.1:9999/v1/t", "segment"),
    ],
)
def test_an_entry_of_another_program_belongs_to_a_vendor_by_its_host(url, vendor):
    line, redacted = har.line_of_entry(entry(url), {"127.0.0.1:9999": "segment"})
    assert (line["vendor"], redacted) == (vendor, False)


@pytest.mark.parametrize(
    ("url", "method"),
    [
        ("https://shop.example/", "GET"),
        ("https://www.launchdarkly.com/", "GET"),
        ("https://notsegment.io/v1/t", "POST"),
        ("https://api.segment.io/v1/t", "OPTIONS"),
        ("https://cdn.segment.com/analytics.js/v1/k/analytics.min.js", "GET"),
    ],
    ids=["other", "website", "look-alike", "preflight", "script"],
)
def test_other_hosts_preflights_and_scripts_are_skipped(url, method):
    assert har.line_of_entry(entry(url, method), {}) == (None, False)


def test_the_braces_of_another_programs_har_are_no_placeholders():
    line, _ = har.line_of_entry(entry("https://api.segment.io/v1/t", postData={"text": '{"a":"{{b}}"}'}), {})
    assert request_of(line, None).body == b'{"a":"{{b}}"}'


def test_of_a_parameter_that_is_given_twice_the_first_value_counts_as_at_the_lab():
    line, _ = har.line_of_entry(entry("https://sdk.split.io/api/splitChanges?since=1&since=2&s="), {})
    assert line["request"]["query"] == {"since": "1", "s": ""}


def test_the_parameters_of_a_form_are_its_body():
    data = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "b c"}]}
    line, _ = har.line_of_entry(entry("https://api.segment.io/token", postData=data), {})
    assert request_of(line, None).body == b"a=b+c"


def test_a_body_that_a_proxy_recorded_packed_keeps_its_encoding():
    packed = base64.b64encode(gzip.compress(b"{}")).decode()
    headers = [{"name": "Content-Encoding", "value": "gzip"}, {"name": ":authority", "value": "api.segment.io"}]
    data = {"mimeType": "", "text": packed, "encoding": "base64"}
    line, _ = har.line_of_entry(entry("https://api.segment.io/v1/t", headers=headers, postData=data), {})
    request = request_of(line, None)
    assert (request.headers, gzip.decompress(request.body)) == ({"content-encoding": "gzip"}, b"{}")


# ---- files


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.har", "har"), ("a.ndjson", "ndjson"), ("a.JSONL", "ndjson"), ("a.har.gz", "har"), ("a.ndjson.gz", "ndjson")],
)
def test_the_name_of_a_file_tells_its_format(name, form, tmp_path, line):
    path = tmp_path / name
    assert format_of(path) == form
    file, told = RecordingFile(path, form, BASES), line(headers=WK_WEB)
    file.write(told)
    file.write(told)
    file.close()
    assert [one.line for one in read(path, {})] == [told, told]
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_file_without_a_telling_name_is_read_by_its_content(tmp_path, line):
    for name, form in (("one", "ndjson"), ("two", "har")):
        file = RecordingFile(tmp_path / name, form, BASES)
        file.write(line())
        file.close()
        assert [one.fault for one in read(tmp_path / name, {})] == [None]


def test_a_har_is_there_only_once_it_is_whole(tmp_path, line):
    file = RecordingFile(tmp_path / "a.har", "har", BASES)
    file.write(line())
    assert not (tmp_path / "a.har").exists()
    file.give_up()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_each_line_that_is_written_at_once_can_be_read_though_the_file_is_not_finished(name, tmp_path, line):
    file = RecordingFile(tmp_path / name, "ndjson", BASES, at_once=True)
    file.write(line())
    file.write(line())
    found = list(read(tmp_path / name, {}))
    file.close()
    assert len([one for one in found if one.line]) == 2
    assert [one.fault.what[:25] for one in found if one.fault] == ["the gzip file is cut shor"] * (name[-1] == "z")


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path):
    (tmp_path / "a.har").write_text("mine")
    with pytest.raises(TracksideError, match="there already"):
        RecordingFile(tmp_path / "a.har", "har", BASES)
    assert (tmp_path / "a.har").read_text() == "mine"


def test_a_broken_line_is_told_with_its_number_and_the_others_are_read(tmp_path, line):
    told = orjson.dumps(line()).decode()
    path = tmp_path / "a.ndjson"
    path.write_text(f"{told}\n\n{{\n{told.replace('segment', 'mixpanel', 1)}\n{told}\n")
    found = list(read(path, {}))
    assert [one.where.rpartition(":")[2] for one in found if one.line] == ["1", "5"]
    broken, unknown = (one.fault for one in found if one.fault)
    assert broken.where == f"{path}:3"
    assert unknown.where == f"{path}:4: $.vendor"
    assert "mixpanel" in unknown.what


def test_a_line_over_the_limit_is_told_and_nothing_of_it_is_kept(tmp_path, line, monkeypatch):
    monkeypatch.setattr("trackside.recording_files.LINE_BYTES", 1_000)
    path = tmp_path / "a.ndjson"
    path.write_bytes(orjson.dumps(line()) + b"\n" + b"x" * 2_000)
    first, second = read(path, {})
    assert first.line
    assert second.fault.what == "the line has over 1000 bytes"
    assert LINE_BYTES > 64 * 1024 * 1024  # what a body of 16 MiB may take, base64 and all


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is not JSON"),
        ("{}", "it has no log.entries"),
        ('{"log":{"entries":{}}}', "it has no log.entries"),
        ("[1]", "it has no log.entries"),
    ],
)
def test_what_is_no_har_says_so(text, what, tmp_path):
    (tmp_path / "a.har").write_text(text)
    with pytest.raises(TracksideError, match=what):
        list(read(tmp_path / "a.har", {}))


@pytest.mark.parametrize("broken", [1, {}, {"request": {"url": 1}}, {"request": {"url": "http://[", "method": "GET"}}])
def test_an_entry_that_is_none_is_told_with_its_place_and_the_others_are_read(broken, tmp_path, line):
    good = har.entry_of(line(), BASES)
    (tmp_path / "a.har").write_bytes(orjson.dumps({"log": {"entries": [broken, good]}}))
    first, second = read(tmp_path / "a.har", {})
    assert first.fault.where == f"{tmp_path / 'a.har'}: $.log.entries[0]"
    assert second.line


def test_a_har_over_the_limit_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("trackside.recording_files.HAR_BYTES", 10)
    (tmp_path / "a.har").write_text('{"log": {"entries": []}}')
    with pytest.raises(TracksideError, match=r"record as \.ndjson"):
        list(read(tmp_path / "a.har", {}))


# ---- the journal's file


def test_a_journals_file_is_read_as_it_stands_and_left_as_it_was(tmp_path, make_lab, post):
    path = tmp_path / "journal.sqlite"
    lab = make_lab(data=path)
    post(lab, "/v1/track", {**CALL, "writeKey": "wk_web"})
    lab.stop()
    before, told = path.read_bytes(), recorded(lab)
    reader = SqliteReader(path)
    made = Lines(reader.documents.__getitem__)
    assert [made.of(row) for row in reader.rows()] == told
    reader.close()
    assert path.read_bytes() == before
    make_lab(data=path).stop()  # and it still serves


@pytest.mark.parametrize(("content", "what"), [(None, "unable to open"), (b"text" * 200, "not a database")])
def test_what_is_no_journal_says_so(content, what, tmp_path):
    if content:
        (tmp_path / "a.sqlite").write_bytes(content)
    with pytest.raises(TracksideError, match=what):
        SqliteReader(tmp_path / "a.sqlite")


# ---- the control API


def test_a_page_ends_after_some_megabytes(http_json, monkeypatch):
    from trackside.lab import Lab

    monkeypatch.setattr("trackside.admin.recording_paths.PAGE_BYTES", 100)
    with Lab() as lab:
        for number in range(2):
            http_json("POST", f"{lab.urls['segment']}/v1/track", {**CALL, "messageId": f"m-{number}"})
        page = http_json("GET", f"{lab.urls['admin']}/recording")[1]
    assert (len(page["lines"]), page["after"], page["more"]) == (1, 1, True)


def test_the_control_api_gives_a_recording_page_by_page(http_json):
    from trackside.lab import Lab

    with Lab() as lab:
        for number in range(5):
            http_json("POST", f"{lab.urls['segment']}/v1/track", {**CALL, "messageId": f"m-{number}"})
        after, events = 0, []
        for _ in range(3):
            page = http_json("GET", f"{lab.urls['admin']}/recording?limit=2&after={after}")[1]
            events += [json.loads(one["request"]["body"])["messageId"] for one in page["lines"]]
            after = page["after"]
        assert http_json("GET", f"{lab.urls['admin']}/recording?after=x")[0] == 400
    assert events == [f"m-{number}" for number in range(5)]
    assert (page["more"], page["missing"]) == (False, 0)


def test_a_page_says_how_many_requests_the_journal_let_go(http_json):
    from trackside.lab import Lab

    with Lab(limit=2) as lab:
        for number in range(5):
            http_json("POST", f"{lab.urls['segment']}/v1/track", {**CALL, "messageId": f"m-{number}"})
        page = http_json("GET", f"{lab.urls['admin']}/recording")[1]
        later = http_json("GET", f"{lab.urls['admin']}/recording?after=1")[1]
        lab.reset()
        empty = http_json("GET", f"{lab.urls['admin']}/recording")[1]
    assert (len(page["lines"]), page["missing"]) == (2, 3)
    assert later["missing"] == 2
    assert empty == {"lines": [], "after": 5, "more": False, "missing": 0}
