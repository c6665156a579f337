"""Statsig of a running lab, as tests see it: handles that change gates, configs, experiments, layers and ID lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside import expect
from trackside.connecting import connect
from trackside.counting.handles import Counts
from trackside.errors import TracksideError
from trackside.statsig.config_changes import record
from trackside.statsig.counting import PRODUCTION, day_offset, unit_types
from trackside.statsig.export import exported
from trackside.statsig.history import too_old
from trackside.statsig.metrics_view import STREAMED, events_by_day, log_stream
from trackside.statsig.routes import may_sync
from trackside.statsig.store import Statsig
from trackside.statsig.units import EVERYWHERE, Joined, joined
from trackside.steps import Message, Record, Step
from trackside.times import in_ms
from trackside.vendor import Mock

if TYPE_CHECKING:
    from trackside.exports import Exported
    from trackside.lab import Lab
    from trackside.statsig.settings import StatsigSettings
    from trackside.statsig.specs import Kind, Specs
    from trackside.wire import Answer, Request, Vendor


class StatsigMock(Mock):
    """Statsig of a running lab.

    A change is in the next answer that an SDK downloads: Statsig's SDKs poll.
    """

    live: Statsig

    def __init__(self, vendor: Vendor, lab: Lab) -> None:
        super().__init__(vendor, lab)
        self.live.records = lambda: (one.record for one in lab.kept(self.name, newest_first=True))
        self.live.on_change = self._tell_changes

    def gate(self, name: str) -> Gate:
        """Return the handle of a gate, which is made when it is first served."""
        return Gate(self._change, "gate", name)

    def config(self, name: str) -> Config:
        """Return the handle of a dynamic config."""
        return Config(self._change, "dynamic_config", name)

    def experiment(self, key: str, environment: str = "") -> Experiment:  # type: ignore[override]  # it serves groups too
        """Return the handle of an experiment, or of a gate that passes for a part of its units, to serve and to ask what counts.

        Args:
            key: its name.
            environment: the tier whose results are asked for; any by default.
        """
        return Experiment(self._lab, self._change, key, environment)

    def layer(self, name: str) -> Config:
        """Return the handle of a layer."""
        return Config(self._change, "layer", name)

    def id_list(self, name: str) -> ListHandle:
        """Return the handle of an ID list, which is made with its segment when an ID is first added."""
        return ListHandle(self._change, name)

    # ---- what it keeps beside events

    def exposures(self, **match: Any) -> list[Record]:
        """Return the exposures that it keeps, in the order of arrival.

        Args:
            match: ``name``, ``of`` (``gate``, ``config`` for configs and experiments, ``layer``), ``value`` (what a gate
                gave, else the group), ``group``, ``rule_id``, ``parameter``, ``experiment``, ``user_id``, ``custom_ids``,
                ``environment``, ``metadata`` or ``where``.
        """
        return expect.records(self._lab, self.name, match, sort="exposure")

    def expect_exposure(
        self, name: Any, *, timeout: float = expect.TIMEOUT_SECONDS, count: int | None = None, **match: Any
    ) -> Record:
        """Wait for an exposure and return it, the first where there are several.

        Args:
            name: of the gate, config, experiment or layer.
            timeout: seconds to wait at most.
            count: exactly so many, where given.
            match: further fields, as `exposures` takes them.

        Raises:
            ExpectationError: with the nearest exposure.
        """
        __tracebackhide__ = True
        asked = {"name": name, **match}
        return expect.expect(self._lab, self.name, asked, count=count, timeout=timeout, sort="exposure")

    def joined(self, id_type: str, unit: str) -> Joined:
        """Return what it keeps of one unit: ``exposures`` and ``events``, in the order of arrival (statsig.in.anonymous-join).

        Args:
            id_type: ``userID``, ``stableID`` or a custom ID of the project, such as ``segmentAnonymousId``.
            unit: the ID, such as Segment's anonymousId.

        Raises:
            TracksideError: the project has no such ID type.
        """
        known = unit_types(self._settings, self.live)[len(EVERYWHERE) :]
        return joined((one.record for one in self._lab.kept(self.name)), id_type, unit, known)

    def metrics(self, unit_type: str = "userID", environment: str = PRODUCTION) -> list[dict[str, Any]]:
        """Return what the Metrics tab shows of events: a row for each name, in all and by day (statsig.metrics.view).

        Args:
            unit_type: whose units are counted: ``userID``, ``stableID`` or a custom ID of the project.
            environment: the tier; empty for all.

        Returns:
            ``{"event", "metric", "unit_type", "count", "dau", "days": {"2026-11-22": {"count", "dau"}}}`` by name; days
            are the project's.

        Raises:
            TracksideError: the project has no such ID type.
        """
        known = unit_types(self._settings, self.live)
        if unit_type not in known:
            what, fix = f"the project has no ID type {unit_type!r}", f"declare it; known are: {', '.join(known)}"
            raise TracksideError(what, "statsig.id_types", fix)
        records = (one.record for one in self._lab.kept(self.name))
        return events_by_day(records, unit_type, environment, day_offset(self._settings))

    def log_stream(self, limit: int | None = STREAMED, *, all_environments: bool = False) -> list[dict[str, Any]]:
        """Return what the log stream shows: the last custom events, the latest first (statsig.metrics.log-stream).

        Args:
            limit: of events; None for all.
            all_environments: whether those of other tiers than production are shown too.

        Returns:
            ``{"timestamp", "event", "userID", "user", "value", "metadata", "environment", "source"}``; the timestamp in
            epoch milliseconds, the source such as ``segment v1.0``.
        """
        return log_stream(self.live.records(), limit, all_environments=all_environments)

    def config_changes(self) -> list[Record]:
        """Return the config changes that it keeps, oldest first; it makes them while it exports to Segment."""
        return [one.record for one in self._lab.kept(self.name) if one.record.get("kind") == "config_change"]

    # ---- what it exports

    def too_old(self, message: Message, now: float) -> Step | None:
        """Return the drop of a replayed message that lies over seven days back (statsig.in.replay)."""
        return too_old(message, self._lab.workspace.statsig, now)

    def exports(self, settings: StatsigSettings) -> bool:
        """Return whether the outgoing side of its Segment integration is enabled."""
        return settings.segment_outbound.enabled

    def export_state(self) -> Specs:
        """Return all specs as they stand: they tell what the name of a config stands for."""
        return self.live.all_specs

    def exported(self, records: list[Record], settings: StatsigSettings, state: Specs) -> Exported:
        """Return what it sends to Segment of records that it keeps."""
        return exported(records, settings, state)

    def handle(self, request: Request) -> Answer:
        """Return its answer to a request; what the Console API changes is kept with it (statsig.out.config-change)."""
        answer = super().handle(request)
        if answer.told:
            answer.records.extend(self._changes(request.at))
        return answer

    def after(self, request: Request, answer: Answer) -> Answer:
        """Return an answer after its route's look at the live state; what Segment changes there is not told to Segment."""
        answer = super().after(request, answer)
        self.live.forget_changes()  # statsig.out.config-change.audience
        return answer

    def acts_on(self, body: bytes) -> bool:
        """Return whether a message from Segment may change an ID list (statsig.in.audience)."""
        return may_sync(body, self.live)

    def connect_segment(self, source: str = "") -> dict[str, Any]:
        """Connect Segment as the OAuth pages do: a source sends here from now on, and no key is pasted (statsig.in.oauth).

        Args:
            source: of Segment, by name; may be left out where the workspace declares just one.

        Returns:
            ``source``, ``destination`` (its name), and ``created``: whether the destination is new.

        Raises:
            TracksideError: there is no such source, or the project has no server secret.
        """
        return connect(self._lab, source)

    def _changes(self, now: float) -> list[Record]:
        changes, outbound = self.live.take_changes(), self._settings.segment_outbound
        return [record(one, outbound, in_ms(now)) for one in changes] if outbound.enabled else []

    def _tell_changes(self) -> None:
        for one in self._changes(self._lab.clock.now()):
            self._lab.happened(self.name, "config_change", one)

    @property
    def _settings(self) -> StatsigSettings:
        return self._lab.workspace.statsig

    # ---- options

    def python_options(self) -> dict[str, Any]:
        """Return what ``StatsigOptions`` of the package ``statsig`` takes (statsig.sdk.options)."""
        return self.options("statsig")

    def python_core_options(self) -> dict[str, Any]:
        """Return what ``StatsigOptions`` of ``statsig-python-core`` takes."""
        return self.options("statsig-python-core")

    def node_options(self) -> dict[str, Any]:
        """Return what ``Statsig.initialize`` of ``statsig-node`` takes."""
        return self.options("statsig-node")

    def node_core_options(self) -> dict[str, Any]:
        """Return what ``new Statsig`` of ``@statsig/statsig-node-core`` takes."""
        return self.options("@statsig/statsig-node-core")

    def browser_options(self) -> dict[str, Any]:
        """Return what ``new StatsigClient`` of ``@statsig/js-client`` takes."""
        return self.options("@statsig/js-client")

    # ---- for the handles

    def _change(self, change: Callable[[Statsig], Any]) -> Any:
        """Return what a change of the live state gives, made under the lab's lock."""
        with self._lab.lock:
            try:
                return change(self.live)
            finally:
                self._tell_changes()
                self._lab.journal.poke()


