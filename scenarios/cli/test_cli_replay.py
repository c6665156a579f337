"""``trackside replay``: recorded requests are sent again, to a running lab or to one of the command's own."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trackside.cli.replay import Replayed, _replay
from trackside.cli.replaying import OwnLab
from trackside.lab import Lab
from trackside.recording import lines_of
from trackside.recording_files import read
from trackside.workspace import DEMO

WEB = "{{segment.sources.web.write_key}}"


def track(event: str = "A", key: str = WEB, **fields: Any) -> dict[str, Any]:
    """Return the line of a track call."""
    call = {"writeKey": key, "type": "track", "userId": "u-1", "event": event, "messageId": f"m-{event}", **fields}
    return asked("segment", "POST", "/v1/track", body=json.dumps(call))


def asked(vendor: str, method: str, path: str, status: int = 200, **request: Any) -> dict[str, Any]:
    """Return the line of a request."""
    return {
        "recording": 1,
        "vendor": vendor,
        "at": "2026-01-02T03:00:00.000Z",
        "request": {"method": method, "path": path, "query": {}, "headers": {}, **request},
        "answer": {"status": status},
    }


@pytest.fixture
def recording(tmp_path) -> Callable[..., Path]:
    """Return a function that writes lines (text as it stands) to a file."""

    def write(*lines: dict[str, Any] | str, name: str = "rec.ndjson") -> Path:
        text = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        (tmp_path / name).write_text("".join(f"{line}\n" for line in text))
        return tmp_path / name

    return write


@pytest.fixture
def archive(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a HAR of another program: URL, method and body of each entry."""

    def write(*entries: tuple[str, str, str]) -> Path:
        rows = [
            {
                "startedDateTime": "2026-01-02T03:00:00.000Z",
                "request": {"method": method, "url": url, "headers": [], "postData": {"mimeType": "", "text": body}},
                "response": {"status": 200, "content": {}},
            }
            for url, method, body in entries
        ]
        (tmp_path / "browser.har").write_text(json.dumps({"log": {"entries": rows}}))
        return tmp_path / "browser.har"

    return write


@pytest.fixture
def workspace(tmp_path) -> Callable[[dict[str, Any]], Path]:
    """Return a function that writes a workspace file."""

    def write(document: dict[str, Any]) -> Path:
        (tmp_path / "trackside.yaml").write_text(json.dumps(document))
        return tmp_path / "trackside.yaml"

    return write


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as running:
        yield running


def replayed(path: Path) -> tuple[OwnLab, Replayed]:
    """Replay a file in a lab of its own, which is left open."""
    target = OwnLab(None)
    return target, _replay(read(path, target.places), target)


def kept(lab: Lab) -> dict[str, list[Any]]:
    """Return what each vendor keeps."""
    return {name: [one.record for one in lab.kept(name)] for name in lab.mocks}


# ---- in a lab of its own


def test_the_requests_are_counted_and_a_fine_replay_ends_with_0(trackside_command, recording):
    result = trackside_command("replay", recording(track("A"), track("B"), asked("split", "GET", "/api/version")))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "3 requests sent: segment 2, split 1",
        "0 answers differ from the recorded ones, 0 findings",
    ]


def test_several_files_are_sent_in_their_order(trackside_command, recording):
    first, second = recording(track("A")), recording(track("A"), name="again.ndjson")
    result = trackside_command("replay", first, second, "--json")
    assert json.loads(result.stdout)["sent"] == {"segment": 2}


def test_the_keys_are_those_of_the_workspace_that_it_runs_against(trackside_command, recording, workspace):
    other = workspace({"segment": {"sources": {"web": {"write_key": 'odd"key'}}}})
    assert trackside_command("replay", recording(track()), "--workspace", other).exit_code == 0
    result = trackside_command("replay", recording(track(key="wk_web")), "--workspace", other)
    assert result.exit_code == 1
    assert "segment.write-key.unknown" in result.stdout


def test_the_clock_shows_the_recorded_times(recording):
    later = {**track("B"), "at": "2026-01-02T03:00:10.500Z"}
    target, _ = replayed(recording(track("A"), later))
    told = [journey.message["receivedAt"] for journey in target._lab.journeys()]  # noqa: SLF001 - the command ends with it
    target.close()
    assert told == ["2026-01-02T03:00:00.000Z", "2026-01-02T03:00:10.500Z"]


