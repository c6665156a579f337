"""The Public API's endpoints of tracking plans: plans, their rules, and the sources that they are connected to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside.segment.ids import plan_id
from trackside.segment.public_api import Call, Refused, invalid, missing, route
from trackside.segment.public_api_sources import source_row

if TYPE_CHECKING:
    from trackside.segment.routes import Segment
    from trackside.wire import Route

RULES = 200
"""Rules that one update may hold."""

_SUCCESS = {"status": "SUCCESS"}
_IN_QUERY = re.compile(r"rules\[(\d+)\]\[(\w+)\]|rules\.(\d+)\.(\w+)")


def plan_row(call: Call, name: str) -> dict[str, Any]:
    """Return a tracking plan as the API has it (segment.public-api.tracking-plans)."""
    row = call.block["tracking_plans"][name]
    told = {"id": plan_id(name), "name": row.get("name") or name, "slug": name, "type": "LIVE"}
    return {**told, "description": row["description"]} if row.get("description") else told


def list_plans(call: Call) -> dict[str, Any]:
    """Return the tracking plans of the workspace."""
    wanted = call.request.query.get("type", "LIVE")
    names = call.block["tracking_plans"] if wanted == "LIVE" else ()
    return call.page("trackingPlans", [plan_row(call, name) for name in names])


def create_plan(call: Call) -> dict[str, Any]:
    """Make a tracking plan without rules."""
    name, kind = call.given("name", str, needed=True), call.given("type", str, needed=True)
    if kind != "LIVE":
        raise invalid("type", f"the lab has tracking plans of the type LIVE only, not {kind}")
    if name in call.block["tracking_plans"]:
        raise Refused(409, "conflict", f"there is a tracking plan with the name {name} already", "name")
    call.block["tracking_plans"][name] = {"rules": [], "description": call.given("description", str, "")}
    call.put()
    return {"trackingPlan": plan_row(call, name)}


def get_plan(call: Call) -> dict[str, Any]:
    """Return a tracking plan."""
    return {"trackingPlan": plan_row(call, call.plan(call.params["id"]))}


def update_plan(call: Call) -> dict[str, Any]:
    """Change a tracking plan's name or description."""
    row = call.block["tracking_plans"][call.plan(call.params["id"])]
    for field in ("name", "description"):
        row[field] = call.given(field, str, row.get(field, ""))
    call.put()
    return _SUCCESS


def delete_plan(call: Call) -> dict[str, Any]:
    """Take a tracking plan away, from its sources too."""
    name = call.plan(call.params["id"])
    del call.block["tracking_plans"][name]
    for row in call.block["sources"].values():
        if row.get("tracking_plan") == name:
            del row["tracking_plan"]
    call.put()
    return _SUCCESS


# ---- rules


