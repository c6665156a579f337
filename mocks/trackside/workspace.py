"""The workspace: what is configured at every vendor, read from a file or a mapping and checked all at once."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import time
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson

from trackside import catalog
from trackside.errors import TracksideError, WorkspaceError
from trackside.launchdarkly import flags as launchdarkly_flags
from trackside.launchdarkly.settings import LaunchDarklySettings
from trackside.live import Declared
from trackside.ownlayer.settings import OwnLayerSettings
from trackside.segment.destinations import CATALOG, unused_keys
from trackside.segment.filters import condition_fault, parse_filters
from trackside.segment.plans import read_files
from trackside.segment.routing import Plan, compile_plan
from trackside.segment.settings import SegmentSettings, engage_source
from trackside.split import flags as split_flags
from trackside.split import metric_checks as split_metric_checks
from trackside.split import workspace_check as split_check
from trackside.split.settings import SplitSettings
from trackside.statsig import flags as statsig_flags
from trackside.statsig.settings import StatsigSettings
from trackside.steps import Step
from trackside.validation.settings import ValidateSettings
from trackside.wire import LEVELS

CONTRACT = "trackside/workspace"
_TEXT, _MERGE, _BOOL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:bool"

DEMO: dict[str, Any] = {
    "accept_any_key": True,
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig", "fme-user", "ld"]}},
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local"},
            "fme-user": {"type": "split", "api_key": "fme-key"},
            "ld": {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"},
        },
    },
    "statsig": {
        "server_secret": "secret-local",
        "client_key": "client-local",
        "id_types": ["companyID", "segmentAnonymousId"],
        "segment_inbound": {"map_identifiers": {"anonymousId": "segmentAnonymousId"}},
        "gates": {"new_checkout": True, "half": 50},
        "dynamic_configs": {"banner": {"color": "blue"}},
        "experiments": {"page_title": {"groups": {"control": {"title": "plain"}, "test": {"title": "bold"}}}},
    },
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local-0123456789"}},
        "traffic_types": ["user", "anonymous", "account"],
        "flags": {"checkout_v2": "on", "banner": {"treatments": ["blue", "plain"], "serve": {"blue": 50, "plain": 50}}},
        "metrics": {"checkouts": {"event_type": "Checkout_Completed"}},
        "segment_inbound": [
            {
                "api_key": "fme-key",
                "environment": "production",
                "identities": {"userId": "user", "anonymousId": "anonymous"},
            }
        ],
    },
    "launchdarkly": {
        "environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"}},
        "flags": {
            "new-checkout": True,
            "banner": {"variations": ["plain", "blue"], "serve": {"plain": 50, "blue": 50}, "experiment": True},
        },
        "metrics": {"checkouts": {"event_key": "Checkout Completed"}},
        "experiments": {"banner-test": {"flag": "banner", "metrics": ["checkouts"]}},
    },
    "ownlayer": {"api_key": "ownlayer-local", "segment": {"write_key": "wk_web"}},
}
"""The workspace that is used without a file: every vendor, one source, any key accepted."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """What is configured, checked; made by `load`.

    Attributes:
        document: the workspace as it was written, as JSON.
        plan: Segment's routing, compiled.
        notes: what a reader of the file should know, such as a key that this version does not use.
        declared: the flags of each vendor that has some.
        validate: what is asked of ``trackside validate``.
        source: the file or mapping that it was made of.
        files: the files that it was read from, its own and those of flags.
        read_at: when they were read, epoch nanoseconds.
    """

    document: dict[str, Any]
    segment: SegmentSettings
    statsig: StatsigSettings
    split: SplitSettings
    launchdarkly: LaunchDarklySettings
    ownlayer: OwnLayerSettings
    plan: Plan
    accept_any_key: bool = False
    notes: list[Step] = field(default_factory=list)
    declared: dict[str, Declared] = field(default_factory=dict)
    validate: ValidateSettings = field(default_factory=ValidateSettings)
    source: Mapping[str, Any] | Path | None = None
    files: tuple[Path, ...] = ()
    read_at: int = 0


def load(workspace: Workspace | Mapping[str, Any] | Path | str | None = None, *, flag_files: bool = True) -> Workspace:
    """Return a checked workspace.

    Args:
        workspace: a file (YAML or JSON) or its content as a mapping; None for the demo workspace.
        flag_files: whether to read the flag files that it names: relative ones from the workspace file's folder, those of
            a mapping from the current one.

    Raises:
        WorkspaceError: with every fault of it, each with its place.
    """
    if isinstance(workspace, Workspace):
        return workspace
    read_at = time.time_ns()
    folder = (Path.cwd() if workspace is None or isinstance(workspace, Mapping) else Path(workspace).parent) if flag_files else None  # fmt: skip
    if workspace is None:
        return _built(DEMO, "the demo workspace", {}, folder)
    if isinstance(workspace, Mapping):
        found = _built(dict(workspace), "the workspace", {}, folder)
        return dataclasses.replace(found, source=workspace, read_at=read_at)
    path = Path(workspace)
    document, lines = _read(path)
    found = _built(document, str(path), lines, folder)
    return dataclasses.replace(found, source=path, files=(path, *found.files), read_at=read_at)


def with_blocks(workspace: Workspace, blocks: Mapping[str, Any]) -> Workspace:
    """Return a workspace with other blocks of vendors, as if they had been written where it was; flags are those that it declared.

    Raises:
        WorkspaceError: with every fault of the workspace that it would be.
    """
    path = workspace.source if isinstance(workspace.source, Path) else None
    document = {**workspace.document, **blocks}
    found = _built(document, str(path or "the workspace"), {}, path.parent if path else Path.cwd())
    source = path or document
    return dataclasses.replace(
        found, source=source, declared=workspace.declared, files=workspace.files, read_at=workspace.read_at
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a file's document and the line of each of its places."""
    import yaml  # noqa: PLC0415 - the demo workspace needs no YAML

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        fault = TracksideError(f"the file cannot be read: {error.strerror}", str(path), "name a YAML or JSON file")
        raise WorkspaceError([fault], str(path)) from error
    except UnicodeDecodeError as error:
        fault = TracksideError(f"the file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")
        raise WorkspaceError([fault], str(path)) from error
    try:
        document, node = yaml.load(text, _loader()), yaml.compose(text, _loader())  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        fault = TracksideError(f"the file is not YAML: {getattr(error, 'problem', None) or error}", where, "mend the syntax there")  # fmt: skip
        raise WorkspaceError([fault], str(path)) from error
    except (ValueError, RecursionError) as error:  # a date that there never was, thousands of digits or levels
        fault = TracksideError(f"the file holds what JSON cannot: {error}", str(path), "write text, numbers, lists and mappings")  # fmt: skip
        raise WorkspaceError([fault], str(path)) from error
    document = {} if document is None else document
    try:
        orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    except TypeError as error:
        fault = TracksideError(f"the file holds what JSON cannot: {error}", str(path), "write text, numbers, lists and mappings")  # fmt: skip
        raise WorkspaceError([fault], str(path)) from error
    if faults := list(_key_faults(node, str(path))):
        raise WorkspaceError(faults, str(path))
    return orjson.loads(orjson.dumps(document)), dict(_lines(node, "$"))


