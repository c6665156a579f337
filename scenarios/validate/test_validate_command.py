"""``trackside validate`` as it is called: levels, exit codes, counts, order, jobs, and the text for people."""

from __future__ import annotations

import json
import random

import pytest

GOOD = {"type": "track", "userId": "u-1", "event": "Order Completed"}
WRONG = {**GOOD, "event": 42}
EMAIL = {"type": "identify", "userId": "ann@example.com"}
TYPE, ADDRESS = "segment/track.type", "trackside.identity.email"


def lines(*payloads):
    return "".join(f"{json.dumps(one)}\n" for one in payloads)


def codes(result):
    return [(one["code"], one["level"]) for one in json.loads(result.stdout)["findings"]]


# ---- exit codes


def test_nothing_found_ends_with_0(validate):
    assert validate("a.ndjson", a=lines(GOOD)).exit_code == 0


def test_a_strict_finding_ends_with_1(validate):
    assert validate("a.ndjson", a=lines(GOOD, WRONG)).exit_code == 1


@pytest.mark.rule("trackside.identity.email")
def test_a_warning_ends_with_0_and_with_1_where_strict_is_asked_for(validate):
    assert validate("a.ndjson", a=lines(EMAIL)).exit_code == 0
    assert validate("--strict", "a.ndjson").exit_code == 1


def test_a_file_that_is_not_there_ends_with_2_and_the_others_are_checked(validate):
    result = validate("a.ndjson", "gone.ndjson", "b.ndjson", a=lines(WRONG), b=lines(GOOD))

    assert result.exit_code == 2
    assert "2 payloads in 2 files: 1 strict finding, 0 warnings" in result.stdout
    assert "there is no such file. gone.ndjson. name a file" in result.stderr


def test_a_schema_that_is_not_there_ends_with_2_and_contracts_are_found_all_the_same(validate):
    result = validate("--contract", "segment/tracks", "a.ndjson", a=lines(WRONG))

    assert result.exit_code == 2
    assert "segment/track.type" in result.stdout
    assert (
        "there is no such contract, and no file with a schema. segment/tracks. perhaps you mean segment/track"
        in result.stderr
    )


def test_a_source_without_a_workspace_ends_with_2(validate):
    result = validate("--source", "web", "a.ndjson", a=lines(GOOD))

    assert (result.exit_code, result.stderr) == (
        2,
        "trackside: no workspace has the source 'web'. --source. name its file with --workspace.\n",
    )


def test_a_source_of_a_workspace_that_has_none_ends_with_2(validate, tmp_path):
    (tmp_path / "levels.json").write_text('{"validate": {}}', encoding="utf-8")

    result = validate("--workspace", "levels.json", "--source", "web", "a.ndjson", a=lines(GOOD))

    assert result.exit_code == 2
    assert "the workspace has no source. segment.sources. declare one with its write key." in result.stderr


def test_a_report_takes_the_place_of_no_file_that_is_read(validate, tmp_path):
    result = validate("--report", "json=./a.ndjson", "a.ndjson", a=lines(GOOD))

    assert result.exit_code == 2
    assert "a report goes to ./a.ndjson, which this run reads or writes" in result.stderr
    assert (tmp_path / "a.ndjson").read_text(encoding="utf-8") == lines(GOOD)


# ---- levels


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ((), [(TYPE, "strict"), (ADDRESS, "warn")]),
        ((f"{TYPE}=warn",), [(TYPE, "warn"), (ADDRESS, "warn")]),
        ((f"{TYPE}=off",), [(ADDRESS, "warn")]),
        (("trackside.*=strict",), [(TYPE, "strict"), (ADDRESS, "strict")]),
        (("*=off", f"{ADDRESS}=strict"), [(ADDRESS, "strict")]),
        ((f"{ADDRESS}=strict", "*=off"), [(ADDRESS, "strict")]),
        (("segment/*=off", "segment/track.*=warn"), [(TYPE, "warn"), (ADDRESS, "warn")]),
        ((f"{TYPE}=off", f"{TYPE}=strict"), [(TYPE, "strict"), (ADDRESS, "warn")]),
    ],
)
def test_the_longest_pattern_that_fits_sets_the_level(validate, levels, found):
    asked = [one for level in levels for one in ("--level", level)]

    assert codes(validate("--json", *asked, "a.ndjson", a=lines(WRONG, EMAIL))) == found


def test_strict_leaves_off_what_is_off(validate):
    result = validate("--json", "--strict", "--level", f"{ADDRESS}=off", "a.ndjson", a=lines(EMAIL))

    assert (result.exit_code, codes(result)) == (0, [])


def test_a_level_of_the_command_line_wins_over_the_workspaces(validate, tmp_path):
    levels = {"validate": {"levels": {ADDRESS: "strict", TYPE: "off"}}}
    (tmp_path / "levels.json").write_text(json.dumps(levels), encoding="utf-8")
    asked = "--json", "--workspace", "levels.json"

    assert codes(validate(*asked, "a.ndjson", a=lines(WRONG, EMAIL))) == [(ADDRESS, "strict")]
    assert codes(validate(*asked, "--level", f"{ADDRESS}=warn", "a.ndjson")) == [(ADDRESS, "warn")]


