"""A week of callable hours: counted by half-hours of the clock, and drawn for any width."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from rich.cells import cell_len

from compliance.clearance import Place
from compliance.zones import load_zone
from dialer.cli.compliance import callable_week as weeks
from dialer.cli.compliance.callable_week import SLOTS, CallableWeek, PlaceDay, PlaceWeek, callable_week, week_of
from dialer.cli.compliance.holiday_name import holiday_name
from dialer.cli.compliance.week_view import week_lines

MONDAY = date(2026, 12, 7)
GUARD_S = 45.0
HERE, THERE, NOWHERE = Place(("CO",), ("America/Bogota",)), Place(("ES",), ("Europe/Madrid",)), Place(("XX",), ())


class Rules:
    """Open from 7 to 19 by the first zone's clock on every day but Tuesday."""

    ring_guard_s = GUARD_S

    def fault(self, place: Place) -> str:
        return "zone.unknown"  # then nobody asks for the names of holidays

    def open_times(self, place: Place, since: float, *, days: int) -> Iterator[tuple[float, float]]:
        if not place.zones:
            return
        zone = load_zone(place.zones[0])
        day = datetime.fromtimestamp(since, zone).date()
        for step in range(days + 1):
            that = day + timedelta(days=step)
            if that.weekday() == 1:
                continue
            begin, end = (datetime(that.year, that.month, that.day, hour, tzinfo=zone).timestamp() for hour in (7, 19))
            if end - GUARD_S > since:
                yield begin, end - GUARD_S


@pytest.fixture(autouse=True)
def no_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        reasons = ()

    monkeypatch.setattr(weeks, "judge", lambda *_: Nothing())


def week(leads: dict[tuple[Place, ...], int], zone: str = "America/Bogota", first: date = MONDAY) -> CallableWeek:
    rules: object = Rules()
    return callable_week(rules, leads, first=first, zone=load_zone(zone), zone_name=zone)  # type: ignore[arg-type]


def counts(found: CallableWeek, day: int) -> dict[str, int | None]:
    return {f"{slot // 2:02}:{slot % 2 * 30:02}": found.callable[day][slot] for slot in range(SLOTS)}


def test_half_hours_up_to_the_ring_guard() -> None:
    monday = counts(week({(HERE,): 10}), 0)
    assert [time for time, count in monday.items() if count == 10] == [
        f"{minute // 60:02}:{minute % 60:02}" for minute in range(7 * 60, 19 * 60, 30)
    ]
    assert set(monday.values()) == {0, 10}


def test_places_are_added_by_the_clock_that_draws() -> None:
    # Madrid is six hours ahead: 07 to 19 there is 01 to 13 in Bogota.
    monday = counts(week({(HERE,): 10, (THERE,): 5}), 0)
    assert (monday["00:30"], monday["01:00"], monday["06:30"]) == (0, 5, 5)
    assert (monday["07:00"], monday["12:30"], monday["13:00"], monday["18:30"]) == (15, 15, 10, 10)


def test_a_lead_with_two_numbers_counts_once_and_for_either() -> None:
    monday = counts(week({(HERE, THERE): 10}), 0)
    assert (monday["00:30"], monday["01:00"], monday["10:00"], monday["18:30"], monday["19:00"]) == (0, 10, 10, 10, 0)


def test_a_place_that_nobody_knows_is_never_open() -> None:
    found = week({(HERE,): 3, (NOWHERE,): 4})
    assert (found.leads, found.sometimes) == (7, 3)
    assert max(max(filter(None, day), default=0) for day in found.callable) == 3


def test_a_day_without_hours_is_named_and_the_hours_are_the_places_own() -> None:
    (place,) = week({(THERE,): 1}).places
    assert place.zone == "Europe/Madrid"
    assert [day.open for day in place.days] == [((420, 1140),), (), *[((420, 1140),)] * 5]


def test_clocks_that_skip_and_repeat_half_hours() -> None:
    # Madrid, 2026-03-29: 02:00 to 03:00 is skipped; 2026-10-25: it comes twice.
    spring = counts(week({(HERE,): 1}, zone="Europe/Madrid", first=date(2026, 3, 23)), 6)
    assert [time for time, count in spring.items() if count is None] == ["02:00", "02:30"]
    mexico = Place(("MX",), ("America/Mexico_City",))  # open until 01:00 UTC: in the first 02:00, not in the second
    autumn = counts(week({(mexico,): 1}, zone="Europe/Madrid", first=date(2026, 10, 19)), 6)
    assert None not in autumn.values() and (autumn["01:30"], autumn["02:00"], autumn["02:30"]) == (1, 0, 0)


