from datetime import UTC, datetime

import pytest

from compliance.clearance import CapSlot, DialCandidate, Place
from compliance.facts import Fact
from compliance.frequency import (
    PAST_WINDOW_S,
    agrees,
    left_at,
    limit_of,
    period_bounds,
    plan_cap,
)
from compliance.rule import CapRule, CooldownRule, Profile

LIMA = ("America/Lima",)
SPAIN = ("Atlantic/Canary", "Europe/Madrid")
CANDIDATE = DialCandidate(
    lead_id="L1", person="P1", debt="D1", number="+51987654321", place=Place(("PE",), LIMA), subject="S1"
)
WITH_ACCOUNT = DialCandidate(
    lead_id="L1", person="P1", debt="D1", account="A1", number="+51987654321", place=Place(("PE",), LIMA), use="work"
)


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _rule(**changes) -> CapRule:
    fields = {"rule": "r", "count": "attempt", "max": 2, "kind": "calendar_day", "n": 1, "key": ("person",)}
    return CapRule(**{**fields, **changes})


# ---- keys ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fact", "kinds", "agreed"),
    [
        ({"debt": "D1"}, ("person", "debt"), True),
        ({"debt": "D2"}, ("person", "debt"), False),
        ({"debt": ""}, ("person", "debt"), True),  # nobody says of which debt
        ({"debt": "D2"}, ("person",), True),
        ({"debt": "D1"}, ("account",), True),  # the same debt is on the same account
        ({"debt": "D2"}, ("account",), False),
        ({"debt": "D2", "account": "A1"}, ("account",), True),
        ({"debt": "D2", "account": "A2"}, ("account",), False),
        ({"number": "+1"}, ("number",), False),
        ({}, ("number", "subject", "campaign", "use"), True),
        ({"use": "home"}, ("person", "use"), False),
    ],
)
def test_a_fact_counts_under_a_key_unless_it_is_surely_anothers(fact, kinds, agreed):
    assert agrees(Fact(at=1.0, kinds=("attempt",), **fact), kinds, WITH_ACCOUNT) == agreed


# ---- periods ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "n", "zones", "since", "resets_at"),
    [
        # Wednesday 2026-07-15, 02:00 in Lima.
        ("calendar_day", 1, LIMA, "2026-07-15T05:00", "2026-07-16T05:00"),
        ("calendar_day", 3, LIMA, "2026-07-13T05:00", "2026-07-16T05:00"),
        ("rolling_calendar_days", 7, LIMA, "2026-07-09T05:00", "2026-07-16T05:00"),
        ("calendar_week_mon", 1, LIMA, "2026-07-13T05:00", "2026-07-20T05:00"),
        ("calendar_week_mon", 2, LIMA, "2026-07-06T05:00", "2026-07-20T05:00"),
        ("calendar_month", 1, LIMA, "2026-07-01T05:00", "2026-08-01T05:00"),
        ("calendar_month", 8, LIMA, "2025-12-01T05:00", "2026-08-01T05:00"),
        # In summer Madrid is two hours ahead of UTC and the Canaries one: earliest begin, latest move.
        ("calendar_day", 1, SPAIN, "2026-07-14T22:00", "2026-07-15T23:00"),
    ],
)
def test_periods_are_the_called_partys(kind, n, zones, since, resets_at):
    assert period_bounds(kind, n, zones, _at("2026-07-15T07:00")) == (_at(since), _at(resets_at))


def test_two_zones_on_two_dates_count_from_the_earlier_date():
    # 22:30 UTC: already the 16th in Madrid, still the 15th in the Canaries.
    assert period_bounds("calendar_day", 1, SPAIN, _at("2026-07-15T22:30")) == (
        _at("2026-07-14T23:00"),
        _at("2026-07-16T22:00"),
    )


