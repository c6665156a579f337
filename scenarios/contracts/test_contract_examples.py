"""Every payload under ``contracts/<vendor>/examples/<payload>/`` is looked at by being there."""

from __future__ import annotations

import pytest
from contract_examples import CONTRACTS, VERDICTS, every_contract, files, payloads

from trackside import catalog

CALLS = ("track", "identify", "page", "screen", "group", "alias")


@pytest.mark.parametrize("contract", every_contract())
def test_every_valid_example_keeps_its_contract(contract: str) -> None:
    refused = {
        name: [fault.text for fault in catalog.faults(contract, payload)]
        for name, payload in payloads(contract, "valid").items()
        if not catalog.validator(contract).is_valid(payload)
    }

    assert refused == {}


@pytest.mark.parametrize("contract", every_contract())
def test_every_invalid_example_breaks_its_contract_in_exactly_one_way(contract: str) -> None:
    told = {name: catalog.faults(contract, payload) for name, payload in payloads(contract, "invalid").items()}

    assert {name: [fault.text for fault in faults] for name, faults in told.items() if len(faults) != 1} == {}
    assert {fault.contract for faults in told.values() for fault in faults} == {contract}


@pytest.mark.parametrize("contract", every_contract())
def test_every_contract_has_examples_that_pass_and_examples_that_fail(contract: str) -> None:
    assert payloads(contract, "valid")
    assert payloads(contract, "invalid")


@pytest.mark.rule(
    "segment.contract", "statsig.contract", "split.contract", "launchdarkly.contract", "ownlayer.contract"
)
def test_every_file_of_an_example_belongs_to_a_contract() -> None:
    known = {file for name in catalog.names() for verdict in VERDICTS for file in files(name, verdict)}

    assert {file for file in CONTRACTS.glob("*/examples/**/*") if file.is_file()} - known == set()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.rule("segment.contract")
def test_a_call_is_judged_the_same_alone_by_its_type_and_in_a_batch(call: str) -> None:
    contract = f"segment/{call}"
    for name, payload in {**payloads(contract, "valid"), **payloads(contract, "invalid")}.items():
        if not isinstance(payload, dict) or payload.get("type", call) != call:
            continue
        typed = {**payload, "type": call}
        verdict = catalog.validator(contract).is_valid(payload)

        assert catalog.validator("segment/call").is_valid(typed) is verdict, name
        assert catalog.validator("segment/batch").is_valid({"batch": [typed]}) is verdict, name


@pytest.mark.rule("segment.contract")
def test_a_batch_holds_2500_calls_and_not_one_more() -> None:
    call = {"type": "track", "userId": "u-1", "event": "Order Completed"}

    assert catalog.validator("segment/batch").is_valid({"batch": [call] * 2500})
    [fault] = catalog.faults("segment/batch", {"batch": [call] * 2501})

    assert fault.what == "batch has 2,501 items"
    assert fault.at == "$.batch"
