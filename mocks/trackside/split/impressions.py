"""Impressions, their counts, and the keys that flags without impressions were asked for. Pure functions."""

from __future__ import annotations

from typing import Any

import orjson

from trackside.split.limits import shown
from trackside.split.posts import Post, beaconed, posted, routes, under_bases
from trackside.split.webhook import forward
from trackside.steps import Mapped, Record, Step, drop
from trackside.wire import LEVELS

_FIELDS: tuple[tuple[str, type[Any] | tuple[type[Any], ...]], ...] = (("k", str), ("t", str), ("m", (int, float)))


def impressions(post: Post) -> Mapped:
    """Return the impressions of one post, grouped by flag on the wire, each as a record of its own (split.impressions).

    Returns:
        ``{kind, split, treatment, key, bucketingKey, label, splitVersionNumber, time, previousTime, properties,
        environmentName, impressionsMode, sdk, sdkVersion, machineName, machineIp}``, named as in the vendor's impressions
        webhook; times in epoch milliseconds. One that lacks flag, key, treatment or time is dropped
        (split.impressions.required).
    """
    records = []
    for number, group in enumerate(post.payload):
        at = f"$[{number}]"
        if not isinstance(group, dict) or not isinstance(group.get("f"), str) or not isinstance(group.get("i"), list):
            post.steps.append(_incomplete(_missing_in_group(group), at))
            continue
        for index, one in enumerate(group["i"]):
            missing = _missing(one)
            if missing is not None:
                post.steps.append(_incomplete(missing, f"{at}.i[{index}]"))
            else:
                records.append(_impression(group["f"], one, f"{at}.i[{index}]", post))
    return Mapped(records, post.steps)


def _missing(one: Any) -> str | None:
    """Return the first field that is not there or of another type, None where all are; empty for what is no object."""
    if not isinstance(one, dict):
        return ""
    return next((name for name, kind in _FIELDS if not isinstance(one.get(name), kind)), None)


def _missing_in_group(group: Any) -> str:
    if not isinstance(group, dict):
        return ""
    return "i" if isinstance(group.get("f"), str) else "f"


def _incomplete(name: str, at: str) -> Step:
    text = f"{name} is missing or of another type: the impression is dropped" if name else "this is no impression"
    fix = "send f, the flag, and of each of its impressions k, t and m: key, treatment and time in milliseconds"
    return drop("split.impressions.required", text, at=f"{at}.{name}" if name else at, fix=fix, level="error")


def _impression(flag: str, one: dict[str, Any], at: str, post: Post) -> Record:
    return {
        "kind": "impression",
        "split": flag,
        "treatment": one["t"],
        "key": one["k"],
        "bucketingKey": one.get("b"),
        "label": one.get("r"),
        "splitVersionNumber": one.get("c"),
        "time": one["m"],
        "previousTime": one.get("pt"),
        "properties": _properties(one.get("properties"), at, post),
        "environmentName": post.environment,
        "impressionsMode": post.mode or None,
        **post.sender,
    }


def _properties(written: Any, at: str, post: Post) -> dict[str, Any] | None:
    """Return an impression's properties, which come as JSON text (split.impressions.properties)."""
    if written is None:
        return None
    try:
        found = orjson.loads(written) if isinstance(written, str) else None
        orjson.dumps([[[[found]]]])  # as deep as they stand in a batch for Segment
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        found = None
    if isinstance(found, dict):
        return found
    text = f"the properties {shown(written)} are no object of at most {LEVELS - 4} levels as JSON text: the impression is kept without them"
    fix = 'send text such as "{\\"screen\\":\\"cart\\"}"'
    post.steps.append(Step("cut", "split.impressions.properties", text, f"{at}.properties", fix, "warning"))
    return None


def counts(post: Post) -> Mapped:
    """Return how often each flag was asked for in each hour, beside impressions (split.impressions.counts).

    Returns:
        ``{kind: "impression_count", split, time, count, environmentName, …}``, the time in epoch milliseconds.
    """
    records: list[Record] = []
    for index, one in enumerate(_rows(post, "pf")):
        if not isinstance(one, dict) or not isinstance(one.get("f"), str) or not isinstance(one.get("rc"), int):
            post.steps.append(_no_row("pf", index, "f, m and rc: flag, hour and count"))
            continue
        own = {"kind": "impression_count", "split": one["f"], "time": one.get("m"), "count": one["rc"]}
        records.append({**own, "environmentName": post.environment, **post.sender})
    return Mapped(records, post.steps)


def unique_keys_of_server(post: Post) -> Mapped:
    """Return the keys that each flag was asked for, of a server SDK: ``{"f": flag, "ks": keys}`` (split.impressions.keys)."""
    found: dict[str, list[Any]] = {}
    for index, one in enumerate(_rows(post, "keys")):
        if isinstance(one, dict) and isinstance(one.get("f"), str) and isinstance(one.get("ks"), list):
            found.setdefault(one["f"], []).extend(one["ks"])
        else:
            post.steps.append(_no_row("keys", index, "f and ks: a flag and its keys"))
    return Mapped(_unique(found, post), post.steps)


def unique_keys_of_client(post: Post) -> Mapped:
    """Return the same of a client SDK, which groups by key: ``{"k": key, "fs": flags}`` (split.impressions.keys)."""
    found: dict[str, list[Any]] = {}
    for index, one in enumerate(_rows(post, "keys")):
        if isinstance(one, dict) and isinstance(one.get("k"), str) and isinstance(one.get("fs"), list):
            for flag in one["fs"]:
                found.setdefault(str(flag), []).append(one["k"])
        else:
            post.steps.append(_no_row("keys", index, "k and fs: a key and its flags"))
    return Mapped(_unique(found, post), post.steps)


def _rows(post: Post, name: str) -> list[Any]:
    rows = post.payload.get(name)
    if isinstance(rows, list):
        return rows
    text, fix = f"{name} is no array: nothing is kept", f"send an object with the array {name}"
    post.steps.append(drop("split.impressions.required", text, at=f"$.{name}", fix=fix, level="error"))
    return []


def _no_row(name: str, index: int, wanted: str) -> Step:
    text = f"item {index} of {name} is not as SDKs send it: it is dropped"
    return drop("split.impressions.required", text, at=f"$.{name}[{index}]", fix=f"send {wanted}", level="error")


def _unique(found: dict[str, list[Any]], post: Post) -> list[Record]:
    return [
        {"kind": "unique_keys", "split": flag, "keys": keys, "environmentName": post.environment, **post.sender}
        for flag, keys in found.items()
    ]


ROUTES = [
    *routes(under_bases("/testImpressions/bulk"), posted(200, impressions), "split/impressions", forward),
    *routes(under_bases("/testImpressions/beacon"), beaconed(impressions), "split/impressions-beacon", forward),
    *routes(under_bases("/testImpressions/count"), posted(200, counts, dict), "split/impressions-count"),
    *routes(under_bases("/testImpressions/count/beacon"), beaconed(counts, dict), "split/impressions-count-beacon"),
    *routes(under_bases("/v1/keys/ss"), posted(200, unique_keys_of_server, dict), "split/unique-keys-server"),
    *routes(under_bases("/v1/keys/cs"), posted(200, unique_keys_of_client, dict), "split/unique-keys-client"),
    *routes(under_bases("/v1/keys/cs/beacon"), beaconed(unique_keys_of_client, dict), "split/unique-keys-beacon"),
]
