"""Config changes: which specs and ID lists differ, and the record that Statsig keeps of each difference. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trackside.statsig.specs import SEGMENT, Spec, Specs

if TYPE_CHECKING:
    from trackside.statsig.id_lists import IdList
    from trackside.statsig.settings import SegmentOutbound
    from trackside.steps import Record

EVENT = "statsig::config_change"
TYPES = {
    "feature_gate": "Gate",
    "holdout": "Holdout",
    "segment": "Segment",
    "dynamic_config": "Dynamic Config",
    "experiment": "Experiment",
    "autotune": "Autotune",
    "layer": "Layer",
}
"""What a config change calls a spec, by its entity; Statsig's page shows Gate and Experiment."""


@dataclass(frozen=True, slots=True)
class State:
    """Specs and ID lists as they stood at some moment; of a list only which file it has, and how far."""

    specs: Specs = field(default_factory=Specs)
    lists: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One spec that differs.

    Attributes:
        type: such as ``Gate``; an ID list is a ``Segment``.
        name: of the spec; of a segment without ``segment:``.
        action: ``created``, ``updated`` or ``deleted``.
        fields: what differs, of an update.
    """

    type: str
    name: str
    action: str
    fields: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What was done, in a sentence (statsig.out.config-change.description).

        >>> Change("Gate", "new_checkout", "updated", ("enabled", "rules")).description
        'Gate new_checkout updated: enabled, rules'
        """
        told = f": {', '.join(self.fields)}" if self.fields else ""
        return f"{self.type} {self.name} {self.action}{told}"


def state(specs: Specs, lists: Iterable[IdList]) -> State:
    """Return specs and ID lists as they stand."""
    return State(specs, {one.name: (one.file_id, len(one.file)) for one in lists})


def differences(before: State, after: State) -> list[Change]:
    """Return one change per spec that differs (statsig.out.config-change).

    A version alone is no change, nor are the rules of a layer that its experiments bring; an ID list and its segment are
    one.
    """
    found: dict[tuple[str, str], Change] = {}
    for change in (*_of_specs(before.specs, after.specs), *_of_lists(before.lists, after.lists)):
        found.setdefault((change.type, change.name), change)
    return list(found.values())


def record(change: Change, outbound: SegmentOutbound, time: int) -> Record:
    """Return what Statsig keeps of a change, in the words of its webhooks (statsig.out.config-change.author).

    Args:
        change: what was done.
        outbound: who is said to have done it, and in which environment.
        time: when, epoch milliseconds.
    """
    return {
        "kind": "config_change",
        "eventName": EVENT,
        "time": time,
        "user": {"userID": outbound.config_change_user_id, "name": outbound.config_change_author},
        "metadata": {
            "type": change.type,
            "name": change.name,
            "description": change.description,
            "action": change.action,
            "environment": outbound.config_change_environment,
        },
    }


def _of_specs(before: Specs, after: Specs) -> Iterator[Change]:
    if before is after:
        return
    for where in ("feature_gates", "dynamic_configs", "layer_configs"):
        then, now = getattr(before, where), getattr(after, where)
        for name in {**now, **then} if then is not now else ():
            yield from _of_spec(then.get(name), now.get(name))
    layers = before.experiment_to_layer, after.experiment_to_layer
    for name in {**layers[1], **layers[0]} if layers[0] != layers[1] else ():
        if layers[0].get(name) != layers[1].get(name) and name in before.dynamic_configs and name in after.dynamic_configs:  # fmt: skip
            yield Change("Experiment", name, "updated", ("layer",))


def _of_spec(then: Spec | None, now: Spec | None) -> Iterator[Change]:
    one = now or then
    if then is now or one is None:
        return
    kind, name = TYPES.get(str(one.get("entity")), "Gate"), one["name"].removeprefix(SEGMENT)
    if then is None or now is None:
        yield Change(kind, name, "created" if then is None else "deleted")
    elif fields := _fields(_own(then), _own(now)):
        yield Change(kind, name, "updated", fields)


def _own(one: Spec) -> dict[str, Any]:
    rules = [rule for rule in one["rules"] if not rule.get("configDelegate")]
    return {**{key: value for key, value in one.items() if key != "version"}, "rules": rules}


def _fields(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in {**then, **now} if then.get(key) != now.get(key))


def _of_lists(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in {**now, **then}:
        if then.get(name) != now.get(name):
            action = "created" if name not in then else "deleted" if name not in now else "updated"
            yield Change("Segment", name, action, ("ids",) if action == "updated" else ())
