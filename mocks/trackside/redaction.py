"""Keys and their placeholders: recordings name a key's place in the workspace, and each replay puts its own there. Pure.

A placeholder is that place in double braces: ``{{segment.sources.web.write_key}}``. ``{{unknown}}`` stands for a
credential that the workspace does not have, ``{{braces}}`` for two literal braces; after ``{{base64}}`` stands decoded
what is sent as base64.

Where a key is replaced depends on its length. One of 16 characters and more, as every vendor makes them, is replaced
wherever it stands. A shorter one, made up for a test, may be an ordinary word: it is replaced only where it is a whole
value, that is a JSON text, a header, a part of a path, or a value of a query.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

LONG = 16
"""Characters from which on a key is no ordinary word."""

UNKNOWN = "{{unknown}}"
BRACES = "{{braces}}"
BASE64 = "{{base64}}"

KEY_FIELDS = frozenset(
    (
        "access_token",
        "admin_key",
        "api_key",
        "client_key",
        "client_secret",
        "client_side_id",
        "console_key",
        "mobile_key",
        "public_api_token",
        "sdk_key",
        "secret",
        "server_secret",
        "shared_secret",
        "write_key",
    )
)
"""The fields of a workspace that hold a key, at whatever vendor."""

_SERVED = frozenset(
    (
        "audiences",
        "dynamic_configs",
        "experiments",
        "flags",
        "gates",
        "id_lists",
        "large_segments",
        "layers",
        "rule_based_segments",
        "segments",
    )
)
"""Blocks of a vendor that hold what it serves; a field named like a key is none there."""

_RAW_FIELDS = frozenset(("filters", "mappings"))

_CREDENTIAL_HEADER = re.compile(r"(?:^|-)(?:authorization|cookie2?|api-?key|token|secret|password)$")
_CREDENTIALS = frozenset(
    ("writekey", "sdkkey", "statsig-api-key", "access_token", "accesstoken", "client_assertion", "client_secret")
)
"""Names, in lower case, that hold a credential in a query, a form or a JSON body."""

_ANSWERED = _CREDENTIALS | {"token"}
_PATH_CREDENTIALS = ("client_side_id", "secret", "write_key")
_SCHEME = re.compile(r"([A-Za-z][\w-]*) +(\S+)")
_TEXT = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_JSON_TEXTS = rf"{_TEXT}(\s*:\s*(?:{_TEXT})?)?"
_HIDING = re.compile(r"\\u00[2-7]", re.IGNORECASE)
"""How JSON may write a character of a plain key, or a brace, otherwise than as itself."""

_PLAIN_KEY = re.compile(r"[\w.-]+", re.ASCII)
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_FORM = "application/x-www-form-urlencoded"
_BRACES = "{}"


def keys_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return every key of a workspace by its place, in the order of the file.

    Args:
        document: the workspace as it was written.

    >>> keys_of({"segment": {"sources": {"my.app": {"write_key": "wk"}}}, "statsig": {"server_secret": ""}})
    {'segment.sources.my%2Eapp.write_key': 'wk'}
    """
    return {".".join(map(_part, path)): key for path, key in _keys_in(document, ())}


def is_credential(header: str) -> bool:
    """Return whether a header of this name holds a credential.

    >>> is_credential("X-Api-Key"), is_credential("X-Signature")
    (True, False)
    """
    return _CREDENTIAL_HEADER.search(header.lower()) is not None


def _part(name: str) -> str:
    return quote(name, safe="").replace(".", "%2E").replace("~", "%7E")


