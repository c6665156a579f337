"""Segment of a running lab, as tests see it."""

from __future__ import annotations

from trackside.vendor import Mock


class SegmentMock(Mock):
    """Segment of a running lab: beside the messages that it takes, the tools around them."""