def test_the_level_of_a_fault_of_the_file_can_be_set_too(validate):
    result = validate("--level", "trackside.input.json=warn", "a.ndjson", a="{broken\n")

    assert result.exit_code == 0
    assert "a.ndjson:1:2: warn trackside.input.json" in result.stdout


@pytest.mark.parametrize("level", ["segment/track.type", "=off", f"{TYPE}=loud", f"{TYPE}=OFF"])
def test_what_sets_no_level_is_refused(validate, level):
    result = validate("--level", level, "a.ndjson", a=lines(GOOD))

    assert result.exit_code == 2
    assert "sets no level. --level. write a code, = and one of off, warn, strict." in result.stderr


# ---- contracts


def test_a_named_contract_is_held_against_every_payload(validate):
    result = validate("--json", "--contract", "segment/track", "a.ndjson", a=lines(GOOD, {"userId": "u-1"}))

    told = json.loads(result.stdout)
    assert [(one["code"], one["line"]) for one in told["findings"]] == [("segment/track.required", 2)]
    assert told["files"][0]["contracts"] == [{"contract": "segment/track", "known_by": "--contract", "payloads": 2}]


def test_a_schema_of_ones_own_is_a_contract_named_by_its_file(validate, tmp_path):
    (tmp_path / "order.schema.json").write_text('{"required": ["id"]}', encoding="utf-8")

    result = validate("--json", "--contract", "order.schema.json", "a.ndjson", a=lines({"id": 1}, {}))

    assert codes(result) == [("order.schema.json.required", "strict")]


# ---- order, and several processes


def _mixed(seed):
    """Return the lines of a file in which many kinds of faults stand."""
    random.seed(seed)
    made = [
        lambda i: json.dumps({**GOOD, "userId": f"u-{i}", "anonymousId": f"a-{i}"}),
        lambda i: json.dumps({**GOOD, "userId": f"u-{i}", "anonymousId": "a-shared"}),
        lambda i: json.dumps({**WRONG, "userId": f"u-{i}"}),
        lambda i: json.dumps({**GOOD, "userId": f" u-{i}"}),
        lambda i: json.dumps({"type": "page", "userId": "undefined", "name": f"page {i}"}),
        lambda i: json.dumps({"batch": [{**GOOD, "userId": f"{n}{i}", "anonymousId": f"a-{i}"} for n in "xyz"]}),
        lambda i: json.dumps([GOOD, {**WRONG, "userId": f"u-{i}"}]),
        lambda i: json.dumps({"what": i}),
        lambda _: "{broken",
        lambda _: "",
        lambda _: '{"type": "track", "userId": "u", "event": "A", "event": "B"}',
    ]
    usual = [made[0]] * 40
    return "".join(f"{random.choice(made + usual)(i)}\n" for i in range(4_000))


@pytest.mark.parametrize("jobs", [2, 3, 4])
@pytest.mark.parametrize("form", ["text", "json"])
def test_several_processes_tell_the_same_in_the_same_order(validate, jobs, form):
    files = "a.ndjson", "b.ndjson", "gone.ndjson", "c.ndjson"
    identify = {"type": "identify", "userId": "u-1"}
    alone = validate("--report", form, *files, a=_mixed(1), b=_mixed(2), c=lines(identify, GOOD, GOOD))

    together = validate("--report", form, "--jobs", jobs, *files)

    assert together.stdout == alone.stdout
    assert (together.exit_code, together.stderr) == (alone.exit_code, alone.stderr) == (2, alone.stderr)
    assert len(alone.stdout) > 100_000


@pytest.mark.rule("trackside.identity.constant-anonymous-id")
def test_the_calls_of_one_batch_are_told_in_their_order(validate):
    batch = {"batch": [{**GOOD, "userId": f"u-{i}", "anonymousId": "a-1"} for i in range(3)]}

    result = validate("--json", "a.ndjson", a=lines(batch))

    assert [one["text"] for one in json.loads(result.stdout)["findings"]] == [
        'the userId changes from "u-0" to "u-1" while the anonymousId "a-1" stays',
        'the anonymousId "a-1" is that of 3 users or more: "u-0", "u-1", "u-2"',
    ]


