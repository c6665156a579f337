"""ID lists: the manifest, files that are read by range and only grow, and lists that start afresh."""

from __future__ import annotations

import pytest

from trackside import catalog
from trackside.statsig.id_lists import id_hash

pytestmark = pytest.mark.trackside(
    workspace={"statsig": {"server_secret": "secret-local", "id_lists": {"members": ["listed-user", "u-2"]}}}
)


def members(call):
    return call("/v1/get_id_lists", {}, statsig_api_key="secret-local").json()["members"]


@pytest.mark.rule("statsig.sdk.id-lists.file")
def test_a_line_holds_eight_characters_of_the_hash_of_an_id():
    assert id_hash("listed-user") == "bxRGHDtx"


@pytest.mark.rule("statsig.sdk.id-lists.manifest")
def test_the_manifest_names_each_list_with_its_file(call, trackside):
    answer = call("/v1/get_id_lists", {}, statsig_api_key="secret-local")

    assert catalog.faults("statsig/id-lists", answer.json()) == []
    row = answer.json()["members"]
    assert (row["name"], row["size"]) == ("members", 20)
    assert row["url"].startswith(trackside.statsig.url)


@pytest.mark.rule("statsig.sdk.id-lists.manifest")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"statsigMetadata": {"sdkType": "py-server"}}'])
def test_the_manifest_answers_whatever_an_sdk_posts(call, body):
    answer = call("/v1/get_id_lists", body, statsig_api_key="secret-local")

    assert list(answer.json()) == ["members"]


@pytest.mark.rule("statsig.sdk.id-lists.manifest")
def test_the_manifest_answers_to_get_with_the_key_in_the_path(call):
    assert list(call("/v1/get_id_lists/secret-local.json").json()) == ["members"]


@pytest.mark.trackside(workspace={"statsig": {"server_secret": "secret-local"}})
@pytest.mark.rule("statsig.sdk.id-lists.manifest")
def test_a_project_without_lists_has_an_empty_manifest(call):
    assert call("/v1/get_id_lists", {}, statsig_api_key="secret-local").json() == {}


@pytest.mark.rule("statsig.sdk.id-lists.file")
def test_a_file_has_a_line_for_each_id(call):
    answer = call(members(call)["url"])

    assert answer.data == f"+bxRGHDtx\n+{id_hash('u-2')}\n".encode()


@pytest.mark.rule("statsig.sdk.id-lists.range")
def test_an_sdk_reads_the_rest_of_a_file_by_range_and_without_a_key(call):
    answer = call(members(call)["url"], range="bytes=10-")

    assert (answer.status, answer.data) == (206, f"+{id_hash('u-2')}\n".encode())
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Content-Range"] == "bytes 10-19/20"


@pytest.mark.rule("statsig.sdk.id-lists.range")
@pytest.mark.parametrize("asked", ["bytes=5-2", "items=0-1", "bytes=0-1,3-4", ""])
def test_a_range_that_makes_no_sense_gets_the_whole_file(call, asked):
    answer = call(members(call)["url"], range=asked)

    assert (answer.status, len(answer.data)) == (200, 20)


@pytest.mark.rule("statsig.sdk.id-lists.range")
def test_a_range_past_the_end_is_answered_416(call):
    answer = call(members(call)["url"], range="bytes=20-")

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */20")


@pytest.mark.rule("statsig.sdk.id-lists.range")
def test_a_file_that_is_gone_is_answered_404(call, trackside):
    answer = call("/v1/download_id_list_file/nothing")

    assert answer.status == 404
    assert catalog.faults("statsig/error-answer", answer.json()) == []
    assert list(trackside.findings()) == []


@pytest.mark.rule("statsig.sdk.id-lists.file")
def test_an_id_that_comes_is_appended_to_the_same_file(call, trackside):
    before = members(call)

    trackside.statsig.id_list("members").add("u-3", "u-2")

    after = members(call)
    assert after == {**before, "size": 30}
    assert call(after["url"], range="bytes=20-").data == f"+{id_hash('u-3')}\n".encode()


@pytest.mark.rule("statsig.sdk.id-lists.file")
def test_an_id_that_goes_is_a_line_of_its_own(call, trackside):
    handle = trackside.statsig.id_list("members").remove("u-2", "nobody")

    assert call(members(call)["url"], range="bytes=20-").data == f"-{id_hash('u-2')}\n".encode()
    assert handle.ids == ["listed-user"]


@pytest.mark.rule("statsig.sdk.id-lists.reset", "statsig.sdk.reset")
def test_a_list_that_was_changed_starts_a_new_file_on_reset(call, trackside):
    trackside.statsig.id_list("members").add("u-3")
    before = members(call)

    trackside.reset()

    after = members(call)
    assert after["fileID"] != before["fileID"]
    assert after["creationTime"] > before["creationTime"]
    assert after["size"] == 20
    assert call(before["url"]).status == 404


@pytest.mark.rule("statsig.sdk.reset")
def test_a_list_that_was_not_changed_keeps_its_file_on_reset(call, trackside):
    before = members(call)

    trackside.reset()

    assert members(call) == before


@pytest.mark.rule("statsig.sdk.id-lists.manifest")
def test_a_list_that_a_test_made_is_gone_after_a_reset(call, trackside):
    trackside.statsig.id_list("new").add("u-9")
    assert "new" in call("/v1/get_id_lists/secret-local.json").json()

    trackside.reset()

    assert "new" not in call("/v1/get_id_lists/secret-local.json").json()


@pytest.mark.rule("statsig.sdk.id-lists.manifest")
def test_lists_whose_names_have_one_hash_have_files_of_their_own(make_trackside, call):
    lab = make_trackside({"statsig": {"server_secret": "secret-local", "id_lists": {"Aa": ["u-1"], "BB": ["u-2"]}}})

    manifest = call(f"{lab.statsig.url}/v1/get_id_lists/secret-local.json").json()

    assert [call(manifest[name]["url"]).data for name in ("Aa", "BB")] == [b"+okp/VfJ4\n", b"+H+JpbLqv\n"]


@pytest.mark.rule("statsig.sdk.id-lists.range")
@pytest.mark.parametrize("asked", [f"bytes={'1' * 5000}-", f"bytes=0-{'1' * 5000}"])
def test_a_range_of_thousands_of_digits_is_taken_for_none(make_trackside, call, asked):
    lab = make_trackside({"statsig": {"server_secret": "secret-local", "id_lists": {"a": ["u-1"]}}})
    manifest = call(f"{lab.statsig.url}/v1/get_id_lists/secret-local.json").json()

    assert call(manifest["a"]["url"], Range=asked).status == 200
