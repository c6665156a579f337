"""Who asks, and for which context: what every endpoint of client-side SDKs reads from its request."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from trackside.launchdarkly.credentials import by_client_side_id, by_mobile_key, by_sdk_key
from trackside.launchdarkly.errors import bad_request, not_json, not_ready
from trackside.launchdarkly.evaluation import Evaluated, Evaluator, Side, context_of
from trackside.steps import Step
from trackside.wire import JSON, Answer, Request

if TYPE_CHECKING:
    from ldclient.context import Context

    from trackside.launchdarkly.store import EnvironmentData, LaunchDarkly

EXTRA = "install trackside[launchdarkly], which brings LaunchDarkly's server SDK"


@dataclass(frozen=True, slots=True)
class Asking:
    """A client-side SDK that asks for the flags of its context.

    Attributes:
        data: its environment.
        evaluator: of that environment.
        context: its own.
        side: by which key it came.
        with_reasons: whether it asked for reasons.
    """

    data: EnvironmentData
    evaluator: Evaluator
    context: Context
    side: Side
    with_reasons: bool

    def evaluated(self) -> Evaluated:
        """Return its flags as they stand."""
        return self.evaluator.evaluate(self.context, self.side, with_reasons=self.with_reasons)


def environment_id(data: EnvironmentData) -> dict[str, str]:
    """Return the header by which SDKs learn their environment (launchdarkly.sdk.environment-id)."""
    return {"X-LD-EnvID": data.settings.client_side_id} if data.settings.client_side_id else {}


def server_environment(request: Request, live: LaunchDarkly) -> EnvironmentData | Answer:
    """Return the environment of a server-side SDK, or the 401 of a key that is unknown."""
    found = by_sdk_key(request, live.settings)
    return live.environments[found] if isinstance(found, str) else found


def client_environment(request: Request, live: LaunchDarkly, side: Side) -> EnvironmentData | Answer:
    """Return the environment of a client-side SDK, or the vendor's refusal: 404 for an ID, 401 for a mobile key."""
    find = by_client_side_id if side == "usingEnvironmentId" else by_mobile_key
    found = find(request, live.settings)
    return live.environments[found] if isinstance(found, str) else found


def asking(request: Request, live: LaunchDarkly, side: Side) -> Asking | Answer:
    """Return who asks for which context, or the vendor's refusal.

    The context is base64url in the path, padded or not (launchdarkly.client.context-in-path), or the body of a REPORT, which has
    to be ``application/json``: else 415 (launchdarkly.client.content-type). One that cannot be read or is no valid
    context is answered 400 (launchdarkly.client.context); so is a wrong hash in secure mode. Without the extra that
    evaluates, 503 and an error (launchdarkly.extra-missing).
    """
    data = client_environment(request, live, side)
    if isinstance(data, Answer):
        return data
    value = _from_body(request) if request.method == "REPORT" else _from_path(request.params["context"])
    if isinstance(value, Answer):
        return value
    try:
        context, evaluator = context_of(value), live.evaluator(data.name)
    except ValueError as error:
        return _unreadable(str(error), request)
    except ImportError:
        text = "flags cannot be evaluated for client-side SDKs: launchdarkly-server-sdk is not installed"
        return not_ready(Step("fault", "launchdarkly.extra-missing", text, request.path, EXTRA, "error"))
    refused = _refused(request, data, context) if side == "usingEnvironmentId" else None
    return refused or Asking(data, evaluator, context, side, request.query.get("withReasons") == "true")


def secure_mode_hash(sdk_key: str, context: Context) -> str:
    """Return the hash of a context that browsers send as ``h``, in lower-case hexadecimal (launchdarkly.client.secure-mode).

    HMAC-SHA256 with the SDK key over the canonical key: the bare key of a user, else ``kind:key``, joined by colons.
    """
    return hmac.new(sdk_key.encode(), context.fully_qualified_key.encode(), hashlib.sha256).hexdigest()


def _refused(request: Request, data: EnvironmentData, context: Context) -> Answer | None:
    """Return the 400 of a missing or wrong hash where the environment is in secure mode."""
    given = request.query.get("h", "")
    expected = secure_mode_hash(data.settings.sdk_key, context)
    if not data.settings.secure_mode or hmac.compare_digest(given.encode(), expected.encode()):
        return None
    text = f"{data.name} is in secure mode, and h is {'wrong' if given else 'missing'}"
    fix = (
        "send the hash that a server SDK's secure_mode_hash gives for this very context and this environment's SDK key"
    )
    step = Step("fault", "launchdarkly.client.secure-mode", text, "the query parameter h", fix, "error")
    return bad_request("Environment is in secure mode, and user hash does not match.", step)


def _from_path(text: str) -> dict[str, Any] | Answer:
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return _context(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True), "the path")
    except ValueError:
        return _unreadable("it is not base64", "the path")


def _from_body(request: Request) -> dict[str, Any] | Answer:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        text = f"the context's content type is {kind or 'missing'}"
        step = Step("fault", "launchdarkly.client.content-type", text, "Content-Type header", f"send {JSON}", "error")
        return not_json(step)
    if request.undecodable:
        return _unreadable(request.undecodable, "request body")
    return _context(request.body, "request body")


def _context(body: bytes, where: str) -> dict[str, Any] | Answer:
    try:
        value = Request("GET", "", body=body).json()
    except orjson.JSONDecodeError as error:
        return _unreadable(f"it is not JSON: {error}", where)
    return value if isinstance(value, dict) else _unreadable("it is no JSON object", where)


def _unreadable(why: str, where: Request | str) -> Answer:
    place = where if isinstance(where, str) else "request body" if where.method == "REPORT" else "the path"
    fix = 'send a context such as {"kind": "user", "key": "u-1"}'
    step = Step("fault", "launchdarkly.client.context", f"the context cannot be used: {why}", place, fix, "error")
    return bad_request(f"Invalid context: {why}", step)
