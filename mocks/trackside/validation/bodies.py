"""Which contracts the bodies of each path keep, in both directions, where `trackside.wire.Route` does not say.

In a path ``*`` stands for one part and ``**`` for the rest; ``a|b`` for either. Several contracts are told apart by which one
a body keeps.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple


class Bodies(NamedTuple):
    """The contracts of an exchange, each empty where there is none.

    Attributes:
        request: of its body.
        answer: of the usual answer.
    """

    request: str = ""
    answer: str = ""


_API = "/internal/api/v2"
_V4 = "/fme/api/v4"
_IDENTITIES = f"{_API}/trafficTypes/*/environments/*/identities"
_CONSOLE = "/console/v1"
_REST = "/api/v2/projects/*/environments/*"
_PATCHED = "launchdarkly/json-patch"

_PATHS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "segment": (
        ("POST", "/v1/(track|t)", "segment/track", "segment/success-answer"),
        ("POST", "/v1/(identify|i)", "segment/identify", "segment/success-answer"),
        ("POST", "/v1/(page|p)", "segment/page", "segment/success-answer"),
        ("POST", "/v1/(screen|s)", "segment/screen", "segment/success-answer"),
        ("POST", "/v1/(group|g)", "segment/group", "segment/success-answer"),
        ("POST", "/v1/(alias|a)", "segment/alias", "segment/success-answer"),
        ("POST", "/v1/(batch|b|import)", "segment/batch", "segment/success-answer"),
        ("POST", "/v1/m", "segment/metrics", "segment/success-answer"),
        ("GET", "/v1/projects/*/settings", "", "segment/settings"),
        ("POST", "/token", "segment/oauth-token-request", "segment/oauth-token-answer"),
        ("GET", "/", "", "segment/public-api-workspace"),
        ("GET", "/catalog/sources", "", "segment/public-api-sources-catalog"),
        ("GET", "/catalog/sources/*", "", "segment/public-api-source-metadata"),
        ("GET", "/sources", "", "segment/public-api-sources"),
        ("POST", "/sources", "segment/public-api-source-request", "segment/public-api-source-change"),
        ("GET", "/sources/*", "", "segment/public-api-source"),
        ("PATCH", "/sources/*", "segment/public-api-source-update", "segment/public-api-source-change"),
        ("GET", "/sources/*/connected-destinations", "", "segment/public-api-destinations"),
        ("GET", "/sources/*/settings", "", "segment/public-api-source-settings"),
        ("PATCH", "/sources/*/settings", "segment/public-api-source-settings-update", "segment/public-api-source-settings"),
        ("GET", "/catalog/destinations", "", "segment/public-api-destinations-catalog"),
        ("GET", "/catalog/destinations/*", "", "segment/public-api-destination-metadata"),
        ("GET", "/destinations", "", "segment/public-api-destinations"),
        ("POST", "/destinations", "segment/public-api-destination-request", "segment/public-api-destination"),
        ("GET", "/destinations/*", "", "segment/public-api-destination"),
        ("PATCH", "/destinations/*", "segment/public-api-destination-update", "segment/public-api-destination"),
        ("GET", "/destinations/*/subscriptions", "", "segment/public-api-subscriptions"),
        ("POST", "/destinations/*/subscriptions", "segment/public-api-subscription-request", "segment/public-api-subscription-created"),
        ("GET", "/destinations/*/subscriptions/*", "", "segment/public-api-subscription"),
        ("PATCH", "/destinations/*/subscriptions/*", "segment/public-api-subscription-update", "segment/public-api-subscription"),
        ("POST", "/destination/filters/preview", "segment/public-api-filter-preview", "segment/public-api-filter-preview-answer"),
        ("GET", "/destination/*/filters", "", "segment/public-api-filters"),
        ("POST", "/destination/*/filters", "segment/public-api-filter-request", "segment/public-api-filter"),
        ("GET", "/destination/*/filters/*", "", "segment/public-api-filter"),
        ("PATCH", "/destination/*/filters/*", "segment/public-api-filter-update", "segment/public-api-filter"),
        ("GET", "/tracking-plans", "", "segment/public-api-tracking-plans"),
        ("POST", "/tracking-plans", "segment/public-api-tracking-plan-request", "segment/public-api-tracking-plan"),
        ("GET", "/tracking-plans/*", "", "segment/public-api-tracking-plan"),
        ("PATCH", "/tracking-plans/*", "segment/public-api-tracking-plan-update", "segment/public-api-status"),
        ("GET", "/tracking-plans/*/rules", "", "segment/public-api-rules"),
        ("PUT", "/tracking-plans/*/rules", "segment/public-api-rules-replace", "segment/public-api-status"),
        ("PATCH", "/tracking-plans/*/rules", "segment/public-api-rules-update", "segment/public-api-status"),
        ("GET", "/tracking-plans/*/sources", "", "segment/public-api-sources"),
        ("POST", "/tracking-plans/*/sources", "segment/public-api-tracking-plan-source", "segment/public-api-status"),
        ("DELETE", "/(sources|destinations|tracking-plans|destination)/**", "", "segment/public-api-status"),
    ),
    "statsig": (
        ("POST", "/v1/webhooks/(segment|segment_webhook)", "statsig/segment-webhook", "statsig/segment-webhook-answer"),
        ("GET|POST", "/v1/download_config_specs(/**)?", "statsig/specs-request", "statsig/specs-v1 statsig/no-updates"),
        ("GET|POST", "/v2/download_config_specs(/**)?", "statsig/specs-request", "statsig/specs-v2 statsig/no-updates"),
        ("GET|POST", "/v1/get_id_lists(/**)?", "statsig/id-lists-request", "statsig/id-lists"),
        ("POST", "/v1/initialize", "", "statsig/initialize-answer statsig/no-updates"),
        ("POST", "/v1/(log_event|rgstr|log_event_beacon|log_custom_exposure)", "", "statsig/log-event-answer"),
        ("POST", "/v1/check_gate", "", "statsig/check-gate-answer"),
        ("POST", "/v1/get_config", "", "statsig/get-config-answer"),
        ("POST", "/v1/get_layer", "", "statsig/get-layer-answer"),
        ("POST", "/v1/get_ranked_list", "", "statsig/get-ranked-list-answer"),
        ("GET", f"{_CONSOLE}/events(/*)?", "", "statsig/console-events"),
        ("GET", f"{_CONSOLE}/(unit_id_types|gates|dynamic_configs|layers|experiments|segments)", "", "statsig/console-list"),
        ("POST", f"{_CONSOLE}/unit_id_types", "", "statsig/console-unit-id-type-answer"),
        ("GET|PATCH", f"{_CONSOLE}/unit_id_types/*", "", "statsig/console-unit-id-type-answer"),
        ("GET", f"{_CONSOLE}/metrics/list", "", "statsig/console-list"),
        ("GET", f"{_CONSOLE}/metrics/values", "", "statsig/console-metric-values"),
        ("GET", f"{_CONSOLE}/metrics", "", "statsig/console-metric-value"),
        ("GET|POST", f"{_CONSOLE}/metrics(/**)?", "", "statsig/console-metric-answer"),
        ("GET", f"{_CONSOLE}/exposure_count", "", "statsig/console-exposure-count"),
        ("GET", f"{_CONSOLE}/experiments/*/cumulative_exposures", "", "statsig/console-cumulative-exposures"),
        ("GET|POST|PATCH|DELETE", f"{_CONSOLE}/gates/*/overrides", "", "statsig/console-gate-overrides-answer"),
        ("GET|POST|PATCH|DELETE", f"{_CONSOLE}/experiments/*/overrides", "", "statsig/console-experiment-overrides-answer"),
        ("GET|POST|PATCH|DELETE", f"{_CONSOLE}/segments/*/id_list(/*)?", "", "statsig/console-id-list-answer statsig/console-done"),
        ("DELETE", f"{_CONSOLE}/**", "", "statsig/console-done"),
        ("GET|POST|PATCH|PUT", f"{_CONSOLE}/gates(/**)?", "", "statsig/console-gate-answer"),
        ("GET|POST|PATCH|PUT", f"{_CONSOLE}/dynamic_configs(/**)?", "", "statsig/console-dynamic-config-answer"),
        ("GET|POST|PATCH|PUT", f"{_CONSOLE}/layers(/**)?", "", "statsig/console-layer-answer"),
        ("GET|POST|PATCH|PUT", f"{_CONSOLE}/experiments(/**)?", "", "statsig/console-experiment-answer statsig/console-done"),
        ("GET|POST|PATCH|PUT", f"{_CONSOLE}/segments(/**)?", "", "statsig/console-segment-answer"),
    ),
    "split": (
        ("POST", "/segment", "split/segment-call", "split/segment-call-answer"),
        ("POST", "/segment/webhook/*", "segment/webhook-batch", ""),
        ("GET", "(/api)?(/v1)?/splitChanges", "", "split/split-changes split/split-changes-older"),
        ("GET", "(/api)?(/v1)?/segmentChanges/**", "", "split/segment-changes"),
        ("GET", "(/api)?(/v1)?/memberships/**", "", "split/memberships"),
        ("GET", "(/api)?(/v1)?/mySegments/**", "", "split/my-segments"),
        ("GET", "(/api)?/(v2|v3)/auth", "", "split/auth-answer"),
        ("GET", f"{_API}/workspaces", "", "split/admin-workspaces"),
        ("GET", f"{_API}/environments/ws/*", "", "split/admin-environments"),
        ("POST", f"{_API}/environments/ws/*", "", "split/admin-environment"),
        ("PATCH", f"{_API}/environments/ws/*/*", "split/admin-patch-request", "split/admin-environment"),
        ("GET", f"{_API}/trafficTypes/ws/*", "", "split/admin-traffic-types"),
        ("POST", f"{_API}/trafficTypes/ws/*", "", "split/admin-traffic-type"),
        ("GET", f"{_API}/splits/ws/*", "", "split/admin-flags"),
        ("GET", f"{_API}/splits/ws/*/environments/*", "", "split/admin-definitions"),
        ("GET|POST|PUT", f"{_API}/splits/ws/*/*/environments/*", "", "split/admin-definition"),
        ("PUT", f"{_API}/splits/ws/*/*/environments/*/(kill|restore)", "", "split/admin-definition"),
        ("POST", f"{_API}/splits/ws/*/trafficTypes/*", "", "split/admin-flag"),
        ("GET", f"{_API}/splits/ws/*/*", "", "split/admin-flag"),
        ("PUT", f"{_API}/splits/ws/*/*/updateDescription", "", "split/admin-flag"),
        ("POST", f"{_API}/tags/ws/*/object/*/objecttype/Split", "split/admin-tags-request", "split/admin-tags"),
        ("GET", "(/internal)?/api/v3/flag-sets", "", "split/admin-flag-sets"),
        ("POST", "(/internal)?/api/v3/flag-sets", "", "split/admin-flag-set"),
        ("GET", "(/internal)?/api/v3/flag-sets/*", "", "split/admin-flag-set"),
        ("GET", f"{_API}/segments/ws/*", "", "split/admin-segments"),
        ("GET", f"{_API}/segments/ws/*/environments/*", "", "split/admin-segments"),
        ("POST", f"{_API}/segments/ws/*/trafficTypes/*", "", "split/admin-segment"),
        ("GET", f"{_API}/segments/ws/*/*", "", "split/admin-segment"),
        ("GET", f"{_API}/segments/*/*/keys", "", "split/admin-segment-keys"),
        ("POST", f"{_API}/segments/*/*", "", "split/admin-segment"),
        ("POST", _IDENTITIES, "", "split/admin-identities-answer"),
        ("POST|PUT|PATCH", f"{_IDENTITIES}/**", "", "split/admin-identity"),
        ("GET", f"{_API}/schema/ws/*/trafficTypes/*", "", "split/admin-attributes"),
        ("POST|PUT", f"{_API}/schema/ws/*/trafficTypes/*", "", "split/admin-attribute"),
        ("POST", f"{_API}/schema/ws/*/trafficTypes/*/attribute:bulk", "", "split/admin-attributes"),
        ("PATCH", f"{_API}/schema/ws/*/trafficTypes/*/*", "split/admin-patch-request", "split/admin-attribute"),
        ("GET", f"{_V4}/metrics", "", "split/v4-metrics"),
        ("POST", f"{_V4}/metrics", "", "split/v4-metric-change"),
        ("GET", f"{_V4}/metrics/*", "", "split/v4-metric"),
        ("PATCH", f"{_V4}/metrics/*", "", "split/v4-metric-change"),
        ("GET", f"{_V4}/experiments", "", "split/v4-experiments"),
        ("POST", f"{_V4}/experiments", "", "split/v4-experiment-change"),
        ("GET", f"{_V4}/experiments/*", "", "split/v4-experiment"),
        ("PATCH", f"{_V4}/experiments/*", "", "split/v4-experiment-change"),
        ("DELETE", f"{_V4}/(metrics|experiments)/*", "", "split/v4-deleted"),
    ),
    "launchdarkly": (
        ("GET", "/sdk/goals/*", "", "launchdarkly/goals"),
        ("GET", "/sdk/latest-all", "", "launchdarkly/server-data"),
        ("GET", "/sdk/flags", "", "launchdarkly/server-flags"),
        ("GET", "/sdk/flags/*", "", "launchdarkly/server-flag"),
        ("GET", "/sdk/segments/*", "", "launchdarkly/server-segment"),
        ("GET|REPORT", "/m?sdk/evalx/**", "", "launchdarkly/evaluated-flags"),
        ("GET|POST|REPORT", "/sdk/poll(/**)?", "", "launchdarkly/fdv2-poll"),
        ("GET", "/api/v2/versions", "", "launchdarkly/api-versions"),
        ("GET", "/api/v2/caller-identity", "", "launchdarkly/caller-identity"),
        ("GET", "/api/v2/projects/*", "", "launchdarkly/project"),
        ("GET", _REST, "", "launchdarkly/environment"),
        ("POST", "/api/v2/flags/*", "", "launchdarkly/feature-flag"),
        ("GET|PATCH", "/api/v2/flags/*/*", "", "launchdarkly/feature-flag"),
        ("POST", f"{_REST}/flags/evaluate", "", "launchdarkly/rest-list"),
        ("POST", "/api/v2/metrics/*", "", "launchdarkly/metric"),
        ("GET|PATCH", "/api/v2/metrics/*/*", "", "launchdarkly/metric"),
        ("POST", f"{_REST}/experiments", "", "launchdarkly/experiment"),
        ("GET|PATCH", f"{_REST}/experiments/*", "launchdarkly/experiment-patch", "launchdarkly/experiment"),
        ("POST", f"{_REST}/experiments/*/iterations", "launchdarkly/iteration-post", "launchdarkly/iteration"),
        ("GET", "/api/v2/(projects|flags/*|metrics/*|projects/*/environments)", "", "launchdarkly/rest-list"),
        ("GET", f"{_REST}/experiments", "", "launchdarkly/rest-list"),
    ),
    "ownlayer": (("POST", "/api/v1/inferences/?", "", "ownlayer/inference-answer"),),
}  # fmt: skip
"""Methods, path, contract of the request (unless the route has one), contract of the answer; the first row that fits counts."""

_REFUSALS: dict[str, tuple[tuple[str, str], ...]] = {
    "segment": (
        ("/token", "segment/oauth-error-answer"),
        ("/v1/**", "segment/error-answer segment/not-found-answer"),
        ("/**", "segment/public-api-error segment/not-found-answer"),
    ),
    "statsig": (
        (f"{_CONSOLE}/**", "statsig/console-error"),
        ("/v1/webhooks/**", "statsig/segment-webhook-answer"),
        ("/**", "statsig/error-answer"),
    ),
    "split": (
        ("/segment(/**)?", "split/segment-call-answer"),
        (f"{_API}/**|(/internal)?/api/v3/**|{_V4}/**", "split/admin-error"),
        ("/**", "split/error-answer"),
    ),
    "launchdarkly": (("/**", "launchdarkly/error-answer"),),
    "ownlayer": (("/**", "ownlayer/error-answer"),),
}
"""Contracts of answers from 400 on, by path."""


def bodies_of(vendor: str, method: str, path: str) -> Bodies:
    """Return the contracts of a request and of its usual answer.

    >>> bodies_of("statsig", "POST", "/v1/check_gate").answer
    'statsig/check-gate-answer'
    """
    for methods, pattern, request, answer in _rows(vendor):
        if method in methods and pattern.fullmatch(path):
            return Bodies(request, answer)
    return Bodies()


def refusal_of(vendor: str, path: str) -> str:
    """Return the contracts of an answer from 400 on.

    >>> refusal_of("segment", "/token")
    'segment/oauth-error-answer'
    """
    return next((contract for pattern, contract in _refusals(vendor) if pattern.fullmatch(path)), "")


@cache
def _rows(vendor: str) -> list[tuple[frozenset[str], re.Pattern[str], str, str]]:
    rows = _PATHS.get(vendor, ())
    return [(frozenset(methods.split("|")), _pattern(path), request, answer) for methods, path, request, answer in rows]


@cache
def _refusals(vendor: str) -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(path), contract) for path, contract in _REFUSALS.get(vendor, ())]


def _pattern(path: str) -> re.Pattern[str]:
    whole = path.replace(".", r"\.").replace("**", ".~").replace("*", "[^/]+").replace(".~", ".*")
    return re.compile(whole, re.DOTALL)
