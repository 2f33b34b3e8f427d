"""Periods of caps against a walk over the clock in quarters of an hour (no zone's offset is finer in these years)."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.frequency import DialCandidate, period_bounds
from compliance.rule import CapRule, Profile
from compliance.ruleset import RuleSet
from compliance.zones import load_zone

QUARTER = 900
ZONES = ("America/Lima", "America/Santiago", "America/New_York", "Atlantic/Azores", "Asia/Kathmandu", "Europe/Madrid")
KINDS = ("calendar_day", "rolling_calendar_days", "calendar_week_mon", "calendar_month")

BEGIN = datetime(2026, 2, 20, tzinfo=UTC).timestamp()
instants = st.floats(BEGIN, BEGIN + 300 * 86_400, allow_nan=False)


def _local(zone: str, at: float) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(load_zone(zone)).date()


def _period(kind: str, day: date) -> int:
    """Number the period that a date is in; periods that follow each other have numbers that do."""
    if kind == "calendar_week_mon":
        return (day - date(2024, 1, 1)).days // 7  # a Monday
    if kind == "calendar_month":
        return day.year * 12 + day.month
    return (day - date(2024, 1, 1)).days


def _walk(kind: str, n: int, zone: str, now: float) -> tuple[float, float]:
    present = _period(kind, _local(zone, now))
    since = now // QUARTER * QUARTER
    while _period(kind, _local(zone, since - QUARTER)) > present - n:
        since -= QUARTER
    moves = now // QUARTER * QUARTER + QUARTER
    while _period(kind, _local(zone, moves)) == present:
        moves += QUARTER
    return since, moves


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 3), st.sampled_from(ZONES), instants)
def test_a_period_is_what_the_calendar_on_the_wall_says(kind, n, zone, now):
    assert period_bounds(kind, n, (zone,), now) == _walk(kind, n, zone, now)


@given(st.sampled_from(KINDS), st.integers(1, 9), st.lists(st.sampled_from(ZONES), min_size=1, unique=True), instants)
def test_several_zones_count_at_least_what_each_of_them_counts(kind, n, zones, now):
    since, moves = period_bounds(kind, n, zones, now)
    assert since <= now < moves
    for zone in zones:
        one_since, one_moves = period_bounds(kind, n, (zone,), now)
        assert since <= one_since
        assert moves >= one_moves


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
    instants,
    st.lists(st.integers(-3 * 86_400, 3 * 86_400), min_size=1, max_size=6),
)
def test_what_is_kept_is_what_would_be_worked_out_afresh(zones, now, steps):
    caps = tuple(
        CapRule(rule=kind, count="attempt", max=1, kind=kind, n=2, key=("person",))
        for kind in (*KINDS, "rolling_hours")
    )
    law = Profile(id="law", jurisdiction="XX", scope=("debt_collection",), holidays="PE", caps=caps)
    candidate = DialCandidate(lead_id="L", person="P", debt="D", number="+1", country="XX", zones=zones)
    warm = RuleSet({"XX": [law]}, defaults=_POLICY)
    for step in (0, *steps):
        now += timedelta(seconds=step).total_seconds()
        fresh = RuleSet({"XX": [law]}, defaults=_POLICY)
        assert warm.caps(candidate, now) == fresh.caps(candidate, now)


_POLICY = Profile(id="policy", jurisdiction="*", scope=("debt_collection",))
