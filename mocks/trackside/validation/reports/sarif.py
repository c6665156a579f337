"""SARIF 2.1.0, as GitHub's code scanning and other viewers read it.

Source: docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from trackside import __version__, codes
from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding, Level
from trackside.validation.reports.fingerprints import Fingerprints
from trackside.validation.reports.places import Names, checkout, end_column, is_no_file
from trackside.validation.reports.sinks import Writer, dumps
from trackside.validation.run import Summary

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: dict[Level, str] = {"strict": "error", "warn": "warning"}


class Report:
    """Writes a log of one run: results as they come, then the rules that they name.

    Args:
        file: where it goes.
    """

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._names, self._fingerprints = Names(checkout()), Fingerprints()
        self._rules: dict[str, tuple[int, Level]] = {}
        self._before = "\n"
        head = dumps({"$schema": SCHEMA, "version": "2.1.0"}).removesuffix("}")
        file.write(f'{head},"runs":[{{"columnKind":"unicodeCodePoints","results":[')

    def finding(self, finding: Finding) -> None:
        """Write a finding as a result."""
        number, _ = self._rules.setdefault(finding.code, (len(self._rules), finding.level))
        name = self._names[finding.file]
        row = {
            "ruleId": finding.code,
            "ruleIndex": number,
            "level": LEVELS[finding.level],
            "message": {"text": _message(finding.message)},
            "locations": [_location(finding, name)],
            "partialFingerprints": {"trackside/v1": self._fingerprints.of(finding, name)},
        }
        self._file.write(self._before + dumps(row))
        self._before = ",\n"

    def file(self, result: FileResult) -> None:
        """Write nothing: results are findings."""

    def finish(self, summary: Summary) -> None:
        """Write the rules, and how the run ended."""
        rules = [_rule(code, level) for code, (_, level) in self._rules.items()]
        driver = {"name": "trackside", "version": __version__, "rules": rules}
        invocation = {
            "executionSuccessful": not summary.faults,
            "exitCode": summary.exit_code,
            "toolConfigurationNotifications": [_notification(fault) for fault in summary.faults],
        }
        self._file.write(f'\n],"tool":{dumps({"driver": driver})},"invocations":[{dumps(invocation)}]}}]}}\n')


def _location(finding: Finding, name: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(name)}
    places = {"startLine": finding.line, "startColumn": finding.column, "endColumn": end_column(finding)}
    if finding.line:
        physical["region"] = {key: value for key, value in places.items() if value}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.at:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.at}]
    return location


@cache
def _artifact(name: str) -> dict[str, str]:
    if is_no_file(name):
        return {"uri": name}
    if PurePath(name).is_absolute():
        return {"uri": PurePath(name).as_uri()}
    return {"uri": quote(os.fsencode(name)), "uriBaseId": "%SRCROOT%"}


def _rule(code: str, level: Level) -> dict[str, Any]:
    text, page = _explained(code)
    return {
        "id": code,
        "shortDescription": {"text": text.partition(". ")[0].rstrip(".") + "."},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[level]},
    }


def _explained(code: str) -> tuple[str, str]:
    """Return what a code means, in a sentence or two, and its page; of a user's own schema the keyword is explained."""
    try:
        return codes.find(code).text, codes.page(code)
    except TracksideError:
        text = codes.KEYWORDS.get(code.rpartition(".")[2], "A payload breaks what the run was told to hold it against.")
        return text, text


def _notification(fault: TracksideError) -> dict[str, Any]:
    return {"level": "error", "message": {"text": _message(str(fault))}}


def _message(text: str) -> str:
    """Return a text as a message, in which braces name arguments unless they are doubled."""
    return text.replace("{", "{{").replace("}", "}}")
