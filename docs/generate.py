"""Writes the generated pages of this folder; ``--check`` only says whether they are up to date (exit code 1 if not).

Run it as ``python docs/generate.py``. With ``--matrix FILE`` it also takes ``sdk-matrix.json`` from what a run of the
scenarios wrote to FILE, or with ``--check`` says whether that run saw the same as the one before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import contract_pages

from trackside import Lab, admin, catalog
from trackside.cli import group
from trackside.lab import VENDORS
from trackside.markdown import cell
from trackside.rules import RULES, Rule
from trackside.sdks import key_for, sdk_named
from trackside.server import ADMIN_PORT

DOCS = Path(__file__).parent
TITLES = {name: vendor.title for name, vendor in VENDORS.items()}


def _by_vendor() -> Iterator[tuple[str, list[Rule]]]:
    for vendor in dict.fromkeys([*TITLES, *(rule.vendor for rule in RULES.values())]):
        yield TITLES.get(vendor, vendor), [rule for rule in RULES.values() if rule.vendor == vendor]


def rules_page() -> str:
    """Return the page of everything that is emulated."""
    lines = [
        "# What is emulated: the rules",
        "",
        "Each rule is one behaviour, with the page or package it was taken from.",
        "`documented`: a vendor's page says so.",
        "`observed`: seen by running or reading the vendor's published code.",
        "`assumed`: no public page says, see [contradictions and assumptions](contradictions.md).",
    ]
    for title, rules in _by_vendor():
        lines += ["", f"## {title}", "", "| id | behaviour | confidence | source |", "|---|---|---|---|"]
        lines += [
            f'| <a id="{rule.id}"></a>`{rule.id}` | {cell(rule.text)} | {rule.confidence} | {cell(rule.origin)} |'
            for rule in rules
        ]
    return "\n".join(lines) + "\n"


def contradictions_page() -> str:
    """Return the page of what was assumed, or is told differently elsewhere."""
    lines = [
        "# Contradictions and assumptions",
        "",
        "Where the vendors' pages are silent or disagree, trackside takes one reading and says so.",
        "A setting in the workspace file switches the ones that a project may need the other way.",
    ]
    for title, rules in _by_vendor():
        lines += ["", f"## {title}", "", "| rule | what trackside does | what else is said, or not | setting |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| `{rule.id}` ({rule.confidence}) | {cell(rule.text)} | {cell(rule.otherwise) or 'No public page says.'} | "
            f"{f'`{rule.setting}`' if rule.setting else ''} |"
            for rule in rules
            if rule.confidence == "assumed" or rule.otherwise
        ]
    return "\n".join(lines) + "\n"


def endpoints_page() -> str:
    """Return the list of ports and paths."""
    lines = ["# Ports and paths", "", "One port per vendor, as `trackside serve` has them by default."]
    for vendor in VENDORS.values():
        lines += ["", f"## {vendor.title}, port {vendor.port}", "", "| method | path | what it does |", "|---|---|---|"]
        paths: dict[tuple[str, str], list[str]] = {}
        for route in vendor.routes:
            paths.setdefault((" ".join(route.methods), _first_line(route.endpoint)), []).append(f"`{route.path}`")
        lines += [f"| {methods} | {', '.join(same)} | {what} |" for (methods, what), same in paths.items()]
    lines += ["", f"## admin, port {ADMIN_PORT}", "", _paragraph(admin.__doc__ or ""), ""]
    lines += ["| method | path | what it does |", "|---|---|---|"]
    lines += [f"| {method} | `{path}` | {_first_line(function)} |" for path, (method, function) in admin.PATHS.items()]
    return "\n".join(lines) + "\n"


def _first_line(function: Callable[..., Any]) -> str:
    text = _paragraph(function.__doc__ or "")
    return cell(text)


def _paragraph(text: str) -> str:
    """Return the first paragraph that says something, in one line."""
    return " ".join(text.strip().split("\n\n")[0].split())


def workspace_page() -> str:
    """Return the reference of the workspace file."""
    schema = catalog.load("trackside/workspace")
    lines = [
        "# The workspace file",
        "",
        "YAML or JSON; what it leaves out has its default, and without a file the demo workspace is used.",
        "Editors complete it by `contracts/trackside/workspace.schema.json`.",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += _keys(schema, "", schema.get("$defs", {}))
    return "\n".join(lines) + "\n"


def _keys(schema: dict[str, Any], path: str, defs: dict[str, Any]) -> list[str]:
    rows = []
    for name, raw in schema.get("properties", {}).items():
        inner = _resolved(raw, defs)
        at = f"{path}.{name}" if path else name
        default = inner.get("default")
        shown = f"`{_yaml(default)}`" if default is not None and default != "" else ""
        rows.append(f"| `{at}` | {_type(inner, defs)} | {shown} | {cell(inner.get('description', ''))} |")
        rows += _keys(inner, at, defs)
        more = _resolved(inner.get("additionalProperties", {}), defs)
        rows += _keys(more, f"{at}.<name>", defs) if isinstance(more, dict) else []
        items = _resolved(inner.get("items", {}), defs)
        rows += _keys(items, f"{at}[]", defs) if isinstance(items, dict) else []
    return rows


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resolved(schema: Any, defs: dict[str, Any]) -> Any:
    if isinstance(schema, dict) and "$ref" in schema:
        target = defs[schema["$ref"].rpartition("/")[2]]
        return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _type(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(_resolved(one, defs), defs) for one in schema["anyOf"])
    kind = schema.get("type", "any")
    return kind if isinstance(kind, str) else " or ".join(kind)


def cli_page() -> str:
    """Return the commands' own help."""
    lines = ["# The command line", "", "Exit codes: 0 fine, 1 findings, 2 wrong use."]
    context = click.Context(group, info_name="trackside")
    for name in group.list_commands(context):
        command = _command(group, context, name)
        inner = click.Context(command, info_name=name, parent=context, max_content_width=110, terminal_width=110)
        lines += ["", f"## trackside {name}", "", "```text", command.get_help(inner), "```"]
        if isinstance(command, click.Group):
            for sub in command.list_commands(inner):
                child = _command(command, inner, sub)
                deeper = click.Context(child, info_name=sub, parent=inner, max_content_width=110, terminal_width=110)
                lines += ["", f"### trackside {name} {sub}", "", "```text", child.get_help(deeper), "```"]
    return "\n".join(lines) + "\n"


