"""The figures of counting: a recording, or a journal's file, of exposures and metric events joined, and one verdict.

Processor time and the largest resident memory are the kernel's, of the whole process.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
from validation import Cost, cost

from trackside import Lab

UNITS = 1_000_000
"""Exposures, each of a unit of its own, and as many metric events."""

SEGMENT_SHARE = 10
"""Of messages through Segment, which are mapped and explained one by one, so many times fewer are measured."""

BATCH = 500
FIRST = 1_795_293_287_852
_STEP = 7_919
"""Events come in another order than exposures: the unit of each is this many ahead."""

WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["ld"]}},
        "destinations": {"ld": {"type": "launchdarkly", "client_side_id": "client-side"}},
    },
    "launchdarkly": {
        "environments": {"production": {"client_side_id": "client-side", "sdk_key": "sdk-local"}},
        "flags": {"banner": {"variations": ["plain", "blue"], "serve": {"plain": 50, "blue": 50}}},
        "metrics": {
            "revenue": {
                "event_key": "Order Completed",
                "is_numeric": True,
                "unit_aggregation_type": "sum",
                "unit": "USD",
                "success_criteria": "HigherThanBaseline",
            }
        },
        "experiments": {"banner-test": {"flag": "banner", "metrics": ["revenue"]}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "experiments": {"page_title": {"groups": {"control": {"title": "plain"}, "test": {"title": "bold"}}}},
        "metrics": {"revenue": {"type": "sum", "metric_events": [{"name": "purchase", "type": "value"}]}},
    },
}


def launchdarkly(units: int) -> Iterator[tuple[str, str, dict[str, str], bytes, int]]:
    """Yield requests as LaunchDarkly's SDKs make them: vendor, path, headers, body, and when they came."""
    headers = {"authorization": "sdk-local", "content-type": "application/json", "x-launchdarkly-event-schema": "4"}
    reason = {"kind": "FALLTHROUGH", "inExperiment": True}
    for first in range(0, units, BATCH):
        seen = [
            {"kind": "feature", "creationDate": FIRST + one, "key": "banner", "value": "plain", "variation": one % 2}
            | {"version": 1, "reason": reason, "context": {"kind": "user", "key": f"user-{one:07d}"}}
            for one in range(first, first + BATCH)
        ]
        yield "launchdarkly", "/bulk", headers, orjson.dumps(seen), FIRST + first
    for first in range(0, units, BATCH):
        done = [
            {"kind": "custom", "creationDate": FIRST + units + one, "key": "Order Completed", "metricValue": one % 100}
            | {"context": {"kind": "user", "key": f"user-{one * _STEP % units:07d}"}}
            for one in range(first, first + BATCH)
        ]
        yield "launchdarkly", "/bulk", headers, orjson.dumps(done), FIRST + units + first


def statsig(units: int) -> Iterator[tuple[str, str, dict[str, str], bytes, int]]:
    """Yield requests as Statsig's SDKs make them."""
    headers = {"statsig-api-key": "secret-local", "content-type": "application/json"}

    def body(events: list[dict[str, Any]]) -> bytes:
        return orjson.dumps({"events": events, "statsigMetadata": {"sdkType": "py-server", "sdkVersion": "0.72.1"}})

    for first in range(0, units, BATCH):
        seen = [
            {"eventName": "statsig::config_exposure", "user": {"userID": f"user-{one:07d}"}, "time": FIRST + one}
            | {"metadata": {"config": "page_title", "ruleID": "test" if one % 2 else "control", "reason": "Network"}}
            for one in range(first, first + BATCH)
        ]
        yield "statsig", "/v1/log_event", headers, body(seen), FIRST + first
    for first in range(0, units, BATCH):
        done = [
            {"eventName": "purchase", "user": {"userID": f"user-{one * _STEP % units:07d}"}, "value": one % 100}
            | {"time": FIRST + units + one}
            for one in range(first, first + BATCH)
        ]
        yield "statsig", "/v1/log_event", headers, body(done), FIRST + units + first


