"""LaunchDarkly of a running lab as tests see it: its SDKs' options, and its flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trackside import expect
from trackside.launchdarkly import changes
from trackside.launchdarkly.asking import secure_mode_hash
from trackside.launchdarkly.evaluation import context_of
from trackside.launchdarkly.model import Item
from trackside.launchdarkly.store import LaunchDarkly, row
from trackside.steps import Record
from trackside.vendor import Mock

if TYPE_CHECKING:
    from ldclient.context import Context


class LaunchDarklyMock(Mock):
    """LaunchDarkly of a running lab."""

    live: LaunchDarkly

    # ---- its SDKs

    def python_options(self, environment: str = "") -> dict[str, Any]:
        """Return the arguments of ``Config`` of ``launchdarkly-server-sdk``."""
        return self.options("launchdarkly-server-sdk", environment)

    def node_options(self, environment: str = "") -> dict[str, Any]:
        """Return the options of ``@launchdarkly/node-server-sdk``; the SDK key is in `keys`."""
        return self.options("@launchdarkly/node-server-sdk", environment)

    def browser_options(self, environment: str = "") -> dict[str, Any]:
        """Return the options of ``launchdarkly-js-client-sdk``; the client-side ID is in `keys`."""
        return self.options("launchdarkly-js-client-sdk", environment)

    def secure_mode_hash(self, context: str | Mapping[str, Any], environment: str = "") -> str:
        """Return the hash of a context that a browser sends in secure mode (launchdarkly.client.secure-mode)."""
        with self._lab.lock:
            data = self.live.environment(environment)
            return secure_mode_hash(data.settings.sdk_key, _context(context))

    # ---- what SDKs tell of themselves

    def diagnostics(self, **match: Any) -> list[Record]:
        """Return the diagnostic events that it keeps, apart from events, in the order of arrival.

        Args:
            match: ``kind``, ``sdk`` (its name), ``version``, ``environment`` or ``where``.
        """
        return expect.records(self._lab, self.name, match, sort="diagnostic")

    # ---- its flags

    def flag(self, key: str, environment: str = "") -> FlagHandle:
        """Return a flag to change; it is made by the first change where it does not exist.

        Args:
            key: of the flag.
            environment: where; the first one by default.
        """
        return FlagHandle(self, key, environment)

    def _change(self, key: str, environment: str, make: Callable[[Item | None], Item]) -> None:
        with self._lab.lock:
            self.live.edit(key, environment, make)
        self._lab.journal.poke()


class FlagHandle:
    """One flag in one environment; each change is with connected SDKs at once.

    Args:
        mock: whose flag it is.
        key: of the flag.
        environment: its environment; empty for the first one.
    """

    def __init__(self, mock: LaunchDarklyMock, key: str, environment: str) -> None:
        self.key = key
        self.environment = environment
        self._mock = mock

    def serve(self, value: Any) -> FlagHandle:
        """Turn it on and serve a value, or percentages by value, to whom no target and no rule is about.

        Raises:
            TracksideError: its variations are of another kind, or the percentages do not add up to 100.
        """
        return self._changed(lambda flag: changes.serving(flag, value) if flag else changes.new_flag(self.key, value))

    def on(self) -> FlagHandle:
        """Turn it on; a new one serves true."""
        return self._changed(lambda flag: changes.switched(flag or changes.new_flag(self.key, True), on=True))

    def off(self) -> FlagHandle:
        """Turn it off: everyone gets its off variation; a new one serves false then."""
        return self._changed(lambda flag: changes.switched(flag or changes.new_flag(self.key, True), on=False))

    def target(self, key: str, value: Any, kind: str = "user") -> FlagHandle:
        """Turn it on and serve a value to one context; a new flag of true and false serves the other to everyone else.

        Args:
            key: of the context.
            value: a variation.
            kind: of the context.
        """
        others = not value if isinstance(value, bool) else value
        return self._changed(
            lambda flag: changes.targeting(flag or changes.new_flag(self.key, others), key, value, kind)
        )

    def delete(self) -> None:
        """Delete it in every environment."""
        with self._mock._lab.lock:  # noqa: SLF001 - the handle is the mock's own
            self._mock.live.delete("flags", self.key)

    def value_for(self, context: str | Mapping[str, Any]) -> Any:
        """Return what a context gets, evaluated by LaunchDarkly's own SDK; None where there is no such flag.

        Args:
            context: a context's JSON, or the key of a user.
        """
        with self._mock._lab.lock:  # noqa: SLF001 - see delete
            data = self._mock.live.environment(self.environment)
            return self._mock.live.evaluator(data.name).value(self.key, _context(context))

    @property
    def row(self) -> dict[str, Any] | None:
        """The flag as ``trackside flags`` lists it; None where it does not exist."""
        with self._mock._lab.lock:  # noqa: SLF001 - see delete
            data = self._mock.live.environment(self.environment)
            return row(data.name, data.flags[self.key]) if self.key in data.flags else None

    def _changed(self, make: Callable[[Item | None], Item]) -> FlagHandle:
        self._mock._change(self.key, self.environment, make)  # noqa: SLF001 - see delete
        return self


def _context(value: str | Mapping[str, Any]) -> Context:
    return context_of({"kind": "user", "key": value} if isinstance(value, str) else value)