@functools.cache
def _loader() -> Any:
    """Return YAML's safe loader, to which ``on`` and ``off`` are text: a key of flags, and names of treatments."""
    import yaml  # noqa: PLC0415 - see _read

    class Loader(yaml.SafeLoader):
        pass

    resolvers = yaml.SafeLoader.yaml_implicit_resolvers
    Loader.yaml_implicit_resolvers = {
        first: [one for one in known if first not in "oO" or one[0] != _BOOL] for first, known in resolvers.items()
    }
    return Loader


def _key_faults(node: Any, file: str) -> Iterator[TracksideError]:
    """Yield each key that is no text, such as an unquoted ``on``, and each that is given twice."""
    seen: dict[str, int] = {}
    for key, value in node.value if node is not None and node.id == "mapping" else ():
        name, line = str(key.value), key.start_mark.line + 1
        if key.tag not in (_TEXT, _MERGE):
            yield TracksideError(f"the key {name} is read as {key.tag.rpartition(':')[2]}", f"{file}:{line}", "put it in quotes")  # fmt: skip
        elif name in seen and key.tag == _TEXT:
            yield TracksideError(f"the key {name} is given twice", f"{file}:{line}", f"take this one or that of line {seen[name]} away")  # fmt: skip
        seen[name] = line
        yield from _key_faults(value, file)
    for item in node.value if node is not None and node.id == "sequence" else ():
        yield from _key_faults(item, file)


