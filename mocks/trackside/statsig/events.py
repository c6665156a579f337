"""Events and exposures as Statsig's SDKs and its HTTP API post them. Pure: the time of receipt is in the request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from trackside.statsig import exposures
from trackside.statsig.encodings import body_object, plain_body
from trackside.statsig.errors import refusal
from trackside.statsig.keys import refused
from trackside.statsig.mapping import FORBIDDEN
from trackside.statsig.values import STRING_LIMIT, check_object, id_text, over_limit, shown
from trackside.steps import Level, Mapped, Record, Step, drop
from trackside.times import epoch_ms, in_ms
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings

SUCCESS = b'{"success":true}'
"""What SDKs want to read: after an empty body they drop the events, or send them again."""

APART = ("statsig::diagnostics", "statsig::non_exposed_checks")
"""What SDKs tell of themselves: no event of anybody's users."""

DRIFT_MS = 10_000
"""A client's clock may be this far off, in milliseconds, before its times are corrected: less is the time on the way."""


def log_event(request: Request, settings: StatsigSettings) -> Answer:
    """Return Statsig's answer to a post of events, with what it keeps of each.

    The body is ``{"events": [...], "statsigMetadata": {...}}``, in any encoding of the SDKs (statsig.sdk.encodings). 202
    with ``{"success": true}``, also where events of it are dropped (statsig.events.answer); 401 for a key that is
    neither the server nor the client key of the project (statsig.sdk.key); 400 for a body without a list of events
    (statsig.events.body).

    Source: Statsig, "HTTP API", and the published SDKs; each step names its rule.
    """
    if answer := refused(request, settings):
        return answer
    body, fault = body_object(request, "statsig.events.body")
    if fault is None and not isinstance(body.get("events"), list):
        text, fix = f"events is {shown(body.get('events'))}, not a list", 'send {"events": [...]}'
        fault = Step("fault", "statsig.events.body", text, "$.events", fix, "error")
    if fault:
        return refusal(400, "Invalid request: a JSON object with a list of events is expected", [fault])
    events = ((f"$.events[{index}]", event) for index, event in enumerate(body["events"]))
    return accepted(batch(events, body, settings, in_ms(request.at), request.headers.get("statsig-client-time", "")))


def accepted(mapped: Mapped) -> Answer:
    """Return the answer to what was taken (statsig.events.answer)."""
    return Answer(202, SUCCESS, {"Content-Type": "application/json; charset=utf-8"}, mapped.records, mapped.steps)


def batch(
    events: Iterable[tuple[str, Any]], body: dict[str, Any], settings: StatsigSettings, received: int, sent: str = ""
) -> Mapped:
    """Return what Statsig keeps of events: custom events, exposures, and what SDKs tell of themselves.

    Args:
        events: each with its JSON path, and as ``log_event`` has it.
        body: that they came in; its ``user`` stands in for events without one (statsig.http.shared-user).
        settings: the project.
        received: when it came, epoch milliseconds.
        sent: the client's own time when it sent, epoch milliseconds as text; empty where it gave none.

    Returns:
        For a custom event a record without ``kind``: ``eventName``, ``time`` (epoch milliseconds), ``value`` (number, text
        or null), ``user``, ``metadata`` (as sent) and ``statsigMetadata`` (statsig.events.record); with
        ``kind: "exposure"`` see `trackside.statsig.exposures.exposure`; with ``kind: "diagnostics"`` those of `APART`
        (statsig.events.diagnostics).
    """
    steps: list[Step] = []
    shift = _drift(sent, received, steps)
    shared = {key: _object(body, key, "$", steps) for key in ("user", "statsigMetadata")}
    records: list[Record] = []
    for at, event in events:
        if not isinstance(event, dict):
            text = f"{shown(event)} is no event"
            steps.append(drop("statsig.events.body", text, at=at, fix="send each event as an object", level="error"))
        elif (name := _name(event, at, steps)) is not None:
            kept = _kept(name, event, shared, at, received, shift, steps)
            if name in APART:
                records.append({"kind": "diagnostics", **kept})
            elif name not in exposures.OF:
                records.append(kept)
            elif seen := exposures.exposure(kept, settings, at, steps):
                records.append(seen)
    return Mapped(records, steps)


def _drift(client_time: str, received: int, steps: list[Step]) -> int:
    """Return the milliseconds to add to the client's times (statsig.events.client-time)."""
    drift = received - int(client_time) if client_time.isdecimal() and len(client_time) <= 16 else 0
    if abs(drift) <= DRIFT_MS:
        return 0
    text = f"the client's clock is {drift} ms behind the lab's: the times of its events are moved by that"
    fix = "set the client's clock; a lab that was given a time of its own differs from every clock"
    steps.append(Step("info", "statsig.events.client-time", text, "STATSIG-CLIENT-TIME header", fix, "note"))
    return drift


def _name(event: dict[str, Any], at: str, steps: list[Step]) -> str | None:
    name, at = event.get("eventName"), f"{at}.eventName"
    if not isinstance(name, str) or not name:
        text, fix = f"eventName is {shown(name)}, which names no event", "name the event, as text"
        steps.append(drop("statsig.events.name", text, at=at, fix=fix, level="error"))
        return None
    if found := FORBIDDEN.search(name):
        text = f"Statsig drops names that hold {shown(found[0])}: {shown(name)}"
        steps.append(drop("statsig.in.name-characters", text, at=at, fix="rename the event"))
        return None
    if len(name) > STRING_LIMIT:
        steps.append(over_limit("statsig.in.limit.name", name, at))
    return name


