"""Ids that no analytics can use: looked for in single calls, and across all payloads of a run in bounded memory.

What only shows across payloads is looked for among the latest `KEPT` userIds, `KEPT` anonymousIds and the first
`FLAG_IDS` ids of flag SDKs; ids of more than `LONGEST` characters are not compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from trackside.validation.flag_ids import PERSONS, ids_of
from trackside.validation.problems import Place, Problem

__all__ = ["Identities", "IdentityLint", "Pair", "call_problems", "ids_of", "pair_problems"]

_OF_VISITORS = PERSONS | {"stableID"}
_FIRST, _SECOND = itemgetter(0), itemgetter(1)

Pair: TypeAlias = tuple[str | None, str | None]
"""The userId and the anonymousId of a Segment call; None for one that is missing, or no text."""

KEPT = 50_000
FLAG_IDS = 10_000
LONGEST = 128
USERS = 3
"""Users of one anonymousId that make it one for everybody."""
QUANTITY = 10
"""Ids of either side from which on it is told that none of them is one of the other's."""

PLACEHOLDERS = frozenset(
    (
        "undefined",
        "null",
        "(null)",
        "none",
        "nil",
        "nan",
        "[object object]",
        "anonymous",
        "unknown",
        "true",
        "false",
        "-1",
    )
)
"""In lower case, blanks around them aside."""

_LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS))
_PREFIX = re.compile(
    r"(?:[a-z][a-z0-9_-]{0,30}[|:/]|(?:user|usr|u|uid|id|customer|cust|member|account)(?:[_-]|(?=[0-9])))(?=.)"
)
_HINTS = {"userId": "send the id that your database has for the user, or leave userId out while there is none"}
_HINT = "send an id that is made once for each visitor, such as a UUID"