@pytest.mark.parametrize(("text", "first"), [("2026-W49", date(2026, 11, 30)), ("2027-w1", date(2027, 1, 4))])
def test_iso_weeks(text: str, first: date) -> None:
    assert week_of(text) == first


@pytest.mark.parametrize("text", ["", "2026", "2026-49", "2026-W54", "2026-W0", "2026-W-1", "x-Wy", "2026-W٤"])
def test_other_text_is_no_week(text: str) -> None:
    with pytest.raises(ValueError):
        week_of(text)


# ---- the drawing --------------------------------------------------------------------------------------------
def drawn(width: int, **changes: object) -> list[str]:
    row = tuple(75 if 14 <= slot < 38 else 0 for slot in range(SLOTS))
    day = PlaceDay(date=MONDAY, open=((420, 1140),))
    closed = PlaceDay(date=date(2026, 12, 8), open=(), rules=("co-2300.holiday",), holidays=("Inmaculada\x1b[31m",))
    place = PlaceWeek(
        jurisdictions=("CO",), zones=("America/Bogota",), zone="America/Bogota", leads=100, days=(day, closed)
    )
    found = CallableWeek(
        zone="America/Bogota",
        first=MONDAY,
        leads=100,
        sometimes=75,
        callable=(row, (0,) * SLOTS, (100,) * SLOTS, (1,) * SLOTS, (26,) * SLOTS, (None,) * SLOTS, row),
        places=(place, place),
    )
    return [line.plain for line in week_lines(found, 1, width)]


@pytest.mark.parametrize("width", [160, 120, 80, 70])
def test_a_day_is_a_line_where_there_is_room(width: int) -> None:
    lines = drawn(width)
    cell = 2 if width >= 118 else 1
    days = [line for line in lines if line.startswith(("Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "))]
    assert len(days) == 7 and all(cell_len(line) <= width for line in days)
    assert days[0].split()[3:] == ["·" * 14 * cell + "▓" * 24 * cell + "·" * 10 * cell, "75"]
    assert [line[11] for line in days] == list("··█░▒x·")


def test_a_narrow_screen_has_a_column_a_day() -> None:
    lines = drawn(40)
    grid = [line for line in lines if line[2:3] == ":"]
    assert grid[0] == "00:00 ··· ··· ███ ░░░ ▒▒▒ xxx ···" and len(grid) == SLOTS
    assert "most at once: 75, 0, 100, 1, 26, 0, 75" in lines


def test_what_closes_what_is_told_and_nothing_commands_the_terminal() -> None:
    text = "\n".join(drawn(160))
    assert "CO (America/Bogota), 100 leads: Mon 7 07:00–19:00" in text
    assert "Tue 8 closed: co-2300.holiday: Inmaculada\\x1b[31m" in text
    assert "and 1 more place with 100 leads" in text and "75 of 100 leads may be called" in text
    assert "\x1b" not in text


def test_a_single_lead_is_the_whole_list() -> None:
    rows = [row.plain for row in week_lines(week({(HERE,): 1}), 5, 80)]
    (line,) = [line for line in rows if line.startswith("Mon")]
    assert "█" in line and "░" not in line
    assert rows[0].endswith("; 1 lead") and "1 of 1 lead may be called at some time of the week" in rows
    assert not any("1 leads" in row for row in rows)


@pytest.mark.parametrize(
    ("calendar", "day", "name"),
    [
        ("CO", date(2026, 7, 13), "Chiquinquirá"),
        ("ES-MD", date(2026, 5, 2), "Comunidad de Madrid"),
        ("custom:US-LA-PSC", date(2026, 2, 17), "Mardi Gras"),
        ("custom:US-LA-PSC", date(2026, 5, 25), "Memorial Day"),
        ("CO", date(2026, 7, 14), ""),
        ("FR-RE", date(2026, 12, 20), "Abolition de l'esclavage"),  # the library's RE
    ],
)
def test_holidays_have_names(calendar: str, day: date, name: str) -> None:
    assert name in holiday_name(calendar, day) and (name != "") == (holiday_name(calendar, day) != "")
