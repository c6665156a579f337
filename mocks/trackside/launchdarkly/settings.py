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
class EventDefault:
    """What a unit without events counts as.

    Attributes:
        disabled: whether it is left out; else it counts as the value.
        value: 0, as LaunchDarkly takes no other.
    """

    disabled: bool = False
    value: float = 0


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, in the words of the REST API (launchdarkly.counting.metrics).

    Attributes:
        kind: ``custom``, ``click`` or ``pageview``.
        event_key: of the custom events that it takes.
        is_numeric: whether it measures a number; else whether or how often something happened.
        unit_aggregation_type: what several events of a unit come to: ``average`` or ``sum``.
        randomization_units: the context kinds by which it can be analysed.
        event_default: what a unit without events counts as.
        analysis_type: what is made of all units: ``mean`` or ``percentile``.
        percentile_value: which percentile.
        filters: which events it takes, as the REST API has it; none for all.
        unit: of the number.
        success_criteria: whether more is better, ``HigherThanBaseline`` or ``LowerThanBaseline``.
        name: for people; its key where it is empty.
        urls: the pages, of clicks and page views.
        selector: the CSS selectors, of clicks.
    """

    kind: str = "custom"
    event_key: str = ""
    is_numeric: bool = False
    unit_aggregation_type: str = "average"
    randomization_units: tuple[str, ...] = ("user",)
    event_default: EventDefault = EventDefault()
    analysis_type: str = "mean"
    percentile_value: int | None = None
    filters: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    success_criteria: str = "HigherThanBaseline"
    name: str = ""
    urls: tuple[dict[str, Any], ...] = ()
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Iteration:
    """One time in which an experiment records.

    Attributes:
        status: ``running``, ``stopped`` or ``not_started``.
        started_at: ISO 8601; empty where it has always run.
        ended_at: ISO 8601; empty while it runs.
    """

    status: str = "running"
    started_at: str = ""
    ended_at: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment on a flag (launchdarkly.counting.experiments).

    Attributes:
        flag: key of the flag whose variations are compared.
        environment: where; the first one where it is empty.
        randomization_unit: the kind of context that is divided up.
        metrics: keys of the metrics that are attached.
        primary_metric: the one of them that decides; the first one where it is empty.
        rule: id of the flag's rule whose rollout divides, or ``fallthrough``.
        name: for people; its key where it is empty.
        status: of its one iteration.
        started_at: of its one iteration.
        ended_at: of its one iteration.
        iterations: several, oldest first, in place of the three.
    """

    flag: str
    environment: str = ""
    randomization_unit: str = "user"
    metrics: tuple[str, ...] = ()
    primary_metric: str = ""
    rule: str = "fallthrough"
    name: str = ""
    status: str = "running"
    started_at: str = ""
    ended_at: str = ""
    iterations: tuple[Iteration, ...] = ()

    @property
    def recorded(self) -> tuple[Iteration, ...]:
        """Its iterations, oldest first."""
        return self.iterations or (Iteration(self.status, self.started_at, self.ended_at),)


@dataclass(frozen=True, slots=True)
class LaunchDarklySettings:
    """One LaunchDarkly project.

    Attributes:
        environments: by their names; each event belongs to one.
        flags_file: flags and segments in the file-data format, relative to the workspace file.
        flags: flags declared in the workspace, by key.
        segments: segments declared in the workspace, by key.
        metrics: what experiments measure, by key.
        experiments: by key.
        project: its key, as it stands in paths of the REST API.
        access_token: of the REST API and of imported events; any is taken where none is set.
        any_key: whether an unknown key or client-side ID stands for the first environment, as in the demo workspace.
    """

    environments: dict[str, Environment] = field(default_factory=dict)
    flags_file: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
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
