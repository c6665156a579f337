"""Mapping-kit: Segment's small language of ``@`` directives that makes an action's payload out of an event.

A mapping is any JSON. An object whose only key begins with ``@`` (beside ``_metadata``) is a directive; everything else
is copied, and keys that come out undefined vanish. The behaviour is that of @segment/actions-core, JavaScript's oddities
included: ``[object Object]`` in templates, a falsy ``else`` that is ignored, empty arrays that count as there.

Rules: segment.mapping-kit, segment.mapping-kit.invalid, segment.mapping-kit.liquid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from trackside.errors import TracksideError
from trackside.segment.actions.javascript import (
    UNDEFINED,
    WHITESPACE,
    double,
    member,
    own_keys,
    stringify,
    text,
    truthy,
    type_name,
    units,
)
from trackside.segment.actions.mapping_check import LONGEST, faults, has_directive

Resolver: TypeAlias = Callable[[Any], Any]

ROOT = "__segment_internal_directive"

_SEPARATORS = re.compile(r"\[(?=[\"'0-9])|\.|(?<=[\"'0-9])\]+")
_PLACEHOLDERS = (re.compile(r"\{\{\{([^}]+)\}\}\}"), re.compile(r"\{\{([^}]+)\}\}"))
_REPLACEMENT = re.compile(r"\$([$&`'])")


class InvalidMapping(TracksideError):  # noqa: N818  a state of the user's mapping, in Segment's own words
    """A mapping that Segment cannot resolve: the whole event fails; ``what`` is Segment's reason."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "the mapping", "mend the directive; until then every event that matches it fails")


def compile_mapping(mapping: Any) -> Resolver:
    """Return what makes a payload of an event.

    Args:
        mapping: any JSON, directives anywhere in it.

    Returns:
        A function from an event to its payload. It raises `InvalidMapping` where Segment only finds out while
        resolving, such as a ``@path`` whose own directive gives no text.

    Raises:
        InvalidMapping: a directive that Segment's check refuses: unknown, two in one object, one beside a plain key,
            or with an option of the wrong type (segment.mapping-kit.invalid).

    >>> to_payload = compile_mapping({"key": {"@path": "$.userId"}, "name": {"@template": "{{event}}!"}})
    >>> to_payload({"event": "Signed Up"})
    {'name': 'Signed Up!'}
    """
    mapping = _rooted(mapping)
    if found := list(faults(mapping)):
        raise InvalidMapping(" ".join(found))
    return _compile(mapping)


def source_paths(mapping: Any) -> Iterator[str]:
    """Yield each ``@path`` in a mapping as a JSON path: where a value may have come from."""
    if isinstance(mapping, list):
        for item in mapping:
            yield from source_paths(item)
    elif isinstance(mapping, dict):
        for key, value in mapping.items():
            if key == "@path" and isinstance(value, str):
                yield f"$.{value.removeprefix('$.')}".rstrip(".")
            else:
                yield from source_paths(value)


def look_up(path: str) -> Resolver:
    """Return the look-up of a path such as ``properties.products[0].price``.

    It walks while the value is truthy: ``""`` gives the whole event, ``a.b`` through a 0 gives that 0.
    """
    if path in ("", "."):
        return lambda event: event
    keys = [key.replace("'", "").replace('"', "") for key in _SEPARATORS.split(path) if key]
    if len(keys) != 1:
        return lambda event: _walk(event, keys)
    key = keys[0]
    return lambda event: event.get(key, UNDEFINED) if isinstance(event, dict) else _walk(event, keys)


def _walk(value: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, UNDEFINED)
        elif truthy(value):
            value = member(value, key)
        else:
            return value
    return value


def _rooted(mapping: Any) -> Any:
    """Return a mapping with Segment's internal root directive wrapped around its other fields."""
    if not isinstance(mapping, dict) or ROOT not in mapping:
        return mapping
    root = mapping[ROOT]
    if not isinstance(root, dict) or len(root) > 1:
        raise InvalidMapping("The root mapping must only have a single directive object")
    fields = {key: value for key, value in mapping.items() if key != ROOT}
    if not all(isinstance(options, (dict, list)) for options in root.values()) or not root:
        raise InvalidMapping("The root directive must be an object")
    return {
        name: {**options, "mapping": fields} if isinstance(options, dict) else options for name, options in root.items()
    }


def _compile(mapping: Any, *, keep: bool = False) -> Resolver:
    """Return the resolver of any part of a mapping; ``keep`` leaves undefined values in objects, for ``@merge``."""
    if isinstance(mapping, list):
        items = [_compile(item, keep=keep) for item in mapping]
        return lambda event: [item(event) for item in items]
    if not isinstance(mapping, dict):
        return lambda _event: mapping
    if has_directive(mapping) and all(key.startswith("@") or key == "_metadata" for key in mapping):
        name = next(key for key in mapping if key.startswith("@"))
        if name not in _DIRECTIVES:
            return _failing(f"{name} is not a valid directive, got undefined")
        return _DIRECTIVES[name](mapping[name], keep)
    return _object({key: _compile(value, keep=keep) for key, value in mapping.items()}, keep=keep)


