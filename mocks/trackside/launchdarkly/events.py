"""LaunchDarkly's events service: analytics events, diagnostic events, imported events, and the goals of browsers.

The endpoints keep nothing: what LaunchDarkly stores of a post is in the answer, and the same request gives it again.
Only the payload IDs that came before are remembered, by `trackside.launchdarkly.payloads`.
"""

from __future__ import annotations

import base64
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import orjson

from trackside.launchdarkly.credentials import (
    Found,
    by_access_token,
    by_client_side_id,
    by_mobile_key,
    by_sdk_key,
)
from trackside.launchdarkly.errors import (
    invalid_request,
    schema_not_supported,
    too_large,
    unknown_resource,
)
from trackside.launchdarkly.mapping import kept_diagnostic, kept_event
from trackside.launchdarkly.payloads import ignore_repeated
from trackside.launchdarkly.rest_metrics import with_metrics
from trackside.steps import Record, Step
from trackside.wire import JSON, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import LaunchDarklySettings

EVENT_SCHEMA = "4"
IMPORT_BYTES = 10 * 1024 * 1024
DIAGNOSTIC_KINDS = ("diagnostic", "diagnostic-init", "diagnostic-combined")
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""

_SCHEMA_HEADER = "x-launchdarkly-event-schema"
_IMPORT_AGENT = "MetricImport-"

# ---- analytics events


def server_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to events of a server-side SDK, whose SDK key is in ``Authorization``; see `kept_events`.

    An unknown key is answered 401 (launchdarkly.events.unknown-key); ``api_key`` may stand before the key
    (launchdarkly.events.api-key-scheme).
    """
    return kept_events(request, by_sdk_key(request, settings))


def mobile_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to events of a mobile SDK, whose mobile key is in ``Authorization``; see `kept_events`.

    The three paths of mobile SDKs are one service (launchdarkly.events.mobile-paths).
    """
    return kept_events(request, by_mobile_key(request, settings))


def bulk_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to events for the client-side ID in the path, which is all the credential; see `kept_events`.

    An unknown client-side ID is answered 404 (launchdarkly.events.unknown-client-side-id).
    """
    return kept_events(request, by_client_side_id(request, settings))


def pixel_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return a GIF of one pixel, and keep the events that are in ``d`` as base64 (launchdarkly.events.pixel).

    It is a GIF also where ``d`` holds no events: the caller is an ``<img>`` of a browser that may not post.
    """
    environment = by_client_side_id(request, settings)
    if isinstance(environment, Answer):
        return environment
    text = request.query.get("d", "").replace("-", "+").replace("_", "/")
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        body = b""
    events = _array(Request("GET", request.path, body=body))
    answer = _kept(events, environment, []) if isinstance(events, list) else Answer(200, steps=[events])
    answer.status, answer.body, answer.headers = 200, PIXEL, {"Content-Type": "image/gif"}
    return answer


def kept_events(request: Request, environment: Found) -> Answer:
    """Return LaunchDarkly's answer to an array of events, with what it keeps of each.

    202 with an empty body, also where events of the array are dropped (launchdarkly.events.accepted); 400 for a body
    that is no JSON array, a single event among them (launchdarkly.events.not-an-array). ``Date`` is the lab's clock,
    which SDKs take for the end of debug events (launchdarkly.events.date).

    Args:
        request: the body in JSON, an SDK's payload ID and schema among the headers.
        environment: where the events belong; a refusal is passed on.

    Source: LaunchDarkly, "Importing events"; launchdarkly/sdk-test-harness for the 202 and 400.
    """
    if isinstance(environment, Answer):
        return environment
    events = _array(request)
    if isinstance(events, Step):
        return invalid_request(events)
    answer = _kept(events, environment, _schema_steps(request))
    answer.headers = _date(request)
    return answer


def _kept(events: list[Any], environment: str, steps: list[Step]) -> Answer:
    records: list[Record] = []
    for index, event in enumerate(events):
        kept = kept_event(event, index, environment)
        records += kept.records
        steps += kept.steps
    return Answer(202, records=records, steps=steps)


