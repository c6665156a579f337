"""An audience of Segment Engage turns a gate of Statsig on for its members, in Statsig's published SDKs that are running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver

from trackside import Lab

WORKSPACE: dict[str, Any] = {
    "segment": {
        "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
        "audiences": {"big_spenders": {"destinations": ["statsig"]}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "gates": {"vip": {"if": {"passes_segment": "big_spenders"}}},
        "id_lists": {"big_spenders": []},
    },
}
DRIVERS = {"statsig": "py_statsig.py", "statsig-python-core": "py_statsig_python_core.py"}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.mark.rule("statsig.in.audience", "segment.audiences", "statsig.sdk.id-lists.file")
@pytest.mark.parametrize("package", DRIVERS)
def test_an_audience_turns_a_gate_on_for_its_members(
    trackside: Lab, driver: Callable[..., Driver], package: str
) -> None:
    sdk = driver(DRIVERS[package])
    assert sdk.ask("start", key="secret-local", options=trackside.statsig.options(package))["ready"]

    def gate(user: str, until: bool) -> Any:
        return sdk.ask("wait", kind="gate", flag="vip", user=user, default=None, until=until, seconds=8)

    assert gate("u-1", until=False) is False

    audience = trackside.segment.audience("big_spenders").add("u-1")
    assert gate("u-1", until=True) is True
    assert gate("u-2", until=False) is False

    audience.remove("u-1")
    assert gate("u-1", until=False) is False
    assert trackside.errors == []
    assert list(trackside.findings()) == []
