"""The answers of our own mocks keep the contracts that recordings are held against, and every route has one or needs none."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from trackside import catalog
from trackside.errors import TracksideError
from trackside.lab import VENDORS, Lab
from trackside.recording import lines_of
from trackside.validation.bodies import bodies_of, refusal_of
from trackside.validation.recorded import ANSWER, payloads
from trackside.wire import Request

TRACK = {"type": "track", "event": "A", "userId": "u-1", "writeKey": "wk_web"}

# ---- every route


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_each_contract_of_a_path_is_one(vendor: str) -> None:
    for route in VENDORS[vendor].routes:
        path = route.path.replace("<path:", "<").replace("<", "").replace(">", "")
        for method in route.methods:
            found = bodies_of(vendor, method, path)
            contracts = [route.contract, found.request, *found.answer.split(), *refusal_of(vendor, path).split()]
            assert set(contracts) - {""} <= set(catalog.names()), (method, path)


WITHOUT_ANSWER_CONTRACT = {
    "segment": {"GET /v1/pixel", "GET /oauth", "POST /oauth"},
    "statsig": {"GET /v1/download_id_list_file", "GET /v1/integrations", "POST /v1/sdk_exception"},
    "split": {
        "GET /sse", "GET /event-stream", "GET /version", "GET /api/version", "GET /v1/version", "GET /api/v1/version",
        "POST /segment/webhook", "GET /internal/api/v2/rolloutStatuses", "DELETE ", "POST /v1/", "POST /api/",
        "POST /testImpressions", "POST /events", "POST /metrics", "PUT /internal/api/v2/segments",
    },
    "launchdarkly": {
        "POST /bulk", "POST /diagnostic", "POST /events", "POST /mobile", "POST /v2", "GET /a/", "HEAD ", "DELETE ",
        "GET /all", "GET /flags", "GET /eval", "REPORT /eval", "GET /ping", "GET /meval", "REPORT /meval", "GET /mping",
        "GET /sdk/stream", "POST /sdk/stream", "REPORT /sdk/stream",
    },
    "ownlayer": set(),
}  # fmt: skip
"""How the routes begin whose usual answer is a picture, a page, a text, a stream, nothing, or anything."""


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_every_route_has_a_contract_of_its_answer_or_answers_no_json(vendor: str) -> None:
    missing = set()
    for route in VENDORS[vendor].routes:
        path = route.path.replace("<path:", "<").replace("<", "").replace(">", "")
        for method in route.methods:
            told = f"{method} {path}"
            if not bodies_of(vendor, method, path).answer and not told.startswith(
                tuple(WITHOUT_ANSWER_CONTRACT[vendor])
            ):
                missing.add(told)
    assert sorted(missing) == []


# ---- the answers

KEYS = {
    "segment": {"authorization": "Bearer public-api"},
    "statsig": {"statsig-api-key": "secret-local"},
    "split": {"authorization": "Bearer sdk-local-0123456789"},
    "launchdarkly": {"authorization": "sdk-local"},
    "ownlayer": {"authorization": "Bearer ownlayer-local"},
}
CONSOLE = {"statsig-api-key": "console-local"}
SPLIT_ADMIN = "/internal/api/v2"
CONTEXT = base64.urlsafe_b64encode(b'{"kind":"user","key":"u-1"}').decode()
USER = {"userID": "u-1"}

REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("segment", "POST /v1/track", TRACK),
    ("segment", "POST /v1/batch", {"writeKey": "wk_web", "batch": [TRACK]}),
    ("segment", "POST /v1/track", "no JSON"),
    ("segment", "POST /v1/m", {"series": []}),
    ("segment", "GET /v1/projects/wk_web/settings", None),
    ("segment", "GET /v1/nothing", None),
    ("segment", "POST /token", "grant_type=none"),
    *(("segment", f"GET {path}", None) for path in (
        "/", "/sources", "/catalog/sources", "/catalog/destinations", "/destinations", "/tracking-plans", "/sources/none",
        "/destinations/none/subscriptions",
    )),
    ("segment", "POST /tracking-plans", {"name": "Plan", "type": "LIVE"}),
    ("segment", "POST /sources", {"slug": "ios", "enabled": True, "metadataId": "none"}),
    ("segment", "POST /destination/filters/preview", {"filter": {"if": "type = 'page'", "actions": [{"type": "DROP"}]}, "payload": TRACK}),
    ("statsig", "POST /v1/webhooks/segment", TRACK),
    ("statsig", "POST /v1/webhooks/segment", "no JSON"),
    ("statsig", "GET /v1/download_config_specs", None),
    ("statsig", "POST /v2/download_config_specs", {"sinceTime": 0}),
    ("statsig", "POST /v1/get_id_lists", {}),
    ("statsig", "POST /v1/initialize", {"user": USER}),
    ("statsig", "POST /v1/log_event", {"events": [{"eventName": "purchase", "user": USER, "time": 1}]}),
    ("statsig", "POST /v1/check_gate", {"gateName": "new_checkout", "user": USER}),
    ("statsig", "POST /v1/get_config", {"configName": "banner", "user": USER}),
    ("statsig", "POST /v1/get_layer", {"layerName": "none", "user": USER}),
    ("statsig", "POST /v1/get_ranked_list", {"configName": "none", "user": USER}),
    ("statsig", "POST /v1/check_gate", {}),
    *(("statsig", f"GET /console/v1/{path}", None) for path in (
        "events", "unit_id_types", "gates", "gates/new_checkout", "gates/none", "gates/new_checkout/overrides",
        "dynamic_configs", "dynamic_configs/banner", "layers", "experiments", "experiments/page_title",
        "experiments/page_title/overrides", "segments",
    )),
    ("statsig", "POST /console/v1/gates", {"name": "another"}),
    ("statsig", "POST /console/v1/segments", {"name": "members", "type": "id_list"}),
    ("statsig", "GET /console/v1/segments/members", None),
    ("statsig", "GET /console/v1/segments/members/id_list", None),
    ("statsig", "PATCH /console/v1/segments/members/id_list", {"ids": ["u-1"]}),
    ("statsig", "PUT /console/v1/experiments/page_title/start", None),
    ("statsig", "DELETE /console/v1/gates/another", None),
    ("split", "POST /segment", TRACK),
    *(("split", f"GET /api/{path}", None) for path in (
        "splitChanges?since=-1", "splitChanges?s=1.3&since=-1", "segmentChanges/none", "memberships/u-1", "mySegments/u-1",
        "v2/auth?users=u-1",
    )),
    ("split", "POST /api/events/bulk", "no JSON"),
    *(("split", f"GET {SPLIT_ADMIN}/{path}", None) for path in (
        "workspaces", "workspaces/none", "splits/ws/{ws}", "splits/ws/{ws}/checkout_v2", "environments/ws/{ws}",
        "splits/ws/{ws}/environments/production", "splits/ws/{ws}/checkout_v2/environments/production",
        "trafficTypes/ws/{ws}", "segments/ws/{ws}",
    )),
    ("split", "GET /internal/api/v3/flag-sets?workspace_id={ws}", None),
    ("launchdarkly", "GET /sdk/latest-all", None),
    ("launchdarkly", "GET /sdk/flags", None),
    ("launchdarkly", "GET /sdk/flags/banner", None),
    ("launchdarkly", "GET /sdk/flags/none", None),
    ("launchdarkly", "GET /sdk/poll", None),
    ("launchdarkly", f"GET /sdk/evalx/57be1db38b75bf0772d11384/contexts/{CONTEXT}", None),
    ("launchdarkly", "GET /sdk/goals/57be1db38b75bf0772d11384", None),
    *(("launchdarkly", f"GET /api/v2/{path}", None) for path in (
        "versions", "caller-identity", "projects", "projects/default", "projects/default/environments",
        "projects/default/environments/production", "flags/default", "flags/default/banner", "flags/default/none",
        "metrics/default",
    )),
    ("launchdarkly", "POST /api/v2/metrics/default", {"key": "clicks", "kind": "custom", "eventKey": "c", "isNumeric": False}),
    ("launchdarkly", "GET /api/v2/metrics/default/clicks", None),
    ("ownlayer", "POST /api/v1/inferences/", {"input": "a", "output": "b"}),
    ("ownlayer", "POST /api/v1/inferences/", "no JSON"),
)  # fmt: skip


def asked(lab: Lab) -> Iterator[dict[str, Any]]:
    """Yield the line of each request, as a lab answers it."""
    workspace = ""
    for vendor, what, body in REQUESTS:
        method, _, place = what.replace("{ws}", workspace).partition(" ")
        path, _, query = place.partition("?")
        headers = {**KEYS[vendor], **(CONSOLE if path.startswith("/console") else {})}
        content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        lab.receive(vendor, Request(method, path, headers, content, dict(parse_qsl(query))))
        row = lab.journal.row(lab.journal.next_seq - 1)
        assert row is not None
        made = lines_of(lab).of(row)
        assert made is not None
        if path == f"{SPLIT_ADMIN}/workspaces":
            workspace = json.loads(made["answer"]["body"])["objects"][0]["id"]
        yield made


def test_the_answers_of_the_mocks_keep_these_contracts(new_lab) -> None:
    faults, contracts = [], set()
    for made in asked(new_lab()):
        for body in payloads(made):
            if body.side == ANSWER:
                assert not isinstance(body.payload, TracksideError), (made["request"], body.payload)
                contracts.add(body.known.contract)
                redacted = [
                    one for one in catalog.faults(body.known.contract, body.payload) if "{{" not in str(one.value)
                ]
                faults += [(body.known.how, one.text) for one in redacted]
    assert faults == []
    assert len(contracts) >= 55, sorted(contracts)
