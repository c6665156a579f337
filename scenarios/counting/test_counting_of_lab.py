"""A lab counts as requests come: read on, reset, evicted, tried again, configured anew, asked by several at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from small_lab import (
    AT,
    LAUNCHDARKLY,
    STATSIG,
    bulk,
    conditions,
    custom,
    feature,
    impression,
    send,
    track,
    workspace,
)

from trackside.errors import TracksideError
from trackside.lab import Lab

COUNTED = ("banner-test", ["counted"])
NewLab = Callable[..., Lab]


def orders(lab: Lab) -> tuple[int, int, int]:
    """Return the units of LaunchDarkly's experiment, the events that it looked at, and those that counted."""
    [found] = lab.counting.results("launchdarkly")
    return sum(one.units for one in found.variations), found.events, found.counted


# ---- reading on


def test_what_comes_between_two_questions_is_read(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    assert orders(lab) == (0, 0, 0)
    bulk(lab, feature("u-1"))
    assert orders(lab) == (1, 0, 0)
    track(lab)
    assert orders(lab) == (1, 1, 1)
    assert orders(lab) == (1, 1, 1)
    bulk(lab, feature("u-2"), custom("u-2"))
    assert orders(lab) == (2, 2, 2)


def test_each_row_is_read_once(new_lab: NewLab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = new_lab(workspace())
    counting, read = lab.counting, []
    taking = counting.take
    monkeypatch.setattr(counting, "take", lambda row: (read.append(row.seq), taking(row)))

    for _ in range(3):
        bulk(lab, feature("u-1"))
        orders(lab)
        orders(lab)

    assert read == [1, 2, 3]


def test_a_first_question_counts_all_that_came_before(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    track(lab)

    assert conditions(lab, user="u-1") == [COUNTED]


# ---- forgetting


def test_after_a_reset_nothing_of_before_is_counted(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    track(lab)
    track(lab, "Never Used")
    send(lab, "launchdarkly", "/bulk", [], authorization="wrong")
    assert orders(lab) == (1, 1, 1)

    lab.reset()

    assert orders(lab) == (0, 0, 0)
    assert lab.counting.audit("lab").findings == []


@pytest.mark.rule("trackside.audit.refused", "trackside.audit.unused-event")
def test_after_a_reset_and_one_request_nothing_of_before_is_told(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    track(lab, "Never Used")
    track(lab, "order completed", messageId="m-2")
    send(lab, "launchdarkly", "/bulk", [], authorization="wrong")
    before = {one.code.rpartition(".")[2] for one in lab.counting.audit("lab").findings}
    assert before >= {"refused", "unused-event", "event-key-case"}

    lab.reset()
    bulk(lab, feature("u-1"))

    after = {one.code.rpartition(".")[2] for one in lab.counting.audit("lab").findings}
    assert after.isdisjoint(before)
    assert orders(lab) == (1, 0, 0)


def test_what_the_journal_no_longer_holds_is_counted_no_longer(new_lab: NewLab) -> None:
    lab = new_lab(workspace(), limit=4)
    for number in range(3):
        bulk(lab, feature(f"u-{number}"))
    assert orders(lab) == (3, 0, 0)

    for number in range(3):
        bulk(lab, custom(f"u-{number}"))

    assert orders(lab) == (1, 3, 1)


def test_more_than_the_journal_holds_may_come_between_two_questions(new_lab: NewLab) -> None:
    lab = new_lab(workspace(), limit=3)
    bulk(lab, feature("u-0"))
    assert orders(lab) == (1, 0, 0)

    for number in range(1, 9):
        bulk(lab, feature(f"u-{number}"), custom(f"u-{number}"))

    assert orders(lab) == (3, 3, 3)


# ---- deliveries


@pytest.mark.rule("trackside.audit.dropped", "segment.delivery.retry")
def test_a_delivery_that_waits_for_a_retry_does_not_count_until_it_is_made(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    lab.launchdarkly.fail(500)
    track(lab)
    lab.settle()
    assert conditions(lab, message_id="m-1") == [("banner-test", ["dropped"])]

    lab.advance(3600)

    assert conditions(lab, message_id="m-1") == [COUNTED]
    assert orders(lab) == (1, 1, 1)
    assert [one.code for one in lab.counting.audit("lab").findings] == []


@pytest.mark.rule("launchdarkly.counting.arrival")
def test_a_delivery_that_is_made_later_arrives_later(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    lab.launchdarkly.fail(500)
    track(lab)
    lab.settle()
    lab.advance(1)
    bulk(lab, feature("u-1"))

    lab.advance(3600)

    assert conditions(lab, user="u-1") == [COUNTED]


@pytest.mark.rule("trackside.audit.dropped", "segment.delivery.refused")
def test_a_delivery_that_is_refused_for_good_names_the_refusal(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    lab.launchdarkly.fail(404)
    track(lab)
    lab.settle()

    [found] = lab.counting.verdicts(user="u-1")

    assert [(one.condition, one.rule) for one in found.unmet] == [("dropped", "segment.delivery.refused")]
    assert (found.unit, found.message_id, found.at) == ("u-1", "m-1", "2026-01-02T03:00:00.000Z")


def test_deliveries_over_http_count_once_and_know_their_message(new_lab: NewLab) -> None:
    lab = new_lab(workspace("ld", "fme"), deliveries="http").start()
    bulk(lab, feature("u-1"))
    impression(lab, "u-1")
    track(lab, anonymousId="a-1")
    lab.settle()

    assert orders(lab) == (1, 1, 1)
    assert lab.counting.results("split", "menu-test")[0].counted == 1
    assert conditions(lab, message_id="m-1")[:2] == [COUNTED, ("menu-test", ["counted"])]
    assert [one.message_id for one in lab.counting.verdicts(user="u-1", vendor="launchdarkly")] == ["m-1"]


@pytest.mark.rule("segment.dedup")
def test_a_message_that_is_sent_twice_counts_once(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    track(lab)
    track(lab)

    assert orders(lab) == (1, 1, 1)


@pytest.mark.rule("launchdarkly.events.payload-id")
def test_a_batch_that_an_sdk_sends_again_counts_once(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    for _ in range(2):
        body = [feature("u-1"), custom("u-1")]
        send(lab, "launchdarkly", "/bulk", body, authorization="sdk-local", **{"x-launchdarkly-payload-id": "p-1"})

    assert orders(lab) == (1, 1, 1)


# ---- messages


def test_a_message_is_judged_for_each_destination(new_lab: NewLab) -> None:
    lab = new_lab(workspace("fme", "statsig", "ld"))
    bulk(lab, feature("u-1"))
    for number in range(3):
        track(lab, messageId=f"m-{number}")

    found = conditions(lab, message_id="m-1")

    assert sorted(found) == [COUNTED, ("checkout", ["not-exposed"]), ("menu-test", ["not-exposed"])]
    assert {one.message_id for one in lab.counting.verdicts(message_id="m-1")} == {"m-1"}


def test_each_message_of_a_batch_is_judged_by_itself(new_lab: NewLab) -> None:
    lab = new_lab(workspace("fme", "ld"))
    bulk(lab, feature("u-1"))
    calls = [
        {"type": "track", "event": "Order Completed", "userId": f"u-{number}", "messageId": f"m-{number}"}
        for number in range(3)
    ]
    send(lab, "segment", "/v1/batch", {"writeKey": "wk_web", "batch": calls})

    found = {number: dict(conditions(lab, message_id=f"m-{number}"))["banner-test"] for number in range(3)}

    assert found == {0: ["unknown-id"], 1: ["counted"], 2: ["unknown-id"]}
    assert [one.message_id for one in lab.counting.verdicts(user="u-2", vendor="launchdarkly")] == ["m-2"]


@pytest.mark.rule("trackside.audit.dropped", "segment.filter.drop")
def test_a_message_that_a_filter_drops_names_the_filter(new_lab: NewLab) -> None:
    wired = workspace()
    filters = [{"if": 'event = "Order Completed"', "actions": [{"type": "drop"}]}]
    wired["segment"]["destinations"]["ld"] = {**wired["segment"]["destinations"]["ld"], "filters": filters}
    lab = new_lab(wired)
    track(lab)

    [found] = lab.counting.verdicts(message_id="m-1")

    assert [(one.condition, one.rule) for one in found.unmet] == [("dropped", "segment.filter.drop")]


@pytest.mark.rule("trackside.audit.dropped")
@pytest.mark.parametrize(("kind", "ended"), [("identify", []), ("track", [("checkout", ["dropped"])])])
def test_only_calls_that_become_metric_events_can_be_missed(new_lab: NewLab, kind: str, ended: Any) -> None:
    wired = workspace("statsig")
    filters = [{"if": 'userId = "u-1"', "actions": [{"type": "drop"}]}]
    wired["segment"]["destinations"]["statsig"] = {**wired["segment"]["destinations"]["statsig"], "filters": filters}
    lab = new_lab(wired)
    call = {"writeKey": "wk_web", "type": kind, "userId": "u-1", "messageId": "m-1", "event": "Signed Up"}
    send(lab, "segment", f"/v1/{kind}", call)

    assert conditions(lab, user="u-1") == ended


@pytest.mark.rule("trackside.audit.dropped")
@pytest.mark.parametrize(("kind", "ended"), [("identify", []), ("track", [("checkout", ["dropped"])])])
def test_only_calls_that_become_metric_events_can_be_discarded(new_lab: NewLab, kind: str, ended: Any) -> None:
    lab = new_lab(workspace("statsig"))
    nobody = {"writeKey": "wk_web", "type": kind, "messageId": "m-1", "event": "Signed Up"}
    send(lab, "segment", f"/v1/{kind}", nobody)

    assert conditions(lab, message_id="m-1") == ended


def test_a_message_that_never_came_is_said_so(new_lab: NewLab) -> None:
    lab = new_lab(workspace())

    with pytest.raises(TracksideError, match="m-9"):
        list(lab.counting.verdicts(message_id="m-9"))


# ---- ids


@pytest.mark.rule("split.counting.traffic-type")
def test_the_twin_that_split_makes_for_another_traffic_type_is_not_told_beside_the_one_that_counts(
    new_lab: NewLab,
) -> None:
    lab = new_lab(workspace("fme"))
    track(lab, userId="u-1", anonymousId="a-1")
    assert conditions(lab, user="u-1") == [("menu-test", ["not-exposed"])]


@pytest.mark.rule("split.counting.traffic-type")
def test_an_event_that_has_only_the_other_traffic_type_is_told(new_lab: NewLab) -> None:
    lab = new_lab(workspace("fme"))
    track(lab, userId=None, anonymousId="a-1")
    [(name, told)] = conditions(lab, user="a-1")
    assert (name, told[0]) == ("menu-test", "unit-type")


@pytest.mark.rule("trackside.audit.id-of-other-type")
def test_exposures_of_the_anonymous_id_and_events_of_the_user_id_never_meet(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("a-1"))
    track(lab, anonymousId="a-1")

    [found] = lab.counting.verdicts(user="u-1")

    assert [one.condition for one in found.unmet] == ["id-of-other-type"]
    assert found.unmet[0].text == ('the event counts for "u-1" (userId), and exposures have the anonymousId "a-1"')
    assert [one.unit for one in lab.counting.verdicts(user="a-1")] == ["u-1"]


@pytest.mark.parametrize("unit", ["é💥", " u 1 ", "o'brien", "u" * 100_000], ids=["emoji", "blanks", "quote", "long"])
def test_any_id_is_counted_and_found(new_lab: NewLab, unit: str) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature(unit), custom(unit))

    assert conditions(lab, user=unit) == [COUNTED]
    assert orders(lab) == (1, 1, 1)


@pytest.mark.parametrize("unit", ["", 42, None, [1], {}, True, 1.5])
def test_ids_that_are_no_text_break_nothing(new_lab: NewLab, unit: Any) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature(unit), custom(unit), feature("u-1"), custom("u-1"))
    user = {"userID": unit, "customIDs": {"companyID": unit}}
    send(
        lab,
        "statsig",
        "/v1/log_event",
        {"events": [{"eventName": "buy", "user": user, "time": AT}]},
        **{"statsig-api-key": "secret-local"},
    )

    assert COUNTED in conditions(lab, user="u-1")
    lab.counting.audit("lab")


@pytest.mark.parametrize("moment", [0, -1, 1.5, 2**63, 10**30, 1e300, "soon", None])
def test_a_moment_that_is_none_breaks_nothing(new_lab: NewLab, moment: Any) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), custom("u-2", creationDate=moment), custom("u-1"))

    assert conditions(lab, user="u-1") == [COUNTED]
    lab.counting.audit("lab")


# ---- what is wired, as it stands


def test_another_workspace_counts_all_that_came_by_its_own_metrics(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    track(lab, "Signed Up", properties={"plan": "gold"})
    assert orders(lab) == (1, 0, 0)

    metrics = {"orders": {"event_key": "Signed Up"}}
    lab.configure(workspace(launchdarkly={**LAUNCHDARKLY, "metrics": metrics}))

    assert orders(lab) == (1, 1, 1)


def test_a_metric_that_reads_values_reads_those_of_events_that_came_before_it(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), custom("u-1", metricValue=2.5), custom("u-1", metricValue=4))
    assert orders(lab) == (1, 2, 2)

    numeric = {"event_key": "Order Completed", "is_numeric": True, "unit_aggregation_type": "sum"}
    lab.configure(workspace(launchdarkly={**LAUNCHDARKLY, "metrics": {"orders": numeric}}))

    [found] = lab.counting.results("launchdarkly")
    assert [one.metrics["orders"].total for one in found.variations] == [0, 6.5]


@pytest.mark.rule("launchdarkly.counting.iteration")
def test_an_experiment_that_an_api_stops_and_starts_counts_by_its_iterations(new_lab: NewLab) -> None:
    lab, api = new_lab(workspace()), LaunchDarklyApi()
    bulk(lab, feature("u-1"))
    track(lab, messageId="m-1")
    lab.advance(60)
    api.stop(lab)
    lab.advance(60)
    track(lab, messageId="m-2")

    assert conditions(lab, user="u-1") == [COUNTED, ("banner-test", ["outside-iteration"])]

    api.start(lab)
    lab.advance(60)
    track(lab, messageId="m-3")

    assert conditions(lab, user="u-1")[2:] == [("banner-test", ["outside-iteration"])]
    assert orders(lab)[0] == 0

    lab.advance(1)
    bulk(lab, feature("u-1", 0))
    track(lab, messageId="m-4")

    assert conditions(lab, message_id="m-3") == [("banner-test", ["before-exposure"])]
    assert conditions(lab, message_id="m-4") == [COUNTED]
    assert orders(lab) == (1, 3, 1)


class LaunchDarklyApi:
    """Stops ``banner-test`` by the REST API, and starts another iteration of it."""

    path = "/api/v2/projects/default/environments/production/experiments/banner-test"

    def stop(self, lab: Lab) -> None:
        winner = self._shown(lab)["treatments"][0]["_id"]
        self._change(lab, {"kind": "stopIteration", "winningTreatmentId": winner, "winningReason": "done"})

    def start(self, lab: Lab) -> None:
        shown, asked = self._shown(lab), ("name", "baseline", "allocationPercent", "parameters")
        treatments = [{name: one[name] for name in asked} for one in shown["treatments"]]
        metrics = {"metrics": [{"key": "orders"}], "primarySingleMetricKey": "orders"}
        flags = {"banner": {"ruleId": "fallthrough", "flagConfigVersion": 1}}
        posted = {"hypothesis": "More orders", **metrics, "treatments": treatments, "flags": flags}
        answer = send(lab, "launchdarkly", f"{self.path}/iterations", posted, authorization="api-token")
        assert answer.status == 200, answer.body
        self._change(lab, {"kind": "startIteration", "changeJustification": "once more"})

    def _shown(self, lab: Lab) -> Any:
        answer = send(lab, "launchdarkly", self.path, b"", "GET", authorization="api-token")
        return json.loads(answer.body)["currentIteration"]

    def _change(self, lab: Lab, instruction: dict[str, Any]) -> None:
        headers = {
            "authorization": "api-token",
            "content-type": "application/json; domain-model=launchdarkly.semanticpatch",
        }
        answer = send(lab, "launchdarkly", self.path, {"instructions": [instruction]}, "PATCH", **headers)
        assert answer.status == 200, answer.body


def test_a_metric_that_an_api_makes_counts_what_came_before(new_lab: NewLab) -> None:
    experiments = {"banner-test": {"flag": "banner", "metrics": ["orders"]}}
    lab = new_lab(workspace(launchdarkly={**LAUNCHDARKLY, "experiments": experiments}))
    bulk(lab, feature("u-1"), custom("u-1", "Signed Up"))
    assert conditions(lab, user="u-1", experiment="banner-test") == [("banner-test", ["metric-event"])]

    metric = {"key": "signups", "kind": "custom", "isNumeric": False, "eventKey": "Signed Up"}
    answer = send(lab, "launchdarkly", "/api/v2/metrics/default", metric, authorization="api-token")

    assert answer.status == 201
    assert conditions(lab, user="u-1", experiment="banner-test") == [("banner-test", ["metric-attached"])]


# ---- what is asked


def test_events_of_a_name_are_judged_alone(new_lab: NewLab) -> None:
    lab = new_lab(workspace("statsig"))
    track(lab, messageId="m-1")
    track(lab, "Signed Up", messageId="m-2")

    assert [one.event for one in lab.counting.verdicts(user="u-1", event="Signed Up")] == ["segment::Signed Up"]
    assert list(lab.counting.verdicts(user="u-1", event="Nothing")) == []


def test_events_of_another_spelling_are_judged_where_there_are_none_of_the_name(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), custom("u-1", "order completed"))
    assert conditions(lab, user="u-1", event="Order Completed") == [("banner-test", ["event-key-case"])]

    bulk(lab, custom("u-1"))

    assert conditions(lab, user="u-1", event="Order Completed") == [COUNTED]


def test_what_is_read_is_not_remembered_a_second_time(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    track(lab)
    lab.counting.results()

    assert lab.journeys_of._cache == {}  # noqa: SLF001 - thousands of journeys are hundreds of megabytes


def test_an_event_that_no_metric_takes_is_judged_where_an_experiment_is_named(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), custom("u-1", "Signed Up"))

    assert conditions(lab, user="u-1") == []
    assert conditions(lab, user="u-1", experiment="banner-test") == [("banner-test", ["metric-event"])]


def test_an_unknown_experiment_names_the_one_that_is_near(new_lab: NewLab) -> None:
    lab = new_lab(workspace())

    with pytest.raises(TracksideError) as raised:
        lab.counting.results("launchdarkly", "baner-test")

    assert (raised.value.what, raised.value.where) == ("there is no experiment 'baner-test'", "launchdarkly")
    assert raised.value.fix == "did you mean 'banner-test'?"


def test_an_unknown_experiment_with_nothing_near_names_those_there_are(new_lab: NewLab) -> None:
    lab = new_lab(workspace())

    with pytest.raises(TracksideError, match="known are: menu-test"):
        lab.counting.results("split", "zzz")
    with pytest.raises(TracksideError, match="not in 'staging'"):
        lab.counting.results("launchdarkly", "banner-test", "staging")


def test_nobody_is_nobody(new_lab: NewLab) -> None:
    lab = new_lab(workspace())

    with pytest.raises(TracksideError, match="name a user, or a message"):
        list(lab.counting.verdicts())
    assert list(lab.counting.verdicts(user="\ud800")) == []
    assert list(lab.counting.verdicts(user="nobody")) == []


def test_statsigs_experiment_counts_by_its_sdks_exposures(new_lab: NewLab) -> None:
    lab = new_lab(workspace("statsig", statsig={**STATSIG, "exposure_join": "timestamp"}))
    exposure = {
        "eventName": "statsig::config_exposure",
        "user": {"userID": "u-1"},
        "time": AT - 1000,
        "metadata": {"config": "checkout", "ruleID": "test"},
    }
    key = {"statsig-api-key": "secret-local"}
    send(lab, "statsig", "/v1/log_event", {"events": [exposure]}, **key)
    track(lab)

    [found] = lab.counting.verdicts(user="u-1")

    assert (found.outcome, found.variations) == ("counted", ("test",))


@pytest.mark.rule("statsig.counting.period", "statsig.counting.exposure-first")
def test_statsig_counts_no_event_of_before_a_new_start_though_the_exposure_is_of_that_day(new_lab: NewLab) -> None:
    lab = new_lab(workspace("statsig", statsig={**STATSIG, "console_key": "console-local"}))

    def sent(name: str, **more: Any) -> dict[str, Any]:
        return {"eventName": name, "user": {"userID": "u-1"}, "time": round(lab.clock.now() * 1000), **more}

    def log(*events: dict[str, Any]) -> None:
        send(lab, "statsig", "/v1/log_event", {"events": events}, **{"statsig-api-key": "secret-local"})
        lab.advance(60)

    log(sent("order"))
    for action in ("reset", "start"):
        path = f"/console/v1/experiments/checkout/{action}"
        assert send(lab, "statsig", path, {}, "PUT", **{"statsig-api-key": "console-local"}).status == 200
        lab.advance(60)
    log(sent("statsig::config_exposure", metadata={"config": "checkout", "ruleID": "test"}))
    log(sent("order"))

    assert conditions(lab, user="u-1") == [("checkout", ["outside-iteration"]), ("checkout", ["counted"])]
    assert [one.counted for one in lab.counting.results("statsig")] == [1]


# ---- several ask at once


def test_a_question_that_is_not_read_to_its_end_holds_up_nobody(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), custom("u-1"), custom("u-1"))
    begun = lab.counting.verdicts(user="u-1")
    next(begun)

    asking = threading.Thread(target=lab.counting.results, daemon=True)
    asking.start()
    asking.join(5)

    assert not asking.is_alive()
    assert len(list(begun)) == 1


def test_verdicts_go_on_though_the_lab_is_reset_or_configured_meanwhile(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"), *[custom("u-1", metricValue=1) for _ in range(4)])
    begun = lab.counting.verdicts(user="u-1")
    first = next(begun)

    numeric = {"event_key": "Order Completed", "is_numeric": True}
    lab.configure(workspace(launchdarkly={**LAUNCHDARKLY, "metrics": {"orders": numeric}}))
    lab.counting.results()
    second = next(begun)
    lab.reset()
    lab.counting.results()

    assert [one.counted for one in (first, second, *begun)] == [True] * 4


def test_several_may_ask_while_requests_come(new_lab: NewLab) -> None:
    lab = new_lab(workspace("ld", "fme"))
    stop, faults = threading.Event(), list[BaseException]()

    def asking() -> None:
        try:
            while not stop.is_set():
                list(islice(lab.counting.verdicts(user="u-1"), 3))
                lab.counting.results()
                lab.counting.audit("lab")
        except BaseException as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    threads = [threading.Thread(target=asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(30):
        bulk(lab, feature(f"u-{number}"), custom(f"u-{number}"))
        track(lab, userId=f"u-{number}", messageId=f"m-{number}")
        if number == 15:
            lab.configure(workspace("ld", launchdarkly={**LAUNCHDARKLY, "metrics": {"orders": {"event_key": "buy"}}}))
            lab.configure(workspace("ld"))
    stop.set()
    for thread in threads:
        thread.join()

    assert faults == []
    assert orders(lab) == (30, 60, 60)


# ---- events that a vendor drops of what is posted to it


def test_an_event_that_statsig_drops_by_its_name_is_told_with_the_reason(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    send(
        lab,
        "statsig",
        "/v1/log_event",
        {"events": [{"eventName": "a;b", "user": {"userID": "u-1"}}]},
        **{"statsig-api-key": "secret-local"},
    )

    [found] = lab.counting.verdicts(user="u-1", vendor="statsig")

    assert [(one.condition, one.rule) for one in found.unmet] == [("dropped", "statsig.in.name-characters")]
    assert "the event ended on its way" in found.unmet[0].text


def test_an_event_that_split_drops_of_its_events_api_is_told_by_verdict_and_audit(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    post = {"eventTypeId": "Order Completed", "trafficTypeName": "user", "key": "u-1", "timestamp": AT}
    send(lab, "split", "/api/events/bulk", [post], authorization="Bearer split-key")

    assert conditions(lab, user="u-1") == [("menu-test", ["dropped"])]
    told = [one for one in lab.counting.audit("lab").findings if one.code == "trackside.audit.dropped"]
    assert [(one.level, one.known_by) for one in told] == [("strict", "split.events.name")]


def test_a_custom_event_without_a_context_is_told_as_dropped(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, {"kind": "custom", "key": "Order Completed", "creationDate": AT})

    told = [one for one in lab.counting.audit("lab").findings if one.code == "trackside.audit.dropped"]
    assert [(one.level, one.known_by) for one in told] == [("strict", "launchdarkly.events.context")]


def test_results_are_made_once_until_something_changes(new_lab: NewLab) -> None:
    lab = new_lab(workspace())
    bulk(lab, feature("u-1"))
    [before] = lab.counting.results("launchdarkly")
    assert lab.counting.results("launchdarkly")[0] is before
    track(lab)
    [after] = lab.counting.results("launchdarkly")
    assert (before.counted, after.counted) == (0, 1)