def _lines(node: Any, place: str) -> Iterator[tuple[str, int]]:
    """Yield the JSON path of each node of a YAML document with its line."""
    if node is None:
        return
    yield place, node.start_mark.line + 1
    if node.id == "mapping":
        for key, value in node.value:
            inner = catalog.json_path([str(key.value)]).removeprefix("$")
            yield place + inner, key.start_mark.line + 1
            yield from ((at, line) for at, line in _lines(value, place + inner) if at != place + inner)
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{place}[{index}]")


def _built(document: Any, name: str, lines: Mapping[str, int], folder: Path | None) -> Workspace:
    if _deeper(document, LEVELS):
        fault = TracksideError(f"{name} has over {LEVELS} levels, which JSON cannot hold", name, "nest it less deeply")
        raise WorkspaceError([fault], name)
    if faults := _contract_faults(document):
        raise WorkspaceError(_placed(faults, name, lines), name)
    any_key = bool(document.get("accept_any_key", False))
    block, plan_faults, plan_files = read_files(document.get("segment", {}), folder)
    if plan_files:
        document = {**document, "segment": block}
    segment = build(SegmentSettings, block)
    statsig = dataclasses.replace(build(StatsigSettings, document.get("statsig", {})), any_key=any_key)
    split = dataclasses.replace(build(SplitSettings, document.get("split", {})), any_key=any_key)
    launchdarkly = dataclasses.replace(build(LaunchDarklySettings, document.get("launchdarkly", {})), any_key=any_key)
    ownlayer = dataclasses.replace(build(OwnLayerSettings, document.get("ownlayer", {})), any_key=any_key)
    plan, faults = _planned(segment)
    declared = {
        "statsig": statsig_flags.declared(statsig, folder),
        "split": split_flags.declared(split, folder),
        "launchdarkly": launchdarkly_flags.declared(launchdarkly, folder),
        "ownlayer": Declared(None),
    }
    faults = [
        *plan_faults,
        *_reference_faults(segment),
        *split_check.faults(split),
        *split_metric_checks.faults(split, declared["split"]),
        *_protocol_faults(segment),
        *faults,
        *(fault for one in declared.values() for fault in one.faults),
    ]
    if faults:
        raise WorkspaceError(_placed(faults, name, lines), name)
    return Workspace(
        document,
        segment,
        statsig,
        split,
        launchdarkly,
        ownlayer,
        plan,
        any_key,
        [
            *_notes(document),
            *_filter_notes(segment),
            *_write_key_notes(segment, statsig),
            *_split_notes(segment, split, declared["split"]),
            *_ownlayer_notes(segment, ownlayer),
        ],
        declared,
        build(ValidateSettings, document.get("validate", {})),
        files=(*plan_files, *(file for one in declared.values() for file in one.files)),
    )


