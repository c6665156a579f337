"""Generated mappings, resolved on events by trackside and by Segment's mapping-kit, compared one by one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from trackside.segment.actions.javascript import UNDEFINED, stringify
from trackside.segment.actions.mapping_kit import InvalidMapping, compile_mapping

pytestmark = pytest.mark.node

SEED = 20_261_121
COUNT = 6_000

PATHS = [
    "$.userId",
    "userId",
    "$.properties",
    "$.properties.a",
    "properties.list",
    "$.properties.list[0]",
    "properties.list.1",
]
PATHS += [
    "$.properties.list[1].price",
    "properties['a']",
    'properties["b c"].d',
    "$.",
    "",
    ".",
    "$",
    "properties.zero.deeper",
]
PATHS += [
    "properties.list.length",
    "event.length",
    "event.0",
    "missing",
    "missing.deep",
    "properties.null",
    "properties.empty.x",
]
PATHS += [
    "properties.list[x]",
    "properties..a",
    "a$.b",
    "$.$.userId",
    "price",
    "$.properties.text",
    "properties.json",
    "type",
]
TEMPLATES = [
    "{{userId}}",
    "{{{ properties.a }}}",
    "a {{missing}} b",
    "{{ properties }}",
    "{{properties.list}}",
    "{{$.userId}}",
]
TEMPLATES += [
    "{{ }}",
    "{{}}",
    "{{properties.mustache}}",
    "{{{properties.mustache}}}",
    "plain",
    "",
    "{{userId}}{{event}}",
    "{{ userId",
    "$&",
]
SCALARS: list[Any] = [None, "", "x", 0, 1, 5.5, True, False, "$.userId", [], {}, [1, None], {"k": None}]

EVENTS: list[dict[str, Any]] = [
    {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "properties": {
            "a": 1.5,
            "list": [{"price": 1, "name": "One"}, {"price": 2}, "three", None],
            "b c": {"d": "deep"},
            "zero": 0,
            "null": None,
            "empty": "",
            "text": "A.b-a.B $& aXb",
            "json": '{"x": [1, 2.50, null], "y": 1e400}',
            "mustache": "{{userId}}",
            "nested": {"n": None, "m": {"o": None, "p": [None, {"q": None}]}},
        },
    },
    {"type": "identify", "userId": None, "properties": None, "event": "", "traits": {"a": {"b": [1, [2, {}]]}}},
    {
        "type": "page",
        "userId": 7,
        "event": ["a", None, [1]],
        "properties": {"a": {"1": "x", "b": "y", "0": "z"}, "list": {"price": 3}},
    },
    {
        "userId": True,
        "event": {"x": 1},
        "properties": {"a": "\u00df\u0130 straSSe", "list": "text", "text": False, "json": "{bad"},
    },
    {},
]


class Mappings:
    """Seeded mappings: every directive, nested in each other, options sometimes missing or of the wrong type."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def mapping(self) -> Any:
        fields = {name: self.value(3) for name in self.random.sample("abcdef", self.random.randint(0, 3))}
        if self.chance(0.03):
            fields["__segment_internal_directive"] = self.pick(
                [
                    {"@transform": {"apply": self.value(1)}},
                    {"@path": "x"},
                    self.directive(1),
                    {"@if": {}, "@path": ""},
                    {},
                ]
            )
        return self.directive(3) if self.chance(0.1) else fields

    def value(self, depth: int) -> Any:
        choice = self.random.random()
        if depth <= 0 or choice < 0.2:
            return self.pick(SCALARS) if self.chance(0.6) else {"@path": self.pick(PATHS)}
        if choice < 0.75:
            return self.directive(depth)
        if choice < 0.9:
            return {key: self.value(depth - 1) for key in self.random.sample(["k", "l", "1", "0"], 2)}
        return [self.value(depth - 1) for _ in range(self.random.randint(0, 3))]

    def directive(self, depth: int) -> dict[str, Any]:
        names = [name for name in dir(self) if name.startswith("at_")]
        name = self.pick(names)
        directive = {f"@{name.removeprefix('at_')}": getattr(self, name)(depth - 1)}
        if self.chance(0.05):
            directive |= self.pick([{"_metadata": {"x": 1}}, {"plain": 1}, {"@literal": 1}, {"@bogus": 1}])
        return directive

    def at_path(self, depth: int) -> Any:
        return self.pick(PATHS) if self.chance(0.85) else self.value(depth)

    def at_template(self, depth: int) -> Any:
        return self.pick(TEMPLATES) if self.chance(0.85) else self.value(depth)

    def at_literal(self, depth: int) -> Any:
        return self.value(depth)

    def at_excludeWhenNull(self, depth: int) -> Any:  # noqa: N802  the directive's name
        return self.value(depth)

    def at_if(self, depth: int) -> Any:
        return self.options(
            exists=(self.value(depth), 0.7),
            blank=(self.value(depth), 0.3),
            then=(self.value(depth), 0.9),
            **{"else": (self.value(depth), 0.7)},
        )

    def at_arrayPath(self, depth: int) -> Any:  # noqa: N802  the directive's name
        path = self.pick(PATHS) if self.chance(0.7) else self.value(depth)
        return self.odd([path, self.value(depth)] if self.chance(0.7) else [path])

    def at_case(self, depth: int) -> Any:
        return self.options(
            operator=(self.pick(["lower", "upper", "title", ""]), 0.95), value=(self.value(depth), 0.95)
        )

    def at_replace(self, depth: int) -> Any:
        words = ["a", "A", ".", "-", "b", " ", "$&", "", "elevenchars", 5, None]
        marks = ["", "x", "$&", "$$", "$`", "$'", "$1", "[$&]", "elevenchars", None, 7]
        return self.options(
            pattern=(self.pick(words[:8] if self.chance(0.8) else words), 0.97),
            replacement=(self.pick(marks[:8] if self.chance(0.8) else marks), 0.7),
            pattern2=(self.pick(words), 0.3),
            replacement2=(self.pick(marks), 0.5),
            value=(self.value(depth), 0.97),
            ignorecase=(self.pick([True, False, None, "yes"] if self.chance(0.1) else [True, False]), 0.4),
            **{"global": (self.pick([True, False, None, 1] if self.chance(0.1) else [True, False]), 0.4)},
        )

    def at_merge(self, depth: int) -> Any:
        objects = [self.value(depth) for _ in range(self.random.randint(0, 3))]
        return self.options(direction=(self.pick(["left", "right", "LEFT", "up"]), 0.95), objects=(objects, 0.97))

    def at_transform(self, depth: int) -> Any:
        return self.options(apply=(self.value(depth), 0.97), mapping=(self.value(depth), 0.97))

    def at_flatten(self, depth: int) -> Any:
        return self.options(
            separator=(self.pick([".", "_", "", 1]), 0.95),
            value=(self.value(depth), 0.95),
            omitArrays=(self.pick([True, 0]), 0.4),
        )

    def at_json(self, depth: int) -> Any:
        return self.options(
            mode=(self.pick(["encode", "decode", "Encode", "none"]), 0.95), value=(self.value(depth), 0.95)
        )

    def options(self, **choices: tuple[Any, float]) -> Any:
        return self.odd({name: value for name, (value, share) in choices.items() if self.chance(share)})

    def odd(self, usual: Any) -> Any:
        return self.pick(SCALARS) if self.chance(0.03) else usual

    def pick(self, options: list[Any]) -> Any:
        return self.random.choice(options)

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def ours(mapping: Any, event: Any) -> str:
    try:
        payload = compile_mapping(mapping)(event)
    except InvalidMapping as fault:
        return f"error {fault.what}"
    return "undefined" if payload is UNDEFINED else canonical(json.loads(stringify(payload), parse_int=float))


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def theirs(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"error {answer['error']}"
    return canonical(json.loads(json.dumps(answer["payload"]), parse_int=float)) if "payload" in answer else "undefined"


def differ(case: dict[str, Any], answer: dict[str, Any]) -> bool:
    mine, yours = ours(case["mapping"], case["event"]), theirs(answer)
    return not (mine.startswith("error") and yours.startswith("error")) and mine != yours


@pytest.mark.rule("segment.mapping-kit", "segment.mapping-kit.invalid")
def test_generated_mappings_resolve_as_segments_mapping_kit_resolves_them(oracle):
    mappings = Mappings(SEED)
    cases = [{"kind": "mapping", "mapping": mappings.mapping(), "event": mappings.pick(EVENTS)} for _ in range(COUNT)]
    pairs = [(case, answer) for case, answer in zip(cases, oracle(cases), strict=True) if differ(case, answer)]
    shown = [
        f"{json.dumps(case)}\n  Segment {theirs(answer)[:300]}\n  ours    {ours(case['mapping'], case['event'])[:300]}"
        for case, answer in pairs[:8]
    ]
    assert not pairs, f"seed {SEED}: {len(pairs)} of {COUNT} differ\n" + "\n".join(shown)
