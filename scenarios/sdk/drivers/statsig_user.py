"""What the Python drivers of Statsig share: users as the scenarios write them, for SDKs that spell them otherwise."""

from __future__ import annotations

from typing import Any

NAMES = {
    "userID": "user_id",
    "userAgent": "user_agent",
    "appVersion": "app_version",
    "customIDs": "custom_ids",
    "privateAttributes": "private_attributes",
}


def arguments(user: Any, environment: str = "statsig_environment") -> dict[str, Any]:
    """Return the arguments of ``StatsigUser`` for an ID, or for a user as it goes over the wire."""
    given = user if isinstance(user, dict) else {"userID": user}
    names = {**NAMES, "statsigEnvironment": environment}
    return {names.get(name, name): value for name, value in given.items()}
