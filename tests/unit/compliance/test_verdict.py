"""Verdicts: every reason in words, and when a call may be made next."""

from datetime import date

import pytest

from compliance.clearance import Place
from compliance.facts import Fact
from compliance.frequency import PAST_WINDOW_S
from compliance.rule import ConsentRule, CooldownRule, DncRule, HolidayRule, InForce
from compliance.verdict import Reason, denied, judge
from tests.unit.compliance.law import WORKDAYS, at, candidate, cap, place, profile, rules, window

LIMA, MADRID = "America/Lima", "Europe/Madrid"
PE = place("PE")
LAW = profile(
    "pe",
    "PE",
    windows=(window(7, 20, WORKDAYS, cite="the act, art. 1"),),
    holidays=HolidayRule(calendar="PE", cite="the act, art. 2", confidence="V2"),
)
OPEN = profile("open", "PE", windows=(window(0, 24),))
NOON = at("2026-07-15T12:00", LIMA)  # a Wednesday


def _fact(text: str, *kinds, debt="D1", zone=LIMA, **rest) -> Fact:
    return Fact(at=at(text, zone), kinds=kinds, debt=debt, **rest)


def _judge(law, text: str, *history: Fact, where=PE, own=None, **who):
    laws = law if isinstance(law, tuple) else (law,)
    return judge(rules(*laws, **(own or {})), candidate(where, **who), at(text, LIMA), history)


# ---- words --------------------------------------------------------------------------------------------------
def test_an_open_hour_without_history_is_allowed():
    verdict = _judge(LAW, "2026-07-15T12:00")
    assert (verdict.allowed, verdict.reasons, verdict.next_allowed_at) == (True, (), NOON)
    assert (verdict.zones, verdict.jurisdictions, verdict.profiles) == ((LIMA,), ("PE",), ("pe", "policy"))


def test_closed_hours_say_which_clock_and_when():
    verdict = _judge(LAW, "2026-07-18T12:00")
    assert verdict.reasons == (
        Reason(
            rule="pe.hours",
            text="It is Saturday 12:00 in America/Lima: calls are allowed Monday to Friday 07:00-20:00 "
            "(the act, art. 1).",
            cite="the act, art. 1",
            confidence="V1",
        ),
    )
    assert verdict.next_allowed_at == at("2026-07-20T07:00", LIMA)


def test_a_holiday_is_cited_by_itself():
    verdict = _judge(LAW, "2026-07-28T12:00")
    (reason,) = verdict.reasons
    assert (reason.rule, reason.cite, reason.confidence) == ("pe.holiday", "the act, art. 2", "V2")
    assert reason.text == "Tuesday 2026-07-28 is a holiday there (America/Lima): no calls (the act, art. 2)."
    assert verdict.next_allowed_at == at("2026-07-30T07:00", LIMA)  # the 29th is one, too


def test_the_ring_guard_says_what_closes():
    verdict = _judge(LAW, "2026-07-15T19:59:30", own={"ring_guard_s": 45.0})
    (reason,) = verdict.reasons
    assert reason.rule == "ring_guard"
    assert reason.text.startswith("pe closes at 20:00:00 in America/Lima, and a call may ring for 45 s")
    assert verdict.next_allowed_at == at("2026-07-16T07:00", LIMA)


def test_a_campaigns_own_rules_are_reasons():
    own = {"closed_dates": [date(2026, 7, 15)], "windows": [window(13, 14)], "caps": [cap("own", 1)]}
    verdict = _judge(LAW, "2026-07-15T12:00", _fact("2026-07-15T11:00", "attempt"), own=own)
    assert [reason.rule for reason in verdict.reasons] == ["campaign.windows.hours", "campaign.closed_dates", "own"]
    assert verdict.next_allowed_at == at("2026-07-16T13:00", LIMA)


def test_every_reason_is_told_not_only_the_first():
    law = profile(
        "pe",
        "PE",
        windows=(window(7, 20, WORKDAYS),),
        caps=(cap("1-a-week", 1, kind="calendar_week_mon", count="contact"), cap("2-in-7", 2, 7, cite="art. 3")),
        cooldowns=(CooldownRule(rule="7-days", after="conversation", key=("person", "debt"), days=7, cite="art. 4"),),
    )
    talk = (_fact("2026-07-13T10:00", "conversation"), _fact("2026-07-13T10:00", "attempt"))
    verdict = _judge((law, OPEN), "2026-07-18T12:00", *talk, _fact("2026-07-14T10:00", "attempt"))
    assert [reason.rule for reason in verdict.reasons] == ["pe.hours", "1-a-week", "2-in-7", "7-days"]
    assert [reason.text for reason in verdict.reasons[1:]] == [
        "1 contact with this person this week, at most 1 is allowed.",
        "2 attempts to this person in the last 7 days, at most 2 are allowed (art. 3).",
        "A conversation on 2026-07-13 (America/Lima): no call for 7 days, that day is the first (art. 4).",
    ]


