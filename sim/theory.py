"""What queueing theory says of a floor: Erlang B, C and A, and the closed form of progressive dialling.

How it works: with Poisson answers, exponential handle times and any patience, the wait that an answer would be offered
has the density

    v(x) = agents / handle_s * p_n * exp(answers_per_s * H(x) - agents * x / handle_s),   H(x) = E[min(patience, x)],

where `p_n` is the weight of the state in which every agent is busy and nobody waits (Baccelli and Hebuterne 1981;
Zeltyn and Mandelbaum 2005). Patience without end gives Erlang C (Erlang 1917), exponential patience Erlang A (Palm
1957; Garnett, Mandelbaum and Reiman 2002), a deadline of zero Erlang B, and a deadline of 2 s the dialer's own rule.
The exponent is concave, so Gauss-Legendre panels over the stretch where it is near its peak give all integrals, in
logs, for one agent as for a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, isinf, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_Weight = Callable[[Floats], Floats]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANELS = 48  # to each smooth piece
_NEGLIGIBLE = 45.0  # exp(-45) of the peak is beyond double precision
_FIXED_POINT_STEPS = 50


def erlang_b(agents: int, load: float) -> float:
    """Return the share of answers that find every one of `agents` busy and are lost; `load` is in erlangs.

    Jagerman's recursion on the inverse, which is stable for any size: 1/B(n) = 1 + n / load / B(n - 1).
    """
    return 1.0 / _inverse_erlang_b(agents, load)


def erlang_c(agents: int, load: float) -> float:
    """Return the share of answers that wait, if nobody ever hangs up; `load` is in erlangs and below `agents`."""
    if not load < agents:
        raise ValueError(f"expected a load below {agents} agents, was {load:g}: the queue would grow without end")
    blocked = erlang_b(agents, load)
    return blocked / (1.0 - load / agents * (1.0 - blocked))


def _inverse_erlang_b(agents: int, load: float) -> float:
    if agents < 1 or not load > 0:
        raise ValueError(f"expected agents and a load above 0, were {agents} and {load:g}")
    inverse = 1.0
    for n in range(1, agents + 1):
        inverse = 1.0 + n / load * inverse
    return inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Poisson answers, exponential handle times; shares are of all answers, times in seconds.

    `patience_s` is the mean of exponential patience (infinity: nobody hangs up), `deadline_s` the longest wait that is
    allowed to anybody (infinity: none; 0: an answer that finds nobody is lost).
    """

    agents: int
    answers_per_s: float
    handle_s: float
    patience_s: float = inf
    deadline_s: float = inf

    def __post_init__(self) -> None:
        if self.agents < 1 or not min(self.answers_per_s, self.handle_s, self.patience_s) > 0 or self.deadline_s < 0:
            raise ValueError(f"expected agents, rates and times above 0, was {self}")
        if isinf(self.patience_s) and isinf(self.deadline_s):
            erlang_c(self.agents, self.load)  # refuses a load that would never be served

    @property
    def load(self) -> float:
        """Erlangs offered."""
        return self.answers_per_s * self.handle_s

    @property
    def wait_rate(self) -> float:
        """Share of answers that find every agent busy."""
        others = _inverse_erlang_b(self.agents, self.load) - 1.0
        peak, integral = self._integral(np.ones_like)
        return 1.0 / (1.0 + others * exp(-peak) / (integral * self.agents / self.handle_s))

    @property
    def abandon_rate(self) -> float:
        """Share of answers that no agent takes in time."""
        return self.wait_rate * self._mean_over_waits(self._gone)

    @property
    def occupancy(self) -> float:
        """Share of the agents' time in which they handle calls."""
        return self.load * (1.0 - self.abandon_rate) / self.agents

    @property
    def mean_wait_s(self) -> float:
        """Mean wait over all answers: those served at once and those that hang up included."""
        return self.wait_rate * self._mean_over_waits(self._waited)

    def service_level(self, within_s: float) -> float:
        """Return the share of answers that get an agent within so many seconds."""
        late = self._mean_over_waits(lambda x: np.where(x <= within_s, self._gone(x), 1.0), (within_s,))
        return 1.0 - self.wait_rate * late

    def _waited(self, x: Floats) -> Floats:
        """E[min(patience, x)]."""
        x = np.minimum(x, self.deadline_s)
        return x if isinf(self.patience_s) else np.asarray(-self.patience_s * np.expm1(-x / self.patience_s))

    def _gone(self, x: Floats) -> Floats:
        """Share that has hung up before a wait of `x`."""
        return np.where(x < self.deadline_s, -np.expm1(-x / self.patience_s), 1.0)

    def _exponent(self, x: Floats) -> Floats:
        return np.asarray(self.answers_per_s * self._waited(x) - self.agents / self.handle_s * x)

    def _exponent_at(self, x: float) -> float:
        return float(self._exponent(np.array(x)))

    def _mean_over_waits(self, weight: _Weight, cuts: tuple[float, ...] = ()) -> float:
        return self._integral(weight, cuts)[1] / self._integral(np.ones_like, cuts)[1]

    def _integral(self, weight: _Weight, cuts: tuple[float, ...] = ()) -> tuple[float, float]:
        """Return the exponent's peak, and the integral of `weight(x) * exp(exponent(x) - peak)` over all waits.

        `cuts` are where the weight has a kink.
        """
        low, top, high = self._stretch()
        peak = self._exponent_at(top)
        edges = sorted({low, high, *(cut for cut in (top, self.deadline_s, *cuts) if low < cut < high)})
        total = 0.0
        for begin, end in pairwise(edges):
            # Beyond the peak the patience's short time and the slow tail meet: panels that grow serve both.
            bounds = begin + (end - begin) * np.linspace(0.0, 1.0, _PANELS + 1) ** (3 if begin >= top else 1)
            half = np.diff(bounds)[:, None] / 2.0
            x = bounds[:-1, None] + half * (1.0 + _NODES)
            total += float(np.sum(half * _WEIGHTS * weight(x) * np.exp(self._exponent(x) - peak)))
        return peak, total

    def _stretch(self) -> tuple[float, float, float]:
        """The waits that matter: from where, the likeliest, to where."""
        capacity = self.agents / self.handle_s
        top = 0.0
        if self.answers_per_s > capacity:
            # Not both are infinite: such a load is refused.
            rise = inf if isinf(self.patience_s) else self.patience_s * log(self.answers_per_s / capacity)
            top = min(rise, self.deadline_s)
        floor = self._exponent_at(top) - _NEGLIGIBLE
        high = top + 1.0 / capacity
        while self._exponent_at(high) > floor:
            high = top + 2.0 * (high - top)
        low = 0.0
        if self._exponent_at(low) < floor:
            below, above = 0.0, top
            for _ in range(60):
                low = (below + above) / 2.0
                below, above = (low, above) if self._exponent_at(low) < floor else (below, low)
            low = below
        return low, top, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressive:
    """`progressive-v1` in the long run: each agent is by turns in a call, and idle while one line at a time is dialled
    until one is answered live. Nobody is abandoned, and agents never wait for each other.

    A renewal argument: only the means count, whatever the distributions. Times in seconds, rates in [0, 1].
    """

    agents: int
    handle_s: float  # from the answer to the end of wrap-up
    live_rate: float  # live answers / attempts
    live_s: float  # from the originate to a live answer
    not_live_s: float  # from the originate to any other end
    decision_delay_s: float = 0.0  # an event's first decision comes so much later

    def __post_init__(self) -> None:
        if self.agents < 1 or not 0.0 < self.live_rate <= 1.0 or self.handle_s <= 0:
            raise ValueError(f"expected agents and a handle time above 0 and a live rate in (0, 1], was {self}")

    @property
    def mean_idle_s(self) -> float:
        """From the end of one call to the next: a decision and a line for each attempt."""
        attempts = 1.0 / self.live_rate
        return attempts * self.launch_delay_s + self.live_s + (attempts - 1.0) * self.not_live_s

    @property
    def occupancy(self) -> float:
        """Share of the agents' time in which they handle calls."""
        return self.handle_s / (self.handle_s + self.mean_idle_s)

    @property
    def attempts_per_s(self) -> float:
        """Attempts of the whole floor."""
        return self._attempts_per_s(self.launch_delay_s)

    @property
    def launch_delay_s(self) -> float:
        """Mean delay from the event that asks for a line to its launch.

        The first to ask waits `decision_delay_s`, d; those who ask meanwhile, a Poisson number of mean r * d, share
        that decision and wait half of it. An attempt asks once if nobody answers, else three times: at the answer, at
        the end of the talk, at the end of wrap-up. The rate r depends on the delay in turn: a fixed point.
        """
        delay = d = self.decision_delay_s
        for _ in range(_FIXED_POINT_STEPS):
            others = self._attempts_per_s(delay) * (1.0 + 2.0 * self.live_rate) * d
            delay = d * (1.0 + others / 2.0) / (1.0 + others)
        return delay

    def busy_distribution(self) -> Floats:
        """Return the probability of 0, 1 .. `agents` busy agents: binomial, for each goes round by themselves."""
        busy = np.ones(1)
        for _ in range(self.agents):
            busy = np.convolve(busy, (1.0 - self.occupancy, self.occupancy))
        return busy

    def _attempts_per_s(self, delay: float) -> float:
        attempts = 1.0 / self.live_rate
        idle_s = attempts * delay + self.live_s + (attempts - 1.0) * self.not_live_s
        return self.agents * attempts / (self.handle_s + idle_s)
