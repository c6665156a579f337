"""What applications post to OwnLayer: one inference a request."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.errors import TracksideError

INFERENCE = {
    "input": None,
    "output": "Paris.",
    "input_messages": [{"role": "user", "content": "What is the capital of France?"}],
    "user_prompt": None,
    "system_prompt": None,
    "context": None,
    "start_time": 1767322798000,
    "end_time": 1767322799000,
    "error": None,
    "prompt_tokens": 24,
    "completion_tokens": 2,
    "total_tokens": 26,
    "cost": 0.00015,
    "latency": None,
    "settings": {"provider": "OpenAI", "model": "gpt-4o"},
    "additional_metadata": {"_source": "ownlayer_py_sdk", "_sdk_version": "0.3.0"},
    "tags": ["geography"],
    "feedback": None,
}


@pytest.mark.rule("ownlayer.inference")
def test_an_inference_is_kept_as_it_came_and_answered_with_its_id(lab, post, found):
    answer = post(lab, INFERENCE)

    [kept] = lab.ownlayer.inferences()
    assert answer.status == 201
    assert kept == {
        **INFERENCE,
        "kind": "inference",
        "id": orjson.loads(answer.body)["id"],
        "received_at": 1767322800000,
    }
    assert catalog.faults("ownlayer/inference-answer", orjson.loads(answer.body)) == []
    assert found(lab) == []


@pytest.mark.rule("ownlayer.inference")
@pytest.mark.parametrize("fields", [{}, dict.fromkeys(INFERENCE), {"input": "Hi", "output": "Hello", "tags": []}])
def test_every_field_may_be_left_out_or_null(fields, lab, post, found):
    assert post(lab, fields).status == 201
    assert found(lab) == []


@pytest.mark.rule("ownlayer.inference")
def test_each_inference_has_an_id_of_its_own(lab, post):
    ids = {orjson.loads(post(lab, INFERENCE).body)["id"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.rule("ownlayer.path")
def test_the_path_without_its_last_slash_is_served_and_not_redirected(lab, post):
    assert post(lab, INFERENCE, path="/api/v1/inferences").status == 201
    assert len(lab.ownlayer.inferences()) == 1


@pytest.mark.rule("ownlayer.path")
@pytest.mark.trackside
def test_over_http_both_paths_take_a_post(trackside):
    given = trackside.env()
    headers = {"Authorization": f"Bearer {given['OWNLAYER_API_KEY']}"}

    for url in (given["OWNLAYER_API_URL"], given["OWNLAYER_API_URL"].rstrip("/")):
        assert urllib3.request("POST", url, json=INFERENCE, headers=headers, redirect=False).status == 201


# ---- its key


@pytest.mark.rule("ownlayer.auth", "ownlayer.errors")
@pytest.mark.parametrize("key", ["another", "", None])
def test_a_wrong_or_missing_key_is_refused_and_nothing_kept(key, lab, post, found):
    answer = post(lab, INFERENCE, key=key)

    assert answer.status == 401
    assert catalog.faults("ownlayer/error-answer", orjson.loads(answer.body)) == []
    assert lab.ownlayer.inferences() == []
    assert found(lab) == [("ownlayer.auth", "error", "the Authorization header")]


@pytest.mark.rule("ownlayer.auth")
@pytest.mark.parametrize("header", ["Basic b3dubGF5ZXItbG9jYWw6", "ownlayer-local", "Bearer"])
def test_the_key_comes_as_a_bearer_token_and_no_other_way(header, lab, post):
    assert post(lab, INFERENCE, key=None, authorization=header).status == 401


@pytest.mark.rule("ownlayer.auth")
def test_where_no_key_is_declared_none_is_right(make_lab, post):
    lab = make_lab(api_key="")

    assert post(lab, INFERENCE, key="ownlayer-local").status == 401
    [finding] = lab.findings()
    assert "declares no API key" in finding.step.text


@pytest.mark.rule("ownlayer.auth")
@pytest.mark.trackside
@pytest.mark.parametrize(("key", "status"), [("whatever", 201), ("", 401), (None, 401)])
def test_in_the_demo_workspace_any_key_is_right_but_none(key, status, trackside, post):
    assert post(trackside, INFERENCE, key=key).status == status


@pytest.mark.rule("ownlayer.auth")
def test_a_key_is_never_repeated_in_a_finding(lab, post):
    post(lab, INFERENCE, key="very-secret-key")

    [finding] = lab.findings()
    assert "very-secret-key" not in str(finding)


# ---- bodies that cannot be read


@pytest.mark.rule("ownlayer.malformed", "ownlayer.errors")
@pytest.mark.parametrize("body", [b"", b"{", b"Paris.", b"\xff", b'{"a": NaN}', b'"Paris."', b"7", b"null"])
def test_a_body_that_is_no_json_object_is_refused_with_400(body, lab, post, found):
    answer = post(lab, body)

    assert answer.status == 400
    assert catalog.faults("ownlayer/error-answer", orjson.loads(answer.body)) == []
    assert lab.ownlayer.inferences() == []
    assert ("ownlayer.malformed", "error", "$") in found(lab)


@pytest.mark.rule("ownlayer.malformed")
def test_there_are_no_batches(lab, post):
    assert post(lab, [INFERENCE, INFERENCE]).status == 400

    step = next(one.step for one in lab.findings())
    assert (step.text, step.fix) == (
        "the body is a list, and there are no batches",
        "send one request per inference",
    )


@pytest.mark.rule("ownlayer.malformed")
@pytest.mark.parametrize("levels", [253, 254, 255, 100_000])
def test_a_body_of_too_many_levels_is_refused_and_one_less_is_kept(levels, make_lab, post):
    lab = make_lab(evaluate="pass")
    body = b'{"additional_metadata":{"a":' + b"[" * (levels - 2) + b"]" * (levels - 2) + b"}}"

    assert post(lab, body).status == (201 if levels == 253 else 400)


@pytest.mark.rule("ownlayer.malformed")
@pytest.mark.trackside
def test_a_body_that_cannot_be_unpacked_is_refused_and_a_packed_one_taken(trackside):
    given = trackside.env()
    headers = {"Authorization": f"Bearer {given['OWNLAYER_API_KEY']}", "Content-Encoding": "gzip"}
    url = given["OWNLAYER_API_URL"]

    assert urllib3.request("POST", url, body=b"no gzip", headers=headers).status == 400
    assert urllib3.request("POST", url, body=gzip.compress(orjson.dumps(INFERENCE)), headers=headers).status == 201


@pytest.mark.rule("ownlayer.contract")
@pytest.mark.parametrize(
    ("field", "value"), [("output", ["Paris."]), ("tags", "geography"), ("start_time", "today"), ("settings", 7)]
)
def test_a_field_of_another_type_is_kept_and_told(field, value, lab, post, found):
    assert post(lab, {**INFERENCE, field: value}).status == 201
    assert lab.ownlayer.inferences()[0][field] == value
    assert found(lab) == [("ownlayer.contract", "error", f"$.{field}")]


# ---- fields that nobody knows


@pytest.mark.rule("ownlayer.unknown-fields")
def test_an_unknown_field_is_kept_and_noted(lab, post, found):
    post(lab, {**INFERENCE, "session": "s-1"})

    assert lab.ownlayer.inferences()[0]["session"] == "s-1"
    assert found(lab) == [("ownlayer.unknown-fields", "note", "$.session")]


@pytest.mark.rule("ownlayer.unknown-fields")
@pytest.mark.parametrize(
    ("name", "meant"),
    [("additionalMetadata", "additional_metadata"), ("endTime", "end_time"), ("outputs", "output")],
)
def test_a_misspelt_field_is_a_warning_that_names_the_right_one(name, meant, lab, post):
    post(lab, {name: None})

    [finding] = lab.findings()
    assert (finding.step.level, finding.step.fix) == ("warning", f"did you mean {meant}?")


# ---- reading them


def test_inferences_are_found_in_the_words_of_the_vendor(lab, post):
    post(lab, INFERENCE)
    post(lab, {"input": "Hi", "output": "Hello"})

    [one] = lab.ownlayer.inferences(model="gpt-4o", provider="OpenAI", tags=["geography"])
    assert one["output"] == "Paris."
    assert lab.ownlayer.expect_inference(input="Hi")["output"] == "Hello"


def test_an_inference_that_does_not_come_is_told_with_the_nearest_one(lab, post):
    post(lab, INFERENCE)

    with pytest.raises(AssertionError) as told:
        lab.ownlayer.expect_inference(model="gpt-4o", output="Lyon.", timeout=0)

    assert 'output: expected "Lyon.", got "Paris."' in str(told.value)


def test_an_unknown_keyword_is_told_with_those_that_there_are(lab):
    with pytest.raises(TracksideError, match="did you mean output"):
        lab.ownlayer.inferences(ouput="Paris.")


# ---- what every vendor has


@pytest.mark.rule("ownlayer.unknown-path")
@pytest.mark.parametrize("path", ["/api/v1/inferences/i-1", "/api/v1/inference/", "/"])
def test_another_path_is_answered_404_and_told(path, lab, post, found):
    answer = post(lab, INFERENCE, path=path)

    assert (answer.status, orjson.loads(answer.body)) == (404, {"detail": "Not found."})
    assert found(lab) == [("ownlayer.unknown-path", "error", path)]


def test_a_fault_is_answered_as_told(lab, post):
    lab.ownlayer.fail(503)

    assert [post(lab, INFERENCE).status for _ in range(2)] == [503, 201]


def test_it_has_no_flags(lab):
    assert lab.ownlayer.flags() == []
    with pytest.raises(TracksideError, match="OwnLayer has no flags"):
        lab.ownlayer.set_flag("banner", serve=True)


def test_a_reset_forgets_inferences(lab, post):
    post(lab, INFERENCE)
    lab.reset()

    assert lab.ownlayer.inferences() == []


@pytest.mark.trackside
def test_the_environment_of_an_application_has_the_whole_endpoint_and_the_key(trackside):
    assert trackside.ownlayer.options("ownlayer") == {
        "OWNLAYER_API_URL": f"{trackside.ownlayer.url}/api/v1/inferences/",
        "OWNLAYER_API_KEY": "ownlayer-local",
    }
    assert trackside.ownlayer.options("ownlayer").items() <= trackside.env().items()


@pytest.mark.trackside(workspace={"ownlayer": {"api_key": ""}})
def test_a_key_that_is_not_declared_is_not_in_the_environment(trackside: Any):
    assert "OWNLAYER_API_KEY" not in trackside.env()
