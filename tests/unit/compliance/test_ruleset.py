"""The packs as a campaign meets them: dates and hours below were taken from calendars and the laws' texts by hand."""

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from compliance.frequency import DialCandidate
from compliance.rule import CapRule, Profile, WindowRule
from compliance.ruleset import RuleSet
from dialer.config.rule_packs import default_profile, known_jurisdictions, profiles_of

ZONES = {
    "AR": ("America/Buenos_Aires",),
    "CL": ("America/Santiago",),
    "CO": ("America/Bogota",),
    "CR": ("America/Costa_Rica",),
    "EC": ("America/Guayaquil", "Pacific/Galapagos"),
    "ES": ("Atlantic/Canary", "Europe/Madrid"),
    "MX": ("America/Mexico_City",),
    "PE": ("America/Lima",),
    "US": ("America/New_York",),
}


def _rules(country: str, **own) -> RuleSet:
    own.setdefault("ring_guard_s", 0.0)
    return RuleSet({country: profiles_of(country, "debt_collection")}, defaults=default_profile(), **own)


def _at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def _candidate(country: str) -> DialCandidate:
    return DialCandidate(lead_id="L1", person="P1", debt="D1", number="+1", country=country, zones=ZONES[country])


def test_every_pack_is_tried_here():
    assert set(known_jurisdictions()) == set(ZONES)


@pytest.mark.parametrize(
    ("country", "zone", "opens", "closes"),
    [
        ("PE", "America/Lima", "2026-07-15T07:00", "2026-07-15T20:00"),  # Wednesday
        ("CO", "America/Bogota", "2026-07-15T07:00", "2026-07-15T19:00"),
        ("CO", "America/Bogota", "2026-07-18T08:00", "2026-07-18T15:00"),  # Saturday
        ("MX", "America/Mexico_City", "2026-07-19T07:00", "2026-07-19T22:00"),  # Sunday
        ("US", "America/New_York", "2026-07-19T08:00", "2026-07-19T21:00"),
        ("CL", "America/Santiago", "2026-01-17T08:00", "2026-01-17T20:00"),  # Saturday in summer
        ("CL", "America/Santiago", "2026-07-15T08:00", "2026-07-15T19:00"),  # winter: Punta Arenas is an hour ahead
        ("AR", "America/Argentina/Buenos_Aires", "2026-07-18T10:00", "2026-07-18T12:00"),
        ("EC", "America/Guayaquil", "2026-07-15T08:00", "2026-07-15T20:00"),  # 07:00 in the Galapagos
        ("CR", "America/Costa_Rica", "2026-07-15T09:00", "2026-07-15T20:00"),
        ("ES", "Europe/Madrid", "2026-07-15T10:00", "2026-07-15T20:00"),  # 09:00 in the Canaries
        ("ES", "Europe/Madrid", "2026-07-18T11:00", "2026-07-18T14:00"),
    ],
)
def test_hours_of_a_day(country, zone, opens, closes):
    rules, zones = _rules(country), ZONES[country]
    begin, end = _at(opens, zone), _at(closes, zone)
    before = rules.window(country, zones, begin - 0.001)
    assert (before.open, before.changes_at) == (False, begin)
    during = rules.window(country, zones, begin)
    assert (during.open, during.changes_at) == (True, end)
    assert rules.window(country, zones, end - 0.001).open
    assert not rules.window(country, zones, end).open


@pytest.mark.parametrize(
    ("country", "zone", "noon", "rule"),
    [
        ("PE", "America/Lima", "2026-07-18T12:00", "pe-debt.hours"),  # a Saturday
        ("PE", "America/Lima", "2026-07-28T12:00", "pe-debt.holiday"),  # Independence Day
        ("CO", "America/Bogota", "2026-07-13T12:00", "co-2300.holiday"),  # Chiquinquirá, new in 2026
        ("CL", "America/Santiago", "2026-09-18T12:00", "cl-debt.holiday"),
        ("ES", "Europe/Madrid", "2026-10-12T12:00", "policy.holiday"),
        ("EC", "America/Guayaquil", "2026-08-10T12:00", "ec-debt.holiday"),
        ("CR", "America/Costa_Rica", "2026-07-19T12:00", "policy.hours"),  # a Sunday
    ],
)
def test_closed_days_say_why(country, zone, noon, rule):
    state = _rules(country).window(country, ZONES[country], _at(noon, zone))
    assert (state.open, state.rule) == (False, rule)


