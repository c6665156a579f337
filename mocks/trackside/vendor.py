"""One vendor of a lab as users see it: its address, its faults, and what it keeps."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from trackside import expect
from trackside.checks import body_faults
from trackside.delivery import Fault
from trackside.errors import TracksideError
from trackside.exports import NOTHING, Exported
from trackside.live import Live
from trackside.sdks import options_for
from trackside.steps import Message, Record, Step
from trackside.wire import Answer, Request, Router, Vendor

if TYPE_CHECKING:
    from trackside.counting.handles import ExperimentHandle
    from trackside.journal import Exchange
    from trackside.lab import Lab


PATHS_TOLD = 8
"""Paths that a finding on an unknown one names."""


class Mock:
    """One vendor of a running lab: its address, what it keeps, and its faults.

    Args:
        vendor: the registration.
        lab: the lab it belongs to.
    """

    def __init__(self, vendor: Vendor, lab: Lab) -> None:
        self.vendor = vendor
        self.name = vendor.name
        self.router: Router[Any] = Router(vendor.routes)
        self.faults: list[Fault] = []
        self.live: Live | None = vendor.live(lab.lock) if vendor.live else None
        self._lab = lab
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its base address, such as ``http://127.0.0.1:8801``."""
        return self._lab.urls[self.name]

    @property
    def keys(self) -> dict[str, Any]:
        """The keys that SDKs need, as the workspace declares them: by source, by environment, or by name."""
        return _KEYS[self.name](getattr(self._lab.workspace, self.name))

    # ---- its SDKs and flags

    def options(self, package: str, environment: str = "") -> dict[str, Any]:
        """Return the options that point one of its SDKs here.

        Args:
            package: as in its registry, such as ``launchdarkly-server-sdk``; a name that PyPI and npm both have is asked
                for as ``npm:NAME``.
            environment: whose key it is to use; the first one by default.

        Raises:
            TracksideError: there is no such SDK, or no such environment.
        """
        return options_for(self, package, environment)

    def flags(self) -> list[dict[str, Any]]:
        """Return its flags as they stand: ``vendor``, ``kind``, ``name``, ``environment``, ``on``, ``serves``, ``version``."""
        if self.live is None:
            return []
        with self._lab.lock:
            return self.live.rows()

    def set_flag(self, name: str, **change: Any) -> dict[str, Any]:
        """Change a flag, tell connected SDKs, and return it as `flags` lists it; see `trackside.live.Live.change`.

        Raises:
            TracksideError: the vendor has no flags, the change cannot be read, or the flag cannot serve that.
        """
        if self.live is None:
            raise TracksideError(f"{self.name} has no flags", "set_flag", "use one of: launchdarkly, split, statsig")
        _check_change(change, {**_CHANGES, **_OWN_CHANGES.get(self.name, {})})
        with self._lab.lock:
            row = self.live.change(name, change)
        self._lab.journal.poke()
        return row

    # ---- its experiments

    def experiment(self, key: str, environment: str = "") -> ExperimentHandle:
        """Return one of its experiments, to ask and to assert what counts in it.

        Args:
            key: as it names the experiment; of Split also a flag with a percentage rule.
            environment: where; any by default.

        Raises:
            TracksideError: it has no experiments, or none of this key.
        """
        from trackside.counting.handles import ExperimentHandle  # noqa: PLC0415 - only for who asks

        return ExperimentHandle(self._lab, self.name, key, environment)

    # ---- what it keeps

    def events(self, **match: Any) -> list[Record]:
        """Return the events that it keeps, in the order of arrival; of Segment, the messages that were accepted.

        Args:
            match: only events as asked, in the vendor's words; see `trackside.matching.WORDS`. A mapping asks only for
                the keys that it names, a callable is a predicate, ``where={"dotted.path": value}`` reaches the rest.
        """
        return expect.records(self._lab, self.name, match)

    def expect_event(
        self, name: Any, *, timeout: float = expect.TIMEOUT_SECONDS, count: int | None = None, **match: Any
    ) -> Record:
        """Wait for an event and return it, the first where there are several; see `trackside.expect.expect`.

        Args:
            name: as the vendor keeps it.
            timeout: seconds to wait at most.
            count: exactly so many, where given.
            match: further fields, as `events` takes them.

        Raises:
            ExpectationError: with the nearest record and what became of the message.
        """
        __tracebackhide__ = True
        return expect.expect(self._lab, self.name, {"name": name, **match}, count=count, timeout=timeout)

    def expect_none(self, name: Any = None, **match: Any) -> None:
        """Settle, then check once that it keeps no such event, or none at all; see `trackside.expect.expect_none`."""
        __tracebackhide__ = True
        expect.expect_none(self._lab, self.name, match if name is None else {"name": name, **match})

    def expect_valid(self, **options: Any) -> None:
        """Settle, then check that all that came here keeps its contract; see `trackside.expect.expect_valid`."""
        __tracebackhide__ = True
        expect.expect_valid(self._lab, self.name, **options)

    def expect_only(self, name: Any, *, timeout: float = expect.TIMEOUT_SECONDS, **match: Any) -> Record:
        """Wait for exactly one such event, check that there is no other, and return it."""
        __tracebackhide__ = True
        return expect.expect_only(self._lab, self.name, {"name": name, **match}, timeout=timeout)

    # ---- what it answers

    def handle(self, request: Request) -> Answer:
        """Return its answer to a request, or what a fault makes of it."""
        fault = self.take_fault()
        if fault is not None:
            delay = fault.seconds if fault.error == "ETIMEDOUT" else 0.0
            headers, steps = dict(fault.headers), [_told(fault)]
            return Answer(fault.status or 503, fault.body, headers, steps=steps, delay=delay, told=True)
        found = self.router.find(request.method, request.path)
        if found is not None and found[0].live:
            route, request.params = found
            answer = route.endpoint(request, self.live)
            answer.told = True
            return answer
        return self.after(request, self.answer(request, self._lab.settings(self.name)))

    def after(self, request: Request, answer: Answer) -> Answer:
        """Return a pure endpoint's answer as its route's look at the live state leaves it; see `trackside.wire.Route`."""
        found = self.router.find(request.method, request.path)
        if found is None or found[0].after is None or self.live is None:
            return answer
        return found[0].after(request, answer, self.live)

    def acts_on(self, body: bytes) -> bool:  # noqa: ARG002 - those that do look at it
        """Return whether a message from Segment may change its live state, so that its delivery cannot be derived."""
        return False

    def too_old(self, message: Message, now: float) -> Step | None:  # noqa: ARG002 - those with a limit look at it
        """Return the drop of a message that Segment replays ``now``, epoch seconds, and that lies too far back for it."""
        return None

    def exports(self, settings: Any) -> bool:  # noqa: ARG002 - those that export look at them
        """Return whether it sends anything to Segment under these settings."""
        return False

    def exportable(self, row: Exchange, records: list[Record]) -> list[Record]:  # noqa: ARG002 - Segment looks at it
        """Return what `exported` gets of a request: what the vendor keeps of it."""
        return records

    def export_state(self) -> Any:
        """Return what its exports ask of its live state, as it stands and never changes; None where they ask nothing."""
        return None

    def exported(self, records: list[Record], settings: Any, state: Any) -> Exported:  # noqa: ARG002 - those that export use them
        """Return what it sends to Segment of records that it keeps, where it `exports`; pure.

        Args:
            records: of one request, of any kind.
            settings: of the time when it came.
            state: what `export_state` gave then.
        """
        return NOTHING

    def body_steps(self, request: Request, told: Collection[str] = ()) -> list[Step]:
        """Return where the body of a request breaks its contract, but for places that were told of already."""
        found = self.router.find(request.method, request.path)
        if found is None or not found[0].contract:
            return []
        route = found[0]
        body, fault = route.plain(request) if route.plain else (request.body, request.undecodable)
        return [] if fault else body_faults(route.contract, body, told)

    def answer(self, request: Request, settings: Any) -> Answer:
        """Return its answer under these settings, faults aside."""
        found = self.router.find(request.method, request.path)
        if found is None:
            answer = self.vendor.unknown_path(request, settings)
            answer.steps = [self._unknown(request)]
            return answer
        route, request.params = found
        return route.endpoint(request, settings)

    def _unknown(self, request: Request) -> Step:
        text = f"{request.method} {request.path} does not exist here"
        fix = "use one of: " + ", ".join(self._paths_near(request))
        return Step("fault", f"{self.name}.unknown-path", text, request.path, fix, "error")

    def _paths_near(self, request: Request) -> list[str]:
        """Return the paths that exist; of many only those that are most like the one that was asked for."""
        paths = self.router.paths()
        if len(paths) <= PATHS_TOLD:
            return paths
        asked = f"{request.method} {request.path}"
        near = sorted(paths, key=lambda path: -difflib.SequenceMatcher(None, asked, path).ratio())[:PATHS_TOLD]
        return [*near, f"or one of {len(paths) - PATHS_TOLD} others"]

    def take_fault(self) -> Fault | None:
        """Return the fault that this request meets, if any, and count it."""
        if not self.faults:
            return None
        with self._lock:
            fault = self.faults[0] if self.faults else None
            if fault is not None and fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.pop(0)
            return fault

    def fail(self, status: int = 500, *, times: int | None = 1, error: str = "", **more: Any) -> None:
        """Let the next ``times`` requests fail (None: all, until `recover`); exports of what came before are made first.

        Args:
            status: the status to answer with.
            times: how many requests.
            error: instead of a status: ``ETIMEDOUT``, ``ECONNREFUSED`` or ``ECONNRESET``.
            more: ``body``, ``headers``, ``seconds`` of `trackside.delivery.Fault`.
        """
        self._lab.dispatch.exporter.finish()
        self.faults.append(Fault(status=0 if error else status, times=times, error=error, **more))

    def recover(self) -> None:
        """Take every fault away."""
        self._lab.dispatch.exporter.finish()
        self.faults.clear()


