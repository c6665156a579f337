"""One listening port per vendor and one for admin, all in one process: Flask applications behind one waitress server.

The only place that knows Flask or the server library.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Flask, Response
from flask import request as flask_request
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import WSGITask

from trackside.errors import TracksideError
from trackside.steps import Step
from trackside.wire import LOOPBACK, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.streams import Stream
    from trackside.vendor import Mock

ADMIN_PORT = 8800
THREADS = 8
"""Threads that answer; each open stream has one more of its own."""

CHUNK = 16
"""Threads that are started at a time while streams are open."""

STREAMS = 800
"""Streams that may be open at once."""

CONNECTIONS = 2_000
BODY_BYTES = 64 * 1024 * 1024
DECODED_BYTES = 16 * 1024 * 1024
ZSTD_STEP = 256
"""Bytes that are unpacked at a time: they hold 8 MiB at most."""

_MAKING = threading.Lock()
"""One application is made at a time: Python 3.11 cannot have its routes compiled by two threads at once."""

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Streamed = Callable[["Stream", Callable[[], bool]], "Iterator[bytes] | None"]


class Server:
    """Listens for a lab.

    Args:
        lab: whose vendors answer.
        host: the address to bind.
        ports: a fixed port by vendor; any free one for those left out.
    """

    def __init__(self, lab: Lab, host: str, ports: Mapping[str, int]) -> None:
        self._lab = lab
        self._host = host
        self._ports = ports
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._server: Any = None
        self._threads: _Threads | None = None
        self._apps: dict[str, Wsgi] = {}
        self.urls: dict[str, str] = {}

    def start(self) -> None:
        """Bind every port, then serve; a connection is taken from the moment of binding.

        Raises:
            TracksideError: a port is taken.
        """
        names = [*self._lab.mocks, "admin"]
        sockets = _bind(self._host, {name: self._ports.get(name, 0) for name in names})
        shown = f"[{self._host}]" if ":" in self._host else self._host
        ports = {name: bound.getsockname()[1] for name, bound in sockets.items()}
        self.urls = {name: f"http://{shown}:{port}" for name, port in ports.items()}
        vendors = {str(port): name for name, port in ports.items()}
        apps = self._apps

        def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            name = vendors[environ["SERVER_PORT"]]
            return (apps.get(name) or self._made(name))(environ, start_response)

        logging.getLogger("waitress").setLevel(logging.ERROR)
        self._server = create_server(
            dispatch,
            sockets=list(sockets.values()),
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_request_lookahead=1,  # else nobody sees that the client of a stream has gone
            asyncore_use_poll=True,
            max_request_body_size=BODY_BYTES,
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        for listener in self._listeners():
            listener.channel_class = _Channel
        self._threads = _Threads(self._server.task_dispatcher)
        self._thread = threading.Thread(target=self._server.run, name="trackside-server", daemon=True)
        self._thread.start()

    def _made(self, name: str) -> Wsgi:
        """Return an application that is made for its first request: who asks one vendor does not wait for the others."""
        with _MAKING:
            if name not in self._apps:
                self._apps[name] = self._app(name)
            return self._apps[name]

    def _app(self, name: str) -> Wsgi:
        if name == "admin":
            from trackside.admin import make_admin  # noqa: PLC0415 - only a lab that is asked for it needs it

            return make_admin(self._lab, local=self._host in LOOPBACK).wsgi_app
        return make_app(self._lab.mocks[name], self._lab, self._stopping, self._streamed).wsgi_app

    def _streamed(self, stream: Stream, connected: Callable[[], bool]) -> Iterator[bytes] | None:
        """Return what a stream writes, which has a thread to itself; None where too many are open."""
        threads = self._threads
        if threads is None or not threads.take():
            stream.end()
            return None

        def frames() -> Iterator[bytes]:
            try:
                yield from stream.frames(connected)
            finally:
                threads.give_back()

        return frames()

    def _listeners(self) -> Iterator[Any]:
        return (one for one in list(self._server.map.values()) if isinstance(one, BaseWSGIServer))

    def stop(self) -> None:
        """Stop listening, finish what is being answered, end the threads."""
        self._stopping.set()
        if self._server is None or self._thread is None:
            return
        if self._threads is not None:
            self._threads.stop()
        self._server.task_dispatcher.shutdown(timeout=2)
        sockets = self._server.map
        listener = next(self._listeners())
        # Only the server's own thread may close its sockets; the trigger wakes it from its poll.
        with contextlib.suppress(OSError):  # it was awake already, and has closed the trigger with the rest
            listener.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        self._thread.join(timeout=5)


class _Task(WSGITask):  # type: ignore[misc]  # waitress ships no types
    """An answer without ``Connection: close`` where it is a stream.

    waitress puts it on every chunked answer, and no vendor's stream has it: Python's HTTP client then lets go of the
    socket, so that Split's SDK cannot end its own stream.
    """

    def build_response_header(self) -> bytes:
        head: bytes = super().build_response_header()
        return head.replace(b"Connection: close\r\n", b"") if self.chunked_response else head


class _Channel(HTTPChannel):  # type: ignore[misc]  # as above
    task_class = _Task


class _Threads:
    """Lets a server have a thread for each open stream beside those that answer requests.

    They are started ahead, some at a time and in a thread of its own: a stream that opens does not wait for it.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._changed = threading.Condition()
        self._streams = 0
        self._count = THREADS
        self._stopped = False
        self._thread: threading.Thread | None = None

    def take(self) -> bool:
        """Count one stream more; returns whether it may be."""
        with self._changed:
            if self._streams >= STREAMS or self._stopped:
                return False
            self._streams += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trackside-threads", daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def give_back(self) -> None:
        """Count one stream less."""
        with self._changed:
            self._streams -= 1
            self._changed.notify()

    def stop(self) -> None:
        """Start and end no more threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()  # else it could start threads after the server has ended its own

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._wanted() != self._count)
                if self._stopped:
                    return
                count = self._count = self._wanted()
            self._dispatcher.set_thread_count(count)

    def _wanted(self) -> int:
        """Return how many threads there should be: between one and three chunks more than are in use."""
        used = THREADS + self._streams
        if self._streams and used + CHUNK <= self._count <= used + 3 * CHUNK:
            return self._count
        return used + 2 * CHUNK if self._streams else THREADS


def _bind(host: str, ports: Mapping[str, int]) -> dict[str, socket.socket]:
    """Return a bound socket per name; none stays bound when one cannot be."""
    sockets: dict[str, socket.socket] = {}
    try:
        for name, port in ports.items():
            sockets[name] = _bound(name, host, port)
    except TracksideError:
        for other in sockets.values():
            other.close()
        raise
    return sockets


def _bound(name: str, host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        if port:
            bound.listen(1)  # with SO_REUSEADDR only this tells whether somebody else listens
    except (OSError, OverflowError) as error:
        bound.close()
        why = error.strerror if isinstance(error, OSError) else "ports go from 0 to 65535"
        raise TracksideError(
            f"{name}'s port {port} cannot be bound: {why}{_holder(port)}",
            f"{host}:{port}",
            "end that program, or serve on free ports with --ephemeral",
        ) from error
    return bound


def _holder(port: int) -> str:
    """Return `` (held by NAME, process PID)`` where the system tells who listens on a port."""
    inodes = {inode for table in ("/proc/net/tcp", "/proc/net/tcp6") for inode in _listening(table, port)}
    processes = Path("/proc").glob("[0-9]*") if inodes else ()
    return next((told for process in processes if (told := _told_if_holding(process, inodes))), "")


def _listening(table: str, port: int) -> list[str]:
    """Return the sockets that listen on a port, as links in ``/proc/PID/fd`` name them."""
    try:
        rows = [row.split() for row in Path(table).read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return []
    return [f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]


def _told_if_holding(process: Path, inodes: set[str]) -> str:
    try:
        if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
            name = (process / "comm").read_text(encoding="utf-8").strip()
            return f" (held by {name}, process {process.name})"
    except OSError:  # it has ended, or belongs to somebody else
        pass
    return ""


def make_app(mock: Mock, lab: Lab, stopping: threading.Event | None = None, streamed: Streamed | None = None) -> Flask:
    """Return a Flask application that serves one vendor of a lab.

    Every path goes through the vendor's own table, which also serves deliveries inside the lab, so the two cannot
    drift apart.

    Args:
        mock: the vendor.
        lab: its lab.
        stopping: ends what an answer waits for.
        streamed: gives what an open stream writes, None where there may be no more.
    """
    app = Flask(f"trackside-{mock.name}", static_folder=None)
    app.url_map.merge_slashes = False
    name = mock.name
    stopping = stopping or threading.Event()

    def serve(path: str = "") -> Response:  # noqa: ARG001 - the path is read from the environment, undecoded parts and all
        environ = flask_request.environ
        if environ["REQUEST_METHOD"] == "OPTIONS" and (routes := _browser_routes(mock, environ)):
            return _preflight(routes, environ)
        try:
            answer = lab.receive(name, read_request(environ))
        except Exception as error:
            lab.errors.append(error)  # a test raises it where it can be seen
            raise
        if answer.delay:
            stopping.wait(answer.delay)
        response = _response(answer, mock, environ)
        if answer.stream is not None and streamed is not None:
            frames = streamed(answer.stream, lambda: not environ["waitress.client_disconnected"]())
            if frames is None:
                lab.tell(_too_many(), name, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
                return Response(status=503)
            del response.headers["Content-Length"]
            response.response = frames
        return response

    app.view_functions["serve"] = serve
    for path in ("/", "/<path:path>"):  # rules of their own, as add_url_rule takes no rule for every method
        app.url_map.add(app.url_rule_class(path, endpoint="serve"))
    return app


def _too_many() -> Step:
    text = f"too many streams are open ({STREAMS}), so that one more is answered 503"
    return Step("fault", "", text, fix="close clients that are no longer used", level="error")


def read_request(environ: Mapping[str, Any]) -> Request:
    """Return a WSGI request with its body decoded."""
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    body, fault = decoded(environ["wsgi.input"].read(), headers.get("content-encoding", ""))
    text = environ.get("QUERY_STRING", "")
    query: dict[str, str] = {}
    for key, value in parse_qsl(text, keep_blank_values=True) if text else ():
        query.setdefault(key, value)
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    remote = environ.get("REMOTE_ADDR", "127.0.0.1")
    return Request(environ["REQUEST_METHOD"], path, headers, body, query, undecodable=fault, remote=remote)


def decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Return a body with its content encoding undone, and why that failed (then the body as it came)."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body, ""
    if encoding == "zstd":
        return _unzstd(body)
    if encoding not in ("gzip", "x-gzip"):
        return body, f"the content encoding {encoding!r} is not supported"
    return gunzipped(body)


def _unzstd(body: bytes) -> tuple[bytes, str]:
    import zstandard  # noqa: PLC0415 - of all SDKs only Statsig's for Node sends it

    plain, undo, ended = bytearray(), zstandard.ZstdDecompressor().decompressobj(), True
    try:
        for start in range(0, len(body), ZSTD_STEP):
            rest = body[start : start + ZSTD_STEP]
            while rest:
                plain += undo.decompress(rest)
                if len(plain) > DECODED_BYTES:
                    return b"", f"the zstd body holds more than {DECODED_BYTES} bytes"
                ended, rest = undo.eof, undo.unused_data
                if ended:  # a zstd body may consist of several frames
                    undo = zstandard.ZstdDecompressor().decompressobj()
    except zstandard.ZstdError as error:
        return body, f"the body is not zstd: {error}"
    return (bytes(plain), "") if ended else (body, "the zstd body is cut short")


def gunzipped(body: bytes) -> tuple[bytes, str]:
    """Return a gzip body unpacked, and why that failed (then the body as it came)."""
    plain, rest = b"", body
    while rest:  # a gzip body may consist of several parts
        undo = zlib.decompressobj(wbits=31)
        try:
            plain += undo.decompress(rest, DECODED_BYTES + 1 - len(plain))
        except zlib.error as error:
            return body, f"the body is not gzip: {error}"
        if len(plain) > DECODED_BYTES:
            return b"", f"the gzip body holds more than {DECODED_BYTES} bytes"
        if not undo.eof:
            return body, "the gzip body is cut short"
        rest = undo.unused_data
    return plain, ""


def _response(answer: Answer, mock: Mock, environ: Mapping[str, Any]) -> Response:
    response = Response(answer.body, status=answer.status)
    response.headers.clear()
    for key, value in answer.headers.items():
        response.headers[key] = value
    response.headers["Content-Length"] = str(len(answer.body))
    origin = environ.get("HTTP_ORIGIN")
    if origin and _browser_routes(mock, environ):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Date"
        response.headers["Vary"] = "Origin"
    return response


def _browser_routes(mock: Mock, environ: Mapping[str, Any]) -> list[Route[Any]]:
    """Return the routes of a path that browsers call."""
    return [route for route in mock.router.at(environ.get("PATH_INFO", "/")) if route.browser]


def _preflight(routes: list[Route[Any]], environ: Mapping[str, Any]) -> Response:
    """Answer a CORS preflight: what is asked for is allowed, by name, as ``*`` would not cover Authorization (segment.cors)."""
    response = Response(status=204)
    response.headers.clear()
    methods = sorted({method for route in routes for method in route.methods} | {"OPTIONS"})
    response.headers["Access-Control-Allow-Origin"] = environ.get("HTTP_ORIGIN", "*")
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
    asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS") or "authorization, content-type, x-retry-count"
    response.headers["Access-Control-Allow-Headers"] = asked
    response.headers["Access-Control-Max-Age"] = "300"
    response.headers["Vary"] = "Origin"
    return response
