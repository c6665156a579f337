"""``trackside explain``: what each vendor would get, each field's rule, and what is dropped; no server."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

CALL = {
    "type": "track",
    "event": "Checkout Completed",
    "userId": "u-1",
    "messageId": "m-1",
    "timestamp": "2026-01-05T09:00:00.000Z",
    "properties": {"value": 42},
}

WITHOUT_FINDINGS = json.dumps(CALL)


@pytest.fixture
def explained(trackside_command):
    """Return a function that explains a call and returns the first call's part of the JSON."""

    def run(call: object, *arguments: str) -> dict:
        result = trackside_command("explain", "--json", *arguments, stdin=json.dumps(call))
        return json.loads(result.stdout)[0]["calls"][0]

    return run


def at(call: dict, destination: str) -> dict:
    return next(one for one in call["destinations"] if one["destination"] == destination)


@pytest.mark.rule("statsig.in.prefix", "statsig.in.value")
def test_a_record_is_shown_as_json_with_the_origin_and_the_rule_of_each_field(trackside_command):
    result = trackside_command("explain", stdin=WITHOUT_FINDINGS)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    start = lines.index("Statsig, destination statsig: delivered") + 1
    assert lines[start : start + 6] == [
        "{",
        '"eventName": "segment::Checkout Completed", <- $.event (statsig.in.prefix)',
        '"time": 1767603600000, <- $.timestamp (statsig.in.time)',
        '"value": null, (statsig.in.value)',
        '"user": {',
        '"userID": "u-1" <- $.userId (statsig.in.user-id)',
    ]


def test_a_call_without_findings_ends_with_0(trackside_command):
    assert trackside_command("explain", stdin=WITHOUT_FINDINGS).exit_code == 0


@pytest.mark.rule("split.in.unnamed")
def test_a_drop_is_told_with_its_place_and_what_to_change_and_ends_with_1(trackside_command):
    result = trackside_command("explain", stdin='{"type": "page", "userId": "u-1", "messageId": "m"}')
    assert result.exit_code == 1
    assert "Split, destination fme-user: dropped" in result.stdout
    assert (
        "warning: split dropped it: the page call has no name: it makes no event (split.in.unnamed), at $.name. "
        "Give the call a name, or set named_pages to false." in result.stdout
    )


@pytest.mark.rule("launchdarkly.in.other-calls")
def test_a_drop_that_is_only_a_note_is_shown_and_ends_with_0(trackside_command):
    result = trackside_command("explain", stdin='{"type": "page", "name": "Home", "userId": "u-1", "messageId": "m"}')
    assert "LaunchDarkly, destination ld: dropped" in result.stdout
    assert result.exit_code == 0


@pytest.mark.rule("segment.discard.no-id")
def test_a_call_that_segment_discards_reaches_no_vendor(trackside_command):
    result = trackside_command("explain", "--json", stdin='{"type": "track", "event": "A"}')
    [explanation] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert explanation["status"] == 200
    assert explanation["calls"][0]["outcome"] == "discarded"
    assert explanation["calls"][0]["destinations"] == []
    assert "segment.discard.no-id" in [step["rule"] for step in explanation["calls"][0]["steps"]]


def test_the_json_holds_record_fields_and_steps_of_each_destination(explained):
    statsig = at(explained(CALL), "statsig")
    assert (statsig["vendor"], statsig["outcome"]) == ("statsig", "delivered")
    assert statsig["records"][0]["record"]["eventName"] == "segment::Checkout Completed"
    assert statsig["records"][0]["fields"][0] == {
        "field": "$.eventName",
        "source": "$.event",
        "rule": "statsig.in.prefix",
    }
    assert "statsig.in.prefix" in [step["rule"] for step in statsig["steps"]]


def test_the_calls_of_an_array_are_explained_one_by_one_with_their_places(trackside_command):
    result = trackside_command("explain", "--json", stdin=json.dumps([CALL, {**CALL, "messageId": "m-2"}]))
    assert [one["where"] for one in json.loads(result.stdout)] == ["standard input: $[0]", "standard input: $[1]"]


def test_the_lines_of_a_file_are_explained_one_by_one_with_their_numbers(trackside_command, tmp_path):
    file = tmp_path / "calls.ndjson"
    file.write_text(json.dumps(CALL) + "\n\n" + json.dumps({**CALL, "messageId": "m-2"}) + "\n")
    result = trackside_command("explain", file, "--json")
    assert [one["where"] for one in json.loads(result.stdout)] == [f"{file}:1", f"{file}:3"]


@pytest.mark.rule("segment.tracking-api")
def test_the_calls_of_a_batch_body_share_its_context(trackside_command):
    body = {"batch": [CALL, {**CALL, "messageId": "m-2"}], "context": {"ip": "203.0.113.9"}}
    [explanation] = json.loads(trackside_command("explain", "--json", stdin=json.dumps(body)).stdout)
    assert [call["message"]["context"]["ip"] for call in explanation["calls"]] == ["203.0.113.9"] * 2


@pytest.mark.rule("segment.dedup")
def test_a_message_id_that_an_earlier_line_had_is_a_repeat(trackside_command):
    result = trackside_command("explain", "--json", stdin=f"{WITHOUT_FINDINGS}\n{WITHOUT_FINDINGS}\n")
    assert [one["calls"][0]["outcome"] for one in json.loads(result.stdout)] == ["accepted", "duplicate"]


def test_a_bad_line_is_told_with_its_number_and_the_others_are_explained(trackside_command):
    result = trackside_command("explain", "--json", stdin=f"{WITHOUT_FINDINGS}\nnonsense\n42\n")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)) == 1
    first, second = result.stderr.splitlines()
    assert first.startswith("trackside: the line is not JSON: ")
    assert "standard input:2" in first
    assert second.startswith("trackside: 42 is no Segment call. standard input:3.")


