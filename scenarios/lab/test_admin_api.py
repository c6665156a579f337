"""The control API: the journal as JSON, and the lab's controls."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from trackside.admin import PATHS, make_admin

CALL = {"writeKey": "wk_web", "userId": "u-1", "event": "Order Completed"}


@pytest.fixture
def admin(trackside, http_json):
    """Return a function that asks the control API of the running lab."""

    def ask(method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return http_json(method, trackside.urls["admin"] + path, body, named)

    return ask


@pytest.fixture
def send(trackside, http_json):
    """Return a function that sends one track call over HTTP."""

    def to(**fields):
        status, _ = http_json("POST", f"{trackside.segment.url}/v1/track", {**CALL, **fields})
        assert status == 200

    return to


def get(admin, path):
    status, answer = admin("GET", path)
    assert status == 200
    return answer


# ---- reading


@pytest.mark.parametrize("path", ["/ready", "/health"])
def test_it_says_that_the_lab_is_ready_and_where(trackside, admin, path):
    assert get(admin, path) == {"status": "ok", "urls": trackside.urls}


def test_all_journeys_the_newest_first(admin, send):
    send(messageId="m-1")
    send(messageId="m-2")

    assert [journey["message_id"] for journey in get(admin, "/journeys")] == ["m-2", "m-1"]


def test_a_journey_is_the_same_in_python_and_as_json(trackside, admin, send):
    send(messageId="m-1")

    assert get(admin, "/journeys/m-1") == trackside.journey("m-1").as_json()
    assert get(admin, "/journeys?message_id=m-1") == [trackside.journey("m-1").as_json()]


def test_a_message_id_may_hold_slashes(admin, send):
    send(messageId="orders/2026/1")

    assert get(admin, "/journeys/orders/2026/1")["message_id"] == "orders/2026/1"


def test_journeys_by_user(admin, send):
    send(messageId="m-1")
    send(messageId="m-2", userId="u-2")

    assert [journey["message_id"] for journey in get(admin, "/journeys?user=u-2")] == ["m-2"]


def test_journeys_by_vendor_and_only_drops(admin, send):
    send(messageId="m-1")
    send(messageId="m-2", event="A & B")

    assert [journey["message_id"] for journey in get(admin, "/journeys?vendor=split&drops=1")] == ["m-2"]


def test_at_most_so_many_rows(admin, send):
    for number in range(3):
        send(messageId=f"m-{number}")

    assert len(get(admin, "/journeys?limit=2")) == 2
    assert get(admin, "/journeys?limit=0") == []


def test_a_call_that_is_nested_too_deeply_does_not_hide_the_others(trackside, admin, http_json, send):
    deep = '{"a":' * 900 + "1" + "}" * 900
    body = f'{{"writeKey": "wk_web", "messageId": "m-deep", "userId": "u-1", "event": "E", "properties": {deep}}}'
    http_json("POST", f"{trackside.segment.url}/v1/track", body.encode())
    send(messageId="m-1")

    ids = [journey["message_id"] for journey in get(admin, "/journeys")]
    assert ids == ["m-1", "m-deep"]
    assert get(admin, "/journeys/m-deep")["call"] == "nested too deeply to be shown here; see the request's body"


def test_what_a_vendor_keeps(admin, send):
    send(messageId="m-1")

    assert [record["eventName"] for record in get(admin, "/records/statsig")] == ["segment::Order Completed"]


def test_requests_as_they_came_with_keys_cut(trackside, admin, http_json):
    http_json("POST", f"{trackside.segment.url}/v1/track", CALL, {"Authorization": "Basic d2tfd2ViOg=="})

    [exchange] = get(admin, "/exchanges?vendor=segment")
    assert (exchange["method"], exchange["path"], exchange["status"]) == ("POST", "/v1/track", 200)
    assert exchange["headers"]["authorization"] == "Basic d2tf…"
    assert exchange["answer"] == '{"success":true}'


def test_findings_and_with_them_notes(admin, send):
    send(messageId="m-1", event="")

    assert {finding["level"] for finding in get(admin, "/findings")} == {"error"}
    assert {"message_id", "vendor", "where", "rule", "source", "confidence"} <= set(get(admin, "/findings")[0])
    send(messageId="m-2")
    assert "note" in {finding["level"] for finding in get(admin, "/findings?notes=1")}


def test_counts(admin, send):
    send(messageId="m-1")

    stats = get(admin, "/stats")
    names = ("exchanges", "accepted", "evicted", "ids_seen", "deliveries_waiting")
    assert [stats[name] for name in names] == [1, 1, 0, 1, 0]


def test_the_rules_with_source_and_confidence(admin):
    rules = {rule["id"]: rule for rule in get(admin, "/rules")}

    assert rules["segment.dedup"]["vendor"] == "segment"
    assert rules["segment.dedup"]["confidence"] in ("documented", "observed", "assumed")


def test_the_workspace_in_force(trackside, admin):
    assert get(admin, "/workspace") == trackside.workspace.document


# ---- controls


def test_reset(admin, send):
    send(messageId="m-1")

    status, stats = admin("POST", "/reset")

    assert (status, stats["exchanges"], get(admin, "/journeys")) == (200, 0, [])


@pytest.mark.rule("segment.delivery.retry")
def test_a_fault_a_retry_and_the_clock(admin, send):
    assert admin("POST", "/faults/statsig", {"status": 503, "times": 1}) == (200, {"faults": 1})
    send(messageId="m-1")
    assert get(admin, "/journeys/m-1")["deliveries"][0]["outcome"] == "awaiting_retry"

    status, _ = admin("POST", "/advance", {"seconds": 60})

    assert (status, get(admin, "/journeys/m-1")["deliveries"][0]["outcome"]) == (200, "delivered")


def test_a_fault_lasts_until_it_is_taken_away(admin, trackside):
    admin("POST", "/faults/split", {"error": "ECONNRESET", "times": None})
    assert len(trackside.split.faults) == 1

    assert admin("POST", "/recover/split") == (200, {"faults": 0})


def test_settle(admin, send):
    send(messageId="m-1")

    status, stats = admin("POST", "/settle", {"timeout": 1})

    assert (status, stats["deliveries_waiting"]) == (200, 0)


def test_wait_until_a_vendor_keeps_a_record(admin, send):
    send(messageId="m-1", properties={"value": 42})

    status, answer = admin(
        "POST", "/wait", {"vendor": "launchdarkly", "match": {"name": "Order Completed", "value": 42}}
    )

    assert status == 200
    assert [record["metricValue"] for record in answer["matched"]] == [42]


def test_wait_until_a_record_that_comes_later(trackside, admin, send, monkeypatch):
    waiting, wait = threading.Event(), trackside.journal.wait
    monkeypatch.setattr(trackside.journal, "wait", lambda *words: waiting.set() or wait(*words))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(admin, "POST", "/wait", {"vendor": "split", "match": {"key": "u-1"}})
        assert waiting.wait(5)
        send(messageId="m-1")

        status, answer = asked.result(5)

    assert (status, len(answer["matched"])) == (200, 1)


def test_wait_in_vain_says_what_came_near(admin, send):
    send(messageId="m-1")

    body = {"vendor": "statsig", "match": {"name": "segment::Order completed"}, "timeout": 0}
    status, answer = admin("POST", "/wait", body)

    assert status == 400
    assert "segment::Order Completed" in answer["error"]["what"]


def test_another_workspace(trackside, admin, send):
    sources = {"web": {"write_key": "wk_web"}}
    workspace = {"segment": {"sources": sources}, "ownlayer": {"segment": {"write_key": "wk_ownlayer"}}}

    status, answer = admin("POST", "/configure", workspace)

    assert (status, [note["at"] for note in answer["notes"]]) == (200, ["$.ownlayer.segment.write_key"])
    send(messageId="m-1")
    assert get(admin, "/journeys/m-1")["deliveries"] == []


def test_a_workspace_with_faults_is_refused_with_every_fault_and_the_old_one_stays(admin):
    before = get(admin, "/workspace")

    status, answer = admin("POST", "/configure", {"segmet": {}, "split": {"segment_inbound": [{"api_key": "k"}]}})

    assert status == 400
    assert [fault["where"] for fault in answer["error"]["faults"]] == [
        "the workspace: $.split.segment_inbound[0].environment",
        "the workspace: $.segmet",
    ]
    assert get(admin, "/workspace") == before


# ---- wrong use


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("/advance", {"seconds": -1}, "seconds is -1"),
        ("/advance", {"seconds": "60"}, "seconds is '60'"),
        ("/advance", {}, "seconds is None"),
        ("/advance", {"second": 1}, "'second' is not known"),
        ("/settle", {"timeout": "soon"}, "timeout is 'soon'"),
        ("/faults/statsig", {"status": "500"}, "status is '500'"),
        ("/faults/statsig", {"status": 99}, "status is 99"),
        ("/faults/statsig", {"error": "EPIPE"}, "error is 'EPIPE'"),
        ("/faults/statsig", {"times": 0}, "times is 0"),
        ("/faults/statsig", {"time": 1}, "'time' is not known"),
        ("/faults/amplitude", {}, "there is no vendor 'amplitude'"),
        ("/wait", {}, "vendor is None"),
        ("/wait", {"vendor": "amplitude"}, "there is no vendor 'amplitude'"),
        ("/wait", {"vendor": "statsig", "match": []}, "match is []"),
        ("/wait", {"vendor": "statsig", "count": True}, "count is True"),
        ("/wait", {"vendor": "statsig", "match": {"nam": "x"}}, "'nam' is no keyword of statsig's event records"),
        ("/configure", b"no JSON", "the body is not JSON"),
        ("/configure", [], "the body is not a JSON object"),
    ],
)
def test_wrong_use_is_answered_400_in_three_clauses(admin, path, body, what):
    status, answer = admin("POST", path, body)

    assert status == 400
    assert answer["error"]["what"].startswith(what)
    assert answer["error"]["fix"]


@pytest.mark.parametrize("limit", ["many", "-1", "1.5", "9" * 5_000])
def test_a_limit_is_a_whole_number(admin, limit):
    status, answer = admin("GET", f"/journeys?limit={limit}")

    assert (status, answer["error"]["what"]) == (400, f"limit is '{limit}'")


@pytest.mark.parametrize("path", ["/journeys/m-4", "/records/amplitude"])
def test_what_is_not_there_is_answered_404(admin, path):
    status, answer = admin("GET", path)

    assert status == 404
    assert sorted(answer["error"]) == ["fix", "what", "where"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/journey"), ("GET", "/reset"), ("POST", "/journeys"), ("POST", "/flags/split//x")]
)
def test_an_unknown_path_is_answered_with_the_list_of_those_that_exist(admin, method, path):
    status, answer = admin(method, path, {} if method == "POST" else None)

    assert (status, answer["error"]["what"]) == (404, f"{method} {path} does not exist here")
    assert all(known in answer["error"]["fix"] for known in PATHS)


def test_a_fault_of_tracksides_own_is_answered_as_json(make_lab, monkeypatch):
    lab = make_lab()
    monkeypatch.setattr(lab, "stats", lambda: 1 / 0)

    answer = make_admin(lab, local=True).test_client().get("/stats", headers={"Host": "127.0.0.1:8800"})

    assert answer.status_code == 500
    assert answer.json["error"]["what"] == "ZeroDivisionError: division by zero"
    assert [type(error) for error in lab.errors] == [ZeroDivisionError]
    lab.errors.clear()


# ---- who may ask


def test_only_names_of_this_machine_are_answered(admin):
    status, answer = admin("GET", "/stats", Host="rebound.test:8800")

    assert (status, answer["error"]["where"]) == (403, "Host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8800", "127.0.0.1", "[::1]", "[::1]:8800"])
def test_each_name_of_this_machine_is_answered_with_a_port_or_without(admin, host):
    assert admin("GET", "/stats", Host=host)[0] == 200


@pytest.mark.parametrize("origin", ["http://shop.test", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_origin_is_refused(admin, origin):
    status, answer = admin("POST", "/reset", {}, Origin=origin)

    assert (status, answer["error"]["where"]) == (403, "Origin")


@pytest.mark.parametrize(
    ("authorization", "status"), [(None, 401), ("Bearer wrong", 401), ("Bearer é", 401), ("Bearer t0ken", 200)]
)
def test_bound_elsewhere_it_wants_its_token(make_lab, authorization, status):
    lab = make_lab(admin_token="t0ken")
    headers = {"Host": "ci.test:8800", **({"Authorization": authorization} if authorization else {})}

    assert make_admin(lab, local=False).test_client().get("/stats", headers=headers).status_code == status


def test_without_a_token_of_the_users_it_is_a_random_one(make_lab):
    assert len(make_lab().admin_token) >= 16
    assert make_lab().admin_token != make_lab().admin_token
