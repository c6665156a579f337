"""The Console API's experiments: made, started, decided, taken back, and overridden for single IDs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig import experiments
from trackside.statsig.console import Body, head, more_of, page, route, told, touched
from trackside.statsig.console_configs import KEPT as KEPT_OF_CONFIGS
from trackside.statsig.console_configs import delete, found, new_name
from trackside.statsig.console_gates import changed_ids
from trackside.statsig.counting import metric_rows, period_of
from trackside.statsig.metrics import named
from trackside.statsig.specs import Spec
from trackside.times import in_ms
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

KEPT = (*KEPT_OF_CONFIGS, "hypothesis", "primaryMetrics", "secondaryMetrics", "duration", "decisionReason")
"""Fields of an experiment that SDKs do not read."""


def list_experiments(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the experiments of the project (statsig.console.experiments)."""
    rows = [_row(live, one) for one in live.specs("experiment").values()]
    return page(request, "Experiments listed successfully.", rows)


def create_experiment(request: Request, live: Statsig, body: Body) -> Answer:
    """Make an experiment and return its row with 201; it is in ``setup`` until it is started, unless the body says ``active``."""
    name, active = new_name(live, "experiment", body), body.get("status", "setup") == "active"
    row = _changed_row(live, {"groups": {}, "id_type": "userID"}, {"groups": [], **body})
    experiments.put(live, name, {**row, "layer": _layer(live, body), "active": active})
    touched(live, "experiment", name, request, body, KEPT)
    _set_status(request, live, name, "active" if active else "setup")
    return told("Experiment created successfully.", _row(live, live.specs("experiment")[name]), 201)