def _deeper(value: Any, levels: int) -> bool:
    """Return whether JSON has more levels than these."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else None
    return inner is not None and (levels == 0 or any(_deeper(one, levels - 1) for one in inner))


def _planned(segment: SegmentSettings) -> tuple[Plan, list[TracksideError]]:
    try:
        return compile_plan(segment), []
    except WorkspaceError as error:
        return Plan({}), error.faults


def _contract_faults(document: Any) -> list[TracksideError]:
    faults = []
    for fault in catalog.faults(CONTRACT, document):
        fix = fault.fix
        if fault.keyword in ("additionalProperties", "unevaluatedProperties"):
            fix = _did_you_mean(fault.at) or fix
        faults.append(TracksideError(fault.what, fault.at, fix))
    return faults


_LAST_QUOTED = re.compile(r'\[("(?:[^"\\]|\\.)*")\]$')
"""The last key of a JSON path, where it is quoted."""


def _did_you_mean(at: str) -> str:
    """Return the known key that a misspelt one is close to."""
    quoted = _LAST_QUOTED.search(at)
    key = orjson.loads(quoted[1]) if quoted else at.rpartition(".")[2]
    known = set(_keys_of(catalog.load(CONTRACT))) - {key}  # which stands elsewhere
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""


def _keys_of(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for value in schema.values():
            yield from _keys_of(value)


def _reference_faults(segment: SegmentSettings) -> Iterator[TracksideError]:
    """Yield each name that points nowhere, and each that is given twice where once is meant."""
    keys: dict[str, str] = {}
    for name, source in segment.sources.items():
        at = catalog.json_path(["segment", "sources", name])
        if source.write_key in keys:
            yield TracksideError(
                f"the write key of {name} is also that of {keys[source.write_key]}",
                f"{at}.write_key",
                "give each its own",
            )
        keys[source.write_key] = name
        for index, destination in enumerate(source.destinations):
            if destination not in segment.destinations:
                known = ", ".join(segment.destinations) or "none"
                yield TracksideError(
                    f"there is no destination {destination!r}", f"{at}.destinations[{index}]", f"declared are: {known}"
                )
            elif destination in source.destinations[:index]:
                what = f"the destination {destination!r} is named twice, and would get each message twice"
                yield TracksideError(what, f"{at}.destinations[{index}]", "name it once")
    yield from _audience_faults(segment)
    unknown = segment.unknown_write_key
    if unknown != "discard" and unknown not in segment.sources:
        known = ", ".join(["discard", *segment.sources])
        yield TracksideError(f"there is no source {unknown!r}", "$.segment.unknown_write_key", f"use one of: {known}")


def _audience_faults(segment: SegmentSettings) -> Iterator[TracksideError]:
    """Yield each destination of an audience that is not declared, and each source that has the name of an audience's own."""
    for key, audience in segment.audiences.items():
        at = catalog.json_path(["segment", "audiences", key])
        for index, destination in enumerate(audience.destinations):
            place, known = f"{at}.destinations[{index}]", ", ".join(segment.destinations) or "none"
            if destination not in segment.destinations:
                yield TracksideError(f"there is no destination {destination!r}", place, f"declared are: {known}")
            elif destination in audience.destinations[:index]:
                yield TracksideError(f"the destination {destination!r} is named twice", place, "name it once")
        own = engage_source(key)
        if own in segment.sources or own in {source.write_key for source in segment.sources.values()}:
            what = f"a source has the name or write key {own!r}"
            yield TracksideError(what, at, "rename the source, or the audience")


def _protocol_faults(segment: SegmentSettings) -> Iterator[TracksideError]:
    """Yield each tracking plan and each source to forward to that a source names and that is not declared."""
    for name, source in segment.sources.items():
        at = catalog.json_path(["segment", "sources", name])
        if source.tracking_plan and source.tracking_plan not in segment.tracking_plans:
            known = ", ".join(segment.tracking_plans) or "none"
            what = f"there is no tracking plan {source.tracking_plan!r}"
            yield TracksideError(what, f"{at}.tracking_plan", f"declared under segment.tracking_plans are: {known}")
        for key in ("forwarding_violations_to", "forwarding_blocked_events_to"):
            target = getattr(source.schema, key)
            if target and target not in segment.sources:
                what, known = f"there is no source {target!r}", ", ".join(segment.sources)
                yield TracksideError(what, f"{at}.schema.{key}", f"use one of: {known}")


def _placed(faults: list[TracksideError], name: str, lines: Mapping[str, int]) -> list[TracksideError]:
    """Return faults with their file and line, in the order of the lines; one that names its own file is left alone."""
    own = [fault for fault in faults if fault.where.startswith("$")]
    by_line = sorted(((_line(fault, lines), fault) for fault in own), key=lambda pair: pair[0])
    return [
        TracksideError(fault.what, f"{name}:{line}: {fault.where}" if line else f"{name}: {fault.where}", fault.fix)
        for line, fault in by_line
    ] + [fault for fault in faults if fault not in own]


def _line(fault: TracksideError, lines: Mapping[str, int]) -> int:
    """Return the line of the nearest place that the file holds; 0 without a file."""
    return catalog.nearest_line(fault.where.partition(":")[0].strip(), lines)


def _notes(document: Mapping[str, Any]) -> Iterator[Step]:
    for name, row in document.get("segment", {}).get("destinations", {}).items():
        kind = CATALOG[row["type"]]
        for key in unused_keys(row["type"], iter(row)):
            text = f"{kind.names[0]} has no setting that is called {key} here: it is not used"
            at = catalog.json_path(["segment", "destinations", name, key])
            fix = "take it away; its settings are: " + ", ".join(kind.keys.values())
            yield Step("info", "segment.catalog", text, at, fix, "note")
        if kind.kind == "direct" and "mappings" in row:
            text = f"{name} gets raw messages and maps them itself: its mappings are not used"
            at = catalog.json_path(["segment", "destinations", name, "mappings"])
            yield Step("info", "", text, at, "take them away; the vendor's own block says how it maps", "note")


