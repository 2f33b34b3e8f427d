"""The days before the day that is played: attempts drawn from the same hidden truth, quickly.

How it works: an hour at a time, columns instead of calls. At the hour's begin some of those who may be called are
chosen, on every other day at random and on the others those who were called least; each attempt then goes as
`sim.people.People` would have it go, over a trunk drawn by channels. Nobody is abandoned: it was a campaign without
prediction. What the calls left behind, wear and numbers found dead, is what the day goes on from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from compliance.calendars import is_holiday
from compliance.zones import load_zone
from dialer.core.lead import Lead, LeadProgress
from models.attempts import AttemptLog, Result, joined
from sim.carriers import carriers_of, hidden_qualities
from sim.conversations import RATED
from sim.destinations import destinations_of
from sim.distributions import Distribution
from sim.scenario import Scenario
from sim.shares import Shares
from sim.streams import Stream
from sim.tastes import Tastes, worn_by

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Order = Literal["half", "random", "least_called"]

PER_DAY, PER_WEEK, GAP_S = 2, 7, 3 * 3600.0  # calls of a lead at most, and the least rest between two
REST_AFTER_CONTACT_S = 4 * 86_400.0  # of a lead that was reached
_HOUR_S = 3600.0
_SUNDAY = 6
_POINTS = 1024  # of a distribution's table


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The days before. Arrays by lead have shape (leads,); times are UTC seconds."""

    log: AttemptLog
    at_random: Flags  # of each attempt: its day was one of random order
    calls: Ints  # of each lead that reached its number, or somebody's
    last_at: Floats  # when the lead was called last, NaN never
    load: Floats  # of wear, right after that call
    dead: Flags  # numbers found to be none, shape (leads, most numbers of a lead)
    stopped: Flags  # leads that asked never to be called again

    def progress(self, leads: Sequence[Lead]) -> list[LeadProgress]:
        """What a campaign that begins now knows of its leads: dead numbers, and who is not to be called. Attempts
        count from 0 again: it is a new list."""
        known = []
        for index, lead in enumerate(leads):
            ready = tuple(None if dead else 0.0 for dead in self.dead[index, : len(lead.numbers)].tolist())
            alive = [place for place, at in enumerate(ready) if at is not None]
            status = "stopped" if self.stopped[index] else "ready" if alive else "finished"
            known.append(
                LeadProgress(
                    lead_id=lead.lead_id,
                    status=status,
                    number_index=alive[0] if alive else 0,
                    number_ready_at=ready if len(alive) < len(ready) else (),
                )
            )
        return known


def past_attempts(
    scenario: Scenario,
    leads: Sequence[Lead],
    seed: int,
    *,
    days: int = 28,
    attempts_an_hour: int = 3000,
    order: Order = "half",
) -> Past:
    """Draw the attempts of the `days` days before the scenario's, in its own hours. Deterministic for a seed.

    Sundays are left out, and whoever has a public holiday is not called on it. `order`: "half" is random order and
    least called first, day by day in turn. Raises `ValueError` for no day or no attempt.
    """
    if days < 1 or attempts_an_hour < 1:
        raise ValueError(f"expected at least 1 day and 1 attempt an hour, was {days} and {attempts_an_hour}")
    run = _Run(scenario, leads, seed)
    logs: list[AttemptLog] = []
    randoms: list[Flags] = []
    for number, start in enumerate(_days(scenario.start, days)):
        at_random = order == "random" or (order == "half" and number % 2 == 1)
        run.begin_day(start)
        for begin_at in np.arange(start.timestamp(), start.timestamp() + scenario.duration, _HOUR_S).tolist():
            length_s = min(_HOUR_S, start.timestamp() + scenario.duration - begin_at)
            count = round(attempts_an_hour * length_s / _HOUR_S)
            log = run.hour(begin_at, length_s, count, at_random=at_random)
            logs.append(log)
            randoms.append(np.full(len(log), at_random))
    state = run.state
    return Past(
        log=joined(logs),
        at_random=np.concatenate(randoms),
        calls=state.calls,
        last_at=state.last_at,
        load=state.load,
        dead=state.dead,
        stopped=state.stopped,
    )