@pytest.mark.rule("statsig.out.event")
def test_what_is_exported_comes_to_segment_at_the_recorded_times(recording, workspace):
    statsig = {"server_secret": "s-1", "segment_outbound": {"enabled": True, "write_key": "wk_statsig"}}
    document = {"segment": {"sources": {"statsig": {"write_key": "wk_statsig"}}}, "statsig": statsig}
    body = json.dumps({"events": [{"eventName": "buy", "user": {"userID": "u-1"}, "time": 1767322800000}]})
    key = {"statsig-api-key": "{{statsig.server_secret}}"}
    line = asked("statsig", "POST", "/v1/log_event", 202, headers=key, body=body)
    later = {**line, "at": "2026-01-02T03:00:10.500Z"}
    target = OwnLab(str(workspace(document)))
    _replay(read(recording(line, later), target.places), target)
    told = [row.request.at for row in target._lab.exchanges("segment")]  # noqa: SLF001 - as above
    target.close()
    assert told == [1767322800.0, 1767322810.5]


@pytest.mark.rule("split.sdk.stream")
def test_what_serve_kept_of_real_sdks_makes_the_same_records_again(serve, run_sdks, trackside_command, tmp_path):
    served = serve("--data", "journal.sqlite", "--quiet")
    run_sdks(served)
    served.process.kill()
    served.process.wait()
    trackside_command("record", "--data", tmp_path / "journal.sqlite", tmp_path / "rec.ndjson")
    with Lab(data=tmp_path / "journal.sqlite") as original:
        before = kept(original)
    target, told = replayed(tmp_path / "rec.ndjson")
    after = kept(target._lab)  # noqa: SLF001 - as above
    target.close()
    assert (told.streams, told.differing, told.faults) == (1, [], [])
    assert {name for name, records in before.items() if records} >= {"segment", "statsig", "split", "launchdarkly"}
    assert after == before


def test_a_har_makes_the_same_records_as_ndjson(serve, run_sdks, trackside_command, tmp_path):
    served = serve("rec.har", "--quiet", command="record")
    run_sdks(served)
    trackside_command("record", "--from", served.first["admin"], tmp_path / "rec.ndjson")
    served.end(signal.SIGTERM)
    records = []
    for name in ("rec.har", "rec.ndjson"):
        target, told = replayed(tmp_path / name)
        records.append((told.sent, kept(target._lab)))  # noqa: SLF001 - as above
        target.close()
    assert records[0] == records[1]


# ---- to a running lab


def test_a_running_lab_gets_them_with_its_own_keys(trackside_command, recording):
    document = {**DEMO, "accept_any_key": False}
    document["segment"] = {**DEMO["segment"], "sources": {"web": {"write_key": "wk_other"}}}
    line = asked("segment", "POST", "/v1/identify", body='{"userId":"u-1"}')
    line["request"]["headers"] = {"authorization": f"Basic {{{{base64}}}}{WEB}:", "content-encoding": "gzip"}
    with Lab(document) as lab:
        result = trackside_command("replay", recording(track(), line), "--to", lab.urls["admin"])
        sources = [(row.intake.source, row.request.basic_user()) for row in lab.exchanges()]
    assert (result.exit_code, sources) == (0, [("web", None), ("web", "wk_other")])


def test_paths_queries_and_bodies_come_over_http_as_they_were_recorded(trackside_command, recording, lab):
    body = {"body": "/wA=", "encoding": "base64", "query": {"a b": "c&d=é"}}
    trackside_command(
        "replay", recording(asked("split", "POST", "/api/ä/../%2F", 404, **body)), "--to", lab.urls["admin"]
    )
    (row,) = lab.exchanges("split")
    assert (row.request.path, row.request.query, row.request.body) == ("/api/ä/../%2F", {"a b": "c&d=é"}, b"\xff\x00")


def test_a_finding_that_the_lab_had_before_is_not_told(trackside_command, recording, lab):
    unnamed = asked("segment", "POST", "/v1/page", body=f'{{"writeKey":"{WEB}","userId":"u-1"}}')
    to = ("--to", lab.urls["admin"], "--json")
    first = json.loads(trackside_command("replay", recording(unnamed), *to).stdout)
    assert [one["rule"] for one in first["findings"]] == ["split.in.unnamed"]
    second = trackside_command("replay", recording(track()), *to)
    assert (second.exit_code, json.loads(second.stdout)["findings"]) == (0, [])


