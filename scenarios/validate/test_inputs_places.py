"""Places in files, held against slow and simple references: random JSON, written at random, read in random blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.catalog import json_path
from trackside.validation import inputs
from trackside.validation.arrays import ArrayReader
from trackside.validation.broken import keys_twice, may_have_twice
from trackside.validation.findings import Finding
from trackside.validation.locate import WIDTH, Located, excerpt, line_and_column, offset_of, parts_of
from trackside.validation.parts import Document, Elements, Lines
from trackside.validation.reading import Reader

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ('"', "\\", "\n", "\u2028", "[", "}", "a.b")
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
BLANKS = st.text(st.sampled_from(" \t\n\r"), max_size=3)
LIMIT = 1_000_000


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """Draw how a value may be written: blanks anywhere, any character of a text as an escape."""

    def blank() -> str:
        return draw(BLANKS)

    def text(one: str) -> str:
        return json.dumps(one, ensure_ascii=draw(st.booleans()))

    def write(one: Any) -> str:
        if isinstance(one, dict):
            members = (f"{blank()}{text(key)}{blank()}:{blank()}{write(inner)}{blank()}" for key, inner in one.items())
            return "{" + (",".join(members) or blank()) + "}"
        if isinstance(one, list):
            return "[" + (",".join(f"{blank()}{write(inner)}{blank()}" for inner in one) or blank()) + "]"
        return text(one) if isinstance(one, str) else json.dumps(one)

    return f"{blank()}{write(value)}{blank()}"


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield each place of a value."""
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from paths(inner, (*path, key))


def reader(data: bytes, sizes: list[int]) -> tuple[bytes, Reader]:
    """Return the first block of data, and what reads the others; the last size is used on."""
    blocks = []
    at = 0
    while at < len(data):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        blocks.append(data[at : at + size])
        at += size
    return b"".join(blocks[:1]), Reader(iter(blocks[1:]))


def elements(array: ArrayReader) -> list[Document | Finding]:
    """Return the elements of an array, and what is wrong with it."""
    found: list[Document | Finding] = []
    for part in array.parts(lambda _: False):
        assert isinstance(part, (Elements, Finding))
        found += part.documents if isinstance(part, Elements) else (part,)
    return found


# ---- places in a document


@settings(deadline=None)
@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), written(value))))
def test_a_path_leads_to_its_value(drawn: tuple[Any, str]) -> None:
    value, text = drawn
    document = Located(text)
    for path, wanted in paths(value):
        offset = document.offset_of(path)
        assert offset == offset_of(text, path)
        found, end = json.JSONDecoder(strict=False).raw_decode(text, offset)
        if path and isinstance(path[-1], str):  # a member is told by its key
            assert found == path[-1]
            colon = text.index(":", end)
            found = json.JSONDecoder(strict=False).raw_decode(
                text, colon + 1 + len(text[colon + 1 :]) - len(text[colon + 1 :].lstrip(" \t\r\n"))
            )[0]
        assert found == wanted


