"""The series that the charts draw, as plain data for the page's script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.day import DayRecord, TrunkDay
from sim.report.rates import FEWEST_LIVE_ANSWERS, interval_95, rate, windowed_rate
from sim.report.spans import HOUR_S, LocalTime, Span, end_of, spans, step_for
from sim.report.words import agent_states

Series = list[float | None]
MOST_TRUNK_SPANS = 32
FEWEST_ATTEMPTS = 10  # of a trunk in a span: below, its rates there are chance


def chart_data(day: DayRecord, local: LocalTime) -> dict[str, Any]:
    """All that the script draws of one day. A series has one value a span; `None` is a gap."""
    return {
        "start": day.start_at,
        "end": end_of(day),
        "interval": day.interval_s,
        "offsets": _offsets(day, local),
        "agents": [_rounded(day.agents[state]) for state in agent_states(day)],
        "lines": _rounded(day.lines),
        "idle": _rounded(day.agents.get("idle", (0.0,) * len(day.lines))),
        "waiting": _rounded(day.waiting),
        "abandon": _abandon(day),
        "hours": _hours(day, local),
        "trunks": _trunks(day, local),
        "screened": machines_screened(day),
        "moments": [{"at": moment.at, "kind": moment.kind} for moment in day.moments],
    }


def machines_screened(day: DayRecord) -> bool:
    """Whether a machine was told from a person before an agent heard it."""
    return sum(day.answers) > sum(day.live_answers)


def _rounded(values: Sequence[float | None], places: int = 3) -> Series:
    return [None if value is None else round(value, places) for value in values]


def _offsets(day: DayRecord, local: LocalTime) -> list[tuple[float, float]]:
    """(from when, local time minus UTC), where it changes during the day; looked at every half hour."""
    changes: list[tuple[float, float]] = []
    at = day.start_at
    while at <= end_of(day):
        if not changes or changes[-1][1] != local.offset_s(at):
            changes.append((at, local.offset_s(at)))
        at += HOUR_S / 2
    return changes


def _abandon(day: DayRecord) -> dict[str, Series]:
    everything, hour = len(day.abandoned), max(1, round(HOUR_S / day.interval_s))
    return {
        name: _rounded(windowed_rate(day.abandoned, day.live_answers, window=window, fewest=FEWEST_LIVE_ANSWERS), 5)
        for name, window in (("whole", everything), ("hour", hour))
    } | {"cap": _rounded(day.target_abandon_rate, 5)}


def _hours(day: DayRecord, local: LocalTime) -> dict[str, Any]:
    hours = spans(day, local, HOUR_S)
    tried = [hour.total(day.attempts) for hour in hours]
    answered = [hour.total(day.answers) for hour in hours]
    live = [hour.total(day.live_answers) for hour in hours]
    bounds = [interval_95(part, whole) for part, whole in zip(answered, tried, strict=True)]
    return {
        "edges": _edges(hours),
        "answered": _rounded([rate(part, whole) for part, whole in zip(answered, tried, strict=True)], 4),
        "live": _rounded([rate(part, whole) for part, whole in zip(live, tried, strict=True)], 4),
        "low": _rounded([pair and pair[0] for pair in bounds], 4),
        "high": _rounded([pair and pair[1] for pair in bounds], 4),
        "whole": _rounded([rate(sum(part), sum(tried)) for part in (answered, live)], 8),
    }


def _edges(parts: Sequence[Span]) -> list[float]:
    return [*(part.start_at for part in parts), *(part.end_at for part in parts[-1:])]


def _trunks(day: DayRecord, local: LocalTime) -> dict[str, Any]:
    parts = spans(day, local, step_for(day, MOST_TRUNK_SPANS))
    totals = [sum(part.total(trunk.attempts) for trunk in day.trunks.values()) for part in parts]
    views: dict[str, list[Series]] = {"share": [], "answered": [], "failed": [], "delay": []}
    for trunk in day.trunks.values():
        tried = [part.total(trunk.attempts) for part in parts]
        views["share"].append(_rounded([rate(one, all_) for one, all_ in zip(tried, totals, strict=True)], 4))
        views["answered"].append(_per_attempt(parts, trunk.answers, tried))
        views["failed"].append(_per_attempt(parts, trunk.failed, tried))
        views["delay"].append(_delays(parts, trunk))
    return {"edges": _edges(parts), **views, "whole": _whole(day)}


def _whole(day: DayRecord) -> dict[str, Series]:
    """Each view's value over the whole day, by trunk."""
    trunks, everything = day.trunks.values(), sum(sum(trunk.attempts) for trunk in day.trunks.values())
    tried = [sum(trunk.attempts) for trunk in trunks]
    return {
        # Not to the digits that are shown: what is rounded twice may differ from the table's figure.
        "share": _rounded([rate(one, everything) for one in tried], 8),
        "answered": _rounded([rate(sum(trunk.answers), one) for trunk, one in zip(trunks, tried, strict=True)], 8),
        "failed": _rounded([rate(sum(trunk.failed), one) for trunk, one in zip(trunks, tried, strict=True)], 8),
        "delay": _rounded([rate(sum(trunk.set_up_s), sum(trunk.rang)) for trunk in trunks]),
    }


def _per_attempt(parts: Sequence[Span], counts: Sequence[int], tried: Sequence[int]) -> Series:
    return _rounded(
        [
            rate(part.total(counts), whole) if whole >= FEWEST_ATTEMPTS else None
            for part, whole in zip(parts, tried, strict=True)
        ],
        4,
    )


def _delays(parts: Sequence[Span], trunk: TrunkDay) -> Series:
    return _rounded([rate(sum(trunk.set_up_s[part.first : part.past]), part.total(trunk.rang)) for part in parts])
