"""``trackside contracts``: the JSON Schema of every payload, its fields, and what a payload breaks it by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trackside.cli.output import JSON_HELP, out, out_json, out_table
from trackside.errors import TracksideError

VENDOR_HELP = "Only the contracts of one vendor, such as statsig."


@click.group("contracts", invoke_without_command=True)
@click.option("--vendor", help=VENDOR_HELP)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_context
def command(ctx: click.Context, vendor: str | None, as_json: bool) -> None:
    """List the contracts: a JSON Schema for each payload that vendors and SDKs send, answer or export."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, vendor=vendor, as_json=as_json)


@command.command("list")
@click.option("--vendor", help=VENDOR_HELP)
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def list_(vendor: str | None, as_json: bool) -> None:
    """List the contracts, as trackside contracts alone does."""
    from trackside import catalog
    from trackside.codes import origin

    schemas = {name: catalog.load(name) for name in _named((), vendor)}
    if not as_json:
        out_table(("contract", "title", "vendor"), [(name, schemas[name]["title"], _vendor(name)) for name in schemas])
        return
    out_json(
        [
            {
                "name": name,
                "title": schema["title"],
                "vendor": _vendor(name),
                "source": origin(schema["x-source"]),
                "confidence": schema["x-source"]["confidence"],
            }
            for name, schema in schemas.items()
        ]
    )


@command.command("show")
@click.argument("name")
@click.option("--schema", is_flag=True, help="Write the JSON Schema itself.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def show(name: str, schema: bool, as_json: bool) -> None:
    """Show one contract: its source, its fields, and the codes of what a payload breaks it by."""
    from trackside import catalog

    [name] = _named((name,), None)
    if schema:
        out((catalog.folder() / f"{name}{catalog.SUFFIX}").read_text(encoding="utf-8").rstrip("\n"))
    elif as_json:
        out_json(_shown(name))
    else:
        _show(_shown(name))


@command.command("export")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--vendor", help=VENDOR_HELP)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="A file to write it to."
)
def export(names: tuple[str, ...], vendor: str | None, output: Path | None) -> None:
    """Write contracts as one JSON Schema document for other tools; without a name, all of them.

    Each stands in $defs under its name and has an $id, such as urn:trackside:segment:track, for a $ref.
    """
    import orjson

    from trackside.contract_bundle import bundle

    text = orjson.dumps(bundle(_named(names, vendor)), option=orjson.OPT_INDENT_2).decode()
    if output is None:
        out(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TracksideError(f"the file cannot be written: {error.strerror}", str(output), "name another") from error


def _vendor(name: str) -> str:
    return name.partition("/")[0]


def _named(names: tuple[str, ...], vendor: str | None) -> list[str]:
    """Return the names of contracts that are meant: the given ones, or all; of one vendor or of any."""
    from trackside import catalog

    known = catalog.names()
    vendors = list(dict.fromkeys(map(_vendor, known)))
    if vendor is not None and vendor not in vendors:
        raise TracksideError(f"no contract is {vendor!r}'s", "--vendor", f"use one of: {', '.join(vendors)}")
    for name in names:
        if name not in known:
            raise TracksideError(f"there is no contract {name!r}", "contracts", _near(name, known))
    return [name for name in dict.fromkeys(names or known) if vendor in (None, _vendor(name))]


def _near(name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"perhaps you mean {' or '.join(close)}" if close else "see trackside contracts for all of them"


def _shown(name: str) -> dict[str, Any]:
    """Return what is shown of a contract."""
    from dataclasses import asdict

    from trackside import catalog
    from trackside.codes import codes_of, origin
    from trackside.contract_fields import fields_of, unknown_fields

    schema = catalog.load(name)
    return {
        "name": name,
        "title": schema["title"],
        "description": schema["description"],
        "source": origin(schema["x-source"]),
        "confidence": schema["x-source"]["confidence"],
        "unknown_fields": unknown_fields(schema),
        "fields": [asdict(field) for field in fields_of(name)],
        "codes": [{"id": code.id, "text": code.text} for code in codes_of(name)],
    }


def _show(shown: dict[str, Any]) -> None:
    """Write a contract for people."""
    fields, codes = shown.pop("fields"), shown.pop("codes")
    for name, value in ((name, value) for name, value in shown.items() if value):
        out(f"{name.replace('_', ' ') + ':':<16}{value}")
    out()
    columns = ("at", "type", "required", "limits", "description")
    out_table(("field", *columns[1:]), [[field[column] for column in columns] for field in fields])
    out()
    out_table(("code", "meaning"), [(code["id"], code["text"]) for code in codes])
