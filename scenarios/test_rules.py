"""The rules: every id that the code uses has a row, every row has a source and a scenario."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trackside
from trackside import catalog
from trackside.rules import RULES, Rule

PACKAGE = Path(trackside.__file__).parent
SCENARIOS = Path(__file__).parent
ID = re.compile(r"\b(?:segment|statsig|split|launchdarkly|ownlayer)\.[a-z]+(?:[.-][a-z]+)*\b")
MARKER = re.compile(r"pytest\.mark\.rule\(([^)]*)\)", re.DOTALL)
QUOTED = re.compile(r'"([^"]+)"')
NOT_RULES = re.compile(r"\.(?:py|io|com|url|settings|store|routes|errors|mapping|ingest|actions|filters|fql|routing)$")


def _quoted_ids(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {quoted for quoted in QUOTED.findall(text) if ID.fullmatch(quoted) and not NOT_RULES.search(quoted)}


def _carried() -> set[str]:
    carried: set[str] = set()
    for path in SCENARIOS.rglob("test_*.py"):
        if "node_modules" not in path.parts:
            for arguments in MARKER.findall(path.read_text(encoding="utf-8")):
                carried |= {quoted for quoted in QUOTED.findall(arguments) if "{" not in quoted}
    return carried


def test_every_rule_is_carried_by_a_scenario() -> None:
    assert sorted(set(RULES) - _carried()) == []


def test_every_rule_that_a_scenario_carries_has_a_row() -> None:
    assert sorted(_carried() - set(RULES)) == []


def test_every_rule_is_named_somewhere_in_the_code() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.name != "rules.py")
    catalog_rules = {
        "segment.contract",
        "statsig.contract",
        "split.contract",
        "launchdarkly.contract",
        "ownlayer.contract",
    }
    of_audits = {rule for rule in RULES if rule.startswith("trackside.audit.")}  # which put the condition behind it
    unknown_paths = {f"{vendor}.unknown-path" for vendor in ("segment", "statsig", "split", "launchdarkly", "ownlayer")}
    assert [
        rule for rule in RULES if rule not in sources and rule not in catalog_rules | unknown_paths | of_audits
    ] == []


def test_every_rule_id_in_the_code_has_a_row() -> None:
    used = set().union(*(_quoted_ids(path) for path in PACKAGE.rglob("*.py")))
    assert sorted(used - set(RULES)) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_has_a_source_and_says_what_is_open(rule: Rule) -> None:
    assert rule.text.endswith(".")
    assert rule.source.title
    assert rule.source.address
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rule.source.read)
    assert rule.confidence in ("documented", "observed", "assumed")
    assert rule.confidence != "assumed" or rule.otherwise or rule.setting


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.setting], ids=lambda rule: rule.id)
def test_the_setting_that_a_rule_names_is_in_the_workspaces_contract(rule: Rule) -> None:
    place = catalog.load("trackside/workspace")
    for key in rule.setting.split("."):
        place = place["additionalProperties"] if key == "*" else place["properties"][key.removesuffix("[]")]
        place = place["items"] if key.endswith("[]") else place
    assert place["description"]
