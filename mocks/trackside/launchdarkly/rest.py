"""LaunchDarkly's REST API, as far as programs that set up and check experiments use it: who asks, and what there is.

Flags, metrics and experiments are in modules of their own. Everything here takes the access token, and answers errors
as ``{"code", "message"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.credentials import by_access_token
from trackside.launchdarkly.experiments import declared_experiment
from trackside.launchdarkly.metrics import declared_metrics
from trackside.launchdarkly.representation import Representation, link, made_id
from trackside.steps import Level, Step
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import Environment
    from trackside.launchdarkly.store import EnvironmentData, LaunchDarkly

Handler = Callable[[Request, "LaunchDarkly"], Answer]

VERSIONS = (20240415, 20220603, 20210729, 20191212, 20160426)
"""The API's versions, the latest first."""

PAGE = 20
"""How much a list holds unless ``limit`` says otherwise."""


DIGITS = 9
"""The most digits of a number in a query or header; Python reads a few thousand, and then raises."""


@dataclass(slots=True)
class Resources:
    """What the REST API shows beside flags: what the workspace declares, and what was made until the next reset.

    Attributes:
        flags: what SDKs do not have of a flag, such as its name and tags, by its key.
        metrics: by key.
        experiments: by environment and key.
    """

    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    metrics: dict[str, Representation] = field(default_factory=dict)
    experiments: dict[tuple[str, str], Representation] = field(default_factory=dict)


def resources(live: LaunchDarkly) -> Resources:
    """Return what the REST API remembers; at first it is what the workspace declares (launchdarkly.counting.metrics)."""
    found: Resources | None = live.remembered.get("rest")
    if found is None:
        found = live.remembered["rest"] = _declared(live)
    return found


def _declared(live: LaunchDarkly) -> Resources:
    settings, first = live.settings, next(iter(live.environments), "")
    metrics = declared_metrics(settings.project, settings.metrics)
    experiments = {}
    for key, one in settings.experiments.items():
        name = one.environment or first
        if (flag := live.declared(name, one.flag)) is not None:
            experiments[name, key] = declared_experiment(settings.project, name, key, one, flag, metrics)
    return Resources(metrics=metrics, experiments=experiments)


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of ours
    """The vendor's refusal of a call, raised where it is found and answered by `with_token`.

    Args:
        status: of the answer.
        code: the API's word for it.
        message: the API's reason.
        steps: what a person should know; none where the request's contract tells it.
    """

    def __init__(self, status: int, code: str, message: str, steps: Sequence[Step] = ()) -> None:
        super().__init__(message)
        self.answer = json_answer(status, {"code": code, "message": message}, steps=list(steps))


def invalid(*faults: TracksideError, status: int = 400) -> Refusal:
    """Return the 400 of what cannot be done, every fault told (launchdarkly.rest.invalid-request)."""
    rule = "launchdarkly.rest.invalid-request"
    steps = [Step("fault", rule, fault.what, fault.where, fault.fix, "error") for fault in faults]
    return Refusal(status, "invalid_request", "; ".join(fault.what for fault in faults), steps)


def not_found(what: str, request: Request, fix: str = "look at the list, or create it") -> Refusal:
    """Return the 404 of what does not exist (launchdarkly.rest.not-found)."""
    step = Step("fault", "launchdarkly.rest.not-found", f"there is no {what}", request.path, fix, "note")
    return Refusal(404, "not_found", f"Unknown resource: {what}", [step])


def conflict(code: str, message: str, fix: str, level: Level = "warning") -> Refusal:
    """Return the 409 of a key that is taken, or of a version that is no more (launchdarkly.rest.conflict)."""
    return Refusal(409, code, message, [Step("fault", "launchdarkly.rest.conflict", message, "$", fix, level)])


def with_token(handler: Handler) -> Handler:
    """Return an endpoint that answers 401 without the access token, and 404 for another project.

    Refusals of the handler become answers, faults without a status of their own a 400.
    """

    @wraps(handler)
    def endpoint(request: Request, live: LaunchDarkly) -> Answer:
        if (refused := by_access_token(request, live.settings)) is not None:
            return refused
        try:
            project = request.params.get("project")
            if project is not None and not live.settings.has_project(project):
                raise not_found(f"project {project}", request, f"the project is {live.settings.project}")
            return handler(request, live)
        except Refusal as refusal:
            return refusal.answer
        except TracksideError as fault:
            return invalid(fault).answer

    return endpoint


def body_of(request: Request, contract: str) -> Any:
    """Return the body, checked.

    Args:
        request: as it came.
        contract: that of the route, so that what breaks it is told once.

    Raises:
        Refusal: it is not JSON, or breaks the contract.
    """
    if request.undecodable:
        raise invalid(TracksideError(request.undecodable, "request body", "send JSON, compressed as the header says"))
    try:
        value = request.json()
    except orjson.JSONDecodeError as error:
        raise invalid(TracksideError(f"the body is not JSON: {error}", "request body", "send JSON")) from error
    if not catalog.validator(contract).is_valid(value):
        faults = catalog.faults(contract, value, limit=5)
        raise Refusal(400, "invalid_request", "; ".join(f"{fault.at}: {fault.what}" for fault in faults))
    return value


