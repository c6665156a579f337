"""Statsig connected to Segment by OAuth: what that changes in a workspace, and the ways between the two vendors.

The vendors do not know each other: Statsig's pages (`trackside.statsig.oauth`) and Segment's (`trackside.segment.oauth`)
get what they need of each other from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from trackside.errors import TracksideError
from trackside.segment.oauth import AUTHORIZE
from trackside.segment.routing import vendor_at
from trackside.statsig.oauth import CALLBACK, CLIENT_ID
from trackside.wire import LOOPBACK

if TYPE_CHECKING:
    from trackside.lab import Lab


def wire(lab: Lab) -> None:
    """Let a lab's Statsig and Segment find each other's pages, and Statsig change the workspace."""
    oauth, grants = lab.statsig.live.oauth, lab.settings("segment").grants
    oauth.authorize_url = lambda host: _base(lab, "segment", host) + AUTHORIZE
    oauth.callback_url = lambda host: _base(lab, "statsig", host) + CALLBACK
    oauth.redeem = lambda code, now: grants.redeem(CLIENT_ID, code, now)
    oauth.connect = lambda source: connect(lab, source)
    grants.address_of = lambda client_id, host: oauth.callback_url(host) if client_id == CLIENT_ID else ""


def _base(lab: Lab, vendor: str, host: str) -> str:
    """Return a vendor's address, under the name by which the browser reached the lab where that is this machine's.

    Raises:
        TracksideError: the lab is not listening.
    """
    url = urlsplit(lab.urls[vendor])
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:  # such as an address in brackets that do not close
        name = None
    if not name or (lab.host in LOOPBACK and name not in LOOPBACK):
        return lab.urls[vendor]
    return f"http://{f'[{name}]' if ':' in name else name}:{url.port}"


def connect(lab: Lab, source: str = "") -> dict[str, Any]:
    """Let a source of Segment send to Statsig, as the OAuth connection does, and return what was done.

    The Statsig destination is made where there is none, enabled, given the project's server secret, and fed by the
    source; the integration is enabled in Statsig (statsig.in.oauth). Done twice, it changes nothing more
    (statsig.in.oauth.again).

    Args:
        lab: whose workspace it is.
        source: by name; may be left out where the workspace declares just one.

    Returns:
        ``source``, ``destination`` (its name), and ``created``: whether the destination is new.

    Raises:
        TracksideError: there is no such source, or the Statsig project has no server secret.
    """
    with lab.lock:
        document, done = connected(lab.workspace.document, source)
        if document != lab.workspace.document:
            lab.put_blocks({name: document[name] for name in ("segment", "statsig")})
    return done


def connected(document: Mapping[str, Any], source: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a workspace's document in which a source sends to Statsig, and what was done.

    >>> before = {"segment": {"sources": {"web": {"write_key": "wk"}}}, "statsig": {"server_secret": "secret-local"}}
    >>> after, done = connected(before, "web")
    >>> after["segment"]["sources"]["web"]["destinations"], after["segment"]["destinations"]
    (['statsig'], {'statsig': {'type': 'statsig', 'enabled': True, 'api_key': 'secret-local'}})

    Raises:
        TracksideError: there is no such source, or the Statsig project has no server secret.
    """
    after: dict[str, Any] = orjson.loads(orjson.dumps(document))
    segment, statsig = after.setdefault("segment", {}), after.setdefault("statsig", {})
    source = _source(segment.get("sources", {}), source)
    secret = statsig.get("server_secret", "")
    if not secret:
        fix = "declare statsig.server_secret"
        raise TracksideError("the Statsig project has no server secret", "statsig.server_secret", fix)
    destinations, feeds = (
        segment.setdefault("destinations", {}),
        segment["sources"][source].setdefault("destinations", []),
    )
    name = _existing(destinations, feeds, secret)
    created = not name
    name = name or _free(destinations)
    destinations.setdefault(name, {"type": "statsig"}).update(enabled=True, api_key=secret)
    if name not in feeds:
        feeds.append(name)
    statsig.setdefault("segment_inbound", {})["enabled"] = True
    return after, {"source": source, "destination": name, "created": created}


def _source(sources: Mapping[str, Any], name: str) -> str:
    if not name and len(sources) == 1:
        return next(iter(sources))
    if name not in sources:
        what = f"there is no source {name!r}" if name else "no source is named"
        raise TracksideError(what, "segment.sources", f"declared are: {', '.join(sources) or 'none'}")
    return name


def _existing(destinations: Mapping[str, Any], feeds: list[str], secret: str) -> str:
    """Return the Statsig destination that is connected again: the source's own, one with the key, else the first."""
    own = [name for name, row in destinations.items() if row["type"] == "statsig" and _inside(row)]
    ranked = sorted(own, key=lambda name: (name not in feeds, destinations[name].get("api_key") != secret))
    return next(iter(ranked), "")


def _inside(row: Mapping[str, Any]) -> bool:
    return not row.get("url") or vendor_at(row["url"]) == "statsig"


def _free(destinations: Mapping[str, Any]) -> str:
    names = ("statsig", *(f"statsig-{number}" for number in range(2, len(destinations) + 3)))
    return next(name for name in names if name not in destinations)
