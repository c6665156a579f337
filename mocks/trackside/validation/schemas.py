"""A user's own JSON Schema, read from a file; what it refers to must be a file too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.validation.locate import Located

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_LOST = re.compile(r"(?:Pointer|Anchor) '(?P<fragment>.*)' does not exist", re.DOTALL)
_UNREAD = re.compile(
    r"Resource '(?P<uri>.*)' is not present in a registry.*?failed: ValueError: (?P<why>.*)", re.DOTALL
)
_DRAFT = re.compile(r"Unknown meta-schema: '(?P<name>.*)'\. ", re.DOTALL)


def read_schema(name: str) -> catalog.Contract:
    """Return a JSON Schema of draft 4 to 2020-12 as a contract named after its file.

    Relative references are files beside it, also where its ``$id`` is an address: nothing is fetched.

    Raises:
        TracksideError: it cannot be read, is no JSON Schema, or refers to what is not there or is no file.
    """
    text = _text(name)
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        what = f"the schema is not JSON: {error.msg}"
        raise TracksideError(what, f"{name}:{error.lineno}:{error.colno}", "mend it there") from error
    return as_contract(name, schema, name, text)


def as_contract(name: str, schema: Any, file: str, text: bytes, place: tuple[str | int, ...] = ()) -> catalog.Contract:
    """Return a JSON Schema as a contract; see `read_schema`.

    Args:
        name: of the contract.
        schema: as parsed.
        file: where it stands, from whose folder it refers to others.
        text: of the file.
        place: of the schema in the file.

    Raises:
        TracksideError: as `read_schema` does.
    """
    import jsonschema_rs  # noqa: PLC0415 - see catalog

    path = Path(file).resolve()
    try:
        validator = jsonschema_rs.validator_for(schema, base_uri=path.as_uri(), retriever=_retriever(schema, path))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise _refused(file, text, schema, path.as_uri(), error, place) from error
    return catalog.Contract(name, schema if isinstance(schema, dict) else {}, validator)


def _text(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        import difflib  # noqa: PLC0415 - on the way of a fault only

        close = difflib.get_close_matches(name, catalog.names(), n=3, cutoff=0.5)
        fix = f"perhaps you mean {' or '.join(close)}" if close else "see trackside contracts list for all of them"
        raise TracksideError("there is no such contract, and no file with a schema", name, fix) from error


def _retriever(schema: Any, path: Path) -> Callable[[str], Any]:
    """Return what reads a file that a schema refers to; an address below that of its ``$id`` is a file beside it."""
    own = schema.get("$id", "") if isinstance(schema, dict) else ""
    folder = own.rpartition("/")[0] + "/" if isinstance(own, str) and "/" in own else ""

    def read(uri: str) -> Any:
        parts = urlsplit(uri)
        if folder and uri.startswith(folder):
            file = path.parent / unquote(urlsplit(uri[len(folder) :]).path)
        elif parts.scheme == "file":
            file = Path(unquote(parts.path))
        else:
            raise ValueError("it is no file, and nothing is fetched")
        try:
            return orjson.loads(file.read_bytes())
        except OSError as error:
            raise ValueError(f"there is no file {file}") from error
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{file}:{error.lineno}:{error.colno} is not JSON: {error.msg}") from error

    return read


# ---- what is wrong with one


def _refused(
    name: str, text: bytes, schema: Any, base: str, error: Exception, place: tuple[str | int, ...]
) -> TracksideError:
    """Return why a schema cannot be used, with its file, line and column."""
    said = str(getattr(error, "message", error))
    path: tuple[str | int, ...] = tuple(getattr(error, "instance_path", ()))
    what, fix = f"the file is no JSON Schema: {said}", "mend it there"
    if match := _DRAFT.match(said):
        path, what = ("$schema",), f"$schema names no draft that is known, {match['name']}"
        fix = "name draft 4, 6, 7, 2019-09 or 2020-12, or leave it out"
    elif match := _LOST.match(said):
        fragment = match["fragment"]
        path, ref = _reference(schema, lambda ref: unquote(ref.partition("#")[2]) == fragment)
        what, fix = f"$ref leads to nothing, {ref or fragment}", "correct it, or add what it names"
    elif match := _UNREAD.match(said):
        own = schema.get("$id", base) if isinstance(schema, dict) else base
        wanted = match["uri"]
        path, ref = _reference(schema, lambda ref: urljoin(str(own), ref).partition("#")[0] == wanted)
        what = f"$ref names {ref or wanted}, which cannot be read: {match['why']}"
        fix = "put the file beside the schema, and name it by a relative path"
    document = Located(text.decode("utf-8", "replace"))
    line, column = document.line_and_column(document.offset_of((*place, *path)))
    return TracksideError(what, f"{name}:{line}:{column}", fix)


def _reference(schema: Any, is_it: Callable[[str], bool]) -> tuple[tuple[str | int, ...], str]:
    """Return the place of the first reference of a kind, and what it says; that of the schema where there is none."""
    return next(((path, ref) for path, ref in _references(schema) if is_it(ref)), ((), ""))


def _references(schema: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), schema)]
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            yield from (((*path, key), ref) for key in _REFERENCES if isinstance(ref := value.get(key), str))
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]
