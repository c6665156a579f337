"""The identity lint across calls: ids that change, that everybody has, and that flag SDKs do not know."""

from __future__ import annotations

import pytest

from trackside.validation import identity
from trackside.validation.flag_ids import ids_of
from trackside.validation.identity import Identities, IdentityLint, Latest
from trackside.validation.options import Options


def call(user=None, anonymous=None, **fields):
    ids = {"userId": user, "anonymousId": anonymous}
    return {"type": "track", "event": "E", **{name: value for name, value in ids.items() if value}, **fields}


def alias(before, user, **fields):
    return {"type": "alias", "previousId": before, "userId": user, **fields}


def identities(pairs: dict[tuple[str | None, str | None], int]) -> Identities:
    """Return the ids of a part that has these pairs, each on its line."""
    found = Identities()
    for (user, anonymous), line in pairs.items():
        found.take({"userId": user, "anonymousId": anonymous}, line)
    return found


@pytest.fixture
def told(judged):
    """Return a function that gives code, line and place of each finding on payloads."""

    def run(*payloads, **options):
        found = judged(Options(**options), *payloads)
        assert {finding.level for finding in found.findings} <= {"warn"}
        return [(finding.code, finding.line, finding.at) for finding in found.findings]

    return run


# ---- a userId that changes


@pytest.mark.rule("trackside.identity.user-changes")
def test_a_userid_that_changes_while_the_anonymousid_stays_is_told_where_it_does(told):
    calls = [call(None, "a-7"), call("user-7", "a-7"), call("user-8", "a-7"), call("user-8", "a-7")]

    assert told(*calls) == [("trackside.identity.user-changes", 3, "$.userId")]


@pytest.mark.rule("trackside.identity.user-changes")
def test_the_change_names_all_three_ids(judged):
    found = judged(Options(), call("user-7", "a-7"), call("user-8", "a-7"))

    assert found.findings[0].message == (
        'the userId changes from "user-7" to "user-8" while the anonymousId "a-7" stays. $.userId. '
        "call reset() before another user logs in, or alias() where it is the same person."
    )


@pytest.mark.rule("trackside.identity.user-changes")
def test_a_user_who_logs_in_for_the_first_time_changes_nothing(told):
    assert told(call(None, "a-7"), call("user-7", "a-7"), call(None, "a-7"), call("user-7", "a-7")) == []


@pytest.mark.rule("trackside.identity.user-changes")
def test_another_user_after_a_reset_has_another_anonymousid(told):
    assert told(call("user-7", "a-7"), call("user-8", "a-8")) == []


@pytest.mark.rule("trackside.identity.user-changes")
def test_a_user_may_have_several_anonymousids(told):
    assert told(call("user-7", "a-7"), call("user-7", "a-8"), call("user-7", "a-9")) == []


@pytest.mark.rule("trackside.identity.user-changes")
def test_an_alias_call_joins_both_users(told):
    assert told(call("user-7", "a-7"), alias("user-7", "user-8"), call("user-8", "a-7")) == []


@pytest.mark.rule("trackside.identity.user-changes")
def test_a_change_is_found_across_the_parts_of_a_run():
    lint = IdentityLint()

    assert list(lint.take("one.ndjson", identities({("user-7", "a-7"): 1}))) == []
    ((place, problem),) = lint.take("two.ndjson", identities({("user-8", "a-7"): 5}))
    assert (place.file, place.line, problem.code) == ("two.ndjson", 5, "trackside.identity.user-changes")


# ---- an anonymousId of everybody


@pytest.mark.rule("trackside.identity.constant-anonymous-id")
def test_an_anonymousid_of_three_users_is_told_once_and_no_change_after_it(told):
    calls = [call(f"user-{number}", "device") for number in range(10)]

    assert told(*calls) == [
        ("trackside.identity.user-changes", 2, "$.userId"),
        ("trackside.identity.constant-anonymous-id", 3, "$.anonymousId"),
    ]


@pytest.mark.rule("trackside.identity.placeholder")
def test_a_placeholder_as_anonymousid_of_many_users_is_told_as_a_placeholder(judged):
    found = judged(Options(), *[call(f"user-{number}", "undefined") for number in range(3)])

    assert [finding.code for finding in found.findings] == ["trackside.identity.placeholder"] * 3


# ---- an anonymousId as userId


@pytest.mark.rule("trackside.identity.anonymous-as-user")
def test_a_userid_that_is_the_anonymousid_of_another_call_is_told_once(told):
    assert told(call(None, "a-7"), call("a-7"), call("a-7")) == [
        ("trackside.identity.anonymous-as-user", 2, "$.userId")
    ]


