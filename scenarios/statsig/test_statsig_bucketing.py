"""Who passes a percentage and who falls into which bucket: as Statsig's own SDKs have it, by known values."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.lab import Lab
from trackside.live import Declared
from trackside.statsig.reading import read
from trackside.statsig.settings import StatsigSettings
from trackside.statsig.specs import Project
from trackside.statsig.store import Statsig

PUBLIC = {"type": "public", "idType": "userID"}
KNOWN = [  # unit, passes 50 %, bucket of rig_experiment
    ("u0", True, 222),
    ("u1", False, 498),
    ("u2", True, 339),
    ("u3", False, 663),
    ("u4", True, 804),
    ("u5", False, 97),
]


def bucket(bound: int) -> dict[str, Any]:
    return {
        "type": "user_bucket",
        "operator": "lt",
        "targetValue": bound,
        "additionalValues": {"salt": "salt-rig_experiment"},
    }


def below(number: int, bound: int) -> dict[str, Any]:
    rule = {"id": f"below-{bound}", "passPercentage": 100, "returnValue": True, "conditions": [bucket(bound)]}
    return {"name": f"bucket_{number}_{bound}", "enabled": True, "defaultValue": False, "rules": [rule]}


SPECS = {
    "has_updates": True,
    "time": 1,
    "feature_gates": [
        {
            "name": "half_gate",
            "salt": "salt-half_gate",
            "enabled": True,
            "defaultValue": False,
            "rules": [
                {
                    "id": "half",
                    "salt": "half-salt",
                    "passPercentage": 50,
                    "returnValue": True,
                    "conditions": [PUBLIC],
                }
            ],
        },
        *(below(number, number + more) for _, _, number in KNOWN for more in (0, 1)),
    ],
    "dynamic_configs": [],
    "layer_configs": [],
}


@pytest.fixture(scope="module")
def gates_of():
    """Return what gives a unit's gates, evaluated by Statsig's own SDK."""
    live = Statsig(Lab().lock)
    specs, faults = read(SPECS)
    assert faults == []
    live.configure(StatsigSettings(), Declared(Project(specs)))
    yield lambda unit: {name: gate["value"] for name, gate in live.evaluate({"userID": unit})["feature_gates"].items()}
    live.close()


@pytest.mark.rule("statsig.sdk.bucketing")
@pytest.mark.parametrize(("unit", "passes", "_"), KNOWN)
def test_half_of_the_units_pass_a_gate_of_50_percent(gates_of, unit, passes, _):
    assert gates_of(unit)["half_gate"] is passes


@pytest.mark.rule("statsig.sdk.bucketing")
@pytest.mark.parametrize(("unit", "_", "number"), KNOWN)
def test_a_unit_falls_into_the_bucket_that_its_hash_says(gates_of, unit, _, number):
    gates = gates_of(unit)

    assert (gates[f"bucket_{number}_{number}"], gates[f"bucket_{number}_{number + 1}"]) == (False, True)