def _at(rule: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return what a rule is known by: its type, key and version."""
    return rule.get("type", ""), rule.get("key") or "", rule.get("version", 1)


def _rules(call: Call) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = call.block["tracking_plans"][call.plan(call.params["id"])].setdefault("rules", [])
    return rules


def _given_rules(call: Call) -> list[dict[str, Any]]:
    """Return the rules of the body, at most 200 (segment.public-api.rules-limit)."""
    rules: list[dict[str, Any]] = call.given("rules", list, needed=True)
    if len(rules) > RULES:
        raise invalid("rules", f'"rules" must contain less than or equal to {RULES} items')
    if not all(isinstance(rule, dict) for rule in rules):
        raise invalid("rules", '"rules" must be objects')
    return rules


def _as_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    names = ("type", "key", "jsonSchema", "version")
    return {name: rule[name] for name in names if rule.get(name) is not None}


def list_rules(call: Call) -> dict[str, Any]:
    """Return the rules of a tracking plan."""
    rows = [{"key": "", "version": 1, **rule} for rule in _rules(call)]
    return call.page("rules", rows)


def replace_rules(call: Call) -> dict[str, Any]:
    """Put rules in place of all that a tracking plan has."""
    _rules(call)[:] = [_as_rule(rule) for rule in _given_rules(call)]
    call.put()
    return _SUCCESS


def update_rules(call: Call) -> dict[str, Any]:
    """Change rules, each by its type, key and version, and add those that there are not; ``newKey`` renames one."""
    rules = _rules(call)
    for given in _given_rules(call):
        rule = _as_rule({**given, "key": given.get("newKey") or given.get("key")})
        index = next((at for at, one in enumerate(rules) if _at(one) == _at(given)), None)
        if index is None:
            rules.append(rule)
        else:
            rules[index] = rule
    call.put()
    return _SUCCESS


def remove_rules(call: Call) -> dict[str, Any]:
    """Take rules away, each by its type, key and version, which the query names."""
    gone = _asked_rules(call.request.query)
    if not gone:
        raise invalid("rules", '"rules" is required')
    rules = _rules(call)
    for at in gone:
        if at not in [_at(rule) for rule in rules]:
            raise missing("rule", " ".join(map(str, at)))
    rules[:] = [rule for rule in rules if _at(rule) not in gone]
    call.put()
    return _SUCCESS


def _asked_rules(query: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Return the rules that a query names, such as ``rules[0][type]=TRACK``.

    >>> _asked_rules({"rules[0][type]": "TRACK", "rules[0][key]": "Order Completed", "rules[0][version]": "1"})
    [('TRACK', 'Order Completed', 1)]
    """
    asked: dict[str, dict[str, Any]] = {}
    for name, value in query.items():
        if found := _IN_QUERY.fullmatch(name):
            number, field = found[1] or found[3], found[2] or found[4]
            asked.setdefault(number, {})[field] = _version(value) if field == "version" else value
    return [_at(rule) for rule in asked.values()]


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


# ---- sources


def list_sources(call: Call) -> dict[str, Any]:
    """Return the sources that a tracking plan is connected to."""
    plan = call.plan(call.params["id"])
    names = [name for name, row in call.block["sources"].items() if row.get("tracking_plan") == plan]
    return call.page("sources", [source_row(call, name) for name in names])


def add_source(call: Call) -> dict[str, Any]:
    """Connect a tracking plan to a source, which can have one only (segment.public-api.tracking-plans)."""
    plan = call.plan(call.params["id"])
    row = call.block["sources"][call.source(call.given("sourceId", str, needed=True), "sourceId")]
    if row.get("tracking_plan") not in (None, "", plan):
        raise Refused(409, "conflict", "the source is connected to another tracking plan", "sourceId")
    row["tracking_plan"] = plan
    call.put()
    return _SUCCESS


def remove_source(call: Call) -> dict[str, Any]:
    """Disconnect a tracking plan from the source that the query names."""
    plan = call.plan(call.params["id"])
    row = call.block["sources"][call.source(call.request.query.get("sourceId", ""), "sourceId")]
    if row.get("tracking_plan") != plan:
        raise missing("source of this tracking plan", call.request.query["sourceId"])
    del row["tracking_plan"]
    call.put()
    return _SUCCESS


ROUTES: list[Route[Segment]] = [
    route("GET", "/tracking-plans", list_plans),
    route("POST", "/tracking-plans", create_plan),
    route("GET", "/tracking-plans/<id>", get_plan),
    route("PATCH", "/tracking-plans/<id>", update_plan),
    route("DELETE", "/tracking-plans/<id>", delete_plan),
    route("GET", "/tracking-plans/<id>/rules", list_rules),
    route("PUT", "/tracking-plans/<id>/rules", replace_rules),
    route("PATCH", "/tracking-plans/<id>/rules", update_rules),
    route("DELETE", "/tracking-plans/<id>/rules", remove_rules),
    route("GET", "/tracking-plans/<id>/sources", list_sources),
    route("POST", "/tracking-plans/<id>/sources", add_source),
    route("DELETE", "/tracking-plans/<id>/sources", remove_source),
]
