"""What Statsig sends to a Segment source of the events that it keeps. Pure functions.

`trackside.exports` makes requests of it, and tries again where Segment fails (statsig.out.retry, statsig.out.refused).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trackside.exports import Exported
from trackside.statsig.hashes import djb2
from trackside.statsig.specs import Specs
from trackside.statsig.units import unit_of
from trackside.statsig.values import shown
from trackside.steps import Message, Record, Step, drop

if TYPE_CHECKING:
    from trackside.statsig.settings import SegmentOutbound, StatsigSettings

LIBRARY = {"name": "statsig", "version": "1.0"}
AGENT = "statsig"

CATEGORY = {None: "custom_events", "exposure": "exposures", "config_change": "config_changes"}
"""The category of the filter dialog that a record is in, by its kind."""


def exported(records: Iterable[Record], settings: StatsigSettings, specs: Specs | None = None) -> Exported:
    """Return the Segment calls of events, exposures and config changes, and why others are not sent.

    Each goes to the source of the one write key (statsig.out.write-key). Events and exposures become track calls in the
    schema of Statsig's page (statsig.out.event), config changes in another (statsig.out.config-change).

    Args:
        records: what Statsig keeps, of any kind.
        settings: the project.
        specs: tells what the name of a config or gate stands for.
    """
    outbound, found = settings.segment_outbound, Exported(agent=AGENT)
    names = _Names(specs or Specs(), outbound)
    for record in records:
        if step := _held_back(record, outbound):
            found.steps.append(step)
        elif record.get("kind") == "config_change":
            found.add(outbound.write_key, config_change(record))
        elif (message := _track(record, outbound, names, found.steps)) is not None:
            found.add(outbound.write_key, message)
    return found


def config_change(record: Record) -> Message:
    """Return the call of a config change; Statsig's page prints no type, so that it is a track call (statsig.out.config-change)."""
    told = record["metadata"]
    return {
        "type": "track",
        "userId": record["user"]["userID"],
        "timestamp": record["time"],
        "event": record["eventName"],
        "context": {"library": LIBRARY},
        "properties": {
            "author": record["user"]["name"],
            "configName": told["name"],
            "description": told["description"],
            "environment": told["environment"],
        },
    }


def _held_back(record: Record, outbound: SegmentOutbound) -> Step | None:
    """Return why a record is not sent: what SDKs tell of themselves, what came from Segment, what the filter leaves out."""
    kind, name = record.get("kind"), record["eventName"]
    if kind not in CATEGORY:
        return drop("statsig.out.filter", f"{name} is of no category that is exported", at="$.eventName", level=None)
    if record.get("statsigMetadata", {}).get("sdkType") == "segment":
        text = f"{shown(name)} came from Segment, and is not sent back there, where it would come round again"
        fix = "nothing to do; have Segment send it on to the destinations that want it"
        return drop("statsig.out.loop", text, at="$.statsigMetadata.sdkType", fix=fix, level="note")
    category = CATEGORY[kind]
    if category not in outbound.categories:
        fix = f"add {category} to statsig.segment_outbound.categories"
        return drop("statsig.out.filter", f"{category} are not exported: {name}", at="$.eventName", fix=fix, level=None)
    if kind is None and not _chosen(name, outbound):
        text = f"the outgoing Event Filtering leaves {shown(name)} out"
        fix = "tick it: see events, refuse_events and include_new_events of statsig.segment_outbound"
        return drop("statsig.out.filter", text, at="$.eventName", fix=fix, level=None)
    return None


def _chosen(name: str, outbound: SegmentOutbound) -> bool:
    if name in outbound.refuse_events:
        return False
    return outbound.include_new_events or name in outbound.events


def _track(record: Record, outbound: SegmentOutbound, names: _Names, steps: list[Step]) -> Message | None:
    name, metadata = record["eventName"], record["metadata"]
    if record.get("kind") == "exposure":
        what = names.what(record["exposure"])
        if what not in outbound.exposures:
            fix = f"add {what} to statsig.segment_outbound.exposures"
            steps.append(drop("statsig.out.filter", f"exposures of the sort {what} are not exported", fix=fix, level=None))  # fmt: skip
            return None
        name, metadata = names.event_name(record, what, steps), names.metadata(record, what)
    ids = _ids(record, outbound, steps)
    if ids is None:
        return None
    value = record.get("value")
    if value is None and outbound.empty_value == "text":  # statsig.out.value
        value = ""
    told = {"value": value, "metadata": metadata}
    context = {"user": record["user"], **told, "library": LIBRARY}
    if stable_id := unit_of(record, "stableID"):
        context["stableID"] = stable_id
    return {"type": "track", **ids, "timestamp": record["time"], "event": name, "context": context, "properties": told}


