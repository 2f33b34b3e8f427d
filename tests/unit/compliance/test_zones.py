import zoneinfo
from datetime import UTC, date, datetime

import pytest

from compliance.zones import (
    clock_to_come,
    day_begin,
    known_zones,
    load_zone,
    local_date,
    offset_at,
    offset_pieces,
    present_name,
    tzdata_age_days,
    tzdata_version,
    zones_of_countries,
)


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_packages_zones_are_used_whatever_the_operating_system_has(tmp_path):
    # A copy of Lima's clock under Vancouver's name stands for an out-of-date system.
    (tmp_path / "America").mkdir()
    with (tmp_path / "America" / "Vancouver").open("wb") as file:
        from importlib import resources

        file.write((resources.files("tzdata") / "zoneinfo" / "America" / "Lima").read_bytes())
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    load_zone.cache_clear()
    try:
        assert zoneinfo.ZoneInfo("America/Vancouver").utcoffset(datetime(2026, 12, 15)).total_seconds() == -5 * 3600
        assert offset_at("America/Vancouver", _at("2026-12-15T12:00")) == -7 * 3600
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize("name", ["Etc/Unknown", "", "../../etc/passwd", "America", "america/lima", "zone.tab"])
def test_a_name_that_is_no_zone_is_refused(name):
    with pytest.raises(KeyError):
        load_zone(name)


def test_old_names_are_known():
    assert {"America/Buenos_Aires", "America/Lima", "Atlantic/Canary"} <= known_zones()


@pytest.mark.parametrize(
    ("zone", "change", "before", "after"),
    [
        ("America/New_York", "2026-03-08T07:00", -5, -4),
        ("America/New_York", "2026-11-01T06:00", -4, -5),
        ("Europe/Madrid", "2026-03-29T01:00", 1, 2),
        ("America/Santiago", "2026-04-05T03:00", -3, -4),
        ("Australia/Lord_Howe", "2026-04-04T15:00", 11, 10.5),
    ],
)
def test_a_utc_day_is_cut_where_the_offset_changes(zone, change, before, after):
    day = _at(change) // 86_400
    assert offset_pieces(zone, day) == (
        (day * 86_400, _at(change), before * 3600),
        (_at(change), (day + 1) * 86_400, after * 3600),
    )


def test_a_day_without_a_change_is_one_piece():
    assert offset_pieces("America/Lima", 20_000) == ((20_000 * 86_400, 20_001 * 86_400, -5 * 3600),)


def test_a_date_whose_midnight_is_skipped_begins_at_the_skip():
    # Santiago goes from Saturday 24:00 to Sunday 01:00.
    assert day_begin("America/Santiago", date(2026, 9, 6)) == _at("2026-09-06T04:00")
    assert local_date("America/Santiago", _at("2026-09-06T04:00")) == date(2026, 9, 6)
    assert local_date("America/Santiago", _at("2026-09-06T04:00") - 1) == date(2026, 9, 5)


def test_the_version_of_the_zone_data_is_the_packages():
    import tzdata

    assert tzdata_version() == tzdata.IANA_VERSION


@pytest.mark.parametrize(
    ("version", "days"),
    [("2026a", 296), ("2026b", 251), ("2026f", 71), ("2026i", 0), ("2025b", 616), ("2025j", 326), ("2027a", 0)],
)
def test_how_old_zone_data_are_is_guessed_from_their_letter(version, days):
    assert tzdata_age_days(date(2026, 11, 22), version) == days


def test_the_packages_zone_data_have_an_age():
    assert tzdata_age_days(date(2040, 1, 1)) > 365


@pytest.mark.parametrize("version", ["2026", "26a", "2026.6", "2026ab", "a2026"])
def test_a_version_of_another_form_is_refused(version):
    with pytest.raises(ValueError, match="expected a version of zone data such as 2026a"):
        tzdata_age_days(date(2026, 11, 22), version)


def test_old_names_lead_to_present_ones():
    assert present_name("US/Eastern") == present_name("America/New_York") == "America/New_York"
    assert {present_name(name) for name in known_zones()} <= known_zones()


def test_zones_of_one_clock_to_come_agree():
    assert clock_to_come("America/Detroit") == clock_to_come("America/New_York") == "EST5EDT,M3.2.0,M11.1.0"
    assert clock_to_come("America/Phoenix") != clock_to_come("America/Denver")
    with pytest.raises(KeyError):
        clock_to_come("../../etc/passwd")


def test_every_zone_of_a_country_is_known():
    assert zones_of_countries()["ES"] == {"Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"}
    assert len(zones_of_countries()) > 240
    assert set().union(*zones_of_countries().values()) <= known_zones()