def test_a_cool_down_of_hours_says_from_when():
    rest = CooldownRule(rule="72h", after="abandoned", key=("person",), hours=72, unless_agent_held=True)
    law = profile("pe", "PE", windows=(window(0, 24),), cooldowns=(rest,))
    abandoned = _fact("2026-07-15T10:30", "abandoned")
    (reason,) = _judge(law, "2026-07-15T12:00", abandoned).reasons
    assert reason.text == (
        "An abandoned call on 2026-07-15 at 10:30 (America/Lima): "
        "no call for 72 hours after it unless an agent is held for it."
    )
    assert _judge(law, "2026-07-15T12:00", abandoned, agent_held=True).allowed


def test_what_only_the_moment_of_dialling_can_tell_is_required():
    law = profile("pe", "PE", windows=(window(0, 24),), consent=ConsentRule(), dnc=DncRule(registries=("robinson",)))
    assert _judge(law, "2026-07-15T12:00").requires == ("consent (pe)", "registry robinson (pe)")


# ---- faults -------------------------------------------------------------------------------------------------
def test_a_fault_of_the_number_denies_for_good():
    verdict = denied("number.invalid", "+51 is no number.", place=Place(("PE",), ()))
    assert not verdict.allowed
    assert verdict.next_allowed_at is None
    assert verdict.reasons == (Reason(rule="number.invalid", text="+51 is no number."),)
    assert verdict.jurisdictions == ("PE",)


@pytest.mark.parametrize(
    ("jurisdictions", "zones", "reasons"),
    [
        (("CO",), (LIMA,), ["jurisdiction.unknown"]),
        (("CO", "PE", "ZZ"), (LIMA,), ["jurisdiction.unknown", "jurisdiction.unknown"]),
        ((), (LIMA,), ["jurisdiction.unknown"]),
        (("PE",), (), ["zone.unknown"]),
        (("PE",), (LIMA, "Etc/Unknown"), ["zone.unknown"]),
        (("CO",), (), ["jurisdiction.unknown", "zone.unknown"]),
    ],
)
def test_an_unknown_place_denies_for_good(jurisdictions, zones, reasons):
    verdict = _judge(LAW, "2026-07-15T12:00", where=Place(jurisdictions, zones))
    assert [reason.rule for reason in verdict.reasons] == reasons
    assert (verdict.allowed, verdict.next_allowed_at) == (False, None)


# ---- what counts --------------------------------------------------------------------------------------------
def _capped(rule, *history: Fact, text="2026-07-15T12:00", where=PE, **who) -> bool:
    return not _judge((OPEN, profile("law", "PE", caps=(rule,))), text, *history, where=where, **who).allowed


def test_a_cap_allows_while_fewer_than_its_maximum_count():
    six = [_fact(f"2026-07-{day:02d}T10:00", "attempt") for day in range(9, 15)]
    seven = cap("7-in-7", 7, 7, key=("person", "debt"))
    assert not _capped(seven, *six)
    assert _capped(seven, *six, _fact("2026-07-15T11:59", "attempt"))


def test_attempts_contacts_and_conversations_are_counted_apart():
    attempt, contact = _fact("2026-07-15T10:00", "attempt"), _fact("2026-07-15T10:00", "contact")
    assert not _capped(cap("c", 1, count="contact"), attempt)
    assert _capped(cap("c", 1, count="contact"), contact)
    assert not _capped(cap("c", 1, count="attempt"), contact)
    assert not _capped(cap("c", 1, count="conversation"), contact)
    assert _capped(cap("c", 1, count="contact"), _fact("2026-07-15T10:00", "refusal"))


def test_one_event_told_in_two_facts_is_one_communication():
    attempt, talk = _fact("2026-07-15T10:00", "attempt"), _fact("2026-07-15T10:00", "conversation")
    two = cap("c", 2, count="communication", channels=("voice", "sms"))
    assert not _capped(two, attempt, talk)
    assert _capped(two, attempt, talk, _fact("2026-07-15T10:00", "contact", channel="sms"))


def test_a_call_of_theirs_is_a_conversation_and_no_attempt():
    inbound = _fact("2026-07-15T10:00", "conversation", channel="inbound")
    assert _capped(cap("c", 1, count="conversation"), inbound)
    assert not _capped(cap("c", 1, count="attempt"), inbound)


def test_facts_of_another_debt_count_where_the_key_has_none():
    other, nobodys = _fact("2026-07-15T10:00", "attempt", debt="D2"), _fact("2026-07-15T10:00", "attempt", debt="")
    assert not _capped(cap("c", 1, key=("person", "debt")), other)
    assert _capped(cap("c", 1, key=("person", "debt")), nobodys)
    assert _capped(cap("c", 1, key=("person",)), other)
    assert _capped(cap("c", 1, key=("person", "debt")), other, debt="")  # of which debt is this call? nobody says


def test_an_excluded_disposition_does_not_count():
    busy = _fact("2026-07-15T10:00", "attempt", outcome="BUSY")
    assert _capped(cap("c", 1), busy)
    assert not _capped(cap("c", 1, exclude=("BUSY",)), busy)


