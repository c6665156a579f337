"""The impressions webhook: what SDKs post of impressions is posted on to an address of the workspace."""

from __future__ import annotations

import gzip
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import orjson

from trackside.split.admin_state import id_of
from trackside.steps import Record, Step
from trackside.wire import JSON, Answer, Outgoing, Request

if TYPE_CHECKING:
    from trackside.split.store import Split

RETRY_SECONDS = 0.3
TIMEOUT_SECONDS = 5.0
PLAIN_HOSTS = ("slack.com", "fivetran.com")
"""Hosts that are never sent gzip (split.webhook.gzip)."""

_ALWAYS = ("key", "split", "environmentName", "treatment", "time", "label", "splitVersionNumber", "sdk", "sdkVersion")
_WHERE_KNOWN = ("bucketingKey", "machineName", "machineIp")
FIELDS = (*_ALWAYS, "environmentId", *_WHERE_KNOWN, "properties")
"""Every field of the payload (split.webhook)."""


def payload(impressions: Iterable[Record]) -> list[dict[str, Any]]:
    """Return impressions as the webhook's payload has them (split.webhook).

    >>> [row] = payload([{"kind": "impression", "split": "banner", "key": "u-1", "properties": {"a": 1},
    ...                   "environmentName": "production"}])
    >>> row["split"], row["properties"]
    ('banner', '{"a":1}')
    """
    return [row_of(one) for one in impressions if one["kind"] == "impression"]


def row_of(one: Record) -> dict[str, Any]:
    """Return one impression as the webhook's payload has it; what is not known of it is left out (split.webhook)."""
    row = {name: one.get(name) for name in _ALWAYS}
    row["environmentId"] = id_of("environment", one["environmentName"])
    row |= {name: one[name] for name in _WHERE_KNOWN if one.get(name) is not None}
    if one.get("properties") is not None:
        row["properties"] = orjson.dumps(one["properties"]).decode()
    return row


def outgoing(impressions: Iterable[Record], url: str) -> Outgoing | None:
    """Return the request to the webhook, None where there is nothing to send; compressed, but for some (split.webhook.gzip)."""
    rows = payload(impressions)
    if not rows:
        return None
    body, headers = orjson.dumps(rows), {"Content-Type": JSON}
    if not _plain(url):
        body, headers = gzip.compress(body, mtime=0), {**headers, "Content-Encoding": "gzip"}
    return Outgoing("POST", url, headers, body)


def _plain(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    to_plain_host = any(host == known or host.endswith(f".{known}") for known in PLAIN_HOSTS)
    return to_plain_host or parse_qs(parts.query).get("gzip", [""])[-1].lower() == "false"


def forward(_request: Request, answer: Answer, live: Split) -> Answer:
    """Hand the impressions of a post on to the webhook, and return the post's own answer: the SDK never waits for it."""
    webhook = live.settings.impressions_webhook
    if webhook is not None and (request := outgoing(answer.records, webhook.url)) is not None:
        live.webhook.send(request)
    return answer


@dataclass(slots=True)
class _Job:
    request: Outgoing
    round: int


class Webhook:
    """Posts to the webhook, one request after the other, in a thread of its own that begins with the first one.

    Attributes:
        tell: takes a finding.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Step], None] = lambda _: None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._round = 0
        self._waiting = 0
        self._changed = threading.Condition()

    def send(self, request: Outgoing) -> None:
        """Let a request be made soon."""
        if self._closed.is_set():
            return
        with self._changed:
            self._waiting += 1
        self._jobs.put(_Job(request, self._round))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="trackside-split-webhook", daemon=True)
            self._thread.start()

    def reset(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._round += 1
            self._waiting = 0
            self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Return whether, within so many seconds, every request was made, those again included that failed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting == 0 or self._closed.is_set(), timeout)

    def close(self) -> None:
        """End the thread; what waits is not sent."""
        self._closed.set()
        self._jobs.put(None)
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.round == self._round and not self._closed.is_set():
                self._deliver(job)
            with self._changed:
                self._waiting -= job.round == self._round
                self._changed.notify_all()

    def _deliver(self, job: _Job) -> None:
        """Make a request, and once more after 300 ms where the answer is not 200 (split.webhook.retry)."""
        fault = _attempt(job.request)
        if fault:
            if self._closed.wait(RETRY_SECONDS) or job.round != self._round:
                return
            fault = _attempt(job.request)
        if fault and job.round == self._round and not self._closed.is_set():
            text = f"the impressions webhook did not take the impressions, twice: {fault}"
            fix = "let the address answer 200"
            self.tell(Step("fault", "split.webhook.retry", text, "$.split.impressions_webhook.url", fix, "error"))


def _attempt(request: Outgoing) -> str:
    """Make a request; returns why it failed, empty where the answer is 200."""
    import urllib3  # noqa: PLC0415 - slow to import, and most workspaces have no webhook

    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT_SECONDS) as pool:
            answer = pool.request(
                request.method, request.url, body=request.body, headers=request.headers, redirect=False
            )
    except (urllib3.exceptions.HTTPError, ValueError) as error:  # no such host, nobody listens, no answer, no address
        return type(error).__name__
    return "" if answer.status == 200 else f"status {answer.status}"
