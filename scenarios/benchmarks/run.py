"""Measures trackside beside Prism and Mockoon on this machine, in one run, and prints figures and ratios.

    python scenarios/benchmarks/run.py [batches] [singles] [start] [memory] [fixture] [streams] [exports] [validate] [counting] [million] [million-exports] [--rounds 3]

Without names it runs all but the millions. The peers come from npm (``npm ci --prefix scenarios/benchmarks/peers``); without
them only trackside is measured, and the output says so. Every server gets the same bodies from the same generator
(`load.py`), over eight kept-alive connections on loopback. Prism validates against the same contract; Mockoon
validates nothing. trackside validates, deduplicates, journals and routes each event to three vendors; the run reads all
three records of every event back before it counts it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import experiments
import exports as exporting
import load
import validation

from trackside import catalog

HERE = Path(__file__).parent
PEERS = HERE / "peers" / "node_modules" / ".bin"
CONNECTIONS = 8


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=600) as answer:  # noqa: S310 - loopback only
        return json.load(answer)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(url: str, body: bytes) -> bool:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return 200 <= answer.status < 300
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url} answers {error.code}: {error.read()[:500]!r}") from error
    except OSError:
        return False


@contextmanager
def _process(command: list[str], url: str, path: str, body: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block starts when it answers 2xx."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while not _answers(url + path, body):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise RuntimeError(f"{command[0]} did not start: {output.read()[-2000:].decode()}")
                time.sleep(0.005)  # a peer cannot tell when it listens
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


@contextmanager
def trackside(*options: str) -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """Run ``trackside serve`` on free ports; yields its addresses and process."""
    with tempfile.TemporaryDirectory() as folder:
        ports = Path(folder) / "ports.json"
        command = [_command(), "serve", "--ephemeral", "--quiet", "--ports-file", str(ports), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            deadline = time.monotonic() + 30
            while not ports.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("trackside serve did not start")
                time.sleep(0.001)  # the figure is how soon the file is there
            yield json.loads(ports.read_text()), process
        finally:
            process.terminate()
            process.wait(timeout=20)


def _command() -> str:
    beside = Path(sys.executable).with_name("trackside")
    return str(beside) if beside.exists() else shutil.which("trackside") or "trackside"


def _openapi(path: Path, name: str, at: str) -> None:
    """Write an OpenAPI 3.1 document with one POST whose body is a contract."""
    schema = catalog.load(name)
    defs = schema.pop("$defs", {})
    text = json.dumps({"schema": schema, "defs": defs}).replace("#/$defs/", "#/components/schemas/")
    moved = json.loads(text)
    answer = {"application/json": {"example": {"success": True}, "schema": {"type": "object"}}}
    post = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": moved["schema"]}}},
        "responses": {"200": {"description": "taken", "content": answer}},
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1"},
        "paths": {at: {"post": post}},
        "components": {"schemas": moved["defs"]},
    }
    path.write_text(json.dumps(document))


@contextmanager
def prism(name: str, at: str, body: bytes) -> Iterator[str]:
    """Run Prism on a contract; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        document, port = Path(folder) / "openapi.json", _free_port()
        _openapi(document, name, at)
        url = f"http://127.0.0.1:{port}"
        command = [str(PEERS / "prism"), "mock", "-h", "127.0.0.1", "-p", str(port), "--verboseLevel", "error", str(document)]  # fmt: skip
        with _process(command, url, at, body):
            yield url


