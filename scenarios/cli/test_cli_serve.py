"""``trackside serve``: every vendor on its port, the addresses, the log, and the end."""

from __future__ import annotations

import ast
import json
import re
import signal
import socket
import sys

import pytest
import urllib3

from trackside.lab import VENDORS

NAMES = ["segment", "statsig", "split", "launchdarkly", "ownlayer", "admin"]


def status(url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> int:
    method = "GET" if body is None else "POST"
    return urllib3.request(method, url, body=body, headers=headers, retries=False, timeout=20).status


def test_the_first_line_has_every_address_and_each_one_answers(serve):
    served = serve()
    assert served.first["kind"] == "addresses"
    assert [name for name in served.first if name != "kind"] == NAMES
    assert status(served.first["admin"] + "/ready") == 200
    assert [status(served.first[name] + "/nowhere") for name in NAMES] == [404] * 6


def test_the_ports_file_has_the_addresses_of_ports_that_answer(serve, tmp_path):
    served = serve("--ports-file", tmp_path / "ports.json")
    ports = json.loads((tmp_path / "ports.json").read_text())
    assert ports == {name: served.first[name] for name in NAMES}
    assert [file.name for file in tmp_path.iterdir()] == ["ports.json"]


def test_a_ports_file_of_an_earlier_run_is_gone_when_the_start_fails(trackside_command, tmp_path):
    old = tmp_path / "ports.json"
    old.write_text("{}")
    result = trackside_command("serve", "--ephemeral", "--ports-file", old, "--workspace", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert not old.exists()


def test_a_ports_file_that_cannot_be_written_is_wrong_use(trackside_command, tmp_path):
    result = trackside_command("serve", "--ephemeral", "--ports-file", tmp_path / "no" / "folder.json")
    assert result.exit_code == 2
    assert "the ports file cannot be written" in result.stderr


def test_every_event_is_a_line_of_the_log(serve):
    served = serve()
    assert served.track("Signed Up") == 200
    row = served.line()
    assert (row["kind"], row["type"], row["event"], row["user"], row["outcome"]) == ("event", "track", "Signed Up", "u-1", "accepted")  # fmt: skip
    assert {one["destination"]: one["outcome"] for one in row["deliveries"]} == dict.fromkeys(("statsig", "fme-user", "ld"), "delivered")  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_it_with_0_and_totals(number, serve):
    served = serve("--limit", 2)
    for event in ("First", "Second", "Third"):
        served.track(event)
    code, _, err = served.end(number)
    assert code == 0
    assert err == "stopped: 3 messages accepted, 1 evicted (limit 2), 0 deliveries waiting\n"


def test_quiet_has_the_addresses_and_no_log(serve):
    served = serve("--quiet")
    served.track("Signed Up")
    code, out, _ = served.end(signal.SIGTERM)
    assert (code, out) == (0, "")


@pytest.mark.rule("segment.contract")
def test_strict_refuses_what_breaks_a_contract(serve):
    assert serve().track("A", properties="none") == 200
    assert serve("--strict").track("A", properties="none") == 400


WORKSPACE = """
segment:
  sources: {web: {write_key: wk_own, destinations: [statsig]}}
  destinations: {statsig: {type: statsig, api_key: secret}}
statsig: {server_secret: secret}
ownlayer: {segment: {write_key: wk_ownlayer}}
"""


def test_a_workspace_file_is_served_and_what_is_odd_about_it_is_remarked(serve, tmp_path):
    (tmp_path / "trackside.yaml").write_text(WORKSPACE)
    served = serve("--workspace", "trackside.yaml")
    served.track("Signed Up", writeKey="wk_own")
    assert [one["destination"] for one in served.line()["deliveries"]] == ["statsig"]
    assert "OwnLayer sends to a write key that no Segment source has" in served.end(signal.SIGTERM)[2]


def test_every_fault_of_the_workspace_is_told_with_its_line(trackside_command, tmp_path):
    file = tmp_path / "trackside.yaml"
    file.write_text(WORKSPACE.replace("write_key", "writekey").replace("type: statsig", "type: stat"))
    result = trackside_command("serve", "--ephemeral", "--workspace", file)
    assert result.exit_code == 2
    assert result.stdout == ""
    faults = [line for line in result.stderr.splitlines() if line.startswith("  - ")]
    assert len(faults) >= 2
    assert any(f"{file}:3" in fault and "writekey" in fault for fault in faults)
    assert any(f"{file}:4" in fault and "stat" in fault for fault in faults)


def test_a_fixed_port_that_is_taken_is_wrong_use_and_its_holder_is_named(trackside_command):
    holder = socket.socket()
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 8801))
        holder.listen()
    except OSError:
        pass  # somebody else holds it, which will do
    result = trackside_command("serve")
    holder.close()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "segment's port 8801 cannot be bound" in result.stderr
    assert "--ephemeral" in result.stderr
    if sys.platform == "linux":
        assert re.search(r"held by .+, process \d+", result.stderr)


def test_the_fixed_ports_are_those_that_the_vendors_register():
    from trackside.cli.serve import fixed_ports

    vendors = {"segment": 8801, "statsig": 8802, "split": 8803, "launchdarkly": 8804, "ownlayer": 8805}
    assert fixed_ports() == {**vendors, "admin": 8800}


def test_what_was_accepted_survives_a_kill(serve):
    first = serve("--data", "journal.sqlite")
    first.track("First", messageId="m-1")
    first.track("Second", messageId="m-2", userId=None)
    before = first.admin("/journeys")
    first.end(signal.SIGKILL)
    second = serve("--data", "journal.sqlite")
    assert len(before) == 2
    assert second.admin("/journeys") == before


