"""What Segment checks in a mapping before it resolves it: the directives' names, options and their types.

What stands inside arrays, and inside ``@literal`` objects, is not checked: a wrong directive there only fails when it
is reached. Rule: segment.mapping-kit.invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from trackside.segment.actions.javascript import UNDEFINED, stringify, type_name, units

Check: TypeAlias = Callable[[Any, str], Iterator[str]]

LONGEST = 10
"""Characters that ``@replace`` allows in a pattern and in a replacement."""


def faults(mapping: Any, at: str = "") -> Iterator[str]:
    """Yield what Segment refuses in a mapping, each with its place: ``/user_key/@path should be ...``."""
    if has_directive(mapping):
        yield from _directive(mapping, at)
    elif isinstance(mapping, dict):
        for key, value in mapping.items():
            yield from faults(value, f"{at}/{key}")


def has_directive(mapping: Any) -> bool:
    """Return whether some key of an object begins with ``@``."""
    return isinstance(mapping, dict) and any(key.startswith("@") for key in mapping)


def _directive(mapping: dict[str, Any], at: str) -> Iterator[str]:
    names = [key for key in mapping if key.startswith("@")]
    others = [key for key in mapping if not key.startswith("@") and key != "_metadata"]
    if len(names) > 1 or others:
        yield f"{at or '/'} should only have one @-prefixed key but it has {len(names) + len(others)} keys."
    elif names[0] not in _CHECKS:
        yield f"{at or '/'} has an invalid directive: {names[0]}."
    else:
        yield from _CHECKS[names[0]](mapping[names[0]], f"{at}/{names[0]}")


def _but_it_is(value: Any, at: str, wanted: str) -> str:
    name = "directive" if has_directive(value) else type_name(value)
    return f"{at} should be {wanted} but it is {'an' if name[0] in 'aeiou' else 'a'} {name}."


def _raw(value: Any, at: str) -> Iterator[str]:
    if has_directive(value):
        yield from _directive(value, at)


def _string(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _but_it_is(value, at, "a string")


def _boolean(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield _but_it_is(value, at, "a boolean")


def _array(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _but_it_is(value, at, "an array")


def _directive_or_string(value: Any, at: str) -> Iterator[str]:
    if has_directive(value):
        yield from _directive(value, at)
    elif not isinstance(value, str):
        yield _but_it_is(value, at, "a string or a mapping directive")


def _directive_or_object(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from faults(value, at)
    else:
        yield _but_it_is(value, at, "a object or a mapping directive")


def _length(least: int) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        yield from _string(value, at)
        if isinstance(value, str) and not least <= units(value) <= LONGEST:
            yield f"{at} should be a string of length {least} to {LONGEST}."

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        yield from _string(value, at)
        if isinstance(value, str) and value.lower() not in allowed:
            yield f"{at} should be one of {', '.join(allowed)} but it is {stringify(value)}."

    return check


def _options(required: dict[str, Check] | None = None, **optional: Check) -> Check:
    """Return the check of an object of options, all of whose values are checked as mappings too."""

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict) or has_directive(value):
            yield _but_it_is(value, at, "an object")
            return
        inside = list(faults(value, at))
        yield from inside
        if not inside:
            yield from _named(value, at)

    def _named(value: dict[str, Any], at: str) -> Iterator[str]:
        for name, check_one in (required or {}).items():
            if name not in value:
                yield f'{at} should have field "{name}" but it doesn\'t.'
            else:
                yield from check_one(value[name], f"{at}/{name}")
        for name, check_one in optional.items():
            if name in value:
                yield from check_one(value[name], f"{at}/{name}")

    return check


def _array_path(value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield from _array(value, at)
        return
    path, shape = (*value, UNDEFINED, UNDEFINED)[:2]
    yield from _directive_or_string(path, at)
    yield from faults(shape, at)


def _merge(value: Any, at: str) -> Iterator[str]:
    found = list(_options({"objects": _array}, direction=_one_of("left", "right"))(value, at))
    yield from found
    if not found:
        for item in value["objects"]:
            yield from _directive_or_object(item, f"{at}/objects")


_CHECKS: dict[str, Check] = {
    "@if": _options(),
    "@path": _directive_or_string,
    "@template": _directive_or_string,
    "@literal": _raw,
    "@excludeWhenNull": _raw,
    "@arrayPath": _array_path,
    "@case": _options(operator=_string, value=_directive_or_string),
    "@replace": _options(
        {"pattern": _length(1), "value": _directive_or_string},
        replacement=_length(0),
        ignorecase=_boolean,
        **{"global": _boolean},
    ),
    "@merge": _merge,
    "@transform": _options({"apply": _directive_or_object, "mapping": _directive_or_object}),
    "@flatten": _options({"value": _raw}, separator=_string),
    "@json": _options({"value": _raw, "mode": _one_of("encode", "decode")}),
    "@liquid": _string,
}
