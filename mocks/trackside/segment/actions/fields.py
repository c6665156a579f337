"""The fields of an action or of a destination's settings, and their validation as Segment's framework does it.

Segment turns fields into a JSON Schema and lets Ajv check it with ``coerceTypes: "array"``: ``"12.5"`` becomes 12.5,
true becomes 1, 42 becomes ``"42"``, an array of one gives its element. Fields that nobody declared are removed. One
fault fails the whole payload, not the one field.

Rules: segment.fields.empty, segment.fields.coercion, segment.fields.invalid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from trackside.segment.actions.dates import date_like
from trackside.segment.actions.javascript import UNDEFINED, double, number, stringify, text, type_name
from trackside.steps import Level

Type: TypeAlias = Literal["string", "password", "number", "boolean", "object", "datetime"]
Payload: TypeAlias = dict[str, Any]
Validator: TypeAlias = Callable[[Any], "tuple[Payload, list[Fault]]"]

_HOSTNAME = re.compile(
    r"(?=.{1,253}\.?\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?",
    re.IGNORECASE | re.ASCII,
)
_CHAR = r"[a-z0-9\-._~!$&'()*+,;=:@]|%[0-9a-f]{2}"
_URI = re.compile(
    rf"[a-z][a-z0-9+\-.]*:(?://?(?:\[[0-9a-f:.]+\]|(?:{_CHAR})*)(?::[0-9]*)?(?:/(?:{_CHAR})*)*|(?:{_CHAR})+(?:/(?:{_CHAR})*)*)"
    rf"(?:\?(?:{_CHAR}|[/?])*)?(?:#(?:{_CHAR}|[/?])*)?",
    re.IGNORECASE | re.ASCII,
)
_FORMATS: dict[str, Callable[[str], object]] = {
    "date-like": date_like,
    "hostname": _HOSTNAME.fullmatch,
    "uri": _URI.fullmatch,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as its destination declares it; labels and descriptions are the vendor's data.

    Attributes:
        name: the key in mappings and payloads, such as ``metric_value``.
        label: as Segment's app and error texts call it.
        type: Segment's type; ``datetime`` is a text or a number that dayjs can read.
        required: whether a payload without it fails.
        default: the mapping that the field has in a preset; `UNDEFINED` without one.
        description: what it is for.
        format: ``hostname`` or ``uri`` of texts.
        choices: the only values allowed.
        multiple: whether it is an array of such values.
        rule: the rule that a fault in it names.
        fix: what a user can do about a fault in it.
        level: how much a fault in it matters: ``note`` where what is lost has no effect.
    """

    name: str
    label: str
    type: Type
    required: bool = False
    default: Any = UNDEFINED
    description: str = ""
    format: str = ""
    choices: tuple[str, ...] = ()
    multiple: bool = False
    rule: str = "segment.fields.invalid"
    fix: str = ""
    level: Level = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a payload fails: Segment's sentence, and the field; None for a payload that is no object."""

    field: Field | None
    sentence: str


def defaults(fields: Sequence[Field]) -> dict[str, Any]:
    """Return the mapping that a preset has: each field's default."""
    return {field.name: field.default for field in fields if field.default is not UNDEFINED}


def compile_fields(fields: Sequence[Field], *, keep_empty: bool = False) -> Validator:
    """Return what checks a payload and gives it back coerced, without undeclared fields, with every fault in it.

    Args:
        fields: as declared.
        keep_empty: False for payloads, where null and empty texts count as absent; True for settings.

    >>> check = compile_fields([Field("value", "Value", "number"), Field("key", "Key", "string", required=True)])
    >>> check({"value": "12.5", "key": 7, "more": 1})
    ({'value': 12.5, 'key': '7'}, [])
    >>> [fault.sentence for fault in check({"value": "many"})[1]]
    ["The root value is missing the required field 'key'.", 'Value must be a number but it was a string.']
    """
    checks = [(field.name, _as_it_is(field), _check(field), field) for field in fields]

    def validate(payload: Any) -> tuple[Payload, list[Fault]]:
        if not isinstance(payload, dict):
            return {}, [Fault(None, f"The root value must be an object but it was {_article(payload)}.")]
        given: Payload = {}
        missing: list[Fault] = []
        wrong: list[Fault] = []
        for name, as_it_is, check, field in checks:
            value = payload.get(name, UNDEFINED)
            if type(value) in as_it_is and (value != "" or keep_empty):
                given[name] = value
            elif value is not UNDEFINED and (keep_empty or (value is not None and value != "")):
                given[name] = check(value, wrong)
            elif field.required:
                missing.append(_missing(field))
        return given, missing + wrong  # Ajv's order

    return validate


