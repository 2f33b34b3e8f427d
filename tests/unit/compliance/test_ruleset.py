"""What a rule set makes of small laws, and the clearance of an attempt. The packs themselves: test_traps.py."""

import math
from datetime import date

import pytest

from compliance.clearance import ConsentCheck, ListCheck
from compliance.rule import ConsentRule, CooldownRule, DncRule, HolidayRule, InForce
from compliance.window import WindowState
from tests.unit.compliance.law import EVERY_DAY, POLICY, WORKDAYS, at, candidate, cap, place, profile, rules, window

LIMA, MADRID, NEW_YORK = "America/Lima", "Europe/Madrid", "America/New_York"
PE = place("PE")
PE_LAW = profile("pe", "PE", windows=(window(7, 20, WORKDAYS),), holidays=HolidayRule(calendar="PE"))
NOON = at("2026-07-15T12:00", LIMA)  # a Wednesday


def _slots(rule_set, who, now=NOON) -> list[str]:
    return [slot.rule for slot in rule_set.clearance(who, now).caps]


# ---- which rules apply --------------------------------------------------------------------------------------
COUNTRY = profile("us", "US", windows=(window(8, 21),))
STATE = profile("us-ma", "US-MA", windows=(window(10, 18),))
CITY = profile("us-ny-nyc", "US-NY-NYC", windows=(window(12, 13),))


@pytest.mark.parametrize(
    ("jurisdictions", "ids"),
    [
        (("US", "US-MA"), ["us", "us-ma", "policy"]),
        (("US", "US-VA"), ["us", "policy"]),
        (("US", "US-MA", "US-VA"), ["us", "us-ma", "policy"]),
        (("US",), ["us", "us-ma", "us-ny-nyc", "policy"]),  # nobody knows the state: every state's rules hold
        (("US", "US-NY"), ["us", "policy"]),
        (("US", "US-NY", "US-NY-NYC"), ["us", "us-ny-nyc", "policy"]),
        (("US-MA",), ["us", "us-ma", "policy"]),  # what a subdivision is part of is known with it
    ],
)
def test_a_countrys_and_its_subdivisions_profiles_stack(jurisdictions, ids):
    found = rules(COUNTRY, STATE, CITY).in_force(place(*jurisdictions, zones=(NEW_YORK,)), NOON)
    assert [one.id for one in found] == ids


def test_another_scopes_profiles_do_not_apply():
    other = profile("us-tmk", "US", scope=("telemarketing",), windows=(window(10, 11),))
    where = place("US", "US-VA", zones=(NEW_YORK,))
    assert [one.id for one in rules(COUNTRY, other).in_force(where, NOON)] == ["us", "policy"]


def test_several_countries_must_all_be_open():
    mexico = profile("mx", "MX", windows=(window(7, 22),))
    both = place("MX", "US", "US-VA", zones=("America/Mexico_City", NEW_YORK))
    rule_set = rules(COUNTRY, mexico)
    # 08:00 in Mexico City is 10:00 in New York; 07:30 is open in Mexico and, by its own clock, closed by US law.
    assert rule_set.window(both, at("2026-07-15T08:00", "America/Mexico_City")).open
    assert not rule_set.window(both, at("2026-07-15T07:30", "America/Mexico_City")).open
    assert rule_set.window(place("MX", zones=both.zones), at("2026-07-15T07:30", "America/Mexico_City")).open


@pytest.mark.parametrize("jurisdictions", [("CO",), ("CO", "US"), ("",), ()])
def test_a_country_without_rules_is_never_open(jurisdictions):
    state = rules(COUNTRY).window(place(*jurisdictions), 1.0)
    assert state == WindowState(open=False, changes_at=math.inf, rule="jurisdiction.unknown")


def test_a_country_with_rules_of_another_scope_alone_is_never_open():
    other = profile("us-tmk", "US", scope=("telemarketing",), windows=(window(10, 11),))
    assert rules(other).window(place("US", zones=(NEW_YORK,)), NOON).rule == "jurisdiction.unknown"


@pytest.mark.parametrize("zones", [(), ("Etc/Unknown",), (LIMA, "Nowhere/Else")])
def test_a_number_without_known_zones_is_never_open(zones):
    state = rules(PE_LAW).window(place("PE", zones=zones), 1.0)
    assert state == WindowState(open=False, changes_at=math.inf, rule="zone.unknown")


def test_without_a_zone_there_is_no_clearance_to_speak_of():
    with pytest.raises(KeyError):
        rules(PE_LAW).clearance(candidate(place("PE", zones=())), 1.0)


