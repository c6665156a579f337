"""JavaScript's ``Date.parse`` as V8 does it, in a process whose time zone is UTC.

It takes ISO 8601, and where that fails almost anything that holds a number: words are skipped up to the first number,
month names and zones are known, and the order of day, month and year follows from their size.
One thing is not followed: offsets of more than four digits before a colon, which overflow in V8.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from trackside.segment.actions.javascript import WHITESPACE

LAST = 8_640_000_000_000_000
"""JavaScript's last instant, in milliseconds on either side of 1970."""

DAY = 86_400_000

_ISO_DATE = re.compile(
    r"([0-9]{4}|[+-][0-9]{6})(?![0-9])(?:-(0[1-9]|1[0-2])(?![0-9])(?:-(0[1-9]|[12][0-9]|3[01])(?![0-9]))?)?"
)
_ISO_TIME = re.compile(
    r"[Tt]([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]+))?)?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?"
)
_TIME_FOLLOWS = re.compile(rf"[Tt](?![^\x00-@{WHITESPACE}])")
_TOKEN = re.compile(
    rf"(?P<number>[0-9]+)|(?P<sign>[-+])|(?P<symbol>[:.)])|(?P<word>[^\x00-@{WHITESPACE}]+)"
    rf"|(?P<space>[{WHITESPACE}])|(?P<other>.)",
    re.DOTALL,
)
_MONTHS = {
    name: place
    for place, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}
_ZONES = {"ut": 0, "utc": 0, "z": 0, "gmt": 0, "cdt": -5, "cst": -6, "edt": -4, "est": -5}
_ZONES |= {"mdt": -6, "mst": -7, "pdt": -7, "pst": -8}


def parse(text: str) -> int | None:
    """Return ``Date.parse(text)`` of V8 in UTC: ISO 8601, else words and numbers in many orders; None for NaN.

    >>> parse("1 Jan 2024 10:00 PM GMT+0100")
    1704142800000
    """
    day: list[int] = []
    if match := _ISO_DATE.match(text):
        day = [int(part) for part in match.groups() if part]
        rest = text[match.end() :]
        if match[1] == "-000000":
            day = []
        elif not rest:
            return instant(*day)
        elif _TIME_FOLLOWS.match(rest):
            return _iso_time(day, rest)
        text = rest.removeprefix("-") if match[3] is None else rest
    return _Reader(day).read(text)


def instant(year: int, month: int = 1, day: int = 1, *time: int) -> int | None:
    """Return a moment in epoch milliseconds, parts outside their range carried over; None beyond JavaScript's dates."""
    hour, minute, second, fraction = (*time, 0, 0, 0, 0)[:4]
    return clip(_days(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1000 + fraction)


def clip(value: float) -> int | None:
    """Return whole milliseconds, or None beyond JavaScript's dates."""
    return math.trunc(value) if abs(value) <= LAST else None


def _days(year: int, month: int, day: int) -> int:
    """Return the days since 1970 in the Gregorian calendar; months and days outside their range carry over."""
    year, month = year + (month - 1) // 12, (month - 1) % 12
    year, month = (year - 1, month + 10) if month < 2 else (year, month - 2)  # the year begins in March
    return year * 365 + year // 4 - year // 100 + year // 400 + (month * 153 + 2) // 5 + day - 719_469


def _iso_time(day: list[int], rest: str) -> int | None:
    match = _ISO_TIME.fullmatch(rest)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3))
    fraction = _thousandths(match[4]) if match[4] else 0
    if hour == 24 and (minute or second or int(match[4] or 0)):
        return None
    offset = int(match[5] + "1") * (int(match[6]) * 60 + int(match[7])) if match[5] else 0
    return instant(*[*day, 1, 1][:3], hour, minute - offset, second, fraction)


def _numeral(digits: str) -> int:
    """Return the number that V8 keeps of a run of digits: nine of them, leading zeros aside."""
    return int(digits.lstrip("0")[:9] or "0")


