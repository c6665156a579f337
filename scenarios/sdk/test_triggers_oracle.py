"""Generated triggers, tried on messages by trackside and by Segment's parser, compared one by one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from trackside.segment.actions.triggers import InvalidTrigger, compile_trigger

pytestmark = pytest.mark.node

SEED = 20_261_121
COUNT = 4_000

FIELDS = [
    "type",
    "event",
    "name",
    "userId",
    "anonymousId",
    "properties.a",
    "properties.a.b",
    "properties",
    "traits.plan",
]
FIELDS += [
    "context.page.url",
    "properties.list.length",
    "properties.list.0",
    "properties.product\\ 1.price",
    "properties.or",
]
FIELDS += [
    "properties.null",
    "properties.and",
    "context.\\.",
    "messageId",
    "constructor",
    "propertiesX.a",
    "properties.a-b_c",
]
OPERATORS = [
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "contains",
    "exists",
    "starts_with",
    "<>",
    "=!",
    "is_true",
    "and",
    ".",
]
VALUES = [
    '"track"',
    '"x"',
    "'track'",
    "track",
    "5",
    "5.0",
    "-1",
    "+2",
    "1.",
    "1.2.3",
    "null",
    "true",
    "false",
    '""',
    '"5"',
    '"null"',
]
VALUES += ['"true"', '"*x"', '"x*"', '"*"', '"a b"', "1e3", '"0x10"', "", '"unclosed', "-", "n", "nam", "an"]
JOINTS = [" and ", " or ", " AND ", " ", "and", " or", ", ", " and and ", "\n", "\t", "\r", " ! ", ") ", " ("]

ACTUAL = [
    None,
    "",
    "track",
    "x",
    "axb",
    "xyz",
    "null",
    "true",
    "5",
    5,
    5.0,
    -1,
    2,
    0,
    True,
    False,
    [],
    ["x"],
    {},
    {"b": 5},
    {"b": "x"},
]


class Triggers:
    """Seeded triggers, most of them near what the app writes, some of them broken."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def trigger(self) -> str:
        text = self.conditions()
        if self.random.random() < 0.15:
            place = self.random.randrange(len(text) + 1)
            text = (
                text[:place]
                + self.random.choice(["", " ", '"', "(", ")", "!", ".", "\\", "#", "é", "=", "a", "0"])
                + text[place + 1 :]
            )
        return text

    def conditions(self) -> str:
        parts = [self.condition() for _ in range(self.random.randint(0, 4))]
        return "".join(part + (self.joint() if place < len(parts) - 1 else "") for place, part in enumerate(parts))

    def condition(self) -> str:
        choice = self.random.random()
        field, value = self.random.choice(FIELDS), self.random.choice(VALUES)
        if choice < 0.2:
            negation = self.random.choice(["", "!", "! "])
            return f"{negation}{self.random.choice(['contains', 'match', 'length'])}({field}, {value})"
        if choice < 0.3:
            return f"{self.random.choice(['', '!'])}({self.conditions()})"
        blank = self.random.choice([" ", " ", " ", ""])
        return f"{field}{blank}{self.random.choice(OPERATORS)}{blank}{value}"

    def joint(self) -> str:
        return self.random.choice(JOINTS[:2]) if self.random.random() < 0.7 else self.random.choice(JOINTS)

    def message(self) -> dict[str, Any]:
        pick = self.random.choice
        message: dict[str, Any] = {"type": pick(["track", "identify", "page"])}
        for key in ("event", "name", "userId", "properties", "traits", "context"):
            if self.random.random() < 0.8:
                message[key] = pick(ACTUAL)
        if self.random.random() < 0.7:
            message["properties"] = {
                "a": pick(ACTUAL),
                "list": [1, 2],
                "product 1": {"price": pick(ACTUAL)},
                "a-b_c": pick(ACTUAL),
            }
        if self.random.random() < 0.5:
            message["context"] = {"page": {"url": pick(ACTUAL)}}
            message["traits"] = {"plan": pick(ACTUAL)}
        return message


def ours(trigger: str, messages: list[dict[str, Any]]) -> list[bool] | str:
    try:
        matches = compile_trigger(trigger)
    except InvalidTrigger:
        return "error"
    return [matches(message) for message in messages]


@pytest.mark.rule("segment.triggers", "segment.triggers.invalid")
def test_generated_triggers_match_what_segments_parser_matches(oracle):
    triggers = Triggers(SEED)
    messages = [triggers.message() for _ in range(40)]
    cases = [{"kind": "trigger", "trigger": triggers.trigger(), "messages": messages} for _ in range(COUNT)]
    found = []
    for case, answer in zip(cases, oracle(cases), strict=True):
        theirs = "error" if "error" in answer else answer["matches"]
        if ours(case["trigger"], messages) != theirs:
            found.append(
                f"{json.dumps(case['trigger'])} {answer.get('error', '')} ours {ours(case['trigger'], messages)} theirs {theirs}"
            )
    assert not found, f"seed {SEED}: {len(found)} of {COUNT} differ\n" + "\n".join(found[:8])
