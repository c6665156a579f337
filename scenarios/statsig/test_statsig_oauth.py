"""Connecting Segment by OAuth: a user picks a source in Segment and allows it, and no key is pasted."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from trackside import workspace
from trackside.connecting import connected
from trackside.errors import TracksideError
from trackside.lab import Lab

START = "/v1/integrations/segment/oauth"
ODD = '"><script>alert(1)</script>'
WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web"}, "app": {"write_key": "wk_app"}, ODD: {"write_key": "wk_odd"}},
        "audiences": {"big_spenders": {}},
    },
    "statsig": {"server_secret": "secret-local", "segment_inbound": {"enabled": False, "unnamed": "drop"}},
}
AT_LAB = pytest.mark.trackside(workspace=WORKSPACE)

pytestmark = [pytest.mark.rule("statsig.in.oauth")]


class Form(HTMLParser):
    """What a page's form holds."""

    def __init__(self, page):
        super().__init__()
        self.hidden, self.sources, self.buttons, self.tags = {}, [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        if given.get("type") == "hidden":
            self.hidden[given["name"]] = given["value"]
        elif given.get("type") == "radio":
            self.sources.append(given["value"])
        elif tag == "button":
            self.buttons.append(given["value"])


@pytest.fixture
def browser(trackside, call):
    """Return what a user does in a browser: begin at Statsig, answer Segment's form."""

    class Browser:
        def begin(self, **headers):
            """Go to Statsig's page, and return the address to which it leads."""
            answer = call(START, method="GET", **headers)
            assert answer.status == 302
            return answer.headers["Location"]

        def form(self, address):
            return Form(call(address, method="GET").data.decode())

        def answer(self, address, decision="allow", **more):
            """Send Segment's form as a browser does, and return its answer."""
            fields = {**self.form(address).hidden, "source": "web", "decision": decision, **more}
            return self.post(fields)

        def post(self, fields):
            body = urlencode(fields).encode()
            kind = {"content_type": "application/x-www-form-urlencoded"}
            return call(f"{trackside.segment.url}/oauth/authorize", body, "POST", **kind)

        def end(self, answer):
            """Follow Segment's answer back to Statsig."""
            return call(answer.headers["Location"], method="GET")

    return Browser()


def findings(lab):
    return [(finding.step.rule, finding.step.level, finding.step.text) for finding in lab.findings()]


# ---- the way through the pages


@AT_LAB
def test_the_chosen_source_feeds_a_destination_that_was_made(trackside, browser, call):
    done = browser.end(browser.answer(browser.begin(), source="app"))

    assert done.status == 200
    assert (
        "the destination statsig is made, enabled with the server secret, and fed by the source app"
        in done.data.decode()
    )
    settings = trackside.workspace.segment
    assert {name: row.destinations for name, row in settings.sources.items()} == {
        "web": (),
        "app": ("statsig",),
        ODD: (),
    }
    assert (settings.destinations["statsig"].type, settings.destinations["statsig"].api_key) == (
        "statsig",
        "secret-local",
    )
    assert trackside.workspace.statsig.segment_inbound.enabled
    assert findings(trackside) == []

    call(f"{trackside.segment.url}/v1/track", {"writeKey": "wk_app", "userId": "u-1", "event": "Sign Up"})
    assert trackside.statsig.expect_event("segment::Sign Up")["user"] == {"userID": "u-1"}


@AT_LAB
def test_the_rest_of_the_workspace_stays_as_it_was(trackside, browser):
    browser.end(browser.answer(browser.begin()))

    assert trackside.workspace.statsig.segment_inbound.unnamed == "drop"
    assert [note for note in trackside.workspace.notes if note.level != "note"] == []
    assert "statsig" not in WORKSPACE["segment"].get("destinations", {})


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.paths")
def test_statsig_leads_to_segment_with_who_it_is_where_to_come_back_and_a_state(trackside, browser):
    address = urlsplit(browser.begin())

    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{trackside.segment.url}/oauth/authorize"
    asked = dict(parse_qsl(address.query))
    assert len(asked.pop("state")) >= 20
    assert asked == {
        "response_type": "code",
        "client_id": "statsig",
        "redirect_uri": f"{trackside.statsig.url}{START}/callback",
    }


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.paths")
def test_segments_page_lists_the_sources_and_escapes_them(browser):
    form = browser.form(browser.begin())

    assert form.sources == ["web", "app", ODD]  # and none of Engage
    assert form.buttons == ["allow", "deny"]
    assert "script" not in form.tags


@AT_LAB
def test_a_source_of_any_name_can_be_chosen(trackside, browser):
    browser.end(browser.answer(browser.begin(), source=ODD))

    assert trackside.workspace.segment.sources[ODD].destinations == ("statsig",)


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.state")
def test_a_browser_that_says_localhost_stays_there(trackside, browser):
    port = urlsplit(trackside.statsig.url).port

    address = browser.begin(host=f"localhost:{port}")

    assert urlsplit(address).hostname == "localhost"
    assert dict(parse_qsl(urlsplit(address).query))["redirect_uri"] == f"http://localhost:{port}{START}/callback"


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.state")
@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "[::1", ""])
def test_no_other_host_is_believed(trackside, browser, host):
    address = browser.begin(host=host)

    assert address.startswith(f"{trackside.segment.url}/oauth/authorize?")


