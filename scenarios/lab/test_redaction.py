"""Keys out of a recording, and back in: placeholders name a key's place in the workspace."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside.redaction import LONG, Redactor, Restorer, UnknownKeyError, keys_of

WRITE_KEY = "Jd8sKq02Lm4nPz7R"
SHORT = "k"
DOCUMENT: dict[str, Any] = {
    "segment": {
        "sources": {"web": {"write_key": WRITE_KEY}, "app": {"write_key": SHORT}},
        "destinations": {"gates": {"type": "statsig", "api_key": "secret-0123456789"}},
    },
    "statsig": {"server_secret": "secret-0123456789", "client_key": "client-1"},
}
WEB = "{{segment.sources.web.write_key}}"
APP = "{{segment.sources.app.write_key}}"


@pytest.fixture
def segment():
    return Redactor(keys_of(DOCUMENT)).at("segment")


@pytest.fixture
def statsig():
    return Redactor(keys_of(DOCUMENT)).at("statsig")


@pytest.fixture
def restorer():
    return Restorer(keys_of(DOCUMENT))


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


# ---- the keys of a workspace


def test_every_key_of_a_workspace_is_named_by_its_place():
    document = {
        "segment": {
            "sources": {"web": {"write_key": "1"}},
            "destinations": {"fme": {"api_key": "2"}, "ld": {"client_side_id": "3"}, "hook": {"shared_secret": "4"}},
            "public_api_token": "4b",
        },
        "statsig": {
            "server_secret": "5",
            "client_key": "6",
            "console_key": "7",
            "segment_outbound": {"write_key": "8"},
        },
        "split": {
            "environments": {"production": {"sdk_key": "9", "client_key": "10"}},
            "admin_key": "11",
            "segment_inbound": [{"api_key": "12"}, {"secret": "13"}],
            "segment_outbound": [{"write_key": "14"}],
        },
        "launchdarkly": {
            "environments": {"test": {"client_side_id": "15", "sdk_key": "16", "mobile_key": "17"}},
            "access_token": "18",
        },
        "ownlayer": {"api_key": "19", "segment": {"write_key": "20"}},
    }
    keys = keys_of(document)
    assert list(keys.values()) == ["1", "2", "3", "4", "4b", *(str(number) for number in range(5, 21))]
    assert keys["split.segment_inbound.1.secret"] == "13"


def test_what_a_flag_serves_is_no_key():
    served = {"statsig": {"dynamic_configs": {"maps": {"api_key": "on"}}}, "split": {"flags": {"secret": "on"}}}
    assert keys_of(served) == {}


def test_a_name_with_dots_or_braces_is_one_part_of_a_place():
    assert keys_of({"segment": {"sources": {"my.{{app}}": {"write_key": "wk"}}}}) == {
        "segment.sources.my%2E%7B%7Bapp%7D%7D.write_key": "wk"
    }


def test_a_key_that_two_vendors_share_is_named_by_the_place_at_the_vendor_that_was_asked(segment, statsig):
    assert segment.text("secret-0123456789") == "{{segment.destinations.gates.api_key}}"
    assert statsig.text("secret-0123456789") == "{{statsig.server_secret}}"


# ---- where a key is replaced


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WRITE_KEY, WEB),
        (SHORT, APP),
        (f"the key {WRITE_KEY} is good", f"the key {WEB} is good"),
        ("the k in a book", "the k in a book"),
        ("Hello {{name}}", "Hello {{braces}}name}}"),
    ],
    ids=["long", "short", "long-inside", "short-inside", "braces"],
)
def test_a_long_key_is_replaced_anywhere_and_a_short_one_as_a_whole_value(text, told, segment, restorer):
    assert segment.text(text) == told
    assert restorer.text(told) == text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"writeKey": "k",  "a": ["k", "kk"]}', f'{{"writeKey": "{APP}",  "a": ["{APP}", "kk"]}}'),
        ('{"k": 1.50, "n": 1e3}', '{"k": 1.50, "n": 1e3}'),
        (f'{{"{WRITE_KEY}":1}}', f'{{"{WEB}":1}}'),
        (r'{"a":"say \"k"}', r'{"a":"say \"k"}'),
        ('{"writeKey":"other"}', '{"writeKey":"{{unknown}}"}'),
        ('{"writeKey":""}', '{"writeKey":""}'),
        ('{"writeKey":"k', '{"writeKey":"k'),
        (f'{{"writeKey":"{WRITE_KEY}', f'{{"writeKey":"{WEB}'),
        ('{"text":"{{name}}"}', '{"text":"{{braces}}name}}"}'),
        ("{{name}}", "{{braces}}name}}"),
    ],
    ids=["values", "name", "long-name", "quoted-inside", "unknown", "empty", "cut", "long-cut", "template", "no-json"],
)
def test_of_a_body_only_texts_that_hold_a_key_change(body, told, segment):
    assert segment.body(body) == told


@pytest.mark.parametrize("written", [r'{"a":"\u006b"}', r'{"a":"say \"Jd8sKq02Lm4nPz7R\" \ud83d"}'])
def test_a_key_that_json_writes_with_escapes_is_found(written, segment, restorer):
    told = segment.body(written)
    assert "{{segment" in told
    assert json.loads(restorer.body(told)) == json.loads(written)


def test_a_body_in_json_that_says_it_is_a_form_is_read_as_json(segment):
    assert segment.body('{"writeKey":"k"}', "application/x-www-form-urlencoded") == f'{{"writeKey":"{APP}"}}'


def test_the_credentials_of_a_form_are_replaced(segment):
    form = "grant_type=client_credentials&client_assertion=eyJh.b.c&scope=a%20b"
    told = segment.body(form, "application/x-www-form-urlencoded")
    assert told == "grant_type=client_credentials&client_assertion={{unknown}}&scope=a%20b"


def test_a_token_that_is_given_out_is_replaced_and_one_in_an_event_is_not(segment):
    assert segment.body('{"token":"t-1"}', answer=True) == '{"token":"{{unknown}}"}'
    assert segment.body('{"token":"t-1"}') == '{"token":"t-1"}'


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("authorization", basic(f"{WRITE_KEY}:"), f"Basic {{{{base64}}}}{WEB}:"),
        ("authorization", basic("k"), f"Basic {{{{base64}}}}{APP}"),
        ("authorization", basic("other:pass"), "Basic {{base64}}{{unknown}}:{{unknown}}"),
        ("authorization", "Basic ?", "Basic {{unknown}}"),
        ("authorization", f"Bearer {WRITE_KEY}", f"Bearer {WEB}"),
        ("authorization", "api_key other", "api_key {{unknown}}"),
        ("authorization", "sdk-other", "{{unknown}}"),
        ("authorization", "", ""),
        ("statsig-api-key", "k", APP),
        ("cookie", "a=1; b=2", "{{unknown}}"),
        ("x-auth-token", "t-1", "{{unknown}}"),
        ("user-agent", "analytics-python/2.4", "analytics-python/2.4"),
        ("referer", f"https://a.example/?key={WRITE_KEY}", f"https://a.example/?key={WEB}"),
    ],
)
def test_a_credential_in_a_header_is_replaced_and_its_scheme_stays(name, value, told, segment):
    assert segment.header(name, value) == told


def test_basic_credentials_are_sent_again_as_base64(segment, restorer):
    given = basic(f"{WRITE_KEY}:")
    assert restorer.value(segment.header("authorization", given)) == given


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        (f"/v1/projects/{WRITE_KEY}/settings", {}, f"/v1/projects/{WEB}/settings"),
        ("/v1/get_id_lists/k.json", {"secret": "k"}, f"/v1/get_id_lists/{APP}.json"),
        ("/v1/get_id_lists/other.json", {"secret": "other"}, "/v1/get_id_lists/{{unknown}}.json"),
        ("/a/a.gif", {"client_side_id": "a"}, "/a/{{unknown}}.gif"),
        ("/events/bulk/x.y", {"client_side_id": "x.y"}, "/events/bulk/{{unknown}}"),
        ("/books/kk", {}, "/books/kk"),
    ],
)
def test_a_key_in_a_path_is_replaced(path, params, told, segment):
    assert segment.path(path, params) == told


def test_a_key_in_a_query_is_replaced_whole_and_one_inside_base64_too(segment, restorer):
    assert segment.query("k", "other", key="k") == "{{unknown}}"
    assert segment.query("any", "k") == APP
    data = base64.b64encode(b'{"writeKey":"k","event":"A"}').decode()
    told = segment.query("data", data)
    assert told == f'{{{{base64}}}}{{"writeKey":"{APP}","event":"A"}}'
    assert restorer.value(told) == data
    assert segment.query("data", "aGVsbG8gd29ybGQh") == "aGVsbG8gd29ybGQh"


# ---- keys back in


def test_a_replay_puts_in_the_keys_of_its_own_workspace(segment):
    told = segment.body(f'{{"writeKey":"{WRITE_KEY}"}}')
    other = Restorer(keys_of({"segment": {"sources": {"web": {"write_key": 'a"b'}}}}))
    assert json.loads(other.body(told)) == {"writeKey": 'a"b'}


def test_a_placeholder_without_a_key_is_an_error(restorer):
    with pytest.raises(UnknownKeyError, match=r"segment\.sources\.shop\.write_key"):
        restorer.text("{{segment.sources.shop.write_key}}")


# ---- whatever the keys and the traffic

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="{}/"), min_size=1, max_size=30)
PLAIN_KEYS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30)
TEXTS = st.text(st.sampled_from('{}ab "\\/é:.') | st.characters(codec="utf-8"), max_size=12)


@st.composite
def traffic(draw, each=KEYS) -> tuple[dict[str, str], Any]:
    """Return keys by their names, and a JSON value that holds them in many places."""
    keys = draw(st.lists(each, min_size=1, max_size=4, unique=True))
    named = {f"statsig.key{number}": key for number, key in enumerate(keys)}
    text = st.one_of(TEXTS, st.sampled_from(keys), st.builds("{}{}{}".format, TEXTS, st.sampled_from(keys), TEXTS))
    inner = st.one_of(text, st.integers(), st.none(), st.booleans())
    value = st.recursive(inner, lambda part: st.lists(part, max_size=4) | st.dictionaries(text, part, max_size=4))
    return named, draw(value)


def texts_in(value: Any, *, names: bool) -> list[str]:
    if isinstance(value, dict):
        inner = [one for part in value.values() for one in texts_in(part, names=names)]
        return [*value, *inner] if names else inner
    if isinstance(value, list):
        return [one for part in value for one in texts_in(part, names=names)]
    return [value] if isinstance(value, str) else []


@given(traffic(PLAIN_KEYS) | traffic(), st.booleans())
@settings(deadline=None)
def test_no_key_stays_in_a_body_and_putting_them_back_gives_the_same_json(made, ascii_only):
    named, value = made
    body = json.dumps({"all": value}, ensure_ascii=ascii_only)
    told = Redactor(named).at("statsig").body(body)
    parsed = json.loads(told)
    assert json.loads(Restorer(named).body(told)) == json.loads(body)
    assert set(texts_in(parsed, names=False)).isdisjoint(named.values())
    long = [key for key in named.values() if len(key) >= LONG]
    assert not [key for key in long for text in texts_in(parsed, names=True) if key in text]


@given(traffic(PLAIN_KEYS))
@settings(deadline=None)
def test_a_body_in_which_nothing_is_escaped_comes_back_byte_for_byte(made):
    named, value = made
    body = json.dumps({"all": value}, ensure_ascii=False).replace("\\", "-")
    assert Restorer(named).body(Redactor(named).at("statsig").body(body)) == body


@given(st.lists(KEYS, min_size=1, max_size=4, unique=True), TEXTS, TEXTS)
@settings(deadline=None)
def test_no_long_key_stays_in_a_header_or_query_and_both_come_back(keys, before, after):
    named = {f"statsig.key{number}": key for number, key in enumerate(keys)}
    redactor, restorer = Redactor(named).at("statsig"), Restorer(named)
    for value in (*keys, f"{before}{keys[0]}{after}"):
        header, query = redactor.header("x-any", value), redactor.query("any", value)
        assert restorer.value(header) == value
        assert restorer.value(query) == value
        assert not [key for key in keys if len(key) >= LONG and key in header + query]


@given(st.lists(KEYS, min_size=1, max_size=4, unique=True), TEXTS, TEXTS)
@settings(deadline=None)
def test_a_body_that_is_no_json_comes_back_as_it_was(keys, before, after):
    named = {f"statsig.key{number}": key for number, key in enumerate(keys)}
    for text in (keys[0], f"{before}{keys[0]}{after}"):
        if text.lstrip()[:1] not in ("{", "[", '"'):
            assert Restorer(named).body(Redactor(named).at("statsig").body(text)) == text


@given(st.lists(KEYS, min_size=1, max_size=3, unique=True), st.dictionaries(st.sampled_from("abc"), TEXTS, min_size=1))
@settings(deadline=None)
def test_a_form_comes_back_with_the_same_values(keys, fields):
    named = {f"statsig.key{number}": key for number, key in enumerate(keys)}
    form = "&".join(f"{name}={quote_plus(value)}" for name, value in {**fields, "key": keys[0]}.items())
    kind = "application/x-www-form-urlencoded"
    told = Redactor(named).at("statsig").body(form, kind)
    assert parse_qs(Restorer(named).body(told, kind), keep_blank_values=True) == parse_qs(form, keep_blank_values=True)