@pytest.mark.rule("trackside.identity.anonymous-as-user")
def test_an_anonymousid_that_is_the_userid_of_another_call_is_told_once(told):
    assert told(call("user-7"), call(None, "user-7"), call(None, "user-7")) == [
        ("trackside.identity.anonymous-as-user", 2, "$.anonymousId")
    ]


@pytest.mark.rule("trackside.identity.anonymous-as-user")
def test_a_call_that_has_it_twice_is_told_once(told):
    assert told(call("user-7", "user-7"), call("user-7", "user-7")) == [
        ("trackside.identity.anonymous-as-user", 1, "$.userId"),
        ("trackside.identity.anonymous-as-user", 2, "$.userId"),
    ]


@pytest.mark.rule("trackside.identity.placeholder")
def test_a_placeholder_as_both_is_told_as_a_placeholder_only(judged):
    found = judged(Options(), call("null", "a-7"), call("user-7", "null"))

    assert [finding.code for finding in found.findings] == ["trackside.identity.placeholder"] * 2


# ---- ids of flag SDKs


def finish(calls, flags):
    """Return what is told at the end of a run with these userIds, and these ids of flag SDKs."""
    lint = IdentityLint()
    pairs = {(user, None): line for line, user in enumerate(calls, 1)}
    assert list(lint.take("calls.ndjson", identities(pairs))) == []
    assert list(lint.take("flags.har", Identities(flags=dict.fromkeys(flags, 9)))) == []
    return [(place.file, place.line, problem.code, problem.text) for place, problem in lint.finish()]


@pytest.mark.rule("trackside.identity.flag-sdk")
@pytest.mark.parametrize(
    ("user", "flag"),
    [("User-7", "user-7"), ("7", "user-7"), ("auth0|ab", "ab"), ("ab", "auth0|ab"), ("ab", "u_ab"), ("ab", "AB ")],
)
def test_an_id_of_a_flag_sdk_that_is_almost_one_of_analytics_is_told_with_both(user, flag):
    assert finish([user], [("statsig", "userID", flag)]) == [
        (
            "flags.har",
            9,
            "trackside.identity.flag-sdk",
            f'the userID "{flag}" that statsig is asked with is "{user}" in analytics',
        )
    ]


@pytest.mark.rule("trackside.identity.flag-sdk")
@pytest.mark.parametrize(
    ("user", "flag"), [("user-7", "user-7"), ("user-7", "account-7"), ("u-7", "user-7"), ("a", "b")]
)
def test_an_id_that_is_the_same_or_another_tells_nothing(user, flag):
    assert finish([user], [("split", "key", flag)]) == []


@pytest.mark.rule("trackside.identity.flag-sdk")
def test_many_ids_of_flag_sdks_of_which_none_is_one_of_analytics_are_told_once():
    flags = [("split", "key", f"{number:032x}") for number in range(1, 11)]

    ((_, _, code, text),) = finish([f"user-{number}" for number in range(10)], flags)
    assert code == "trackside.identity.flag-sdk"
    assert text.startswith("none of the 10 ids that split is asked with, such as")


@pytest.mark.rule("trackside.identity.flag-sdk")
def test_many_ids_of_which_one_is_one_of_analytics_tell_nothing():
    flags = [("split", "key", f"{number:032x}") for number in range(1, 11)]

    assert finish([f"user-{number}" for number in range(10)], [*flags, ("split", "key", "user-3")]) == []


@pytest.mark.rule("trackside.identity.flag-sdk")
def test_ids_that_stand_for_no_person_need_not_be_in_analytics():
    flags = [("launchdarkly", "organization", f"{number:032x}") for number in range(1, 11)]

    assert finish([f"user-{number}" for number in range(10)], flags) == []


@pytest.mark.rule("trackside.identity.placeholder")
def test_a_flag_sdk_that_is_asked_with_no_id_of_anybody_is_told_once():
    lint = IdentityLint()
    undefined = {("launchdarkly", "user", "undefined"): 3}

    ((place, problem),) = lint.take("flags.har", Identities(flags=undefined))
    assert (place.line, problem.code, problem.level) == (3, "trackside.identity.placeholder", "strict")
    assert list(lint.take("flags.har", Identities(flags=undefined))) == []


