"""The integrations object of a call selects its destinations, by their names in Segment's catalogue."""

import pytest

ALL_FOUR = {
    "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig", "fme", "ld", "hook"]}},
    "destinations": {
        "statsig": {"type": "statsig", "api_key": "secret-local"},
        "fme": {"type": "split", "api_key": "fme-key"},
        "ld": {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"},
        "hook": {"type": "webhook", "url": "http://127.0.0.1:9/hook"},
    },
}


@pytest.fixture
def reached(make_segment):
    """Return a function from an integrations object to the destinations that got past it."""
    segment = make_segment(**ALL_FOUR)

    def of(integrations):
        journey = segment.send("track", userId="u-1", event="E", integrations=integrations)
        return [row.destination for row in journey.deliveries if row.sent]

    return of


@pytest.mark.rule("segment.integrations")
@pytest.mark.parametrize("integrations", [None, {}, {"All": True}], ids=str)
def test_by_default_every_destination_is_on(reached, integrations):
    assert reached(integrations) == ["statsig", "fme", "ld", "hook"]


@pytest.mark.rule("segment.integrations")
def test_all_false_blocks_every_destination(reached):
    assert reached({"All": False}) == []


@pytest.mark.rule("segment.integrations")
@pytest.mark.parametrize(
    ("name", "destination"),
    [
        ("Statsig", "statsig"),
        ("Split", "fme"),
        ("LaunchDarkly (Actions)", "ld"),
        ("LaunchDarkly", "ld"),
        ("Webhooks (Actions)", "hook"),
        ("Webhook", "hook"),
    ],
)
def test_all_false_lets_through_what_is_named_by_a_current_or_previous_name(reached, name, destination):
    assert reached({"All": False, name: True}) == [destination]


@pytest.mark.rule("segment.integrations")
def test_a_destination_that_is_named_false_is_blocked_alone(reached):
    assert reached({"Split": False}) == ["statsig", "ld", "hook"]


@pytest.mark.rule("segment.integrations")
def test_a_named_value_beats_all(reached):
    assert reached({"All": True, "Statsig": False}) == ["fme", "ld", "hook"]


@pytest.mark.rule("segment.integrations")
@pytest.mark.parametrize("options", [{}, {"environment": "production"}], ids=str)
def test_an_object_counts_as_true(reached, options):
    assert reached({"All": False, "Statsig": options}) == ["statsig"]


@pytest.mark.rule("segment.integrations")
@pytest.mark.parametrize("name", ["statsig", "STATSIG", "Stat Sig", "Segment.io"])
def test_names_are_matched_exactly(reached, name):
    assert reached({"All": False, name: True}) == []


@pytest.mark.rule("segment.integrations")
def test_a_blocked_delivery_says_by_which_key_with_segments_code(segment):
    journey = segment.send("track", userId="u-1", event="E", integrations={"Statsig": False})

    [step] = journey.delivery("statsig").steps
    assert (step.kind, step.code) == ("drop", "FILTERED_BY_INTEGRATIONS_OBJECT")
    assert (step.at, step.fix) == ("$.integrations.Statsig", 'set integrations["Statsig"] to true')


@pytest.mark.rule("segment.integrations")
def test_what_the_user_blocked_is_no_finding(segment):
    segment.send("track", userId="u-1", event="E", integrations={"All": False})

    assert list(segment.lab.findings()) == []


@pytest.mark.rule("segment.integrations")
def test_a_name_that_differs_only_in_case_is_a_warning_that_tells_the_right_one(segment):
    journey = segment.send("track", userId="u-1", event="E", integrations={"All": False, "statsig": True})

    [step] = journey.delivery("statsig").steps
    assert (step.level, step.fix) == ("warning", "spell statsig as Statsig")


@pytest.mark.rule("segment.integrations")
def test_a_misspelt_name_that_is_false_blocks_nothing_and_is_a_warning(segment):
    journey = segment.send("track", userId="u-1", event="E", integrations={"statsig": False})

    [step] = [step for step in journey.delivery("statsig").steps if step.rule == "segment.integrations"]
    assert journey.delivery("statsig").outcome == "delivered"
    assert (step.level, step.at, step.fix) == ("warning", "$.integrations.statsig", "spell it Statsig")


@pytest.mark.rule("segment.integrations")
def test_the_object_reaches_the_destination_with_the_message(segment):
    journey = segment.send("track", userId="u-1", event="E", integrations={"Statsig": {"sample": 1}})

    assert journey.message["integrations"] == {"Statsig": {"sample": 1}}
