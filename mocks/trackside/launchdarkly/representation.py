"""A feature flag as the REST API shows it, and what a change of that means for the flag that SDKs have. Pure.

The API names variations by ``_id`` and holds one configuration for each environment; SDKs have one flag for each
environment, which names variations by their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID, uuid5

import orjson

from trackside.launchdarkly.model import WHOLE, Item, availability

Representation: TypeAlias = dict[str, Any]
"""What the REST API answers and takes, as JSON."""

About: TypeAlias = dict[str, Any]
"""What the REST API knows of a flag and SDKs do not: ``name``, ``tags``, ``variations`` with their names …"""

_NAMESPACE = UUID("6f1f6f0e-5f0c-5c8e-9d0a-3a5f7a1d2b44")
_JSON = {"type": "application/json"}
_COPIED = ("on", "offVariation", "prerequisites", "trackEvents", "trackEventsFallthrough", "salt")
_ABOUT = ("name", "description", "tags", "temporary", "customProperties", "defaults", "maintainerId")


def made_id(*parts: object) -> str:
    """Return the id of something by what it is: the same in every process (launchdarkly.rest.ids).

    >>> made_id("banner", "blue") == made_id("banner", "blue") != made_id("banner", "green")
    True
    """
    return str(uuid5(_NAMESPACE, orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()))


def link(path: str) -> dict[str, str]:
    """Return a link as the API writes it."""
    return {"href": path, **_JSON}


# ---- from SDKs to the REST API


def flag_representation(project: str, key: str, items: Mapping[str, Item], about: About) -> Representation:
    """Return a flag as the REST API shows it (launchdarkly.rest.flags).

    Args:
        project: its key.
        key: of the flag.
        items: the flag as the SDKs of each environment have it, by the environment's name; at least one.
        about: what else the API knows of it; of a flag that it did not make there is nothing.

    Returns:
        ``_version`` grows with each change in any environment. Dates are epoch milliseconds, 0 for what was declared
        and never changed.
    """
    first = next(iter(items.values()))
    variations = variations_of(key, first["variations"], about.get("variations", ()))
    path = f"/api/v2/flags/{project}/{key}"
    shown: Representation = {
        "name": about.get("name", key),
        "kind": _kind(first["variations"]),
        "description": about.get("description", ""),
        "key": key,
        "_version": max(item["version"] for item in items.values()) + about.get("updates", 0),
        "creationDate": about.get("creationDate", 0),
        "includeInSnippet": availability(first)["usingEnvironmentId"],
        "clientSideAvailability": availability(first),
        "variations": variations,
        "temporary": about.get("temporary", False),
        "tags": about.get("tags", []),
        "_links": {"self": link(path), "parent": link(f"/api/v2/flags/{project}")},
        "experiments": {"baselineIdx": 0, "items": []},
        "customProperties": about.get("customProperties", {}),
        "archived": False,
        "deprecated": False,
        "defaults": about.get("defaults") or _defaults(first),
        "environments": {
            name: _configuration(project, name, item, about.get("lastModified", {}).get(name, 0))
            for name, item in items.items()
        },
    }
    return {**shown, **({"maintainerId": about["maintainerId"]} if "maintainerId" in about else {})}


def variations_of(key: str, values: Sequence[Any], known: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return variations with their ids: the known ones where they still have these values, else made of the value."""
    same = len(known) == len(values)
    return [
        dict(known[index]) if same and known[index]["value"] == value else {"_id": made_id(key, value), "value": value}
        for index, value in enumerate(values)
    ]


def with_ids(shown: Representation) -> Representation:
    """Return a patched representation whose new variations have an ``_id``, which no patch has to bring (launchdarkly.rest.ids)."""
    variations = shown.get("variations")
    if not isinstance(variations, list):
        return shown
    named: list[Any] = []
    for number, one in enumerate(variations):
        is_new = isinstance(one, dict) and "_id" not in one and "value" in one
        made = made_id(shown.get("key"), one["value"]) if is_new else ""
        if any(isinstance(other, dict) and other.get("_id") == made for other in (*variations, *named)):
            made = made_id(shown.get("key"), one["value"], number)
        named.append({"_id": made, **one} if is_new else one)
    return {**shown, "variations": named}


def not_kept(after: Representation, kept: Representation) -> list[str]:
    """Return the fields of a patched flag that are not as the patch made them; those that begin with an underscore aside."""
    return [name for name, value in after.items() if not name.startswith("_") and name != "environments" and kept.get(name) != value]  # fmt: skip


