"""Results as a page: whole, escaped, drawn, small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from trackside.counting.model import (
    Experiment,
    ExperimentResult,
    MetricResult,
    Period,
    SampleRatio,
    Uncounted,
    Unmet,
    Variation,
    VariationResult,
)
from trackside.counting.page import page

CONTROL = Variation("0", "Control", 0.5)
GREEN = Variation("1", "Green", 0.5)


def result(key: str = "checkout-button", **means: float | None) -> ExperimentResult:
    of = Experiment(
        vendor="launchdarkly",
        key=key,
        environment="production",
        exposed_by="checkout-button",
        unit="user",
        variations=(CONTROL, GREEN),
        metrics=("revenue",),
        periods=(Period(0),),
        status="running",
    )
    control, green = means.get("control", 30.0), means.get("green", 15.0)
    return ExperimentResult(
        of,
        [
            VariationResult(
                CONTROL,
                300,
                {"revenue": MetricResult("revenue", "sum", 200, 210, 9000, control)},
                {"2026-11-20": 100, "2026-11-22": 200},
            ),
            VariationResult(
                GREEN,
                100,
                {"revenue": MetricResult("revenue", "sum", 50, 60, 1500, green)},
                {"2026-11-21": 100},
            ),
        ],
        SampleRatio(100.0, 1.5e-23, 0.25, "alert"),
        {"switched": 3},
        {
            "before-exposure": Uncounted(
                Unmet(
                    "before-exposure",
                    "launchdarkly.metric.event-key",
                    "the event came 4 s before the exposure",
                    "$.creationDate",
                    "evaluate the flag first",
                ),
                7,
                2,
            )
        },
        277,
        270,
        recording=True,
    )


def rendered(*results: ExperimentResult, title: str = "Results", made_at: str = "today", source: str = "a lab") -> str:
    return page(results, title=title, made_at=made_at, source=source)


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, and the text of each."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._tag = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - HTMLParser's own signature
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._tag, data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for found, text in self.texts if found == tag]


def bars(document: str) -> Iterator[str]:
    """Yield each drawing that stands in a table."""
    yield from re.findall(r"<td>(<svg.*?</svg>)", document, re.DOTALL)


def test_the_page_says_what_it_is_of_and_when_it_was_made() -> None:
    document = rendered(result(), title="Will it count?", made_at="2026-11-22 11:30 UTC", source="lab.ndjson")
    assert document.startswith("<!DOCTYPE html>\n")
    assert Reader(document).of("title")[0] == "Will it count?"
    assert "lab.ndjson, 2026-11-22 11:30 UTC" in document


def test_an_experiment_has_its_vendor_environment_unit_status_and_counts() -> None:
    told = Reader(rendered(result())).of("p")
    assert told[1:4] == [
        "LaunchDarkly, environment production, unit user, running, recording",
        "270 of 277 events counted.",
        "Sample ratio: alert (p = 1.5e-23, chi-squared 100, largest deviation 25 %).",
    ]


def test_each_variation_has_its_units_part_share_and_expected_units() -> None:
    document = rendered(result())
    assert "<th scope=row>Control (0)<td>300<td>75 %<td>50 %<td>200<td>" in document
    assert "<th scope=row>Green (1)<td>100<td>25 %<td>50 %<td>200<td>" in document


def test_each_metric_has_its_numbers_by_variation() -> None:
    document = rendered(result())
    assert "revenue <small>(sum)</small>" in document
    assert "<th scope=row>Control (0)<td>200<td>210<td>9,000<td>30<td>" in document


def test_what_did_not_count_has_its_reason_rule_place_and_fix() -> None:
    told = Reader(rendered(result()))
    assert "switched: 3 units. The unit saw another variation." in told.of("p")
    assert "the event came 4 s before the exposure" in told.of("td")
    assert "launchdarkly.metric.event-key, at $.creationDate" in told.of("code")
    assert "evaluate the flag first" in told.of("td")


def test_a_problem_of_the_experiment_is_told() -> None:
    off = Unmet("flag", "launchdarkly.x", "the flag is off", "$.flags.k", "switch it on")
    of = Experiment("launchdarkly", "k", "", "k", "user", (), problems=(off,))
    told = Reader(rendered(ExperimentResult(of, []))).of("p")
    assert "Problem: the flag is off (launchdarkly.x). $.flags.k. switch it on." in told


# ---- plots


def test_the_bar_of_units_has_a_mark_at_what_is_expected() -> None:
    first, second, *_ = bars(rendered(result()))
    assert first == (
        '<svg role=img><title>300 units, expected 200</title><path d="M0 6h120"/><path class=m d="M80 0v12"/></svg>'
    )
    assert second == (
        '<svg role=img><title>100 units, expected 200</title><path d="M0 6h40"/><path class=m d="M80 0v12"/></svg>'
    )


def test_bars_have_no_mark_where_a_share_is_not_declared() -> None:
    on, off = Variation("on", "on", 0.5), Variation("off", "off")
    of = Experiment("split", "k", "", "k", "user", (on, off))
    drawn = list(bars(rendered(ExperimentResult(of, [VariationResult(on, 4), VariationResult(off, 2)]))))
    assert drawn == [
        '<svg role=img><title>4 units</title><path d="M0 6h120"/></svg>',
        '<svg role=img><title>2 units</title><path d="M0 6h60"/></svg>',
    ]


def test_the_bars_of_a_metric_are_as_long_as_its_means() -> None:
    *_, control, green = bars(rendered(result(control=30.0, green=15.0)))
    assert control == '<svg role=img><title>mean 30</title><path d="M0 6h120"/></svg>'
    assert green == '<svg role=img><title>mean 15</title><path d="M0 6h60"/></svg>'


def test_a_mean_below_0_reaches_to_the_left_of_a_mark_at_0() -> None:
    *_, control, green = bars(rendered(result(control=30.0, green=-10.0)))
    assert '<path d="M30 6h90"/><path class=m d="M30 0v12"/>' in control
    assert '<path d="M0 6h30"/><path class=m d="M30 0v12"/>' in green


@pytest.mark.parametrize("mean", [None, float("inf"), float("nan")])
def test_a_mean_that_is_no_number_has_no_bar(mean: float | None) -> None:
    assert len(list(bars(rendered(result(green=mean))))) == 3


@pytest.mark.parametrize("mean", [0.0, 5e-324, 1.7e308, -1.7e308])
def test_any_other_mean_has_one(mean: float) -> None:
    assert len(list(bars(rendered(result(green=mean))))) == 4


def test_units_are_added_up_by_day_and_a_day_without_any_is_flat() -> None:
    document = rendered(result())
    # three days, 48 to 400 across; 0 to 300 units, 130 to 10 down
    assert 'class=l d="M48 90l176 0 176-80"' in document  # 100, 100, 300
    assert 'class=l d="M48 130l176-40 176 0"' in document  # 0, 100, 100
    assert "<desc>By 2026-11-22: Control (0): 300, Green (1): 100</desc>" in document
    assert [text for text in Reader(document).of("text") if text.startswith("2026")] == ["2026-11-20", "2026-11-22"]


def test_a_single_day_has_no_line() -> None:
    given = result()
    for one in given.variations:
        one.by_day = {"2026-11-22": one.units}
    assert "<figure>" not in rendered(given)


def test_ten_years_of_days_are_drawn_with_a_few_points() -> None:
    given = result()
    given.variations[0].by_day = {f"{year}-{month:02}-01": 1 for year in range(2016, 2026) for month in range(1, 13)}
    given.variations[1].by_day = {}
    (line, _) = re.findall(r'class=l d="([^"]+)"', rendered(given))
    assert len(re.findall(r"\d+[ -]\d+", line)) <= 27
    assert line.startswith("M48 129l")  # 1 of 120 units on the first day
    assert sum(int(step) for step in re.findall(r"-(\d+)", line)) == 119


@pytest.mark.parametrize("seen", [1, 1000], ids=["at the bottom", "at the top"])
def test_names_beside_lines_that_end_together_stand_apart_inside_the_plot(seen: int) -> None:
    of = tuple(Variation(str(number), f"v{number}", 1 / 12) for number in range(12))
    rows = [VariationResult(one, seen, {}, {"2026-11-21": 0, "2026-11-22": seen}) for one in of]
    rows[0].by_day["2026-11-22"] = 1000
    document = rendered(ExperimentResult(Experiment("split", "k", "", "k", "user", of), rows))
    places = sorted(int(place) for place in re.findall(r"<text x=415 y=(\d+)>", document))
    assert len(places) == 12
    assert min(after - before for before, after in pairwise(places)) >= 12
    assert 14 <= places[0] < places[-1] <= 10 + 12 * 12 + 4


# ---- escaping

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ title }}\x1b\x00\u202e\ud800'


def test_nothing_from_outside_becomes_markup() -> None:
    on = Variation(EVIL, EVIL + "2", 1.0)
    unmet = Unmet("flag", EVIL, EVIL, EVIL, EVIL)
    of = Experiment(EVIL, EVIL, EVIL, EVIL, EVIL, (on,), status=EVIL, problems=(unmet,))
    row = VariationResult(on, 4, {EVIL: MetricResult(EVIL, "sum", 1, 1, 1, 1)}, {"2026-11-21": 1, "2026-11-22": 1})
    given = ExperimentResult(of, [row], uncounted={"flag": Uncounted(unmet, 1, 1)})
    document = rendered(given, given, title=EVIL, made_at=EVIL, source=EVIL)
    document.encode()
    assert document.replace("\n", "").isprintable()
    tags = Reader(document).tags
    assert {"script", "img"} & {tag for tag, _ in tags} == set()
    assert {name for _, attributes in tags for name in attributes if name.startswith("on")} == set()
    assert "{{ title }}" in document


# ---- the document


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    document = rendered(result(), result("second"))
    tags = Reader(document).tags
    assert {"script", "link", "img", "iframe", "object", "image", "use"} & {tag for tag, _ in tags} == set()
    addresses = {value for _, of in tags for name, value in of.items() if name in {"src", "href", "srcset", "data"}}
    assert addresses == {"#e1", "#e2"}
    assert "url(" not in document
    assert "@import" not in document


def test_drawings_have_a_title_and_headings_of_tables_their_scope() -> None:
    document = rendered(result(), result("second"))
    tags = Reader(document).tags
    assert document.count("<svg role=img") == document.count("<svg") == len(re.findall(r"<svg[^>]*><title>", document))
    assert all(of.get("scope") in {"col", "row", "rowgroup"} for tag, of in tags if tag == "th")


def test_several_experiments_are_listed_first_with_a_link_to_each() -> None:
    document = rendered(result(), result("second"))
    assert '<a href="#e2">second</a>' in document
    assert '<section id="e2">\n<h2>second</h2>' in document
    assert "<a href" not in rendered(result())


def test_a_page_without_experiments_says_so() -> None:
    assert "No experiments." in Reader(rendered()).of("p")


def test_an_experiment_that_nobody_saw_is_a_page_too() -> None:
    of = Experiment("statsig", "k", "", "k", "userID", (CONTROL, GREEN))
    document = rendered(ExperimentResult(of, [VariationResult(CONTROL), VariationResult(GREEN)]))
    assert "<th scope=row>Control (0)<td>0<td>-<td>50 %<td>0<td>" in document


def test_the_same_results_give_the_same_page() -> None:
    assert rendered(result(), result("second")) == rendered(result(), result("second"))


def test_a_page_of_50_experiments_stays_under_200_kilobytes() -> None:
    many = [result(f"experiment-{number}-of-the-checkout") for number in range(50)]
    for one in many:
        for row in one.variations:
            row.by_day = {f"2026-10-{day:02}": day for day in range(1, 29)}
            row.metrics |= {name: MetricResult(name, "count", 250, 500, 1000, 3.33333) for name in ("visits", "views")}
    assert len(rendered(*many).encode()) < 200_000