Change: TypeAlias = Callable[[Callable[[Statsig], Any]], Any]
"""Makes a change of the live state, and gives what it gave."""


class _Handle:
    """One spec of a project, by kind and name."""

    def __init__(self, change: Change, kind: Kind, name: str) -> None:
        self._change = change
        self._kind: Kind = kind
        self.name = name

    def _serve(self, value: Any, unit: str) -> None:
        self._change(lambda live: live.serve(self._kind, self.name, value, unit))


class Gate(_Handle):
    """A gate."""

    def serve(self, value: bool | float, *, user: str = "") -> Gate:
        """Let everyone, a percentage or nobody pass.

        Args:
            value: whether it passes, or the percentage that passes.
            user: only for this ID.

        Raises:
            TracksideError: it is neither.
        """
        self._serve(value, user)
        return self

    def enable(self) -> Gate:
        """Enable it: its rules hold."""
        self._change(lambda live: live.switch("gate", self.name, on=True))
        return self

    def disable(self) -> Gate:
        """Disable it: nobody passes, with the rule ID ``disabled``."""
        self._change(lambda live: live.switch("gate", self.name, on=False))
        return self


class Config(_Handle):
    """A dynamic config or a layer."""

    def serve(self, value: Mapping[str, Any], *, user: str = "") -> Config:
        """Let everyone get these parameters; those that a layer has beside them stay as they are.

        Args:
            value: parameters by name.
            user: only for this ID.

        Raises:
            TracksideError: the value is no mapping.
        """
        self._serve(value, user)
        return self