def _check_change(change: Mapping[str, Any], words: Mapping[str, tuple[type, str]]) -> None:
    """Raise a `TracksideError` for a word that no flag knows, and for a value of the wrong kind."""
    for name, value in change.items():
        if name not in words:
            raise TracksideError(f"{name!r} is not known", f"$.{name}", "use: " + ", ".join(words))
        kind, wanted = words[name]
        if not isinstance(value, kind):
            raise TracksideError(f"{name} is {value!r}", f"$.{name}", f"give {wanted}")


_CHANGES: dict[str, tuple[type, str]] = {
    "serve": (object, "a value"),
    "on": (bool, "true or false"),
    "environment": (str, "the name of an environment"),
    "kind": (str, "the name of a kind"),
}
"""What a change may say, the type of each, and how to say so."""

_OWN_CHANGES: dict[str, dict[str, tuple[type, str]]] = {
    "statsig": {"user": (str, "the id of a user"), "unit": (str, "the id of a unit")}
}
"""What one vendor's changes may say beside it."""


def _told(fault: Fault) -> Step:
    text = f"answered {fault.error or fault.status}, as the lab was told to"
    return Step("info", "", text, fix="take the fault away with recover()")


_KEYS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "segment": lambda settings: {name: source.write_key for name, source in settings.sources.items()},
    "statsig": lambda settings: {
        name: getattr(settings, name) for name in ("server_secret", "client_key", "console_key")
    },
    "split": lambda settings: settings.keys,
    "launchdarkly": lambda settings: {
        name: {"client_side_id": one.client_side_id, "sdk_key": one.sdk_key, "mobile_key": one.mobile_key}
        for name, one in settings.environments.items()
    },
    "ownlayer": lambda settings: settings.keys,
}
