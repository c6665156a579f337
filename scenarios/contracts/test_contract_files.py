"""What every contract file promises to its readers, whatever it describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract_examples import every_contract
from jsonschema import Draft202012Validator

from trackside import catalog

CONTRACTS = [name for name in catalog.names() if not name.startswith("trackside/")]
CALLS = ("track", "identify", "page", "screen", "group", "alias")
SHARED = ("id", "identity", "timestamp", "messageId", "integrations", "context", "name", "category", "traits")

pytestmark = pytest.mark.rule(
    "segment.contract", "statsig.contract", "split.contract", "launchdarkly.contract", "ownlayer.contract"
)


def subschemas(schema: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema object inside a contract that describes values, with its place."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for keyword in ("items", "additionalProperties", "then", "else"):
        yield from subschemas(schema.get(keyword), f"{place}/{keyword}")
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from subschemas(part, f"{place}/{keyword}/{name}")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_names_its_payload_and_its_source(contract: str) -> None:
    schema = catalog.load(contract)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"].endswith(".")
    assert sorted(schema["x-source"]) == ["address", "confidence", "read", "title"]
    assert schema["x-source"]["confidence"] in ("documented", "observed", "assumed")


@pytest.mark.parametrize("contract", every_contract())
def test_a_contract_is_a_schema_by_the_metaschema_of_its_draft(contract: str) -> None:
    Draft202012Validator.check_schema(catalog.load(contract))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_field_says_what_it_is_for(contract: str) -> None:
    schema = catalog.load(contract)
    shared = schema.get("$defs", {})

    for place, part in subschemas(schema):
        for name, field in part.get("properties", {}).items():
            described = {**shared.get(field.get("$ref", "").removeprefix("#/$defs/"), {}), **field}
            assert described.get("description") or "/then" in place, f"{place}/properties/{name}"


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_object_says_whether_unknown_fields_pass(contract: str) -> None:
    for place, part in subschemas(catalog.load(contract)):
        if "object" in part.get("type", ()) and "$ref" not in part:
            told = "additionalProperties" in part or "unevaluatedProperties" in part
            assert told, place


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_contract_needs_no_other_file(contract: str) -> None:
    text = catalog.folder().joinpath(f"{contract}.schema.json").read_text()

    assert "$id" not in text
    assert text.count('"$ref"') == text.count('"$ref": "#/$defs/')


@pytest.mark.parametrize("name", SHARED)
def test_what_several_contracts_share_reads_the_same_in_each(name: str) -> None:
    parts = [part for contract in CONTRACTS if (part := catalog.load(contract).get("$defs", {}).get(name))]

    assert len(parts) > 1
    assert all(part == parts[0] for part in parts)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_has_the_same_fields_alone_and_by_its_type(call: str) -> None:
    alone, typed = catalog.load(f"segment/{call}"), catalog.load("segment/call")

    own = typed["$defs"][call]
    assert alone.get("required", []) == own.get("required", [])
    fields = {**typed["properties"], **own["properties"], "type": alone["properties"]["type"]}
    assert alone["properties"] == fields
