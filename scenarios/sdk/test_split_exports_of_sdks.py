"""Split's published SDKs evaluate, and what they post of it arrives at Segment as get_treatment calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver

from trackside import Lab, catalog
from trackside.sdks import sdk_named

WORKSPACE = {
    "segment": {"sources": {"fme": {"write_key": "wk_fme"}, "all": {"write_key": "wk_all"}}},
    "split": {
        "environments": {"production": {"sdk_key": "sdk-prod"}, "staging": {"sdk_key": "sdk-staging"}},
        "traffic_types": ["user", "anonymous"],
        "flags": {
            "banner": {"serve": "on"},
            "landing": {"serve": "blue", "treatments": ["blue", "plain"], "traffic_type": "anonymous"},
            "quiet": {"serve": "on", "track": False},
        },
        "segment_outbound": [
            {
                "environments": ["production"],
                "identities": {"user": "userId", "anonymous": "anonymousId"},
                "write_key": "wk_fme",
            },
            {
                "environments": ["production", "staging"],
                "identities": {"user": "userId", "anonymous": "anonymousId"},
                "write_key": "wk_all",
            },
        ],
    },
}
SDKS = {
    "py_splitio_client.py": ("PyPI:splitio_client", "python"),
    "node_splitio.cjs": ("npm:@splitsoftware/splitio", "nodejs"),
}

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]


@pytest.fixture
def evaluate(trackside: Lab, driver: Callable[..., Driver]) -> Callable[[str, str], None]:
    """Return what lets an SDK of an environment evaluate a flag of each sort, and end."""

    def run(script: str, environment: str) -> None:
        sdk = driver(script)
        row = sdk_named(trackside.split.vendor.sdks, SDKS[script][0])
        key = trackside.split.keys[environment]["sdk_key"]
        options = dict(row.options(trackside.split.url, key))
        assert sdk.ask("start", key=key, options=options, streaming=False, user="k-1")["ready"]
        for flag, treatment in (("banner", "on"), ("landing", "blue"), ("quiet", "on"), ("unknown", "control")):
            assert sdk.ask("evaluate", flag=flag, kind="flag", user="k-1", default="") == treatment
        # Closed before its threads run, the SDK for Python forgets what it has: the first post says that they do.
        trackside.split.expect_impression("landing", key="k-1", environment=environment)
        sdk.ask("close")

    return run


def calls(lab: Lab, source: str) -> list[Any]:
    """Return the calls that a source has, each held against its contract, by flag."""
    found = [one.call for one in lab.journeys() if one.exchange.intake.source == source]
    assert [catalog.faults("split/segment-track", call) for call in found] == [[] for _ in found]
    return sorted(found, key=lambda call: str(call["properties"]["split"]))


def who(lab: Lab, source: str) -> list[tuple[Any, ...]]:
    """Return the flag, treatment, environment and ids of each call of a source."""
    return [
        (
            *(call["properties"][name] for name in ("split", "treatment", "environmentName")),
            call.get("userId"),
            call.get("anonymousId"),
        )
        for call in calls(lab, source)
    ]


@pytest.mark.parametrize("script", list(SDKS))
@pytest.mark.rule("split.out.impressions", "split.out.identity-map", "split.out.properties")
def test_what_an_sdk_evaluates_is_a_get_treatment_call_at_segment(script: str, trackside: Lab, evaluate: Any) -> None:
    evaluate(script, "production")

    assert who(trackside, "fme") == [
        ("banner", "on", "production", "k-1", None),
        ("landing", "blue", "production", None, "k-1"),
    ]
    [banner, _] = calls(trackside, "fme")
    [impression] = trackside.split.impressions(flag="banner")
    assert (banner["properties"]["sdk"], banner["properties"]["label"]) == (SDKS[script][1], "default rule")
    assert (banner["properties"]["time"], banner["properties"]["splitVersionNumber"]) == (
        impression["time"],
        impression["splitVersionNumber"],
    )
    trackside.expect_no_findings()


@pytest.mark.rule("split.out.environments", "split.out.write-keys")
def test_each_environment_goes_to_the_sources_that_want_it(trackside: Lab, evaluate: Any) -> None:
    evaluate("py_splitio_client.py", "production")
    evaluate("node_splitio.cjs", "staging")

    assert [row[2] for row in who(trackside, "fme")] == ["production", "production"]
    assert sorted(row[:3] for row in who(trackside, "all")) == [
        ("banner", "on", "production"),
        ("banner", "on", "staging"),
        ("landing", "blue", "production"),
        ("landing", "blue", "staging"),
    ]
    assert {call["properties"]["sdk"] for call in calls(trackside, "all")} == {"python", "nodejs"}
    trackside.expect_no_findings()