def _object(resolvers: dict[str, Resolver], *, keep: bool) -> Resolver:
    if keep:
        return lambda event: {key: resolver(event) for key, resolver in resolvers.items()}
    pairs = list(resolvers.items())

    def resolve(event: Any) -> Any:
        return {key: value for key, resolver in pairs if (value := resolver(event)) is not UNDEFINED}

    return resolve


def _failing(reason: str) -> Resolver:
    def resolve(_event: Any) -> Any:
        raise InvalidMapping(reason)

    return resolve


def _nothing(_event: Any) -> Any:
    return UNDEFINED


# ---- directives: from the value behind the ``@`` key to a resolver


def _if(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict):
        return _failing('@if requires an object with an "exists" key')
    if not truthy(options.get("exists")) and not truthy(options.get("blank")):
        return _failing('@if requires an "exists" key or a "blank" key')
    blank = "exists" not in options
    subject = _compile(options["blank" if blank else "exists"], keep=keep)
    same = repr(options.get("then")) == repr(options["blank" if blank else "exists"])  # saves a look-up
    then = _compile(options.get("then", UNDEFINED), keep=keep)
    otherwise = _compile(options["else"], keep=keep) if truthy(options.get("else")) else _nothing

    def resolve(event: Any) -> Any:
        value = subject(event)
        there = value is not None and value is not UNDEFINED and not (blank and _is_blank(value))
        if there:
            return value if same else then(event)
        return otherwise(event)

    return resolve


def _is_blank(value: Any) -> bool:
    """Return JavaScript's ``value == ''``: so are 0, false and an empty array."""
    return not isinstance(value, dict) and (not value or text(value) == "")


def _path(path: Any, keep: bool) -> Resolver:
    return _of_text("@path", path, keep, lambda found: look_up(found.replace("$.", "", 1)))


def _template(template: Any, keep: bool) -> Resolver:
    return _of_text("@template", template, keep, lambda found: lambda event: _render(found, {} if event is UNDEFINED else event))


def _of_text(name: str, value: Any, keep: bool, resolver_of: Callable[[str], Resolver]) -> Resolver:
    """Return a resolver for a directive whose value is a text, or a directive that gives one."""
    if isinstance(value, str):
        return resolver_of(value)
    inner = _compile(value, keep=keep)

    def resolve(event: Any) -> Any:
        found = inner(event)
        if not isinstance(found, str):
            raise InvalidMapping(f"{name}: expected string, got {type_name(found)}")
        return resolver_of(found)(event)

    return resolve


def _render(template: str, event: Any) -> str:
    def value(match: re.Match[str]) -> str:
        found = look_up(match[1].strip(WHITESPACE))(event)
        return "" if found is None or found is UNDEFINED else text(found)

    for placeholder in _PLACEHOLDERS:
        template = placeholder.sub(value, template)
    return template


def _literal(value: Any, keep: bool) -> Resolver:
    return _compile(value, keep=keep)


def _array_path(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, list):
        return _failing(f"@arrayPath expected array, got {type_name(options)}")
    path, shape = (*options, UNDEFINED, UNDEFINED)[:2]
    root = look_up(path.replace("$.", "", 1)) if isinstance(path, str) else _compile(path, keep=keep)
    if not (isinstance(shape, dict) and shape):
        return root
    item = _compile(shape, keep=keep)

    def resolve(event: Any) -> Any:
        found = root(event)
        if isinstance(found, dict):
            return [item(found)]
        return [item(element) for element in found] if isinstance(found, list) else found

    return resolve


def _case(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("operator")):
        return _failing('@case requires a "operator" key')
    if not truthy(options.get("value")):
        return _nothing
    subject, change = _compile(options["value"], keep=keep), options["operator"]

    def resolve(event: Any) -> Any:
        value = subject(event)
        if not isinstance(value, str):
            return value
        if change not in ("lower", "upper"):
            raise InvalidMapping('operator key should have a value of "lower" or "upper"')
        return value.lower() if change == "lower" else value.upper()

    return resolve


def _replace(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("pattern")):
        return _failing('@replace requires a "pattern" key')
    if not truthy(options.get("value")):
        return _nothing
    given = {name: value for name, value in options.items() if value is not None}
    subject = _compile(given["value"], keep=keep)
    pairs = [(given["pattern"], given.get("replacement", ""))]
    if isinstance(given.get("pattern2"), str) and given["pattern2"]:
        pairs += (
            [(given["pattern2"], given.get("replacement2", ""))]
            if isinstance(given.get("replacement2", ""), str)
            else []
        )
    ignorecase, everywhere = given.get("ignorecase", False), given.get("global", True)
    usable = (
        all(isinstance(word, str) for word in pairs[0])
        and isinstance(ignorecase, bool)
        and isinstance(everywhere, bool)
    )

    def resolve(event: Any) -> Any:
        value = subject(event)
        if isinstance(value, (bool, int, float)):
            value = text(value)
        if not usable or not isinstance(value, str):
            return ""
        for pattern, replacement in pairs:
            value = _replaced(
                value, pattern, replacement, re.RegexFlag(re.IGNORECASE if ignorecase else 0), not everywhere
            )
        return value

    return resolve


