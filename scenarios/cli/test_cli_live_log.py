"""The live log: each event and its outcome, beside the lab and never in its way."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from trackside.cli.live import AT_ONCE, LiveLog
from trackside.cli.rows import line
from trackside.lab import Lab
from trackside.wire import Answer, Request

SECONDS = 20


@pytest.fixture
def lab() -> Iterator[Lab]:
    running = Lab(start_at=1767600000.0)
    yield running
    running.stop()


@pytest.fixture
def logs() -> Iterator[Callable[..., LiveLog]]:
    """Return a function that makes a log; it is ended with the test."""
    made: list[LiveLog] = []

    def make(lab: Lab, write: Callable[[dict], None]) -> LiveLog:
        made.append(LiveLog(lab, write))
        return made[-1]

    yield make
    for log in made:
        if log.is_alive():
            assert log.finish(SECONDS)


@pytest.fixture
def told(lab, logs) -> queue.Queue[dict]:
    """Return the rows of a log that runs."""
    rows: queue.Queue[dict] = queue.Queue()
    logs(lab, rows.put).start()
    return rows


def post(lab: Lab, path: str, body: object, vendor: str = "segment") -> Answer:
    return lab.receive(vendor, Request("POST", path, {}, json.dumps(body).encode()))


def track(lab: Lab, event: str = "Signed Up", **fields: object) -> Answer:
    return post(lab, "/v1/track", {"writeKey": "wk_web", "userId": "u-1", "event": event, **fields})


def batch(lab: Lab, calls: int) -> None:
    body = [{"type": "track", "event": f"E{number}", "userId": "u-1"} for number in range(calls)]
    post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": body})


def test_an_event_is_told_with_its_outcome_at_each_destination(lab, told):
    track(lab, messageId="m-1")
    row = told.get(timeout=SECONDS)
    assert (row["kind"], row["type"], row["event"], row["user"], row["message_id"]) == ("event", "track", "Signed Up", "u-1", "m-1")  # fmt: skip
    assert [(one["destination"], one["outcome"]) for one in row["deliveries"]] == [
        ("statsig", "delivered"),
        ("fme-user", "delivered"),
        ("ld", "delivered"),
    ]


@pytest.mark.rule("split.in.unnamed")
def test_the_line_of_an_event_names_the_rule_of_each_drop(lab, told):
    post(lab, "/v1/page", {"writeKey": "wk_web", "userId": "u-1"})
    text = line(told.get(timeout=SECONDS))
    assert text.startswith("08:00:00.000  page ")
    assert "fme-user: " in text
    assert "(split.in.unnamed)" in text


@pytest.mark.rule("segment.discard.no-id")
def test_a_discarded_call_is_told_with_its_rule(lab, told):
    track(lab, userId=None)
    text = line(told.get(timeout=SECONDS))
    assert "discarded" in text
    assert "segment.discard.no-id" in text


@pytest.mark.rule("segment.unknown-path")
def test_a_request_that_brings_no_event_is_told_too(lab, told):
    post(lab, "/v1/nowhere", {})
    row = told.get(timeout=SECONDS)
    assert (row["kind"], row["vendor"], row["path"], row["status"]) == ("request", "segment", "/v1/nowhere", 404)
    assert "POST /v1/nowhere to segment: " in line(row)
    assert "(segment.unknown-path)" in line(row)


@pytest.mark.rule("launchdarkly.events.not-an-array")
def test_a_request_straight_to_a_vendor_is_told(lab, told):
    post(lab, "/events/bulk/57be1db38b75bf0772d11384", {}, vendor="launchdarkly")
    row = told.get(timeout=SECONDS)
    assert (row["vendor"], row["status"]) == ("launchdarkly", 400)
    assert "launchdarkly.events.not-an-array" in line(row)


@pytest.mark.rule("segment.delivery.retry")
def test_an_event_is_told_again_when_a_retry_delivers_it(lab, told):
    lab.statsig.fail(503)
    track(lab)
    first = told.get(timeout=SECONDS)["deliveries"][0]
    lab.advance(3600)
    second = told.get(timeout=SECONDS)["deliveries"][0]
    assert (first["outcome"], first["answer"]) == ("awaiting_retry", 503)
    assert second["outcome"] == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_an_event_whose_retry_fails_alike_is_not_told_again(lab, told):
    lab.statsig.fail(503, times=2)
    track(lab, "Retried")
    assert told.get(timeout=SECONDS)["deliveries"][0]["outcome"] == "awaiting_retry"
    lab.advance(15)
    track(lab, "One")
    track(lab, "Two")
    assert [told.get(timeout=SECONDS)["event"] for _ in range(2)] == ["One", "Two"]
    lab.advance(3600)
    assert told.get(timeout=SECONDS)["event"] == "Retried"


def test_a_log_that_is_behind_counts_the_older_events_and_tells_the_newest(lab, logs):
    rows: queue.Queue[dict] = queue.Queue()
    log = logs(lab, rows.put)
    for _ in range(4):
        batch(lab, 100)
    log.start()
    assert rows.get(timeout=SECONDS) == {"kind": "more", "events": 200}
    assert [rows.get(timeout=SECONDS)["kind"] for _ in range(200)] == ["event"] * 200
    assert line({"kind": "more", "events": 200}).strip() == "… 200 more events"


def test_a_request_of_very_many_calls_is_only_counted(lab, told):
    batch(lab, AT_ONCE + 1)
    assert told.get(timeout=SECONDS) == {"kind": "more", "events": AT_ONCE + 1}


def test_what_the_journal_held_before_the_log_is_not_told(lab, logs):
    track(lab, "Before")
    rows: queue.Queue[dict] = queue.Queue()
    log = logs(lab, rows.put)
    track(lab, "After")
    log.start()
    assert rows.get(timeout=SECONDS)["event"] == "After"


def test_the_log_goes_on_after_a_reset(lab, told):
    track(lab, "Before")
    assert told.get(timeout=SECONDS)["event"] == "Before"
    lab.reset()
    track(lab, "After")
    assert told.get(timeout=SECONDS)["event"] == "After"


def test_a_writer_that_blocks_keeps_no_event_from_being_taken(lab, logs):
    blocked, go_on = threading.Event(), threading.Event()

    def write(_row: dict) -> None:
        blocked.set()
        go_on.wait(SECONDS)

    log = logs(lab, write)
    log.start()
    track(lab)
    assert blocked.wait(SECONDS)
    assert track(lab).status == 200
    assert not log.finish(0.01)
    go_on.set()


def test_a_reader_who_leaves_ends_the_log_and_nothing_else(lab, logs):
    def write(_row: dict) -> None:
        raise BrokenPipeError

    log = logs(lab, write)
    log.start()
    track(lab)
    log.join(SECONDS)
    assert not log.is_alive()
    assert track(lab).status == 200


def test_what_came_last_is_told_before_the_log_ends(lab, logs):
    rows: list[dict] = []
    log = logs(lab, rows.append)
    log.start()
    track(lab, "Last")
    assert log.finish(SECONDS)
    assert [row["event"] for row in rows] == ["Last"]


def test_text_of_an_event_cannot_steer_the_terminal(lab, told):
    track(lab, "a\x1b[2J\nb", userId="u\x07")
    text = line(told.get(timeout=SECONDS))
    assert not [part for part in ("\x1b[2J", "\n", "\x07") if part in text]
    assert "a\\x1b[2J\\nb" in text