@contextmanager
def mockoon(name: str, at: str, body: bytes) -> Iterator[str]:
    """Run Mockoon with the same path; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        document, port = Path(folder) / "openapi.json", _free_port()
        _openapi(document, name, at)
        url = f"http://127.0.0.1:{port}"
        command = [str(PEERS / "mockoon-cli"), "start", "--data", str(document), "--port", str(port), "--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "1"]  # fmt: skip
        with _process(command, url, at, body):
            yield url


def _have_peers() -> bool:
    return (PEERS / "prism").exists()


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _throughput(title: str, name: str, at: str, body: bytes, size: int, requests: int, rounds: int) -> None:
    """Print events per second of each server, and the ratio to Prism, round by round."""
    print(f"\n{title}: {requests} requests of {size} event(s), {len(body)} bytes, {CONNECTIONS} connections")
    rates: dict[str, list[float]] = {"trackside": [], "trackside, records read": [], "prism": [], "mockoon": []}
    latencies: list[float] = []
    for _round in range(rounds):
        with trackside() as (urls, _process_id):
            load.run(urls["segment"], at, body, requests=requests // 10)
            _post(urls["admin"] + "/reset")
            taken = load.run(urls["segment"], at, body, requests=requests)
            assert taken.bad == 0, f"{taken.bad} requests failed"
            begin = time.perf_counter()
            _check_records(urls["admin"], taken.good * size)
            reading = time.perf_counter() - begin
            rates["trackside"].append(taken.good * size / taken.seconds)
            rates["trackside, records read"].append(taken.good * size / (taken.seconds + reading))
            latencies.append(taken.percentile(0.99))
        if _have_peers():
            for peer, start in (("prism", prism), ("mockoon", mockoon)):
                with start(name, at, body) as url:
                    load.run(url, at, body, requests=requests // 10)
                    some = load.run(url, at, body, requests=requests if peer == "prism" else requests // 4)
                    assert some.bad == 0, f"{some.bad} requests failed at {peer}"
                    rates[peer].append(some.good * size / some.seconds)
    base = _median(rates["prism"]) if rates["prism"] else None
    for server, values in rates.items():
        if values:
            ratio = f"   {_median(values) / base:5.2f} x Prism" if base else ""
            print(
                f"  {server:26} {_median(values):10,.0f} events/s{ratio}   (rounds: {', '.join(f'{v:,.0f}' for v in values)})"
            )
    print(f"  trackside p99 of a request {_median(latencies):.1f} ms")


def _post(url: str) -> None:
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=60):  # noqa: S310
        pass


def _check_records(admin: str, events: int) -> None:
    """Read every record of every vendor back, and count them."""
    for vendor in ("statsig", "split", "launchdarkly"):
        found = len(_get(f"{admin}/records/{vendor}?limit={events}"))
        assert found == events, f"{vendor} keeps {found} of {events}"


def batches(rounds: int) -> None:
    """100-event batches."""
    _throughput("Batches", "segment/batch", "/v1/batch", load.batch(100), 100, 400, rounds)


def singles(rounds: int) -> None:
    """One-event posts."""
    _throughput("Single posts", "segment/track", "/v1/track", load.single(), 1, 8_000, rounds)


def start(rounds: int) -> None:
    """From the command to the first 200 on all ports."""
    print("\nStart of `trackside serve` to the first answer on all ports")
    took = []
    for _round in range(max(5, rounds)):
        begin = time.perf_counter()
        with trackside() as (urls, _process_id):
            for name, url in urls.items():
                if name == "segment":
                    _answers(url + "/v1/track", load.single())
                else:
                    _reach(url)
            took.append((time.perf_counter() - begin) * 1000)
    bare = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append((time.perf_counter() - begin) * 1000)
    print(f"  median {_median(took):.0f} ms, best {min(took):.0f} ms; a bare Python takes {_median(bare):.0f} ms here")


def _reach(url: str) -> None:
    try:
        urllib.request.urlopen(url + "/health", timeout=5).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()


def _resident(process: subprocess.Popen[bytes]) -> int:
    """Return the resident memory of a process in bytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def memory(rounds: int) -> None:
    """Idle, and per message that the journal holds."""
    print("\nMemory")
    for title, body, size, at in (
        ("in batches of 100", load.batch(100), 100, "/v1/batch"),
        ("one by one", load.single(), 1, "/v1/track"),
    ):
        with trackside() as (urls, process):
            for url in urls.values():
                _reach(url)
            idle, events = _resident(process), 50_000
            load.run(urls["segment"], at, body, requests=80)
            _post(urls["admin"] + "/reset")
            warm = _resident(process)
            load.run(urls["segment"], at, body, requests=events // size)
            each = (_resident(process) - warm) / events
            text = len(body) / size
            print(f"  idle {idle / 1e6:.0f} MB; {title}: {each:.0f} bytes per message = {each / text:.2f} x its JSON")


def fixture(rounds: int) -> None:
    """Start, reset and stop of a lab in a process that has run one before."""
    from trackside import Lab

    print("\nThe fixture: start, reset, stop of a lab")
    timings: dict[str, list[float]] = {"start": [], "reset": [], "stop": []}
    for number in range(max(10, rounds) + 1):
        begin = time.perf_counter()
        lab = Lab()
        lab.start()
        started = time.perf_counter()
        _answers(lab.segment.url + "/v1/track", load.single())
        before = time.perf_counter()
        lab.reset()
        after = time.perf_counter()
        lab.stop()
        ended = time.perf_counter()
        if number:  # the first one imports
            for name, seconds in (("start", started - begin), ("reset", after - before), ("stop", ended - after)):
                timings[name].append(seconds * 1000)
    for name, values in timings.items():
        print(f"  {name:6} median {_median(values):.3f} ms, worst {max(values):.3f} ms")


STREAMS = 200


@contextmanager
def _clients(url: str, *headers: str) -> Iterator[subprocess.Popen[str]]:
    """Open 200 streams in a process of their own; its first line is how long that took."""
    command = [sys.executable, str(HERE / "streams.py"), url, str(STREAMS), *headers]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _line(process: subprocess.Popen[str]) -> float:
    assert process.stdout is not None
    return float(process.stdout.readline())


def _changes(process: subprocess.Popen[str], change: Callable[[str], object], number: int) -> Iterator[float]:
    """Yield, in ms, how long each change takes from before it is made until every stream has it."""
    assert process.stdin is not None
    for index in range(number):
        word = f"change-{index}-"
        process.stdin.write(word + "\n")
        process.stdin.flush()
        begin = time.monotonic()
        change(word)
        yield (_line(process) - begin) * 1000


def streams(rounds: int) -> None:
    """200 open streams: to open them, to reach all with a change, to ingest beside them, to stop."""
    print(f"\n{STREAMS} open streams (LaunchDarkly server SDKs)")
    _lab_streams(rounds)
    _ingest_beside_streams(rounds)
    if importlib.util.find_spec("gevent") and importlib.util.find_spec("gunicorn"):
        _gevent_streams(rounds)
    else:
        print("  gunicorn and gevent are not installed (pip install gunicorn gevent): no peer")


def _lab_streams(rounds: int) -> None:
    from trackside import Lab

    opened, changed, stopped = [], [], []
    for _round in range(rounds):
        lab = Lab().start()
        _reach(lab.launchdarkly.url)
        with _clients(f"{lab.launchdarkly.url}/all", "Authorization: sdk-local") as process:
            opened.append(_line(process) * 1000)
            changed += _changes(process, lambda word: lab.launchdarkly.set_flag("bench", serve=word), 10)  # noqa: B023
            begin = time.monotonic()
            lab.stop()
            stopped.append((time.monotonic() - begin) * 1000)
    print(
        f"  trackside      all open {_median(opened):.0f} ms, a change reaches all {_median(changed):.1f} ms, stop {_median(stopped):.0f} ms"
    )


def _ingest_beside_streams(rounds: int) -> None:
    rates: dict[int, list[float]] = {0: [], STREAMS: []}
    for _round in range(rounds):
        for count, measured in rates.items():
            with trackside() as (urls, _process_id), contextlib.ExitStack() as stack:
                if count:
                    _line(stack.enter_context(_clients(f"{urls['launchdarkly']}/all", "Authorization: sdk-local")))
                load.run(urls["segment"], "/v1/batch", load.batch(100), requests=40)
                taken = load.run(urls["segment"], "/v1/batch", load.batch(100), requests=400)
                assert taken.bad == 0, f"{taken.bad} requests failed"
                measured.append(taken.good * 100 / taken.seconds)
    without, beside = _median(rates[0]), _median(rates[STREAMS])
    print(
        f"  ingest in batches {without:,.0f} events/s without streams, {beside:,.0f} beside them: {beside / without:.2f}"
    )


def _gevent_streams(rounds: int) -> None:
    opened, changed = [], []
    for _round in range(rounds):
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "--worker-connections", "1000", "--graceful-timeout", "1", "-b", f"127.0.0.1:{port}", "--chdir", str(HERE / "peers"), "gevent_sse:app"]  # fmt: skip
        with _process(command, url, "/change", b""), _clients(f"{url}/all") as process:
            opened.append(_line(process) * 1000)
            changed += _changes(process, lambda word: _answers(url + "/change", f"data: {word}\n\n".encode()), 10)  # noqa: B023
    print(f"  gunicorn-gevent  all open {_median(opened):.0f} ms, a change reaches all {_median(changed):.1f} ms")


