"""The report in JUnit's XML: a suite for each file, a failed test for each strict finding.

It keeps Jenkins' schema (junit-10.xsd) and Ant's (JUnit.xsd), which asks for more attributes and allows fewer elements.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from io import StringIO
from tempfile import SpooledTemporaryFile
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from trackside import __version__
from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding, counted
from trackside.validation.reports.sinks import Writer, number
from trackside.validation.run import Summary

SPOOL = 1 << 20
"""Bytes that wait in memory for the count of tests, which stands before them; more of them wait on the disk."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Report:
    """Writes XML, suite by suite.

    A warning is a test that passes, and its text stands in the output of the suite.

    Args:
        file: where it goes.
    """

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._suites = 0
        self._suite: _Suite | None = None
        self._began = time.perf_counter()
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n')

    def finding(self, finding: Finding) -> None:
        """Take a finding."""
        self._suite_of(finding.file).finding(finding)

    def file(self, result: FileResult) -> None:
        """Write the suite of a file; where no finding is strict, with a test that passes."""
        self._suite_of(result.file).counts(result)
        self._end()

    def finish(self, summary: Summary) -> None:
        """Write what of the command could not be used, as tests with errors, and the end."""
        for fault in summary.faults:
            self._suite_of("trackside validate").fault(fault)
        self._end()
        self._file.write("</testsuites>\n")

    def _suite_of(self, name: str) -> _Suite:
        """Return the suite of a file; what is found in another one meanwhile ends it, and is a suite of its own."""
        if self._suite is None or self._suite.name != name:
            self._end()
            self._suite = _Suite(name)
        return self._suite

    def _end(self) -> None:
        if self._suite is not None:
            now = time.perf_counter()
            self._suite.write(self._file, self._suites, now - self._began)
            self._began = now
            self._suites += 1
            self._suite = None


class _Suite:
    """A suite whose tests are not counted yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tests = self._failures = self._errors = 0
        self._xml = _Xml()
        self._cases, self._out = _Spool(), _Spool()

    def finding(self, finding: Finding) -> None:
        """Add a test for a finding."""
        name = " ".join(part for part in (finding.where, finding.at, finding.code) if part)
        classname = finding.contract or finding.file
        if finding.level == "strict":
            self._failures += 1
            self._case(name, classname, "failure", finding.code, finding.message, _text(finding))
            return
        self._case(name, classname)
        self._say(f"{finding.level}: {_text(finding)}")

    def fault(self, fault: TracksideError) -> None:
        """Add a test for what could not be used."""
        self._errors += 1
        self._case(fault.where or fault.what, self.name, "error", type(fault).__name__, str(fault), str(fault))

    def counts(self, result: FileResult) -> None:
        """Add what the file held, and a test that passes where nothing in it is strict."""
        payloads = number(result.checked, result.noun)
        for contract, how, count in result.held():
            self._say(counted(contract, how, count))
        self._say(f"{payloads}, {number(result.old, 'finding')} that the baseline has")
        if not result.strict:
            self._case(f"{result.file}: {payloads}", result.file)

    def write(self, file: Writer, number: int, seconds: float) -> None:
        """Write the suite, with its number in the report and the time that its file took."""
        xml = self._xml
        xml.start(
            "testsuite",
            name=self.name,
            package="trackside",
            id=str(number),
            timestamp=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
            hostname="localhost",
            time=f"{seconds:.3f}",
            tests=str(self._tests),
            failures=str(self._failures),
            errors=str(self._errors),
        )
        xml.start("properties")
        xml.element("property", name="trackside", value=__version__)
        xml.endElement("properties")
        file.write(f"{xml.taken()}\n")
        self._cases.pour(file)
        xml.start("system-out")
        file.write(xml.taken())
        self._out.pour(file)
        xml.endElement("system-out")
        xml.element("system-err")
        xml.endElement("testsuite")
        file.write(f"{xml.taken()}\n")

    def _case(
        self, name: str, classname: str, what: str = "", kind: str = "", message: str = "", text: str = ""
    ) -> None:
        self._tests += 1
        self._xml.start("testcase", name=name, classname=classname, time="0")
        if what:
            self._xml.element(what, text, type=kind, message=message)
        self._xml.endElement("testcase")
        self._cases.write(f"{self._xml.taken()}\n")

    def _say(self, text: str) -> None:
        self._xml.text(f"{text}\n")
        self._out.write(self._xml.taken())


class _Xml(XMLGenerator):
    r"""XML piece by piece; characters that it cannot hold are escaped as in Python, such as ``\x1b``."""

    def __init__(self) -> None:
        self._buffer = StringIO()
        super().__init__(self._buffer, "utf-8")

    def start(self, name: str, /, **attributes: str) -> None:
        allowed = {key: _allowed(value) for key, value in attributes.items()}
        self.startElement(name, AttributesImpl(allowed))

    def text(self, text: str) -> None:
        self.characters(_allowed(text))

    def element(self, name: str, text: str = "", /, **attributes: str) -> None:
        self.start(name, **attributes)
        self.text(text)
        self.endElement(name)

    def taken(self) -> str:
        """Return what was written since the last time."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text


class _Spool:
    """Text that waits, most of it on the disk; it ends with a line break."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - closed when it is poured

    def write(self, text: str) -> None:
        self._file.write(text.encode())

    def pour(self, file: Writer) -> None:
        with self._file as waiting:
            waiting.seek(0)
            for line in waiting:
                file.write(line.decode())


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _text(finding: Finding) -> str:
    """Return a finding with the line of its source."""
    told = f"{finding.where}: {finding.message}"
    return f"{told}\n    {finding.excerpt}\n    {' ' * finding.caret}^" if finding.excerpt else told
