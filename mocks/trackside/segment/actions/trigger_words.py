"""The words of a trigger, cut as Segment's package @segment/fql-ts cuts them, slips included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from trackside.segment.actions.javascript import number

_TERMINATORS = frozenset(" \t\n,])")
_IDENT = re.compile(r"(?:\\.|[A-Za-z0-9_-])+", re.DOTALL)
_NUMBER = re.compile(r"[0-9.]*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class UnreadableError(Exception):
    """Why a trigger cannot be read, in a few words."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a trigger: ``value`` as written, quotes included, escapes of names undone."""

    kind: Literal["ident", "operator", "conditional", "string", "number", "other", "end"]
    value: str

    def literal(self) -> str | float | bool:
        """Return what the word stands for on the right of a comparison."""
        if self.kind == "string":
            return self.value.removeprefix('"').removesuffix('"')
        if self.kind == "number":
            return number(self.value)
        return self.value == "true" if self.kind == "ident" and self.value in ("true", "false") else self.value


END = Token("end", "eos")


def tokenize(trigger: str) -> list[Token]:
    """Return the words of a trigger, `END` last."""
    tokens: list[Token] = []
    at = 0
    while at < len(trigger):
        char = trigger[at]
        if char in " \t\n":
            at += 1
        else:
            token, at = _token(trigger, at, char)
            tokens.append(token)
    return [*tokens, END]


def _token(trigger: str, at: int, char: str) -> tuple[Token, int]:
    following = trigger[at + 1 : at + 2]
    if char == "!" and (following == "(" or _is_letter(following)):
        return Token("operator", "!"), at + 1
    if char in "!=<>":
        return _operator(trigger, at, char)
    if _is_letter(char) or char in "\\_":
        return _keyword(trigger, at, char) or _ident(trigger, at)
    if char in "0123456789-+":
        return _number(trigger, at)
    if char in "\"'":
        return _string(trigger, at, char)
    if char in ".[],()":
        return Token("other", char), at + 1
    raise UnreadableError(f"invalid character {char!r}")


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _ends(trigger: str, at: int) -> bool:
    return at >= len(trigger) or trigger[at] in _TERMINATORS


def _operator(trigger: str, at: int, char: str) -> tuple[Token, int]:
    """Take an operator; ``!=``, ``<=`` and ``>=`` only where a blank follows."""
    if char != "=" and trigger[at + 1 : at + 2] == "=" and _ends(trigger, at + 2):
        return Token("operator", f"{char}="), at + 2
    if char == "!":
        raise UnreadableError("'!' without a function behind it, or '!=' without a blank behind it")
    return Token("operator", char), at + 1


def _keyword(trigger: str, at: int, char: str) -> tuple[Token, int] | None:
    word = {"a": "and", "o": "or", "n": "null"}.get(char)
    if word is None:
        return None
    if trigger.startswith(word, at) and _ends(trigger, at + len(word)):
        return Token("other" if word == "null" else "conditional", word), at + len(word)
    rest = trigger[at + 1 :]
    if len(rest) < len(word) - 1 and not _TERMINATORS.intersection(rest):
        return Token("ident", char), len(trigger)  # the package loses the rest of a short last word
    return None


def _ident(trigger: str, at: int) -> tuple[Token, int]:
    match = _IDENT.match(trigger, at)
    end = match.end() if match else at
    if match is None or not (_ends(trigger, end) or trigger[end] in ".(=!"):
        raise UnreadableError(f"unexpected character {trigger[end : end + 1]!r} behind a name")
    return Token("ident", _ESCAPE.sub(r"\1", match.group())), end


def _number(trigger: str, at: int) -> tuple[Token, int]:
    match = _NUMBER.match(trigger, at + 1)
    digits = trigger[at] + (match.group() if match else "")
    if digits.count(".") > 1 or (digits.endswith(".") and _ends(trigger, at + len(digits))):
        raise UnreadableError(f"{digits!r} is no number")
    return Token("number", digits), at + len(digits)


def _string(trigger: str, at: int, quote: str) -> tuple[Token, int]:
    end = trigger.find(quote, at + 1)
    if end < 0:
        raise UnreadableError("unterminated string")
    # The closing quote is only eaten where a blank, a comma or a bracket follows: else it opens the next text.
    return Token("string", trigger[at : end + 1]), end + 1 if _ends(trigger, end + 1) else end


def joined(tokens: list[Token]) -> list[Token]:
    """Return the words with ``a . b`` made one name ``a.b``; parts that are numbers are not joined."""
    names: list[Token] = []
    rest = tokens[::-1]
    while rest:
        token = rest.pop()
        if token.value == "." and names and names[-1].kind == "ident" and rest and rest[-1].kind == "ident":
            token = Token("ident", f"{names.pop().value}.{rest.pop().value}")
        names.append(token)
    return names