@given(st.text(st.sampled_from("a\n\r é😀"), max_size=30), st.data())
def test_line_and_column_count_as_a_person_does(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    line, column = line_and_column(text, offset)
    assert line == text[:offset].count("\n") + 1
    assert column == len(text[:offset].rsplit("\n", maxsplit=1)[-1]) + 1
    shown, caret = excerpt(text, offset)
    whole = text.split("\n")[line - 1]
    assert shown == whole.removesuffix("\r")
    assert caret == column - 1


@given(st.integers(0, 500), st.integers(0, 500), st.data())
def test_an_excerpt_is_as_wide_as_a_screen_and_shows_the_place(before: int, after: int, data: st.DataObject) -> None:
    line = "".join(chr(ord("a") + index % 26) for index in range(before + after + 1))
    text = data.draw(st.sampled_from(("", "x\n", "x" * 300 + "\n"))) + line + data.draw(st.sampled_from(("", "\ny")))
    offset = text.index(line) + before
    shown, caret = excerpt(text, offset)
    assert shown[caret] == text[offset]
    assert len(shown) <= WIDTH + 2
    assert shown.strip("…") in line


@given(st.lists(TEXTS | st.integers(0, 10**6) | st.characters(codec="utf-8"), max_size=5))
def test_a_path_is_read_back_as_it_was_written(path: list[str | int]) -> None:
    assert parts_of(json_path(path)) == tuple(path)


@pytest.mark.parametrize("place", ["$.", "$[", "$['a']", "$..a", "$[x]", '$["a', "$.a b"])
def test_what_is_no_path_leads_nowhere(place: str) -> None:
    assert parts_of(place) in ((), ("a b",))


@given(written(["x", {"a": [1]}]), st.lists(st.sampled_from(("x", "a", 0, 1, 9)), min_size=1, max_size=4))
def test_a_path_that_leads_nowhere_leads_to_what_is_around_it(text: str, path: list[str | int]) -> None:
    assert 0 <= offset_of(text, path) < len(text)


# ---- arrays in blocks


@settings(deadline=None)
@given(
    st.lists(VALUES, max_size=6).flatmap(lambda value: st.tuples(st.just(value), written(value))),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_an_array_in_any_blocks_has_the_elements_that_it_has_as_a_whole(
    drawn: tuple[list[Any], str], sizes: list[int]
) -> None:
    values, text = drawn
    data = text.encode()
    begin, rest = reader(data, sizes)
    while b"[" not in begin:
        begin += rest.read()
    found = elements(ArrayReader("a.json", rest, begin, LIMIT))
    documents = [one for one in found if isinstance(one, Document)]
    assert [json.loads(one.data) for one in documents] == values
    assert [one.at for one in documents] == [f"$[{index}]" for index in range(len(values))]
    for index, one in enumerate(documents):
        assert (one.line, one.column) == line_and_column(text, offset_of(text, [index]))
    assert all(isinstance(one, Document) for one in found) or not values


@pytest.mark.parametrize("size", range(1, 12))
def test_a_number_is_not_cut_where_a_block_ends(size: int) -> None:
    begin, rest = reader(b"[1.25, -2e-3,10 ,1E+2]", [1, size])
    found = elements(ArrayReader("a.json", rest, begin, LIMIT))
    assert [one.data for one in found if isinstance(one, Document)] == [b"1.25", b"-2e-3", b"10", b"1E+2"]


def test_a_number_that_never_ends_is_told_where_it_stands() -> None:
    (number, found) = elements(ArrayReader("a.json", Reader(iter(())), b"[  12.5e,\n16]", LIMIT))
    assert isinstance(number, Document)
    assert isinstance(found, Finding)
    assert (number.data, found.line, found.column) == (b"12.5", 1, 8)


@settings(deadline=None)
@given(
    st.lists(VALUES, min_size=1, max_size=4).flatmap(written),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
    st.data(),
)
def test_a_broken_array_in_any_blocks_is_told_once_and_ends(text: str, sizes: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(text.index("[") + 1, len(text)))
    broken = text[:at] + data.draw(st.sampled_from(("", ",", "]", "}", '"', ":", "x", "\\"))) + text[at + 1 :]
    begin, rest = reader(broken.encode(), sizes)
    while b"[" not in begin:
        begin += rest.read()
    found = elements(ArrayReader("a.json", rest, begin, LIMIT))
    faults = [one for one in found if isinstance(one, Finding)]
    lines = broken.count("\n") + 1
    assert all(1 <= one.line <= lines for one in faults)
    try:
        whole = json.loads(broken, strict=False)
    except ValueError:
        assert [one.code for one in faults] == ["trackside.input.json"]
    else:
        assert [json.loads(one.data, strict=False) for one in found if isinstance(one, Document)] == whole


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from('ab"\\[]{}, \n'), max_size=60), min_size=3, max_size=5),
    st.lists(st.integers(1, 30), min_size=1, max_size=10),
    st.integers(8, 40),
)
def test_elements_over_the_limit_are_passed_over_in_any_blocks(values: list[str], sizes: list[int], limit: int) -> None:
    text = json.dumps([{"a": value} for value in values])
    begin, rest = reader(text.encode(), sizes)
    found = elements(ArrayReader("a.json", rest, begin, limit))
    long = [index for index, value in enumerate(values) if len(json.dumps({"a": value})) > limit]
    assert [one.at for one in found if isinstance(one, Finding)] == [f"$[{index}]" for index in long]
    assert [one.at for one in found if isinstance(one, Document)] == [
        f"$[{index}]" for index in range(len(values)) if index not in long
    ]


