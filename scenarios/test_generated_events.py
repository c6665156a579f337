"""Generated traffic: valid Segment calls, the same for the same seed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from faker import Faker

from trackside.events import START, TracksideProvider, generate, session, user

if TYPE_CHECKING:
    from trackside.steps import Message

HASHED = """
import hashlib, json
from trackside.events import generate
print(hashlib.sha256(json.dumps(list(generate(500, seed=3))).encode()).hexdigest())
"""


def by_person(calls: list[Message]) -> dict[str, list[Message]]:
    people: dict[str, list[Message]] = {}
    for call in calls:
        people.setdefault(call["anonymousId"], []).append(call)
    return people


def event(name: str, calls: list[Message]) -> Any:
    return next(call for call in calls if call.get("event") == name)


def test_as_many_calls_are_generated_as_were_asked_for() -> None:
    assert [len(list(generate(count))) for count in (0, 1, 250)] == [0, 1, 250]


def test_the_same_seed_gives_the_same_calls() -> None:
    assert list(generate(200, seed=5)) == list(generate(200, seed=5))


def test_another_seed_gives_other_calls() -> None:
    first, second = ({call["messageId"] for call in generate(200, seed=seed)} for seed in (5, 6))
    assert first.isdisjoint(second)


def test_more_calls_of_a_seed_begin_with_the_same_ones() -> None:
    assert list(generate(300, seed=5))[:100] == list(generate(100, seed=5))


def test_another_process_gives_the_same_bytes() -> None:
    printed = set()
    for surroundings in ({"PYTHONHASHSEED": "1", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"}):
        command = [sys.executable, "-c", HASHED]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **surroundings})
        printed.add(run.stdout)
    assert len(printed) == 1


def test_pythons_own_random_is_left_alone() -> None:
    before = random.getstate()
    list(generate(20))
    assert random.getstate() == before


def test_traffic_begins_at_a_fixed_moment() -> None:
    assert datetime(2026, 1, 5, 9, tzinfo=timezone.utc) == START
    assert next(generate(1))["timestamp"] == "2026-01-05T09:00:00.000Z"


@pytest.mark.parametrize(
    "start",
    [
        datetime(2024, 2, 29, 10, 0, 0, 123000, tzinfo=timezone(timedelta(hours=2))),
        datetime(2024, 2, 29, 8, 0, 0, 123000),  # noqa: DTZ001 - a moment without a zone is the point
    ],
)
def test_traffic_begins_when_it_is_told_to(start: datetime) -> None:
    assert next(generate(1, start=start))["timestamp"] == "2024-02-29T08:00:00.123Z"


def test_calls_come_in_the_order_of_their_moments() -> None:
    moments = [call["timestamp"] for call in generate(500)]
    assert all(earlier < later for earlier, later in pairwise(moments))


def test_every_call_is_json_and_carries_what_segment_asks_for() -> None:
    calls = list(generate(500))
    assert json.loads(json.dumps(calls)) == calls
    asked = {"type", "messageId", "anonymousId", "timestamp", "context"}
    assert [call for call in calls if not asked <= call.keys()] == []


def test_every_kind_of_call_is_generated() -> None:
    kinds = {call["type"] for call in generate(2000)}
    assert kinds == {"identify", "track", "page", "screen", "group", "alias"}


def test_alias_calls_are_rare() -> None:
    calls = list(generate(2000))
    assert 0 < sum(call["type"] == "alias" for call in calls) < 40


def test_message_ids_are_unique_and_short_enough() -> None:
    ids = [call["messageId"] for call in generate(2000)]
    assert len(set(ids)) == 2000
    assert {len(text) for text in ids} == {36}


def test_a_person_is_anonymous_first_and_identified_for_good() -> None:
    for calls in by_person(list(generate(2000))).values():
        kinds = ["userId" in call for call in calls]
        assert kinds == sorted(kinds)
        assert not kinds[0]


def test_the_first_call_with_a_user_id_is_the_identify_call() -> None:
    for calls in by_person(list(generate(2000))).values():
        identified = [call["type"] for call in calls if "userId" in call]
        assert identified[:1] in ([], ["identify"])


def test_an_anonymous_id_belongs_to_one_user_id() -> None:
    for calls in by_person(list(generate(2000))).values():
        assert len({call["userId"] for call in calls if "userId" in call}) <= 1


def test_some_people_return() -> None:
    orders: dict[str, int] = {}
    for call in generate(5000):
        if call.get("event") == "Order Completed":
            orders[call["userId"]] = orders.get(call["userId"], 0) + 1
    assert max(orders.values()) > 1


def test_a_shop_session_ends_with_an_order() -> None:
    events = [call.get("event") or call.get("name") or call["type"] for call in session("shop", seed=1)]
    assert events == [
        "Home",
        "Product",
        "Product Viewed",
        "Product Added",
        "Cart",
        "identify",
        "Checkout Started",
        "Order Completed",
    ]


def test_an_order_adds_up() -> None:
    order = event("Order Completed", session("shop", seed=2))["properties"]
    [product] = order["products"]
    assert order["revenue"] == order["value"] == round(product["price"] * product["quantity"], 2)
    assert order["total"] == round(order["subtotal"] + order["tax"] + order["shipping"], 2)


def test_a_checkout_and_its_order_have_the_same_id() -> None:
    calls = session("shop", seed=2)
    started, completed = event("Checkout Started", calls), event("Order Completed", calls)
    assert started["properties"]["order_id"] == completed["properties"]["order_id"]


def test_a_product_is_the_same_wherever_it_is_seen() -> None:
    seen: dict[str, set[tuple[str, float]]] = {}
    for call in generate(3000):
        if call.get("event") == "Product Viewed":
            product = call["properties"]
            seen.setdefault(product["product_id"], set()).add((product["name"], product["price"]))
    assert {len(forms) for forms in seen.values()} == {1}


def test_an_app_session_has_screens_and_no_pages() -> None:
    calls = session("app", seed=1)
    assert {call["type"] for call in calls} >= {"screen", "track", "identify"}
    assert all("page" not in call["context"] for call in calls)


def test_an_account_session_names_the_company_in_a_group_call() -> None:
    calls = session("account", seed=1)
    person = next(call for call in calls if call["type"] == "group")
    assert person["traits"]["name"] == event("Account Created", calls)["properties"]["account_name"]


def test_an_account_session_signs_up_before_the_account_is_created() -> None:
    events = [call["event"] for call in session("account", seed=1) if call["type"] == "track"]
    assert events == ["Signed Up", "Account Created", "Trial Started"]


def test_every_address_is_one_that_is_reserved_for_examples() -> None:
    calls = list(generate(1000))
    emails = [call["traits"]["email"] for call in calls if call["type"] == "identify"]
    assert {email.rpartition("@")[2] for email in emails} == {"example.com"}
    assert {call["context"]["ip"].rpartition(".")[0] for call in calls} == {"203.0.113"}


def test_changing_one_call_changes_no_other() -> None:
    first, *others = generate(50)
    first["context"]["library"]["name"] = "changed"
    first["context"]["page"]["title"] = "changed"
    assert "changed" not in json.dumps([others, list(generate(50))])


def test_a_user_is_the_one_that_a_session_of_its_seed_is_about() -> None:
    person = user(9)
    identify = next(call for call in session("shop", seed=9) if call["type"] == "identify")
    assert (identify["userId"], identify["anonymousId"]) == (person.user_id, person.anonymous_id)
    assert identify["traits"] == person.traits


def test_the_faker_provider_follows_the_seed_of_its_faker() -> None:
    drawn = []
    for _ in range(2):
        fake = Faker()
        fake.add_provider(TracksideProvider)
        fake.seed_instance(11)
        drawn.append((fake.segment_user(), fake.segment_session("app"), fake.segment_call()))
    assert drawn[0] == drawn[1]


def test_loading_the_generator_does_not_load_faker() -> None:
    code = "import sys, trackside.events; print('faker' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"
