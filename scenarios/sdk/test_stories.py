"""Whole stories, told with the vendors' published SDKs and made-up people: what each vendor knows in the end, and why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import segment.analytics
from driver import Driver
from faker import Faker
from ldclient import Config, Context, LDClient

from statsig import StatsigEvent, StatsigOptions, StatsigServer, StatsigUser
from trackside import Lab

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {
            "web": {"write_key": "wk_web", "destinations": ["statsig", "fme", "ld"]},
            "from-statsig": {"write_key": "wk_statsig", "destinations": ["statsig", "ld"]},
            "from-fme": {"write_key": "wk_fme", "destinations": ["ld"]},
        },
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local"},
            "fme": {"type": "split", "api_key": "fme-key"},
            "ld": {"type": "launchdarkly", "client_side_id": CLIENT_SIDE_ID},
        },
        "audiences": {"big_spenders": {"destinations": ["statsig"]}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "id_types": ["segmentAnonymousId", "companyID"],
        "segment_inbound": {"map_identifiers": {"anonymousId": "segmentAnonymousId"}},
        "segment_outbound": {
            "enabled": True,
            "write_key": "wk_statsig",
            "map_identifiers": {"segmentAnonymousId": "anonymousId"},
        },
        "gates": {"vip_lane": {"if": {"passes_segment": "big_spenders"}}},
        "experiments": {
            "sign_up_page": {
                "groups": {"short": {"fields": 2}, "long": {"fields": 6}},
                "id_type": "segmentAnonymousId",
            },
            "seats_page": {"groups": {"table": {"view": "table"}, "cards": {"view": "cards"}}, "id_type": "companyID"},
        },
        "id_lists": {"big_spenders": []},
    },
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local-0123456789"}},
        "traffic_types": ["user", "anonymous", "account"],
        "flags": {
            "teaser": {"serve": "on", "traffic_type": "anonymous"},
            "dashboard": {"serve": "on", "traffic_type": "user"},
            "seat_price": {"treatments": ["low", "high"], "serve": "low", "traffic_type": "account"},
        },
        "segment_inbound": [
            {
                "api_key": "fme-key",
                "environment": "production",
                "identities": {"userId": "user", "anonymousId": "anonymous"},
            }
        ],
        "segment_outbound": [
            {
                "environments": ["production"],
                "identities": {"user": "userId", "anonymous": "anonymousId", "account": "userId"},
                "write_key": "wk_fme",
            }
        ],
    },
    "launchdarkly": {
        "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local"}},
        "flags": {"hero": {"variations": ["plain", "bold"], "serve": "bold", "track_events": True}},
    },
}

pytestmark = [
    pytest.mark.trackside(workspace=WORKSPACE),
    pytest.mark.rule("statsig.out.event", "split.out.impressions"),
]


@dataclass
class Application:
    """A web application with every vendor's SDK in it, as it would run in production."""

    analytics: segment.analytics.Client
    statsig: StatsigServer
    split: Driver
    launchdarkly: LDClient

    def treatment(self, key: str, flag: str) -> str:
        """Return what Split's SDK gives a key; it runs in a process of its own."""
        return str(self.split.ask("evaluate", user=key, flag=flag))

    def flush(self) -> None:
        """Send all that the SDKs hold; Split's has no other way than to be closed."""
        self.analytics.flush()
        self.statsig.flush()
        self.launchdarkly.flush()
        self.split.ask("close")


@pytest.fixture
def application(trackside: Lab, driver: Callable[..., Driver]) -> Iterator[Application]:
    with ExitStack() as stack:
        analytics = segment.analytics.Client("wk_web", host=trackside.segment.url, upload_interval=0.01)
        stack.callback(analytics.join)
        statsig = StatsigServer()
        statsig.initialize("secret-local", StatsigOptions(**trackside.statsig.python_options()))
        stack.callback(statsig.shutdown)
        split = driver("py_splitio_client.py")
        split.ask("start", key="sdk-local-0123456789", options=trackside.split.python_options())
        launchdarkly = LDClient(Config(**trackside.launchdarkly.options("launchdarkly-server-sdk")))
        stack.callback(launchdarkly.close)
        yield Application(analytics, statsig, split, launchdarkly)


@dataclass
class Person:
    """Somebody made up: ids as an application has them, and what is known of them."""

    anonymous_id: str
    user_id: str
    email: str
    name: str


