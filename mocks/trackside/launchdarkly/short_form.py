"""Flags as a workspace declares them in a few lines, made into what SDKs download. Pure.

See `launchdarkly.flags.short`: a value is what everyone gets, a mapping says more, and one with ``fallthrough`` or
``version`` is a flag as SDKs have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.item_checks import did_you_mean
from trackside.launchdarkly.model import WHOLE, Item, complete_flag, complete_segment, name_of

BOOLEAN = {"true": True, "false": False}
OPERATORS = (
    *("in", "endsWith", "startsWith", "matches", "contains"),
    *("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "before", "after"),
    *("semVerEqual", "semVerLessThan", "semVerGreaterThan", "segmentMatch"),
)
PER_ENVIRONMENT = ("serve", "off", "on", "targets", "context_targets", "rules", "experiment", "track_events")
"""What may differ in an environment; variations and availability are the same everywhere."""


def is_raw(declared: Any) -> bool:
    """Return whether a declared flag is one as SDKs have it."""
    return isinstance(declared, Mapping) and ("fallthrough" in declared or "version" in declared)


def flag_of(key: str, declared: Any, environment: str, faults: list[TracksideError]) -> Item:
    """Return a declared flag as the SDKs of one environment have it (launchdarkly.flags.short).

    Args:
        key: of the flag.
        declared: in the short form; not a raw one.
        environment: whose own lines count.
        faults: gets what is wrong, with places that start at the flag, such as ``$.serve``.
    """
    short = dict(declared) if isinstance(declared, Mapping) else {"serve": declared}
    variations = _Variations(short)
    own = (short.get("environments") or {}).get(environment) or {}
    for name in set(own) & set(PER_ENVIRONMENT):
        short[name] = own[name]
    made = _Made(variations, [*(("environments", environment) if own else ())], own, faults)
    return complete_flag(made.flag(key, short))


def segment_of(key: str, declared: Any) -> Item:
    """Return a declared segment: a list of user keys, or a segment as SDKs have it."""
    return complete_segment(
        {**declared, "key": key} if isinstance(declared, Mapping) else {"key": key, "included": declared}
    )


class _Variations:
    """The values that a flag can serve, by number and by name."""

    def __init__(self, short: Mapping[str, Any]) -> None:
        given = short.get("variations")
        if isinstance(given, Mapping):
            self.names, self.values = list(given), list(given.values())
        else:
            self.values = list(given) if given is not None else _mentioned(short)
            self.names = [name_of(value) for value in self.values]

    @property
    def boolean(self) -> bool:
        """Whether the values are true and false."""
        return bool(self.values) and all(isinstance(value, bool) for value in self.values)

    def index(self, value: Any) -> int | None:
        """Return the number of a variation by its value or name."""
        for number, known in enumerate(self.values):
            if type(known) is type(value) and known == value:
                return number
        if isinstance(value, str) and value in self.names:
            return self.names.index(value)
        return next((number for number, known in enumerate(self.values) if known == value and not self.boolean), None)


def _mentioned(short: Mapping[str, Any]) -> list[Any]:
    """Return the values that a flag without ``variations`` speaks of; true and false where it is about these."""
    values: list[Any] = []
    for part in (short, *(short.get("environments") or {}).values()):
        values += [part["off"]] if "off" in part else []
        values += _named(part.get("serve", _NOTHING))
        values += list(part.get("targets") or {})
        values += [value for kinds in (part.get("context_targets") or {}).values() for value in kinds]
        values += [value for rule in part.get("rules") or () for value in _named(rule.get("serve", _NOTHING))]
    unique = {name_of(value): value for value in values}
    return [True, False] if set(unique) <= set(BOOLEAN) else list(unique.values())


_NOTHING = object()


def _named(serve: Any) -> list[Any]:
    if serve is _NOTHING:
        return []
    return list(serve) if is_percentages(serve) else [serve]


def is_percentages(serve: Any) -> bool:
    """Return whether what is served is a mapping of variations to percentages."""
    return isinstance(serve, Mapping) and bool(serve) and all(type(part) in (int, float) for part in serve.values())


class _Made:
    """Makes one flag, and collects its faults with their places."""

    def __init__(
        self, variations: _Variations, own_at: Sequence[str], own: Mapping[str, Any], faults: list[TracksideError]
    ) -> None:
        self._variations = variations
        self._own_at = own_at
        self._own = own
        self._faults = faults

    def flag(self, key: str, short: Mapping[str, Any]) -> Item:
        values, experiment = self._variations, bool(short.get("experiment", False))
        default_off = len(values.values) - 1 if values.boolean else 0
        off = self._variation(short["off"], ["off"]) if "off" in short else default_off
        on_by_default: Any = values.values[0] if values.values else None
        made: Item = {
            "key": key,
            "on": short.get("on", True),
            "variations": values.values,
            "offVariation": off,
            "fallthrough": self._served(short.get("serve", on_by_default), ["serve"], experiment=experiment),
            "rules": [self._rule(rule, number, experiment) for number, rule in enumerate(short.get("rules") or ())],
            "trackEvents": short.get("track_events", False),
        }
        if "client_side" in short:
            made["clientSideAvailability"] = dict.fromkeys(
                ("usingMobileKey", "usingEnvironmentId"), short["client_side"]
            )
        percentages = any("rollout" in part for part in (made["fallthrough"], *made["rules"]))
        if experiment and not percentages and not {"serve", "rules"} & set(self._own):
            self._fault("there is an experiment without percentages", ["experiment"], "serve percentages, such as {a: 50, b: 50}")  # fmt: skip
        return {**made, **self._targets(short)}

    def _targets(self, short: Mapping[str, Any]) -> dict[str, Any]:
        targets = [
            {"variation": self._variation(value, ["targets", name_of(value)]), "values": keys}
            for value, keys in (short.get("targets") or {}).items()
        ]
        of_kinds = [
            {
                "contextKind": kind,
                "variation": self._variation(value, ["context_targets", kind, name_of(value)]),
                "values": keys,
            }
            for kind, values in (short.get("context_targets") or {}).items()
            for value, keys in values.items()
        ]
        # Where there are context targets they give the order, and one of a user points to the target with the keys.
        pointers = [{"contextKind": "user", **target, "values": []} for target in targets] if of_kinds else []
        return {"targets": targets, "contextTargets": [*pointers, *of_kinds]}

    def _rule(self, rule: Mapping[str, Any], number: int, experiment: bool) -> Item:
        at: list[str | int] = ["rules", number]
        kind = {"contextKind": rule["kind"]} if "kind" in rule else {}
        clauses = [
            {**kind, "attribute": attribute, "op": op, "values": values, "negate": False}
            for attribute, wanted in (rule.get("if") or {}).items()
            for op, values in self._tests(wanted, [*at, "if", attribute])
        ]
        if "segment" in rule:
            names = rule["segment"] if isinstance(rule["segment"], list) else [rule["segment"]]
            clauses.append({"attribute": "", "op": "segmentMatch", "values": names, "negate": False})
        if not clauses:
            self._fault("the rule has no condition", at, "add if: {country: [fr]}, or segment: beta")
        served = self._served(rule.get("serve"), [*at, "serve"], experiment=experiment)
        return {"id": f"rule-{number + 1}", "clauses": clauses, **served}

    def _tests(self, wanted: Any, at: list[str | int]) -> Iterator[tuple[str, list[Any]]]:
        if not isinstance(wanted, Mapping):
            yield "in", wanted if isinstance(wanted, list) else [wanted]
            return
        for op, values in wanted.items():
            if op not in OPERATORS:
                self._fault(f"there is no operator {op!r}", [*at, op], did_you_mean(op, OPERATORS))
            yield op, values if isinstance(values, list) else [values]

    def _served(self, serve: Any, at: list[str | int], *, experiment: bool) -> Item:
        """Return what is served as a ``variation`` or a ``rollout``."""
        if not is_percentages(serve) or self._variations.index(serve) is not None:
            return {"variation": self._variation(serve, at)}
        weights = self._weights(serve, at)
        parts = [
            {"variation": self._variation(value, [*at, name_of(value)]), "weight": weight}
            for value, weight in zip(serve, weights, strict=True)
        ]
        return {
            "rollout": {"kind": "experiment" if experiment else "rollout", "contextKind": "user", "variations": parts}
        }

    def _weights(self, serve: Mapping[str, float], at: list[str | int]) -> list[int]:
        """Return percentages as weights; the last one takes what rounding leaves, as of three thirds."""
        for name, part in serve.items():
            if not 0 <= part <= 100:  # NaN is caught here as well
                self._fault(f"{name} has {part:g} percent", [*at, name], "give it a percentage from 0 to 100")
                return [0] * len(serve)
        weights = [round(part * WHOLE / 100) for part in serve.values()]
        rest = WHOLE - sum(weights)
        if abs(rest) > len(weights) or weights[-1] + rest < 0:
            self._fault(f"the percentages add up to {sum(serve.values()):g}", at, "let them add up to 100")
        return [*weights[:-1], weights[-1] + rest]

    def _variation(self, value: Any, at: list[str | int]) -> int:
        index = self._variations.index(value)
        if index is None:
            self._fault(
                f"{name_of(value)} is none of the variations", at, did_you_mean(name_of(value), self._variations.names)
            )
        return index or 0

    def _fault(self, what: str, at: Sequence[str | int], fix: str) -> None:
        place = [*(self._own_at if at[0] in self._own else ()), *at]
        self._faults.append(TracksideError(what, catalog.json_path(place), fix))
