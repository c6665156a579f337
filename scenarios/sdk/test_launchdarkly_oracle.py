"""Ten thousand events through trackside's LaunchDarkly destination and through Segment's own, compared one by one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from faker import Faker

from trackside.segment.actions import ActionResult, Mapping, Sender, compile_destination

pytestmark = pytest.mark.node

SEED = 20_261_121
COUNT = 10_000
NOW = 1_700_000_000.0
SETTINGS = {"client_id": "57be1db38b75bf0772d11384"}

ODD = [
    *[None] * 6,
    "",
    " ",
    0,
    1,
    -1,
    5.0,
    12.5,
    True,
    False,
    [],
    {},
    [1],
    ["x"],
    [None],
    [""],
    [{}],
    [[5]],
    [1, 2],
    {"a": 1},
]
ODD += ["null", "undefined", "\u00e9\U0001f600", 1e21, 1e-7, 9_007_199_254_740_993]
REVENUES = [
    None,
    "",
    "12.5",
    " 12 ",
    "1e3",
    "$12",
    "1,200.50",
    "abc",
    "0x10",
    "Infinity",
    "-Infinity",
    "1e400",
    "NaN",
    "   ",
]
REVENUES += [
    "-0",
    ".5",
    "5.",
    "+7",
    "1_000",
    "0b11",
    "0o17",
    "12px",
    "\u00a07",
    0,
    -3,
    49.95,
    True,
    False,
    [],
    [5],
    ["7"],
    [None],
]
REVENUES += [[True], [""], [{}], [[5]], {}, {"amount": 5}, 1e300, 0.1, 10_000_000_000_000_000_000]
TYPES = ["track"] * 8 + ["identify"] * 3 + ["alias"] * 2 + ["page", "screen", "group"]
CONTEXTS = [
    None,
    {},
    {"personas": None},
    {"personas": {}},
    {"personas": {"computation_class": "audience"}},
    "web",
    [],
    7,
]


class Events:
    """Seeded Segment events: mostly as SDKs send them, each part sometimes missing or of the wrong kind."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fake = Faker(seed=seed)
        self.fake.seed_instance(seed)

    def event(self) -> dict[str, Any]:
        kind = self.random.choice(TYPES)
        event: dict[str, Any] = {"type": kind, "messageId": self.fake.uuid4()}
        self.put(event, "userId", self.fake.uuid4, missing=0.3)
        self.put(event, "anonymousId", self.fake.uuid4, missing=0.3)
        self.put(event, "timestamp", self.timestamp, missing=0.1)
        if kind == "track":
            self.put(event, "event", self.fake.catch_phrase, missing=0.05)
            self.put(event, "properties", self.properties, missing=0.1)
        if kind == "alias" or self.chance(0.05):
            self.put(event, "previousId", self.fake.uuid4, missing=0.2)
        if kind in ("identify", "group"):
            self.put(event, "traits", lambda: {"email": self.fake.email()}, missing=0.2)
        if self.chance(0.1):
            event["context"] = self.random.choice(CONTEXTS)
        return event

    def put(self, event: dict[str, Any], key: str, usual: Any, missing: float) -> None:
        if not self.chance(missing):
            event[key] = self.random.choice(ODD) if self.chance(0.12) else usual()

    def properties(self) -> dict[str, Any]:
        properties = {"sku": self.fake.ean8(), "title": self.fake.sentence(), "tags": self.fake.words(3)}
        for key in ("revenue", "value"):
            if self.chance(0.5):
                properties[key] = self.random.choice(REVENUES) if self.chance(0.6) else self.random.uniform(-9, 999)
        return properties

    def timestamp(self) -> Any:
        when = self.fake.date_time_between("-30y", "+5y")
        milliseconds = int(when.timestamp() * 1000)
        forms = [
            f"{when:%Y-%m-%dT%H:%M:%S}.{self.random.randint(0, 999):03d}Z",
            f"{when:%Y-%m-%dT%H:%M:%S}.{self.random.randint(0, 999_999_999):09d}Z",
            f"{when:%Y-%m-%dT%H:%M:%S}+00:00",
            f"{when:%Y-%m-%dT%H:%M:%S}.123456{self.random.choice('+-')}{self.random.randint(0, 25):02d}:30",
            f"{when:%Y-%m-%dT%H:%M:%S}-0730",
            f"{when:%Y-%m-%dT%H:%M:%S}",
            f"{when:%Y-%m-%d %H:%M:%S}.{self.random.randint(0, 9999)}",
            f"{when:%Y-%m-%dT%H:%M}Z",
            f"{when:%Y-%m-%d}",
            f"{when:%Y/%m/%d}",
            f"{when:%Y%m%d}",
            f"{when:%Y-%m}",
            f"{when:%a, %d %b %Y %H:%M:%S} GMT",
            f"{when:%a %b %d %Y %H:%M:%S} GMT+0200 (CEST)",
            f"{when:%d %B %Y, %I:%M %p}",
            f"{when:%m/%d/%Y}",
            f"{when:%d.%m.%Y}",
            milliseconds,
            milliseconds // 1000,
            milliseconds / 1000,
            str(milliseconds),
            str(milliseconds // 1000),
            str(milliseconds / 1000),
            "now",
            "2024-02-30T10:00:00.000Z",
            "2024-13-01T10:00:00.000Z",
            "2024-05-01T24:00:00.000Z",
            "2024-05-01T10:00:60.000Z",
            self.random.choice(["0", "13", "99", "2024", "-5", "1e3", "12.5", "Infinity", "NaN"]),
            self.random.choice([8.64e15, 8.65e15, -1, 0.5, -0.5, 1e300]),
        ]
        return forms[0] if self.chance(0.3) else self.random.choice(forms)

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def as_answered(result: ActionResult) -> dict[str, Any]:
    """Return one of our results in the oracle's words, numbers as JavaScript reads them."""
    outgoing = result.outgoing
    request = outgoing and {
        "method": outgoing.method,
        "url": outgoing.url,
        "headers": outgoing.headers,
        "body": json.loads(outgoing.body, parse_int=float),
    }
    return {"mapping": result.mapping, "matched": result.matched, "request": request, "cause": result.cause}


def as_floats(answer: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for result in answer:
        if result["request"]:
            result["request"]["body"] = json.loads(result["request"].pop("text"), parse_int=float)
    return answer


def differences(cases: list[dict[str, Any]], answers: list[Any]) -> list[str]:
    presets = compile_destination("actions-launchdarkly", SETTINGS, None)
    found = []
    for case, answer in zip(cases, answers, strict=True):
        send = compile_own(case["subscriptions"]) if "subscriptions" in case else presets
        ours = [as_answered(result) for result in send(case["event"], NOW)]
        theirs = as_floats(answer)
        if ours != theirs:
            found.append(f"event {json.dumps(case['event'])}\n  Segment {theirs}\n  ours    {ours}")
    return found


def compile_own(subscriptions: list[dict[str, Any]]) -> Sender:
    own = [Mapping(row["partnerAction"], row["name"], row["subscribe"], row["mapping"]) for row in subscriptions]
    return compile_destination("actions-launchdarkly", SETTINGS, own)


@pytest.mark.rule(
    "launchdarkly.in.track", "launchdarkly.in.identify", "segment.fields.coercion", "segment.fields.invalid"
)
def test_ten_thousand_events_become_what_segments_own_code_makes_of_them(oracle):
    events = Events(SEED)
    cases = [{"kind": "launchdarkly", "settings": SETTINGS, "event": events.event()} for _ in range(COUNT)]
    found = differences(cases, oracle(cases))
    agree = len(cases) - len(found)
    assert not found, f"seed {SEED}: {agree} of {len(cases)} agree\n" + "\n".join(found[:5])


CHOICES: dict[str, list[Any]] = {
    "context_kind": ["user", "organization", "", None, {"@path": "$.type"}, {"@path": "$.properties.tags"}],
    "user_key": [
        {"@path": "$.userId"},
        {"@template": "{{type}}-{{userId}}"},
        "fixed",
        {"@path": "$.properties.tags[0]"},
    ],
    "additional_context_keys": [
        {"user": {"@path": "$.anonymousId"}, "device": {"@path": "$.messageId"}},
        {"organization": 5.0, "list": [1, None, [2]], "object": {"a": 1}, "null": None, "yes": True},
        {"missing": {"@path": "$.missing"}, "array": [{"@path": "$.missing"}]},
        {"@path": "$.properties"},
        None,
    ],
    "event_name": [{"@path": "$.event"}, {"@case": {"operator": "lower", "value": {"@path": "$.event"}}}, "A B"],
    "metric_value": [
        1.5,
        "7",
        {"@path": "$.properties.value"},
        {"@path": "$.properties.tags.length"},
        [{"@path": "$.no"}],
    ],
    "event_properties": [
        {"a": [{"@path": "$.no"}, 1]},
        {"@path": "$.traits"},
        {"@excludeWhenNull": {"@path": "$.properties"}},
    ],
    "timestamp": [{"@path": "$.timestamp"}, "2024-05-01", 0, None],
    "previous_key": [{"@path": "$.previousId"}, {"@path": "$.anonymousId"}],
    "undeclared": [1],
}


def own_mapping(source: random.Random) -> dict[str, Any]:
    """Return a subscription with some fields mapped otherwise than the presets do."""
    action = source.choice(["trackEvent", "trackEvent", "aliasUser", "noSuchAction"])
    mapping = {name: source.choice(choices) for name, choices in CHOICES.items() if source.random() < 0.8}
    return {"name": "Own", "partnerAction": action, "subscribe": 'type = "track" or userId != null', "mapping": mapping}


@pytest.mark.rule("segment.mappings", "launchdarkly.in.additional-context-keys")
def test_users_own_mappings_become_what_segments_own_code_makes_of_them(oracle):
    events, source = Events(SEED), random.Random(SEED)
    cases = [
        {"kind": "launchdarkly", "settings": SETTINGS, "event": events.event(), "subscriptions": [own_mapping(source)]}
        for _ in range(COUNT // 4)
    ]
    found = differences(cases, oracle(cases))
    assert not found, f"seed {SEED}: {len(found)} of {len(cases)} differ\n" + "\n".join(found[:5])
