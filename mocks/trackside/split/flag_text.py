"""The text of a file of flags: JSON or YAML, and the line of each of its places."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from trackside import catalog
from trackside.errors import TracksideError

MOST_VALUES = 1_000_000
DEEPEST = 200
"""The most values of a YAML file once its aliases are unfolded, and the most levels: SDKs could not read more either."""


def parsed(text: str, path: Path) -> Any:
    """Return the content of a file, or why it has none: JSON where it begins as such or is named so, else YAML."""
    if path.suffix == ".json" or text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            where = f"{path}:{error.lineno}:{error.colno}"
            return TracksideError(f"the file is not JSON: {error.msg}", where, "mend the syntax there")
    import yaml  # noqa: PLC0415 - only a YAML file needs it

    try:
        return _from_yaml(text, path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f"{mark.line + 1}:{mark.column + 1}" if mark else _line_of(text, getattr(error, "position", 0))
        what = f"the file is not YAML: {getattr(error, 'problem', None) or getattr(error, 'reason', None) or error}"
        return TracksideError(what, f"{path}:{at}", "mend the syntax there")
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        why = "it is nested too deep" if deep else str(error)
        return TracksideError(
            f"the file is not YAML: {why}", f"{path}:1", "write a list of flags as for localhost mode"
        )


def _line_of(text: str, position: int) -> str:
    return str(text.count("\n", 0, position) + 1)


def _from_yaml(text: str, path: Path) -> Any:
    loader = _loader()(text)
    try:
        node = loader.get_single_node()
        if node is not None and (large := _too_large(node)) is not None:
            fix = "write out what its aliases stand for, and leave out what is no flag"
            what = f"the file unfolds to more than {MOST_VALUES} values, or {DEEPEST} levels"
            return TracksideError(what, f"{path}:{large.start_mark.line + 1}", fix)
        return loader.construct_document(node) if node is not None else None
    finally:
        loader.dispose()


@functools.cache
def _loader() -> Any:
    """Return YAML's safe loader, to which dates are text, as they are to JSON."""
    import yaml  # noqa: PLC0415 - only a YAML file needs it

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [one for one in known if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _too_large(root: Any) -> Any:
    """Return the node at which a document is found to be too large or within itself, None where it is not."""
    waiting, count = [(root, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES or depth > DEEPEST:
            return node
        if node.id == "sequence":
            waiting += [(item, depth + 1) for item in node.value]
        elif node.id == "mapping":
            waiting += [(part, depth + 1) for pair in node.value for part in pair]
    return None


def lines(text: str) -> dict[str, int]:
    """Return the line of each place, by its JSON path; JSON is read as YAML here, and has none where that cannot be."""
    import yaml  # noqa: PLC0415 - only a file with faults needs it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a large dump takes the other one a minute
    try:
        node = yaml.compose(text.replace("\t", " "), loader)  # to YAML a tab is no space
        return dict(_places(node, "$")) if node is not None else {}
    except (yaml.YAMLError, RecursionError):
        return {}


def _places(node: Any, at: str) -> Iterator[tuple[str, int]]:
    yield at, node.start_mark.line + 1
    pairs = node.value if node.id == "mapping" else ()
    for key, value in pairs:
        inner = at + catalog.json_path([str(key.value)])[1:]
        yield from _places(value, inner)
        yield inner, key.start_mark.line + 1
    for index, item in enumerate(node.value if node.id == "sequence" else ()):
        yield from _places(item, f"{at}[{index}]")
