"""Every payload under ``contracts/<vendor>/examples/<payload>/`` is a test by being there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from trackside import catalog

if TYPE_CHECKING:
    from pathlib import Path

CALLS = ("track", "identify", "page", "screen", "group", "alias")


def examples(verdict: str, pattern: str = "*/examples/*") -> list[Any]:
    """Return a parameter for each example file: the contract's name and the file."""
    root = catalog.folder()
    return [parameter(file, root) for file in sorted(root.glob(f"{pattern}/{verdict}/*.json"))]


def parameter(file: Path, root: Path) -> Any:
    vendor, _, payload, _, _ = file.relative_to(root).parts
    marks = pytest.mark.rule(f"{vendor}.contract") if vendor != "trackside" else ()
    return pytest.param(f"{vendor}/{payload}", file, id=file.relative_to(root).as_posix(), marks=marks)


@pytest.mark.parametrize(("contract", "file"), examples("valid"))
def test_a_valid_example_keeps_its_contract(contract: str, file: Path) -> None:
    payload = orjson.loads(file.read_bytes())

    assert catalog.faults(contract, payload) == []
    assert catalog.validator(contract).is_valid(payload)


@pytest.mark.parametrize(("contract", "file"), examples("invalid"))
def test_an_invalid_example_breaks_its_contract_in_exactly_one_way(contract: str, file: Path) -> None:
    payload = orjson.loads(file.read_bytes())

    assert [fault.contract for fault in catalog.faults(contract, payload)] == [contract]
    assert not catalog.validator(contract).is_valid(payload)


@pytest.mark.rule(
    "segment.contract", "statsig.contract", "split.contract", "launchdarkly.contract", "ownlayer.contract"
)
@pytest.mark.parametrize("contract", [name for name in catalog.names() if not name.startswith("trackside/")])
def test_every_contract_has_examples_that_pass_and_examples_that_fail(contract: str) -> None:
    vendor, payload = contract.split("/")
    folder = catalog.folder() / vendor / "examples" / payload

    assert list(folder.glob("valid/*.json"))
    assert list(folder.glob("invalid/*.json"))


@pytest.mark.rule(
    "segment.contract", "statsig.contract", "split.contract", "launchdarkly.contract", "ownlayer.contract"
)
def test_every_example_belongs_to_a_contract() -> None:
    root = catalog.folder()
    named = {f"{file.parts[-5]}/{file.parts[-3]}" for file in root.glob("*/examples/*/*/*.json")}

    assert named <= set(catalog.names())


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.rule("segment.contract")
def test_a_call_is_judged_the_same_alone_by_its_type_and_in_a_batch(call: str) -> None:
    for parameter_set in [
        *examples("valid", f"segment/examples/{call}"),
        *examples("invalid", f"segment/examples/{call}"),
    ]:
        contract, file = parameter_set.values
        payload = orjson.loads(file.read_bytes())
        if not isinstance(payload, dict) or payload.get("type", call) != call:
            continue
        typed = {**payload, "type": call}
        verdict = catalog.validator(contract).is_valid(payload)

        assert catalog.validator("segment/call").is_valid(typed) is verdict, file.name
        assert catalog.validator("segment/batch").is_valid({"batch": [typed]}) is verdict, file.name


@pytest.mark.rule("segment.contract")
def test_a_batch_holds_2500_calls_and_not_one_more() -> None:
    call = {"type": "track", "userId": "u-1", "event": "Order Completed"}

    assert catalog.validator("segment/batch").is_valid({"batch": [call] * 2500})
    [fault] = catalog.faults("segment/batch", {"batch": [call] * 2501})

    assert fault.what == "batch has 2,501 items"
    assert fault.at == "$.batch"
