"""Split's live state: the flags and segments of each environment, and the event streams that hear of their changes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from trackside.errors import TracksideError
from trackside.live import Declared, Lock
from trackside.split import definitions, streams
from trackside.split.admin_state import Admin
from trackside.split.changes import ARCHIVED, Content, Definition, Definitions, Environment, Segment, TrafficTypes
from trackside.split.settings import SplitSettings
from trackside.split.webhook import Webhook
from trackside.streams import Stream, Streams
from trackside.times import in_ms

Kind: TypeAlias = Literal["SPLIT_UPDATE", "RB_SEGMENT_UPDATE"]


TOLD_SINGLY = 50
"""Changed definitions that SDKs are told of one by one, each with its definition.

splitio_client 10.7, told of a change without one, fetches flags and not the segments that are new to it.
"""


class Split:
    """What Split knows of a running lab; implements `trackside.live.Live`.

    Every method is called under the lab's lock, and each change reaches connected SDKs. An environment is named, or the
    first one where the name is empty. Definitions are what SDKs download (see ``contracts/split/split-definition``),
    without their ``changeNumber``: that is given here, and grows with every change, over `configure` and `reset` too.

    Args:
        lock: the lab's.

    Attributes:
        settings: the workspace's block in force.
        environments: what each environment serves, by name.
        streams: the open event streams; an environment's name is the topic.
        publishers: how many the control channels tell of.
        admin: what the Admin API knows beside all this.
        webhook: posts impressions on.
        answers: bodies of ``splitChanges`` that are still true, by environment, spec and question.
        versions: by environment and flag, since when the version in force of a flag that changed while the lab runs is
            there, epoch milliseconds of this machine's clock, which SDKs have too (split.counting.version).
        at: when what comes now came first, in seconds, where a recording is counted; None for now.
    """

    @property
    def last_number(self) -> int:
        """The number of the latest change; it tells whether anything is as it was."""
        return self._last_number

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.settings = SplitSettings()
        self.environments: dict[str, Environment] = {}
        self.streams = Streams(streams.KEEP_ALIVE)
        self.publishers = streams.PUBLISHERS
        self.admin = Admin()
        self.webhook = Webhook()
        self.answers: dict[tuple[Any, ...], bytes] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.at: float | None = None
        self._declared: dict[str, Content] = {}
        self._last_number = 0
        self._traffic_types: tuple[tuple[Any, ...], TrafficTypes] = ((), TrafficTypes())
        self._paused = False

    # ---- Live

    def configure(self, settings: SplitSettings, declared: Declared) -> None:
        """Put a workspace in force; SDKs hear of what differs (split.sdk.change-numbers)."""
        streamed, self.settings = self.settings.streaming, settings
        self._declared = {name: (declared.data or {}).get(name, Content()) for name in settings.environment_names}
        if streamed and not settings.streaming:
            self.control("STREAMING_DISABLED")
            self.streams.finish()
        self._take_back()

    def reset(self) -> None:
        """Take back what was changed: flags and segments are as declared, new ones archived (split.sdk.change-numbers)."""
        self._take_back()
        self.versions.clear()
        self.webhook.reset()
        if self.publishers != streams.PUBLISHERS:
            self.occupancy(streams.PUBLISHERS)
        if self._paused:
            self.control("STREAMING_RESUMED")

    def close(self) -> None:
        """End every stream, and the webhook's thread."""
        self.streams.end()
        self.webhook.close()

    def rows(self) -> list[dict[str, Any]]:
        """Return every flag of every environment; ``serves`` is its default rule."""
        return [self._row(state, flag) for state in self.environments.values() for flag in state.flags.active()]

    def change(self, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change a flag and return its row.

        Args:
            name: of the flag; where it does not exist it is made.
            change: ``serve`` (a treatment, or a mapping of treatments to percentages: everybody gets it), ``on`` (False
                kills, True restores), ``environment`` (the first one by default).

        Raises:
            TracksideError: there is no such environment, or it cannot serve that.
        """
        environment, place = str(change.get("environment") or ""), f"split flag {name}"
        flag = self.flag(name, environment) or definitions.new(name)
        if "serve" in change:
            self.put(definitions.serving(flag, change["serve"], place), environment)
        elif self.flag(name, environment) is None:
            self.put(flag, environment)
        if change.get("on") is False:
            self.kill(name, environment)
        elif change.get("on") is True:
            self.restore(name, environment)
        state = self.environment(environment)
        return self._row(state, state.flags.get(name) or flag)

    # ---- environments

    def environment(self, name: str = "") -> Environment:
        """Return an environment, the first one where the name is empty.

        Raises:
            TracksideError: there is no such environment.
        """
        name = name or next(iter(self.environments), "")
        if name not in self.environments:
            known = ", ".join(self.environments) or "none"
            raise TracksideError(f"there is no environment {name!r}", "$.split.environments", f"declared are: {known}")
        return self.environments[name]

    def environment_of(self, key: str | None) -> Environment | None:
        """Return the environment that an SDK key belongs to, None where the key is not valid (split.sdk.key)."""
        return self.environments.get(self.settings.environment_of(key) or "")

    def next_number(self) -> int:
        """Return a change number above every one before: the moment in milliseconds, or one more (split.sdk.change-numbers)."""
        self._last_number = max(self._last_number + 1, time.time_ns() // 1_000_000)
        return self._last_number

    # ---- flags

    def flags(self, environment: str = "") -> list[Definition]:
        """Return the definitions of an environment's flags; archived ones are left out."""
        return self.environment(environment).flags.active()

    def flag(self, name: str, environment: str = "") -> Definition | None:
        """Return a flag's definition; None where there is none."""
        return self.environment(environment).flags.get(name)

    def traffic_types(self) -> TrafficTypes:
        """Return the traffic type of every flag, also of those that are deleted by now; the same object until a change.

        Unlike the other methods it needs no lock.
        """
        states = list(self.environments.items())
        now = (self._last_number, *(name for name, _ in states))
        if self._traffic_types[0] != now:
            self._traffic_types = now, TrafficTypes({name: state.flags.traffic_types() for name, state in states})
        return self._traffic_types[1]

    def put(self, definition: Definition, environment: str = "") -> Definition:
        """Make a flag or change it; returns it with its change number."""
        state = self.environment(environment)
        return self._put(state, "SPLIT_UPDATE", state.flags, definition)

    def archive(self, name: str, environment: str = "") -> Definition:
        """Delete a flag: SDKs get it once more, archived, and drop it (split.sdk.archived)."""
        return self.put({**self._existing(name, environment), "status": ARCHIVED}, environment)

    def kill(self, name: str, environment: str = "", treatment: str = "") -> Definition:
        """Let a flag serve its default treatment, or this one, to everybody (split.sdk.kill)."""
        state, flag = self.environment(environment), self._existing(name, environment)
        killed = {**flag, "killed": True, "defaultTreatment": treatment or flag["defaultTreatment"]}
        if state.flags.holds(killed):
            return flag
        kept = state.flags.put(killed, self.next_number())
        self._note_version(state, kept)
        self._publish(state, streams.kill(state.name, kept))
        return kept

    def restore(self, name: str, environment: str = "") -> Definition:
        """Let a killed flag follow its rules again."""
        return self.put({**self._existing(name, environment), "killed": False}, environment)

    def put_rule_based_segment(self, definition: Definition, environment: str = "") -> Definition:
        """Make a rule-based segment or change it; one whose ``status`` is ``ARCHIVED`` is dropped by SDKs."""
        state = self.environment(environment)
        return self._put(state, "RB_SEGMENT_UPDATE", state.rule_based_segments, definition)

    def _put(self, state: Environment, kind: Kind, of: Definitions, definition: Definition) -> Definition:
        found = of.get(definition["name"])
        if found is not None and of.holds(definition):
            return found
        before = of.number
        kept = of.put(definition, self.next_number())
        if found is not None and of is state.flags:
            self._note_version(state, kept)
        self._publish(state, streams.update(state.name, kind, of.number, kept, before))
        return kept

    def _note_version(self, state: Environment, flag: Definition) -> None:
        self.versions[state.name, flag["name"]] = in_ms(time.time() if self.at is None else self.at)

    def _existing(self, name: str, environment: str) -> Definition:
        found = self.flag(name, environment)
        if found is None:
            known = ", ".join(row["name"] for row in self.flags(environment)[:20]) or "none"
            raise TracksideError(f"there is no flag {name!r}", "$.split.flags", f"there are: {known}")
        return found

    # ---- segments

    def segment(self, name: str, environment: str = "", *, large: bool = False) -> Segment | None:
        """Return a segment, or a large one; None where there is none."""
        state = self.environment(environment)
        return (state.large_segments if large else state.segments).get(name)

    def change_segment(self, name: str, added: Iterable[str] = (), removed: Iterable[str] = (), environment: str = "",
                       *, large: bool = False) -> Segment:  # fmt: skip
        """Add keys to a segment and remove others; one that does not exist is made (split.sdk.segment-update)."""
        state = self.environment(environment)
        segments = state.large_segments if large else state.segments
        number = self.next_number()
        if name not in segments:
            segments[name] = Segment(number, dict.fromkeys(added))
        elif not segments[name].change(added, removed, number):
            return segments[name]
        if not large:
            self._publish(state, streams.segment_update(state.name, name, number))
        self._publish(state, streams.memberships_update(state.name, number, large=large))
        return segments[name]

    # ---- streams

    def open_stream(self, environment: str, channels: frozenset[str]) -> Stream:
        """Return a new stream of an environment, which begins with the occupancy of the control channels asked for."""

        def render(message: streams.Message) -> bytes:
            return message.frame if message.channel in channels else b""

        first = b"".join(
            streams.occupancy(name, self.publishers, self.next_number())
            for name in streams.CONTROL_CHANNELS
            if name in channels
        )
        return self.streams.open(environment, first or streams.KEEP_ALIVE, render)

    def control(self, control_type: str, environment: str = "") -> None:
        """Send a control message to the SDKs of an environment, or of all (split.sdk.control).

        Raises:
            TracksideError: there is no such control message.
        """
        if control_type not in streams.CONTROL_TYPES:
            known = ", ".join(streams.CONTROL_TYPES)
            raise TracksideError(
                f"there is no control message {control_type!r}", "split control", f"use one of: {known}"
            )
        self._paused = control_type == "STREAMING_PAUSED"
        self._to_all(streams.control(control_type, self.next_number()), environment)

    def occupancy(self, publishers: int, environment: str = "") -> None:
        """Tell SDKs how many publishers the control channels have; with none they poll (split.sdk.occupancy).

        Raises:
            TracksideError: that is no number of publishers.
        """
        if not isinstance(publishers, int) or publishers < 0:
            raise TracksideError(f"there are {publishers!r} publishers", "split occupancy", "give 0 or more")
        self.publishers = publishers
        for name in streams.CONTROL_CHANNELS:
            frame = streams.occupancy(name, publishers, self.next_number())
            self._to_all(streams.Message(name, frame), environment)

    def _to_all(self, message: streams.Message, environment: str) -> None:
        for name in (self.environment(environment).name,) if environment else self.environments:
            self.streams.publish(name, message)

    def _publish(self, state: Environment, message: streams.Message) -> None:
        self.answers.clear()
        self.streams.publish(state.name, message)

    # ---- what is declared

    def _take_back(self) -> None:
        self.admin = Admin()
        self.answers.clear()
        for name in [name for name in self.environments if name not in self._declared]:
            del self.environments[name]
            self.streams.end(name)
        for name, content in self._declared.items():
            state = self.environments.get(name)
            if state is None:
                state = self.environments[name] = Environment(name, self.next_number())
            self._set_segments(state, content.segments, large=False)
            self.admin.inactive.update((name, one) for one in state.segments if one not in content.segments)
            self._set_segments(state, content.large_segments, large=True)
            self._set_all(state, "RB_SEGMENT_UPDATE", state.rule_based_segments, content.rule_based_segments)
            self._set_all(state, "SPLIT_UPDATE", state.flags, content.flags)

    def _set_all(self, state: Environment, kind: Kind, of: Definitions, declared: Mapping[str, Definition]) -> None:
        """Let exactly these definitions stand; many changes share one change number and one message."""
        changed = [row for row in declared.values() if not of.holds(row)]
        changed += [{**row, "status": ARCHIVED} for row in of.active() if row["name"] not in declared]
        if len(changed) <= TOLD_SINGLY:
            for row in changed:
                self._put(state, kind, of, row)
            return
        number = self.next_number()
        for row in changed:
            if of.get(row["name"]) is not None and of is state.flags:
                self._note_version(state, row)
            of.put(row, number)
        self._publish(state, streams.update(state.name, kind, number))

    def _set_segments(self, state: Environment, declared: Mapping[str, tuple[str, ...]], *, large: bool) -> None:
        segments = state.large_segments if large else state.segments
        for name in [*declared, *(name for name in segments if name not in declared)]:
            keys = dict.fromkeys(declared.get(name, ()))
            gone = [key for key in segments[name].keys if key not in keys] if name in segments else []
            self.change_segment(name, keys, gone, state.name, large=large)

    @staticmethod
    def _row(state: Environment, flag: Definition) -> dict[str, Any]:
        return {"vendor": "split", "kind": "flag", "name": flag["name"], "environment": state.name,
                "on": not flag["killed"], "serves": definitions.served(flag), "version": flag["changeNumber"]}  # fmt: skip