def _command(parent: click.Group, context: click.Context, name: str) -> click.Command:
    found = parent.get_command(context, name)
    if found is None:
        raise LookupError(f"{name} is listed and cannot be found")
    return found


MATRIX = DOCS / "sdk-matrix.json"
CAPABILITIES = (
    "ready",
    "declared value",
    "live change",
    "event kept",
    "evaluation kept",
    "no finding",
    "wrong key refused",
)
"""What an SDK is shown to do, in the order of the page."""


def matrix_of(lines: Iterable[str]) -> str:
    """Return the matrix that a run of the scenarios makes, as it is committed: JSON, one entry for an SDK in a mode."""
    entries: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        seen = json.loads(line)
        capability = seen.pop("capability")
        passed = entries.setdefault(
            (seen["vendor"], seen["registry"], seen["package"], seen["mode"]), {**seen, "passed": []}
        )
        passed["passed"] = sorted({*passed["passed"], capability}, key=CAPABILITIES.index)
    order = {name: number for number, name in enumerate(VENDORS)}
    found = sorted(entries.items(), key=lambda entry: (order[entry[0][0]], entry[0][1] != "PyPI", *entry[0][2:]))
    return json.dumps([entry for _, entry in found], indent=1) + "\n"


def sdk_matrix_page() -> str:
    """Return the page of the published SDKs that were driven, and how each is pointed here."""
    entries = json.loads(MATRIX.read_text(encoding="utf-8")) if MATRIX.exists() else []
    lines = [
        "# The published SDKs, and what each was seen to do",
        "",
        "Each line is a run of a published package, unmodified, against trackside over real sockets.",
        "It is what the scenarios in `scenarios/sdk/` saw pass, and `.ci/run` fails when a run sees anything else.",
        "An empty cell was not asked of that run.",
        "",
        "- **streaming**, **polling**: how the SDK learns of a change; **fetching**: it learns when the application has it fetch again",
        "- **ready**: the SDK itself says that it is initialized",
        "- **declared value**: it evaluates a flag to what the workspace says",
        '- **live change**: it gives the new value after a line in a test, such as `trackside.launchdarkly.flag("banner").serve("green")`',
        "- **event kept**: a custom event with a value was tracked and flushed, and is among the vendor's records",
        "- **evaluation kept**: what it reports of its evaluations is kept: LaunchDarkly's summary, Statsig's exposure, Split's impression",
        "- **no finding**: not one unknown path was asked for, no request broke its contract, and no other host was looked up",
        "- **wrong key refused**: with a key of nobody it does not become ready",
    ]
    for vendor, title in TITLES.items():
        if mine := [entry for entry in entries if entry["vendor"] == vendor]:
            lines += ["", f"## {title}", "", *_matrix_table(mine), *_matrix_options(vendor, mine)]
    return "\n".join(lines) + "\n"


