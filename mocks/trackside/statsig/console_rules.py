"""Rules and conditions as the Console API writes them, and as SDKs read them. Pure.

The two name types of conditions differently (statsig.console.conditions); operators are spelt the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trackside.errors import TracksideError
from trackside.statsig.reading import OPERATORS
from trackside.statsig.specs import SEGMENT, condition, rule
from trackside.statsig.values import shown
from trackside.times import epoch_ms

FIELDS = {
    "email": ("user_field", "email"),
    "ip_address": ("user_field", "ip"),
    "app_version": ("user_field", "appVersion"),
    "locale": ("user_field", "locale"),
    "country": ("ip_based", "country"),
    "os_name": ("ua_based", "os_name"),
    "os_version": ("ua_based", "os_version"),
    "browser_name": ("ua_based", "browser_name"),
    "browser_version": ("ua_based", "browser_version"),
    "environment_tier": ("environment_field", "tier"),
}
"""Types of conditions that look at one field: the SDKs' type, and that field."""

GATES = {
    "passes_gate": ("pass_gate", ""),
    "fails_gate": ("fail_gate", ""),
    "passes_segment": ("pass_gate", SEGMENT),
    "fails_segment": ("fail_gate", SEGMENT),
}
"""Types that ask a gate or segment: the SDKs' type, and how the name of what is asked starts."""

OTHERS = {"public": "public", "time": "current_time", "target_app": "target_app"}
UNITS = ("user_id", "unit_id")
TYPES = (*OTHERS, *UNITS, "custom_field", *FIELDS, *GATES)
"""Every type that can be converted; ``url``, ``javascript`` and ``device_model`` are of web experiments only."""

_FIELD_TYPES = {told: name for name, told in FIELDS.items()}


def as_rules(rows: Any, at: str, id_type: str, *, value: Any = True) -> list[dict[str, Any]]:
    """Return rules as SDKs read them.

    Args:
        rows: as the Console API has them: ``name``, ``passPercentage``, ``conditions``, and where given ``id``,
            ``environments``, ``returnValue``.
        at: their JSON path.
        id_type: the unit that decides.
        value: what a rule without ``returnValue`` gives.

    Raises:
        TracksideError: one of them cannot be converted, with its place.
    """
    taken: set[str] = set()
    return [_as_rule(row, f"{at}[{index}]", id_type, value, taken) for index, row in enumerate(rows)]


def _as_rule(row: Mapping[str, Any], at: str, id_type: str, value: Any, taken: set[str]) -> dict[str, Any]:
    conditions = [
        one
        for index, given in enumerate(row["conditions"])
        for one in as_conditions(given, f"{at}.conditions[{index}]", id_type)
    ]
    if environments := row.get("environments"):
        conditions.append(condition("environment_field", "any", list(environments), "tier", id_type))
    rule_id = str(row.get("id") or identifier(row["name"]))
    while rule_id in taken:
        rule_id += "_"
    taken.add(rule_id)
    returned = row.get("returnValue", value)
    return rule(rule_id, conditions, returned, row.get("passPercentage", 100), id_type, groupName=row["name"])


def identifier(name: str) -> str:
    """Return the ID of something that is called so: lower case, spaces turned into underscores (statsig.console.ids).

    >>> identifier("A Gate")
    'a_gate'
    """
    return re.sub(r"\s+", "_", name.strip().lower())


def as_conditions(row: Mapping[str, Any], at: str, id_type: str) -> list[dict[str, Any]]:
    """Return a condition as SDKs read it; several where it names several gates to fail, which it takes all of."""
    kind, operator, target = row["type"], row.get("operator"), row.get("targetValue")
    if kind in GATES:
        return _gate_conditions(kind, target, at, id_type)
    if kind in OTHERS and operator is None and target is None:
        return [condition(OTHERS[kind], None, None, None, id_type)]
    operator = operator or ("on" if kind == "time" else "any")
    if operator not in OPERATORS:
        raise TracksideError(f"operator is {shown(operator)}", f"{at}.operator", f"use one of: {', '.join(OPERATORS)}")
    target = _target(operator, target, kind, f"{at}.targetValue")
    if kind in UNITS:
        unit = (row.get("customID") if kind == "unit_id" else "userID") or "userID"
        return [condition("unit_id", operator, target, unit, unit)]
    if kind == "custom_field":
        if not row.get("field"):
            raise TracksideError("field is missing", f"{at}.field", "name the custom field")
        return [condition("user_field", operator, target, row["field"], id_type)]
    if kind in OTHERS:
        return [condition(OTHERS[kind], operator, target, None, id_type)]
    if kind not in FIELDS:
        raise TracksideError(f"type is {shown(kind)}", f"{at}.type", f"use one of: {', '.join(TYPES)}")
    return [condition(FIELDS[kind][0], operator, target, FIELDS[kind][1], id_type)]


