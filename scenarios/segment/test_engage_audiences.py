"""Segment Engage: an audience tells its destinations who entered and who left, by identify calls, track calls or both."""

from __future__ import annotations

import json

import pytest

from trackside import catalog, workspace
from trackside.errors import TracksideError, WorkspaceError
from trackside.lab import Lab
from trackside.segment.audiences import Member, calls
from trackside.segment.settings import Audience

NOW = 1767322800.0
PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_big_spenders",
    "computation_key": "big_spenders",
    "namespace": "spa_local",
    "space_id": "spa_local",
}


def workspace_of(**audiences):
    """Return a workspace with audiences, a source that feeds Split only, and Split and Statsig as destinations."""
    return {
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["fme-user"]}},
            "destinations": {
                "statsig": {"type": "statsig", "api_key": "secret-local"},
                "fme-user": {"type": "split", "api_key": "fme-key"},
            },
            "audiences": audiences,
        },
        "statsig": {"server_secret": "secret-local", "id_lists": {"big_spenders": []}},
        "split": {
            "environments": {"production": {}},
            "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
            "traffic_types": ["user"],
        },
    }


@pytest.fixture
def admin(trackside, http_call):
    """Return a function that asks the control API with JSON, and gives the status and the answer's JSON."""

    def ask(method, path, body=None):
        content = None if body is None else json.dumps(body).encode()
        status, _, text = http_call(method, trackside.urls["admin"] + path, content)
        return status, json.loads(text)

    return ask


@pytest.fixture
def made():
    """Return a function that makes a lab with the audience ``big_spenders``, to Statsig unless told otherwise."""
    labs = []

    def make(**audience):
        labs.append(Lab(workspace_of(big_spenders={"destinations": ["statsig"], **audience}), start_at=NOW))
        return labs[-1]

    yield make
    for lab in labs:
        lab.stop()


def sent(lab):
    """Return the messages that Segment took, without what it adds on receipt."""
    names = ("type", "event", "userId", "anonymousId", "traits", "properties", "context")
    return [{name: call[name] for name in names if name in call} for call in lab.segment.events()]


# ---- the calls


