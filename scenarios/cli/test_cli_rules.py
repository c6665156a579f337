"""``trackside rules``: every behaviour with its source."""

from __future__ import annotations

import json

from trackside.rules import RULES


def test_the_json_lists_every_rule_with_its_source_and_confidence(trackside_command):
    result = trackside_command("rules", "--json")
    rows = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [row["id"] for row in rows] == list(RULES)
    assert all({"id", "vendor", "text", "source", "confidence"} <= set(row) for row in rows)


def test_the_table_has_a_line_for_each_rule_when_it_is_piped(trackside_command):
    lines = trackside_command("rules").stdout.splitlines()
    row = next(line for line in lines if line.split()[:1] == ["split.in.page"])
    assert row.split()[1] == "documented"
    assert row.rstrip().endswith(RULES["split.in.page"].text)


def test_one_vendors_rules_can_be_asked_for(trackside_command):
    rows = json.loads(trackside_command("rules", "--vendor", "statsig", "--json").stdout)
    assert {row["vendor"] for row in rows} == {"statsig"}


def test_rules_of_one_confidence_can_be_asked_for(trackside_command):
    rows = json.loads(trackside_command("rules", "--confidence", "assumed", "--json").stdout)
    assert {row["confidence"] for row in rows} == {"assumed"}


def test_an_unknown_vendor_is_wrong_use_and_the_known_ones_are_named(trackside_command):
    result = trackside_command("rules", "--vendor", "amplitude")
    assert result.exit_code == 2
    assert "use one of: launchdarkly, ownlayer, segment, split, statsig" in result.stderr


def test_one_rule_is_shown_with_its_setting_and_what_else_is_said(trackside_command):
    result = trackside_command("rules", "show", "split.in.page")
    shown = dict(line.split(":", 1) for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert {name: value.strip() for name, value in shown.items()} == RULES["split.in.page"].as_json()


def test_one_rule_is_shown_as_json(trackside_command):
    result = trackside_command("rules", "show", "split.in.page", "--json")
    assert json.loads(result.stdout) == RULES["split.in.page"].as_json()


def test_a_misspelt_rule_is_wrong_use_and_a_near_one_is_named(trackside_command):
    result = trackside_command("rules", "show", "split.in.pages")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "trackside: there is no rule or code 'split.in.pages'. rules show. perhaps you mean split.in.page"
    )
