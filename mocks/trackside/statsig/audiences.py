"""Which ID list an identify call of Segment changes, and for whom. Pure: what is in the lists is an argument."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from trackside.statsig.user import user_id_of
from trackside.statsig.values import shown
from trackside.steps import Message, Step, drop

RULE = "statsig.in.audience"
NAMES_TOLD = 8


@dataclass(frozen=True, slots=True)
class Membership:
    """What an identify call says of one user and one ID list.

    Attributes:
        name: of the list.
        entering: whether the user enters it or leaves.
        at: the place of that name in the call.
    """

    name: str
    entering: bool
    at: str


def audience_of(message: Message) -> dict[str, Any] | None:
    """Return the ``context.personas`` of an audience's identify call; None for any other call (statsig.in.audience).

    >>> audience_of({"type": "identify", "userId": "u-1", "traits": {"plan": "gold"}})
    """
    context = message.get("context")
    personas = context.get("personas") if isinstance(context, dict) else None
    if message.get("type") != "identify" or not isinstance(personas, dict):
        return None
    return personas if personas.get("computation_class") == "audience" else None


def memberships(
    message: Message, lists: Collection[str], *, by_traits: bool = True
) -> tuple[list[Membership], list[Step]]:
    """Return what an identify call says of ID lists, and why it says nothing where that should be known.

    Args:
        message: one Segment call.
        lists: the names of the ID lists that there are.
        by_traits: whether a call that is no audience's counts too, where true and false traits name lists.

    Returns:
        Memberships, and steps: a key that is missing or matches no list (statsig.in.audience.mismatch), a trait that says
        neither true nor false (statsig.in.audience.value).

    >>> personas = {"computation_class": "audience", "computation_key": "vip"}
    >>> call = {"type": "identify", "userId": "u-1", "traits": {"vip": True}, "context": {"personas": personas}}
    >>> memberships(call, ["vip"])[0]
    [Membership(name='vip', entering=True, at='$.context.personas.computation_key')]
    """
    given = message.get("traits")
    traits = given if isinstance(given, dict) else {}
    personas = audience_of(message)
    if personas is None:
        named = [key for key, value in traits.items() if key in lists and isinstance(value, bool)]
        asked = named if by_traits and message.get("type") == "identify" else []
        return [Membership(key, traits[key], f"$.traits.{key}") for key in asked], []
    at, key = "$.context.personas.computation_key", personas.get("computation_key")
    if not isinstance(key, str) or not key:
        text = f"computation_key is {shown(key)}: the audience is not named, and no ID list changes"
        return [], [drop("statsig.in.audience.mismatch", text, at=at, fix="send the audience's key, as text")]
    if key not in lists:
        return [], [_mismatch(key, lists, at)]
    if not isinstance(traits.get(key), bool):
        text = f"the trait {key} is {shown(traits.get(key))}: whether the user enters or leaves is not said"
        return [], [drop("statsig.in.audience.value", text, at=f"$.traits.{key}", fix="send true or false")]
    return [Membership(key, traits[key], at)], []


def _mismatch(key: str, lists: Collection[str], at: str) -> Step:
    text = f"the audience {shown(key)} matches no ID list, so that no list changes"
    near = difflib.get_close_matches(key, lists, n=1, cutoff=0.5)
    known = ", ".join(sorted(lists)[:NAMES_TOLD]) + (", …" if len(lists) > NAMES_TOLD else "")
    there = f"the nearest is {near[0]}" if near else f"there are: {known or 'none'}"
    fix = f"give the audience the ID of an ID list segment; {there}"
    return drop("statsig.in.audience.mismatch", text, at=at, fix=fix)


def user_of(message: Message, steps: list[Step]) -> str:
    """Return the ID that enters or leaves; empty after a step that says that there is none (statsig.in.audience.user-id)."""
    if (user_id := user_id_of(message, steps)) is not None:
        return user_id
    text, fix = "the audience's call has no userId, and no ID list changes", "identify the user by userId"
    steps.append(drop("statsig.in.audience.user-id", text, at="$.userId", fix=fix))
    return ""


def of_other_type(one: Membership, id_type: str) -> Step:
    """Return the drop of a membership in a list whose IDs are no user IDs (statsig.in.audience.id-type)."""
    text = f"the ID list {one.name} holds IDs of the type {id_type}, and an audience has user IDs: it stays as it is"
    fix = "sync the audience to a list of userID, or set statsig.segment_inbound.other_id_types to user_id"
    return drop("statsig.in.audience.id-type", text, at=one.at, fix=fix)


def told(one: Membership, user_id: str, *, known: bool) -> Step:
    """Return the step of a list that changed, or that was so already."""
    if known:
        text = (
            f"{user_id} is in the ID list {one.name} already"
            if one.entering
            else f"{user_id} is not in the ID list {one.name}"
        )
    else:
        text = f"{user_id} {'enters' if one.entering else 'leaves'} the ID list {one.name}"
    return Step("info", RULE, text, one.at)
