"""The control API's paths that concern Engage audiences, and Statsig's connection to Segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.admin.asking import body, given, known_fields
from trackside.errors import TracksideError
from trackside.segment.audiences import member_of

if TYPE_CHECKING:
    from trackside.lab import Lab


def _audiences(lab: Lab) -> Any:
    """Every Engage audience: its destinations, and who is in it."""
    return [lab.segment.audience(key).as_json() for key in lab.workspace.segment.audiences]


def _change_audience(lab: Lab, key: str) -> Any:
    """Let users enter or leave an audience: ``{add, remove}``, lists of userIds or of ``{"anonymousId": …}``."""
    audience, fields = lab.segment.audience(key), body()
    known_fields(fields, "add", "remove")
    if not fields:
        raise TracksideError("the body says neither add nor remove", "$", 'send {"add": ["u-1"]}')
    leaving, entering = (given(fields, name, [], list, "a list of users") for name in ("remove", "add"))
    for who in (*leaving, *entering):
        member_of(who)  # before anybody leaves
    return audience.remove(*leaving).add(*entering).as_json()


def _connect_segment(lab: Lab) -> Any:
    """Connect Segment to Statsig as by OAuth: ``{source}``, which may be left out where there is just one."""
    fields = body()
    known_fields(fields, "source")
    return lab.statsig.connect_segment(given(fields, "source", "", str, "the name of a source"))


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    "/audiences": ("GET", _audiences),
    "/audiences/<path:key>": ("POST", _change_audience),
    "/statsig/connect-segment": ("POST", _connect_segment),
}
