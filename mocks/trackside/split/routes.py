"""Split's paths: those of each module with its plain endpoint functions."""

from __future__ import annotations

from typing import Any

from trackside.split import (
    admin,
    admin_flags,
    admin_identities,
    admin_segments,
    api_experiments,
    api_metrics,
    endpoints,
    events,
    impressions,
    segment_destination,
    telemetry,
)
from trackside.wire import Route

ROUTES: list[Route[Any]] = [
    *segment_destination.ROUTES,
    *endpoints.ROUTES,
    *impressions.ROUTES,
    *events.ROUTES,
    *telemetry.ROUTES,
    *admin.ROUTES,
    *admin_flags.ROUTES,
    *admin_segments.ROUTES,
    *admin_identities.ROUTES,
    *api_metrics.ROUTES,
    *api_experiments.ROUTES,
]
