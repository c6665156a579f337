"""Where the contracts are found, and what looking at them costs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trackside import catalog

pytestmark = pytest.mark.rule("segment.contract")

NAMED = "from trackside import catalog; print(catalog.folder()); print(len(catalog.names()))"


def run(code: str, *, cwd: Path, path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(path)!r}); {code}"],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:-1]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder laid out as the wheel lays out site-packages."""
    site = tmp_path / "site-packages"
    package = Path(catalog.__file__).parent
    shutil.copytree(package, site / "trackside", ignore=shutil.ignore_patterns("__pycache__", "contracts"))
    shutil.copytree(catalog.folder(), site / "trackside" / "contracts", ignore=shutil.ignore_patterns("examples"))
    return site


def test_an_installed_package_uses_the_contracts_inside_it(installed: Path) -> None:
    folder, count = run(NAMED, cwd=installed, path=installed)

    assert folder == str(installed / "trackside" / "contracts")
    assert int(count) == len(catalog.names())


def test_contracts_of_the_users_own_project_are_left_alone(installed: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for theirs in (project / "contracts" / "segment", installed / "contracts" / "segment"):
        theirs.mkdir(parents=True)
        (theirs / "track.schema.json").write_text("false")

    folder, _ = run(NAMED, cwd=project, path=installed)

    assert folder == str(installed / "trackside" / "contracts")


def test_a_contract_is_named_by_its_vendor_and_its_payload() -> None:
    assert "segment/track" in catalog.names()
    assert catalog.load("segment/track")["title"] == "Track"


def test_reading_a_contract_gives_the_caller_his_own_copy() -> None:
    catalog.load("segment/track").clear()

    assert catalog.load("segment/track")["title"] == "Track"


def test_a_contract_is_compiled_once() -> None:
    assert catalog.validator("segment/batch") is catalog.validator("segment/batch")


def test_no_validator_is_imported_before_it_is_used(installed: Path) -> None:
    code = "from trackside import catalog; catalog.names(); print('jsonschema_rs' in sys.modules, 'jsonschema' in sys.modules)"

    assert run(code, cwd=installed, path=installed) == ["False False"]


def test_faults_are_told_without_the_slow_reference_validator(installed: Path) -> None:
    code = "from trackside import catalog; catalog.faults('segment/track', {}); print('jsonschema' in sys.modules)"

    assert run(code, cwd=installed, path=installed) == ["False"]


def test_a_batch_of_100_calls_is_judged_in_half_a_millisecond() -> None:
    call = {
        "integrations": {},
        "anonymousId": None,
        "properties": {
            "order_id": "o-1",
            "revenue": 12.5,
            "currency": "EUR",
            "products": [{"sku": "A-1", "quantity": 1}],
        },
        "timestamp": "2026-01-02T03:04:05.678+00:00",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        "userId": "u-1",
        "type": "track",
        "event": "Order Completed",
        "messageId": "5f3a1c9e-7d24-4b0e-9c61-2f8d3a7b4e10",
    }
    batch = {
        "batch": [dict(call) for _ in range(100)],
        "sentAt": "2026-01-02T03:04:05.123456+00:00",
        "writeKey": "wk_web",
    }
    judge = catalog.validator("segment/batch").is_valid

    def seconds() -> float:
        started = time.perf_counter()
        assert judge(batch)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(200)) < 0.0005
