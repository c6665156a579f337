"""The report for programs: one JSON document, which keeps the contract ``trackside/validation``."""

from __future__ import annotations

from typing import Any

from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports.sinks import Writer, dumps
from trackside.validation.run import Summary

VERSION = 1


class Report:
    """Writes a JSON document, each finding on a line of its own.

    Args:
        file: where it goes.
    """

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._before = "\n"
        file.write(f'{{"version":{VERSION},"findings":[')

    def finding(self, finding: Finding) -> None:
        """Write a finding."""
        self._file.write(self._before + dumps(finding.as_json()))
        self._before = ",\n"

    def file(self, result: FileResult) -> None:
        """Wait: what concerns several files may still add findings to this one."""

    def finish(self, summary: Summary) -> None:
        """Write what became of each file, and of all together."""
        files = ",".join("\n" + dumps(one.as_json()) for one in summary.files)
        self._file.write(f'\n],"files":[{files}\n],"summary":{dumps(_told(summary))}}}\n')


def _told(summary: Summary) -> dict[str, Any]:
    return {
        "files": len(summary.files),
        "payloads": sum(one.checked - one.others for one in summary.files),
        "strict": summary.strict,
        "warn": summary.warned,
        "baseline": summary.old,
        "exit_code": summary.exit_code,
        "faults": [_fault(one) for one in summary.faults],
    }


def _fault(fault: TracksideError) -> dict[str, str]:
    return {"what": fault.what, "where": fault.where, "fix": fault.fix}
