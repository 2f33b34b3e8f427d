"""Time zones, from the `tzdata` package and never from the operating system.

How it works: `zoneinfo.ZoneInfo(key)` asks the operating system's copy first, and an old image then calls British
Columbia an hour off (permanent summer time from 2026). `load_zone` reads the pinned package's file by itself, so
neither `TZPATH` nor `PYTHONTZPATH` matters, and no global state of `zoneinfo` is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

DAY_S = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# Far less than the time between any two changes of a zone's offset since 1970, so no pair hides in one step.
_PROBE_S = 3 * 3600
# A release is named by its year and a letter, not by its day. Years have had two to ten of them: the first at the end
# of January and one every 45 days is a guess between those, and never later than the year's end.
_FIRST_RELEASE_DAYS, _RELEASE_EVERY_DAYS = 30, 45


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of all zones of the package, old names (links) included."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """Return the zone `name` of the package. Raises `KeyError` for any other name."""
    return ZoneInfo.from_file(BytesIO(_zone_file(name)), key=name)


@lru_cache(maxsize=1)
def zones_of_countries() -> Mapping[str, frozenset[str]]:
    """Return the zones of each country, ISO 3166 alpha-2, as `zone.tab` lists them."""
    zones: dict[str, set[str]] = {}
    for line in (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            zones.setdefault(country, set()).add(name)
    return {country: frozenset(names) for country, names in zones.items()}


@cache
def present_name(zone: str) -> str:
    """Return the zone that a name leads to: `America/New_York` for `US/Eastern`, itself where it is no old name."""
    return _links().get(zone, zone)


@cache
def clock_to_come(zone: str) -> str:
    """Return how a zone's clock is set from now on, as its file's last line says: `EST5EDT,M3.2.0,M11.1.0`.

    Zones with one rule differ in the past alone. Raises `KeyError` for what is no zone.
    """
    return _zone_file(zone).rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")


@lru_cache(maxsize=1)
def _links() -> Mapping[str, str]:
    lines = (resources.files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines()
    return {old: new for kind, new, old in (line.split() for line in lines if line.startswith("L ")) if kind == "L"}


def _zone_file(name: str) -> bytes:
    if name not in known_zones():
        raise KeyError(name)
    return (resources.files("tzdata") / "zoneinfo").joinpath(*name.split("/")).read_bytes()


@lru_cache(maxsize=1)
def tzdata_version() -> str:
    """Return the version of the IANA data in the package: `2026f`."""
    for line in (resources.files("tzdata") / "zoneinfo" / "tzdata.zi").read_text(encoding="utf-8").splitlines():
        if line.startswith("# version "):
            return line.removeprefix("# version ").strip()
    raise ValueError("expected '# version' in the zone data of the tzdata package, found none")


def tzdata_age_days(today: date, version: str = "") -> int:
    """Return about how old the zone data are, days (>= 0); `version` stands for the package's own.

    Only the year and the letter of a release are known, so its day is guessed: 30 January for `a`, 45 days more for
    each letter, and not after the year's end. Off by some months at worst. Raises `ValueError` for another form.
    """
    version = version or tzdata_version()
    found = re.fullmatch(r"(\d{4})([a-z])", version)
    if found is None:
        raise ValueError(f"expected a version of zone data such as 2026a, was {version!r}")
    year, letter = int(found[1]), ord(found[2]) - ord("a")
    released = date(year, 1, 1) + timedelta(days=_FIRST_RELEASE_DAYS - 1 + _RELEASE_EVERY_DAYS * letter)
    return max(0, (today - min(released, date(year, 12, 31))).days)


def offset_at(zone: str, at: int) -> int:
    """Return the zone's offset from UTC at the instant `at` (UTC seconds), in seconds, east positive."""
    offset = datetime.fromtimestamp(at, load_zone(zone)).utcoffset()
    assert offset is not None  # a ZoneInfo always knows
    return int(offset.total_seconds())


@lru_cache(maxsize=8192)
def offset_pieces(zone: str, utc_day: int) -> tuple[tuple[int, int, int], ...]:
    """Cut a UTC day (counted from 1970-01-01) where the zone's offset changes: (begin, end, offset), UTC seconds."""
    begin, day_end = utc_day * DAY_S, (utc_day + 1) * DAY_S
    pieces = []
    offset = offset_at(zone, begin)
    for probe in range(begin + _PROBE_S, day_end + 1, _PROBE_S):
        # The day's end belongs to the next day: look at its last second instead.
        following = offset_at(zone, min(probe, day_end - 1))
        if following != offset:
            change = _change_between(zone, max(begin, probe - _PROBE_S), min(probe, day_end - 1))
            pieces.append((begin, change, offset))
            begin, offset = change, following
    pieces.append((begin, day_end, offset))
    return tuple(pieces)


def _change_between(zone: str, before: int, after: int) -> int:
    """Return the first second with the offset of `after`, where `before` and `after` have different ones."""
    offset = offset_at(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def local_date(zone: str, at: float) -> date:
    """Return the local date at the instant `at` (UTC seconds)."""
    return datetime.fromtimestamp(at, load_zone(zone)).date()


def day_begin(zone: str, day: date) -> float:
    """Return the first instant of a local date, UTC seconds; where clocks skip midnight, the instant of the skip."""
    return datetime(day.year, day.month, day.day, tzinfo=load_zone(zone)).astimezone(UTC).timestamp()