@pytest.mark.rule("trackside.identity.flag-sdk")
@pytest.mark.parametrize(
    ("contract", "payload", "ids"),
    [
        (
            "statsig/log-event",
            {"events": [{"user": {"userID": "u-1", "customIDs": {"stableID": "s-1", "companyID": "c-1"}}}]},
            [("statsig", "userID", "u-1"), ("statsig", "stableID", "s-1")],
        ),
        ("statsig/initialize-request", {"user": {"userID": 7}}, [("statsig", "userID", "7")]),
        ("statsig/log-custom-exposure", {"exposures": [{"user": {"userID": "u-1"}}]}, [("statsig", "userID", "u-1")]),
        ("split/impressions", [{"f": "banner", "i": [{"k": "u-1", "t": "on"}]}], [("split", "key", "u-1")]),
        ("split/impressions-beacon", {"entries": [{"i": [{"k": "u-1"}]}]}, [("split", "key", "u-1")]),
        ("split/events-bulk", [{"key": "u-1", "trafficTypeName": "user"}], [("split", "user", "u-1")]),
        ("split/unique-keys-server", {"keys": [{"f": "banner", "ks": ["u-1", "u-2"]}]}, [("split", "key", "u-1"), ("split", "key", "u-2")]),
        ("split/unique-keys-beacon", {"entries": {"keys": [{"k": "u-1", "fs": ["banner"]}]}}, [("split", "key", "u-1")]),
        ("launchdarkly/sdk-events", [{"kind": "index", "context": {"kind": "user", "key": "u-1"}}], [("launchdarkly", "user", "u-1")]),
        (
            "launchdarkly/sdk-events",
            [{"kind": "identify", "context": {"kind": "multi", "user": {"key": "u-1"}, "organization": {"key": "o-1"}}}],
            [("launchdarkly", "user", "u-1"), ("launchdarkly", "organization", "o-1")],
        ),
        ("launchdarkly/sdk-events", [{"contextKeys": {"user": "u-1"}}], [("launchdarkly", "user", "u-1")]),
        ("launchdarkly/context", {"key": "u-1"}, [("launchdarkly", "user", "u-1")]),
        ("segment/track", {"userId": "u-1"}, []),
    ],
)  # fmt: skip
def test_ids_are_found_in_the_payloads_of_flag_sdks(contract, payload, ids):
    assert list(ids_of(contract, payload)) == ids


@pytest.mark.parametrize("payload", [None, 5, [5], {"events": 5, "entries": [5], "keys": [None], "context": []}, [[]]])
@pytest.mark.parametrize("contract", ["statsig/log-event", "split/impressions", "split/unique-keys-beacon", "launchdarkly/sdk-events"])  # fmt: skip
def test_a_payload_of_any_form_has_no_ids_that_are_no_ids(contract, payload):
    assert list(ids_of(contract, payload)) == []


# ---- memory


def test_what_is_remembered_is_bounded():
    latest: Latest[bool] = Latest(10)
    for number in range(1_000):
        latest.put(str(number), True)

    assert len(list(latest)) <= 10
    assert latest.get("999")
    assert latest.get("1") is None
    assert latest.dropped


def test_an_id_that_is_asked_for_is_kept_longer_than_others():
    latest: Latest[bool] = Latest(10)
    for number in range(100):
        latest.put(str(number), True)
        latest.put("again", True) if number == 0 else latest.get("again")

    assert latest.get("again")


def test_an_id_without_end_is_not_kept():
    lint = IdentityLint()
    long = "x" * (identity.LONGEST + 1)

    assert list(lint.take("f", identities({("user-7", long): 1, ("user-8", long): 2}))) == []
    assert finish([f"user-{number}" for number in range(10)], [("split", "key", f"{long}{n}") for n in range(10)]) == []


@pytest.mark.rule("trackside.identity.flag-sdk")
def test_an_organization_is_no_user_with_a_prefix(judged):
    contexts = {"kind": "multi", "user": {"key": "user-7"}, "organization": {"key": "7"}}
    event = {"kind": "identify", "creationDate": 1_767_322_800_000, "context": contexts}

    told = judged(Options(), {"type": "track", "userId": "user-7", "event": "Order Completed"}, [event])

    assert told.findings == []


def test_of_a_pair_that_comes_twice_the_first_line_counts():
    found = Identities()
    found.take_many([{"userId": "u-1", "anonymousId": "a-1"}, {"userId": "u-1", "anonymousId": "a-1"}], [3, 4])

    assert found.calls == {("u-1", "a-1"): 3}
    assert (found.users, found.anonymous) == ({"u-1"}, {"a-1"})
