"""What is wrong or odd in the ``split`` block of a workspace beyond what its contract says. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.split.export import sent_properties
from trackside.split.webhook import FIELDS
from trackside.steps import Step

if TYPE_CHECKING:
    from trackside.split.changes import Content
    from trackside.split.settings import SegmentOutbound, SplitSettings


def faults(settings: SplitSettings) -> Iterator[TracksideError]:
    """Yield each name of the Segment configurations that points nowhere, and each that is given twice where once is meant."""
    yield from _inbound_faults(settings)
    for index, outbound in enumerate(settings.segment_outbound):
        at = f"$.split.segment_outbound[{index}]"
        for place, name in enumerate(outbound.environments):
            yield from _environment_fault(name, f"{at}.environments[{place}]", settings)
        yield from _property_faults(outbound, f"{at}.property_names")
        for first in range(index):
            if twice := _sent_twice(settings.segment_outbound[first], outbound):
                what = f"{twice} are also those of split.segment_outbound[{first}]: each such impression would be sent twice"
                yield TracksideError(what, at, "take one of them away, or give each its own write key")


def _inbound_faults(settings: SplitSettings) -> Iterator[TracksideError]:
    api_keys = [inbound.api_key for inbound in settings.segment_inbound]
    for index, inbound in enumerate(settings.segment_inbound):
        at = f"$.split.segment_inbound[{index}]"
        if inbound.api_key and (first := api_keys.index(inbound.api_key)) < index:
            what = f"the api_key is also that of split.segment_inbound[{first}], which gets every delivery"
            yield TracksideError(what, f"{at}.api_key", "give each configuration its own")
        yield from _environment_fault(inbound.environment, f"{at}.environment", settings)


def _environment_fault(name: str, at: str, settings: SplitSettings) -> Iterator[TracksideError]:
    if name not in settings.environments:
        known = ", ".join(settings.environments) or "none"
        yield TracksideError(f"there is no environment {name!r}", at, f"declared under split.environments are: {known}")


def _property_faults(outbound: SegmentOutbound, at: str) -> Iterator[TracksideError]:
    """Yield each property to rename that there is not, and each name that two would have (split.out.properties)."""
    known = sent_properties(outbound)
    for name in outbound.property_names:
        if name not in FIELDS:
            yield TracksideError(
                f"no property is called {name!r}",
                at + json_path([name]).removeprefix("$"),
                f"there are: {', '.join(known)}",
            )
    names = Counter(outbound.property_names.get(name, name) for name in known)
    for name, count in names.items():
        if count > 1:
            yield TracksideError(f"{count} properties would be called {name!r}", at, "give each its own name")


def _sent_twice(one: SegmentOutbound, other: SegmentOutbound) -> str:
    """Return the environment and traffic type that two configurations send with one write key; empty where they do not."""
    environments = [name for name in other.environments if name in one.environments]
    kinds = [kind for kind, identity in other.identities.items() if identity and one.identities.get(kind)]
    if one.write_key != other.write_key or not environments or not kinds:
        return ""
    return f"the write key, {environments[0]} and {kinds[0]}"


def notes(settings: SplitSettings, flags: Mapping[str, Content], write_keys: Collection[str] | None) -> Iterator[Step]:
    """Yield a warning of each write key that no source has, and of each traffic type that nothing else names.

    Args:
        settings: the block.
        flags: what each environment declares.
        write_keys: of Segment's sources; None where any will do.
    """
    known = {*settings.traffic_types, *(kind for one in settings.segment_inbound for kind in one.identities.values())}
    known |= {str(flag.get("trafficTypeName")) for content in flags.values() for flag in content.flags.values()}
    for index, outbound in enumerate(settings.segment_outbound):
        at = f"$.split.segment_outbound[{index}]"
        if write_keys is not None and outbound.write_key not in write_keys:
            text = "FME sends impressions to a write key that no Segment source has: Segment will discard them"
            fix = "declare a source with it under segment.sources"
            yield Step("info", "split.out.write-keys", text, f"{at}.write_key", fix, "warning")
        for kind in outbound.identities:
            if kind not in known:
                text = f"no flag is of the traffic type {kind!r}, and the workspace does not name it: nothing is sent for it"
                fix = f"use one of {', '.join(sorted(known))}, or add it to split.traffic_types"
                yield Step("info", "split.out.identity-map", text, f"{at}.identities", fix, "warning")