def test_a_lab_that_refuses_keys_ends_with_1_and_each_answer_is_told(trackside_command, recording, workspace):
    line = asked(
        "statsig", "POST", "/v1/log_event", 202, headers={"statsig-api-key": "{{unknown}}"}, body='{"events":[]}'
    )
    other = workspace({"statsig": {"server_secret": "s"}})
    file = recording(line)
    result = trackside_command("replay", file, "--workspace", other)
    assert result.exit_code == 1
    assert f"{file}:1: POST /v1/log_event to statsig is answered 401, and was 202" in result.stdout
    assert "statsig.sdk.key" in result.stdout


def test_a_lab_that_is_gone_is_wrong_use(trackside_command, recording, lab):
    admin = lab.urls["admin"]
    lab.stop()
    result = trackside_command("replay", recording(track()), "--to", admin)
    assert result.exit_code == 2
    assert "the control API does not answer" in result.stderr


def test_a_lab_that_ends_meanwhile_is_told_with_how_far_it_came(trackside_command, recording, lab, monkeypatch):
    monkeypatch.setattr("trackside.cli.replaying.RunningLab.places", {}, raising=False)
    urls = {**lab.urls, "segment": "http://127.0.0.1:9"}
    monkeypatch.setattr(type(lab), "urls", property(lambda _: urls))
    result = trackside_command("replay", recording(track()), "--to", urls["admin"])
    assert result.exit_code == 2
    assert "there is no answer after 0 requests: [Errno 111] Connection refused" in result.stderr


def test_findings_are_told_once_deliveries_are_over(trackside_command, recording, lab, monkeypatch):
    lab.statsig.fail(400)
    settled, settle = [], lab.settle
    monkeypatch.setattr(lab, "settle", lambda *timeout: settled.append(settle(*timeout)))
    told = json.loads(trackside_command("replay", recording(track()), "--json", "--to", lab.urls["admin"]).stdout)
    assert [one["rule"] for one in told["findings"]] == ["segment.delivery.refused"]
    assert settled


# ---- what is not sent


def test_event_streams_are_counted_and_not_replayed(trackside_command, recording):
    stream = {**asked("launchdarkly", "GET", "/all"), "stream": True}
    result = trackside_command("replay", recording(stream, asked("split", "GET", "/sse"), track()))
    assert result.exit_code == 0
    assert "2 event streams, which are not replayed" in result.stdout


def test_an_entry_whose_answer_never_came_is_no_difference(trackside_command, archive):
    file = archive(("https://sdk.split.io/api/version", "GET", ""))
    file.write_text(file.read_text().replace('"status": 200', '"status": 0'))
    assert trackside_command("replay", file).exit_code == 0


def test_a_har_of_a_browser_is_sent_as_far_as_it_concerns_the_vendors(trackside_command, archive):
    call = '{"writeKey":"any","userId":"u-1","event":"{{A}}","type":"track"}'
    file = archive(
        ("https://shop.example/", "GET", ""),
        ("https://api.segment.io/v1/t", "OPTIONS", ""),
        ("https://api.segment.io/v1/t", "POST", call),
        ("http://127.0.0.1:8801/v1/t", "POST", call),
        ("https://stream.launchdarkly.com/all", "GET", ""),
    )
    told = json.loads(trackside_command("replay", file, "--json").stdout)
    assert (told["sent"], told["skipped"], told["streams"], told["faults"]) == ({"segment": 2}, 2, 1, [])


def test_a_broken_line_is_told_with_its_number_and_the_others_are_sent(trackside_command, recording):
    file = recording(track("A"), '{"recording":1,', {**track(), "vendor": "mixpanel"}, track("B"))
    result = trackside_command("replay", file)
    assert result.exit_code == 1
    assert "2 requests sent: segment 2" in result.stdout
    assert "2 lines that could not be sent" in result.stdout
    first, second = result.stderr.splitlines()
    assert f"{file}:2. mend the line" in first
    assert f"{file}:3: $.vendor." in second
    assert "mixpanel" in second


def test_a_placeholder_without_a_key_is_told_and_the_others_are_sent(trackside_command, recording):
    file = recording(track(key="{{segment.sources.shop.write_key}}"), track())
    result = trackside_command("replay", file)
    assert result.exit_code == 1
    assert "1 requests sent" in result.stdout
    assert f"{{{{segment.sources.shop.write_key}}}}, so the request is not sent. {file}:1. declare " in result.stderr


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"body": "?", "encoding": "base64"}, "the body is not base64"),
        ({"undecodable": "the gzip body is cut short"}, "the body was not recorded, as it could not be unpacked"),
    ],
)
def test_a_body_that_cannot_be_sent_is_told(request_, text, trackside_command, recording):
    result = trackside_command("replay", recording(asked("segment", "POST", "/v1/t", **request_), track()))
    assert result.exit_code == 1
    assert text in result.stderr


