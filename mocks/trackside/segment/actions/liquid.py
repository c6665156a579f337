"""The ``@liquid`` directive, by the package python-liquid in the place of Segment's LiquidJS.

Both follow Shopify's Liquid. Tags and filters that Segment switches off fail here too. What LiquidJS has and
python-liquid lacks fails with its name instead of guessing; numbers, lists and objects print as in JavaScript. Dates and
rounding of fractions can differ. Rule: segment.mapping-kit.liquid.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from trackside.segment.actions.javascript import double, number, stringify, units
from trackside.segment.actions.mapping_values import InvalidMapping

LONGEST = 1000
"""Characters that Segment allows in a template."""

DISABLED_TAGS = ("case", "for", "include", "layout", "render", "tablerow")
DISABLED_FILTERS = (
    "array_to_sentence_string",
    "concat",
    "find",
    "find_exp",
    "find_index",
    "find_index_exp",
    "group_by",
    "group_by_exp",
    "has",
    "has_exp",
    "map",
    "newline_to_br",
    "reject",
    "reject_exp",
    "reverse",
    "sort",
    "sort_natural",
    "uniq",
    "where_exp",
    "type",
)
# What LiquidJS has beyond python-liquid; an unknown filter, on the other hand, is passed over by both.
UNKNOWN_FILTERS = (
    "cgi_escape",
    "date_to_long_string",
    "date_to_rfc822",
    "date_to_string",
    "date_to_xmlschema",
    "hmac_sha256",
    "inspect",
    "normalize_whitespace",
    "number_of_words",
    "pop",
    "push",
    "raw",
    "sample",
    "sha256",
    "shift",
    "slugify",
    "to_integer",
    "unshift",
    "uri_escape",
    "xml_escape",
)
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "plus": operator.add,
    "minus": operator.sub,
    "times": operator.mul,
    "divided_by": lambda left, right: left / right if right else math.inf * left if left else math.nan,
}
OWN_TO_PYTHON = ("safe", "escapejs", "base64_url_safe_encode", "base64_url_safe_decode")


class _Object(dict[str, Any]):
    """An object that prints as JavaScript prints one."""

    def __str__(self) -> str:
        return "[object Object]"


def compile_liquid(template: str) -> Callable[[Any], str]:
    """Return what renders a template on an event; faults come as `InvalidMapping` when it is used, as at Segment.

    The event's own keys are the variables: ``{{ properties.plan }}``, with no ``event.`` before them.
    """
    if not template:
        return lambda _event: ""
    if units(template) > LONGEST:
        return _failing(f"liquid template values are limited to {LONGEST} characters")
    try:
        from liquid.exceptions import LiquidError  # noqa: PLC0415  an optional package
    except ImportError:
        return _failing("@liquid needs the package python-liquid: pip install python-liquid")
    try:
        parsed = _environment().from_string(template)
    except LiquidError as fault:
        return _failing(f"the liquid template cannot be parsed: {fault}")

    def resolve(event: Any) -> str:
        try:
            return str(parsed.render(**_printable(event if isinstance(event, dict) else {})))
        except (LiquidError, ArithmeticError, TypeError, ValueError) as fault:
            raise InvalidMapping(f"the liquid template cannot be rendered: {fault}") from None

    return resolve


def _failing(reason: str) -> Callable[[Any], str]:
    def resolve(_event: Any) -> str:
        raise InvalidMapping(reason)

    return resolve


@lru_cache(maxsize=1)
def _environment() -> Any:
    from liquid import Environment  # noqa: PLC0415  an optional package

    environment = Environment(strict_filters=False)
    for tag in DISABLED_TAGS:
        environment.tags.pop(tag, None)
    for name in OWN_TO_PYTHON:
        environment.filters.pop(name, None)
    environment.filters |= {name: _refusing(f'filter "{name}" is disabled') for name in DISABLED_FILTERS}
    environment.filters |= {name: _refusing(f'filter "{name}" is not emulated') for name in UNKNOWN_FILTERS}
    environment.filters |= {"json": stringify, "jsonify": stringify}
    environment.filters |= {name: _arithmetic(compute) for name, compute in ARITHMETIC.items()}
    return environment


def _arithmetic(compute: Callable[[float, float], float]) -> Callable[..., Any]:
    """Return a filter that computes with JavaScript's doubles: 7 divided by 2 is 3.5."""
    return lambda left, right=0, *_: double(compute(_number(left), _number(right)))


def _number(value: Any) -> float:
    found = number(value) if isinstance(value, str) else float(value) if isinstance(value, (int, float)) else 0.0
    return 0.0 if math.isnan(found) else found


def _refusing(reason: str) -> Callable[..., Any]:
    def refuse(*_values: Any, **_options: Any) -> Any:
        raise InvalidMapping(reason)

    return refuse


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return _Object({key: _printable(item) for key, item in value.items()})
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return double(value) if isinstance(value, float) else value
