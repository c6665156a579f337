"""What SDKs report of their own exceptions."""

from __future__ import annotations

from typing import Any

import pytest

PYTHON = {
    "exception": "KeyError",
    "info": "Traceback (most recent call last): …",
    "statsigMetadata": {"sdkType": "py-server", "sdkVersion": "0.72.1"},
    "tag": "check_gate",
    "extra": {"configName": "new_checkout"},
    "statsigOptions": {},
}
JS = {
    "tag": "initializeAsync",
    "exception": "TypeError",
    "info": "TypeError: x is not a function",
    "statsigOptions": {},
    "sdkType": "javascript-client",
    "sdkVersion": "3.33.5",
}

pytestmark = pytest.mark.trackside(workspace={"statsig": {"server_secret": "secret-local"}})


@pytest.mark.rule("statsig.events.sdk-exception", "statsig.contract")
@pytest.mark.parametrize(("body", "sdk"), [(PYTHON, "py-server 0.72.1"), (JS, "javascript-client 3.33.5")])
def test_an_exception_of_an_sdk_makes_a_note_and_no_event(trackside: Any, call: Any, body: Any, sdk: str) -> None:
    kind, version = sdk.split()
    answer = call("/v1/sdk_exception", body, statsig_sdk_type=kind, statsig_sdk_version=version)
    assert answer.status == 202
    [finding] = trackside.findings(notes=True)
    assert (finding.step.rule, finding.step.level) == ("statsig.events.sdk-exception", "note")
    assert finding.step.text == f'{sdk} reports an exception of its own in {body["tag"]}: "{body["exception"]}"'
    assert trackside.statsig.events() == []


@pytest.mark.rule("statsig.events.sdk-exception", "statsig.contract")
def test_a_report_that_breaks_its_contract_is_an_error(trackside: Any, call: Any) -> None:
    call("/v1/sdk_exception", {**PYTHON, "info": 1})
    assert [finding.step.at for finding in trackside.findings()] == ["$.info"]


@pytest.mark.rule("statsig.events.body")
def test_a_report_that_is_no_object_is_refused(call: Any) -> None:
    assert call("/v1/sdk_exception", b"[]").status == 400