def _replaced(value: str, pattern: str, replacement: str, flags: re.RegexFlag, count: int) -> str:
    for name, word in (("pattern", pattern), ("replacement", replacement)):
        if units(word) > LONGEST:
            raise InvalidMapping(f'@replace requires a "{name}" less than {LONGEST} characters')

    def expand(match: re.Match[str]) -> str:
        parts = {"$": "$", "&": match.group(), "`": value[: match.start()], "'": value[match.end() :]}
        return _REPLACEMENT.sub(lambda mark: parts[mark[1]], replacement)

    return re.sub(re.escape(pattern), expand, value, count=count, flags=flags)


def _merge(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("direction")):
        return _failing('@merge requires a "direction" key')
    if not isinstance(options.get("objects"), list):
        return _failing('@merge requires a "objects" key')
    direction = _compile(options["direction"])
    # An undefined key of a later object takes the key away: so undefined is kept until all are merged.
    objects = [_compile(item, keep=True) for item in options["objects"]]

    def resolve(event: Any) -> Any:
        left = direction(event) == "left"
        merged: dict[str, Any] = {}
        for item in [resolve_one(event) for resolve_one in objects][:: -1 if left else 1]:
            merged.update(_entries(item))
        return merged if keep else _without_undefined(merged)

    return resolve


def _entries(value: Any) -> dict[str, Any]:
    """Return what ``Object.assign`` copies: an object's keys, an array's or text's indexes, nothing of the rest."""
    if isinstance(value, dict):
        return value
    return {str(place): item for place, item in enumerate(value)} if isinstance(value, (list, str)) else {}


def _without_undefined(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_undefined(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_undefined(item) for key, item in value.items() if item is not UNDEFINED}
    return value


def _transform(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("mapping")) or not truthy(options.get("apply")):
        return _failing('@transform requires a "mapping" key and a "apply" key')
    if not isinstance(options["apply"], dict):
        return _failing('@transform "apply" key should be an object')
    try:
        apply = compile_mapping(options["apply"])
    except InvalidMapping as fault:
        return _failing(fault.what)
    mapping = _compile(options["mapping"], keep=keep)

    def resolve(event: Any) -> Any:
        if event is not UNDEFINED and not isinstance(event, dict):
            raise InvalidMapping(f"data must be an object, got {type_name(event)}")
        return mapping(apply(event or {}))

    return resolve


def _flatten(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("separator")):
        return _failing('@flatten requires a "separator" key')
    separator, subject = _compile(options["separator"]), _compile(options.get("value", UNDEFINED), keep=keep)
    omit_arrays = truthy(options.get("omitArrays"))

    def resolve(event: Any) -> Any:
        between = separator(event)
        if not isinstance(between, str):
            raise InvalidMapping("@flatten requires a string separator")
        flat = dict(_flat(subject(event), "", between, omit_arrays))
        return flat if keep else _without_undefined(flat)

    return resolve


def _flat(value: Any, prefix: str, between: str, omit_arrays: bool) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) and (omit_arrays or not isinstance(value, list)):
        yield prefix, value
        return
    entries = _entries(value)
    for key in own_keys(entries):
        yield from _flat(entries[key], f"{prefix}{between}{key}" if prefix else key, between, omit_arrays)


def _json(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("mode")) or not truthy(options.get("value")):
        return _failing('@json requires a "mode" key and a "value" key')
    mode, subject = options["mode"], _compile(options["value"], keep=keep)

    def resolve(event: Any) -> Any:
        value = subject(event)
        if mode == "encode":
            return value if value is UNDEFINED else stringify(value)
        return _decoded(value) if mode == "decode" else UNDEFINED

    return resolve


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_int=lambda digits: double(int(digits)), parse_constant=_refuse)
    except ValueError:
        return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _exclude_when_null(value: Any, keep: bool) -> Resolver:
    subject = _compile(value, keep=keep)

    def resolve(event: Any) -> Any:
        found = _nulls_undefined(subject(event))
        return found if keep else _without_undefined(found)

    return resolve


def _nulls_undefined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nulls_undefined(item) for key, item in value.items()}
    return UNDEFINED if value is None else value


def _liquid(template: Any, _keep: bool) -> Resolver:
    if not isinstance(template, str):
        return _failing("liquid template value must be a string")
    from trackside.segment.actions.liquid import compile_liquid  # noqa: PLC0415  only where a mapping uses it

    return compile_liquid(template)


_DIRECTIVES: dict[str, Callable[[Any, bool], Resolver]] = {
    "@if": _if,
    "@path": _path,
    "@template": _template,
    "@literal": _literal,
    "@arrayPath": _array_path,
    "@case": _case,
    "@replace": _replace,
    "@merge": _merge,
    "@transform": _transform,
    "@flatten": _flatten,
    "@json": _json,
    "@excludeWhenNull": _exclude_when_null,
    "@liquid": _liquid,
}
