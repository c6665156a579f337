"""Recordings and journals' files are counted as the lab counted that they are of; nobody is asked for anything."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from small_lab import AT, LAUNCHDARKLY, SPLIT, bulk, custom, feature, send, track, workspace

from trackside.counting.as_json import result_json
from trackside.counting.offline import counted
from trackside.errors import TracksideError
from trackside.lab import Lab
from trackside.recording import lines_of, rows_after
from trackside.workspace import load

NewLab = Callable[..., Lab]
METRIC = {"key": "signups", "kind": "custom", "isNumeric": False, "eventKey": "Signed Up"}


def recorded(lab: Lab, path: Path) -> Path:
    """Write what came to a lab as a recording, and return the file."""
    lines = lines_of(lab)
    told = [json.dumps(line) for row in rows_after(lab, 0) if (line := lines.of(row)) is not None]
    text = "\n".join(told)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def some(lab: Lab) -> Lab:
    """Let two people see the flag, and one of them and a stranger order."""
    bulk(lab, feature("u-1"), feature("u-2", 0))
    track(lab)
    track(lab, userId="stranger", messageId="m-2")
    return lab


def told(path: Path, wired: dict[str, Any] | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the results of a file as JSON, and what of it could not be read."""
    count, faults = counted(path, load(wired) if wired is not None else None)
    return [result_json(one) for one in count.results()], list(map(str, faults))


# ---- recordings


@pytest.mark.parametrize("name", ["lab.ndjson", "lab.ndjson.gz"])
def test_a_recording_counts_what_its_lab_counted(new_lab: NewLab, tmp_path: Path, name: str) -> None:
    lab = some(new_lab(workspace()))
    path = recorded(lab, tmp_path / name)

    assert told(path, workspace()) == ([result_json(one) for one in lab.counting.results()], [])


def test_a_recording_has_the_verdicts_and_the_audit_of_its_lab(new_lab: NewLab, tmp_path: Path) -> None:
    lab = some(new_lab(workspace()))
    count, _ = counted(recorded(lab, tmp_path / "lab.ndjson"), load(workspace()))

    for user in ("u-1", "u-2", "stranger"):
        assert list(count.verdicts(user=user)) == list(lab.counting.verdicts(user=user))
    assert list(count.verdicts(message_id="m-2")) == list(lab.counting.verdicts(message_id="m-2")) != []
    assert list(count.verdicts(message_id="m-9")) == []
    assert count.audit("x").findings == lab.counting.audit("x").findings


@pytest.mark.rule("split.counting.version")
def test_a_split_flag_that_its_api_changes_begins_a_version_when_the_lab_had_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = workspace(split={**SPLIT, "admin_key": "admin-local"})
    now = AT / 1000
    monkeypatch.setattr("time.time", lambda: now)
    lab = Lab(wired, data=tmp_path / "lab.db", start_at=now)

    def go_on() -> None:
        nonlocal now
        now += 60
        lab.advance(60)

    def order(key: str) -> None:
        one = {"k": key, "t": "on", "m": round(now * 1000), "c": 1, "r": "default rule"}
        paid = {"eventTypeId": "Order_Completed", "trafficTypeName": "user", "key": key, "timestamp": one["m"]}
        keyed = {"authorization": "Bearer split-key"}
        send(lab, "split", "/api/testImpressions/bulk", [{"f": "menu", "i": [one]}], **keyed)
        send(lab, "split", "/api/events/bulk", [paid], **keyed)
        go_on()

    order("u-1")
    for action in ("kill", "restore"):
        path = f"/internal/api/v2/splits/ws/Default/menu/environments/production/{action}"
        assert send(lab, "split", path, {}, "PUT", authorization="Bearer admin-local").status == 200
    order("u-2")
    live = [result_json(one) for one in lab.counting.results()]
    path = recorded(lab, tmp_path / "lab.ndjson")
    lab.stop()
    go_on()

    assert [one["counted"] for one in live if one["vendor"] == "split"] == [1]
    assert told(path, wired) == (live, [])
    assert told(tmp_path / "lab.db", None) == (live, [])


