"""Experiments of the REST API: those that flags serve, and those that were created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.errors import TracksideError
from trackside.launchdarkly.experiments import (
    attached,
    experiment_shown,
    iteration_shown,
    iterations_of,
    served_experiment,
)
from trackside.launchdarkly.representation import Representation, made_id
from trackside.launchdarkly.rest import body_of, conflict, environment_of, listed, not_found, resources, routes
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.store import LaunchDarkly

NEW_EXPERIMENT = "launchdarkly/experiment-post"


def list_experiments(request: Request, live: LaunchDarkly) -> Answer:
    """Return an environment's experiments, sorted by key; the field that counts them is ``total_count`` (launchdarkly.rest.experiments)."""
    found = _experiments(request, live)
    return listed(request, [found[key] for key in sorted(found)], "total_count")


def get_experiment(request: Request, live: LaunchDarkly) -> Answer:
    """Return an experiment (launchdarkly.rest.experiments)."""
    return json_answer(200, experiment_of(request, live))


def experiment_of(request: Request, live: LaunchDarkly) -> Representation:
    """Return the experiment that the path names.

    Raises:
        Refusal: there is none of that key.
    """
    key = request.params["key"]
    found = _experiments(request, live)
    if key not in found:
        raise not_found(f"experiment {key}", request)
    return found[key]


def create_experiment(request: Request, live: LaunchDarkly) -> Answer:
    """Return the 201 of a new experiment, its iteration not started (launchdarkly.rest.experiment-create).

    It changes no flag: what SDKs report as part of an experiment is decided by the flag's own rollout.
    """
    posted = body_of(request, NEW_EXPERIMENT)
    key = posted["key"]
    if key in _experiments(request, live):
        raise conflict("conflict", f"An experiment with key {key} already exists", "choose another key")
    shown = _created(request, live, posted)
    resources(live).experiments[request.params["environment"], key] = shown
    return json_answer(201, shown)


def _experiments(request: Request, live: LaunchDarkly) -> dict[str, Representation]:
    return experiments_in(live, environment_of(request, live).name, request.params["project"])


def experiments_in(live: LaunchDarkly, environment: str, project: str) -> dict[str, Representation]:
    """Return an environment's experiments by key: those of flags, then those that are declared or were created.

    A flag that an experiment has begun on is no experiment of its own (launchdarkly.rest.experiments).
    """
    own = {key: one for (name, key), one in resources(live).experiments.items() if name == environment}
    begun = {key for one in own.values() for iteration in iterations_of(one) for key in iteration["flags"]}
    begun |= {one.flag for key, one in live.settings.experiments.items() if key in own}
    flags = live.environments[environment].flags.items()
    served = {
        key: shown for key, flag in flags if key not in begun for shown in served_experiment(project, environment, flag)
    }
    return served | own


def _created(request: Request, live: LaunchDarkly, posted: Representation) -> Representation:
    environment = request.params["environment"]
    now = int(request.at * 1000)
    number = made_id(environment, posted["key"], "iteration", 0)
    iteration = drafted(request, live, posted["iteration"], number, "$.iteration")
    return experiment_shown(request.params["project"], environment, posted, {"draftIteration": iteration}, now)


def drafted(request: Request, live: LaunchDarkly, posted: Representation, number: str, at: str) -> Representation:
    """Return a new iteration that is not started.

    Args:
        request: its path names the project and environment.
        live: whose metrics and flags.
        posted: the iteration, checked.
        number: its id.
        at: its place in the body.

    Raises:
        TracksideError: it is about a flag that is not there.
    """
    flags = live.environments[request.params["environment"]].flags
    for key in posted["flags"]:
        if key not in flags:
            what = f"there is no flag {key!r}"
            raise TracksideError(what, f"{at}.flags", "create the flag first, or declare it in the workspace")
    iteration = iteration_shown(posted, number, "not_started", int(request.at * 1000))
    primary = posted.get("primarySingleMetricKey", "")
    return iteration | attached(request.params["project"], posted["metrics"], resources(live).metrics, primary)


_EXPERIMENTS = "/projects/<project>/environments/<environment>/experiments"

ROUTES = routes(
    {
        ("GET", _EXPERIMENTS): list_experiments,
        ("POST", _EXPERIMENTS): create_experiment,
        ("GET", f"{_EXPERIMENTS}/<key>"): get_experiment,
    },
    {("POST", _EXPERIMENTS): NEW_EXPERIMENT},
)