def _matrix_table(entries: list[dict[str, Any]]) -> list[str]:
    rows = [f"| SDK | from | version | mode | {' | '.join(CAPABILITIES)} |", "|---" * (4 + len(CAPABILITIES)) + "|"]
    for entry in entries:
        marks = " | ".join("yes" if capability in entry["passed"] else "" for capability in CAPABILITIES)
        rows.append(f"| `{entry['package']}` | {entry['registry']} | {entry['version']} | {entry['mode']} | {marks} |")
    notes = dict.fromkeys(f"- `{entry['package']}`: {entry['note']}" for entry in entries if entry["note"])
    return [*rows, "", *notes] if notes else rows


def _matrix_options(vendor: str, entries: list[dict[str, Any]]) -> list[str]:
    """Return the options that the runs used, but with the port that ``trackside serve`` has and the keys of the demo."""
    url, keys, lines = f"http://127.0.0.1:{VENDORS[vendor].port}", Lab().mocks[vendor].keys, []
    for name in dict.fromkeys(f"{entry['registry']}:{entry['package']}" for entry in entries):
        sdk = sdk_named(VENDORS[vendor].sdks, name)
        key = key_for(keys, sdk.key)
        options = json.dumps(dict(sdk.options(url, key)), indent=2)
        call = sdk.call.replace("{key}", key)
        lines += ["", f"`{sdk.package}`, as `{call}`:", "", "```json", options, "```"]
    return lines


PAGES: dict[str, Callable[[], str]] = {
    "rules.md": rules_page,
    "contradictions.md": contradictions_page,
    "contracts.md": contract_pages.index,
    "endpoints.md": endpoints_page,
    "workspace.md": workspace_page,
    "cli.md": cli_page,
    "sdk-matrix.md": sdk_matrix_page,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if something is not up to date"
    )
    parser.add_argument("--matrix", type=Path, metavar="FILE", help="what a run of scenarios/sdk/test_matrix.py wrote")
    return parser.parse_args()


def _differs(path: Path, text: str, *, check: bool) -> bool:
    """Return whether a file is not up to date, and mend it unless it is only to be checked."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return True


def _left_over(made: Iterable[str]) -> list[Path]:
    """Return the pages of contracts that are no more."""
    kept = {DOCS / name for name in made}
    return [path for path in sorted((DOCS / "contracts").rglob("*.md")) if path not in kept]


def main() -> int:
    """Write the pages, or check them; return the exit code."""
    asked = _arguments()
    made: dict[str, Callable[[], str]] = {**PAGES, **contract_pages.pages()}
    if asked.matrix:
        lines = asked.matrix.read_text(encoding="utf-8").splitlines()
        made = {MATRIX.name: lambda: matrix_of(lines), **made}
    left_over = _left_over(made)
    stale = [name for name, make in made.items() if _differs(DOCS / name, make(), check=asked.check)]
    stale += [path.relative_to(DOCS).as_posix() for path in left_over]
    if stale and asked.check:
        again = f"python docs/generate.py{f' --matrix {asked.matrix}' if asked.matrix else ''}"
        sys.stderr.write(f"stale pages: {', '.join(stale)}. docs/. Run: {again}\n")
        return 1
    for path in left_over:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
