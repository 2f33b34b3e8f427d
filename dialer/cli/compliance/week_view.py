"""A week of callable hours, drawn for the width of the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from rich.text import Text

from dialer.cli.compliance.callable_week import DAYS, SLOTS, CallableWeek, PlaceDay, PlaceWeek
from dialer.cli.safe_text import make_console, safe

_SHADES, _ASCII_SHADES = "·░▒▓█", ".-+*#"  # nobody, up to a quarter, half, three quarters, more
_COLOURS = ("bright_black", "red", "yellow", "green", "bright_green")
_SKIPPED = "x"
_LABEL = 11  # `Mon 30 Nov `
_TOTAL = 11  # ` 1,000,000`
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def show(week: CallableWeek, *, rows: int, notes: tuple[str, ...] = (), width: int | None = None) -> None:
    """Print a week, then what closes what in up to `rows` places. `width`: characters."""
    console = make_console()
    shades = _SHADES if console.encoding.lower().startswith("utf") else _ASCII_SHADES
    for line in week_lines(week, rows, console.width if width is None else width, shades):
        console.print(line, soft_wrap=True)
    for note in notes:
        console.print(safe(note), soft_wrap=True)


def week_lines(week: CallableWeek, rows: int, width: int, shades: str = _SHADES) -> list[Text]:
    """Return the drawing: a day a line where there is room for its half-hours, else a half-hour a line."""
    head = f"callable hours from {week.first:%a %Y-%m-%d}, by the clocks of {safe(week.zone)}; {_leads(week.leads)}"
    lines = [Text(head, style="bold")]
    room = width - _LABEL - _TOTAL
    if room >= SLOTS:
        lines += _days_as_rows(week, shades, 2 if room >= 2 * SLOTS else 1)
    else:
        lines += _days_as_columns(week, shades)
    lines += [
        _legend(shades),
        Text(f"{week.sometimes:,} of {_leads(week.leads)} may be called at some time of the week"),
    ]
    lines += [Text(""), Text("where and when", style="bold")]
    for place in week.places[:rows]:
        lines += _place(place)
    if len(week.places) > rows:
        rest = sum(place.leads for place in week.places[rows:])
        more = len(week.places) - rows
        places = "place" if more == 1 else "places"
        lines.append(Text(f"and {more:,} more {places} with {_leads(rest)}: --rows, --json"))
    return lines


def _leads(count: int) -> str:
    return f"{count:,} lead" if count == 1 else f"{count:,} leads"


# ---- the drawing --------------------------------------------------------------------------------------------
def _days_as_rows(week: CallableWeek, shades: str, cell: int) -> Iterator[Text]:
    """Yield a line a day; each half-hour is `cell` characters."""
    hours = "".join(f"{hour:02}".ljust(4 * cell) for hour in range(0, 24, 2))
    yield Text(" " * _LABEL + hours + "most".rjust(_TOTAL))
    for day, counts in zip(_dates(week), week.callable, strict=True):
        line = Text(f"{_NAMES[day.weekday()]} {day:%d %b} ")
        for count in counts:
            line.append(*_cell(count, week.leads, shades, cell))
        yield line.append(f"{_most(counts):>{_TOTAL},}", style="default")


def _days_as_columns(week: CallableWeek, shades: str) -> Iterator[Text]:
    """Yield a line a half-hour, from the first to the last in which anybody may be called, and a column a day."""
    dates = _dates(week)
    yield Text("      " + " ".join(_NAMES[day.weekday()] for day in dates))
    yield Text("      " + " ".join(f"{day.day:>3}" for day in dates))
    used = [slot for slot in range(SLOTS) if any(day[slot] for day in week.callable)]
    for slot in range(used[0], used[-1] + 1) if used else ():
        line = Text(f"{slot // 2:02}:{slot % 2 * 30:02}")
        for day in week.callable:
            line.append(" ").append(*_cell(day[slot], week.leads, shades, 3))
        yield line
    yield Text("most at once: " + ", ".join(f"{_most(counts):,}" for counts in week.callable))


def _cell(count: int | None, leads: int, shades: str, width: int) -> tuple[str, str]:
    """Return what a half-hour looks like, and its colour."""
    if count is None:
        return _SKIPPED * width, "bright_black"
    shade = -(-4 * count // leads) if count else 0
    return shades[shade] * width, _COLOURS[shade]


def _legend(shades: str) -> Text:
    text = Text("share of the leads: ")
    for shade, colour, meaning in zip(shades, _COLOURS, ("none", "to 1/4", "to 1/2", "to 3/4", "more"), strict=True):
        text.append(shade * 2, style=colour).append(f" {meaning}  ")
    return text.append(f"{_SKIPPED * 2} skipped by the clocks")


def _dates(week: CallableWeek) -> tuple[date, ...]:
    return tuple(date.fromordinal(week.first.toordinal() + day) for day in range(DAYS))


def _most(counts: tuple[int | None, ...]) -> int:
    return max((count for count in counts if count is not None), default=0)


# ---- what closes what ---------------------------------------------------------------------------------------
def _place(place: PlaceWeek) -> Iterator[Text]:
    """Yield a line on a place, and one for each reason that closes days of it."""
    others = f" and {len(place.zones) - 1} more" if len(place.zones) > 1 else ""
    where = f"{', '.join(place.jurisdictions)} ({place.zone}{others})"
    hours = "; ".join(f"{days} {text}" for days, text in _grouped(place.days, _hours))
    yield Text(f"  {safe(where)}, {_leads(place.leads)}: {hours or 'closed all week'}")
    for days, text in _grouped(place.days, _closure):
        yield Text(f"      {days} closed: {safe(text)}")


def _hours(day: PlaceDay) -> str:
    return ", ".join(f"{_clock(begin)}–{_clock(end)}" for begin, end in day.open)


def _closure(day: PlaceDay) -> str:
    return "" if day.open else ": ".join(filter(None, (", ".join(day.rules), ", ".join(day.holidays))))


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _grouped(days: tuple[PlaceDay, ...], told: Callable[[PlaceDay], str]) -> list[tuple[str, str]]:
    """Return (days, text) of each different text, in the order of the days; days in a row are written as from to."""
    groups: dict[str, list[date]] = {}
    for day in days:
        if text := told(day):
            groups.setdefault(text, []).append(day.date)
    return [(_in_words(dates), text) for text, dates in groups.items()]


def _in_words(dates: list[date]) -> str:
    runs: list[list[date]] = []
    for day in dates:
        if runs and day.toordinal() == runs[-1][-1].toordinal() + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(_name(run[0]) if len(run) == 1 else f"{_name(run[0])}–{_name(run[-1])}" for run in runs)


def _name(day: date) -> str:
    return f"{_NAMES[day.weekday()]} {day.day}"
