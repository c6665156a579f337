"""What LaunchDarkly knows while a lab runs: the flags and segments of each environment, and who listens to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from trackside.errors import TracksideError
from trackside.launchdarkly import changes
from trackside.launchdarkly.evaluation import Evaluator
from trackside.launchdarkly.item_checks import contract_faults
from trackside.launchdarkly.model import Item, Kind, complete_flag, complete_segment, is_same, served
from trackside.launchdarkly.payloads import SeenPayloads
from trackside.launchdarkly.settings import Environment, LaunchDarklySettings
from trackside.streams import Streams

if TYPE_CHECKING:
    from trackside.live import Declared, Lock


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in an environment; every open stream of the environment gets it.

    Attributes:
        environment: its name.
        version: of the environment after the change.
        flags: each changed flag as it is now, by key; of a deleted one ``{"key", "version", "deleted": True}``.
        segments: each changed segment, likewise.
    """

    environment: str
    version: int
    flags: Mapping[str, Item]
    segments: Mapping[str, Item]
    _rendered: dict[str, bytes] = field(default_factory=dict)

    def once(self, protocol: str, render: Callable[[Change], bytes]) -> bytes:
        """Return its bytes in a protocol that many streams share, rendered for the first of them."""
        if protocol not in self._rendered:
            self._rendered[protocol] = render(self)
        return self._rendered[protocol]


@dataclass(slots=True)
class EnvironmentData:
    """The flags and segments of one environment as they stand.

    Attributes:
        name: of the environment.
        settings: its credentials.
        version: grows with every change, also over resets and configurations.
        flags: by key, in that order, without deleted ones.
        segments: likewise.
    """

    name: str
    settings: Environment
    version: int = 0
    flags: dict[str, Item] = field(default_factory=dict)
    segments: dict[str, Item] = field(default_factory=dict)
    _body: tuple[int, bytes] = (-1, b"")

    @property
    def body(self) -> bytes:
        """All data as ``/sdk/latest-all`` answers it."""
        if self._body[0] != self.version:
            self._body = self.version, orjson.dumps({"flags": self.flags, "segments": self.segments})
        return self._body[1]

    @property
    def etag(self) -> str:
        """The ETag of `body`; the same data has the same one in another process too (launchdarkly.sdk.etag)."""
        return f'"{blake2b(self.body, digest_size=12).hexdigest()}"'


