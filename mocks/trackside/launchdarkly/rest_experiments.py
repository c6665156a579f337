"""Experiments of the REST API: those that flags serve, and those that were created."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.launchdarkly.model import WHOLE, Item, name_of
from trackside.launchdarkly.representation import Representation, link, made_id, variations_of
from trackside.launchdarkly.rest import body_of, conflict, environment_of, listed, not_found, resources, routes
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.store import LaunchDarkly

NEW_EXPERIMENT = "launchdarkly/experiment-post"
MAINTAINER = made_id("member")


def list_experiments(request: Request, live: LaunchDarkly) -> Answer:
    """Return an environment's experiments, sorted by key; the field that counts them is ``total_count`` (launchdarkly.rest.experiments)."""
    found = _experiments(request, live)
    return listed(request, [found[key] for key in sorted(found)], "total_count")


def get_experiment(request: Request, live: LaunchDarkly) -> Answer:
    """Return an experiment (launchdarkly.rest.experiments)."""
    key = request.params["key"]
    found = _experiments(request, live)
    if key not in found:
        raise not_found(f"experiment {key}", request)
    return json_answer(200, found[key])


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
    """Return the environment's experiments by key: those of flags, then those that were created."""
    data, project = environment_of(request, live), request.params["project"]
    found = {key: shown for key, flag in data.flags.items() for shown in served_experiment(project, data.name, flag)}
    return found | {key: one for (name, key), one in resources(live).experiments.items() if name == data.name}


def served_experiment(project: str, environment: str, flag: Item) -> Iterator[Representation]:
    """Yield the experiment of a flag that serves one: it runs, with the flag's key (launchdarkly.rest.experiments).

    Args:
        project: its key.
        environment: its key.
        flag: as SDKs have it; an experiment is what its default rule or its first such rule serves.
    """
    for rule, part in (("fallthrough", flag["fallthrough"]), *((rule["id"], rule) for rule in flag["rules"])):
        rollout = part.get("rollout") or {}
        if rollout.get("kind") == "experiment" and flag["on"]:
            yield _served(project, environment, flag, rule, rollout)
            return


def _served(project: str, environment: str, flag: Item, rule: str, rollout: Mapping[str, Any]) -> Representation:
    key = flag["key"]
    variations = variations_of(key, flag["variations"], ())
    treatments = [
        {
            "name": name_of(flag["variations"][part["variation"]]),
            "allocationPercent": f"{part['weight'] * 100 / WHOLE:g}",
            "baseline": number == 0,
            "parameters": [{"flagKey": key, "variationId": variations[part["variation"]]["_id"]}],
        }
        for number, part in enumerate(rollout["variations"])
        if not part.get("untracked")
    ]
    iteration = _iteration(
        {
            "hypothesis": "",
            "randomizationUnit": rollout.get("contextKind", "user"),
            "treatments": treatments,
            "flags": {key: {"ruleId": rule, "flagConfigVersion": flag["version"]}},
        },
        made_id(environment, key, "iteration"),
        "running",
        0,
    )
    return _shown(
        project, environment, {"key": key, "name": key}, {"currentIteration": {**iteration, "startedAt": 0}}, 0
    )


def _created(request: Request, live: LaunchDarkly, posted: Representation) -> Representation:
    project, environment = request.params["project"], request.params["environment"]
    flags = live.environments[environment].flags
    for key in posted["iteration"]["flags"]:
        if key not in flags:
            what, at = f"there is no flag {key!r}", "$.iteration.flags"
            raise TracksideError(what, at, "create the flag first, or declare it in the workspace")
    now = int(request.at * 1000)
    number = made_id(environment, posted["key"], "iteration")
    iteration = _iteration(posted["iteration"], number, "not_started", now)
    iteration["metrics"] = [
        _metric(project, one, resources(live).metrics.get(one["key"], {})) for one in posted["iteration"]["metrics"]
    ]
    return _shown(project, environment, posted, {"draftIteration": iteration}, now)


def _shown(
    project: str, environment: str, told: Representation, iterations: Representation, created: int
) -> Representation:
    path = f"/api/v2/projects/{project}/environments/{environment}/experiments"
    return {
        "_id": made_id(project, environment, "experiment", told["key"]),
        "key": told["key"],
        "name": told["name"],
        "description": told.get("description", ""),
        "tags": told.get("tags", []),
        "methodology": told.get("methodology", "bayesian"),
        "environmentKey": environment,
        "_maintainerId": told.get("maintainerId", MAINTAINER),
        "_creationDate": created,
        "_links": {"self": link(f"{path}/{told['key']}"), "parent": link(path)},
        **iterations,
    }


def _iteration(told: Representation, number: str, status: str, created: int) -> Representation:
    treatments = [{"_id": made_id(number, treatment["name"]), **treatment} for treatment in told.get("treatments", ())]
    flags = {
        key: {
            "targetingRule": one["ruleId"],
            "flagConfigVersion": one["flagConfigVersion"],
            "_links": {"self": link(f"/api/v2/flags/{key}")},
        }
        for key, one in told["flags"].items()
    }
    return {
        "_id": number,
        "hypothesis": told["hypothesis"],
        "status": status,
        "createdAt": created,
        "canReshuffleTraffic": told.get("canReshuffleTraffic", True),
        "randomizationUnit": told.get("randomizationUnit", "user"),
        "treatments": treatments,
        "flags": flags,
        "metrics": [],
    }


def _metric(project: str, asked: Representation, known: Representation) -> Representation:
    key = asked["key"]
    return {
        "key": key,
        "_versionId": known.get("_versionId", made_id(project, "metric", key, 1)),
        "name": known.get("name", key),
        "kind": known.get("kind", "custom"),
        "isGroup": asked.get("isGroup", False),
        "_links": {"self": link(f"/api/v2/metrics/{project}/{key}")},
    }


_EXPERIMENTS = "/projects/<project>/environments/<environment>/experiments"

ROUTES = routes(
    {
        ("GET", _EXPERIMENTS): list_experiments,
        ("POST", _EXPERIMENTS): create_experiment,
        ("GET", f"{_EXPERIMENTS}/<key>"): get_experiment,
    },
    {("POST", _EXPERIMENTS): NEW_EXPERIMENT},
)