def _gate_conditions(kind: str, target: Any, at: str, id_type: str) -> list[dict[str, Any]]:
    """Return the conditions on gates: any of several to pass, all of several to fail."""
    asked, start = GATES[kind]
    names = [f"{start}{name}" for name in (target if isinstance(target, list) else [target])]
    if not all(isinstance(name, str) and name != start for name in names) or target in (None, []):
        raise TracksideError(f"targetValue is {shown(target)}", f"{at}.targetValue", "name a gate or segment")
    if asked == "pass_gate" and len(names) > 1:
        return [condition("multi_pass_gate", None, names, None, id_type)]
    return [condition(asked, None, name, None, id_type) for name in names]


def _target(operator: str, target: Any, kind: str, at: str) -> Any:
    """Return what is compared with, in the form that the operator takes."""
    wanted = OPERATORS[operator]
    if wanted == "a list":
        return [_text(one) for one in (target if isinstance(target, list) else [target])]
    if isinstance(target, list):
        if len(target) != 1:
            raise TracksideError(f"targetValue is {shown(target)}", at, f"{operator} takes one value")
        target = target[0]
    if wanted != "a number":
        return _text(target) if wanted == "text" else target
    number = epoch_ms(target, 0) if kind == "time" and target is not None else target
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TracksideError(f"targetValue is {shown(target)}", at, f"{operator} takes a number")
    return number


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def as_rows(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rules of a spec as the Console API writes them, overrides aside."""
    return [
        {
            "id": row["id"],
            "baseID": row["id"],
            "name": row.get("groupName") or row["name"],
            "passPercentage": row["passPercentage"],
            "conditions": list(_rows(row["conditions"])),
            "environments": None,
            "returnValue": row["returnValue"],
        }
        for row in spec["rules"]
        if not is_override(row)
    ]


def is_override(row: Mapping[str, Any]) -> bool:
    """Return whether a rule is an override: its ID says so (statsig.console.overrides)."""
    return str(row["id"]).endswith("override")


def _rows(conditions: Any) -> Iterator[dict[str, Any]]:
    for one in conditions:
        kind, custom_id = _console_type(one)
        field, target = one.get("field") if kind == "custom_field" else None, one.get("targetValue")
        if kind.endswith("_segment"):
            target = _without(target)
        row = {"type": kind, "operator": one.get("operator"), "targetValue": target, "field": field}
        yield {**row, "customID": custom_id}


def _console_type(one: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the Console API's type of a condition, and the custom ID of one on a unit."""
    kind, field = one["type"], one.get("field")
    if kind == "unit_id":
        return ("user_id", None) if one.get("idType", "userID") == "userID" else ("unit_id", one["idType"])
    if kind in ("pass_gate", "fail_gate", "multi_pass_gate", "multi_fail_gate"):
        names = one.get("targetValue")
        first = (names[0] if names else "") if isinstance(names, list) else names
        verb = "passes" if "pass" in kind else "fails"
        return f"{verb}_{'segment' if str(first).startswith(SEGMENT) else 'gate'}", None
    if told := _FIELD_TYPES.get((kind, str(field))):
        return told, None
    return {"current_time": "time", "user_field": "custom_field"}.get(kind, kind), None


def _without(target: Any) -> Any:
    if isinstance(target, list):
        return [_without(one) for one in target]
    return str(target).removeprefix(SEGMENT)
