"""JavaScript's reading of timestamps with dayjs 1.11, as Segment's LaunchDarkly destination does it, in UTC.

dayjs has a pattern of its own for texts that do not end in Z, and leaves the rest to ``Date.parse``. Both are generous
where one would not expect it: ``"1714557600123"`` is read as a day in the year 1718.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from trackside.segment.actions.date_parse import DAY, LAST, clip, instant, parse
from trackside.segment.actions.javascript import WHITESPACE, number, number_text

_ENDINGS = frozenset(f"{digit}Z" for digit in range(10))
_EPOCH = date(1970, 1, 1).toordinal()

_DAYJS = re.compile(
    rf"([0-9]{{4}})[-/]?([0-9]{{1,2}})?[-/]?([0-9]{{0,2}})[Tt{WHITESPACE}]*"
    r"([0-9]{1,2})?:?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?"
)
_NUMERAL = re.compile(r"-?[0-9][0-9.e+-]*|-?Infinity|NaN")


@lru_cache(maxsize=256)  # an event's timestamp is checked, sent and remarked upon
def milliseconds(timestamp: str | float) -> int | None:
    """Return what dayjs makes of a timestamp, in milliseconds since 1970, or None where it is no date for dayjs.

    Args:
        timestamp: a number is milliseconds; a text without a zone is read in UTC.

    >>> milliseconds("2024-01-02T03:04:05.678Z"), milliseconds("2024-01-02"), milliseconds("soon")
    (1704164645678, 1704153600000, None)
    >>> milliseconds(1704164645), milliseconds("1714557600123")
    (1704164645, -7930223277000)
    """
    if not isinstance(timestamp, str):
        return clip(timestamp)
    # The form in which Segment itself writes times, for speed.
    if (
        timestamp[4:11:3] == "--T"
        and timestamp[13:20:3] == "::."
        and timestamp[22:] in _ENDINGS
        and (usual := _since_1970(timestamp[:23])) is not None
    ):
        return usual
    if not timestamp.endswith(("Z", "z")) and (match := _DAYJS.fullmatch(timestamp)):
        return _dayjs(match)
    return parse(timestamp)


def date_like(text: str) -> bool:
    """Return whether a text passes Segment's format ``date-like`` of datetime fields.

    A text that is a number's own spelling passes when it is a time in seconds; any other when dayjs can read it.
    """
    if not text.endswith("Z") and _NUMERAL.fullmatch(text) and number_text(seconds := number(text)) == text:
        return abs(seconds * 1000) <= LAST
    return milliseconds(text) is not None


def _since_1970(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:  # such as 30 February, which JavaScript carries over to March
        return None
    seconds = (time.hour * 60 + time.minute) * 60 + time.second
    return (time.toordinal() - _EPOCH) * DAY + seconds * 1000 + time.microsecond // 1000


def _dayjs(match: re.Match[str]) -> int | None:
    """Read the groups of dayjs's own pattern: every part may be missing, and too large ones carry over."""
    year = int(match[1])
    month = int(match[2]) if match[2] else 1
    day = int(match[3]) if match[3] else 1
    hour, minute, second = (int(part or 0) for part in match.group(4, 5, 6))
    fraction = int((match[7] or "0")[:3])  # ".5" is five milliseconds
    return instant(year + 1900 if year < 100 else year, month, day, hour, minute, second, fraction)
