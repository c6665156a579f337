"""Ids as Segment's API has them, made of names, so that they stay the same from run to run."""

from __future__ import annotations

import hashlib

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def stable_id(*parts: str, length: int = 22) -> str:
    """Return the id of what these names stand for.

    >>> stable_id("source", "web") == stable_id("source", "web"), len(stable_id("source", "web"))
    (True, 22)
    """
    number = int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest(), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def plan_id(name: str) -> str:
    """Return the id of a tracking plan.

    >>> plan_id("Acme")[:3]
    'rs_'
    """
    return "rs_" + stable_id("tracking-plan", name, length=27)
