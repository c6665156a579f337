"""``trackside flags``: the flags of a running lab, listed and changed."""

from __future__ import annotations

from typing import Any

import click

from trackside.cli.control import ADMIN
from trackside.cli.output import JSON_HELP, out, out_json, out_table, printable
from trackside.errors import TracksideError

_ADMIN = click.option("--admin", default=ADMIN, show_default=True, metavar="URL", help="The lab's control API.")
_TOKEN = click.option(
    "--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback."
)
_JSON = click.option("--json", "as_json", is_flag=True, help=JSON_HELP)


@click.group("flags")
def command() -> None:
    """List and change the flags of a running lab; connected SDKs see a change the vendor's way."""


@command.command("list")
@click.option("--vendor", help="Only those of launchdarkly, split or statsig.")
@_ADMIN
@_TOKEN
@_JSON
def list_flags(vendor: str | None, admin: str, admin_token: str, *, as_json: bool) -> None:
    """List every flag, gate, dynamic config, experiment and layer with what it serves."""
    from urllib.parse import urlencode

    from trackside.cli.control import Control

    rows = Control(admin, admin_token).ask("GET", "/flags" + (f"?{urlencode({'vendor': vendor})}" if vendor else ""))
    if as_json:
        out_json(rows)
    else:
        columns = ("vendor", "kind", "name", "environment", "on", "serves")
        out_table(columns, [[_shown(row[column]) for column in columns] for row in rows])


@command.command("set")
@click.argument("vendor")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--on/--off", "on", default=None, help="Turn it on or off.")
@click.option("--environment", default="", help="Where; the first one by default.")
@click.option(
    "--kind", default="", help="Of Statsig: gate, dynamic_config, experiment, layer, id_list.  [default: what NAME is]"
)
@_ADMIN
@_TOKEN
@_JSON
def set_flag(
    vendor: str,
    name: str,
    value: str | None,
    *,
    on: bool | None,
    environment: str,
    kind: str,
    admin: str,
    admin_token: str,
    as_json: bool,
) -> None:
    """Let flag NAME of VENDOR serve VALUE to everyone.

    VALUE is JSON where it can be read as such (true, 42, {"control": 50, "blue": 50} for percentages), else text. A flag
    that does not exist is made.
    """
    from trackside.cli.control import Control

    body: dict[str, Any] = {}
    if value is not None:
        body["serve"] = _value(value)
    if on is not None:
        body["on"] = on
    body |= {key: text for key, text in (("environment", environment), ("kind", kind)) if text}
    if value is None and on is None:
        raise TracksideError(
            "flags set wants a value, or --on or --off", "flags set", f"trackside flags set {vendor} {name} true"
        )
    row = Control(admin, admin_token).ask("POST", f"/flags/{_in_path(vendor)}/{_in_path(name)}", body)
    if as_json:
        out_json(row)
    else:
        where = f" in {printable(row['environment'])}" if row["environment"] else ""
        out(f"{row['vendor']} {row['kind']} {printable(row['name'])}{where} serves {printable(_shown(row['serves']))}")


def _in_path(text: str) -> str:
    from urllib.parse import quote

    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise TracksideError("a name is not UTF-8", "flags set", "write it in UTF-8") from error


def _value(text: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _shown(value: Any) -> str:
    import orjson

    return value if isinstance(value, str) else orjson.dumps(value).decode()