# ---- lines in blocks


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=12),
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(1, 25),
)
def test_lines_in_any_blocks_keep_their_numbers(lines: list[bytes], sizes: list[int], limit: int) -> None:
    begin, rest = reader(b"\n".join(lines), sizes)
    found = list(inputs._lines("a.ndjson", rest, begin, limit))  # noqa: SLF001 - no file has such blocks
    told: dict[int, bytes | None] = {}
    for one in found:
        assert isinstance(one, (Lines, Finding))
        if isinstance(one, Finding):
            told[one.line] = None
        else:
            told.update(enumerate(one.data.split(b"\n"), one.line))
    wanted = {number: line if len(line) <= limit else None for number, line in enumerate(lines, 1)}
    assert {number: line for number, line in wanted.items() if line != b""} == {
        number: line for number, line in told.items() if line != b""
    }


# ---- keys given twice


def twice(text: str) -> list[str]:
    """Return the places of keys given twice, found the slow way: each object's own keys, in values that count."""
    found: list[str] = []

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, tuple):
            keys = [key for key, _ in value]
            found.extend(json_path((*path, key)) for key in dict.fromkeys(keys) if keys.count(key) > 1)
            for key, inner in dict(value).items():
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, (*path, index))

    walk(json.loads(text, object_pairs_hook=tuple), ())
    return found


@st.composite
def with_equal_keys(draw: st.DrawFn) -> str:
    """Draw an object as text, in which keys may stand twice, in different spellings."""
    keys = st.sampled_from(("a", "b", 'q"', "é", ""))

    def write(levels: int) -> str:
        if levels == 0 or draw(st.booleans()):
            return draw(
                st.sampled_from(
                    (
                        "1",
                        '"x"',
                        '":"',
                        '"\\u003a"',
                        '"\\u003A"',
                        '"\\u0022"',
                        '"\\u0022\\u0022\\""',
                        '"\\\\u0022"',
                        "null",
                        "[]",
                        '["\\""]',
                    )
                )
            )
        members = []
        for _ in range(draw(st.integers(0, 4))):
            key = json.dumps(draw(keys))
            spelled = draw(st.sampled_from((key, key.replace("a", "\\u0061"), key.replace('\\"', "\\u0022"))))
            members.append(f"{spelled}: {write(levels - 1)}")
        return draw(st.sampled_from(("{%s}", "[{%s}]"))) % ", ".join(members)

    return write(3)


@settings(deadline=None, max_examples=400)
@given(with_equal_keys())
def test_keys_given_twice_are_those_that_a_slow_search_finds(text: str) -> None:
    wanted = twice(text)
    found = [json_path(problem.path) for problem in keys_twice(text.encode())]
    assert sorted(found) == sorted(wanted)
    if wanted:
        assert may_have_twice(text.encode(), orjson.loads(text))


@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), written(value))))
def test_a_text_without_equal_keys_is_seldom_looked_at(drawn: tuple[Any, str]) -> None:
    _, text = drawn
    assert list(keys_twice(text.encode())) == []
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError:  # a number that orjson does not take
        return
    if "\\u003" not in text:
        assert not may_have_twice(text.encode(), payload)
