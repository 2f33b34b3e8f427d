"""What the fast simulator plays: one kind of people, one kind of agents, no hours, carriers or rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from dialer.core.launching import DECISION_DELAY_S, DECISION_GAP_S
from dialer.errors import ConfigError
from pacing.view import Floats
from sim.distributions import Distribution, Fixed, LogNormal, Mixture, Normal, Part, Uniform
from sim.fast.layout import CELLS, STATE, STEPS, Rule, Table

# A distribution, or durations that were seen.
Durations = Distribution | tuple[float, ...]
# A value from some second of the day on, and from the next one's second on that one's; before the first, the plain one.
Steps = tuple[tuple[float, float], ...]

NEVER_S = 1e12
_POINTS = 4 * CELLS
_LINES_PER_AGENT = 25
_RATES = (
    "answer_rate", "screened_out_rate", "machine_passed_rate", "unreached_rate", "failure_rate", "human_lost_rate",
    "told_lost_rate", "target_abandon_rate",
)  # fmt: skip
_MORE_THAN_NOTHING = ("ring_timeout_s", "lines_per_s", "lines_per_idle_agent", "max_lines_per_idle_agent")
_NO_LESS_THAN_NOTHING = ("connect_deadline_s", "wrap_up_limit_s", "decision_delay_s", "decision_gap_s")

_SET_UP = LogNormal(kind="lognormal", median=2.0, sigma=0.3)
_ANSWER = Mixture(
    kind="mixture",
    parts=(
        Part(weight=0.75, of=LogNormal(kind="lognormal", median=8.0, sigma=0.35)),
        Part(weight=0.25, of=Normal(kind="normal", mean=20.0, sd=1.5)),
    ),
)
_MACHINE_ANSWER = Normal(kind="normal", mean=17.0, sd=2.0)
_AT_ONCE = Fixed(kind="fixed", value=0.0)
_PATIENCE = Uniform(kind="uniform", low=3.0, high=12.0)
_MACHINE_HANDLE = Normal(kind="normal", mean=10.0, sd=2.0)
_TALK = LogNormal(kind="lognormal", median=110.0, sigma=0.8)
_WRAP_UP = LogNormal(kind="lognormal", median=18.0, sigma=0.5)


@dataclass(frozen=True, kw_only=True)
class FastScenario:
    """Agents, and people who are all alike. Times in seconds; rates are shares of the attempts, if not said otherwise.

    What is left of the rates is not answered. Talk and wrap-up are drawn apart from each other.
    """

    # The floor
    agents: int  # at the beginning of the day
    agents_steps: tuple[tuple[float, int], ...] = ()  # how many are on duty from some second of the day on
    announced: bool = False  # whether the policy is told all day who will leave when; else, when it is time
    # What becomes of attempts
    answer_rate: float = 0.3  # reach an agent, or wait for one; if the ring time-out does not come before
    answer_steps: Steps = ()
    day_factors: tuple[float, ...] = (1.0,)  # on the answer rate, day after day, and over again
    screened_out_rate: float = 0.0  # answered and then hung up by answering-machine detection, rightly
    machine_passed_rate: float = 0.0  # machines that it takes for people; they are no live answers
    human_lost_rate: float = 0.0  # of the answers, those that it takes for machines: live answers, and abandoned
    losses_known: bool = True  # whether the policy is told of each of these;
    told_lost_rate: float = 0.0  # if not, the share it is told to reckon with at each answer that was passed
    unreached_rate: float = 0.05  # end without having rung: busy, invalid
    failure_rate: float = 0.0  # fail at set-up by the carrier's fault, whoever is called
    failure_steps: Steps = ()
    # Times
    set_up_s: Durations = _SET_UP  # to the first ringing
    unreached_s: Durations | None = None  # from the originate to the end of those unreached; None: as set_up_s
    answer_s: Durations = _ANSWER  # from the first ringing
    machine_answer_s: Durations = _MACHINE_ANSWER
    no_answer_s: Durations | None = None  # from the originate to the end of those not answered; None: the time-out
    screening_s: Durations = _AT_ONCE  # from the answer to the verdict
    ring_timeout_s: float = 22.0  # from the originate
    patience_s: Durations = _PATIENCE
    connect_deadline_s: float = 2.0  # a call that waits longer is abandoned
    talk_s: Durations = _TALK
    wrap_up_s: Durations = _WRAP_UP
    wrap_up_limit_s: float = 3600.0
    machine_handle_s: Durations = _MACHINE_HANDLE  # an agent's, for a machine; there is no wrap-up
    # The dialer
    channels: int | None = None  # calls at a time; None: 25 an agent
    target_abandon_rate: float = 0.03
    max_lines_per_idle_agent: float = 8.0
    promised_rate: float | None = None  # what the policy is told of every lead; None: learned, as the engine does
    early_signals: bool = True  # whether the policy is told of the first ringing
    hang_up_after_ring_s: float = math.inf  # a line that has rung so long may be hung up by the policy
    decision_delay_s: float = DECISION_DELAY_S  # from what asks for a decision to the decision
    decision_gap_s: float = DECISION_GAP_S  # between decisions, at least
    lines_per_s: float = 1.0  # of the policy constant-rate: a Poisson stream of attempts
    lines_per_idle_agent: float = 2.0  # of the policy fixed-ratio
    left_out: tuple[str, ...] = ()  # what the scenario has that it was derived from, and this one has not

    def __post_init__(self) -> None:
        self._check_rates()
        self._check_steps()
        if self.agents < 1 or (self.channels is not None and self.channels < 1):
            raise ConfigError(f"expected at least 1 agent and 1 channel, were {self.agents} and {self.channels}")
        for name in _MORE_THAN_NOTHING:
            if not 0.0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name}: expected more than 0, was {getattr(self, name):g}")
        for name in _NO_LESS_THAN_NOTHING:
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name}: expected 0 s or more, was {getattr(self, name):g}")

    def _check_rates(self) -> None:
        for name in _RATES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name}: expected a share in [0, 1], was {getattr(self, name):g}")
        if self.promised_rate is not None and not 0.0 <= self.promised_rate <= 1.0:
            raise ConfigError(f"promised_rate: expected a share in [0, 1], was {self.promised_rate:g}")
        if self.told_lost_rate >= 1.0:
            raise ConfigError("told_lost_rate: expected a share below 1, was 1")
        for factor in self.day_factors:
            if not 0.0 <= factor < math.inf:
                raise ConfigError(f"day_factors: expected factors of 0 or more, was {factor:g}")
        if not self.day_factors:
            raise ConfigError("day_factors: expected at least one, was none: write (1.0,)")
        rest = self.screened_out_rate + self.machine_passed_rate + self.unreached_rate
        highest = max([self.answer_rate, *(rate for _, rate in self.answer_steps)]) * max(self.day_factors)
        if highest + rest > 1.0 + 1e-9:
            raise ConfigError(f"expected rates that add up to at most 1, was {highest + rest:g}: lower answer_rate")

    def _check_steps(self) -> None:
        for name in ("answer_steps", "failure_steps", "agents_steps"):
            steps = getattr(self, name)
            times = [at for at, _ in steps]
            if any(not 0.0 <= at < math.inf for at in times) or times != sorted(set(times)):
                raise ConfigError(f"{name}: expected rising seconds of the day, were {times}")
            for _, value in steps:
                if name == "agents_steps" and (value < 0 or value != int(value)):
                    raise ConfigError(f"{name}: expected whole numbers of agents of 0 or more, was {value}")
                if name != "agents_steps" and not 0.0 <= value <= 1.0:
                    raise ConfigError(f"{name}: expected a share in [0, 1], was {value:g}")


def settings_of(
    scenario: FastScenario, rule: Rule, *, duration_s: float, warm_up_s: float, day: int = 0, begins_at: float = 0.0
) -> Any:
    """Return the state of a day that has not begun, of shape (1,) and dtype `layout.STATE`. `day` counts from 0."""
    state = np.zeros(1, dtype=STATE)
    for entry in fields(scenario):
        if entry.name in (STATE.names or ()) and getattr(scenario, entry.name) is not None:
            state[entry.name] = getattr(scenario, entry.name)
    at_first = steps_of(scenario, day=day, begins_at=0.0, with_first=True)[0]
    state["agents"] = max([scenario.agents, *(agents for _, agents in scenario.agents_steps)])
    state["staff"] = at_first["agents"]
    state["answer_rate"] = at_first["answer_rate"]
    state["failure_rate"] = at_first["failure_rate"]
    if scenario.channels is None:
        state["channels"] = _LINES_PER_AGENT * state["agents"] + 50
    if scenario.promised_rate is None:
        state["promised_rate"] = np.nan
    state["rule"] = rule
    state["begins_at"] = begins_at
    state["ends_at"] = begins_at + duration_s
    state["measured_from"] = begins_at + warm_up_s
    return state


def steps_of(scenario: FastScenario, *, day: int, begins_at: float, with_first: bool = False) -> Any:
    """Return the changes of a day's world after its beginning (or, `with_first`, from it on), of dtype `layout.STEPS`.

    `day` counts from 0; it begins at `begins_at`.
    """
    factor = scenario.day_factors[day % len(scenario.day_factors)]
    series = (
        (scenario.answer_rate, scenario.answer_steps),
        (scenario.failure_rate, scenario.failure_steps),
        (scenario.agents, scenario.agents_steps),
    )
    times = sorted({at for _, steps in series for at, _ in steps} - {0.0})
    rows = []
    for at in [0.0, *times] if with_first else times:
        answer_rate, failure_rate, agents = (_value_at(at, first, steps) for first, steps in series)
        rows.append((begins_at + at, factor * answer_rate, failure_rate, int(agents)))
    return np.array(rows, dtype=STEPS)


def _value_at(at: float, first: float, steps: Steps) -> float:
    return next((value for since, value in reversed(steps) if since <= at), first)


def tables_of(scenario: FastScenario) -> Floats:
    """Return the durations by `layout.Table`, shape (Table, CELLS): equally likely values, rising."""
    rows = {
        Table.SET_UP: scenario.set_up_s,
        Table.ANSWER: scenario.answer_s,
        Table.MACHINE_ANSWER: scenario.machine_answer_s,
        Table.SCREENING: scenario.screening_s,
        Table.PATIENCE: scenario.patience_s,
        Table.TALK: scenario.talk_s,
        Table.WRAP_UP: scenario.wrap_up_s,
        Table.UNREACHED: scenario.set_up_s if scenario.unreached_s is None else scenario.unreached_s,
        Table.NO_ANSWER: (NEVER_S,) if scenario.no_answer_s is None else scenario.no_answer_s,
        Table.MACHINE_HANDLE: scenario.machine_handle_s,
    }
    return np.array([quantile_table(rows[table]) for table in Table])


@lru_cache(maxsize=256)
def quantile_table(durations: Durations) -> Floats:
    """Return CELLS equally likely durations, rising: each the mean of its share of a distribution or a sample."""
    if isinstance(durations, tuple):
        values = np.sort(np.asarray(durations or (0.0,), dtype=np.float64))
        values = values[(np.arange(_POINTS) + 0.5).astype(np.int64) * len(values) // _POINTS]
    else:
        values = np.sort([durations.quantile((i + 0.5) / _POINTS) for i in range(_POINTS)])
    table: Floats = values.reshape(CELLS, -1).mean(axis=1)
    table.flags.writeable = False  # it is kept for the next who asks
    return table