def test_what_is_later_than_the_moment_does_not_count():
    assert not _capped(cap("c", 1), _fact("2026-07-15T12:01", "attempt"))
    assert _capped(cap("c", 1), _fact("2026-07-15T12:00", "attempt"))


@pytest.mark.parametrize(("first", "last", "holds"), [("2026-07-16", None, False), ("2026-07-15", "2026-07-15", True)])
def test_a_cap_counts_while_it_is_in_force(first, last, holds):
    dates = InForce(
        first=date.fromisoformat(first), last=None if last is None else date.fromisoformat(last), confidence="V1"
    )
    law = profile("law", "PE", caps=(cap("c", 1, 365),), in_force=dates)
    verdict = _judge((OPEN, law), "2026-07-15T12:00", _fact("2026-07-15T10:00", "attempt"))
    assert verdict.allowed != holds
    if last is not None:
        assert verdict.next_allowed_at == at("2026-07-16T00:00", LIMA)


# ---- when next ----------------------------------------------------------------------------------------------
def _next(rule, *history: Fact, law=OPEN, where=PE) -> float | None:
    field = "cooldowns" if isinstance(rule, CooldownRule) else "caps"
    return _judge(
        (law, profile("law", "PE", **{field: (rule,)})), "2026-07-15T12:00", *history, where=where
    ).next_allowed_at


TODAY = _fact("2026-07-15T10:00", "attempt", "conversation", "refusal")


@pytest.mark.parametrize(
    ("rule", "when"),
    [
        (cap("c", 1, kind="calendar_day"), "2026-07-16T00:00"),
        (cap("c", 1, 7), "2026-07-22T00:00"),
        (cap("c", 1, kind="calendar_week_mon"), "2026-07-20T00:00"),
        (cap("c", 1, 2, kind="calendar_month"), "2026-09-01T00:00"),
        (CooldownRule(rule="c", after="conversation", key=("person",), days=7), "2026-07-22T00:00"),
        (CooldownRule(rule="c", after="refusal", key=("person",), days=60, first_day="next_day"), "2026-09-14T00:00"),
    ],
)
def test_a_calendar_period_ends_at_a_midnight(rule, when):
    assert _next(rule, TODAY) == at(when, LIMA)


def test_rolling_hours_end_just_after_their_last_moment():
    day = cap("c", 1, 24, kind="rolling_hours")
    assert _next(day, TODAY) == TODAY.at + 86_400 + PAST_WINDOW_S
    law = profile("law", "PE", caps=(day,))
    assert not judge(rules(OPEN, law), candidate(PE), TODAY.at + 86_400, [TODAY]).allowed
    assert judge(rules(OPEN, law), candidate(PE), TODAY.at + 86_401, [TODAY]).allowed


def test_a_limit_that_lets_go_at_night_waits_for_the_hours():
    assert _next(cap("c", 1, kind="calendar_day"), TODAY, law=LAW) == at("2026-07-16T07:00", LIMA)
    friday = _fact("2026-07-10T10:00", "attempt")
    assert _next(cap("c", 1, 8), friday, law=LAW) == at("2026-07-20T07:00", LIMA)  # the 18th is a Saturday


def test_the_fact_whose_leaving_makes_room_decides():
    history = [_fact(f"2026-07-{day}T10:00", "attempt") for day in (10, 12, 14, 15)]
    assert _next(cap("c", 3, 7), *history) == at("2026-07-19T00:00", LIMA)
    assert _next(cap("c", 4, 7), *history) == at("2026-07-17T00:00", LIMA)


def test_several_zones_let_go_when_the_last_does():
    where = place("PE", zones=(LIMA, MADRID))
    assert _next(cap("c", 1, kind="calendar_day"), TODAY, where=where) == at("2026-07-16T00:00", LIMA)
    # 18:30 in Lima is the 16th in Madrid, whose day ends later than Lima's 15th and sooner than its 16th.
    evening = _fact("2026-07-15T18:30", "attempt")
    law = profile("law", "PE", caps=(cap("c", 1, kind="calendar_day"),))
    verdict = judge(rules(OPEN, law), candidate(where), evening.at + 60, [evening])
    assert verdict.next_allowed_at == at("2026-07-17T00:00", MADRID)


def test_facts_to_come_count_when_they_have():
    tomorrow = _fact("2026-07-16T07:00", "attempt")
    assert _next(cap("c", 1, kind="calendar_day"), TODAY, tomorrow, law=LAW) == at("2026-07-17T07:00", LIMA)


def test_what_never_opens_in_400_days_has_no_next_time():
    never = rules(profile("a", "PE", windows=(window(8, 9),)), profile("b", "PE", windows=(window(10, 11),)))
    assert judge(never, candidate(PE), NOON, []).next_allowed_at is None
    nothing = profile("law", "PE", caps=(cap("none", 0),))
    assert _judge((OPEN, nothing), "2026-07-15T12:00").next_allowed_at is None


def test_a_year_of_cool_down_is_within_sight():
    year = CooldownRule(rule="c", after="refusal", key=("person",), days=365, first_day="next_day")
    assert _next(year, TODAY) == at("2027-07-16T00:00", LIMA)
