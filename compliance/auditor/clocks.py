"""Local clocks, from the `tzdata` package alone: the system's own zones may be years old."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo


@cache
def zone_names() -> frozenset[str]:
    """Return every zone that the package has."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def clock_of(zone: str) -> ZoneInfo:
    """Return a zone's clock. Raises `KeyError` for a name that is no zone."""
    return ZoneInfo.from_file(BytesIO(zone_file(zone)), key=zone)


@cache
def zone_file(zone: str) -> bytes:
    """Return a zone's file. Raises `KeyError` for a name that is no zone."""
    if zone not in zone_names():
        raise KeyError(zone)
    file = resources.files("tzdata") / "zoneinfo"
    for part in zone.split("/"):
        file = file / part
    return file.read_bytes()


@cache
def country_zones() -> frozenset[tuple[str, str]]:
    """Return every pair of a country and a zone of it in the package's `zone.tab`."""
    text = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    cells = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return frozenset((cell[0], cell[2]) for cell in cells)


def local_time(at: float, zone: str) -> datetime:
    """Return the local time of a moment (UTC seconds)."""
    return datetime.fromtimestamp(at, clock_of(zone))
