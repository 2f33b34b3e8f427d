"""The report's arithmetic: spans of local time, rates with their denominators, shares."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.errors import ConfigError
from sim.report.breakdowns import calls_funnel, disposition_bars, people_funnel, trunk_rows
from sim.report.charts import chart_data
from sim.report.headline import summary, tiles
from sim.report.numbers import change, points, seconds
from sim.report.rates import interval_95, windowed_rate
from sim.report.spans import HOUR_S, LocalTime, end_of, spans, step_for
from sim.report.tables import MOST_ROWS, agents_table, calls_table, trunks_table
from sim.report.words import TRUNK_COLOURS, trunk_look
from tests.unit.sim_report.days import START_AT, made_up_day

COUNTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=60)


# ---- time -----------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(
    intervals=st.integers(1, 1500),
    interval_s=st.sampled_from([10.0, 60.0, 300.0]),
    zone=st.sampled_from(["America/Lima", "Asia/Kathmandu", "UTC"]),
    step_s=st.sampled_from([900.0, 3600.0]),
)
def test_spans_cover_the_day_once_and_begin_at_round_local_times(
    intervals: int, interval_s: float, zone: str, step_s: float
) -> None:
    day, _ = made_up_day(intervals=intervals, interval_s=interval_s, trunks=1, zone=zone)
    local = LocalTime(day)
    parts = spans(day, local, step_s)
    assert [place for part in parts for place in range(part.first, part.past)] == list(range(intervals))
    assert (parts[0].start_at, parts[-1].end_at) == (day.start_at, end_of(day))
    for before, after in pairwise(parts):
        assert before.end_at == after.start_at
        assert (after.start_at + local.offset_s(after.start_at)) % step_s < interval_s
    assert sum(part.total(day.attempts) for part in parts) == sum(day.attempts)


def test_a_change_of_the_clock_is_told_to_the_charts() -> None:
    # New York leaves summer time on 2026-11-01 at 06:00 UTC.
    day, _ = made_up_day(intervals=24 * 60, start_at=1_793_505_600.0, zone="America/New_York")
    offsets = chart_data(day, LocalTime(day))["offsets"]
    assert offsets == [(1_793_505_600.0, -4 * 3600.0), (1_793_512_800.0, -5 * 3600.0)]
    repeated = [row[0] for row in calls_table(day, LocalTime(day)).rows].count("01:00")
    assert repeated == 1  # the hour that comes twice is one row of two hours


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "America/Lima\n"])
def test_an_unknown_zone_is_said_in_one_line(zone: str) -> None:
    day, _ = made_up_day(intervals=3, zone=zone)
    with pytest.raises(ConfigError, match="expected an IANA time zone") as fault:
        LocalTime(day)
    assert "\n" not in str(fault.value)


@given(intervals=st.integers(1, 3000), interval_s=st.sampled_from([1.0, 60.0, 7.5]), most=st.integers(4, 60))
@settings(max_examples=40, deadline=None)
def test_a_step_cuts_a_day_into_few_spans(intervals: int, interval_s: float, most: int) -> None:
    day, _ = made_up_day(intervals=intervals, interval_s=interval_s, trunks=1)
    step = step_for(day, most)
    assert step >= interval_s
    assert len(spans(day, LocalTime(day), step)) <= most + 2


# ---- rates ----------------------------------------------------------------------------------------------------
@given(counts=COUNTS, window=st.integers(1, 70), fewest=st.integers(0, 50))
def test_a_windowed_rate_is_the_rate_of_its_window(counts: list[tuple[int, int]], window: int, fewest: int) -> None:
    parts, wholes = [part for part, _ in counts], [whole for _, whole in counts]
    for end, rate in enumerate(windowed_rate(parts, wholes, window=window, fewest=fewest), start=1):
        part, whole = sum(parts[max(0, end - window) : end]), sum(wholes[max(0, end - window) : end])
        assert rate == (part / whole if whole >= max(1, fewest) else None)


def test_answers_of_an_earlier_span_do_not_break_an_interval() -> None:
    assert interval_95(0, 0) is None
    assert interval_95(7, 4) == interval_95(4, 4)


def test_the_charts_of_a_day_agree_with_its_counts() -> None:
    day, _ = made_up_day()
    data = chart_data(day, LocalTime(day))
    assert data["abandon"]["whole"][-1] == pytest.approx(sum(day.abandoned) / sum(day.live_answers), abs=1e-5)
    last_hour = slice(-60, None)
    assert data["abandon"]["hour"][-1] == pytest.approx(
        sum(day.abandoned[last_hour]) / sum(day.live_answers[last_hour]), abs=1e-5
    )
    assert data["hours"]["edges"] == [START_AT + HOUR_S * hour for hour in range(9)]
    assert data["hours"]["answered"][2] == pytest.approx(
        sum(day.answers[120:180]) / sum(day.attempts[120:180]), abs=1e-4
    )
    for shares in zip(*data["trunks"]["share"], strict=True):
        assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert sum(data["trunks"]["whole"]["share"]) == pytest.approx(1, abs=1e-3)


def test_what_nobody_knows_stays_unknown() -> None:
    day, result = made_up_day(intervals=30, answer_rate=0.0)
    data = chart_data(day, LocalTime(day))
    assert set(data["abandon"]["whole"]) == {None}
    rate = next(tile for tile in tiles([(day, result)]) if tile.key == "abandon_rate")
    assert (rate.values[0][0], rate.tone) == ("–", "")
    assert "Nobody answered in person." in summary(day, result)


# ---- headline, breakdowns ---------------------------------------------------------------------------------------
def test_a_figure_that_the_result_lacks_is_not_shown() -> None:
    day, _ = made_up_day(intervals=3)
    assert [tile.key for tile in tiles([(day, {"occupancy": 0.5, "foreign": 1})])] == ["occupancy"]


@pytest.mark.parametrize(("rate", "tone", "words"), [(0.031, "bad", "above the cap"), (0.03, "good", "within the cap")])
def test_the_abandon_rate_is_told_against_its_cap(rate: float, tone: str, words: str) -> None:
    day, result = made_up_day(intervals=60, target_abandon_rate=(0.03,) * 60)
    shown = next(tile for tile in tiles([(day, {**result, "abandon_rate": rate})]) if tile.key == "abandon_rate")
    assert shown.tone == tone
    assert words in shown.values[0][1]


def test_two_days_differ_by_points_and_percent() -> None:
    days = [made_up_day(intervals=60), made_up_day(intervals=60)]
    days[0][1].update(occupancy=0.80, attempts=200)
    days[1][1].update(occupancy=0.75, attempts=220)
    shown = {tile.key: tile.difference for tile in tiles(days)}
    assert (shown["occupancy"], shown["attempts"], shown["promises"]) == ("−5.00 points", "+10.0%", "no change")
    assert (change(0, 3), change(0, 0), points(-0.00001)) == ("from none", "no change", "no change")


def test_the_summary_counts_in_words() -> None:
    one = {"live_answers": (1,), "abandoned": (0,), "right_party_contacts": (1,), "promises": (1,)}
    day, _ = made_up_day(intervals=1, **one)
    said = summary(day, {})
    assert "Of 1 live answer, 0 found no agent" in said
    assert "1 talk with the right person brought 1 promise to pay." in said


def test_funnels_name_what_each_step_is_a_share_of() -> None:
    day, _ = made_up_day(leads=1000, leads_attempted=400, leads_reached=100)
    assert [(bar.value, bar.note, bar.width) for bar in people_funnel(day)] == [
        ("1,000", "", 100.0),
        ("400", "40.0% of the list", 40.0),
        ("100", "10.0% of the list", 10.0),
    ]
    share = sum(day.answers) / sum(day.attempts)
    assert calls_funnel(day)[1].note == f"{100 * share:.1f}% of the step before"


def test_dispositions_come_by_frequency_and_in_plain_words() -> None:
    day, _ = made_up_day(dispositions={"BUSY": 2, "NO_ANSWER": 7, "HOUSE_CODE": 2, "PTP": 0})
    bars = disposition_bars(day)
    assert [bar.name for bar in bars] == ["No answer", "Busy", "House code"]
    assert [bar.width for bar in bars] == [100.0, 28.57, 28.57]


def test_trunks_without_calls_have_no_rates() -> None:
    day, _ = made_up_day(intervals=3, trunks=1)
    (name,) = day.trunks
    idle = {name: type(day.trunks[name])(carrier="", **dict.fromkeys(_TRUNK_COUNTS, (0, 0, 0)))}
    (row,) = trunk_rows(msgspec.structs.replace(day, trunks=idle))
    assert (row.share, row.answered, row.delay, row.share_width) == ("–", "–", "–", 0.0)
    assert (row.tries, row.contacts, row.cost) == ("0", "–", "–")


_TRUNK_COUNTS = (
    "attempts", "rang", "answers", "live_answers", "failed", "set_up_s", "tries", "contacts", "cost",
)  # fmt: skip


def test_contacts_and_their_cost_are_of_all_tries() -> None:
    day, _ = made_up_day(intervals=2, trunks=1)
    (name,) = day.trunks
    trunk = msgspec.structs.replace(day.trunks[name], tries=(30, 50), contacts=(9, -1), cost=(0.15, 0.05))
    (row,) = trunk_rows(msgspec.structs.replace(day, trunks={name: trunk}))
    assert (row.tries, row.contacts, row.cost) == ("80", "100.0", "USD 0.0250")
    unpriced = msgspec.structs.replace(trunk, cost=(0.0, 0.0))
    (row,) = trunk_rows(msgspec.structs.replace(day, trunks={name: unpriced}))
    assert row.cost == "–"  # no price stands in the campaign: the call is not free


def test_many_trunks_are_told_apart_by_colour_or_pattern() -> None:
    looks = [trunk_look(str(place), place) for place in range(4 * TRUNK_COLOURS)]
    assert len({(look.colour, look.pattern) for look in looks}) == len(looks)


def test_tables_stay_short_and_whole() -> None:
    day, _ = made_up_day(intervals=1440, trunks=2)
    local = LocalTime(day)
    for table in (agents_table(day, local), calls_table(day, local)):
        assert len(table.rows) <= MOST_ROWS
        assert {len(row) for row in table.rows} == {len(table.heads)}
    assert {len(row) for row in trunks_table(day, local).rows} == {6}


def test_durations_read_well() -> None:
    assert [seconds(value) for value in (None, 8.24, 119.9, 185.0)] == ["–", "8.2 s", "119.9 s", "3 min 05 s"]
