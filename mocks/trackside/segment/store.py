"""What Segment remembers between requests: the messageIds it has seen, and the tokens it handed out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Iterable

from trackside.segment.settings import Dedup

_HASH = 2**60 - 1
"""Sixty bits of a hash: what CPython holds in its second-smallest integer."""


class SeenIds:
    """The messageIds of the last hours, for deduplication (segment.dedup).

    The window is the documented 24 hours or the last 100,000 ids, whichever is shorter; `aged_out_early` counts the ids
    that had to go before their hours were over.
    """

    def __init__(self, dedup: Dedup) -> None:
        self.dedup = dedup
        self.aged_out_early = 0
        self._seen: dict[int, float] = {}  # by hash: a third of the memory, and no collision in practice
        # Oldest first. The first key of a dict that lost many is found only past all of them.
        self._order: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._seen)

    def repeated(self, ids: Iterable[tuple[int, str]], source: str, at: float) -> tuple[int, ...]:
        """Return the positions whose id came before, and remember the others as seen ``at`` this moment.

        Args:
            ids: position and messageId of each call that has one.
            source: the source they came through, which counts only with ``scope: source``.
            at: epoch seconds.
        """
        seen = self._seen
        self._expire(at - self.dedup.hours * 3600)
        prefix = f"{source}\n" if self.dedup.scope == "source" else ""
        positions = []
        for position, message_id in ids:
            key = hash(prefix + message_id) & _HASH
            if key in seen:
                positions.append(position)
                continue
            seen[key] = at
            self._order.append(key)
        while len(seen) > self.dedup.ids:
            del seen[self._order.popleft()]
            self.aged_out_early += 1
        return tuple(positions)

    def _expire(self, oldest: float) -> None:
        """Forget the ids that were seen at ``oldest`` or before."""
        seen, order = self._seen, self._order
        while order and seen[order[0]] <= oldest:
            del seen[order.popleft()]

    def reset(self) -> None:
        """Forget every id."""
        self._seen.clear()
        self._order.clear()
        self.aged_out_early = 0


class Tokens:
    """Access tokens of the OAuth endpoint: signed, so that nothing needs to be kept."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def issue(self, client_id: str, expires_at: float) -> str:
        """Return a token for an OAuth app that is good until ``expires_at`` (epoch seconds)."""
        claim = f"{int(expires_at)}:{client_id}".encode()
        signature = hmac.new(self._key, claim, hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(signature + claim).decode().rstrip("=")

    def fault(self, token: str, now: float) -> str:
        """Return why a token is not good at ``now``, or nothing."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return "the access token was not issued here"
        signature, claim = raw[:16], raw[16:]
        if not hmac.compare_digest(signature, hmac.new(self._key, claim, hashlib.sha256).digest()[:16]):
            return "the access token was not issued here"
        return "" if int(claim.partition(b":")[0]) > now else "the access token has expired"