def exports(rounds: int) -> None:
    """Exposures that Statsig sends to Segment: what each costs, and the latency of the SDK's post."""
    print("\nExports: gate exposures from Statsig to Segment, 100 in a post")
    post, path = exporting.exposures(100), "/v1/log_event?k=secret-local"
    asked = {
        "ingested": (False, "segment", "/v1/batch", load.batch(100)),
        "posted": (False, "statsig", path, post),
        "posted and exported": (True, "statsig", path, post),
    }
    costs: dict[str, list[float]] = {name: [] for name in asked}
    p99: dict[str, list[float]] = {name: [] for name in asked}
    for _round in range(rounds):
        for name, (enabled, vendor, at, body) in asked.items():
            with _exporting(enabled=enabled) as (urls, process):
                load.run(urls[vendor], at, body, requests=80)
                before = _processor_seconds(process)
                taken = load.run(urls[vendor], at, body, requests=800, rate=60)
                assert taken.bad == 0, f"{taken.bad} requests failed"
                _get(urls["admin"] + "/stats")  # answers when every export is over
                costs[name].append((_processor_seconds(process) - before) / 80_000 * 1e6)
                p99[name].append(taken.percentile(0.99))
    for name in asked:
        print(
            f"  {name:20} {_median(costs[name]):5.1f} us of processor time each, p99 of a post {_median(p99[name]):.1f} ms"
        )
    cost = _median(costs["posted and exported"]) - _median(costs["posted"])
    print(f"  so an export takes {cost:.1f} us: {cost / _median(costs['ingested']):.2f} of an ingested event")


