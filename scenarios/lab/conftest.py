"""Labs that are called as functions, HTTP for those on sockets, and a receiver that stands for a user's own server."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from trackside.lab import Lab
from trackside.wire import Answer, Request


@pytest.fixture
def make_lab(new_lab: Any) -> Any:
    """Return a function that makes a lab without sockets, its clock standing still; stopped at the end."""
    return new_lab


@pytest.fixture
def lab(make_lab: Any) -> Lab:
    """A lab with the demo workspace: the source ``web`` feeds ``statsig``, ``fme-user`` (Split) and ``ld``."""
    return make_lab()


@pytest.fixture
def post() -> Any:
    """Return a function that posts JSON to a vendor of a lab, without sockets."""

    def to(lab: Lab, path: str, body: Any, vendor: str = "segment", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return lab.receive(vendor, Request("POST", path, headers, content))

    return to


@pytest.fixture
def track(post: Any) -> Any:
    """Return a function that sends a track call of u-1 with the messageId m-1 and gives its journey."""

    def to(lab: Lab, event: str = "Order Completed", **fields: Any) -> Any:
        call = {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "event": event, **fields}
        post(lab, "/v1/track", call)
        return lab.journey(call["messageId"])

    return to


@pytest.fixture
def http_json() -> Any:
    """Return a function that makes one HTTP request, its body as JSON, and gives the status and the answer's JSON."""

    def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(
                method, address.path + (f"?{address.query}" if address.query else ""), content, headers or {}
            )
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    return call


class Receiver:
    """A server of the user's on a free loopback port, which answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        """What to do next: a status, a tuple of status, headers and body, ``hang``, ``close``, or ``drip`` (a body that never ends)."""
        self.requests: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._released = threading.Event()
        self._server = self._started(0)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def _started(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = {"method": self.command, "path": self.path, "headers": headers, "body": body}
                answer = receiver.arrived(request)
                if answer == "hang":
                    receiver._released.wait(30)
                if answer in ("hang", "close"):
                    self.close_connection = True
                    return
                if answer == "drip":
                    self._drip()
                    return
                status, more, text = answer if isinstance(answer, tuple) else (answer, {}, b"")
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def _drip(self) -> None:
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):  # the other side has hung up
                    while not receiver._released.wait(0.05):
                        self.wfile.write(b".")
                self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def arrived(self, request: dict[str, Any]) -> Any:
        """Keep a request and return what to do with it."""
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def await_requests(self, count: int = 1) -> None:
        """Return when so many requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, timeout=5)

    def go(self) -> None:
        """Be gone: nobody listens on the port any more."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def come_back(self) -> None:
        """Listen again on the same port."""
        self._server = self._started(self.port)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A `Receiver` that answers 200 unless told otherwise."""
    server = Receiver()
    yield server
    server.go()


@pytest.fixture
def hooked(receiver: Receiver, make_lab: Any) -> Any:
    """Return a function that makes a lab whose source feeds the receiver by a webhook, and what else is named."""

    def make(*, retry: dict[str, Any] | None = None, more: dict[str, Any] | None = None, **webhook: Any) -> Lab:
        destinations = {"hook": {"type": "webhook", "url": receiver.url, **webhook}, **(more or {})}
        source = {"write_key": "wk_web", "destinations": list(destinations)}
        block: dict[str, Any] = {"sources": {"web": source}, "destinations": destinations}
        return make_lab({"segment": {**block, **({"retry": retry} if retry else {})}, "accept_any_key": True})

    return make
