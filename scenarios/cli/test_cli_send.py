"""``trackside send``: calls from a file, or generated ones, to a running lab or to any URL."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trackside.events import generate
from trackside.lab import Lab
from trackside.workspace import DEMO


@pytest.fixture
def lab():
    with Lab() as running:
        yield running


@pytest.fixture
def send(trackside_command, lab):
    """Return a function that sends to the lab and asks its control API."""

    def run(*arguments: object, stdin: str | None = None):
        return trackside_command(
            "send", "--to", lab.urls["segment"], "--admin", lab.urls["admin"], *arguments, stdin=stdin
        )

    return run


def track(event: str, **fields: object) -> dict:
    return {"type": "track", "event": event, "userId": "u-1", **fields}


def lines(*calls: dict) -> str:
    return "".join(json.dumps(call) + "\n" for call in calls)


def events_of(lab: Lab) -> list[str]:
    return [journey.get("event") for journey in lab.journeys()]


@pytest.mark.rule("segment.tracking-api")
def test_the_calls_of_an_ndjson_file_arrive_in_their_order(send, lab, tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text(lines(track("First"), track("Second")))
    result = send(file)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "2 accepted, 0 refused"
    assert events_of(lab) == ["First", "Second"]


@pytest.mark.parametrize(
    "document", [track("One"), [track("One")], {"batch": [track("One")]}], ids=["call", "array", "batch"]
)
def test_a_json_file_holds_a_call_an_array_or_a_batch(document, send, lab):
    assert send("-", stdin=json.dumps(document, indent=2)).exit_code == 0
    assert events_of(lab) == ["One"]


@pytest.mark.rule("segment.tracking-api")
def test_the_body_of_a_batch_is_sent_as_it_stands(send, lab):
    send("-", stdin=json.dumps({"batch": [track("One")], "context": {"ip": "203.0.113.9"}}))
    assert next(lab.journeys()).message["context"] == {"ip": "203.0.113.9"}


def test_a_batch_between_single_calls_keeps_its_place(send, lab):
    send("-", stdin=lines(track("One"), {"batch": [track("Two")]}, track("Three")))
    assert events_of(lab) == ["One", "Two", "Three"]


def test_generated_calls_are_those_of_generate(send, lab):
    assert send("--count", 25, "--seed", 9, "--no-explain").exit_code == 0
    assert [journey.call for journey in lab.journeys()] == list(generate(25, seed=9))


def test_the_outcome_at_each_destination_follows_where_the_lab_can_be_asked(send):
    result = send("-", stdin=lines(track("A", messageId="m-1")))
    told = result.stdout.splitlines()[1]
    assert told.split()[1:] == [
        "track",
        "A",
        "u-1",
        "statsig:",
        "delivered",
        "fme-user:",
        "delivered",
        "ld:",
        "delivered",
    ]


@pytest.mark.rule("split.in.unnamed")
def test_a_warning_about_a_call_ends_with_1_and_says_what_to_do(send):
    result = send("-", stdin=lines({"type": "page", "userId": "u-1"}))
    assert result.exit_code == 1
    assert "fme-user: dropped (split.in.unnamed)" in result.stdout
    assert "Give the call a name, or set named_pages to false." in result.stdout


@pytest.mark.rule("segment.discard.no-id")
def test_a_call_that_segment_discards_behind_its_200_ends_with_1(send):
    result = send("-", stdin='{"type": "track", "event": "A"}')
    assert result.exit_code == 1
    assert "1 accepted, 0 refused" in result.stdout
    assert "discarded" in result.stdout


@pytest.mark.rule("segment.write-key.unknown")
def test_calls_to_an_unknown_write_key_end_with_1_though_segment_answers_200(trackside_command):
    with Lab({**DEMO, "accept_any_key": False}) as lab:
        to = ("--to", lab.urls["segment"], "--admin", lab.urls["admin"], "--write-key", "wk_other")
        result = trackside_command("send", "-", *to, stdin=lines(track("A")))
    assert result.exit_code == 1
    assert "no source has the write key" in result.stdout


@pytest.mark.rule("segment.dedup")
def test_sending_a_file_twice_tells_the_repeats(send):
    calls = lines(track("A", messageId="m-1"), track("B", messageId="m-2"))
    send("-", stdin=calls)
    outcomes = json.loads(send("-", "--json", stdin=calls).stdout)["outcomes"]
    assert outcomes["segment"] == {"duplicate": 2}


def test_only_the_calls_of_this_run_are_told(send, lab):
    send("-", stdin=lines(track("Before")))
    result = json.loads(send("-", "--json", stdin=lines(track("Now"))).stdout)
    assert [row["event"] for row in result["events"]] == ["Now"]


def test_an_earlier_event_is_not_told_where_the_calls_of_this_run_made_none(trackside_command):
    with Lab({**DEMO, "accept_any_key": False}) as lab:
        to = ("--to", lab.urls["segment"], "--admin", lab.urls["admin"], "--json")
        trackside_command("send", "-", *to, stdin=lines(track("Before")))
        result = trackside_command("send", "-", *to, "--write-key", "wk_other", stdin=lines(track("Now")))
    assert json.loads(result.stdout)["events"] == []


def test_the_outcome_at_a_destination_outside_is_waited_for(trackside_command):
    settled = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            settled.wait(20)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    source = {"write_key": "wk_web", "destinations": ["hook"]}
    destinations = {"hook": {"type": "webhook", "url": url, "mappings": hook_mappings(url)}}
    with Lab({"segment": {"sources": {"web": source}, "destinations": destinations}}) as lab:
        settle = lab.settle

        def settle_now(timeout: float = 20) -> None:
            settled.set()
            settle(timeout)

        lab.settle = settle_now
        to = ("--to", lab.urls["segment"], "--admin", lab.urls["admin"], "--json")
        outcomes = json.loads(trackside_command("send", "-", *to, stdin=lines(track("A"))).stdout)["outcomes"]
        settled.set()
    receiver.shutdown()
    thread.join()
    receiver.server_close()
    assert outcomes["hook"] == {"delivered": 1}


def hook_mappings(url: str) -> list[dict]:
    mapping = {"url": url, "method": "POST", "data": {"@path": "$."}}
    return [{"action": "send", "name": "all", "trigger": 'type = "track"', "mapping": mapping}]


def test_many_calls_are_told_as_counts_by_destination(send):
    result = send("--count", 60)
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if " " in line.strip())
    assert rows["segment"].strip() == "60 accepted"
    assert "delivered" in rows["statsig"]


def test_the_json_has_counts_events_outcomes_and_findings(send):
    result = json.loads(send("-", "--json", stdin=lines(track("A"), {"type": "page", "userId": "u"})).stdout)
    assert (result["accepted"], result["refused"], result["bad_lines"], result["faults"]) == (2, 0, 0, [])
    assert result["outcomes"]["fme-user"] == {"delivered": 1, "dropped": 1}
    assert [row["outcome"] for row in result["events"]] == ["accepted", "accepted"]
    [finding] = result["findings"]
    assert (finding["destination"], finding["rule"], finding["level"]) == ("fme-user", "split.in.unnamed", "warning")


@pytest.mark.rule("segment.delivery.retry")
def test_a_delivery_that_waits_for_a_retry_is_told(send, lab):
    lab.statsig.fail(503, times=None)
    result = send("-", stdin=lines(track("A")))
    assert result.exit_code == 1
    assert "statsig: awaiting retry 503" in result.stdout


def test_a_bad_line_is_told_with_its_number_and_the_others_are_sent(send, lab, tmp_path):
    file = tmp_path / "events.ndjson"
    file.write_text(lines(track("First")) + "nonsense\n42\n" + lines(track("Last")))
    result = send(file)
    assert result.exit_code == 1
    assert "2 accepted, 0 refused, 2 bad lines" in result.stdout
    assert f"{file}:2" in result.stderr
    assert f"{file}:3" in result.stderr
    assert events_of(lab) == ["First", "Last"]


def test_a_file_without_a_single_call_is_wrong_use(send, lab):
    result = send("-", stdin='{"type":')
    assert result.exit_code == 2
    assert result.stderr.startswith("trackside: the file is not JSON: ")
    assert lab.exchanges() == []


def test_requests_hold_as_many_calls_as_asked_for(send, lab):
    send("--count", 25, "--batch", 10, "--no-explain")
    assert [row.intake.calls for row in lab.exchanges("segment")] == [10, 10, 5]


@pytest.mark.rule("segment.limit.batch-size")
def test_requests_stay_below_segments_limit_of_500_kb(send, lab):
    calls = [track(f"E{number}", properties={"text": "x" * 30_000}) for number in range(40)]
    assert send("-", "--no-explain", stdin=lines(*calls)).exit_code == 0
    rows = lab.exchanges("segment")
    assert sum(row.intake.calls for row in rows) == 40
    assert all(len(row.request.body) <= 500_000 for row in rows)


def test_requests_are_compressed_when_asked_for(send, lab):
    send("-", "--gzip", stdin=lines(track("A")))
    assert lab.exchanges("segment")[0].request.headers["content-encoding"] == "gzip"
    assert events_of(lab) == ["A"]


@pytest.mark.rule("segment.write-key")
def test_the_write_key_is_sent_as_the_basic_user_name(send, lab):
    send("-", "--write-key", "wk_other", stdin=lines(track("A")))
    assert lab.exchanges("segment")[0].request.basic_user() == "wk_other"


def test_a_url_with_a_path_is_used_as_it_is(trackside_command, lab):
    to = f"{lab.urls['segment']}/v1/import"
    assert trackside_command("send", "-", "--to", to, stdin=lines(track("A"))).exit_code == 0
    assert [row.request.path for row in lab.exchanges("segment")] == ["/v1/import"]


def test_without_a_control_api_only_the_counts_are_told(trackside_command, lab):
    result = trackside_command("send", "-", "--to", lab.urls["segment"], stdin=lines({"type": "page", "userId": "u"}))
    assert (result.exit_code, result.stdout) == (0, "1 accepted, 0 refused\n")


def test_refused_requests_are_counted_and_end_with_1(trackside_command, lab):
    to = f"{lab.urls['segment']}/nowhere"
    result = trackside_command("send", "-", "--to", to, "--json", stdin=lines(track("A"), track("B")))
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["accepted"], told["refused"]) == (0, 2)
    assert told["faults"][0]["what"].startswith("2 calls are refused with status 404")
    assert "2 calls are refused with status 404" in result.stderr


def test_nobody_listening_is_wrong_use_and_says_what_to_start(trackside_command, lab):
    url = lab.urls["segment"]
    lab.stop()
    result = trackside_command("send", "-", "--to", url, stdin=lines(track("A")))
    assert result.exit_code == 2
    assert "Connection refused" in result.stderr
    assert "start trackside serve" in result.stderr


def test_outcomes_that_are_wanted_and_cannot_be_asked_for_are_wrong_use(trackside_command, lab):
    result = trackside_command("send", "-", "--to", lab.urls["segment"], "--explain", stdin=lines(track("A")))
    assert result.exit_code == 2
    assert "name the lab's control API with --admin" in result.stderr
    assert lab.exchanges() == []


def test_the_control_api_of_another_lab_is_not_believed(trackside_command, lab):
    with Lab() as other:
        to = ("--to", lab.urls["segment"], "--admin", other.urls["admin"])
        result = trackside_command("send", "-", *to, stdin=lines(track("A")))
    assert result.exit_code == 0
    assert result.stdout == "1 accepted, 0 refused\n"
    assert "outcomes are not told: the lab's Segment listens at" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["events.ndjson", "--count", "3"]])
def test_either_a_file_or_a_count_is_wanted(arguments, trackside_command):
    result = trackside_command("send", *arguments)
    assert result.exit_code == 2
    assert "send wants a file or --count" in result.stderr


@pytest.mark.parametrize("to", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_what_is_no_address_is_wrong_use(to, trackside_command):
    result = trackside_command("send", "-", "--to", to, stdin=lines(track("A")))
    assert result.exit_code == 2
    assert "is no address" in result.stderr


def test_text_of_an_event_cannot_steer_the_terminal(send):
    result = send("-", stdin=lines(track("a\x1b[2Jb")))
    assert "\x1b" not in result.stdout
    assert "a\\x1b[2Jb" in result.stdout
