"""Connecting Segment by OAuth, as Statsig's console does it: to Segment, back with a code, and no key is pasted.

What comes of it is documented; the addresses of the two pages here are assumed (statsig.in.oauth.paths).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from trackside.errors import TracksideError
from trackside.pages import found, page, paragraph, refused
from trackside.steps import Step
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

START = "/v1/integrations/segment/oauth"
CALLBACK = "/v1/integrations/segment/oauth/callback"
CLIENT_ID = "statsig"
SECONDS = 600.0
"""How long a user may take for Segment's page."""

TITLE = "Statsig: Segment is not connected"
RULE, STATE_RULE = "statsig.in.oauth", "statsig.in.oauth.state"


def _not_wired(*_: Any) -> Any:
    raise TracksideError("no lab connects Statsig and Segment", "trackside", "open the page of a running lab")


@dataclass(slots=True)
class OAuth:
    """What Statsig knows of connections that are being made, and the lab's ways to Segment.

    Attributes:
        authorize_url: gives the address of Segment's page; takes the host by which the browser reached Statsig.
        callback_url: gives the address of `callback`; takes the same.
        redeem: gives the source that the user chose for a code; takes the code and the time.
        connect: lets a source of Segment send to this project, and gives what was done.
    """

    authorize_url: Callable[[str], str] = _not_wired
    callback_url: Callable[[str], str] = _not_wired
    redeem: Callable[[str, float], str] = _not_wired
    connect: Callable[[str], dict[str, Any]] = _not_wired
    _states: dict[str, float] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget every connection that is being made."""
        self._states.clear()

    def begin(self, now: float) -> str:
        """Return a new state; older ones whose time is over are forgotten."""
        self._states = {state: until for state, until in self._states.items() if until >= now}
        state = secrets.token_urlsafe(16)
        self._states[state] = now + SECONDS
        return state

    def end(self, state: str, now: float) -> None:
        """Take a state back; each is good for one answer (statsig.in.oauth.state).

        Raises:
            TracksideError: Statsig did not make it, it was used, or its time is over.
        """
        until = self._states.pop(state, None)
        if until is None:
            why = "Statsig did not make it, or it was used already"
        elif until < now:
            why = f"it was made over {SECONDS:g} seconds ago"
        else:
            return
        raise TracksideError(f"the state is not valid: {why}", "?state=", f"begin again at {START}")


def start(request: Request, live: Statsig) -> Answer:
    """Lead the browser to Segment, where the user chooses a source (statsig.in.oauth)."""
    oauth, host = live.oauth, request.headers.get("host", "")
    try:
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": oauth.callback_url(host),
            "state": oauth.begin(request.at),
        }
        return found(f"{oauth.authorize_url(host)}?{urlencode(asked)}", [])
    except TracksideError as fault:
        return refused(TITLE, RULE, fault)


def callback(request: Request, live: Statsig) -> Answer:
    """Take Segment's answer: with the user's leave, the chosen source sends to this project from now on (statsig.in.oauth)."""
    given, oauth = request.query, live.oauth
    try:
        oauth.end(given.get("state", ""), request.at)
    except TracksideError as fault:
        return refused(TITLE, STATE_RULE, fault)
    if given.get("error"):
        why = "the user denied it in Segment" if given["error"] == "access_denied" else f"Segment says {given['error']}"
        return refused(TITLE, RULE, TracksideError(why, "?error=", f"begin again at {START}, and allow it"), "warning")
    try:
        done = oauth.connect(oauth.redeem(given.get("code", ""), request.at))
    except TracksideError as fault:
        return refused(TITLE, RULE, fault)
    return page(200, "Statsig: Segment is connected", paragraph(f"Now {told(done)}."), [connected_step(done)])


def connected_step(done: dict[str, Any]) -> Step:
    """Return the step that says what a connection changed."""
    return Step("info", RULE, told(done), f"segment.destinations.{done['destination']}")


def told(done: dict[str, Any]) -> str:
    """Return in words what a connection changed.

    >>> told({"source": "web", "destination": "statsig", "created": True})
    'the destination statsig is made, enabled with the server secret, and fed by the source web'
    """
    made = "is made, enabled" if done["created"] else "is enabled"
    return (
        f"the destination {done['destination']} {made} with the server secret, and fed by the source {done['source']}"
    )


ROUTES: list[Route[Any]] = [
    Route(("GET",), START, start, live=True),
    Route(("GET",), CALLBACK, callback, live=True),
]
