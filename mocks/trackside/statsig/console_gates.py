"""The Console API's gates: made, changed, switched, launched, archived, and overridden for single IDs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig.console import Body, NotFoundError, head, more_of, page, route, told, touched
from trackside.statsig.console_configs import delete, new_name
from trackside.statsig.console_rules import as_rows, as_rules, is_override
from trackside.statsig.specs import Spec, rule, spec, unit_in
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

KEPT = ("name", "description", "tags", "type", "targetApps", "team", "creatorEmail", "measureMetricLifts")
"""Fields of a gate that SDKs do not read."""


def list_gates(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the gates of the project (statsig.console.gates)."""
    return page(request, "Gates listed successfully.", [_row(live, one) for one in live.specs("gate").values()])


def create_gate(request: Request, live: Statsig, body: Body) -> Answer:
    """Make a gate and return its row with 201; without rules nobody passes it. 400 where there is one of its ID."""
    name = new_name(live, "gate", body)
    id_type = body.get("idType", "userID")
    rules = as_rules(body.get("rules", ()), "$.rules", id_type)
    live.put("gate", {**spec(name, "feature_gate", False, rules, id_type), "enabled": body.get("isEnabled", True)})
    touched(live, "gate", name, request, body, KEPT)
    return told("Gate created successfully.", _row(live, _gate(request, live, name)), 201)


def read_gate(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one gate."""
    return told("Gate read successfully.", _row(live, _gate(request, live)))


def update_gate(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what the body names, and return the gate; ``rules`` takes the place of all rules but overrides."""
    found = dict(_gate(request, live))
    found["enabled"] = body.get("isEnabled", found["enabled"])
    found["idType"] = body.get("idType", found["idType"])
    if "rules" in body:
        overrides = [row for row in found["rules"] if is_override(row)]
        found["rules"] = [*overrides, *as_rules(body["rules"], "$.rules", found["idType"])]
    return _changed(request, live, found, body)


def switch_gate(request: Request, live: Statsig, _body: Body) -> Answer:
    """Enable, disable, launch or archive a gate, as the path's end says, and return it (statsig.console.gates.switch).

    A launched gate passes for everyone; one that is disabled or archived for nobody.
    """
    name, action = _gate(request, live)["name"], request.path.rpartition("/")[2]
    more_of(live, "gate", name)["status"] = {"launch": "Launched", "archive": "Archived"}.get(action)
    if action == "launch":
        live.serve("gate", name, True)
    else:
        live.switch("gate", name, on=action in ("enable", "unarchive"))
    return _told(request, live, name, {})


def _gate(request: Request, live: Statsig, name: str = "") -> Spec:
    found = live.spec("gate", name or request.params["id"])
    if found is None:
        raise NotFoundError
    return found


def _changed(request: Request, live: Statsig, gate: Spec, body: Body) -> Answer:
    live.put("gate", gate)
    return _told(request, live, gate["name"], body)


def _told(request: Request, live: Statsig, name: str, body: Body) -> Answer:
    touched(live, "gate", name, request, body, KEPT)
    return told("Gate updated successfully.", _row(live, _gate(request, live)))


def _row(live: Statsig, gate: Spec) -> Body:
    kept = live.console.get("gate", {}).get(gate["name"], {})
    return {
        **head(live, "gate", gate),
        "isEnabled": gate["enabled"],
        "status": kept.get("status") or ("In Progress" if gate["enabled"] else "Disabled"),
        "rules": as_rows(gate),
        "checksPerHour": 0,
        "type": kept.get("type", "PERMANENT"),
        "typeReason": "NONE",
        "measureMetricLifts": kept.get("measureMetricLifts", False),
        "reviewSettings": {"requiredReview": False, "allowedReviewers": []},
    }


# ---- overrides


def overrides(request: Request, live: Statsig, body: Body) -> Answer:
    """Read, set (POST), add (PATCH) or take away (DELETE) the IDs that pass or fail whatever the rules say.

    ``passingUserIDs`` and ``failingUserIDs``, and the same with ``CustomIDs`` for a gate of another ID type
    (statsig.console.overrides). The document has 201 for all four.
    """
    gate = _gate(request, live)
    held = override_ids(gate)
    if request.method == "GET":
        return told("Gate Overrides read successfully.", _shown(held, gate), 201)
    asked = {side: _asked(body, side, gate) for side in ("passing", "failing")}
    ids = {side: changed_ids(request.method, held[side], asked[side]) for side in held}
    own = [row for row in gate["rules"] if not is_override(row)]
    live.put("gate", {**gate, "rules": [*_rules(gate, ids), *own]})
    return told("Gate Overrides updated successfully.", _shown(ids, gate), 201)


def override_ids(gate: Spec) -> dict[str, list[str]]:
    """Return the IDs that pass and those that fail by overrides."""
    found: dict[str, list[str]] = {"passing": [], "failing": []}
    for row in filter(is_override, gate["rules"]):
        side = "passing" if row["passPercentage"] and row["returnValue"] is True else "failing"
        found[side] += [one for each in row["conditions"] for one in each["targetValue"] or ()]
    return found


def changed_ids(method: str, held: Iterable[str], asked: Iterable[str]) -> list[str]:
    """Return IDs as a method leaves them: POST sets, PATCH adds, DELETE takes away."""
    if method == "DELETE":
        gone = set(asked)
        return [one for one in held if one not in gone]
    return list(dict.fromkeys([*(held if method == "PATCH" else ()), *asked]))


def _rules(gate: Spec, ids: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    id_type = gate["idType"]
    return [
        rule(f"{side}:{id_type}:id_override", [unit_in(ids[side], id_type)], True, percentage, id_type)
        for side, percentage in (("failing", 0), ("passing", 100))
        if ids[side]
    ]


def _asked(body: Body, side: str, gate: Spec) -> list[str]:
    named = [one for key in (f"{side}UserIDs", f"{side}CustomIDs") for one in body.get(key, ())]
    rows = body.get("environmentOverrides", ())
    if any(row.get("environment") for row in rows):
        fix = "leave environment out: overrides for one environment are not emulated"
        raise TracksideError("an override names an environment", "$.environmentOverrides", fix)
    return [*named, *(one for row in rows if row["unitID"] == gate["idType"] for one in row[f"{side}IDs"])]


def _shown(ids: Mapping[str, list[str]], gate: Spec) -> Body:
    of_users = gate["idType"] == "userID"
    users, custom = (ids, {}) if of_users else ({}, ids)
    return {
        "passingUserIDs": users.get("passing", []),
        "failingUserIDs": users.get("failing", []),
        "passingCustomIDs": custom.get("passing", []),
        "failingCustomIDs": custom.get("failing", []),
        "environmentOverrides": [],
    }


ROUTES: list[Route[Any]] = [
    route("GET", "/gates", list_gates),
    route("POST", "/gates", create_gate, "statsig/console-gate"),
    route("GET", "/gates/<id>", read_gate),
    route("POST PATCH", "/gates/<id>", update_gate, "statsig/console-gate-update"),
    route("DELETE", "/gates/<id>", delete("gate", "Gate")),
    route("GET", "/gates/<id>/overrides", overrides),
    route("POST PATCH DELETE", "/gates/<id>/overrides", overrides, "statsig/console-gate-overrides"),
    *(
        route("PUT", f"/gates/<id>/{action}", switch_gate)
        for action in ("enable", "disable", "launch", "archive", "unarchive")
    ),
]
