"""OwnLayer's live state: the settings in force, and the ids that it gives. It has no flags."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from trackside.errors import TracksideError
from trackside.live import Declared, Lock
from trackside.ownlayer.settings import OwnLayerSettings


class OwnLayer:
    """What OwnLayer knows of a running lab; implements `trackside.live.Live`.

    The inferences and evaluations themselves are in the lab's journal.

    Args:
        lock: the lab's.

    Attributes:
        settings: the workspace's block in force.
    """

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.settings = OwnLayerSettings()

    def new_id(self) -> str:
        """Return an id that no other inference or evaluation has, also of those in a lab's file."""
        return str(uuid.uuid4())

    # ---- Live

    def configure(self, settings: OwnLayerSettings, declared: Declared) -> None:  # noqa: ARG002 - there are no flags
        """Put a workspace in force."""
        self.settings = settings

    def reset(self) -> None:
        """Do nothing: all that can be forgotten is in the journal."""

    def close(self) -> None:
        """Do nothing: no stream is ever open."""

    def rows(self) -> list[dict[str, Any]]:
        """Return no flags."""
        return []

    def change(self, name: str, change: Mapping[str, Any]) -> NoReturn:  # noqa: ARG002 - there are no flags
        """Say that there are no flags.

        Raises:
            TracksideError: always.
        """
        raise TracksideError(
            f"OwnLayer has no flags, and none called {name!r}", "ownlayer", "use launchdarkly, split or statsig"
        )
