"""Periods of caps against a walk over the clock in quarters of an hour (no zone's offset is finer in these years), and
verdicts against counting at one moment after the other."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.clearance import DialCandidate, Place
from compliance.facts import KINDS, OWN_OUTCOMES, Fact, events_of, fact_of
from compliance.frequency import left_at, period_bounds
from compliance.rule import CapRule, CooldownRule, HolidayRule, InForce, Profile, WindowRule
from compliance.ruleset import RuleSet
from compliance.streams import Record, counted, facts_under
from compliance.verdict import judge
from compliance.zones import load_zone

QUARTER = 900
ZONES = ("America/Lima", "America/Santiago", "America/New_York", "Atlantic/Azores", "Asia/Kathmandu", "Europe/Madrid")
KINDS_OF_PERIOD = ("calendar_day", "rolling_calendar_days", "calendar_week_mon", "calendar_month")

BEGIN = datetime(2026, 2, 20, tzinfo=UTC).timestamp()
instants = st.floats(BEGIN, BEGIN + 300 * 86_400, allow_nan=False)
some_zones = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(
    lambda names: tuple(sorted(names))
)


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
@given(st.sampled_from(KINDS_OF_PERIOD), st.integers(1, 3), st.sampled_from(ZONES), instants)
def test_a_period_is_what_the_calendar_on_the_wall_says(kind, n, zone, now):
    assert period_bounds(kind, n, (zone,), now) == _walk(kind, n, zone, now)


@given(st.sampled_from(KINDS_OF_PERIOD), st.integers(1, 9), some_zones, instants)
def test_several_zones_count_at_least_what_each_of_them_counts(kind, n, zones, now):
    since, moves = period_bounds(kind, n, zones, now)
    assert since <= now < moves
    for zone in zones:
        one_since, one_moves = period_bounds(kind, n, (zone,), now)
        assert since <= one_since
        assert moves >= one_moves


@given(st.sampled_from(KINDS_OF_PERIOD), st.integers(1, 9), some_zones, instants, st.floats(0, 300 * 86_400))
def test_a_fact_leaves_its_period_when_the_period_says_so(kind, n, zones, fact_at, later):
    now = fact_at + later
    counted = period_bounds(kind, n, zones, now)[0] <= fact_at
    assert counted == (now < left_at(kind, n, zones, fact_at))


# ---- what is kept -------------------------------------------------------------------------------------------
_POLICY = Profile(id="policy", jurisdiction="*", scope=("debt_collection",))


@settings(deadline=None)
@given(some_zones, instants, st.lists(st.integers(-3 * 86_400, 3 * 86_400), min_size=1, max_size=6))
def test_what_is_kept_is_what_would_be_worked_out_afresh(zones, now, steps):
    caps = tuple(
        CapRule(rule=kind, count="attempt", max=1, kind=kind, n=2, key=("person",))
        for kind in (*KINDS_OF_PERIOD, "rolling_hours")
    )
    first = date(2026, 6, 1)
    laws = [
        Profile(id="old", jurisdiction="PE", scope=("debt_collection",), in_force=InForce(last=first, confidence="V1")),
        Profile(
            id="new",
            jurisdiction="PE",
            scope=("debt_collection",),
            holidays=HolidayRule(calendar="PE"),
            caps=caps,
            in_force=InForce(first=first),
        ),
    ]
    candidate = DialCandidate(lead_id="L", person="P", debt="D", number="+1", place=Place(("PE",), zones))
    warm = RuleSet({"PE": laws}, policy=_POLICY, scope="debt_collection")
    for step in (0, *steps):
        now += timedelta(seconds=step).total_seconds()
        fresh = RuleSet({"PE": laws}, policy=_POLICY, scope="debt_collection")
        assert warm.clearance(candidate, now) == fresh.clearance(candidate, now)
        # What was kept may name what closed earlier, but must say the same of now.
        assert warm.window(candidate.place, now).open == fresh.window(candidate.place, now).open


# ---- verdicts -----------------------------------------------------------------------------------------------
HOUR = 3600.0
caps = st.builds(
    CapRule,
    rule=st.just("cap"),
    count=st.sampled_from(["attempt", "contact", "conversation", "communication"]),
    max=st.integers(1, 3),
    kind=st.sampled_from([*KINDS_OF_PERIOD, "rolling_hours"]),
    n=st.integers(1, 3),
    key=st.sampled_from([("person",), ("person", "debt")]),
)
cooldowns = st.builds(
    CooldownRule,
    rule=st.just("rest"),
    after=st.sampled_from(["conversation", "refusal", "abandoned"]),
    key=st.sampled_from([("person",), ("person", "debt")]),
    days=st.integers(1, 9),
    first_day=st.sampled_from(["event_day", "next_day"]),
)
histories = st.lists(
    st.builds(
        lambda hours, kind, debt: (hours, kind, debt),
        st.integers(0, 20 * 24),
        st.sampled_from(KINDS),
        st.sampled_from(["D", "E", ""]),
    ),
    max_size=8,
)


def _counted(rule: CapRule | CooldownRule, zones: tuple[str, ...], at: float, history: list[Fact]) -> int:
    """How many events a rule counts at a moment, in the words of the rule."""
    count = rule.after if isinstance(rule, CooldownRule) else rule.count
    number = 0
    for event in events_of(history):
        if "debt" in rule.key and event.debt not in ("", "D"):
            continue
        if count != "communication" and count not in event.kinds:
            continue
        if event.at <= at and any(_within(rule, zone, event.at, at) for zone in zones):
            number += 1
    return number


def _within(rule: CapRule | CooldownRule, zone: str, fact_at: float, at: float) -> bool:
    if isinstance(rule, CooldownRule):
        days_ago = (_local(zone, at) - _local(zone, fact_at)).days
        return days_ago < rule.days + (rule.first_day == "next_day")
    if rule.kind == "rolling_hours":
        return at - fact_at <= rule.n * HOUR
    return _period(rule.kind, _local(zone, at)) - _period(rule.kind, _local(zone, fact_at)) < rule.n


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(caps, cooldowns), min_size=1, max_size=3), some_zones, instants, histories)
def test_a_verdict_is_what_counting_says_and_names_the_first_moment_that_it_allows(some, zones, now, told):
    now = now // 60 * 60
    history = [Fact(at=now - hours * HOUR, kinds=(kind,), debt=debt) for hours, kind, debt in told]
    law = Profile(
        id="law",
        jurisdiction="PE",
        scope=("debt_collection",),
        windows=(WindowRule(days=tuple(range(7)), begin_minute=0, end_minute=1440, confidence="V1"),),
        caps=tuple(rule for rule in some if isinstance(rule, CapRule)),
        cooldowns=tuple(rule for rule in some if isinstance(rule, CooldownRule)),
    )
    rules = RuleSet({"PE": [law]}, policy=_POLICY, scope="debt_collection", ring_guard_s=0.0)
    candidate = DialCandidate(lead_id="L", person="P", debt="D", number="+1", place=Place(("PE",), zones))

    def allowed(at: float) -> bool:
        return all(_counted(rule, zones, at, history) < (rule.max if isinstance(rule, CapRule) else 1) for rule in some)

    verdict = judge(rules, candidate, now, history)
    assert verdict.allowed == allowed(now)
    assert bool(verdict.reasons) != verdict.allowed
    following = verdict.next_allowed_at
    assert following is not None
    assert allowed(following)
    assert judge(rules, candidate, following, history).allowed
    tried = now
    while tried < following:
        assert not allowed(tried)
        tried += 7 * QUARTER
    if following > now:
        assert not allowed(following - 0.01)


# ---- the store and a verdict --------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(caps, cooldowns), min_size=1, max_size=3, unique_by=type),
    some_zones,
    instants,
    st.lists(
        st.tuples(st.integers(0, 20 * 24), st.sampled_from([*OWN_OUTCOMES, "conversation/inbound", "NEW"])),
        max_size=8,
        unique_by=lambda told: told[0],
    ),
)
def test_a_store_that_counts_slots_and_a_verdict_agree(some, zones, now, told):
    law = Profile(
        id="law",
        jurisdiction="PE",
        scope=("debt_collection",),
        caps=tuple(rule for rule in some if isinstance(rule, CapRule)),
        cooldowns=tuple(rule for rule in some if isinstance(rule, CooldownRule)),
    )
    rules = RuleSet({"PE": [law]}, policy=_POLICY, scope="debt_collection")
    candidate = DialCandidate(lead_id="L", person="P", debt="D", number="+1", place=Place(("PE",), zones))
    stream = sorted(Record(now - hours * HOUR, outcome, "|n=+1|d=D|") for hours, outcome in told)
    full = {
        slot.rule
        for slot in rules.clearance(candidate, now).caps
        if len(counted(slot, facts_under(slot, stream, stream))) >= slot.max
    }
    verdict = judge(rules, candidate, now, [fact_of(at, outcome, debt="D") for at, outcome, *_ in stream])
    assert {reason.rule for reason in verdict.reasons} & {"cap", "rest"} == full