# ---- dates in force -----------------------------------------------------------------------------------------
OLD = profile("old", "PE", windows=(window(7, 20),), in_force=InForce(last=date(2026, 7, 14), confidence="V1"))
NEW = profile("new", "PE", windows=(window(9, 18),), in_force=InForce(first=date(2026, 7, 15), confidence="V1"))


def test_hours_change_with_the_local_date():
    rule_set = rules(OLD, NEW)
    assert rule_set.window(PE, at("2026-07-14T07:00", LIMA)).changes_at == at("2026-07-14T20:00", LIMA)
    assert rule_set.window(PE, at("2026-07-14T20:00", LIMA)).changes_at == at("2026-07-15T09:00", LIMA)


def test_hours_ask_each_zone_for_its_own_date():
    # At 23:00 UTC on the 14th it is the 15th in Madrid, where the new hours hold, and the 14th in Lima, the old ones'.
    rule_set = rules(OLD, NEW)
    both = place("PE", zones=(LIMA, MADRID))
    assert not rule_set.window(both, at("2026-07-14T18:00", LIMA)).open
    assert rule_set.window(both, at("2026-07-14T09:00", LIMA)).open
    assert [p.id for p in rule_set.in_force(both, at("2026-07-14T18:00", LIMA))] == ["old", "new", "policy"]


def test_caps_hold_where_they_are_in_force_by_any_clock():
    strict = profile("nyc", "PE", caps=(cap("3-in-7", 3, 7),), in_force=InForce(first=date(2026, 7, 15)))
    rule_set = rules(PE_LAW, strict)
    evening = at("2026-07-14T18:00", LIMA)
    assert _slots(rule_set, candidate(PE), evening) == []
    assert _slots(rule_set, candidate(place("PE", zones=(LIMA, MADRID))), evening) == ["3-in-7"]


@pytest.mark.parametrize(("confidence", "ended"), [("V1", True), ("V2", True), ("R", False), ("U", False)])
def test_nothing_lapses_on_hearsay(confidence, ended):
    past = profile("past", "PE", caps=(cap("1", 1),), in_force=InForce(last=date(2026, 1, 1), confidence=confidence))
    assert ("1" in _slots(rules(PE_LAW, past), candidate(PE))) != ended


# ---- the policy ---------------------------------------------------------------------------------------------
def test_the_policys_hours_stand_in_where_no_hours_are_verified():
    guess = profile("guess", "PE", windows=(window(6, 23, confidence="R"),))
    rule_set = rules(guess)
    assert rule_set.window(PE, at("2026-07-15T08:59", LIMA)).rule == "policy.hours"
    assert rule_set.window(PE, at("2026-07-15T09:00", LIMA)).changes_at == at("2026-07-15T20:00", LIMA)
    assert rule_set.window(PE, at("2026-07-28T12:00", LIMA)).rule == "policy.holiday"  # Independence Day
    assert rule_set.window(PE, at("2026-07-19T12:00", LIMA)).rule == "policy.hours"  # a Sunday


def test_hours_that_are_verified_stand_in_for_the_policys():
    assert rules(PE_LAW).window(PE, at("2026-07-15T07:30", LIMA)).open


def test_the_policy_stands_in_again_when_verified_hours_end():
    rule_set = rules(OLD)
    assert rule_set.window(PE, at("2026-07-14T07:30", LIMA)).open
    assert rule_set.window(PE, at("2026-07-15T07:30", LIMA)).rule == "policy.hours"
    assert rule_set.window(PE, at("2026-07-14T20:00", LIMA)).changes_at == at("2026-07-15T09:00", LIMA)


def test_a_subdivisions_verified_hours_stand_in_there_and_not_elsewhere():
    rule_set = rules(profile("us", "US"), STATE)
    at_ten, at_nine = at("2026-07-15T10:00", NEW_YORK), at("2026-07-15T09:00", NEW_YORK)
    assert rule_set.window(place("US", "US-VA", zones=(NEW_YORK,)), at_nine).open
    assert rule_set.window(place("US", "US-MA", zones=(NEW_YORK,)), at_nine).changes_at == at_ten


def test_the_policys_caps_always_hold():
    policy = profile("policy", "*", windows=POLICY.windows, caps=(cap("2-a-day", 2, kind="calendar_day"),))
    assert _slots(rules(PE_LAW, policy=policy), candidate(PE)) == ["2-a-day"]


