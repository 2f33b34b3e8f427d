"""Watches an engine at work and puts its day on record, simulated or replayed from a journal.

How it works: at the end of each interval the engine's running totals are read; an interval is the difference of two
readings. Decisions and abandoned calls come with the actions, and the moments that mattered are chosen at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from carriers.tally import TrunkTally
from dialer import __version__
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import AgentState
from dialer.core.disposition import RIGHT_PARTY
from dialer.core.engine import Engine
from sim.day import DayRecord, TrunkDay
from sim.moments import Moments

INTERVAL_S = 60.0
_COUNTS = ("attempts", "answers", "live_answers", "bridged", "abandoned", "right_party_contacts", "promises")
_DRAINING = frozenset({ev.DrainOrdered, ev.StopOrdered})
_TRUNK_COUNTS = ("attempts", "rang", "answers", "live_answers", "failed", "tries", "contacts")
_PLACES = {field.name: place for place, field in enumerate(fields(TrunkTally))}  # in `TrunkTally.values()`
_COST_DECIMALS = 6  # a call may cost a thousandth


@dataclass(frozen=True, slots=True)
class _Reading:
    """Running totals at one instant."""

    at: float
    agents_s: tuple[float, ...]  # agent-seconds by state
    line_s: float
    wait_s: float
    counts: tuple[int, ...]
    refused: int
    target_abandon_rate: float
    trunks: dict[str, tuple[float, ...]]


class Recorder:
    """Reads an engine every `interval_s` seconds. `due` is when the next reading is to be taken."""

    def __init__(self, engine: Engine, *, start_at: float, interval_s: float = INTERVAL_S) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._moments = Moments()
        self._drained_at: float | None = None
        self._readings = [self._read(start_at)]
        self._start_at = start_at
        self.due = start_at + interval_s

    def take(self, now: float) -> None:
        """Take every reading that is due at `now`, before what happens then is told to the engine."""
        while now >= self.due:
            self._readings.append(self._read(self.due))
            self.due += self._interval_s

    def saw(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        """Take in a step of the engine, for the moments that mattered."""
        self._moments.saw(event, actions)
        if type(event) in _DRAINING and self._drained_at is None:
            self._drained_at = event.at

    def day(self, *, until: float, scenario: str = "", seed: int | None = None, zone: str = "UTC") -> DayRecord:
        """Return the record, closed at `until` (UTC seconds); `zone` is for the axis of whoever draws it."""
        self.take(until)
        readings = list(self._readings)
        if until > readings[-1].at:
            readings.append(self._read(until))
        if len(readings) == 1:
            readings.append(readings[0])
        before, after = readings[:-1], readings[1:]
        seconds = np.maximum(np.diff([reading.at for reading in readings]), 1e-9)
        status = self._engine.status()
        progress = [self._engine.queue[i].progress for i in range(len(self._engine.queue))]
        counts = np.diff(np.array([reading.counts for reading in readings]), axis=0)
        return DayRecord(
            campaign=status.campaign,
            scenario=scenario,
            policy=status.policy,
            seed=seed,
            version=__version__,
            start_at=self._start_at,
            zone=zone,
            interval_s=self._interval_s,
            currency=self._engine.campaign.routing.currency,
            until=max(until, self._start_at),
            drained_at=self._drained_at,
            agents=self._agents(readings, seconds),
            lines=_means([b.line_s for b in before], [a.line_s for a in after], seconds),
            waiting=_means([b.wait_s for b in before], [a.wait_s for a in after], seconds),
            **{name: _whole(counts[:, i]) for i, name in enumerate(_COUNTS)},
            refused=_whole(np.diff([reading.refused for reading in readings])),
            target_abandon_rate=tuple(reading.target_abandon_rate for reading in after),
            trunks=self._trunks(readings),
            leads=status.leads,
            leads_attempted=sum(1 for each in progress if each.attempts),
            leads_reached=sum(1 for each in progress if not RIGHT_PARTY.isdisjoint(each.by_disposition)),
            dispositions=status.dispositions,
            refusals=status.refusals,
            moments=self._moments.chosen(),
        )

    def _read(self, at: float) -> _Reading:
        engine = self._engine
        counters = engine.counters
        spent = engine.floor.spent(at)
        return _Reading(
            at=at,
            agents_s=tuple(spent.values()),
            line_s=counters.line_s + engine.line_s_of_lines_up(at),
            wait_s=counters.answer_to_bridge_s + counters.lost_wait_s,
            counts=tuple(getattr(counters, name) for name in _COUNTS),
            refused=sum(counters.refusals.values()),
            target_abandon_rate=engine.target_abandon_rate,
            trunks={name: tally.values() for name, tally in engine.tallies.items()},
        )

    def _agents(self, readings: list[_Reading], seconds: NDArray[np.float64]) -> dict[str, tuple[float, ...]]:
        spent = np.diff(np.array([reading.agents_s for reading in readings]), axis=0) / seconds[:, None]
        return {state.name.lower(): _rounded(spent[:, state]) for state in AgentState}

    def _trunks(self, readings: list[_Reading]) -> dict[str, TrunkDay]:
        carriers = {trunk.name: trunk.carrier or trunk.name for trunk in self._engine.campaign.trunks}
        trunks = {}
        for trunk, carrier in carriers.items():
            tallies = np.diff(np.array([reading.trunks[trunk] for reading in readings]), axis=0)
            trunks[trunk] = TrunkDay(
                carrier=carrier,
                **{name: _whole(tallies[:, _PLACES[name]]) for name in _TRUNK_COUNTS},
                set_up_s=_rounded(tallies[:, _PLACES["set_up_s"]]),
                cost=_rounded(tallies[:, _PLACES["cost"]], _COST_DECIMALS),
            )
        return trunks


def _means(before: list[float], after: list[float], seconds: NDArray[np.float64]) -> tuple[float, ...]:
    return _rounded((np.array(after) - np.array(before)) / seconds)


def _rounded(values: NDArray[np.float64], decimals: int = 3) -> tuple[float, ...]:
    """A few decimals: a record is read by people and sent around."""
    return tuple(round(max(0.0, float(value)), decimals) for value in values)


def _whole(values: NDArray[np.generic]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
