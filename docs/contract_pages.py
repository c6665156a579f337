"""The pages of the contracts: an index, and for each contract what it asks, with examples that keep and break it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from trackside import catalog
from trackside.codes import Code, codes_of, held_lines, origin
from trackside.contract_fields import fields_of, unknown_fields
from trackside.markdown import cell, code, prose, sentences

CONTRACTS = Path(__file__).parents[1] / "contracts"
UP = "../../../contracts"
LONGEST = 6_000
"""Characters of an example that a page shows, when there is one that is no longer."""


def index() -> str:
    """Return the list of contracts."""
    lines = [
        "# Contracts",
        "",
        "JSON Schema 2020-12, one file per payload, in `contracts/<vendor>/`; plain data, usable with any validator.",
        "Beside each stand examples that pass (`examples/<payload>/valid`) and examples that fail, each for one reason.",
        "Each has a page with its fields, and with every code that a payload can break it by.",
        "`trackside contracts` lists them, `trackside contracts export` writes them as one document for other tools.",
        "",
        "| contract | payload | unknown fields | source | confidence |",
        "|---|---|---|---|---|",
    ]
    for name in catalog.names():
        schema = catalog.load(name)
        lines.append(
            f"| [`{name}`](contracts/{name}.md) | {cell(schema['title'])}: {cell(schema['description'])} "
            f"| {unknown_fields(schema)} | {cell(origin(schema['x-source']))} | {schema['x-source']['confidence']} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[str, Callable[[], str]]:
    """Return what makes the page of each contract, by its path below ``docs/``."""
    return {f"contracts/{name}.md": partial(page, name) for name in catalog.names()}


def page(name: str) -> str:
    """Return the page of a contract."""
    return "\n".join(_page(name)) + "\n"


def _page(name: str) -> Iterator[str]:
    schema = catalog.load(name)
    vendor, payload = name.split("/")
    yield from (f"# {prose(schema['title'])}: {name}", "", *sentences(schema["description"]), "")
    yield f"- Source: {prose(origin(schema['x-source']))}"
    yield f"- Confidence: {schema['x-source']['confidence']}"
    if told := unknown_fields(schema):
        yield f"- Unknown fields: {told}"
    yield f"- Schema: [contracts/{name}.schema.json]({UP}/{name}.schema.json)"
    yield f"- Examples: [contracts/{vendor}/examples/{payload}]({UP}/{vendor}/examples/{payload})"
    yield from ("", "## Fields", "", "| field | type | required | limits | meaning |", "|---|---|---|---|---|")
    for one in fields_of(name):
        cells = (code(one.at), one.type, one.required, one.limits, one.description)
        yield f"| {' | '.join(map(cell, cells))} |"
    yield from ("", "## An example that keeps it", "", *_kept(name))
    yield from ("", "## Codes", "", "What a payload can break it by, with examples that do.")
    broken = _broken(name)
    for one in codes_of(name):
        yield from ("", f"### {one.id}", "", *sentences(one.text), "", *held_lines(one), *_example(one, broken))


def _kept(name: str) -> Iterator[str]:
    """Yield the longest valid example that is not too long for a page."""
    shown = [(json.dumps(payload, indent=2, ensure_ascii=False), file) for file, payload in _examples(name, "valid")]
    text, file = max((one for one in shown if len(one[0]) <= LONGEST), key=lambda one: len(one[0]), default=min(shown))
    yield from (f"{_link(file)}:", "", "```json", text, "```")


def _broken(name: str) -> dict[str, tuple[Path, catalog.Fault]]:
    """Return for each code an example that breaks the contract by it, the shortest, and its fault."""
    found: dict[str, tuple[Path, catalog.Fault]] = {}
    for file, payload in sorted(_examples(name, "invalid"), key=lambda one: (one[0].stat().st_size, one[0].name)):
        for fault in catalog.faults(name, payload):
            found.setdefault(fault.code, (file, fault))
    return found


def _example(one: Code, broken: dict[str, tuple[Path, catalog.Fault]]) -> Iterator[str]:
    if one.id in broken:
        file, fault = broken[one.id]
        yield from ("", f"{_link(file)}:", "", "```text", f"{fault.what}.", f"{fault.at}.", f"{fault.fix}.", "```")


def _examples(name: str, verdict: str) -> list[tuple[Path, Any]]:
    vendor, payload = name.split("/")
    files = sorted(CONTRACTS.glob(f"{vendor}/examples/{payload}/{verdict}/*.json"))
    return [(file, json.loads(file.read_bytes())) for file in files]


def _link(file: Path) -> str:
    return f"[{file.name}]({UP}/{file.relative_to(CONTRACTS).as_posix()})"
