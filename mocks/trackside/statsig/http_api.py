"""Statsig's HTTP API: gates, configs and layers for one user, evaluated by Statsig's own SDK, and exposures by hand.

Its `log_event` is that of the SDKs, `trackside.statsig.events.log_event`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.statsig.encodings import body_object, plain_body
from trackside.statsig.errors import refusal
from trackside.statsig.evaluation import MissingExtraError
from trackside.statsig.events import accepted, batch
from trackside.statsig.keys import refused
from trackside.statsig.values import shown
from trackside.steps import Mapped, Step, drop
from trackside.times import in_ms
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings
    from trackside.statsig.store import Statsig

NAME = re.compile(r"[a-zA-Z0-9_\-. ]{2,100}")
"""What a gate, config or layer may be called."""

Events: TypeAlias = list[dict[str, Any]]
Told: TypeAlias = tuple[Any, Events]
"""What an evaluation answers, and the exposures that it logs."""


def check_gate(request: Request, live: Statsig) -> Answer:
    """Return whether gates pass for a user: one by ``gateName``, several by ``gateNames`` (statsig.http.check-gate).

    A gate is ``{"name", "value", "rule_id", "group_name"}``, the last two null where it fails, as for an unknown gate;
    several are a map by name.

    Source: Statsig, "HTTP API".
    """

    def told(body: dict[str, Any], evaluated: Mapping[str, Any]) -> Told:
        alone = body.get("gateName")
        names = [alone] if alone else body["gateNames"]
        gates = {name: _gate(name, evaluated, live) for name in names}
        return gates[alone] if alone else gates, [_gate_exposure(name, evaluated) for name in names]

    return _evaluated(request, live, ("gateName", "gateNames"), told)


def get_config(request: Request, live: Statsig) -> Answer:
    """Return what a dynamic config or experiment gives a user (statsig.http.get-config).

    ``{"name", "value", "group", "rule_id", "group_name"}``, where ``group`` is the rule's ID by its old name. For an
    unknown one ``value`` is ``{}``, ``group`` empty, and the rest null.

    Source: Statsig, "HTTP API".
    """

    def told(body: dict[str, Any], evaluated: Mapping[str, Any]) -> Told:
        name = body["configName"]
        found = evaluated["dynamic_configs"].get(name)
        exposure = _config_exposure(name, found or {})
        if found is None:
            return {"name": name, "value": {}, "group": "", "rule_id": None, "group_name": None}, [exposure]
        rule, group = found["rule_id"], found.get("group_name")
        return {"name": name, "value": found["value"], "group": rule, "rule_id": rule, "group_name": group}, [exposure]

    return _evaluated(request, live, ("configName",), told)


def get_layer(request: Request, live: Statsig) -> Answer:
    """Return what a layer gives a user: ``{"name", "value", "ruleID", "allocatedExperimentName"}``; 404 for an unknown one.

    The field names are spelt otherwise than those of gates and configs (statsig.http.get-layer).

    Source: Statsig, "HTTP API".
    """

    def told(body: dict[str, Any], evaluated: Mapping[str, Any]) -> Told:
        name = body["layerName"]
        found = evaluated["layer_configs"].get(name)
        if found is None:
            return None, []
        experiment = found.get("allocated_experiment_name") or None
        answer = {"name": name, "value": found["value"], "ruleID": found["rule_id"]}
        return {**answer, "allocatedExperimentName": experiment}, _layer_exposures(name, found)

    return _evaluated(request, live, ("layerName",), told)


def get_ranked_list(request: Request, live: Statsig) -> Answer:
    """Return 404, as for a config that is no contextual bandit: ranking is not emulated (statsig.http.get-ranked-list)."""

    def told(_body: dict[str, Any], _evaluated: Mapping[str, Any]) -> Told:
        return None, []

    return _evaluated(request, live, ("configName",), told)


def log_custom_exposure(request: Request, settings: StatsigSettings) -> Answer:
    """Return the answer to exposures that are logged by hand, with what Statsig keeps of them (statsig.http.custom-exposure).

    The body is ``{"exposures": [...]}``, each with ``gateName`` and ``passes``, or with ``experimentName``, and with
    ``group`` or ``ruleID``; ``user`` stands in for exposures without one (statsig.http.shared-user).

    Source: Statsig, "HTTP API".
    """
    if answer := refused(request, settings):
        return answer
    body, fault = body_object(request, "statsig.http.body")
    rows = body.get("exposures")
    if fault is None and not (isinstance(rows, list) and rows):
        fault = _fault(f"exposures is {shown(rows)}, no list of exposures", "$.exposures", 'send {"exposures": [...]}')
    if fault:
        return _bad([fault])
    steps: list[Step] = []
    placed = [(f"$.exposures[{index}]", row) for index, row in enumerate(rows or ())]
    events = [(at, event) for at, row in placed if (event := _by_hand(row, at, steps))]
    mapped = batch(events, body, settings, in_ms(request.at))
    return accepted(Mapped(mapped.records, [*steps, *mapped.steps]))


def _by_hand(row: Any, at: str, steps: list[Step]) -> dict[str, Any] | None:
    """Return the event of an exposure that is logged by hand, or None after the step that says what it lacks."""
    if (lack := _lack(row)) is not None:
        fix = "give experimentName, or gateName with passes, and group or ruleID"
        text = f"{shown(row)} does not say what was seen"
        steps.append(drop("statsig.http.custom-exposure", text, at=f"{at}{lack}", fix=fix, level="error"))
        return None
    metadata = {"ruleID": row.get("ruleID") or "", "isManualExposure": "true"}
    if row.get("group"):
        metadata["group"] = row["group"]
    if "gateName" in row:
        of, what = "gate", {"gate": row["gateName"], "gateValue": str(row["passes"]).lower()}
    else:
        of, what = "config", {"config": row["experimentName"]}
    more = {key: row[key] for key in ("user", "time", "secondaryExposures") if key in row}
    return {"eventName": f"statsig::{of}_exposure", "metadata": {**what, **metadata}, **more}


def _lack(row: Any) -> str | None:
    """Return which field of a row is missing or of another type, empty for all of it, or None where it is whole."""
    if not isinstance(row, dict) or not ("group" in row or "ruleID" in row):
        return ""
    if "gateName" in row:
        return None if isinstance(row.get("passes"), bool) else ".passes"
    return None if isinstance(row.get("experimentName"), str) else ".experimentName"


# ---- what the evaluations have in common


def _evaluated(
    request: Request,
    live: Statsig,
    keys: tuple[str, ...],
    told: Callable[[dict[str, Any], Mapping[str, Any]], Told],
) -> Answer:
    """Return the answer to an evaluation; its exposures are kept unless the request says otherwise (statsig.http.exposures)."""
    if answer := refused(request, live.settings):
        return answer
    body, fault = body_object(request, "statsig.http.body")
    if fault := fault or _name_fault(body, keys):
        return _bad([fault])
    user = body.get("user") if isinstance(body.get("user"), dict) else {}
    try:
        value, events = told(body, live.evaluate(user or {}))
    except MissingExtraError as error:
        step = Step("fault", "statsig.extra-missing", error.what, error.where, error.fix, "error")
        return json_answer(500, {"status": 500, "message": "Internal Server Error"}, steps=[step])
    if value is None:
        return _unknown(body[keys[0]], f"$.{keys[0]}")
    metadata = body.get("statsigMetadata")
    if isinstance(metadata, dict) and metadata.get("exposureLoggingDisabled") is True:
        events = []
    time = in_ms(request.at)
    logged = (("$", {"user": user, "time": time, **event}) for event in events)
    mapped = batch(logged, {"statsigMetadata": metadata}, live.settings, time)
    return json_answer(200, value, records=mapped.records, steps=mapped.steps)


def _name_fault(body: dict[str, Any], keys: tuple[str, ...]) -> Step | None:
    """Return the fault of a body that names nothing, or by a name that cannot be (statsig.http.names)."""
    key = next((key for key in keys if key in body), keys[0])
    names = body.get(key)
    listed = names if isinstance(names, list) else [names]
    if key == "gateNames" and not (isinstance(names, list) and 1 <= len(names) <= 100):
        return _fault(f"gateNames is {shown(names)}, not a list of 1 to 100 names", "$.gateNames", "send a list")
    wrong = [name for name in listed if not isinstance(name, str) or not NAME.fullmatch(name)]
    if not wrong:
        return None
    fix = "give 2 to 100 letters, digits, _, -, . or spaces"
    return _fault(f"{key} is {shown(wrong[0])}, which is no name", f"$.{key}", fix, "statsig.http.names")


def _fault(text: str, at: str, fix: str, rule: str = "statsig.http.body") -> Step:
    return Step("fault", rule, text, at, fix, "error")


def _bad(steps: list[Step]) -> Answer:
    return refusal(400, f"Invalid request: {steps[0].text}", steps)


def _unknown(name: str, at: str) -> Answer:
    step = Step("info", "statsig.http.unknown", f"there is no {name!r} of this kind", at, "declare it", "warning")
    return refusal(404, f"{name} was not found", [step])


# ---- gates, configs, layers


def _gate(name: str, evaluated: Mapping[str, Any], live: Statsig) -> dict[str, Any]:
    found = evaluated["feature_gates"].get(name) or {}
    if not found.get("value"):
        return {"name": name, "value": False, "rule_id": None, "group_name": None}
    rules = (live.spec("gate", name) or {"rules": ()})["rules"]
    group = next((rule.get("groupName") or rule["id"] for rule in rules if rule["id"] == found["rule_id"]), None)
    return {"name": name, "value": True, "rule_id": found["rule_id"], "group_name": group}


def _gate_exposure(name: str, evaluated: Mapping[str, Any]) -> dict[str, Any]:
    found = evaluated["feature_gates"].get(name) or {}
    value = str(bool(found.get("value"))).lower()
    return _exposure("gate", found, {"gate": name, "gateValue": value})


def _config_exposure(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    group = {"group": found["group_name"]} if found.get("group_name") else {}
    passed = {"rulePassed": str(found["passed"]).lower()} if "passed" in found else {}
    return _exposure("config", found, {"config": name, **passed, **group})


def _layer_exposures(name: str, found: Mapping[str, Any]) -> Events:
    """Return one exposure for each parameter, as an SDK logs for those that are read."""
    explicit = found.get("explicit_parameters") or ()
    experiment = found.get("allocated_experiment_name") or ""

    def metadata(parameter: str) -> dict[str, Any]:
        own = parameter in explicit
        told = {"allocatedExperiment": experiment if own else "", "isExplicitParameter": str(own).lower()}
        return {"config": name, "parameterName": parameter, **told}

    return [_exposure("layer", found, metadata(parameter)) for parameter in found["value"]]


def _exposure(of: str, found: Mapping[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    metadata = {**metadata, "ruleID": found.get("rule_id", "")}
    secondary = found.get("secondary_exposures")
    return {"eventName": f"statsig::{of}_exposure", "metadata": metadata, "secondaryExposures": secondary}


ROUTES: list[Route[Any]] = [
    *(
        Route(("POST",), path, endpoint, browser=True, live=True, contract=contract, plain=plain_body)
        for path, endpoint, contract in (
            ("/v1/check_gate", check_gate, "statsig/check-gate"),
            ("/v1/get_config", get_config, "statsig/get-config"),
            ("/v1/get_layer", get_layer, "statsig/get-layer"),
            ("/v1/get_ranked_list", get_ranked_list, "statsig/get-config"),
        )
    ),
    Route(
        ("POST",),
        "/v1/log_custom_exposure",
        log_custom_exposure,
        browser=True,
        contract="statsig/log-custom-exposure",
        plain=plain_body,
    ),
]