def test_a_call_nested_too_deeply_is_told_as_a_bad_line(trackside_command):
    deep = json.dumps({**CALL, "properties": {"a": 1}}).replace('{"a": 1}', '{"a":' * 300 + "1" + "}" * 300)
    result = trackside_command("explain", stdin=f"{WITHOUT_FINDINGS}\n{deep}\n")
    assert result.exit_code == 1
    assert result.stderr == "trackside: the call is nested too deeply to be passed on. standard input:2. flatten it.\n"


@pytest.mark.parametrize("text", ['{"type":', "42", '"text"', "[42]"])
def test_input_that_holds_no_call_at_all_is_wrong_use(text, trackside_command):
    result = trackside_command("explain", stdin=text)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "standard input" in result.stderr


def test_no_input_at_all_explains_nothing(trackside_command):
    result = trackside_command("explain", "--json", stdin="")
    assert (result.exit_code, result.stdout) == (0, "[]\n")


@pytest.mark.rule("segment.discard.type")
def test_the_type_of_a_call_that_names_none_can_be_given(explained):
    call = {name: value for name, value in CALL.items() if name != "type"}
    assert explained(call)["outcome"] == "discarded"
    assert explained(call, "--type", "track")["outcome"] == "accepted"


def test_a_calls_own_type_wins_over_the_given_one(explained):
    assert explained(CALL, "--type", "page")["message"]["type"] == "track"


@pytest.mark.rule("segment.timestamp")
def test_the_moment_of_receipt_can_be_given(explained):
    call = {name: value for name, value in CALL.items() if name != "timestamp"}
    message = explained(call, "--at", "2026-03-04T05:06:07Z")["message"]
    assert message["receivedAt"] == message["timestamp"] == "2026-03-04T05:06:07.000Z"


def test_a_moment_that_cannot_be_read_is_wrong_use(trackside_command):
    result = trackside_command("explain", "--at", "soon", stdin=WITHOUT_FINDINGS)
    assert result.exit_code == 2
    assert result.stderr.startswith("trackside: 'soon' is no moment.")


WORKSPACE = """
segment:
  sources:
    web: {write_key: wk_web, destinations: [statsig]}
    app: {write_key: wk_app, destinations: [fme]}
  destinations:
    statsig: {type: statsig, api_key: secret}
    fme: {type: split, api_key: fme-key}
statsig: {server_secret: secret}
split:
  environments: {production: {sdk_key: sdk-local}}
  segment_inbound: [{api_key: fme-key, environment: production, event_type_id: properties.name}]
"""


@pytest.fixture
def workspace(tmp_path):
    file = tmp_path / "trackside.yaml"
    file.write_text(WORKSPACE)
    return file


@pytest.mark.rule("segment.sources")
def test_calls_come_through_the_first_source_unless_another_is_named(explained, workspace):
    first = explained(CALL, "--workspace", str(workspace))
    other = explained(CALL, "--workspace", str(workspace), "--source", "app")
    assert [one["destination"] for one in first["destinations"]] == ["statsig"]
    assert [one["destination"] for one in other["destinations"]] == ["fme"]


@pytest.mark.rule("split.in.event-type-required")
def test_a_drop_by_the_workspaces_own_setting_says_which_setting(explained, workspace):
    [fme] = explained(CALL, "--workspace", str(workspace), "--source", "app")["destinations"]
    dropped = next(step for step in fme["steps"] if step["kind"] == "drop")
    assert (dropped["rule"], dropped["at"]) == ("split.in.event-type-required", "$.properties.name")
    assert 'set event_type_id to "event"' in dropped["fix"]


def test_an_unknown_source_is_wrong_use_and_the_known_ones_are_named(trackside_command, workspace):
    result = trackside_command("explain", "--workspace", workspace, "--source", "ios", stdin=WITHOUT_FINDINGS)
    assert result.exit_code == 2
    assert result.stderr == "trackside: there is no source 'ios'. segment.sources. use one of: web, app.\n"


def test_every_fault_of_the_workspace_is_told(trackside_command, workspace):
    workspace.write_text(
        WORKSPACE.replace("type: split", "type: splitt").replace("environment: production", "nothing: 1")
    )
    result = trackside_command("explain", "--workspace", workspace, stdin=WITHOUT_FINDINGS)
    assert result.exit_code == 2
    assert "splitt" in result.stderr
    assert "nothing" in result.stderr


@pytest.mark.rule("segment.mappings")
def test_what_goes_outside_the_lab_is_shown_and_not_sent(trackside_command, tmp_path):
    asked = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    file = tmp_path / "hook.json"
    mapping = {"action": "send", "name": "all", "trigger": 'type = "track"', "mapping": {"url": url, "method": "POST", "data": {"@path": "$."}}}  # fmt: skip
    hook = {"type": "webhook", "url": url, "mappings": [mapping]}
    web = {"write_key": "wk_web", "destinations": ["hook"]}
    file.write_text(json.dumps({"segment": {"sources": {"web": web}, "destinations": {"hook": hook}}}))
    try:
        result = trackside_command("explain", "--workspace", file, stdin=WITHOUT_FINDINGS)
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()
    assert "Webhook, destination hook: would be sent to it, outside the lab" in result.stdout
    assert f"POST {url}" in result.stdout
    assert asked == []


def test_text_of_an_event_cannot_steer_the_terminal(trackside_command):
    result = trackside_command("explain", stdin=json.dumps({**CALL, "event": "a\x1b[2J\u202eb"}))
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "a\\u001b[2J\\u202eb" in result.stdout
