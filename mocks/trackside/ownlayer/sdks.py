"""OwnLayer's published SDK, and what points it at a lab."""

from __future__ import annotations

from trackside.ownlayer.routes import INFERENCES
from trackside.sdks import Sdk


def environment(url: str, key: str) -> dict[str, str]:
    """Return the environment variables that the SDK reads at each call; the first is the whole endpoint's URL."""
    return {"OWNLAYER_API_URL": f"{url}{INFERENCES}", "OWNLAYER_API_KEY": key}


SDKS: tuple[Sdk, ...] = (Sdk("ownlayer", "PyPI", "server", "os.environ.update(options)", "api_key", environment),)
