"""Evaluation for client SDKs, by Statsig's own server SDK (statsig.sdk.initialize.evaluation).

Nothing here decides what a user gets.

The SDK reads the specs from a data store in memory and is told to use no network. It is made anew when specs have
changed, which takes it some milliseconds.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from trackside.errors import TracksideError
from trackside.statsig.specs import LISTS, Spec, Specs, document

if TYPE_CHECKING:
    from trackside.statsig.id_lists import IdList

TEXTS = {
    "userID": "user_id",
    "email": "email",
    "ip": "ip",
    "country": "country",
    "locale": "locale",
    "appVersion": "app_version",
    "userAgent": "user_agent",
}
"""Fields of a user that hold text, and what Statsig's Python SDK calls them."""


class MissingExtraError(TracksideError):
    """Statsig's server SDK is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "evaluation for client SDKs needs statsig-python-core, which is not installed",
            "POST /v1/initialize",
            'run pip install "trackside[statsig]"',
        )


class Evaluator:
    """Evaluates a project for one user after another."""

    def __init__(self) -> None:
        self._sdk: Any = None
        self._time = 0

    def evaluate(
        self, specs: Specs, id_lists: Mapping[str, IdList], time: int, user: Mapping[str, Any], algorithm: str
    ) -> dict[str, Any]:
        """Return the answer of ``/v1/initialize`` for a user; see `trackside.statsig.store.Statsig.evaluate`."""
        if self._sdk is None or time != self._time:
            self.close()
            self._sdk, self._time = _started(document(_inlined(specs, id_lists), 2, time, ())), time
        text = self._sdk.get_client_initialize_response(_user(user), hash=algorithm)
        answer: dict[str, Any] = orjson.loads(text)
        return answer

    def close(self) -> None:
        """End the SDK."""
        if self._sdk is not None:
            self._sdk.shutdown().wait()
            self._sdk = None


def _started(specs: dict[str, Any]) -> Any:
    """Return Statsig's server SDK, ready, with these specs.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import statsig_python_core as core  # noqa: PLC0415 - an extra, and only a lab with client SDKs needs it
    except ImportError:
        raise MissingExtraError from None
    text = orjson.dumps(specs).decode()

    class Memory(core.DataStore):
        def get(self, key: str) -> Any:  # noqa: ARG002 - the SDK asks for its specs only
            return core.DataStoreResponse(text, specs["time"])

    options = core.StatsigOptions(
        data_store=Memory(),  # type: ignore[no-untyped-call] # its __init__ has no types
        disable_network=True,
        disable_all_logging=True,
        disable_disk_access=True,
        wait_for_user_agent_init=True,
        wait_for_country_lookup_init=True,
        output_log_level="none",
    )
    sdk = core.Statsig(f"secret-{hashlib.sha256(text.encode()).hexdigest()[:12]}", options)
    sdk.initialize().wait()
    return sdk


def _inlined(specs: Specs, id_lists: Mapping[str, IdList]) -> Specs:
    """Return specs in which each condition on an ID list names its IDs: without network the SDK reads no lists."""

    def condition(one: dict[str, Any]) -> dict[str, Any]:
        operator = {"in_segment_list": "any_case_sensitive", "not_in_segment_list": "none_case_sensitive"}
        if one.get("operator") not in operator:
            return one
        held = id_lists.get(str(one["targetValue"]))
        return {**one, "operator": operator[one["operator"]], "targetValue": list(held.ids) if held else []}

    def spec(one: Spec) -> Spec:
        rules = [{**row, "conditions": [condition(each) for each in row["conditions"]]} for row in one["rules"]]
        return {**one, "rules": rules}

    lists: dict[str, Any] = {where: {key: spec(one) for key, one in getattr(specs, where).items()} for where in LISTS}
    return dataclasses.replace(specs, **lists)


def _user(user: Mapping[str, Any]) -> Any:
    import statsig_python_core as core  # noqa: PLC0415 - see _started

    texts = {name: _text(user[key]) for key, name in TEXTS.items() if user.get(key) is not None}
    ids = {str(key): _text(value) for key, value in _mapping(user, "customIDs").items() if value is not None}
    environment = {str(key): _text(value) for key, value in _mapping(user, "statsigEnvironment").items() if value}
    return core.StatsigUser(
        user_id=texts.pop("user_id", "" if not ids else None),
        **texts,
        custom_ids=ids,
        custom=_attributes(_mapping(user, "custom")),
        private_attributes=_attributes(_mapping(user, "privateAttributes")),
        statsig_environment=environment or None,
    )


def _mapping(user: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = user.get(key)
    return value if isinstance(value, Mapping) else {}


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as the SDK takes them: scalars, lists of scalars, and mappings of scalars."""
    return {str(key): value for key, value in values.items() if value is not None}


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