def read_experiment(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one experiment."""
    return told("Experiment read successfully.", _row(live, found(request, live, "experiment")))


def update_experiment(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what the body names, and return the experiment; one from a specs file keeps its groups and allocation."""
    name = found(request, live, "experiment")["name"]
    if not {"groups", "allocation", "idType", "targetingGateID"}.isdisjoint(body):
        row = experiments.row_of(live, name)
        if row is None:
            raise TracksideError(f"{name} comes from a specs file", "$", "change its groups and allocation there")
        experiments.put(live, name, _changed_row(live, row, body))
    touched(live, "experiment", name, request, body, KEPT)
    return told("Experiment updated successfully.", _row(live, live.specs("experiment")[name]))


def _changed_row(live: Statsig, row: Body, body: Body) -> Body:
    if "groups" in body:
        row["groups"] = {group["name"]: group["parameterValues"] for group in body["groups"]}
        row["sizes"] = {group["name"]: group["size"] for group in body["groups"]}
        if body["groups"] and abs(sum(row["sizes"].values()) - 100) > 0.01:
            raise TracksideError("the sizes do not add up to 100", "$.groups", "give sizes that add up to 100")
    gate = body.get("targetingGateID", row.get("gate", ""))
    if gate and live.spec("gate", gate) is None:
        raise TracksideError(f"there is no gate {gate!r}", "$.targetingGateID", "make it first")
    given = {"allocation": body.get("allocation", row.get("allocation", 100)), "gate": gate}
    return {**row, **given, "id_type": body.get("idType", row.get("id_type", "userID"))}


def _layer(live: Statsig, body: Body) -> str:
    layer = str(body.get("layerID") or "")
    if layer and live.spec("layer", layer) is None:
        raise TracksideError(f"there is no layer {layer!r}", "$.layerID", "make it first")
    return layer


# ---- its life


def start(request: Request, live: Statsig, _body: Body) -> Answer:
    """Start an experiment that is in ``setup`` (statsig.console.experiments.start)."""
    one = found(request, live, "experiment")
    if (status := _status(live, one)) != "setup":
        raise TracksideError(f"the experiment is {status}, not in setup", request.path, "reset it first")
    experiments.activate(live, one, active=True)
    _set_status(request, live, one["name"], "active")
    return told("Experiment successfully started.")


def make_decision(request: Request, live: Statsig, body: Body) -> Answer:
    """Give everyone one group, which the body names by ``id`` (statsig.console.experiments.decision)."""
    one = found(request, live, "experiment")
    group = experiments.group_named(one, body["id"], "$.id")
    live.serve("experiment", one["name"], group)
    kept = more_of(live, "experiment", one["name"])
    kept.update(launchedGroupID=body["id"], decisionReason=body["decisionReason"], decisionTime=in_ms(request.at))
    _set_status(request, live, one["name"], "decision_made")
    return told("Decision made for Experiment.")


def ended(status: str, message: str) -> Callable[[Request, Statsig, Body], Answer]:
    """Return the function that takes an experiment out of force: everyone gets the default."""

    def end(request: Request, live: Statsig, body: Body) -> Answer:
        one = found(request, live, "experiment")
        if _status(live, one) == "setup":
            more_of(live, "experiment", one["name"])["startTime"] = None  # it never started
        experiments.activate(live, one, active=False)
        touched(live, "experiment", one["name"], request, body, ("decisionReason",))
        _set_status(request, live, one["name"], status)
        return told(message)

    end.__doc__ = f"Take an experiment out of force, its status then {status}: everyone gets the default."
    return end


def _set_status(request: Request, live: Statsig, name: str, status: str) -> None:
    kept = more_of(live, "experiment", name)
    kept["status"] = status
    now = in_ms(request.at)
    if status == "setup":
        kept.update(startTime=None, endTime=None, launchedGroupID=None)
    elif status == "active":
        kept["startTime"] = now
    else:
        kept["endTime"] = kept.get("endTime") or now


def _status(live: Statsig, one: Spec) -> str:
    kept = live.console.get("experiment", {}).get(one["name"], {})
    return str(kept.get("status") or ("active" if one.get("isActive") else "setup"))


def _row(live: Statsig, one: Spec) -> Body:
    kept, row = live.console.get("experiment", {}).get(one["name"], {}), experiments.row_of(live, one["name"]) or {}
    period = period_of(kept, live.settings.experiments.get(one["name"], {}), _status(live, one))
    return {
        **head(live, "experiment", one),
        "status": _status(live, one),
        "launchedGroupID": kept.get("launchedGroupID"),
        "startTime": period.start if period else None,
        "endTime": period.end if period else None,
        "layerID": live.layer_of(one["name"]) or None,
        "hypothesis": kept.get("hypothesis", ""),
        "primaryMetrics": _scorecard(live, one, "primary"),
        "primaryMetricTags": [],
        "secondaryMetrics": _scorecard(live, one, "secondary"),
        "secondaryMetricTags": [],
        "groups": experiments.groups(one),
        "allocation": row.get("allocation", 100),
        "duration": kept.get("duration", 14),
        "targetingGateID": row.get("gate", ""),
        "decisionReason": kept.get("decisionReason"),
        "decisionTime": kept.get("decisionTime"),
        "healthChecks": [],
        "healthCheckStatus": "PASSED",
    }


def _scorecard(live: Statsig, one: Spec, side: str) -> list[Body]:
    """Return the metrics of one side of the scorecard, each with its name and type."""
    kept = live.console.get("experiment", {}).get(one["name"], {})
    if f"{side}Metrics" in kept:
        found: list[Body] = kept[f"{side}Metrics"]
        return found
    rows, declared = metric_rows(live.settings, live), live.settings.experiments.get(one["name"], {})
    return [named(asked, rows) for asked in declared.get(f"{side}_metrics", ())]


# ---- overrides


def overrides(request: Request, live: Statsig, body: Body) -> Answer:
    """Read, set (POST), add (PATCH) or take away (DELETE) the IDs that are in a group whatever their buckets (statsig.console.overrides).

    Only ``userIDOverrides`` are emulated; 400 for overrides by gate or segment.
    """
    one = found(request, live, "experiment")
    held = experiments.overridden(one)
    if request.method == "GET":
        return told("Experiment Overrides read successfully.", _shown(held))
    if body.get("overrides"):
        raise TracksideError("overrides names gates or segments", "$.overrides", "give userIDOverrides instead")
    asked: dict[str, list[str]] = {}
    for index, row in enumerate(body.get("userIDOverrides", ())):
        group = experiments.group_named(one, row["groupID"], f"$.userIDOverrides[{index}].groupID")
        asked.setdefault(group, []).extend(row["ids"])
    every = {*held, *asked}
    ids = {group: changed_ids(request.method, held.get(group, ()), asked.get(group, ())) for group in sorted(every)}
    experiments.override(live, one, ids)
    return told(
        "Experiment Overrides updated successfully.", _shown({group: found for group, found in ids.items() if found})
    )


def _shown(ids: dict[str, list[str]]) -> Body:
    return {"overrides": [], "userIDOverrides": [{"groupID": group, "ids": held} for group, held in ids.items()]}


ROUTES: list[Route[Any]] = [
    route("GET", "/experiments", list_experiments),
    route("POST", "/experiments", create_experiment, "statsig/console-experiment"),
    route("GET", "/experiments/<id>", read_experiment),
    route("POST PATCH", "/experiments/<id>", update_experiment, "statsig/console-experiment-update"),
    route("DELETE", "/experiments/<id>", delete("experiment", "Experiment")),
    route("PUT", "/experiments/<id>/start", start),
    route("PUT", "/experiments/<id>/make_decision", make_decision, "statsig/console-decision"),
    route("PUT", "/experiments/<id>/reset", ended("setup", "Experiment successfully restarted.")),
    route("PUT", "/experiments/<id>/abandon", ended("abandoned", "Experiment successfully abandoned.")),
    route("PUT", "/experiments/<id>/archive", ended("archived", "Experiment successfully archived.")),
    route("GET", "/experiments/<id>/overrides", overrides),
    route("POST PATCH DELETE", "/experiments/<id>/overrides", overrides, "statsig/console-experiment-overrides"),
]
