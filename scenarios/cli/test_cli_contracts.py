"""``trackside contracts``: which there are, what each asks, and all of them for other tools."""

from __future__ import annotations

import json

import orjson
import pytest

from trackside import catalog
from trackside.contract_bundle import bundle


@pytest.mark.parametrize("command", [["contracts"], ["contracts", "list"]])
def test_the_table_has_a_line_for_each_contract_when_it_is_piped(command, trackside_command):
    result = trackside_command(*command)
    rows = result.stdout.splitlines()[2:]
    assert result.exit_code == 0
    assert [row.split()[0] for row in rows] == catalog.names()
    assert ["segment/track", "Track", "segment"] in [row.split() for row in rows]


def test_the_json_lists_every_contract_with_its_source_and_confidence(trackside_command):
    rows = json.loads(trackside_command("contracts", "--json").stdout)
    assert [row["name"] for row in rows] == catalog.names()
    assert next(row for row in rows if row["name"] == "segment/track") == {
        "name": "segment/track",
        "title": "Track",
        "vendor": "segment",
        "source": "Segment: Spec, Track, segment.com/docs/connections/spec/track (read 2026-11-21)",
        "confidence": "documented",
    }


def test_one_vendors_contracts_can_be_asked_for(trackside_command):
    rows = json.loads(trackside_command("contracts", "list", "--vendor", "ownlayer", "--json").stdout)
    assert {row["vendor"] for row in rows} == {"ownlayer"}


def test_an_unknown_vendor_is_wrong_use_and_the_known_ones_are_named(trackside_command):
    result = trackside_command("contracts", "--vendor", "amplitude")
    assert result.exit_code == 2
    assert "use one of: launchdarkly, ownlayer, segment, split, statsig, trackside" in result.stderr


def test_a_contract_is_shown_with_its_fields_and_its_codes(trackside_command):
    shown = trackside_command("contracts", "show", "segment/success-answer").stdout
    assert "confidence:     observed" in shown
    assert "unknown fields: refused" in shown
    assert "\n$.success  boolean  yes       only `true`  Always true.\n" in shown
    assert "\nsegment/success-answer.required  " in shown


def test_a_contract_is_shown_as_json(trackside_command):
    shown = json.loads(trackside_command("contracts", "show", "segment/success-answer", "--json").stdout)
    assert shown["unknown_fields"] == "refused"
    assert shown["fields"][1] == {
        "at": "$.success",
        "type": "boolean",
        "required": "yes",
        "limits": "only `true`",
        "description": "Always true.",
    }
    assert shown["codes"][0] == {
        "id": "segment/success-answer.required",
        "text": "A field that must be there is missing. Add it.",
    }


def test_the_schema_of_a_contract_is_written_as_it_stands_in_its_file(trackside_command):
    shown = trackside_command("contracts", "show", "segment/track", "--schema").stdout
    assert shown == (catalog.folder() / "segment" / "track.schema.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["show", "export"])
def test_a_misspelt_contract_is_wrong_use_and_a_near_one_is_named(command, trackside_command):
    result = trackside_command("contracts", command, "segment/trak")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        "trackside: there is no contract 'segment/trak'. contracts. perhaps you mean segment/track"
    )


def test_all_contracts_are_exported_as_one_document(trackside_command):
    assert orjson.loads(trackside_command("contracts", "export").stdout) == bundle(catalog.names())


def test_contracts_are_exported_by_name_in_the_order_that_is_asked_for(trackside_command):
    exported = orjson.loads(trackside_command("contracts", "export", "split/event", "segment/track").stdout)
    assert list(exported["$defs"]) == ["split/event", "segment/track"]


def test_one_vendors_contracts_are_exported_to_a_file(trackside_command, tmp_path):
    file = tmp_path / "ownlayer.json"
    result = trackside_command("contracts", "export", "--vendor", "ownlayer", "-o", file)
    assert (result.exit_code, result.stdout) == (0, "")
    vendors = {name.partition("/")[0] for name in orjson.loads(file.read_bytes())["$defs"]}
    assert vendors == {"ownlayer"}


def test_a_file_that_cannot_be_written_is_told_in_three_clauses(trackside_command, tmp_path):
    file = tmp_path / "nowhere" / "all.json"
    result = trackside_command("contracts", "export", "-o", file)
    assert result.exit_code == 2
    assert result.stderr == f"trackside: the file cannot be written: No such file or directory. {file}. name another.\n"


def test_a_code_of_a_contract_is_shown_with_what_is_asked_where(trackside_command):
    result = trackside_command("rules", "show", "segment/track.required")
    assert result.exit_code == 0
    assert "text:        A field that must be there is missing. Add it.\n" in result.stdout
    assert result.stdout.endswith("must be there  $.event\n")


def test_a_code_of_a_contract_is_shown_as_json(trackside_command):
    shown = json.loads(trackside_command("rules", "show", "segment/track.minLength", "--json").stdout)
    assert shown["contract"] == "segment/track"
    assert shown["held"] == [
        {"asks": "at least 1 character", "at": ["$.event", "$.userId", "$.anonymousId", "$.writeKey"]}
    ]


def test_a_misspelt_code_of_a_contract_is_wrong_use_and_a_near_one_is_named(trackside_command):
    result = trackside_command("rules", "show", "segment/track.requird")
    assert result.exit_code == 2
    assert result.stderr.startswith("trackside: there is no rule or code 'segment/track.requird'. rules show. perhaps")
    assert "segment/track.required" in result.stderr