def _kind(values: Sequence[Any]) -> str:
    two_booleans = len(values) == 2 and all(isinstance(value, bool) for value in values)
    return "boolean" if two_booleans else "multivariate"


def _defaults(item: Item) -> dict[str, int]:
    on = item["fallthrough"].get("variation")
    off = item["offVariation"]
    last = max(0, len(item["variations"]) - 1)
    return {"onVariation": 0 if on is None else on, "offVariation": last if off is None else off}


def _configuration(project: str, environment: str, item: Item, modified: int) -> Representation:
    copied = {name: item[name] for name in _COPIED if item.get(name) is not None}
    until = item.get("debugEventsUntilDate")
    return {
        **copied,
        "archived": False,
        "sel": item.get("sel", ""),
        "lastModified": modified,
        "version": item["version"],
        "targets": [_target(one) for one in item["targets"]],
        "contextTargets": [_target(one) for one in item["contextTargets"] if _kind_of(one) != "user"],
        "rules": [_rule(rule) for rule in item["rules"]],
        "fallthrough": _served(item["fallthrough"]),
        "_site": {"href": f"/{project}/{environment}/features/{item['key']}", "type": "text/html"},
        "_environmentName": environment,
        "_summary": _summary(item),
        **({"_debugEventsUntilDate": until} if until else {}),
    }


def _kind_of(target: Mapping[str, Any]) -> str:
    return target.get("contextKind") or "user"


def _target(target: Mapping[str, Any]) -> Representation:
    return {"values": target["values"], "variation": target["variation"], "contextKind": _kind_of(target)}


def _rule(rule: Mapping[str, Any]) -> Representation:
    clauses = [{"_id": made_id(rule["id"], clause), **clause} for clause in rule["clauses"]]
    told = {"description": rule["description"]} if "description" in rule else {}
    return {
        "_id": rule["id"],
        **_served(rule),
        "clauses": clauses,
        "trackEvents": rule.get("trackEvents", False),
        **told,
    }


def _served(part: Mapping[str, Any]) -> Representation:
    """Return what a rule or the default rule serves: a ``variation``, or a ``rollout`` in the API's form."""
    rollout = part.get("rollout")
    if rollout is None:
        return {"variation": part["variation"]} if part.get("variation") is not None else {}
    shown = {name: rollout[name] for name in ("contextKind", "bucketBy", "seed") if rollout.get(name) is not None}
    shown["variations"] = [_weighted(one, "untracked", "_untracked") for one in rollout["variations"]]
    if rollout.get("kind") == "experiment":
        shown["experimentAllocation"] = {"defaultVariation": 0, "canReshuffle": True}
    return {"rollout": shown}


def _weighted(one: Mapping[str, Any], name: str, other: str) -> dict[str, Any]:
    untracked = {other: one[name]} if name in one else {}
    return {"variation": one["variation"], "weight": one["weight"], **untracked}


def _summary(item: Item) -> Representation:
    variations: dict[str, dict[str, Any]] = {}
    for index in range(len(item["variations"])):
        variations[str(index)] = {
            "rules": sum(rule.get("variation") == index for rule in item["rules"]),
            "nullRules": 0,
            "targets": sum(len(one["values"]) for one in item["targets"] if one["variation"] == index),
            "contextTargets": sum(len(one["values"]) for one in item["contextTargets"] if one["variation"] == index),
        }
    for number, name, value in _highlights(item):
        if str(number) in variations:
            variations[str(number)][name] = value
    return {"variations": variations, "prerequisites": len(item["prerequisites"])}


def _highlights(item: Item) -> Iterator[tuple[int | None, str, Any]]:
    yield item["offVariation"], "isOff", True
    yield item["fallthrough"].get("variation"), "isFallthrough", True
    for one in (item["fallthrough"].get("rollout") or {}).get("variations", ()):
        yield one["variation"], "rollout", one["weight"]


# ---- from the REST API to SDKs


def new_item(flag: Mapping[str, Any], values: Sequence[Any]) -> Item:
    """Return the flag of a new one as SDKs get it, the same in every environment (launchdarkly.rest.flag-create).

    Args:
        flag: what was posted.
        values: of its variations.
    """
    defaults = flag.get("defaults") or {"onVariation": 0, "offVariation": len(values) - 1}
    return {
        "key": flag["key"],
        "on": flag.get("isFlagOn", False),
        "variations": list(values),
        "fallthrough": {"variation": defaults["onVariation"]},
        "offVariation": defaults["offVariation"],
        "clientSideAvailability": {"usingMobileKey": True, "usingEnvironmentId": False}
        | (flag.get("clientSideAvailability") or {}),
    }


