"""A Flask application for gunicorn's gevent worker: streams, and a path whose body goes into all of them."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, Response, request
from gevent.queue import Queue

app = Flask(__name__)
queues: list[Queue] = []


@app.get("/all")
def stream() -> Response:
    """Open a stream."""
    queue: Queue = Queue()
    queues.append(queue)

    def frames() -> Iterator[bytes]:
        yield b"event: put\ndata: " + b"{}" * 500 + b"\n\n"
        while True:
            yield queue.get()

    return Response(frames(), mimetype="text/event-stream")


@app.post("/change")
def change() -> str:
    """Write the body to every stream."""
    for queue in queues:
        queue.put(request.get_data())
    return ""
