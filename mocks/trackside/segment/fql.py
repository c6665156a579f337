"""Segment's Filter Query Language (FQL), in full: the conditions of destination filters.

A condition is parsed once, by the grammar in ``fql.lark``, and becomes a chain of Python closures. The parser is
imported when the first condition is compiled, so a workspace without filters does not pay for it.

Mapping triggers are another, much smaller language; see `trackside.segment.triggers`.

Source: Segment, "Destination Filter Query Language".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.errors import TracksideError
from trackside.segment.fql_functions import FUNCTIONS, EvaluationError, contained, equal, is_number, match
from trackside.steps import Message

if TYPE_CHECKING:
    from lark import Lark, Token, Tree
    from lark.exceptions import UnexpectedInput

Condition: TypeAlias = Callable[[Message], bool]
Value: TypeAlias = Callable[[Message], Any]
Node: TypeAlias = "Tree[Token]"

MAX_FQL_BYTES = 5 * 1024
"""The longest condition, in bytes of UTF-8 (segment.filter.limits)."""

__all__ = ["MAX_FQL_BYTES", "EvaluationError", "InvalidFQL", "compile_fql", "field_reader"]


class InvalidFQL(TracksideError):  # noqa: N818 - the vendor's documents call it "invalid FQL"
    """A condition that is no FQL; Segment drops every event that meets it (segment.filter.fail-closed).

    Args:
        what: what is wrong.
        text: the whole condition.
        position: the place of the fault in it, counted from 0.
        fix: what to write instead.

    Attributes:
        line: the line of the fault, counted from 1.
        column: its column, counted from 1.
    """

    def __init__(self, what: str, text: str, position: int, fix: str = "") -> None:
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(what, f"line {self.line}, column {self.column} of the condition", fix)


@lru_cache(maxsize=512)
def compile_fql(text: str) -> Condition:
    """Return the test that a condition is; compiled once and kept.

    Args:
        text: FQL, at most 5 KB, such as ``event = "Order Completed" and properties.total > 100``.

    Returns:
        A function from a message to whether the condition holds; only a result of ``true`` holds
        (segment.fql.syntax), and ``and`` binds before ``or`` (segment.fql.precedence). It raises `EvaluationError`
        where a value cannot be worked with.

    Raises:
        InvalidFQL: with line and column, and what to write instead.

    Source: Segment, "Destination Filter Query Language".

    >>> is_internal = compile_fql('contains(properties.email, "@acme.com") and !(type in ["page", "screen"])')
    >>> is_internal({"type": "track", "properties": {"email": "jo@acme.com"}})
    True
    """
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - only a workspace with filters needs the parser

    if len(text.encode("utf-8", "surrogatepass")) > MAX_FQL_BYTES:
        raise InvalidFQL("the condition is longer than 5 KB", text, 0, "split it over several filters")
    try:
        value = _Compiler(text).value(_parser().parse(text))
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except RecursionError:
        raise InvalidFQL("the condition is nested too deeply", text, 0, "take some parentheses away") from None
    return lambda message: value(message) is True


@lru_cache(maxsize=1)
def _parser() -> Lark:
    from lark import Lark  # noqa: PLC0415 - see compile_fql

    # The basic lexer keeps and, or, in, true, false and null reserved in every place.
    return Lark.open("fql.lark", rel_to=__file__, parser="lalr", lexer="basic", maybe_placeholders=False)


class _Compiler:
    """Turns the parse tree of one condition into closures; one method per rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text

    def value(self, node: Node) -> Value:
        """Return the function that computes what a node stands for."""
        method: Callable[..., Value] = getattr(self, node.data)
        return method(*node.children)

    def disjunction(self, *nodes: Node) -> Value:
        values = [self.value(node) for node in nodes]

        def check(message: Message) -> bool:
            for value in values:  # noqa: SIM110 - a loop is faster than any() over a generator
                if value(message) is True:
                    return True
            return False

        return check

    def conjunction(self, *nodes: Node) -> Value:
        values = [self.value(node) for node in nodes]

        def check(message: Message) -> bool:
            for value in values:  # noqa: SIM110 - a loop is faster than all() over a generator
                if value(message) is not True:
                    return False
            return True

        return check

    def negation(self, node: Node) -> Value:
        value = self.value(node)
        return lambda message: value(message) is not True

    def comparison(self, left: Node, sign: Token, right: Node) -> Value:
        return _comparison(self.value(left), str(sign), self.value(right))

    def membership(self, item: Node, items: Node) -> Value:
        left, right = self.value(item), self.value(items)
        return lambda message: contained(left(message), right(message))

    def literal(self, token: Token) -> Value:
        constant = _constant(token)
        return lambda _message: constant

    def array(self, *nodes: Node) -> Value:
        values = [self.value(node) for node in nodes]
        if all(node.data == "literal" for node in nodes):
            constants = [value({}) for value in values]
            return lambda _message: constants
        return lambda message: [value(message) for value in values]

    def field(self, token: Token) -> Value:
        """Return the reader of a dotted path, its backslashes taken out (segment.fql.field)."""
        return field_reader([_ESCAPED.sub(r"\1", name) for name in _NAMES.findall(token)])

    def call(self, name: Token, *nodes: Node) -> Value:
        function, arity = self._function(name, len(nodes))
        values = [self.value(node) for node in nodes]
        if name == "match" and nodes[1].data == "literal":
            self._check_pattern(values[1]({}), name)
        if arity == 1:
            (only,) = values
            return lambda message: function(only(message))
        return lambda message: function(*[value(message) for value in values])

    def _function(self, name: Token, given: int) -> tuple[Callable[..., Any], int]:
        function, arity = FUNCTIONS.get(name, (None, 0))
        if function is None:
            near = get_close_matches(name.lower(), FUNCTIONS, 1)
            fix = f"did you mean {near[0]}()?" if near else f"the functions are {', '.join(FUNCTIONS)}"
            raise InvalidFQL(f"there is no function {str(name)!r}", self.text, name.start_pos or 0, fix)
        if given != arity:
            what = f"{name}() got {given} argument{'' if given == 1 else 's'}"
            raise InvalidFQL(what, self.text, name.start_pos or 0, f"give it {arity}, with a comma between two")
        return function, arity

    def _check_pattern(self, pattern: Any, name: Token) -> None:
        """Refuse a written-out pattern that is no glob now, instead of at some event (segment.fql.match)."""
        try:
            match("", pattern)
        except EvaluationError as error:
            raise InvalidFQL(error.what, self.text, name.start_pos or 0, error.fix) from None


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NAMES = re.compile(r"(?:\\.|[^.\\])+", re.DOTALL)


