"""What server SDKs download: config specs in two formats, and ID lists.

Server SDKs ask again every few seconds; nothing is pushed to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.statsig.encodings import body_object
from trackside.statsig.errors import refusal
from trackside.steps import Step
from trackside.wire import JSON, Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

TITLES = {"server_secret": "server secret key", "client_key": "client key", "console_key": "Console API key"}
PREFIXES = {"secret-": "server_secret", "client-": "client_key", "console-": "console_key"}
"""How keys of each kind start."""

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)


def refused(request: Request, live: Statsig, wanted: tuple[str, ...]) -> Answer | None:
    """Return the 401 for a request without a key of the kinds that may do this; None where it has one.

    The key travels as ``statsig-api-key`` header, in the path, or as ``k`` in the query (statsig.sdk.key). A key of
    another kind is refused as well: a client key downloads no specs. A project that takes any key takes one that starts
    like a key of another kind for what it looks like.
    """
    key, where = _key(request)
    kind = live.key_kind(key)
    if not kind and live.settings.any_key and key:
        kind = next((kind for prefix, kind in PREFIXES.items() if key.startswith(prefix)), wanted[0])
    if kind in wanted:
        return None
    text = f"the key in the {where} is none of the project's" if key else "the request carries no key"
    if kind:
        text = f"the key in the {where} is the project's {TITLES[kind]}, which cannot do this"
    title = " or ".join(TITLES[one] for one in wanted)
    step = Step("fault", "statsig.sdk.key", text, where, f"start the SDK with the workspace's {title}", "error")
    return refusal(401, f"Invalid API key: use the {title} of the Statsig project", [step])


def _key(request: Request) -> tuple[str, str]:
    if key := request.headers.get("statsig-api-key"):
        return key, "statsig-api-key header"
    if key := request.params.get("secret", ""):
        return key, "path"
    return request.query.get("k", ""), "k query parameter"


def config_specs(version: int) -> Callable[[Request, Any], Answer]:
    """Return the endpoint of ``/v1`` or ``/v2/download_config_specs/{key}.json``.

    An SDK that has the latest specs, as its ``sinceTime`` says, is told so with 200 and ``{"has_updates": false}``:
    204 and 304 are errors to it (statsig.sdk.specs.no-updates). Older SDKs post ``sinceTime`` as JSON and name the key
    in a header only (statsig.sdk.specs.post). The offer of a protobuf form is not taken up: plain JSON is fine.
    """

    def endpoint(request: Request, live: Statsig) -> Answer:
        """Return every spec, or that nothing is new since ``sinceTime``."""
        if (answer := refused(request, live, ("server_secret",))) is not None:
            return answer
        since, steps = _since(request)
        found = live.document(version, since)
        if found is None:
            return json_answer(200, {"has_updates": False}, steps=steps)
        return Answer(200, found, {"Content-Type": JSON, "x-since-time": str(live.time)}, steps=steps)

    return endpoint


def _since(request: Request) -> tuple[int, list[Step]]:
    given: Any = request.query.get("sinceTime", 0)
    steps: list[Step] = []
    if request.method == "POST" and request.body:
        body, fault = body_object(request, "statsig.sdk.body")
        steps = [fault] if fault else []
        given = body.get("sinceTime", given)
    try:
        return int(given or 0), steps
    except (TypeError, ValueError):
        text = f"sinceTime is {given!r}, no number: every spec is sent"
        steps.append(Step("fault", "statsig.sdk.body", text, "$.sinceTime", "send epoch milliseconds", "warning"))
        return 0, steps


def id_lists(request: Request, live: Statsig) -> Answer:
    """Return the manifest of the project's ID lists: name, size, address, time and ID of each list's file.

    SDKs post for it, the core's without any body, or get it from a path with their key (statsig.sdk.id-lists.manifest).
    """
    if (answer := refused(request, live, ("server_secret",))) is not None:
        return answer
    base = f"http://{request.headers.get('host', '127.0.0.1')}"
    return json_answer(200, {name: one.manifest(base) for name, one in live.id_lists().items()})


def id_list_file(request: Request, live: Statsig) -> Answer:
    """Return the file of an ID list, or the part from the byte that ``Range`` names (statsig.sdk.id-lists.range).

    Whoever has the address may read it: ``statsig-node`` sends no key. 206 for a part, 416 for one that is not there
    yet, 404 for a file that is gone.
    """
    file = live.file(request.params["file_id"])
    if file is None:
        step = Step(
            "fault",
            "statsig.sdk.id-lists.range",
            f"there is no ID list file {request.params['file_id']!r}",
            request.path,
            "ask get_id_lists for the address that it has now",
            "note",
        )
        return json_answer(404, {"status": 404, "message": "Not Found"}, steps=[step])
    headers = {"Content-Type": "text/plain", "Accept-Ranges": "bytes"}
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or (asked[2] and int(asked[2]) < int(asked[1])):
        return Answer(200, file, headers)
    start, end = int(asked[1]), min(int(asked[2] or len(file)), len(file) - 1)
    if start >= len(file):
        return Answer(416, b"", {**headers, "Content-Range": f"bytes */{len(file)}"})
    return Answer(206, file[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(file)}"})


ROUTES: list[Route[Any]] = [
    *(
        Route(methods, f"/v{version}/download_config_specs{key}", config_specs(version), live=True)
        for version in (1, 2)
        for methods, key in ((("GET", "POST"), "/<secret>.json"), (("GET", "POST"), ""))
    ),
    Route(("POST",), "/v1/get_id_lists", id_lists, live=True),
    Route(("GET", "POST"), "/v1/get_id_lists/<secret>.json", id_lists, live=True),
    Route(("GET",), "/v1/download_id_list_file/<file_id>", id_list_file, live=True),
]
