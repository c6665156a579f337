"""Generated timestamps, read by trackside and by dayjs as Segment's packages use it, compared one by one."""

from __future__ import annotations

import json
import random

import pytest

from trackside.segment.actions.dates import date_like, milliseconds

pytestmark = pytest.mark.node

SEED = 20_261_121
COUNT = 20_000

PIECES = [
    "2024",
    "24",
    "1999",
    "0",
    "1",
    "5",
    "12",
    "13",
    "31",
    "59",
    "60",
    "99",
    "0050",
    "00",
    "123456789",
    "-",
    "-",
    "/",
    ":",
]
PIECES += [
    ":",
    "::",
    ".",
    "+",
    "T",
    "t",
    "Z",
    "z",
    " ",
    " ",
    ", ",
    "(x)",
    "(",
    ")",
    "Jan",
    "february",
    "am",
    "PM",
    "GMT",
    "est",
]
PIECES += [
    "x",
    "[",
    "\u00a0",
    "+02:00",
    "-0500",
    "T10:00",
    "T10:00:00Z",
    "2024-01-02",
    "10:30",
    "10:30:15.123",
    "24:00",
    "\n",
]
WHOLE = ["2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05+02:00", "2024-01-02 03:04", "Tue, 01 Mar 2022 10:00:00 GMT"]
WHOLE += [
    "Tue Mar 01 2022 10:00:00 GMT+0100 (CET)",
    "3/1/2022, 10:00:00 PM",
    "20240102T030405.123456Z",
    "+002024-01-02T00:00Z",
]


def timestamp(source: random.Random) -> str:
    """Return a text that is nearly a date, or pieces of dates in any order."""
    if source.random() < 0.4:
        return "".join(source.choice(PIECES) for _ in range(source.randint(1, 7)))
    text = source.choice(WHOLE)
    for _ in range(source.randint(0, 3)):
        place = source.randrange(len(text))
        text = (
            text[:place]
            + source.choice(["", "0", "9", "-", ":", ".", "T", "Z", "+", " ", "a"])
            + text[place + source.randint(0, 1) :]
        )
    return text


@pytest.mark.rule("launchdarkly.in.timestamp")
def test_timestamps_are_read_as_dayjs_reads_them(oracle):
    source = random.Random(SEED)
    texts = [timestamp(source) for _ in range(COUNT)]
    (answers,) = oracle([{"kind": "dates", "texts": texts}])
    ours = [[milliseconds(text), date_like(text)] for text in texts]
    found = [
        f"{json.dumps(text)} dayjs {theirs} ours {mine}"
        for text, theirs, mine in zip(texts, answers, ours, strict=True)
        if theirs != mine
    ]
    assert not found, f"seed {SEED}: {len(found)} of {COUNT} differ\n" + "\n".join(found[:8])
