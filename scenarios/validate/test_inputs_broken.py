"""Texts that are no JSON, or not JSON that all readers take alike: told with their place, and all else is checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trackside.validation.findings import Finding
from trackside.validation.inputs import Source
from trackside.validation.options import Options
from trackside.validation.run import Run

TRACK = '{"type": "track", "event": "A", "userId": "u-1"}'
Told = Callable[..., list[Finding]]


class Kept:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.payloads = 0

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def file(self, result: Any) -> None:
        self.payloads += result.checked

    def finish(self, summary: Any) -> None:
        pass


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Return a function that checks a file of this text, and gives its findings; so many payloads must be checked."""

    def run(data: str | bytes, checked: int, name: str = "events.ndjson") -> list[Finding]:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        kept = Kept()
        Run(Options(), [kept]).over([Source(str(path))])
        assert kept.payloads == checked
        return kept.findings

    return run


def places(found: list[Finding]) -> list[tuple[str, int, int]]:
    return [(one.code.rpartition(".")[2], one.line, one.column) for one in found]


# ---- syntax


@pytest.mark.rule("trackside.input.json")
@pytest.mark.parametrize(
    ("line", "column", "what"),
    [
        ('{"type": "track" "event": 1}', 18, "unexpected character"),
        ('{"type": "track",}', 17, "trailing comma"),
        ('{"type": "tra', 14, "unexpected end of data"),
        ('{"é": tru}', 7, "literal"),
        ('{"a": 1}{"b": 2}', 9, "unexpected content"),
        ("{'a': 1}", 2, "unexpected character"),
        ('{"a": 1e999}', 7, "infinity"),
        ('{"a": 012}', 7, "leading zero"),
        ('{"a": "\\ud800"}', 8, "surrogate"),
        ('{"a": "x\ty"}', 9, "control character"),
        ("[" * 100_000 + "]" * 100_000, 1_026, "too many levels"),
        ('{"a":' * 5_000, 3_820, "too many levels"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_json_is_told_and_the_others_are_checked(
    told: Told, line: str, column: int, what: str
) -> None:
    (found,) = told(f"{TRACK}\n\n{line}\n{TRACK}", 2)
    assert (found.code, found.line) == ("trackside.input.json", 3)
    assert what in found.text
    assert found.column == column or line.startswith('{"a":{') or what in ("literal", "too many levels")
    assert found.excerpt[found.caret :][:1] == line[found.column - 1 : found.column]


@pytest.mark.rule("trackside.input.json")
@pytest.mark.parametrize(
    ("text", "checked", "place", "what"),
    [
        (f"[{TRACK},\n {TRACK[:-1]}", 1, (2, 49), "delimiter"),
        (f"[{TRACK}\n {TRACK}]", 1, (2, 2), "no comma"),
        (f"[{TRACK}\n,]", 1, (2, 2), "a comma before the end"),
        (f"[{TRACK}\n", 1, (2, 1), "ends before its array does"),
        (f"[{TRACK},", 1, (1, 51), "ends before its array does"),
        (f"[{TRACK}\n]  x", 1, (2, 4), "more after the end"),
        ("[\n", 0, (2, 1), "ends before its array does"),
        (f"[,{TRACK}]", 0, (1, 2), "expecting value"),
        ("[nul]", 0, (1, 2), "expecting value"),
    ],
)
def test_a_broken_array_is_checked_up_to_there(
    told: Told, text: str, checked: int, place: tuple[int, int], what: str
) -> None:
    (found,) = told(text, checked, "events.json")
    assert (found.code, found.line, found.column) == ("trackside.input.json", *place)
    assert what in found.text
    assert found.fix == "mend it there; what follows was not read"


@pytest.mark.rule("trackside.input.json")
@pytest.mark.parametrize("levels", [300, 100_000])
def test_an_element_of_too_many_levels_does_not_hide_the_next_ones(told: Told, levels: int) -> None:
    deep = '{"type": "track", "event": "A", "userId": "u-1", "properties": {"a":' + "[" * levels + "]" * levels + "}}"
    found = told(f"[{TRACK},\n{deep},\n{TRACK}]", 3 if levels < 1_000 else 2, "events.json")
    assert places(found) == ([] if levels < 1_000 else [("json", 2, 1)])


@pytest.mark.rule("trackside.input.json")
def test_what_only_our_parser_refuses_in_an_element_hides_no_other_element(told: Told) -> None:
    huge = '{"type": "track", "event": "A", "userId": "u-1", "n": ' + "9" * 5_000 + "}"
    found = told(f'[{TRACK}, {{"a": "\t"}},\n{{"a": "\\ud800"}}, {huge}, {TRACK}]', 2, "events.json")
    assert [(one.code, one.line, one.at) for one in found] == [
        ("trackside.input.json", 1, "$[1]"),
        ("trackside.input.json", 2, "$[2]"),
        ("trackside.input.json", 2, "$[3]"),
    ]


@pytest.mark.rule("trackside.input.json")
def test_a_document_that_is_no_json_is_told_with_its_line(told: Told) -> None:
    (found,) = told('{\n  "batch": [\n    {"type": track}\n  ]\n}', 0, "events.json")
    assert (found.code, found.line, found.excerpt) == ("trackside.input.json", 3, '    {"type": track}')


def test_numbers_of_any_length_are_read(told: Told) -> None:
    huge = '{"type": "track", "event": "A", "userId": "u-1", "n": ' + "9" * 200 + ", " + '"n": 1}'
    assert places(told(huge, 1)) == [("duplicate-key", 1, len(huge) - 6)]


@pytest.mark.rule("trackside.input.json")
def test_a_type_that_is_no_text_upsets_nothing(told: Told) -> None:
    lines = [TRACK, '{"type": ["track"], "userId": "u"}', '{"type": {"a": 1}, "userId": "u"}', TRACK]
    assert [one.code for one in told("\n".join(lines), 4)] == ["segment/call.enum"] * 2


# ---- constants


@pytest.mark.rule("trackside.input.nan")
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_told_where_it_stands(told: Told, value: str) -> None:
    line = f'{{"NaN": "Infinity", "é\\"NaN": "-NaN", "n": [1, {value}]}}'
    (found,) = told(f"{TRACK}\n{line}\n{TRACK}", 2)
    assert (found.code, found.line) == ("trackside.input.nan", 2)
    assert found.text == f"{value} is no JSON value"
    assert line[found.column - 1 :].startswith(f"{value}]")


@pytest.mark.rule("trackside.input.nan")
def test_it_is_told_in_an_array_and_in_a_document_too(told: Told) -> None:
    assert places(told(f'[{TRACK},\n {{"a": NaN}},\n {TRACK}]', 2, "a.json")) == [("nan", 2, 8)]
    assert places(told('{\n "a": Infinity\n}', 0, "b.json")) == [("nan", 2, 7)]


# ---- encoding


@pytest.mark.rule("trackside.input.encoding")
@pytest.mark.parametrize("broken", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf5\x80\x80\x80"])
def test_a_byte_that_breaks_utf_8_is_told_with_its_offset(told: Told, broken: bytes) -> None:
    line = b'{"event": "\xc3\xa9' + broken + b'"}'
    (found,) = told(TRACK.encode() + b"\n" + line + b"\n" + TRACK.encode(), 2)
    assert (found.code, found.line, found.column) == ("trackside.input.encoding", 2, 13)
    assert found.text == f"the text is not UTF-8: byte 0x{broken[0]:02x} at offset 13"


@pytest.mark.rule("trackside.input.encoding")
def test_an_element_that_breaks_utf_8_hides_no_other_element(told: Told) -> None:
    track = TRACK.encode()
    assert places(told(b"[" + track + b',\n{"a": "\xff"},\n' + track + b"]", 2, "a.json")) == [("encoding", 2, 8)]


@pytest.mark.rule("trackside.input.encoding")
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32"),
        ("utf-32-le", "UTF-32"), ("utf-32-be", "UTF-32"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", [TRACK, f"[{TRACK}]"])
def test_another_encoding_is_named(told: Told, encoding: str, name: str, text: str) -> None:
    (found,) = told(text.encode(encoding), 0)
    assert (found.code, found.text) == ("trackside.input.encoding", f"the file is {name}")


@pytest.mark.rule("trackside.input.encoding")
def test_a_picture_is_one_fault_and_not_one_for_each_line(told: Told) -> None:
    assert len(told(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\n\0x" * 500, 0)) == 1


@pytest.mark.rule("trackside.input.json")
def test_a_zero_byte_in_one_line_is_a_fault_of_that_line(told: Told) -> None:
    assert places(told(TRACK.encode() + b"\n{\0}\n" + TRACK.encode(), 2)) == [("json", 2, 2)]


# ---- keys given twice


@pytest.mark.rule("trackside.input.duplicate-key")
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('{"a": 1, "a": 2, "userId": "u"}', "$.a"),
        ('{"p": {"q": [{"z": 1, "z": 2}]}}', "$.p.q[0].z"),
        ('{"userId": 1, "\\u0075serId": 2}', "$.userId"),
        ('{"a": "\\u0022", "b": "\\u0022", "b": 1}', "$.b"),
        ('{"a": "\\u003a", "b": 2, "b": 1}', "$.b"),
        ('{"a": "\\u003A", "b": 2, "b": 1}', "$.b"),
        ('{"a\\"": 1, "a\\u0022": "\\u0022\\u0022"}', '$["a\\""]'),
        ('{"": 1, "": 2}', '$[""]'),
    ],
)
@pytest.mark.parametrize("form", ["line", "element", "document"])
def test_a_key_that_is_given_twice_is_told_at_its_last_place(told: Told, text: str, at: str, form: str) -> None:
    files = {
        "line": (f"{TRACK}\n{text}\n", "a.ndjson"),
        "element": (f"[{TRACK}, {text}]", "a.json"),
        "document": (text.replace(", ", ",\n"), "b.json"),
    }
    data, name = files[form]
    kept = [one for one in told(data, 2 if form != "document" else 1, name) if "duplicate" in one.code]
    assert [one.at for one in kept] == [f"$[1]{at[1:]}" if form == "element" else at]
    key = kept[0].excerpt[kept[0].caret :]
    assert key.startswith('"')
    assert text.count(key[:3]) >= 1


@pytest.mark.rule("trackside.input.duplicate-key")
def test_equal_keys_of_different_objects_are_no_fault(told: Told) -> None:
    call = {"type": "track", "event": 'a "b"', "userId": "u", "properties": {"event": '"', "p": [{"a": 1}, {"a": 2}]}}
    lines = (json.dumps(call), json.dumps(call).replace('\\"', "\\u0022"))
    assert told("\n".join(lines), 2) == []


@pytest.mark.rule("trackside.input.duplicate-key")
@pytest.mark.parametrize("levels", [250, 300, 400])
def test_keys_are_looked_at_at_any_level(told: Told, levels: int) -> None:
    text = '{"a": ' * levels + '{"b": 1, "b": 2}' + "}" * levels
    found = [one for one in told(f"{TRACK}\n{text}", 2) if "duplicate" in one.code]
    assert [(one.at.count(".a"), one.at.endswith(".b")) for one in found] == [(levels, True)]


# ---- no contract


@pytest.mark.rule("trackside.input.no-contract")
def test_a_payload_of_no_known_form_is_told_with_contracts_that_come_near(told: Told) -> None:
    first, second = told('{"nobody": 1}\n{"userId": "u-1", "groupID": "g"}', 2)
    assert (first.code, first.fix) == ("trackside.input.no-contract", "name one with --contract")
    assert second.fix.startswith("name one with --contract, such as segment/")
