"""What holds for every body that OwnLayer is sent, whatever is in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside import Lab, catalog
from trackside.rules import RULES
from trackside.wire import Request

quick = settings(max_examples=150, deadline=None)

ODD = [None, True, 0, -1, 2**63, 0.1, 1e300, "", " ", "u-1", "\u4e70\U0001f600", [], {}, [None], {"": {"a": [1, "x"]}}]
SCALARS = st.sampled_from(ODD) | st.text(max_size=8) | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["user_id", "user_id", "event", "properties", "integrations", "userId", "propertys"]), JSON
)
METADATA = st.fixed_dictionaries({"segment": ATTRIBUTES | ATTRIBUTES | JSON}) | JSON
FIELDS = st.dictionaries(
    st.sampled_from(["input", "output", "end_time", "tags", "segment", "kind", "id", "received_at", "outputs"]), JSON
)
BODIES = st.builds(lambda fields, metadata: {**fields, "additional_metadata": metadata}, FIELDS, METADATA)
EVALUATED = {
    "segment": {"sources": {"llm": {"write_key": "wk_llm"}}},
    "ownlayer": {"api_key": "k", "evaluate": "pass", "segment": {"write_key": "wk_llm", "added_properties": "own"}},
}


def receive(body: bytes) -> tuple[Lab, int]:
    lab = Lab(EVALUATED, start_at=1767322800.0)
    request = Request("POST", "/api/v1/inferences/", {"authorization": "Bearer k"}, body)
    return lab, lab.receive("ownlayer", request).status


@pytest.mark.rule("ownlayer.malformed", "ownlayer.errors")
@given(
    st.binary(max_size=40)
    | JSON.map(
        orjson.dumps,
    ).filter(bool)
)
@quick
def test_any_body_is_taken_or_refused_and_never_an_error(body: bytes) -> None:
    lab, status = receive(body)

    assert status in (201, 400)
    list(lab.findings(notes=True))
    assert lab.errors == []
    lab.stop()


@pytest.mark.rule("ownlayer.metadata", "ownlayer.user-id-required", "ownlayer.silent")
@given(BODIES)
@quick
def test_every_evaluated_inference_is_sent_or_dropped_with_one_reason(fields: dict[str, Any]) -> None:
    lab, status = receive(orjson.dumps(fields))

    assert status == 201
    [row] = lab.exchanges("ownlayer")
    steps = lab.steps_of(row)
    drops = [step for step in steps if step.kind == "drop"]
    assert len(drops) + len(list(lab.journeys())) == 1
    assert all(step.rule in RULES and step.text and step.at for step in steps)
    lab.stop()


@pytest.mark.rule("ownlayer.metadata", "ownlayer.properties")
@given(BODIES)
@quick
def test_what_is_sent_keeps_the_contract_of_a_track_call(fields: dict[str, Any]) -> None:
    lab, _ = receive(orjson.dumps(fields))

    for journey in lab.journeys():
        faults = catalog.faults("segment/track", journey.call)
        assert [
            str(fault) for fault in faults if not fault.at.startswith("$.integrations")
        ] == []  # carried as they came
        given_properties = fields["additional_metadata"]["segment"].get("properties")
        if isinstance(given_properties, dict):
            sent = {name: value for name, value in journey.call["properties"].items() if name != "own"}
            assert sent == orjson.loads(orjson.dumps({k: v for k, v in given_properties.items() if k != "own"}))
    lab.stop()


@pytest.mark.rule("ownlayer.inference")
@given(BODIES)
@quick
def test_the_same_inference_tells_the_same_twice(fields: dict[str, Any]) -> None:
    lab, _ = receive(orjson.dumps(fields))

    assert [str(one) for one in lab.findings(notes=True)] == [str(one) for one in lab.findings(notes=True)]
    lab.stop()
