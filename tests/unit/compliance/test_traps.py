"""Traps of the law that dialers fall into, with the packs and the numbers as they are. Dates and hours were taken from
calendars and the laws' texts by hand."""

from datetime import datetime

import pytest

from compliance.clearance import DialCandidate
from compliance.facts import Fact
from compliance.resolve import resolve
from compliance.verdict import Verdict, judge
from compliance.zones import load_zone
from dialer.config.rule_packs import law

DEBT, SALES = "debt_collection", "telemarketing"
PERU, COLOMBIA, CHILE, ECUADOR = "+51987654321", "+573001234567", "+56961234567", "+593991234567"
VIRGINIA, BOSTON, JACKSON = "+18042255555", "+16172255555", "+16012255555"
VANCOUVER, CALGARY = "+16042255555", "+14032255555"
PARIS, SPAIN = "+33612345678", "+34612345678"
LIMA, BOGOTA, SANTIAGO, GUAYAQUIL = "America/Lima", "America/Bogota", "America/Santiago", "America/Guayaquil"
NEW_YORK, CHICAGO, PARIS_TIME, MADRID = "America/New_York", "America/Chicago", "Europe/Paris", "Europe/Madrid"


def _at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=load_zone(zone)).timestamp()


def _judge(number: str, text: str, clock: str, *history: Fact, scope=DEBT, **address) -> Verdict:
    found = resolve(number, **address)
    assert found.fault == "", found.fault_text
    candidate = DialCandidate(lead_id="L", person="P", debt="D", number=found.number, place=found.place)
    return judge(law(scope), candidate, _at(text, clock), history)


def _next(verdict: Verdict, zone: str) -> str:
    assert verdict.next_allowed_at is not None
    return datetime.fromtimestamp(verdict.next_allowed_at, load_zone(zone)).strftime("%Y-%m-%dT%H:%M")


def _rules(verdict: Verdict) -> set[str]:
    return {reason.rule for reason in verdict.reasons}


def _open_hours(number: str, day: str, zone: str, **rest) -> list[str]:
    """The quarters of an hour of a local date at which a call begins or ceases to be allowed."""
    begin, edges, before = _at(f"{day}T00:00", zone), [], False
    for quarter in range(96):
        wall = datetime.fromtimestamp(begin + quarter * 900, load_zone(zone))
        allowed = _judge(number, wall.strftime("%Y-%m-%dT%H:%M"), zone, **rest).allowed
        if allowed != before:
            edges.append(wall.strftime("%H:%M"))
        before = allowed
    return edges


def _facts(kind: str, *texts: str, zone: str, debt: str = "D") -> list[Fact]:
    return [Fact(at=_at(text, zone), kinds=(kind,), debt=debt) for text in texts]


# ---- Latin America ------------------------------------------------------------------------------------------
def test_peru_is_closed_on_saturday():
    assert _open_hours(PERU, "2026-07-17", LIMA) == ["07:00", "20:00"]
    verdict = _judge(PERU, "2026-07-18T12:00", LIMA)
    assert _rules(verdict) == {"pe-debt.hours"}
    assert verdict.reasons[0].cite.startswith("Ley 29571")
    assert _next(verdict, LIMA) == "2026-07-20T07:00"


def test_colombia_keeps_the_new_holiday_of_2026():
    assert _rules(_judge(COLOMBIA, "2026-07-13T12:00", BOGOTA)) == {"co-2300.holiday"}  # Chiquinquirá
    assert _judge(COLOMBIA, "2026-07-14T12:00", BOGOTA).allowed
    assert _open_hours(COLOMBIA, "2026-07-18", BOGOTA) == ["08:00", "15:00"]  # a Saturday
    # The day of the example: the Immaculate Conception.
    assert _rules(_judge(COLOMBIA, "2026-12-08T10:00", BOGOTA)) == {"co-2300.holiday"}


def test_chile_allows_one_contact_a_week_and_debt():
    monday = "2026-07-13T12:00"
    contact = _facts("contact", monday, zone=SANTIAGO)
    saturday = _judge(CHILE, "2026-07-18T12:00", SANTIAGO, *contact, zone=SANTIAGO)
    assert _rules(saturday) == {"cl-1-a-week"}
    assert _next(saturday, SANTIAGO) == "2026-07-20T08:00"
    assert _judge(CHILE, "2026-07-14T12:00", SANTIAGO, *_facts("attempt", monday, zone=SANTIAGO)).allowed
    assert _judge(CHILE, "2026-07-14T12:00", SANTIAGO, *_facts("contact", monday, zone=SANTIAGO, debt="E")).allowed


