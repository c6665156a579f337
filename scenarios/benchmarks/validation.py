"""The figures of ``trackside validate``: beside a bare parse, ajv-cli and check-jsonschema, over the same events.

ajv-cli and check-jsonschema read a file as one document, so they get the events as one array, and the contract of its
items; check-jsonschema gets a fortieth of them. Processor time and the largest resident memory are the kernel's, of
the whole process with its children.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import load

from trackside import catalog

LINES = 200_000
WRONG_EVERY = 100
"""One line in so many breaks the contract."""

SHARE = 40
"""check-jsonschema gets one line in so many."""

PARSE = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
AJV = Path(__file__).parent / "peers" / "node_modules" / ".bin" / "ajv"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: processor seconds, seconds, and the largest resident memory of a process in MB."""

    processor: float
    wall: float
    memory: float


def cost(command: Sequence[str], codes: tuple[int, ...]) -> Cost:
    """Return what a command takes; its output goes to a file that nobody reads."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            output.seek(0)
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {output.read()[-2000:].decode()}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def events(number: int) -> Iterator[str]:
    """Yield track calls, one in `WRONG_EVERY` of which has a number as its event."""
    for index in range(number):
        call = {**load.event(index), "messageId": f"00000000-0000-4000-8000-{index:012d}"}
        wrong = {"event": 5} if index % WRONG_EVERY == 7 else {}
        yield json.dumps({**call, **wrong}, separators=(",", ":"))


def _files(folder: Path) -> tuple[Path, Path, Path, Path]:
    lines, array, part, schema = (folder / name for name in ("e.ndjson", "e.json", "part.json", "schema.json"))
    # Written piece by piece: what a process starts with counts as its memory.
    with lines.open("w") as file:
        file.writelines(f"{call}\n" for call in events(LINES))
    for path, number in ((array, LINES), (part, LINES // SHARE)):
        with path.open("w") as file:
            file.writelines(f"{',' if index else '['}{call}" for index, call in enumerate(events(number)))
            file.write("]")
    contract = catalog.load("segment/track")
    items = {name: value for name, value in contract.items() if name not in ("$schema", "$defs")}
    whole = {"$schema": contract["$schema"], "type": "array", "items": items, "$defs": contract["$defs"]}
    schema.write_text(json.dumps(whole))
    return lines, array, part, schema


def run(rounds: int) -> None:
    """Measure and print."""
    command = shutil.which("trackside", path=str(Path(sys.executable).parent)) or "trackside"
    checker = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    with tempfile.TemporaryDirectory() as folder:
        lines, array, part, schema = _files(Path(folder))
        (single := Path(folder) / "one.json").write_text(json.dumps(load.event(0)))
        asked: dict[str, tuple[list[str], tuple[int, ...]]] = {
            "bare orjson parse": ([sys.executable, "-c", PARSE, str(lines)], (0,)),
            "trackside": ([command, "validate", str(lines)], (1,)),
            "trackside --jobs 2": ([command, "validate", "--jobs", "2", str(lines)], (1,)),
            "trackside, one payload": ([command, "validate", str(single)], (0,)),
            "trackside --version": ([command, "--version"], (0,)),
            "bare Python": ([sys.executable, "-c", ""], (0,)),
        }
        if AJV.exists():
            ajv = [str(AJV), "validate", "--spec=draft2020", "--strict=false", "--all-errors", "--errors=line"]
            asked["ajv-cli"] = ([*ajv, "-s", str(schema), "-d", str(array)], (1,))
        if checker:
            asked["check-jsonschema"] = ([checker, "--schemafile", str(schema), str(part)], (1,))
        found: dict[str, list[Cost]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, (words, codes) in asked.items():
                found[name].append(cost(words, codes))
    _print(found)


def _print(found: dict[str, list[Cost]]) -> None:
    print(f"\nvalidate: {LINES:,} lines of NDJSON, one in {WRONG_EVERY} wrong, every error written")

    def median(name: str, what: str) -> float:
        return statistics.median(getattr(one, what) for one in found[name])

    base_processor, base_wall = median("bare orjson parse", "processor"), median("bare orjson parse", "wall")
    for name in found:
        times = SHARE if name == "check-jsonschema" else 1
        processor, wall = median(name, "processor") * times, median(name, "wall") * times
        print(
            f"  {name:24} {processor:7.2f} s of processor time ({processor / base_processor:6.1f} of the parse), "
            f"{wall:7.2f} s ({wall / base_wall:6.1f}), {median(name, 'memory'):4.0f} MB"
            + (f", from {LINES // SHARE:,} lines" if times > 1 else "")
        )
