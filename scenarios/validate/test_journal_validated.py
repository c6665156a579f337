"""``trackside validate http://127.0.0.1:8800``: the journal of a running lab."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import urllib3
from click.testing import Result

from trackside.lab import Lab

TRACK = {"writeKey": "wk_web", "type": "track", "userId": "u-1", "event": "A"}
Validate = Callable[..., Result]


def post(lab: Lab, path: str, body: Any, vendor: str = "segment") -> None:
    urllib3.request("POST", lab.urls[vendor] + path, json=body, retries=False, timeout=20)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Give the address of a server that answers always the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=20)
    server.server_close()


@pytest.mark.rule("trackside.input.recording")
def test_what_came_to_a_lab_is_held_in_both_directions(trackside: Lab, validate: Validate) -> None:
    post(trackside, "/v1/track", TRACK)
    post(trackside, "/v1/track", {**TRACK, "userId": 5})
    admin = trackside.urls["admin"]
    result = validate(admin)
    assert result.exit_code == 1
    assert f"{admin}: strict segment/track.type" in result.output
    assert ".request.body.userId." in result.output
    assert "2 segment/track, as POST /v1/track of segment" in result.output
    assert "segment/success-answer, as 200 to POST /v1/track of segment" in result.output


def test_a_journal_of_several_pages_is_read_to_its_end(
    trackside: Lab, validate: Validate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackside.validation.journal._ROWS", 3)
    for number in range(10):
        post(trackside, "/v1/track", {**TRACK, "messageId": f"m-{number}"})
    assert "10 segment/track, as POST /v1/track of segment" in validate(trackside.urls["admin"]).output


def test_an_address_may_end_with_a_slash_and_stand_beside_files(trackside: Lab, validate: Validate) -> None:
    post(trackside, "/v1/track", TRACK)
    result = validate(trackside.urls["admin"] + "/", "events.ndjson", events=json.dumps(TRACK))
    assert result.exit_code == 0
    assert "3 payloads in 2 files" in result.output


def test_a_lab_that_nothing_came_to_has_no_payloads(trackside: Lab, validate: Validate) -> None:
    result = validate(trackside.urls["admin"])
    assert (result.exit_code, "0 payloads in 1 file" in result.output) == (0, True)


@pytest.mark.rule("trackside.input.evicted")
def test_requests_that_the_journal_no_longer_has_are_told(make_trackside: Any, validate: Validate) -> None:
    lab = make_trackside(limit=5)
    for number in range(20):
        post(lab, "/v1/track", {**TRACK, "messageId": f"m-{number}"})
    result = validate(lab.urls["admin"])
    assert "warn trackside.input.evicted" in result.output
    assert "the journal no longer has" in result.output
    assert result.exit_code == 0


@pytest.mark.parametrize("address", ["http://127.0.0.1:{free}", "https://127.0.0.1:{free}", "http://[::1"])
def test_a_lab_that_does_not_answer_is_wrong_use_and_the_files_are_checked(validate: Validate, address: str) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        result = validate(address.format(free=one.getsockname()[1]), "events.ndjson", events=json.dumps(TRACK))
    assert result.exit_code == 2
    assert "the control API does not answer" in result.stderr
    assert "start trackside serve, and name the address that it prints for the control API" in result.stderr
    assert "1 segment/track, as type is track" in result.output


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, b"<html>", "the control API does not answer"),
        (200, b'{"hello": 1}', "what answers is no control API of trackside"),
        (200, b"[]", "what answers is no control API of trackside"),
        (
            200,
            b'{"lines": [], "after": "x", "more": 1, "missing": null}',
            "what answers is no control API of trackside",
        ),
        (401, b'{"error": {"what": "the token is wrong", "fix": "give it"}}', "the token is wrong"),
        (200, b'{"lines": [], "after": 0, "more": true, "missing": 0}', "what answers is no control API of trackside"),
        (500, b"[]", "500"),
    ],
)
def test_what_is_no_lab_is_wrong_use(validate: Validate, status: int, body: bytes, what: str) -> None:
    with answering(status, body) as address:
        result = validate(address)
    assert result.exit_code == 2
    assert what in result.stderr


def test_the_token_is_sent(validate: Validate, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "trackside.cli.control.Control.ask",
        lambda self, *_: (
            asked.append(self._headers.get("Authorization")) or {"lines": [], "after": 0, "more": False, "missing": 0}
        ),
    )
    assert validate("http://10.0.0.5:8800", "--admin-token", "secret").exit_code == 0
    assert asked == ["Bearer secret"]