def _ids(record: Record, outbound: SegmentOutbound, steps: list[Step]) -> dict[str, str] | None:
    """Return the ids of the call, or None after the step that says why nobody can be named.

    userId is the user ID; "Map Identifiers" rows fill further fields (statsig.out.map-identifier). Without a user ID the
    stable ID is the anonymousId (statsig.out.anonymous).
    """
    user_id = unit_of(record, "userID")
    ids = {"userId": user_id} if user_id else {}
    if user_id and not outbound.map_identifiers:
        return ids
    for id_type, target in outbound.map_identifiers.items():
        if (unit := unit_of(record, id_type)) and target not in ids:
            ids[target] = unit
    if "userId" in ids or "anonymousId" in ids:
        return ids
    stable_id = unit_of(record, "stableID")
    if stable_id and outbound.anonymous_stable_id:
        text = f"there is no user ID: the stable ID {stable_id} is sent as anonymousId"
        steps.append(Step("assumed", "statsig.out.anonymous", text, "$.statsigMetadata.stableID", level="note"))
        return {**ids, "anonymousId": stable_id}
    text = f"{shown(record['eventName'])} has neither a user ID nor an ID to send as anonymousId, and Segment wants one"
    fix = "send a userID, or map an ID type: statsig.segment_outbound.map_identifiers: {companyID: anonymousId}"
    steps.append(drop("statsig.out.anonymous", text, at="$.user.userID", fix=fix))
    return None


class _Names:
    """What exposures are called on their way out (statsig.out.names)."""

    def __init__(self, specs: Specs, outbound: SegmentOutbound) -> None:
        self._specs = specs
        self._outbound = outbound
        self._hashed: dict[str, str] | None = None
        self._known: dict[tuple[str, str], str] = {}

    def what(self, exposure: Mapping[str, Any]) -> str:
        """Return what an exposure is of: ``gate``, ``holdout``, ``config``, ``experiment`` (an autotune too) or ``layer``."""
        asked = exposure["of"], exposure["name"]
        if asked not in self._known:
            self._known[asked] = self._looked_up(*asked)
        return self._known[asked]

    def _looked_up(self, of: str, name: str) -> str:
        if of == "gate" and self._entity(self._specs.feature_gates, name) == "holdout":
            return "holdout"
        if of == "config" and self._entity(self._specs.dynamic_configs, name) in ("experiment", "autotune"):
            return "experiment"
        return of

    @staticmethod
    def _entity(specs: Mapping[str, Any], name: str) -> Any:
        return specs.get(name, {}).get("entity")

    def event_name(self, record: Record, what: str, steps: list[Step]) -> str:
        """Return the name of an exposure: SDKs log experiments as configs and holdouts as gates, and Statsig tells them apart."""
        logged, name = str(record["eventName"]), f"statsig::{what}_exposure"
        if name != logged:
            text = f"{shown(record['exposure']['name'])} is of the sort {what}: {logged} is sent as {name}"
            steps.append(Step("rename", "statsig.out.names", text, "$.eventName", level="note"))
        return name

    def metadata(self, record: Record, what: str) -> dict[str, Any]:
        """Return the metadata of an exposure: with the group of an experiment, and names in place of js-client's hashes."""
        metadata: dict[str, Any] = record["metadata"]
        if what == "experiment" and (group := self._group(record)):
            metadata = {**metadata, "experimentGroupName": group}  # statsig.out.names.group
        if hashed := metadata.get("allocatedExperiment"):
            metadata = {**metadata, "allocatedExperiment": self._unhashed(str(hashed))}  # statsig.out.names.hash
        return metadata

    def _group(self, record: Record) -> str:
        rule_id = str(record["metadata"].get("ruleID") or "")
        rules = self._specs.dynamic_configs.get(record["exposure"]["name"], {}).get("rules", ())
        named = {str(row["id"]): str(row["groupName"]) for row in rules if row.get("groupName")}
        return named.get(rule_id) or str(record["exposure"].get("group") or "")

    def _unhashed(self, name: str) -> str:
        if not name.isdecimal() or name in self._specs.dynamic_configs:
            return name
        if self._hashed is None:
            self._hashed = {djb2(one): one for one in self._specs.dynamic_configs}
        return self._hashed.get(name, name)
