"""How each published SDK is pointed at a lab: the one place that the fixtures, ``serve`` and the pages take it from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.vendor import Mock


@dataclass(frozen=True, slots=True)
class Sdk:
    """One published SDK.

    Attributes:
        package: its name in the registry, such as ``launchdarkly-server-sdk``.
        registry: ``PyPI`` or ``npm``.
        side: whether it runs on a server with a secret key, or on a client.
        call: how a program uses the options, in its language, such as ``Config(**options)``.
        key: which of the vendor's keys (see `trackside.vendor.Mock.keys`) it takes: ``sdk_key``, ``client_side_id`` …
        options: gives its options from the vendor's base address and that key; JSON-ready.
    """

    package: str
    registry: Literal["PyPI", "npm"]
    side: Literal["server", "client"]
    call: str
    key: str
    options: Callable[[str, str], Mapping[str, Any]]


def sdk_named(sdks: tuple[Sdk, ...], package: str) -> Sdk:
    """Return an SDK by its package, ``npm:NAME`` or ``PyPI:NAME``.

    Raises:
        TracksideError: there is none.
    """
    for sdk in sdks:
        if package in (sdk.package, f"{sdk.registry}:{sdk.package}"):
            return sdk
    known = ", ".join(sdk.package for sdk in sdks) or "none"
    raise TracksideError(f"there is no SDK {package!r} here", "options", f"known are: {known}")


def options_for(mock: Mock, package: str, environment: str = "") -> dict[str, Any]:
    """Return the options that point an SDK at a vendor of a lab; see `trackside.vendor.Mock.options`."""
    sdk = sdk_named(mock.vendor.sdks, package)
    return dict(sdk.options(mock.url, key_for(mock.keys, sdk.key, environment)))


def key_for(keys: Mapping[str, Any], name: str, environment: str = "") -> str:
    """Return a key of a vendor: by its own name, or by that of an environment (the first one by default).

    Raises:
        TracksideError: there is no such environment.
    """
    if name in keys:
        return str(keys[name])
    if environment and environment not in keys:
        raise TracksideError(f"there is no environment {environment!r}", "options", f"declared are: {', '.join(keys)}")
    of = keys[environment] if environment else next(iter(keys.values()), "")
    return str(of[name] if isinstance(of, Mapping) else of)
