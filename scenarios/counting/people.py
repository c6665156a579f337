"""Made-up people, always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from faker import Faker

SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Person:
    """One person.

    Attributes:
        user_id: what the shop knows them by once they have signed in.
        anonymous_id: what Segment knows them by before.
        email: theirs.
        company: whom they work for.
        plan: what they pay for.
        spends: what an order of theirs comes to.
    """

    user_id: str
    anonymous_id: str
    email: str
    company: str
    plan: str
    spends: float


@cache
def people(count: int) -> tuple[Person, ...]:
    """Return so many people, each with ids and a company of their own."""
    faker = Faker("en_US")
    faker.seed_instance(SEED)
    return tuple(
        Person(
            user_id=faker.unique.user_name(),
            anonymous_id=faker.uuid4(),
            email=faker.unique.email(),
            company=faker.unique.company(),
            plan=faker.random_element(("free", "pro")),
            spends=faker.random_int(500, 20_000) / 100,
        )
        for _ in range(count)
    )


# ---- the ids that a person may go by


def user_id(person: Person) -> str:
    return person.user_id


def upper(person: Person) -> str:
    return person.user_id.upper()


def behind_a_blank(person: Person) -> str:
    return f" {person.user_id}"


def with_a_blank(person: Person) -> str:
    return f"{person.user_id[:3]} {person.user_id[3:]}"


def prefixed(person: Person) -> str:
    return f"auth0|{person.user_id}"


def anonymous_id(person: Person) -> str:
    return person.anonymous_id


def email(person: Person) -> str:
    return person.email


def company_id(person: Person) -> dict[str, str]:
    return {"companyID": person.company}


# ---- and those of their messages


def signed_in(person: Person) -> dict[str, str]:
    return {"user_id": person.user_id}


def signed_out(person: Person) -> dict[str, str]:
    return {"anonymous_id": person.anonymous_id}


def both_ids(person: Person) -> dict[str, str]:
    return {"user_id": person.user_id, "anonymous_id": person.anonymous_id}


def by_email(person: Person) -> dict[str, str]:
    return {"user_id": person.email}