class Experiment(Counts, _Handle):
    """An experiment; see `trackside.counting.handles.Counts` for what it can be asked."""

    vendor = "statsig"

    def __init__(self, lab: Lab, change: Change, key: str, environment: str = "") -> None:
        super().__init__(change, "experiment", key)
        self._lab, self.key, self.environment = lab, key, environment

    def serve(self, group: str | Mapping[str, float], *, user: str = "") -> Experiment:
        """Put everyone into a group, or into groups by percentage.

        Args:
            group: a group's name, or groups with percentages that add up to 100.
            user: put only this ID into the group.

        Raises:
            TracksideError: it has no such group.
        """
        self._serve(group, user)
        return self


class ListHandle:
    """An ID list."""

    def __init__(self, change: Change, name: str) -> None:
        self._change = change
        self.name = name

    def add(self, *ids: str) -> ListHandle:
        """Add IDs: SDKs download the lines that are new."""
        self._change(lambda live: live.change_list(self.name, add=ids))
        return self

    def remove(self, *ids: str) -> ListHandle:
        """Take IDs out."""
        self._change(lambda live: live.change_list(self.name, remove=ids))
        return self

    @property
    def ids(self) -> list[str]:
        """Those that are in it."""

        def read(live: Statsig) -> list[str]:
            found = live.id_list(self.name)
            return list(found.ids) if found else []

        found: list[str] = self._change(read)
        return found
