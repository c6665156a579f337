"""A local Segment, Statsig, Split (Harness FME), LaunchDarkly and OwnLayer for tests and development.

>>> from trackside import Lab
>>> Lab().workspace.segment.sources["web"].write_key
'wk_web'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trackside.errors import TracksideError, WorkspaceError
    from trackside.expect import ExpectationError
    from trackside.lab import Finding, Kept, Lab
    from trackside.rules import RULES
    from trackside.workspace import Workspace
    from trackside.workspace import load as load_workspace

_HOMES = {
    "ExpectationError": "trackside.expect",
    "Finding": "trackside.lab",
    "Kept": "trackside.lab",
    "Lab": "trackside.lab",
    "RULES": "trackside.rules",
    "TracksideError": "trackside.errors",
    "Workspace": "trackside.workspace",
    "WorkspaceError": "trackside.errors",
    "load_workspace": "trackside.workspace",
}

__all__ = [
    "RULES",
    "ExpectationError",
    "Finding",
    "Kept",
    "Lab",
    "TracksideError",
    "Workspace",
    "WorkspaceError",
    "__version__",
    "load_workspace",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'trackside' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), "load" if name == "load_workspace" else name)
