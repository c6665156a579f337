"""The flags and segments that a workspace declares: its own lines, and LaunchDarkly's flag files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.experiment_checks import faults as experiment_faults
from trackside.launchdarkly.experiments import as_experiment
from trackside.launchdarkly.flag_file import FlagFile, read
from trackside.launchdarkly.item_checks import contract_faults, did_you_mean, reference_faults
from trackside.launchdarkly.model import Item, Kind, complete_flag
from trackside.launchdarkly.settings import LaunchDarklySettings
from trackside.launchdarkly.short_form import flag_of, is_raw, segment_of
from trackside.live import Declared

Environments: TypeAlias = dict[str, dict[Kind, dict[str, Item]]]
"""By environment, ``flags`` and ``segments`` by key."""

PLACE = "$.launchdarkly"


def declared(settings: LaunchDarklySettings, folder: Path | None) -> Declared:
    """Return the flags and segments of each environment, with every fault of their declaration.

    Flags of the workspace and of its flag file are merged; a key in both is a fault (launchdarkly.flags.key-twice). An
    environment with a ``flags_file`` of its own reads that one instead (launchdarkly.flags.file-per-environment).

    Args:
        settings: of the project.
        folder: where relative files are; None for reading no files.
    """
    files = _files(settings, folder)
    faults = [fault for file in files.values() for fault in file.faults]
    if own_faults := list(_unwritable(settings)) or list(_raw_faults(settings)):
        return Declared({}, [*faults, *own_faults], list(files))
    environments: Environments = {}
    for name, environment in _environments(settings).items():
        path = _path(environment or settings.flags_file, folder)
        own: Environments = {name: {"flags": {}, "segments": {}}}
        own[name]["flags"] = _flags(settings, name, faults)
        own[name]["segments"] = {key: segment_of(key, value) for key, value in settings.segments.items()}
        file = files[path] if path is not None else FlagFile()
        faults += _twice(own[name], file)
        environments[name] = {
            "flags": {**file.flags, **own[name]["flags"]},
            "segments": {**file.segments, **own[name]["segments"]},
        }
        if not faults:
            faults += _moved(reference_faults(**environments[name]))
    flags = {name: own["flags"] for name, own in environments.items()}
    complete = folder is not None or not any((settings.flags_file, *_environments(settings).values()))
    if not any(file.faults for file in files.values()):
        faults += experiment_faults(settings, flags, complete=complete)
    return Declared(environments, _once([*faults, *_environment_faults(settings)]), list(files))


def _environments(settings: LaunchDarklySettings) -> dict[str, str]:
    """Return each environment's own flag file; where any key is taken and none is declared there is one, production."""
    named = {name: environment.flags_file for name, environment in settings.environments.items()}
    return named or ({"production": ""} if settings.any_key else {})


def _files(settings: LaunchDarklySettings, folder: Path | None) -> dict[Path, FlagFile]:
    named = [settings.flags_file, *_environments(settings).values()]
    return {path: read(path) for name in dict.fromkeys(named) if (path := _path(name, folder)) is not None}


def _path(name: str, folder: Path | None) -> Path | None:
    return folder / name if name and folder is not None else None


def _flags(settings: LaunchDarklySettings, environment: str, faults: list[TracksideError]) -> dict[str, Item]:
    """Return the flags that the workspace declares, for one environment."""
    made: dict[str, Item] = {}
    for key, value in settings.flags.items():
        if is_raw(value):
            made[key] = complete_flag({"key": key, **value})
            continue
        found: list[TracksideError] = []
        made[key] = _in_experiments(settings, environment, flag_of(key, value, environment, found))
        place = catalog.json_path(["launchdarkly", "flags", key])
        faults += [TracksideError(fault.what, place + fault.where.removeprefix("$"), fault.fix) for fault in found]
    return made


def _in_experiments(settings: LaunchDarklySettings, environment: str, flag: Item) -> Item:
    """Return a flag whose percentages are those of the experiments that run on it (launchdarkly.counting.experiments)."""
    first = next(iter(_environments(settings)), "")
    for one in settings.experiments.values():
        running = one.recorded[-1].status == "running" and environment == (one.environment or first)
        if one.flag == flag["key"] and running:
            flag = as_experiment(flag, one.rule, one.randomization_unit)
    return flag


def _unwritable(settings: LaunchDarklySettings) -> Iterator[TracksideError]:
    """Yield flags and segments that hold what JSON has not, such as a number of more than 64 bits."""
    for kind, items in (("flags", settings.flags), ("segments", settings.segments)):
        for key, value in items.items():
            if why := _not_json(value):
                what, at = f"{key} holds what JSON cannot: {why}", catalog.json_path(["launchdarkly", kind, key])
                yield TracksideError(what, at, "write text, numbers up to 64 bits, lists and mappings")


def _not_json(value: Any) -> str:
    """Return why JSON has no such value; empty where it has."""
    try:
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        return str(error)
    return ""


def _raw_faults(settings: LaunchDarklySettings) -> Iterator[TracksideError]:
    """Yield where flags and segments that are declared as SDKs have them are not what every SDK takes."""
    flags = {key: value for key, value in settings.flags.items() if is_raw(value)}
    segments = {key: value for key, value in settings.segments.items() if isinstance(value, Mapping)}
    yield from _moved(contract_faults({"flags": flags, "segments": segments}))


def _environment_faults(settings: LaunchDarklySettings) -> Iterator[TracksideError]:
    """Yield each environment that a flag names and that is not declared, and secure mode without a key to hash with."""
    for key, value in settings.flags.items():
        named: Any = value.get("environments") if isinstance(value, Mapping) and not is_raw(value) else None
        for name in named or ():
            if name not in settings.environments:
                at = catalog.json_path(["launchdarkly", "flags", key, "environments", name])
                yield TracksideError(f"there is no environment {name!r}", at, did_you_mean(name, settings.environments))
    for name, environment in settings.environments.items():
        if environment.secure_mode and not environment.sdk_key:
            at = catalog.json_path(["launchdarkly", "environments", name, "secure_mode"])
            yield TracksideError(
                f"{name} is in secure mode and has no SDK key", at, "add sdk_key, which the hash is made with"
            )


def _twice(own: Mapping[Kind, Mapping[str, Item]], file: FlagFile) -> Iterator[TracksideError]:
    of_file: Mapping[Kind, Mapping[str, Item]] = {"flags": file.flags, "segments": file.segments}
    for kind, items in own.items():
        for key in items:
            if key in of_file[kind]:
                at = catalog.json_path(["launchdarkly", kind, key])
                yield TracksideError(f"{key} is declared here and in the flag file", at, "take one of them away")


def _moved(faults: Any) -> Iterator[TracksideError]:
    """Yield faults of flags as a file has them with their place in the workspace."""
    for fault in faults:
        yield TracksideError(fault.what, PLACE + fault.where.removeprefix("$"), fault.fix)


def _once(faults: list[TracksideError]) -> list[TracksideError]:
    """Return faults without those that each environment would tell again."""
    return list({str(fault): fault for fault in faults}.values())
