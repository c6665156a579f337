"""Secure mode: a browser proves by a hash that its context was signed by a server."""

from __future__ import annotations

import pytest
from ldclient.client import LDClient
from ldclient.config import Config

from trackside.launchdarkly.evaluation import context_of

ID = "57be1db38b75bf0772d11384"
BLOCK = {
    "environments": {
        "production": {"client_side_id": ID, "sdk_key": "sdk-local", "mobile_key": "mob-local", "secure_mode": True},
        "open": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-open"},
    },
    "flags": {"banner": "blue"},
}
USER = {"kind": "user", "key": "user-1"}

pytestmark = [
    pytest.mark.trackside(workspace={"launchdarkly": BLOCK}),
    pytest.mark.rule("launchdarkly.client.secure-mode"),
]


def asked(ask, b64, context=USER, h="", where="/sdk/evalx/{}/contexts/"):
    return ask("GET", where.format(ID) + b64(context) + (f"?h={h}" if h else ""))


@pytest.mark.parametrize(
    "context",
    [
        USER,
        {"kind": "user", "key": "a:b%c"},
        {"kind": "organization", "key": "a:b%c"},
        {"kind": "multi", "user": {"key": "u:1"}, "organization": {"key": "o"}},
        {"key": "user-1", "custom": {"plan": "gold"}},
    ],
)
def test_the_hash_is_that_of_a_server_sdk(trackside, ask, b64, context):
    sdk = LDClient(Config("sdk-local", offline=True))
    h = sdk.secure_mode_hash(context_of(context))

    assert trackside.launchdarkly.secure_mode_hash(context) == h
    assert asked(ask, b64, context, h).status == 200


def test_the_key_of_a_user_is_enough_for_its_hash(trackside):
    assert trackside.launchdarkly.secure_mode_hash("user-1") == trackside.launchdarkly.secure_mode_hash(USER)
    assert trackside.launchdarkly.secure_mode_hash("user-1", "open") != trackside.launchdarkly.secure_mode_hash(USER)


@pytest.mark.parametrize("where", ["/sdk/evalx/{}/contexts/", "/sdk/evalx/{}/users/", "/eval/{}/"])
@pytest.mark.parametrize(("h", "told"), [("", "missing"), ("0" * 64, "wrong"), ("ä", "wrong")])
def test_a_missing_or_wrong_hash_is_answered_400(trackside, ask, b64, where, h, told):
    answer = asked(ask, b64, h=h, where=where)

    assert answer.status == 400
    assert answer.json() == {"message": "Environment is in secure mode, and user hash does not match."}
    [finding] = trackside.findings()
    assert finding.step.text == f"production is in secure mode, and h is {told}"
    assert "sdk-local" not in str(finding)


def test_the_hash_of_another_context_is_answered_400(trackside, ask, b64):
    assert asked(ask, b64, h=trackside.launchdarkly.secure_mode_hash("user-2")).status == 400


def test_a_report_needs_the_hash_too(trackside, ask):
    h = trackside.launchdarkly.secure_mode_hash(USER)
    for path in (f"/sdk/evalx/{ID}/context", f"/sdk/evalx/{ID}/user"):
        assert ask("REPORT", path, json=USER).status == 400
        assert ask("REPORT", f"{path}?h={h}", json=USER).status == 200


def test_another_environment_and_mobile_sdks_need_none(ask, b64):
    assert ask("GET", f"/sdk/evalx/67be1db38b75bf0772d11385/contexts/{b64(USER)}").status == 200
    assert ask("GET", f"/msdk/evalx/contexts/{b64(USER)}", "mob-local").status == 200
