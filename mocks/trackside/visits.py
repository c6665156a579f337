"""One visit of a made-up person to a web shop, an app or a business product, as Segment calls.

Faker draws a stock of names once per process; calls are put together from the stock, as Faker is slow. Hosts, mail and
IP addresses are of the ranges that are reserved for examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from trackside.steps import Message

Kind: TypeAlias = Literal["shop", "app", "account"]
"""A session of a web shop, of a mobile app, or of signing up to a business product."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_STOCK = 100
_CURRENCY = "USD"
_PLANS = ("free", "team", "enterprise")
_LOCALES = ("en-US", "en-GB", "de-DE", "fr-FR", "es-ES")
_THINGS = (
    ("Backpack", "Bags"),
    ("Desk Lamp", "Home"),
    ("Headphones", "Audio"),
    ("Kettle", "Kitchen"),
    ("Notebook", "Office"),
    ("Raincoat", "Clothing"),
    ("Running Shoes", "Shoes"),
    ("Water Bottle", "Sport"),
)
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
)
_PHONES = (
    ("iOS", "18.1", "iPhone16,1", "Apple", "analytics-swift", "1.7.0"),
    ("Android", "15", "Pixel 9", "Google", "analytics-kotlin", "1.19.0"),
)


@dataclass(frozen=True, slots=True)
class User:
    """A made-up person.

    Attributes:
        user_id: Segment's ``userId`` once the person is known.
        anonymous_id: Segment's ``anonymousId``, a UUID.
        traits: what an identify call says of the person.
        group_id: the ``groupId`` of the person's company.
        company: what a group call says of the company.
    """

    user_id: str
    anonymous_id: str
    traits: dict[str, Any]
    group_id: str
    company: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Stock:
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[str, ...]
    companies: tuple[str, ...]
    colours: tuple[str, ...]


@lru_cache(maxsize=1)
def _stock() -> _Stock:
    from faker import Faker  # noqa: PLC0415 - importing it takes 70 ms, and most of trackside does without

    fake = Faker("en_US")
    fake.seed_instance(0)
    draws: list[Callable[[], str]] = [fake.first_name, fake.last_name, fake.city, fake.company, fake.color_name]
    return _Stock(*(tuple(draw() for _ in range(_STOCK)) for draw in draws))


def _uuid(random: Random) -> str:
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def new_user(random: Random) -> User:
    """Return a person drawn from ``random``; companies repeat, people do not."""
    stock = _stock()
    first, last, employer = random.choice(stock.first_names), random.choice(stock.last_names), random.randrange(_STOCK)
    number = f"{random.randrange(10**12):012d}"
    plan = _PLANS[employer % len(_PLANS)]
    traits = {
        "firstName": first,
        "lastName": last,
        "email": f"{first}.{last}.{number}@example.com".lower().replace(" ", "").replace("'", ""),
        "plan": plan,
        "address": {"city": random.choice(stock.cities), "country": "US"},
    }
    company = {"name": stock.companies[employer], "employees": 5 + 37 * employer, "plan": plan}
    return User(f"user-{number}", _uuid(random), traits, f"account-{employer:03d}", company)


def _product(random: Random) -> dict[str, Any]:
    stock, number = _stock(), random.randrange(_STOCK)
    thing, category = _THINGS[number % len(_THINGS)]
    return {
        "product_id": f"p-{number:03d}",
        "sku": f"SKU-{number:03d}",
        "name": f"{stock.colours[number]} {thing}",
        "category": category,
        "brand": stock.companies[-1 - number],
        "price": (995 + 173 * number) / 100,
        "quantity": random.randrange(1, 4),
        "currency": _CURRENCY,
    }