# ---- what goes wrong, and changes nothing


@pytest.fixture
def unchanged(trackside):
    """Check at the end that the workspace is as it was."""
    before = trackside.workspace
    yield
    assert trackside.workspace is before


@AT_LAB
@pytest.mark.usefixtures("unchanged")
def test_a_user_may_deny_it(trackside, browser):
    answer = browser.answer(browser.begin(), decision="deny")
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"] == "access_denied"

    told = browser.end(answer)

    assert (told.status, "the user denied it in Segment" in told.data.decode()) == (400, True)
    assert findings(trackside) == [("statsig.in.oauth", "warning", "the user denied it in Segment")]


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.rule("statsig.in.oauth.state")
@pytest.mark.parametrize("state", ["", "made-up", ODD])
def test_a_state_that_statsig_did_not_make_is_refused(trackside, call, state):
    told = call(f"{START}/callback?{urlencode({'code': 'c', 'state': state})}", method="GET")

    assert told.status == 400
    [(rule, level, text)] = findings(trackside)
    assert (rule, level) == ("statsig.in.oauth.state", "error")
    assert text == "the state is not valid: Statsig did not make it, or it was used already"


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.state")
def test_a_state_is_good_for_one_answer(trackside, browser):
    answer = browser.answer(browser.begin())
    browser.end(answer)
    before = trackside.workspace

    assert browser.end(answer).status == 400

    assert trackside.workspace is before
    assert [rule for rule, _, _ in findings(trackside)] == ["statsig.in.oauth.state"]


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.rule("statsig.in.oauth.state")
def test_a_state_is_good_for_ten_minutes(trackside, browser):
    answer = browser.answer(browser.begin())
    trackside.advance(601)

    assert browser.end(answer).status == 400

    assert [text for _, _, text in findings(trackside)] == ["the state is not valid: it was made over 600 seconds ago"]


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.rule("statsig.in.oauth.state")
@pytest.mark.parametrize("code", ["", "made-up"])
def test_a_code_that_segment_did_not_issue_is_refused(trackside, browser, call, code):
    answer = browser.answer(browser.begin())
    state = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["state"]

    told = call(f"{START}/callback?{urlencode({'code': code, 'state': state})}", method="GET")

    assert told.status == 400
    assert [text for _, _, text in findings(trackside)] == [
        "the code is not valid: Segment did not issue it, or it was used"
    ]


