from datetime import UTC, datetime

import pytest

from compliance.frequency import NO_CONTACT, CapSlot, DialCandidate, fact_key, ignored_by, period_bounds, plan_cap
from compliance.rule import CapRule
from dialer.core import disposition

LIMA = ("America/Lima",)
SPAIN = ("Atlantic/Canary", "Europe/Madrid")
CANDIDATE = DialCandidate(lead_id="L1", person="P1", debt="D1", number="+51987654321", country="PE", zones=LIMA)


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _rule(**changes) -> CapRule:
    fields = {"rule": "r", "count": "attempt", "max": 2, "kind": "calendar_day", "n": 1, "key": ("person",)}
    return CapRule(**{**fields, **changes})


def test_no_contact_is_the_cores_list():
    assert set(NO_CONTACT) == {str(name) for name in disposition.NO_CONTACT}


def test_a_cap_on_contacts_ignores_what_reached_nobody():
    assert set(ignored_by(_rule(count="contact", exclude=("WRONG_PARTY",)))) == {*NO_CONTACT, "WRONG_PARTY"}
    assert ignored_by(_rule(exclude=("BUSY",))) == ("BUSY",)
    assert "UNKNOWN" not in ignored_by(_rule(count="contact"))


def test_keys_name_their_streams():
    assert fact_key(("person",), CANDIDATE) == "person:P1"
    assert fact_key(("number",), CANDIDATE) == "number:+51987654321"
    assert fact_key(("person", "debt"), CANDIDATE) == "person+debt:P1|D1"


@pytest.mark.parametrize(
    ("kind", "n", "zones", "since", "resets_at"),
    [
        # Wednesday 2026-07-15, 02:00 in Lima.
        ("calendar_day", 1, LIMA, "2026-07-15T05:00", "2026-07-16T05:00"),
        ("rolling_calendar_days", 7, LIMA, "2026-07-09T05:00", "2026-07-16T05:00"),
        ("calendar_week_mon", 1, LIMA, "2026-07-13T05:00", "2026-07-20T05:00"),
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


def test_rolling_hours_look_back_from_now():
    now = _at("2026-07-15T12:00")
    slot = plan_cap(_rule(kind="rolling_hours", n=24, key=("person", "debt")), LIMA, now).slot(
        "person+debt:P1|D1", now + 60
    )
    assert slot == CapSlot(rule="r", key="person+debt:P1|D1", max=2, since=now + 60 - 86_400, window_s=86_400.0)


def test_a_calendar_cap_says_when_it_moves():
    now = _at("2026-07-15T12:00")
    slot = plan_cap(_rule(exclude=("FAILED",)), LIMA, now).slot("person:P1", now)
    assert slot == CapSlot(
        rule="r",
        key="person:P1",
        max=2,
        since=_at("2026-07-15T05:00"),
        ignores=("FAILED",),
        resets_at=_at("2026-07-16T05:00"),
    )
