"""Fingerprints, by which CI systems know a finding again."""

from __future__ import annotations

from array import array
from hashlib import blake2b

from trackside.validation.findings import Finding
from trackside.validation.reports.places import any_index

_BUCKETS = 1 << 16


class Fingerprints:
    """Tells findings apart by code, file and place, without line numbers, in memory that does not grow.

    The further ones of a code at one place are numbered; some places share a count, so that few numbers are skipped.
    """

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * _BUCKETS))

    def of(self, finding: Finding, file: str) -> str:
        """Return the fingerprint of a finding, in a file of that name: no other finding of the run has it."""
        key = "\0".join((finding.code, file, any_index(finding.at)))
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16)
        bucket = int.from_bytes(digest.digest()[:2], "big")
        digest.update(b"\0%d" % self._counts[bucket])
        self._counts[bucket] += 1
        return digest.hexdigest()
