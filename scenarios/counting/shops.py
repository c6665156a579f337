"""A shop's traffic: people meet an experiment through a vendor's published SDK, and order through Segment, SDK or API."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, TypeAlias

import urllib3
from people import Person, signed_in, user_id

from trackside import Lab

EVENT = "Order Completed"
FLAG = "banner"
EXPERIMENT = "banner_test"

Id: TypeAlias = Callable[[Person], str]
Ids: TypeAlias = Callable[[Person], Mapping[str, str]]


def no_properties(_person: Person) -> dict[str, Any]:
    return {}


def revenue(person: Person) -> dict[str, Any]:
    return {"revenue": person.spends, "value": person.spends}


class Shop(ABC):
    """The shop, in front of a lab.

    Args:
        lab: that is started.
        people: who come.
    """

    vendor: ClassVar[str]

    def __init__(self, lab: Lab, people: Sequence[Person]) -> None:
        self.lab, self.people = lab, people
        self.saw: dict[Person, str] = {}
        self.ordered_as: dict[Person, str] = {}

    @abstractmethod
    def visit(self, **how: Any) -> None:
        """Let each person see the experiment."""

    def order(self, by: str = "segment", **how: Any) -> None:
        """Let each person order: by ``segment``, by ``sdk`` or by ``api``."""
        getattr(self, f"_order_by_{by}")(**how)

    def _order_by_segment(
        self,
        event: str = EVENT,
        ids: Ids = signed_in,
        properties: Callable[[Person], dict[str, Any]] = revenue,
        **more: Any,
    ) -> None:
        """Call Segment's SDK for Python; ``more`` are arguments of its ``track``, such as ``integrations``."""
        from segment.analytics import Client

        client = Client("wk_web", host=self.lab.urls["segment"], sync_mode=True)
        for person in self.people:
            own = ids(person)
            self.ordered_as[person] = own.get("user_id") or own["anonymous_id"]
            client.track(event=event, properties=properties(person), **own, **more)

    def send(self, method: str, path: str, body: Any, **headers: str) -> None:
        """Send JSON to the vendor, which takes it."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = urllib3.request(method, self.lab.urls[self.vendor] + path, json=body, headers=named)
        assert answer.status < 300, answer.data


# ---- LaunchDarkly

CLIENT_SIDE_IDS = {"production": "57be1db38b75bf0772d11384", "staging": "67be1db38b75bf0772d11385"}


class LaunchDarklyShop(Shop):
    """Flags of LaunchDarkly, by ``launchdarkly-server-sdk``."""

    vendor = "launchdarkly"

    def visit(
        self,
        as_: Id = user_id,
        kind: str = "user",
        environment: str = "production",
        config: Mapping[str, Any] | None = None,
        *,
        all_flags: bool = False,
    ) -> None:
        from ldclient import Context

        with self._client(environment, config or {}) as client:
            for person in self.people:
                context = Context.builder(as_(person)).kind(kind).set("plan", person.plan).build()
                if all_flags:
                    self.saw[person] = client.all_flags_state(context).get_flag_value(FLAG)
                else:
                    self.saw[person] = client.variation(FLAG, context, "none")

    @contextmanager
    def _client(self, environment: str = "production", config: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Give the SDK; once it is closed, all of its events have been posted."""
        from ldclient import Config, LDClient

        options = self.lab.launchdarkly.python_options(environment)
        with LDClient(Config(**options, diagnostic_opt_out=True, **(config or {}))) as client:
            assert client.is_initialized()
            yield client

    def _order_by_sdk(self, event: str = EVENT, as_: Id = user_id, kind: str = "user", *, value: bool = False) -> None:
        from ldclient import Context

        with self._client() as client:
            for person in self.people:
                self.ordered_as[person] = as_(person)
                context = Context.create(as_(person), kind)
                client.track(event, context, metric_value=person.spends if value else None)

    def _order_by_api(
        self,
        event: str = EVENT,
        keys: Ids = lambda person: {"user": person.user_id},
        environment: str = "production",
    ) -> None:
        """Import the orders, as a data warehouse would."""
        now = round(self.lab.clock.now() * 1000)
        events = []
        for person in self.people:
            self.ordered_as[person] = next(iter(keys(person).values()))
            events.append({"kind": "custom", "key": event, "creationDate": now, "contextKeys": dict(keys(person))})
        path = f"/events/bulk/{CLIENT_SIDE_IDS[environment]}"
        self.send("POST", path, events, X_LaunchDarkly_Event_Schema="4")


# ---- Statsig