# ---- holidays -----------------------------------------------------------------------------------------------
ALABAMA = at("2026-04-27T12:00", "America/Chicago")  # Confederate Memorial Day: Alabama's, not the country's
ORDINARY = at("2026-07-15T12:00", "America/Chicago")


@pytest.mark.parametrize(
    ("regions", "jurisdictions", "closed"),
    [
        ("none", ("US", "US-AL"), False),
        ("known", ("US", "US-AL"), True),
        ("known", ("US", "US-VA"), False),
        ("known", ("US",), False),
        ("any", ("US", "US-AL"), True),
        ("any", ("US", "US-VA"), False),
        ("any", ("US",), True),
    ],
)
def test_holidays_of_regions(regions, jurisdictions, closed):
    law = profile("us", "US", windows=(window(8, 21),), holidays=HolidayRule(calendar="US", regions=regions))
    where = place(*jurisdictions, zones=("America/Chicago",))
    assert rules(law).window(where, ALABAMA).open != closed
    assert rules(law).window(where, ORDINARY).open


def test_a_region_without_a_calendar_adds_nothing():
    law = profile("us", "US", windows=(window(8, 21),), holidays=HolidayRule(calendar="US", regions="known"))
    assert rules(law).window(place("US", "US-NY", "US-NY-NYC", zones=(NEW_YORK,)), NOON).open


def test_a_profile_of_holidays_alone_closes_them_and_nothing_else():
    feast = profile("feast", "PE", holidays=HolidayRule(calendar="PE"))
    rule_set = rules(PE_LAW, feast)
    assert rule_set.window(PE, at("2026-07-28T12:00", LIMA)).rule == "pe.holiday"
    only = rules(feast, profile("open", "PE", windows=(window(0, 24),)))
    assert only.window(PE, at("2026-07-28T12:00", LIMA)).rule == "feast.holiday"
    assert only.window(PE, at("2026-07-15T03:00", LIMA)).open


def test_a_holiday_is_the_called_partys_local_date():
    # 23:30 on 27 July in Lima is the 28th in UTC: closed by the hour, not by the holiday.
    assert rules(PE_LAW).window(PE, at("2026-07-27T23:30", LIMA)).rule == "pe.hours"


# ---- zones --------------------------------------------------------------------------------------------------
def test_a_profiles_own_zone_holds_besides_the_numbers():
    law = profile("pe", "PE", windows=(window(7, 20),), zones=(LIMA,))
    abroad = place("PE", zones=(MADRID,))
    rule_set = rules(law)
    assert not rule_set.window(abroad, at("2026-07-15T19:00", LIMA)).open  # 02:00 in Madrid
    assert not rule_set.window(abroad, at("2026-07-15T08:00", MADRID)).open  # 01:00 in Lima
    assert rule_set.window(abroad, at("2026-07-15T08:00", LIMA)).open
    assert rules(profile("pe", "PE", windows=(window(7, 20),))).window(abroad, at("2026-07-15T08:00", MADRID)).open


# ---- campaigns ----------------------------------------------------------------------------------------------
def test_the_ring_guard_stops_before_the_end_and_says_so():
    rule_set = rules(PE_LAW, ring_guard_s=45.0)
    end = at("2026-07-15T20:00", LIMA)
    assert rule_set.window(PE, end - 46).changes_at == end - 45
    closed = rule_set.window(PE, end - 45)
    assert (closed.open, closed.rule) == (False, "ring_guard")
    assert closed.changes_at == at("2026-07-16T07:00", LIMA)


def test_a_campaigns_hours_narrow_and_never_widen():
    rule_set = rules(PE_LAW, windows=[window(6, 12, (2, 5))])  # Wednesday and Saturday
    assert not rule_set.window(PE, at("2026-07-15T06:30", LIMA)).open
    assert rule_set.window(PE, at("2026-07-15T07:00", LIMA)).changes_at == NOON
    afternoon = rule_set.window(PE, NOON)
    assert (afternoon.open, afternoon.rule) == (False, "campaign.windows.hours")
    assert not rule_set.window(PE, at("2026-07-18T10:00", LIMA)).open  # Saturday stays closed
    assert not rule_set.window(PE, at("2026-07-16T10:00", LIMA)).open


def test_a_campaigns_closed_date_closes():
    state = rules(PE_LAW, closed_dates=[date(2026, 7, 15)]).window(PE, at("2026-07-15T10:00", LIMA))
    assert (state.open, state.rule) == (False, "campaign.closed_dates")
    assert state.changes_at == at("2026-07-16T07:00", LIMA)


