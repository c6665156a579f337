"""What a workspace says about OwnLayer. The field names are the keys of the workspace file.

A field that names a rule in brackets is a switch for what the vendor's page leaves open; its default is the reading
that the rule's row explains.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Result: TypeAlias = Literal["pass", "fail"]
"""How an evaluation can end."""

NAMES: dict[str, str] = {"pass": "Evaluation Pass", "fail": "Evaluation Fail"}
"""OwnLayer's own events by result; its page shows the first one (ownlayer.event-optional)."""

ANY_KEY = "any-key"
"""What the options of SDKs hold where no key is declared and any will do."""


@dataclass(frozen=True, slots=True)
class SegmentIntegration:
    """The Segment integration in the organization's settings.

    Attributes:
        write_key: of the Segment source that events go to; empty where the integration is not set up
            (ownlayer.write-key).
        events: the chosen events, by OwnLayer's own names; None for all of them (ownlayer.event-choice).
        names: OwnLayer's own event names by result, ``pass`` and ``fail`` (ownlayer.event-optional).
        library: the ``context.library.name`` of what is sent (ownlayer.metadata).
        added_properties: the property under which OwnLayer's own facts of the evaluation are added; empty to add none
            (ownlayer.properties.added).
    """

    write_key: str = ""
    events: tuple[str, ...] | None = None
    names: dict[str, str] = field(default_factory=lambda: dict(NAMES))
    library: str = "ownlayer"
    added_properties: str = ""

    def name(self, result: str) -> str:
        """Return OwnLayer's own event of a result, ``pass`` or ``fail``.

        >>> SegmentIntegration(names={"pass": "LLM Fine"}).name("fail")
        'Evaluation Fail'
        """
        return self.names.get(result, NAMES[result])


@dataclass(frozen=True, slots=True)
class OwnLayerSettings:
    """The workspace's ``ownlayer`` block: one organization.

    Attributes:
        api_key: the key that applications send; without one, none is right (ownlayer.auth).
        evaluate: how each inference is evaluated as it arrives; ``none`` where tests and the control API say when
            (ownlayer.evaluation).
        segment: the Segment integration.
        any_key: whether any key is right, as in the demo workspace.
    """

    api_key: str = ""
    evaluate: Literal["none", "pass", "fail"] = "none"
    segment: SegmentIntegration = SegmentIntegration()
    any_key: bool = False

    @property
    def keys(self) -> dict[str, Any]:
        """The key that an SDK needs: ``api_key``; empty where none is right."""
        return {"api_key": self.api_key or (ANY_KEY if self.any_key else "")}

    def takes(self, key: str | None) -> bool:
        """Return whether a key is right (ownlayer.auth)."""
        return bool(key) and (self.any_key or key == self.api_key)
