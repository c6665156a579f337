"""What the control API's paths read of a request, checked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from flask import request as flask_request

from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.lab import Lab

DEFAULT_ROWS = 100


def query(name: str) -> str | None:
    """Return a parameter of the query; None where it is not given or empty."""
    return flask_request.args.get(name) or None


def flag(name: str) -> bool:
    """Return whether a parameter of the query says yes."""
    return flask_request.args.get(name, "").lower() in ("1", "true", "yes")


def limited(rows: Iterable[Any]) -> list[Any]:
    """Return at most ``?limit=`` rows."""
    text = flask_request.args.get("limit") or str(DEFAULT_ROWS)
    if not text.isdecimal() or len(text) > 9:
        raise TracksideError(f"limit is {text!r}", "?limit=", "give a whole number from 0 to 999999999")
    return list(islice(rows, int(text)))


def body() -> dict[str, Any]:
    """Return the request's body.

    Raises:
        TracksideError: it is no JSON object.
    """
    try:
        value = orjson.loads(flask_request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        raise TracksideError(f"the body is not JSON: {error}", "$", "send a JSON object") from error
    if not isinstance(value, dict):
        raise TracksideError("the body is not a JSON object", "$", "send a JSON object")
    return value


def given(fields: dict[str, Any], name: str, default: Any, kind: type, wanted: str) -> Any:
    """Return a field of a body, checked; a whole number will do where a number is wanted."""
    value = fields.get(name, default)
    kinds = (int, float) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        raise TracksideError(f"{name} is {value!r}", f"$.{name}", f"give {wanted}")
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise TracksideError(f"{name} is {value!r}", f"$.{name}", f"give {wanted}")
    return value


def known_fields(fields: dict[str, Any], *names: str) -> None:
    """Raise a `TracksideError` for a field that nobody reads."""
    for name in fields:
        if name not in names:
            raise TracksideError(f"{name!r} is not known", f"$.{name}", "use: " + ", ".join(names))


def vendor_name(lab: Lab, vendor: str) -> str:
    """Return the name of a vendor of the lab.

    Raises:
        TracksideError: there is none of this name.
    """
    if vendor not in lab.mocks:
        raise TracksideError(f"there is no vendor {vendor!r}", "the path", "use one of: " + ", ".join(lab.mocks))
    return vendor
