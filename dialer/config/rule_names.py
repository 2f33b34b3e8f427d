"""Whether what a profile names exists: places, zones, calendars, dispositions."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources

from compliance.calendars import has_calendar
from compliance.rule import Profile
from compliance.zones import known_zones
from dialer.config.names import DISPOSITIONS, meant
from dialer.config.rule_pack_file import ANYWHERE
from dialer.config.yaml_lines import Loc


def unknown_names(profile: Profile) -> Iterator[tuple[Loc, str]]:
    """Yield the names in a profile that nothing bears: where each stands within it, and the mend."""
    if "-" in profile.jurisdiction and profile.jurisdiction not in _subdivisions():
        yield ("jurisdiction",), f"expected a country or a subdivision of it, was {profile.jurisdiction!r}"
    for number, zone in enumerate(profile.zones):
        if zone not in known_zones():
            yield ("zones", number), f"expected a time zone such as America/Lima, was {zone!r}"
    if profile.holidays is not None and not _is_calendar(profile.holidays.calendar, profile):
        text = f"expected a calendar such as CO, ES-MD or custom:CA-QC-OPC, was {profile.holidays.calendar!r}"
        yield ("holidays", "calendar"), text
    for number, cap in enumerate(profile.caps):
        for place, name in enumerate(cap.exclude):
            if name not in DISPOSITIONS:
                text = f"expected a disposition, was {name!r}: {meant(name, DISPOSITIONS)}"
                yield ("caps", number, "exclude", place), text


def _is_calendar(code: str, profile: Profile) -> bool:
    return profile.jurisdiction == ANYWHERE if code == ANYWHERE else has_calendar(code)


@lru_cache(maxsize=1)
def _subdivisions() -> frozenset[str]:
    file = resources.files("compliance") / "places" / "subdivisions.csv"
    return frozenset(row[0] for row in csv.reader(file.read_text(encoding="utf-8").splitlines()) if row)
