"""What a workspace declares of a Statsig project: its short form, and the file of specs that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.live import Declared
from trackside.statsig.changes import sendable
from trackside.statsig.metrics import metric_faults
from trackside.statsig.reading import circle_of, merged, read
from trackside.statsig.settings import StatsigSettings
from trackside.statsig.short import faults_of, project_of
from trackside.statsig.specs import LISTS, Kind, Listed, Project, Specs

BLOCK_OF: dict[Kind, str] = {
    "gate": "gates",
    "dynamic_config": "dynamic_configs",
    "experiment": "experiments",
    "layer": "layers",
}
"""Where a workspace declares the specs of a kind."""

BLOCKS = {"feature_gates": "gates", "dynamic_configs": "dynamic_configs", "layer_configs": "layers"}


def declared(settings: StatsigSettings, folder: Path | None) -> Declared:
    """Return what a workspace declares, as a `Project`, with every fault.

    ``specs_file`` is an answer of ``download_config_specs`` in either format (statsig.sdk.specs.file); what the
    workspace itself declares comes beside it. A name in both is a fault.

    Args:
        settings: the ``statsig:`` block.
        folder: that a relative ``specs_file`` starts from; None to read no file.
    """
    path = folder / settings.specs_file if folder is not None and settings.specs_file else None
    of_file, faults = _file(path) if path is not None else (Specs(), [])
    short = project_of(settings)
    lists = {**{name: Listed() for name in _named_lists(of_file)}, **short.id_lists}
    whole = merged(of_file, short.specs)
    faults += [*_twice(settings, of_file), *_unsendable(short), *faults_of(settings, of_file, lists)]
    faults += metric_faults(settings)
    if not faults and (circle := circle_of(whole)):
        what = f"gates ask each other in a circle: {' asks '.join([*circle, circle[0]])}"
        place = catalog.json_path(["statsig", "gates", circle[0]])
        faults.append(TracksideError(what, place, "take one of these conditions away"))
    return Declared(Project(whole, lists), faults, (path,) if path is not None else ())


def _twice(settings: StatsigSettings, of_file: Specs) -> Iterator[TracksideError]:
    """Yield each name that the workspace and its file declare both; an ID list's segment may be in the file."""
    for where in LISTS:
        block = BLOCKS[where]
        names = [(block, name) for name in getattr(settings, block)]
        if where == "dynamic_configs":
            names += [("experiments", name) for name in settings.experiments]
        for own, name in names:
            if name in getattr(of_file, where):
                place = catalog.json_path(["statsig", own, name])
                yield TracksideError(f"{name} is in {settings.specs_file} too", place, "declare it in one of the two")


def _unsendable(short: Project) -> Iterator[TracksideError]:
    """Yield each spec and ID list of a workspace that is a mapping of Python's, and holds what no JSON can."""
    for kind, block in BLOCK_OF.items():
        for name, one in short.specs.of(kind).items():
            try:
                sendable(kind, name, one)
            except TracksideError as fault:  # noqa: PERF203 - each is told
                yield TracksideError(fault.what, catalog.json_path(["statsig", block, name]), fault.fix)


def _named_lists(specs: Specs) -> Iterator[str]:
    for one in specs.all():
        for row in one["rules"]:
            for condition in row["conditions"]:
                if condition["operator"] in ("in_segment_list", "not_in_segment_list"):
                    yield str(condition["targetValue"])


def _file(path: Path) -> tuple[Specs, list[TracksideError]]:
    """Return the specs of a file, and its faults as ``FILE:LINE: $.path``."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        return Specs(), [TracksideError(f"the file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")]
    except (OSError, ValueError) as error:  # a path with a NUL in it, for one
        fix, why = "name a file with an answer of download_config_specs", getattr(error, "strerror", error)
        return Specs(), [TracksideError(f"the file cannot be read: {why}", str(path), fix)]
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        return Specs(), [TracksideError(f"the file is not JSON: {error.msg}", where, "mend the syntax there")]
    try:
        orjson.dumps([[[[[document]]]]])  # what is served has some levels more
    except TypeError:
        what, fix = "the file has more than 249 levels", "write values of fewer levels"
        return Specs(), [TracksideError(what, f"{path}:1: $", fix)]
    specs, faults = read(document)
    if not faults:
        return specs, []
    lines = _lines(text)
    return Specs(), [TracksideError(one.what, _placed(path, one.where, lines), one.fix) for one in faults]


def _placed(path: Path, place: str, lines: Mapping[str, int]) -> str:
    """Return a place with the line of its nearest part that the file holds."""
    return f"{path}:{catalog.nearest_line(place, lines) or 1}: {place}"


def _lines(text: str) -> dict[str, int]:
    """Return the line of each place of a JSON text, by its JSON path."""
    found: dict[str, int] = {}
    _Scanner(text, found).value(("$",))
    return found


class _Scanner:
    """Walks a JSON text that is known to be valid, and takes down where each value begins."""

    def __init__(self, text: str, found: dict[str, int]) -> None:
        self._text, self._found = text, found
        self._at, self._line = 0, 1
        self._decoder = json.JSONDecoder()

    def value(self, path: tuple[str | int, ...]) -> None:
        """Read one value, and those in it."""
        self._skip()
        place = catalog.json_path(path[1:])
        self._found.setdefault(place, self._line)
        opening = self._text[self._at]
        if opening not in "{[":
            self._scalar()
            return
        self._at += 1
        index = 0
        while True:
            self._skip()
            if self._text[self._at] in "}]":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            key: str | int = index
            if opening == "{":
                key = self._scalar()
                self._found.setdefault(catalog.json_path([*path[1:], key]), self._line)
                self._skip()
                self._at += 1  # the colon
            self.value((*path, key))
            index += 1

    def _scalar(self) -> Any:
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        return value

    def _skip(self) -> None:
        while self._text[self._at] in " \t\r\n":
            self._line += self._text[self._at] == "\n"
            self._at += 1
