"""The people who are called: how each call turns out, drawn when it is placed.

How it works: every number is drawn from a stream named by its purpose and keyed by the lead's place on the list and
the lead's own count of calls, so that two policies meet the same people in the same mood. What a policy does changes
two things alone, both of which it decides: the hour, and how worn the person is by the calls before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import exp
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from compliance.zones import load_zone
from dialer.core.lead import Lead
from sim.carriers import carriers_of, hidden_qualities
from sim.conversations import RATED, Conversation
from sim.destinations import destinations_of
from sim.outcome import Outcome
from sim.scenario import Population, Scenario, Wear
from sim.streams import Draws, Stream
from sim.tastes import Tastes

_PURPOSES = (
    "set_up", "failure", "false_answer", "lost", "reach", "answer", "patience", "amd", "amd_error", "party", "result",
    "talk", "wrap_up",
)  # fmt: skip
(
    _SET_UP, _FAILURE, _FALSE_ANSWER, _LOST, _REACH, _ANSWER, _PATIENCE, _AMD, _AMD_ERROR, _PARTY, _RESULT,
    _TALK, _WRAP_UP,
) = range(len(_PURPOSES))  # fmt: skip
# Zones' clocks change their hour, by themselves or by law, at quarters of a UTC hour and never between.
_QUARTER_S = 900


class Number(NamedTuple):
    """What is true of a number all day, and nobody knows."""

    dead: bool
    wrong: bool  # a stranger's
    destination: int  # its own carrier's place in the scenario


class CallsBefore(Protocol):
    """What people went through before the day: arrays of shape (people,)."""

    @property
    def last_at(self) -> npt.NDArray[np.float64]:
        """When each was called last, UTC seconds; NaN never."""
        ...

    @property
    def load(self) -> npt.NDArray[np.float64]:
        """The load of wear right after that call."""
        ...


class LocalHours:
    """The hour of the week (0: Monday from midnight) in one zone."""

    __slots__ = ("_hour", "_quarter", "_zone")

    def __init__(self, zone: str) -> None:
        self._zone = load_zone(zone)
        self._quarter = -1
        self._hour = 0

    def hour_of_week(self, at: float) -> int:
        """Return the hour of the week at `at` (UTC seconds)."""
        quarter = int(at) // _QUARTER_S
        if quarter != self._quarter:
            local = datetime.fromtimestamp(at, self._zone)
            self._quarter = quarter
            self._hour = local.weekday() * 24 + local.hour
        return self._hour


class Wearing:
    """How worn people are by calls: it depends on which calls were placed and when, and on no draw."""

    def __init__(self, wear: Wear, before: CallsBefore | None = None) -> None:
        self._strength = wear.strength
        self._floor = wear.floor
        self._half_life_s = wear.half_life
        self._calls: dict[int, dict[int, tuple[float, float]]] = {}  # by subject and draw: when, and the load after
        if before is not None:
            for subject in np.flatnonzero(~np.isnan(before.last_at)).tolist():
                self._calls[subject] = {-1: (float(before.last_at[subject]), float(before.load[subject]))}

    def factor(self, subject: int, draw: int, at: float) -> float:
        """Note call number `draw` and return what is left of the person's rate when it comes.

        Asked again about the same call, it answers the same.
        """
        if not self._strength:
            return 1.0
        calls = self._calls.get(subject)
        if calls is None:
            calls = self._calls[subject] = {}
        before = calls.get(draw - 1)
        if before is None:
            calls[draw] = (at, 1.0)
            return 1.0
        when, load = before
        load *= 0.5 ** (max(0.0, at - when) / self._half_life_s)
        calls[draw] = (at, load + 1.0)
        return self._floor + (1.0 - self._floor) * exp(-self._strength * load)

    def spare(self, subject: int, draw: int) -> None:
        """Note a call that reached nobody: the person is as worn as before it."""
        calls = self._calls.get(subject)
        if calls is not None and (before := calls.get(draw - 1)) is not None:
            calls[draw] = before


class Talks:
    """What people and agents come to, once they hear each other."""

    def __init__(self, people: Population) -> None:
        self._right_party_rate = people.right_party_rate
        self._conversations = {str(name): conversation for name, conversation in people.conversations.items()}
        bound = 0.0
        self._bounds: list[tuple[float, str]] = []
        for name in RATED:
            bound += people.conversations[name].rate or 0.0
            self._bounds.append((bound, name))

    def disposition(self, party: float, result: float, *, wrong: bool, right_party_rate: float | None = None) -> str:
        """Return what the agent will report of a live person, from two uniform numbers; `right_party_rate` is the
        person's own, None: the scenario's."""
        if wrong or party >= (self._right_party_rate if right_party_rate is None else right_party_rate):
            return "WRONG_PARTY"
        for bound, name in self._bounds:
            if result < bound:
                return name
        return "RPC"

    def of(self, disposition: str) -> Conversation:
        """The conversations that end so."""
        return self._conversations[disposition]


class People:
    """The fates of a scenario's calls (`sim.outcome.Fates`). `past` is what the day goes on from; None: from rest."""

    def __init__(
        self, scenario: Scenario, leads: Sequence[Lead], *, seed: int, past: CallsBefore | None = None
    ) -> None:
        people = scenario.population
        self._people = people
        self._switch = scenario.switch
        self._silence_s = scenario.floor.silence_s
        self._amd = scenario.campaign.amd
        self._draws = Draws(seed, _PURPOSES)
        self._talks = Talks(people)
        self._wearing = Wearing(people.wear, past)
        self._carriers = carriers_of(scenario)
        destinations = [destination.name for destination in people.destinations]
        regions = list(dict.fromkeys([region.name for region in people.regions] + [lead.region for lead in leads]))
        self._quality = hidden_qualities(scenario, regions, destinations or [""], seed)
        places = {name: place for place, name in enumerate(regions)}
        self._regions = [places[lead.region] for lead in leads]
        zones = {zone: LocalHours(zone) for zone in dict.fromkeys(lead.numbers[0].zones[0] for lead in leads)}
        self._hours = [zones[lead.numbers[0].zones[0]] for lead in leads]
        tastes = Tastes.of(people, leads, seed)
        # Plain lists: one person's are read at a time.
        self._most_live, self._on_odds = tastes.most, tastes.on_odds
        self._rates: list[float] = tastes.own.tolist()
        self._right_party_rates: list[float] = tastes.right_party.tolist()
        self._curves: list[list[float]] = tastes.curves.tolist()
        self._kinds: list[int] = tastes.kind.tolist()
        self._leads, self._seed = leads, seed
        self._number_streams = [Stream(seed, name) for name in ("dead", "wrong")]
        self._numbers: list[list[Number]] = []  # by place among a lead's numbers, then by lead

    def live_rate(self, subject: int, draw: int, at: float) -> float:
        """The chance that the person answers call number `draw`, now; notes the call for those after it."""
        how = self._curves[self._kinds[subject]][self._hours[subject].hour_of_week(at)]
        rate = self._rates[subject] * how * self._wearing.factor(subject, draw, at)
        return min(rate / (1.0 + rate) if self._on_odds else rate, self._most_live)

    def number(self, subject: int, number_index: int) -> Number:
        """What is true of one of a lead's numbers."""
        while len(self._numbers) <= number_index:
            self._numbers.append(self._numbers_at(len(self._numbers)))
        return self._numbers[number_index][subject]

    def _numbers_at(self, number_index: int) -> list[Number]:
        """Everybody's first number, second number ... Those that are alike share one record."""
        people, count = self._people, len(self._regions)
        dead, wrong = (stream.column(count, number_index) for stream in self._number_streams)
        kinds = [
            Number(bool(code & 1), bool(code & 2), code >> 2) for code in range(4 * max(1, len(people.destinations)))
        ]
        codes = (dead < people.dead_number_rate) + 2 * (wrong < people.wrong_number_rate)
        if people.destinations:
            codes += 4 * destinations_of(people, self._leads, number_index, self._seed)
        return [kinds[code] for code in codes.tolist()]

    def outcome(self, *, subject: int, draw: int, number_index: int, trunk: str, at: float) -> Outcome:
        """How the call turns out: equal arguments give equal answers, but for the wear of the calls noted before."""
        u = self._draws.row(subject, draw)
        carrier = self._carriers[trunk]
        number = self.number(subject, number_index)
        set_up_s = carrier.post_dial_delay_s.quantile(u[_SET_UP])
        losses = self._quality[trunk].losses(self._regions[subject], number.destination, at)
        if u[_FAILURE] < losses.failed:
            self._wearing.spare(subject, draw)
            full = u[_FAILURE] < losses.congested
            return Outcome(end="failed", set_up_s=set_up_s, cause=34 if full else 41, sip_code=503 if full else 500)
        live_rate = self.live_rate(subject, draw, at)
        if u[_FALSE_ANSWER] < carrier.false_answer_rate:
            # The rest of the draw is uniform again: how soon the carrier claims an answer.
            after_s = carrier.false_answer_s.quantile(u[_FALSE_ANSWER] / carrier.false_answer_rate)
            return self._unmanned(u, set_up_s, after_s, self._silence_s.quantile(u[_TALK]))
        if number.dead:
            return Outcome(end="invalid", set_up_s=set_up_s, cause=1, sip_code=404)
        people, reached = self._people, u[_REACH] - self._people.busy_rate
        if reached < 0.0:
            return Outcome(end="busy", set_up_s=set_up_s, cause=17, sip_code=486)
        if u[_LOST] >= losses.lost:
            if reached < live_rate:
                return self._person(u, set_up_s, subject, wrong=number.wrong)
            if reached < live_rate + people.machine_rate:
                talk_s = self._talks.of("MACHINE").talk_s.quantile(u[_TALK])
                return self._unmanned(u, set_up_s, people.machine_answer_s.quantile(u[_ANSWER]), talk_s)
        return Outcome(end="no_answer", set_up_s=set_up_s, cause=19, sip_code=480)

    def _person(self, u: list[float], set_up_s: float, subject: int, *, wrong: bool) -> Outcome:
        people = self._people
        right_party_rate = self._right_party_rates[subject]
        disposition = self._talks.disposition(u[_PARTY], u[_RESULT], wrong=wrong, right_party_rate=right_party_rate)
        conversation = self._talks.of(disposition)
        mistaken = self._amd and u[_AMD_ERROR] < self._switch.amd_false_machine_rate
        return Outcome(
            end="answered",
            set_up_s=set_up_s,
            rings_s=people.answer_s.quantile(u[_ANSWER]),
            human=True,
            screening_s=self._switch.amd_s.quantile(u[_AMD]) if self._amd else None,
            verdict="machine" if mistaken else "human",
            patience_s=people.patience_s.quantile(u[_PATIENCE]),
            talk_s=conversation.talk_s.quantile(u[_TALK]),
            disposition=disposition,
            wrap_up_s=conversation.wrap_up_s.quantile(u[_WRAP_UP]),
        )

    def _unmanned(self, u: list[float], set_up_s: float, rings_s: float, talk_s: float) -> Outcome:
        """Answered by a machine, or by nobody at all."""
        mistaken = not self._amd or u[_AMD_ERROR] < self._switch.amd_missed_machine_rate
        return Outcome(
            end="answered",
            set_up_s=set_up_s,
            rings_s=rings_s,
            human=False,
            screening_s=self._switch.amd_s.quantile(u[_AMD]) if self._amd else None,
            verdict="human" if mistaken else "machine",
            talk_s=talk_s,
            disposition="MACHINE",
            wrap_up_s=self._talks.of("MACHINE").wrap_up_s.quantile(u[_WRAP_UP]),
        )
