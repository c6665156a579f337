"""What SDKs tell of themselves: taken, checked, and not kept."""

from __future__ import annotations

from typing import Any

import pytest

WORKSPACE = {"split": {"environments": {"production": {"sdk_key": "sdk-local"}}}}
CONFIG = {"oM": 0, "st": "memory", "sE": True, "rR": {"sp": 60}, "uO": {"s": True}, "iM": 0, "hP": False, "t": []}
USAGE = {"lS": {"sp": 1735787045000}, "mL": {"t": [1, *[0] * 22]}, "hE": {"sp": {"500": 1}}, "iQ": 1, "sE": [], "t": []}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.mark.rule("split.telemetry", "split.posts.status")
@pytest.mark.parametrize(("path", "body"), [("config", CONFIG), ("usage", USAGE)])
@pytest.mark.parametrize("base", ["/api/v1", "/v1"])
def test_telemetry_is_answered_200_and_leaves_no_record(
    base: str, path: str, body: Any, trackside: Any, post: Any, found: Any
) -> None:
    answer = post(f"{base}/metrics/{path}", body)

    assert (answer.status, answer.data) == (200, b"")
    assert list(trackside.kept("split")) == []
    assert found() == []


@pytest.mark.rule("split.telemetry", "split.contract")
def test_telemetry_that_breaks_its_contract_is_a_finding(post: Any, found: Any) -> None:
    assert post("/api/v1/metrics/config", {**CONFIG, "rR": {"sp": "60"}}).status == 200
    assert found() == [("split.contract", "error", "$.rR.sp")]


@pytest.mark.rule("split.sdk.key")
def test_telemetry_with_an_unknown_key_is_refused(post: Any) -> None:
    assert post("/api/v1/metrics/config", CONFIG, key="sdk-of-nobody").status == 401


@pytest.mark.rule("split.telemetry.old")
@pytest.mark.parametrize("path", ["times", "time", "counters", "counter", "gauge"])
def test_the_metrics_of_old_sdks_are_taken_and_dropped(path: str, trackside: Any, post: Any, found: Any) -> None:
    answer = post(f"/api/metrics/{path}", [{"name": "sdk.getTreatment", "latencies": [1]}])

    assert answer.status == 200
    assert (list(trackside.kept("split")), found()) == ([], [])
