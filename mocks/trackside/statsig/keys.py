"""The key that a request carries, and whether it may log events and evaluate. Pure; no key ever reaches a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.statsig.errors import refusal
from trackside.steps import Step

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings
    from trackside.wire import Answer, Request


def sent_key(request: Request) -> tuple[str, str]:
    """Return the key of a request and its place: the ``statsig-api-key`` header, else ``k`` in the query, as js-client has it."""
    if key := request.headers.get("statsig-api-key"):
        return key, "statsig-api-key header"
    return request.query.get("k", ""), "k query parameter"


def refused(request: Request, settings: StatsigSettings) -> Answer | None:
    """Return the 401 for a request without a server or client key of the project; None where it has one.

    Source: Statsig, "HTTP API", for the keys; the answer's body is not public (statsig.sdk.key). The demo project
    takes any key.
    """
    key, where = sent_key(request)
    if key and (settings.any_key or key in (settings.server_secret, settings.client_key)):
        return None
    text = f"the key in the {where} is not the project's" if key else "the request carries no key"
    if key and key == settings.console_key:
        text = f"the key in the {where} is the project's Console API key"
    fix = "start the SDK with the server_secret or the client_key of the workspace"
    step = Step("fault", "statsig.sdk.key", text, where, fix, "error")
    return refusal(401, "Invalid API key: use the server secret key or the client key of the Statsig project", [step])
