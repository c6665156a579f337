"""What ``trackside serve`` prints at its start: every address, and per SDK the exact option to set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trackside.cli.output import out, out_table, printable

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.sdks import Sdk
    from trackside.vendor import Mock


def show(lab: Lab) -> None:
    """Print the table of addresses and the options below it."""
    from trackside.lab import VENDORS

    titles = {**{name: vendor.title for name, vendor in VENDORS.items()}, "admin": "Control API"}
    out_table(("", "address"), [(titles[name], url) for name, url in lab.urls.items()])
    for what, option in options(lab):
        out(f"{what + ':':<35} {printable(option)}")


def options(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield an SDK or inbound route, and how it is pointed at the lab.

    Write keys and client-side IDs are shown, as they are in every web page; secrets are named by their place.
    """
    from trackside.segment.destinations import CATALOG
    from trackside.split.segment_destination import WEBHOOK

    urls, workspace = lab.urls, lab.workspace
    host = urls["segment"]
    for name, source in workspace.segment.sources.items():
        key = source.write_key
        yield f"Source {name}", f"write key {key}"
        yield "  Segment Python", f'segment.analytics.Client("{key}", host="{host}")'
        yield "  Segment Node", f'new Analytics({{ writeKey: "{key}", host: "{host}" }})'
        yield "  Segment browser", f'AnalyticsBrowser.load({{ writeKey: "{key}", cdnURL: "{host}" }})  (1.84 or later)'
    path = urlsplit(CATALOG["statsig"].url).path
    yield "Statsig inbound", f"POST {urls['statsig']}{path}, Basic user name: statsig.server_secret"
    path = urlsplit(CATALOG["split"].url).path
    yield "Split inbound", f"POST {urls['split']}{path}, Basic user name: api_key of split.segment_inbound"
    for name, inbound in workspace.split.webhooks.items():
        path = f"{WEBHOOK.replace('<webhook>', name)} (environment {inbound.environment})"
        yield "Split inbound by webhook", f"POST {urls['split']}{path}, Authorization: secret of split.segment_inbound"
    for environment, keys in workspace.launchdarkly.environments.items():
        path = f"/events/bulk/{keys.client_side_id}"
        yield "LaunchDarkly inbound", f"POST {urls['launchdarkly']}{path} (environment {environment}), no key"
    for mock in lab.mocks.values():
        for sdk in mock.vendor.sdks:
            yield sdk.package, _options(sdk, mock)


def _options(sdk: Sdk, mock: Mock) -> str:
    """Return the call that takes an SDK's options, and these as its language writes them; a secret key is named by its place."""
    import orjson

    from trackside.sdks import key_for

    key = key_for(mock.keys, sdk.key)
    if sdk.side == "server" or not key or key == _secret(mock):
        key = f"<{sdk.key}>"
    options = dict(sdk.options(mock.url, key))
    shown = str(options) if sdk.registry == "PyPI" else orjson.dumps(options).decode()
    return f"{sdk.call}, options = {shown}"


def _secret(mock: Mock) -> str:
    """Return the key of a vendor's server-side SDKs; a workspace may give clients the same one."""
    from trackside.sdks import key_for

    return key_for(mock.keys, "server_secret" if "server_secret" in mock.keys else "sdk_key")