class StatsigShop(Shop):
    """Experiments of Statsig, by ``statsig-python-core`` or by ``statsig``."""

    vendor = "statsig"

    def visit(
        self,
        as_: Callable[[Person], Any] = user_id,
        tier: str = "",
        sdk: str = "core",
        *,
        log_exposure: bool = True,
        gate: bool = False,
    ) -> None:
        """Let each person see the experiment, by the ``core`` or the ``legacy`` SDK; or the gate of its name."""
        if gate:
            self._pass_gate()
        elif sdk == "core":
            self._see_by_core(as_, tier, log_exposure=log_exposure)
        else:
            self._see_by_legacy(as_, log_exposure=log_exposure)

    def _see_by_core(self, as_: Callable[[Person], Any], tier: str, *, log_exposure: bool) -> None:
        from statsig_python_core import ExperimentEvaluationOptions

        told = ExperimentEvaluationOptions(disable_exposure_logging=not log_exposure)
        with self._core(tier) as client:
            for person in self.people:
                self.saw[person] = client.get_experiment(_core_user(as_(person)), EXPERIMENT, told).group_name or ""

    def _see_by_legacy(self, as_: Id, *, log_exposure: bool) -> None:
        from statsig import StatsigOptions, StatsigUser, statsig

        statsig.initialize("secret-local", StatsigOptions(**self.lab.statsig.python_options()))
        see = statsig.get_experiment if log_exposure else statsig.get_experiment_with_exposure_logging_disabled
        for person in self.people:
            self.saw[person] = see(StatsigUser(as_(person)), EXPERIMENT).group_name or ""
        statsig.shutdown()

    def _pass_gate(self) -> None:
        """Let each person meet the gate."""
        with self._core() as client:
            for person in self.people:
                self.saw[person] = "pass" if client.check_gate(_core_user(person.user_id), FLAG) else "fail"

    @contextmanager
    def _core(self, tier: str = "") -> Iterator[Any]:
        from statsig_python_core import Statsig, StatsigOptions

        options = StatsigOptions(**self.lab.statsig.python_core_options(), environment=tier or None)
        client = Statsig("secret-local", options)
        client.initialize().wait()
        try:
            yield client
        finally:
            client.shutdown().wait()

    def _order_by_sdk(self, event: str = EVENT, as_: Callable[[Person], Any] = user_id, tier: str = "") -> None:
        with self._core(tier) as client:
            for person in self.people:
                user = as_(person)
                self.ordered_as[person] = user if isinstance(user, str) else next(iter(user.values()))
                client.log_event(_core_user(user), event, None, {"plan": person.plan})

    def _order_by_api(self, event: str = EVENT, days: float = 0) -> None:
        """Post to ``log_event``, each order so many days from now."""
        moment = round((self.lab.clock.now() + days * 86_400) * 1000)
        events = []
        for person in self.people:
            self.ordered_as[person] = person.user_id
            events.append({"eventName": event, "user": {"userID": person.user_id}, "time": moment})
        self.send("POST", "/v1/log_event", {"events": events}, statsig_api_key="secret-local")


def _core_user(user: Any) -> Any:
    """Return a user of the core SDK: by a user ID, or by custom IDs."""
    from statsig_python_core import StatsigUser

    return StatsigUser(user) if isinstance(user, str) else StatsigUser(custom_ids=dict(user))


# ---- Split

SYNC = {"impressionsMode": "DEBUG", "streamingEnabled": False, "impressionsRefreshRate": 1, "eventsPushRate": 1}
"""Options by which the SDK posts each second; there is no shorter one."""


class SplitShop(Shop):
    """Flags of Split, by ``splitio_client``."""

    vendor = "split"

    def visit(
        self,
        as_: Id = user_id,
        environment: str = "production",
        attributes: Callable[[Person], dict[str, Any]] = no_properties,
        posts: int | None = None,
        **config: Any,
    ) -> None:
        """Let each person have a treatment; ``posts`` is how many impressions of it the SDK posts, by default of each."""
        expected = len(self.people) if posts is None else posts
        with self._client(environment, expected, **config) as client:
            for person in self.people:
                self.saw[person] = client.get_treatment(as_(person), FLAG, attributes(person))

    @contextmanager
    def _client(self, environment: str, posts: int, **config: Any) -> Iterator[Any]:
        """Give the SDK; once it is destroyed, so many records of it have come."""
        from splitio import get_factory

        before = self._records()
        options = self.lab.split.python_options(environment)
        factory = get_factory(**options, config={**SYNC, **config})
        factory.block_until_ready(5)
        try:
            yield factory.client()
        finally:
            done = threading.Event()
            factory.destroy(done)
            assert done.wait(5)
        # Its threads may have been only starting: one that was not stopped then posts within the second.
        assert self.lab.journal.wait(lambda: self._records() >= before + posts, 5)

    def _records(self) -> int:
        return sum(1 for _ in self.lab.kept("split"))

    def _order_by_sdk(
        self, event: str = EVENT, as_: Id = user_id, traffic_type: str = "user", environment: str = "production"
    ) -> None:
        with self._client(environment, len(self.people)) as client:
            for person in self.people:
                self.ordered_as[person] = as_(person)
                assert client.track(as_(person), traffic_type, event, person.spends)

    def _order_by_api(self, event: str = EVENT, days: float = 0, environment: str = "production") -> None:
        """Post to the Events API, each order so many days from now."""
        moment = round((self.lab.clock.now() + days * 86_400) * 1000)
        events = []
        for person in self.people:
            self.ordered_as[person] = person.user_id
            events.append(
                {
                    "eventTypeId": event,
                    "trafficTypeName": "user",
                    "key": person.user_id,
                    "timestamp": moment,
                    "value": person.spends,
                }
            )
        self.send("POST", "/api/events/bulk", events, Authorization=f"Bearer sdk-{environment}")


SHOPS: dict[str, type[Shop]] = {one.vendor: one for one in (LaunchDarklyShop, StatsigShop, SplitShop)}
