"""A small load generator: raw sockets, kept alive, requests made beforehand but for their messageIds.

Used by the benchmarks alike for trackside and for its peers; it checks every status and counts what it sends.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

ID = b"00000000-0000-4000-8000-000000000000"


def event(number: int) -> dict[str, object]:
    """Return a realistic track call of segment-analytics-python 2.4: about 600 bytes of JSON."""
    return {
        "integrations": {},
        "anonymousId": None,
        "properties": {
            "order_id": f"order-{number:06d}",
            "revenue": 49.95,
            "currency": "USD",
            "coupon": "AUTUMN",
            "products": [
                {"product_id": "sku-1", "name": "Trail Shoe", "price": 39.95, "quantity": 1, "category": "Shoes"},
                {"product_id": "sku-2", "name": "Wool Sock", "price": 5.0, "quantity": 2, "category": "Clothes"},
            ],
        },
        "timestamp": "2026-11-21T10:00:00.123+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": f"user-{number:06d}",
        "type": "track",
        "event": "Order Completed",
        "messageId": ID.decode(),
    }


def batch(size: int) -> bytes:
    """Return a batch body of ``size`` events."""
    body = {"batch": [event(number) for number in range(size)], "sentAt": "2026-11-21T10:00:00.223456+00:00"}
    return json.dumps({**body, "writeKey": "wk_web"}).encode()


def single() -> bytes:
    """Return the body of one track call."""
    return json.dumps({**event(0), "writeKey": "wk_web"}).encode()


@dataclass
class Result:
    """What a run did: requests answered 2xx, others, seconds, and the latencies in milliseconds, sorted."""

    good: int
    bad: int
    seconds: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """Return a latency percentile in milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


def run(
    url: str,
    path: str,
    body: bytes,
    *,
    requests: int,
    connections: int = 8,
    rate: float | None = None,
    first: int = 0,
) -> Result:
    """Send ``requests`` requests over kept-alive connections and return what happened.

    Args:
        url: the server's base address.
        path: where to POST.
        body: each messageId in it (`ID`) is replaced by one of its own.
        requests: how many in all.
        connections: how many at once, each one request at a time.
        rate: requests per second over all connections, evenly spaced; as fast as they go when None.
        first: the number that the first request of each connection has; what was sent before has lower ones, so that
            no messageId comes twice.
    """
    parts = body.split(ID)
    latencies: list[list[float]] = [[] for _ in range(connections)]
    bad = [0] * connections
    share = requests // connections
    started = threading.Barrier(connections + 1)

    def work(worker: int) -> None:
        target = urlsplit(url)
        sock = socket.create_connection((target.hostname or "127.0.0.1", target.port or 80))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = sock.makefile("rb")
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/json\r\n"
            f"Authorization: Basic d2tfd2ViOg==\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        started.wait()
        begin = time.perf_counter()
        for number in range(share):
            if rate is not None:
                ahead = begin + (number * connections + worker) / rate - time.perf_counter()
                if ahead > 0:
                    threading.Event().wait(ahead)
            sent = time.perf_counter()
            sock.sendall(head + _with_ids(parts, worker, first + number))
            if not 200 <= _status(stream) < 300:
                bad[worker] += 1
            latencies[worker].append((time.perf_counter() - sent) * 1000)
        sock.close()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(connections)]
    for thread in threads:
        thread.start()
    started.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    flat = sorted(one for some in latencies for one in some)
    return Result(len(flat) - sum(bad), sum(bad), seconds, flat)


def _with_ids(parts: list[bytes], worker: int, number: int) -> bytes:
    prefix = b"%08x-%04x-4000-8000-" % (number, worker)
    pieces = [parts[0]]
    for index, part in enumerate(parts[1:]):
        pieces += [prefix, b"%012x" % index, part]
    return b"".join(pieces)


def _status(stream: object) -> int:
    """Read one answer and return its status."""
    line: bytes = stream.readline()  # type: ignore[attr-defined]
    length = 0
    chunked = False
    while True:
        header: bytes = stream.readline()  # type: ignore[attr-defined]
        if header in (b"\r\n", b""):
            break
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        chunked = chunked or (name.lower() == b"transfer-encoding" and b"chunked" in value.lower())
    if chunked:
        while size := int(stream.readline(), 16):  # type: ignore[attr-defined]
            stream.read(size + 2)  # type: ignore[attr-defined]
        stream.readline()  # type: ignore[attr-defined]
    elif length:
        stream.read(length)  # type: ignore[attr-defined]
    return int(line.split()[1])
