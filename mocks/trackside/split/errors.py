"""Split's error answers, and the 501 and 403 that Segment's partner contract asks of a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.steps import Step
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trackside.split.settings import SplitSettings


def bad_event(step: Step) -> Answer:
    """Return the 400 of a body that is no Segment call (split.in.malformed)."""
    return _refused(400, step.text, step)


def key_missing() -> Answer:
    """Return the 401 of a delivery without an API key (split.in.api-key)."""
    text = "the delivery carries no API key"
    fix = "put the configuration's key in the Split destination's API Key setting"
    return _refused(401, "API key missing", _key_fault(text, fix))


def key_not_valid() -> Answer:
    """Return the 403 of a delivery whose key no configuration has (split.in.api-key)."""
    text = "no configuration of Harness FME has this API key"
    fix = "copy the key of one of split.segment_inbound into the Split destination's API Key setting"
    return _refused(403, "API key not valid", _key_fault(text, fix))


def _key_fault(text: str, fix: str) -> Step:
    return Step("fault", "split.in.api-key", text, "the Authorization header's user name", fix, "error")


def secret_missing() -> Answer:
    """Return the 401 of a webhook's delivery without a secret (split.in.webhook-auth)."""
    text, fix = "the webhook's delivery carries no secret", "add the header Authorization, with the secret as its value"
    return _refused(401, "secret missing", _secret_fault(text, fix))


def secret_not_valid() -> Answer:
    """Return the 403 of a webhook's delivery whose secret is not the configuration's (split.in.webhook-auth)."""
    text = "the header Authorization does not hold the secret of this webhook's configuration"
    fix = "copy the secret of split.segment_inbound into the Webhooks destination's headers, alone or behind Bearer"
    return _refused(403, "secret not valid", _secret_fault(text, fix))


def _secret_fault(text: str, fix: str) -> Step:
    return Step("fault", "split.in.webhook-auth", text, "the Authorization header", fix, "error")


def no_webhook(request: Request, known: Sequence[str]) -> Answer:
    """Return the 404 of a webhook's address that no configuration has (split.in.webhook-url).

    Args:
        request: what was asked.
        known: the paths of the configurations that have a secret.
    """
    text = f"no configuration of Harness FME has the webhook {request.path}"
    fix = f"use one of: {', '.join(known)}" if known else "give a configuration of split.segment_inbound its secret"
    return _refused(404, "webhook not found", Step("fault", "split.in.webhook-url", text, request.path, fix, "error"))


def call_not_supported(kind: str, steps: list[Step]) -> Answer:
    """Return the 501 of a call type that FME does not process, such as alias (split.in.unsupported)."""
    return json_answer(501, {"message": f"{kind} calls are not supported"}, steps=steps)


# ---- to SDKs


def invalid_credentials(at: str = "the Authorization header") -> Answer:
    """Return the 401 of a key that no environment has: JSON text, no object (split.sdk.key)."""
    fix = "use the sdk_key or client_key of one of split.environments"
    step = Step("fault", "split.sdk.key", "no environment has this SDK key", at, fix, "error")
    return json_answer(401, "Invalid credentials", steps=[step])


def client_side_key(what: str) -> Answer:
    """Return the 403 of a client-side key where only a server-side one will do (split.sdk.key-kinds)."""
    fix = "give a server-side SDK the sdk_key of its environment"
    return _forbidden(403, f"a client-side key may not {what}", fix)


def users_missing() -> Answer:
    """Return the 400 of a client-side key that asks for a token without naming users (split.sdk.key-kinds)."""
    fix = "give a server-side SDK the sdk_key of its environment"
    return _forbidden(400, "a client-side key asks for a token without users", fix)


def _forbidden(status: int, text: str, fix: str) -> Answer:
    step = Step("fault", "split.sdk.key-kinds", text, "the Authorization header", fix, "error")
    return _coded(status, text, step)


def unknown_spec(version: str) -> Answer:
    """Return the 400 of a spec that is not there; SDKs then ask for an older one (split.sdk.spec)."""
    text = f"there is no spec {version!r}"
    return _coded(400, text, Step("fault", "split.sdk.spec", text, "s", "ask for 1.0, 1.1, 1.2 or 1.3", "error"))


def too_many_sets(count: int) -> Answer:
    """Return the 414 of a question for too many flag sets (split.sdk.sets-limit)."""
    text = f"{count} flag sets are asked for, and 50 may be"
    return _coded(414, text, Step("fault", "split.sdk.sets-limit", text, "sets", "ask for fewer", "error"))


def token_refused(code: int, text: str) -> Answer:
    """Return the 401 of the event stream; SDKs get another token and come back (split.sdk.stream-token).

    Args:
        code: of the service behind the stream: 40140 to 40149 are about tokens.
        text: why.
    """
    fix = "nothing to do where the SDK comes back with a token of its auth request"
    step = Step("fault", "split.sdk.stream-token", text, "accessToken", fix, "warning")
    told = {"message": text, "code": code, "statusCode": 401, "href": f"https://help.ably.io/error/{code}"}
    return json_answer(401, {"error": told}, steps=[step])


def _coded(status: int, message: str, step: Step) -> Answer:
    return json_answer(status, {"code": status, "message": message}, steps=[step])


def unknown_path(request: Request, _settings: SplitSettings, paths: Sequence[str] = ()) -> Answer:
    """Return the 404 of a path that is not there (split.unknown-path).

    Args:
        request: what was asked.
        paths: the paths that exist, for the finding.
    """
    text = f"{request.method} {request.path} does not exist here"
    fix = f"use one of: {', '.join(paths)}" if paths else "see the list of paths in the documentation"
    step = Step("fault", "split.unknown-path", text, request.path, fix, "error")
    return json_answer(404, {"code": 404, "message": "Not found"}, steps=[step])


def _refused(status: int, message: str, step: Step) -> Answer:
    return json_answer(status, {"message": message}, steps=[step])
