"""Where the marks of the drawings stand, in units of the SVG, and what each says when it is pointed at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.best_time import HourFigures, SegmentHours
from models.call_evaluation import GainPoint
from models.evaluation import Bin
from models.wear import WearCurve

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 440, 320, 52, 12, 14, 42
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CELL_WIDTH, CELL_HEIGHT, DAY_WIDTH, HEAD_HEIGHT = 46, 30, 40, 20
_STEPS = (0.6, 0.8, 0.95, 1.05, 1.25, 1.6)  # lifts between the seven shades
_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
_DASHES = ("none", "7 4", "2 4", "9 3 2 3")
_SURE_95 = 1.96
SEEN = "as seen: selection and wear mixed"
RAW_TONE, _RAW_DASH = 4, "1 4"  # of what is seen
_ASIDE = 3.0
_MOST_WORN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A point; `low` and `high` are the ends of its interval (both at `y` where there is none)."""

    x: float
    y: float
    low: float
    high: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line through its marks; those that are not known are left out."""

    name: str
    marks: tuple[Mark, ...]
    path: str
    tone: int  # of the series' colours
    dash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A drawing with two axes; `guide` is the path of what a comparison is made with."""

    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    guide: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An hour of the week in a heat map."""

    x: float
    y: float
    text: str
    said: str
    shade: int  # 0 (far below the segment's mean) to 6 (far above)
    supported: bool
    best: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """A segment's week."""

    width: float
    height: float
    heads: tuple[Tick, ...]
    days: tuple[Tick, ...]
    cells: tuple[Cell, ...]


def percent(value: float | None, places: int = 1) -> str:
    """A fraction as a percentage; unknown is an en dash."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.{places}f}%"


def wilson(rate: float, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a rate seen in so many rows (Wilson 1927)."""
    square = _SURE_95**2 / rows
    middle = (rate + square / 2) / (1 + square)
    half = _SURE_95 / (1 + square) * math.sqrt(rate * (1 - rate) / rows + square / (4 * rows))
    return max(0.0, middle - half), min(1.0, middle + half)


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if place else 'M'}{x} {y}" for place, (x, y) in enumerate(points))


def _end(largest: float) -> float:
    """The end of an axis that holds the largest value."""
    step = _step(largest)
    return step * math.ceil(largest / step - 1e-9) if largest > 0 else 1.0


def _step(largest: float) -> float:
    return next((step for step in _NICE if largest / step <= 6), _NICE[-1])


def _percents(end: float) -> tuple[float, ...]:
    step = _step(end)
    return tuple(step * place for place in range(round(end / step) + 1))


def reliability_plot(bins: Sequence[Bin]) -> Plot:
    """Told against came; a model that is right lies on the diagonal."""
    bounds = [wilson(one.came, one.rows) for one in bins]
    end = min(1.0, _end(max([one.told for one in bins] + [high for _, high in bounds])))
    marks = tuple(
        Mark(
            x=_x(one.told / end),
            y=_y(one.came / end),
            low=_y(low / end),
            high=_y(min(high, end) / end),
            said=f"told {percent(one.told)}, came {percent(one.came)} of {one.rows:,} "
            f"(95%: {percent(low)} to {percent(high)})",
        )
        for one, (low, high) in zip(bins, bounds, strict=True)
    )
    xs = tuple(Tick(at=_x(value / end), text=percent(value, 0)) for value in _percents(end))
    ys = tuple(Tick(at=_y(value / end), text=percent(value, 0)) for value in _percents(end))
    path = _path([(mark.x, mark.y) for mark in marks])
    diagonal = _path([(_x(0), _y(0)), (_x(1), _y(1))])
    return Plot(xs=xs, ys=ys, guide=diagonal, lines=(Line(name="", marks=marks, path=path, tone=0, dash="none"),))


def gain_plot(points: Sequence[GainPoint]) -> Plot:
    """Of the calls told most, how many of all successes are among them; the diagonal is an order by chance."""
    marks = tuple(
        Mark(
            x=_x(one.share),
            y=_y(one.captured),
            low=_y(one.captured),
            high=_y(one.captured),
            said=f"the best {percent(one.share, 0)} hold {percent(one.captured)} of the successes: "
            f"{one.captured / one.share:.2f} times their share",
        )
        for one in points
    )
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return Plot(
        xs=tuple(Tick(at=_x(value), text=percent(value, 0)) for value in ticks),
        ys=tuple(Tick(at=_y(value), text=percent(value, 0)) for value in ticks),
        guide=_path([(_x(0), _y(0)), (_x(1), _y(1))]),
        lines=(
            Line(
                name="",
                marks=marks,
                path=_path([(_x(0), _y(0)), *((mark.x, mark.y) for mark in marks)]),
                tone=0,
                dash="none",
            ),
        ),
    )


