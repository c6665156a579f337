"""Segment's Filter Query Language, as its reference page and its published packages show it."""

import json
import subprocess
import sys
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.segment.fql import MAX_FQL_BYTES, EvaluationError, InvalidFQL, compile_fql

EVENT = {
    "event": "Button Clicked",
    "type": "track",
    "context": {"library": {"name": "analytics.js", "version": "1.0"}},
    "properties": {"features": ["discounts", "dark-mode"], "total": 30, "on_sale": True, "coupon": None},
}

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def holds(condition, event=EVENT):
    return compile_fql(condition)(event)


# ---- the page's own examples


@pytest.mark.rule("segment.fql.syntax")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("event = 'Button Clicked'", True),
        ("event = 'Screen Tapped'", False),
        ("context.path.path = '/login'", False),
        ("type = 'identify' or type = 'track'", True),
        ("event = 'Button Clicked' and type = 'track'", True),
        ("match( context.library.version, '1.*' )", True),
        ("match( context.library.version, '2.*' )", False),
        ("type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )", True),
        ("!contains( context.library.name, 'js' )", False),
        ("'dark-mode' in properties.features", True),
        ("'blink' in properties.features", False),
        ("!( type in ['track', 'identify'] )", False),
    ],
)
def test_the_examples_of_the_reference_page_give_what_it_says(condition, expected):
    assert holds(condition) is expected


@pytest.mark.rule("segment.fql.match")
@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("abcd", "a*d", True),
        ("", "*", True),
        ("abc", "ab", False),
        ("abcd", "a??d", True),
        ("abcd", "*d", True),
        ("ab*d", r"ab\*d", True),
        ("abCd", "ab[cC]d", True),
        ("abcd", "ab[a-z]d", True),
        ("abcd", "ab[A-Z]d", False),
        ("abcd", "abc", False),
        ("ABCD", "abcd", False),
        ("a/b/c", "a*c", True),
        ("line\nbreak", "line?break", True),
        ("abcd", "ab[^x]d", True),
        ("abcd", "ab[^c]d", False),
        ("ア", "?", True),
        ("a]b", "a]b", True),
        ("a*b", "a[*]b", True),
        ("a-b", r"a[\-]b", True),
        ("m", "[z-a]", False),
        ("m", "[^z-a]", True),
        ("aXbXc", "a*b*c", True),
        ("abab", "*ab", True),
        ("aba", "ab*ba", False),
    ],
)
def test_match_compares_the_whole_string_with_a_glob(text, pattern, expected):
    assert holds(f"match(event, '{pattern}')", {"event": text}) is expected


@pytest.mark.rule("segment.fql.match")
@pytest.mark.parametrize("pattern", ["a[", "a[]b", "[a-]", "[-a]", "a\\\\b\\[[", "[^]"])
def test_a_malformed_pattern_makes_the_condition_invalid(pattern):
    with pytest.raises(InvalidFQL, match="no glob pattern"):
        compile_fql(f"match(event, '{pattern}')")


@pytest.mark.rule("segment.fql.match")
def test_a_malformed_pattern_from_a_field_cannot_be_evaluated():
    with pytest.raises(EvaluationError, match="no glob pattern"):
        holds("match(event, properties.pattern)", {"event": "a", "properties": {"pattern": "a["}})


@pytest.mark.rule("segment.fql.match")
def test_a_pattern_with_many_stars_takes_no_time():
    matches = compile_fql("match(event, '*a*a*a*a*b')")
    assert timeit.timeit(lambda: matches({"event": "a" * 300}), number=1) < 0.5


@pytest.mark.rule("segment.fql.match")
@given(st.text())
def test_every_string_matches_itself_when_each_character_has_a_backslash(text):
    pattern = "".join(f"\\{character}" for character in text)
    assert holds("match(event, properties.pattern)", {"event": text, "properties": {"pattern": pattern}})


# ---- fields


@pytest.mark.rule("segment.fql.field")
@pytest.mark.parametrize(
    ("path", "event"),
    [
        (r"properties.product\ 1.price", {"properties": {"product 1": {"price": "19.99"}}}),
        (r"\$amount", {"$amount": "19.99"}),
        (r"properties.a\.b", {"properties": {"a.b": "19.99"}}),
        (r"properties.\\", {"properties": {"\\": "19.99"}}),
        ("properties.2nd-price_eur", {"properties": {"2nd-price_eur": "19.99"}}),
        ("properties.in", {"properties": {"in": "19.99"}}),
        ("android", {"android": "19.99"}),
        (r"properties.\é", {"properties": {"é": "19.99"}}),
    ],
)
def test_a_field_is_found_by_its_dotted_path_with_backslashes_before_odd_characters(path, event):
    assert holds(f"{path} = '19.99'", event)