def test_a_header_that_http_does_not_allow_is_told(trackside_command, recording, lab):
    line = asked("segment", "POST", "/v1/t", headers={"x-any": "a\nb"})
    result = trackside_command("replay", recording(line, track()), "--to", lab.urls["admin"])
    assert result.exit_code == 1
    assert "the request cannot be sent" in result.stderr
    assert "1 requests sent" in result.stdout


def test_a_body_that_was_no_gzip_is_sent_as_it_came(trackside_command, recording, lab):
    fault = {"undecodable": "the body is not gzip", "headers": {"content-encoding": "gzip"}, "body": "{}"}
    file = recording(asked("segment", "POST", "/v1/t", 400, **fault))
    for to in ((), ("--to", lab.urls["admin"])):
        assert json.loads(trackside_command("replay", file, "--json", *to).stdout)["differing"] == []


def test_an_answer_that_was_an_error_is_no_difference_when_it_is_the_same_again(trackside_command, recording):
    told = json.loads(trackside_command("replay", recording(asked("split", "GET", "/nowhere", 404)), "--json").stdout)
    assert (told["differing"], [one["rule"] for one in told["findings"]]) == ([], ["split.unknown-path"])


def test_a_fault_of_tracksides_own_is_a_finding_and_no_traceback(trackside_command, recording, monkeypatch):
    def broken(*_: Any) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr("trackside.lab.Lab.receive", broken)
    result = trackside_command("replay", recording(track()))
    assert result.exit_code == 1
    assert "trackside failed: RuntimeError: oops" in result.stdout


# ---- wrong use


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], "there is nothing to replay: the recording is empty"),
        (["nonsense", "{}"], "there is nothing to replay but 2 lines that could not be sent"),
        ([{**asked("split", "GET", "/sse"), "stream": True}], "but 1 event streams, which are not replayed"),
    ],
    ids=["empty", "broken", "streams"],
)
def test_a_replay_of_nothing_is_wrong_use(lines, text, trackside_command, recording):
    result = trackside_command("replay", recording(*lines))
    assert result.exit_code == 2
    assert text in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.ndjson"], "the recording cannot be read: No such file or directory"),
        (["."], "the recording cannot be read: Is a directory"),
        (["a.ndjson", "--to", "http://127.0.0.1:9", "--workspace", "w.yaml"], "--to and --workspace name two labs"),
        (["a.ndjson", "--to", "http://127.0.0.1:9"], "the control API does not answer"),
        (["a.ndjson", "--workspace", "none.yaml"], "the workspace has 1 fault"),
    ],
)
def test_wrong_use_says_what_was_wrong(arguments, text, trackside_command):
    result = trackside_command("replay", *arguments)
    assert result.exit_code == 2
    assert text in result.stderr


def test_what_is_no_har_is_wrong_use(trackside_command, tmp_path):
    (tmp_path / "a.har").write_text("{}")
    result = trackside_command("replay", tmp_path / "a.har")
    assert result.exit_code == 2
    assert "the file is JSON and no HAR" in result.stderr


def test_text_of_a_recording_cannot_steer_the_terminal(trackside_command, recording):
    result = trackside_command("replay", recording(asked("split", "GET", "/a\x1b[2Jb", 200)))
    assert "\x1b" not in result.stdout


def test_many_differing_answers_are_cut_and_all_in_the_json(trackside_command, recording):
    file = recording(*(asked("split", "GET", f"/nowhere/{number}", 200) for number in range(25)))
    assert "… 5 more; --json has all of them" in trackside_command("replay", file).stdout
    assert len(json.loads(trackside_command("replay", file, "--json").stdout)["differing"]) == 25


def test_a_recording_of_a_replay_is_the_recording(recording):
    lines = [track("A"), asked("split", "GET", "/api/version", headers={"x": "{{braces}}a}}"})]
    target, _ = replayed(recording(*lines))
    made = lines_of(target._lab)  # noqa: SLF001 - as above
    again = [made.of(row) for row in target._lab.journal.rows()]  # noqa: SLF001 - as above
    target.close()
    assert [line["request"] for line in again] == [line["request"] for line in lines]
