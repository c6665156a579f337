"""What SDKs ask for beside the Tracking API: the browser's settings document, and access tokens."""

import base64
import json
from urllib.parse import urlencode

import pytest

from trackside import catalog

NOW = 1767322800.0
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


# ---- the settings document


@pytest.mark.rule("segment.cdn")
def test_the_settings_document_points_the_browser_sdk_back_here(trackside, http_call):
    status, headers, body = http_call("GET", f"{trackside.segment.url}/v1/projects/wk_web/settings")

    assert (status, headers["Content-Type"]) == (200, "application/json")
    settings = json.loads(body)["integrations"]["Segment.io"]
    assert settings["apiKey"] == "wk_web"
    assert f"{settings['protocol']}://{settings['apiHost']}" == f"{trackside.segment.url}/v1"


@pytest.mark.rule("segment.cdn")
def test_the_settings_document_keeps_its_contract(segment):
    answer = segment.request("GET", "/v1/projects/wk_web/settings", host="127.0.0.1:8801")

    assert catalog.faults("segment/settings", json.loads(answer.body)) == []


@pytest.mark.rule("segment.cdn")
def test_it_names_no_device_mode_destination_and_asks_for_no_metrics(segment):
    document = json.loads(segment.request("GET", "/v1/projects/wk_web/settings").body)

    assert list(document["integrations"]) == ["Segment.io"]
    assert document["middlewareSettings"]["routingRules"] == []
    assert document["metrics"]["sampleRate"] == 0


@pytest.mark.rule("segment.cdn", "segment.cors")
def test_any_page_may_read_it(trackside, http_call):
    url = f"{trackside.segment.url}/v1/projects/wk_web/settings"

    _, headers, _ = http_call("GET", url, None, {"Origin": "http://shop.test"})

    assert headers["Access-Control-Allow-Origin"] == "http://shop.test"


@pytest.mark.rule("segment.cdn")
def test_an_unknown_write_key_is_answered_404_and_recorded(segment):
    answer = segment.request("GET", "/v1/projects/wk_of_nobody/settings")

    assert answer.status == 404
    assert [(step.rule, step.level) for step in segment.exchange().steps] == [("segment.cdn", "error")]


# ---- access tokens


def assertion(**claims):
    """Return a JWT; its signature is not looked at."""
    claims = {"iss": "app-1", "sub": "app-1", "aud": "http://127.0.0.1", "iat": NOW, "exp": NOW + 60, **claims}
    parts = [{"alg": "RS256", "kid": "key-1"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def ask(segment, content_type="application/x-www-form-urlencoded", **form):
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion(),
        "scope": "tracking_api:write",
        **form,
    }
    return segment.request("POST", "/token", urlencode(form).encode(), content_type=content_type)


@pytest.mark.rule("segment.oauth")
def test_a_good_assertion_gets_an_access_token(segment):
    answer = ask(segment)

    assert answer.status == 200
    token = json.loads(answer.body)
    assert (token["token_type"], token["scope"]) == ("Bearer", "tracking_api:write")
    assert type(token["expires_in"]) is int  # the Node SDK takes no text
    assert catalog.faults("segment/oauth-token-answer", token) == []


@pytest.mark.rule("segment.oauth", "segment.oauth.token")
def test_the_token_is_good_for_the_tracking_api(segment):
    token = json.loads(ask(segment).body)["access_token"]
    body = {"writeKey": "wk_web", "userId": "u-1", "event": "E"}

    assert segment.request("POST", "/v1/track", body, authorization=f"Bearer {token}").status == 200


@pytest.mark.rule("segment.oauth")
@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password"}, 400),
        ({"client_assertion_type": "saml"}, 400),
        ({"client_assertion": "no.jwt"}, 400),
        ({"client_assertion": "a.é.c"}, 400),
        ({"client_assertion": assertion(sub="app-2")}, 400),
        ({"client_assertion": assertion(iss=None, sub=None)}, 400),
        ({"client_assertion": assertion(exp="soon")}, 401),
        ({"client_assertion": assertion(exp=NOW - 1)}, 401),
    ],
    ids=[
        "another grant",
        "another kind of assertion",
        "two parts",
        "no base64",
        "iss and sub differ",
        "no app id",
        "exp no number",
        "expired",
    ],
)
def test_a_bad_assertion_is_refused_and_recorded(segment, form, status):
    answer = ask(segment, **form)

    assert answer.status == status
    assert sorted(json.loads(answer.body)) == ["error", "error_description"]
    assert [(step.rule, step.level) for step in segment.exchange().steps] == [("segment.oauth", "error")]


@pytest.mark.rule("segment.oauth")
def test_a_body_that_is_no_form_is_answered_415(segment):
    assert ask(segment, content_type="application/json").status == 415


@pytest.mark.rule("segment.oauth.token")
@pytest.mark.parametrize("token", ["made-up", "", "é", "AAAA", "x" * 200])
def test_a_token_that_was_not_issued_here_is_answered_401(segment, token):
    body = {"writeKey": "wk_web", "userId": "u-1", "event": "E"}

    answer = segment.request("POST", "/v1/track", body, authorization=f"Bearer {token}")

    assert answer.status == 401
    assert sorted(json.loads(answer.body)) == ["code", "message"]


@pytest.mark.rule("segment.oauth.token")
def test_a_token_that_has_expired_is_answered_401(segment):
    answered = json.loads(ask(segment).body)
    body = {"writeKey": "wk_web", "userId": "u-1", "event": "E"}

    segment.lab.advance(answered["expires_in"])
    answer = segment.request("POST", "/v1/track", body, authorization=f"Bearer {answered['access_token']}")

    assert answer.status == 401
    assert list(segment.lab.journeys()) == []
