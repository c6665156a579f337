"""The journal in a SQLite file: nothing accepted is lost, not by a restart and not by kill -9."""

import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from trackside.errors import TracksideError, WorkspaceError
from trackside.lab import Lab
from trackside.wire import Request

NOW = 1767322800.0

SERVE = """
import json, sys
from trackside.lab import Lab
lab = Lab(data=sys.argv[1]).start()
print(json.dumps(lab.urls), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def reopened(tmp_path, make_lab):
    """Return a function that closes the lab of the last call and opens one on the same file."""
    labs = []

    def again(workspace=None, **options):
        if labs:
            labs[-1].stop()
        labs.append(make_lab(workspace, data=tmp_path / "journal.sqlite", **options))
        return labs[-1]

    return again


def shown(lab):
    return json.loads(json.dumps([journey.as_json() for journey in lab.journeys()]))


# ---- a restart


def test_journeys_read_the_same_after_a_restart(reopened, post):
    lab = reopened()
    calls = [
        {"type": "track", "userId": "u-1", "event": "Zoë bought 日本", "properties": {"value": 42}},
        {"type": "track", "userId": "u-1"},
        {"type": "page", "anonymousId": "a-1", "timestamp": "yesterday"},
        7,
    ]
    post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": calls, "context": {"direct": True}})
    before = shown(lab)

    assert shown(reopened()) == before != []


def test_requests_and_their_steps_read_the_same_after_a_restart(reopened, post):
    lab = reopened()
    post(lab, "/v1/track", b"no JSON")
    post(lab, "/v9/nowhere", {}, vendor="statsig")
    post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": []})
    lab.split.fail(503)
    post(lab, "/segment", {}, vendor="split")

    def rows(lab):
        return [
            (row.seq, row.vendor, row.request, row.status, row.answer, list(lab.steps_of(row)))
            for row in lab.exchanges()
        ]

    before = rows(lab)

    assert rows(reopened()) == before
    assert [row[3] for row in before] == [400, 404, 200, 503]


@pytest.mark.rule("segment.pixel")
def test_a_pixels_query_is_kept(reopened):
    lab = reopened()
    query = {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "event": "E"}
    lab.receive("segment", Request("GET", "/v1/pixel/track", {}, b"", query))

    assert reopened().journey("m-1").message["event"] == "E"


@pytest.mark.rule("segment.dedup")
def test_message_ids_from_before_a_restart_are_remembered(reopened, track):
    track(reopened())

    lab = reopened()
    track(lab)

    assert [journey.outcome for journey in lab.journeys()] == ["accepted", "duplicate"]


def test_numbers_go_on_after_a_restart(reopened, track):
    track(reopened())

    lab = reopened()
    track(lab, messageId="m-2")

    assert [row.seq for row in lab.exchanges()] == [1, 2]


def test_old_messages_are_read_under_the_workspace_of_their_time(reopened, track):
    track(reopened())

    lab = reopened({"segment": {"sources": {"web": {"write_key": "wk_web"}}}})
    track(lab, messageId="m-2")

    assert [len(journey.deliveries) for journey in lab.journeys()] == [3, 0]


@pytest.mark.rule("segment.delivery.retry")
def test_attempts_are_kept_and_a_delivery_that_waits_goes_on(reopened, track):
    lab = reopened()
    lab.statsig.fail(500, times=2)
    track(lab)
    lab.advance(10)

    lab = reopened(start_at=NOW + 10)
    assert lab.journey("m-1").delivery("statsig").outcome == "awaiting_retry"
    lab.advance(60)

    sent = lab.journey("m-1").delivery("statsig").sent[0]
    assert [attempt.status for attempt in sent.attempts] == [500, 500, 200]


@pytest.mark.rule("segment.delivery.retry")
def test_a_delivery_that_was_over_is_not_made_again(reopened, track, receiver):
    workspace = {
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["hook"]}},
            "destinations": {"hook": {"type": "webhook", "url": receiver.url}},
        }
    }
    lab = reopened(workspace)
    track(lab)
    lab.settle()

    lab = reopened(workspace)
    lab.settle()

    assert len(receiver.requests) == 1
    assert lab.journey("m-1").delivery("hook").outcome == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_a_delivery_that_was_under_way_is_made_again(reopened, track, receiver):
    workspace = {
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["hook"]}},
            "destinations": {"hook": {"type": "webhook", "url": receiver.url}},
        }
    }
    receiver.answers = ["hang"]
    track(reopened(workspace))
    receiver.await_requests()

    lab = reopened(workspace)
    lab.settle()

    assert lab.journey("m-1").delivery("hook").outcome == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_deliveries_over_http_go_on_once_the_ports_are_open(reopened, track):
    lab = reopened(deliveries="http").start()
    lab.statsig.fail(500)
    track(lab)
    lab.settle()

    lab = reopened(deliveries="http", start_at=NOW + 60).start()
    lab.settle()

    assert lab.journey("m-1").delivery("statsig").outcome == "delivered"


def test_a_reset_forgets_what_the_file_holds(reopened, track):
    lab = reopened()
    lab.statsig.fail(500)
    track(lab)
    lab.reset()

    lab = reopened()

    assert lab.exchanges() == []
    assert track(lab).outcome == "accepted"


def test_the_limit_holds_for_the_file_as_well(reopened, track):
    lab = reopened(limit=2)
    for number in range(4):
        track(lab, messageId=f"m-{number}")

    assert [journey.get("messageId") for journey in reopened(limit=2).journeys()] == ["m-2", "m-3"]


# ---- kill -9


@pytest.fixture
def killed(tmp_path, http_json):
    """Return a function that serves on a file, sends calls until each is answered 200, and kills the process."""

    def run(calls):
        file = tmp_path / "journal.sqlite"
        command = [sys.executable, "-c", SERVE, str(file)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as served:
            try:
                url = json.loads(served.stdout.readline())["segment"]
                assert {http_json("POST", f"{url}/v1/track", call)[0] for call in calls} == {200}
            finally:
                os.kill(served.pid, signal.SIGKILL)
        return file

    return run


def test_what_was_answered_200_is_there_after_kill_9(killed, make_lab):
    calls = [{"writeKey": "wk_web", "messageId": f"m-{number}", "userId": "u-1", "event": "E"} for number in range(50)]

    lab = make_lab(data=killed(calls))

    assert [journey.call for journey in lab.journeys()] == calls
    assert len(lab.statsig.events()) == 50


# ---- files that will not do


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 100])
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    file = tmp_path / "notes.txt"
    file.write_bytes(content)

    with pytest.raises(TracksideError, match="the journal cannot be kept: file is not a database"):
        Lab(data=file)
    assert file.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path):
    file = tmp_path / "shop.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE exchange (rate REAL)")
    database.close()
    before = file.read_bytes()

    with pytest.raises(TracksideError, match="another program wrote the file"):
        Lab(data=file)
    assert file.read_bytes() == before


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(TracksideError, match=r"unable to open database file.*journal\.sqlite"):
        Lab(data=tmp_path / "nowhere" / "journal.sqlite")


def test_two_labs_cannot_share_a_file(tmp_path, make_lab):
    make_lab(data=tmp_path / "journal.sqlite")

    with pytest.raises(TracksideError, match="database is locked") as caught:
        Lab(data=tmp_path / "journal.sqlite")
    assert caught.value.fix == "name a new file, or one that trackside wrote and nothing else has open"


def test_a_workspace_with_faults_leaves_the_file_free(tmp_path, make_lab):
    with pytest.raises(WorkspaceError):
        Lab({"segmnt": {}}, data=tmp_path / "journal.sqlite")

    assert make_lab(data=tmp_path / "journal.sqlite").stats()["accepted"] == 0


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        ("UPDATE exchange SET head = '{}'", "KeyError('intake')"),
        ("""UPDATE workspace SET document = '{"segmnt": {}}'""", "segmnt is not a known field"),
    ],
)
def test_a_journal_that_this_version_cannot_read_is_told_and_left_free(reopened, track, tmp_path, spoil, what):
    lab = reopened()
    track(lab)
    lab.stop()
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as database:
        database.execute(spoil)
    database.close()

    with pytest.raises(TracksideError, match="the journal cannot be read") as caught:
        Lab(data=file)
    assert what in caught.value.what
    assert caught.value.where == str(file)
    sqlite3.connect(file, timeout=0.1).execute("DELETE FROM exchange").connection.close()


def test_a_lab_that_was_stopped_does_not_start_without_its_file(tmp_path, make_lab):
    lab = make_lab(data=tmp_path / "journal.sqlite").start()
    lab.stop()
    with pytest.raises(TracksideError, match="the lab was stopped and its file is closed"):
        lab.start()
