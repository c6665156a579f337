"""How an event's name and the name that a metric takes differ where they are nearly the same. Pure."""

from __future__ import annotations

import re

from trackside.counting.model import Condition
from trackside.nearest import bare

_PREFIX = re.compile(r"segment(_track|_page|_screen|_group)?::?")


def difference(wanted: str, got: str) -> Condition | None:
    """Return how two names differ that are spellings of one; None for the same name, or two names.

    >>> difference("Order Completed", "order completed"), difference("Order Completed", "Order_Completed")
    ('event-key-case', 'event-key-underscores')
    >>> difference("Order Completed", "Order Completed "), difference("Order Completed", "segment::Order Completed")
    ('event-key-blanks', 'event-key-prefix')
    """
    if wanted == got or bare(wanted) != bare(got):
        return None
    one, other = _PREFIX.sub("", wanted, 1), _PREFIX.sub("", got, 1)
    if one == other:
        return "event-key-prefix"
    if one.casefold() == other.casefold():
        return "event-key-case"
    if one.replace("_", " ").casefold() == other.replace("_", " ").casefold():
        return "event-key-underscores"
    return "event-key-blanks"
