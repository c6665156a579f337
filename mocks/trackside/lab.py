"""The lab: all vendors wired together. Start it, point SDKs at it, ask what became of their events."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from trackside import connecting, expect, launchdarkly, ownlayer, segment, split, statsig
from trackside.clock import Clock
from trackside.delivery import TIMEOUT_SECONDS
from trackside.dispatch import Dispatch
from trackside.errors import TracksideError, WorkspaceError
from trackside.exports import NOTHING, Exported
from trackside.journal import DEFAULT_LIMIT, NO_CAUSE, Cause, Exchange, Journal
from trackside.journeys import Journey, Journeys, guard_of, may_hold, step_json
from trackside.launchdarkly.mock import LaunchDarklyMock
from trackside.ownlayer.mock import OwnLayerMock
from trackside.segment.mock import SegmentMock
from trackside.segment.public_api import Api
from trackside.segment.replay import left_over
from trackside.segment.routes import Segment
from trackside.segment.settings import SegmentSettings
from trackside.split.mock import SplitMock
from trackside.statsig.mock import StatsigMock
from trackside.steps import Record, Step
from trackside.vendor import Mock
from trackside.watch import Watch
from trackside.wire import Answer, Request
from trackside.workspace import Workspace, load, with_blocks

if TYPE_CHECKING:
    from types import TracebackType

    from trackside.counting.of_lab import Count
    from trackside.segment.protocols import Guard
    from trackside.segment.routing import Plan
    from trackside.server import Server
    from trackside.sqlite import SqliteKeeper

VENDORS = {
    "segment": segment.VENDOR,
    "statsig": statsig.VENDOR,
    "split": split.VENDOR,
    "launchdarkly": launchdarkly.VENDOR,
    "ownlayer": ownlayer.VENDOR,
}
"""The vendors of a lab, in the order that they are listed; a new one is a folder and a line here."""

HOST = "127.0.0.1"
FIRST_WORKSPACE = 1
"""The number of the workspace that a lab is made with."""

SEGMENT_AGENTS = ("Segment.io/", "SegmentDestination/", "Segment (Actions)")
"""How the user agents begin by which Segment delivers to vendors."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A step that a person should know of, with the message or request that it belongs to.

    Attributes:
        step: what happened.
        vendor: whose rule it is: the destination's vendor, or ``segment``.
        message_id: of the message; empty for a request as a whole.
        where: ``METHOD path`` of the request.
    """

    step: Step
    vendor: str
    message_id: str
    where: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return {**step_json(self.step), "vendor": self.vendor, "message_id": self.message_id, "where": self.where}

    def __str__(self) -> str:
        of = f", message {self.message_id}" if self.message_id else ""
        at = f" [{self.where}{of}]" if self.where or of else ""
        return f"{self.step.level} {self.vendor}: {self.step}{at}"


@dataclass(frozen=True, slots=True)
class Kept:
    """One record that a vendor keeps, and the way it came.

    Attributes:
        record: as the vendor keeps it.
        exchange: the request that brought it into the lab: Segment's, or the vendor's own.
        journey: the Segment message it was made of; None for a request straight to the vendor.
    """

    record: Record
    exchange: Exchange
    journey: Journey | None


class InForce:
    """One workspace as it was in force, and what vendors answer under it."""

    def __init__(self, loaded: Workspace, mocks: Mapping[str, Mock]) -> None:
        self.workspace = loaded
        self.segment: SegmentSettings = loaded.segment
        self.plan: Plan = loaded.plan
        self._mocks = mocks

    def answer(self, vendor: str, request: Request) -> Answer:
        """Return what a vendor answers to a request under this workspace, without its faults."""
        return self._mocks[vendor].answer(request, getattr(self.workspace, vendor))

    def exported(self, vendor: str, records: list[Record], state: Any = None) -> Exported:
        """Return what a vendor sends to Segment of records that it keeps; see `trackside.vendor.Mock.export_state`."""
        settings, mock = getattr(self.workspace, vendor), self._mocks[vendor]
        if not records or not mock.exports(settings):
            return NOTHING
        return mock.exported(records, settings, mock.export_state() if state is None else state)


class Lab:
    """One running set of mocks with its own state; two labs in one process share nothing.

    Args:
        workspace: a file, its content as a mapping, a loaded `Workspace`, or None for the demo workspace.
        host: the address to listen on; loopback unless told otherwise.
        ports: a fixed port per vendor (and ``admin``); any free one for those left out.
        strict: refuse Segment calls that break their contract.
        data: a SQLite file that keeps the journal beyond the process.
        limit: messages that the journal holds; the oldest go first.
        start_at: epoch seconds at which the lab's clock stands but for `advance`; real time when None.
        admin_token: what the control API wants when it is bound off loopback; a random one when empty.
        deliveries: ``direct`` calls a vendor of the lab as a function, ``http`` over its port; the answers are the same.

    Raises:
        WorkspaceError: with every fault of the workspace.
    """

    def __init__(
        self,
        workspace: Workspace | Mapping[str, Any] | Path | str | None = None,
        *,
        host: str = HOST,
        ports: Mapping[str, int] | None = None,
        strict: bool = False,
        data: Path | str | None = None,
        limit: int = DEFAULT_LIMIT,
        start_at: float | None = None,
        deliveries: Literal["direct", "http"] = "direct",
        admin_token: str = "",
    ) -> None:
        self.workspace = load(workspace)  # first, as a fault of it must not leave the file open
        self.clock = Clock(start_at)
        self.host = host
        self.admin_token = admin_token or secrets.token_urlsafe(16)
        self._fixed_ports = dict(ports or {})
        self._over_http = deliveries == "http"
        self.lock = threading.RLock()
        self._server: Server | None = None
        self._keeper = None
        if data is not None:
            from trackside.sqlite import SqliteKeeper  # noqa: PLC0415 - only a lab with a file needs it

            self._keeper = SqliteKeeper(data)
        self.journal = Journal(limit, self._keeper)
        self.journeys_of = Journeys(self.journal, self.in_force, over_http=self._over_http)
        self.dispatch = Dispatch(self, over_http=self._over_http)
        self._workspaces: dict[int, InForce] = {}
        self._segment = Segment(self.workspace.segment, self.workspace.accept_any_key, strict)
        self.segment = SegmentMock(VENDORS["segment"], self)
        self.statsig = StatsigMock(VENDORS["statsig"], self)
        self.split = SplitMock(VENDORS["split"], self)
        self.launchdarkly = LaunchDarklyMock(VENDORS["launchdarkly"], self)
        self.ownlayer = OwnLayerMock(VENDORS["ownlayer"], self)
        self.mocks: dict[str, Mock] = {name: getattr(self, name) for name in VENDORS}
        connecting.wire(self)
        self._segment.api = Api(lambda: self.workspace, lambda block: self.put_blocks({"segment": block}))
        self.errors: list[Exception] = []
        self.on_finding: Callable[[Finding], None] | None = None
        self._told: list[Finding] = []
        self._watch: Watch | None = None
        self._counting: Count | None = None
        self._number = 0
        self._closed = False
        self._restore()
        self._put_in_force()
        if not self._over_http:  # else the lab's ports have to be there first
            self.dispatch.resume()

    # ---- configuring

    def _put_in_force(self, vendors: Collection[str] | None = None) -> None:
        """Put the workspace in force, with the flags of every vendor, or with the settings of those that are named."""
        self._number += 1
        self._current = self._workspaces[self._number] = InForce(self.workspace, self.mocks)
        for name, mock in self.mocks.items():
            if mock.live is not None and (vendors is None or name in vendors):
                mock.live.configure(getattr(self.workspace, name), self.workspace.declared[name])
        if self._keeper is not None:
            self._keeper.keep_workspace(self._number, self.workspace.document)

    def in_force(self, number: int = 0) -> InForce:
        """Return the workspace that a row of the journal names by its number; the present one for any other number.

        So a row that a reset took meanwhile is read too.
        """
        return self._workspaces.get(number) or self._current

    @property
    def keeps(self) -> bool:
        """Whether the journal is kept in a file."""
        return self._keeper is not None

    def configure(self, source: Workspace | Mapping[str, Any] | Path | str | None) -> None:
        """Put another workspace in force; what is in the journal is still read under the one of its time.

        Raises:
            WorkspaceError: with every fault of it; the old one then stays in force.
        """
        loaded = load(source)
        with self.lock:
            if loaded is self.workspace:
                return
            self.dispatch.exporter.finish()  # of what came under the old one
            self.workspace = loaded
            self._segment.configure(loaded.segment, any_key=loaded.accept_any_key)
            self._put_in_force()
            self._watch_files()

    def put_blocks(self, blocks: Mapping[str, Any]) -> None:
        """Put other blocks of vendors in force, as Segment's Public API does; every flag stays as it stands.

        Raises:
            WorkspaceError: with every fault of the workspace that they would make; the old one then stays in force.
        """
        with self.lock:
            self.dispatch.exporter.finish()
            self.workspace = with_blocks(self.workspace, blocks)
            self._segment.configure(self.workspace.segment, any_key=self.workspace.accept_any_key)
            self._put_in_force(blocks)

    def reread(self) -> None:
        """Read the files of the workspace again and put them in force; what is wrong with them is a finding then."""
        if self._watch is not None:
            self._watch.look()  # else it would read them once more, and take back what a test changes meanwhile
        before = self.workspace
        try:
            loaded = load(before.source)
        except WorkspaceError as error:
            for fault in error.faults:
                text = f"{fault.what}; the flags and settings before the change stay in force"
                self.tell(Step("fault", "", text, fault.where, fault.fix, "error"))
            return
        with self.lock:
            if self.workspace is before:  # else another one was put in force meanwhile
                self.configure(loaded)

    def _files_changed(self) -> None:
        """Read changed files; a fault of trackside's own is kept where a test sees it, and the next change is read too."""
        try:
            self.reread()
        except Exception as error:  # noqa: BLE001 - the thread that looks has to go on
            self.errors.append(error)

    def tell(self, step: Step, vendor: str = "trackside", where: str = "") -> None:
        """Take on a finding that belongs to no request in the journal."""
        finding = Finding(step, vendor, "", where)
        self._told.append(finding)
        if self.on_finding is not None:
            self.on_finding(finding)
        self.journal.poke()

    def _watch_files(self) -> None:
        files = self.workspace.files
        if self._server is None or (self._watch is not None and self._watch.files == files):
            return
        if self._watch is not None:
            self._watch.stop(wait=False)  # its thread may wait for the lock that the caller has
        self._watch = Watch(files, self._files_changed, self.workspace.read_at) if files else None

    def settings(self, vendor: str) -> Any:
        """Return what a vendor's endpoints take beside the request: its settings, for Segment its state."""
        return self._segment if vendor == "segment" else getattr(self.workspace, vendor)

    @property
    def strict(self) -> bool:
        """Whether Segment refuses calls that break their contract."""
        return self._segment.strict

    @strict.setter
    def strict(self, value: bool) -> None:
        self._segment.strict = value

    # ---- starting and stopping

    def start(self) -> Lab:
        """Listen on every port; returns the lab when all of them answer.

        Raises:
            TracksideError: a port is taken, naming who holds it where that can be known; or the lab was stopped, and
                the file of its journal is closed.
        """
        if self._closed:
            raise TracksideError(
                "the lab was stopped and its file is closed", "Lab.start", "make another Lab with this data"
            )
        from trackside.server import Server  # noqa: PLC0415 - a lab that nobody serves needs no server

        if self._server is None:
            self._server = Server(self, self.host, self._fixed_ports)
            try:
                self._server.start()
            except TracksideError:
                self._server = None
                raise
            if self._over_http:
                self.dispatch.resume()
            self._watch_files()
        return self

    def stop(self) -> None:
        """Stop listening, end every thread, close the file."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        for mock in self.mocks.values():
            if mock.live is not None:
                with self.lock:
                    mock.live.close()
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.dispatch.exporter.stop()
        self.dispatch.deliverer.stop()
        if self._keeper is not None:
            self._keeper.close()
            self._closed = True

    def __enter__(self) -> Lab:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def urls(self) -> dict[str, str]:
        """The address of every vendor and of ``admin``, such as ``{"segment": "http://127.0.0.1:8080", …}``.

        Raises:
            TracksideError: the lab was not started.
        """
        if self._server is None:
            raise TracksideError("the lab is not listening", "Lab.urls", "start it: with Lab() as lab, or lab.start()")
        return self._server.urls

    def env(self, environment: str = "") -> dict[str, str]:
        """Return environment variables for an application under test: every address, and the keys that SDKs need.

        ``SEGMENT_HOST``, ``SEGMENT_WRITE_KEY``, ``STATSIG_API``, ``STATSIG_SERVER_SECRET``, ``STATSIG_CLIENT_KEY``,
        ``SPLIT_API``, ``SPLIT_SDK_KEY``, ``LAUNCHDARKLY_URI``, ``LAUNCHDARKLY_SDK_KEY``,
        ``LAUNCHDARKLY_CLIENT_SIDE_ID``, ``LAUNCHDARKLY_MOBILE_KEY``, ``OWNLAYER_API_URL``, ``OWNLAYER_API_KEY`` and
        ``TRACKSIDE_ADMIN``. A key that the workspace does not declare is left out.

        Args:
            environment: whose keys of LaunchDarkly and Split; of a vendor without one of this name, and by default, those
                of its first one.

        Raises:
            TracksideError: the lab was not started, or neither vendor has such an environment.
        """
        urls = self.urls
        known = list(dict.fromkeys([*self.launchdarkly.keys, *self.split.keys]))
        if environment and environment not in known:
            told = ", ".join(known) or "none"
            raise TracksideError(f"there is no environment {environment!r}", "Lab.env", f"declared are: {told}")
        named = {
            "SEGMENT_HOST": urls["segment"],
            "SEGMENT_WRITE_KEY": next(iter(self.segment.keys.values()), ""),
            "STATSIG_API": f"{urls['statsig']}/v1",
            "STATSIG_SERVER_SECRET": self.statsig.keys["server_secret"],
            "STATSIG_CLIENT_KEY": self.statsig.keys["client_key"],
            "SPLIT_API": f"{urls['split']}/api",
            "SPLIT_SDK_KEY": (_of(self.split.keys, environment) or {}).get("sdk_key", ""),
            "LAUNCHDARKLY_URI": urls["launchdarkly"],
            **self.ownlayer.sdk_environment(),
            "TRACKSIDE_ADMIN": urls["admin"],
        }
        keys = _of(self.launchdarkly.keys, environment) or {}
        return {
            name: value
            for name, value in {**named, **{f"LAUNCHDARKLY_{name.upper()}": keys[name] for name in keys}}.items()
            if value
        }

    # ---- receiving

    def receive(self, vendor: str, request: Request, cause: Cause = NO_CAUSE) -> Answer:
        """Take one request to a vendor and return its answer; it is in the journal when this returns.

        Args:
            vendor: whose port it came to.
            request: what came.
            cause: of a request that the lab makes itself; see `trackside.journal.Exchange`.
        """
        mock = self.mocks[vendor]
        cause = self.dispatch.cause_of(request, cause)
        with self.lock:
            request.at = self.clock.now()
            answer = mock.handle(request)
            self.dispatch.note_live(vendor, request, answer)
            queued = bool(answer.intake and answer.intake.calls) and self.dispatch.needs_queue(answer.intake.source, request.body)  # type: ignore[union-attr]  # fmt: skip
            if queued:
                self.journal.opening.add(self.journal.next_seq)
            row = self.journal.append(vendor, request, answer, self._number, queued=queued, cause=cause)
            if queued:  # under the lock, so that a reset takes all of it
                self.dispatch.enqueue(row)
                self.journal.opening.discard(row.seq)
                self.journal.poke()
            self.dispatch.export(row, mock.exportable(row, answer.records))
        return answer

    def happened(self, vendor: str, what: str, record: Record, steps: Sequence[Step] = ()) -> Exchange:
        """Keep a record that no request brought, such as a changed gate, and export it; returns its row.

        Args:
            vendor: who keeps it.
            what: in a word, such as ``config_change``; the row has it in place of a path.
            record: what is kept.
            steps: what a person should know of it.
        """
        with self.lock:
            answer = Answer(200, records=[record], steps=list(steps), told=True)
            request = Request("", what, at=self.clock.now())
            row = self.journal.append(vendor, request, answer, self._number)
            self.dispatch.export(row, self.mocks[vendor].exportable(row, answer.records))
        return row

    def guard_of(self, row: Exchange) -> Guard | None:
        """Return the guard that a request's messages met; None without a tracking plan."""
        return guard_of(self.in_force(row.workspace).plan, row)

    def _restore(self) -> None:
        """Take back what the file holds."""
        if self._keeper is None:
            return
        try:
            self._read_back(self._keeper)
        except (WorkspaceError, KeyError, TypeError, ValueError) as error:
            self._keeper.close()
            told = "; ".join(map(str, error.faults)) if isinstance(error, WorkspaceError) else repr(error)
            fix = "read it with the version that wrote it, or name a new file"
            raise TracksideError(f"the journal cannot be read: {told}", str(self._keeper.path), fix) from error

    def remember_workspace(self, number: int, document: Mapping[str, Any]) -> None:
        """Let rows that name a workspace by this number be read under it."""
        self._workspaces[number] = InForce(load(document, flag_files=False), self.mocks)
        self._number = max(self._number, number)

    def _read_back(self, keeper: SqliteKeeper) -> None:
        for number, document in keeper.workspaces().items():
            self.remember_workspace(number, document)
        for row, attempts in keeper.rows():
            self.journal.restore(row, attempts)
            if row.queued:
                self.dispatch.unfinished.append(row)
            self._remember_ids(row)
        for step in left_over(self):
            self.tell(step, "segment", "replay")

    def _remember_ids(self, row: Exchange) -> None:
        """Let deduplication know the messageIds of a restored row."""
        if not row.intake.calls:
            return
        ids = [
            (journey.index, str(journey.call["messageId"]))
            for journey in self.journeys_of.of(row)
            if journey.outcome in ("accepted", "blocked") and isinstance(journey.call.get("messageId"), str)
        ]
        self._segment.seen.repeated(ids, row.intake.source, row.request.at)

    # ---- time

    def advance(self, seconds: float) -> None:
        """Move the lab's clock ahead; each retry that falls due on the way is made at its moment, and over on return.

        Raises:
            ValueError: ``seconds`` is below 0.
        """
        if seconds < 0:
            self.clock.advance(seconds)  # says what is wrong
        end = self.clock.now() + seconds
        self.dispatch.exporter.finish()
        self.dispatch.deliverer.settle(TIMEOUT_SECONDS + 5)
        while (due := self.dispatch.deliverer.next_due()) is not None and due <= end:
            self.clock.advance(max(0.0, due - self.clock.now()))
            self.dispatch.deliverer.settle(TIMEOUT_SECONDS + 5)
        self.clock.advance(max(0.0, end - self.clock.now()))
        self.dispatch.deliverer.poke()

    def settle(self, timeout: float = 10.0) -> None:
        """Return when nothing is due now and no delivery is under way, nor any post to Split's impressions webhook.

        Raises:
            TracksideError: that took longer than ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        self.dispatch.exporter.finish()
        delivered = self.dispatch.deliverer.settle(timeout)
        self.dispatch.exporter.finish()  # of what deliveries over HTTP brought meanwhile
        if not (delivered and self.split.live.webhook.settle(max(0.0, end - time.monotonic()))):
            raise TracksideError(
                f"deliveries were still under way after {timeout} s",
                "Lab.settle",
                "see that webhook destinations answer, or pass a longer timeout",
            )

    def reset(self) -> None:
        """Forget every message, record, fault and seen id, at once; the workspace stays in force."""
        with self.lock:
            self.dispatch.exporter.reset()
            self.dispatch.deliverer.reset()
            self._segment.seen.reset()
            self._segment.members.clear()
            self._segment.grants.reset()
            for mock in self.mocks.values():
                mock.faults.clear()
                if mock.live is not None:
                    mock.live.reset()
            self.clock.reset()
            self.errors.clear()
            self._told.clear()
            self.journal.clear()
            self.journeys_of.clear()
            self._workspaces = {self._number: self._current}

    # ---- reading

    def journeys(
        self,
        *,
        message_id: str | None = None,
        user: str | None = None,
        vendor: str | None = None,
        drops: bool = False,
        newest_first: bool = False,
    ) -> Iterator[Journey]:
        """Yield journeys, oldest first unless told otherwise.

        Args:
            message_id: only those with this messageId.
            user: only those with this userId or anonymousId.
            vendor: only those that were on their way to this vendor or destination.
            drops: only those that were discarded, repeated, dropped, refused or not yet delivered somewhere (at
                ``vendor``, if named).
            newest_first: the latest first.
        """
        self.dispatch.exporter.finish()
        for journey in self.journeys_of.all(newest_first=newest_first, containing=_rarer(message_id, user)):
            if message_id is not None and journey.get("messageId") != message_id:
                continue
            if user is not None and user not in (journey.get("userId"), journey.get("anonymousId")):
                continue
            if vendor is not None and vendor != "segment" and not journey.deliveries_to(vendor):
                continue
            if drops and not journey.dropped(vendor):
                continue
            yield journey

    def journey(self, message_id: str) -> Journey:
        """Return the first journey of a messageId.

        Raises:
            TracksideError: there is none, or it was evicted.
        """
        for found in self.journeys(message_id=message_id):
            return found
        self.journal.require_complete(f"the journey of {message_id}")
        raise TracksideError(f"no message has the messageId {message_id!r}", "the journal", "look at Lab.journeys()")

    def kept(self, vendor: str, *, newest_first: bool = False, containing: str = "") -> Iterator[Kept]:
        """Yield what a vendor keeps, with the way it came, in the order of arrival; of Segment, the accepted messages."""
        self.dispatch.exporter.finish()
        for row in self.journal.rows(newest_first=newest_first):
            if containing and row.vendor == "segment" and not may_hold(row, containing):
                continue
            yield from reversed(list(self.kept_of(row, vendor))) if newest_first else self.kept_of(row, vendor)

    def kept_of(self, row: Exchange, vendor: str) -> Iterator[Kept]:
        """Yield what a vendor keeps of one request."""
        if row.vendor == vendor and vendor != "segment":
            if row.told:
                yield from (Kept(record, row, None) for record in orjson.loads(row.kept or b"[]"))
            elif row.status < 300:
                answer = self.in_force(row.workspace).answer(vendor, row.request)
                yield from (Kept(record, row, None) for record in answer.records)
        elif row.vendor == "segment" and row.intake.calls:
            for journey in self.journeys_of.towards(row, vendor):
                yield from (Kept(record, row, journey) for record in self._records_of(journey, vendor))

    def _records_of(self, journey: Journey, vendor: str) -> Iterable[Record]:
        if vendor == "segment":
            return (journey.message,) if journey.outcome == "accepted" and journey.message is not None else ()
        if self._over_http:
            return ()  # the vendor's own exchange has them
        return (record for delivery in journey.deliveries if delivery.vendor == vendor for record in delivery.records())

    def exchanges(self, vendor: str | None = None) -> list[Exchange]:
        """Return the requests that came to a vendor, or to all, oldest first."""
        self.dispatch.exporter.finish()
        return [row for row in self.journal.rows() if row.is_request and vendor in (None, row.vendor)]

    def steps_of(self, row: Exchange) -> Sequence[Step]:
        """Return what happened to a request as a whole, and to what was exported of it."""
        tool = row.vendor == "segment" and not row.is_request  # whose tries are told of here, and in no journey
        tried = (self.journal.attempts_of(row.seq) if tool else self.dispatch.tried_exports(row)).values()
        failed = [step for attempts in tried for attempt in attempts for step in attempt.steps]
        if row.vendor == "segment":
            return [*row.steps, *failed]
        mock, configured = self.mocks[row.vendor], self.in_force(row.workspace)
        if row.told:
            steps, records = row.steps, orjson.loads(row.kept or b"[]")
        else:
            answer = configured.answer(row.vendor, row.request)
            steps, records = answer.steps, answer.records
        faults = mock.body_steps(row.request, {step.at for step in steps}) if row.is_request else []
        return [
            *steps,
            *faults,
            *configured.exported(row.vendor, records, self.journal.export_states.get(row.seq)).steps,
            *failed,
        ]

    def findings(self, *, notes: bool = False) -> Iterator[Finding]:
        """Yield every error and warning so far, oldest first; with ``notes`` also what is only worth knowing."""
        levels = ("error", "warning", "note") if notes else ("error", "warning")
        self.dispatch.exporter.finish()
        yield from list(self._told)
        for row in self.journal.rows():
            where = f"{row.request.method} {row.request.shown_path}".lstrip()
            for step in self.steps_of(row):
                if step.level in levels and not self.is_delivery(row):
                    yield Finding(step, row.vendor, "", where)
            for journey in self.journeys_of.of(row):
                message_id = str(journey.get("messageId") or "")
                vendors = {delivery.destination: delivery.vendor for delivery in journey.deliveries}
                for destination, step in journey.all_steps():
                    if step.level in levels:
                        yield Finding(step, vendors.get(destination, "segment"), message_id, where)

    def is_delivery(self, row: Exchange) -> bool:
        """Return whether a vendor's request came from this lab's Segment over HTTP: its journey tells of it."""
        return self._over_http and is_delivery(row)

    def expect_no_findings(self, *, notes: bool = False) -> None:
        """Settle, then check that there are no errors and warnings; with ``notes`` also nothing only worth knowing.

        Raises:
            ExpectationError: with every finding.
        """
        __tracebackhide__ = True
        expect.expect_no_findings(self, notes=notes)

    def expect_valid(self, **options: Any) -> None:
        """Settle, then check that every payload so far keeps its contract; see `trackside.expect.expect_valid`.

        Raises:
            ExpectationError: with every finding that is strict.
        """
        __tracebackhide__ = True
        expect.expect_valid(self, **options)

    @property
    def counting(self) -> Count:
        """What experiments count of all this: verdicts, results and the audit."""
        with self.lock:
            if self._counting is None:
                from trackside.counting.of_lab import Count  # noqa: PLC0415 - only for who asks

                self._counting = Count(self)
            return self._counting

    def stats(self) -> dict[str, Any]:
        """Return counts: what the journal holds, and what waits for a retry."""
        self.dispatch.exporter.finish()
        return {
            **self.journal.stats(),
            "ids_seen": len(self._segment.seen),
            "ids_aged_out_early": self._segment.seen.aged_out_early,
            "deliveries_waiting": self.dispatch.deliverer.waiting(),
        }


def _of(keys: Mapping[str, Any], environment: str) -> Any:
    """Return the keys of an environment; of the first one where none is named or has that name."""
    return keys.get(environment) or next(iter(keys.values()), "")


def _rarer(*texts: str | None) -> str:
    return next((text for text in texts if text), "")


def is_delivery(row: Exchange) -> bool:
    """Return whether a request looks like a delivery of Segment's to a vendor."""
    own = row.vendor != "segment" and row.cause == NO_CAUSE  # a test event, or a replayed message, has no journey
    return own and row.request.headers.get("user-agent", "").startswith(SEGMENT_AGENTS)
