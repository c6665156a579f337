"""A Segment that is called as a function, with a clock that stands still; and an HTTP client for the one on sockets."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from trackside.lab import Lab
from trackside.wire import Request

NOW = 1767322800.0
"""2026-01-02T03:00:00Z, the time of every request."""

WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
        "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": {"server_secret": "secret-local"},
}


@pytest.fixture
def changed_lab(new_lab: Any) -> Any:
    """Return a function from a workspace, and destinations by name that are changed or new, to a lab without sockets."""

    def make(workspace: dict[str, Any], destinations: dict[str, Any], **options: Any) -> Lab:
        rows = dict(workspace["segment"]["destinations"])
        rows |= {name: {**rows.get(name, {}), **changed} for name, changed in destinations.items()}
        return new_lab({**workspace, "segment": {**workspace["segment"], "destinations": rows}}, **options)

    return make


class Segment:
    """Segment of one lab, called without sockets."""

    def __init__(self, workspace: Any, **options: Any) -> None:
        self.lab = Lab(workspace, start_at=NOW, **options)

    def request(self, method: str, path: str, body: Any = b"", query: dict[str, str] | None = None, **headers: str):
        """Return the answer to a request; a body that is no bytes is sent as JSON, header names take ``_`` for ``-``."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.lab.receive("segment", Request(method, path, named, content, query or {}))

    def post(self, path: str, body: Any, key: str | None = "wk_web", **headers: str):
        """Return the answer to a POST with the write key as Basic user name."""
        if key is not None:
            headers = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(), **headers}
        return self.request("POST", path, body, **headers)

    def send(self, kind: str, /, **call: Any):
        """Post one call to its own path and return its journey."""
        self.post(f"/v1/{kind}", call)
        return list(self.lab.journeys())[-1]

    def batch(self, *calls: Any, **outer: Any):
        """Post a batch and return the journeys of its calls."""
        self.post("/v1/batch", {**outer, "batch": list(calls)})
        return self.lab.journeys_of.of(self.exchange())

    def exchange(self):
        """Return the last request as it was kept."""
        return self.lab.exchanges("segment")[-1]


@pytest.fixture
def make_segment():
    """Return a function from ``segment`` settings beside the source's and the destination's to a `Segment`."""

    made: list[Segment] = []

    def make(_more: dict[str, Any] | None = None, **settings: Any) -> Segment:
        made.append(Segment({**WORKSPACE, "segment": {**WORKSPACE["segment"], **settings}, **(_more or {})}))
        return made[-1]

    yield make
    for segment in made:
        segment.lab.stop()


@pytest.fixture
def segment(make_segment):
    """One source ``web`` with the write key wk_web that feeds a Statsig destination."""
    return make_segment()


@pytest.fixture
def http_call():
    """Return a function that makes one HTTP request and gives its status, headers and body."""

    def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None):
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        path = address.path + (f"?{address.query}" if address.query else "")
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=not isinstance(body, bytes | None))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    return call