class LaunchDarkly:
    """The live state of LaunchDarkly; every method is called under the lab's lock. See `trackside.live.Live`.

    Args:
        lock: the lab's.

    Attributes:
        streams: the open ones; an environment's name is the topic, and what is published is a `Change`.
        settings: what is in force.
        environments: by name, in the workspace's order.
        remembered: what else endpoints remember until the next reset or workspace, by a name of their own.
        payloads: the payload IDs of events that came before.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.streams = Streams()
        self.settings = LaunchDarklySettings()
        self.environments: dict[str, EnvironmentData] = {}
        self.remembered: dict[str, Any] = {}
        self.payloads = SeenPayloads()
        self._declared: Mapping[str, Mapping[Kind, Mapping[str, Item]]] = {}
        self._evaluators: dict[str, Evaluator] = {}
        self._versions: dict[tuple[str, Kind, str], int] = {}
        self._count = 0

    # ---- the workspace

    def configure(self, settings: LaunchDarklySettings, declared: Declared) -> None:
        """Put settings and declared flags in force; SDKs of an environment that is gone or has other keys are let go."""
        environments = settings.environments or ({"production": Environment("")} if settings.any_key else {})
        for name, data in self.environments.items():
            if environments.get(name) != data.settings:
                self.streams.end(name)
        for name in set(self.environments) - set(environments):
            self._forget_evaluator(name)
        before, self.settings = self.environments, settings
        self._declared = declared.data or {}
        self.remembered.clear()
        self.environments = {}
        for name, environment in environments.items():
            self.environments[name] = data = EnvironmentData(name, environment)
            if old := before.get(name):
                data.version, data.flags, data.segments = old.version, old.flags, old.segments
        self._as_declared()

    def reset(self) -> None:
        """Take back every change since the flags were declared; connected SDKs are told (launchdarkly.sdk.reset)."""
        self.remembered.clear()
        self.payloads.reset()
        self._as_declared()

    def close(self) -> None:
        """End every stream and every evaluator."""
        self.streams.end()
        for name in list(self._evaluators):
            self._forget_evaluator(name)

    def _forget_evaluator(self, name: str) -> None:
        evaluator = self._evaluators.pop(name, None)
        if evaluator is not None:
            evaluator.close()

    def _as_declared(self) -> None:
        for name, data in self.environments.items():
            declared = self._declared.get(name, {})
            self.apply(
                name, *(_difference(getattr(data, kind), declared.get(kind, {})) for kind in ("flags", "segments"))
            )

    # ---- reading and changing flags

    def environment(self, name: str = "") -> EnvironmentData:
        """Return an environment by its name, the first one where none is given.

        Raises:
            TracksideError: there is no such environment.
        """
        found = self.environments.get(name) if name else next(iter(self.environments.values()), None)
        if found is None:
            known = ", ".join(self.environments) or "none"
            raise TracksideError(f"there is no environment {name!r}", "launchdarkly", f"declared are: {known}")
        return found

    def item(self, environment: str, kind: Kind, key: str) -> Item | None:
        """Return a flag or segment as SDKs have it; it must not be changed in place. None where there is none."""
        data = self.environments.get(environment)
        found: Item | None = getattr(data, kind).get(key) if data else None
        return found

    def declared(self, environment: str, key: str) -> Item | None:
        """Return a flag as the workspace declares it for an environment; None where it does not."""
        return self._declared.get(environment, {}).get("flags", {}).get(key)

    def put(self, environment: str, kind: Kind, item: Item) -> Item:
        """Put a flag or segment into one environment, tell its SDKs, and return it with its new version."""
        key = item["key"]
        self.apply(environment, **{kind: {key: item}})
        found: Item = getattr(self.environments[environment], kind)[key]
        return found

    def edit(self, key: str, environment: str, make: Callable[[Item | None], Item]) -> EnvironmentData:
        """Change a flag in one environment; a new one is made in every environment, off in the others (launchdarkly.flags.new).

        Args:
            key: of the flag.
            environment: its name; the first one where it is empty.
            make: takes the flag as it is, None for a new one, and gives it as it is to be.

        Returns:
            The environment with the changed flag.

        Raises:
            TracksideError: SDKs could not take it, and would refuse every other flag with it (launchdarkly.flags.contract).
        """
        data = self.environment(environment)
        before = data.flags.get(key)
        flag = make(before)
        if faults := contract_faults({"flags": {key: flag}}):
            raise TracksideError(faults[0].what, f"flag {key}", faults[0].fix)
        for name in self.environments if before is None else ():
            if name != data.name and key not in self.environments[name].flags:
                self.apply(name, {key: {**flag, "on": False}})
        if before is None or not is_same(flag, before):
            self.apply(data.name, {key: flag})
        return data

    def delete(self, kind: Kind, key: str) -> bool:
        """Delete a flag or segment in every environment; returns whether one had it."""
        having = [name for name, data in self.environments.items() if key in getattr(data, kind)]
        for name in having:
            self.apply(name, **{kind: {key: None}})
        return bool(having)

    def apply(
        self,
        environment: str,
        flags: Mapping[str, Item | None] | None = None,
        segments: Mapping[str, Item | None] | None = None,
    ) -> Change | None:
        """Change flags and segments of an environment at once, and tell its streams.

        Args:
            environment: its name.
            flags: by key; None deletes. The version is set here: the item's own where it is higher than any that the
                key ever had, else the next (launchdarkly.flags.versions).
            segments: likewise.

        Returns:
            What changed; None where nothing did.
        """
        if not flags and not segments:
            return None
        data = self.environments[environment]
        self._count += 1
        data.version = self._count
        changed = self._applied(data, "flags", flags or {}), self._applied(data, "segments", segments or {})
        change = Change(environment, data.version, *changed)
        if environment in self._evaluators:
            self._evaluators[environment].update(data, change)
        self.streams.publish(environment, change)
        return change

    def _applied(self, data: EnvironmentData, kind: Kind, items: Mapping[str, Item | None]) -> dict[str, Item]:
        now: dict[str, Item] = dict(getattr(data, kind))
        changed: dict[str, Item] = {}
        for key, item in items.items():
            asked = item.get("version", 1) if item else 1
            version = max(self._versions.get((data.name, kind, key), 0) + 1, asked)
            self._versions[data.name, kind, key] = version
            if item is None:
                now.pop(key, None)
                changed[key] = {"key": key, "version": version, "deleted": True}
            else:
                complete = complete_flag if kind == "flags" else complete_segment
                now[key] = changed[key] = complete({**item, "version": version})
        setattr(data, kind, dict(sorted(now.items())))  # the same data reads the same, however it came about
        return changed

    def evaluator(self, environment: str) -> Evaluator:
        """Return what evaluates an environment's flags, which is made for the first who asks and kept.

        Raises:
            ImportError: the extra ``trackside[launchdarkly]`` is not installed (launchdarkly.extra-missing).
        """
        if environment not in self._evaluators:
            self._evaluators[environment] = Evaluator(self.environments[environment])
        return self._evaluators[environment]

    # ---- what the control API and the command line ask

    def rows(self) -> list[dict[str, Any]]:
        """Return every flag of every environment as one row; see `trackside.live.Live.rows`."""
        return [row(data.name, flag) for data in self.environments.values() for flag in data.flags.values()]

    def change(self, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change a flag and return its row; see `trackside.live.Live.change`."""
        if unknown := sorted(set(change) - {"serve", "on", "environment", "kind"}):
            what, fix = f"a flag has no {unknown[0]!r} to change", "change serve, on or environment"
            raise TracksideError(what, f"flag {name}", fix)
        if change.get("kind") not in (None, "", "flag"):
            raise TracksideError(
                f"LaunchDarkly has no {change['kind']!r}", f"flag {name}", "its kind is flag, or leave it out"
            )

        def made(flag: Item | None) -> Item:
            if "serve" in change:
                flag = changes.serving(flag, change["serve"]) if flag else changes.new_flag(name, change["serve"])
            flag = flag or changes.new_flag(name, True)
            return changes.switched(flag, on=bool(change["on"])) if change.get("on") is not None else flag

        data = self.edit(name, change.get("environment") or "", made)
        return row(data.name, data.flags[name])


def row(environment: str, flag: Item) -> dict[str, Any]:
    """Return a flag as ``trackside flags`` lists it."""
    return {
        "vendor": "launchdarkly",
        "kind": "flag",
        "name": flag["key"],
        "environment": environment,
        "on": flag["on"],
        "serves": served(flag),
        "version": flag["version"],
    }


def _difference(now: Mapping[str, Item], then: Mapping[str, Item]) -> dict[str, Item | None]:
    """Return what makes of one set of items the other: changed and new ones, None for those that are no more."""
    changed: dict[str, Item | None] = {
        key: item
        for key, item in then.items()
        if key not in now or item["version"] > now[key]["version"] or not is_same(item, now[key])
    }
    return {**changed, **dict.fromkeys(key for key in now if key not in then)}
