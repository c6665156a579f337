"""The codes that findings name: ids of rules, and for each contract the keywords it breaks by, as in ``segment/track.required``.

`page` explains any of them, `find` says what one stands for, and `codes_of` lists those of a contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trackside import catalog, markdown
from trackside.contract_fields import limits_of
from trackside.contract_places import Place, below, places, type_words
from trackside.errors import TracksideError
from trackside.rules import RULES, Rule

KEYWORDS = {
    "required": "A field that must be there is missing. Add it.",
    "type": "A value is of another type. Send one of the type that is asked for.",
    "const": "A value is another than the only one that may stand there. Send that one.",
    "enum": "A value is none of those that may stand there. Send one of them.",
    "pattern": "A text does not have the form that is asked for. Send one that has.",
    "minLength": "A text is too short. Send a longer one.",
    "maxLength": "A text is too long. Send a shorter one.",
    "minItems": "A list has too few items. Send more.",
    "maxItems": "A list has too many items. Send fewer at a time.",
    "uniqueItems": "A list has an item twice. Send each item once.",
    "contains": "A list has not the items that must be in it. Add or remove some.",
    "minProperties": "An object has too few fields. Send more.",
    "maxProperties": "An object has too many fields. Send fewer.",
    "minimum": "A number is too small. Send a greater one.",
    "maximum": "A number is too great. Send a smaller one.",
    "exclusiveMinimum": "A number is too small. Send a greater one.",
    "exclusiveMaximum": "A number is too great. Send a smaller one.",
    "multipleOf": "A number is not a multiple of the one that is asked for. Send a multiple of it.",
    "additionalProperties": "A field is none of those that the object may have. Remove it or correct its name.",
    "unevaluatedProperties": "A field is none of those that the object may have. Remove it or correct its name.",
    "propertyNames": "A field has a name that no field may have there. Correct its name.",
    "falseSchema": "Something is there that may not be. Remove it.",
    "anyOf": "A value has none of the forms that it may have. Send one of them.",
    "oneOf": "A value has none of the forms that it may have, or several at once. Send exactly one of them.",
    "not": "A value is what it may not be. Send another.",
    "depth": f"What breaks the contract has more than {catalog.LEVELS} levels, too many to say where. Send values of fewer levels.",
}
"""What each keyword means where it is broken, and what to do; ``depth`` is no keyword of JSON Schema."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a contract asks, and where.

    Attributes:
        asks: what it is, such as ``at least 1 character``, with the condition under which it is asked.
        at: the places, such as ``$.batch[*].event``; for a missing field, where it should be.
    """

    asks: str
    at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """One keyword that a contract can break by.

    Attributes:
        contract: the contract's name, such as ``segment/track``.
        keyword: the keyword, as `trackside.catalog.Fault` names it.
        held: what it asks, and where.
    """

    contract: str
    keyword: str
    held: tuple[Held, ...]

    @property
    def id(self) -> str:
        """The contract and the keyword, such as ``segment/track.required``."""
        return f"{self.contract}.{self.keyword}"

    @property
    def text(self) -> str:
        """What it means, and what to do."""
        return KEYWORDS[self.keyword]

    def as_json(self) -> dict[str, Any]:
        """Return the code with the fields that a rule has too, and what is asked where."""
        source = catalog.load(self.contract)["x-source"]
        return {
            "id": self.id,
            "vendor": self.contract.partition("/")[0],
            "contract": self.contract,
            "text": self.text,
            "source": origin(source),
            "confidence": source["confidence"],
            "held": [{"asks": held.asks, "at": list(held.at)} for held in self.held],
        }


def origin(source: dict[str, str]) -> str:
    """Return a contract's ``x-source`` in one line: title, address, and the day it was read."""
    return f"{source['title']}, {source['address']} (read {source['read']})"