@pytest.mark.rule("segment.dedup")
def test_a_message_id_from_before_a_kill_is_a_repeat_after_it(serve):
    first = serve("--data", "journal.sqlite")
    first.track("First", messageId="m-1")
    first.end(signal.SIGKILL)
    second = serve("--data", "journal.sqlite")
    second.track("First", messageId="m-1")
    assert second.line()["outcome"] == "duplicate"


def test_a_file_that_is_no_journal_is_wrong_use(trackside_command, tmp_path):
    (tmp_path / "notes.txt").write_text("not a journal " * 100)
    result = trackside_command("serve", "--ephemeral", "--data", tmp_path / "notes.txt")
    assert result.exit_code == 2
    assert "the journal cannot be kept" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no second loopback address by default")
def test_off_127_0_0_1_the_control_api_wants_the_printed_token(serve):
    served = serve("--host", "127.0.0.2")
    assert status(served.first["admin"] + "/stats") == 401
    assert status(served.first["admin"] + "/stats", {"Authorization": f"Bearer {served.first['admin_token']}"}) == 200


def test_a_reader_who_leaves_does_not_end_it(serve):
    served = serve()
    served.process.stdout.close()
    assert served.track("First") == 200
    assert served.track("Second") == 200
    assert [row["event"] for row in served.admin("/journeys")] == ["Second", "First"]
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=20) == 0


def test_a_reader_who_does_not_read_holds_up_neither_events_nor_the_end(serve):
    served = serve()
    call = {"type": "track", "event": "x" * 200, "userId": "u-1"}
    body = json.dumps({"writeKey": "wk_web", "batch": [call] * 200}).encode()
    for _ in range(5):
        assert status(served.first["segment"] + "/v1/batch", body=body) == 200
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=20) == 0


def test_a_flag_of_the_workspace_is_listed_and_a_saved_mistake_is_remarked(serve, tmp_path):
    file = tmp_path / "trackside.yaml"
    file.write_text("statsig: {server_secret: secret, gates: {new_checkout: true}}")
    served = serve("--workspace", "trackside.yaml")
    assert [row["name"] for row in served.admin("/flags")] == ["new_checkout"]
    file.write_text("statsig: {server_secret: secret, gates: {new_checkout: often}}")
    assert "new_checkout" in served.process.stderr.readline()
    assert served.admin("/flags")[0]["serves"] is True


@pytest.fixture
def introduction(serve_for_people) -> list[str]:
    """Return the lines that ``serve`` prints for people before its first event; it runs until the test ends."""
    lines = [serve_for_people.stdout.readline()]
    while lines[-1] and not lines[-1].startswith("Stop with"):
        lines.append(serve_for_people.stdout.readline())
    return [line.rstrip() for line in lines]


def address(introduction: list[str], title: str) -> str:
    return next(line.split()[-1] for line in introduction if line.split("http")[0].strip() == title)


def test_the_table_has_the_address_of_every_vendor(introduction):
    titles = ["Segment", "Statsig", "Split", "LaunchDarkly", "Control API"]
    assert [status(address(introduction, title) + "/nowhere") for title in titles] == [404] * 5


@pytest.mark.parametrize("what", ["Statsig inbound:", "Split inbound:", "LaunchDarkly inbound:"])
def test_each_inbound_route_that_is_shown_takes_what_segment_sends(introduction, what):
    shown = next(line for line in introduction if line.startswith(what))
    url = shown.split("POST ")[1].split()[0].rstrip(",")
    call = {"type": "track", "event": "A", "userId": "u", "timestamp": "2026-01-05T09:00:00Z"}
    event = {"kind": "custom", "key": "A", "contextKeys": {"user": "u"}, "creationDate": 1}
    body = json.dumps([event] if "bulk" in url else call).encode()
    assert status(url, urllib3.make_headers(basic_auth="any-key:"), body) in (200, 202)


@pytest.mark.parametrize("package", [sdk.package for vendor in VENDORS.values() for sdk in vendor.sdks])
def test_the_options_of_each_sdk_are_shown_without_a_secret(introduction, package):
    shown = next(line for line in introduction if line.startswith(f"{package}:"))
    options = shown.partition("options = ")[2]
    assert ast.literal_eval(options.replace(":true", ":True"))
    assert "secret-local" not in options
    assert "sdk-local" not in options


def test_the_options_that_are_shown_for_the_python_sdk_reach_the_lab(introduction, serve_for_people):
    import segment.analytics

    shown = next(line for line in introduction if line.strip().startswith("Segment Python:"))
    made = re.fullmatch(r'segment\.analytics\.Client\("(.+)", host="(.+)"\)', shown.split(maxsplit=2)[2])
    assert made is not None
    client = segment.analytics.Client(made[1], host=made[2], sync_mode=True)
    client.track("u-1", "Signed Up")
    line = serve_for_people.stdout.readline()
    while line and "Signed Up" not in line:
        line = serve_for_people.stdout.readline()
    assert line.split()[1:5] == ["track", "Signed", "Up", "u-1"]


@pytest.mark.parametrize("what", ["Segment Node:", "Segment browser:"])
def test_the_options_of_the_other_sdks_name_write_key_and_address(introduction, what):
    shown = next(line for line in introduction if line.strip().startswith(what))
    option = "cdnURL" if "browser" in what else "host"
    assert 'writeKey: "wk_web"' in shown
    assert f'{option}: "{address(introduction, "Segment")}"' in shown


def test_secrets_are_named_by_their_place_and_not_shown(introduction):
    assert "secret-local" not in "\n".join(introduction)
    assert "fme-key" not in "\n".join(introduction)
    assert any("statsig.server_secret" in line for line in introduction)
