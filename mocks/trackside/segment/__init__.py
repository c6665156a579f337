"""Segment: the Tracking API, sources, destinations, filters, mappings and delivery."""

from trackside.segment.errors import unknown_path
from trackside.segment.routes import ROUTES
from trackside.wire import Vendor

VENDOR = Vendor("segment", "Segment", 8801, ROUTES, unknown_path)
