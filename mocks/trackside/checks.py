"""Whether what Segment sends to a vendor, and what the vendor keeps of it, keeps its contract. Pure functions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import orjson

from trackside import catalog
from trackside.steps import Record, Step

REQUESTS = {
    "statsig": "statsig/segment-webhook",
    "split": "split/segment-call",
    "launchdarkly": "launchdarkly/segment-events",
}
"""The contract of what Segment sends, by vendor; what goes to a webhook has none."""


def request_faults(vendor: str, body: bytes, told: Collection[str] = ()) -> list[Step]:
    """Return the broken rules of the contract that a delivery's body has, under the rule ``<vendor>.contract``.

    Args:
        vendor: whose destination it is.
        body: as Segment sends it.
        told: JSON paths of faults that the call itself had: a raw message carries them on, and once is enough.
    """
    contract = REQUESTS.get(vendor)
    if contract is None or not body:  # a webhook's mapping may send nothing, which its receiver tells of
        return []
    payload = orjson.loads(body)
    if vendor == "split" and isinstance(payload, list):  # its webhook takes several calls (split.in.webhook.batch)
        faults = [
            replace(step, at=f"$[{index}]{step.at[1:]}")
            for index, call in enumerate(payload)
            for step in _faults(contract, call)
        ]
    else:
        faults = _faults(contract, payload)
    return [step for step in faults if step.at not in told]


def body_faults(contract: str, body: bytes, told: Collection[str] = ()) -> list[Step]:
    """Return the broken rules of the contract that a request's body has; none for a body that is no JSON.

    Args:
        contract: of the route that it came to.
        body: as it came, decoded.
        told: JSON paths of faults that the endpoint itself told of: once is enough.
    """
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    return [step for step in _faults(contract, payload) if step.at not in told]


def record_faults(vendor: str, records: Collection[Record]) -> list[Step]:
    """Return the broken rules of the contracts of what a vendor keeps, under the rule ``<vendor>.contract``."""
    return [step for record in records for step in _faults(_record_contract(vendor, record), record)]


def _record_contract(vendor: str, record: Record) -> str:
    """Return the contract named after the record's kind, such as ``split/identity``, else that of the vendor's events."""
    own = f"{vendor}/{record.get('kind')}"
    return own if own in catalog.names() else f"{vendor}/event"


def _faults(contract: str, payload: Any) -> list[Step]:
    if catalog.validator(contract).is_valid(payload):
        return []
    return [catalog.as_step(fault) for fault in catalog.faults(contract, payload)]