def test_files_are_told_in_the_order_of_their_names_and_those_of_a_folder_sorted(validate, tmp_path):
    for name in (
        "in/z.json",
        "in/deep/b.ndjson",
        "in/.hidden.json",
        "in/node_modules/n.json",
        "in/note.txt",
        "in/a.har",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(
            '{"log": {"entries": []}}' if name.endswith("har") else lines(GOOD), encoding="utf-8"
        )

    told = json.loads(validate("--json", "y.ndjson", "in", "y.ndjson", y=lines(GOOD)).stdout)

    assert [one["file"] for one in told["files"]] == ["y.ndjson", "in/a.har", "in/deep/b.ndjson", "in/z.json"]


@pytest.mark.rule("trackside.identity.user-changes")
def test_ids_are_compared_across_files(validate):
    result = validate(
        "--json",
        "a.ndjson",
        "b.ndjson",
        a=lines({**GOOD, "anonymousId": "a-1"}),
        b=lines({**GOOD, "userId": "u-2", "anonymousId": "a-1"}),
    )

    [found] = json.loads(result.stdout)["findings"]
    assert (found["code"], found["file"], found["line"]) == ("trackside.identity.user-changes", "b.ndjson", 1)


# ---- ids that stand far behind, where most lines are as usual


@pytest.mark.parametrize("wrong", [" u-1", "u-1\t", " ", "0000", "NULL", "ann@example.com", "a-1"])
@pytest.mark.rule(
    "trackside.identity.blanks",
    "trackside.identity.zeros",
    "trackside.identity.placeholder",
    "trackside.identity.email",
    "trackside.identity.anonymous-as-user",
)
def test_an_id_is_looked_at_wherever_it_stands(validate, wrong):
    usual = [{**GOOD, "userId": f"user {i}"} for i in range(4_000)]
    odd = {**GOOD, "userId": wrong, "anonymousId": "a-1"}

    [found] = json.loads(validate("--json", "a.ndjson", a=lines(*usual, odd)).stdout)["findings"]

    assert (found["line"], found["at"], found["contract"]) == (4_001, "$.userId", "segment/track")


# ---- text


HELD = (
    "    event is a number, 42. $.event. Send a string: Name of what the user did, such as Order Completed. "
    "(segment/track, as type is track)"
)


def test_a_finding_shows_its_line_with_a_caret_below_the_place(validate):
    result = validate("-", stdin=lines(GOOD, WRONG))

    assert result.stdout.splitlines() == [
        "-:2:36: strict segment/track.type",
        HELD,
        '    | {"type": "track", "userId": "u-1", "event": 42}',
        "    |                                    ^",
        "-: 2 payloads",
        "    2 segment/track, as type is track",
        "2 payloads in 1 file: 1 strict finding, 0 warnings",
    ]


def test_the_caret_stands_below_the_place_behind_wide_characters(validate):
    text = '{"type": "track", "userId": "日本é", "event": 42}\n'

    shown, caret = validate("-", stdin=text).stdout.splitlines()[2:4]

    assert caret.index("^") == shown.index('"event"') + 2


def test_windows_line_ends_and_blank_lines_are_no_faults(validate):
    text = f"{json.dumps(GOOD)}\r\n\r\n  \r\n{json.dumps(WRONG)}\r\n"

    result = validate("-", stdin=text)

    assert result.stdout.startswith("-:4:36: strict segment/track.type\n")
    assert "\r" not in result.stdout
    assert "2 payloads in 1 file: 1 strict finding, 0 warnings" in result.stdout


def test_contracts_of_a_file_are_told_with_the_most_payloads_first(validate):
    page = {"type": "page", "userId": "u-1"}

    result = validate("a.ndjson", a=lines(page, GOOD, GOOD))

    assert result.stdout.splitlines()[1:3] == [
        "    2 segment/track, as type is track",
        "    1 segment/page, as type is page",
    ]


def test_of_many_files_without_findings_the_first_twenty_are_told(validate, tmp_path):
    for number in range(25):
        (tmp_path / f"f{number:02}.json").write_text(json.dumps(GOOD), encoding="utf-8")

    text = validate(".").stdout

    assert "f19.json: 1 payload\n" in text
    assert "f20.json" not in text
    assert "… and 5 more files without findings\n25 payloads in 25 files: 0 strict findings" in text


def test_no_payload_begins_a_line_of_the_report(validate, tmp_path):
    forged = "x\n::error::forged\x1b[2J"
    (tmp_path / "plan.json").write_text('{"Other": {"type": "object"}}', encoding="utf-8")

    result = validate("--plan", "plan.json", "a.ndjson", a=lines({**GOOD, "event": forged}))

    assert "the tracking plan has no event x\\n::error::forged\\x1b[2J" in result.stdout
    assert not [line for line in result.stdout.splitlines() if line.startswith("::")]


def test_no_name_of_a_file_begins_a_line_of_the_report(validate, tmp_path):
    name = "a\n::error::forged\x1b[31m %41 -é.ndjson"
    (tmp_path / name).write_text(lines(WRONG), encoding="utf-8")

    result = validate(name, "gone\x1b[2J\n::x")

    assert result.stdout.startswith("a\\n::error::forged\\x1b[31m %41 -é.ndjson:1:36: strict")
    assert not [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("::")]
    assert "\x1b" not in result.stdout + result.stderr


def test_no_control_character_gets_into_an_annotation(validate):
    result = validate(
        "--report", "github", "--contract", "segment/track", "-", stdin=lines({**GOOD, "timestamp": "\x9b2J"})
    )

    assert result.exit_code == 1
    assert result.stdout.isascii()


def test_a_file_whose_name_begins_with_a_dash_stands_behind_two_of_them(validate, tmp_path):
    (tmp_path / "-a.ndjson").write_text(lines(GOOD), encoding="utf-8")

    assert validate("--", "-a.ndjson").stdout.startswith("-a.ndjson: 1 payload\n")
