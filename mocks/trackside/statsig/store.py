"""What a running lab knows of its Statsig project beyond the settings: specs and ID lists as they stand.

Statsig pushes nothing: server SDKs ask again after some seconds, and js-client when its user is updated.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from trackside.errors import TracksideError
from trackside.live import Declared, Lock
from trackside.statsig import changes
from trackside.statsig.config_changes import Change, State, differences, state
from trackside.statsig.evaluation import Evaluator
from trackside.statsig.id_lists import IdList
from trackside.statsig.oauth import OAuth
from trackside.statsig.reading import circle_of
from trackside.statsig.rows import list_row, spec_row
from trackside.statsig.settings import StatsigSettings
from trackside.statsig.specs import KINDS, SEGMENT, Kind, Project, Spec, Specs, document, segment
from trackside.steps import Record

FAR = 32_503_680_000_000
"""The year 3000, epoch milliseconds: no SDK has specs of a later time."""


class Statsig:
    """The live state of Statsig; every method is called under the lab's lock.

    Args:
        lock: the lab's.

    Attributes:
        settings: of the project.
        time: of the last change, epoch milliseconds; it never goes back, nor do the SDKs (statsig.sdk.specs.time).
        console: what the Console API keeps beside flags; forgotten on `reset`.
        records: gives what Statsig keeps, the latest first; set by the lab, which has the journal.
        oauth: connections to Segment that are being made, and the lab's ways to Segment.
        on_change: called when another workspace or `change` changed specs; set by the lab, which tells of them.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.settings = StatsigSettings()
        self.time = 0
        self.console: dict[str, Any] = {}
        self.records: Callable[[], Iterable[Record]] = tuple
        self.oauth = OAuth()
        self.on_change: Callable[[], None] = lambda: None
        self._declared = Project()
        self._specs = Specs()
        self._id_lists: dict[str, IdList] = {}
        self._documents: dict[int, bytes] = {}
        self._evaluator = Evaluator()
        self._told: State | None = None  # as it was when changes were last taken; None before the first workspace
        self._untold = False

    # ---- the lab's side

    def configure(self, settings: StatsigSettings, declared: Declared) -> None:
        """Put settings and declared flags in force; what tests changed since goes when the declaration differs."""
        self.settings = settings
        project = declared.data or Project()
        if project != self._declared or not self.time:
            self._declared = project
            self._put_back()
        if self._told is None:
            self.forget_changes()
        else:
            self.on_change()

    def reset(self) -> None:
        """Serve what is declared again; its time is later than that of what was served before (statsig.sdk.reset)."""
        self.console.clear()
        self.oauth.reset()
        lists = {name: (tuple(one.ids), one.id_type) for name, one in self._id_lists.items()}
        declared = {name: (one.ids, one.id_type) for name, one in self._declared.id_lists.items()}
        if self._specs != self._declared.specs or lists != declared:
            self._put_back()
            self.forget_changes()

    def close(self) -> None:
        """End the evaluator."""
        self._evaluator.close()

    def _put_back(self) -> None:
        self._changed()
        self.console.clear()
        self._specs = self._declared.specs
        wanted = self._declared.id_lists
        self._id_lists = {name: one for name, one in self._id_lists.items() if name in wanted}
        for name, one in wanted.items():
            held = self._id_lists.get(name)
            if held is None or held.id_type != one.id_type:
                self._id_lists[name] = IdList(name, one.ids, one.id_type, self.time)
            elif tuple(held.ids) != one.ids:
                held.replace(one.ids, self.time)

    def take_changes(self) -> list[Change]:
        """Return each spec and ID list that differs since this was last asked for, once (statsig.out.config-change)."""
        if not self._untold:
            return []
        before = self._told or State()
        self.forget_changes()
        return differences(before, self._told or before)

    def forget_changes(self) -> None:
        """Count what is in force as known: it is what the workspace declares, or came by Segment itself."""
        if self._untold:
            self._told, self._untold = state(self._specs, self._id_lists.values()), False

    def _changed(self, after: int = 0) -> None:
        self.time = max(self.time + 1, after, time.time_ns() // 1_000_000)
        self._untold = True
        self._documents.clear()

    # ---- reading

    def key_kind(self, key: str) -> str:
        """Return which key of the project this is: ``server_secret``, ``client_key``, ``console_key``; empty for none."""
        kinds = ("server_secret", "client_key", "console_key")
        return next((kind for kind in kinds if key and key == getattr(self.settings, kind)), "")

    def document(self, version: int, since: int = 0) -> bytes | None:
        """Return the specs of ``/v1`` or ``/v2/download_config_specs`` as JSON; None where an SDK has them already.

        Args:
            version: 1 or 2.
            since: the time of the specs that the SDK has. One that is ahead of ours, from another lab or from Statsig,
                moves ours ahead too, as SDKs take nothing older (statsig.sdk.specs.time).
        """
        if since == self.time:
            return None
        if self.time < since < FAR:
            self._changed(since + 1)
        if version not in self._documents:
            self._documents[version] = orjson.dumps(document(self._specs, version, self.time, self._id_lists))
        return self._documents[version]

    def spec(self, kind: Kind, name: str) -> Spec | None:
        """Return a spec as the first format has it, or None; it is not to be changed in place."""
        return self._specs.of(kind).get(name)

    @property
    def all_specs(self) -> Specs:
        """All specs as they stand; never changed in place."""
        return self._specs

    def specs(self, kind: Kind) -> dict[str, Spec]:
        """Return all specs of a kind by name."""
        return dict(self._specs.of(kind))

    def segments(self) -> dict[str, Spec]:
        """Return all segments by their names without ``segment:``."""
        gates = self._specs.feature_gates.items()
        return {name.removeprefix(SEGMENT): one for name, one in gates if name.startswith(SEGMENT)}

    def segment(self, name: str) -> Spec | None:
        """Return the segment of a name without its ``segment:``, or None."""
        return self._specs.feature_gates.get(f"segment:{name}")

    def layer_of(self, experiment: str) -> str:
        """Return the layer of an experiment; empty where it is in none."""
        return self._specs.experiment_to_layer.get(experiment, "")

    def id_list(self, name: str) -> IdList | None:
        """Return an ID list, or None; its ids are changed by `change_list`."""
        return self._id_lists.get(name)

    def id_lists(self) -> dict[str, IdList]:
        """Return all ID lists by name."""
        return dict(self._id_lists)

    def file(self, file_id: str) -> bytes | None:
        """Return the file of an ID list, or None where there is none of that ID."""
        return next((one.file for one in self._id_lists.values() if one.file_id == file_id), None)

    def evaluate(self, user: Mapping[str, Any], algorithm: str = "none") -> dict[str, Any]:
        """Return what every gate, config, experiment and layer gives a user: the answer of ``/v1/initialize``.

        Args:
            user: as SDKs send it, with ``userID``, ``customIDs``, ``custom`` and so on.
            algorithm: ``none``, ``djb2`` or ``sha256``: how names are hashed.

        Raises:
            MissingExtraError: ``trackside[statsig]`` is not installed.
        """
        return self._evaluator.evaluate(self._specs, self._id_lists, self.time, user, algorithm)

    # ---- changing

    def serve(self, kind: Kind, name: str, value: Any, unit: str = "") -> dict[str, Any]:
        """Let a spec serve a value and return its row; see `trackside.statsig.changes.serve`.

        Raises:
            TracksideError: it cannot serve that.
        """
        self._specs = changes.serve(self._specs, kind, name, value, unit)
        self._changed()
        return self._row(kind, name)

    def switch(self, kind: Kind, name: str, *, on: bool) -> dict[str, Any]:
        """Enable or disable a spec and return its row."""
        self._specs = changes.switch(self._specs, kind, name, on=on)
        self._changed()
        return self._row(kind, name)

    def put(self, kind: Kind, spec: Spec) -> None:
        """Set a spec under its name, as `trackside.statsig.specs.spec` makes one; its version grows.

        Raises:
            TracksideError: gates would ask each other in a circle, which ends no SDK's evaluation.
        """
        specs = changes.put(self._specs, kind, spec["name"], spec)
        if kind == "gate" and (circle := circle_of(specs)):
            what = f"gates would ask each other in a circle: {' asks '.join([*circle, circle[0]])}"
            raise TracksideError(what, f"statsig.gates.{spec['name']}", "leave one of these conditions out")
        self._specs = specs
        self._changed()

    def join_layer(self, experiment: str, layer: str) -> None:
        """Say that an experiment is in a layer, or in none where that is empty."""
        joined = {**self._specs.experiment_to_layer, experiment: layer}
        joined = {name: one for name, one in joined.items() if one}
        self._specs = dataclasses.replace(self._specs, experiment_to_layer=joined)
        self._changed()

    def remove(self, kind: Kind, name: str) -> None:
        """Take a spec away."""
        self._specs = changes.put(self._specs, kind, name, None)
        self._changed()

    def change_list(
        self, name: str, add: Iterable[str] = (), remove: Iterable[str] = (), id_type: str = "userID"
    ) -> IdList:
        """Add IDs to a list, take others out, and return it; with its segment it is made where there is none."""
        changes.sendable("id_list", name, {})
        self._changed()
        if name not in self._id_lists:
            self._id_lists[name] = IdList(name, (), id_type, self.time)
        if self.segment(name) is None:
            self.put("gate", segment(name, id_type))
        self._id_lists[name].add(add)
        self._id_lists[name].remove(remove)
        return self._id_lists[name]

    def reset_list(self, name: str, ids: Iterable[str] = ()) -> None:
        """Let a list start a new file, with these IDs only."""
        self._changed()
        if name in self._id_lists:
            self._id_lists[name].replace(ids, self.time)

    def remove_list(self, name: str) -> None:
        """Take an ID list and its segment away."""
        self._id_lists.pop(name, None)
        self.remove("gate", f"segment:{name}")

    # ---- for the control API

    def rows(self) -> list[dict[str, Any]]:
        """Return every gate, config, experiment, layer and ID list as the control API lists it."""
        found = [spec_row(kind, one) for kind in KINDS for one in self._specs.of(kind).values()]
        return [*found, *(list_row(one) for one in self._id_lists.values())]

    def change(self, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change a spec or ID list and return its row.

        Args:
            name: of it; where it does not exist it is made: a gate for true, false and numbers, an ID list for a list,
                else a dynamic config.
            change: ``serve``; ``on``; ``unit`` or ``user`` for one ID only; ``kind`` where a name is of several.

        Raises:
            TracksideError: it cannot serve that, or the name is of several kinds.
        """
        if change.get("environment"):
            what = f"Statsig has no environment {change['environment']!r} of its own specs"
            raise TracksideError(what, "environment", "leave it out: gates ask for environment_tier")
        try:
            return self._change(name, change)
        finally:
            self.on_change()

    def _change(self, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._kind(name, change)
        if kind == "id_list":
            return self._change_list(name, change.get("serve"))
        row = None
        if change.get("serve") is not None:
            row = self.serve(kind, name, change["serve"], str(change.get("unit") or change.get("user") or ""))
        if change.get("on") is not None or row is None:
            row = self.switch(kind, name, on=bool(change.get("on", True)))
        return row

    def _kind(self, name: str, change: Mapping[str, Any]) -> Any:
        if asked := change.get("kind"):
            kind = {"config": "dynamic_config"}.get(asked, asked)
            if kind in (*KINDS, "id_list"):
                return kind
            raise TracksideError(f"there is no kind {asked!r}", "kind", f"use one of: {', '.join(KINDS)}, id_list")
        found = [kind for kind in KINDS if name in self._specs.of(kind)] + ["id_list"] * (name in self._id_lists)
        if len(found) > 1:
            raise TracksideError(f"{name} is the name of several: {', '.join(found)}", "kind", "say which one by kind")
        if found:
            return found[0]
        value = change.get("serve", True)
        if isinstance(value, (bool, int, float)):
            return "gate"
        return "id_list" if isinstance(value, (list, tuple)) else "dynamic_config"

    def _change_list(self, name: str, ids: Any) -> dict[str, Any]:
        if not isinstance(ids, (list, tuple)):
            raise TracksideError(f"the ID list {name} cannot hold {ids!r}", f"statsig.id_lists.{name}", "serve a list")
        wanted = [str(one) for one in ids]
        held = self._id_lists[name].ids if name in self._id_lists else {}
        return list_row(self.change_list(name, wanted, [one for one in held if one not in wanted]))

    def _row(self, kind: Kind, name: str) -> dict[str, Any]:
        return spec_row(kind, self._specs.of(kind)[name])
