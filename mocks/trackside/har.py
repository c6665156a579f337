"""HAR 1.2: the lines of a recording as entries of an HTTP archive, and the entries of any archive as lines. Pure.

Source: the HAR 1.2 specification, w3c.github.io/web-performance/specs/HAR/Overview.html. Fields of our own begin with an
underscore, as it asks for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import orjson

from trackside.recording import VERSION, Line, is_stream

HTTP = "HTTP/1.1"
NOT_MEASURED = "not measured"
HOSTS = {
    "segment": re.compile(r"(?:api|cdn|oauth2)\.segment\.(?:io|com)|.+\.segmentapis\.com"),
    "statsig": re.compile(
        r"(?:api|events)\.statsig\.com"
        r"|(?:.+\.)?(?:statsigapi\.net|statsigcdn\.com|featuregates\.org|featureassets\.org)"
        r"|(?:.+\.)?(?:assetsconfigcdn\.org|prodregistryv2\.org)"
    ),
    "split": re.compile(r"(?:sdk|events|auth|streaming|telemetry|api)\.split\.io"),
    "launchdarkly": re.compile(
        r"(?:app|events|mobile|sdk|clientsdk|stream|clientstream)(?:\.eu)?\.launchdarkly\.(?:com|us)"
    ),
    "ownlayer": re.compile(r"(?:app|develop)\.ownlayer\.com"),
}
"""The public hosts of each vendor, at which its SDKs ask."""

_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9a-f:]+\](?::\d+)?", re.ASCII)
_SAFE = "/!$&'()*+,;=:@-._~"


def entry_of(line: Line, bases: Mapping[str, str]) -> dict[str, Any]:
    """Return a line as an entry of ``log.entries``; of times only the start is known.

    Args:
        line: as `trackside.recording.line_of` gives it.
        bases: the address of each vendor, for a request that names no host.
    """
    request, answer = line["request"], line["answer"]
    posted = {"postData": _post_data(request)} if "body" in request else {}
    own = {name: line[name] for name in ("stream",) if name in line}
    own |= {name: request[name] for name in ("undecodable",) if name in request}
    return {
        "startedDateTime": line["at"],
        "time": 0,
        "request": {
            "method": request["method"],
            "url": _url(line, bases),
            "httpVersion": HTTP,
            "cookies": [],
            "headers": _pairs(request["headers"]),
            "queryString": _pairs(request["query"]),
            **posted,
            "headersSize": -1,
            "bodySize": _size(request),
        },
        "response": {
            "status": answer["status"],
            "statusText": _phrase(answer["status"]),
            "httpVersion": HTTP,
            "cookies": [],
            "headers": [],
            "content": _content(answer, _answer_type(line)),
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": _size(answer),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0, "comment": NOT_MEASURED},
        "_vendor": line["vendor"],
        **{f"_{name}": value for name, value in own.items()},
    }


def _url(line: Line, bases: Mapping[str, str]) -> str:
    request = line["request"]
    host = request["headers"].get("host", "")
    base = f"http://{host}" if _HOST.fullmatch(host) else bases[line["vendor"]]
    query = urlencode(request["query"], quote_via=quote)
    return f"{base}{quote(request['path'], safe=_SAFE)}{'?' if query else ''}{query}"


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _post_data(request: Mapping[str, Any]) -> dict[str, Any]:
    data = {"mimeType": request["headers"].get("content-type", ""), "text": request.get("body", "")}
    if "encoding" in request:
        data |= {"encoding": "base64", "comment": "text is base64, as the body is not UTF-8"}
    return data


def _content(answer: Mapping[str, Any], mime_type: str) -> dict[str, Any]:
    encoding = {"encoding": "base64"} if "encoding" in answer else {}
    return {"size": _size(answer), "mimeType": mime_type, "text": answer.get("body", ""), **encoding}


def _size(said: Mapping[str, Any]) -> int:
    """Return the bytes of a body as it stands in the line, keys redacted."""
    body = said.get("body", "").encode()
    return len(base64.b64decode(body)) if "encoding" in said else len(body)


def _answer_type(line: Line) -> str:
    """Return an answer's type, told from its body, as the journal keeps no headers of answers."""
    if "stream" in line:
        return "text/event-stream"
    answer = line["answer"]
    text = answer.get("body", "")
    if "encoding" in answer:
        return "application/octet-stream"
    return "application/json" if text[:1] in ("{", "[") else "text/plain"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


# ---- and back


def line_of_entry(entry: Any, places: Mapping[str, str]) -> tuple[Line | None, bool]:
    """Return the line of an entry, and whether a lab's keys were redacted in it.

    Args:
        entry: of ``log.entries``.
        places: a vendor by the ``host:port`` of its address in a lab.

    Returns:
        None for an entry that is of no vendor, a CORS preflight, or a script.

    Raises:
        TypeError, KeyError, ValueError, AttributeError: it is no entry of a HAR.
    """
    request = entry["request"]
    url = urlsplit(request["url"])
    vendor = entry.get("_vendor") or vendor_of(url.netloc, places)
    path = unquote(url.path) or "/"
    if not vendor or request["method"] == "OPTIONS" or (path.endswith(".js") and "_vendor" not in entry):
        return None, False
    query: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        query.setdefault(name, value)
    line: Line = {
        "recording": VERSION,
        "vendor": vendor,
        "at": entry["startedDateTime"],
        "request": {
            "method": request["method"],
            "path": path,
            "query": query,
            "headers": {one["name"].lower(): one["value"] for one in request["headers"]},
            **_body_of(request.get("postData")),
            **({"undecodable": entry["_undecodable"]} if "_undecodable" in entry else {}),
        },
        "answer": {"status": entry["response"]["status"], **_text_of(entry["response"].get("content"))},
    }
    if entry.get("_stream") or is_stream(vendor, path):
        line["stream"] = True
    return line, "_vendor" in entry


def vendor_of(netloc: str, places: Mapping[str, str]) -> str:
    """Return the vendor that answers at a host; empty for any other.

    >>> vendor_of("api.segment.io", {}), vendor_of("127.0.0.1:8803", {"127.0.0.1:8803": "split"}), vendor_of("a.com", {})
    ('segment', 'split', '')
    """
    host = netloc.rpartition("@")[2].lower()
    name = host.partition(":")[0]
    return places.get(host) or next((vendor for vendor, hosts in HOSTS.items() if hosts.fullmatch(name)), "")


def _body_of(data: Any) -> dict[str, str]:
    if not data:
        return {}
    if "text" not in data and data.get("params"):
        pairs = [(one["name"], one.get("value", "")) for one in data["params"]]
        return {"body": urlencode(pairs)}
    return _text_of(data)


def _text_of(content: Any) -> dict[str, str]:
    text = (content or {}).get("text") or ""
    if not text:
        return {}
    return {"body": text, **({"encoding": "base64"} if content.get("encoding") == "base64" else {})}


def head(version: str) -> bytes:
    """Return how an archive begins, up to its first entry; ``]}}`` ends it."""
    log = {"version": "1.2", "creator": {"name": "trackside", "version": version}, "entries": []}
    return orjson.dumps({"log": log}).removesuffix(b"]}}")
