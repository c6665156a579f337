"""Metrics of the REST API: what counts which events, for experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.metrics import filter_faults, new_metric
from trackside.launchdarkly.representation import Representation, made_id
from trackside.launchdarkly.rest import body_of, conflict, invalid, listed, not_found, resources, routes
from trackside.launchdarkly.rest_patches import json_patched
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.store import LaunchDarkly

METRIC = "launchdarkly/metric"
NEW_METRIC = "launchdarkly/metric-post"
JSON_PATCH = "launchdarkly/json-patch"


def list_metrics(request: Request, live: LaunchDarkly) -> Answer:
    """Return the project's metrics, sorted by key, a page of them (launchdarkly.rest.metrics)."""
    metrics = resources(live).metrics
    return listed(request, [metrics[key] for key in sorted(metrics)])


def create_metric(request: Request, live: LaunchDarkly) -> Answer:
    """Return the 201 of a new metric; a key that is taken is answered 409 (launchdarkly.rest.metrics)."""
    posted = body_of(request, NEW_METRIC)
    metrics, key = resources(live).metrics, posted["key"]
    if key in metrics:
        raise conflict(
            "conflict", f"A metric with key {key} already exists", "choose another key, or patch that metric"
        )
    if faults := list(filter_faults(posted.get("filters"), "$.filters")):
        raise invalid(*faults)
    metrics[key] = new_metric(request.params["project"], posted, int(request.at * 1000))
    return json_answer(201, metrics[key])


def get_metric(request: Request, live: LaunchDarkly) -> Answer:
    """Return a metric (launchdarkly.rest.metrics)."""
    return json_answer(200, _metric(request, live))


def patch_metric(request: Request, live: LaunchDarkly) -> Answer:
    """Return a metric after a JSON patch, its version one higher (launchdarkly.rest.json-patch)."""
    before = _metric(request, live)
    after = json_patched(before, body_of(request, JSON_PATCH))
    kept = {name: value for name, value in before.items() if name.startswith("_") or name == "key"}
    changed = {**after, **kept, "_version": before["_version"] + 1}
    changed["_versionId"] = made_id(before["_id"], changed["_version"])
    if not catalog.validator(METRIC).is_valid(changed):
        faults = catalog.faults(METRIC, changed, limit=5)
        raise invalid(*(TracksideError(fault.what, fault.at, fault.fix) for fault in faults))
    if uncounted := list(filter_faults(changed.get("filters"), "$.filters")):
        raise invalid(*uncounted)
    resources(live).metrics[before["key"]] = changed
    return json_answer(200, changed)


def delete_metric(request: Request, live: LaunchDarkly) -> Answer:
    """Return the 204 of a metric that is gone (launchdarkly.rest.metrics)."""
    del resources(live).metrics[_metric(request, live)["key"]]
    return Answer(204)


def _metric(request: Request, live: LaunchDarkly) -> Representation:
    key = request.params["key"]
    if key not in resources(live).metrics:
        raise not_found(f"metric {key}", request)
    return resources(live).metrics[key]


def with_metrics(request: Request, answer: Answer, live: LaunchDarkly) -> Answer:
    """Return the goals of a browser with the click and page-view metrics that were made (launchdarkly.rest.goals)."""
    metrics = [one for one in resources(live).metrics.values() if one["kind"] in ("click", "pageview")]
    if not metrics or answer.status != 200 or request.method == "HEAD":
        return answer
    fields = ("key", "kind", "urls", "selector")
    told = json_answer(200, [{name: one[name] for name in fields if name in one} for one in metrics])
    told.told = True
    return told


_METRICS, _METRIC = "/metrics/<project>", "/metrics/<project>/<key>"

ROUTES = routes(
    {
        ("GET", _METRICS): list_metrics,
        ("POST", _METRICS): create_metric,
        ("GET", _METRIC): get_metric,
        ("PATCH", _METRIC): patch_metric,
        ("DELETE", _METRIC): delete_metric,
    },
    {("POST", _METRICS): NEW_METRIC, ("PATCH", _METRIC): JSON_PATCH},
)
