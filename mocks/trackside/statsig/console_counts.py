"""The Console API's counts of exposures: of the past days, and of each group of an experiment by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig.console import Body, route, told
from trackside.statsig.console_configs import found
from trackside.statsig.counting import COUNTING, PRODUCTION, StatsigExperiment
from trackside.statsig.metrics_view import cumulative_exposures, exposure_count
from trackside.times import in_ms
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

ASKED = {"gates": ("gate",), "experiments": ("config", "layer"), "dynamicConfigs": ("config",)}
"""What can be asked for, and what the exposures to it are of."""

MOST = 25
"""Names that one request may ask for."""


def read_counts(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return how many exposures came in the past day and in seven days, to the gates, experiments and dynamicConfigs that the query names.

    Each is one name, or several with commas between them, as only the first parameter of a name is read
    (statsig.console.exposure-counts).
    """
    data = {}
    for key, of in ASKED.items():
        names = [name for name in request.query.get(key, "").split(",") if name]
        if len(names) > MOST:
            raise TracksideError(f"{key} names {len(names)}", f"?{key}=", f"ask for {MOST} at most")
        data[key] = exposure_count(live.records(), names, of, in_ms(request.at))
    return told("Exposure count fetched successfully.", data)


def read_cumulative(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return how many units each group of an experiment had seen by the end of each day, in production."""
    name = found(request, live, "experiment")["name"]
    every = COUNTING.experiments(live.settings, live)
    one = next(each for each in every if (each.exposed_by, each.environment, each.label) == (name, PRODUCTION, ""))
    rows = cumulative_exposures(live.records(), one, in_ms(request.at)) if isinstance(one, StatsigExperiment) else []
    return told("Successfully loaded Cumulative Exposures", rows)


ROUTES: list[Route[Any]] = [
    route("GET", "/exposure_count", read_counts),
    route("GET", "/experiments/<id>/cumulative_exposures", read_cumulative),
]
