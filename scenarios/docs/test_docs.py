"""Documentation that cannot lie: what there is has its place on a page, and what the pages show was run."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from trackside import Lab, admin, catalog, pytest_plugin
from trackside.cli import group
from trackside.codes import codes_of
from trackside.contract_fields import fields_of
from trackside.counting.conditions import ABOUT
from trackside.counting.handles import ExperimentHandle
from trackside.expect import ExpectationError
from trackside.lab import VENDORS
from trackside.markdown import cell, code
from trackside.matching import WORDS
from trackside.rules import RULES
from trackside.server import ADMIN_PORT
from trackside.split.mock import SplitMock
from trackside.vendor import Mock

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONTRACTS = sorted((DOCS / "contracts").glob("*/*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "contracts").glob("*.md"), *CONTRACTS])
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMANDS = group.list_commands(click.Context(group))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Return where a page links to; what looks like a link inside code is none."""
    return LINK.findall(re.sub(r"`+[^`]+`+", "", prose(path)))


@cache
def anchors(path: Path) -> set[str]:
    """Return what a link into a page can name: its headings, and the places that it marks itself."""
    text = prose(path)
    return {*map(slug, re.findall(r"^#+ (.+)$", text, re.MULTILINE)), *re.findall(r'<a id="([^"]+)"></a>', text)}


def generate(*arguments: str, docs: Path = DOCS) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, docs / "generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# ---- pages and links


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(path: Path) -> None:
    for link in links(path):
        if not link.startswith(("http://", "https://")):
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    assert [path.name for path in DOCS.glob("*.md") if f"docs/{path.name}" not in linked] == []


def test_the_index_of_contracts_leads_to_the_page_of_each() -> None:
    linked = [link for link in links(DOCS / "contracts.md") if link.startswith("contracts/")]
    assert linked == [f"contracts/{name}.md" for name in catalog.names()]
    assert sorted(DOCS / link for link in linked) == CONTRACTS


def test_the_generated_pages_are_up_to_date() -> None:
    done = generate("--check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_sentence_has_a_line_of_its_own(path: Path) -> None:
    lines = [line for line in prose(path).splitlines() if not line.startswith(("|", "#"))]
    assert [line for line in lines if re.search(r"[a-z)`][.?!] [A-Z]", line)] == []


# ---- the command line


def test_the_command_line_page_has_every_command_and_option() -> None:
    sections = page("cli.md").split("\n## ")
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        (section,) = [text for text in sections if text.startswith(f"trackside {name}\n")]
        for parameter in command.params:
            wanted = parameter.opts + parameter.secondary_opts if isinstance(parameter, click.Option) else []
            assert [option for option in wanted if option not in section] == [], name


def test_the_readme_has_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"| `trackside {name}` |" not in text] == []


# ---- the pytest plugin


