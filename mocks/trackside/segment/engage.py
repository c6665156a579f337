"""Segment Engage of a running lab: the handle by which users enter and leave an audience."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.exports import Exported
from trackside.journeys import as_request
from trackside.segment.audiences import Members, Who, calls, changed, member_of
from trackside.segment.settings import engage_source

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.segment.settings import Audience

AGENT = "trackside-engage/1.0"


class AudienceHandle:
    """An audience. Each change goes through Segment to the audience's destinations, and to no others.

    Who is in it is forgotten when the lab is reset; only the journal of a lab with a file survives a restart.

    Args:
        lab: that it belongs to.
        key: of the audience.

    Raises:
        TracksideError: the workspace declares no such audience.
    """

    def __init__(self, lab: Lab, key: str) -> None:
        self._lab = lab
        self.key = key
        self._settings()

    def add(self, *who: Who) -> AudienceHandle:
        """Let users enter: a userId each, or a mapping of ``userId`` and ``anonymousId``, of which one is enough.

        Raises:
            TracksideError: one of them names no user, or Segment was told to fail; then nobody enters.
        """
        return self._change(who, entering=True)

    def remove(self, *who: Who) -> AudienceHandle:
        """Let users leave.

        Raises:
            TracksideError: as `add` does.
        """
        return self._change(who, entering=False)

    @property
    def members(self) -> list[str | dict[str, str]]:
        """Those who are in it, in the order of entering: the userId, or ``{"anonymousId": …}`` where there is none."""
        with self._lab.lock:
            return [one.user_id or one.ids() for one in self._members().values()]

    def as_json(self) -> dict[str, Any]:
        """Return the audience as the control API lists it."""
        settings = self._settings()
        return {
            "key": self.key,
            "destinations": list(settings.destinations),
            "sync": settings.sync,
            "members": self.members,
        }

    def _settings(self) -> Audience:
        declared = self._lab.workspace.segment.audiences
        if self.key not in declared:
            known = ", ".join(declared) or "none"
            raise TracksideError(f"there is no audience {self.key!r}", "segment.audiences", f"declared are: {known}")
        return declared[self.key]

    def _members(self) -> Members:
        found: Members = self._lab.settings("segment").members.setdefault(self.key, {})
        return found

    def _change(self, who: Iterable[Who], *, entering: bool) -> AudienceHandle:
        asked = [member_of(one) for one in who]
        with self._lab.lock:
            audience, members = self._settings(), self._members()
            moved = changed(members, asked, entering=entering)
            to_send = Exported(agent=AGENT)
            for call in calls(self.key, audience, moved, entered=entering):
                to_send.add(engage_source(self.key), call)
            self._send(to_send)
            for one in moved:
                if entering:
                    members[one.key] = one
                else:
                    del members[one.key]
        return self

    def _send(self, exported: Exported) -> None:
        for outgoing in exported.requests():
            answer = self._lab.receive("segment", as_request(outgoing, self._lab.clock.now()))
            if answer.status != 200:
                what = f"Segment answered {answer.status} to Engage, and the audience {self.key} is as it was"
                raise TracksideError(what, "segment.audiences", "take Segment's fault away with lab.segment.recover()")