@AT_LAB
@pytest.mark.rule("statsig.in.oauth.state")
def test_a_code_is_good_for_one_state(trackside, browser, call):
    first = browser.answer(browser.begin())
    browser.end(first)
    code = dict(parse_qsl(urlsplit(first.headers["Location"]).query))["code"]
    state = dict(parse_qsl(urlsplit(browser.begin()).query))["state"]

    assert call(f"{START}/callback?{urlencode({'code': code, 'state': state})}", method="GET").status == 400


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.rule("statsig.in.oauth.state")
def test_a_reset_forgets_connections_that_are_being_made(trackside, browser, call):
    answer = browser.answer(browser.begin())

    trackside.reset()

    assert browser.end(answer).status == 400
    assert [rule for rule, _, _ in findings(trackside)] == ["statsig.in.oauth.state"]
    code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]
    state = dict(parse_qsl(urlsplit(browser.begin()).query))["state"]
    assert call(f"{START}/callback?{urlencode({'code': code, 'state': state})}", method="GET").status == 400


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"source": "others"}, "there is no source 'others'"),
        ({"source": "engage/big_spenders"}, "there is no source 'engage/big_spenders'"),
        ({"source": ""}, "there is no source ''"),
        ({"decision": "perhaps"}, "decision is 'perhaps'"),
        ({"client_id": "other"}, "no program has the client_id 'other'"),
        ({"state": ""}, "state is missing"),
    ],
)
def test_an_answer_that_segment_cannot_use_is_refused_on_its_page(trackside, browser, wrong, text):
    answer = browser.answer(browser.begin(), **wrong)

    assert (answer.status, "Location" in answer.headers) == (400, False)
    assert findings(trackside) == [("statsig.in.oauth", "error", text)]


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.rule("statsig.in.oauth.state")
@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test", "/", "", "http://127.0.0.1:1@evil.test/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_browser_is_led_nowhere_else(trackside, browser, call, method, address):
    wrong = {**browser.form(browser.begin()).hidden, "redirect_uri": address, "source": "web", "decision": "allow"}

    if method == "POST":
        answer = browser.post(wrong)
    else:
        answer = call(f"{trackside.segment.url}/oauth/authorize?{urlencode(wrong)}", method="GET")

    assert (answer.status, "Location" in answer.headers) == (400, False)
    assert f"redirect_uri is {address!r}, which is not this program's page" in [
        text for _, _, text in findings(trackside)
    ]


@AT_LAB
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"=&=&;", b"{}", b"decision=allow&decision=deny"])
def test_a_form_that_is_none_is_refused(trackside, call, body):
    assert call(f"{trackside.segment.url}/oauth/authorize", body, "POST").status == 400


@pytest.mark.trackside(workspace={"segment": {"sources": {"web": {"write_key": "wk_web"}}}})
@pytest.mark.usefixtures("unchanged")
def test_a_project_without_a_server_secret_cannot_be_connected(trackside, browser):
    assert browser.end(browser.answer(browser.begin())).status == 400

    assert [text for _, _, text in findings(trackside)] == ["the Statsig project has no server secret"]


@pytest.mark.trackside(workspace={"statsig": {"server_secret": "secret-local"}})
def test_without_sources_there_is_nothing_to_allow(browser):
    form = browser.form(browser.begin())

    assert (form.sources, form.buttons) == ([], ["deny"])


# ---- in one call, and what it does to a workspace


@AT_LAB
def test_a_test_connects_in_one_call(trackside, call):
    done = trackside.statsig.connect_segment(source="web")

    assert done == {"source": "web", "destination": "statsig", "created": True}
    call(f"{trackside.segment.url}/v1/track", {"writeKey": "wk_web", "userId": "u-1", "event": "Sign Up"})
    trackside.statsig.expect_event("segment::Sign Up")


@AT_LAB
def test_the_control_api_connects_in_one_call(trackside, call):
    path = f"{trackside.urls['admin']}/statsig/connect-segment"

    assert call(path, {"source": "web"}).json() == {"source": "web", "destination": "statsig", "created": True}
    wrong = call(path, {"source": "others"})

    assert (wrong.status, wrong.json()["error"]["what"]) == (400, "there is no source 'others'")
    assert call(path, {"sources": ["web"]}).status == 400


@AT_LAB
@pytest.mark.parametrize(("source", "what"), [("others", "there is no source 'others'"), ("", "no source is named")])
@pytest.mark.usefixtures("unchanged")
def test_a_source_that_is_not_declared_is_an_error_that_names_those_that_are(trackside, source, what):
    with pytest.raises(TracksideError) as caught:
        trackside.statsig.connect_segment(source)

    assert (caught.value.what, caught.value.fix) == (what, f"declared are: web, app, {ODD}")


def document(sources, destinations, **inbound):
    return {
        "segment": {"sources": sources, "destinations": destinations},
        "statsig": {"server_secret": "secret-local", "segment_inbound": inbound},
    }


def test_of_one_source_nobody_has_to_name_it():
    after, done = connected(document({"web": {"write_key": "wk_web"}}, {}))

    assert done["source"] == "web"
    assert workspace.load(after).segment.sources["web"].destinations == ("statsig",)


