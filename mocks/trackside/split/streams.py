"""The event stream's messages, frames, channels and tokens. Pure functions; `trackside.streams` writes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import orjson

from trackside.split.changes import Definition
from trackside.streams import sse

ORGANIZATION = "trackside"
TOKEN_SECONDS = 3600
"""How long a token is good; SDKs ask for another one ten minutes before its end (split.sdk.token)."""

KEEP_ALIVE = b":keepalive\n\n"
CONTROL_CHANNELS = ("control_pri", "control_sec")
PUBLISHERS = 2
SMALL_BYTES = 1024
"""A longer definition is compressed in a message."""

ControlType: TypeAlias = Literal["STREAMING_PAUSED", "STREAMING_RESUMED", "STREAMING_DISABLED", "STREAMING_RESET"]
CONTROL_TYPES: tuple[str, ...] = get_args(ControlType)

_KEY = b"trackside"
"""Signs the tokens. No secret, and the same in every run: an SDK that outlives a mock comes back to the next one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be written.

    Attributes:
        channel: that SDKs subscribe to in order to get it.
        frame: its bytes, the same for every stream.
    """

    channel: str
    frame: bytes


def channel(environment: str, kind: Literal["splits", "segments", "memberships"]) -> str:
    """Return the name of an environment's channel, such as ``trackside_1f2e3d4c_splits``."""
    return f"{ORGANIZATION}_{hashlib.blake2b(environment.encode(), digest_size=4).hexdigest()}_{kind}"


def subscribed(channels: str) -> frozenset[str]:
    """Return the names in the query parameter ``channels``, without what stands before them in brackets."""
    return frozenset(name.rpartition("]")[2] for name in channels.split(","))


# ---- frames


def frame(channel: str, data: dict[str, Any], number: int, name: str = "") -> bytes:
    """Return one message as the stream has it: JSON text inside JSON (split.sdk.stream).

    Args:
        channel: its channel.
        data: the message.
        number: a change number: the id, and the moment in milliseconds by which SDKs tell old messages.
        name: ``[meta]occupancy`` for occupancy.
    """
    told = {"id": f"{number}:0:0", "clientId": "pri:trackside", "timestamp": number, "encoding": "json",
            "channel": channel, "data": orjson.dumps(data).decode()}  # fmt: skip
    return sse("message", orjson.dumps({**told, "name": name} if name else told), id=f"{number}:0:0")


def occupancy(channel: str, publishers: int, number: int) -> bytes:
    """Return how many publishers a control channel has; none on both sends SDKs back to polling (split.sdk.occupancy)."""
    at = f"[?occupancy=metrics.publishers]{channel}"
    return frame(at, {"metrics": {"publishers": publishers}}, number, "[meta]occupancy")


# ---- messages


def update(environment: str, kind: Literal["SPLIT_UPDATE", "RB_SEGMENT_UPDATE"], number: int,
           definition: Definition | None = None, before: int = -1) -> Message:  # fmt: skip
    """Return the message of changed definitions.

    Args:
        environment: whose.
        kind: flags, or rule-based segments (split.sdk.rb-segment-update).
        number: the change number.
        definition: where only one changed: SDKs whose own number is ``before`` then need not fetch (split.sdk.split-update).
        before: the change number before it.
    """
    data: dict[str, Any] = {"type": kind, "changeNumber": number}
    if definition is not None:
        data |= {"pcn": before, **_packed(orjson.dumps(definition))}
    return _message(environment, "splits", data, number)


def _packed(definition: bytes) -> dict[str, Any]:
    compress = len(definition) > SMALL_BYTES
    packed = zlib.compress(definition) if compress else definition
    return {"c": 2 if compress else 0, "d": base64.b64encode(packed).decode()}


def kill(environment: str, definition: Definition) -> Message:
    """Return the message of a killed flag: it serves its default treatment at once, then a fetch (split.sdk.kill)."""
    number = definition["changeNumber"]
    data = {"type": "SPLIT_KILL", "changeNumber": number, "splitName": definition["name"],
            "defaultTreatment": definition["defaultTreatment"]}  # fmt: skip
    return _message(environment, "splits", data, number)


def segment_update(environment: str, name: str, number: int) -> Message:
    """Return the message that makes server-side SDKs fetch a segment (split.sdk.segment-update)."""
    data = {"type": "SEGMENT_UPDATE", "changeNumber": number, "segmentName": name}
    return _message(environment, "segments", data, number)


def memberships_update(environment: str, number: int, *, large: bool) -> Message:
    """Return the message that makes client-side SDKs fetch their memberships, each at once (split.sdk.memberships-update)."""
    kind = "MEMBERSHIPS_LS_UPDATE" if large else "MEMBERSHIPS_MS_UPDATE"
    data = {"type": kind, "cn": number, "n": [], "c": 0, "u": 0, "d": "", "i": 1, "h": 0, "s": 0}
    return _message(environment, "memberships", data, number)


def _message(environment: str, kind: Literal["splits", "segments", "memberships"], data: dict[str, Any], number: int) -> Message:  # fmt: skip
    name = channel(environment, kind)
    return Message(name, frame(name, data, number))


def control(control_type: str, number: int) -> Message:
    """Return a control message: pause, resume, end or connect again (split.sdk.control)."""
    data = {"type": "CONTROL", "controlType": control_type}
    return Message(CONTROL_CHANNELS[0], frame(CONTROL_CHANNELS[0], data, number))


# ---- tokens


def token(environment: str, at: float, *, client: bool) -> str:
    """Return the token of an environment's stream, a JWT signed with HS256 (split.sdk.token).

    Args:
        environment: whose channels it opens.
        at: now, epoch seconds.
        client: for a client-side SDK, which hears of memberships; others hear of segments.
    """
    allowed = {channel(environment, "splits"): ["subscribe"]}
    allowed[channel(environment, "memberships" if client else "segments")] = ["subscribe"]
    allowed |= {name: ["subscribe", "channel-metadata:publishers"] for name in CONTROL_CHANNELS}
    head = _encoded({"alg": "HS256", "kid": "trackside", "typ": "JWT"})
    payload = {"x-ably-capability": orjson.dumps(allowed).decode(), "x-ably-clientId": ORGANIZATION,
               "exp": int(at) + TOKEN_SECONDS, "iat": int(at)}  # fmt: skip
    signed = b".".join((head, _encoded(payload)))
    return b".".join((signed, _signature(signed))).decode()


def token_payload(text: str) -> dict[str, Any] | None:
    """Return what a token holds; None where this mock did not sign it."""
    signed, _, signature = text.encode().rpartition(b".")
    if not hmac.compare_digest(_signature(signed), signature):
        return None
    encoded = signed.partition(b".")[2]
    payload: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4)))
    return payload


def _encoded(part: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=")


def _signature(signed: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(_KEY, signed, "sha256")).rstrip(b"=")
