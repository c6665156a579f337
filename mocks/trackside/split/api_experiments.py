"""The v4 API's experiments on flags."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trackside.counting.model import Period
from trackside.split import metrics
from trackside.split.admin_calls import Call, RefusedError, environment_ref, route
from trackside.split.admin_state import id_of, named
from trackside.split.api_v4 import BASES, asked, changed, deleted, found, merged, owners, page, tags
from trackside.split.definitions import used_treatments
from trackside.split.metrics import DEFAULT_RULE, KeptExperiment
from trackside.times import iso

REQUEST, PATCH = "split/v4-experiment-request", "split/v4-experiment-patch"
PLACE = f"{BASES[0]}/experiments"


def _known(call: Call) -> dict[str, KeptExperiment]:
    return metrics.experiments(call.live.settings, call.live)


def _shown(name: str, kept: KeptExperiment) -> dict[str, Any]:
    """Return an experiment as answers have it: metrics by their ids, as calls name them."""
    own = kept.definition
    flag = own["parent"]["name"]
    return {
        "id": id_of("experiment", name),
        "name": name,
        "description": own.get("description") or "",
        "hypothesis": own.get("hypothesis") or "",
        "parent": {"type": "FEATURE_FLAG", "id": id_of("split", flag), "name": flag},
        "environment": environment_ref(kept.environment),
        "status": own.get("status") or "ACTIVE",
        "startAt": own.get("startAt"),
        "endAt": own.get("endAt"),
        "rule": own["rule"],
        "baselineTreatment": own.get("baselineTreatment") or "",
        "comparisonTreatments": list(own.get("comparisonTreatments") or ()),
        "keyMetrics": [id_of("metric", one) for one in own.get("keyMetrics") or ()],
        "supportingMetrics": [id_of("metric", one) for one in own.get("supportingMetrics") or ()],
        "tags": tags(own.get("tags")),
        "owners": owners(own.get("owners")),
        "createdAt": iso(kept.created_at),
    }


def _list(call: Call) -> dict[str, Any]:
    """Experiments, with paging: the active ones where no ``status`` is asked for.

    ``parent_type``, ``parent_name``, ``environment_id``, ``name`` and ``tags`` choose some.
    """
    rows = [(name, kept) for name, kept in _known(call).items() if _chosen(call, name, kept)]
    return page(call, rows, lambda row: _shown(*row))


def _chosen(call: Call, name: str, kept: KeptExperiment) -> bool:
    own, query = kept.definition, call.request.query
    has = {
        "parent_type": ["FEATURE_FLAG"],
        "parent_name": [own["parent"]["name"]],
        "environment_id": [kept.environment, id_of("environment", kept.environment)],
        "tags": [one["name"] for one in own.get("tags") or ()],
    }
    status = asked(call, "status") or ["ACTIVE"]
    return (
        query.get("name", "").lower() in name.lower()
        and (own.get("status") or "ACTIVE") in status
        and all(not (wanted := asked(call, by)) or set(wanted) & set(row) for by, row in has.items())
    )


def _get(call: Call) -> dict[str, Any]:
    """One experiment."""
    known = _known(call)
    name = found(call, "experiment", known)
    return _shown(name, known[name])


def _create(call: Call) -> dict[str, Any]:
    """Make an experiment on a flag that the environment of the query's ``environment_id`` has (split.v4.experiments)."""
    body = call.body(dict)
    name, wanted = body["name"], call.request.query.get("environment_id", "")
    if name in _known(call):
        raise RefusedError(409, f"the experiment {name!r} exists already", "$.name")
    environment = named("environment", wanted, call.live.environments)
    if environment is None:
        status, text = (
            (404, f"there is no environment {wanted!r}") if wanted else (400, "the call names no environment")
        )
        raise RefusedError(status, text, "environment_id", "send environment_id, the id of one")
    definition = {**body, "parent": {"type": "FEATURE_FLAG", "name": _flag(call, body["parent"], environment)}}
    return _put(call, definition, KeptExperiment({}, environment, PLACE, created_at=call.now))


def _flag(call: Call, parent: dict[str, Any], environment: str) -> str:
    """Return the name of the flag that an experiment is about.

    Raises:
        RefusedError: 404, it has no definition in this environment.
    """
    flags = [row["name"] for row in call.live.flags(environment)]
    name = parent.get("name") if parent.get("name") in flags else named("split", str(parent.get("id")), flags)
    if name is None:
        told = parent.get("name") or parent.get("id")
        text = f"the flag {told!r} is not in the environment {environment!r}"
        raise RefusedError(404, text, "$.parent", "define it there, or name one that is")
    return str(name)


