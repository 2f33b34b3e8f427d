"""What the fast simulator plays: one kind of people, one kind of agents, no hours, carriers or rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from dialer.errors import ConfigError
from pacing.view import Floats
from sim.distributions import Distribution, Fixed, LogNormal, Mixture, Normal, Part, Uniform
from sim.fast.loop import CELLS, STATE, Rule, Table

# A distribution, or durations that were seen.
Durations = Distribution | tuple[float, ...]

RULES: Mapping[str, Rule] = {
    "constant-rate": Rule.CONSTANT_RATE,
    "fixed-ratio": Rule.FIXED_RATIO,
    "progressive-v1": Rule.PROGRESSIVE,
    "priced-v1": Rule.PRICED,
}
NEVER_S = 1e12
_POINTS = 4 * CELLS
_LINES_PER_AGENT = 25
_RATES = ("answer_rate", "screened_out_rate", "unreached_rate", "target_abandon_rate")


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
_TALK = LogNormal(kind="lognormal", median=110.0, sigma=0.8)
_WRAP_UP = LogNormal(kind="lognormal", median=18.0, sigma=0.5)


@dataclass(frozen=True, kw_only=True)
class FastScenario:
    """Agents who are there all day, and people who are all alike. Times in seconds; rates are shares of the attempts.

    What is left of the rates rings until `ring_timeout_s`. Talk and wrap-up are drawn apart from each other.
    """

    agents: int
    answer_rate: float = 0.3  # reach an agent, or wait for one; if the ring time-out does not come before
    screened_out_rate: float = 0.0  # answered and then hung up by answering-machine detection
    unreached_rate: float = 0.05  # end when they are set up: busy, invalid, failed
    set_up_s: Durations = _SET_UP
    answer_s: Durations = _ANSWER  # from the first ringing
    machine_answer_s: Durations = _MACHINE_ANSWER  # of those screened out
    screening_s: Durations = _AT_ONCE  # from the answer to the verdict
    ring_timeout_s: float = 22.0  # from the originate
    patience_s: Durations = _PATIENCE
    connect_deadline_s: float = 2.0  # a call that waits longer is abandoned
    talk_s: Durations = _TALK
    wrap_up_s: Durations = _WRAP_UP
    wrap_up_limit_s: float = 3600.0
    channels: int | None = None  # calls at a time; None: 25 an agent
    target_abandon_rate: float = 0.03
    max_lines_per_idle_agent: float = 8.0
    promised_rate: float | None = None  # what the policy is told of every lead; None: learned, as the engine does
    lines_per_s: float = 1.0  # of the policy constant-rate: a Poisson stream of attempts
    lines_per_idle_agent: float = 2.0  # of the policy fixed-ratio
    left_out: tuple[str, ...] = ()  # what the scenario has that it was derived from, and this one has not

    def __post_init__(self) -> None:
        for name in _RATES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name}: expected a share in [0, 1], was {getattr(self, name):g}")
        total = self.answer_rate + self.screened_out_rate + self.unreached_rate
        if total > 1.0 + 1e-9:
            raise ConfigError(f"expected rates that add up to at most 1, was {total:g}: lower answer_rate")
        if self.promised_rate is not None and not 0.0 <= self.promised_rate <= 1.0:
            raise ConfigError(f"promised_rate: expected a share in [0, 1], was {self.promised_rate:g}")
        if self.agents < 1 or (self.channels is not None and self.channels < 1):
            raise ConfigError(f"expected at least 1 agent and 1 channel, were {self.agents} and {self.channels}")
        for name in ("ring_timeout_s", "lines_per_s", "lines_per_idle_agent", "max_lines_per_idle_agent"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name}: expected more than 0, was {getattr(self, name):g}")


def settings_of(scenario: FastScenario, rule: Rule, *, duration_s: float, warm_up_s: float) -> Any:
    """Return the state of a day that has not begun, of shape (1,) and dtype `loop.STATE`."""
    state = np.zeros(1, dtype=STATE)
    for entry in fields(scenario):
        if entry.name in (STATE.names or ()) and getattr(scenario, entry.name) is not None:
            state[entry.name] = getattr(scenario, entry.name)
    if scenario.channels is None:
        state["channels"] = _LINES_PER_AGENT * scenario.agents + 50
    if scenario.promised_rate is None:
        state["promised_rate"] = np.nan
    state["rule"] = rule
    state["duration_s"] = duration_s
    state["warm_up_s"] = warm_up_s
    return state


def tables_of(scenario: FastScenario) -> Floats:
    """Return the durations by `loop.Table`, shape (Table, CELLS): equally likely values, rising."""
    rows = {
        Table.SET_UP: scenario.set_up_s,
        Table.ANSWER: scenario.answer_s,
        Table.MACHINE_ANSWER: scenario.machine_answer_s,
        Table.SCREENING: scenario.screening_s,
        Table.PATIENCE: scenario.patience_s,
        Table.TALK: scenario.talk_s,
        Table.WRAP_UP: scenario.wrap_up_s,
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
