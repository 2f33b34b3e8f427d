"""The real engine, runner and world on a floor whose theory is known: own fates of calls, own pacing, a ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

from dialer.adapters.store.memory import MemoryStore
from dialer.config.campaign import DEFAULT_RETRY, Campaign
from dialer.config.rule_packs import rule_set
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import Lead, PhoneNumber
from pacing.policy import Pace, Policy
from pacing.view import PacingView
from sim.clock import VirtualClock
from sim.outcome import Outcome
from sim.runner import Runner
from sim.scenario import Scenario
from sim.world import World

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]  # so many draws, in seconds
NEVER_S = 1e7
WITHIN_S = 1.0
AT_ONCE_S = 1e-5  # patience of somebody who does not wait: an agent who is there still gets them


@dataclass(frozen=True, kw_only=True)
class Case:
    """A floor and the people it calls. Means in seconds; talk and wrap-up are one exponential time, cut in two."""

    agents: int
    policy: Callable[[], Policy]
    handle_s: float
    live_rate: float = 1.0
    live_s: Draw  # from the originate to a live answer
    no_answer_s: Draw | None = None  # to the network's end of a failed attempt
    patience_s: Draw | None = None  # None: nobody ever hangs up
    deadline_s: float = NEVER_S  # until the switch gives up; the campaign's bound is left aside
    bridge_s: float = 0.0
    ring_timeout_s: float = 60.0
    duration_s: float
    warm_up_s: float
    leads: int
    slower: float = 1.0  # handle times longer than the case says: a fault that the comparison must find


def exponential(mean: float) -> Draw:
    return lambda rng, size: rng.exponential(mean, size)


def fixed(value: float) -> Draw:
    return lambda _, size: np.full(size, value)


class DrawnFates:
    """Every lead's only call, drawn beforehand."""

    def __init__(self, case: Case, seed: int) -> None:
        rng, size = np.random.default_rng(seed), case.leads
        self._case = case
        self._live = (rng.random(size) < case.live_rate).tolist()
        self._live_s = case.live_s(rng, size).tolist()
        self._ends_s = None if case.no_answer_s is None else case.no_answer_s(rng, size).tolist()
        self._patience_s = None if case.patience_s is None else case.patience_s(rng, size).tolist()
        self._handle_s = (rng.exponential(case.handle_s, size) * case.slower).tolist()
        self._talk_share = rng.random(size).tolist()
        self.brought: list[tuple[float, float]] = []  # each live answer's moment, and the handle time it asks for

    def outcome(self, *, subject: int, draw: int, number_index: int, trunk: str, at: float) -> Outcome:
        if not self._live[subject]:
            rings_s = None if self._ends_s is None else self._ends_s[subject]
            return Outcome(end="no_answer", set_up_s=0.0, rings_s=rings_s, cause=19, sip_code=480)
        talk_s = self._handle_s[subject] * self._talk_share[subject]
        after_s = self.answers_after(subject, at)
        self.brought.append((at + after_s, self._handle_s[subject] / self._case.slower))
        return Outcome(
            end="answered",
            set_up_s=0.0,
            rings_s=after_s,
            human=True,
            patience_s=None if self._patience_s is None else self._patience_s[subject],
            talk_s=talk_s,
            disposition="REFUSED",
            wrap_up_s=self._handle_s[subject] - talk_s,
        )

    def answers_after(self, subject: int, at: float) -> float:
        return float(self._live_s[subject])


class StreamFates(DrawnFates):
    """Answers that form an exact Poisson stream.

    `Stream` launches a Poisson number of lines for each second, shortly after that second's end; each is answered at a
    uniform moment of the second after the next tenth, wherever in that tenth it was launched.
    """

    def answers_after(self, subject: int, at: float) -> float:
        return floor(at) + 0.1 + float(self._live_s[subject]) - at


class Stream:
    """Launches lines at a constant mean rate, whatever the state of the floor."""

    policy_id = "stream-of-the-tests"

    def __init__(self, answers_per_s: float) -> None:
        self._answers_per_s = answers_per_s
        self._second: int | None = None

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        second = floor(view.now)
        passed = 0 if self._second is None else second - self._second
        self._second = second
        return Pace(lines=int(rng.poisson(self._answers_per_s * passed)))

    def answered(self, *, after_s: float, probability: float) -> None: ...
    def not_answered(self, *, after_s: float, probability: float) -> None: ...
    def handled(self, *, handle_s: float) -> None: ...
    def abandoned(self) -> None: ...
    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, state: dict[str, object]) -> None: ...


class Ratio(Stream):
    """Keeps `ratio` lines in flight for each idle agent."""

    policy_id = "ratio-of-the-tests"

    def __init__(self, ratio: float) -> None:
        super().__init__(0.0)
        self._ratio = ratio

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        return Pace(lines=max(0, floor(self._ratio * view.idle) - view.waiting - len(view.ringing_since)))


