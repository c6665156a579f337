"""The ledger: exposures and metric events of any number, kept in tables that can be asked by unit.

The tables are a SQLite database that lives in memory and goes to a temporary file by itself where it grows beyond its
cache, so that a million rows fit a small process. It ends with the process.
"""

from __future__ import annotations

import re
import sqlite3
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

import orjson

from trackside.counting.filters import Fact
from trackside.counting.model import Event, Exposure

_CACHE_KIB = 48_000
_BUFFER = 20_000
"""Rows that are written at once."""

_FURTHEST = 2**63 - 1
"""The furthest moment that a table takes; those beyond are kept as this one."""

_ID_TYPES = 200
"""Ids of one event that are kept: a table has 2,000 columns at most, and each is looked into."""

_FOUND = 50
"""Exposures of nearly the same id that are looked at."""

_SCHEMA = """
CREATE TABLE exposure (series INTEGER, unit TEXT, mark INTEGER, at INTEGER, arrived INTEGER, seq INTEGER);
CREATE TABLE event (series INTEGER, seq INTEGER, number INTEGER, at INTEGER, arrived INTEGER, facts BLOB,
                    user TEXT, anonymous TEXT, message TEXT);
CREATE TABLE dropped (vendor TEXT, name TEXT, user TEXT, anonymous TEXT, message TEXT, seq INTEGER, at INTEGER, step BLOB);
"""

_EVENT = ("series", "seq", "number", "at", "arrived", "facts", "user", "anonymous", "message")


class EventSeries(NamedTuple):
    """What events of one name have in common.

    Attributes:
        vendor: that keeps them.
        environment: as the vendor keeps it.
        name: of the events.
        types: of the ids that they carry, in the order of their columns.
        clicked: whether they are clicks or page views of a browser SDK.
    """

    vendor: str
    environment: str
    name: str
    types: tuple[str, ...]
    clicked: bool


class Row(NamedTuple):
    """One event of the ledger.

    Attributes:
        series: what it has in common with others.
        ids: in the order of the series' types.
        at: when it happened, as its sender says.
        arrived: when it came.
        seq: number of the exchange.
        number: among what the vendor keeps of the exchange.
        facts: what each metric made of it that reads values or filters, in their order; None where none does.
        user: the Segment message's userId; None where it came from elsewhere.
        anonymous: its anonymousId.
        message: its messageId.
    """

    series: EventSeries
    ids: tuple[str, ...]
    at: int
    arrived: int
    seq: int
    number: int
    facts: list[Fact] | None
    user: str | None
    anonymous: str | None
    message: str | None


class Dropped(NamedTuple):
    """A Segment message that a vendor was to get, and of which it keeps nothing.

    Attributes:
        vendor: who.
        name: the event's name as Segment has it.
        user: its userId.
        anonymous: its anonymousId.
        message: its messageId.
        seq: number of the exchange.
        at: when it came.
        step: the step that ended its way, as JSON.
    """

    vendor: str
    name: str
    user: str | None
    anonymous: str | None
    message: str | None
    seq: int
    at: int
    step: dict[str, Any]


class Lost(NamedTuple):
    """Messages of one name that ended on their way for one reason.

    Attributes:
        name: as Segment has it.
        step: which ended their way, as JSON.
        times: how many.
    """

    name: str
    step: dict[str, Any]
    times: int


