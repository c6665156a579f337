"""Other validators reach the same verdicts on every example, as they come and without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from contract_examples import VERDICTS, every_contract, files, payloads

from trackside import catalog
from trackside.contract_bundle import bundle, identifier

HERE = Path(__file__).parent
MODULES = HERE.parent / "sdk" / "node_modules"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket can connect, no name can be looked up."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("a validator reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def told_by_check_jsonschema(schema: Path, *instances: Path) -> list[dict[str, str]]:
    """Return the errors that check-jsonschema tells; it is run in this process, as its command line would be."""
    from check_jsonschema import main

    told = CliRunner().invoke(main, ["-o", "json", "--schemafile", str(schema), *map(str, instances)])
    assert told.stdout, told.output
    answer = json.loads(told.stdout)
    assert not answer.get("parse_errors")
    errors: list[dict[str, str]] = answer.get("errors", [])
    return errors


@pytest.mark.parametrize("contract", every_contract())
def test_check_jsonschema_agrees_on_every_example(contract: str, offline: None) -> None:
    valid, invalid = files(contract, "valid"), files(contract, "invalid")
    schema = catalog.folder() / f"{contract}{catalog.SUFFIX}"

    refused = {error["filename"] for error in told_by_check_jsonschema(schema, *valid, *invalid)}

    assert sorted(refused) == sorted(map(str, invalid))


REFERRING = [one for one in every_contract() if "$defs" in catalog.load(one.values[0])]


@pytest.mark.parametrize("contract", REFERRING)
def test_check_jsonschema_agrees_where_a_contract_stands_in_a_bundle(
    contract: str, offline: None, tmp_path: Path
) -> None:
    """The examples are one array that the bundle describes too: ids are looked for once for each time it is entered."""
    valid, invalid = payloads(contract, "valid"), payloads(contract, "invalid")
    schema, instance = tmp_path / "bundle.json", tmp_path / "examples.json"
    asked = bundle([contract])
    asked["$defs"]["examples"] = {"$id": "urn:trackside:examples", "items": {"$ref": identifier(contract)}}
    schema.write_bytes(orjson.dumps({**asked, "$ref": "urn:trackside:examples"}))
    instance.write_bytes(orjson.dumps([*valid.values(), *invalid.values()]))

    paths = [re.match(r"\$\[(\d+)\]", error["path"]) for error in told_by_check_jsonschema(schema, instance)]

    refused = {int(path[1]) for path in paths if path}
    assert [name for index, name in enumerate([*valid, *invalid]) if index in refused] == list(invalid)


@pytest.fixture
def ajv() -> Callable[[list[Any]], list[Any]]:
    """Return what writes lines to a Node process with ajv in it, and reads its answers."""
    node = shutil.which("node")
    if node is None or not (MODULES / "ajv").is_dir():
        missing = pytest.fail if os.environ.get("TRACKSIDE_REQUIRE_NODE") == "1" else pytest.skip
        missing("node or the packages of scenarios/sdk are not there: npm ci --prefix scenarios/sdk")

    def ask(lines: list[Any]) -> list[Any]:
        done = subprocess.run(
            [str(node), str(HERE / "ajv_verdicts.cjs")],
            input=b"\n".join(map(orjson.dumps, lines)),
            env={**os.environ, "NODE_PATH": str(MODULES)},
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:].decode()
        return [orjson.loads(line) for line in done.stdout.splitlines()]

    return ask


@pytest.mark.node
@pytest.mark.rule("segment.contract")
def test_ajv_agrees_on_every_example_alone_and_in_the_bundle(ajv: Callable[[list[Any]], list[Any]]) -> None:
    """One process for all contracts: to start Node takes longer than to judge one contract's examples."""
    names = catalog.names()
    examples = {name: {verdict: payloads(name, verdict) for verdict in VERDICTS} for name in names}
    asked = [
        {
            "id": identifier(name),
            "schema": catalog.load(name),
            "payloads": {
                f"{verdict}/{file}": one for verdict in VERDICTS for file, one in examples[name][verdict].items()
            },
        }
        for name in names
    ]
    expected = {name: [f"valid/{file}" for file in examples[name]["valid"]] for name in names}

    answers = dict(zip(names, ajv([{"schema": bundle(names)}, *asked]), strict=True))

    assert {name: answer["alone"] for name, answer in answers.items()} == expected
    assert {name: answer["bundled"] for name, answer in answers.items()} == expected
