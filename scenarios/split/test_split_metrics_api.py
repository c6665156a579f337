"""The v4 API's metrics: as the published CLI makes, lists and changes them, and as they are counted then."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import Lab
from trackside.split.admin_state import id_of
from trackside.split.counting import COUNTING

WORKSPACE = {
    "split": {
        "admin_key": "admin-local",
        "environments": {"production": {"sdk_key": "sdk-local"}},
        "traffic_types": ["user", "account"],
        "flags": {"banner": {"treatments": ["blue", "plain"], "serve": {"blue": 60, "plain": 40}}},
        "metrics": {"paid": {"event_type": "checkout", "description": "Whether a key pays"}},
    }
}
V4 = "/fme/api/v4"
SCOPE = "account_id=acct&organization_identifier=default&project_identifier=shop"
REVENUE: dict[str, Any] = {
    "name": "revenue",
    "trafficType": "user",
    "format": "DOLLAR",
    "aggregation": "TOTAL",
    "isPositive": True,
    "baseEventTypes": [{"eventTypeId": "checkout", "propertyForValue": "amount"}],
    "tags": [{"name": "shop"}],
    "owners": [{"type": "USER", "email": "ada@example.com"}],
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def make(ask: Any) -> Any:
    """Return a function that makes a metric and gives it as it stands."""

    def of(**more: Any) -> dict[str, Any]:
        answer = ask("POST", f"{V4}/metrics", "v4-metric-change", json={**REVENUE, **more})
        assert answer.status == 201
        entity: dict[str, Any] = answer.json()["entity"]
        return entity

    return of


@pytest.fixture
def refused(ask: Any) -> Any:
    """Return a function that gives the status, message and advice of a call that is refused."""

    def of(method: str, path: str, **more: Any) -> tuple[int, str, str]:
        told = ask(method, V4 + path, "admin-error", **more).json()
        return told["code"], told["message"], told["details"]

    return of


def counted(lab: Lab) -> dict[str, Any]:
    live = lab.split.live
    return {one.key: one for one in COUNTING.metrics(live.settings, live)}


# ---- made


@pytest.mark.rule("split.v4.metrics", "split.v4.answers")
def test_a_metric_that_is_made_is_answered_as_it_stands(make: Any) -> None:
    made = make()

    assert made.pop("createdAt")
    assert made == {
        "id": id_of("metric", "revenue"),
        "name": "revenue",
        "description": "",
        "trafficType": {"id": id_of("trafficType", "user"), "name": "user"},
        "format": "DOLLAR",
        "aggregation": "TOTAL",
        "isPositive": True,
        "spread": "PER",
        "baseEventTypes": [{"eventTypeId": "checkout", "propertyForValue": "amount", "propertyFilters": []}],
        "cap": None,
        "tags": [{"id": id_of("tag", "shop"), "name": "shop"}],
        "owners": [{"id": "ada@example.com", "type": "USER", "name": "ada@example.com"}],
        "status": "ACTIVE",
    }


@pytest.mark.rule("split.v4.metrics")
def test_it_is_counted(make: Any, trackside: Lab) -> None:
    make()

    found = counted(trackside)["revenue"]
    assert (found.event, found.units, found.measure, found.value) == ("checkout", ("user",), "sum", ("properties", "amount"))  # fmt: skip
    assert found.place == "/fme/api/v4/metrics"


@pytest.mark.rule("split.v4.metrics")
def test_what_the_cli_sends_as_text_is_taken(make: Any) -> None:
    made = make(isPositive="true", cap={"metricValueCap": "100", "granularity": "DAYS"})

    assert (made["isPositive"], made["cap"]) == (True, {"metricValueCap": "100", "granularity": "DAYS"})


@pytest.mark.rule("split.v4.metrics")
def test_a_cap_is_kept_with_a_note_that_it_is_not_applied(make: Any, found: Any) -> None:
    make(cap={"baseEventSumCap": 100})

    assert found() == [("split.v4.metrics", "note", "$.cap")]


@pytest.mark.rule("split.v4.metrics")
def test_a_rate_is_a_percentage(make: Any) -> None:
    assert make(aggregation="RATE", format="NUMBER")["format"] == "PERCENTAGE"


@pytest.mark.rule("split.v4.metrics", "split.admin.ids")
def test_the_traffic_type_can_be_given_by_its_id(make: Any) -> None:
    assert make(trafficType=id_of("trafficType", "account"))["trafficType"]["name"] == "account"


@pytest.mark.rule("split.v4.metrics", "split.admin.errors")
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"name": "paid"}, (409, "the metric 'paid' exists already")),
        (
            {"aggregation": "COUNT", "baseEventTypes": [{"eventTypeId": "checkout"}]},
            (409, "the metric 'paid' has the same definition"),
        ),
        ({"trafficType": "planet"}, (400, "there is no traffic type 'planet'")),
        ({"aggregation": "SUM"}, (400, 'aggregation is "SUM"')),
    ],
)
def test_a_metric_that_cannot_be_is_refused(more: dict[str, Any], told: tuple[int, str], refused: Any) -> None:
    status, message, fix = refused("POST", "/metrics", json={**REVENUE, **more})

    assert (status, message) == told
    assert fix


@pytest.mark.rule("split.counting.second-event", "split.counting.filters")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"filterEventType": {"eventTypeId": "signup", "filterAggregation": "RATE"}}, "metrics of several events are not emulated"),
        ({"triggerEventType": {"eventTypeId": "signup"}}, "metrics of several events are not emulated"),
        ({"baseEventTypes": [{"eventTypeId": "a"}, {"eventTypeId": "b"}]}, "metrics of several events are not emulated"),
        (
            {"baseEventTypes": [{"eventTypeId": "a", "propertyFilters": [{"property": "p", "operator": "MATCHES", "values": ["("]}]}]},
            "the pattern '(' cannot be compiled: missing ), unterminated subpattern at position 0",
        ),
    ],
)  # fmt: skip
def test_a_metric_that_could_not_be_counted_is_refused(more: dict[str, Any], message: str, refused: Any) -> None:
    assert refused("POST", "/metrics", json={**REVENUE, **more})[:2] == (400, message)


@pytest.mark.rule("split.v4.path", "split.admin.key")
@pytest.mark.parametrize(
    ("headers", "status"),
    [({"x-api-key": "admin-local"}, 200), ({"x-api-key": "another"}, 401), ({}, 401)],
)
def test_the_admin_key_opens_it(headers: dict[str, str], status: int, ask: Any) -> None:
    assert ask("GET", f"{V4}/metrics?{SCOPE}", headers=headers).status == status


# ---- read


@pytest.mark.rule("split.v4.metrics")
def test_a_declared_metric_is_there_as_if_it_had_been_made(ask: Any) -> None:
    found = ask("GET", f"{V4}/metrics/{id_of('metric', 'paid')}?{SCOPE}", "v4-metric").json()

    assert (found["name"], found["description"], found["createdAt"]) == ("paid", "Whether a key pays", "1970-01-01T00:00:00.000Z")  # fmt: skip


@pytest.mark.rule("split.v4.metrics", "split.admin.errors")
def test_a_metric_that_is_not_there_is_404(refused: Any) -> None:
    assert refused("GET", "/metrics/none")[:2] == (404, "there is no metric 'none'")


@pytest.mark.rule("split.v4.paging")
def test_a_list_has_pages(make: Any, ask: Any) -> None:
    make()

    first = ask("GET", f"{V4}/metrics?limit=1", "v4-metrics").json()
    second = ask("GET", f"{V4}/metrics?limit=1&offset=1", "v4-metrics").json()
    assert [one["name"] for one in (*first["data"], *second["data"])] == ["paid", "revenue"]
    assert (first["limit"], second["offset"], first["totalCount"]) == (1, 1, 2)


@pytest.mark.rule("split.v4.paging")
def test_a_list_can_be_turned_round(make: Any, ask: Any) -> None:
    make()

    found = ask("GET", f"{V4}/metrics?sort_order=DESCENDING", "v4-metrics").json()
    assert [one["name"] for one in found["data"]] == ["revenue", "paid"]
    assert (found["limit"], found["offset"]) == (100, 0)


@pytest.mark.rule("split.v4.metrics")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=REV", ["revenue"]),
        ("event_type_ids=renewal", ["revenue"]),
        ("tags=shop", ["revenue"]),
        ("traffic_type_id=account", ["revenue"]),
        (f"traffic_type_id={id_of('trafficType', 'user')}", ["paid"]),
        (f"ids={id_of('metric', 'paid')},{id_of('metric', 'revenue')}", ["paid", "revenue"]),
        ("name=paid&tags=shop", []),
    ],
)
def test_a_list_is_chosen_from(query: str, names: list[str], make: Any, ask: Any) -> None:
    make(trafficType="account", baseEventTypes=[{"eventTypeId": "renewal"}])

    found = ask("GET", f"{V4}/metrics?{query}", "v4-metrics").json()["data"]
    assert [one["name"] for one in found] == names


# ---- changed and deleted


@pytest.mark.rule("split.v4.patch")
def test_a_patch_changes_what_it_names_and_takes_away_what_is_null(make: Any, ask: Any) -> None:
    made = make(cap={"baseEventSumCap": 100, "granularity": "DAYS"})
    patch = {"description": "What a key pays", "tags": None, "cap": {"baseEventSumCap": 50}}

    headers = {"x-api-key": "admin-local", "Content-Type": "application/merge-patch+json"}
    answer = ask("PATCH", f"{V4}/metrics/{made['id']}", "v4-metric-change", headers, json=patch)
    expected = {"description": "What a key pays", "tags": [], "cap": {"baseEventSumCap": 50, "granularity": "DAYS"}}
    assert answer.json()["entity"] == {**made, **expected}


@pytest.mark.rule("split.v4.patch", "split.v4.metrics")
def test_a_declared_metric_is_changed_and_counted_as_changed(ask: Any, trackside: Lab) -> None:
    ask("PATCH", f"{V4}/metrics/{id_of('metric', 'paid')}", "v4-metric-change", json={"aggregation": "RATE"})

    assert counted(trackside)["paid"].measure == "conversion"
    trackside.reset()
    assert counted(trackside)["paid"].measure == "count"


@pytest.mark.rule("split.v4.patch")
@pytest.mark.parametrize(
    "patch", [{"name": "income"}, {"trafficType": "account"}, {"format": None}, {"aggregation": None}]
)
def test_what_a_metric_keeps_cannot_be_changed(patch: dict[str, Any], make: Any, ask: Any, refused: Any) -> None:
    made = make()

    assert refused("PATCH", f"/metrics/{made['id']}", json=patch)[0] == 400
    assert ask("GET", f"{V4}/metrics/{made['id']}").json() == made


@pytest.mark.rule("split.v4.answers", "split.v4.metrics")
def test_a_deleted_metric_is_gone(make: Any, ask: Any, trackside: Lab) -> None:
    made = make()

    for name in (made["id"], id_of("metric", "paid")):
        assert ask("DELETE", f"{V4}/metrics/{name}", "v4-deleted").json() == {"governance": None}
    assert counted(trackside) == {}
    assert ask("GET", f"{V4}/metrics").json()["totalCount"] == 0
