"""What a holiday is called."""

from __future__ import annotations

from datetime import date

import holidays

from compliance.calendars import CUSTOM, custom_calendars, library_code


def holiday_name(calendar: str, day: date) -> str:
    """Return the name of a calendar's holiday on that date, in the country's own language; empty if it has none."""
    if calendar.startswith(CUSTOM):
        own = custom_calendars()[calendar.removeprefix(CUSTOM)]
        named = next((entry.name for entry in own.days if entry.in_year(day.year) == day), "")
        return named or next(filter(None, (holiday_name(base, day) for base in own.base)), "")
    country, _, subdivision = library_code(calendar).partition("-")
    # Without a language the library takes this machine's.
    language = holidays.country_holidays(country).default_language
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=day.year, language=language)
    return str(found.get(day) or "")
