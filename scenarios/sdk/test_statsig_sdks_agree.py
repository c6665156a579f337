"""Statsig's five published SDKs give every user the same values, whichever format the specs were declared in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driver import Driver
from sdks import STATSIG_DRIVERS as DRIVERS

from trackside import Lab
from trackside.statsig.specs import document

pytestmark = [pytest.mark.node]

KEYS = {"server_secret": "secret-local", "client_key": "client-local", "id_types": ["companyID"]}
SHORT: dict[str, Any] = {
    **KEYS,
    "gates": {
        "half": 50,
        "by_company": {"pass": 50, "id_type": "companyID"},
        "listed": {"if": {"passes_segment": "members"}},
        "french_gold": {"if": {"country": ["FR", "de"], "plan": "gold", "level": 3}, "pass": 80},
        "half_and_listed": {"if": {"passes_gate": ["half", "listed"]}},
        "not_half": {"if": {"fails_gate": "half"}, "users": ["u0"]},
        "off": {"enabled": False},
        "staging_only": {"if": {"environment_tier": "staging"}},
    },
    "dynamic_configs": {"banner": {"color": "blue", "sizes": [1, 2.5], "deep": {"a": None}}},
    "experiments": {
        "rig_experiment": {"groups": {"a": {"title": "a"}, "b": {"title": "b"}, "c": {"title": "c"}}},
        "some": {"groups": {"a": {"x": 1}, "b": {"x": 2}}, "allocation": 40, "users": {"b": ["u1", "u3"]}},
        "in_layer": {"groups": {"a": {"title": "A"}, "b": {"title": "B"}}, "layer": "page", "allocation": 30},
        "also_in_layer": {
            "groups": {"a": {"size": 2}},
            "layer": "page",
            "allocation": 30,
            "users": {"a": ["u5"]},
        },
        "later": {"groups": {"a": {"x": 1}}, "active": False},
    },
    "layers": {"page": {"title": "plain", "size": 1}, "empty": {}},
    "id_lists": {"members": [f"u{number}" for number in range(0, 200, 3)]},
}
ASKED = (
    *(("gate", name) for name in SHORT["gates"]),
    ("config", "banner"),
    *(("experiment", name) for name in SHORT["experiments"]),
    *(("layer", name) for name in SHORT["layers"]),
)


def user(number: int) -> dict[str, Any]:
    """Return one of the users: companies of ten, three countries, three plans, some levels and tiers."""
    return {
        "userID": f"u{number}",
        "customIDs": {"companyID": f"c{number // 10}"},
        "country": ("FR", "DE", "US")[number % 3],
        "email": f"{'ab'[number % 2]}{number}@{('one', 'two')[number % 3 == 0]}.test",
        "appVersion": f"1.{number % 12}",
        "custom": {
            "plan": ("gold", "Gold", "free")[number % 4 % 3],
            "level": 3 if number % 5 else 4,
            "tags": ["even" if number % 2 == 0 else "odd"],
        },
        **({"statsigEnvironment": {"tier": "staging"}} if number % 7 == 0 else {}),
    }


Asked = tuple[tuple[str, str], ...]


def values(lab: Lab, package: str, driver: Driver, users: int, asked: Asked) -> list[Any]:
    """Return what an SDK gives each user; a client SDK, which has one user, is started for each."""
    client = package == "@statsig/js-client"
    key, options = lab.statsig.keys["client_key" if client else "server_secret"], lab.statsig.options(package)
    found = []
    for number in range(users):
        if client or number == 0:
            started = driver.ask("start", key=key, options=options, user=user(number))
            assert started["ready"], driver.printed
        found += [
            driver.ask("evaluate", kind=kind, flag=name, user=user(number), default={"title": "?", "size": 0})
            for kind, name in asked
        ]
    return found


Given = dict[str, list[Any]]


@pytest.fixture
def given(driver: Callable[..., Driver]) -> Callable[..., Given]:
    """Return what gives the values of every SDK on a lab, by package."""

    def ask(lab: Lab, users: int, asked: Asked = ASKED) -> Given:
        found: Given = {}
        for package, script in DRIVERS.items():
            with driver(script) as sdk:
                found[package] = values(lab, package, sdk, users, asked)
        return found

    return ask


def differing(found: Given, asked: Asked = ASKED) -> Iterator[str]:
    """Yield each value in which the SDKs differ."""
    for index, row in enumerate(zip(*found.values(), strict=True)):
        if any(value != row[0] for value in row):
            number, which = divmod(index, len(asked))
            yield f"u{number} {asked[which]}: {dict(zip(found, row, strict=True))}"


@pytest.mark.trackside(workspace={"statsig": SHORT})
@pytest.mark.rule("statsig.sdk.short-form", "statsig.sdk.bucketing", "statsig.sdk.specs.two-formats")
def test_all_agree_on_what_the_workspace_declares(trackside, given):
    found = given(trackside, 200)

    assert list(differing(found)) == []
    of_one = found["statsig"]
    for index, name in enumerate(SHORT["gates"]):
        passing = sum(of_one[index :: len(ASKED)])
        assert (passing == 0) == (name == "off"), name
        assert passing < 200, name
    assert [str(finding) for finding in trackside.findings()] == []


def written(version: int, tmp_path: Path) -> dict[str, Any]:
    """Return a workspace whose specs are a file of one of the formats, with every kind of condition that SDKs share."""
    with Lab({"statsig": {**SHORT}}) as lab:
        live: Any = lab.statsig.live
        specs = live._specs  # noqa: SLF001 - only here are specs turned back into a file
        text = document(specs, version, 1_724_792_059_286, ["members"])
    text["hashed_sdk_key_used"] = "1"
    (tmp_path / "specs.json").write_text(json.dumps(text), encoding="utf-8")
    return {"statsig": {**KEYS, "specs_file": str(tmp_path / "specs.json"), "id_lists": SHORT["id_lists"]}}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.rule("statsig.sdk.specs.file", "statsig.sdk.specs.agree", "statsig.sdk.specs.disabled")
def test_all_agree_on_a_file_of_either_format(version, tmp_path, given):
    with Lab(written(version, tmp_path)) as lab:
        found = given(lab, 100)

    assert list(differing(found)) == []
    with Lab({"statsig": SHORT}) as lab:
        assert lab.statsig.live.evaluate(user(7))["feature_gates"]["half"]["value"] == found["statsig"][7 * len(ASKED)]


def condition(kind: str, operator: str | None, target: Any, field: str | None = None, **more: Any) -> dict[str, Any]:
    values = {"type": kind, "operator": operator, "targetValue": target, "field": field}
    return {**values, "additionalValues": more, "idType": "userID"}


def gate(name: str, *conditions: dict[str, Any], percentage: float = 100) -> dict[str, Any]:
    rule = {"name": "r", "id": f"r-{name}", "salt": "r", "passPercentage": percentage, "returnValue": True}
    rules = [{**rule, "idType": "userID", "conditions": list(conditions)}]
    return {"name": name, "salt": name, "enabled": True, "defaultValue": False, "idType": "userID", "rules": rules}


CONDITIONS = [
    gate("everyone", condition("public", None, None), percentage=37.5),
    gate("even", condition("user_field", "array_contains_any", ["even"], "tags")),
    gate("starts", condition("user_field", "str_starts_with_any", ["A"], "email")),
    gate("ends", condition("user_field", "str_ends_with_any", ["@ONE.test"], "email")),
    gate("contains", condition("user_field", "str_contains_any", ["7"], "email")),
    gate("contains_none", condition("user_field", "str_contains_none", ["7", "8"], "email")),
    gate("matches", condition("user_field", "str_matches", "^b.*[135]@", "email")),
    gate("country", condition("user_field", "none", ["fr"], "country")),
    gate("exact", condition("user_field", "any_case_sensitive", ["FR"], "country")),
    gate("not_exact", condition("user_field", "none_case_sensitive", ["FR"], "country")),
    gate("level", condition("user_field", "gte", 4, "level")),
    gate("level_is", condition("user_field", "eq", 4, "level")),
    gate("version", condition("user_field", "version_gt", "1.9", "appVersion")),
    gate("version_is", condition("user_field", "version_eq", "1.10", "appVersion")),
    gate("old", condition("current_time", "before", 1_000_000_000_000)),
    gate("now", condition("current_time", "after", 1_000_000_000_000)),
    gate("buckets", condition("user_bucket", "any", list(range(0, 1000, 3)), salt="x")),
    gate("no_buckets", condition("user_bucket", "none", list(range(250)), salt="x")),
    gate("below", condition("user_bucket", "lt", 500, salt="y")),
    gate("unit", condition("unit_id", "any", ["U1", "u2"])),
    gate("not_listed", condition("unit_id", "not_in_segment_list", "members")),
    gate("either", condition("MULTI_PASS_GATE", None, ["even", "unit"])),
    gate("one_fails", condition("multi_fail_gate", None, ["even", "level"])),
    gate("nested", condition("pass_gate", None, "either"), condition("fail_gate", None, "below")),
    gate("missing", condition("pass_gate", None, "nobody_knows")),
]
OF_CONDITIONS: Asked = tuple(("gate", one["name"]) for one in CONDITIONS)


@pytest.mark.rule("statsig.sdk.specs.agree", "statsig.sdk.specs.multi-gates", "statsig.sdk.specs.file")
def test_all_agree_on_every_kind_of_condition(tmp_path, given):
    specs = {"has_updates": True, "time": 1, "feature_gates": CONDITIONS, "dynamic_configs": [], "layer_configs": []}
    (tmp_path / "specs.json").write_text(json.dumps(specs), encoding="utf-8")
    workspace = {"statsig": {**KEYS, "specs_file": str(tmp_path / "specs.json"), "id_lists": SHORT["id_lists"]}}

    with Lab(workspace) as lab:
        found = given(lab, 60, OF_CONDITIONS)

    assert list(differing(found, OF_CONDITIONS)) == []
    passing = {
        name: sum(found["statsig"][index :: len(OF_CONDITIONS)]) for index, (_, name) in enumerate(OF_CONDITIONS)
    }
    assert {name for name, users in passing.items() if users in (0, 60)} == {"old", "now", "missing"}