@dataclass(slots=True)
class Identities:
    """The ids of one part of a file, each with the line where it stands first.

    Attributes:
        calls: the pairs of ids of Segment calls, in the order of the calls.
        flags: the ids that flag SDKs sent: vendor, kind (such as ``userID``, or the kind of a context) and id.
        aliases: the ids that alias calls join: previousId and userId.
        users: the userIds of the pairs.
        anonymous: the anonymousIds of the pairs.
    """

    calls: dict[Pair, int] = field(default_factory=dict)
    flags: dict[tuple[str, str, str], int] = field(default_factory=dict)
    aliases: set[tuple[str, str]] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    anonymous: set[str] = field(default_factory=set)

    def take_many(self, calls: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> list[Pair]:
        """Remember the ids of Segment calls that keep their contract, and return their pairs."""
        pairs = [(call.get("userId"), call.get("anonymousId")) for call in calls]
        found = dict(zip(pairs, lines, strict=True))
        if len(found) < len(pairs):  # of a pair that comes twice, the first line counts
            found = dict(zip(reversed(pairs), reversed(lines), strict=True))
        self.calls = {**found, **self.calls} if self.calls else found
        self.users.update(map(_FIRST, found))
        self.anonymous.update(map(_SECOND, found))
        self.users.discard(None)
        self.anonymous.discard(None)
        return pairs

    def take(self, call: Mapping[str, Any], line: int) -> None:
        """Remember the ids of a Segment call."""
        user, anonymous, before = (_text(call.get(name)) for name in ("userId", "anonymousId", "previousId"))
        self.calls.setdefault((user, anonymous), line)
        self.users.update((user,) if user else ())
        self.anonymous.update((anonymous,) if anonymous else ())
        if before and user and call.get("type") == "alias":
            self.aliases.add((before, user))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# ---- single calls


def call_problems(call: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the ids of a Segment call by themselves: its pair, a group's groupId, an alias's previousId."""
    found = pair_problems((_text(call.get("userId")), _text(call.get("anonymousId"))))
    for kind, name in (("group", "groupId"), ("alias", "previousId")):
        if call.get("type") == kind:
            found += _id_problems(name, call.get(name))
    return found


def pair_problems(pair: Pair) -> list[Problem]:
    """Return what is wrong with the ids of a call by themselves, such as a userId ``undefined``.

    >>> [problem.code for problem in pair_problems(("[object Object]", "00000000-0000-0000-0000-000000000000"))]
    ['trackside.identity.placeholder', 'trackside.identity.zeros']
    """
    user, anonymous = pair
    if (not user or not _may_be_wrong(user)) and (not anonymous or not _may_be_wrong(anonymous)) and user != anonymous:
        return []
    found = [*_id_problems("userId", user), *_id_problems("anonymousId", anonymous)]
    if user and user == anonymous and not found:
        what = f"the userId {_shown(user)} is the anonymousId as well"
        found.append(_problem("trackside.identity.anonymous-as-user", what, "userId", _HINTS["userId"]))
    return found


def any_may_be_wrong(users: Set[str], anonymous: Set[str]) -> bool:
    """Return whether any of these ids has to be looked at; False for most, at a tenth of what looking at each costs.

    >>> any_may_be_wrong({"u-1"}, {"a-1"}), any_may_be_wrong({"u-1", "NULL"}, {"a-1"})
    (False, True)
    """
    ids = list(users | anonymous)
    text = "\n".join(ids)
    return (
        "@" in text
        or not users.isdisjoint(anonymous)
        or not PLACEHOLDERS.isdisjoint(text.lower().split("\n"))
        or text.split() != ids  # a blank somewhere
        or "" in text.replace("0", "").replace("-", "").split("\n")
    )


def _id_problems(name: str, value: Any) -> Iterator[Problem]:
    """Yield what is wrong with one id; an empty one breaks its contract, which tells it.

    Args:
        name: the field that holds it: ``userId``, ``anonymousId``, ``groupId`` or ``previousId``.
        value: as it was sent; one that is no text is not looked at.
    """
    if not isinstance(value, str) or not value or not _may_be_wrong(value):
        return
    shown, bare, hint = _shown(value), value.strip(), _HINTS.get(name, _HINT)
    if not bare:
        yield _problem(
            "trackside.identity.blanks", f"the {name} {shown} has nothing but blanks", name, hint, strict=True
        )
    elif not bare.strip("0-"):
        yield _problem(
            "trackside.identity.zeros", f"the {name} {shown} has nothing but zeros and dashes", name, hint, strict=True
        )
    elif is_placeholder(bare):
        yield _problem(
            "trackside.identity.placeholder", f"the {name} {shown} is no id of anybody", name, hint, strict=True
        )
    elif bare != value:
        fix = "trim it: with blanks it is another id than without"
        yield _problem("trackside.identity.blanks", f"the {name} {shown} has blanks around it", name, fix)
    elif _is_email(bare) and name != "previousId":
        fix = "send an id that never changes, and the address as the trait email"
        yield _problem("trackside.identity.email", f"the {name} {shown} is an e-mail address", name, fix)


def is_placeholder(value: str) -> bool:
    """Return whether an id is what a program writes for a missing one."""
    return value.lower() in PLACEHOLDERS or not value.strip("0- \t\r\n")


def _may_be_wrong(value: str) -> bool:
    """Return whether an id has to be looked at; False, quickly, for most that are well."""
    return (
        (len(value) <= _LONGEST_PLACEHOLDER and value.lower() in PLACEHOLDERS)
        or "@" in value
        or value.strip() != value
        or (value[0] in "0-" and not value.strip("0-"))
    )


def _is_email(value: str) -> bool:
    name, _, domain = value.rpartition("@")
    return bool(name) and "." in domain.strip(".") and " " not in value and ":" not in domain and "/" not in value


def _problem(code: str, what: str, name: str, fix: str, *, strict: bool = False) -> Problem:
    path = (name,) if name else ()
    return Problem(code, "strict" if strict else "warn", what, path, fix)


def _shown(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


# ---- across calls

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Values by id, for about the latest ids of a bounded number: the older half goes when the newer one is full.

    Args:
        limit: the most ids that are kept.

    Attributes:
        dropped: whether an id had to go.
    """

    def __init__(self, limit: int = KEPT) -> None:
        self._half = limit // 2
        self._new: dict[str, Value] = {}
        self._old: dict[str, Value] = {}
        self.dropped = False

    def get(self, key: str) -> Value | None:
        """Return the value of an id; None where it is not kept."""
        found = self._new.get(key)
        if found is not None:
            return found
        older = self._old.get(key)
        if older is not None:
            self.put(key, older)
        return older

    def put(self, key: str, value: Value) -> None:
        """Keep a value."""
        if len(self._new) >= self._half and key not in self._new:
            self.dropped = self.dropped or bool(self._old)
            self._old, self._new = self._new, {}
        self._new[key] = value

    def update(self, values: Mapping[str, Value]) -> None:
        """Keep many values at once; what they exceed the limit by stays until the next ones come."""
        if values and len(self._new) + len(values) > self._half:
            self.dropped = self.dropped or bool(self._old)
            self._old, self._new = self._new, {}
        self._new.update(values)

    def among(self, ids: Iterable[str]) -> set[str]:
        """Return those of some ids that are kept."""
        return (self._new.keys() & ids) | (self._old.keys() & ids)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids that are kept; one may come twice."""
        yield from self._old
        yield from self._new


@dataclass(frozen=True, slots=True)
class _FlagId:
    vendor: str
    kind: str
    id: str
    place: Place


class IdentityLint:
    """Looks at the ids of a run together, part by part in their order; it remembers a bounded number of them."""

    def __init__(self) -> None:
        self._users: Latest[bool] = Latest()
        self._anonymous: Latest[tuple[str, ...]] = Latest()
        """The userIds that came with each anonymousId; as many as `USERS` where that was told."""
        self._aliases: Latest[tuple[str, ...]] = Latest(KEPT // 5)
        self._flags: dict[tuple[str, str, str], _FlagId] = {}

    def take(self, file: str, identities: Identities) -> Iterator[tuple[Place, Problem]]:
        """Yield what is wrong with the ids of a part, together with those that came before."""
        for before, after in identities.aliases:
            self._aliases.put(after, (*(self._aliases.get(after) or ())[-9:], before))
        for (user, anonymous), line in self._new(identities):
            problem = self._pair(user, anonymous)
            if problem is not None:
                yield Place(file, line), problem
        for (vendor, kind, one), line in identities.flags.items():
            yield from self._flag(_FlagId(vendor, kind, one, Place(file, line)))

    def _new(self, identities: Identities) -> list[tuple[Pair, int]]:
        """Return the pairs that may say something together with others, by line; the rest is only remembered."""
        calls, users, anonymous = identities.calls, identities.users, identities.anonymous
        if not anonymous and self._anonymous.among(users) == set():  # as on servers
            short = (
                users if max(map(len, users), default=0) <= LONGEST else [one for one in users if len(one) <= LONGEST]
            )
            self._users.update(dict.fromkeys(short, True))
            return []
        odd = {one for one, count in Counter(map(_SECOND, calls)).items() if one and count > 1} | (users & anonymous)
        odd |= self._anonymous.among(users) | self._anonymous.among(anonymous) | self._users.among(anonymous)
        alone = {pair for pair in calls if pair[0] not in odd and pair[1] not in odd}
        self._users.update({user: True for user, _ in alone if user and len(user) <= LONGEST})
        self._anonymous.update({one: (user,) if user else () for user, one in alone if one and len(one) <= LONGEST})
        left = calls.keys() - alone
        return sorted(((pair, line) for pair, line in calls.items() if pair in left), key=_SECOND) if left else []

    def _pair(self, user: str | None, anonymous: str | None) -> Problem | None:
        """Return what is wrong with a pair that came; at most one thing, as one mistake explains the others."""
        user = user if user and len(user) <= LONGEST else None
        anonymous = anonymous if anonymous and len(anonymous) <= LONGEST else None
        found = None
        if user is not None and user != anonymous and self._users.get(user) is None:
            self._users.put(user, True)
            if self._anonymous.get(user) is not None:
                found = self._mixed_up(user, "userId")
        if anonymous is None or user == anonymous:
            return found
        before = self._anonymous.get(anonymous)
        if before is None:
            self._anonymous.put(anonymous, (user,) if user else ())
            return found or (self._mixed_up(anonymous, "anonymousId") if self._users.get(anonymous) else None)
        if user is None or user in before or len(before) >= USERS:
            return found
        if before and self._is_alias(user, before[-1]):
            self._anonymous.put(anonymous, (*before[:-1], user))
            return found
        self._anonymous.put(anonymous, (*before, user))
        return found or self._changed(anonymous, before, user)

    def _mixed_up(self, one: str, name: str) -> Problem | None:
        if is_placeholder(one):
            return None
        other = "anonymousId" if name == "userId" else "userId"
        fix = "send the database's id as userId, and the visitor's own as anonymousId"
        return _problem(
            "trackside.identity.anonymous-as-user",
            f"the {name} {_shown(one)} is the {other} of another call",
            name,
            fix,
        )

    def _changed(self, anonymous: str, before: tuple[str, ...], user: str) -> Problem | None:
        """Return that an anonymousId has another userId than before, or one of many."""
        if not before or is_placeholder(anonymous) or any(map(is_placeholder, (user, *before))):
            return None
        if len(before) + 1 >= USERS:
            names = ", ".join(_shown(one) for one in (*before, user))
            what = f"the anonymousId {_shown(anonymous)} is that of {USERS} users or more: {names}"
            fix = "make one for each visitor, and call reset() when somebody logs out"
            return _problem("trackside.identity.constant-anonymous-id", what, "anonymousId", fix)
        what = f"the userId changes from {_shown(before[-1])} to {_shown(user)} while the anonymousId {_shown(anonymous)} stays"
        fix = "call reset() before another user logs in, or alias() where it is the same person"
        return _problem("trackside.identity.user-changes", what, "userId", fix)

    def _is_alias(self, one: str, other: str) -> bool:
        return other in (self._aliases.get(one) or ()) or one in (self._aliases.get(other) or ())

    # ---- flag SDKs

    def _flag(self, flag: _FlagId) -> Iterator[tuple[Place, Problem]]:
        """Keep an id that a flag SDK sent, and yield what is wrong with it by itself."""
        key = (flag.vendor, flag.kind, flag.id)
        if not flag.id or len(flag.id) > LONGEST or key in self._flags or len(self._flags) >= FLAG_IDS:
            return
        self._flags[key] = flag
        if is_placeholder(flag.id):
            what = f"the {flag.kind} {_shown(flag.id)} that {flag.vendor} is asked with is no id of anybody"
            fix = "wait until the id is known: everybody with this one gets the same variation"
            yield flag.place, _problem("trackside.identity.placeholder", what, "", fix, strict=True)

    def finish(self) -> Iterator[tuple[Place, Problem]]:
        """Yield what only shows when all was seen: ids of flag SDKs that differ from those of analytics."""
        flags = [flag for flag in self._flags.values() if not is_placeholder(flag.id)]
        known = {one: None for ids in (self._users, self._anonymous) for one in ids}
        apart = [flag for flag in flags if flag.id not in known]
        if not known or not apart:
            return
        near = _Near(known)
        differing = [(flag, other) for flag in apart if (other := near.to(flag.id, prefixed=flag.kind in _OF_VISITORS))]
        for flag, other in differing:
            what = f"the {flag.kind} {_shown(flag.id)} that {flag.vendor} is asked with is {_shown(other)} in analytics"
            fix = "send one and the same id to both: results of experiments are joined by it, letter for letter"
            yield flag.place, _problem("trackside.identity.flag-sdk", what, "", fix)
        persons = [flag for flag in flags if flag.kind in PERSONS]
        if not differing and all(flag.id not in known for flag in persons):
            yield from self._none_meets(persons, known)

    def _none_meets(self, persons: list[_FlagId], known: Mapping[str, None]) -> Iterator[tuple[Place, Problem]]:
        """Yield that no id of flag SDKs is one of analytics, where there are many of both and all were kept."""
        if len(persons) < QUANTITY or len(known) < QUANTITY or self._users.dropped or self._anonymous.dropped:
            return
        vendors = " and ".join(dict.fromkeys(flag.vendor for flag in persons))
        example, other = _shown(persons[0].id), _shown(next(iter(known)))
        what = f"none of the {len(persons)} ids that {vendors} is asked with, such as {example}, is one of the {len(known)} in analytics, such as {other}"
        fix = "send the userId or the anonymousId to the flag SDK too, else no result can be joined to its exposure"
        yield persons[0].place, _problem("trackside.identity.flag-sdk", what, "", fix)


class _Near:
    """Ids of analytics, found by an id that differs by upper or lower case, blanks around it, or a prefix.

    >>> _Near(["User-7", "auth0|ab"]).to("user-7 "), _Near(["auth0|ab"]).to("ab"), _Near(["u-7"]).to("user-7")
    ('User-7', 'auth0|ab', '')
    """

    def __init__(self, ids: Any) -> None:
        self._folded = {one.strip().casefold(): one for one in ids}
        self._without = {bare: one for folded, one in self._folded.items() if (bare := _unprefixed(folded)) != folded}

    def to(self, one: str, *, prefixed: bool = True) -> str:
        """Return the id of analytics that is nearest; an empty text where none is near.

        Args:
            one: an id of a flag SDK.
            prefixed: whether a prefix may be the difference; not for an organization 7, which is no user-7.
        """
        folded = one.strip().casefold()
        found = self._folded.get(folded)
        if found is None and prefixed:
            found = self._folded.get(_unprefixed(folded)) or self._without.get(folded)
        return found or ""


def _unprefixed(folded: str) -> str:
    return _PREFIX.sub("", folded, count=1) if _PREFIX.match(folded) else folded
