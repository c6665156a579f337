"""Generated traffic through Segment's own Python SDK, over real sockets, checked at every vendor message by message.

What each vendor has to keep is computed here, by rules as plain as the vendors' pages tell them. A failure names the
seed and the message; ``trackside generate --seed N`` writes the same calls.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import segment.analytics as sdk

from trackside import Lab
from trackside.events import generate

SEEDS = (1, 8, 22, 20_261_121)
COUNT = 150
MINUTE = 60_000
MOMENTS = {"statsig": "time", "split": "timestamp", "launchdarkly": "creationDate"}
Message = dict[str, Any]


@pytest.fixture
def replay(trackside: Lab) -> Iterator[Callable[[int], list[Message]]]:
    """Return a function that sends the calls of a seed through the SDK and returns them."""
    clients: list[sdk.Client] = []

    def of_seed(seed: int) -> list[Message]:
        client = sdk.Client("wk_web", host=trackside.segment.url, upload_interval=0.01)
        clients.append(client)
        messages = list(generate(COUNT, seed))
        for message in messages:
            send(client, copy.deepcopy(message))
        client.flush()
        return messages

    yield of_seed
    for client in clients:
        client.join()


def send(client: sdk.Client, message: Message) -> None:
    """Make the SDK's own call of a generated one; the SDK's alias takes no anonymousId."""
    kind = message["type"]
    timestamp = datetime.fromisoformat(message["timestamp"].replace("Z", "+00:00"))
    shared = {"context": message["context"], "timestamp": timestamp, "message_id": message["messageId"]}
    if kind == "alias":
        client.alias(message["previousId"], message["userId"], **shared)
        return
    shared |= {"user_id": message.get("userId"), "anonymous_id": message["anonymousId"]}
    if kind == "identify":
        client.identify(traits=message["traits"], **shared)
    elif kind == "track":
        client.track(event=message["event"], properties=message["properties"], **shared)
    elif kind == "group":
        client.group(group_id=message["groupId"], traits=message["traits"], **shared)
    else:
        getattr(client, kind)(name=message["name"], properties=message["properties"], **shared)


# ---- what each vendor has to keep of a message, timestamps aside


def at_statsig(message: Message) -> list[Message]:
    if message["type"] in ("identify", "alias"):
        return []
    user = {"userID": message["userId"]} if "userId" in message else {}
    user |= {name: message["context"][name] for name in ("ip", "locale", "userAgent")}
    properties = message["traits"] if message["type"] == "group" else message["properties"]
    return [
        {
            "eventName": "segment::" + (message.get("event") or message.get("name") or "group"),
            "value": None,
            "user": {**user, "customIDs": {"segmentAnonymousId": message["anonymousId"]}},
            "metadata": {name: as_text(value) for name, value in properties.items()},
            "statsigMetadata": {"sdkType": "segment", "sdkVersion": "1.0"},
        }
    ]


def at_split(message: Message) -> list[Message]:
    kind = message["type"]
    if kind in ("group", "alias"):
        return []
    keys = [("user", message["userId"])] if "userId" in message else []
    keys.append(("anonymous", message["anonymousId"]))
    if kind == "identify":
        values = {name: as_text(value) for name, value in message["traits"].items()}
        return [{"kind": "identity", **kept_for(key), "values": values} for key in keys]
    names = {"page": "view_{}_page", "screen": "viewed_{}_screen", "track": "{}"}
    name = names[kind].format(message.get("event") or message.get("name"))
    event = {
        "eventTypeId": name.replace(" ", "_"),
        "value": message["properties"].get("value") if kind == "track" else None,
        "properties": {name: flat(value) for name, value in message["properties"].items()},
        "source": "Segment",
        "foreignId": message["messageId"],
    }
    return [{"kind": "event", **kept_for(key), **event} for key in keys]


def kept_for(key: tuple[str, str]) -> Message:
    return {"trafficTypeName": key[0], "key": key[1], "environmentName": "production"}


def at_launchdarkly(message: Message) -> list[Message]:
    kept_at = {"environment": "production"}
    if message["type"] in ("identify", "alias"):
        previous = message.get("previousId") or message["anonymousId"]
        kinds = {"contextKind": "user", "previousContextKind": "anonymousUser"}
        return [
            {"kind": "alias", "key": message["userId"], "previousKey": previous, **kinds, **kept_at, "effect": "none"}
        ]
    if message["type"] != "track":
        return []
    keys = {"unauthenticatedUser": message["anonymousId"], "user": message.get("userId") or message["anonymousId"]}
    properties = message["properties"]
    measured = properties.get("revenue", properties.get("value"))
    return [
        {
            "kind": "custom",
            "key": message["event"],
            "contextKeys": keys,
            **({} if measured is None else {"metricValue": measured}),
            "data": properties,
            **kept_at,
            "effect": "metric",
        }
    ]


def as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def flat(value: Any) -> Any:
    return as_text(value) if isinstance(value, dict | list) else value


EXPECTED = {"statsig": at_statsig, "split": at_split, "launchdarkly": at_launchdarkly}


def without_moment(record: Message) -> Message:
    return {name: value for name, value in record.items() if name not in MOMENTS.values()}


def moments(records: list[Message], vendor: str) -> list[int]:
    return [record[MOMENTS[vendor]] for record in records if MOMENTS[vendor] in record]


def kept(lab: Lab, vendor: str) -> list[Message]:
    return [one.record for one in lab.kept(vendor)]


# ---- the scenarios


def test_the_seeds_hold_calls_of_every_type() -> None:
    kinds = {message["type"] for seed in SEEDS for message in generate(COUNT, seed)}
    assert kinds == {"identify", "track", "page", "screen", "group", "alias"}


@pytest.mark.rule("statsig.in.prefix", "statsig.in.types", "statsig.in.user-id", "statsig.in.map-identifier")
@pytest.mark.rule("split.in.event-type-spaces", "split.in.two-identities", "split.in.page", "split.in.screen")
@pytest.mark.rule("launchdarkly.in.event-key-exact", "launchdarkly.in.metric-value", "launchdarkly.in.context-key")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_vendor_keeps_of_every_message_what_its_page_says(trackside: Lab, replay: Any, seed: int) -> None:
    messages = replay(seed)
    journeys = list(trackside.journeys())
    assert [journey.get("messageId") for journey in journeys] == [message["messageId"] for message in messages]
    for number, (message, journey) in enumerate(zip(messages, journeys, strict=True)):
        for vendor, expected in EXPECTED.items():
            (delivery,) = journey.deliveries_to(vendor)
            found = delivery.records()
            where = f"seed {seed}, message {number}, {message['type']}, at {vendor}"
            assert [without_moment(record) for record in found] == expected(message), where
            sent = datetime.fromisoformat(message["timestamp"].replace("Z", "+00:00")).timestamp() * 1000
            assert all(abs(moment - sent) < MINUTE for moment in moments(found, vendor)), where


@pytest.mark.parametrize("seed", SEEDS)
def test_every_message_is_accounted_for(trackside: Lab, replay: Any, seed: int) -> None:
    messages = replay(seed)
    journeys = list(trackside.journeys())
    assert Counter(journey.outcome for journey in journeys) == {"accepted": len(messages)}, f"seed {seed}"
    assert trackside.stats()["accepted"] == len(messages), f"seed {seed}"
    for vendor, expected in EXPECTED.items():
        outcomes = Counter(journey.deliveries_to(vendor)[0].outcome for journey in journeys)
        assert outcomes["delivered"] == sum(bool(expected(message)) for message in messages), f"seed {seed}"
        assert outcomes["delivered"] + outcomes["dropped"] + outcomes["failed"] == len(messages), f"seed {seed}"
        of_journeys = [record for journey in journeys for record in journey.deliveries_to(vendor)[0].records()]
        assert kept(trackside, vendor) == of_journeys, f"seed {seed}"


@pytest.mark.rule("split.in.unsupported", "split.in.group", "statsig.in.unsupported")
@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_a_vendor_does_not_take_is_a_finding_and_nothing_is_an_error(
    trackside: Lab, replay: Any, seed: int
) -> None:
    messages = replay(seed)
    assert [str(finding) for finding in trackside.findings() if finding.step.level == "error"] == [], f"seed {seed}"
    kinds = Counter(message["type"] for message in messages)
    expected = {
        "split.in.group": kinds["group"],
        "split.in.unsupported": kinds["alias"],
        "statsig.in.unsupported": kinds["alias"],
    }
    found = Counter(finding.step.rule for finding in trackside.findings())
    assert found == {rule: number for rule, number in expected.items() if number}, f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_gives_the_same_records(trackside: Lab, replay: Any, seed: int) -> None:
    replay(seed)
    first = {vendor: [without_moment(record) for record in kept(trackside, vendor)] for vendor in EXPECTED}
    trackside.reset()
    replay(seed)
    second = {vendor: [without_moment(record) for record in kept(trackside, vendor)] for vendor in EXPECTED}
    assert first == second, f"seed {seed}"


@pytest.mark.rule("segment.dedup")
@pytest.mark.parametrize("seed", SEEDS[:1])
def test_a_second_replay_into_the_same_lab_is_all_repeats(trackside: Lab, replay: Any, seed: int) -> None:
    messages = replay(seed)
    before = {vendor: kept(trackside, vendor) for vendor in EXPECTED}
    replay(seed)
    outcomes = Counter(journey.outcome for journey in trackside.journeys())
    assert outcomes == {"accepted": len(messages), "duplicate": len(messages)}, f"seed {seed}"
    assert {vendor: kept(trackside, vendor) for vendor in EXPECTED} == before, f"seed {seed}"
