"""Where Segment's Statsig destination posts to.

The endpoint keeps nothing: what Statsig stores of a call is in the answer, and the same request gives it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from trackside.statsig import (
    client,
    console,
    console_configs,
    console_counts,
    console_experiments,
    console_gates,
    console_metrics,
    console_segments,
    download,
    events,
    http_api,
    oauth,
)
from trackside.statsig.audiences import memberships, of_other_type, told, user_of
from trackside.statsig.errors import refusal
from trackside.statsig.mapping import segment_event
from trackside.steps import Mapped, Step
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings
    from trackside.statsig.store import Statsig

SUCCESS = b'{"success":true}'


def segment_webhook(request: Request, settings: StatsigSettings) -> Answer:
    """Return Statsig's answer to one Segment call, with the event it keeps.

    The server secret travels as Basic user name, as ``statsig-api-key`` header or as query parameter
    (statsig.in.auth); the body is one call as a JSON object. 401 for a wrong or missing key, 400 for a body that is no
    JSON object (statsig.in.json), 403 while the integration is switched off (statsig.in.enabled), 501 for other call
    types where the workspace asks for it (statsig.in.unsupported), else 200 (statsig.in.answer): also for a call that
    makes no event (statsig.in.answer.no-event).

    Source: Statsig, "Segment", picture of Segment's Event Tester; Segment, "Build a destination" for the refusals.
    """
    if (fault := _key_fault(request, settings)) is not None:
        return refusal(401, "Invalid API key: use the server secret key of the Statsig project", [fault])
    message = _call(request)
    if isinstance(message, Step):
        return refusal(400, "Malformed body: one Segment call as a JSON object is expected", [message])
    mapped = segment_event(message, settings, request.at)
    return _refused(mapped, settings) or _success(mapped)


def sync_audience(request: Request, answer: Answer, live: Statsig) -> Answer:
    """Return the answer to a call of Segment that was taken, after the ID lists it names are changed (statsig.in.audience).

    An Engage audience's identify call lets its user enter the ID list of that key, or leave it; running SDKs see it when
    they ask for ID lists the next time. Any other call is answered as it was.
    """
    inbound = live.settings.segment_inbound
    off = not inbound.enabled and inbound.when_disabled == "refuse"
    if off or answer.status != 200 or not may_sync(request.body, live):
        return answer
    message, lists = request.json(), live.id_lists()
    found, steps = memberships(message, lists, by_traits=inbound.audience_traits)
    if not found and not steps:
        return answer
    user_id = user_of(message, steps) if found else ""
    for one in found if user_id else ():
        id_type = lists[one.name].id_type
        if id_type != "userID" and inbound.other_id_types == "drop":
            steps.append(of_other_type(one, id_type))
            continue
        known = (user_id in lists[one.name].ids) == one.entering
        if not known:
            live.change_list(one.name, *(([user_id],) if one.entering else ((), [user_id])))
        steps.append(told(one, user_id, known=known))
    return replace(answer, steps=steps, told=True)


def may_sync(body: bytes, live: Statsig) -> bool:
    """Return whether a body may hold an identify call that changes ID lists; False only where that is certain."""
    if b'"traits"' not in body:
        return False
    return b'"personas"' in body or ((b"true" in body or b"false" in body) and bool(live.id_lists()))


def _success(mapped: Mapped) -> Answer:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Access-Control-Allow-Origin": "*",
        "X-Statsig-Region": "local",
    }
    return Answer(200, SUCCESS, headers, mapped.records, mapped.steps)


def _refused(mapped: Mapped, settings: StatsigSettings) -> Answer | None:
    rule = dropped.rule if (dropped := mapped.dropped) else ""
    if rule == "statsig.in.enabled":
        return refusal(403, "The Segment integration is not enabled in this Statsig project", mapped.steps)
    if rule == "statsig.in.unsupported" and settings.segment_inbound.unsupported == "refuse":
        return refusal(501, "This call type is not supported", mapped.steps)
    return None


def _call(request: Request) -> dict[str, object] | Step:
    where, fix = "request body", "post one Segment call as a JSON object, such as a track call"
    if request.undecodable:
        return Step("fault", "statsig.in.json", request.undecodable, where, fix, "error")
    try:
        value = request.json()
    except orjson.JSONDecodeError as error:
        return Step("fault", "statsig.in.json", f"the body is not JSON: {error}", where, fix, "error")
    if not isinstance(value, dict):
        return Step("fault", "statsig.in.json", "the body is JSON but no object", "$", fix, "error")
    return value


def _key_fault(request: Request, settings: StatsigSettings) -> Step | None:
    key, where = _key(request)
    if key and (settings.any_key or key == settings.server_secret):
        return None
    text = f"the key in the {where} is not the project's server secret" if key else "the request carries no key"
    fix = "put the server secret key of the Statsig project into the destination's API Key setting"
    other = {settings.client_key: "client", settings.console_key: "Console API"}.get(key)
    if key and other:
        text = f"the key in the {where} is the project's {other} key, not its server secret"
    return Step("fault", "statsig.in.auth", text, where, fix, "error")


def _key(request: Request) -> tuple[str, str]:
    """Return the first key the request carries and its place; keys themselves never reach a report."""
    places = (
        (request.basic_user(), "Authorization header"),
        (request.headers.get("statsig-api-key"), "statsig-api-key header"),
        (request.query.get("statsig-api-key"), "statsig-api-key query parameter"),
    )
    return next(((key, where) for key, where in places if key), ("", "Authorization header"))


ROUTES: list[Route[Any]] = [
    *(
        Route(("POST",), path, segment_webhook, after=sync_audience)
        # The second is the only path that was ever published, with the manual set-up of 2021; the catalogue destination's
        # is not public.
        for path in ("/v1/webhooks/segment", "/v1/webhooks/segment_webhook")
    ),
    *download.ROUTES,
    *client.ROUTES,
    *events.ROUTES,
    *http_api.ROUTES,
    *console.ROUTES,
    *console_gates.ROUTES,
    *console_configs.ROUTES,
    *console_experiments.ROUTES,
    *console_segments.ROUTES,
    *console_metrics.ROUTES,
    *console_counts.ROUTES,
    *oauth.ROUTES,
]
