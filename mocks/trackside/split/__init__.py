"""Split (Harness FME): what it takes from Segment and keeps as events and identities."""

from trackside.split.errors import unknown_path
from trackside.split.routes import ROUTES
from trackside.wire import Vendor

VENDOR = Vendor("split", "Split", 8803, ROUTES, unknown_path)