def test_hours_that_never_meet_are_asked_again_at_the_horizon():
    state = rules(PE_LAW, windows=[window(0, 24, (6,))]).window(PE, NOON)
    assert not state.open
    assert 13 * 86_400 <= state.changes_at - NOON <= 14 * 86_400


def test_time_may_be_asked_for_backwards():
    policy = profile("policy", "*", windows=POLICY.windows, caps=(cap("2-a-day", 2, kind="calendar_day"),))
    rule_set = rules(PE_LAW, policy=policy)
    assert rule_set.window(PE, NOON).open
    assert not rule_set.window(PE, NOON - 8 * 3600).open
    today = rule_set.clearance(candidate(PE), NOON).caps[0].since
    assert rule_set.clearance(candidate(PE), NOON - 86_400).caps[0].since == today - 86_400


# ---- clearance ----------------------------------------------------------------------------------------------
def test_stops_are_by_all_that_names_the_person():
    stops = rules(PE_LAW).clearance(candidate(PE), NOON).stop_keys
    assert stops == ("lead:L1", "number:+1", "person:P1", "debt:D1", "everything")
    at_work = rules(PE_LAW).clearance(candidate(PE, account="A1", use="work"), NOON).stop_keys
    assert set(at_work) == {*stops, "account:A1", "work:P1"}


def test_every_attempt_is_recorded_under_all_that_it_names():
    clearance = rules(PE_LAW).clearance(candidate(PE), NOON)
    assert (clearance.fact_keys, clearance.fact) == (("person:P1", "number:+1", "debt:D1"), "|n=+1|d=D1|u=")
    full = rules(PE_LAW).clearance(candidate(PE, account="A1", use="work", subject="S1"), NOON)
    assert full.fact_keys == ("person:P1", "number:+1", "debt:D1", "account:A1")
    assert full.fact == "|n=+1|d=D1|a=A1|s=S1|u=work"


def test_the_laws_caps_come_first_then_the_policys_and_the_campaigns():
    law = profile("pe", "PE", windows=(window(7, 20),), caps=(cap("law", 7, 7, key=("person", "debt")),))
    policy = profile("policy", "*", caps=(cap("policy", 2),))
    slots = rules(law, policy=policy, caps=[cap("own", 3, key=("number",))]).clearance(candidate(PE), NOON).caps
    assert [(slot.rule, slot.key, slot.where, slot.also) for slot in slots] == [
        ("law", "person:P1", ("d=D1",), ""),
        ("policy", "person:P1", (), ""),
        ("own", "number:+1", (), "n=+1"),
    ]


def test_every_cap_looks_into_a_stream_that_is_recorded():
    law = profile(
        "pe",
        "PE",
        windows=(window(7, 20),),
        caps=(
            cap("a", 7, 7, key=("person", "account")),
            cap("b", 7, 7, key=("account",)),
            cap("c", 7, 7, key=("person", "use"), only_use="work"),
        ),
    )
    rule_set = rules(law)
    for who in (candidate(PE), candidate(PE, account="A1"), candidate(PE, use="work", account="A1")):
        clearance = rule_set.clearance(who, NOON)
        assert {slot.key for slot in clearance.caps} <= set(clearance.fact_keys)
        assert len(set(clearance.fact_keys)) == len(clearance.fact_keys)


def test_a_cap_on_the_account_counts_the_debt_where_none_is_named():
    law = profile("pe", "PE", windows=(window(7, 20),), caps=(cap("a", 3, 7, key=("person", "account")),))
    assert rules(law).clearance(candidate(PE), NOON).caps[0].where == ("d=D1|a=D1",)
    assert rules(law).clearance(candidate(PE, account="A1"), NOON).caps[0].where == ("a=A1|d=D1",)


def test_a_cap_on_calls_to_work_is_asked_there_alone():
    at_work = cap("work", 2, 30, key=("person", "debt", "use"), only_use="work")
    law = profile("pe", "PE", windows=(window(7, 20),), caps=(at_work,))
    assert _slots(rules(law), candidate(PE)) == []
    slots = rules(law).clearance(candidate(PE, use="work"), NOON).caps
    assert [(slot.rule, slot.key, slot.where) for slot in slots] == [("work", "person:P1", ("d=D1", "u=work"))]


def test_a_cool_down_is_cleared_with_the_caps():
    rest = CooldownRule(rule="72h", after="abandoned", key=("person",), hours=72, unless_agent_held=True)
    law = profile("pe", "PE", windows=(window(7, 20),), cooldowns=(rest,))
    slot = rules(law).clearance(candidate(PE), NOON).caps[0]
    assert (slot.rule, slot.max, slot.window_s) == ("72h", 1, 72 * 3600.0)
    assert _slots(rules(law), candidate(PE, agent_held=True)) == []