def codes_of(contract: str) -> list[Code]:
    """Return what a contract can break by, in the order of `KEYWORDS`, each keyword with what it asks and where.

    Raises:
        TracksideError: if there is no contract of that name.

    >>> [code.id for code in codes_of("segment/success-answer")][:2]
    ['segment/success-answer.required', 'segment/success-answer.type']
    """
    found: dict[str, dict[str, list[str]]] = {keyword: {} for keyword in KEYWORDS}
    for place in places(catalog.load(contract)):
        for keyword, at, asks in _asked(place) if place.told else ():
            said = f"{asks} ({place.condition})" if place.when else asks
            found[keyword].setdefault(said, []).append(at)
    found["depth"] = {f"at most {catalog.LEVELS} levels": ["$"]}
    return [
        Code(contract, keyword, tuple(Held(asks, tuple(dict.fromkeys(at))) for asks, at in held.items()))
        for keyword, held in found.items()
        if held
    ]


def _asked(place: Place) -> Iterator[tuple[str, str, str]]:
    """Yield what a subschema asks: the keyword, the place, and the words."""
    part, at = place.part, place.at
    if isinstance(part, bool):
        yield from () if part else [("falseSchema", at, "not allowed")]
        return
    if "type" in part:
        yield "type", at, type_words(part)
    for name in part.get("required", ()):
        yield "required", below(at, name), "must be there"
    for name, others in part.get("dependentRequired", {}).items():
        yield from (
            ("required", below(at, other), f"must be there where {markdown.code(below(at, name))} is")
            for other in others
        )
    for keyword, asks in limits_of(part).items():
        yield keyword, at, asks
    for keyword in catalog.UNKNOWN_FIELDS:
        if part.get(keyword) is False:
            yield _refusing(keyword, part), at, "no other fields"


def _refusing(keyword: str, part: dict[str, Any]) -> str:
    """Return the keyword that is told of an unknown field: an object without any known field is refused as a whole."""
    known = "properties" in part or "patternProperties" in part or keyword == "unevaluatedProperties"
    return keyword if known else "falseSchema"


def find(code: str) -> Rule | Code:
    """Return the rule or the contract's code of an id.

    Raises:
        TracksideError: if there is none; it names those that are like it.
    """
    if code in RULES:
        return RULES[code]
    contract = code.rpartition(".")[0]
    if contract in catalog.names():
        for one in codes_of(contract):
            if one.id == code:
                return one
    raise TracksideError(f"there is no rule or code {code!r}", "rules show", _near(code))


def _near(code: str) -> str:
    import difflib  # noqa: PLC0415 - only a misspelt code pays for it

    known = [*RULES, *(one.id for contract in catalog.names() for one in codes_of(contract))]
    close = difflib.get_close_matches(code, known, n=3, cutoff=0.5)
    return f"perhaps you mean {' or '.join(close)}" if close else "see trackside rules and trackside contracts for all"


def page(code: str) -> str:
    """Return what a rule or a contract's code means, as Markdown.

    Raises:
        TracksideError: if there is no such code.

    >>> page("segment/track.required").splitlines()[0]
    '# segment/track.required'
    """
    found = find(code)
    lines = _rule_lines(found) if isinstance(found, Rule) else _code_lines(found)
    return "\n".join([f"# {code}", "", *lines]) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    more = {
        "Source": rule.origin,
        "Confidence": rule.confidence,
        "Setting": f"`{rule.setting}`" if rule.setting else "",
    }
    facts = [f"- {name}: {value}" for name, value in more.items() if value]
    open_ = ["", "What else is said, or left open:", *markdown.sentences(rule.otherwise)] if rule.otherwise else []
    return [*markdown.sentences(rule.text), "", *facts, *open_]


def _code_lines(code: Code) -> list[str]:
    schema = catalog.load(code.contract)
    vendor, payload = code.contract.split("/")
    return [
        *markdown.sentences(code.text),
        "",
        *held_lines(code),
        "",
        f"- Contract: `{code.contract}`, {schema['title']}",
        f"- Source: {origin(schema['x-source'])}",
        f"- Confidence: {schema['x-source']['confidence']}",
        f"- Payloads that break it: `contracts/{vendor}/examples/{payload}/invalid/` in trackside's repository",
    ]


def held_lines(code: Code) -> list[str]:
    """Return what a code asks, and where, as a Markdown table."""
    rows = [
        f"| {markdown.cell(held.asks)} | {', '.join(markdown.cell(markdown.code(at)) for at in held.at)} |"
        for held in code.held
    ]
    return ["| asked | where |", "|---|---|", *rows]
