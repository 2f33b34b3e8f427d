"""Writes the table of countries in compliance.md from the rule packs.

.venv/bin/python docs/rules_table.py            # after a change of compliance/rules
.venv/bin/python docs/rules_table.py --check    # what the test asks
"""

from __future__ import annotations

import sys
from pathlib import Path

from marked_block import write_or_check

from compliance.rule import CapRule, Profile
from dialer.config.rule_packs import DAYS, known_jurisdictions, profiles_of

PAGE = Path(__file__).with_name("compliance.md")


def table() -> str:
    """Return one row a profile of debt collection."""
    rows = ["| | hours, local | holidays | caps of law | confidence | law |", "|---|---|---|---|---|---|"]
    rows += [_row(profile) for country in known_jurisdictions() for profile in profiles_of(country, "debt_collection")]
    return "\n".join(rows)


def _row(profile: Profile) -> str:
    law_closes = bool(profile.holidays) or not profile.windows
    caps = "; ".join(map(_cap, profile.caps)) or "–"
    return (
        f"| {profile.jurisdiction} | {_hours(profile)} | {'closed' if law_closes else 'open'} | {caps} | "
        f"{profile.confidence} | {profile.cite} |"
    )


def _hours(profile: Profile) -> str:
    if not profile.windows:
        return "policy"
    by_hours: dict[str, list[int]] = {}
    for window in profile.windows:
        hours = f"{_clock(window.begin_minute)}–{_clock(window.end_minute)}"
        by_hours.setdefault(hours, []).extend(window.days)
    return ", ".join(f"{_days(days)} {hours}" for hours, days in by_hours.items())


def _days(days: list[int]) -> str:
    first, last = DAYS[min(days)].capitalize(), DAYS[max(days)].capitalize()
    if sorted(days) != list(range(min(days), max(days) + 1)):
        return ", ".join(DAYS[day].capitalize() for day in sorted(days))
    return first if first == last else f"{first}–{last}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _cap(cap: CapRule) -> str:
    period = {
        "calendar_day": "day",
        "calendar_week_mon": "week",
        "calendar_month": "month",
        "rolling_calendar_days": "days",
        "rolling_hours": "hours",
    }[cap.kind]
    span = f"a {period}" if cap.n == 1 else f"in {cap.n} {period.removesuffix('s')}s"
    return f"{cap.max} {cap.count}{'s' if cap.max > 1 else ''} {span}, by {' and '.join(cap.key)}"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, {"countries": table()}))
