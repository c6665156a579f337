"""Made-up Segment calls from a seed: traffic without end, one session, one user.

Nothing here asks the clock, the operating system or the network: the same seed and start give the same bytes in every
process and on every version of Python, as long as Faker is the same. Event names follow Segment's e-commerce and B2B
specs. `trackside.visits` puts the sessions together.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from trackside.visits import SCRIPTS, Kind, User, Visit, new_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faker import Generator
    from faker.providers import BaseProvider

    from trackside.steps import Message
else:
    BaseProvider = object  # Faker takes any class as a provider, and importing its own costs 70 ms

__all__ = ["START", "Kind", "TracksideProvider", "User", "generate", "session", "user"]

START = datetime(2026, 1, 5, 9, tzinfo=timezone.utc)
"""When generated traffic begins unless told otherwise: Monday, 5 January 2026, 09:00 UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_KINDS: tuple[Kind, ...] = ("shop", "app", "account")
_KNOWN_USERS = 200


def generate(count: int, seed: int = 0, start: datetime | None = None) -> Iterator[Message]:
    """Yield Segment calls, session after session, of new and of returning users.

    Args:
        count: how many calls.
        seed: the same seed gives the same calls.
        start: the moment of the first session; one without a zone is UTC. Default `START`.

    Yields:
        ``identify``, ``track``, ``page``, ``screen``, ``group`` and, rarely, ``alias`` bodies as JSON, in the order of
        their ``timestamp``. A person's first session begins with ``anonymousId`` alone; from the identify call on there
        is ``userId`` as well.

    >>> first, second = generate(2, seed=7)
    >>> first["type"], first["timestamp"], "userId" in first
    ('page', '2026-01-05T09:00:00.000Z', False)
    >>> second["anonymousId"] == first["anonymousId"]
    True
    """
    return islice(_traffic(_seeded(seed), _milliseconds(start)), count)


def user(seed: int = 0) -> User:
    """Return a made-up user.

    >>> user(1) == user(1), user(1) == user(2)
    (True, False)
    >>> user(1).traits["email"].rpartition("@")[2]
    'example.com'
    """
    return new_user(_seeded(seed))


def session(kind: Kind = "shop", seed: int = 0, start: datetime | None = None) -> list[Message]:
    """Return the calls of one new user's session, the first at ``start``.

    Args:
        kind: ``shop`` (pages and e-commerce events, an order at the end), ``app`` (screens) or ``account`` (sign-up to
            a business product, with a group call).
        seed: the same seed gives the same session.
        start: one without a zone is UTC. Default `START`.

    >>> [call.get("event") or call["type"] for call in session("account", seed=1)][:4]
    ['page', 'page', 'identify', 'Signed Up']
    """
    return _complete(kind, _seeded(seed), start)


class TracksideProvider(BaseProvider):
    """A Faker provider of Segment calls, drawn from the seed of the Faker that it is added to.

    >>> from faker import Faker
    >>> fake = Faker()
    >>> fake.add_provider(TracksideProvider)
    >>> fake.seed_instance(4)
    >>> fake.segment_user().user_id[:5], fake.segment_call()["type"]
    ('user-', 'track')
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def segment_user(self) -> User:
        """Return a made-up user."""
        return new_user(self.generator.random)

    def segment_session(self, kind: Kind = "shop") -> list[Message]:
        """Return the calls of one new user's session, beginning at `START`."""
        return _complete(kind, self.generator.random, None)

    def segment_call(self) -> Message:
        """Return one call out of a session of any kind."""
        calls = self.segment_session(self.generator.random.choice(_KINDS))
        call: Message = self.generator.random.choice(calls)
        return call


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - made-up data, no secret


def _complete(kind: Kind, random: Random, start: datetime | None) -> list[Message]:
    return list(SCRIPTS[kind](Visit(random, new_user(random), _milliseconds(start))))


def _traffic(random: Random, now: int) -> Iterator[Message]:
    known: list[User] = []
    while True:
        returns = bool(known) and random.random() < 0.4
        person = random.choice(known) if returns else new_user(random)
        visit = Visit(random, person, now, known=returns)
        for call in SCRIPTS[random.choice(_KINDS)](visit):
            if call["type"] == "track" and random.random() < 0.1:
                break  # not every visit goes to its end
            yield call
        now = visit.now
        if visit.known and not returns:
            known = [*known[1 - _KNOWN_USERS :], person]


def _milliseconds(start: datetime | None) -> int:
    moment = START if start is None else start if start.tzinfo else start.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
