"""A baseline: old faults are counted and not told, new ones are."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from trackside import catalog

NO_EVENT = '{"type": "track", "userId": "u-1"}\n'
EVENT_5 = '{"type": "track", "userId": "u-1", "event": 5}\n'
GOOD = '{"type": "track", "userId": "u-1", "event": "A"}\n'
BATCH = '{"batch": [%s]}\n'


def strict(validate, *arguments: object, **files: str) -> tuple[int, int]:
    """Return how many strict findings are told against ``old.json``, and how many it has."""
    told = validate(*arguments, "--baseline", "old.json", "--report", "json", **files)
    summary = json.loads(told.stdout)["summary"]
    return summary["strict"], summary["baseline"]


def test_writing_a_baseline_tells_no_fault_and_ends_well(validate):
    told = validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT * 2 + EVENT_5)
    assert told.exit_code == 0
    assert "event is missing" not in told.stdout
    assert told.stderr == "wrote 3 faults to old.json\n"


def test_the_file_is_sorted_and_has_a_line_for_each_key(validate):
    validate("b.ndjson", "a.ndjson", "--write-baseline", "old.json", a=EVENT_5 + NO_EVENT * 2, b=NO_EVENT)
    assert Path("old.json").read_text() == (
        '{\n  "version": 1,\n  "findings": [\n'
        '    {"file":"a.ndjson","code":"segment/track.required","at":"$.event","count":2},\n'
        '    {"file":"a.ndjson","code":"segment/track.type","at":"$.event","count":1},\n'
        '    {"file":"b.ndjson","code":"segment/track.required","at":"$.event","count":1}\n'
        "  ]\n}\n"
    )


@pytest.mark.parametrize("events", [GOOD, NO_EVENT, "{\n"])
def test_the_file_keeps_its_contract(validate, events):
    validate("a.ndjson", "--write-baseline", "old.json", a=events)
    assert catalog.faults("trackside/baseline", orjson.loads(Path("old.json").read_bytes())) == []


def test_old_faults_are_counted_and_not_told(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT * 2)
    told = validate("a.ndjson", "--baseline", "old.json", "--report", "github")
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "")
    assert strict(validate, "a.ndjson") == (0, 2)


def test_one_more_than_there_were_is_told(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT * 2)
    assert strict(validate, "a.ndjson", a=NO_EVENT * 3) == (1, 2)


def test_a_fault_of_another_code_or_file_is_told(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT)
    assert strict(validate, "a.ndjson", "b.ndjson", a=NO_EVENT + EVENT_5, b=NO_EVENT) == (2, 1)


def test_lines_and_numbers_of_items_do_not_matter(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=BATCH % NO_EVENT.strip())
    assert [row["at"] for row in json.loads(Path("old.json").read_text())["findings"]] == ["$.batch[*].event"]
    assert strict(validate, "a.ndjson", a=BATCH % GOOD.strip() + BATCH % f"{GOOD.strip()}, {NO_EVENT.strip()}") == (
        0,
        1,
    )


def test_how_a_file_is_named_does_not_matter(validate, tmp_path):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT)
    assert strict(validate, tmp_path / "a.ndjson") == (0, 1)


def test_faults_that_are_gone_are_remarked(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT * 3 + EVENT_5)
    told = validate("a.ndjson", "--baseline", "old.json", a=NO_EVENT)
    assert told.exit_code == 0
    assert told.stderr == "3 faults of the baseline are gone; write it again with --write-baseline\n"


def test_nothing_is_gone_in_a_file_that_was_not_read(validate):
    validate("a.ndjson", "b.ndjson", "--write-baseline", "old.json", a=NO_EVENT, b=NO_EVENT)
    assert validate("a.ndjson", "--baseline", "old.json").stderr == ""


def test_a_baseline_is_written_over_the_old_one_with_all_that_is_found(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT)
    validate("a.ndjson", "--baseline", "old.json", "--write-baseline", "old.json", a=NO_EVENT + EVENT_5)
    assert strict(validate, "a.ndjson") == (0, 2)


def test_the_first_baseline_is_written_by_the_command_that_uses_it(validate):
    told = validate("a.ndjson", "--baseline", "old.json", "--write-baseline", "old.json", a=NO_EVENT)
    assert (told.exit_code, told.stderr) == (0, "wrote 1 fault to old.json\n")


def test_no_baseline_is_written_where_not_all_could_be_checked(validate):
    told = validate("a.ndjson", "nowhere.json", "--write-baseline", "old.json", a=NO_EVENT)
    assert told.exit_code == 2
    assert "old.json was not written, as not all could be checked" in told.stderr
    assert not Path("old.json").exists()


def test_of_a_key_that_a_merge_left_twice_the_larger_count_holds(validate):
    row = {"file": "a.ndjson", "code": "segment/track.required", "at": "$.event"}
    Path("old.json").write_text(json.dumps({"version": 1, "findings": [{**row, "count": 3}, {**row, "count": 2}]}))
    assert strict(validate, "a.ndjson", a=NO_EVENT * 4) == (1, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"version": 1,\n',
            "the baseline is not JSON: unexpected end of data. old.json:2:1. mend it there, or write it again",
        ),
        (
            '{"version": 1,\n "findings": [\n  {"file": "a", "code": "b", "at": "$", "count": 0}\n]}',
            "the file is no baseline: count is 0 at $.findings[0].count. old.json:3:41. mend it there",
        ),
        ("[]", "the file is no baseline: the payload is an array, [] at $. old.json:1:1."),
    ],
)
def test_a_broken_baseline_is_told_with_its_line(validate, text, told):
    Path("old.json").write_text(text)
    result = validate("a.ndjson", "--baseline", "old.json", a=GOOD)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_broken_baseline_keeps_nothing_from_being_checked(validate):
    Path("old.json").write_text("{")
    result = validate("a.ndjson", "--baseline", "old.json", a=NO_EVENT)
    assert result.exit_code == 2
    assert "1 strict finding" in result.stdout


def test_a_baseline_that_is_not_there_is_told(validate):
    result = validate("a.ndjson", "--baseline", "old.json", a=GOOD)
    assert result.exit_code == 2
    assert (
        "the baseline cannot be read: No such file or directory. old.json. write it with --write-baseline"
        in result.stderr
    )