@pytest.mark.parametrize(
    ("kind", "n", "zones", "left"),
    [
        ("calendar_day", 1, LIMA, "2026-07-16T05:00"),
        ("rolling_calendar_days", 7, LIMA, "2026-07-22T05:00"),
        ("calendar_week_mon", 1, LIMA, "2026-07-20T05:00"),
        ("calendar_month", 2, LIMA, "2026-09-01T05:00"),
        ("calendar_day", 1, SPAIN, "2026-07-15T23:00"),  # not before it is the next day in the Canaries, too
    ],
)
def test_a_fact_leaves_its_period(kind, n, zones, left):
    assert left_at(kind, n, zones, _at("2026-07-15T12:00")) == _at(left)


def test_a_fact_of_rolling_hours_still_counts_when_they_are_just_over():
    assert left_at("rolling_hours", 24, LIMA, 1000.0) == 1000.0 + 86_400 + PAST_WINDOW_S


# ---- slots --------------------------------------------------------------------------------------------------
def test_rolling_hours_look_back_from_now():
    now = _at("2026-07-15T12:00")
    slot = plan_cap(_rule(kind="rolling_hours", n=24, key=("person", "debt")), LIMA, now).slot(
        ("person:P1", ("d=D1",), ""), now + 60
    )
    assert slot == CapSlot(
        rule="r",
        key="person:P1",
        where=("d=D1",),
        max=2,
        since=now + 60 - 86_400,
        window_s=86_400.0,
    )


def test_a_calendar_cap_says_when_it_moves():
    now = _at("2026-07-15T12:00")
    slot = plan_cap(_rule(exclude=("FAILED",)), LIMA, now).slot(("person:P1", (), ""), now)
    assert slot == CapSlot(
        rule="r",
        key="person:P1",
        max=2,
        since=_at("2026-07-15T05:00"),
        exclude=("FAILED",),
        resets_at=_at("2026-07-16T05:00"),
    )


# ---- cool-downs ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rest", "kind", "n"),
    [
        ({"days": 7}, "rolling_calendar_days", 7),  # day 1 is the day itself
        ({"days": 60, "first_day": "next_day"}, "rolling_calendar_days", 61),
        ({"hours": 72}, "rolling_hours", 72),
    ],
)
def test_a_cool_down_is_a_cap_of_one(rest, kind, n):
    limit = limit_of(CooldownRule(rule="c", after="conversation", key=("person",), **rest))
    assert (limit.max, limit.kind, limit.n, limit.count) == (1, kind, n, "conversation")
    assert limit.channels == {"voice", "inbound"}


def test_a_cool_down_without_a_length_is_no_rule():
    with pytest.raises(ValueError, match=r"^c: expected days or hours"):
        limit_of(CooldownRule(rule="c", after="refusal", key=("person",)))


def test_a_cool_down_may_be_void_where_an_agent_is_held():
    limit = limit_of(CooldownRule(rule="c", after="abandoned", key=("person",), hours=72, unless_agent_held=True))
    assert limit.asked_of("", agent_held=False)
    assert not limit.asked_of("", agent_held=True)


@pytest.mark.parametrize(
    ("key", "only_use", "use", "asked"),
    [
        (("person",), "", "", True),
        (("person",), "", "work", True),
        (("person", "use"), "work", "work", True),
        (("person", "use"), "work", "", False),
        (("person", "use"), "work", "home", False),
        (("person", "use"), "", "home", True),
        (("person", "use"), "", "", False),
    ],
)
def test_a_cap_on_numbers_of_a_use_is_asked_of_those_alone(key, only_use, use, asked):
    assert limit_of(_rule(key=key, only_use=only_use)).asked_of(use, agent_held=False) == asked


def test_a_rule_without_a_citation_has_its_profiles():
    profile = Profile(id="p", jurisdiction="PE", scope=("debt_collection",), cite="the act", confidence="V1")
    assert limit_of(_rule(), profile).cited.cite == "the act"
    assert limit_of(_rule(cite="its article"), profile).cited.cite == "its article"
