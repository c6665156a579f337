"""Triggers of mappings, as Segment's package @segment/destination-subscriptions reads them.

Segment documents a query language (FQL), but its Actions framework evaluates triggers with a parser of its own that
knows much less and forgives much more:

- fields are ``type``, ``event``, ``name``, ``userId``, ``properties.*``, ``traits.*`` and ``context.*``;
- conditions stand in one flat list, joined by the *last* ``and`` or ``or`` in it; one level of parentheses works;
- unknown words are skipped, so ``AND`` in capitals means nothing;
- only double quotes make a text: ``type = 'track'`` compares with the quotes.

Rules: segment.triggers, segment.triggers.invalid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from trackside.errors import TracksideError
from trackside.segment.actions.javascript import UNDEFINED, member, number, text, truthy
from trackside.segment.actions.trigger_words import END, Token, UnreadableError, joined, tokenize
from trackside.steps import Message

Predicate: TypeAlias = Callable[[Message], bool]
Test: TypeAlias = Callable[[Any], bool]

_PATH = re.compile(r"[^\[.\]]+")

_PLAIN_FIELDS = ("type", "event", "name", "userId")
_OBJECTS = ("properties", "traits", "context")
# Names that every JavaScript object carries: the package takes them for fields, and makes nothing of the comparison.
_INHERITED = frozenset(
    ["constructor", "toString", "toLocaleString", "valueOf", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"]
)


class InvalidTrigger(TracksideError):  # noqa: N818  a state of the user's trigger, as Segment's result says it
    """A trigger that Segment's parser cannot read: nothing matches it."""


class _BrokenError(Exception):
    """A condition on which Segment's evaluation itself fails: the message then matches nothing."""


def compile_trigger(trigger: str) -> Predicate:
    """Return the test that a message must pass, as Segment's Actions framework evaluates a trigger.

    Args:
        trigger: such as ``type = "track" and event = "Order Completed"``.

    Raises:
        InvalidTrigger: where Segment's parser fails; then nothing matches (segment.triggers.invalid).

    >>> matches = compile_trigger('type = "track" and properties.total >= 10')
    >>> matches({"type": "track", "properties": {"total": 12}}), matches({"type": "track"})
    (True, False)
    """
    try:
        return _compiled(trigger)
    except UnreadableError as fault:
        raise InvalidTrigger(f"invalid trigger: {fault}", trigger, "mend it; until then nothing matches it") from None


@lru_cache(maxsize=1024)
def _compiled(trigger: str) -> Predicate:
    test = _group(joined(tokenize(trigger)))
    if test is None:
        raise UnreadableError("it has no condition on a field that triggers know")

    # Only escapes and parentheses can hold what breaks the evaluation.
    return _guarded(test) if "\\" in trigger or "(" in trigger else test


def _guarded(test: Predicate) -> Predicate:
    def matches(message: Message) -> bool:
        try:
            return test(message)
        except _BrokenError:
            return False

    return matches


# ---- conditions


def _group(tokens: list[Token]) -> Predicate | None:
    """Return the test of a flat list of conditions, joined by the last connective in it; None for an empty list."""
    tests: list[Predicate | None] = []
    connective = "and"
    rest = tokens[::-1]
    while rest and (token := rest.pop()).kind != "end":
        negated = token == Token("operator", "!") and bool(rest) and _is_function(rest[-1])
        if negated:
            token = rest.pop()
        if token.kind == "conditional":
            connective = token.value
        elif _is_function(token):
            tests += _function(token.value, rest, negated=negated)
        elif token.kind == "ident":
            tests += _comparison(token.value, rest)
        elif token == Token("other", "("):
            tests.append(_group(_parenthesis(rest)))
    if len(tests) < 2:
        return tests[0] if tests else None
    return _joined_tests([test or _broken for test in tests], connective)


def _joined_tests(tests: list[Predicate], connective: str) -> Predicate:
    every = connective == "and"

    def matches(message: Message) -> bool:
        for test in tests:  # twice as fast as any() and all()
            if test(message) is not every:
                return not every
        return every

    return matches


def _broken(_message: Message) -> bool:
    raise _BrokenError


def _pop(rest: list[Token]) -> Token:
    if not rest:
        raise UnreadableError("it ends in the middle of a condition")
    return rest.pop()


def _parenthesis(rest: list[Token]) -> list[Token]:
    """Take the words up to the next ``)``; the package does not count the brackets between, so nesting fails."""
    inside: list[Token] = []
    while (token := _pop(rest)) != Token("other", ")"):
        inside.append(token)
    return [*inside, END]


def _is_function(token: Token) -> bool:
    return token.kind == "ident" and token.value in ("contains", "match")