def _constant(token: Token) -> Any:
    """Return the value of a literal; a backslash is kept but before the string's own quote (segment.fql.strings)."""
    if token.type == "STRING":
        quote = token[0]
        return _ESCAPED.sub(lambda found: quote if found[1] == quote else found[0], token[1:-1])
    if token.type == "NUMBER":
        return float(token) if "." in token else int(token)
    return {"true": True, "false": False, "null": None}[token]


def field_reader(names: Sequence[str]) -> Value:
    """Return the function that reads the field at a path of names, None where it leads nowhere (segment.fql.null).

    >>> field_reader(["context", "page", "url"])({"context": {"page": {"url": "https://acme.com/"}}})
    'https://acme.com/'
    """
    if len(names) == 1:
        (name,) = names
        return lambda message: message.get(name)

    def read(message: Message) -> Any:
        value: Any = message
        for name in names:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    return read


_ORDERS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def _comparison(left: Value, sign: str, right: Value) -> Value:
    """Return one comparison; only numbers have an order, all else is never greater or less (segment.fql.strict-types)."""
    if sign == "=":
        return lambda message: equal(left(message), right(message))
    if sign == "!=":
        return lambda message: not equal(left(message), right(message))
    in_order = _ORDERS[sign]

    def check(message: Message) -> bool:
        first, second = left(message), right(message)
        return is_number(first) and is_number(second) and in_order(first, second)

    return check


_HINTS = {
    r"&&?|AND\b|And\b": "write and, in lower case",
    r"\|\|?|OR\b|Or\b": "write or, in lower case",
    r"IN\b|In\b": "write in, in lower case",
    r"[=<>]|!=|in\b": "compare two values with one operator, != for not equal; after ! put parentheses, as in !(a = b)",
    r"!": "write ! directly before one field, function or parenthesis, as in !(a = b)",
    r"[\"']": "close the string with the quote it began with",
    r"\)": "open a parenthesis for it, or take it away",
    r"$": "end it with a whole comparison, such as event = 'Signed Up', and close each parenthesis",
    r"[A-Za-z0-9_]": "put and, or or an operator between two values; ! stands for not",
    "": r"put \ before a character of a field name outside A-Z a-z 0-9 _ -, and text in quotes",
}


def _syntax_error(text: str, error: UnexpectedInput) -> InvalidFQL:
    """Return the parser's complaint in three clauses."""
    at_end = getattr(getattr(error, "token", None), "type", "") == "$END"
    position = len(text) if at_end else error.pos_in_stream or 0
    rest = text[position:]
    found = re.match(r"\w+|\W", rest)
    what = f"unexpected {found[0]!r}" if found else "the condition ends too early"
    return InvalidFQL(what, text, position, next(hint for start, hint in _HINTS.items() if re.match(start, rest)))
