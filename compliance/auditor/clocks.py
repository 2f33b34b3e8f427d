"""Local clocks, from the `tzdata` package alone: the system's own zones may be years old."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo


@cache
def zone_names() -> frozenset[str]:
    """Return every zone that the package has."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def clock_of(zone: str) -> ZoneInfo:
    """Return a zone's clock. Raises `KeyError` for a name that is no zone."""
    if zone not in zone_names():
        raise KeyError(zone)
    file = resources.files("tzdata") / "zoneinfo"
    for part in zone.split("/"):
        file = file / part
    with file.open("rb") as data:
        return ZoneInfo.from_file(data, key=zone)


def local_time(at: float, zone: str) -> datetime:
    """Return the local time of a moment (UTC seconds)."""
    return datetime.fromtimestamp(at, clock_of(zone))
