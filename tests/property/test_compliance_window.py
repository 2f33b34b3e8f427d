"""Windows against a slow oracle, written from the rule's words: a call is allowed at an instant if by every clock that
may be the person's, and until its ringing must be over, the date is no holiday and the time is in a window."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.rule import WindowRule
from compliance.window import HORIZON_DAYS, CallingHours, Hours, week_of, window_state

ZONES = (
    "America/Lima",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Atlantic/Canary",
    "Australia/Lord_Howe",
    "Europe/Madrid",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
CHANGES = (
    "2026-03-08T07:00",  # New York, spring
    "2026-11-01T06:00",  # New York, autumn
    "2026-03-29T01:00",  # Europe and Troll, spring
    "2026-10-25T01:00",  # Europe and Troll, autumn
    "2026-04-05T03:00",  # Santiago, autumn
    "2026-09-06T04:00",  # Santiago, spring
    "2026-04-04T15:00",  # Lord Howe, half an hour
    "2026-12-25T00:00",
    "2026-07-28T12:00",
)


class Rule:
    """One rule in the words of a file."""

    def __init__(
        self,
        windows: list[WindowRule],
        calendar: str | None,
        closed: frozenset[date],
        first: date | None,
        own_zone: str | None,
    ) -> None:
        self.windows, self.calendar, self.closed = windows, calendar, closed
        self.first, self.own_zones = first, () if own_zone is None else (own_zone,)

    def compiled(self) -> CallingHours:
        return CallingHours(
            rule="r",
            week=week_of(self.windows),
            calendars=() if self.calendar is None else (self.calendar,),
            closed_dates=self.closed,
            first=self.first,
            zones=self.own_zones,
        )

    def allows(self, wall: datetime) -> bool:
        if self.first is not None and wall.date() < self.first:
            return True
        if wall.date() in self.closed or (self.calendar and wall.date() in _calendar(self.calendar)):
            return False
        minute = wall.hour * 60 + wall.minute
        return not self.windows or any(
            wall.weekday() in w.days and w.begin_minute <= minute < w.end_minute for w in self.windows
        )


@lru_cache
def _calendar(code: str):
    return holidays.country_holidays(code, years=range(2025, 2028))


@lru_cache
def _zone(name: str) -> ZoneInfo:
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as file:
        return ZoneInfo.from_file(file)


def _allowed(rules: list[Rule], zones: list[str], at: float) -> bool:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    return all(rule.allows(instant.astimezone(_zone(zone))) for rule in rules for zone in (*zones, *rule.own_zones))


def _oracle(rules: list[Rule], zones: list[str], at: float, ring_guard_s: float) -> bool:
    """Windows begin and end on whole minutes, so the whole minutes of the ringing speak for all of it."""
    minutes = range(int(at // 60 + 1) * 60, int(at + ring_guard_s) + 1, 60)
    return all(_allowed(rules, zones, t) for t in (at, *minutes, at + ring_guard_s))


days = st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple)
spans = st.one_of(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda s: s[0] < s[1]),
    st.sampled_from([(0, 1440), (0, 180), (1380, 1440), (480, 1260)]),
)
windows = st.builds(
    lambda d, s: WindowRule(days=d, begin_minute=s[0], end_minute=s[1]),
    st.one_of(days, st.just(tuple(range(7)))),
    spans,
)
rules = st.builds(
    Rule,
    st.lists(windows, max_size=4),
    st.sampled_from([None, None, "PE", "ES"]),
    st.sampled_from([frozenset(), frozenset({date(2026, 3, 8), date(2026, 10, 25)})]),
    st.sampled_from([None, None, date(2026, 3, 29), date(2026, 7, 28)]),
    st.sampled_from([None, None, *ZONES]),
)
instants = st.builds(
    lambda change, hours, second: (
        datetime.fromisoformat(change).replace(tzinfo=UTC).timestamp() + hours * 3600 + second
    ),
    st.sampled_from(CHANGES),
    st.integers(-40, 40),
    st.one_of(st.just(0.0), st.floats(0, 3600, allow_nan=False)),
)
guards = st.sampled_from([0.0, 45.0, 60.0, 599.5])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(rules, min_size=1, max_size=3),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    instants,
    guards,
)
def test_the_state_holds_until_it_changes(some_rules, zones, now, guard):
    state = window_state(Hours([rule.compiled() for rule in some_rules]), zones, now, guard)

    assert state.changes_at > now
    assert state.open == _oracle(some_rules, zones, now, guard)
    # Each minute's begin and a moment in it, for as far as the test's time allows.
    end = min(state.changes_at, now + 30 * 3600)
    for minute in range(int(now // 60 + 1) * 60, int(end), 60):
        assert _oracle(some_rules, zones, minute, guard) == state.open, datetime.fromtimestamp(minute, UTC)
    assert _oracle(some_rules, zones, (now + state.changes_at) / 2, guard) == state.open
    assert _oracle(some_rules, zones, max(now, state.changes_at - 0.25), guard) == state.open
    if state.changes_at < (now // 86_400 + HORIZON_DAYS) * 86_400 - guard:
        assert _oracle(some_rules, zones, state.changes_at, guard) != state.open


@settings(max_examples=50, deadline=None)
@given(rules, rules, st.sampled_from(ZONES), st.sampled_from(ZONES), instants, guards)
def test_another_rule_or_zone_only_tightens(first, second, zone, other, now, guard):
    both = window_state(Hours([first.compiled(), second.compiled()]), [zone, other], now, guard)
    if both.open:
        assert window_state(Hours([first.compiled()]), [zone], now, guard).open
        assert window_state(Hours([second.compiled()]), [other], now, guard).open
