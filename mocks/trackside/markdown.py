"""Text as Markdown shows it: code, cells of tables, sentences on lines of their own."""

from __future__ import annotations

import json
import re
from typing import Any

SHORT = 200
CODE = re.compile(r"(`+[^`]+`+)")


def code(text: str) -> str:
    """Return a text as code.

    >>> code("$.event")
    '`$.event`'
    """
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def value(of: Any) -> str:
    """Return a value as JSON in code, cut to what a cell of a table holds."""
    text = json.dumps(of, ensure_ascii=False)
    return code(text if len(text) <= SHORT else text[: SHORT - 1] + "…")


def prose(text: str) -> str:
    r"""Return a text whose ``<``, ``*`` and ``~`` stand for themselves, except in code.

    >>> prose("view_<name>_page, from `<name>`")
    'view_\\<name>_page, from `<name>`'
    """
    return "".join(part if CODE.fullmatch(part) else re.sub(r"([<*~])", r"\\\1", part) for part in CODE.split(text))


def cell(text: str) -> str:
    r"""Return a text as it can stand in a cell of a table.

    >>> cell("`a|b`")
    '`a\\|b`'
    """
    return prose(text).replace("|", "\\|").replace("\n", " ")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each a line of its own.

    >>> sentences("One thing. And another.")
    ['One thing.', 'And another.']
    """
    return re.split(r"(?<=[a-z)`][.?!]) (?=[A-Z])", prose(text))
