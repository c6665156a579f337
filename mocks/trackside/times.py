"""Moments as the vendors' payloads write them, read into epoch milliseconds. Pure functions, no clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - both sides of the subtraction are UTC and say nothing of a zone
_FURTHEST = 8_640_000_000_000_000  # as far from 1970 as a JavaScript date reaches, in milliseconds
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r" ?(?:[Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?)?",
    re.ASCII,
)


def in_ms(seconds: float) -> int:
    """Return epoch seconds as whole milliseconds, finer decimals cut off.

    >>> in_ms(1075593600.001), int(1075593600.001 * 1000)  # a float is a little less than it looks
    (1075593600001, 1075593600000)
    """
    return round(seconds * 1_000_000) // 1000


def epoch_ms(value: object, fallback_seconds: float) -> int | None:
    """Return a moment as epoch milliseconds, or None where it cannot be read.

    Args:
        value: an ISO 8601 text as SDKs send it (``Z`` or an offset, any number of decimals, ``T`` or a blank, a date
            alone), a number of epoch milliseconds, or None for a message that names no moment.
        fallback_seconds: what a value of None means, in epoch seconds: as a rule when the request was received.

    Returns:
        Milliseconds, finer decimals cut off. A text without a zone is taken as UTC. None for any other text (also one
        that holds only digits), for true and false, and for a number beyond what a JavaScript date holds.

    >>> epoch_ms("2022-01-24T17:03:29.123456789Z", 0)
    1643043809123
    >>> epoch_ms("2022-01-24T18:03:29+01:00", 0)
    1643043809000
    >>> epoch_ms(None, 1643043809.5)
    1643043809500
    >>> epoch_ms("yesterday", 0) is None
    True
    """
    if isinstance(value, str):
        # Segment's own form, 2022-01-24T17:03:29.123Z: fromisoformat reads all of it but the Z, on every Python.
        if len(value) == 24 and value[7] == "-" and value[10] == "T" and value[19] == "." and value[23] == "Z":
            return _utc_ms(value[:23])
        return _any_iso_ms(value)
    if value is None:
        return in_ms(fallback_seconds)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -_FURTHEST <= value <= _FURTHEST:
        return int(value)
    return None


def _utc_ms(text: str) -> int | None:
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _any_iso_ms(text: str) -> int | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    date, minutes, seconds, decimals, sign, offset_hours, offset_minutes = match.groups()
    milliseconds = (decimals or "")[:3].ljust(3, "0")
    moment = _utc_ms(f"{date}T{minutes or '00:00'}:{seconds or '00'}.{milliseconds}")
    if moment is None or sign is None:
        return moment
    offset = (int(offset_hours) * 60 + int(offset_minutes or 0)) * 60_000
    return moment - offset if sign == "+" else moment + offset


def iso(milliseconds: int) -> str:
    """Return epoch milliseconds as ISO 8601 in UTC with three decimals; empty outside the years 1 to 9999.

    >>> iso(1704164645678)
    '2024-01-02T03:04:05.678Z'
    """
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds") + "Z"
    except OverflowError:
        return ""