def _array(request: Request) -> list[Any] | Step:
    fix = "post a JSON array of events, also for a single one"
    value = _json(request, fix)
    if isinstance(value, dict) and value.get("kind") in DIAGNOSTIC_KINDS:
        # The event sender that the JavaScript SDKs share repeats a diagnostic event that failed at this path.
        text = f"the body is a single event of kind {value['kind']}, which belongs to the diagnostic path"
        fix = "look for the diagnostic request that failed before it"
        return Step("fault", "launchdarkly.events.diagnostic-at-bulk", text, "$", fix, "note")
    if isinstance(value, list | Step):
        return value
    return Step("fault", "launchdarkly.events.not-an-array", "the body is JSON but no array", "$", fix, "error")


def _json(request: Request, fix: str) -> Any:
    """Return the body parsed, or the step that says why it cannot be (launchdarkly.events.not-an-array)."""
    rule = "launchdarkly.events.not-an-array"
    if request.undecodable:
        return Step("fault", rule, request.undecodable, "request body", fix, "error")
    try:
        return request.json()
    except orjson.JSONDecodeError as error:
        return Step("fault", rule, f"the body is not JSON: {error}", "request body", fix, "error")


def _schema_steps(request: Request) -> list[Step]:
    schema = request.headers.get(_SCHEMA_HEADER)
    if schema == EVENT_SCHEMA:
        return []
    text = f"the events are read as schema {EVENT_SCHEMA}, and the request says {schema or 'nothing'} of it"
    where, fix = "X-LaunchDarkly-Event-Schema header", f"send the header with the value {EVENT_SCHEMA}"
    return [Step("assumed", "launchdarkly.events.schema-header", text, where, fix, "note")]


def _date(request: Request) -> dict[str, str]:
    return {"Date": formatdate(request.at, usegmt=True)}


# ---- diagnostic events


