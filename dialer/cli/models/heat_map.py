"""The hours of a segment for people: a table of the best, and a heat map of the week that needs no colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.cli.safe_text import safe

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from models.best_time import HourFigures, SegmentHours

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BLOCKS = "▁▂▃▄▅▆▇█"
_COLOURS = ("blue", "blue", "cyan", "cyan", "green", "green", "yellow", "bright_yellow")
_UNSUPPORTED = "··"


def percent(share: float | None) -> str:
    """Return a share for people."""
    return "–" if share is None else f"{100.0 * share:.1f} %"


def span(hour: HourFigures) -> str:
    """Return an hour of the week, as in `Tue 10-11`."""
    return f"{WEEKDAYS[hour.day]} {hour.hour:02}-{hour.hour + 1:02}"


def best_table(segment: SegmentHours, most: int) -> Table:
    """Return the hours to be recommended, one row each."""
    from rich.table import Table

    title = f"{safe(segment.name)}: {segment.leads:,} leads, {segment.attempts:,} attempts on record"
    table = Table(title=f"{title}, {percent(segment.mean)} on the whole", title_justify="left")
    table.add_column("best hours")
    for name in ("success", "90 % interval", "lift", "attempts seen"):
        table.add_column(name, justify="right")
    table.add_column("")
    for hour in segment.best(most):
        table.add_row(
            span(hour),
            percent(hour.rate),
            f"{percent(hour.low)} to {percent(hour.high)}",
            f"x{hour.lift:.2f}",
            f"{hour.attempts:,}",
            "surely better" if hour.better else "",
        )
    return table


def heat_map(segment: SegmentHours) -> Text:
    """Return the week, a row a day and two characters an hour; the higher the block, the likelier a success."""
    from rich.text import Text

    text = Text()
    if not segment.hours:
        return text
    first, last = min(hour.hour for hour in segment.hours), max(hour.hour for hour in segment.hours)
    at = {(hour.day, hour.hour): hour for hour in segment.hours}
    rates = [hour.rate for hour in segment.hours if hour.supported]
    low, high = min(rates, default=0.0), max(rates, default=0.0)
    text.append("     " + " ".join(f"{hour:02}" for hour in range(first, last + 1)) + "\n", style="dim")
    for day in sorted({hour.day for hour in segment.hours}):
        text.append(f"{WEEKDAYS[day]}  ")
        for hour in range(first, last + 1):
            cell, style = _cell(at.get((day, hour)), low, high)
            text.append(cell, style=style)
            text.append(" ")
        text.append("\n")
    if rates:
        text.append(f"     {BLOCKS[0]} {percent(low)} to {BLOCKS[-1]} {percent(high)}", style="dim")
    if len(rates) < len(segment.hours):
        gap = "; " if rates else "     "
        text.append(f"{gap}{_UNSUPPORTED} too few attempts so far to say: by the tables", style="dim")
    return text


def _cell(hour: HourFigures | None, low: float, high: float) -> tuple[str, str]:
    if hour is None:
        return "  ", ""
    if not hour.supported:
        return _UNSUPPORTED, "dim"
    level = int((hour.rate - low) / (high - low) * len(BLOCKS)) if high > low else 0
    level = min(level, len(BLOCKS) - 1)
    return BLOCKS[level] * 2, _COLOURS[level]
