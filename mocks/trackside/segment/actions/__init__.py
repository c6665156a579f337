"""Segment's Actions framework: destinations whose requests Segment itself makes, by mappings that users can change.

`compile_destination` is all that routing needs; `DESTINATIONS` is the catalogue.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Sequence
from typing import Any

from trackside.errors import TracksideError
from trackside.segment.actions.destination import (
    Action,
    ActionDestination,
    ActionResult,
    Mapping,
    Sender,
)
from trackside.segment.actions.launchdarkly import LAUNCHDARKLY
from trackside.segment.actions.webhook import WEBHOOK

__all__ = [
    "DESTINATIONS",
    "Action",
    "ActionDestination",
    "ActionResult",
    "Mapping",
    "Sender",
    "compile_destination",
]

DESTINATIONS: dict[str, ActionDestination] = {destination.slug: destination for destination in (LAUNCHDARKLY, WEBHOOK)}
"""Every Actions destination by its slug in Segment's catalogue."""


def compile_destination(slug: str, settings: abc.Mapping[str, Any], mappings: Sequence[Mapping] | None) -> Sender:
    """Return what turns a message into the results of a destination's enabled mappings.

    Args:
        slug: such as ``actions-launchdarkly``; a name without ``actions-`` is taken for the same.
        settings: by the vendor's names, such as ``client_id``. Where Segment refuses them every message fails
            (segment.actions.settings).
        mappings: None for the destination's presets, an empty list for none.

    Returns:
        A function of the message and the time (epoch seconds, used where a timestamp is missing). It gives one
        `ActionResult` for each enabled mapping, in their order, also for those whose trigger does not match.

    Raises:
        TracksideError: for a slug that is not in the catalogue.

    >>> send = compile_destination("actions-launchdarkly", {"client_id": "abc"}, None)
    >>> results = send({"type": "track", "event": "Signed Up", "userId": "u1"}, 1700000000.0)
    >>> [(result.mapping, result.matched) for result in results]
    [('Track Event', True), ('Alias User', False)]
    """
    destination = DESTINATIONS.get(slug) or DESTINATIONS.get(f"actions-{slug}")
    if destination is None:
        raise TracksideError(f"no Actions destination is called {slug!r}", fix=f"use one of {', '.join(DESTINATIONS)}")
    return destination.compile(settings, mappings)
