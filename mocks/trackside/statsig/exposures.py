"""What Statsig keeps of an exposure: which gate, config or layer somebody saw, and what it gave. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside.statsig.hashes import djb2
from trackside.statsig.values import shown
from trackside.steps import Record, Step

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings

OF = {
    "statsig::gate_exposure": "gate",
    "statsig::config_exposure": "config",
    "statsig::layer_exposure": "layer",
}
"""What an SDK's exposure is of, by the event's name; SDKs log no others."""


def exposure(event: Record, settings: StatsigSettings, at: str, steps: list[Step]) -> Record | None:
    """Return an exposure as it is kept, or None after the step that says why there is none.

    Args:
        event: all that Statsig keeps of the event.
        settings: the project; its declared flags tell what the event does not say.
        at: the JSON path of the event.
        steps: where faults are added.

    Returns:
        The event with ``kind: "exposure"`` and ``exposure`` (statsig.events.exposure): ``of`` (``gate``, ``config`` for
        dynamic configs and experiments, ``layer``), ``name``, ``ruleID``; ``unitID``, the ID type that it counts for, and
        an experiment's ``group`` where the workspace tells them (statsig.events.exposure.group); for a gate ``value``
        (true or false), for a layer ``parameter``, ``explicit`` and ``experiment``, its name in place of the hash that
        js-client gives, where the workspace declares it (statsig.events.exposure.hash).
    """
    of, metadata = OF[event["eventName"]], event["metadata"]
    key = "gate" if of == "gate" else "config"
    name = metadata.get(key)
    if not isinstance(name, str) or not name:
        text = f"{key} is {shown(name)}: nobody can tell what the exposure is of, and it is dropped"
        steps.append(
            Step("drop", "statsig.events.exposure", text, f"{at}.metadata.{key}", "name what was seen", "error")
        )
        return None
    told = {"of": of, "name": name, "ruleID": str(metadata.get("ruleID") or ""), **_PARTS[of](name, metadata, settings)}
    return {"kind": "exposure", **event, "exposure": {key: value for key, value in told.items() if value is not None}}


def _of_gate(name: str, metadata: Mapping[str, Any], settings: StatsigSettings) -> dict[str, Any]:
    row = settings.gates.get(name)
    unit = {"unitID": row.get("id_type", "userID") if isinstance(row, Mapping) else "userID"} if row is not None else {}
    return {"value": _flag(metadata.get("gateValue")), "group": metadata.get("group"), **unit}


def _of_config(name: str, metadata: Mapping[str, Any], settings: StatsigSettings) -> dict[str, Any]:
    return {"passed": _flag(metadata.get("rulePassed")), **_in_experiment(name, metadata, settings)}


def _of_layer(_name: str, metadata: Mapping[str, Any], settings: StatsigSettings) -> dict[str, Any]:
    experiment = str(metadata.get("allocatedExperiment") or "")
    if experiment.isdecimal() and experiment not in settings.experiments:
        experiment = next((name for name in settings.experiments if djb2(name) == experiment), experiment)
    return {
        "parameter": metadata.get("parameterName"),
        "explicit": _flag(metadata.get("isExplicitParameter")),
        "experiment": experiment or None,
        **_in_experiment(experiment, metadata, settings),
    }


_PARTS = {"gate": _of_gate, "config": _of_config, "layer": _of_layer}


def _in_experiment(name: str, metadata: Mapping[str, Any], settings: StatsigSettings) -> dict[str, Any]:
    """Return the group, and the ID type of an experiment: its rules are named after the groups, as are overrides."""
    row = settings.experiments.get(name)
    if row is None:
        return {"group": metadata.get("group")}
    group = str(metadata.get("ruleID") or "").partition(":")[0]
    told = metadata.get("group") or (group if group in row["groups"] else None)
    return {"group": told, "unitID": row.get("id_type", "userID")}


def _flag(value: object) -> bool | None:
    """Return what SDKs write as the text ``true`` or ``false``."""
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None
