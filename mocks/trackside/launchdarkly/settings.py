"""What a LaunchDarkly project is set to, as the workspace's ``launchdarkly:`` block names it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment and its credentials.

    Attributes:
        client_side_id: in the path of the events service; browsers and Segment use it.
        sdk_key: of server-side SDKs.
        mobile_key: of mobile SDKs.
    """

    client_side_id: str
    sdk_key: str = ""
    mobile_key: str = ""


@dataclass(frozen=True, slots=True)
class LaunchDarklySettings:
    """One LaunchDarkly project.

    Attributes:
        environments: by their names; each event belongs to one.
        any_key: whether an unknown client-side ID stands for the first environment, as in the demo workspace.
    """

    environments: dict[str, Environment] = field(default_factory=dict)
    any_key: bool = False

    def environment_of(self, client_side_id: str) -> str | None:
        """Return the name of the environment with this client-side ID; None where there is none."""
        for name, environment in self.environments.items():
            if environment.client_side_id == client_side_id:
                return name
        return next(iter(self.environments), "production") if self.any_key else None
