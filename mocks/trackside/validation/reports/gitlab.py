"""GitLab's Code Quality report: a JSON array of the fields that its page names.

Source: docs.gitlab.com/ci/testing/code_quality, "Code Quality report format". It shows one of several entries with the
same fingerprint.
"""

from __future__ import annotations

from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports.fingerprints import Fingerprints
from trackside.validation.reports.places import Names, checkout
from trackside.validation.reports.sinks import Writer, dumps
from trackside.validation.run import Summary

SEVERITIES = {"strict": "major", "warn": "minor"}


class Report:
    """Writes a JSON array, each finding on a line of its own.

    Args:
        file: where it goes.
    """

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._names, self._fingerprints = Names(checkout()), Fingerprints()
        self._before = "\n"
        file.write("[")

    def finding(self, finding: Finding) -> None:
        """Write a finding; one without a line is told at the first."""
        path = self._names[finding.file]
        row = {
            "description": finding.message,
            "check_name": finding.code,
            "fingerprint": self._fingerprints.of(finding, path),
            "severity": SEVERITIES[finding.level],
            "location": {"path": path, "lines": {"begin": finding.line or 1}},
        }
        self._file.write(self._before + dumps(row))
        self._before = ",\n"

    def file(self, result: FileResult) -> None:
        """Write nothing: the format has findings only."""

    def finish(self, summary: Summary) -> None:  # noqa: ARG002 - as every report's
        """Write the end."""
        self._file.write("\n]\n")
