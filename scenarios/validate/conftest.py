from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs ``trackside validate`` in a folder of its own, where files of these texts are."""
    for name in ("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: str | None = None, **files: str) -> Result:
        from trackside.cli import group

        for name, text in files.items():
            Path(f"{name}.ndjson").write_text(text, encoding="utf-8")
        result = CliRunner().invoke(group, ["validate", *(str(one) for one in arguments)], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


class Collected:
    """A report that keeps what it is told."""

    def __init__(self) -> None:
        self.findings: list[Any] = []

    def finding(self, finding: Any) -> None:
        self.findings.append(finding)

    def file(self, result: Any) -> None:
        pass

    def finish(self, summary: Any) -> None:
        self.summary = summary


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Collected]:
    """Return a function that holds payloads, a line each, against what options ask, and keeps what is told of them."""

    def run(options: Any, *payloads: Any) -> Collected:
        from trackside.validation.inputs import Source
        from trackside.validation.run import Run

        events = tmp_path / "events.ndjson"
        events.write_text("\n".join(json.dumps(payload) for payload in payloads), encoding="utf-8")
        collected = Collected()
        Run(options, [collected]).over([Source(str(events))])
        return collected

    return run
