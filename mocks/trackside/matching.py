"""What a user asks of a vendor's records: keywords in the vendor's words, compared field by field. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trackside.errors import TracksideError
from trackside.steps import Record

Sort = Literal["event", "identity", "impression", "exposure", "diagnostic", "inference"]


@dataclass(frozen=True, slots=True)
class Word:
    """Where a keyword finds its value: the first of these dotted paths that holds one, else ``default``."""

    paths: tuple[str, ...]
    default: Any = None


def _words(**paths: str) -> dict[str, Word]:
    return {name: Word(tuple(path.split("|"))) for name, path in paths.items()}


WORDS: dict[tuple[str, Sort], dict[str, Word]] = {
    ("segment", "event"): _words(
        name="event|name",
        type="type",
        user_id="userId",
        anonymous_id="anonymousId",
        group_id="groupId",
        message_id="messageId",
        properties="properties",
        traits="traits",
        context="context",
    ),
    ("statsig", "event"): {
        **_words(
            name="eventName",
            user_id="user.userID",
            custom_ids="user.customIDs",
            custom="user.custom",
            value="value",
            metadata="metadata",
        ),
        # An event that names no tier counts as production (statsig.in.environment).
        "environment": Word(("user.statsigEnvironment.tier",), "production"),
    },
    ("statsig", "exposure"): {
        **_words(
            name="exposure.name",
            of="exposure.of",
            user_id="user.userID",
            custom_ids="user.customIDs",
            custom="user.custom",
            # What a gate gave; of an experiment the group, whose rule may be named after it.
            value="exposure.value|exposure.group|exposure.ruleID",
            group="exposure.group|exposure.ruleID",
            rule_id="exposure.ruleID",
            parameter="exposure.parameter",
            experiment="exposure.experiment",
            metadata="metadata",
        ),
        "environment": Word(("user.statsigEnvironment.tier",), "production"),
    },
    ("split", "event"): _words(
        name="eventTypeId",
        key="key",
        traffic_type="trafficTypeName",
        value="value",
        environment="environmentName",
        properties="properties",
    ),
    ("split", "identity"): _words(
        key="key", traffic_type="trafficTypeName", environment="environmentName", values="values"
    ),
    ("split", "impression"): _words(
        flag="split",
        key="key",
        treatment="treatment",
        label="label",
        bucketing_key="bucketingKey",
        change_number="splitVersionNumber",
        time="time",
        previous_time="previousTime",
        properties="properties",
        environment="environmentName",
        mode="impressionsMode",
        sdk="sdk",
    ),
    ("launchdarkly", "event"): _words(
        name="key",
        kind="kind",
        user="contextKeys.user",
        context="contextKeys",
        value="metricValue",
        environment="environment",
        data="data",
    ),
    ("launchdarkly", "diagnostic"): _words(
        kind="kind", sdk="sdk.name", version="sdk.version", environment="environment"
    ),
    ("ownlayer", "inference"): _words(
        id="id",
        input="input",
        output="output",
        messages="input_messages",
        model="settings.model",
        provider="settings.provider",
        tags="tags",
        error="error",
        feedback="feedback",
        metadata="additional_metadata",
        user_id="additional_metadata.segment.user_id",
        event="additional_metadata.segment.event",
    ),
    # OwnLayer's events are its evaluations.
    ("ownlayer", "event"): _words(
        name="event",
        id="id",
        result="result",
        inference="inference",
        evaluator="evaluator",
        score="score",
        metadata="additional_metadata",
        user_id="additional_metadata.segment.user_id",
    ),
}
"""The keywords of each vendor's records, and where they look."""

ID_WORDS = frozenset(
    ("user_id", "anonymous_id", "group_id", "custom_ids", "key", "user", "context", "userID", "userId", "anonymousId")
)
"""Keywords and ends of paths whose values name somebody: a near-miss looks for messages of the same."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record against what was asked of it.

    Attributes:
        name: the keyword, with the keys inside it, such as ``properties.plan``.
        at: its JSON path in the record.
        expected: what was asked: a value, a type or a predicate.
        got: what the record holds; None where it holds nothing.
        fits: whether it is as asked.
        fault: why a predicate could not take the value.
    """

    name: str
    at: str
    expected: Any
    got: Any
    fits: bool
    fault: str = ""