def test_ecuador_has_two_clocks_and_one_attempt_a_day():
    # 07:00 in the Galapagos is 08:00 in Guayaquil, whose 20:00 comes first.
    assert _open_hours(ECUADOR, "2026-07-15", GUAYAQUIL) == ["08:00", "20:00"]
    assert _rules(_judge(ECUADOR, "2026-07-18T12:00", GUAYAQUIL)) == {"ec-debt.hours"}  # a Saturday
    tried = _judge(ECUADOR, "2026-07-15T12:00", GUAYAQUIL, *_facts("attempt", "2026-07-15T09:00", zone=GUAYAQUIL))
    assert _rules(tried) == {"ec-1-a-day"}
    assert _next(tried, GUAYAQUIL) == "2026-07-16T08:00"


# ---- United States ------------------------------------------------------------------------------------------
def _days(*days: int) -> list[str]:
    return [f"2026-07-{day:02d}T10:00" for day in days]


def test_the_eighth_attempt_in_seven_days_is_one_too_many():
    noon = "2026-07-15T12:00"
    six = _facts("attempt", *_days(9, 10, 11, 12, 13, 14), zone=NEW_YORK)
    assert _judge(VIRGINIA, noon, NEW_YORK, *six).allowed
    seven = [*six, *_facts("attempt", "2026-07-15T09:00", zone=NEW_YORK)]
    eighth = _judge(VIRGINIA, noon, NEW_YORK, *seven)
    assert "us-7in7" in _rules(eighth)
    reason = next(reason for reason in eighth.reasons if reason.rule == "us-7in7")
    assert reason.text.startswith("7 attempts to this person about this debt in the last 7 days, at most 7 are allowed")
    assert "1006.14(b)(2)" in reason.cite
    assert _next(eighth, NEW_YORK) == "2026-07-16T08:00"


def test_seven_attempts_about_one_debt_leave_another_alone():
    # The policy counts the person's attempts whatever the debt, so it is the one that says no.
    others = _facts("attempt", *_days(9, 10, 11, 12, 13, 14, 15), zone=NEW_YORK, debt="E")
    assert "us-7in7" not in _rules(_judge(VIRGINIA, "2026-07-15T12:00", NEW_YORK, *others))


def test_the_day_of_a_conversation_is_the_first_of_seven():
    talk = _facts("conversation", "2026-07-10T20:30", zone=NEW_YORK)
    last = _judge(VIRGINIA, "2026-07-16T20:00", NEW_YORK, *talk)
    assert _rules(last) == {"us-7-days-after-conversation"}
    assert _next(last, NEW_YORK) == "2026-07-17T08:00"
    assert _judge(VIRGINIA, "2026-07-17T08:00", NEW_YORK, *talk).allowed


def test_a_conversation_that_they_began_counts():
    talk = Fact(at=_at("2026-07-10T20:30", NEW_YORK), kinds=("conversation",), debt="D", channel="inbound")
    assert _rules(_judge(VIRGINIA, "2026-07-16T20:00", NEW_YORK, talk)) == {"us-7-days-after-conversation"}


def test_massachusetts_allows_two_in_seven_days_for_the_number_and_for_the_address():
    two = _facts("attempt", "2026-07-09T10:00", "2026-07-14T10:00", zone=NEW_YORK)
    noon = "2026-07-15T12:00"
    assert "us-ma-2-in-7-days" in _rules(_judge(BOSTON, noon, NEW_YORK, *two))
    assert _next(_judge(BOSTON, noon, NEW_YORK, *two), NEW_YORK) == "2026-07-16T08:00"
    assert _judge(BOSTON, noon, NEW_YORK, *two[1:]).allowed
    # A lead that moved and kept the number: both places count.
    assert _judge(VIRGINIA, noon, NEW_YORK, *two).allowed
    assert "us-ma-2-in-7-days" in _rules(_judge(VIRGINIA, noon, NEW_YORK, *two, subdivision="US-MA"))


def test_a_lead_that_moved_is_asked_by_both_clocks():
    # From Virginia to Washington: 08:00 there is 11:00 in New York, whose 21:00 comes first.
    assert _open_hours(VIRGINIA, "2026-07-15", NEW_YORK, subdivision="US-WA") == ["11:00", "21:00"]


def test_mississippi_means_standard_time_in_summer_too():
    # 08:00 to 20:00 Central Standard Time and by the clock on the wall, an hour ahead of it in July.
    assert _open_hours(JACKSON, "2026-07-15", CHICAGO, scope=SALES) == ["09:00", "20:00"]
    assert _open_hours(JACKSON, "2026-01-14", CHICAGO, scope=SALES) == ["08:00", "20:00"]
    assert "us-ms-tmk.hours" in _rules(_judge(JACKSON, "2026-07-19T12:00", CHICAGO, scope=SALES))  # a Sunday


