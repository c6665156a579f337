"""LaunchDarkly: flags for its SDKs, the events service, and what it keeps of metric events."""

from trackside.launchdarkly.errors import unknown_path
from trackside.launchdarkly.routes import ROUTES
from trackside.launchdarkly.sdks import SDKS
from trackside.launchdarkly.store import LaunchDarkly
from trackside.wire import Vendor

VENDOR = Vendor("launchdarkly", "LaunchDarkly", 8804, ROUTES, unknown_path, LaunchDarkly, SDKS)
