"""The day in ten figures, each with what it is a share of, and in two sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.day import DayRecord
from sim.report.numbers import change, count, number, percent, plain, points, seconds
from sim.report.rates import interval_95, rate

Result = Mapping[str, Any]
Days = Sequence[tuple[DayRecord, Result]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One headline figure: its key in the result, its name, how it is written and what it means."""

    key: str
    name: str
    meaning: str
    written: Callable[[float | None], str]
    detail: Callable[[DayRecord, Result], str] = lambda _day, _result: ""
    share: bool = False  # a fraction: two days differ by points, not by percent


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A figure as shown: one value a day, each with its detail; the difference of the second from the first."""

    key: str
    name: str
    meaning: str
    values: list[tuple[str, str]]
    difference: str
    tone: str  # good, bad or empty


def tiles(days: Days) -> list[Tile]:
    """The headline figures that at least one day's result has."""
    return [_tile(figure, days) for figure in FIGURES if any(figure.key in result for _, result in days)]


def _tile(figure: Figure, days: Days) -> Tile:
    raw = [_value(result, figure.key) for _, result in days]
    return Tile(
        key=figure.key,
        name=figure.name,
        meaning=figure.meaning,
        values=[
            (figure.written(value), figure.detail(day, result)) for value, (day, result) in zip(raw, days, strict=True)
        ],
        difference=_difference(figure, raw),
        tone=_tone(days) if figure.key == "abandon_rate" else "",
    )


def _value(result: Result, key: str) -> float | None:
    value = result.get(key)
    if isinstance(value, Mapping):  # counts by rule
        return sum(number(part) or 0.0 for part in value.values())
    return number(value)


def _difference(figure: Figure, raw: Sequence[float | None]) -> str:
    if len(raw) != 2 or raw[0] is None or raw[1] is None:
        return ""
    return points(raw[1] - raw[0]) if figure.share else change(raw[0], raw[1])


def _tone(days: Days) -> str:
    sides = {_above_cap(day, result) for day, result in days} - {None}
    return "" if not sides else "bad" if True in sides else "good"


def _above_cap(day: DayRecord, result: Result) -> bool | None:
    value, cap = number(result.get("abandon_rate")), cap_of(day)
    return None if value is None or cap is None else value > cap


def cap_of(day: DayRecord) -> float | None:
    """The highest cap on the abandon rate that was in force."""
    return max(day.target_abandon_rate, default=None)


def interval_of(day: DayRecord, result: Result) -> tuple[float, float] | None:
    """The 95 % interval of the abandon rate: the result's own, else Wilson's of the day's counts."""
    given = result.get("abandon_rate_ci95")
    if isinstance(given, Sequence) and len(given) == 2 and None not in given:
        return float(given[0]), float(given[1])
    return interval_95(sum(day.abandoned), sum(day.live_answers))


# ---- the small print of each figure ----------------------------------------------------------------------------
def _abandon_detail(day: DayRecord, result: Result) -> str:
    parts, interval, above = [], interval_of(day, result), _above_cap(day, result)
    if above is not None:
        parts.append(f"{'above' if above else 'within'} the cap of {percent(cap_of(day))}")
    if interval is not None:
        parts.append(f"95% interval {100 * interval[0]:.1f}–{100 * interval[1]:.1f}%")
    return ", ".join(parts)


def _per_agent_hour(key: str) -> Callable[[DayRecord, Result], str]:
    def detail(_day: DayRecord, result: Result) -> str:
        value = number(result.get(key))
        return "" if value is None else f"{plain(value, 1 if value >= 10 else 2)} per agent hour"

    return detail


def _share_of(key: str, whole: str, words: str) -> Callable[[DayRecord, Result], str]:
    def detail(_day: DayRecord, result: Result) -> str:
        share = rate(_value(result, key) or 0.0, _value(result, whole) or 0.0)
        return "" if share is None else f"{percent(share)} of {words}"

    return detail


def _currency(_day: DayRecord, result: Result) -> str:
    return str(result.get("currency") or "")


FIGURES = (
    Figure(
        key="occupancy",
        name="Occupancy",
        meaning="Time reserved, on calls and in wrap-up ÷ that time and idle time. Pauses are left out.",
        written=percent,
        share=True,
    ),
    Figure(
        key="abandon_rate",
        name="Abandon rate",
        meaning="Live answers that found no agent in time ÷ live answers.",
        written=lambda value: percent(value, 2),
        detail=_abandon_detail,
        share=True,
    ),
    Figure(
        key="attempts",
        name="Attempts",
        meaning="Calls placed, whatever became of them.",
        written=count,
        detail=_per_agent_hour("attempts_per_agent_hour"),
    ),
    Figure(
        key="live_answers",
        name="Live answers",
        meaning="Answered calls, less the machines that detection screened out.",
        written=count,
        detail=_share_of("live_answers", "attempts", "attempts"),
    ),
    Figure(
        key="connects",
        name="Connected",
        meaning="Calls whose called party spoke with an agent.",
        written=count,
        detail=_share_of("connects", "attempts", "attempts"),
    ),
    Figure(
        key="right_party_contacts",
        name="Right-party contacts",
        meaning="Conversations with the very person who was to be reached.",
        written=count,
        detail=_per_agent_hour("rpc_per_agent_hour"),
    ),
    Figure(
        key="promises",
        name="Promises to pay",
        meaning="Right-party contacts that ended in a promise.",
        written=count,
        detail=_share_of("promises", "right_party_contacts", "right-party contacts"),
    ),
    Figure(
        key="mean_idle_s",
        name="Wait for a call",
        meaning="Idle time ÷ calls connected: an agent's mean wait.",
        written=seconds,
    ),
    Figure(
        key="cost_per_rpc",
        name="Cost per right party",
        meaning="Agents' hours and carriers' bills ÷ right-party contacts.",
        written=lambda value: plain(value, 2),
        detail=_currency,
    ),
    Figure(
        key="compliance_blocks",
        name="Stopped by a rule",
        meaning="Dialling refused by a rule; a lead may be refused more than once.",
        written=count,
    ),
)


def summary(day: DayRecord, result: Result) -> str:
    """The day in two or three sentences; what is not known is not said."""
    said = []
    occupancy, live, abandoned = number(result.get("occupancy")), sum(day.live_answers), sum(day.abandoned)
    if occupancy is not None:
        said.append(f"Agents were busy {percent(occupancy)} of their ready time.")
    share, cap = rate(abandoned, live), cap_of(day)
    if share is None:
        said.append("Nobody answered in person.")
    else:
        against = "" if cap is None else f", {'above' if share > cap else 'within'} the cap of {percent(cap)}"
        said.append(
            f"Of {_live_answers(live)}, {count(abandoned)} found no agent in time: {percent(share, 2)}{against}."
        )
    promises, contacts = sum(day.promises), sum(day.right_party_contacts)
    if contacts:
        talks, made = "talk" if contacts == 1 else "talks", "promise" if promises == 1 else "promises"
        said.append(f"{count(contacts)} {talks} with the right person brought {count(promises)} {made} to pay.")
    return " ".join(said)


def _live_answers(number: int) -> str:
    return "1 live answer" if number == 1 else f"{count(number)} live answers"
