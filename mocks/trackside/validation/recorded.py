"""The payloads of a recorded request and of its answer, and the contracts that its path gives them."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.lab import VENDORS
from trackside.recording import Line, faults_of, request_of
from trackside.validation.bodies import bodies_of, refusal_of
from trackside.validation.detection import Known, detect
from trackside.wire import Request, Route, Router

REQUEST, ANSWER = "request.body", "answer.body"
_REFUSED = 400
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Body:
    """One body.

    Attributes:
        side: `REQUEST` or `ANSWER`; empty for a line that cannot be read.
        payload: as parsed; or why it cannot be read.
        known: its contract.
    """

    side: str
    payload: Any
    known: Known


def payloads(line: Line) -> Iterator[Body]:
    """Yield the bodies of a recorded request and of its answer, where their path has contracts for them."""
    if faults := faults_of(line, ""):
        yield Body("", faults[0], Known("", ""))
        return
    try:
        request = request_of(line, None)
    except ValueError as error:
        yield _unreadable(REQUEST, f"the body is not base64: {error}", "record it again")
    else:
        yield from _of_request(line["vendor"], request)
    if "stream" not in line:
        yield from _of_answer(line)


def _of_request(vendor: str, request: Request) -> Iterator[Body]:
    if not request.body:
        return
    found = _router(vendor).find(request.method, request.path)
    route = found[0] if found else None
    contract = (route.contract if route else "") or bodies_of(vendor, request.method, request.path).request
    payload = _plain(route, request)
    if not contract:  # no path says it: the form may
        known = None if isinstance(payload, TracksideError) else detect(payload)
    else:
        known = _known(contract, vendor, request.method, route)
    if known is not None:
        yield Body(REQUEST, payload, known)


def _plain(route: Route[Any] | None, request: Request) -> Any:
    """Return what a body holds, or why it cannot be read."""
    if request.headers.get("content-type", "").startswith(_FORM) and request.body[:1] not in (b"{", b"["):
        return dict(parse_qsl(request.body.decode("utf-8", "replace")))
    body, fault = route.plain(request) if route and route.plain else (request.body, request.undecodable)
    if fault:
        return TracksideError(fault, "", "send it as its headers say")
    try:
        return replace(request, body=body).json()
    except orjson.JSONDecodeError as error:
        return TracksideError(f"the body is not JSON: {error.msg}", "", "send JSON")


def _of_answer(line: Line) -> Iterator[Body]:
    said, request = line["answer"], line["request"]
    text, status = said.get("body", ""), said["status"]
    refused = status >= _REFUSED
    if not text or 300 <= status < _REFUSED:
        return
    vendor, method, path = line["vendor"], request["method"], request["path"]
    contracts = (refusal_of(vendor, path) if refused else bodies_of(vendor, method, path).answer).split()
    if not contracts:
        return
    try:
        payload = orjson.loads(base64.b64decode(text, validate=True) if said.get("encoding") == "base64" else text)
    except ValueError as error:
        if not refused:  # else it may be the page of whatever stands before the vendor
            yield _unreadable(ANSWER, f"the body of the answer is not JSON: {error}", "record it again")
        return
    found = _router(vendor).find(method, path)
    contract = next((one for one in contracts if catalog.contract(one).is_valid(payload)), "")
    if not contract:
        told = detect(payload)
        contract = told.contract if told is not None and told.contract in contracts else contracts[0]
    how = _known(contract, vendor, method, found[0] if found else None).how
    yield Body(ANSWER, payload, Known(contract, f"{status} to {how}"))


def _known(contract: str, vendor: str, method: str, route: Route[Any] | None) -> Known:
    """Return a contract that a path gives; the path is told as the route has it, so that there are few of them."""
    return Known(contract, f"{method} {route.path if route else 'of another path'} of {vendor}")


def _unreadable(side: str, what: str, fix: str) -> Body:
    return Body(side, TracksideError(what, "", fix), Known("", ""))


@cache
def _router(vendor: str) -> Router[Any]:
    return Router(VENDORS[vendor].routes)