def person(seed: int) -> Person:
    fake = Faker()
    fake.seed_instance(seed)
    return Person(fake.uuid4(), f"user-{fake.random_number(8, fix_len=True)}", fake.safe_email(), fake.name())


@pytest.mark.rule(
    "statsig.in.anonymous-join",
    "statsig.in.map-identifier",
    "statsig.out.anonymous",
    "split.in.two-identities",
    "split.out.identity-map",
    "launchdarkly.in.context-key",
)
def test_an_anonymous_visitor_signs_up_and_every_vendor_can_tell(trackside: Lab, application: Application) -> None:
    visitor = person(4)
    before = StatsigUser("", custom_ids={"segmentAnonymousId": visitor.anonymous_id})
    page = application.statsig.get_experiment(before, "sign_up_page")
    assert application.treatment(visitor.anonymous_id, "teaser") == "on"
    context = Context.builder(visitor.anonymous_id).anonymous(True).build()
    assert application.launchdarkly.variation("hero", context, "plain") == "bold"
    application.analytics.page(anonymous_id=visitor.anonymous_id, name="Sign Up", properties={"path": "/sign-up"})
    application.analytics.track(anonymous_id=visitor.anonymous_id, event="Sign Up Started")

    both = {"user_id": visitor.user_id, "anonymous_id": visitor.anonymous_id}
    application.analytics.identify(**both, traits={"email": visitor.email, "name": visitor.name})
    application.analytics.track(**both, event="Signed Up", properties={"fields": page.get("fields", 0)})
    after = StatsigUser(visitor.user_id, custom_ids={"segmentAnonymousId": visitor.anonymous_id})
    assert application.statsig.get_experiment(after, "sign_up_page").get_value() == page.get_value()
    application.statsig.log_event(StatsigEvent(after, "first_login"))
    assert application.treatment(visitor.user_id, "dashboard") == "on"
    application.flush()

    # Statsig: both Segment events stand under the unit of the experiment, before and after the sign-up.
    unit = {"segmentAnonymousId": visitor.anonymous_id}
    trackside.statsig.expect_event("segment::Sign Up Started", user_id=None, custom_ids=unit)
    trackside.statsig.expect_event("segment::Signed Up", user_id=visitor.user_id, custom_ids=unit)
    joined = trackside.statsig.joined("segmentAnonymousId", visitor.anonymous_id)
    assert {row["exposure"]["name"] for row in joined.exposures} == {"sign_up_page"}
    assert {row["exposure"]["group"] for row in joined.exposures} == {page.rule_id}
    names = {row["eventName"] for row in joined.events}
    assert names >= {"segment::Sign Up", "segment::Sign Up Started", "segment::Signed Up", "first_login"}

    # Split: the start counts for the visitor, the sign-up for the visitor and for the user.
    keys = {(row["trafficTypeName"], row["key"]) for row in trackside.split.events(name="Signed_Up")}
    assert keys == {("user", visitor.user_id), ("anonymous", visitor.anonymous_id)}
    trackside.split.expect_event("Sign_Up_Started", key=visitor.anonymous_id, traffic_type="anonymous", count=1)
    trackside.split.expect_identity(visitor.user_id, traffic_type="user", email=visitor.email)

    # LaunchDarkly: the anonymous id until there is a user id.
    trackside.launchdarkly.expect_event("Sign Up Started", user=visitor.anonymous_id)
    trackside.launchdarkly.expect_event("Signed Up", user=visitor.user_id)

    # And back in Segment: exposures and impressions of both ids, each as the call that its vendor documents.
    trackside.segment.expect_event("statsig::experiment_exposure", user_id=None, anonymous_id=visitor.anonymous_id)
    trackside.segment.expect_event("statsig::experiment_exposure", user_id=visitor.user_id)
    trackside.segment.expect_event("first_login", user_id=visitor.user_id)
    asked = {"properties": {"split": "teaser", "treatment": "on"}}
    trackside.segment.expect_event("get_treatment", anonymous_id=visitor.anonymous_id, user_id=None, **asked)
    trackside.segment.expect_event("get_treatment", user_id=visitor.user_id, properties={"split": "dashboard"})
    trackside.expect_no_findings()


