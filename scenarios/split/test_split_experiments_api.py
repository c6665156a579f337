"""The v4 API's experiments: made, listed, changed, ended and deleted, and what counts in them then."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import Lab
from trackside.counting.model import Period
from trackside.split.admin_state import id_of
from trackside.split.counting import COUNTING
from trackside.split.flag_experiments import FlagExperiment

WORKSPACE = {
    "split": {
        "admin_key": "admin-local",
        "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
        "flags": {
            "banner": {"treatments": ["blue", "plain"], "serve": {"blue": 60, "plain": 40}, "default": "plain"},
            "menu": {"treatments": ["new", "old"], "serve": {"new": 50, "old": 50}},
        },
        "metrics": {"paid": {"event_type": "checkout"}, "seen": {"event_type": "view"}},
        "experiments": {"menu_test": {"flag": "menu"}},
    }
}
V4 = "/fme/api/v4"
IN_PRODUCTION = f"{V4}/experiments?environment_id={id_of('environment', 'production')}"
START, END = 1_767_225_600_000, 1_768_435_200_000
BODY: dict[str, Any] = {
    "name": "banner_color",
    "parent": {"type": "FEATURE_FLAG", "name": "banner"},
    "startAt": "2026-01-01T00:00:00Z",
    "endAt": "2026-01-15T00:00:00Z",
    "baselineTreatment": "plain",
    "comparisonTreatments": ["blue"],
    "keyMetrics": [id_of("metric", "paid")],
}
FAR = 4_070_908_800_000
"""2099-01-01T00:00:00Z."""

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def make(ask: Any) -> Any:
    """Return a function that makes an experiment in production and gives it as it stands."""

    def of(**more: Any) -> dict[str, Any]:
        answer = ask("POST", IN_PRODUCTION, "v4-experiment-change", json={**BODY, **more})
        assert answer.status == 201
        entity: dict[str, Any] = answer.json()["entity"]
        return entity

    return of


@pytest.fixture
def change(ask: Any) -> Any:
    """Return a function that changes an experiment by its name and gives it as it stands."""

    def of(name: str, /, **patch: Any) -> dict[str, Any]:
        answer = ask("PATCH", f"{V4}/experiments/{id_of('experiment', name)}", "v4-experiment-change", json=patch)
        entity: dict[str, Any] = answer.json()["entity"]
        return entity

    return of


@pytest.fixture
def refused(ask: Any) -> Any:
    """Return a function that gives the status and message of a call that is refused."""

    def of(method: str, path: str, **more: Any) -> tuple[int, str]:
        told = ask(method, path, "admin-error", **more).json()
        return told["code"], told["message"]

    return of


def counted(lab: Lab, environment: str = "production") -> dict[str, FlagExperiment]:
    live = lab.split.live
    found = COUNTING.experiments(live.settings, live)
    return {one.key: one for one in found if isinstance(one, FlagExperiment) and one.environment == environment}


# ---- made


@pytest.mark.rule("split.v4.experiments", "split.v4.answers")
def test_an_experiment_that_is_made_is_answered_as_it_stands(make: Any) -> None:
    made = make(hypothesis="Blue is seen", tags=[{"name": "shop"}])

    assert made.pop("createdAt")
    assert made == {
        "id": id_of("experiment", "banner_color"),
        "name": "banner_color",
        "description": "",
        "hypothesis": "Blue is seen",
        "parent": {"type": "FEATURE_FLAG", "id": id_of("split", "banner"), "name": "banner"},
        "environment": {"id": id_of("environment", "production"), "name": "production"},
        "status": "ACTIVE",
        "startAt": "2026-01-01T00:00:00Z",
        "endAt": "2026-01-15T00:00:00Z",
        "rule": "default rule",
        "baselineTreatment": "plain",
        "comparisonTreatments": ["blue"],
        "keyMetrics": [id_of("metric", "paid")],
        "supportingMetrics": [],
        "tags": [{"id": id_of("tag", "shop"), "name": "shop"}],
        "owners": [],
    }


@pytest.mark.rule("split.v4.experiments", "split.counting.experiment")
def test_it_takes_the_place_of_the_flags_own(make: Any, trackside: Lab) -> None:
    assert list(counted(trackside)) == ["banner", "menu_test"]

    make()

    assert list(counted(trackside)) == ["banner_color", "menu_test"]
    found = counted(trackside)["banner_color"]
    assert [(one.key, one.share) for one in found.variations] == [("plain", 0.4), ("blue", 0.6)]
    assert (found.metrics, found.periods, found.rule) == (("paid",), (Period(START, END),), "default rule")
    assert "banner" in counted(trackside, "staging")


@pytest.mark.rule("split.v4.experiments")
def test_the_flag_can_be_given_by_its_id(make: Any) -> None:
    assert make(parent={"type": "FEATURE_FLAG", "id": id_of("split", "banner")})["parent"]["name"] == "banner"


@pytest.mark.rule("split.v4.experiments", "split.admin.errors")
@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"name": "menu_test"}, (409, "the experiment 'menu_test' exists already")),
        ({"parent": {"type": "FEATURE_FLAG", "name": "baner"}}, (404, "the flag 'baner' is not in the environment 'production'")),
        ({"baselineTreatment": "red"}, (400, "the flag has no treatment 'red'")),
        ({"comparisonTreatments": ["plain"]}, (400, "the baseline 'plain' is compared with itself")),
        ({"keyMetrics": ["none"]}, (400, "there is no metric 'none'")),
        ({"endAt": "2026-01-01T00:00:00Z"}, (400, "the experiment ends before it starts")),
        ({"endAt": "2026-02-30T00:00:00Z"}, (400, "'2026-02-30T00:00:00Z' is no moment")),
    ],
)  # fmt: skip
def test_an_experiment_that_cannot_be_is_refused(more: dict[str, Any], told: tuple[int, str], refused: Any) -> None:
    assert refused("POST", IN_PRODUCTION, json={**BODY, **more}) == told


@pytest.mark.rule("split.v4.experiments", "split.admin.errors")
def test_what_the_vendor_finds_out_itself_is_refused(refused: Any) -> None:
    assert refused("POST", IN_PRODUCTION, json={**BODY, "assignmentSource": "FME"})[0] == 400


@pytest.mark.rule("split.v4.experiments")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", (400, "the call names no environment")),
        ("?environment_id=qa", (404, "there is no environment 'qa'")),
    ],
)
def test_an_experiment_is_made_in_an_environment(query: str, told: tuple[int, str], refused: Any) -> None:
    assert refused("POST", f"{V4}/experiments{query}", json=BODY) == told


# ---- read


@pytest.mark.rule("split.v4.experiments")
def test_a_declared_experiment_is_there_as_if_it_had_been_made(ask: Any) -> None:
    found = ask("GET", f"{V4}/experiments/{id_of('experiment', 'menu_test')}", "v4-experiment").json()

    assert (found["name"], found["startAt"], found["status"]) == ("menu_test", None, "ACTIVE")


@pytest.mark.rule("split.v4.experiments")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["banner_color", "menu_test"]),
        ("parent_type=FEATURE_FLAG&parent_name=banner", ["banner_color"]),
        ("parent_type=AI_CONFIG", []),
        ("name=menu", ["menu_test"]),
        (f"environment_id={id_of('environment', 'staging')}", []),
        ("tags=shop", ["banner_color"]),
        ("status=PAUSED", []),
        ("status=ACTIVE,PAUSED&name=color", ["banner_color"]),
    ],
)
def test_a_list_is_chosen_from(query: str, names: list[str], make: Any, ask: Any) -> None:
    make(tags=[{"name": "shop"}])

    found = ask("GET", f"{V4}/experiments?{query}", "v4-experiments").json()["data"]
    assert [one["name"] for one in found] == names


@pytest.mark.rule("split.v4.experiments")
def test_a_list_leaves_out_what_is_not_active(change: Any, ask: Any) -> None:
    change("menu_test", status="PAUSED")

    assert ask("GET", f"{V4}/experiments", "v4-experiments").json()["totalCount"] == 0
    assert ask("GET", f"{V4}/experiments?status=PAUSED", "v4-experiments").json()["totalCount"] == 1


# ---- changed and deleted


@pytest.mark.rule("split.v4.patch")
def test_a_patch_changes_what_it_names(make: Any, change: Any, trackside: Lab) -> None:
    before = make()
    patch = {"supportingMetrics": [id_of("metric", "seen")], "endAt": "2026-01-20T00:00:00Z", "hypothesis": None}

    assert change("banner_color", **patch) == {**before, **patch, "hypothesis": ""}
    found = counted(trackside)["banner_color"]
    assert found.metrics == ("paid", "seen")
    assert found.periods == (Period(START, END + 5 * 86_400_000),)


@pytest.mark.rule("split.v4.patch", "split.counting.rule-label")
def test_without_a_rule_of_its_own_it_is_about_the_default_rule_again(make: Any, change: Any) -> None:
    make(rule="plan is pro")

    assert change("banner_color", rule=None)["rule"] == "default rule"


@pytest.mark.rule("split.v4.patch")
def test_an_experiment_gets_another_name(make: Any, change: Any, trackside: Lab) -> None:
    make()
    change("banner_color", name="banner_blue")

    assert list(counted(trackside)) == ["banner_blue", "menu_test"]


@pytest.mark.rule("split.v4.patch", "split.admin.errors")
@pytest.mark.parametrize(
    ("patch", "status"),
    [({"name": "menu_test"}, 409), ({"parent": BODY["parent"]}, 400), ({"startAt": None}, 400), ({"comparisonTreatments": []}, 400)],
)  # fmt: skip
def test_what_an_experiment_needs_cannot_be_taken_away(
    patch: Any, status: int, make: Any, ask: Any, refused: Any
) -> None:
    path, made = f"{V4}/experiments/{id_of('experiment', 'banner_color')}", make()

    assert refused("PATCH", path, json=patch)[0] == status
    assert ask("GET", path).json() == made


@pytest.mark.rule("split.v4.experiments", "split.counting.experiment")
def test_a_paused_experiment_counts_until_then_and_goes_on_when_it_is_active_again(
    make: Any, change: Any, trackside: Lab
) -> None:
    make(endAt="2099-01-01T00:00:00Z")
    change("banner_color", status="PAUSED")
    [first] = counted(trackside)["banner_color"].periods
    change("banner_color", status="ACTIVE")

    [before, after] = counted(trackside)["banner_color"].periods
    assert first.start == START
    assert first.end is not None
    assert START < first.end < FAR
    assert before == first
    assert after.start is not None
    assert (after.start >= first.end, after.end) == (True, FAR)


@pytest.mark.rule("split.v4.experiments", "split.counting.experiment")
def test_an_experiment_that_was_over_when_it_is_completed_keeps_its_end(make: Any, change: Any, trackside: Lab) -> None:
    make()
    change("banner_color", status="COMPLETED")

    assert counted(trackside)["banner_color"].periods == (Period(START, END),)


@pytest.mark.rule("split.v4.answers", "split.v4.experiments")
def test_after_a_deleted_experiment_its_flag_is_one_by_itself_again(make: Any, ask: Any, trackside: Lab) -> None:
    make()

    for name in ("banner_color", "menu_test"):
        path = f"{V4}/experiments/{id_of('experiment', name)}"
        assert ask("DELETE", path, "v4-deleted").json() == {"governance": None}
    assert list(counted(trackside)) == ["banner", "menu"]
