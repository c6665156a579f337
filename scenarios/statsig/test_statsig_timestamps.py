"""Moments as SDKs write them, all read into epoch milliseconds."""

from __future__ import annotations

import pytest

from trackside.times import epoch_ms


@pytest.mark.rule("statsig.in.time")
@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("2022-01-24T17:03:29.123Z", 1643043809123),  # JavaScript, Java, Segment itself
        ("2022-01-24T17:03:29Z", 1643043809000),
        ("2022-01-24T17:03:29.1Z", 1643043809100),
        ("2022-01-24T17:03:29.123456+00:00", 1643043809123),  # Python
        ("2022-01-24T17:03:29.123456789Z", 1643043809123),  # Go
        ("2022-01-24T17:03:29.1234567Z", 1643043809123),  # .NET
        ("2022-01-24T18:33:29.123+01:30", 1643043809123),
        ("2022-01-24T12:03:29-0500", 1643043809000),
        ("2022-01-24T19:03:29+02", 1643043809000),
        ("2022-01-24 17:03:29", 1643043809000),  # no zone: UTC
        ("2022-01-24t17:03:29z", 1643043809000),
        ("2022-01-24T17:03", 1643043780000),
        ("2022-01-24", 1642982400000),
        ("1969-12-31T23:59:59.999Z", -1),
        (1643043809123, 1643043809123),
        (1643043809123.9, 1643043809123),
        (0, 0),
    ],
)
def test_a_moment_is_read_in_every_form_that_sdks_send(written, milliseconds):
    assert epoch_ms(written, 0) == milliseconds


@pytest.mark.rule("statsig.in.time.missing")
def test_no_moment_means_the_fallback_in_seconds():
    assert epoch_ms(None, 1643043809.5) == 1643043809500


@pytest.mark.rule("statsig.in.time.missing")
@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "1714557600123",
        "2022-13-24T17:03:29Z",
        "2022-02-30",
        "2022-01-24T17:03:60Z",
        "2022-01-24T25:03:29.123Z",
        "2022-W04-1T17:03:29.123Z",
        "20220124T170329Z",
        "2022-01-24T17:03:29.123x",
        "2022-01-24T17:03:29.123ZZ",
        "2022-01-24T17:03:29.1a3Z",
        "٢٠٢٢-01-24T17:03:29.123Z",
        "2022-01-24T17:03:29+24:00",
        " 2022-01-24",
        True,
        [],
        {},
        float("inf"),
        float("nan"),
        1e300,
        10**400,
    ],
)
def test_what_is_no_moment_is_none(written):
    assert epoch_ms(written, 0) is None