def wear_plot(curves: Sequence[WearCurve], raw: WearCurve | None = None, end: float | None = None) -> Plot:
    """The chance of an answer against the first attempt's, by attempt, one line for each rest, and `raw` as seen.

    `end` is that of the axis (`wear_end`), where drawings are to be compared.
    """
    every = (*curves, *(() if raw is None else (raw,)))
    end = wear_end(every) if end is None else end
    attempts = sorted({attempt for curve in every for attempt in curve.attempts}) or [1]
    span = attempts[0], max(1, attempts[-1] - attempts[0])
    lines = [
        _wear_line(curve, rest_name(curve.rest_days), place % len(_DASHES), place - (len(curves) - 1) / 2, span, end)
        for place, curve in enumerate(curves)
    ]
    if raw is not None:
        lines.append(_wear_line(raw, SEEN, RAW_TONE, 0.0, span, end))
    return Plot(
        xs=tuple(Tick(at=_wear_x(attempt, span), text=str(attempt)) for attempt in attempts),
        ys=tuple(Tick(at=_y(value / end), text=percent(value, 0)) for value in _percents(end)),
        guide=_path([(_x(0), _y(1 / end)), (_x(1), _y(1 / end))]),
        lines=tuple(lines),
    )


def wear_end(curves: Sequence[WearCurve]) -> float:
    """The end of an axis that holds all of these, up to `_MOST_WORN`; what is beyond stands at the end."""
    known = [ratio for curve in curves for ratio in curve.ratio if not math.isnan(ratio)]
    return _end(min(max([1.0, *known]), _MOST_WORN))


def rest_name(days: float) -> str:
    """How a rest is called; a call the next day is one without."""
    return "the next day" if days == 1 else f"after {days:g} days of rest" if days else "the same day"


def _wear_x(attempt: int, span: tuple[int, int]) -> float:
    return _x(0.02 + 0.96 * (attempt - span[0]) / span[1])


def _wear_line(curve: WearCurve, name: str, tone: int, aside: float, span: tuple[int, int], end: float) -> Line:
    """A curve; where it has intervals its marks stand a little `aside`, so that they do not hide those of others."""
    bounded = len(curve.low) == len(curve.ratio) == len(curve.high)
    marks = []
    for at, (attempt, ratio) in enumerate(zip(curve.attempts, curve.ratio, strict=True)):
        if math.isnan(ratio):
            continue
        low, high = (curve.low[at], curve.high[at]) if bounded else (ratio, ratio)
        sure = f" (95%: {percent(low, 0)} to {percent(high, 0)})" if bounded and low < high else ""
        y = _y(min(ratio, end) / end)
        bounds = (_y(min(max(0.0, low), end) / end), _y(min(high, end) / end)) if low < high else (y, y)
        marks.append(
            Mark(
                x=round(_wear_x(attempt, span) + (_ASIDE * aside if bounded else 0.0), 1),
                y=y,
                low=bounds[0],
                high=bounds[1],
                said=f"attempt {attempt}, {name}: {percent(ratio)} of the first{sure}",
            )
        )
    return Line(
        name=name,
        marks=tuple(marks),
        path=_path([(mark.x, mark.y) for mark in marks]),
        tone=tone,
        dash=_RAW_DASH if tone == RAW_TONE else _DASHES[tone],
    )


def heat_map(segment: SegmentHours) -> HeatMap:
    """A segment's chances by weekday and hour, shaded by what they are of its mean."""
    hours = sorted({one.hour for one in segment.hours})
    columns = {hour: place for place, hour in enumerate(range(hours[0], hours[-1] + 1))} if hours else {}
    best = {(one.day, one.hour) for one in segment.best()}
    return HeatMap(
        width=DAY_WIDTH + CELL_WIDTH * len(columns),
        height=HEAD_HEIGHT + CELL_HEIGHT * len(DAYS),
        heads=tuple(
            Tick(at=DAY_WIDTH + CELL_WIDTH * (place + 0.5), text=f"{hour}:00") for hour, place in columns.items()
        ),
        days=tuple(Tick(at=HEAD_HEIGHT + CELL_HEIGHT * (place + 0.66), text=day) for place, day in enumerate(DAYS)),
        cells=tuple(_cell(one, columns[one.hour], (one.day, one.hour) in best) for one in segment.hours),
    )


def _cell(one: HourFigures, column: int, best: bool) -> Cell:
    by = f"{one.attempts:,} attempts" if one.supported else f"by the tables: only {one.attempts:,} attempts"
    return Cell(
        x=DAY_WIDTH + CELL_WIDTH * column,
        y=HEAD_HEIGHT + CELL_HEIGHT * one.day,
        text=f"{100 * one.rate:.1f}" if one.rate < 0.0995 else f"{100 * one.rate:.0f}",
        said=f"{DAYS[one.day]} {one.hour}:00: {percent(one.rate)} ({percent(one.low)} to {percent(one.high)}), "
        f"{one.lift:.2f} times the mean; {one.leads:,} leads, {by}",
        shade=sum(one.lift > step for step in _STEPS),
        supported=one.supported,
        best=best,
    )