def _update(call: Call) -> dict[str, Any]:
    """Change an experiment by a JSON Merge Patch; one that is not active any more stops counting (split.v4.patch)."""
    known = _known(call)
    name = found(call, "experiment", known)
    before = known[name]
    after = merged(before.definition, call.body(dict))
    if after["name"] != name and after["name"] in known:
        raise RefusedError(409, f"the experiment {after['name']!r} exists already", "$.name")
    answer = _put(call, after, before)
    if after["name"] != name:
        call.live.admin.experiments[name] = None
    return answer


def _put(call: Call, definition: dict[str, Any], before: KeptExperiment) -> dict[str, Any]:
    """Keep an experiment whose treatments, metrics and moments are there; its rule is the default rule where it names none."""
    definition = {"rule": DEFAULT_RULE, "status": "ACTIVE", **definition}
    _check_times(definition)
    _check_treatments(call, definition, before.environment)
    known = metrics.metrics(call.live.settings, call.live)
    for word in ("keyMetrics", "supportingMetrics"):
        definition[word] = [
            _metric(one, list(known), f"$.{word}[{index}]") for index, one in enumerate(definition.get(word) or ())
        ]
    kept = replace(before, definition=definition, periods=_periods(definition, before, call.now))
    call.live.admin.experiments[definition["name"]] = kept
    return changed(_shown(definition["name"], kept))


def _metric(wanted: str, known: list[str], at: str) -> str:
    name = named("metric", wanted, known)
    if name is None:
        raise RefusedError(400, f"there is no metric {wanted!r}", at, "send the id of one")
    return name


def _check_times(definition: dict[str, Any]) -> None:
    moments = {word: metrics.moment(definition.get(word)) for word in ("startAt", "endAt")}
    for word, found_at in moments.items():
        if definition.get(word) and found_at is None:
            raise RefusedError(400, f"{definition[word]!r} is no moment", f"$.{word}", "send ISO 8601")
    start, end = moments["startAt"], moments["endAt"]
    if start is not None and end is not None and end <= start:
        raise RefusedError(400, "the experiment ends before it starts", "$.endAt", "send a moment after startAt")


def _check_treatments(call: Call, definition: dict[str, Any], environment: str) -> None:
    flag = call.live.flag(definition["parent"]["name"], environment)
    known = used_treatments(flag) if flag else []
    baseline, others = definition.get("baselineTreatment"), definition.get("comparisonTreatments") or []
    named_ones = [("$.baselineTreatment", baseline), *((f"$.comparisonTreatments[{n}]", one) for n, one in enumerate(others))]  # fmt: skip
    for at, one in named_ones:
        if flag and one and one not in known and one != flag["defaultTreatment"]:
            raise RefusedError(400, f"the flag has no treatment {one!r}", at, f"use one of: {', '.join(known)}")
    if baseline in others:
        text = f"the baseline {baseline!r} is compared with itself"
        raise RefusedError(400, text, "$.comparisonTreatments", "send the other treatments")


def _periods(definition: dict[str, Any], before: KeptExperiment, now: int) -> tuple[Period, ...]:
    """Return when an experiment goes on: until now where it is stopped, from now on where it goes on again."""
    was, active = before.definition.get("status", "ACTIVE"), definition["status"] == "ACTIVE"
    start, end = metrics.moment(definition.get("startAt")), metrics.moment(definition.get("endAt"))
    if not before.definition:
        return metrics.first_periods(definition)
    if was == "ACTIVE" and not active:
        last = before.periods[-1]
        stopped = now if last.end is None else min(now, last.end)
        return (*before.periods[:-1], Period(last.start, stopped))
    if was != "ACTIVE" and active:
        return (*before.periods, Period(now if before.periods else start, end))
    if not before.periods:
        return ()
    first, last = before.periods[0], before.periods[-1]
    rows = [Period(start, first.end), *before.periods[1:]]
    return (*rows[:-1], replace(rows[-1], end=end if active else last.end))


def _delete(call: Call) -> dict[str, Any]:
    """Delete an experiment; its flag is one again by itself."""
    name = found(call, "experiment", _known(call))
    call.live.admin.experiments[name] = None
    return deleted()


ROUTES = [
    *route("GET", "/experiments", _list, bases=BASES),
    *route("POST", "/experiments", _create, 201, REQUEST, BASES),
    *route("GET", "/experiments/<id>", _get, bases=BASES),
    *route("PATCH", "/experiments/<id>", _update, 200, PATCH, BASES),
    *route("DELETE", "/experiments/<id>", _delete, bases=BASES),
]