def test_a_line_that_cannot_be_read_is_told_and_the_others_are_counted(new_lab: NewLab, tmp_path: Path) -> None:
    path = recorded(some(new_lab(workspace())), tmp_path / "lab.ndjson")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"recording": 1, "vendor"', *lines[1:]]))

    results, faults = told(path, workspace())

    assert [one["counted"] for one in results if one["vendor"] == "launchdarkly"] == [1]
    assert len(faults) == 1
    assert f"{path}:2" in faults[0]


def test_a_body_that_is_not_base64_is_told(new_lab: NewLab, tmp_path: Path) -> None:
    path = recorded(some(new_lab(workspace())), tmp_path / "lab.ndjson")
    line = json.loads(path.read_text().splitlines()[0])
    line["request"].update(body="é", encoding="base64")
    path.write_text(json.dumps(line))

    _, faults = told(path, workspace())

    assert len(faults) == 1


def test_a_har_is_counted_by_the_ports_of_its_requests(tmp_path: Path) -> None:
    entries = [
        {
            "startedDateTime": "2026-01-02T03:00:00.000Z",
            "request": {
                "method": "POST",
                "url": "http://127.0.0.1:8804/bulk",
                "headers": [{"name": "Authorization", "value": "sdk-local"}],
                "postData": {"mimeType": "application/json", "text": json.dumps([feature("u-1"), custom("u-1")])},
            },
            "response": {"status": 202, "content": {}},
        },
        {
            "startedDateTime": "2026-01-02T03:00:00.000Z",
            "request": {"method": "GET", "url": "https://example.com/", "headers": []},
            "response": {"status": 200, "content": {}},
        },
    ]
    path = tmp_path / "browser.har"
    path.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})
    )

    results, faults = told(path, workspace())

    assert faults == []
    assert [one["counted"] for one in results if one["vendor"] == "launchdarkly"] == [1]


@pytest.mark.rule("launchdarkly.counting.arrival")
def test_requests_arrive_when_the_recording_says(new_lab: NewLab, tmp_path: Path) -> None:
    lab = new_lab(workspace())
    track(lab)
    lab.advance(60)
    bulk(lab, feature("u-1"))
    count, _ = counted(recorded(lab, tmp_path / "lab.ndjson"), load(workspace()))

    [found] = count.verdicts(user="u-1")

    assert [one.condition for one in found.unmet] == ["before-exposure"]
    assert "2026-01-02T03:01:00.000Z" in found.unmet[0].text


def test_the_demo_workspace_counts_where_none_is_named(new_lab: NewLab, tmp_path: Path) -> None:
    path = recorded(some(new_lab(workspace())), tmp_path / "lab.ndjson")

    results, _ = told(path, None)

    assert {one["experiment"] for one in results} >= {"page_title"}


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_counts_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.ndjson"
    path.write_bytes(content)

    results, faults = told(path, workspace())

    assert [one["events"] for one in results] == [0] * len(results)
    assert faults == []


@pytest.mark.parametrize("content", [b"\x00\xff\xfe", b"hello", b"[1, 2]", b'{"a": 1}', b"\x1f\x8b broken"])
def test_a_file_of_something_else_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.ndjson"
    path.write_bytes(content)
    try:
        _, faults = told(path, workspace())
    except TracksideError as error:
        faults = [str(error)]

    assert faults


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(TracksideError, match=r"none\.ndjson"):
        counted(tmp_path / "none.ndjson", None)


# ---- APIs in a recording


def test_an_experiment_that_was_stopped_in_the_recording_is_stopped(new_lab: NewLab, tmp_path: Path) -> None:
    from test_counting_of_lab import LaunchDarklyApi

    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    track(lab)
    lab.advance(60)
    LaunchDarklyApi().stop(lab)
    lab.advance(60)
    track(lab, messageId="m-2")
    there = [one.as_json() for one in lab.counting.verdicts(user="u-1")]
    assert [one["outcome"] for one in there] == ["counted", "not_counted"]

    count, faults = counted(recorded(lab, tmp_path / "lab.ndjson"), load(workspace()))

    found = [one.as_json() for one in count.verdicts(user="u-1")]
    assert faults == []
    assert [(one["outcome"], [each["text"] for each in one["unmet"]]) for one in found] == [
        (one["outcome"], [each["text"] for each in one["unmet"]]) for one in there
    ]


