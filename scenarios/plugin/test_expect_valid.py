"""``expect_valid``: what came to the lab keeps its contracts, its tracking plan, and names real users."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import urllib3

from trackside import Lab
from trackside.errors import TracksideError
from trackside.expect import ExpectationError

GOOD = {"type": "track", "userId": "u-1", "event": "Order Completed", "messageId": "m-1"}


def post(url: str, body: Any) -> None:
    answer = urllib3.request("POST", url, json=body, headers={"Authorization": "Basic d2tfd2ViOg=="}, timeout=5)
    assert answer.status == 200


def test_a_lab_that_got_valid_payloads_is_valid(trackside: Lab) -> None:
    post(trackside.segment.url + "/v1/batch", {"batch": [GOOD]})

    trackside.expect_valid()
    trackside.segment.expect_valid()


@pytest.mark.rule("segment.contract")
def test_a_broken_payload_is_told_with_its_request_and_place(trackside: Lab) -> None:
    post(trackside.segment.url + "/v1/batch", {"batch": [GOOD, {**GOOD, "event": 5}]})

    with pytest.raises(ExpectationError) as caught:
        trackside.expect_valid()

    assert "segment POST /v1/batch: event is a number, 5. $.request.body.batch[1].event." in str(caught.value)
    assert "(segment/batch.type)" in str(caught.value)
    assert caught.value.fix.startswith("Send a string")


def test_a_vendor_is_asked_for_what_came_to_it_alone(trackside: Lab) -> None:
    post(trackside.segment.url + "/v1/batch", {"batch": [{**GOOD, "event": 5}]})

    trackside.split.expect_valid()
    with pytest.raises(ExpectationError):
        trackside.segment.expect_valid()


def test_a_level_may_be_lowered_in_the_test(trackside: Lab) -> None:
    post(trackside.segment.url + "/v1/batch", {"batch": [{**GOOD, "event": 5}]})

    trackside.expect_valid(levels={"segment/batch.type": "warn"})


@pytest.mark.rule("trackside.identity.placeholder")
def test_an_id_that_nobody_has_is_told(trackside: Lab) -> None:
    post(trackside.segment.url + "/v1/batch", {"batch": [{**GOOD, "userId": "undefined"}]})

    with pytest.raises(ExpectationError, match="undefined"):
        trackside.expect_valid()


def test_the_workspace_says_what_is_asked(make_trackside: Any, tmp_path: Path) -> None:
    lab = make_trackside(
        {
            "segment": {"sources": {"web": {"write_key": "wk_web"}}},
            "validate": {"levels": {"segment/*": "off"}},
        }
    )
    post(lab.segment.url + "/v1/batch", {"batch": [{**GOOD, "event": 5}]})

    lab.expect_valid()
    with pytest.raises(ExpectationError):
        lab.expect_valid(levels={"segment/batch.*": "strict"})


def test_an_unknown_keyword_is_refused_with_the_known_ones(trackside: Lab) -> None:
    with pytest.raises(TracksideError, match="does not know level") as caught:
        trackside.expect_valid(level="strict")

    assert caught.value.fix == "use identity, levels, plan, specs, strict"
