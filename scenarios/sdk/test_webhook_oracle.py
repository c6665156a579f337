"""Generated webhook mappings, performed by trackside and by Segment's own webhook destination, compared one by one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from trackside.segment.actions import Mapping, compile_destination

pytestmark = pytest.mark.node

SEED = 20_261_121
COUNT = 2_000
NOW = 1_700_000_000.0
TRIGGER = 'type != "never"'

URLS = [
    "http://127.0.0.1:8010/hook",
    "https://example.test/a?b=c#d",
    "",
    None,
    "example.test",
    7,
    ["http://a.test/"],
    {},
    "http://[::1]/x",
]
METHODS = ["POST", "PUT", "PATCH", "GET", "post", "", None, 5, ["PUT"], {}]
HEADERS = [
    None,
    {},
    {"Authorization": "secret"},
    {"X-Number": 5, "X-Flag": True},
    "text",
    [],
    {"User-Agent": "mine", "content-type": "text/plain"},
]
DATA = [
    {"@path": "$."},
    {"@path": "$.properties"},
    {"a": 1.0, "2": "b", "1": None},
    None,
    "text",
    [],
    {"@path": "$.missing"},
    {},
]
EVENTS: list[dict[str, Any]] = [
    {
        "type": "track",
        "event": "Order \u00e9 \U0001f600 \u2028",
        "properties": {"z": 5.0, "10": 1e21, "2": [None, 1e-7, '\u0007"\\']},
    },
    {"type": "identify", "userId": "u1", "traits": {}},
]


class Cases:
    """Seeded mappings of the action Send, each field sometimes of the wrong kind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def case(self) -> dict[str, Any]:
        mapping = {
            "url": self.pick(URLS),
            "method": self.pick(METHODS),
            "headers": self.pick(HEADERS),
            "data": self.pick(DATA),
        }
        mapping |= self.pick(
            [
                {},
                {},
                {"batch_keys": ["url"]},
                {"batch_keys": "url"},
                {"batch_keys": [1, None, {}]},
                {"batch_size": "ten"},
            ]
        )
        settings = self.pick([{}, {"sharedSecret": "s3cret \u00e9"}, {"sharedSecret": ""}, {"sharedSecret": 5}])
        subscription = {"name": "Send", "partnerAction": "send", "subscribe": TRIGGER, "mapping": mapping}
        return {"kind": "webhook", "settings": settings, "event": self.pick(EVENTS), "subscriptions": [subscription]}

    def pick(self, options: list[Any]) -> Any:
        return self.random.choice(options[:2] if self.random.random() < 0.5 else options)


def ours(case: dict[str, Any]) -> dict[str, Any]:
    mapping = Mapping("send", "Send", TRIGGER, case["subscriptions"][0]["mapping"])
    (result,) = compile_destination("actions-webhook", case["settings"], [mapping])(case["event"], NOW)
    outgoing = result.outgoing
    if outgoing is None:
        return {"cause": result.cause}
    return {"method": outgoing.method, "url": outgoing.url, "headers": outgoing.headers, "text": outgoing.body.decode()}


def theirs(answer: list[dict[str, Any]]) -> dict[str, Any]:
    request = answer[0]["request"]
    if request is None:
        return {"cause": answer[0]["cause"]}
    return {name: request[name] for name in ("method", "url", "headers", "text")}


@pytest.mark.rule(
    "segment.webhook.request", "segment.webhook.signature", "segment.fields.invalid", "segment.actions.settings"
)
def test_generated_webhooks_send_what_segments_own_webhook_sends(oracle):
    cases = Cases(SEED)
    asked = [cases.case() for _ in range(COUNT)]
    found = [
        f"{json.dumps(case)}\n  Segment {theirs(answer)}\n  ours    {ours(case)}"
        for case, answer in zip(asked, oracle(asked), strict=True)
        if ours(case) != theirs(answer)
    ]
    assert not found, f"seed {SEED}: {len(found)} of {COUNT} differ\n" + "\n".join(found[:6])
