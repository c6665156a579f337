"""Statsig: what it takes from Segment and keeps as events."""

from trackside.statsig.errors import unknown_path
from trackside.statsig.routes import ROUTES
from trackside.wire import Vendor

VENDOR = Vendor("statsig", "Statsig", 8802, ROUTES, unknown_path)
