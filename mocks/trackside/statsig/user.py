"""The user of a Statsig event, read from a Segment call. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.statsig.values import STRING_LIMIT, id_text, over_limit, pairs, shown
from trackside.steps import Message, Step

if TYPE_CHECKING:
    from trackside.statsig.settings import SegmentInbound

_CONTEXT = ("ip", "locale", "userAgent")


def statsig_user(
    message: Message, properties: dict[str, Any], where: str, inbound: SegmentInbound, steps: list[Step]
) -> dict[str, Any]:
    """Return the Statsig user of a Segment call: its ids, and what else is known of it.

    Args:
        message: one Segment call.
        properties: its properties.
        where: their JSON path.
        inbound: the incoming side of the integration; its identifier mappings hold only while it is enabled.
        steps: where faults and assumptions are added.

    Returns:
        ``userID``, ``ip``, ``locale``, ``userAgent``, ``customIDs``, ``custom`` and ``statsigEnvironment``, each only
        where the call gives it. All ids are text.

    Source: Statsig, "Segment", sections on users, anonymous users, custom properties and environments.
    """
    user: dict[str, Any] = {}
    if (user_id := user_id_of(message, steps)) is not None:
        user["userID"] = user_id
        if len(user_id) > STRING_LIMIT:
            steps.append(over_limit("statsig.in.limit.user-id", user_id, "$.userId"))
    _add_context(user, message, steps)
    if custom_ids := _custom_ids(message, properties, where, inbound, steps):
        user["customIDs"] = custom_ids
    elif user_id is None:
        text = "the event has no user ID and no custom ID: it counts for no unit of an experiment"
        fix = "send userId, or map anonymousId under map_identifiers"
        steps.append(Step("info", "statsig.in.no-unit-id", text, "$.userId", fix, "note"))
    if custom := pairs(properties, where, "statsigCustom", "statsig.in.custom.malformed", steps):
        user["custom"] = custom
    if properties.get("statsigEnvironment") is not None and (tier := _tier(properties, where, steps)):
        user["statsigEnvironment"] = {"tier": tier}
    return user


def user_id_of(message: Message, steps: list[Step]) -> str | None:
    """Return the user ID of a Segment call as text, or None where there is none (statsig.in.user-id)."""
    user_id = id_text(message.get("userId"), "$.userId", steps)
    if "userID" not in message:
        return user_id
    other = id_text(message["userID"], "$.userID", steps)
    if other is None or other == user_id:
        return user_id
    text = "userID is read where userId is missing" if user_id is None else "userId is read and userID is not"
    fix = "send userId, which is Segment's own field"
    steps.append(Step("assumed", "statsig.in.user-id.capital", f"{text}: {shown(other)}", "$.userID", fix, "note"))
    return other if user_id is None else user_id


def _add_context(user: dict[str, Any], message: Message, steps: list[Step]) -> None:
    context = message.get("context")
    if not isinstance(context, dict):
        return
    for name in _CONTEXT:
        value = context.get(name)
        if value and isinstance(value, str):
            user[name] = value
        elif value not in (None, ""):
            text = f"{name} is {shown(value)}, not text, and is left out"
            steps.append(Step("cut", "statsig.in.context", text, f"$.context.{name}", "send it as text", "warning"))


def _custom_ids(
    message: Message, properties: dict[str, Any], where: str, inbound: SegmentInbound, steps: list[Step]
) -> dict[str, str]:
    mapped = _mapped_ids(message, inbound, steps) if inbound.enabled else {}
    if "statsigCustomIDs" not in properties:
        return mapped
    at = f"{where}.statsigCustomIDs"
    given: dict[str, str] = {}
    found = pairs(properties, where, "statsigCustomIDs", "statsig.in.custom-ids.malformed", steps)
    for id_type, value in found.items():
        if (custom_id := id_text(value, at, steps)) is not None:
            given[id_type] = custom_id
        elif value is None:
            steps.append(_null_id(id_type, at))
    for id_type, value in mapped.items():
        if given.get(id_type, value) != value:
            text = f"{id_type} is {shown(given[id_type])} from statsigCustomIDs, not {shown(value)} as mapped"
            steps.append(Step("info", "statsig.in.map-precedence", text, at, level="note"))
    return mapped | given


def _null_id(id_type: str, at: str) -> Step:
    text = f"the value of {shown(id_type)} is null, and its pair is left out"
    return Step("cut", "statsig.in.custom-ids.malformed", text, at, "send the id, or leave the pair out", "warning")


def _mapped_ids(message: Message, inbound: SegmentInbound, steps: list[Step]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for name, id_type in inbound.map_identifiers.items():
        value = message.get(name)
        if value is None and "." in name:
            text, fix = f"{name} is a path, and only top-level fields are mapped", "name a field such as anonymousId"
            where = "statsig.segment_inbound.map_identifiers"
            steps.append(Step("assumed", "statsig.in.map-identifier.path", text, where, fix, "note"))
        elif (custom_id := id_text(value, f"$.{name}", steps)) is not None:
            if ids.get(id_type, custom_id) != custom_id:
                text = (
                    f"two rows fill {id_type}: {shown(custom_id)} from {name} takes the place of {shown(ids[id_type])}"
                )
                fix = "map each field to an ID type of its own under map_identifiers"
                steps.append(Step("assumed", "statsig.in.map-identifier", text, f"$.{name}", fix, "note"))
            ids[id_type] = custom_id
    return ids


def _tier(properties: dict[str, Any], where: str, steps: list[Step]) -> str | None:
    environment = properties["statsigEnvironment"]
    tier = environment.get("tier") if isinstance(environment, dict) else None
    if tier and isinstance(tier, str):
        return tier
    text = f"statsigEnvironment is {shown(environment)} and names no tier: the event counts as production"
    fix = 'write it as {"tier": "staging"}'
    at = f"{where}.statsigEnvironment"
    steps.append(Step("assumed", "statsig.in.environment.malformed", text, at, fix, "warning"))
    return None
