"""LaunchDarkly's events service for client-side IDs, and the goals that Segment asks for to check one.

The endpoints keep nothing: what LaunchDarkly stores of a post is in the answer, and the same request gives it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from trackside.launchdarkly.errors import invalid_request, unknown_client_side_id
from trackside.launchdarkly.mapping import kept_event
from trackside.steps import Record, Step
from trackside.wire import JSON, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import LaunchDarklySettings

EVENT_SCHEMA = "4"


def bulk_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return LaunchDarkly's answer to an array of events, with what it keeps of each.

    202 with an empty body, also where events of the array are dropped (launchdarkly.events.accepted); 404 for an
    unknown client-side ID (launchdarkly.events.unknown-client-side-id); 400 for a body that is no JSON array, a single
    event among them (launchdarkly.events.not-an-array). No credential beside the client-side ID is asked for.

    Source: LaunchDarkly, "Importing events"; launchdarkly/sdk-test-harness for the 202 and 400.
    """
    environment = settings.environment_of(request.params["client_side_id"])
    if environment is None:
        return unknown_client_side_id(_unknown(request, settings))
    events = _events(request)
    if isinstance(events, Step):
        return invalid_request(events)
    steps = _schema_steps(request)
    records: list[Record] = []
    for index, event in enumerate(events):
        kept = kept_event(event, index, environment)
        records += kept.records
        steps += kept.steps
    return Answer(202, records=records, steps=steps)


def goals(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the click and page-view metrics of an environment: none, as an empty array (launchdarkly.events.goals).

    Browser SDKs fetch them at start. Segment sends HEAD to learn whether a client-side ID exists: 200, else 404.
    """
    if settings.environment_of(request.params["client_side_id"]) is None:
        answer = unknown_client_side_id(_unknown(request, settings))
    else:
        answer = Answer(200, b"[]", {"Content-Type": JSON})
    if request.method == "HEAD":
        answer.body = b""
    return answer


def _unknown(request: Request, settings: LaunchDarklySettings) -> Step:
    given = request.params["client_side_id"]
    known = ", ".join(environment.client_side_id for environment in settings.environments.values()) or "none"
    if given.startswith(("sdk-", "mob-")):  # a secret, which no report may repeat
        text = "the path holds an SDK key or mobile key where the client-side ID belongs"
    else:
        text = f"no environment has the client-side ID {given}"
    rule = "launchdarkly.events.unknown-client-side-id"
    return Step("fault", rule, text, "the path", f"use one of the workspace's client-side IDs: {known}", "error")


def _events(request: Request) -> list[Any] | Step:
    rule, fix = "launchdarkly.events.not-an-array", "post a JSON array of events, also for a single one"
    if request.undecodable:
        return Step("fault", rule, request.undecodable, "request body", fix, "error")
    try:
        value = request.json()
    except orjson.JSONDecodeError as error:
        return Step("fault", rule, f"the body is not JSON: {error}", "request body", fix, "error")
    if not isinstance(value, list):
        return Step("fault", rule, "the body is JSON but no array", "$", fix, "error")
    return value


def _schema_steps(request: Request) -> list[Step]:
    schema = request.headers.get("x-launchdarkly-event-schema")
    if schema == EVENT_SCHEMA:
        return []
    text = f"the events are read as schema {EVENT_SCHEMA}, and the request says {schema or 'nothing'} of it"
    where, fix = "X-LaunchDarkly-Event-Schema header", f"send the header with the value {EVENT_SCHEMA}"
    return [Step("assumed", "launchdarkly.events.schema-header", text, where, fix, "note")]


ROUTES: list[Route[LaunchDarklySettings]] = [
    Route(("POST",), "/events/bulk/<client_side_id>", bulk_events, browser=True),
    Route(("GET", "HEAD"), "/sdk/goals/<client_side_id>", goals, browser=True),
]
