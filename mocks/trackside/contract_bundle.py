"""Several contracts in one JSON Schema document, for validators and generators of other languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
URN = "urn:trackside"


def bundle(names: Iterable[str]) -> dict[str, Any]:
    """Return contracts as one compound document: ``$defs`` holds each under its name, with an ``$id`` of its own.

    The ids are URNs, so that no validator looks for them on a network, and ``#/$defs/...`` inside a contract still means
    that contract's own. The document itself accepts everything: add a ``$ref`` to the id of the contract that is wanted.

    Raises:
        TracksideError: if there is no contract of one of the names.

    >>> bundle(["segment/track"])["$defs"]["segment/track"]["$id"]
    'urn:trackside:segment:track'
    """
    return {
        "$schema": DIALECT,
        "$id": f"{URN}:contracts",
        "title": "trackside contracts",
        "description": "Each contract stands in $defs under its name; refer to it by its $id.",
        "$defs": {name: _embedded(name) for name in names},
    }


def identifier(name: str) -> str:
    """Return the ``$id`` of a contract in a bundle: ``segment/track`` is ``urn:trackside:segment:track``."""
    return f"{URN}:{name.replace('/', ':')}"


def _embedded(name: str) -> dict[str, Any]:
    schema = catalog.load(name)
    return {"$schema": schema.pop("$schema"), "$id": identifier(name), **schema}