# ---- Canada -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "zone", "day", "opens_at", "closes_at"),
    [
        # No winter time from November 2026 on: an hour before what an older copy of the zone data says.
        (VANCOUVER, "America/Vancouver", "2026-12-15", "2026-12-15T14:00", "2026-12-16T04:00"),  # 07-21, UTC-7
        (VANCOUVER, "America/Vancouver", "2026-10-15", "2026-10-15T14:00", "2026-10-16T04:00"),
        (CALGARY, "America/Edmonton", "2026-12-15", "2026-12-15T15:00", "2026-12-16T02:00"),  # the policy's, UTC-6
        (CALGARY, "America/Edmonton", "2026-10-15", "2026-10-15T15:00", "2026-10-16T02:00"),
    ],
)
def test_british_columbia_and_alberta_keep_summer_time(number, zone, day, opens_at, closes_at):
    place = resolve(number).place
    assert place.zones == (zone,)
    opens, closes = _at(opens_at, "UTC"), _at(closes_at, "UTC")
    rules = law(DEBT)
    before = rules.window(place, opens - 1)
    assert (before.open, before.changes_at) == (False, opens), day
    assert rules.window(place, opens).changes_at == closes - rules.ring_guard_s


# ---- Europe -------------------------------------------------------------------------------------------------
def test_france_has_two_windows_a_day():
    assert _open_hours(PARIS, "2026-07-15", PARIS_TIME, scope=SALES) == ["10:00", "13:00", "14:00", "20:00"]
    assert _rules(_judge(PARIS, "2026-07-15T13:30", PARIS_TIME, scope=SALES)) == {"fr-tmk.hours"}
    assert "fr-tmk.hours" in _rules(_judge(PARIS, "2026-07-18T11:00", PARIS_TIME, scope=SALES))  # a Saturday
    assert _rules(_judge(PARIS, "2026-07-14T11:00", PARIS_TIME, scope=SALES)) == {"fr-tmk.holiday"}


def test_france_allows_four_attempts_in_thirty_days():
    four = _facts(
        "attempt", "2026-06-16T11:00", "2026-06-23T11:00", "2026-07-01T11:00", "2026-07-08T11:00", zone=PARIS_TIME
    )
    fifth = _judge(PARIS, "2026-07-15T11:00", PARIS_TIME, *four, scope=SALES)
    assert _rules(fifth) == {"fr-4-in-30-days"}
    assert _next(fifth, PARIS_TIME) == "2026-07-16T10:00"
    assert _judge(PARIS, "2026-07-15T11:00", PARIS_TIME, *four[1:], scope=SALES).allowed


def test_france_rests_sixty_days_after_a_refusal():
    refused = _facts("refusal", "2026-01-05T11:00", zone=PARIS_TIME)
    # The day after the refusal is the first of sixty: the last one is 6 March, a Friday.
    last = _judge(PARIS, "2026-03-06T11:00", PARIS_TIME, *refused, scope=SALES)
    assert _rules(last) == {"fr-60-days-after-refusal"}
    assert _next(last, PARIS_TIME) == "2026-03-09T10:00"


def test_france_wants_consent_since_august_2026():
    assert _judge(PARIS, "2026-08-10T11:00", PARIS_TIME, scope=SALES).requires == ("registry fr_bloctel (fr-tmk)",)
    assert _judge(PARIS, "2026-08-12T11:00", PARIS_TIME, scope=SALES).requires == ("consent (fr-tmk)",)


def test_a_spanish_mobile_may_be_in_the_canaries():
    assert _open_hours(SPAIN, "2026-07-15", MADRID) == ["10:00", "20:00"]  # the policy's 09-20 by both clocks
    assert _open_hours(SPAIN, "2026-07-15", MADRID, scope=SALES) == ["10:00", "21:00"]
    assert "es-tmk.hours" in _rules(_judge(SPAIN, "2026-07-18T12:00", MADRID, scope=SALES))


# ---- numbers that nobody can place --------------------------------------------------------------------------
def test_toll_free_numbers_are_nowhere():
    assert resolve("+18002255555").fault == "number.non_geographic"


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+19282255555", {"America/Phoenix", "America/Denver"}),  # Arizona and the Navajo Nation
        ("+18122255555", {"America/Chicago"}),  # Indiana, on two clocks
        ("+18672255555", {"America/Whitehorse", "America/Yellowknife", "America/Iqaluit"}),
    ],
)
def test_area_codes_on_several_clocks_are_asked_by_each(number, zones):
    found = resolve(number).place.zones
    offsets = {_at("2026-07-15T12:00", zone) for zone in found}
    assert {_at("2026-07-15T12:00", zone) for zone in zones} <= offsets
    assert len(offsets) > 1
