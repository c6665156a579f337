"""LaunchDarkly: the events service and what it keeps of metric events."""

from trackside.launchdarkly.errors import unknown_path
from trackside.launchdarkly.routes import ROUTES
from trackside.wire import Vendor

VENDOR = Vendor("launchdarkly", "LaunchDarkly", 8804, ROUTES, unknown_path)
