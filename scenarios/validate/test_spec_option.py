"""``trackside validate --spec``: Segment's semantic specs held against track calls."""

from __future__ import annotations

import pytest

from trackside import catalog
from trackside.errors import TracksideError
from trackside.validation.options import SPECS, Options
from trackside.validation.semantic import spec_check


def track(event, **properties):
    return {"type": "track", "userId": "user-7", "event": event, "properties": properties}


@pytest.fixture
def told(judged):
    """Return a function that holds calls against specs, and gives code, level and place of each finding."""

    def run(specs, *calls):
        found = judged(Options(specs=specs), *calls)
        return [(finding.code, finding.level, finding.at) for finding in found.findings]

    return run


@pytest.mark.rule("segment.spec.semantic")
def test_an_event_of_a_spec_is_held_against_its_contract(told):
    assert told(("ecommerce",), track("Order Completed", products="none")) == [
        ("segment/ecommerce-order-completed.type", "strict", "$.properties.products")
    ]


@pytest.mark.rule("segment.spec.semantic")
def test_an_event_that_keeps_its_spec_tells_nothing(told):
    assert told(("ecommerce",), track("Order Completed", products=[{"product_id": "p-1"}])) == []


@pytest.mark.rule("segment.spec.semantic")
def test_an_event_of_no_spec_tells_nothing(told):
    assert told(("ecommerce",), track("Kettle Boiled")) == []


@pytest.mark.rule("segment.spec.semantic")
def test_an_event_of_another_spec_tells_nothing(told):
    assert told(("email",), track("Order Completed", products="none")) == []


@pytest.mark.rule("segment.spec.semantic")
def test_all_stands_for_every_spec(told):
    assert told(("all",), track("Order Completed", products="none")) == [
        ("segment/ecommerce-order-completed.type", "strict", "$.properties.products")
    ]


@pytest.mark.rule("segment.spec.semantic")
def test_without_a_spec_nothing_of_them_is_held(told):
    assert told((), track("Order Completed", products="none")) == []


@pytest.mark.rule("segment.spec.event-name")
@pytest.mark.parametrize("event", ["order completed", "order_completed", "Order-Completed", "OrderCompleted"])
def test_an_event_that_is_spelt_almost_as_in_the_spec_is_a_warning(told, event):
    assert told(("ecommerce",), track(event)) == [("segment.spec.event-name", "warn", "$.event")]


@pytest.mark.rule("segment.spec.event-name")
def test_the_warning_names_the_specs_own_spelling(judged):
    found = judged(Options(specs=("ecommerce",)), track("order completed"))

    assert found.findings[0].text == (
        "the event order completed is not Order Completed, as the spec writes it: it differs by upper or lower case"
    )
    assert found.findings[0].fix == "call it Order Completed"


@pytest.mark.rule("segment.spec.event-name")
@pytest.mark.parametrize("event", ["Order Complete", "Orders Completed", " ", "_"])
def test_an_event_of_another_name_is_its_own(told, event):
    assert told(("all",), track(event)) == []


@pytest.mark.rule("segment.spec.semantic")
def test_a_call_of_another_type_is_of_no_spec(told):
    assert told(("all",), {"type": "page", "userId": "user-7", "event": "Order Completed"}) == []


def test_what_breaks_the_calls_own_contract_is_not_told_again(told):
    call = {"type": "track", "userId": "user-7", "event": "Order Completed", "properties": [1]}

    assert told(("ecommerce",), call) == [("segment/track.type", "strict", "$.properties")]


def test_a_spec_that_is_not_there_is_an_error():
    with pytest.raises(TracksideError, match="there is no semantic spec 'shop'"):
        spec_check(["shop"])


def test_only_the_contracts_of_specs_that_are_asked_for_are_read(monkeypatch):
    read, load = [], catalog.load
    monkeypatch.setattr(catalog, "load", lambda name: read.append(name) or load(name))

    spec_check(["video"])

    assert read
    assert all(name.startswith("segment/video-") for name in read)


@pytest.mark.parametrize("spec", SPECS)
def test_each_spec_has_contracts(spec):
    events = [
        name for name in catalog.names() if name.startswith("segment/") and catalog.load(name).get("x-spec") == spec
    ]

    assert events
    assert all(name.startswith(f"segment/{spec}-") for name in events)