@dataclass
class Ledger:
    """An event log that keeps what a time study would: who waited how long, who was busy when. Counts from `begin`
    to `end` (UTC seconds), answers by the moment of the answer."""

    begin: float
    end: float
    attempts: int = 0
    answers: int = 0
    abandoned: int = 0
    waited: int = 0
    wait_s: float = 0.0
    within: int = 0  # served within WITHIN_S
    busy_s: float = 0.0
    _answered_at: dict[int, float] = field(default_factory=dict)
    _bridging: set[int] = field(default_factory=set)
    _busy: int = 0
    _at: float = -inf

    def append(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        self._pass_time(event.at)
        if isinstance(event, ev.AttemptAnswered):
            if self.begin <= event.at < self.end:
                self.answers += 1
                self._answered_at[event.attempt_id] = event.at
        elif isinstance(event, ev.AttemptBridged):
            self._bridging.discard(event.attempt_id)
            self._leaves(event.attempt_id, event.at, served=True)
        elif isinstance(event, ev.AttemptAbandoned | ev.AttemptEnded):
            self._leaves(event.attempt_id, event.at, served=False)
            if event.attempt_id in self._bridging and isinstance(event, ev.AttemptEnded):
                self._bridging.discard(event.attempt_id)  # gone before the agent was there: who is idle again
                self._busy -= 1
        elif isinstance(event, ev.AttemptDisposed):
            self._busy -= 1
        for action in actions:
            if isinstance(action, act.Bridge):
                self._bridging.add(action.attempt_id)
                self._busy += 1
            elif isinstance(action, act.Originate) and self.begin <= event.at < self.end:
                self.attempts += 1

    def flush(self) -> None: ...
    def close(self) -> None: ...

    @property
    def span_s(self) -> float:
        return self.end - self.begin

    def _pass_time(self, at: float) -> None:
        since, until = max(self._at, self.begin), min(at, self.end)
        if until > since:
            self.busy_s += self._busy * (until - since)
        self._at = at

    def _leaves(self, attempt_id: int, at: float, *, served: bool) -> None:
        answered_at = self._answered_at.pop(attempt_id, None)
        if answered_at is None:
            return
        wait_s = at - answered_at
        self.wait_s += wait_s
        self.waited += wait_s > 2.0 * AT_ONCE_S or not served
        self.abandoned += not served
        self.within += served and wait_s <= WITHIN_S


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a run came to, in the words of `sim.theory`."""

    occupancy: float
    wait_rate: float
    abandon_rate: float
    mean_wait_s: float
    service_level: float  # within WITHIN_S
    attempts_per_s: float
    load: float  # erlangs that the answers drawn for this run brought, by what the case says of them,
    handle_s: float  # and their mean handle time
    answers: int


def observe(case: Case, seed: int) -> Observed:
    """Run a case once, through the engine that dials people."""
    campaign = _campaign(case)
    scenario = Scenario.model_validate(
        {
            "scenario": "theory",
            "start": "2026-11-23T08:00:00-05:00",
            "duration": case.duration_s,
            "campaign": campaign.model_dump(),
            "population": {"leads": case.leads},
            "floor": {"log_in_s": {"kind": "fixed", "value": 0.0}},
            "switch": {"bridge_s": {"kind": "fixed", "value": case.bridge_s}},
        }
    )
    # Beyond what the law allows to a campaign: theory has no deadline of two seconds.
    deadline = {"connect_deadline_s": case.deadline_s}
    scenario = scenario.model_copy(update={"campaign": campaign.model_copy(update=deadline)})
    policy = case.policy()
    fates = (StreamFates if type(policy) is Stream else DrawnFates)(case, seed)
    leads = [_lead(index) for index in range(case.leads)]
    clock, store = VirtualClock(scenario.start_at), MemoryStore()
    opening = store.open_now(campaign.campaign, owner="theory")
    store.add_leads_now(campaign.campaign, leads)
    engine = Engine(
        scenario.campaign, rules=rule_set(campaign), policies={"predictive": policy}, run=opening.run, seed=seed
    )
    world = World(scenario, leads, seed=seed, clock=clock, fates=fates)
    until = scenario.start_at + case.duration_s
    ledger = Ledger(begin=scenario.start_at + case.warm_up_s, end=until)
    Runner(engine, world, clock, store, ledger).run(leads, until=until)
    assert engine.counters.attempts < case.leads, "the list ran out"
    brought = [handle_s for at, handle_s in fates.brought if ledger.begin <= at < until]
    return Observed(
        occupancy=ledger.busy_s / ledger.span_s / case.agents,
        wait_rate=ledger.waited / ledger.answers,
        abandon_rate=ledger.abandoned / ledger.answers,
        mean_wait_s=ledger.wait_s / ledger.answers,
        service_level=ledger.within / ledger.answers,
        attempts_per_s=ledger.attempts / ledger.span_s,
        load=sum(brought) / ledger.span_s,
        handle_s=sum(brought) / len(brought),
        answers=ledger.answers,
    )


def _campaign(case: Case) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "theory",
            "jurisdictions": ["PE"],
            "wrap_up_limit_s": 3600,
            "ring_timeout_s": case.ring_timeout_s,
            "retry": {name: {"after": 0, "max": 0} for name in DEFAULT_RETRY},
            "trunks": [{"name": "trunk", "max_channels": 10_000, "max_cps": 1000}],
            "caller_ids": ["+5117000100"],
            "agents": [{"id": f"agent{index}"} for index in range(case.agents)],
            "asterisk": {"max_calls": 20_000},
        }
    )


def _lead(index: int) -> Lead:
    number = PhoneNumber(e164=f"+519{index:08d}", zones=("America/Lima",), country="PE", line_type="mobile")
    return Lead(lead_id=f"lead{index}", numbers=(number,), person=f"person{index}", debt=f"debt{index}")
