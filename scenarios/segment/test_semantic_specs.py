"""Segment's semantic specs: an optional contract for each event that they name, held beside that of every track call."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from trackside import catalog

SPECS = {
    "ecommerce": [
        "Products Searched",
        "Product List Viewed",
        "Product List Filtered",
        "Promotion Viewed",
        "Promotion Clicked",
        "Product Clicked",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Cart Viewed",
        "Checkout Started",
        "Checkout Step Viewed",
        "Checkout Step Completed",
        "Payment Info Entered",
        "Order Completed",
        "Order Updated",
        "Order Refunded",
        "Order Cancelled",
        "Coupon Entered",
        "Coupon Applied",
        "Coupon Denied",
        "Coupon Removed",
        "Product Added to Wishlist",
        "Product Removed from Wishlist",
        "Wishlist Product Added to Cart",
        "Product Shared",
        "Cart Shared",
        "Product Reviewed",
    ],
    "b2b-saas": [
        "Account Created",
        "Account Deleted",
        "Signed Up",
        "Signed In",
        "Signed Out",
        "Invite Sent",
        "Account Added User",
        "Account Removed User",
        "Trial Started",
        "Trial Ended",
    ],
    "mobile": [
        "Application Installed",
        "Application Opened",
        "Application Backgrounded",
        "Application Foregrounded",
        "Application Updated",
        "Application Uninstalled",
        "Application Crashed",
        "Install Attributed",
        "Push Notification Received",
        "Push Notification Tapped",
        "Push Notification Bounced",
        "Deep Link Opened",
        "Deep Link Clicked",
    ],
    "video": [
        "Video Playback Started",
        "Video Playback Paused",
        "Video Playback Interrupted",
        "Video Playback Buffer Started",
        "Video Playback Buffer Completed",
        "Video Playback Seek Started",
        "Video Playback Seek Completed",
        "Video Playback Resumed",
        "Video Playback Completed",
        "Video Playback Exited",
        "Video Content Started",
        "Video Content Playing",
        "Video Content Completed",
        "Video Ad Started",
        "Video Ad Playing",
        "Video Ad Completed",
        "Video Quality Updated",
    ],
    "email": [
        "Email Bounced",
        "Email Delivered",
        "Email Link Clicked",
        "Email Marked as Spam",
        "Email Opened",
        "Unsubscribed",
    ],
    "live-chat": [
        "Live Chat Conversation Started",
        "Live Chat Conversation Ended",
        "Live Chat Message Sent",
        "Live Chat Message Received",
    ],
}
WITH_EVERY_ITEM = ["Checkout Started", "Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"]
SEMANTIC = {name: schema for name in catalog.names() if "x-spec" in (schema := catalog.load(name))}

pytestmark = pytest.mark.rule("segment.spec.semantic")


def event_of(contract: str) -> str:
    return str(SEMANTIC[contract]["properties"]["event"]["const"])


def example(contract: str, name: str) -> dict[str, Any]:
    file = catalog.folder() / "segment" / "examples" / contract.removeprefix("segment/") / "valid" / f"{name}.json"
    payload: dict[str, Any] = orjson.loads(file.read_bytes())
    return payload


def nulled(payload: dict[str, Any], field: str) -> Iterator[dict[str, Any]]:
    """Yield the payload once for each value within a field, that value null."""
    for name in payload.get(field, {}):
        changed = copy.deepcopy(payload)
        changed[field][name] = None
        yield changed


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_has_a_contract_for_each_event_that_its_page_names_and_no_more(spec: str) -> None:
    named = [event_of(contract) for contract, schema in SEMANTIC.items() if schema["x-spec"] == spec]

    assert sorted(named) == sorted(SPECS[spec])


def test_no_other_spec_has_contracts() -> None:
    assert {schema["x-spec"] for schema in SEMANTIC.values()} == set(SPECS)


def test_the_name_of_an_event_leads_to_one_contract() -> None:
    events = [event_of(contract) for contract in SEMANTIC]

    assert len(set(events)) == len(events)


@pytest.mark.parametrize("contract", SEMANTIC)
def test_a_contract_is_named_after_its_spec_and_its_event(contract: str) -> None:
    kebab = event_of(contract).lower().replace(" ", "-")

    assert contract == f"segment/{SEMANTIC[contract]['x-spec']}-{kebab}"
    assert SEMANTIC[contract]["title"] == event_of(contract)


@pytest.mark.parametrize("contract", SEMANTIC)
@pytest.mark.parametrize("name", ["every-property", "fewest-fields"])
def test_an_event_that_follows_its_spec_is_a_track_call_as_well(contract: str, name: str) -> None:
    assert catalog.faults("segment/track", example(contract, name)) == []


@pytest.mark.parametrize("contract", SEMANTIC)
def test_the_full_example_has_every_property_that_the_contract_describes(contract: str) -> None:
    payload = example(contract, "every-property")
    spellings_of_another_example = {"ad_asset_ids", "ad_pod_ids", "ad_types"}
    of_video_ad_playing = {"quartile"} if event_of(contract) != "Video Ad Playing" else set()

    described = properties_of(SEMANTIC[contract], SEMANTIC[contract]["properties"]["properties"])
    assert described - set(payload["properties"]) <= spellings_of_another_example | of_video_ad_playing


def properties_of(schema: dict[str, Any], part: dict[str, Any]) -> set[str]:
    """Return the properties of a part of a contract, with those of the part that it stands on."""
    below = schema["$defs"][part["$ref"].removeprefix("#/$defs/")] if "$ref" in part else None
    return set(part.get("properties", ())) | (properties_of(schema, below) if below else set())


@pytest.mark.parametrize("contract", SEMANTIC)
@pytest.mark.parametrize("field", ["properties", "context"])
def test_null_counts_as_absent(contract: str, field: str) -> None:
    for payload in nulled(example(contract, "every-property"), field):
        asked_for = event_of(contract) in WITH_EVERY_ITEM and payload["properties"]["products"] is None

        assert bool(catalog.faults(contract, payload)) is asked_for


@pytest.mark.parametrize("contract", SEMANTIC)
def test_unknown_fields_pass(contract: str) -> None:
    payload = example(contract, "every-property")
    payload["properties"]["colour"] = "green"
    payload["colour"] = "green"

    assert catalog.faults(contract, payload) == []


def test_only_events_that_ask_for_every_item_of_the_cart_must_have_properties() -> None:
    asking = [event_of(contract) for contract, schema in SEMANTIC.items() if schema["required"] != ["event"]]

    assert sorted(asking) == sorted(WITH_EVERY_ITEM)


def test_segment_takes_an_order_that_does_not_follow_the_spec() -> None:
    payload = {"type": "track", "userId": "u-1", "event": "Order Completed", "properties": {"total": "42.80"}}

    assert catalog.faults("segment/track", payload) == []
    assert [fault.text for fault in catalog.faults("segment/ecommerce-order-completed", payload)] == [
        'total is a string, "42.80". $.properties.total. Send a number or null: The sum to pay.',
        "products is missing. $.properties.products. Add products: Everything in it; an empty list passes.",
    ]


@pytest.mark.parametrize("currency", ["USD", "usd"])
def test_a_currency_is_in_capitals_or_in_small_letters(currency: str) -> None:
    payload = {"event": "Product Viewed", "properties": {"currency": currency}}

    assert catalog.faults("segment/ecommerce-product-viewed", payload) == []


def test_what_several_semantic_contracts_share_reads_the_same_in_each() -> None:
    shared: dict[str, list[Any]] = {}
    for schema in SEMANTIC.values():
        for name, part in schema.get("$defs", {}).items():
            shared.setdefault(name, []).append(part)

    assert [name for name, parts in shared.items() if any(part != parts[0] for part in parts)] == []
