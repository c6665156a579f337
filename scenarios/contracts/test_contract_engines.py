"""The fast validator and the reference validator see the same contracts in the same way."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeAlias

import jsonschema
import jsonschema_rs
import orjson
import pytest
from contract_examples import CONTRACTS, every_contract, payloads
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackside import catalog

Path: TypeAlias = tuple[str, ...]

VALID = sorted(CONTRACTS.glob("*/examples/*/valid/*.json"))

pytestmark = pytest.mark.rule("segment.contract", "statsig.contract", "split.contract", "launchdarkly.contract")

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", "x" * 100, "x" * 101, "track", "alias", "custom", "2026-01-02", "2026-01-02T03:04:05Z\n", "é" * 60]
    ),
)
# No empty names: jsonschema-rs drops them from an error's path.
NAMES = st.text("abXY09 é./~\"'[]$_-", min_size=1, max_size=6)
VALUES = st.recursive(SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3))


@cache
def reference(contract: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(catalog.load(contract))


def contract_of(file: Any) -> str:
    return f"{file.parts[-5]}/{file.parts[-3]}"


def one_a_place(found: Iterable[tuple[str, Path]]) -> set[tuple[str, Path]]:
    """Return errors without a pattern beside a ``not``: Python's ``$`` also matches before a last line break."""
    told = set(found)
    return {(keyword, path) for keyword, path in told if keyword != "pattern" or ("not", path) not in told}


def named(error: jsonschema.ValidationError) -> str:
    """Return a keyword as jsonschema-rs names it, which tells of names as a whole, and names what refuses everything."""
    return "propertyNames" if "propertyNames" in error.absolute_schema_path else str(error.validator or "falseSchema")


def told_at(keyword: str, path: Iterable[str | int]) -> tuple[str, Path]:
    """Return an error's keyword and path as far as both validators tell them.

    jsonschema-rs gives names of digits as numbers and drops empty ones, jsonschema has no path for what is false.
    """
    return keyword, () if keyword == "falseSchema" else tuple(str(part) for part in path if part != "")


def agree(contract: str, payload: Any) -> None:
    """Compare the verdict, and each error's keyword and path."""
    fast = catalog.validator(contract)
    told = (told_at(error.kind.name, error.instance_path) for error in fast.iter_errors(payload))
    expected = [told_at(named(error), error.absolute_path) for error in reference(contract).iter_errors(payload)]

    assert one_a_place(told) == one_a_place(expected)
    assert fast.is_valid(payload) is (not expected)


@pytest.mark.parametrize("contract", catalog.names())
def test_both_validators_agree_on_every_example(contract: str) -> None:
    for verdict in ("valid", "invalid"):
        for payload in payloads(contract, verdict).values():
            agree(contract, payload)


@pytest.mark.parametrize("contract", every_contract())
def test_patterns_ask_for_nothing_that_some_engines_lack(contract: str) -> None:
    """Go and Rust look neither ahead nor behind, and refuse a whole schema for one pattern that does."""
    plain = jsonschema_rs.Draft202012Validator(catalog.load(contract), pattern_options=jsonschema_rs.RegexOptions())

    assert [name for name, payload in payloads(contract, "valid").items() if not plain.is_valid(payload)] == []
    assert [name for name, payload in payloads(contract, "invalid").items() if plain.is_valid(payload)] == []


def places(payload: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = payload.items() if isinstance(payload, dict) else enumerate(payload) if isinstance(payload, list) else ()
    return [path, *(place for name, part in inner for place in places(part, (*path, name)))]


def changed(payload: Any, path: tuple[str | int, ...], value: Any, remove: bool) -> Any:
    """Return a copy with the value at a place replaced or removed."""
    if not path:
        return value
    whole = holder = copy.deepcopy(payload)
    for part in path[:-1]:
        holder = holder[part]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return whole


@given(data=st.data())
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_both_validators_agree_on_examples_changed_at_random(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(VALID))
    payload = orjson.loads(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        path = data.draw(st.sampled_from(places(payload)))
        payload = changed(payload, path, data.draw(VALUES), data.draw(st.booleans()))

    agree(contract_of(file), payload)
