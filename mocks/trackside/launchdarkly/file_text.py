"""The text of a flag file: parsed as JSON has it, and the line of each place in it.

Nothing that a file can hold makes this raise anything but `UnparsableError`, or run on: not levels beyond count, nor
aliases that stand for aliases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.wire import LEVELS, Request

NODES = 1_000_000
"""Nodes of a YAML file, each alias counted as all that it stands for."""

_TEXT, _MERGE, _FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "float"))
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class UnparsableError(TracksideError):
    """A file that is neither JSON nor YAML, or holds what JSON cannot; where is a line, or nothing."""


@dataclass(slots=True)
class Places:
    """Where things stand in a file.

    Attributes:
        lines: of each JSON path.
        faults: keys that are given twice or are no text, and numbers that JSON has not; their places have no line yet.
    """

    lines: dict[str, int] = field(default_factory=dict)
    faults: list[TracksideError] = field(default_factory=list)

    def take(self, name: str, place: str, line: int, seen: dict[str, int]) -> None:
        """Take in the key of a mapping, whose keys were seen before at these lines."""
        self.lines[place] = line
        if name in seen:
            fix = f"take this one or that of line {seen[name]} away"
            self.faults.append(TracksideError(f"the key {name} is given twice", place, fix))
        seen[name] = line


def parsed(text: str, *, is_json: bool) -> Any:
    """Return a file's content as JSON has it; one that is not called JSON may be JSON all the same, with tabs even.

    Raises:
        UnparsableError: it is neither JSON nor YAML, or holds what JSON cannot.
    """
    try:
        return Request("", "", body=text.encode()).json()
    except orjson.JSONDecodeError as error:
        if is_json:
            told = _json_error(text, error)
            where = f":{told.lineno}:{told.colno}"
            raise UnparsableError(f"the flag file is not JSON: {told.msg}", where, "mend the syntax there") from error
    return _yaml(text)


def places(text: str) -> Places:
    """Return where things stand in a file that could be parsed."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        found = Places()
        _walk_yaml(_composed(text), "$", found)
        return found
    return _json_places(text)


def is_plain(text: str) -> bool:
    """Return whether `places` finds no faults in a file, which is seldom asked for: JSON, no key twice, no such number."""

    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise ValueError

    def whole(number: str) -> None:
        if _is_too_big(number):
            raise ValueError

    try:
        json.loads(text, object_pairs_hook=unique, parse_int=whole)
    except (ValueError, RecursionError):
        return False
    return True


# ---- JSON


def _json_error(text: str, error: json.JSONDecodeError) -> json.JSONDecodeError:
    """Return why a file is not JSON as Python tells it, which is plainer; it takes more for JSON than there is."""
    try:
        json.loads(text, parse_int=float)
    except json.JSONDecodeError as plainer:
        return plainer
    except (ValueError, RecursionError):
        pass
    return error


def _json_places(text: str) -> Places:
    found, place, line, at, is_key = Places(), "$", 1, 0, False
    within: list[tuple[str, int | None, dict[str, int]]] = []  # the place, the position in an array, the keys so far
    for token in _TOKEN.finditer(text):
        word = token[0]
        line += text.count("\n", at, token.start())
        at = token.start()
        if word in "}]":
            within.pop()
        elif word == ",":
            outer, position, seen = within.pop()
            is_key = position is None
            within.append((outer, None if position is None else position + 1, seen))
        elif is_key:
            outer, _, seen = within[-1]
            name, is_key = orjson.loads(word), False
            place = outer + catalog.json_path([name]).removeprefix("$")
            found.take(name, place, line, seen)
        elif word != ":":
            place = _value_place(within, place)
            found.lines.setdefault(place, line)
            if _is_too_big(word):
                what, fix = f"the number {word[:30]} has over 64 bits", "write a smaller one, or text in quotes"
                found.faults.append(TracksideError(what, place, fix))
            if word in "{[":
                within.append((place, 0 if word == "[" else None, {}))
                is_key = word == "{"
    return found


def _is_too_big(word: str) -> bool:
    """Return whether a token is a whole number that JSON's readers round, each in its own way."""
    if len(word) < len(str(2**63)) or not word.removeprefix("-").isdecimal():
        return False
    return len(word) > len(str(-(2**63))) or not -(2**63) <= int(word) < 2**64


