"""``--contract FILE``: a JSON Schema of the user's own; one that cannot be used is told with its place, and all else is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trackside.errors import TracksideError
from trackside.validation.schemas import read_schema

TRACK = {"type": "track", "event": "A", "userId": "u-1"}
DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(schema: Any, name: str = "order.json") -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema, indent=2), encoding="utf-8")
    return name


def refusal(schema: Any) -> TracksideError:
    with pytest.raises(TracksideError) as caught:
        read_schema(write(schema))
    return caught.value


# ---- one that can be used


@pytest.mark.parametrize(
    "draft",
    [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        DRAFT,
        None,
    ],
)
def test_payloads_are_held_against_it_whatever_its_draft(validate, draft: str | None) -> None:
    write({**({"$schema": draft} if draft else {}), "type": "object", "required": ["order_id"]})
    result = validate("events.ndjson", "--contract", "order.json", events='{"order_id": 1}\n{"type": "track"}')
    assert result.exit_code == 1
    assert "events.ndjson:2:1: strict order.json.required" in result.output
    assert "1 strict finding," in result.output
    assert "2 order.json, as --contract" in result.output


def test_it_may_refer_to_files_beside_it(validate) -> None:
    write({"$defs": {"id": {"type": "string"}}}, "sub/ids.json")
    write({"properties": {"id": {"$ref": "sub/ids.json#/$defs/id"}}})
    result = validate("events.ndjson", "--contract", "order.json", events='{"id": 1}\n')
    assert "strict order.json.type" in result.output


def test_an_address_below_that_of_its_id_is_a_file_beside_it() -> None:
    write({"type": "string"}, "sub/id.json")
    root = {"$id": "https://example.com/schemas/order.json", "properties": {"id": {"$ref": "sub/id.json"}}}
    contract = read_schema(write(root))
    assert not contract.is_valid({"id": 1})
    assert contract.is_valid({"id": "1"})


def test_an_array_is_held_against_a_schema_of_arrays_as_a_whole(validate) -> None:
    write({"type": "array", "maxItems": 1})
    Path("two.json").write_text('[{"a": 1},\n{"a": 2}]')
    result = validate("two.json", "--contract", "order.json")
    assert "two.json:1:1: strict order.json.maxItems" in result.output
    assert "1 payload in 1 file" in result.output


@pytest.mark.parametrize(("schema", "code"), [(True, 0), (False, 1), ({}, 0)])
def test_a_schema_may_be_as_short_as_a_word(validate, schema: Any, code: int) -> None:
    write(schema)
    assert validate("events.ndjson", "--contract", "order.json", events='{"a": 1}\n').exit_code == code


# ---- one that cannot


@pytest.mark.parametrize(
    ("schema", "where", "what"),
    [
        ('{\n  "type": strin\n}', "order.json:2:11", "the schema is not JSON: unexpected character"),
        ({"properties": {"a": {"type": "strin"}}}, "order.json:4:7", 'no JSON Schema: "strin" is not valid'),
        ({"properties": {"a": {"pattern": "("}}}, "order.json:4:7", '"(" is not a "regex"'),
        ({"type": "object", "required": "a"}, "order.json:3:3", '"a" is not of type "array"'),
        ([1], "order.json:1:1", 'is not of types "boolean", "object"'),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, "order.json:2:3", "$schema names no draft"),
        ({"$schema": "https://example.com/own"}, "order.json:2:3", "$schema names no draft that is known, https://exa"),
        ({"properties": {"a": {"$ref": "#/$defs/x"}}}, "order.json:4:7", "$ref leads to nothing, #/$defs/x"),
        ({"allOf": [{}, {"$ref": "#none"}]}, "order.json:5:7", "$ref leads to nothing, #none"),
        ({"$ref": "ids.json"}, "order.json:2:3", "names ids.json, which cannot be read: there is no file"),
        ({"a": 1, "$ref": "broken.json#/x"}, "order.json:3:3", "broken.json:2:1 is not JSON"),
        ({"items": {"$ref": "whole.json#/x"}}, "order.json:3:5", "$ref leads to nothing, whole.json#/x"),
        ({"$ref": "https://example.com/x.json"}, "order.json:2:3", "it is no file, and nothing is fetched"),
        ({"$ref": "//example.com/x.json"}, "order.json:2:3", "cannot be read"),
        ({"$ref": "urn:example:x"}, "order.json:2:3", "nothing is fetched"),
        ({"$ref": "http://127.0.0.1:1/x.json"}, "order.json:2:3", "nothing is fetched"),
    ],
)
def test_what_is_wrong_with_a_schema_is_told_with_its_place(schema: Any, where: str, what: str) -> None:
    write("{}", "whole.json")
    write('{"a":\n', "broken.json")
    error = refusal(schema)
    assert what in error.what
    assert error.where == where
    assert error.fix


def test_no_reference_is_ever_fetched(monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.socket.connect", refuse)
    for ref in ("http://127.0.0.1:9/x.json", "https://example.com/x.json", "ftp://example.com/x", "//example.com/x"):
        assert "cannot be read" in refusal({"$ref": ref}).what


@pytest.mark.parametrize("name", ["segment/trak", "nothing.json", ".", "a\0b", "x" * 5_000])
def test_a_name_that_is_neither_contract_nor_file_is_told(name: str) -> None:
    with pytest.raises(TracksideError) as caught:
        read_schema(name)
    assert caught.value.what == "there is no such contract, and no file with a schema"
    assert ("segment/track" in caught.value.fix) == (name == "segment/trak")


def test_the_other_checks_are_made_all_the_same(validate) -> None:
    write({"$ref": "https://example.com/x.json"})
    events = "\n".join(map(json.dumps, (TRACK, {"type": "track", "event": "A", "userId": 5})))
    result = validate("events.ndjson", "--contract", "order.json", events=events)
    assert result.exit_code == 2
    assert "events.ndjson:2:33: strict segment/track.type" in result.output
    assert "nothing is fetched. order.json:2:3. put the file beside the schema" in result.stderr