def changed_items(before: Representation, after: Representation, items: Mapping[str, Item]) -> dict[str, Item]:
    """Return the flag as SDKs get it in each environment where it changed; the version is the store's to set.

    Only what differs is taken over, so that what the API does not show stays as it is. Fields whose names begin with an
    underscore cannot be edited and are passed over (launchdarkly.rest.read-only).

    Args:
        before: as the API showed it.
        after: the same with somebody's changes.
        items: the flag as it stands, by environment.
    """
    shared: dict[str, Any] = {}
    if _values(before) != _values(after):
        shared["variations"] = _values(after)
    available = {**before["clientSideAvailability"], **after.get("clientSideAvailability", {})}
    if before["clientSideAvailability"] != available:
        shared["clientSideAvailability"] = available
    changed = {}
    for name, item in items.items():
        own = _changed_fields(before["environments"][name], after["environments"][name])
        if shared or own:
            changed[name] = {**item, **shared, **own}
    return changed


def _values(shown: Representation) -> list[Any]:
    return [variation["value"] for variation in shown["variations"]]


def _changed_fields(before: Representation, after: Representation) -> dict[str, Any]:
    differing = {name for name in (*before, *after) if before.get(name) != after.get(name)}
    fields = {name: after.get(name) for name in _COPIED if name in differing}
    if differing & {"targets", "contextTargets"}:
        fields |= _sdk_targets(after)
    if "prerequisites" in differing:
        fields["prerequisites"] = after.get("prerequisites") or []
    if "rules" in differing:
        rules = enumerate(after.get("rules") or ())
        fields["rules"] = [_sdk_rule(rule, (before["version"], number)) for number, rule in rules]
    if "fallthrough" in differing:
        fields["fallthrough"] = _sdk_served(after.get("fallthrough") or {})
    return fields


def _sdk_targets(shown: Representation) -> dict[str, Any]:
    targets = [one for one in shown.get("targets") or () if one["values"]]
    of_kinds = [one for one in shown.get("contextTargets") or () if one["values"]]
    # Where there are context targets they give the order, and one of a user points to the target with the keys.
    pointers = [{"contextKind": "user", "variation": one["variation"], "values": []} for one in targets]
    return {"targets": targets, "contextTargets": [*pointers, *of_kinds] if of_kinds else []}


def _sdk_rule(rule: Representation, place: tuple[int, int]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: rule[name] for name in ("trackEvents", "description") if name in rule}
    clauses = [{name: value for name, value in clause.items() if name != "_id"} for clause in rule["clauses"]]
    number = rule["_id"] if "_id" in rule else made_id("rule", place, rule)
    return {"id": number, **_sdk_served(rule), "clauses": clauses, **kept}


def _sdk_served(part: Representation) -> dict[str, Any]:
    rollout = part.get("rollout")
    if rollout is None:
        return {"variation": part["variation"]} if "variation" in part else {}
    fields = {name: rollout[name] for name in ("contextKind", "bucketBy", "seed") if rollout.get(name) is not None}
    fields["kind"] = "experiment" if rollout.get("experimentAllocation") else "rollout"
    fields["variations"] = [_weighted(one, "_untracked", "untracked") for one in rollout["variations"]]
    return {"rollout": fields}


def rollout_fault(shown: Representation) -> tuple[str, str] | None:
    """Return what is wrong with the weights of a representation, and where; None where they add up to 100,000."""
    for name, configuration in shown["environments"].items():
        parts = [("fallthrough", configuration.get("fallthrough") or {})]
        parts += [(f"rules[{index}]", rule) for index, rule in enumerate(configuration.get("rules") or ())]
        for place, part in parts:
            weights = [one["weight"] for one in (part.get("rollout") or {}).get("variations", ())]
            if weights and sum(weights) != WHOLE:
                return f"the weights add up to {sum(weights)}", f"$.environments.{name}.{place}.rollout"
    return None


def about_of(shown: Representation, about: About) -> About:
    """Return what to remember of a representation beside the flags of SDKs, on top of what was remembered."""
    own = {name: shown[name] for name in _ABOUT if name in shown}
    return {**about, **own, "variations": shown["variations"], "updates": about.get("updates", 0) + 1}
