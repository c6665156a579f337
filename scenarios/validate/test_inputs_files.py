"""Files of payloads as people have them: lines, arrays, documents, packed or not, in folders, by pattern, on a pipe."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from trackside.validation import inputs
from trackside.validation.detection import is_whole
from trackside.validation.findings import Finding
from trackside.validation.inputs import Source, parts, sources
from trackside.validation.parts import Document, Elements, Lines, Part

TRACK = {"type": "track", "event": "Order Completed", "userId": "u-1"}
LINE = json.dumps(TRACK).encode()
LIMIT = 10_000


@pytest.fixture
def cut(tmp_path: Path) -> Callable[..., list[Part]]:
    """Return a function that writes a file and gives its parts."""

    def run(data: bytes, name: str = "events.json", limit: int = LIMIT) -> list[Part]:
        path = tmp_path / name
        path.write_bytes(data)
        return list(parts(Source(str(path)), limit, is_whole))

    return run


def lines_of(found: list[Part]) -> list[tuple[int, bytes]]:
    """Return the lines of parts that hold some, each with its number."""
    return [
        (number, line)
        for part in found
        if isinstance(part, Lines)
        for number, line in enumerate(part.data.split(b"\n"), part.line)
    ]


def documents(found: list[Part]) -> list[tuple[str, int, int, Any]]:
    """Return place and payload of each document, those of an array too."""
    held = [one for part in found for one in (part.documents if isinstance(part, Elements) else (part,))]
    return [(one.at, one.line, one.column, json.loads(one.data)) for one in held if isinstance(one, Document)]


def codes(found: list[Part]) -> list[str]:
    return [one.code for one in found if isinstance(one, Finding)]


# ---- lines, arrays, documents


def test_a_payload_on_each_line_is_told_by_its_second_line(cut) -> None:
    assert lines_of(cut(LINE + b"\n" + LINE + b"\n")) == [(1, LINE), (2, LINE)]


@pytest.mark.parametrize("name", ["events.ndjson", "events.jsonl", "EVENTS.NDJSON", "events.ndjson.gz"])
def test_the_name_tells_lines_where_there_is_one_only(cut, name: str) -> None:
    assert lines_of(cut(LINE, name)) == [(1, LINE)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_blank_lines_and_a_missing_last_line_break_change_no_number(cut, end: bytes) -> None:
    data = end.join((b"", LINE, b"", b"  ", LINE, LINE))
    told = [(number, line.strip()) for number, line in lines_of(cut(data)) if line.strip()]
    assert told == [(2, LINE), (5, LINE), (6, LINE)]


def test_a_byte_order_mark_is_passed_over(cut) -> None:
    assert lines_of(cut(b"\xef\xbb\xbf" + LINE + b"\n" + LINE)) == [(1, LINE), (2, LINE)]
    assert documents(cut(b"\xef\xbb\xbf[" + LINE + b"]")) == [("$[0]", 1, 2, TRACK)]
    assert documents(cut(b"\xef\xbb\xbf" + LINE)) == [("$", 1, 1, TRACK)]


def test_lines_whose_first_one_is_broken_are_lines_still(cut) -> None:
    assert len(lines_of(cut(b'{"type": "tra\n' + LINE + b"\n"))) == 2
    assert len(lines_of(cut(b'{"type": \n' + LINE + b"\n" + LINE + b"\n"))) == 3
    assert len(lines_of(cut(b"\n\n\n\nbroken\n\n" + LINE + b"\n"))) == 7


@pytest.mark.parametrize("indent", [0, 1, 4])
def test_a_document_on_several_lines_is_one(cut, indent: int) -> None:
    batch = {"batch": [TRACK], "writeKey": "wk"}
    assert documents(cut(json.dumps(batch, indent=indent).encode())) == [("$", 1, 1, batch)]
    one_call_a_line = b'{"batch": [\n' + LINE + b"\n]}"
    assert documents(cut(one_call_a_line)) == [("$", 1, 1, {"batch": [TRACK]})]


def test_the_elements_of_an_array_are_payloads_with_places_of_their_own(cut) -> None:
    data = b"[" + LINE + b",\n  " + LINE + b"\n, " + LINE + b"]\n"
    assert documents(cut(data)) == [("$[0]", 1, 2, TRACK), ("$[1]", 2, 3, TRACK), ("$[2]", 3, 3, TRACK)]


def test_an_array_with_an_element_on_each_line_is_an_array(cut) -> None:
    assert [at for at, *_ in documents(cut(b"[\n" + LINE + b",\n" + LINE + b"\n]"))] == ["$[0]", "$[1]"]
    assert [at for at, *_ in documents(cut(b"[\n" + LINE + b"\n]"))] == ["$[0]"]


def test_an_array_that_is_one_payload_stays_whole(cut) -> None:
    events = [{"kind": "identify", "creationDate": 1}, {"kind": "click"}]
    assert documents(cut(json.dumps(events).encode())) == [("$", 1, 1, events)]


@pytest.mark.rule("trackside.input.empty")
@pytest.mark.parametrize("data", [b"", b" \n\n", b"\xef\xbb\xbf", b"[]", b" [ \n ] "])
def test_a_file_without_payloads_is_a_warning(cut, data: bytes) -> None:
    (found,) = cut(data)
    assert isinstance(found, Finding)
    assert (found.code, found.level) == ("trackside.input.empty", "warn")


# ---- packed


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.rule("trackside.input.packed")
@pytest.mark.parametrize("pack", [gzip.compress, zst])
@pytest.mark.parametrize("name", ["events.ndjson.gz", "events.ndjson.zst", "events.ndjson", "events"])
def test_packed_files_are_known_by_their_bytes_and_may_have_several_members(cut, pack, name: str) -> None:
    data = pack(LINE + b"\n") + pack(b"") + pack(LINE + b"\n" + LINE)
    assert [number for number, _ in lines_of(cut(data, name))] == [1, 2, 3]


@pytest.mark.rule("trackside.input.packed")
@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_of_a_packed_file_that_is_cut_short_the_whole_lines_are_checked(cut, pack) -> None:
    lines = [b'{"type":"track","userId":"%d"}' % (number * 7919) for number in range(20_000)]
    packed = pack(b"\n".join(lines))
    found = cut(packed[: len(packed) // 2])
    told = lines_of(found)
    assert 1_000 < len(told) < len(lines)
    assert told == list(enumerate(lines[: len(told)], 1))
    (fault,) = [one for one in found if isinstance(one, Finding)]
    assert (fault.code, fault.line) == ("trackside.input.packed", len(told) + 1)
    assert "ends before" in fault.message


@pytest.mark.rule("trackside.input.packed")
def test_all_that_a_cut_gzip_file_holds_is_unpacked(cut) -> None:
    found = cut(gzip.compress((LINE + b"\n") * 100_000)[:-8], limit=10_000_000)
    assert sum(len(one.data.split(b"\n")) for one in found if isinstance(one, Lines)) == 100_000


@pytest.mark.rule("trackside.input.packed")
@pytest.mark.parametrize("pack", [gzip.compress, zst])
@pytest.mark.parametrize("text", [LINE, b"[" + LINE + b"," + LINE + b"]", b'{"batch": [' + LINE + b"]}"])
def test_a_packed_document_that_is_cut_short_is_no_second_fault(cut, pack, text: bytes) -> None:
    assert codes(cut(pack(text)[:-12])) == ["trackside.input.packed"]


@pytest.mark.rule("trackside.input.packed")
@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(LINE) + b"garbage",
        gzip.compress(LINE)[:-8] + b"\0" * 8,
        zst(LINE) + b"garbage",
        zst(LINE)[:4] + b"\xff" * 20,
        b"\x1f\x8b",
        b"\x1f\x8b\xff\xff\xff\xff",
        b"\x28\xb5\x2f\xfd",
    ],
    ids=["more gzip", "gzip sums", "more zstd", "zstd", "gzip head", "gzip flags", "zstd head"],
)
def test_broken_packing_is_told(cut, data: bytes) -> None:
    assert codes(cut(data, "events.ndjson")) == ["trackside.input.packed"]


def test_zeros_behind_a_gzip_file_are_padding(cut) -> None:
    assert codes(cut(gzip.compress(LINE) + b"\0" * 5_000)) == []


# ---- too long


@pytest.mark.rule("trackside.input.too-long")
@pytest.mark.parametrize("name", ["events.ndjson", "events"])
@pytest.mark.parametrize("size", [LIMIT + 1, 3_000_000])
def test_a_line_over_the_limit_is_passed_over_and_the_numbers_of_the_others_stay(cut, name: str, size: int) -> None:
    long = b'{"a": "' + b"x" * size + b'"}'
    found = cut(b"\n".join((LINE, LINE, long, LINE, b"", long, LINE)), name)
    assert [number for number, line in lines_of(found) if line] == [1, 2, 4, 7]
    assert [(one.code, one.line) for one in found if isinstance(one, Finding)] == [
        ("trackside.input.too-long", 3),
        ("trackside.input.too-long", 6),
    ]


@pytest.mark.rule("trackside.input.too-long")
def test_a_first_line_over_the_limit_keeps_no_other_line_from_being_read(cut) -> None:
    found = cut(b'{"a": "' + b"x" * 2_000_000 + b'"}\n' + LINE + b"\n" + LINE, "events")
    assert codes(found) == ["trackside.input.too-long"]
    assert [number for number, _ in lines_of(found)] == [2, 3]


@pytest.mark.rule("trackside.input.too-long")
@pytest.mark.parametrize("filler", ["x", '"', "\\", "]", "é", ","])
def test_an_element_over_the_limit_is_passed_over_and_the_next_ones_are_read(cut, filler: str) -> None:
    long = {"a": [filler * (LIMIT + 1), {"b": filler}]}
    data = json.dumps([TRACK, long, TRACK], ensure_ascii=False).replace("}, {", "},\n{").encode()
    found = cut(data)
    assert [(at, payload) for at, _, _, payload in documents(found)] == [("$[0]", TRACK), ("$[2]", TRACK)]
    (fault,) = [one for one in found if isinstance(one, Finding)]
    assert (fault.code, fault.line, fault.column, fault.at) == ("trackside.input.too-long", 2, 1, "$[1]")


@pytest.mark.rule("trackside.input.too-long")
def test_a_document_over_the_limit_is_not_read(cut) -> None:
    assert codes(cut(json.dumps({"batch": [TRACK] * 1_000}, indent=1).encode())) == ["trackside.input.too-long"]


# ---- names


def test_a_folder_gives_the_files_of_payloads_in_it(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.ndjson.gz", "a/d.jsonl", "x.har", "readme.md", ".git/e.json", "node_modules/f.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    found, faults = sources([str(tmp_path)])
    assert [Path(one.name).relative_to(tmp_path).as_posix() for one in found] == [
        "a/c.ndjson.gz",
        "a/d.jsonl",
        "b.json",
        "x.har",
    ]
    assert faults == []


def test_patterns_and_names_give_each_file_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "b.json", "c[1].json", "sub/d.json"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"{}")
    found, faults = sources(["*.json", "./a.json", "sub/../b.json", "c[1].json", "**/d.json"])
    assert [one.name for one in found] == ["a.json", "b.json", "c[1].json", "sub/d.json"]
    assert faults == []


@pytest.mark.parametrize(
    "name",
    ["missing.json", "*.nothing", "a/b/c", "x" * 5_000, "a\0b"],
    ids=["plain", "pattern", "folders", "long", "zero"],
)
def test_a_name_without_a_file_is_wrong_use(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    found, faults = sources([name])
    assert found == []
    assert [(one.what, one.where) for one in faults] == [("there is no such file", name)]
    assert "or - for standard input" in faults[0].fix


def test_a_folder_without_payloads_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("")
    assert [one.what for one in sources([str(tmp_path)])[1]] == ["no file in the folder is one of payloads"]


@pytest.mark.rule("trackside.input.unreadable")
@pytest.mark.parametrize("kind", ["vanished", "folder", "dangling"])
def test_a_file_that_cannot_be_read_is_a_fault_of_its_own(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "events.ndjson"
    if kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
        assert [one.name for one in sources([str(path)])[0]] == [str(path)]
    assert codes(list(parts(Source(str(path)), LIMIT, is_whole))) == ["trackside.input.unreadable"]


@pytest.mark.rule("trackside.input.unreadable")
def test_the_other_files_are_checked(validate) -> None:
    Path("good.ndjson").write_bytes(LINE + b"\n")
    Path("gone.json").symlink_to("nowhere")
    result = validate("good.ndjson", "gone.json", "good.ndjson")
    assert result.exit_code == 1
    assert "gone.json: strict trackside.input.unreadable" in result.output
    assert "1 segment/track, as type is track" in result.output


@pytest.mark.parametrize("text", [LINE.decode(), f"[{LINE.decode()}]", f"{LINE.decode()}\n{LINE.decode()}"])
def test_standard_input_is_read_like_a_file(validate, text: str) -> None:
    result = validate("-", stdin=text)
    assert result.exit_code == 0
    assert "segment/track, as type is track" in result.output


def test_standard_input_that_is_closed_is_told(validate, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert codes(list(parts(Source("-"), LIMIT, is_whole))) == ["trackside.input.unreadable"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_whose_writer_is_slow_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events"
    os.mkfifo(path)
    packed = gzip.compress(LINE + b"\n" + LINE)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for byte in packed:
                file.write(bytes((byte,)))

    writer = threading.Thread(target=write)
    writer.start()
    found = list(parts(Source(str(path)), LIMIT, is_whole))
    writer.join(timeout=20)
    assert [number for number, _ in lines_of(found)] == [1, 2]


def test_input_that_comes_byte_by_byte_is_cut_like_any_other() -> None:
    class Slow(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = iter(data)

        def read1(self, _: int = -1) -> bytes:
            return bytes((byte,)) if (byte := next(self._data, None)) is not None else b""

    def found(data: bytes) -> Iterator[Part]:
        from trackside.validation.reading import Reader, _blocks, _unpacked

        return inputs._cut("events", Reader(_unpacked(_blocks(Slow(data)))), LIMIT, is_whole)  # noqa: SLF001 - a pipe of its own

    assert [line for _, line in lines_of(list(found(LINE + b"\n" + LINE)))] == [LINE, LINE]
    assert [at for at, *_ in documents(list(found(b"[" + LINE + b", " + LINE + b"]")))] == ["$[0]", "$[1]"]
    assert [number for number, _ in lines_of(list(found(zst(LINE + b"\n" + LINE))))] == [1, 2]
