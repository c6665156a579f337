"""Segment's page on which a user lets another program administer a destination: workspace, source, Allow or Deny.

What comes of it is documented, the pages' addresses are not: ``/oauth/authorize`` is assumed (statsig.in.oauth.paths).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from trackside.errors import TracksideError
from trackside.pages import found, page, paragraph, refused
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.segment.routes import Segment

AUTHORIZE = "/oauth/authorize"
SECONDS = 600.0
"""How long a code may be redeemed."""

FIELDS = ("client_id", "redirect_uri", "state")
TITLE = "Segment: nothing was allowed"
RULE = "statsig.in.oauth"


@dataclass(frozen=True, slots=True)
class _Grant:
    client_id: str
    source: str
    until: float


@dataclass(slots=True)
class Grants:
    """What users allowed, by the code that stands for it until it is redeemed.

    Attributes:
        address_of: gives the one address to which a program's users are sent back, and empty for a program that is not
            known; takes the program's ``client_id`` and the host by which the browser reached Segment. Set by the lab.
    """

    address_of: Callable[[str, str], str] = lambda _client_id, _host: ""
    _open: dict[str, _Grant] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget every code."""
        self._open.clear()

    def issue(self, client_id: str, source: str, now: float) -> str:
        """Return a new code for a source that a user chose; older ones whose time is over are forgotten."""
        self._open = {code: grant for code, grant in self._open.items() if grant.until >= now}
        code = secrets.token_urlsafe(16)
        self._open[code] = _Grant(client_id, source, now + SECONDS)
        return code

    def redeem(self, client_id: str, code: str, now: float) -> str:
        """Return the source that a code stands for; it stands for nothing from then on.

        Raises:
            TracksideError: the code was never issued, was redeemed, is another program's, or its time is over.
        """
        grant = self._open.pop(code, None)
        if grant is None or grant.client_id != client_id or grant.until < now:
            why = (
                "its time is over"
                if grant is not None and grant.until < now
                else "Segment did not issue it, or it was used"
            )
            raise TracksideError(
                f"the code is not valid: {why}", "?code=", "begin again where the connection is set up"
            )
        return grant.source


def authorize(request: Request, segment: Segment) -> Answer:
    """Return the page that asks which source may send to the program, or why there is none (statsig.in.oauth)."""
    try:
        asked = _asked(dict(request.query), request, segment)
    except TracksideError as fault:
        return refused(TITLE, RULE, fault)
    return page(200, "Segment: connect Statsig", _form(asked, segment), [])


def _form(asked: dict[str, str], segment: Segment) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in FIELDS)
    names = list(segment.settings.sources)
    rows = "".join(
        f'<label><input type="radio" name="source" value="{escape(name)}"{" checked" if name == names[0] else ""}> '
        f"{escape(name)}</label>"
        for name in names
    )
    allow = '<button name="decision" value="allow">Allow</button>' if names else ""
    return (
        paragraph(f"{asked['client_id']} asks to administer its destination in this workspace (trackside).")
        + paragraph("Choose the source that will send data:" if names else "The workspace declares no source.")
        + f'<form method="post" action="{AUTHORIZE}">{hidden}{rows}{allow}'
        + '<button name="decision" value="deny">Deny</button></form>'
    )


def decide(request: Request, segment: Segment) -> Answer:
    """Lead the browser back to the program, with a code where the user allowed it (statsig.in.oauth)."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        asked = _asked(form, request, segment)
        answer = {**_decision(form, asked["client_id"], request.at, segment), "state": asked["state"]}
    except TracksideError as fault:
        return refused(TITLE, RULE, fault)
    return found(f"{asked['redirect_uri']}?{urlencode(answer)}", [])


def _decision(form: dict[str, str], client_id: str, now: float, segment: Segment) -> dict[str, str]:
    decision, source = form.get("decision"), form.get("source", "")
    if decision == "deny":
        return {"error": "access_denied"}
    if decision != "allow":
        raise TracksideError(f"decision is {decision!r}", "decision", "send allow or deny")
    if source not in segment.settings.sources:
        known = ", ".join(segment.settings.sources) or "none"
        raise TracksideError(f"there is no source {source!r}", "source", f"declared are: {known}")
    return {"code": segment.grants.issue(client_id, source, now)}


def _asked(given: dict[str, str], request: Request, segment: Segment) -> dict[str, str]:
    """Return who asks, checked: only a known program, and only back to its own page, so that nobody is led elsewhere.

    Raises:
        TracksideError: one of them is missing or wrong.
    """
    asked = {name: given.get(name, "") for name in FIELDS}
    address = segment.grants.address_of(asked["client_id"], request.headers.get("host", ""))
    if not address:
        raise TracksideError(
            f"no program has the client_id {asked['client_id']!r}", "client_id", "begin at Statsig's page"
        )
    if asked["redirect_uri"] != address:
        what = f"redirect_uri is {asked['redirect_uri']!r}, which is not this program's page"
        raise TracksideError(what, "redirect_uri", f"send {address}")
    if not asked["state"]:
        raise TracksideError("state is missing", "state", "begin at Statsig's page, which makes one")
    return asked


ROUTES: list[Route[Segment]] = [
    Route(("GET",), AUTHORIZE, authorize),
    Route(("POST",), AUTHORIZE, decide),
]