def test_the_seven_in_seven_rule():
    law = profile("us", "US", windows=(window(8, 21),), caps=(cap("us-7in7", 7, 7, key=("person", "debt")),))
    where = place("US", "US-VA", zones=(NEW_YORK,))
    slot = rules(law).clearance(candidate(where), at("2026-07-15T12:00", NEW_YORK)).caps[0]
    assert (slot.key, slot.where, slot.max) == ("person:P1", ("d=D1",), 7)
    assert (slot.since, slot.resets_at) == (at("2026-07-09T00:00", NEW_YORK), at("2026-07-16T00:00", NEW_YORK))


# ---- registries and consent ---------------------------------------------------------------------------------
def _asking(name: str, **rest):
    return profile(name, "PE", windows=(window(0, 24, EVERY_DAY),), **rest)


def test_registries_are_asked_once_as_the_strictest_rule_wants():
    rule_set = rules(
        _asking("loose", dnc=DncRule(registries=("robinson", "other"))),
        _asking("strict", dnc=DncRule(registries=("robinson",), max_age_days=31)),
        stale_lists="warn",
    )
    assert rule_set.clearance(candidate(PE), NOON).lists == (
        ListCheck(registry="robinson", fresh_since=NOON - 31 * 86_400, when_stale="warn", rule="strict"),
        ListCheck(registry="other", fresh_since=0.0, when_stale="warn", rule="loose"),
    )


@pytest.mark.parametrize(("confidence", "asked"), [("V1", False), ("U", True)])
def test_a_registry_is_asked_until_its_last_day_if_that_is_verified(confidence, asked):
    rule = DncRule(registries=("bloctel",), until=date(2026, 7, 15), confidence=confidence)
    rule_set = rules(_asking("fr", dnc=rule))
    assert rule_set.clearance(candidate(PE), at("2026-07-15T23:59", LIMA)).lists
    assert bool(rule_set.clearance(candidate(PE), at("2026-07-16T00:00", LIMA)).lists) == asked


def test_consent_is_asked_as_the_strictest_rule_wants_and_since_its_first_day():
    rule_set = rules(
        _asking("any", consent=ConsentRule()),
        _asking("fresh", consent=ConsentRule(max_age_days=730, since=date(2026, 7, 16))),
        _asking("none", consent=ConsentRule(required=False, max_age_days=1)),
    )
    keys = ("debt_collection|person:P1", "debt_collection|number:+1")
    assert rule_set.clearance(candidate(PE), NOON).consent == ConsentCheck(keys=keys, since=0.0, rule="any")
    later = NOON + 86_400
    assert rule_set.clearance(candidate(PE), later).consent == ConsentCheck(
        keys=keys, since=later - 730 * 86_400, rule="fresh"
    )
    assert rules(PE_LAW).clearance(candidate(PE), NOON).consent is None


def test_the_clocks_of_the_person_are_told():
    both = candidate(place("PE", zones=(LIMA, MADRID)))
    rule_set = rules(PE_LAW)
    # Wednesday 18:30 in Lima is Thursday 01:30 in Madrid.
    assert rule_set.clearance(both, at("2026-07-15T18:30:59", LIMA)).local_times == ((2, 1110), (3, 90))
    assert rule_set.clearance(both, at("2026-07-15T18:31:00", LIMA)).local_times == ((2, 1111), (3, 91))
    assert rule_set.clearance(candidate(PE), NOON).local_times == ((2, 720),)
    guarded = rules(PE_LAW, ring_guard_s=45.0)
    assert guarded.clearance(candidate(PE), at("2026-07-15T11:59:14", LIMA)).local_times == ((2, 719),)
    assert guarded.clearance(candidate(PE), at("2026-07-15T11:59:30", LIMA)).local_times == ((2, 719), (2, 720))


def test_a_clearance_names_the_rules_in_force():
    assert rules(OLD, NEW).clearance(candidate(PE), NOON).profiles == ("new", "policy")


def test_a_batch_is_cleared_or_closed_lead_by_lead():
    rule_set = rules(PE_LAW)
    open_one, closed_one = candidate(PE), candidate(place("PE", zones=(LIMA, "Asia/Tokyo")))
    cleared, closed = rule_set.clearances([open_one, closed_one], NOON)
    assert cleared == rule_set.clearance(open_one, NOON)
    assert closed == rule_set.window(closed_one.place, NOON)