def segment(units: int) -> Iterator[tuple[str, str, dict[str, str], bytes, int]]:
    """Yield LaunchDarkly's exposures, and the events as Segment calls."""
    for request in launchdarkly(units):
        if request[4] < FIRST + units:
            yield request
    headers = {"authorization": "Basic d2tfd2ViOg==", "content-type": "application/json"}
    for first in range(0, units, BATCH):
        calls = [
            {"type": "track", "event": "Order Completed", "userId": f"user-{one * _STEP % units:07d}"}
            | {"messageId": f"m-{one}", "timestamp": _iso(FIRST + units + one), "properties": {"revenue": one % 100}}
            for one in range(first, first + BATCH)
        ]
        yield "segment", "/v1/batch", headers, orjson.dumps({"batch": calls}), FIRST + units + first


TRAFFIC = {"LaunchDarkly's SDK": launchdarkly, "Statsig's SDK": statsig, "LaunchDarkly through Segment": segment}


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def recording(path: Path, name: str, units: int) -> None:
    """Write traffic as a recording, line by line."""
    with path.open("wb") as file:
        for vendor, place, headers, body, at in TRAFFIC[name](units):
            request = {"method": "POST", "path": place, "query": {}, "headers": headers, "body": body.decode()}
            line = {"recording": 1, "vendor": vendor, "at": _iso(at), "request": request, "answer": {"status": 200}}
            file.write(orjson.dumps(line) + b"\n")


def journal(path: Path, source: Path, workspace: Path) -> None:
    """Write a recording as the file that ``serve --data`` keeps, in another process, as that takes memory."""
    program = (
        "import sys; from pathlib import Path; from trackside import Lab; from trackside.sqlite import SqliteKeeper; "
        "from trackside.recording import received_at, request_of; from trackside.recording_files import read\n"
        "lab, keeper = Lab(Path(sys.argv[3]), limit=1), SqliteKeeper(sys.argv[1])\n"
        "keeper.keep_workspace(1, lab.workspace.document)\n"
        "for found in read(Path(sys.argv[2]), {}):\n"
        "    request, vendor = request_of(found.line, None), found.line['vendor']\n"
        "    request.at = received_at(found.line)\n"
        "    answer = lab.mocks[vendor].handle(request)\n"
        "    keeper.keep_exchange(lab.journal.append(vendor, request, answer, 1))\n"
        "keeper.close()"
    )
    subprocess.run([sys.executable, "-c", program, str(path), str(source), str(workspace)], check=True)


def run(rounds: int) -> None:
    """Measure and print."""
    command = shutil.which("trackside", path=str(Path(sys.executable).parent)) or "trackside"
    print(f"\ncounting: {UNITS:,} exposures and {UNITS:,} metric events, joined by `trackside results`")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace.json"
        workspace.write_bytes(orjson.dumps(WORKSPACE))
        for name in TRAFFIC:
            recorded = Path(folder) / "recording.ndjson"
            units = UNITS // SEGMENT_SHARE if "Segment" in name else UNITS
            recording(recorded, name, units)
            asked = [command, "results", str(recorded), "--workspace", str(workspace), "--json"]
            _print(f"{name}, a recording, {units:,}", [cost(asked, (0,)) for _ in range(rounds)])
            if name == "LaunchDarkly's SDK":
                kept = Path(folder) / "journal.db"
                journal(kept, recorded, workspace)
                asked = [command, "results", str(kept), "--json"]
                _print(f"{name}, --data, {units:,}", [cost(asked, (0,)) for _ in range(rounds)])
    _verdicts(20_000)


def _print(name: str, found: list[Cost]) -> None:
    def median(what: str) -> float:
        return float(statistics.median(getattr(one, what) for one in found))

    print(
        f"  {name:56} {median('processor'):6.1f} s of processor time, {median('wall'):6.1f} s, {median('memory'):4.0f} MB"
    )


def _verdicts(units: int) -> None:
    """Measure one verdict in a lab that has counted so many exposures and events."""
    from trackside.wire import Request

    with Lab(WORKSPACE, limit=10 * units) as lab:
        for vendor, place, headers, body, _ in launchdarkly(units):
            lab.receive(vendor, Request("POST", place, headers, body))
        asked = [f"user-{one:07d}" for one in range(0, units, units // 200)] + [f"User-{one:07d}" for one in range(10)]
        list(lab.counting.verdicts(user=asked[0]))
        took = []
        for user in asked:
            started = time.perf_counter()
            list(lab.counting.verdicts(user=user))
            took.append((time.perf_counter() - started) * 1000)
    print(
        f"  one verdict among {units:,} exposures and events: median {statistics.median(took):.2f} ms, most {max(took):.2f} ms"
    )
