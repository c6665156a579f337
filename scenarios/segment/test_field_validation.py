"""Field validation: what Segment's Actions framework makes of a mapped payload before it sends anything."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.segment.actions.fields import Field, compile_fields

FIELDS = (
    Field("key", "Key", "string", required=True),
    Field("value", "Value", "number"),
    Field("flag", "Flag", "boolean"),
    Field("more", "More", "object"),
    Field("at", "At", "datetime"),
    Field("tags", "Tags", "string", multiple=True),
    Field("size", "Size", "string", choices=("S", "M", "L")),
    Field("host", "Host", "string", format="hostname"),
)


def checked(**payload: Any) -> dict[str, Any]:
    clean, faults = compile_fields(FIELDS)({"key": "k", **payload})
    assert not faults, faults
    return {name: value for name, value in clean.items() if name != "key"}


def refused(**payload: Any) -> list[str]:
    return [fault.sentence for fault in compile_fields(FIELDS)({"key": "k", **payload})[1]]


@pytest.mark.rule("segment.fields.empty")
def test_null_and_empty_texts_count_as_missing():
    assert checked(value=None, more="", flag="") == {}
    assert refused(key="") == ["The root value is missing the required field 'key'."]


@pytest.mark.rule("segment.fields.coercion")
@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("12.5", 12.5),
        (" 12 ", 12),
        ("1e3", 1000),
        ("0x10", 16),
        (True, 1),
        (False, 0),
        ([5], 5),
        (["7"], 7),
        ("  ", 0),
        ([None], 0),
    ],
)
def test_what_javascript_takes_for_a_number_becomes_one(given, number):
    assert checked(value=given) == {"value": number}


@pytest.mark.rule("segment.fields.coercion")
@pytest.mark.parametrize(("given", "text"), [(42, "42"), (5.0, "5"), (1e21, "1e+21"), (True, "true"), (["x"], "x")])
def test_numbers_and_booleans_become_texts(given, text):
    clean, faults = compile_fields(FIELDS)({"key": given})
    assert (clean, faults) == ({"key": text}, [])


@pytest.mark.rule("segment.fields.coercion")
@pytest.mark.parametrize(("given", "boolean"), [("true", True), ("false", False), (1, True), (0, False)])
def test_two_words_and_two_numbers_become_booleans(given, boolean):
    assert checked(flag=given) == {"flag": boolean}


@pytest.mark.rule("segment.fields.coercion")
def test_one_value_becomes_an_array_of_one():
    assert checked(tags="a") == {"tags": ["a"]}
    assert checked(tags=[1, "b"]) == {"tags": ["1", "b"]}


@pytest.mark.rule("segment.fields.coercion")
def test_a_field_that_nobody_declared_is_removed():
    assert checked(surprise=1) == {}


@pytest.mark.rule("segment.fields.invalid")
@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"value": "$5"}, "Value must be a number but it was a string."),
        ({"value": {"amount": 5}}, "Value must be a number but it was an object."),
        ({"value": [1, 2]}, "Value must be a number but it was an array."),
        ({"more": [{}]}, "More must be an object but it was an array."),
        ({"at": "soon"}, "At must be a valid date-like string but it was not."),
        ({"at": {}}, "At must be a string or number but it was an object."),
        ({"size": "XL"}, 'Size must be one of: "S", "M", or "L".'),
        ({"host": "events.test:8080"}, "Host must be a valid hostname string but it was not."),
        ({"tags": ["a", {}]}, "The value at /tags/1 must be a string but it was an object."),
        ({"key": None}, "The root value is missing the required field 'key'."),
    ],
)
def test_one_wrong_field_fails_the_payload_in_segments_words(payload, sentence):
    assert refused(**payload) == [sentence]


@pytest.mark.rule("segment.fields.invalid")
def test_all_faults_are_told_missing_fields_first():
    assert refused(value="many", key=None) == [
        "The root value is missing the required field 'key'.",
        "Value must be a number but it was a string.",
    ]


@pytest.mark.rule("segment.fields.invalid")
def test_a_payload_that_is_no_object_fails():
    _, faults = compile_fields(FIELDS)(["key"])
    assert [fault.sentence for fault in faults] == ["The root value must be an object but it was an array."]


@pytest.mark.rule("segment.actions.settings")
def test_settings_keep_empty_texts():
    clean, faults = compile_fields(FIELDS, keep_empty=True)({"key": "", "host": ""})
    assert clean["key"] == ""
    assert [fault.sentence for fault in faults] == ["Host must be a valid hostname string but it was not."]
