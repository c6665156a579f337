"""Changes of experiments by the REST API: their fields, and iterations that start and stop."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.experiment_instructions import KINDS, NEW_ITERATION, Changing
from trackside.launchdarkly.experiments import iterations_of
from trackside.launchdarkly.representation import made_id
from trackside.launchdarkly.rest import body_of, invalid, resources, routes
from trackside.launchdarkly.rest_experiments import drafted, experiment_of
from trackside.launchdarkly.semantic_patch import CONTENT_TYPE
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.store import LaunchDarkly

EXPERIMENT = "launchdarkly/experiment"
PATCH = "launchdarkly/experiment-patch"


def patch_experiment(request: Request, live: LaunchDarkly) -> Answer:
    """Return an experiment after a semantic patch, all of its instructions or none (launchdarkly.rest.experiment-patch).

    What an instruction makes of a flag is with connected SDKs at once.
    """
    before = experiment_of(request, live)
    body = body_of(request, PATCH)
    if CONTENT_TYPE not in request.headers.get("content-type", ""):
        fix = f"send the content type application/json; {CONTENT_TYPE}"
        raise invalid(TracksideError("the body is a semantic patch, and its content type does not say so", "Content-Type header", fix))  # fmt: skip
    environment = request.params["environment"]
    changing = Changing(copy.deepcopy(before), live, environment, request.params["project"], int(request.at * 1000), {})
    for number, instruction in enumerate(body["instructions"]):
        changing.at = f"$.instructions[{number}]"
        KINDS[instruction["kind"]](changing, instruction)
    if not catalog.validator(EXPERIMENT).is_valid(changing.shown):
        faults = catalog.faults(EXPERIMENT, changing.shown, limit=5)
        raise invalid(*(TracksideError(fault.what, fault.at, fault.fix) for fault in faults))
    resources(live).experiments[environment, before["key"]] = changing.shown
    for flag in changing.flags.values():
        live.put(environment, "flags", flag)
    return json_answer(200, changing.shown)


def create_iteration(request: Request, live: LaunchDarkly) -> Answer:
    """Return a new iteration of an experiment, its draft until it is started (launchdarkly.rest.iterations)."""
    shown = experiment_of(request, live)
    posted = body_of(request, NEW_ITERATION)
    environment = request.params["environment"]
    number = made_id(environment, shown["key"], "iteration", len(iterations_of(shown)))
    iteration = drafted(request, live, posted, number, "$")
    resources(live).experiments[environment, shown["key"]] = {**shown, "draftIteration": iteration}
    return json_answer(200, iteration)


_EXPERIMENT = "/projects/<project>/environments/<environment>/experiments/<key>"

ROUTES = routes(
    {("PATCH", _EXPERIMENT): patch_experiment, ("POST", f"{_EXPERIMENT}/iterations"): create_iteration},
    {("PATCH", _EXPERIMENT): PATCH, ("POST", f"{_EXPERIMENT}/iterations"): NEW_ITERATION},
)
