"""Whose request it is: the environment of an SDK key, mobile key or client-side ID, and the REST API's access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from trackside.launchdarkly.errors import unauthorized, unknown_client_side_id
from trackside.steps import Step
from trackside.wire import Answer, Request

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import LaunchDarklySettings

Found: TypeAlias = "str | Answer"
"""The name of the environment that a credential belongs to, or the vendor's refusal."""


def by_sdk_key(request: Request, settings: LaunchDarklySettings) -> Found:
    """Return the environment of the SDK key in ``Authorization``, or the 401."""
    environment = settings.environment_with("sdk_key", credential_of(request))
    return environment or unauthorized(_unknown_key(request, "SDK key"))


def by_mobile_key(request: Request, settings: LaunchDarklySettings) -> Found:
    """Return the environment of the mobile key in ``Authorization``, or the 401."""
    environment = settings.environment_with("mobile_key", credential_of(request))
    return environment or unauthorized(_unknown_key(request, "mobile key"))


def by_client_side_id(request: Request, settings: LaunchDarklySettings) -> Found:
    """Return the environment of the client-side ID in the path, or the 404."""
    environment = settings.environment_of(request.params["client_side_id"])
    return environment or unknown_client_side_id(_unknown_id(request, settings))


def by_access_token(request: Request, settings: LaunchDarklySettings) -> Answer | None:
    """Return the 401 of a request without the access token, None for one that has it (launchdarkly.access-token).

    Where the workspace declares none, any will do but an SDK key or mobile key.
    """
    token = credential_of(request)
    if settings.takes_token(token) and not token.startswith(("sdk-", "mob-")):
        return None
    text = "Authorization holds no access token of this project"
    fix = "use the access_token of the workspace's launchdarkly block"
    return unauthorized(Step("fault", "launchdarkly.access-token", text, "Authorization header", fix, "error"))


def credential_of(request: Request) -> str:
    """Return the key or token of ``Authorization``, without the ``api_key`` that older SDKs put before it."""
    given = request.headers.get("authorization", "").strip()
    return given.removeprefix("api_key ").strip()


def _unknown_key(request: Request, what: str) -> Step:
    given = bool(credential_of(request))
    text = f"no environment has the {what} that the request carries" if given else f"the request carries no {what}"
    fix = f"use the {what} of one of the workspace's environments"
    return Step("fault", "launchdarkly.events.unknown-key", text, "Authorization header", fix, "error")


def _unknown_id(request: Request, settings: LaunchDarklySettings) -> Step:
    given = request.params["client_side_id"]
    known = ", ".join(environment.client_side_id for environment in settings.environments.values()) or "none"
    if given.startswith(("sdk-", "mob-")):  # a secret, which no report may repeat
        text = "the path holds an SDK key or mobile key where the client-side ID belongs"
    else:
        text = f"no environment has the client-side ID {given}"
    rule = "launchdarkly.events.unknown-client-side-id"
    return Step("fault", rule, text, "the path", f"use one of the workspace's client-side IDs: {known}", "error")