def _function(name: str, rest: list[Token], *, negated: bool) -> list[Predicate | None]:
    """Take ``(field, value)`` behind ``contains`` or ``match``; the bracket, comma and bracket may be any words."""
    words = [rest.pop() if rest else None for _ in range(5)]
    subject, value = words[1], words[3]
    if subject is None or value is None:
        raise UnreadableError(f"{name}() lacks an argument")
    operator, expected = "contains", text(value.literal())
    if name == "match":
        starts = value.value.endswith('*"')
        operator, expected = ("starts_with", expected[:-1]) if starts else ("ends_with", expected[1:])
    test = _OPERATORS[f"not_{operator}" if negated else operator](expected)
    if subject.value in ("event", "name", "userId"):
        return [_of_field(subject.value, test)]
    return [_of_path(root, subject.value, test) for root in _OBJECTS if subject.value.startswith(root)]


def _comparison(name: str, rest: list[Token]) -> list[Predicate | None]:
    """Take operator and value behind a field; an unknown word is skipped alone."""
    root = name.partition(".")[0]
    if root not in (*_PLAIN_FIELDS, *_OBJECTS) and root not in _INHERITED:
        return []
    operator, value = _pop(rest), _pop(rest)
    if root in _INHERITED:
        return []
    literal = value.literal() if root in _OBJECTS else text(value.literal())
    word, expected = _special(root, operator.value, value) or (operator.value, literal)
    if word == "=" and root not in _OBJECTS:
        return [lambda message: bool(message.get(root) == expected)]  # what nearly every trigger is made of
    test = _OPERATORS.get(word, _never)(expected)
    return [_of_path(root, name, test) if root in _OBJECTS else _of_field(root, test)]


def _special(root: str, operator: str, value: Token) -> tuple[str, Any] | None:
    """Return the package's own operator for null, true, false and numbers, where the field has it."""
    if root in ("type", "event") or operator not in ("=", "!="):
        return None
    if value.value == "null":
        return ("not_exists" if operator == "=" else "exists"), None
    if value.value in ("true", "false") and operator == "=" and root != "name":
        return f"is_{value.value}", None
    if value.kind == "number" and root in _OBJECTS:
        return ("number_equals" if operator == "=" else "number_not_equals"), value.literal()
    return None


def _of_field(name: str, test: Test) -> Predicate:
    return lambda message: test(message.get(name, UNDEFINED))


def _of_path(root: str, name: str, test: Test) -> Predicate:
    keys = _PATH.findall(name.removeprefix(f"{root}."))
    if not keys:
        return _broken
    if len(keys) == 1:
        return lambda message: test(_step(message.get(root, UNDEFINED), keys[0]))

    def matches(message: Message) -> bool:
        value = message.get(root, UNDEFINED)
        for key in keys:
            value = _step(value, key)
        return test(value)

    return matches


def _step(value: Any, key: str) -> Any:
    """Return the member, or the value itself where it is falsy: the package stops there and keeps it."""
    return member(value, key) if truthy(value) else value


# ---- operators


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_number(expected: Any) -> float:
    return number(expected) if isinstance(expected, str) else float(expected)


def _never(_expected: Any) -> Test:
    return lambda _actual: False


def _equals(expected: Any) -> Test:
    wanted = text(expected)
    return lambda actual: bool(actual == wanted)


def _differs(expected: Any) -> Test:
    wanted = text(expected)
    return lambda actual: bool(actual != wanted)


def _of_numbers(compare: Callable[[Any, float], bool]) -> Callable[[Any], Test]:
    def operator(expected: Any) -> Test:
        wanted = _as_number(expected)
        return lambda actual: _is_number(actual) and compare(actual, wanted)

    return operator


def _of_texts(compare: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    def operator(expected: Any) -> Test:
        wanted = text(expected)
        return lambda actual: isinstance(actual, str) and compare(actual, wanted)

    return operator


# By the package's names, which work between field and value too: `event contains "Order"`.
_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "=": _equals,
    "!=": _differs,
    "<": _of_numbers(lambda actual, wanted: actual < wanted),
    "<=": _of_numbers(lambda actual, wanted: actual <= wanted),
    ">": _of_numbers(lambda actual, wanted: actual > wanted),
    ">=": _of_numbers(lambda actual, wanted: actual >= wanted),
    "number_equals": _of_numbers(lambda actual, wanted: actual == wanted),
    "number_not_equals": _of_numbers(lambda actual, wanted: actual != wanted),
    "contains": _of_texts(lambda actual, wanted: wanted in actual),
    "not_contains": _of_texts(lambda actual, wanted: wanted not in actual),
    "starts_with": _of_texts(str.startswith),
    "not_starts_with": _of_texts(lambda actual, wanted: not actual.startswith(wanted)),
    "ends_with": _of_texts(str.endswith),
    "not_ends_with": _of_texts(lambda actual, wanted: not actual.endswith(wanted)),
    "exists": lambda _: lambda actual: actual is not None and actual is not UNDEFINED,
    "not_exists": lambda _: lambda actual: actual is None or actual is UNDEFINED,
    "is_true": lambda _: lambda actual: actual is True,
    "is_false": lambda _: lambda actual: actual is False,
}