def _value_place(within: list[tuple[str, int | None, dict[str, int]]], key: str) -> str:
    """Return the place of a value: its position in an array, else that of its key."""
    if not within or within[-1][1] is None:
        return key
    return f"{within[-1][0]}[{within[-1][1]}]"


# ---- YAML


def _yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - only a workspace with a YAML flag file needs it

    try:
        _refuse_depth(text)
        node = _composed(text)
        _refuse_expansion(node)
        value = yaml.load(text, _loader())  # noqa: S506 - a safe loader, see there
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ":1"
        told = str(getattr(error, "problem", None) or error).partition("\n")[0]
        raise UnparsableError(f"the flag file is not YAML: {told}", where, "mend the syntax there") from error
    except ValueError as error:  # a number of thousands of digits, a date that there never was
        raise _not_json(str(error), _line_without(node)) from error
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except TypeError as error:
        raise _not_json(str(error), _line_without(node)) from error


def _not_json(why: str, line: int) -> UnparsableError:
    fix = "write text, numbers up to 64 bits, lists and mappings"
    return UnparsableError(f"the flag file holds what JSON cannot: {why}", f":{line}", fix)


def _loader() -> Any:
    """Return YAML's safe loader, the fast one where the package was built with it."""
    import yaml  # noqa: PLC0415 - see above

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _composed(text: str) -> Any:
    import yaml  # noqa: PLC0415 - see above

    return yaml.compose(text, _loader())


def _refuse_depth(text: str) -> None:
    """Refuse more levels than JSON can be written with; what makes nodes of them has no limit of its own, and crashes."""
    import yaml  # noqa: PLC0415 - see above

    depth, events = 0, cast("Any", yaml.parse(text, _loader()))
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > LEVELS:
            raise _not_json(f"it has over {LEVELS} levels", event.start_mark.line + 1)


def _refuse_expansion(root: Any) -> None:
    """Refuse aliases that hold themselves, or that stand for more than memory holds."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) in sizes:
            if not sizes[id(node)]:
                raise _not_json("an alias stands for what it is in", node.start_mark.line + 1)
            return sizes[id(node)]
        sizes[id(node)] = 0
        total = 1 + sum(size(inner) for inner in _inner(node))
        if total > NODES:
            raise _not_json(f"its aliases stand for over {NODES:,} values", node.start_mark.line + 1)
        sizes[id(node)] = total
        return total

    if root is not None:
        size(root)


def _inner(node: Any) -> Iterator[Any]:
    """Yield the nodes right within a node."""
    if node.id == "mapping":
        for pair in node.value:
            yield from pair
    elif node.id == "sequence":
        yield from node.value


def _line_without(root: Any) -> int:
    """Return the line of the first value that JSON cannot hold, the first line where none is it alone."""
    import yaml  # noqa: PLC0415 - see above

    rest = [root]
    while rest:
        node = rest.pop()
        if node.id == "scalar" or node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            try:
                orjson.dumps(yaml.constructor.SafeConstructor().construct_object(node, deep=True))
            except (TypeError, ValueError):
                return int(node.start_mark.line) + 1
        rest += reversed(list(_inner(node)))
    return 1


def _walk_yaml(node: Any, place: str, found: Places) -> None:
    if node is None:
        return
    found.lines.setdefault(place, node.start_mark.line + 1)
    if node.tag == _FLOAT and node.value.lower().lstrip("+-") in (".inf", ".nan"):
        found.faults.append(TracksideError(f"JSON has no {node.value}", place, "write a number, or text in quotes"))
    seen: dict[str, int] = {}
    for key, value in node.value if node.id == "mapping" else ():
        at, line = place + catalog.json_path([str(key.value)]).removeprefix("$"), key.start_mark.line + 1
        if key.tag in (_TEXT, _MERGE):
            found.take(key.value, at, line, seen if key.tag == _TEXT else {})
        else:
            what = f"the key {key.value} is read as {key.tag.rpartition(':')[2]}"
            found.faults.append(TracksideError(what, at, "put it in quotes"))
            found.lines[at] = line
        _walk_yaml(value, at, found)
    for index, item in enumerate(node.value if node.id == "sequence" else ()):
        _walk_yaml(item, f"{place}[{index}]", found)
