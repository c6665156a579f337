"""The ledger: what was put in comes out by unit, in order, however many ids it has and however they are spelt."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from counted_by_hand import MINUTE, START, event, exposure

from trackside.counting.ledger import Dropped, Ledger
from trackside.counting.model import Event, Exposure


def ledger(*came: Exposure | Event) -> Ledger:
    found = Ledger()
    for seq, one in enumerate(came, 1):
        add(found, one, seq)
    return found


def add(to: Ledger, one: Exposure | Event, seq: int, number: int = 0) -> None:
    if isinstance(one, Exposure):
        to.add_exposure("acme", one, seq)
    else:
        to.add_event("acme", one, seq, number, None)


def exposed(of: Ledger, environment: str = "production", clock: str = "at") -> list[tuple[str, list[str]]]:
    """Return each unit with the variations that it saw, in their order."""
    found = of.exposed("acme", "banner", environment, "user", clock)
    return [(unit, [one.variation for one in exposures]) for unit, exposures in found]


def minutes(of: Ledger, unit_type: str = "user", clock: str = "at") -> list[tuple[str, list[float]]]:
    """Return each unit with the minutes of its events, in their order."""
    found = of.events(of.series("acme"), unit_type, clock)
    return [(unit, [(one.at - START) / MINUTE for one in rows]) for unit, rows in found]


def near(of: Ledger, unit: str) -> list[str]:
    return [one.unit for one in of.near("acme", unit, "banner", "user")]


# ---- units


def test_units_come_in_order_with_their_exposures_by_the_clock() -> None:
    found = ledger(exposure("u-2", "0", 5), exposure("u-1", "1", 3), exposure("u-2", "1", 1))

    assert exposed(found) == [("u-1", ["1"]), ("u-2", ["1", "0"])]


@pytest.mark.parametrize(("clock", "variations"), [("at", ["0", "1"]), ("arrived", ["1", "0"])])
def test_the_clock_that_is_asked_for_orders_exposures(clock: str, variations: list[str]) -> None:
    early = exposure(variation="0", minute=1, arrived=START + 9 * MINUTE)
    late = exposure(variation="1", minute=2, arrived=START + 3 * MINUTE)

    assert exposed(ledger(early, late), clock=clock) == [("u-1", variations)]


def test_exposures_of_one_batch_that_arrived_together_are_in_the_order_in_which_they_happened() -> None:
    later = exposure(variation="0", minute=2, arrived=START + MINUTE)
    earlier = exposure(variation="1", minute=1, arrived=START + MINUTE)
    found = ledger(later, earlier)

    assert exposed(found, clock="arrived") == [("u-1", ["1", "0"])]
    assert [one.variation for one in found.exposures("acme", "u-1")] == ["1", "0"]


def test_exposures_of_one_moment_are_in_the_order_in_which_they_came() -> None:
    found = ledger(*(exposure(variation=str(number)) for number in range(20)))

    assert exposed(found) == [("u-1", [str(number) for number in range(20)])]


@pytest.mark.parametrize(
    ("environment", "units"), [("production", ["u-1"]), ("staging", ["u-2"]), ("", ["u-1", "u-2"]), ("qa", [])]
)
def test_exposures_are_those_of_the_environment(environment: str, units: list[str]) -> None:
    found = ledger(exposure("u-1"), exposure("u-2", environment="staging"))

    assert [unit for unit, _ in exposed(found, environment)] == units


def test_exposures_that_name_no_unit_type_are_of_any() -> None:
    found = ledger(exposure("u-1", unit_type=""), exposure("u-2", unit_type="device"))

    assert [unit for unit, _ in exposed(found)] == ["u-1"]


def test_exposures_to_another_flag_are_not_among_them() -> None:
    found = ledger(exposure("u-1", name="menu"))

    assert exposed(found) == []
    assert [one.name for one in found.exposures("acme", "u-1")] == ["menu"]
    assert found.exposures("acme", "u-1", "banner") == []


def test_another_vendor_has_none_of_it() -> None:
    found = ledger(exposure(), event())

    assert found.exposures("rival", "u-1") == []
    assert found.series("rival") == []
    assert not found.has_exposures("rival", "banner")


@pytest.mark.parametrize(
    "unit", ["é💥", "ﬁ", "\x00", " ", "o'brien", 'a"b', "100%_", "a" * 1_000_000], ids=lambda unit: repr(unit)[:12]
)
def test_any_text_is_an_id(unit: str) -> None:
    found = ledger(exposure(unit), event(unit))

    assert [one.unit for one in found.exposures("acme", unit)] == [unit]
    assert [row.ids for row in found.events_of(unit)] == [(unit,)]


def test_units_are_ordered_alike_in_both_tables_in_any_script() -> None:
    names = ["z", "Z", "é", "\U0001f4a5", "￿", "a\x00b", "a", "ab"]
    found = ledger(*map(exposure, names), *map(event, names))

    assert [unit for unit, _ in exposed(found)] == [unit for unit, _ in minutes(found)] == sorted(names)


def test_half_a_surrogate_pair_can_be_asked_for_and_is_nobody() -> None:
    found = ledger(exposure(), event())

    assert found.exposures("acme", "\ud800") == []
    assert list(found.events_of("\ud800")) == []
    assert near(found, "\ud800") == []
    assert found.dropped_of("\ud800") == []


# ---- events


def test_events_are_found_by_each_of_their_ids() -> None:
    found = ledger(event(units={"user": "u-1", "device": "d-1", "company": "c-1"}))

    assert [unit for unit, _ in minutes(found, "user")] == ["u-1"]
    assert [unit for unit, _ in minutes(found, "company")] == ["c-1"]
    assert minutes(found, "account") == []
    assert [row.ids for row in found.events_of("d-1")] == [("c-1", "d-1", "u-1")]


def test_events_with_and_without_another_id_are_of_one_unit_in_the_order_of_their_moments() -> None:
    found = ledger(
        event(units={"user": "u-1"}, minute=3),
        event(units={"account": "a-1", "user": "u-1"}, minute=1),
        event(units={"account": "u-1"}, minute=2),
    )

    assert minutes(found) == [("u-1", [1, 3])]


def test_an_event_with_more_ids_than_any_before_makes_room_for_them() -> None:
    found = ledger(event())
    assert [row.ids for row in found.events_of("u-1")] == [("u-1",)]

    add(found, event(units={f"type-{number}": f"id-{number}" for number in range(9)}), 2)

    assert [row.seq for row in found.events_of("id-8")] == [2]
    assert [row.ids for row in found.events_of("u-1")] == [("u-1",)]


def test_an_event_of_thousands_of_ids_is_kept() -> None:
    found = ledger(event(units={f"type-{number:04}": f"id-{number}" for number in range(5_000)}), event())

    assert [len(row.ids) for row in found.events_of("id-0")] == [200]
    assert [row.seq for row in found.events_of("u-1")] == [2]


def test_events_of_many_names_and_kinds_are_counted_together() -> None:
    found = ledger(*(event(name=f"event {number}", minute=number) for number in range(1_200)))

    assert minutes(found) == [("u-1", list(range(1_200)))]


def test_a_unit_with_thousands_of_events_has_them_all_in_order() -> None:
    found = ledger(*(event(minute=5_000 - number) for number in range(5_000)), exposure())

    assert minutes(found) == [("u-1", list(range(1, 5_001)))]


def test_rows_beyond_what_is_written_at_once_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackside.counting.ledger._BUFFER", 3)
    found = ledger(*(event(minute=number) for number in range(7)), *(exposure(minute=number) for number in range(7)))

    assert minutes(found) == [("u-1", list(range(7)))]
    assert exposed(found) == [("u-1", ["1"] * 7)]


@pytest.mark.parametrize("moment", [2**63, 10**30, -(10**30)])
def test_a_moment_beyond_all_calendars_is_kept(moment: int) -> None:
    found = ledger(event(at=moment), exposure(at=moment), event("u-2"))

    assert [abs(row.at) for row in found.events_of("u-1")] == [2**63 - 1]
    assert [row.ids for row in found.events_of("u-2")] == [("u-2",)]


def test_what_metrics_made_of_an_event_is_kept() -> None:
    found = Ledger()
    found.add_event("acme", event(), 1, 0, [9.5, True, None, False], "u-1", "a-1", "m-1")

    [row] = found.events_of("a-1")

    assert (row.facts, row.user, row.anonymous) == ([9.5, True, None, False], "u-1", "a-1")


def test_events_of_a_message_are_in_their_order() -> None:
    found = Ledger()
    for number in (2, 0, 1):
        found.add_event("acme", event(minute=number), 7, number, None, "u-1", None, "m-1")
    found.add_event("acme", event(), 7, 3, None, "u-1", None, "m-2")
    add(found, event(), 8)

    assert [(row.number, row.message) for row in found.of_message("m-1")] == [(0, "m-1"), (1, "m-1"), (2, "m-1")]
    assert found.of_message("") == []


# ---- kinds of events


def test_kinds_of_events_are_told_apart_and_counted() -> None:
    found = ledger(event(), event(), event(clicked=True), event(environment="staging"), event(units={"device": "d-1"}))

    assert [found.count(one) for one in found.series("acme")] == [2, 1, 1, 1]


def test_a_kind_of_which_nothing_is_left_is_none() -> None:
    found = ledger(event(), event(name="Signed Up"))

    found.forget(1)

    assert [one.name for one in found.series("acme")] == ["Signed Up"]


# ---- forgetting


def test_what_an_exchange_brought_can_be_read_again() -> None:
    found = ledger(exposure("u-1"), event("u-1"))
    found.forget(2)
    assert minutes(found) == []

    add(found, event("u-1", minute=4), 2)

    assert minutes(found) == [("u-1", [4])]
    assert [found.count(one) for one in found.series("acme")] == [1]


def test_what_came_before_an_exchange_is_forgotten() -> None:
    found = ledger(exposure("u-1"), event("u-1"), exposure("u-3"), event("u-3"))
    found.add_dropped(Dropped("acme", "Order Completed", "u-1", None, "m-1", 2, START, {"text": "gone"}))

    found.forget_before(3)

    assert exposed(found) == [("u-3", ["1"])]
    assert [unit for unit, _ in minutes(found)] == ["u-3"]
    assert [found.count(one) for one in found.series("acme")] == [1]
    assert list(found.lost("acme")) == []


def test_forgetting_goes_on_from_where_it_was() -> None:
    found = ledger(event("u-1"), event("u-2"), event("u-3"))

    for seq in (2, 2, 3):
        found.forget_before(seq)

    assert [unit for unit, _ in minutes(found)] == ["u-3"]


def test_nobody_was_exposed_when_that_is_forgotten() -> None:
    found = ledger(exposure())
    assert found.has_exposures("acme", "banner")

    found.forget(1)

    assert not found.has_exposures("acme", "banner")


# ---- what is nearly an id


@pytest.mark.rule("trackside.audit.id-case", "trackside.audit.id-blanks", "trackside.audit.id-prefix")
@pytest.mark.parametrize(
    ("known", "unit"),
    [
        ("User-42", "user-42"),
        ("user 42", "user42"),
        (" user-42", "user-42"),
        ("straße", "STRASSE"),
        ("auth0|42", "42"),
        ("42", "auth0|42"),
        ("google-oauth2|42", "42"),
        ("42", "google-oauth2|42"),
        ("user:alice@example.com", "alice@example.com"),
        ("alice@example.com", "User:Alice@example.com"),
        ("org/team/u-7", "u-7"),
        ("ID_42", "42"),
    ],
)
def test_an_id_is_near_that_differs_by_case_blanks_or_a_prefix(known: str, unit: str) -> None:
    assert near(ledger(exposure(known)), unit) == [known]


@pytest.mark.rule("trackside.audit.id-prefix")
@pytest.mark.parametrize(
    ("known", "unit"),
    [
        ("42", "42"),
        ("142", "42"),
        ("42", "142"),
        ("auth0|42", "auth1|42"),
        ("alice@example.com", "bob@example.com"),
        ("u-42x", "42"),
        ("42-u", "42"),
        ("u-", "u"),
        ("", "u-1"),
        ("u-1", ""),
        ("u-1", " "),
        ("u-", " "),
    ],
)
def test_an_id_is_not_near_that_only_ends_alike(known: str, unit: str) -> None:
    assert near(ledger(exposure(known)), unit) == []


def test_a_near_id_is_found_among_many_with_the_same_end() -> None:
    others = [exposure(f"person{number}@example.com") for number in range(200)]
    found = ledger(*others, exposure("user:alice@example.com"))

    assert near(found, "alice@example.com") == ["user:alice@example.com"]
    assert near(found, "crm:user:alice@example.com") == ["user:alice@example.com"]


def test_a_near_id_is_found_behind_many_exposures_of_the_id_itself_and_to_other_flags() -> None:
    known = [exposure("u-1", name="") for _ in range(100)]
    elsewhere = [exposure("U-1", name="menu") for _ in range(100)]

    assert near(ledger(*known, *elsewhere, exposure("U-1")), "u-1") == ["U-1"]


def test_who_is_only_known_is_near_too_and_who_saw_another_flag_or_is_of_another_type_is_not() -> None:
    assert near(ledger(exposure("U-1", name="")), "u-1") == ["U-1"]
    assert near(ledger(exposure("U-1", name="menu")), "u-1") == []
    assert near(ledger(exposure("U-1", unit_type="device")), "u-1") == []


@pytest.mark.parametrize("unit", ["-" * 1_000_000, "a-" * 500_000, "a" * 1_000_000])
def test_an_id_of_a_megabyte_is_looked_for_at_once(unit: str) -> None:
    assert near(ledger(exposure("u-1")), unit) == []


@pytest.mark.parametrize(
    "sql", ["fold(unit) = 'a'", "fold(unit) IN ('a', 'b')", "back(unit) >= 'a' AND back(unit) < 'b'"]
)
def test_near_ids_are_looked_for_by_an_index(sql: str) -> None:
    found = ledger(exposure())
    near(found, "x-1")

    ask = f"EXPLAIN QUERY PLAN SELECT * FROM exposure WHERE series IN (0) AND {sql}"  # noqa: S608 - literals above
    plan = found._db.execute(ask).fetchall()  # noqa: SLF001 - nothing else tells whether it is quick

    assert ["INDEX exposure_" in row[-1] for row in plan] == [True]


# ---- what came to nothing


def dropped(user: str, message: str = "m-1", **more: Any) -> Dropped:
    step = {"text": "filtered", "rule": "segment.filters"}
    return Dropped("acme", "Order Completed", user, "a-1", message, 1, START, step)._replace(**more)


def test_a_message_that_ended_is_found_by_each_of_its_ids() -> None:
    found = Ledger()
    for one in (dropped("u-1"), dropped("u-2", "m-2")):
        found.add_dropped(one)

    assert [one.user for one in found.dropped_of("u-1")] == ["u-1"]
    assert [one.user for one in found.dropped_of("a-1")] == ["u-1", "u-2"]
    assert [one.user for one in found.dropped_message("m-2")] == ["u-2"]
    assert found.dropped_message("m-3") == []
    assert found.dropped_of("") == []


def test_messages_that_ended_for_the_same_reason_are_told_together() -> None:
    found = Ledger()
    for number in range(3):
        found.add_dropped(dropped(f"u-{number}", f"m-{number}"))
    found.add_dropped(dropped("u-4", step={"text": "refused"}))
    found.add_dropped(dropped("u-5", vendor="rival"))

    assert [(one.name, one.step["text"], one.times) for one in found.lost("acme")] == [
        ("Order Completed", "filtered", 3),
        ("Order Completed", "refused", 1),
    ]


def test_a_ledger_that_is_let_go_of_closes_its_tables() -> None:
    found = ledger(exposure())
    tables = found._db  # noqa: SLF001 - which has to be closed

    del found

    with pytest.raises(sqlite3.ProgrammingError):
        tables.execute("SELECT 1")