@pytest.mark.rule("segment.fql.field")
def test_an_element_of_an_array_cannot_be_named():
    assert holds("properties.products.0.price = null", {"properties": {"products": [{"price": 1}]}})


@pytest.mark.rule("segment.fql.field")
@given(st.text(min_size=1), JSON_VALUES)
def test_any_name_can_be_written_with_a_backslash_before_each_character(name, value):
    path = "".join(f"\\{character}" for character in name)
    assert holds(f"properties.{path} = expected", {"properties": {name: value}, "expected": value})


@pytest.mark.rule("segment.fql.null")
@pytest.mark.parametrize("path", ["missing", "properties.missing", "event.name", "properties.coupon", "a.b.c.d"])
def test_a_missing_field_is_null(path):
    assert holds(f"{path} = null")


# ---- literals


@pytest.mark.rule("segment.fql.strings")
@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"Order Completed"', "Order Completed"),
        ("'Order Completed'", "Order Completed"),
        ('"it\'s"', "it's"),
        (r"'it\'s'", "it's"),
        (r'"the \"big\" one"', 'the "big" one'),
        (r"'C:\dir'", "C:\\dir"),
        (r"'a\\'", "a\\\\"),
        ("'two\nlines'", "two\nlines"),
        ("''", ""),
        ("'and or null'", "and or null"),
        ("'日本'", "日本"),
    ],
)
def test_a_string_keeps_its_backslashes_except_before_its_own_quote(literal, value):
    assert holds(f"event = {literal}", {"event": value})


@pytest.mark.rule("segment.fql.syntax")
@pytest.mark.parametrize(
    ("literal", "value"),
    [("0", 0), ("-4", -4), ("+5", 5), ("5.4", 5.4), ("-3.20", -3.2), ("true", True), ("false", False), ("null", None)],
)
def test_numbers_and_constants_are_written_plainly(literal, value):
    assert holds(f"properties.x = {literal}", {"properties": {"x": value}})


@pytest.mark.rule("segment.fql.syntax")
@pytest.mark.parametrize(
    ("literal", "value"), [("[]", []), ("[1, 'a', null]", [1, "a", None]), ("[[1], [true]]", [[1], [True]])]
)
def test_lists_are_written_in_brackets(literal, value):
    assert holds(f"properties.x = {literal}", {"properties": {"x": value}})


# ---- operators


@pytest.mark.rule("segment.fql.precedence")
def test_and_binds_more_tightly_than_or():
    assert holds("true or true and false")


@pytest.mark.rule("segment.fql.precedence")
def test_parentheses_come_before_and():
    assert not holds("(true or true) and false")


@pytest.mark.rule("segment.fql.precedence")
def test_an_exclamation_mark_belongs_to_the_one_operand_after_it():
    assert holds("!properties.missing and type = 'track'")


@pytest.mark.rule("segment.fql.precedence")
def test_an_exclamation_mark_before_a_bare_comparison_is_refused_as_unclear():
    with pytest.raises(InvalidFQL, match=r"!\(a = b\)"):
        compile_fql("!event = 'Signed Up'")


@pytest.mark.rule("segment.fql.syntax")
@pytest.mark.parametrize(
    "condition",
    ["event", "properties.total", "lowercase(event)", "null", "properties.features", "event or type", "event and type"],
)
def test_a_result_that_is_not_true_does_not_meet_the_condition(condition):
    assert not holds(condition)


@pytest.mark.rule("segment.fql.syntax")
def test_a_field_that_is_true_meets_the_condition_by_itself():
    assert holds("properties.on_sale and type = 'track'")


@pytest.mark.rule("segment.fql.syntax")
def test_spaces_and_line_breaks_between_words_do_not_matter():
    assert holds("type='track'\n  and(properties.total>=30)")


@pytest.mark.rule("segment.fql.strict-types")
@pytest.mark.parametrize(
    "condition",
    ["1 = '1'", "1 = true", "0 = false", "null = false", "'' = null", "[1] = [true]", "[1, 2] = [2, 1]", "[1] = 1"],
)
def test_values_of_different_types_are_never_equal(condition):
    assert not holds(condition)
    assert holds(condition.replace(" = ", " != "))


@pytest.mark.rule("segment.fql.strict-types")
def test_a_whole_number_equals_the_same_number_with_a_fraction_of_zero():
    assert holds("properties.total = 30.0")


@pytest.mark.rule("segment.fql.strict-types")
@given(JSON_VALUES)
def test_every_value_equals_itself(value):
    assert holds("properties.a = properties.b", {"properties": {"a": value, "b": json.loads(json.dumps(value))}})


