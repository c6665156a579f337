"""The control API's paths for Statsig: what its console shows of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.admin.asking import limited, query

if TYPE_CHECKING:
    from trackside.lab import Lab


def _metrics(lab: Lab) -> Any:
    """Events of Statsig's Metrics tab, each with its count and units in all and by day: ``unit_type`` (userID), ``environment`` (production, or ``all``)."""
    environment = query("environment") or "production"
    return lab.statsig.metrics(query("unit_type") or "userID", "" if environment == "all" else environment)


def _log_stream(lab: Lab) -> Any:
    """The last events of Statsig's log stream, the latest first: ``limit`` (100), ``environment`` (production, or ``all``)."""
    return limited(lab.statsig.log_stream(None, all_environments=query("environment") == "all"))


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    "/statsig/metrics": ("GET", _metrics),
    "/statsig/log-stream": ("GET", _log_stream),
}
"""Statsig's paths, with their method."""
