"""What FME takes as event types, keys, properties and attributes. Pure functions.

Each takes the list of steps and adds what it renamed, cut or dropped.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trackside.steps import Step, drop

if TYPE_CHECKING:
    from trackside.split.settings import SegmentInbound

PROPERTY_COUNT = 300
PROPERTY_LENGTH = 256
TRAIT_LENGTH = 255

_EVERY_PAGE = re.compile(r"[a-zA-Z0-9][-_.a-zA-Z0-9]{0,62}").fullmatch  # the narrowest of the documented forms
_ANY_PAGE = re.compile(r"[a-zA-Z0-9\[][-_.:\[\]a-zA-Z0-9]*").fullmatch  # the characters of all of them together
_ATTRIBUTE_ID = re.compile(r"[a-zA-Z][-_a-zA-Z0-9]*").fullmatch
_SCALARS = frozenset((int, float, bool, type(None)))
_SHOWN = 60


def as_json(value: object) -> str:
    """Return a value as JSON text: how attributes and properties hold what is not text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown(value: object) -> str:
    """Return a value as JSON for the text of a step, shortened after 60 characters."""
    text = as_json(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def event_type(name: str, at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    """Return the event type that a name becomes, or None where the event is dropped.

    Args:
        name: as the call carries it, or as it was made of a page's or screen's name.
        at: its place, as a JSON path.
        inbound: the configuration.
        steps: takes the renaming (split.in.event-type-spaces), the drop (split.in.event-type-name), or the warning
            about a length that the vendor's pages disagree on (split.in.event-type-length).

    >>> from trackside.split.settings import SegmentInbound
    >>> steps = []
    >>> event_type("sample event", "$.event", SegmentInbound("fme-key", environment="production"), steps)
    'sample_event'
    >>> steps[0].rule
    'split.in.event-type-spaces'
    """
    if " " in name:
        steps.append(_spaces(name, at))
        name = name.replace(" ", "_")
    if _EVERY_PAGE(name) is None or len(name) > inbound.event_type_limit:
        return _contested(name, at, inbound, steps)
    return name


@lru_cache(maxsize=1024)
def _spaces(name: str, at: str) -> Step:
    text = f"the event type {shown(name)} is stored as {shown(name.replace(' ', '_'))}"
    return Step("rename", "split.in.event-type-spaces", text, at, "look for the name with underscores", "note")


def _contested(name: str, at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    too_long, misnamed = len(name) > inbound.event_type_limit, _ANY_PAGE(name) is None
    rule = "split.in.event-type-length" if len(name) > 63 and not misnamed else "split.in.event-type-name"
    fix = "use up to 63 letters, digits, hyphens, underscores and periods, a letter or digit first"
    if (too_long or misnamed) and inbound.invalid_event_type == "drop":
        fault = f"has {len(name)} characters" if too_long else "breaks the naming rules"
        steps.append(drop(rule, f"the event type {shown(name)} {fault}: the event is dropped", at=at, fix=fix))
        return None
    what = f"has {len(name)} characters" if len(name) > 63 else "has characters"
    text = f"the event type {shown(name)} {what} that not every page of the vendor allows: it is kept"
    steps.append(Step("assumed", rule, text, at, fix, "warning"))
    return name


def key(value: Any, at: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    """Return an id as a key, or None where it makes none: null, empty, too long, neither text nor number.

    Rule split.in.key: a number is written as text and blanks around a text are taken off, both with a note. A null id
    is the same as no id and makes no step.

    >>> from trackside.split.settings import SegmentInbound
    >>> key(42, "$.userId", SegmentInbound("fme-key", environment="production"), [])
    '42'
    """
    if type(value) is str and 0 < len(value) <= inbound.key_limit and value.strip() == value:
        return value
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = as_json(value) if is_number else value.strip() if isinstance(value, str) else ""
    fix = f"send the id as a text of 1 to {inbound.key_limit} characters, without blanks around it"
    if 0 < len(text) <= inbound.key_limit:
        reason = f"the id {shown(value)} is stored as the key {shown(text)}"
        steps.append(Step("rename", "split.in.key", reason, at, fix, "note"))
        return text
    what = f"has {len(text)} characters" if text else "holds no text"
    steps.append(Step("cut", "split.in.key", f"the id {shown(value)} {what}: it makes no key", at, fix, "warning"))
    return None


def event_properties(properties: dict[str, Any], inbound: SegmentInbound, steps: list[Step]) -> dict[str, Any]:
    """Return properties as FME stores them: at most 300, each a text, a number, a boolean or null.

    ``properties`` itself is left as it is. Rules split.in.properties, split.in.properties.count,
    split.in.properties.length, split.in.properties.object.

    >>> from trackside.split.settings import SegmentInbound
    >>> event_properties({"amount": 12.5, "tags": ["a", "b"]}, SegmentInbound("fme-key", environment="production"), [])
    {'amount': 12.5, 'tags': '["a","b"]'}
    """
    if _all_fit(properties):
        return properties.copy()
    stored: dict[str, Any] = {}
    for name, value in properties.items():
        kind = type(value)
        if (kind is dict or kind is list) and inbound.object_properties != "keep":
            value = _flat_property(name, value, inbound, steps)  # noqa: PLW2901 - what goes on is the flat value
        if type(value) is str and len(value) > PROPERTY_LENGTH:
            value = _short_property(name, value, inbound, steps)  # noqa: PLW2901 - what goes on is the short value
            if value is None:
                continue
        stored[name] = value
    return _first_properties(stored, steps) if len(stored) > PROPERTY_COUNT else stored


def _all_fit(properties: dict[str, Any]) -> bool:
    for value in properties.values():
        if type(value) is str:
            if len(value) > PROPERTY_LENGTH:
                return False
        elif type(value) not in _SCALARS:
            return False
    return len(properties) <= PROPERTY_COUNT


def _first_properties(stored: dict[str, Any], steps: list[Step]) -> dict[str, Any]:
    text = f"the call has {len(stored)} properties: those after the first {PROPERTY_COUNT} are left out"
    steps.append(Step("cut", "split.in.properties.count", text, "$.properties", "send fewer properties", "warning"))
    return dict(list(stored.items())[:PROPERTY_COUNT])


def _flat_property(name: str, value: object, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    as_text = inbound.object_properties == "text"
    text = f"the property {shown(name)} is no single value: stored as {'its JSON text' if as_text else 'null'}"
    fix = "send its parts as properties of their own"
    steps.append(Step("assumed", "split.in.properties.object", text, f"$.properties.{name}", fix, "note"))
    return as_json(value) if as_text else None


def _short_property(name: str, value: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    cut = inbound.property_limit == "cut"
    text = f"the property {shown(name)} has {len(value)} characters: {_over(PROPERTY_LENGTH, cut)}"
    fix = "send a shorter text"
    steps.append(Step("cut", "split.in.properties.length", text, f"$.properties.{name}", fix, "warning"))
    return value[:PROPERTY_LENGTH] if cut else None


def _over(limit: int, cut: bool) -> str:
    return f"cut to {limit}" if cut else f"left out, as the limit is {limit}"


def attributes(traits: dict[str, Any], inbound: SegmentInbound, steps: list[Step]) -> dict[str, str]:
    """Return traits as attributes of a traffic type: each id valid, each value a text of at most 255 characters.

    Rules split.in.traits, split.in.traits.text, split.in.traits.object, split.in.traits.null, split.in.traits.limit
    and split.in.attribute-id.

    >>> from trackside.split.settings import SegmentInbound
    >>> attributes({"plan": "gold", "company": {"name": "Acme"}}, SegmentInbound("fme-key", environment="production"), [])
    {'plan': 'gold', 'company': '{"name":"Acme"}'}
    """
    values: dict[str, str] = {}
    for name, value in traits.items():
        if _attribute_id(name, inbound, steps):
            text = _attribute(name, value, inbound, steps)
            if text is not None:
                values[name] = text
    return values


def _attribute_id(name: str, inbound: SegmentInbound, steps: list[Step]) -> bool:
    if _ATTRIBUTE_ID(name):
        return True
    at, fix = f"$.traits.{name}", "use letters, digits, hyphens and underscores, a letter first"
    text = f"{shown(name)} is no valid attribute id"
    if inbound.invalid_attribute == "keep":
        steps.append(Step("assumed", "split.in.attribute-id", f"{text}: it is kept all the same", at, fix, "note"))
        return True
    steps.append(Step("cut", "split.in.attribute-id", f"{text}: the trait is left out", at, fix, "warning"))
    return False


def _attribute(name: str, value: object, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    at = f"$.traits.{name}"
    if value is None:
        reason = f"the trait {shown(name)} is null: it is left out"
        steps.append(Step("assumed", "split.in.traits.null", reason, at, "send a value or no trait", "note"))
        return None
    if isinstance(value, (dict, list)) and inbound.object_traits == "drop":
        reason = f"the trait {shown(name)} is no single value: it is left out"
        steps.append(Step("cut", "split.in.traits.object", reason, at, "set object_traits to json to keep it"))
        return None
    text = value if isinstance(value, str) else _trait_text(name, value, at, steps)
    if len(text) <= TRAIT_LENGTH:
        return text
    cut = inbound.trait_limit == "cut"
    reason = f"the trait {shown(name)} has {len(text)} characters: {_over(TRAIT_LENGTH, cut)}"
    steps.append(Step("cut", "split.in.traits.limit", reason, at, "send a shorter value", "warning"))
    return text[:TRAIT_LENGTH] if cut else None


def _trait_text(name: str, value: object, at: str, steps: list[Step]) -> str:
    text = as_json(value)
    if isinstance(value, (dict, list)):
        reason = f"the trait {shown(name)} is no single value: stored as its JSON text"
        fix = "flatten it to see its parts in FME, or set object_traits to drop"
        steps.append(Step("assumed", "split.in.traits.object", reason, at, fix, "note"))
    else:
        reason = f"the trait {shown(name)} is stored as the text {shown(text)}"
        steps.append(Step("rename", "split.in.traits.text", reason, at, "compare it as text", "note"))
    return text
