"""The published SDKs of the matrix: how each is driven, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WORKSPACE: dict[str, Any] = {
    "segment": {"sources": {"web": {"write_key": "wk_web"}}},
    "launchdarkly": {
        "environments": {
            "production": {
                "client_side_id": "57be1db38b75bf0772d11384",
                "sdk_key": "sdk-local",
                "mobile_key": "mob-local",
            }
        },
        "flags": {"banner": {"variations": ["blue", "green"], "serve": "blue"}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "client_key": "client-local",
        "gates": {"new_checkout": True},
        "dynamic_configs": {"banner": {"color": "blue"}},
    },
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local"}},
        "admin_key": "admin-local",
        "flags": {"banner": {"treatments": ["blue", "green"], "serve": "blue", "default": "green"}},
    },
}
"""What every SDK of the matrix finds declared. Each first value differs from what an SDK gives that knows nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the SDKs of one vendor are asked.

    Attributes:
        flag: the flag that is changed while they run.
        kind: of the flag, as a driver's command names it.
        default: for an SDK that knows nothing.
        declared: what the workspace says.
        changed: what the test makes of it.
        others: further declared flags: kind, name, default and value.
    """

    kind: str
    default: Any
    declared: Any
    changed: Any
    flag: str = "banner"
    others: tuple[tuple[str, str, Any, Any], ...] = ()


ASKED = {
    "launchdarkly": Asked("flag", "unknown", "blue", "green"),
    "statsig": Asked(
        "config",
        {},
        {"color": "blue"},
        {"color": "green"},
        others=(("gate", "new_checkout", False, True),),
    ),
    "split": Asked("flag", "control", "blue", "green"),
}

WRONG_KEYS = {
    "sdk_key": "sdk-of-nobody",
    "client_side_id": "0123456789abcdef01234567",
    "server_secret": "secret-of-nobody",
    "client_key": "client-of-nobody",
}
"""Keys that nobody has, by their names in `trackside.sdks.Sdk.key`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One SDK of the matrix.

    Attributes:
        vendor: whose it is.
        registry: ``PyPI`` or ``npm``.
        package: its name there, with the path that is imported where one package holds two SDKs.
        script: its driver in ``drivers/``.
        modes: ``streaming``, ``polling``, or ``fetching`` for one that learns of a change when it is told to fetch.
        note: what its test does beyond the options on the page.
        flushes: whether it has a flush; without one it posts its events when it is closed.
    """

    vendor: str
    registry: str
    package: str
    script: str
    modes: tuple[str, ...]
    note: str = ""
    flushes: bool = True


FLOOR = "the floor of 30 seconds between two polls, which no option lowers, is cut to 0.3 by the driver"
EACH_SECOND = "where it polls, it does so each second by its settings of the scheduler"
IN_JSDOM = "in a window of jsdom"
IDENTIFY = "without a stream it is told to fetch by `identify`"

SDKS = (
    Row(
        "launchdarkly",
        "PyPI",
        "launchdarkly-server-sdk",
        "py_launchdarkly_server_sdk.py",
        ("streaming", "polling"),
        FLOOR,
    ),
    Row(
        "launchdarkly",
        "npm",
        "@launchdarkly/node-server-sdk",
        "node_launchdarkly_node_server_sdk.cjs",
        ("streaming", "polling"),
        FLOOR,
    ),
    Row(
        "launchdarkly",
        "npm",
        "launchdarkly-js-client-sdk",
        "node_launchdarkly_js_client_sdk.cjs",
        ("streaming", "fetching"),
        f"{IN_JSDOM}; {IDENTIFY}",
    ),
    Row(
        "launchdarkly",
        "npm",
        "@launchdarkly/js-client-sdk",
        "node_launchdarkly_js_client_sdk_v4.cjs",
        ("streaming", "fetching"),
        f"{IN_JSDOM}; {IDENTIFY}",
    ),
    Row(
        "launchdarkly",
        "npm",
        "launchdarkly-node-client-sdk",
        "node_launchdarkly_node_client_sdk.cjs",
        ("streaming", "fetching"),
        IDENTIFY,
    ),
    Row("statsig", "PyPI", "statsig", "py_statsig.py", ("polling",)),
    Row("statsig", "PyPI", "statsig-python-core", "py_statsig_python_core.py", ("polling",)),
    Row("statsig", "npm", "statsig-node", "node_statsig_node.cjs", ("polling",)),
    Row("statsig", "npm", "@statsig/statsig-node-core", "node_statsig_node_core.cjs", ("polling",)),
    Row(
        "statsig",
        "npm",
        "@statsig/js-client",
        "node_statsig_js_client.cjs",
        ("fetching",),
        f"{IN_JSDOM}; it is told to fetch by `updateUserAsync`",
    ),
    Row(
        "split",
        "PyPI",
        "splitio_client",
        "py_splitio_client.py",
        ("streaming", "polling"),
        f"it posts its events when it is destroyed; {EACH_SECOND}",
        flushes=False,
    ),
    Row("split", "npm", "@splitsoftware/splitio", "node_splitio.cjs", ("streaming", "polling"), EACH_SECOND),
    Row(
        "split",
        "npm",
        "@splitsoftware/splitio/client",
        "node_splitio_client.cjs",
        ("streaming", "polling"),
        f"run by Node; {EACH_SECOND}",
    ),
    Row(
        "split",
        "npm",
        "@splitsoftware/splitio-browserjs",
        "node_splitio_browserjs.cjs",
        ("streaming", "polling"),
        f"run by Node; {EACH_SECOND}",
    ),
)

STATSIG_DRIVERS = {
    "statsig": "py_statsig.py",
    "statsig-python-core": "py_statsig_python_core.py",
    "statsig-node": "node_statsig_node.cjs",
    "@statsig/statsig-node-core": "node_statsig_node_core.cjs",
    "@statsig/js-client": "node_statsig_js_client.cjs",
}
"""The drivers of Statsig's SDKs, by package."""