@pytest.mark.parametrize(("country", "day"), [("MX", "2026-12-25T12:00"), ("US", "2026-07-04T12:00")])
def test_laws_without_holidays_stay_open(country, day):
    assert _rules(country).window(country, ZONES[country], _at(day, ZONES[country][0])).open


def test_a_holiday_is_the_called_partys_local_date():
    # 23:30 on 24 December in Bogotá is the 25th in UTC: closed by the hour, not by the holiday.
    rules = _rules("CO", windows=[])
    assert rules.window("CO", ZONES["CO"], _at("2026-12-24T23:30", "America/Bogota")).rule == "co-2300.hours"


def test_the_ring_guard_stops_before_the_end_and_says_so():
    rules = _rules("PE", ring_guard_s=45.0)
    end = _at("2026-07-15T20:00", "America/Lima")
    assert rules.window("PE", ZONES["PE"], end - 46).changes_at == end - 45
    closed = rules.window("PE", ZONES["PE"], end - 45)
    assert (closed.open, closed.rule) == (False, "ring_guard")
    assert closed.changes_at == _at("2026-07-16T07:00", "America/Lima")


def test_a_country_outside_of_the_campaign_is_never_open():
    state = _rules("PE").window("CO", ZONES["CO"], 1.0)
    assert (state.open, state.changes_at, state.rule) == (False, math.inf, "jurisdiction.unknown")


@pytest.mark.parametrize("zones", [(), ("Etc/Unknown",), ("America/Lima", "Nowhere/Else")])
def test_a_number_without_known_zones_is_never_open(zones):
    state = _rules("PE").window("PE", zones, 1.0)
    assert (state.open, state.changes_at, state.rule) == (False, math.inf, "zone.unknown")


def test_a_fixed_zone_holds_besides_the_numbers_own():
    # A Peruvian number whose owner the list places in Madrid: both clocks must agree.
    rules = _rules("PE")
    assert not rules.window("PE", ("Europe/Madrid",), _at("2026-07-15T19:00", "America/Lima")).open
    assert not rules.window("PE", ("Europe/Madrid",), _at("2026-07-15T08:00", "Europe/Madrid")).open
    assert rules.window("PE", ("Europe/Madrid",), _at("2026-07-15T08:00", "America/Lima")).open


def test_a_campaigns_hours_narrow_and_never_widen():
    own = [WindowRule(days=(2, 5), begin_minute=6 * 60, end_minute=12 * 60)]  # Wednesday and Saturday, 06-12
    rules = _rules("PE", windows=own)
    zone, zones = "America/Lima", ZONES["PE"]
    assert not rules.window("PE", zones, _at("2026-07-15T06:30", zone)).open
    assert rules.window("PE", zones, _at("2026-07-15T07:00", zone)).changes_at == _at("2026-07-15T12:00", zone)
    afternoon = rules.window("PE", zones, _at("2026-07-15T12:00", zone))
    assert (afternoon.open, afternoon.rule) == (False, "campaign.windows.hours")
    assert not rules.window("PE", zones, _at("2026-07-18T10:00", zone)).open  # Saturday stays closed
    assert not rules.window("PE", zones, _at("2026-07-16T10:00", zone)).open


def test_a_campaigns_closed_date_closes():
    rules = _rules("PE", closed_dates=[date(2026, 7, 15)])
    state = rules.window("PE", ZONES["PE"], _at("2026-07-15T10:00", "America/Lima"))
    assert (state.open, state.rule) == (False, "campaign.closed_dates")
    assert state.changes_at == _at("2026-07-16T07:00", "America/Lima")