def test_a_metric_that_an_api_makes_after_its_events_reads_their_values(new_lab: NewLab, tmp_path: Path) -> None:
    lab = new_lab(workspace(launchdarkly={**LAUNCHDARKLY, "metrics": {}, "experiments": {}}))
    bulk(lab, feature("u-1"), custom("u-1", "Signed Up", metricValue=2.5))
    numeric = {**METRIC, "isNumeric": True, "unit": "€", "successCriteria": "HigherThanBaseline"}
    assert send(lab, "launchdarkly", "/api/v2/metrics/default", numeric, authorization="api-token").status == 201
    path = recorded(lab, tmp_path / "lab.ndjson")

    count, faults = counted(path, lab.workspace)

    assert faults == []
    [row] = count._ledger.events_of("u-1")  # noqa: SLF001 - no experiment has the metric
    assert row.facts == [2.5]


# ---- journals' files


def test_a_journals_file_counts_by_its_own_workspace(new_lab: NewLab, tmp_path: Path) -> None:
    lab = some(new_lab(workspace(), data=tmp_path / "journal.db"))
    there = [result_json(one) for one in lab.counting.results()]
    lab.stop()

    assert told(tmp_path / "journal.db", None) == (there, [])


def test_a_journals_file_counts_by_a_workspace_that_is_named(new_lab: NewLab, tmp_path: Path) -> None:
    lab = some(new_lab(workspace(), data=tmp_path / "journal.db"))
    lab.stop()
    other = workspace(launchdarkly={**LAUNCHDARKLY, "metrics": {"orders": {"event_key": "Signed Up"}}})

    results, _ = told(tmp_path / "journal.db", other)

    assert [one["counted"] for one in results if one["vendor"] == "launchdarkly"] == [0]


def test_a_journals_file_knows_the_messages_that_waited_for_a_retry(new_lab: NewLab, tmp_path: Path) -> None:
    lab = new_lab(workspace(), data=tmp_path / "journal.db")
    bulk(lab, feature("u-1"))
    lab.launchdarkly.fail(500)
    track(lab)
    lab.settle()
    lab.advance(3600)
    assert [one.counted for one in lab.counting.verdicts(user="u-1")] == [True]
    lab.stop()

    count, _ = counted(tmp_path / "journal.db", None)

    assert [one.counted for one in count.verdicts(user="u-1")] == [True]


def test_a_journal_of_deliveries_over_http_counts_them_once(new_lab: NewLab, tmp_path: Path) -> None:
    lab = new_lab(workspace(), data=tmp_path / "journal.db", deliveries="http").start()
    some(lab)
    lab.settle()
    there = [result_json(one) for one in lab.counting.results()]
    lab.stop()

    assert told(tmp_path / "journal.db", None) == (there, [])


def test_a_journal_of_which_an_api_changed_experiments_has_them_changed(new_lab: NewLab, tmp_path: Path) -> None:
    from test_counting_of_lab import LaunchDarklyApi

    lab = some(new_lab(workspace(), data=tmp_path / "journal.db"))
    lab.advance(60)
    LaunchDarklyApi().stop(lab)
    there = [one.status for one in (each for _, each in lab.counting.experiments("launchdarkly"))]
    lab.stop()

    count, _ = counted(tmp_path / "journal.db", None)

    assert [one.status for _, one in count.experiments("launchdarkly")] == there == ["stopped"]


# ---- nobody is asked


@pytest.fixture
def hook() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a server, and the paths that it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kept", ["recording", "journal"])
def test_no_request_leaves_while_a_file_is_counted(
    new_lab: NewLab, tmp_path: Path, hook: tuple[str, list[str]], kept: str
) -> None:
    address, asked = hook
    wired = workspace()
    wired["segment"]["destinations"]["hook"] = {"type": "webhook", "url": address}
    wired["segment"]["sources"]["web"]["destinations"].append("hook")
    data = {"data": tmp_path / "journal.db"} if kept == "journal" else {}
    lab = some(new_lab(wired, **data))
    lab.settle()
    assert len(asked) == 2
    path = tmp_path / "journal.db" if kept == "journal" else recorded(lab, tmp_path / "lab.ndjson")
    lab.stop()

    results, faults = told(path, wired)

    assert ([one["counted"] for one in results if one["vendor"] == "launchdarkly"], faults) == ([1], [])
    assert len(asked) == 2
