"""What a LaunchDarkly project is set to, as the workspace's ``launchdarkly:`` block names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment and its credentials.

    Attributes:
        client_side_id: of browsers, Node's client-side SDK and Segment; it stands in paths.
        sdk_key: of server-side SDKs.
        mobile_key: of mobile SDKs.
        secure_mode: whether a browser has to send the hash of its context (launchdarkly.client.secure-mode).
        flags_file: a flag file for this environment alone, in place of the project's.
    """

    client_side_id: str
    sdk_key: str = ""
    mobile_key: str = ""
    secure_mode: bool = False
    flags_file: str = ""


@dataclass(frozen=True, slots=True)
class LaunchDarklySettings:
    """One LaunchDarkly project.

    Attributes:
        environments: by their names; each event belongs to one.
        flags_file: flags and segments in the file-data format, relative to the workspace file.
        flags: flags declared in the workspace, by key.
        segments: segments declared in the workspace, by key.
        project: its key, as it stands in paths of the REST API.
        access_token: of the REST API and of imported events; any is taken where none is set.
        any_key: whether an unknown key or client-side ID stands for the first environment, as in the demo workspace.
    """

    environments: dict[str, Environment] = field(default_factory=dict)
    flags_file: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, Any] = field(default_factory=dict)
    project: str = "default"
    access_token: str = ""
    any_key: bool = False

    def environment_with(self, name: str, value: str) -> str | None:
        """Return the environment whose ``sdk_key``, ``mobile_key`` or ``client_side_id`` this is; None for none.

        Where any key is taken, one that nobody has stands for the first environment; no key at all never does.
        """
        found = (key for key, environment in self.environments.items() if value and getattr(environment, name) == value)
        return next(found, None) or (next(iter(self.environments), "production") if self.any_key and value else None)

    def environment_of(self, client_side_id: str) -> str | None:
        """Return the environment with this client-side ID; see `environment_with`."""
        return self.environment_with("client_side_id", client_side_id)

    def takes_token(self, token: str) -> bool:
        """Return whether an access token is the project's; any is, where none is declared or any key is taken."""
        return bool(token) and (self.any_key or not self.access_token or token == self.access_token)

    def has_project(self, key: str) -> bool:
        """Return whether a project's key is this one's; any is, where any key is taken."""
        return self.any_key or key == self.project
