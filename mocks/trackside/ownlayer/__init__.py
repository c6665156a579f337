"""OwnLayer: it takes the inferences of LLM applications, evaluates them, and sends what came out to Segment."""

from trackside.ownlayer.errors import unknown_path
from trackside.ownlayer.routes import ROUTES
from trackside.ownlayer.sdks import SDKS
from trackside.ownlayer.store import OwnLayer
from trackside.wire import Vendor

VENDOR = Vendor("ownlayer", "OwnLayer", 8805, ROUTES, unknown_path, OwnLayer, SDKS)