class _Numbers(dict[Any, int]):
    """Gives each value a number, from 0, when it is first asked for."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    def __missing__(self, value: Any) -> int:
        number = self[value] = len(self.all)
        self.all.append(value)
        return number


class _ExposureSeries(_Numbers):
    """Numbers vendor, environment, name and type of exposures, and finds them by vendor, or vendor and name."""

    def __init__(self) -> None:
        super().__init__()
        self.under: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)

    def __missing__(self, value: Any) -> int:
        number = super().__missing__(value)
        vendor, _, name, _ = value
        self.under[vendor,].append(number)
        self.under[vendor, name].append(number)
        return number


class Ledger:
    """Exposures and metric events of one lab, recording or journal.

    Attributes:
        close: lets go of the tables, as the end of the ledger does.
        latest: the moment of the latest request.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self.close = weakref.finalize(self, self._db.close)
        for pragma in (f"cache_size=-{_CACHE_KIB}", "journal_mode=OFF", "synchronous=OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.create_function("fold", 1, fold, deterministic=True)
        self._db.create_function("back", 1, back, deterministic=True)
        self._db.executescript(_SCHEMA)
        self._exposure_series, self._event_series, self._marks = _ExposureSeries(), _Numbers(), _Numbers()
        self._exposures: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._counts: Counter[int] = Counter()
        self._first_seq = 1
        self._columns = 0
        self._indexed: set[str] = set()
        self.latest = 0

    # ---- writing

    def add_exposure(self, vendor: str, one: Exposure, seq: int) -> None:
        """Take an exposure of an exchange."""
        environment, name, unit_type, unit, variation, label, included, at, arrived = one
        series = self._exposure_series[vendor, environment, name, unit_type]
        mark = self._marks[variation, label, included]
        self._exposures.append((series, unit, mark, _moment(at), arrived, seq))
        if len(self._exposures) >= _BUFFER:
            self._flush()

    def add_event(
        self,
        vendor: str,
        one: Event,
        seq: int,
        number: int,
        facts: list[Fact] | None,
        user: str | None = None,
        anonymous: str | None = None,
        message: str | None = None,
    ) -> None:
        """Take an event of an exchange; see `Row` for what the arguments mean."""
        units = one.units
        types = tuple(sorted(units)[:_ID_TYPES]) if len(units) > 1 else tuple(units)
        series = self._event_series[EventSeries(vendor, one.environment, one.name, types, one.clicked)]
        if len(types) > self._columns:
            self._widen(len(types))
        ids = [units[name] for name in types]
        padding = [None] * (self._columns - len(ids))
        told = orjson.dumps(facts) if facts is not None else None
        self._events.append(
            (series, seq, number, _moment(one.at), one.arrived, told, user, anonymous, message, *ids, *padding)
        )
        self._counts[series] += 1
        if len(self._events) >= _BUFFER:
            self._flush()

    def add_dropped(self, one: Dropped) -> None:
        """Take a message that ended on its way."""
        self._db.execute("INSERT INTO dropped VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*one[:-1], orjson.dumps(one.step)))

    def forget(self, seq: int) -> None:
        """Drop what an exchange brought, so that it can be read again."""
        self._delete("seq = ?", seq)

    def forget_before(self, seq: int) -> None:
        """Drop what the exchanges before a number brought."""
        if seq > self._first_seq:
            self._first_seq = seq
            self._delete("seq < ?", seq)

    def _delete(self, condition: str, seq: int) -> None:
        self._flush()
        for table in ("exposure", "event", "dropped"):
            self._index(f"{table}_seq", f"{table} (seq)")
        gone = f"SELECT series, count(*) FROM event WHERE {condition} GROUP BY series"  # noqa: S608 - no text from outside
        self._counts.subtract(dict(self._db.execute(gone, (seq,))))
        for table in ("exposure", "event", "dropped"):
            self._db.execute(f"DELETE FROM {table} WHERE {condition}", (seq,))  # noqa: S608 - no text from outside

    def _widen(self, columns: int) -> None:
        """Make room for events with more ids than any before."""
        self._flush()
        for index in range(self._columns, columns):
            self._db.execute(f"ALTER TABLE event ADD COLUMN u{index} TEXT")
        self._columns = columns

    def _flush(self) -> None:
        if not self._exposures and not self._events:
            return
        places = ", ".join("?" * (len(_EVENT) + self._columns))
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO exposure VALUES (?, ?, ?, ?, ?, ?)", self._exposures)
        self._db.executemany(f"INSERT INTO event VALUES ({places})", self._events)  # noqa: S608 - question marks
        self._db.execute("COMMIT")
        self._exposures, self._events = [], []

    def _index(self, name: str, on: str) -> None:
        """Make an index before it is first used: writing a million rows is quicker without."""
        if name not in self._indexed:
            self._db.execute(f"CREATE INDEX {name} ON {on}")
            self._indexed.add(name)

    # ---- exposures

    def exposed(
        self, vendor: str, name: str, environment: str, unit_type: str, clock: str
    ) -> Iterator[tuple[str, list[Exposure]]]:
        """Yield each unit with the exposures that a flag or experiment has of it, units in order, exposures by a clock.

        Args:
            vendor: whose.
            name: of the flag or experiment.
            environment: empty for any.
            unit_type: of the units.
            clock: ``at`` or ``arrived``.
        """
        numbers = self._series_of(vendor, name, environment, (unit_type, ""))
        rows = self._rows_of(numbers, f"1 ORDER BY unit, {clock}, arrived, at, rowid")
        for unit, found in groupby(rows, key=lambda one: one.unit):
            yield unit, list(found)

    def exposures(self, vendor: str, unit: str, name: str | None = None) -> list[Exposure]:
        """Return what a vendor knows of a unit: its exposures to a flag or experiment, or all; by their arrival."""
        numbers = self._exposure_series.under.get((vendor,) if name is None else (vendor, name), ())
        self._index("exposure_unit", "exposure (unit, series)")
        return list(self._rows_of(numbers, "unit = ? ORDER BY arrived, at, rowid", _text(unit)))

    def has_exposures(self, vendor: str, name: str, environment: str = "", *, units: bool = False) -> bool:
        """Return whether anybody was exposed to a flag or experiment; with ``units``, somebody whose id is known."""
        numbers = self._series_of(vendor, name, environment, None)
        return next(iter(self._rows_of(numbers, "unit <> '' LIMIT 1" if units else "1 LIMIT 1")), None) is not None

    def near(self, vendor: str, unit: str, name: str, unit_type: str) -> list[Exposure]:
        """Return exposures of units whose id differs from this one only by case, blanks or a prefix, in this order.

        Args:
            vendor: whose.
            unit: the id.
            name: of the flag or experiment; what only tells that a unit is known is returned too.
            unit_type: of the units.
        """
        types = (unit_type, "")
        numbers = [*self._series_of(vendor, name, "", types), *self._series_of(vendor, "", "", types)]
        self._index("exposure_folded", "exposure (fold(unit))")
        self._index("exposure_back", "exposure (back(unit))")
        unit, own = _text(unit), fold(_text(unit))
        limit = f"unit <> ? LIMIT {_FOUND}"
        found = list(self._rows_of(numbers, f"fold(unit) = ? AND {limit}", own, unit))
        if without := _without_prefix(own):
            places = ", ".join("?" * len(without))
            found += self._rows_of(numbers, f"fold(unit) IN ({places}) AND {limit}", *without, unit)
        if own:
            ranges = [(own[::-1] + one, own[::-1] + chr(ord(one) + 1)) for one in SEPARATORS]
            told = " OR ".join(["(back(unit) >= ? AND back(unit) < ?)"] * len(ranges))
            found += self._rows_of(numbers, f"({told}) AND {limit}", *chain(*ranges), unit)
        return found

    def _series_of(self, vendor: str, name: str, environment: str, types: Sequence[str] | None) -> list[int]:
        every = self._exposure_series.all
        return [
            number
            for number in self._exposure_series.under.get((vendor, name), ())
            if environment in ("", every[number][1]) and (types is None or every[number][3] in types)
        ]

    def _rows_of(self, numbers: Iterable[int], rest: str, *values: Any) -> Iterator[Exposure]:
        self._flush()
        told = ", ".join(map(str, numbers))
        if not told:
            return
        select = f"SELECT series, unit, mark, at, arrived FROM exposure WHERE series IN ({told}) AND {rest}"  # noqa: S608 - numbers of ours
        for series, unit, mark, at, arrived in self._db.execute(select, values):
            _, environment, name, unit_type = self._exposure_series.all[series]
            variation, label, included = self._marks.all[mark]
            yield Exposure(environment, name, unit_type, unit, variation, label, included, at, arrived)

    # ---- events

    def series(self, vendor: str) -> list[EventSeries]:
        """Return what kinds of events a vendor keeps, in the order in which they first came."""
        every = self._event_series.all
        return [one for number, one in enumerate(every) if one.vendor == vendor and self._counts[number] > 0]

    def events(self, series: Sequence[EventSeries], unit_type: str, clock: str) -> Iterator[tuple[str, list[Row]]]:
        """Yield each unit of a type with its events of some kinds, units in order, events by a clock."""
        at: dict[int, list[int]] = {}
        for one in series:
            if unit_type in one.types:
                at.setdefault(one.types.index(unit_type), []).append(self._event_series[one])
        if not at:
            return
        self._flush()
        parts = [
            f"SELECT {self._all}, u{column} AS unit FROM event WHERE series IN ({', '.join(map(str, numbers))})"  # noqa: S608 - numbers of ours
            for column, numbers in at.items()
        ]
        rows = self._db.execute(f"{' UNION ALL '.join(parts)} ORDER BY unit, {clock}, arrived, at, seq, number")
        for unit, found in groupby(rows, key=lambda row: row[-1]):
            yield unit, [self._row(row[:-1]) for row in found]

    def count(self, series: EventSeries) -> int:
        """Return how many events of a kind there are."""
        return self._counts[self._event_series[series]]

    def events_of(self, unit: str) -> Iterator[Row]:
        """Yield the events that carry an id of any type, or whose Segment message did; by their arrival."""
        self._flush()
        columns = [*(f"u{index}" for index in range(self._columns)), "user", "anonymous"]
        for column in columns:
            self._index(f"event_{column}", f"event ({column})")
        told = " OR ".join(f"{column} = ?" for column in columns)
        yield from self._found(f"({told}) ORDER BY arrived, seq, number", *[_text(unit)] * len(columns))

    def of_message(self, message: str) -> list[Row]:
        """Return the events that were made of a Segment message, by its messageId."""
        self._index("event_message", "event (message)")
        return list(self._found("message = ? ORDER BY seq, number", _text(message)))

    def _found(self, condition: str, *values: Any) -> Iterator[Row]:
        self._flush()
        select = f"SELECT {self._all} FROM event WHERE {condition}"  # noqa: S608 - no text from outside
        for row in self._db.execute(select, values):
            yield self._row(row)

    @property
    def _all(self) -> str:
        """The columns of an event, its ids last."""
        return ", ".join((*_EVENT, *(f"u{index}" for index in range(self._columns))))

    def _row(self, row: tuple[Any, ...]) -> Row:
        number, seq, place, at, arrived, facts, user, anonymous, message, *ids = row
        series = self._event_series.all[number]
        told = orjson.loads(facts) if facts is not None else None
        return Row(series, tuple(ids[: len(series.types)]), at, arrived, seq, place, told, user, anonymous, message)

    # ---- what came to nothing

    def dropped_of(self, unit: str) -> list[Dropped]:
        """Return the messages of a person, by userId or anonymousId, that ended on their way."""
        for column in ("user", "anonymous"):
            self._index(f"dropped_{column}", f"dropped ({column})")
        return self._dropped("user = ? OR anonymous = ?", _text(unit), _text(unit))

    def dropped_message(self, message: str) -> list[Dropped]:
        """Return what became of one message that ended on its way, for each vendor."""
        self._index("dropped_message", "dropped (message)")
        return self._dropped("message = ?", _text(message))

    def _dropped(self, condition: str, *values: Any) -> list[Dropped]:
        select = f"SELECT * FROM dropped WHERE {condition} ORDER BY seq, rowid"  # noqa: S608 - no text from outside
        return [Dropped._make((*row[:-1], orjson.loads(row[-1]))) for row in self._db.execute(select, values)]

    def lost(self, vendor: str) -> Iterator[Lost]:
        """Yield what ended on its way to a vendor, that of one name and reason together, in the order of the first."""
        select = "SELECT name, step, count(*) FROM dropped WHERE vendor = ? GROUP BY name, step ORDER BY min(rowid)"
        for name, step, count in self._db.execute(select, (vendor,)):
            yield Lost(name, orjson.loads(step), count)


SEPARATORS = "|:/_#@.-"
"""What a prefix of an id ends in."""

_SEPARATOR = re.compile(f"[{re.escape(SEPARATORS)}]")
_PREFIXES = 8
"""Parts of an id that may be its prefix."""


def _text(value: str) -> str:
    """Return a text that can be looked for: half a surrogate pair, which no JSON that came has, as an escape."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()


def _moment(value: int) -> int:
    return value if -_FURTHEST <= value <= _FURTHEST else _FURTHEST if value > 0 else -_FURTHEST


def fold(unit: str) -> str:
    """Return an id without blanks and case.

    >>> fold(" User 42")
    'user42'
    """
    return "".join(unit.split()).casefold()


def back(unit: str) -> str:
    """Return a folded id from back to front, in which order those with the same end stand together.

    >>> back("Auth0|42")
    '24|0htua'
    """
    return fold(unit)[::-1]


def _without_prefix(folded: str) -> list[str]:
    """Return what an id may be without its prefix, the longest first.

    >>> _without_prefix("google-oauth2|42"), _without_prefix("42"), _without_prefix("u-")
    (['oauth2|42', '42'], [], [])
    """
    found = (folded[one.end() :] for one in islice(_SEPARATOR.finditer(folded), _PREFIXES))
    return [one for one in found if one]