@pytest.mark.rule("segment.audiences")
def test_a_user_who_enters_is_told_by_an_identify_call(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1")

    assert sent(lab) == [
        {"type": "identify", "userId": "u-1", "traits": {"big_spenders": True}, "context": {"personas": PERSONAS}}
    ]


@pytest.mark.rule("segment.audiences")
def test_a_user_who_leaves_is_told_by_an_identify_call(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1").remove("u-1")

    assert sent(lab)[1]["traits"] == {"big_spenders": False}


@pytest.mark.rule("segment.audiences.track")
def test_by_track_calls_a_change_is_an_event(made):
    lab = made(sync="track")

    lab.segment.audience("big_spenders").add("u-1").remove("u-1")

    shown = [(call["type"], call["event"], call["properties"]) for call in sent(lab)]
    assert shown == [
        ("track", "Audience Entered", {"audience_key": "big_spenders", "big_spenders": True}),
        ("track", "Audience Exited", {"audience_key": "big_spenders", "big_spenders": False}),
    ]


@pytest.mark.rule("segment.audiences", "segment.audiences.track")
def test_both_calls_can_be_asked_for(made):
    lab = made(sync="both")

    lab.segment.audience("big_spenders").add("u-1")

    assert [call["type"] for call in sent(lab)] == ["identify", "track"]


@pytest.mark.rule("segment.audiences")
def test_the_id_and_the_space_of_an_audience_can_be_set(made):
    lab = made(id="aud_1", space="spa_7")

    lab.segment.audience("big_spenders").add("u-1")

    own = {**PERSONAS, "computation_id": "aud_1", "namespace": "spa_7", "space_id": "spa_7"}
    assert sent(lab)[0]["context"] == {"personas": own}


@pytest.mark.rule("segment.audiences")
def test_a_user_may_be_known_by_an_anonymous_id_only(made):
    lab = made()

    lab.segment.audience("big_spenders").add({"anonymousId": "a-1"}, {"userId": "u-2", "anonymousId": "a-2"})

    ids = [(call.get("userId"), call.get("anonymousId")) for call in sent(lab)]
    assert ids == [(None, "a-1"), ("u-2", "a-2")]


@pytest.mark.rule("segment.audiences", "segment.audiences.track", "segment.contract")
@pytest.mark.parametrize("entered", [True, False])
def test_both_calls_keep_their_contracts(entered):
    made = calls("big_spenders", Audience(sync="both"), [Member("u-1"), Member("", "a-1")], entered=entered)

    for call in made:
        assert catalog.faults(f"segment/audience-{call['type']}", call) == []
        assert catalog.faults(f"segment/{call['type']}", call) == []


# ---- who is in it


@pytest.mark.rule("segment.audiences.changes")
def test_nothing_is_sent_of_a_user_who_is_in_already(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1").add("u-1", "u-2", "u-2")

    assert [call["userId"] for call in sent(lab)] == ["u-1", "u-2"]


@pytest.mark.rule("segment.audiences.changes")
def test_nothing_is_sent_of_a_user_who_leaves_and_never_was_in(made):
    lab = made()

    lab.segment.audience("big_spenders").remove("u-1")

    assert sent(lab) == []


@pytest.mark.rule("segment.audiences")
def test_its_members_can_be_read(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1", "u-2", {"anonymousId": "a-1"}).remove("u-1")

    assert lab.segment.audience("big_spenders").members == ["u-2", {"anonymousId": "a-1"}]


@pytest.mark.rule("segment.audiences")
def test_a_reset_forgets_its_members(made):
    lab = made()
    lab.segment.audience("big_spenders").add("u-1")

    lab.reset()

    assert lab.segment.audience("big_spenders").members == []
    lab.segment.audience("big_spenders").add("u-1")
    assert len(sent(lab)) == 1


@pytest.mark.rule("segment.audiences")
def test_another_workspace_keeps_the_members_of_the_audiences_that_it_has_too(made):
    lab = made()
    lab.segment.audience("big_spenders").add("u-1")

    lab.configure(workspace_of(big_spenders={}, others={}))
    assert lab.segment.audience("big_spenders").members == ["u-1"]

    lab.configure(workspace_of(others={}))
    lab.configure(workspace_of(big_spenders={}))
    assert lab.segment.audience("big_spenders").members == []


@pytest.mark.rule("segment.audiences")
def test_many_users_go_out_in_batches_that_segment_takes(made):
    lab = made(sync="both")

    lab.segment.audience("big_spenders").add(*(f"user-with-a-rather-long-id-{number:06}" for number in range(1500)))

    assert len(lab.statsig.id_list("big_spenders").ids) == 1500
    assert {row.status for row in lab.exchanges("segment")} == {200}
    assert max(row.intake.calls for row in lab.exchanges("segment")) <= 2500


# ---- where its calls go


@pytest.mark.rule("segment.audiences.source")
def test_an_audience_syncs_to_its_own_destinations_only(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1")

    [journey] = lab.journeys()
    assert [(row.destination, row.outcome) for row in journey.deliveries] == [("statsig", "delivered")]


@pytest.mark.rule("segment.audiences.source")
def test_two_audiences_have_destinations_of_their_own():
    lab = Lab(workspace_of(to_both={"destinations": ["statsig", "fme-user"]}, to_none={}), start_at=NOW)

    lab.segment.audience("to_both").add("u-1")
    lab.segment.audience("to_none").add("u-1")

    assert [[row.destination for row in one.deliveries] for one in lab.journeys()] == [["statsig", "fme-user"], []]
    lab.stop()


@pytest.mark.rule("segment.audiences.source")
def test_a_write_key_that_is_shown_to_users_is_none_of_engage(made):
    assert made().segment.keys == {"web": "wk_web"}


@pytest.mark.rule("segment.audiences", "split.in.identity")
def test_another_vendor_gets_an_audience_as_the_identify_call_that_it_is(made):
    lab = made(destinations=["fme-user"])

    lab.segment.audience("big_spenders").add("u-1")

    [identity] = [one.record for one in lab.kept("split")]
    assert (identity["key"], identity["values"]) == ("u-1", {"big_spenders": "true"})


@pytest.mark.rule("segment.audiences")
def test_filters_hold_for_audiences_too():
    wanted = workspace_of(big_spenders={"destinations": ["statsig"]})
    wanted["segment"]["destinations"]["statsig"]["filters"] = [
        {"if": 'type = "identify"', "actions": [{"type": "drop"}]}
    ]
    lab = Lab(wanted, start_at=NOW)

    lab.segment.audience("big_spenders").add("u-1")

    assert [row.outcome for one in lab.journeys() for row in one.deliveries] == ["dropped"]
    assert lab.statsig.id_list("big_spenders").ids == []
    lab.stop()


@pytest.mark.rule("segment.audiences")
@pytest.mark.parametrize("key", ["vip: all", "größte kunden", "a/b", "100%"])
def test_any_key_will_do(key):
    wanted = workspace_of(**{key: {"destinations": ["statsig"]}})
    wanted["statsig"]["id_lists"] = {key: []}
    lab = Lab(wanted, start_at=NOW)

    lab.segment.audience(key).add("u-1")

    assert lab.statsig.id_list(key).ids == ["u-1"]
    lab.stop()


# ---- what goes wrong


@pytest.mark.rule("segment.audiences")
def test_an_audience_that_is_not_declared_is_an_error_that_names_those_that_are(made):
    with pytest.raises(TracksideError) as caught:
        made().segment.audience("big_spender")

    assert (caught.value.what, caught.value.fix) == ("there is no audience 'big_spender'", "declared are: big_spenders")


@pytest.mark.rule("segment.audiences")
@pytest.mark.parametrize("who", ["", 7, None, {}, {"userId": ""}, {"email": "a@b.test"}, {"userId": 7}, "\ud800"])
def test_what_names_no_user_is_an_error_and_nobody_enters(made, who):
    lab = made()

    with pytest.raises(TracksideError):
        lab.segment.audience("big_spenders").add("u-1", who)

    assert (lab.segment.audience("big_spenders").members, sent(lab)) == ([], [])


@pytest.mark.rule("segment.audiences")
def test_nobody_enters_while_segment_is_told_to_fail(made):
    lab = made()
    lab.segment.fail(503)

    with pytest.raises(TracksideError, match="Segment answered 503 to Engage"):
        lab.segment.audience("big_spenders").add("u-1")

    assert lab.segment.audience("big_spenders").members == []
    assert lab.segment.audience("big_spenders").add("u-1").members == ["u-1"]


@pytest.mark.rule("segment.audiences")
def test_a_destination_that_is_not_declared_is_a_fault_of_the_workspace():
    with pytest.raises(WorkspaceError) as caught:
        workspace.load(workspace_of(big_spenders={"destinations": ["statsig", "ld", "statsig"]}))

    faults = [(fault.where.partition(": ")[2], fault.what) for fault in caught.value.faults]
    assert faults == [
        ("$.segment.audiences.big_spenders.destinations[1]", "there is no destination 'ld'"),
        ("$.segment.audiences.big_spenders.destinations[2]", "the destination 'statsig' is named twice"),
    ]


@pytest.mark.rule("segment.audiences.source")
def test_a_source_may_not_have_the_name_of_an_audiences_own():
    wanted = workspace_of(big_spenders={})
    wanted["segment"]["sources"]["engage/big_spenders"] = {"write_key": "wk_2"}

    with pytest.raises(WorkspaceError, match="a source has the name or write key 'engage/big_spenders'"):
        workspace.load(wanted)


# ---- the control API

AT_ADMIN = pytest.mark.trackside(workspace=workspace_of(big_spenders={"destinations": ["statsig"]}))


@AT_ADMIN
@pytest.mark.rule("segment.audiences")
def test_the_control_api_lets_users_enter_and_leave(trackside, admin):
    trackside.segment.audience("big_spenders").add("u-1")

    status, answer = admin(
        "POST", "/audiences/big_spenders", {"add": ["u-2", {"anonymousId": "a-1"}], "remove": ["u-1"]}
    )

    expected = {
        "key": "big_spenders",
        "destinations": ["statsig"],
        "sync": "identify",
        "members": ["u-2", {"anonymousId": "a-1"}],
    }
    assert (status, answer) == (200, expected)
    assert admin("GET", "/audiences") == (200, [expected])
    assert trackside.statsig.id_list("big_spenders").ids == ["u-2"]


@AT_ADMIN
@pytest.mark.rule("segment.audiences")
@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("/audiences/others", {"add": ["u-1"]}, "there is no audience 'others'"),
        ("/audiences/big_spenders", {}, "the body says neither add nor remove"),
        ("/audiences/big_spenders", {"add": "u-1"}, "add is 'u-1'"),
        ("/audiences/big_spenders", {"add": [7], "remove": ["u-0"]}, "7 names no user"),
        ("/audiences/big_spenders", {"enter": ["u-1"]}, "'enter' is not known"),
    ],
)
def test_the_control_api_says_what_is_wrong(trackside, admin, path, body, what):
    trackside.segment.audience("big_spenders").add("u-0")

    status, answer = admin("POST", path, body)

    assert (status, answer["error"]["what"]) == (400, what)
    assert trackside.segment.audience("big_spenders").members == ["u-0"]
