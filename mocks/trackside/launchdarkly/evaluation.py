"""Evaluation for client-side SDKs, by LaunchDarkly's own server SDK: one client for each environment, without a network.

The SDK is imported for the first context that asks. Its client has no threads, sends nothing, and is fed with each change.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from trackside.launchdarkly.model import Item, Kind

if TYPE_CHECKING:
    from ldclient.context import Context

    from trackside.launchdarkly.store import Change, EnvironmentData

Side = Literal["usingEnvironmentId", "usingMobileKey"]
"""Which client-side SDKs ask: by client-side ID, or by mobile key."""

Evaluated = dict[str, dict[str, Any]]
"""What a context gets: by flag key, ``value``, ``variation``, ``version``, ``flagVersion`` and what events need."""


class Evaluator:
    """Evaluates the flags of one environment.

    Args:
        data: the environment.

    Attributes:
        turn: streams take turns to evaluate, and with changes: what they tell is how things stood at one version, and
            hundreds of threads at once would only take each other's time.

    Raises:
        ImportError: ``launchdarkly-server-sdk`` is not installed.
    """

    def __init__(self, data: EnvironmentData) -> None:
        from ldclient import feature_store  # noqa: PLC0415 - half a second that only client-side SDKs need
        from ldclient.client import LDClient  # noqa: PLC0415
        from ldclient.config import Config  # noqa: PLC0415

        self.turn = threading.Lock()
        untyped: Any = feature_store
        self._store: Any = untyped.InMemoryFeatureStore()
        self._store.init(_by_kind(data.flags, data.segments))
        self._now = data.flags, data.version
        options: dict[str, Any] = {"feature_store": self._store, "update_processor_class": _Fed}
        config = Config("sdk-of-the-mock", send_events=False, diagnostic_opt_out=True, **options)
        self._client: Any = LDClient(config, start_wait=0)

    def update(self, data: EnvironmentData, change: Change) -> None:
        """Take in a change.

        Args:
            data: the environment after it.
            change: what differs; a deleted item has ``deleted``.
        """
        with self.turn:
            for kind, items in _by_kind(change.flags, change.segments).items():
                for key, item in items.items():
                    if item.get("deleted"):
                        self._store.delete(kind, key, item["version"])
                    else:
                        self._store.upsert(kind, item)
            self._now = data.flags, data.version

    @property
    def version(self) -> int:
        """The environment's version that it evaluates; it stays that one for whoever holds `turn` or the lab's lock."""
        return self._now[1]

    def evaluate(self, context: Context, side: Side, *, with_reasons: bool = False) -> Evaluated:
        """Return what a context gets of every flag that its kind of SDK may see (launchdarkly.client.availability).

        ``version`` is the environment's, which grows with every change, as a segment's change alters what flags serve
        (launchdarkly.client.version). A reason is there where it was asked for or the context is in an experiment
        (launchdarkly.client.reasons).
        """
        flags, version = self._now
        state = self._client.all_flags_state(context, with_reasons=with_reasons).to_json_dict()
        told: Mapping[str, dict[str, Any]] = state["$flagsState"]
        return {
            key: _answered(state[key], told[key], version)
            for key, flag in flags.items()
            if key in told and flag["clientSideAvailability"][side]
        }

    def value(self, key: str, context: Context) -> Any:
        """Return the value of one flag for a context; None where there is no such flag."""
        return self._client.variation(key, context, None)

    def close(self) -> None:
        """Let the client go."""
        self._client.close()


def context_of(value: Mapping[str, Any]) -> Context:
    """Return the SDK's context of a context's JSON, a user of SDKs before contexts among them (launchdarkly.client.user).

    Raises:
        ImportError: ``launchdarkly-server-sdk`` is not installed.
        ValueError: it is no valid context, with the SDK's own reason.
    """
    from ldclient.context import Context  # noqa: PLC0415 - see Evaluator

    context = Context.from_dict(dict(value) if "kind" in value else _as_context(value))
    if not context.valid:
        raise ValueError(context.error)
    return context


_BUILT_IN = ("ip", "email", "name", "avatar", "firstName", "lastName", "country")


def _as_context(user: Mapping[str, Any]) -> dict[str, Any]:
    custom = user.get("custom") if isinstance(user.get("custom"), Mapping) else {}
    attributes = {name: user[name] for name in _BUILT_IN if user.get(name) is not None}
    context = {**custom, **attributes, "kind": "user", "key": str(user.get("key") or "")}  # type: ignore[dict-item]
    if user.get("anonymous") is not None:
        context["anonymous"] = user["anonymous"]
    return context


def _answered(value: Any, told: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return one flag's entry in an answer, of what the SDK tells for bootstrapping."""
    entry: dict[str, Any] = {"value": value, "version": version, "flagVersion": told["version"]}
    entry["trackEvents"] = told.get("trackEvents", False)
    names: Collection[str] = ("variation", "trackReason", "reason", "debugEventsUntilDate", "prerequisites")
    return {**entry, **{name: told[name] for name in names if name in told}}


def _by_kind(flags: Mapping[str, Item], segments: Mapping[str, Item]) -> dict[Any, Mapping[str, Item]]:
    from ldclient.versioned_data_kind import FEATURES, SEGMENTS  # noqa: PLC0415 - see Evaluator

    kinds: dict[Kind, Any] = {"flags": FEATURES, "segments": SEGMENTS}
    return {kinds["segments"]: segments, kinds["flags"]: flags}


class _Fed:
    """The SDK's source of data: its store is written from outside."""

    def __init__(self, _config: Any, _store: Any, ready: threading.Event) -> None:
        self._ready = ready

    def start(self) -> None:
        self._ready.set()

    def stop(self) -> None:
        """Nothing runs."""

    def initialized(self) -> bool:
        return True

    def is_alive(self) -> bool:
        return True