def test_the_plugin_page_has_every_fixture(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_inprocess("--fixtures", "-p", "no:cacheprovider").outlines
    fixtures = [line.split()[0] for line in shown if re.match(r"\w+( \[.*\])? -- .*trackside.pytest_plugin\.py", line)]
    assert fixtures == ["trackside", "make_trackside"]
    assert [name for name in fixtures if f"## The fixture `{name}`" not in page("plugin.md")] == []


def test_the_plugin_page_has_the_marker_the_options_and_the_ini_keys() -> None:
    names: list[str] = []

    class Parser:
        def getgroup(self, *_args: Any) -> Parser:
            return self

        def addoption(self, name: str, **_more: Any) -> None:
            names.append(name)

        def addini(self, name: str, *_args: Any, **_more: Any) -> None:
            names.append(name)

    pytest_plugin.pytest_addoption(Parser())  # type: ignore[arg-type]  # it only needs these three methods
    assert names == ["--trackside-workspace", "trackside_workspace"]
    assert [name for name in names if f"`{name}" not in page("plugin.md")] == []
    assert f"`@pytest.mark.{pytest_plugin.MARKER.partition(':')[0]}`" in page("plugin.md")


def signature(name: str, function: Any) -> str:
    """Return how a page shows a method: its name and parameters, without types."""
    parameters = [
        one.replace(annotation=inspect.Parameter.empty) for one in inspect.signature(function).parameters.values()
    ]
    shown = str(inspect.Signature([one for one in parameters if one.name != "self"])).replace("'", '"')
    return f"{name}{shown}"


@pytest.mark.parametrize("name", ["expect_event", "expect_only", "expect_none", "events", "fail", "recover"])
def test_the_plugin_page_has_every_method_of_a_vendor_with_its_keywords(name: str) -> None:
    assert f"`{signature(name, getattr(Mock, name))}`" in page("plugin.md")


@pytest.mark.parametrize("name", ["expect_counted", "expect_not_counted", "verdicts", "results"])
def test_the_plugin_page_has_every_method_of_an_experiment(name: str) -> None:
    assert f"`{signature(name, getattr(ExperimentHandle, name))}`" in page("plugin.md")


def test_the_page_of_counting_has_every_condition_and_what_it_means() -> None:
    rows = [f"| `{name}` | {about.weight} | {about.text} |" for name, about in ABOUT.items()]
    assert [row for row in rows if row not in page("counting.md").splitlines()] == []


@pytest.mark.parametrize("name", ["expect_identity", "identities"])
def test_the_plugin_page_has_splits_own_methods(name: str) -> None:
    assert f"`trackside.split.{signature(name, getattr(SplitMock, name))}`" in page("plugin.md")


@pytest.mark.parametrize(
    "name",
    ["expect_no_findings", "findings", "journeys", "journey", "exchanges", "settle", "advance", "reset", "stats"],
)
def test_the_plugin_page_has_the_methods_of_the_lab(name: str) -> None:
    assert f"`{signature(name, getattr(Lab, name))}`" in page("plugin.md")


def test_the_plugin_page_has_every_option_of_a_lab() -> None:
    options = list(inspect.signature(Lab).parameters)[1:]
    assert [name for name in options if f"`{name}`" not in page("plugin.md")] == []


@pytest.mark.parametrize(("vendor", "sort"), WORDS, ids=str)
def test_the_plugin_page_has_every_keyword_of_a_vendors_records(vendor: str, sort: str) -> None:
    title = VENDORS[vendor].title
    plural = {"identity": "identities"}.get(sort, f"{sort}s")
    rows = [line for line in page("plugin.md").splitlines() if re.match(rf"\| {title}( \(|, {plural} \|| \|)", line)]
    row = next((one for one in rows if plural in one), rows[0])
    assert [word for word in WORDS[vendor, sort] if f"`{word}`" not in row] == []  # type: ignore[index]


def test_the_plugin_page_has_every_part_of_a_failed_expectation() -> None:
    parts = [*vars(ExpectationError("what", "where")), "differing"]
    assert [part for part in parts if not part.startswith("_") and f"`{part}`" not in page("plugin.md")] == []


# ---- ports, paths, rules, contracts, settings


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
def test_the_page_of_paths_has_every_path_of_a_vendor_and_says_what_it_does(vendor: Any) -> None:
    section = page("endpoints.md").partition(f"\n## {vendor.title}, port {vendor.port}\n")[2].partition("\n## ")[0]
    for route in vendor.routes:
        path = re.escape(f"`{route.path}`")
        row = rf"^\| {' '.join(route.methods)} \| (`[^`]+`, )*{path}(, `[^`]+`)* \| \w"
        assert re.search(row, section, re.MULTILINE), route.path


def test_the_page_of_paths_has_every_path_of_the_control_api_and_says_what_it_does() -> None:
    section = page("endpoints.md").partition(f"\n## admin, port {ADMIN_PORT}\n")[2]
    for path, (method, _) in admin.PATHS.items():
        assert re.search(rf"^\| {method} \| `{re.escape(path)}` \| \w", section, re.MULTILINE), path


def test_every_rule_is_on_the_page_of_rules_and_can_be_linked_to() -> None:
    assert [rule for rule in RULES if f'\n| <a id="{rule}"></a>`{rule}` | ' not in page("rules.md")] == []


def test_every_assumption_is_on_the_page_of_contradictions() -> None:
    assumed = [rule.id for rule in RULES.values() if rule.confidence == "assumed"]
    assert [rule for rule in assumed if f"\n| `{rule}` (assumed) | " not in page("contradictions.md")] == []


def test_every_contract_is_on_the_page_of_contracts() -> None:
    assert [
        name for name in catalog.names() if f"\n| [`{name}`](contracts/{name}.md) | " not in page("contracts.md")
    ] == []


@pytest.mark.parametrize("name", catalog.names())
def test_the_page_of_a_contract_has_its_fields_and_every_code_under_a_heading(name: str) -> None:
    text = (DOCS / "contracts" / f"{name}.md").read_text(encoding="utf-8")
    assert [field.at for field in fields_of(name) if f"\n| {cell(code(field.at))} | " not in text] == []
    assert re.findall(r"^### (.+)$", text, re.MULTILINE) == [one.id for one in codes_of(name)]


def test_a_page_of_a_contract_that_is_no_more_is_told_as_stale(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    shutil.copytree(DOCS, docs)
    (tmp_path / "contracts").symlink_to(ROOT / "contracts")
    (docs / "contracts" / "segment" / "no-such-payload.md").touch()
    told = generate("--check", docs=docs)
    assert told.returncode == 1
    assert told.stderr.startswith("stale pages: contracts/segment/no-such-payload.md. docs/. Run: ")


def test_every_setting_of_a_rule_is_a_key_on_the_page_of_the_workspace() -> None:
    settings = [rule.setting.replace(".*", ".<name>") for rule in RULES.values() if rule.setting]
    assert [setting for setting in settings if f"\n| `{setting}` | " not in page("workspace.md")] == []


def test_the_page_of_benchmarks_has_every_benchmark() -> None:
    source = (ROOT / "scenarios" / "benchmarks" / "run.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "(\w+)": \1,$', source, re.MULTILINE)
    assert names
    assert [name for name in names if f"\n| `{name}` | " not in page("benchmarks.md")] == []