def _as_it_is(field: Field) -> tuple[type, ...]:
    """Return the types that need no look at the value: most values, so this is worth its line."""
    if field.format or field.choices or field.multiple:
        return ()
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "password": (str,),
        "number": (int, float),
        "object": (dict,),
    }
    return types.get(field.type, ())


def _missing(field: Field) -> Fault:
    return Fault(field, f"The root value is missing the required field '{field.name}'.")


Check: TypeAlias = Callable[[Any, "list[Fault]"], Any]


def _check(field: Field) -> Check:
    return _array(field) if field.multiple else _one(field, field.label)


def _array(field: Field) -> Check:
    def check(value: Any, faults: list[Fault]) -> Any:
        items = value if isinstance(value, list) else [value]
        kept = [item for item in items if item is not None]
        return [_one(field, f"The value at /{field.name}/{place}")(item, faults) for place, item in enumerate(kept)]

    return check


def _one(field: Field, label: str) -> Check:
    kinds = {"datetime": ("string", "number"), "password": ("string",)}.get(field.type, (field.type,))
    wanted = " or ".join(kinds)
    wanted = f"{'an' if wanted[0] in 'aeiou' else 'a'} {wanted}"
    form = "date-like" if field.type == "datetime" else field.format
    valid = _FORMATS.get(form)

    def check(value: Any, faults: list[Fault]) -> Any:
        if valid and isinstance(value, str) and valid(value):
            return value  # most values of a format
        value, found = _coerced(value, kinds)
        if not found:
            faults.append(Fault(field, _sentence(f"{label} must be {wanted} but it was {_article(value)}")))
        if valid and isinstance(value, str) and not valid(value):
            faults.append(Fault(field, _sentence(f"{label} must be a valid {_form_name(form)} string but it was not")))
        if field.choices and value not in field.choices:
            faults.append(Fault(field, _sentence(f"{label} must be one of: {_listed(field.choices)}")))
        return value

    return check


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."


def _form_name(form: str) -> str:
    return "URI" if form == "uri" else form


def _listed(choices: Sequence[str]) -> str:
    texts = [stringify(choice) for choice in choices]
    return f"{', '.join(texts[:-1])}{',' if len(texts) > 2 else ''} or {texts[-1]}" if len(texts) > 1 else texts[0]


def _article(value: Any) -> str:
    name = type_name(value)
    return name if name in ("null", "undefined") else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _coerced(value: Any, kinds: tuple[str, ...]) -> tuple[Any, bool]:
    """Return a value as one of the wanted types, and whether that worked; objects are never coerced."""
    if type_name(value) in kinds:
        return value, True
    if kinds == ("object",):
        return value, False
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
        if kinds == (type_name(value),):  # Ajv does not recognise an element where a field has two types
            return value, True
    for kind in kinds:
        coerced = _COERCE[kind](value)
        if coerced is not UNDEFINED:
            return coerced, True
    return value, False


def _to_string(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return text(value)
    return "" if value is None else UNDEFINED


def _to_number(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return int(value or 0)
    if isinstance(value, str) and value and (found := number(value)) == found:  # not NaN
        return double(found)
    return UNDEFINED


def _to_boolean(value: Any) -> Any:
    if value is None or value in ("false", 0):
        return False
    return True if value in ("true", 1) else UNDEFINED


_COERCE: dict[str, Callable[[Any], Any]] = {"string": _to_string, "number": _to_number, "boolean": _to_boolean}
