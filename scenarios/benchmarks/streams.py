"""Clients of server-sent events in a process of their own: opens many streams and tells when all of them saw a change.

    python streams.py URL COUNT [HEADER...]

Reads a line with a word from standard input and answers, once every stream has written that word, with the seconds of
the system's monotonic clock; the first answer, without being asked, comes when every stream has its first event.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from urllib.parse import urlsplit


def main() -> None:
    """Open the streams, then wait for each word that is asked for."""
    url, count, headers = urlsplit(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    assert url.hostname
    lines = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", "Accept: text/event-stream", *headers, "", ""]
    begin = time.monotonic()
    selector = selectors.DefaultSelector()
    streams = []
    for _ in range(count):
        stream = socket.create_connection((url.hostname, url.port or 80))
        stream.sendall("\r\n".join(lines).encode())
        selector.register(stream, selectors.EVENT_READ)
        streams.append(stream)
    _await(selector, streams, b"data:")
    print(time.monotonic() - begin, flush=True)
    for line in sys.stdin:
        _await(selector, streams, line.strip().encode())
        print(time.monotonic(), flush=True)


def _await(selector: selectors.BaseSelector, streams: list[socket.socket], word: bytes) -> None:
    waiting = set(streams)
    seen = dict.fromkeys(streams, b"")
    while waiting:
        for key, _events in selector.select():
            stream = key.fileobj
            assert isinstance(stream, socket.socket)
            data = stream.recv(65536)
            assert data, "a stream was closed"
            seen[stream] += data
            if word in seen[stream]:
                waiting.discard(stream)


if __name__ == "__main__":
    main()
