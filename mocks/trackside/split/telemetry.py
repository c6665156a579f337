"""What SDKs tell of themselves: how they are configured, and how they fare. It is checked and not kept. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.split.posts import Post, beaconed, posted, routes, under_bases
from trackside.steps import Mapped
from trackside.wire import Answer, Request

if TYPE_CHECKING:
    from trackside.split.settings import SplitSettings


def telemetry(post: Post) -> Mapped:
    """Return nothing to keep: no page or query of the vendor's shows an SDK's telemetry (split.telemetry)."""
    return Mapped([], post.steps)


def _old_metrics(_request: Request, _settings: SplitSettings) -> Answer:
    """Answer 200 to the times, counters and gauges of old SDKs, whatever they hold (split.telemetry.old)."""
    return Answer(200)


ROUTES = [
    *routes(under_bases("/v1/metrics/config"), posted(200, telemetry, dict), "split/telemetry-config"),
    *routes(under_bases("/v1/metrics/usage"), posted(200, telemetry, dict), "split/telemetry-usage"),
    *routes(under_bases("/v1/metrics/usage/beacon"), beaconed(telemetry, dict), "split/telemetry-usage-beacon"),
    *routes(("/api/metrics/<path:name>", "/metrics/<path:name>"), _old_metrics),
]
