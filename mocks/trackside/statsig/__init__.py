"""Statsig: config specs for SDKs, evaluation for client SDKs, and the events it takes from SDKs and from Segment."""

from trackside.statsig.errors import unknown_path
from trackside.statsig.routes import ROUTES
from trackside.statsig.sdks import SDKS
from trackside.statsig.store import Statsig
from trackside.wire import Vendor

VENDOR = Vendor("statsig", "Statsig", 8802, ROUTES, unknown_path, Statsig, SDKS)
