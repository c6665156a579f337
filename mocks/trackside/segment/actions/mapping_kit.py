"""Mapping-kit: Segment's small language of ``@`` directives that makes an action's payload out of an event.

A mapping is any JSON. An object whose only key begins with ``@`` (beside ``_metadata``) is a directive; everything else
is copied, and keys that come out undefined vanish. The behaviour is that of @segment/actions-core, JavaScript's oddities
included: ``[object Object]`` in templates, a falsy ``else`` that is ignored, empty arrays that count as there.

Rules: segment.mapping-kit, segment.mapping-kit.invalid, segment.mapping-kit.liquid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trackside.segment.actions.javascript import UNDEFINED, stringify, text, truthy, type_name
from trackside.segment.actions.mapping_check import faults, has_directive
from trackside.segment.actions.mapping_values import (
    InvalidMapping,
    Resolver,
    decoded,
    entries,
    flat,
    is_blank,
    look_up,
    nulls_undefined,
    render,
    replaced,
    without_undefined,
)

ROOT = "__segment_internal_directive"


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


def _rooted(mapping: Any) -> Any:
    """Return a mapping with Segment's internal root directive wrapped around its other fields."""
    if not isinstance(mapping, dict) or ROOT not in mapping:
        return mapping
    root = mapping[ROOT]
    if not isinstance(root, dict) or len(root) > 1:
        raise InvalidMapping("The root mapping must only have a single directive object")
    fields = {key: value for key, value in mapping.items() if key != ROOT}
    name, options = next(iter(root.items()), ("", None))
    if not isinstance(options, (dict, list)):
        raise InvalidMapping("The root directive must be an object")
    return {name: {**options, "mapping": fields} if isinstance(options, dict) else options}


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
    return lambda event: {key: value for key, resolver in pairs if (value := resolver(event)) is not UNDEFINED}


def _failing(reason: str) -> Resolver:
    def resolve(_event: Any) -> Any:
        raise InvalidMapping(reason)

    return resolve


def _nothing(_event: Any) -> Any:
    return UNDEFINED


# ---- directives: each from the value behind the ``@`` key to a resolver. What Segment only finds out while resolving
# ---- fails while resolving here too: the branch may never be reached.


def _if(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict):
        return _failing('@if requires an object with an "exists" key')
    if not truthy(options.get("exists")) and not truthy(options.get("blank")):
        return _failing('@if requires an "exists" key or a "blank" key')
    blank = "exists" not in options
    condition = options["blank" if blank else "exists"]
    subject = _compile(condition, keep=keep)
    same = repr(options.get("then")) == repr(condition)  # saves a look-up
    then = _compile(options.get("then", UNDEFINED), keep=keep)
    otherwise = _compile(options["else"], keep=keep) if truthy(options.get("else")) else _nothing

    def resolve(event: Any) -> Any:
        value = subject(event)
        if value is None or value is UNDEFINED or (blank and is_blank(value)):
            return otherwise(event)
        return value if same else then(event)

    return resolve


def _path(path: Any, keep: bool) -> Resolver:
    return _of_text("@path", path, keep, lambda found: look_up(found.replace("$.", "", 1)))


def _template(template: Any, keep: bool) -> Resolver:
    def of(found: str) -> Resolver:
        return lambda event: render(found, {} if event is UNDEFINED else event)

    return _of_text("@template", template, keep, of)


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
    subject, operator = _compile(options["value"], keep=keep), options["operator"]

    def resolve(event: Any) -> Any:
        value = subject(event)
        if not isinstance(value, str):
            return value
        if operator not in ("lower", "upper"):
            raise InvalidMapping('operator key should have a value of "lower" or "upper"')
        return value.lower() if operator == "lower" else value.upper()

    return resolve


def _replace(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("pattern")):
        return _failing('@replace requires a "pattern" key')
    if not truthy(options.get("value")):
        return _nothing
    given = {name: value for name, value in options.items() if value is not None}
    subject = _compile(given["value"], keep=keep)
    pairs = [(given["pattern"], given.get("replacement", ""))]
    if truthy(given.get("pattern2")) and _texts(given["pattern2"], given.get("replacement2", "")):
        pairs.append((given["pattern2"], given.get("replacement2", "")))
    ignorecase, everywhere = given.get("ignorecase", False), given.get("global", True)
    usable = _texts(*pairs[0]) and isinstance(ignorecase, bool) and isinstance(everywhere, bool)

    def resolve(event: Any) -> Any:
        value = subject(event)
        if isinstance(value, (bool, int, float)):
            value = text(value)
        if not usable or not isinstance(value, str):
            return ""
        for pattern, replacement in pairs:
            value = replaced(value, pattern, replacement, ignorecase=ignorecase, everywhere=everywhere)
        return value

    return resolve


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _merge(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("direction")):
        return _failing('@merge requires a "direction" key')
    if not isinstance(options.get("objects"), list):
        return _failing('@merge requires a "objects" key')
    direction = _compile(options["direction"])
    # An undefined key of a later object takes the key away, so undefined is kept until all are merged.
    objects = [_compile(item, keep=True) for item in options["objects"]]

    def resolve(event: Any) -> Any:
        found = [resolver(event) for resolver in objects]
        if direction(event) == "left":
            found.reverse()
        merged: dict[str, Any] = {}
        for item in found:
            merged.update(entries(item))
        return merged if keep else without_undefined(merged)

    return resolve


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
        leaves = dict(flat(subject(event), "", between, omit_arrays=omit_arrays))
        return leaves if keep else without_undefined(leaves)

    return resolve


def _json(options: Any, keep: bool) -> Resolver:
    if not isinstance(options, dict) or not truthy(options.get("mode")) or not truthy(options.get("value")):
        return _failing('@json requires a "mode" key and a "value" key')
    mode, subject = options["mode"], _compile(options["value"], keep=keep)

    def resolve(event: Any) -> Any:
        value = subject(event)
        if mode == "encode":
            return value if value is UNDEFINED else stringify(value)
        return decoded(value) if mode == "decode" else UNDEFINED

    return resolve


def _exclude_when_null(value: Any, keep: bool) -> Resolver:
    subject = _compile(value, keep=keep)

    def resolve(event: Any) -> Any:
        found = nulls_undefined(subject(event))
        return found if keep else without_undefined(found)

    return resolve


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
