"""How the name of an event and the name that a metric takes differ where they are nearly the same."""

from __future__ import annotations

import pytest

from trackside.counting.names import difference


@pytest.mark.rule(
    "trackside.audit.event-key-case",
    "trackside.audit.event-key-blanks",
    "trackside.audit.event-key-underscores",
    "trackside.audit.event-key-prefix",
)
@pytest.mark.parametrize(
    ("wanted", "got", "how"),
    [
        ("Order Completed", "order completed", "case"),
        ("Order Completed", "ORDER COMPLETED", "case"),
        ("Order Completed", "Order_Completed", "underscores"),
        ("Order Completed", "order_completed", "underscores"),
        ("order_completed", "Order Completed", "underscores"),
        ("Order Completed", "OrderCompleted", "blanks"),
        ("Order Completed", "Order Completed ", "blanks"),
        ("Order Completed", " Order  Completed", "blanks"),
        ("Order Completed", "orderCompleted", "blanks"),
        ("order-completed", "order completed", "blanks"),
        ("Order Completed", "segment::Order Completed", "prefix"),
        ("segment::Order Completed", "Order Completed", "prefix"),
        ("Home", "segment_page::Home", "prefix"),
        ("Order Completed", "segment:Order Completed", "prefix"),
        ("Order Completed", "segment::order completed", "case"),
    ],
)
def test_spellings_of_one_name_differ_by(wanted: str, got: str, how: str) -> None:
    assert difference(wanted, got) == f"event-key-{how}"


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("Order Completed", "Order Completed"),
        ("Order Completed", "Order Complete"),
        ("Order Completed", "Orders Completed"),
        ("Order Completed", ""),
        ("", "Order Completed"),
        ("", ""),
        ("buy", "buy2"),
        ("buy", "statsig::buy"),
    ],
)
def test_one_name_and_two_names_are_no_spellings(wanted: str, got: str) -> None:
    assert difference(wanted, got) is None
