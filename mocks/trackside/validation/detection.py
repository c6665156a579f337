"""Which contract a payload is to keep, told from its form; `trackside.validation.marks` has the forms."""

from __future__ import annotations

from typing import Any, NamedTuple


class Known(NamedTuple):
    """A contract, and how it was known.

    Attributes:
        contract: its name.
        how: such as ``type is track``.
    """

    contract: str
    how: str


SEGMENT_CALLS = {
    kind: Known(f"segment/{kind}", f"type is {kind}")
    for kind in ("track", "identify", "page", "screen", "group", "alias")
}
"""The contract of a Segment call by its ``type``."""


def detect(payload: Any) -> Known | None:
    """Return the contract of a payload, and how it is known; None where its form tells nothing.

    A Segment call is taken for one by its ``type``, also where a vendor's export or a destination has a contract for it
    that asks for more.

    >>> detect({"batch": [{"type": "track", "userId": "u-1", "event": "Order Completed"}], "writeKey": "wk_web"})
    Known(contract='segment/batch', how='it has batch and writeKey')
    """
    if isinstance(payload, dict):
        kind = payload.get("type")
        if kind.__class__ is str and kind in SEGMENT_CALLS:
            return SEGMENT_CALLS[kind]
        from trackside.validation.forms import objects  # noqa: PLC0415 - a file of Segment calls needs no other form

        return objects.of(payload)
    if isinstance(payload, list):
        from trackside.validation.forms import of_array  # noqa: PLC0415

        return of_array(payload)
    return None


def is_whole(first: Any) -> bool:
    """Return whether an array that begins with this element is one payload, such as the events that an SDK posts."""
    return detect([first]) is not None


def nearest(payload: Any) -> list[str]:
    """Return the contracts that a payload of no known form looks most like, best first; at most three."""
    from trackside.validation import forms  # noqa: PLC0415 - on the way of a fault only

    return forms.nearest(payload)