@pytest.mark.rule("split.in.track-groups", "split.in.group", "statsig.in.custom-ids", "split.out.identity-map")
def test_an_account_buys_seats_and_counts_beside_its_people(trackside: Lab, application: Application) -> None:
    fake = Faker()
    fake.seed_instance(7)
    company, account = fake.company(), f"account-{fake.random_number(6, fix_len=True)}"
    people = [person(seed) for seed in (11, 12, 13)]
    application.analytics.group(
        user_id=people[0].user_id,
        group_id=account,
        traits={"name": company, "plan": "team", "split": {"account": account}},
    )
    price = application.treatment(account, "seat_price")
    for one in people:
        user = StatsigUser(one.user_id, custom_ids={"companyID": account})
        view = application.statsig.get_experiment(user, "seats_page").get("view", "")
        application.analytics.track(
            user_id=one.user_id,
            event="Seats Bought",
            properties={
                "value": 3,
                "price": price,
                "view": view,
                "split": [{"account": account}],
                "statsigCustomIDs": ["companyID", account],
            },
        )
    application.flush()

    # Split: each purchase counts for its person, and three times for the account, which has the group's attributes.
    trackside.split.expect_event("Seats_Bought", key=account, traffic_type="account", value=3, count=3)
    for one in people:
        trackside.split.expect_event("Seats_Bought", key=one.user_id, traffic_type="user", value=3, count=1)
    trackside.split.expect_identity(account, traffic_type="account", name=company, plan="team")

    # Statsig: one unit saw one view, whoever of its people looked, and all their purchases are its own.
    joined = trackside.statsig.joined("companyID", account)
    assert len({row["exposure"]["group"] for row in joined.exposures}) == 1
    bought = [row["user"]["userID"] for row in joined.events if row["eventName"] == "segment::Seats Bought"]
    assert sorted(bought) == sorted(one.user_id for one in people)

    # Back in Segment: the account's impression carries the account's id as userId, as its traffic type is mapped.
    trackside.segment.expect_event(
        "get_treatment", user_id=account, properties={"split": "seat_price", "treatment": price}
    )
    for one in people:
        trackside.segment.expect_event("statsig::experiment_exposure", user_id=one.user_id)
    trackside.expect_no_findings()


@pytest.mark.rule("statsig.in.audience", "segment.audiences", "statsig.out.config-change", "statsig.out.loop")
def test_an_audience_opens_a_gate_for_its_members_and_closes_it_again(trackside: Lab, application: Application) -> None:
    spender, other = person(21), person(22)

    def passes(one: Person) -> bool:
        return bool(application.statsig.check_gate(StatsigUser(one.user_id), "vip_lane"))

    assert (passes(spender), passes(other)) == (False, False)
    for _ in range(3):
        application.analytics.track(user_id=spender.user_id, event="Order Completed", properties={"value": 400})

    audience = trackside.segment.audience("big_spenders")
    audience.add(spender.user_id)
    until(lambda: passes(spender))
    assert not passes(other)
    trackside.statsig.gate("fast_shipping").serve(True)
    audience.remove(spender.user_id)
    until(lambda: not passes(spender))
    application.flush()

    # The exposures tell both: in, and out again; each went on to Segment, and from there no further than Statsig's guard.
    assert {row["exposure"]["value"] for row in trackside.statsig.exposures(user_id=spender.user_id)} == {True, False}
    trackside.segment.expect_event(
        "statsig::gate_exposure",
        user_id=spender.user_id,
        properties={"metadata": {"gate": "vip_lane", "gateValue": "true"}},
    )
    changed = trackside.segment.expect_event("statsig::config_change", properties={"configName": "fast_shipping"})
    assert changed["context"]["library"] == {"name": "statsig", "version": "1.0"}
    trackside.statsig.expect_event("segment::Order Completed", user_id=spender.user_id, count=3)
    assert not [row for row in trackside.segment.events() if str(row.get("event")).startswith("segment::")]
    [exposed, *_] = [
        one for one in trackside.journeys(user=spender.user_id) if one.get("event") == "statsig::gate_exposure"
    ]
    assert exposed.origin is not None
    assert (exposed.origin.vendor, exposed.delivery("statsig").outcome) == ("statsig", "delivered")  # type: ignore[union-attr]
    assert "statsig.out.loop" in {step.rule for _, step in exposed.all_steps()}
    trackside.expect_no_findings()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return when a running SDK has seen a change; SDKs poll, here once a second."""
    waited = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        waited.wait(0.05)
    raise AssertionError("the SDK did not see the change in time")