def test_hours_that_never_meet_are_asked_again_at_the_horizon():
    sundays = [WindowRule(days=(6,), begin_minute=0, end_minute=1440)]
    now = _at("2026-07-15T10:00", "America/Lima")
    state = _rules("PE", windows=sundays).window("PE", ZONES["PE"], now)
    assert not state.open
    assert 13 * 86_400 <= state.changes_at - now <= 14 * 86_400


@pytest.mark.parametrize(
    ("country", "law"),
    [("PE", []), ("US", ["us-7in7"]), ("CO", ["co-1-a-day"]), ("CL", ["cl-1-a-week"]), ("EC", ["ec-1-a-day"])],
)
def test_the_laws_caps_the_policys_and_the_campaigns_all_hold(country, law):
    own = CapRule(rule="own", count="attempt", max=3, kind="rolling_hours", n=24, key=("number",))
    slots = _rules(country, caps=[own]).caps(_candidate(country), 1_784_000_000.0)
    assert [slot.rule for slot in slots] == [*law, "policy-2-a-day", "policy-7-in-7-days", "own"]


def test_the_seven_in_seven_rule():
    now = _at("2026-07-15T12:00", "America/New_York")
    slot = _rules("US").caps(_candidate("US"), now)[0]
    assert (slot.key, slot.max) == ("person+debt:P1|D1", 7)
    assert slot.since == _at("2026-07-09T00:00", "America/New_York")
    assert slot.resets_at == _at("2026-07-16T00:00", "America/New_York")
    assert set(slot.ignores) == {"BUSY", "CONGESTION", "FAILED", "INVALID_NUMBER"}


def test_the_store_records_what_any_campaigns_caps_may_ask():
    odd = CapRule(rule="odd", count="attempt", max=1, kind="calendar_day", n=1, key=("debt", "number"))
    keys = _rules("PE", caps=[odd]).fact_keys(_candidate("PE"))
    assert keys == ("person:P1", "debt:D1", "number:+1", "person+debt:P1|D1", "debt+number:D1|+1")


def test_a_claim_has_the_streams_and_the_caps():
    for country in known_jurisdictions():
        rules, candidate = _rules(country), _candidate(country)
        assert rules.claim(candidate, 1.0) == (rules.fact_keys(candidate), rules.caps(candidate, 1.0))


def test_every_cap_looks_into_a_stream_that_is_recorded():
    for country in known_jurisdictions():
        rules, candidate = _rules(country), _candidate(country)
        assert {slot.key for slot in rules.caps(candidate, 1.0)} <= set(rules.fact_keys(candidate))


def test_stops_are_by_lead_number_and_person():
    assert _rules("PE").stop_keys(_candidate("PE")) == ("lead:L1", "number:+1", "person:P1")


def test_without_a_zone_there_are_no_caps_to_speak_of():
    nowhere = DialCandidate(lead_id="L", person="P", debt="D", number="+1", country="PE", zones=())
    with pytest.raises(KeyError):
        _rules("PE").caps(nowhere, 1.0)


def test_time_may_be_asked_for_backwards():
    rules, noon = _rules("PE"), _at("2026-07-15T12:00", "America/Lima")
    assert rules.window("PE", ZONES["PE"], noon).open
    assert not rules.window("PE", ZONES["PE"], noon - 8 * 3600).open
    today = rules.caps(_candidate("PE"), noon)[0].since
    assert rules.caps(_candidate("PE"), noon - 86_400)[0].since == today - 86_400


def test_a_profile_of_holidays_alone_closes_them():
    feast = Profile(id="feast", jurisdiction="PE", scope=("debt_collection",), holidays="PE")
    rules = RuleSet({"PE": [feast]}, defaults=default_profile(), ring_guard_s=0.0)
    assert rules.window("PE", ZONES["PE"], _at("2026-07-28T12:00", "America/Lima")).rule == "feast.holiday"
    assert rules.window("PE", ZONES["PE"], _at("2026-07-15T12:00", "America/Lima")).open