@pytest.mark.rule("segment.fql.strict-types")
@given(JSON_VALUES, JSON_VALUES)
def test_two_values_are_either_equal_or_different(left, right):
    event = {"left": left, "right": right}
    assert holds("left = right", event) is not holds("left != right", event)


@pytest.mark.rule("segment.fql.strict-types")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("properties.total > 29.5", True),
        ("properties.total > 30", False),
        ("properties.total >= 30", True),
        ("properties.total < 31", True),
        ("properties.total <= 30", True),
        ("properties.total <= 29", False),
    ],
)
def test_numbers_are_put_in_order(condition, expected):
    assert holds(condition) is expected


@pytest.mark.rule("segment.fql.strict-types")
@pytest.mark.parametrize(
    "condition", ["'9' > 1", "true > 0", "null >= 0", "null < 1", "'b' > 'a'", "properties.missing <= 0"]
)
def test_only_numbers_have_an_order(condition):
    assert not holds(condition)


@pytest.mark.rule("segment.fql.in")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("type in ['track', 'page']", True),
        ("type in []", False),
        ("1 in [true, '1']", False),
        ("null in [null]", True),
        ("properties.missing in [type, null]", True),
        ("'track' in [type]", True),
        ("'x' in properties.missing", False),
    ],
)
def test_in_looks_for_the_same_type_and_value(condition, expected):
    assert holds(condition) is expected


@pytest.mark.rule("segment.fql.in")
def test_in_a_string_cannot_be_evaluated():
    with pytest.raises(EvaluationError, match="'in' needs a list and got 'track'"):
        holds("'t' in type")


# ---- functions


@pytest.mark.rule("segment.fql.null")
@pytest.mark.parametrize(
    "condition",
    [
        "contains(null, 'x') = false",
        "contains('x', null) = false",
        "length(null) = 0",
        "lowercase(null) = null",
        "titlecase(null) = null",
        "match(null, '*') = false",
        "typeof(null) = 'null'",
    ],
)
def test_functions_take_null_without_an_error(condition):
    assert holds(condition)


@pytest.mark.rule("segment.fql.null")
@pytest.mark.parametrize(
    "condition",
    [
        "contains(5, '5')",
        "contains(properties.features, 'discounts')",
        "match(5, '*')",
        "length(5) = 1",
        "length(5) > 0",
    ],
)
def test_a_value_that_a_function_does_not_take_makes_the_comparison_false(condition):
    assert not holds(condition)


@pytest.mark.rule("segment.fql.length")
@pytest.mark.parametrize(("value", "length"), [("a", 1), ("ア", 3), ("", 0), (["a", "b"], 2), ([], 0)])
def test_length_counts_the_bytes_of_a_string_and_the_elements_of_a_list(value, length):
    assert holds(f"length(properties.x) = {length}", {"properties": {"x": value}})


@pytest.mark.rule("segment.fql.case-functions")
@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("lowercase('Test String')", "test string"),
        ("uppercase('Test String')", "TEST STRING"),
        ("snakecase('test string')", "test_string"),
        ("kebabcase('test string')", "test-string"),
        ("titlecase('test string')", "Test String"),
    ],
)
def test_the_case_functions_change_letters_and_spaces(call, result):
    assert holds(f"{call} = '{result}'")


@pytest.mark.rule("segment.fql.typeof")
@pytest.mark.parametrize(
    ("value", "name"),
    [("a", "string"), (1, "number"), (1.5, "number"), ([], "list"), (True, "bool"), (None, "null"), ({}, "object")],
)
def test_typeof_names_the_type(value, name):
    assert holds(f"typeof(properties.x) = '{name}'", {"properties": {"x": value}})


@pytest.mark.rule("segment.fql.conversions")
@pytest.mark.parametrize(
    "condition",
    [
        "bool('true')",
        "bool(1)",
        "bool([0])",
        "!bool('false')",
        "!bool(null)",
        "!bool(0)",
        "string(30) = '30'",
        "string(30.0) = '30'",
        "string(true) = 'true'",
        "string([1, 'a']) = '[1,\"a\"]'",
        "string(null) = ''",
        "string('a') = 'a'",
        "number('30') = 30",
        "number('-2.5e1') = -25",
        "number(30) = 30",
        "number(null) = null",
    ],
)
def test_values_are_converted(condition):
    assert holds(condition)


@pytest.mark.rule("segment.fql.conversions")
@pytest.mark.parametrize("call", ["number('12 EUR')", "number(true)", "number([1])", "bool('yes')"])
def test_a_value_that_cannot_be_converted_makes_the_condition_fail(call):
    with pytest.raises(EvaluationError, match="cannot read"):
        holds(f"{call} = 1")


