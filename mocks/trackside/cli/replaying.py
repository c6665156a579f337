"""Where ``trackside replay`` sends recorded requests: to a running lab over HTTP, or to one in this process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from trackside.cli.control import Control
from trackside.cli.output import reason, remark
from trackside.cli.serve import fixed_ports
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.wire import Request

SECONDS = 30.0
_ALL = 999_999_999
_PATH = "/!$&'()*+,;=:@-._~"


class Target(Protocol):
    """A lab that requests are sent to.

    Attributes:
        document: its workspace, as it was written.
        places: its vendors by the ``host:port`` of their addresses.
    """

    document: dict[str, Any]
    places: dict[str, str]

    def send(self, vendor: str, request: Request, at: float | None) -> int:
        """Send a request that came at a moment of the recording; returns the status of the answer.

        Raises:
            TracksideError: there is no answer.
            ValueError: HTTP does not allow such a request.
        """

    def findings(self) -> list[dict[str, Any]]:
        """Return the errors and warnings that the requests have made."""

    def close(self) -> None:
        """Finish."""


def _fixed_places() -> dict[str, str]:
    ports = fixed_ports().items()
    return {f"{host}:{port}": name for name, port in ports if name != "admin" for host in ("127.0.0.1", "localhost")}


class OwnLab:
    """A lab in this process, without ports; its clock shows the recorded times.

    Args:
        workspace: its file; the demo workspace without one.

    Raises:
        WorkspaceError: with every fault of the workspace.
    """

    def __init__(self, workspace: str | None) -> None:
        from trackside.workspace import load

        self._workspace = load(Path(workspace) if workspace else None)
        self.document = self._workspace.document
        self.places = _fixed_places()
        self._lab: Lab | None = None
        self._broken: list[dict[str, Any]] = []

    def send(self, vendor: str, request: Request, at: float | None) -> int:
        """Hand a request to the vendor, at its recorded time."""
        lab = self._lab = self._lab or self._made(at)
        lab.stats()  # exports are made before the clock goes on
        if at is not None and at > lab.clock.now():
            lab.advance(at - lab.clock.now())
        if "content-encoding" in request.headers and not request.undecodable:
            from trackside.server import decoded

            request.body, request.undecodable = decoded(request.body, request.headers["content-encoding"])
        try:
            return lab.receive(vendor, request).status
        except Exception as error:  # noqa: BLE001 - a server would answer 500 and go on too
            self._broken.append(_own_fault(vendor, request, error))
            return 500

    def _made(self, at: float | None) -> Lab:
        from trackside.lab import Lab

        return Lab(self._workspace, start_at=at)

    def findings(self) -> list[dict[str, Any]]:
        """Return every error and warning of the lab."""
        if self._lab is None:
            return []
        self._lab.settle()
        if evicted := self._lab.journal.evicted:
            remark(
                f"warning: the lab let go of {evicted} messages, and has no findings of them; replay fewer at a time"
            )
        return [*self._broken, *(finding.as_json() for finding in self._lab.findings())]

    def close(self) -> None:
        """End the lab."""
        if self._lab is not None:
            self._lab.stop()


def _own_fault(vendor: str, request: Request, error: Exception) -> dict[str, Any]:
    text = f"trackside failed: {type(error).__name__}: {error}"
    where = f"{request.method} {request.shown_path}"
    fix = "this is a fault of trackside: please report it"
    told = {"kind": "fault", "rule": "", "text": text, "at": "", "fix": fix, "level": "error"}
    return {**told, "vendor": vendor, "message_id": "", "where": where}


class RunningLab:
    """A lab that somebody runs, such as ``trackside serve``.

    Args:
        admin: the address of its control API.
        token: what that wants off loopback.

    Raises:
        TracksideError: it does not answer, or refuses.
    """

    def __init__(self, admin: str, token: str) -> None:
        self._control = Control(admin, token, "start trackside serve, or name the control API of a lab with --to")
        self._urls: dict[str, str] = self._control.ask("GET", "/health")["urls"]
        self.document = self._control.ask("GET", "/workspace")
        places = {urlsplit(url).netloc: name for name, url in self._urls.items() if name != "admin"}
        self.places = {**_fixed_places(), **places}
        self._before = Counter(map(orjson.dumps, self._found()))
        self._pools: dict[str, Any] = {}
        self._sent = 0

    def send(self, vendor: str, request: Request, at: float | None) -> int:  # noqa: ARG002 - its clock is its own
        """Send a request to the vendor's address."""
        import urllib3

        if vendor not in self._urls:
            fix = "update it, or replay without --to"
            raise TracksideError(f"the lab has no {vendor}", self._control.address, fix)
        if vendor not in self._pools:
            self._pools[vendor] = urllib3.connection_from_url(self._urls[vendor], timeout=SECONDS, retries=False)
        query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
        path = quote(request.path, safe=_PATH) + query
        try:
            answer = self._pools[vendor].urlopen(
                request.method, path, request.body or None, request.headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            text = f"there is no answer after {self._sent} requests: {reason(error)}"
            raise TracksideError(text, self._urls[vendor], "see that the lab still runs, and replay again") from error
        self._sent += 1
        return int(answer.status)

    def findings(self) -> list[dict[str, Any]]:
        """Return the errors and warnings that the lab did not have before."""
        self._control.ask("POST", "/settle", {})
        before, new = Counter(self._before), []
        for finding in self._found():
            told = orjson.dumps(finding)
            before[told] -= 1
            if before[told] < 0:
                new.append(finding)
        return new

    def _found(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control.ask("GET", f"/findings?limit={_ALL}")
        return found

    def close(self) -> None:
        """Let go of the connections."""
        for pool in self._pools.values():
            pool.close()
