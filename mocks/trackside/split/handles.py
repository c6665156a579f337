"""A flag and a segment of a running lab as tests change them; connected SDKs hear of each change at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trackside.errors import TracksideError
from trackside.split import definitions
from trackside.split.changes import Definition
from trackside.split.store import Split


class FlagHandle:
    """A flag to change; each method returns the handle.

    Args:
        live: Split of the lab.
        name: of the flag.
        environment: where; the first one where empty.
    """

    def __init__(self, live: Split, name: str, environment: str = "") -> None:
        self.name = name
        self._live = live
        self._environment = environment

    def serve(self, treatment: str | bool | Mapping[str, int]) -> FlagHandle:
        """Serve a treatment, or percentages by treatment, to everybody: rules, keys and a kill are gone.

        Raises:
            TracksideError: that cannot be served.
        """
        with self._live.lock:
            served = definitions.serving(self._found(), treatment, self._place)
            self._live.put(served, self._environment)
        return self

    def target(self, key: str, treatment: str | bool) -> FlagHandle:
        """Serve a treatment to one key, whatever the rules say.

        Raises:
            TracksideError: that is no treatment.
        """
        with self._live.lock:
            served = definitions.targeting(self._found(), key, treatment, self._place)
            self._live.put(served, self._environment)
        return self

    def kill(self, treatment: str | bool = "") -> FlagHandle:
        """Serve the default treatment, or this one, to everybody, until it is restored (split.sdk.kill).

        Raises:
            TracksideError: that is no treatment.
        """
        treatment = definitions.treatment(treatment, self._place) if treatment != "" else ""
        with self._live.lock:
            self._live.put(self._found(), self._environment)
            self._live.kill(self.name, self._environment, treatment)
        return self

    def restore(self) -> FlagHandle:
        """Follow the rules again after a kill."""
        with self._live.lock:
            self._live.put({**self._found(), "killed": False}, self._environment)
        return self

    def archive(self) -> None:
        """Delete it: SDKs then give ``control`` (split.sdk.archived).

        Raises:
            TracksideError: there is no such flag.
        """
        with self._live.lock:
            self._live.archive(self.name, self._environment)

    @property
    def definition(self) -> Definition:
        """Its definition as SDKs download it.

        Raises:
            TracksideError: there is no such flag.
        """
        with self._live.lock:
            found = self._live.flag(self.name, self._environment)
        if found is None:
            raise TracksideError(f"there is no flag {self.name!r}", self._place, "make it with serve()")
        return found

    @property
    def _place(self) -> str:
        return f"split flag {self.name}"

    def _found(self) -> Definition:
        """Return its definition, a new one where there is none."""
        return self._live.flag(self.name, self._environment) or definitions.new(self.name)


class SegmentHandle:
    """A segment to change; each method returns the handle.

    Args:
        live: Split of the lab.
        name: of the segment.
        environment: where; the first one where empty.
        large: whether it is a large segment.
    """

    def __init__(self, live: Split, name: str, environment: str = "", *, large: bool = False) -> None:
        self.name = name
        self._live = live
        self._environment = environment
        self._large = large

    def add(self, *keys: str) -> SegmentHandle:
        """Put keys into the segment.

        Raises:
            TracksideError: one is no text.
        """
        return self._change(keys, ())

    def remove(self, *keys: str) -> SegmentHandle:
        """Take keys out of the segment."""
        return self._change((), keys)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it holds."""
        with self._live.lock:
            found = self._live.segment(self.name, self._environment, large=self._large)
            return found.keys if found else ()

    def _change(self, added: Iterable[str], removed: Iterable[str]) -> SegmentHandle:
        for key in (*added, *removed):
            definitions.text(key, "the key", f"split segment {self.name}")
        with self._live.lock:
            self._live.change_segment(self.name, added, removed, self._environment, large=self._large)
        return self
