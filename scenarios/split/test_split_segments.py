"""Segments: by their changes for server-side SDKs, by a key's memberships for client-side ones."""

from __future__ import annotations

import json

import pytest

from trackside import catalog


@pytest.fixture
def sdk(make_sdk):
    return make_sdk(segments={"beta": ["user-1", "user-2"]}, large_segments={"big": ["user-1"]})


# ---- segmentChanges


@pytest.mark.rule("split.sdk.segment-changes")
def test_the_first_answer_holds_every_key(sdk):
    told = sdk.get("/api/segmentChanges/beta", since=-1)

    assert catalog.faults("split/segment-changes", told) == []
    assert (told["name"], told["added"], told["removed"], told["since"]) == ("beta", ["user-1", "user-2"], [], -1)


@pytest.mark.rule("split.sdk.segment-changes")
def test_an_sdk_that_is_up_to_date_gets_nothing(sdk):
    till = sdk.get("/api/segmentChanges/beta", since=-1)["till"]
    told = sdk.get("/api/segmentChanges/beta", since=till)

    assert told == {"name": "beta", "added": [], "removed": [], "since": till, "till": till}


@pytest.mark.rule("split.sdk.segment-changes")
def test_later_answers_hold_what_came_and_what_went(sdk):
    till = sdk.get("/api/segmentChanges/beta", since=-1)["till"]
    sdk.lab.split.segment("beta").add("user-3").remove("user-1")
    told = sdk.get("/api/segmentChanges/beta", since=till)

    assert (told["added"], told["removed"], told["till"] > till) == (["user-3"], ["user-1"], True)


@pytest.mark.rule("split.sdk.segment-changes")
def test_a_key_that_went_and_came_back_counts_as_come(sdk):
    till = sdk.get("/api/segmentChanges/beta", since=-1)["till"]
    sdk.lab.split.segment("beta").remove("user-1").add("user-1")
    told = sdk.get("/api/segmentChanges/beta", since=till)

    assert (told["added"], told["removed"]) == (["user-1"], [])


@pytest.mark.rule("split.sdk.segment-changes")
def test_keys_that_were_there_already_change_no_number(sdk):
    before = sdk.get("/api/segmentChanges/beta")
    sdk.lab.split.segment("beta").add("user-1").remove("nobody")

    assert sdk.get("/api/segmentChanges/beta") == before


@pytest.mark.rule("split.sdk.segment-changes", "split.sdk.change-numbers")
def test_a_reset_takes_the_changes_of_a_test_back(sdk):
    sdk.lab.split.segment("beta").add("user-3").remove("user-1")
    sdk.lab.split.segment("made-by-a-test").add("user-1")
    since = sdk.get("/api/segmentChanges/beta")["till"]
    sdk.lab.reset()
    told = sdk.get("/api/segmentChanges/beta", since=since)

    assert (told["added"], told["removed"]) == (["user-1"], ["user-3"])
    assert sdk.get("/api/segmentChanges/made-by-a-test")["added"] == []


@pytest.mark.rule("split.sdk.since-ahead")
def test_a_number_of_a_former_run_gets_every_key(sdk):
    told = sdk.get("/api/segmentChanges/beta", since=9_000_000_000_000_000)

    assert (told["added"], told["since"]) == (["user-1", "user-2"], told["till"])


@pytest.mark.rule("split.sdk.unknown-segment")
def test_a_segment_that_does_not_exist_is_empty(sdk):
    told = sdk.get("/api/segmentChanges/nobody", since=-1)

    assert told == {"name": "nobody", "added": [], "removed": [], "since": -1, "till": -1}
    assert catalog.faults("split/segment-changes", told) == []


@pytest.mark.rule("split.sdk.segment-changes")
def test_large_segments_are_not_downloaded_as_a_whole(sdk):
    assert sdk.get("/api/segmentChanges/big")["added"] == []


# ---- memberships


def members(sdk, key):
    told = sdk.get(f"/api/memberships/{key}")
    return [row["n"] for row in told["ms"]["k"]], [row["n"] for row in told["ls"]["k"]]


@pytest.mark.rule("split.sdk.memberships")
def test_memberships_name_the_segments_of_a_key(sdk):
    assert catalog.faults("split/memberships", sdk.get("/api/memberships/user-1")) == []
    assert (members(sdk, "user-1"), members(sdk, "user-2"), members(sdk, "nobody")) == (
        (["beta"], ["big"]),
        (["beta"], []),
        ([], []),
    )


@pytest.mark.rule("split.sdk.memberships")
@pytest.mark.parametrize("key", ["a/b", "a b", "ñandú", "用户", "a%2Fb"])
def test_a_key_may_hold_any_character(make_sdk, key):
    assert members(make_sdk(segments={"beta": [key]}), key) == (["beta"], [])


@pytest.mark.rule("split.sdk.memberships")
def test_their_numbers_grow_with_changes_of_each_kind(sdk):
    before = sdk.get("/api/memberships/user-1")
    sdk.lab.split.segment("big", large=True).add("user-2")
    after = sdk.get("/api/memberships/user-1")

    assert (after["ms"]["cn"] == before["ms"]["cn"], after["ls"]["cn"] > before["ls"]["cn"]) == (True, True)
    assert members(sdk, "user-2") == (["beta"], ["big"])


@pytest.mark.rule("split.sdk.my-segments")
def test_older_sdks_get_the_segments_of_a_key_in_one_list(sdk):
    told = sdk.get("/api/mySegments/user-1")

    assert told == {"mySegments": [{"id": "beta", "name": "beta"}]}
    assert catalog.faults("split/my-segments", told) == []


# ---- handles


def test_a_handle_shows_the_keys(sdk):
    assert sdk.lab.split.segment("beta").add("user-3").keys == ("user-1", "user-2", "user-3")
    assert sdk.lab.split.segment("nobody").keys == ()


@pytest.mark.rule("split.sdk.segment-changes")
def test_segments_belong_to_one_environment(make_sdk):
    environments = {"production": {"sdk_key": "sdk-key"}, "staging": {"sdk_key": "staging-key"}}
    sdk = make_sdk(environments=environments, segments={"beta": []})
    sdk.lab.split.segment("beta", "staging").add("user-1")
    told = [json.loads(sdk.ask("/api/segmentChanges/beta", key).body)["added"] for key in ("sdk-key", "staging-key")]

    assert told == [[], ["user-1"]]
