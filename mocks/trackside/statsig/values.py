"""Single values on their way from a Segment call into a Statsig event: ids, pairs, texts. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from trackside.steps import Step

if TYPE_CHECKING:
    from trackside.statsig.settings import SegmentInbound


STRING_LIMIT = 64
OBJECT_LIMIT = 4096


def shown(value: object) -> str:
    """Return a value as JSON text of at most 80 characters, for the sentence of a step."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # a value that no JSON text can hold, handed in from Python
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def over_limit(rule: str, text: str, at: str) -> Step:
    """Return the warning for a text over Statsig's limit; what Statsig does with one is not said, so it stays whole."""
    what = f"{shown(text)} has {len(text)} characters, over Statsig's limit of {STRING_LIMIT}; it is kept whole here"
    return Step("assumed", rule, what, at, f"keep it to {STRING_LIMIT} characters", "warning")


def check_object(metadata: dict[str, Any], at: str, steps: list[Step]) -> None:
    """Warn of metadata over Statsig's limit, in characters as JSON; what Statsig does with it is not said, so it stays whole."""
    text = orjson.dumps(metadata)
    if len(text) > OBJECT_LIMIT and (size := len(text.decode())) > OBJECT_LIMIT:  # characters are never more than bytes
        what = (
            f"the metadata has {size} characters as JSON, over Statsig's limit of {OBJECT_LIMIT}; it is kept whole here"
        )
        steps.append(Step("assumed", "statsig.in.limit.metadata", what, at, "send fewer properties", "warning"))


def id_text(value: object, at: str, steps: list[Step]) -> str | None:
    """Return an id as Statsig keeps it, or None where there is none.

    Text stays as it is and a number becomes text (statsig.in.id-text). Null counts as missing, and so does empty text
    (statsig.in.empty-id); anything else is no id and is left out with a warning.
    """
    if isinstance(value, str):
        if not value:
            text = "the id is empty and counts as missing"
            steps.append(Step("assumed", "statsig.in.empty-id", text, at, "leave it out, or send the id", "note"))
        return value or None
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        text = f"the id {value} is kept as text"
        steps.append(Step("assumed", "statsig.in.id-text", text, at, "send ids as text", "note"))
        return number_text(value)
    text = f"{shown(value)} is no id and is left out"
    steps.append(Step("cut", "statsig.in.id-text", text, at, "send the id as text", "warning"))
    return None


def pairs(properties: dict[str, Any], where: str, key: str, rule: str, steps: list[Step]) -> dict[str, Any]:
    """Return an alternating array such as ``["companyID", "c-1"]`` as a dict; what is malformed is left out.

    Args:
        properties: the properties of the call.
        where: their JSON path.
        key: the property that holds the array, such as ``statsigCustomIDs``.
        rule: the rule that malformed parts are reported under.
        steps: where each fault is added: no array, an unpaired tail, a name that is no text, a name given twice.
    """
    value = properties.get(key)
    if not isinstance(value, list):
        if value is not None:
            text = f"{key} is {shown(value)}, not an array, and is left out"
            steps.append(_malformed(rule, text, f"{where}.{key}"))
        return {}
    found: dict[str, Any] = {}
    for position in range(0, len(value) - 1, 2):
        name = value[position]
        at = f"{where}.{key}[{position}]"
        if not isinstance(name, str) or not name:
            steps.append(_malformed(rule, f"{shown(name)} names nothing, and its pair is left out", at))
            continue
        if name in found:
            steps.append(_malformed(rule, f"{shown(name)} is given twice, and the last value counts", at))
        found[name] = value[position + 1]
    if len(value) % 2:
        text = f"{shown(value[-1])} has no partner in an array of {len(value)} and is left out"
        steps.append(_malformed(rule, text, f"{where}.{key}[{len(value) - 1}]"))
    return found


def _malformed(rule: str, text: str, at: str) -> Step:
    return Step("cut", rule, text, at, 'write name and value in turn: ["name", "value", …]', "warning")


def unlike_text(value: object, at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    """Return null, an object or an array as the metadata holds it, or None where it is left out.

    No document says what becomes of them, so both are settings: ``null_properties`` (statsig.in.metadata.null) and
    ``nested_properties`` (statsig.in.metadata.nested).
    """
    return _null_text(at, inbound, steps) if value is None else _nested_text(value, at, inbound, steps)


def _null_text(at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    kept = inbound.null_properties == "text"
    text = "null is kept as the text null" if kept else "null is left out of the metadata"
    steps.append(Step("assumed", "statsig.in.metadata.null", text, at, "set null_properties for the other", "note"))
    return "null" if kept else None


def _nested_text(value: object, at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    kept = inbound.nested_properties == "json"
    text = f"{shown(value)} is {'kept as JSON text' if kept else 'left out of the metadata'}"
    steps.append(Step("assumed", "statsig.in.metadata.nested", text, at, "send flat properties", "note"))
    return orjson.dumps(value).decode() if kept else None


def number_text(value: float) -> str:
    """Return a number as JavaScript writes it: ``42`` for 42.0, ``0.00001`` for 1e-05.

    >>> number_text(42.0), number_text(49.95), number_text(1e-05), number_text(1e-07), number_text(1e21)
    ('42', '49.95', '0.00001', '1e-7', '1e+21')
    >>> number_text(-0.0)
    '0'
    """
    text = repr(value or 0)
    if text.endswith(".0"):
        return text[:-2]
    if "e" not in text:
        return text
    if 1e-6 <= abs(value) < 1e21:
        return format(Decimal(text), "f")
    return text.replace("e-0", "e-")