def _thousandths(digits: str) -> int:
    """Return the milliseconds of a fraction: its first three digits, but see `_numeral`."""
    kept = min(len(digits), 9)
    return _numeral(digits) * 10 ** (3 - kept) if kept < 3 else int(_numeral(digits) // 10 ** (kept - 3))


@dataclass(slots=True)
class _Reader:
    """V8's generous reading: what each number means depends on what stands around it and what came before.

    Attributes:
        day: the parts of the date in the order in which they were read.
        time: hour, minute, second, millisecond as far as read.
        month: a month given by name.
        sign: of the offset from UTC, with its hour and minute; None without one.
        noon: what AM (0) or PM (12) adds to the hour.
        begun: whether a number has been read; until then unknown words are skipped.
    """

    day: list[int]
    time: list[int] = field(default_factory=list)
    month: int | None = None
    sign: int | None = None
    hour: int | None = None
    minute: int | None = None
    noon: int | None = None
    begun: bool = False
    tokens: list[tuple[str, str]] = field(default_factory=list)

    def read(self, text: str) -> int | None:
        """Return the milliseconds of a text, or None where it is no date."""
        self.begun = bool(self.day)
        self.tokens = _tokens(text)[::-1]
        while self.tokens:
            kind, piece = self.tokens.pop()
            if kind == "number" and not self._number(piece):
                return None
            if kind == "word" and not self._word(piece.lower()):
                return None
            if kind == "sign" and ((self.hour == 0 and self.minute == 0) or self.time):
                if not self._offset(piece):
                    return None
            elif (kind == "sign" or piece == ")") and self.begun:
                return None
        return self._value()

    def _next_is(self, piece: str) -> bool:
        return bool(self.tokens) and self.tokens[-1][1] == piece

    def _skip(self, piece: str) -> bool:
        found = self._next_is(piece)
        if found:
            self.tokens.pop()
        return found

    def _number(self, digits: str) -> bool:
        self.begun = True
        value = _numeral(digits)
        if self._skip(":"):
            return self._clock(value)
        if self._skip(".") and self._expects(value):
            return self._second(value)
        if self.hour is not None and self.minute is None and value < 60:
            self.minute = value
        elif self._expects(value):
            self.time = [*self.time, value, 0, 0, 0][:4]
            kind, piece = self.tokens[-1] if self.tokens else ("space", "")
            return kind in ("space", "sign") or piece in ("z", "Z")
        else:
            self.day.append(value)
            self._skip("-")
            return len(self.day) <= 3
        return True

    def _clock(self, value: int) -> bool:
        """Take a number before a colon: an hour or a minute; a double colon stands for no minutes."""
        if self._skip(":"):
            if self.time:
                return False
            self.time = [value, 0]
            return True
        self.time.append(value)
        self._skip(".")
        return len(self.time) <= 4

    def _second(self, value: int) -> bool:
        kind, piece = self.tokens.pop() if self.tokens else ("", "")
        if kind != "number":
            return False
        self.time = [*self.time, value, _thousandths(piece), 0, 0][:4]
        return True

    def _expects(self, value: int) -> bool:
        place = len(self.time)
        return (place in (1, 2) and value < 60) or (place == 3 and value < 1000)

    def _word(self, word: str) -> bool:
        if word in ("am", "pm") and self.time:
            self.noon = 12 if word == "pm" else 0
        elif word[:3] in _MONTHS:
            self.month = _MONTHS[word[:3]]
            self._skip("-")
        elif word in _ZONES and self.begun:
            self.sign, self.hour, self.minute = (-1 if _ZONES[word] < 0 else 1), abs(_ZONES[word]), 0
        else:
            return not self.begun and not (self.tokens and self.tokens[-1][0] == "number")
        return True

    def _offset(self, sign: str) -> bool:
        """Take a sign behind a time or UTC: an offset such as ``+02``, ``+0200``, ``+2:``."""
        self.sign = int(f"{sign}1")
        digits = self.tokens.pop()[1] if self.tokens and self.tokens[-1][0] == "number" else ""
        self.begun = True
        if self._next_is(":"):
            self.hour, self.minute = _numeral(digits), None
        elif len(digits) in (1, 2):
            self.hour, self.minute = _numeral(digits), 0
        elif len(digits) in (3, 4):
            self.hour, self.minute = divmod(_numeral(digits), 100)
        return self._next_is(":") or 1 <= len(digits) <= 4

    def _value(self) -> int | None:
        hour, minute, second, fraction = [*self.time, 0, 0, 0, 0][:4]
        if self.noon is not None:
            if hour > 12:
                return None
            hour = hour % 12 + self.noon
        if (hour > 23 or minute > 59 or second > 59 or fraction > 999) and (hour, minute, second, fraction) != (
            24,
            0,
            0,
            0,
        ):
            return None
        date = self._date()
        if date is None:
            return None
        offset = (self.sign or 0) * ((self.hour or 0) * 60 + (self.minute or 0))
        return instant(*date, hour, minute - offset, second, fraction)

    def _date(self) -> tuple[int, int, int] | None:
        if not self.day:
            return None
        first, second, third = [*self.day, 1, 1][:3]
        year_first = not 1 <= first <= 31
        if self.month is None:
            year, month, day = (first, second, third) if year_first else (third, first, second)
        else:
            year, month, day = (first, self.month, second) if year_first else (second, self.month, first)
        if 0 <= year <= 99:
            year += 2000 if year < 50 else 1900
        return (year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _tokens(text: str) -> list[tuple[str, str]]:
    """Cut a text into V8's tokens, what stands in parentheses left out."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while match := _TOKEN.match(text, at):
        tokens.append((match.lastgroup or "", match.group()))
        at = _behind_parentheses(text, at) if match.group() == "(" else match.end()
    return tokens


def _behind_parentheses(text: str, at: int) -> int:
    depth = 0
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return len(text)