def _kept(
    name: str, event: dict[str, Any], shared: dict[str, Any], at: str, received: int, shift: int, steps: list[Step]
) -> Record:
    metadata = _object(event, "metadata", at, steps)
    kept = {
        "eventName": name,
        "time": _time(event, at, received, shift, steps),
        "value": _value(event, at, steps),
        "user": _user(event, shared["user"], at, steps),
        "metadata": metadata,
        "statsigMetadata": {**shared["statsigMetadata"], **_object(event, "statsigMetadata", at, steps)},
    }
    if secondary := event.get("secondaryExposures"):
        kept["secondaryExposures"] = secondary
    if name not in APART and name not in exposures.OF:
        check_object(metadata, f"{at}.metadata", steps)
        _note_no_unit(kept, at, steps)
    return kept


def _object(of: dict[str, Any], key: str, at: str, steps: list[Step]) -> dict[str, Any]:
    """Return a field that may be an object, null or missing; anything else is left out."""
    value = of.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        text = f"{key} is {shown(value)}, not an object, and is left out"
        steps.append(Step("cut", "statsig.events.field", text, f"{at}.{key}", "send an object", "error"))
    return {}


def _time(event: dict[str, Any], at: str, received: int, shift: int, steps: list[Step]) -> int:
    """Return when it happened: a number of milliseconds or an ISO 8601 text, else the time of receipt."""
    time = event.get("time")
    moment = epoch_ms(time, 0) if time is not None else None
    if moment is not None:
        return moment + shift
    level: Level = "note" if time is None else "error"
    text, fix = f"time is {shown(time)}: the event has the time of receipt", "send milliseconds, or an ISO 8601 text"
    steps.append(Step("assumed", "statsig.events.time", text, f"{at}.time", fix, level))
    return received


def _value(event: dict[str, Any], at: str, steps: list[Step]) -> str | float | None:
    value = event.get("value")
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    at = f"{at}.value"
    if isinstance(value, str):
        if len(value) > STRING_LIMIT:
            steps.append(over_limit("statsig.in.limit.value", value, at))
        return value
    text = f"value is {shown(value)}, neither text nor number, and is left out"
    steps.append(Step("cut", "statsig.events.field", text, at, "send a number or a text", "error"))
    return None


def _user(event: dict[str, Any], shared: dict[str, Any], at: str, steps: list[Step]) -> dict[str, Any]:
    """Return the event's user, else the one that is shared, ids as text, without what is private."""
    own = event.get("user") is not None
    user = dict(_object(event, "user", at, steps) if own else shared)
    at = f"{at}.user" if own else "$.user"
    if user.pop("privateAttributes", None):
        text, fix = "the private attributes are not kept", "Statsig's SDKs never send them with events"
        steps.append(Step("cut", "statsig.events.private", text, f"{at}.privateAttributes", fix, "note"))
    user_id = user.get("userID")
    if user_id is not None and not isinstance(user_id, str):
        user["userID"] = id_text(user_id, f"{at}.userID", steps)
    elif user_id and len(user_id) > STRING_LIMIT:
        steps.append(over_limit("statsig.in.limit.user-id", user_id, f"{at}.userID"))
    if "customIDs" in user:
        ids = _object(user, "customIDs", at, steps)
        texts = {key: _id(one, f"{at}.customIDs.{key}", steps) for key, one in ids.items()}
        user["customIDs"] = {key: one for key, one in texts.items() if one}
    return user


def _id(value: object, at: str, steps: list[Step]) -> str | None:
    return value if isinstance(value, str) else id_text(value, at, steps)


def _note_no_unit(kept: Record, at: str, steps: list[Step]) -> None:
    """Add a note where nothing names a unit: no user ID, no custom ID, and not the stable ID of a client SDK."""
    user = kept["user"]
    if not (user.get("userID") or user.get("customIDs") or kept["statsigMetadata"].get("stableID")):
        text, fix = "the event has no user ID and no custom ID: it counts for no unit of an experiment", "send a userID"
        steps.append(Step("info", "statsig.in.no-unit-id", text, f"{at}.user", fix, "note"))


def sdk_exception(request: Request, settings: StatsigSettings) -> Answer:  # noqa: ARG001 - no key is asked for
    """Return the answer to an SDK that reports an exception of its own; it makes a note, and no event.

    SDKs ignore the answer (statsig.events.sdk-exception).
    """
    body, fault = body_object(request, "statsig.events.body")
    if fault:
        return refusal(400, "Invalid request: a JSON object is expected", [fault])
    sdk = " ".join(request.headers.get(f"statsig-sdk-{part}", "") for part in ("type", "version")).strip()
    where = f" in {body['tag']}" if body.get("tag") else ""
    text = f"{sdk or 'an SDK'} reports an exception of its own{where}: {shown(body.get('exception'))}"
    fix = "see the body of the request for what it says"
    step = Step("info", "statsig.events.sdk-exception", text, "$.exception", fix, "note")
    return accepted(Mapped([], [step]))


ROUTES: list[Route[StatsigSettings]] = [
    *(
        Route(("POST",), path, log_event, browser=True, contract="statsig/log-event", plain=plain_body)
        for path in ("/v1/log_event", "/v1/rgstr", "/v1/log_event_beacon")  # statsig.events.older-paths
    ),
    Route(
        ("POST",), "/v1/sdk_exception", sdk_exception, browser=True, contract="statsig/sdk-exception", plain=plain_body
    ),
]
