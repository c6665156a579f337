"""Diagnostic events, in which SDKs tell how they are configured and how they fare."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest
import urllib3

from trackside.lab import Lab

INIT = {
    "kind": "diagnostic-init",
    "id": {"diagnosticId": "1f2e3d4c-0000-4000-8000-000000000001", "sdkKeySuffix": "uction"},
    "creationDate": 1795293287852,
    "sdk": {"name": "python-server-sdk", "version": "9.18.2"},
    "configuration": {"eventsCapacity": 10000},
    "platform": {"name": "python"},
}
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE = {
    "launchdarkly": {
        "environments": {
            "production": {
                "client_side_id": CLIENT_SIDE_ID,
                "sdk_key": "sdk-production",
                "mobile_key": "mob-production",
            }
        }
    }
}
PATHS = [
    ("/diagnostic", "sdk-production"),
    ("/mobile/events/diagnostic", "mob-production"),
    (f"/events/diagnostic/{CLIENT_SIDE_ID}", ""),
]

pytestmark = [
    pytest.mark.rule("launchdarkly.diagnostics.accepted"),
    pytest.mark.trackside(workspace=WORKSPACE),
]


def send(lab: Lab, body: Any, path: str = "/diagnostic", key: str = "sdk-production", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {**headers, **({"Authorization": key} if key else {})}
    return urllib3.request("POST", lab.urls["launchdarkly"] + path, headers=given, body=content)


@pytest.mark.parametrize(("path", "key"), PATHS)
def test_a_diagnostic_event_is_answered_202_with_an_empty_body(trackside: Lab, path: str, key: str) -> None:
    answer = send(trackside, INIT, path, key)

    assert (answer.status, answer.data) == (202, b"")
    trackside.expect_no_findings(notes=True)


def test_a_diagnostic_event_is_kept_with_its_environment(trackside: Lab) -> None:
    send(trackside, INIT)

    assert trackside.launchdarkly.diagnostics() == [{**INIT, "environment": "production", "effect": "none"}]


def test_a_diagnostic_event_is_found_by_what_it_tells(trackside: Lab) -> None:
    send(trackside, INIT)

    assert trackside.launchdarkly.diagnostics(kind="diagnostic-init", sdk="python-server-sdk")
    assert trackside.launchdarkly.diagnostics(sdk="NodeJSClient") == []


def test_a_diagnostic_event_is_not_among_the_events(trackside: Lab) -> None:
    send(trackside, INIT)

    assert trackside.launchdarkly.events() == []
    trackside.launchdarkly.expect_none()


def test_a_compressed_diagnostic_event_is_read(trackside: Lab) -> None:
    send(trackside, gzip.compress(orjson.dumps(INIT)), **{"Content-Encoding": "gzip"})

    assert len(trackside.launchdarkly.diagnostics()) == 1


def test_a_field_that_breaks_the_contract_is_a_finding_and_the_event_is_kept(trackside: Lab) -> None:
    send(trackside, {**INIT, "sdk": {"name": "python-server-sdk"}})

    [finding] = trackside.findings()
    assert (finding.step.rule, finding.step.at) == ("launchdarkly.contract", "$.sdk.version")
    assert len(trackside.launchdarkly.diagnostics()) == 1


@pytest.mark.rule("launchdarkly.events.unknown-key")
@pytest.mark.parametrize(("path", "key"), [PATHS[0], PATHS[1]])
def test_a_diagnostic_event_with_an_unknown_key_is_answered_401(trackside: Lab, path: str, key: str) -> None:
    assert send(trackside, INIT, path, f"{key}-wrong").status == 401
    assert send(trackside, INIT, path, "").status == 401


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
def test_a_diagnostic_event_for_an_unknown_client_side_id_is_answered_404(trackside: Lab) -> None:
    assert send(trackside, INIT, "/events/diagnostic/000000000000000000000000", "").status == 404


@pytest.mark.rule("launchdarkly.diagnostics.not-an-object")
def test_a_diagnostic_event_in_an_array_is_answered_400(trackside: Lab) -> None:
    assert send(trackside, [INIT]).status == 400

    [finding] = trackside.findings()
    assert finding.step.rule == "launchdarkly.diagnostics.not-an-object"


@pytest.mark.rule("launchdarkly.events.not-an-array")
def test_a_diagnostic_body_that_is_no_json_is_answered_400(trackside: Lab) -> None:
    assert send(trackside, b"{").status == 400


@pytest.mark.rule("launchdarkly.events.diagnostic-at-bulk")
@pytest.mark.parametrize("path", ["/bulk", f"/events/bulk/{CLIENT_SIDE_ID}"])
def test_a_diagnostic_event_at_the_path_of_events_is_answered_400_with_a_note_only(trackside: Lab, path: str) -> None:
    assert send(trackside, INIT, path).status == 400

    [finding] = trackside.findings(notes=True)
    assert (finding.step.rule, finding.step.level) == ("launchdarkly.events.diagnostic-at-bulk", "note")
    assert trackside.launchdarkly.diagnostics() == []
