"""``trackside rules``: every behaviour that trackside follows, with its source."""

from __future__ import annotations

import click

from trackside.cli.output import JSON_HELP, out, out_json, out_table
from trackside.errors import TracksideError


@click.group("rules", invoke_without_command=True)
@click.option("--vendor", help="Only the rules of one vendor, such as statsig.")
@click.option("--confidence", type=click.Choice(["documented", "observed", "assumed"]), help="Only rules this sure.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
@click.pass_context
def command(ctx: click.Context, vendor: str | None, confidence: str | None, as_json: bool) -> None:
    """List the rules: what each vendor does, the source that says so, and how sure that is."""
    if ctx.invoked_subcommand is not None:
        return
    from trackside.rules import RULES

    rules = [
        rule
        for rule in RULES.values()
        if vendor in (None, rule.vendor) and confidence in (None, rule.confidence)
    ]  # fmt: skip
    known = sorted({rule.vendor for rule in RULES.values()})
    if vendor is not None and vendor not in known:
        raise TracksideError(f"no rule is {vendor!r}'s", "--vendor", f"use one of: {', '.join(known)}")
    if as_json:
        out_json([rule.as_json() for rule in rules])
    else:
        out_table(("rule", "confidence", "text"), [(rule.id, rule.confidence, rule.text) for rule in rules])


@command.command("show")
@click.argument("code", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def show(code: str, as_json: bool) -> None:
    """Show one rule with its source, its setting and what else is said; or what a contract's code means.

    Such a code is the contract and a keyword, as in segment/track.required.
    """
    from trackside.codes import find

    shown = find(code).as_json()
    if as_json:
        out_json(shown)
        return
    held = shown.pop("held", [])
    for name, value in shown.items():
        out(f"{name + ':':<12} {value}")
    if held:
        out()
        out_table(("asked", "where"), [(one["asks"], ", ".join(one["at"])) for one in held])
