"""Split (Harness FME): its flags and segments for SDKs, what it takes from Segment, and what it keeps of both."""

from trackside.split.errors import unknown_path
from trackside.split.routes import ROUTES
from trackside.split.sdks import SDKS
from trackside.split.store import Split
from trackside.wire import Vendor

VENDOR = Vendor("split", "Split", 8803, ROUTES, unknown_path, Split, SDKS)