def _filter_notes(segment: SegmentSettings) -> Iterator[Step]:
    """Yield a warning of each filter whose condition cannot be read: that is no fault, as Segment too runs with it."""
    for name, row in segment.destinations.items():
        at = catalog.json_path(["segment", "destinations", name, "filters"])
        for index, chosen in enumerate(parse_filters([dict(one) for one in row.filters], at)):
            if chosen.enabled and (fault := condition_fault(chosen)):
                text = f"{chosen} will drop every event: {fault.what} at {fault.where}"
                yield Step("info", "segment.filter.fail-closed", text, f"{at}[{index}].if", fault.fix, "warning")


def _is_taken(write_key: str, segment: SegmentSettings, *, any_key: bool) -> bool:
    """Return whether Segment takes what comes with a write key."""
    known = (source.write_key for source in segment.sources.values())
    return any_key or segment.unknown_write_key != "discard" or write_key in known


def _write_key_notes(segment: SegmentSettings, statsig: StatsigSettings) -> Iterator[Step]:
    """Yield a warning where Statsig exports to a write key that no source has (statsig.out.write-key)."""
    outbound = statsig.segment_outbound
    if outbound.enabled and not _is_taken(outbound.write_key, segment, any_key=statsig.any_key):
        text = "Statsig exports to a write key that no Segment source has: Segment will discard what it sends"
        at, fix = "$.statsig.segment_outbound.write_key", "declare a source with it under segment.sources"
        yield Step("info", "statsig.out.write-key", text, at, fix, "warning")


def _split_notes(segment: SegmentSettings, split: SplitSettings, declared: Declared) -> Iterator[Step]:
    """Yield what is odd in Split's Segment configurations (split.out.write-keys, split.out.identity-map)."""
    any_will_do = split.any_key or segment.unknown_write_key != "discard"
    write_keys = None if any_will_do else [source.write_key for source in segment.sources.values()]
    yield from split_check.notes(split, declared.data or {}, write_keys)


def _ownlayer_notes(segment: SegmentSettings, ownlayer: OwnLayerSettings) -> Iterator[Step]:
    """Yield a warning of a write key that no source has (ownlayer.write-key), and of events that never come (ownlayer.event-choice)."""
    integration = ownlayer.segment
    if integration.write_key and not _is_taken(integration.write_key, segment, any_key=ownlayer.any_key):
        text = "OwnLayer sends to a write key that no Segment source has: Segment will discard what it sends"
        at, fix = "$.ownlayer.segment.write_key", "declare a source with it under segment.sources"
        yield Step("info", "ownlayer.write-key", text, at, fix, "warning")
    own = [integration.name("pass"), integration.name("fail")]
    for index, event in enumerate(integration.events or ()):
        if event not in own:
            text = f"{event!r} is chosen, and is sent only where an evaluation is given this event"
            at, fix = f"$.ownlayer.segment.events[{index}]", f"without one, an evaluation is {own[0]!r} or {own[1]!r}"
            yield Step("info", "ownlayer.event-choice", text, at, fix, "note")


T = TypeVar("T")


def build(cls: type[T], value: Mapping[str, Any]) -> T:
    """Return a settings dataclass from checked JSON.

    >>> build(SegmentSettings, {"nulls": "strip"}).nulls
    'strip'
    """
    hints = typing.get_type_hints(cls)
    return cls(**{name: _typed(hints[name], inner) for name, inner in value.items()})


def _typed(hint: Any, value: Any) -> Any:
    """Return JSON as the type that a field asks for: nested dataclasses, mappings and tuples of them."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        return None if value is None else _typed(_fitting(inner, value), value)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return build(typing.cast("type[Any]", hint), value)
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(arguments[0], item) for item in value)
    if origin is not Literal and isinstance(value, Mapping) and len(arguments) == 2:
        return {key: _typed(arguments[1], item) for key, item in value.items()}
    return value


def _fitting(hints: list[Any], value: Any) -> Any:
    """Return the member of a union that fits JSON's kind of value."""
    for hint in hints:
        container = typing.get_origin(hint) or hint
        if isinstance(value, Mapping) == (container is dict or dataclasses.is_dataclass(hint) or container is Mapping):
            return hint
    return hints[0]