@pytest.mark.rule("statsig.in.oauth.again")
def test_a_destination_that_is_there_is_enabled_and_given_the_key():
    before = document(
        {"web": {"write_key": "wk_web", "destinations": ["mine"]}},
        {"mine": {"type": "statsig", "api_key": "stale", "enabled": False, "filters": []}},
        enabled=False,
    )

    after, done = connected(before, "web")

    assert done == {"source": "web", "destination": "mine", "created": False}
    mine = {"type": "statsig", "api_key": "secret-local", "enabled": True, "filters": []}
    assert after["segment"]["destinations"] == {"mine": mine}
    assert after["segment"]["sources"]["web"]["destinations"] == ["mine"]
    assert after["statsig"]["segment_inbound"]["enabled"] is True
    assert before["segment"]["destinations"]["mine"]["api_key"] == "stale"


@pytest.mark.rule("statsig.in.oauth.again")
def test_a_second_time_changes_nothing_more():
    once, _ = connected(document({"web": {"write_key": "wk_web"}}, {}), "web")

    twice, done = connected(once, "web")

    assert (twice, done["created"]) == (once, False)


@pytest.mark.rule("statsig.in.oauth.again")
@pytest.mark.parametrize(
    ("destinations", "feeds", "chosen"),
    [
        ({"a": {"api_key": "secret-local"}, "b": {"api_key": "x"}}, ["b"], "b"),
        ({"a": {"api_key": "x"}, "b": {"api_key": "secret-local"}}, [], "b"),
        ({"a": {"api_key": "x"}, "b": {"api_key": "y"}}, [], "a"),
        ({"a": {"api_key": "x", "url": "http://127.0.0.1:9"}, "b": {"api_key": "y"}}, ["a"], "b"),
    ],
    ids=["the source's own", "the one with the key", "the first", "not one that leads elsewhere"],
)
def test_of_several_destinations_one_is_chosen(destinations, feeds, chosen):
    rows = {name: {"type": "statsig", **row} for name, row in destinations.items()}

    assert connected(document({"web": {"write_key": "wk", "destinations": feeds}}, rows))[1]["destination"] == chosen


def test_a_name_that_is_taken_is_not_used_again():
    taken = {"statsig": {"type": "split", "api_key": "fme-key"}}

    after, done = connected(document({"web": {"write_key": "wk_web"}}, taken))

    assert done["destination"] == "statsig-2"
    assert after["segment"]["destinations"]["statsig"] == taken["statsig"]


def test_a_workspace_file_keeps_its_folder_and_is_still_looked_at(tmp_path):
    gates = {"feature_gates": [], "dynamic_configs": [], "layer_configs": [], "has_updates": True, "time": 1}
    (tmp_path / "specs.json").write_text(json.dumps(gates))
    file = tmp_path / "trackside.yaml"
    text = "segment: {sources: {web: {write_key: wk_web}}}\nstatsig: {server_secret: secret-local, specs_file: specs.json}\n"
    file.write_text(text)
    lab = Lab(file)

    lab.statsig.connect_segment()

    assert lab.workspace.files == (file, tmp_path / "specs.json")
    assert lab.workspace.segment.sources["web"].destinations == ("statsig",)
    lab.reread()
    assert lab.workspace.segment.sources["web"].destinations == ()  # what the file says holds again
    lab.stop()


def test_the_demo_workspace_can_be_connected_and_stays_what_it_is():
    lab = Lab()

    assert lab.statsig.connect_segment() == {"source": "web", "destination": "statsig", "created": False}

    assert "enabled" not in workspace.DEMO["segment"]["destinations"]["statsig"]
    lab.stop()


@pytest.mark.trackside(
    workspace={
        **WORKSPACE,
        "statsig": {**WORKSPACE["statsig"], "gates": {"lane": False}},
        "split": {"environments": {"production": {"sdk_key": "sdk-local"}}, "flags": {"banner": "off"}},
    }
)
def test_a_connection_leaves_every_flag_as_a_test_set_it(trackside: Lab) -> None:
    trackside.statsig.gate("lane").serve(True)
    trackside.split.flag("banner").serve("on")

    trackside.statsig.connect_segment(source="web")

    assert [row["serves"] for row in (*trackside.statsig.flags(), *trackside.split.flags())] == [True, "on"]
    assert trackside.workspace.statsig.segment_inbound.enabled
