"""Split's published SDKs, and the options that point each one at a lab (split.sdk.options)."""

from __future__ import annotations

from typing import Any

from trackside.sdks import Sdk


def python_options(url: str, key: str) -> dict[str, Any]:
    """Return the arguments of ``get_factory``; all bases but the stream's have ``/api``."""
    bases = {f"{name}_api_base_url": f"{url}/api" for name in ("sdk", "events", "auth", "telemetry")}
    return {"api_key": key, **bases, "streaming_api_base_url": url}


def javascript_options(url: str, key: str) -> dict[str, Any]:
    """Return the settings of ``SplitFactory``; a client-side SDK also wants ``core.key``, the user."""
    bases = dict.fromkeys(("sdk", "events", "auth", "telemetry"), f"{url}/api")
    return {"core": {"authorizationKey": key}, "urls": {**bases, "streaming": url}}


def admin_options(url: str, key: str) -> dict[str, Any]:
    """Return the settings of the Admin API's client."""
    return {"apikey": key, "base_url": f"{url}/internal/api/v2", "base_url_v3": f"{url}/internal/api/v3"}


_IN_BROWSERS = "SplitFactory({...options, core: {...options.core, key: 'user-1'}})"

SDKS: tuple[Sdk, ...] = (
    Sdk("splitio_client", "PyPI", "server", "get_factory(**options)", "sdk_key", python_options),
    Sdk("@splitsoftware/splitio", "npm", "server", "SplitFactory(options)", "sdk_key", javascript_options),
    Sdk("@splitsoftware/splitio/client", "npm", "client", _IN_BROWSERS, "client_key", javascript_options),
    Sdk("@splitsoftware/splitio-browserjs", "npm", "client", _IN_BROWSERS, "client_key", javascript_options),
    Sdk("splitapiclient", "PyPI", "server", "get_client(options)", "admin_key", admin_options),
)