class Match:
    """What is asked of the records of one vendor.

    Args:
        vendor: as in the workspace.
        asked: keywords of the vendor, and ``where``, a mapping of dotted paths in the record as the vendor keeps it. A
            value of None asks that there be none.
        sort: Split keeps identities and impressions beside events.
        counting: of LaunchDarkly's events only those that can count in a metric, unless ``kind`` is asked for; SDKs
            also send identify, index, feature and summary events.

    Raises:
        TracksideError: for a keyword that the vendor's records do not have.

    >>> match = Match("split", {"name": "Sign_Up", "value": 42})
    >>> match.holds({"kind": "event", "eventTypeId": "Sign_Up", "value": 42.0})
    True
    """

    def __init__(
        self, vendor: str, asked: Mapping[str, Any], *, sort: Sort = "event", counting: bool | None = None
    ) -> None:
        self.vendor = vendor
        self.sort = sort
        self.asked = {name: value for name, value in asked.items() if name != "where"}
        self.where: Mapping[str, Any] = asked.get("where") or {}
        self._words = WORDS.get((vendor, sort), {})
        for name in self.asked:
            if name not in self._words:
                raise self._unknown(name)
        if not isinstance(self.where, Mapping):
            raise TracksideError(f"where is {self.where!r}", vendor, 'give a mapping such as {"user.userID": "u-1"}')
        self._counting = ("name" in asked if counting is None else counting) and "kind" not in asked

    def _unknown(self, name: str) -> TracksideError:
        close = difflib.get_close_matches(name, self._words, n=1, cutoff=0.7)
        guess = f"did you mean {close[0]}? " if close else ""
        what = f"{name!r} is no keyword of {self.vendor}'s {self.noun} records"
        known = ", ".join([*self._words, 'or where={"path.in.the.record": value}'])
        fix = f"{guess}use {known}"
        return TracksideError(what, f"{name}={self.asked[name]!r}", fix)

    @property
    def noun(self) -> str:
        """What the records are called."""
        return self.sort

    @property
    def expected(self) -> dict[str, Any]:
        """Everything that is asked, by keyword or path."""
        return {**self.asked, **self.where}

    def concerns(self, record: Record) -> bool:
        """Return whether a record is of the sort that is asked about."""
        if self.vendor == "split":
            return bool(record.get("kind") == self.sort)
        if self.vendor == "statsig":
            return bool(record.get("kind", "event") == self.sort)
        if self.vendor == "launchdarkly":
            return self._concerns_launchdarkly(record)
        if self.vendor == "ownlayer":
            return bool(record["kind"] == "inference") == (self.sort == "inference")
        return True

    def _concerns_launchdarkly(self, record: Record) -> bool:
        diagnostic = str(record.get("kind")).startswith("diagnostic")
        if diagnostic or self.sort == "diagnostic":
            return diagnostic and self.sort == "diagnostic"
        return not self._counting or record.get("effect") == "metric"

    def holds(self, record: Record) -> bool:
        """Return whether a record is as asked."""
        return self.concerns(record) and all(field.fits for field in self.fields(record))

    def fields(self, record: Record) -> Iterator[Field]:
        """Yield every field that is asked about, as it stands in a record."""
        for name, expected in self.asked.items():
            word = self._words[name]
            at, got = _first(record, word)
            yield from _compared(name, f"$.{at}", expected, got)
        for path, expected in self.where.items():
            yield from _compared(path, f"$.{path}", expected, lookup(record, path))

    @property
    def name(self) -> str:
        """The event's name, of an impression its flag, that is asked about; empty where none is, or a predicate."""
        name = self.asked.get("name", self.asked.get("flag"))
        return name if isinstance(name, str) else ""

    def name_of(self, record: Record) -> str:
        """Return the event's name in a record, of an impression its flag; empty where it has none."""
        word = self._words.get("name") or self._words.get("flag")
        name = _first(record, word)[1] if word else None
        return name if isinstance(name, str) else ""

    def told(self, record: Record) -> dict[str, Any]:
        """Return what a record holds, by keyword."""
        values = {name: _first(record, word)[1] for name, word in self._words.items()}
        return {name: value for name, value in values.items() if value not in (None, {})}

    def ids(self) -> set[str]:
        """Return the ids that are asked about."""
        found: set[str] = set()
        for name, value in self.expected.items():
            if name.rpartition(".")[2] in ID_WORDS:
                values = value.values() if isinstance(value, Mapping) else (value,)
                found |= {one for one in values if isinstance(one, str)}
        return found


def _first(record: Record, word: Word) -> tuple[str, Any]:
    for path in word.paths:
        if (value := lookup(record, path)) is not None:
            return path, value
    return word.paths[0], word.default


def lookup(record: Any, path: str) -> Any:
    """Return what a dotted path leads to, None where it leads nowhere; numbers index arrays.

    >>> lookup({"user": {"customIDs": {"companyID": "c-1"}}}, "user.customIDs.companyID")
    'c-1'
    """
    value = record
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _compared(name: str, at: str, expected: Any, got: Any) -> Iterator[Field]:
    """Yield a field, or those inside it where a mapping is asked for and there is one."""
    if isinstance(expected, Mapping) and expected and isinstance(got, Mapping):
        for key, inner in expected.items():
            yield from _compared(f"{name}.{key}", f"{at}.{key}", inner, got.get(key))
    else:
        fault = asked_of(expected, got)[1] if callable(expected) and not isinstance(expected, type) else ""
        yield Field(name, at, expected, got, fits(expected, got), fault)


def fits(expected: Any, got: Any) -> bool:
    """Return whether a value is as asked.

    Equal is enough, and 42 equals 42.0 but neither true nor "42". A mapping asks only for the keys that it names; None
    asks for null or nothing; a type for a value of it; any other callable is a predicate, which says no when it cannot
    take the value.

    >>> fits({"plan": "pro"}, {"plan": "pro", "seats": 3}), fits(lambda value: value > 40, 42), fits(1, True)
    (True, True, False)
    """
    if isinstance(expected, type):
        return isinstance(got, expected)
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(fits(inner, got.get(key)) for key, inner in expected.items())
    if isinstance(expected, list | tuple):
        return isinstance(got, list) and len(got) == len(expected) and all(map(fits, expected, got))
    if callable(expected):
        return asked_of(expected, got)[0]
    if isinstance(expected, int | float) and isinstance(expected, bool) != isinstance(got, bool):
        return False
    return bool(expected == got)


def asked_of(predicate: Callable[[Any], Any], got: Any) -> tuple[bool, str]:
    """Return a predicate's verdict, and why it could not take the value, such as ``TypeError: …``."""
    try:
        return bool(predicate(got)), ""
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        return False, f"{type(error).__name__}: {error}"
