"""The fixture with Segment's own SDK for Python, as a user's test has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import segment.analytics

if TYPE_CHECKING:
    from trackside.lab import Lab


@pytest.mark.rule("launchdarkly.in.metric-value", "statsig.in.prefix", "split.in.event-type-spaces")
def test_checkout_counts_everywhere(trackside: Lab) -> None:
    analytics = segment.analytics.Client("wk_web", host=trackside.segment.url)
    analytics.track("user-1", "Checkout Completed", {"value": 42})
    analytics.flush()
    trackside.launchdarkly.expect_event("Checkout Completed", user="user-1", value=42)
    trackside.statsig.expect_event("segment::Checkout Completed", user_id="user-1")
    trackside.split.expect_event("Checkout_Completed", key="user-1", traffic_type="user")
    trackside.expect_no_findings()
