"""The hash by which Statsig's client SDKs know names. Pure."""

from __future__ import annotations


def djb2(text: str) -> str:
    """Return the djb2 hash of a text, as Statsig writes it: 32 bits, decimal (statsig.sdk.initialize.hash).

    >>> djb2("rig_gate")
    '2850191002'
    """
    value = 0
    data = text.encode("utf-16-le", "surrogatepass")  # JavaScript's characters are 16 bits
    for low, high in zip(data[::2], data[1::2], strict=True):
        value = (value * 31 + low + (high << 8)) & 0xFFFFFFFF
    return str(value)
