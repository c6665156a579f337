"""Statsig's published SDKs, and the options that point each here.

Error reports of an SDK's own go to ``statsigapi.net/v1/sdk_exception``. Only js-client has an option for that address;
in ``statsig`` and ``statsig-node`` it is a constant that a test may overwrite, in the SDKs built on Statsig's core it
cannot be moved (statsig.sdk.exception-host).
"""

from __future__ import annotations

from typing import Any

from trackside.sdks import Sdk


def _python(url: str, _key: str) -> dict[str, Any]:
    return {"api": f"{url}/v1/", "rulesets_sync_interval": 1, "idlists_sync_interval": 1}


def _python_core(url: str, _key: str) -> dict[str, Any]:
    return {
        "specs_url": f"{url}/v2/download_config_specs",
        "log_event_url": f"{url}/v1/log_event",
        "id_lists_url": f"{url}/v1/get_id_lists",
        "enable_id_lists": True,
        "specs_sync_interval_ms": 1000,
        "id_lists_sync_interval_ms": 1000,
    }


def _node(url: str, _key: str) -> dict[str, Any]:
    return {"api": f"{url}/v1", "rulesetsSyncIntervalMs": 5000, "idListsSyncIntervalMs": 30000}


def _node_core(url: str, _key: str) -> dict[str, Any]:
    return {
        "specsUrl": f"{url}/v2/download_config_specs",
        "logEventUrl": f"{url}/v1/log_event",
        "idListsUrl": f"{url}/v1/get_id_lists",
        "enableIdLists": True,
        "specsSyncIntervalMs": 1000,
        "idListsSyncIntervalMs": 1000,
    }


def _browser(url: str, _key: str) -> dict[str, Any]:
    return {
        "networkConfig": {"api": f"{url}/v1", "sdkExceptionUrl": f"{url}/v1/sdk_exception"},
        "loggingEnabled": "always",
    }


SDKS = (
    Sdk("statsig", "PyPI", "server", "StatsigOptions(**options)", "server_secret", _python),
    Sdk("statsig-python-core", "PyPI", "server", "StatsigOptions(**options)", "server_secret", _python_core),
    Sdk("statsig-node", "npm", "server", "Statsig.initialize(key, options)", "server_secret", _node),
    Sdk("@statsig/statsig-node-core", "npm", "server", "new Statsig(key, options)", "server_secret", _node_core),
    Sdk("@statsig/js-client", "npm", "client", "new StatsigClient(key, user, options)", "client_key", _browser),
)
"""One row for each; the times between two downloads are the shortest that the SDK takes (statsig.sdk.options)."""
