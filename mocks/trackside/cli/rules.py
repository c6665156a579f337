"""``trackside rules``: every behaviour that trackside follows, with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trackside.cli.output import JSON_HELP, out, out_json, out_table
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.rules import Rule


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
@click.argument("rule_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def show(rule_id: str, as_json: bool) -> None:
    """Show one rule with its source, its setting and what else is said."""
    rule = _find(rule_id)
    if as_json:
        out_json(rule.as_json())
        return
    for name, value in rule.as_json().items():
        out(f"{name + ':':<12} {value}")


def _find(rule_id: str) -> Rule:
    from trackside.rules import RULES

    if rule_id in RULES:
        return RULES[rule_id]
    import difflib

    close = difflib.get_close_matches(rule_id, RULES, n=3, cutoff=0.5)
    fix = f"perhaps you mean {' or '.join(close)}" if close else "see trackside rules for all of them"
    raise TracksideError(f"there is no rule {rule_id!r}", "rules show", fix)