def _keys_in(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        rows = value.items()
    elif isinstance(value, list | tuple):
        rows = {str(index): item for index, item in enumerate(value)}.items()
    else:
        return
    for name, inner in rows:
        place = (*path, name)
        if isinstance(inner, str):
            if inner and name in KEY_FIELDS:
                yield place, inner
        elif not (len(place) == 2 and name in _SERVED) and not (len(place) == 4 and name in _RAW_FIELDS):
            yield from _keys_in(inner, place)


# ---- putting placeholders in


class Redactor:
    """Puts placeholders in place of one workspace's keys, and of credentials that it does not have.

    Args:
        keys: as `keys_of` gives them.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self._of: dict[str, _Names] = {}

    def at(self, vendor: str) -> _Names:
        """Return the redaction of what came to a vendor: of a key that two vendors share, its own place is named."""
        if vendor not in self._of:
            own = sorted(self._keys, key=lambda name: name.partition(".")[0] != vendor)
            names: dict[str, str] = {}
            for name in own:
                names.setdefault(self._keys[name], f"{{{{{name}}}}}")
            self._of[vendor] = _Names(names)
        return self._of[vendor]


class _Names:
    """The redaction of what comes to one vendor.

    Args:
        names: a placeholder by each key.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        long = sorted((key for key in names if len(key) >= LONG), key=len, reverse=True)
        inside = "|".join([r"\{\{", *map(re.escape, long)])
        self._inside = re.compile(inside)
        self._json = re.compile(f"{_JSON_TEXTS}|{inside}", re.DOTALL)
        self._odd = not all(map(_PLAIN_KEY.fullmatch, names))
        self._quick = {names: self._quick_json(names, inside) for names in (_CREDENTIALS, _ANSWERED)}

    @cached_property
    def _body_words(self) -> tuple[str, ...]:
        """What a body holds in which something is to be done; most hold none of it."""
        return ("{{", *self._names)

    def text(self, value: str) -> str:
        """Return a whole value: a key's placeholder, or the text with its long keys replaced and its braces escaped."""
        return self._names.get(value) or self.within(value)

    def within(self, value: str) -> str:
        """Return a text that is no whole value, its long keys replaced and its braces escaped."""
        return self._inside.sub(lambda match: self._names.get(match[0], BRACES), value)

    def credential(self, value: str) -> str:
        """Return the placeholder of a credential, `UNKNOWN` for one that no workspace has; an empty one stays."""
        return self._names.get(value, UNKNOWN) if value else value

    def header(self, name: str, value: str) -> str:
        """Return a header's value; of a credential the scheme stays."""
        if not is_credential(name):
            return self.text(value)
        match = _SCHEME.fullmatch(value.strip())
        if match is None or value in self._names:
            return self.credential(value.strip())
        scheme, given = match.groups()
        return f"{scheme} {self._basic(given) if scheme.lower() == 'basic' else self.credential(given)}"

    def _basic(self, given: str) -> str:
        plain = _unbase64(given)
        if plain is None:
            return UNKNOWN
        user, colon, password = plain.partition(":")
        return f"{BASE64}{self.credential(user)}{colon}{self.credential(password)}"

    def path(self, path: str, params: Mapping[str, str]) -> str:
        """Return a path; ``params`` are the parts that its route names, some of which are credentials."""
        secrets = {params[name] for name in _PATH_CREDENTIALS if params.get(name)} - self._names.keys()
        told = []
        for part in reversed(path.split("/")):  # the credential stands last, and other parts may look like it
            whole = part in secrets or part in self._names
            stem, dot, ending = (part, "", "") if whole else part.rpartition(".")
            if stem in secrets:
                secrets = set()
                told.append(f"{UNKNOWN}{dot}{ending}")
            elif stem in self._names:
                told.append(f"{self._names[stem]}{dot}{ending}")
            else:
                told.append(self.within(part))
        return "/".join(reversed(told))

    def query(self, name: str, value: str, *, key: str = "") -> str:
        """Return a value of a query; ``key`` is a further name that holds a credential, as ``k`` does at Statsig."""
        if name.lower() in _CREDENTIALS or (key and name == key):
            return self.credential(value)
        if value in self._names:
            return self._names[value]
        plain = _unbase64(value) if len(value) >= LONG else None
        if plain is not None and _is_json(plain):
            told = self.body(plain)
            if told != plain:
                return BASE64 + told
        return self.within(value)

    def body(self, text: str, content_type: str = "", *, answer: bool = False) -> str:
        """Return a body; of JSON nothing but the texts that hold a key changes, byte for byte.

        Args:
            text: the body.
            content_type: of the request, as forms are read otherwise; JSON is read as JSON whatever it says.
            answer: whether it is a vendor's answer, which may give out a ``token``.
        """
        credentials = _ANSWERED if answer else _CREDENTIALS
        if not _is_json(text):
            if content_type.startswith(_FORM):
                return "&".join(self._form_pair(pair) for pair in text.split("&"))
            return self.text(text)
        if self._odd or _HIDING.search(text):
            return self._json.sub(lambda match: self._json_texts(match, credentials), text)
        if not self._concerns(text, credentials):
            return text
        return self._quick[credentials].sub(self._quick_text, text)

    def _form_pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(value)
        told = self.credential(plain) if name.lower() in _CREDENTIALS else self.text(plain)
        return f"{name}{equals}{value if told == plain else quote_plus(told, safe=_BRACES)}"

    def _concerns(self, text: str, credentials: frozenset[str]) -> bool:
        if any(word in text for word in self._body_words):
            return True
        lower = text.lower()
        return any(f'"{name}"' in lower for name in credentials)

    def _quick_json(self, credentials: frozenset[str], inside: str) -> re.Pattern[str]:
        """Return what finds plain keys and credentials in JSON that hides none; ten times as fast as reading every text."""
        keys, names = "|".join(map(re.escape, self._names)) or "(?!)", "|".join(map(re.escape, sorted(credentials)))
        member = rf'((?i:{names})"\s*:\s*"){_TEXT[1:]}'
        return re.compile(rf'"(?<!\\")(?:{member}|({keys})"(?!\s*:))|{inside}', re.DOTALL)

    def _quick_text(self, match: re.Match[str]) -> str:
        before, credential, key = match.groups()
        if before is not None:
            return f'"{before}{self.credential(credential)}"'
        return f'"{self._names[key]}"' if key is not None else self.within(match[0])

    def _json_texts(self, match: re.Match[str], credentials: frozenset[str]) -> str:
        name, after, value = match.groups()
        if name is None:  # outside of every text, where JSON is broken
            return self.within(match[0])
        if after is None:
            return f'"{self._json_text(name, self.text)}"'
        if value is None:
            return f'"{self._json_text(name, self.within)}"{after}'
        said = self.credential if _plain(name).lower() in credentials else self.text
        between = after[: -len(value) - 2]
        return f'"{self._json_text(name, self.within)}"{between}"{self._json_text(value, said)}"'

    def _json_text(self, written: str, told: Callable[[str], str]) -> str:
        plain = _plain(written)
        said = told(plain)
        if said == plain:
            return written
        return said if "\\" not in written else json.dumps(said)[1:-1]


def _is_json(text: str) -> bool:
    """Return whether a body is meant as JSON; what begins with a placeholder is none."""
    start = text.lstrip()[:2]
    return start[:1] in ("{", "[", '"') and start != "{{"


def _plain(written: str) -> str:
    """Return the text that a JSON text between its quotes stands for; one that is not valid stands for itself."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


def _unbase64(value: str) -> str | None:
    """Return the UTF-8 text that a value holds as base64, of either alphabet and with or without padding."""
    given = value.strip().replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return base64.b64decode(given + "=" * (-len(given) % 4), validate=True).decode()
    except ValueError:
        return None


# ---- putting keys in


class UnknownKeyError(LookupError):
    """A placeholder that the workspace has no key for; its argument is the placeholder's name."""


class Restorer:
    """Puts one workspace's keys where placeholders stand.

    Args:
        keys: as `keys_of` gives them.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = {**keys, "braces": "{{", "unknown": "unknown"}

    def text(self, value: str, write: Callable[[str], str] = str) -> str:
        """Return a text with the keys in it.

        Args:
            value: with placeholders.
            write: how a key is written there.

        Raises:
            UnknownKeyError: the workspace has no such key.
        """
        return _PLACEHOLDER.sub(lambda match: write(self._key(match[1])), value) if "{{" in value else value

    def value(self, value: str) -> str:
        """Return a header or a value of a query, what stands decoded in it as base64."""
        before, decoded, plain = value.partition(BASE64)
        if not decoded:
            return self.text(value)
        return self.text(before) + base64.b64encode(self.body(plain).encode()).decode()

    def body(self, text: str, content_type: str = "") -> str:
        """Return a body, each key written as JSON or a form wants it."""
        if content_type.startswith(_FORM) and not _is_json(text):
            return "&".join(self._form_pair(pair) for pair in text.split("&"))
        return self.text(text, (lambda key: json.dumps(key)[1:-1]) if _is_json(text) else str)

    def _form_pair(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        plain = unquote_plus(value)
        said = self.text(plain)
        return f"{name}{equals}{value if said == plain else quote_plus(said)}"

    def _key(self, name: str) -> str:
        if name not in self._keys:
            raise UnknownKeyError(name)
        return self._keys[name]