@pytest.mark.rule("segment.fql.semver")
@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        ("1.10.0", ">", "1.9.9", True),
        ("1.2", "=", "1.2.0", True),
        ("2", ">=", "2.0.1", False),
        ("1.0", "!=", "1", False),
        ("1.2.3", "<", "1.2.4", True),
        ("1.2.3", "<=", "1.2.3", True),
        ("one", "!=", "1", False),
        ("1.2.3.4", ">", "1", False),
        ("1", "~", "1", False),
    ],
)
def test_versions_are_compared_part_by_part(left, sign, right, expected):
    assert holds(f"semver('{left}', '{sign}', '{right}')") is expected


@pytest.mark.rule("segment.fql.syntax")
def test_calls_can_be_nested():
    assert holds("contains(lowercase(context.library.name), lowercase('JS')) and length(string(properties.total)) = 2")


# ---- errors


@pytest.mark.rule("segment.fql.syntax")
@pytest.mark.parametrize(
    ("condition", "what", "line", "column", "fix"),
    [
        ('userId = oops"', "unexpected '\"'", 1, 14, "close the string"),
        ("type = 'track", 'unexpected "\'"', 1, 8, "close the string"),
        ("type == 'track'", "unexpected '='", 1, 7, "one operator"),
        ("type = 'a' && type = 'b'", "unexpected '&'", 1, 12, "write and"),
        ("type = 'a' || type = 'b'", "unexpected '|'", 1, 12, "write or"),
        ("type = 'a' AND type = 'b'", "unexpected 'AND'", 1, 12, "lower case"),
        ("type <> 'a'", "unexpected '>'", 1, 7, "!= for not equal"),
        ("type =", "ends too early", 1, 7, "whole comparison"),
        ("", "ends too early", 1, 1, "whole comparison"),
        ("(type = 'a'", "ends too early", 1, 12, "close each parenthesis"),
        ("type = 'a')", "unexpected ')'", 1, 11, "take it away"),
        ("type\n  = 'a'\n  #", "unexpected '#'", 3, 3, "put \\"),
        ("and = 1", "unexpected 'and'", 1, 1, "operator between"),
        ("!!type", "unexpected '!'", 1, 2, "directly before"),
        ("lenght(type) > 1", "no function 'lenght'", 1, 1, "did you mean length()"),
        ("type = 'a' and frobnicate(type)", "no function 'frobnicate'", 1, 16, "the functions are contains"),
        ("contains(type)", "contains() got 1 argument", 1, 1, "give it 2"),
        ("length()", "length() got 0 arguments", 1, 1, "give it 1"),
        ("1.5.2 = type", "unexpected '.'", 1, 4, "text in quotes"),
    ],
)
def test_an_invalid_condition_says_what_where_and_what_to_write(condition, what, line, column, fix):
    with pytest.raises(InvalidFQL) as caught:
        compile_fql(condition)
    assert what in caught.value.what
    assert caught.value.where == f"line {line}, column {column} of the condition"
    assert fix in caught.value.fix


@pytest.mark.rule("segment.filter.limits")
def test_a_condition_longer_than_5_kb_is_refused():
    longest = f"event = '{'a' * (MAX_FQL_BYTES - 10)}'"
    assert compile_fql(longest)({"event": "a" * (MAX_FQL_BYTES - 10)})
    with pytest.raises(InvalidFQL, match="longer than 5 KB"):
        compile_fql(longest + " ")


@pytest.mark.rule("segment.filter.limits")
def test_a_condition_nested_beyond_reason_is_refused():
    with pytest.raises(InvalidFQL, match="nested too deeply"):
        compile_fql("!(" * 1200 + "true" + ")" * 1200)


@pytest.mark.rule("segment.fql.syntax")
@given(st.text(alphabet=st.sampled_from("aé1.'\"\\ ()[],=!<>-+\n") | st.sampled_from("andorinlength"), max_size=40))
def test_any_text_is_either_a_condition_or_refused_with_its_place(text):
    try:
        compile_fql(text)
    except InvalidFQL as error:
        assert min(error.line, error.column) >= 1  # noqa: PT017 - a condition is fine too


# ---- cost


@pytest.mark.rule("segment.fql.syntax")
def test_the_parser_is_only_loaded_for_the_first_condition():
    program = "import sys, trackside.segment.filters as f; f.compile_filters(()); print('lark' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.rule("segment.fql.syntax")
def test_a_condition_is_compiled_once():
    assert compile_fql("type = 'page'") is compile_fql("type = 'page'")