def environment_of(request: Request, live: LaunchDarkly) -> EnvironmentData:
    """Return the environment that the path names.

    Raises:
        Refusal: there is none of that key.
    """
    name = request.params["environment"]
    if name not in live.environments:
        raise not_found(f"environment {name}", request, f"the environments are: {', '.join(live.environments)}")
    return live.environments[name]


def listed(request: Request, items: Sequence[Any], total: str = "totalCount") -> Answer:
    """Return one page of a list, by ``limit`` and ``offset`` (launchdarkly.rest.pages).

    Args:
        request: of the list.
        items: all there are.
        total: the field that counts them.
    """
    offset, limit = _number(request, "offset", 0), _number(request, "limit", PAGE)
    page = items[offset : offset + limit]
    return json_answer(200, {"items": page, "_links": {"self": link(request.path)}, total: len(items)})


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > DIGITS:
        shown = repr(text[:30])
        raise invalid(TracksideError(f"{name} is {shown}", f"the query parameter {name}", "send a whole number"))
    return int(text)


# ---- who asks, projects, environments


def versions(_request: Request, _live: LaunchDarkly) -> Answer:
    """Return the API's versions; a call that checks a token at small cost (launchdarkly.rest.token-checks)."""
    latest = VERSIONS[0]
    return json_answer(
        200,
        {"validVersions": list(VERSIONS), "latestVersion": latest, "currentVersion": latest, "beta": False},
    )


def caller_identity(_request: Request, live: LaunchDarkly) -> Answer:
    """Return whose token it is (launchdarkly.rest.token-checks)."""
    project = live.settings.project
    told = {
        "accountId": made_id("account"),
        "projectId": made_id("project", project),
        "projectName": project,
        "authKind": "token",
        "tokenKind": "auth",
        "tokenId": made_id("token"),
        "tokenName": "trackside",
        "memberId": made_id("member"),
        "serviceToken": True,
    }
    return json_answer(200, told)


def projects(request: Request, live: LaunchDarkly) -> Answer:
    """Return the projects: the one of the workspace (launchdarkly.rest.environments)."""
    return listed(request, [_project(live, live.settings.project, expand="environments" in _expand(request))])


def project(request: Request, live: LaunchDarkly) -> Answer:
    """Return the project, with its environments where ``expand`` asks for them (launchdarkly.rest.environments)."""
    shown = _project(live, request.params["project"], expand="environments" in _expand(request))
    return json_answer(200, shown)


def environments(request: Request, live: LaunchDarkly) -> Answer:
    """Return the environments of the workspace with their keys (launchdarkly.rest.environments)."""
    name = request.params["project"]
    return listed(request, [environment_shown(name, one.name, one.settings) for one in live.environments.values()])


def environment(request: Request, live: LaunchDarkly) -> Answer:
    """Return one environment with its keys (launchdarkly.rest.environments)."""
    data = environment_of(request, live)
    return json_answer(200, environment_shown(request.params["project"], data.name, data.settings))


def environment_shown(project_key: str, key: str, settings: Environment) -> Representation:
    """Return an environment as the API shows it: ``_id`` is its client-side ID, ``apiKey`` its SDK key."""
    path = f"/api/v2/projects/{project_key}/environments/{key}"
    return {
        "_links": {"self": link(path)},
        "_id": settings.client_side_id,
        "key": key,
        "name": key,
        "apiKey": settings.sdk_key,
        "mobileKey": settings.mobile_key,
        "color": "417505",
        "defaultTtl": 0,
        "secureMode": settings.secure_mode,
        "defaultTrackEvents": False,
        "requireComments": False,
        "confirmChanges": False,
        "tags": [],
        "critical": False,
    }


def _project(live: LaunchDarkly, key: str, *, expand: bool) -> Representation:
    shown: Representation = {
        "_links": {"self": link(f"/api/v2/projects/{key}")},
        "_id": made_id("project", key),
        "key": key,
        "name": key,
        "includeInSnippetByDefault": False,
        "defaultClientSideAvailability": {"usingMobileKey": True, "usingEnvironmentId": False},
        "tags": [],
    }
    if expand:
        items = [environment_shown(key, one.name, one.settings) for one in live.environments.values()]
        shown["environments"] = {"items": items, "totalCount": len(items)}
    return shown


def _expand(request: Request) -> list[str]:
    return request.query.get("expand", "").split(",")


def routes(table: Mapping[tuple[str, str], Handler], contracts: Mapping[tuple[str, str], str]) -> list[Route[Any]]:
    """Return routes of the API: behind the token, under ``/api/v2``, open to browsers (launchdarkly.rest.cors).

    Args:
        table: what answers a method and path.
        contracts: of the bodies, by method and path.
    """
    return [
        Route(
            (method,),
            f"/api/v2{path}",
            with_token(handler),
            browser=True,
            live=True,
            contract=contracts.get((method, path), ""),
        )
        for (method, path), handler in table.items()
    ]


ROUTES = routes(
    {
        ("GET", "/versions"): versions,
        ("GET", "/caller-identity"): caller_identity,
        ("GET", "/projects"): projects,
        ("GET", "/projects/<project>"): project,
        ("GET", "/projects/<project>/environments"): environments,
        ("GET", "/projects/<project>/environments/<environment>"): environment,
    },
    {},
)