def _days(start: datetime, days: int) -> Iterator[datetime]:
    for ago in range(days, 0, -1):
        day = start - timedelta(days=ago)
        if day.weekday() != _SUNDAY:
            yield day


@dataclass(slots=True)
class _State:
    """What calls change of leads."""

    leads: int
    numbers: int
    calls: Ints = field(init=False)
    week: Ints = field(init=False)  # calls by day, today first, shape (7, leads)
    last_at: Floats = field(init=False)
    tried_at: Floats = field(init=False)  # as the campaign counts: also where nobody was reached
    rest_until: Floats = field(init=False)
    load: Floats = field(init=False)
    number: Ints = field(init=False)  # the one to be tried next
    dead: Flags = field(init=False)
    stopped: Flags = field(init=False)

    def __post_init__(self) -> None:
        self.calls, self.number = np.zeros((2, self.leads), dtype=np.int64)
        self.week = np.zeros((PER_WEEK, self.leads), dtype=np.int64)
        self.last_at, self.tried_at = np.full((2, self.leads), np.nan)
        self.rest_until, self.load = np.zeros((2, self.leads))
        self.dead = np.zeros((self.leads, self.numbers), dtype=np.bool_)
        self.stopped = np.zeros(self.leads, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _Called:
    """The attempts of an hour: who, on which number, when, over which trunk. Shapes (n,)."""

    who: Ints
    number: Ints
    at: Floats
    trunk: Ints


class _Run:
    """A past under way."""

    def __init__(self, scenario: Scenario, leads: Sequence[Lead], seed: int) -> None:
        people = scenario.population
        self._scenario, self._people = scenario, people
        self._rng = np.random.default_rng([seed, 0x9A57])
        self._tastes = Tastes.of(people, leads, seed)
        self._order = np.argsort(Stream(seed, "past_order").column(len(leads)))
        most = max((len(lead.numbers) for lead in leads), default=1)
        self.state = _State(len(leads), most)
        for index, lead in enumerate(leads):
            self.state.dead[index, len(lead.numbers) :] = True  # there is none
        self._none = self.state.dead.copy()
        dead, wrong = (Stream(seed, name) for name in ("dead", "wrong"))
        columns = range(most)
        self._dead = np.stack([dead.column(len(leads), n) < people.dead_number_rate for n in columns], axis=1)
        self._wrong = np.stack([wrong.column(len(leads), n) < people.wrong_number_rate for n in columns], axis=1)
        self._destination = np.zeros((len(leads), most), dtype=np.int64)
        if people.destinations:
            drawn = [destinations_of(people, leads, n, seed) for n in columns]
            self._destination = np.stack(drawn, axis=1)
        regions = list(dict.fromkeys([region.name for region in people.regions] + [lead.region for lead in leads]))
        self._region = np.array([regions.index(lead.region) for lead in leads])
        self._networks = [destination.name for destination in people.destinations] or [""]
        self._regions = regions
        self._carriers = carriers_of(scenario)
        self._quality = hidden_qualities(scenario, regions, self._networks, seed)
        self._trunks = Shares(trunk.max_channels for trunk in scenario.campaign.trunks)
        self._names = tuple(trunk.name for trunk in scenario.campaign.trunks)
        self._set_ups_s = [_Table(self._carriers[name].post_dial_delay_s) for name in self._names]
        self._answer_s, self._machine_s = _Table(people.answer_s), _Table(people.machine_answer_s)
        self._talks = _Talks(scenario)
        zones = [lead.numbers[0].zones[0] for lead in leads]
        self._zones = sorted(set(zones))
        self._zone = np.array([self._zones.index(zone) for zone in zones])
        countries = [lead.numbers[0].country for lead in leads]
        self._countries = sorted(set(countries))
        self._country = np.array([self._countries.index(country) for country in countries])
        self._closed = np.zeros(len(leads), dtype=np.bool_)
        self._day: date | None = None

    def begin_day(self, start: datetime) -> None:
        """A day of the list begins."""
        state = self.state
        gone = 1 if self._day is None else (start.date() - self._day).days
        state.week = np.concatenate([np.zeros_like(state.week[:gone]), state.week])[:PER_WEEK]
        self._day = start.date()
        closed = [bool(country) and is_holiday(country, start.date()) for country in self._countries]
        self._closed = np.array(closed, dtype=np.bool_)[self._country]

    def hour(self, begin_at: float, length_s: float, count: int, *, at_random: bool) -> AttemptLog:
        """Choose, call, and return the attempts in order of time."""
        state, rng = self.state, self._rng
        rested = ~(begin_at - state.tried_at < GAP_S) & (state.rest_until <= begin_at) & ~state.stopped & ~self._closed
        within = (state.week[0] < PER_DAY) & (state.week.sum(axis=0) < PER_WEEK)
        may = np.flatnonzero(rested & within & ~state.dead.all(axis=1))
        count = min(count, len(may))
        if at_random:
            who = rng.permutation(may)[:count]
        else:
            who = rng.permutation(may[np.lexsort((self._order[may], state.calls[may]))][:count])
        called = _Called(
            who=who,
            number=self._number_of(who),
            at=begin_at + np.sort(rng.random(count)) * length_s,
            trunk=self._trunks.all_at(rng.random(count)),
        )
        offset_s = self._offsets(begin_at)[self._zone[who]]
        result, ring_s, talk_s, disposition = self._outcomes(called, offset_s, begin_at + length_s / 2.0)
        self._note(called, result, disposition)
        return AttemptLog(
            at=called.at,
            lead=who.astype(np.int32),
            number=called.number.astype(np.int8),
            offset_s=offset_s.astype(np.int32),
            result=result,
            holiday=np.zeros(count, dtype=np.bool_),
            carrier=called.trunk.astype(np.int16),
            ring_s=ring_s.astype(np.float32),
            talk_s=talk_s.astype(np.float32),
            propensity=np.full(count, count / max(1, len(may)) if at_random else np.nan, dtype=np.float32),
            carriers=self._names,
        )

    def _number_of(self, who: Ints) -> Ints:
        """The number whose turn it is, or the next one that is not known to be dead."""
        dead, number = self.state.dead[who], self.state.number[who]
        most = dead.shape[1]
        for _ in range(most):
            number = np.where(dead[np.arange(len(who)), number], (number + 1) % most, number)
        return number

    def _offsets(self, at: float) -> Ints:
        """Local time minus UTC by zone, seconds."""
        offsets = [datetime.fromtimestamp(at, load_zone(zone)).utcoffset() or timedelta() for zone in self._zones]
        return np.array([int(offset.total_seconds()) for offset in offsets], dtype=np.int64)

    def _outcomes(
        self, called: _Called, offset_s: Ints, middle_at: float
    ) -> tuple[npt.NDArray[np.int8], Floats, Floats, Ints]:
        """What attempts come to: `Result`, seconds of ringing and of talk, place of the conversation (-1 none)."""
        who, count = called.who, len(called.who)
        u = self._rng.random((8, count))
        failed, lost, false = self._losses(called, middle_at)
        local = ((called.at + offset_s) // _HOUR_S).astype(np.int64)
        hour_of_week = (local + 3 * 24) % 168  # 1970-01-01 was a Thursday
        rested = 0.5 ** ((called.at - self.state.last_at[who]) / self._people.wear.half_life)
        load = np.where(np.isnan(rested), 0.0, self.state.load[who] * rested)
        live = self._tastes.live_rates(who, hour_of_week, worn_by(self._people.wear, load))
        reached = u[1] - self._people.busy_rate
        result = np.full(count, Result.NO_ANSWER, dtype=np.int8)
        patience_s = self._scenario.campaign.ring_timeout_s - self._set_up_s(called.trunk, u[2])
        rings_s = np.maximum(patience_s, 0.0)
        through = u[3] >= lost
        answer_s, machine_s = self._answer_s.at(u[4]), self._machine_s.at(u[4])
        human = through & (reached >= 0) & (reached < live) & (answer_s < patience_s)
        beyond = through & (reached >= live) & (reached < live + self._people.machine_rate)
        machine = beyond & (machine_s < patience_s)
        wrong = self._wrong[who, called.number]
        right = human & ~wrong & (u[5] < self._tastes.right_party[who])
        conversation, talk_s = self._talks.of(right, u[6], u[7])
        result[human] = Result.WRONG_PARTY
        result[right] = np.where(conversation[right] == self._talks.promise, Result.PROMISE, Result.RIGHT_PARTY)
        result[machine] = Result.MACHINE
        result[reached < 0] = Result.BUSY
        result[self._dead[who, called.number]] = Result.DEAD
        result[false] = Result.MACHINE
        result[failed] = Result.UNKNOWN
        talked = result >= Result.WRONG_PARTY
        rings_s = np.where(human, answer_s, np.where(machine, machine_s, rings_s))
        rings_s[np.isin(result, (Result.BUSY, Result.DEAD, Result.UNKNOWN)) | false] = np.nan
        return result, rings_s, np.where(talked, talk_s, np.nan), np.where(talked, conversation, -1)

    def _set_up_s(self, trunk: Ints, u: Floats) -> Floats:
        return np.select([trunk == k for k in range(len(self._set_ups_s))], [table.at(u) for table in self._set_ups_s])

    def _losses(self, called: _Called, at: float) -> tuple[Flags, Floats, Flags]:
        """Which attempts fail, which others' chance it is to ring at nobody, and which the carrier answers itself."""
        places = [(r, d) for r in range(len(self._regions)) for d in range(len(self._networks))]
        losses = np.array([[self._quality[name].losses(r, d, at)[1:] for r, d in places] for name in self._names])
        place = self._region[called.who] * len(self._networks) + self._destination[called.who, called.number]
        failed, lost = losses[called.trunk, place].T
        false = np.array([self._carriers[name].false_answer_rate for name in self._names])[called.trunk]
        u = self._rng.random((2, len(called.who)))
        return u[0] < failed, lost, u[1] < false

    def _note(self, called: _Called, result: npt.NDArray[np.int8], conversation: Ints) -> None:
        """Let the calls tire people, and the campaign learn what it must. Nobody is called twice in an hour."""
        state, who = self.state, called.who
        state.tried_at[who] = called.at
        most = state.dead.shape[1]
        state.number[who] = (called.number + 1) % most
        state.dead[who, called.number] |= result == Result.DEAD
        placed = result != Result.UNKNOWN
        who, at = who[placed], called.at[placed]
        rested = 0.5 ** ((at - state.last_at[who]) / self._people.wear.half_life)
        state.load[who] = np.where(np.isnan(rested), 0.0, state.load[who] * rested) + 1.0
        state.last_at[who] = at
        state.calls[who] += 1
        state.week[0, who] += 1
        reached = np.isin(result, (Result.RIGHT_PARTY, Result.PROMISE))
        state.rest_until[called.who[reached]] = called.at[reached] + REST_AFTER_CONTACT_S
        state.stopped[called.who[conversation == self._talks.do_not_call]] = True


class _Table:
    """A distribution's quantiles, for many numbers at a time."""

    def __init__(self, durations: Distribution) -> None:
        self._us = (np.arange(_POINTS) + 0.5) / _POINTS
        self._seconds = np.array([durations.quantile(u) for u in self._us.tolist()])

    def at(self, u: Floats) -> Floats:
        """Seconds at probabilities `u`."""
        seconds: Floats = np.interp(u, self._us, self._seconds)
        return seconds


class _Talks:
    """What people say: `sim.people.Talks` by columns."""

    def __init__(self, scenario: Scenario) -> None:
        conversations = scenario.population.conversations
        self._bounds = np.cumsum([conversations[name].rate or 0.0 for name in RATED])
        self._tables = [_Table(conversations[name].talk_s) for name in (*RATED, "RPC", "WRONG_PARTY")]
        self.promise, self.do_not_call = RATED.index("PTP"), RATED.index("DNC_REQUEST")

    def of(self, right: Flags, result: Floats, talk: Floats) -> tuple[Ints, Floats]:
        """The conversation's place, and seconds of talk; `right`: with the right party."""
        place = np.where(right, np.searchsorted(self._bounds, result, side="right"), len(RATED) + 1)
        seconds = np.select([place == k for k in range(len(self._tables))], [table.at(talk) for table in self._tables])
        return place, seconds
