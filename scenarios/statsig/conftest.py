"""Requests to the Statsig of a running lab, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import urllib3

Call = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def call(trackside: Any) -> Iterator[Call]:
    """Return a function that sends one request: a path, a body (text as it is, all else as JSON), headers."""
    pool = urllib3.PoolManager()

    def send(path: str, body: Any = None, method: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
        content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        url = path if path.startswith("http") else f"{trackside.statsig.url}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        method = method or ("GET" if body is None else "POST")
        return pool.request(method, url, body=content, headers=named, retries=False)

    yield send
    pool.clear()