class Visit:
    """The calls of one visit: its person, its device and its clock.

    Args:
        random: where everything is drawn from.
        person: whose visit it is.
        now: the moment of the first call, epoch milliseconds; afterwards that of the next one.
        known: whether the person is identified from the start.
    """

    def __init__(self, random: Random, person: User, now: int, *, known: bool = False) -> None:
        self.random = random
        self.person = person
        self.now = now
        self.known = known
        self.ip = f"203.0.113.{random.randrange(1, 255)}"
        self.locale = random.choice(_LOCALES)
        self.browser = random.choice(_BROWSERS)
        self.phone = random.choice(_PHONES)

    def web(self, title: str, path: str) -> dict[str, Any]:
        """Return the context of a call from a browser on this page."""
        url = f"https://shop.example.com{path}"
        return {
            "ip": self.ip,
            "locale": self.locale,
            "userAgent": self.browser,
            "page": {"path": path, "referrer": "", "search": "", "title": title, "url": url},
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
        }

    def app(self) -> dict[str, Any]:
        """Return the context of a call from a phone."""
        system, version, model, maker, library, number = self.phone
        return {
            "ip": self.ip,
            "locale": self.locale,
            "userAgent": f"Shop/3.2 ({system} {version}; {model})",
            "app": {"name": "Shop", "version": "3.2", "build": "320"},
            "device": {"manufacturer": maker, "model": model},
            "os": {"name": system, "version": version},
            "library": {"name": library, "version": number},
        }

    def call(self, kind: str, context: dict[str, Any], **fields: Any) -> Message:
        """Return one call of this moment and let some time pass."""
        message: Message = {"type": kind, "messageId": _uuid(self.random), "anonymousId": self.person.anonymous_id}
        if self.known:
            message["userId"] = self.person.user_id
        message.update(fields, context=context, timestamp=_iso(self.now))
        self.now += self.random.randrange(500, 60_000)
        return message

    def page(self, name: str, path: str) -> Message:
        """Return a page call."""
        context = self.web(name, path)
        return self.call("page", context, name=name, properties={"name": name, **context["page"]})

    def screen(self, name: str) -> Message:
        """Return a screen call."""
        return self.call("screen", self.app(), name=name, properties={"name": name})

    def track(self, event: str, context: dict[str, Any], **properties: Any) -> Message:
        """Return a track call."""
        return self.call("track", context, event=event, properties=properties)

    def identify(self, context: Callable[[], dict[str, Any]]) -> Iterator[Message]:
        """Yield the call that names the person, if it is not done yet; rarely an alias call follows."""
        if not self.known:
            self.known = True
            traits = self.person.traits
            yield self.call("identify", context(), traits={**traits, "address": {**traits["address"]}})
            if self.random.random() < 0.05:
                yield self.call("alias", context(), previousId=self.person.anonymous_id)


def _shop(visit: Visit) -> Iterator[Message]:
    product = _product(visit.random)
    path = f"/products/{product['product_id']}"
    yield visit.page("Home", "/")
    yield visit.page("Product", path)
    yield visit.track("Product Viewed", visit.web("Product", path), **product, value=product["price"])
    yield visit.track("Product Added", visit.web("Product", path), **product)
    yield visit.page("Cart", "/cart")
    yield from visit.identify(lambda: visit.web("Cart", "/cart"))
    yield from _checkout(visit, lambda: visit.web("Checkout", "/checkout"), product)


def _app(visit: Visit) -> Iterator[Message]:
    product = _product(visit.random)
    yield visit.track("Application Opened", visit.app(), version="3.2", build="320", from_background=False)
    yield visit.screen("Home")
    yield visit.screen("Product")
    yield visit.track("Product Viewed", visit.app(), **product, value=product["price"])
    yield visit.track("Product Added", visit.app(), **product)
    yield from visit.identify(visit.app)
    yield from _checkout(visit, visit.app, product)


def _checkout(visit: Visit, context: Callable[[], dict[str, Any]], product: dict[str, Any]) -> Iterator[Message]:
    subtotal = round(product["price"] * 100) * product["quantity"]
    tax, shipping = subtotal * 8 // 100, visit.random.choice((0, 499, 999))
    order = {
        "order_id": f"order-{visit.random.randrange(10**9):09d}",
        "value": subtotal / 100,
        "revenue": subtotal / 100,
        "shipping": shipping / 100,
        "tax": tax / 100,
        "currency": _CURRENCY,
    }
    yield visit.track("Checkout Started", context(), **order, products=[{**product}])
    order |= {"subtotal": subtotal / 100, "total": (subtotal + tax + shipping) / 100}
    yield visit.track("Order Completed", context(), **order, products=[{**product}])


def _account(visit: Visit) -> Iterator[Message]:
    email, company = visit.person.traits["email"], visit.person.company
    yield visit.page("Pricing", "/pricing")
    yield visit.page("Sign up", "/signup")
    if visit.known:
        yield visit.track("Signed In", visit.web("Sign up", "/signup"), username=email)
        return
    yield from visit.identify(lambda: visit.web("Sign up", "/signup"))
    yield visit.track("Signed Up", visit.web("Sign up", "/signup"), type="organic", email=email)
    yield visit.track("Account Created", visit.web("Welcome", "/welcome"), account_name=company["name"])
    yield visit.call("group", visit.web("Welcome", "/welcome"), groupId=visit.person.group_id, traits={**company})
    trial = {**visit.web("Welcome", "/welcome"), "groupId": visit.person.group_id}
    yield visit.track("Trial Started", trial, trial_plan_name=company["plan"])


SCRIPTS: dict[Kind, Callable[[Visit], Iterator[Message]]] = {"shop": _shop, "app": _app, "account": _account}
"""What happens on a visit of each kind."""


def _iso(milliseconds: int) -> str:
    return (_EPOCH + milliseconds * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
