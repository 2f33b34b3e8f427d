"""Hours in which somebody must not be called, as people say them: `mon-fri 09:00-17:00`, `dom`, `22:00-7`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dialer.errors import ConfigError

DAY_MINUTES = 1440
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Span = tuple[int, int, int]  # weekday (0: Monday), begin and end in minutes after local midnight, half-open

_NAMES = (
    "mon monday lun lunes seg segunda",
    "tue tues tuesday mar martes ter terca",
    "wed wednesday mie mier miercoles qua quarta",
    "thu thur thurs thursday jue jueves qui quinta",
    "fri friday vie viernes sex sexta",
    "sat saturday sab sabado",
    "sun sunday dom domingo",
)
_DAY_OF = {name: day for day, names in enumerate(_NAMES) for name in names.split()}
_ALL_DAYS = frozenset({"daily", "everyday", "always", "diario", "siempre", "todos"})
_ACCENTS = str.maketrans("áéíóúç–—", "aeiouc--")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?)?")
_FORM = "expected days, times or both, as in `mon-fri 09:00-17:00`, `sat,sun` or `20:00-08:00`"


def read_hours(texts: Iterable[str]) -> tuple[Span, ...]:
    """Return the spans that the texts name, sorted and joined; hours over midnight go on on the next day.

    Raises `ConfigError` for what is no such text: nothing is guessed.
    """
    return join_spans(span for text in texts for span in _spans(text))


def join_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans sorted, with those that touch or overlap joined."""
    joined: list[Span] = []
    for day, begin, end in sorted(spans):
        if joined and joined[-1][0] == day and begin <= joined[-1][2]:
            joined[-1] = (day, joined[-1][1], max(end, joined[-1][2]))
        else:
            joined.append((day, begin, end))
    return tuple(joined)


def show_hours(spans: Iterable[Span]) -> str:
    """Write the spans as `read_hours` reads them, days with the same hours together."""
    by_day: dict[int, list[str]] = {}
    for day, begin, end in sorted(spans):
        by_day.setdefault(day, []).append(f"{_clock(begin)}-{_clock(end)}")
    days_of: dict[str, list[int]] = {}
    for day, times in by_day.items():
        for time in times:
            days_of.setdefault(time, []).append(day)
    return "; ".join(f"{_days_text(days)} {time}" for time, days in days_of.items())


def _spans(text: str) -> Iterable[Span]:
    words = text.casefold().translate(_ACCENTS).replace(", ", ",").replace(" - ", "-").split()
    times = [word for word in words if word[0].isdigit()]
    days = [word for word in words if not word[0].isdigit()]
    if not words or len(times) > 1 or len(days) > 1 or (days and times and words[0] != days[0]):
        raise ConfigError(f"{text!r}: {_FORM}")
    begin, end = _times(text, times[0]) if times else (0, DAY_MINUTES)
    for day in _days(text, days[0]) if days else range(7):
        if begin < end:
            yield day, begin, end
            continue
        yield day, begin, DAY_MINUTES
        if end > 0:
            yield (day + 1) % 7, 0, end


def _days(text: str, word: str) -> list[int]:
    if word in _ALL_DAYS:
        return list(range(7))
    found: list[int] = []
    for part in word.split(","):
        first, _, last = part.partition("-")
        ends = [_DAY_OF.get(name) for name in (first, last or first)]
        begin, end = ends
        if begin is None or end is None:
            unknown = first if begin is None else last
            raise ConfigError(f"{text!r}: {unknown!r} is no day of the week: write {', '.join(WEEK)}")
        found += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return sorted(set(found))


def _times(text: str, word: str) -> tuple[int, int]:
    first, dash, last = word.partition("-")
    begin, end = _minute(first), _minute(last)
    if not dash or begin is None or end is None or begin in (DAY_MINUTES, end):
        raise ConfigError(f"{text!r}: expected two different times of 24 hours, as in 09:00-17:00, was {word!r}")
    return begin, end


def _minute(clock: str) -> int | None:
    match = _TIME.fullmatch(clock)
    if match is None:
        return None
    hours, minutes = int(match[1]), int(match[2] or 0)
    return hours * 60 + minutes if minutes < 60 and hours * 60 + minutes <= DAY_MINUTES else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days_text(days: list[int]) -> str:
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{WEEK[days[0]]}-{WEEK[days[-1]]}"
    return ",".join(WEEK[day] for day in days)
