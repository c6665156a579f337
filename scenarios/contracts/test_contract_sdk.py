"""What the vendors' published SDKs send keeps the contracts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest

from trackside import catalog

pytestmark = pytest.mark.rule("segment.contract")


class Recorder(HTTPServer):
    """A loopback server that keeps the bodies it gets."""

    bodies: list[Any]


class Recording(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        self.server.bodies.append(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"success": true}')

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder(("127.0.0.1", 0), Recording)
    server.bodies = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_call_of_the_python_sdk_keeps_the_batch_contract(recorder: Recorder) -> None:
    from segment.analytics.client import Client

    client = Client("wk_web", host=f"http://127.0.0.1:{recorder.server_port}", sync_mode=True)
    client.track("u-1", "Order Completed", {"revenue": 12.5})
    client.track(anonymous_id="a-1", event="Order Completed")
    client.identify(42, {"plan": "gold"})
    client.page("u-1")
    client.screen("u-1", "Shop", "Checkout", {"step": 2})
    client.group("u-1", "g-1", {"name": "Acme"})
    client.alias("a-1", "u-1")

    assert [body["batch"][0]["type"] for body in recorder.bodies] == [
        "track",
        "track",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
    ]
    assert [fault.text for body in recorder.bodies for fault in catalog.faults("segment/batch", body)] == []
