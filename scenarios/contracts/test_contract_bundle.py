"""The bundle: every contract in one document, each with the verdicts of its own file."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
import pytest
import referencing
from contract_examples import CONTRACTS, every_contract, payloads
from jsonschema.protocols import Validator

from trackside import catalog
from trackside.contract_bundle import bundle, identifier
from trackside.errors import TracksideError

ALL = "urn:trackside:contracts"

segment = pytest.mark.rule("segment.contract")


@cache
def whole() -> dict[str, Any]:
    """Return the bundle of all contracts, as read from a file."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(bundle(catalog.names())))
    return read


@cache
def registry_of_jsonschema() -> referencing.Registry[Any]:
    return referencing.Registry().with_resource(ALL, referencing.Resource.from_contents(whole())).crawl()


@cache
def registry_of_jsonschema_rs() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(ALL, whole())])


def by_jsonschema(contract: str) -> Validator:
    return jsonschema.Draft202012Validator({"$ref": identifier(contract)}, registry=registry_of_jsonschema())


def by_jsonschema_rs(contract: str) -> Any:
    return jsonschema_rs.Draft202012Validator({"$ref": identifier(contract)}, registry=registry_of_jsonschema_rs())


@pytest.mark.parametrize("judge", [by_jsonschema, by_jsonschema_rs])
@pytest.mark.parametrize("contract", every_contract())
def test_a_contract_has_the_same_verdicts_in_the_bundle(contract: str, judge: Any) -> None:
    accepted = judge(contract).is_valid

    assert [name for name, payload in payloads(contract, "valid").items() if not accepted(payload)] == []
    assert [name for name, payload in payloads(contract, "invalid").items() if accepted(payload)] == []


@segment
def test_a_contract_is_found_by_its_id_where_the_bundle_refers_to_it() -> None:
    accepted = jsonschema_rs.Draft202012Validator({**whole(), "$ref": "urn:trackside:segment:track"}).is_valid

    assert accepted({"userId": "u-1", "event": "Order Completed"})
    assert not accepted({"userId": "", "event": "Order Completed"})


@segment
def test_the_bundle_has_each_contract_under_its_name_as_it_stands_in_its_file() -> None:
    for name, embedded in whole()["$defs"].items():
        schema = orjson.loads((CONTRACTS / f"{name}.schema.json").read_bytes())

        assert {**schema, "$id": identifier(name)} == embedded


@segment
def test_the_bundle_chooses_none_of_its_contracts() -> None:
    assert list(whole()) == ["$schema", "$id", "title", "description", "$defs"]
    assert list(whole()["$defs"]) == catalog.names()


@segment
def test_a_bundle_of_a_name_that_is_none_is_told() -> None:
    with pytest.raises(TracksideError, match="no contract 'segment/tracks'"):
        bundle(["segment/tracks"])
