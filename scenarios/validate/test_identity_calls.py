"""The identity lint on single calls: ids that nobody has."""

from __future__ import annotations

import pytest

from trackside import catalog, events
from trackside.validation.options import Options

ZEROS = "00000000-0000-0000-0000-000000000000"


def call(**ids):
    return {"type": "track", "event": "Order Completed", **ids}


@pytest.fixture
def told(judged):
    """Return a function that gives code, level and place of each finding on payloads."""

    def run(*payloads, **options):
        found = judged(Options(**options), *payloads)
        return [(finding.code, finding.level, finding.at) for finding in found.findings]

    return run


@pytest.mark.rule("trackside.identity.placeholder")
@pytest.mark.parametrize(
    "value",
    ["undefined", "null", "NULL", "None", "nil", "NaN", "[object Object]", "anonymous", "Anonymous", "true", "-1"],
)
def test_what_a_program_writes_for_a_missing_id_is_no_id(told, value):
    assert told(call(userId=value)) == [("trackside.identity.placeholder", "strict", "$.userId")]


@pytest.mark.rule("trackside.identity.placeholder")
@pytest.mark.parametrize("value", ["nullmann", "undefined-7", "trueman", "anonymous-4711", "user-1", "1"])
def test_an_id_that_only_begins_so_is_one(told, value):
    assert told(call(userId=value)) == []


@pytest.mark.rule("trackside.identity.placeholder")
def test_an_anonymousid_is_looked_at_as_well(told):
    assert told(call(userId="user-7", anonymousId="undefined")) == [
        ("trackside.identity.placeholder", "strict", "$.anonymousId")
    ]


@pytest.mark.rule("trackside.identity.zeros")
@pytest.mark.parametrize("value", ["0", "000", ZEROS, "---"])
def test_zeros_and_dashes_are_no_id(told, value):
    assert told(call(anonymousId=value)) == [("trackside.identity.zeros", "strict", "$.anonymousId")]


@pytest.mark.rule("trackside.identity.zeros")
@pytest.mark.parametrize("value", ["007", "00000000-0000-0000-0000-000000000001"])
def test_an_id_that_begins_with_zeros_is_one(told, value):
    assert told(call(anonymousId=value)) == []


@pytest.mark.rule("trackside.identity.blanks")
def test_an_id_of_blanks_is_none(told):
    assert told(call(userId="  ")) == [("trackside.identity.blanks", "strict", "$.userId")]


@pytest.mark.rule("trackside.identity.blanks")
def test_blanks_around_an_id_are_a_warning(told):
    assert told(call(userId="user-7 ")) == [("trackside.identity.blanks", "warn", "$.userId")]


@pytest.mark.rule("trackside.identity.placeholder")
def test_blanks_around_a_placeholder_are_told_as_a_placeholder(told):
    assert told(call(userId=" null\n")) == [("trackside.identity.placeholder", "strict", "$.userId")]


def test_an_empty_id_breaks_its_contract_and_is_told_once(told):
    assert told(call(userId="")) == [("segment/track.minLength", "strict", "$.userId")]


@pytest.mark.rule("trackside.identity.email")
def test_an_email_address_as_id_is_a_warning(told):
    assert told(call(userId="ann@example.com")) == [("trackside.identity.email", "warn", "$.userId")]


@pytest.mark.rule("trackside.identity.email")
@pytest.mark.parametrize("value", ["@ann", "ann@shop", "urn:user@example.com/7"])
def test_an_id_with_an_at_sign_need_not_be_an_address(told, value):
    assert told(call(userId=value)) == []


@pytest.mark.rule("trackside.identity.anonymous-as-user")
def test_the_same_id_as_userid_and_anonymousid_is_a_warning(told):
    assert told(call(userId="user-7", anonymousId="user-7")) == [
        ("trackside.identity.anonymous-as-user", "warn", "$.userId")
    ]


@pytest.mark.rule("trackside.identity.placeholder")
def test_a_groupid_is_looked_at(told):
    assert told({"type": "group", "userId": "user-7", "groupId": "undefined"}) == [
        ("trackside.identity.placeholder", "strict", "$.groupId")
    ]


@pytest.mark.rule("trackside.identity.placeholder")
def test_the_previousid_of_an_alias_call_is_looked_at(told):
    assert told({"type": "alias", "userId": "user-7", "previousId": "null"}) == [
        ("trackside.identity.placeholder", "strict", "$.previousId")
    ]


@pytest.mark.rule("trackside.identity.placeholder")
def test_each_call_with_such_an_id_is_told_with_its_line(judged):
    found = judged(Options(), *[call(userId="user-7"), call(userId="null"), call(userId="null")])

    assert [(finding.line, finding.column) for finding in found.findings] == [(2, 47), (3, 47)]


@pytest.mark.rule("trackside.identity.placeholder")
def test_calls_of_a_batch_are_looked_at(told):
    assert told({"batch": [call(userId="user-7"), call(userId="null")]}) == [
        ("trackside.identity.placeholder", "strict", "$.batch[1].userId")
    ]


@pytest.mark.rule("trackside.identity.email")
def test_a_check_can_be_switched_off(told):
    assert told(call(userId="ann@example.com"), levels={"trackside.identity.email": "off"}) == []


def test_the_whole_lint_can_be_switched_off(told):
    assert told(call(userId="null"), identity=False) == []


# ---- nothing is told of what is well


VALID = sorted(
    path
    for vendor in ("segment", "statsig", "split", "launchdarkly")
    for path in (catalog.folder() / vendor / "examples").glob("*/valid/*.json")
)


def test_no_valid_example_of_a_contract_has_such_an_id(tmp_path, judged):
    import orjson

    found = [
        (str(path.relative_to(catalog.folder())), finding.code)
        for path in VALID
        for finding in judged(
            Options(contract=f"{path.parts[-5]}/{path.parts[-3]}"), orjson.loads(path.read_bytes())
        ).findings
    ]
    assert [one for one in found if one[1].startswith("trackside.identity.")] == []


@pytest.mark.parametrize("seed", range(3))
def test_generated_traffic_has_no_such_id(told, seed):
    assert told(*events.generate(3_000, seed=seed)) == []