@contextmanager
def _exporting(*, enabled: bool) -> Iterator[tuple[dict[str, str], subprocess.Popen[bytes]]]:
    """Run ``trackside serve`` with a Statsig that exports to Segment, or does not."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workspace.json"
        file.write_text(json.dumps(exporting.workspace(enabled=enabled)))
        with trackside("--workspace", str(file)) as running:
            yield running


def _processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def million_exports(rounds: int) -> None:
    """One million exposures posted to Statsig and exported to Segment: memory."""
    print("\nOne million exposures, each exported to Segment, 5,000 a second in posts of 100")
    with _exporting(enabled=True) as (urls, process):
        body = exporting.exposures(100)
        for part in range(10):
            path = "/v1/log_event?k=secret-local"
            taken = load.run(urls["statsig"], path, body, requests=1_000, rate=50, first=part * 1_000)
            stats = _get(urls["admin"] + "/stats")
            print(
                f"  {(part + 1) * 100_000:9,} exposures: {_resident(process) / 1e6:6.1f} MB, "
                f"{stats['accepted']:,} messages, p99 {taken.percentile(0.99):.1f} ms, failed {taken.bad}",
                flush=True,
            )


def million(rounds: int) -> None:
    """One million events through ``serve`` at 5,000 events per second: memory and latency."""
    print("\nOne million events at 5,000 events/s in batches of 100")
    body = load.batch(100)
    with trackside() as (urls, process):
        for part in range(10):
            taken = load.run(urls["segment"], "/v1/batch", body, requests=1_000, rate=50, first=part * 1_000)
            print(
                f"  {(part + 1) * 100_000:9,} events: {_resident(process) / 1e6:6.1f} MB, "
                f"p50 {taken.percentile(0.5):.1f} ms, p99 {taken.percentile(0.99):.1f} ms, failed {taken.bad}",
                flush=True,
            )
        stats = _get(urls["admin"] + "/stats")
        print(f"  {stats}")
        assert stats["ids_aged_out_early"] == 900_000, "messageIds came twice"


BENCHMARKS: dict[str, Callable[[int], None]] = {
    "batches": batches,
    "singles": singles,
    "start": start,
    "memory": memory,
    "fixture": fixture,
    "streams": streams,
    "exports": exports,
    "million": million,
    "million-exports": million_exports,
    "validate": validation.run,
    "counting": experiments.run,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which; all but the millions when left out")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    if not _have_peers():
        print("Prism and Mockoon are not installed (npm ci --prefix scenarios/benchmarks/peers): no ratios")
    for name in options.names or [name for name in BENCHMARKS if not name.startswith("million")]:
        BENCHMARKS[name](options.rounds)


if __name__ == "__main__":
    main()