def server_diagnostic(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to a diagnostic event of a server-side SDK; see `kept_diagnostics`."""
    return kept_diagnostics(request, by_sdk_key(request, settings))


def mobile_diagnostic(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to a diagnostic event of a mobile SDK; see `kept_diagnostics`."""
    return kept_diagnostics(request, by_mobile_key(request, settings))


def client_diagnostic(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to a diagnostic event for the client-side ID in the path; see `kept_diagnostics`."""
    return kept_diagnostics(request, by_client_side_id(request, settings))


def kept_diagnostics(request: Request, environment: Found) -> Answer:
    """Return LaunchDarkly's answer to one diagnostic event, and keep it apart from events (launchdarkly.diagnostics.accepted).

    202 with an empty body; 400 for a body that is no JSON object (launchdarkly.diagnostics.not-an-object). There is
    neither a schema header nor a payload ID on it.
    """
    if isinstance(environment, Answer):
        return environment
    fix = "post one JSON object, as SDKs do"
    value = _json(request, fix)
    if isinstance(value, Step):
        return invalid_request(value, expected="a JSON object")
    if not isinstance(value, dict):
        rule, text = "launchdarkly.diagnostics.not-an-object", "the body is JSON but no object"
        return invalid_request(Step("fault", rule, text, "$", fix, "error"), expected="a JSON object")
    return Answer(202, headers=_date(request), records=[kept_diagnostic(value, environment)])


# ---- imported events


def imported_events(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the answer to events that another system imports, with what LaunchDarkly keeps of each.

    202; 401 without the access token (launchdarkly.access-token); 404 for another project or environment
    (launchdarkly.import.unknown-environment); 406 where the schema header is not 4 (launchdarkly.import.schema-header);
    413 above 10 MB (launchdarkly.import.size); 400 for a body that is no array, or where one event is of another kind
    than custom: nothing is kept then (launchdarkly.import.kinds).

    Source: LaunchDarkly, "Importing events", server-side form.
    """
    project, environment = request.params["project"], request.params["environment"]
    if (refused := by_access_token(request, settings)) is not None:
        return refused
    if not settings.has_project(project) or environment not in settings.environments:
        return unknown_resource(_unknown_environment(project, environment, settings))
    if (refused := _import_refused(request)) is not None:
        return refused
    answer = kept_events(request, environment)
    if answer.status == 202:
        answer.steps += _import_steps(request)
    return answer


def _unknown_environment(project: str, environment: str, settings: LaunchDarklySettings) -> Step:
    text = f"there is no environment {environment} in a project {project}"
    fix = f"the project is {settings.project}, its environments are: {', '.join(settings.environments)}"
    return Step("fault", "launchdarkly.import.unknown-environment", text, "the path", fix, "error")


def _import_refused(request: Request) -> Answer | None:
    schema = request.headers.get(_SCHEMA_HEADER)
    if schema != EVENT_SCHEMA:
        text, where = f"the schema header says {schema or 'nothing'}", "X-LaunchDarkly-Event-Schema header"
        rule, fix = "launchdarkly.import.schema-header", f"send the header with the value {EVENT_SCHEMA}"
        return schema_not_supported(Step("fault", rule, text, where, fix, "error"))
    if len(request.body) > IMPORT_BYTES:
        text = f"the body has {len(request.body)} bytes, more than {IMPORT_BYTES}"
        return too_large(
            Step("fault", "launchdarkly.import.size", text, "request body", "send fewer events at once", "error")
        )
    events = _array(request)
    others = (
        [_other_kind(index, event) for index, event in enumerate(events) if _is_other(event)]
        if isinstance(events, list)
        else []
    )
    return invalid_request(*others) if others else None


def _is_other(event: object) -> bool:
    return not isinstance(event, dict) or event.get("kind") != "custom"


def _other_kind(index: int, event: Any) -> Step:
    kind = orjson.dumps(event.get("kind")).decode() if isinstance(event, dict) else "missing"
    rule, text = "launchdarkly.import.kinds", f"kind is {kind}, and only custom events are imported"
    return Step("fault", rule, text, f"$[{index}].kind", 'send kind "custom"; nothing of the request was kept', "error")


def _import_steps(request: Request) -> list[Step]:
    agent = request.headers.get("user-agent", "")
    if agent.startswith(_IMPORT_AGENT):
        return []
    text, fix = f"the user agent is {agent or 'missing'}", "send one such as MetricImport-Example-int/1.0"
    return [Step("assumed", "launchdarkly.import.user-agent", text, "User-Agent header", fix, "note")]


# ---- goals


def goals(request: Request, settings: LaunchDarklySettings) -> Answer:
    """Return the click and page-view metrics of an environment, an empty array where there are none (launchdarkly.events.goals).

    Browser SDKs fetch them at start; `with_metrics` puts in those that the REST API made. Segment sends HEAD to learn
    whether a client-side ID exists: 200, else 404.
    """
    environment = by_client_side_id(request, settings)
    answer = environment if isinstance(environment, Answer) else Answer(200, b"[]", {"Content-Type": JSON})
    if request.method == "HEAD":
        answer.body = b""
    return answer


_EVENTS: dict[str, Any] = {"contract": "launchdarkly/sdk-events", "after": ignore_repeated}
_DIAGNOSTIC: dict[str, Any] = {"contract": "launchdarkly/diagnostic-event"}

ROUTES: list[Route[LaunchDarklySettings]] = [
    Route(("POST",), "/bulk", server_events, **_EVENTS),
    Route(("POST",), "/diagnostic", server_diagnostic, **_DIAGNOSTIC),
    Route(("POST",), "/events/bulk/<client_side_id>", bulk_events, browser=True, **_EVENTS),
    Route(("POST",), "/events/diagnostic/<client_side_id>", client_diagnostic, browser=True, **_DIAGNOSTIC),
    *(
        Route(("POST",), path, mobile_events, **_EVENTS)
        for path in ("/mobile", "/mobile/events", "/mobile/events/bulk")
    ),
    Route(("POST",), "/mobile/events/diagnostic", mobile_diagnostic, **_DIAGNOSTIC),
    Route(("GET",), "/a/<client_side_id>.gif", pixel_events, browser=True),
    Route(
        ("POST",),
        "/v2/event-data-import/<project>/<environment>",
        imported_events,
        contract="launchdarkly/import-events",
        after=ignore_repeated,
    ),
    Route(("GET", "HEAD"), "/sdk/goals/<client_side_id>", goals, browser=True, after=with_metrics),
]
