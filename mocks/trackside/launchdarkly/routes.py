"""The paths of LaunchDarkly's services; each module brings its own."""

from __future__ import annotations

from typing import Any

from trackside.launchdarkly import (
    events,
    fdv2,
    polling,
    rest,
    rest_experiments,
    rest_flags,
    rest_iterations,
    rest_metrics,
    streams,
)
from trackside.wire import Route

ROUTES: list[Route[Any]] = [
    *events.ROUTES,
    *polling.ROUTES,
    *streams.ROUTES,
    *fdv2.ROUTES,
    *rest.ROUTES,
    *rest_flags.ROUTES,
    *rest_metrics.ROUTES,
    *rest_experiments.ROUTES,
    *rest_iterations.ROUTES,
]
