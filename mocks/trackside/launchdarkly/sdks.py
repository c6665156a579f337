"""LaunchDarkly's published SDKs, and the options that point each one at a lab (launchdarkly.sdk.options).

All three bases have to be set: an SDK keeps talking to LaunchDarkly with the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trackside.sdks import Sdk

Options = Callable[[str, str], dict[str, Any]]


def python_options(url: str, key: str) -> dict[str, Any]:
    """Return the arguments of ``Config``."""
    return {"sdk_key": key, "base_uri": url, "stream_uri": url, "events_uri": url}


def uris(url: str, key: str) -> dict[str, Any]:  # noqa: ARG001 - the key is an argument of its own
    """Return the options of SDKs that name a URI."""
    return {"baseUri": url, "streamUri": url, "eventsUri": url}


def urls(url: str, key: str) -> dict[str, Any]:  # noqa: ARG001 - the key is an argument of its own
    """Return the options of SDKs that name a URL."""
    return {"baseUrl": url, "streamUrl": url, "eventsUrl": url}


_SERVER = "init(key, options)"
_BROWSER = "initialize(key, context, options)"
_BROWSER_4 = "createClient(key, context, options)"
_REACT = "withLDProvider({ clientSideID: key, options })"
_REACT_NATIVE = "new ReactNativeLDClient(key, AutoEnvAttributes.Enabled, options)"

SDKS: tuple[Sdk, ...] = (
    Sdk("launchdarkly-server-sdk", "PyPI", "server", "LDClient(Config(**options))", "sdk_key", python_options),
    Sdk("@launchdarkly/node-server-sdk", "npm", "server", _SERVER, "sdk_key", uris),
    Sdk("launchdarkly-js-client-sdk", "npm", "client", _BROWSER, "client_side_id", urls),
    Sdk("@launchdarkly/js-client-sdk", "npm", "client", _BROWSER_4, "client_side_id", uris),
    Sdk("launchdarkly-react-client-sdk", "npm", "client", _REACT, "client_side_id", urls),
    Sdk("launchdarkly-node-client-sdk", "npm", "client", _BROWSER, "client_side_id", urls),
    Sdk("@launchdarkly/react-native-client-sdk", "npm", "client", _REACT_NATIVE, "mobile_key", uris),
)
