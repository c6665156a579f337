"""Old faults: a file that says which ones are known, so that only new ones are told.

A fault is known by its code, its file and its place without the numbers of items, and by how many of it there are: line
numbers do not matter, and one more than there were is told.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import orjson

from trackside import catalog
from trackside.cli.output import remark
from trackside.errors import TracksideError
from trackside.validation.findings import Finding
from trackside.validation.locate import line_and_column, offset_of
from trackside.validation.reports.places import Names, any_index
from trackside.validation.reports.sinks import ReportFile, dumps, number

if TYPE_CHECKING:
    from trackside.validation.run import Summary

CONTRACT = "trackside/baseline"
VERSION = 1


class Key(NamedTuple):
    """What makes faults the same one.

    Attributes:
        file: relative to the folder that the command runs in.
        code: as findings have it.
        at: the JSON path, ``[*]`` for each item.
    """

    file: str
    code: str
    at: str


class Baseline:
    """The known faults of a run.

    Args:
        name: the file that has them; empty for none.
        write_to: the file that they are written to, every fault that is found now; empty to write none.

    Raises:
        TracksideError: the file of known ones cannot be read, or is none.
    """

    def __init__(self, name: str = "", write_to: str = "") -> None:
        self._write_to = write_to
        self._left = _read(name) if name and not write_to else {}
        self._found: Counter[Key] = Counter()
        self._names = Names(str(Path.cwd()))

    def has(self, finding: Finding) -> bool:
        """Return whether a finding is known, as each one is that is written; it counts as one of those of its key."""
        if self._write_to:
            self._found[self._key(finding)] += 1
            return True
        if not self._left or not (left := self._left.get(key := self._key(finding))):
            return False
        self._left[key] = left - 1
        return True

    def close(self, summary: Summary) -> None:
        """Write what was found, unless not all could be read; or remark that known faults are gone.

        Args:
            summary: of the run; in files that it did not read nothing is gone.

        Raises:
            TracksideError: the file cannot be written.
        """
        if self._write_to and summary.faults:
            remark(f"{self._write_to} was not written, as not all could be checked")
        elif self._write_to:
            self._write()
            remark(f"wrote {number(self._found.total(), 'fault')} to {self._write_to}")
        elif gone := self._gone(summary):
            are = "is" if gone == 1 else "are"
            remark(f"{number(gone, 'fault')} of the baseline {are} gone; write it again with --write-baseline")

    def _key(self, finding: Finding) -> Key:
        return Key(self._file(finding.file), finding.code, any_index(finding.at))

    def _file(self, name: str) -> str:
        return self._names[name].encode("utf-8", "replace").decode()

    def _gone(self, summary: Summary) -> int:
        read = {self._file(result.file) for result in summary.files}
        return sum(count for key, count in self._left.items() if key.file in read)

    def _write(self) -> None:
        """Write each key on a line of its own, sorted, so that a diff tells what changed."""
        with ReportFile(Path(self._write_to)) as file:
            file.write(f'{{\n  "version": {VERSION},\n  "findings": [')
            for index, (key, count) in enumerate(sorted(self._found.items())):
                row = dumps({"file": key.file, "code": key.code, "at": key.at, "count": count})
                file.write(f",\n    {row}" if index else f"\n    {row}")
            file.write("\n  ]\n}\n" if self._found else "]\n}\n")


def _read(name: str) -> dict[Key, int]:
    """Return the counts of a file; of a key that stands twice, as after a merge, the larger one."""
    try:
        text = Path(name).read_bytes()
        baseline = orjson.loads(text)
    except OSError as error:
        what = f"the baseline cannot be read: {error.strerror or error}"
        raise TracksideError(what, name, "write it with --write-baseline") from error
    except orjson.JSONDecodeError as error:
        what, where = f"the baseline is not JSON: {error.msg}", f"{name}:{error.lineno}:{error.colno}"
        raise TracksideError(what, where, "mend it there, or write it again with --write-baseline") from error
    for fault in catalog.faults(CONTRACT, baseline, limit=1):
        raise _broken(name, text, fault)
    counts: dict[Key, int] = {}
    for row in baseline["findings"]:
        key = Key(row["file"], row["code"], row["at"])
        counts[key] = max(counts.get(key, 0), row["count"])
    return counts


def _broken(name: str, text: bytes, fault: catalog.Fault) -> TracksideError:
    told = text.decode()
    line, column = line_and_column(told, offset_of(told, fault.path))
    what = f"the file is no baseline: {fault.what} at {fault.at}"
    return TracksideError(what, f"{name}:{line}:{column}", "mend it there, or write it again with --write-baseline")
