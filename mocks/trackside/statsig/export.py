"""What Statsig sends to a Segment source of the events that it keeps. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from trackside.exports import Exported
from trackside.statsig.settings import StatsigSettings
from trackside.steps import Message, Record

LIBRARY = {"name": "statsig", "version": "1.0"}


def exported(records: Iterable[Record], settings: StatsigSettings) -> Exported:
    """Return the Segment calls of events and exposures (statsig.out.event)."""
    outbound, found = settings.segment_outbound, Exported(agent="statsig")
    for record in records:
        if record.get("statsigMetadata", {}).get("sdkType") != "segment":
            found.add(outbound.write_key, _track(record))
    return found


def _track(record: Record) -> Message:
    told = {"value": record["value"], "metadata": record["metadata"]}
    return {
        "type": "track",
        "userId": record["user"].get("userID"),
        "timestamp": record["time"],
        "event": record["eventName"],
        "context": {"user": record["user"], **told, "library": LIBRARY},
        "properties": told,
    }
