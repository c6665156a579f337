"""Segment Engage: who is in an audience, and the calls that tell its destinations of a change. Pure but for the members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from trackside.errors import TracksideError
from trackside.segment.settings import Audience
from trackside.steps import Message

IDS = ("userId", "anonymousId")
EVENTS = {True: "Audience Entered", False: "Audience Exited"}

Who: TypeAlias = str | Mapping[str, str]
"""A user: the userId, or a mapping of ``userId`` and ``anonymousId``, of which one is enough."""


@dataclass(frozen=True, slots=True)
class Member:
    """A user of an audience, known by ``user_id``, or by ``anonymous_id`` alone."""

    user_id: str = ""
    anonymous_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells members apart: the userId where there is one."""
        return ("userId", self.user_id) if self.user_id else ("anonymousId", self.anonymous_id)

    def ids(self) -> dict[str, str]:
        """Return the ids as a call carries them."""
        given = zip(IDS, (self.user_id, self.anonymous_id), strict=True)
        return {name: value for name, value in given if value}


Members: TypeAlias = dict[tuple[str, str], Member]
"""Who is in an audience, in the order of entering, by what tells them apart."""


def member_of(who: object) -> Member:
    """Return a user as a test or the control API names it.

    >>> member_of("u-1").ids(), member_of({"anonymousId": "a-1"}).ids()
    ({'userId': 'u-1'}, {'anonymousId': 'a-1'})

    Raises:
        TracksideError: it is neither a userId nor a mapping of ids.
    """
    given = {"userId": who} if isinstance(who, str) else who
    fix = 'give a userId, or a mapping such as {"anonymousId": "a-1"}'
    if (
        not isinstance(given, Mapping)
        or not given
        or not set(given) <= set(IDS)
        or not all(map(_is_id, given.values()))
    ):
        raise TracksideError(f"{who!r} names no user", "segment.audiences", fix)
    return Member(given.get("userId", ""), given.get("anonymousId", ""))


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value.encode())
    except UnicodeEncodeError:  # half of a character
        return False


def changed(members: Members, who: Iterable[Member], *, entering: bool) -> list[Member]:
    """Return those whose membership changes, each once; nothing is sent of the others (segment.audiences.changes)."""
    asked = {one.key: one for one in who}
    return [one for key, one in asked.items() if (key in members) != entering]


def calls(key: str, audience: Audience, who: Iterable[Member], *, entered: bool) -> Iterator[Message]:
    """Yield the calls by which Engage tells an audience's destinations who entered or left it.

    Args:
        key: of the audience.
        audience: its settings, which say whether it syncs by identify calls, track calls or both.
        who: entered or left.
        entered: which of the two.

    Source: Segment, "Using Engage Data", identify and track calls (segment.audiences, segment.audiences.track).

    >>> [call] = calls("big_spenders", Audience(), [Member("u-1")], entered=True)
    >>> call["type"], call["userId"], call["traits"], call["context"]["personas"]["computation_key"]
    ('identify', 'u-1', {'big_spenders': True}, 'big_spenders')
    """
    context = {"personas": personas(key, audience)}
    for one in who:
        if audience.sync != "track":
            yield {"type": "identify", **one.ids(), "traits": {key: entered}, "context": context}
        if audience.sync != "identify":
            properties = {"audience_key": key, key: entered}
            yield {"type": "track", "event": EVENTS[entered], **one.ids(), "properties": properties, "context": context}


def personas(key: str, audience: Audience) -> dict[str, Any]:
    """Return what ``context.personas`` says of an audience."""
    return {
        "computation_class": "audience",
        "computation_id": audience.id or f"aud_{key}",
        "computation_key": key,
        "namespace": audience.space,
        "space_id": audience.space,
    }
