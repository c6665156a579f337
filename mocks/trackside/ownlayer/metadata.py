"""The ``segment`` attribute of an inference's ``additional_metadata``: what is used of it, and what is wrong with it.

Pure functions, called twice: when the inference arrives, as that is when a developer looks, and when its evaluation is
to go to Segment.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trackside.catalog import json_path
from trackside.ownlayer.records import FIELDS
from trackside.steps import Record, Step, drop
from trackside.telling import shown

ATTRIBUTES = ("user_id", "event", "properties", "integrations")
"""The keys of ``segment``."""

METADATA = "$.additional_metadata"
SEGMENT = f"{METADATA}.segment"

_WRITE = 'write "segment": {"user_id": "..."} into additional_metadata'


@dataclass(frozen=True, slots=True)
class Attributes:
    """What ``segment`` says, checked.

    Attributes:
        user_id: whom the event is about (ownlayer.user-id-required).
        event: the event's name; empty for OwnLayer's own (ownlayer.event-optional).
        properties: as they came; None where there are none (ownlayer.properties).
        integrations: as they came; None where there are none (ownlayer.integrations).
    """

    user_id: str
    event: str = ""
    properties: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


def on_arrival(inference: Record) -> list[Step]:
    """Return what a person should know of an inference that has just come: warnings and notes, no drops.

    An inference without ``segment`` is the normal course and no word is said, unless it stands in another place.
    """
    _, steps = read(inference)
    told = [step for step in steps if step.level == "warning"]
    faults = [replace(step, kind="fault") if step.kind == "drop" else step for step in told]
    return [*faults, *_unknown(inference)]


def read(record: Record) -> tuple[Attributes | None, list[Step]]:
    """Return what the ``segment`` attribute says, or None and a drop.

    Args:
        record: an inference, or an evaluation, which carries its inference's ``additional_metadata``.

    >>> attributes, [step] = read({"additional_metadata": {"segment": {"userId": "u-1"}}})
    >>> attributes, step.rule, step.text
    (None, 'ownlayer.user-id-required', 'segment has no user_id, and userId is not read: the names here are snake case')
    """
    metadata = record.get("additional_metadata")
    if metadata is not None and not isinstance(metadata, dict):
        text = f"additional_metadata is no object: {shown(metadata)}"
        return None, [drop("ownlayer.metadata", text, at=METADATA, fix=_WRITE)]
    segment = (metadata or {}).get("segment")
    if segment is None:
        return None, [_silent(record, metadata or {})]
    if not isinstance(segment, dict):
        text = f"segment is no object: {shown(segment)}"
        return None, [drop("ownlayer.metadata", text, at=SEGMENT, fix=_WRITE)]
    user_id = segment.get("user_id")
    if not isinstance(user_id, str) or not user_id.strip():
        return None, [_no_user_id(segment)]
    steps = list(_misread(segment))
    event, properties, integrations = (segment.get(name) for name in ATTRIBUTES[1:])
    return Attributes(
        user_id,
        event if isinstance(event, str) and event.strip() else "",
        properties if isinstance(properties, dict) else None,
        integrations if isinstance(integrations, dict) else None,
    ), steps


def _silent(record: Record, metadata: Mapping[str, Any]) -> Step:
    """Return the drop of an inference without ``segment``, a warning where it stands in another place (ownlayer.silent)."""
    text = "additional_metadata has no segment: nothing goes to Segment"
    if isinstance(record.get("segment"), dict):
        text += ", and segment beside it is not read"
        return drop("ownlayer.silent", text, at="$.segment", fix="put it into additional_metadata")
    if wrong := next((name for name in metadata if name != "segment" and meant(name, ("segment",))), ""):
        text += f", and {wrong} is not read"
        return drop("ownlayer.silent", text, at=json_path(["additional_metadata", wrong]), fix="call it segment")
    return drop("ownlayer.silent", text, at=SEGMENT, fix=f"nothing to do, or {_WRITE}", level="note")


def _no_user_id(segment: Mapping[str, Any]) -> Step:
    """Return the drop of a ``segment`` without the one attribute that is required (ownlayer.user-id-required)."""
    others = [name for name in segment if name not in ATTRIBUTES]
    wrong = next((name for name in others if meant(name, ("user_id", "anonymous_id"))), "")
    fix = "give user_id, a text that is not empty"
    if "user_id" in segment:
        text = f"segment.user_id is no text that names a user: {shown(segment['user_id'])}"
    elif wrong and meant(wrong, ("user_id",)):
        text = f"segment has no user_id, and {wrong} is not read: the names here are snake case"
        fix = f"call {wrong} user_id"
    elif wrong:
        text = f"segment has no user_id, and {wrong} is not read: no other id is known here"
    else:
        text = "segment has no user_id, which is required"
    return drop("ownlayer.user-id-required", text, at=f"{SEGMENT}.user_id", fix=fix)


def _misread(segment: Mapping[str, Any]) -> Iterator[Step]:
    """Yield each attribute that cannot be used as it is: the event is sent without it."""
    event = segment.get("event")
    if event is not None and not (isinstance(event, str) and event.strip()):
        text = f"segment.event is no name: {shown(event)}; OwnLayer's own event name is used"
        yield _cut("ownlayer.event-optional", text, "event", "give a text, or leave it out")
    for name in ("properties", "integrations"):
        value = segment.get(name)
        if value is not None and not isinstance(value, dict):
            text = f"segment.{name} is no object: {shown(value)}; the event is sent without it"
            yield _cut(f"ownlayer.{name}", text, name, "give an object, or leave it out")
    for name in segment:
        if name not in ATTRIBUTES and (known := meant(name, ATTRIBUTES)):
            at = json_path(["additional_metadata", "segment", name])
            text = f"segment.{name} is not read"
            yield Step("cut", "ownlayer.unknown-fields", text, at, f"did you mean {known}?", "warning")


def _cut(rule: str, text: str, name: str, fix: str) -> Step:
    return Step("cut", rule, text, f"{SEGMENT}.{name}", fix, "warning")


def _unknown(inference: Record) -> Iterator[Step]:
    """Yield each field that OwnLayer's SDK does not know: kept, and perhaps misspelt (ownlayer.unknown-fields)."""
    for name in inference:
        if name in FIELDS or name in ("kind", "id", "received_at", "segment"):
            continue
        known = meant(name, FIELDS)
        fix = f"did you mean {known}?" if known else "nothing to do, if it is meant"
        text = f"{name} is not a field that OwnLayer's SDK knows: it is kept"
        level = "warning" if known else "note"
        yield Step("info", "ownlayer.unknown-fields", text, json_path([name]), fix, level)  # type: ignore[arg-type]  # both are levels


def meant(name: str, known: Iterable[str]) -> str:
    """Return the known name that another one is a spelling of; empty for none.

    >>> meant("userId", ATTRIBUTES), meant("User-ID", ATTRIBUTES), meant("propertys", ATTRIBUTES), meant("plan", ATTRIBUTES)
    ('user_id', 'user_id', 'properties', '')
    """
    bare = {one.replace("_", ""): one for one in known}
    own = re.sub(r"[\W_]+", "", name).casefold()
    close = [own] if own in bare else difflib.get_close_matches(own, bare, n=1, cutoff=0.8)
    return bare[close[0]] if close else ""
