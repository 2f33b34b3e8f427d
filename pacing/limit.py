# mypy: allow-untyped-decorators
"""The limit of pacing: the highest occupancy that any policy reaches within an abandon rate, computed exactly.

How it works. Agents are alike, the list has no end, handle times and ring times are exponential, each line is answered
with the same probability, and an answer that finds every agent busy is abandoned. Then (busy agents, ringing lines) is
all there is to know: elapsed times say nothing, and a policy is a rule by which to add lines to a state. Let u be the
occupancy, a the abandons per agent and handle time, and b = rate / (1 - rate) for the abandon rate that is allowed: it
is kept if and only if a <= b * u. For every price l >= 0 and every policy that keeps it,

    u  <=  u + l * (b * u - a)  <=  D(l),   D(l) = the most that any policy makes of the middle.

D is a Markov decision process without a constraint, and its least value over l is the limit itself: the linear program
of a constrained process has no duality gap, and its optimum mixes two policies at the most (Altman, Constrained Markov
Decision Processes, 1999, chapters 4 and 12). Three things make it quick.

- Every policy is a straight line in l, and D their upper envelope. So the next price to try is where the lines of the
  best policies found on either side of the limit cross; when nothing rises above the crossing, the limit is found, and
  both policies that reach it are known (Eisner and Severance 1976; Kelley's cutting planes 1960).
- The policies are order-up-to: with n agents busy, add lines until `order_up_to[n]` ring. D is found by policy
  iteration (Howard 1960). Between two states in which lines are added the number of ringing lines only falls, so all
  that happens there follows from `agents + 1` unknowns by plain recursion, and a policy's worth is one small system.
- No step is trusted. For any function V(n, r) that does not rise in r, the most that the process can gain on V in any
  state bounds D from above, because adding lines can only lower V. That bound is what is returned. V is made for more
  lines than any level asks for; beyond them it falls, so that nobody would go there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numba import float64, int64, njit, types
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_AGENTS = 500
MOST_LINES = 2300  # that all agents together may need; beyond, the arithmetic is slow and then fails
MOST_ABANDON_RATE = 0.5

_TIME, _BUSY, _LOST = 0, 1, 2  # what an excursion costs; the probabilities of where it ends follow
_COSTS = 3
_SAME = 1e-11  # values that differ by less are equal
_CLOSE = 1e-9  # so near to it, an occupancy is the limit
_NEVER = 1e-100  # smaller chances are none; the arithmetic of the very smallest numbers is slow
_TIGHT = 1e-5  # further from the bound than rounding explains
_NEAR = 2e-4  # a policy so near to the limit is not worth bettering
_LEVELS_TRIED = 9  # with all agents busy, or nearly: where it matters
_FIRST_PRICE = 16.0  # about that of a 3 % abandon rate
_PRICE_STEP = 4.0
_ROUNDS = 200  # far beyond what policy iteration or the search for the price ever take

_columns = float64[:, ::1]
_row = float64[::1]
_levels = int64[::1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What pacing can reach at most on one floor. Occupancies and rates are fractions in [0, 1]."""

    agents: int
    occupancy_bound: float  # no policy within the abandon rate has more; one that mixes two has as much
    occupancy_policy: float  # of the best policy found that adds lines without dithering and keeps the abandon rate
    progressive: float  # one line for each idle agent: nobody is abandoned
    abandon_rate: float  # of that policy: abandoned / live answers
    order_up_to: tuple[int, ...]  # of that policy: with n agents busy, add lines until so many ring
    price: float  # handled calls that one abandoned call costs, where the rate is just kept; infinite at rate 0
    handle_s: float

    @property
    def mean_idle_s(self) -> float:
        """Mean idle seconds between two calls of an agent at the bound."""
        return idle_between_calls(self.occupancy_bound, self.handle_s)


def limit(*, agents: int, answer_rate: float, handle_s: float, ring_s: float, abandon_rate: float) -> Limit:
    """Return the limit of pacing for `agents` alike.

    `answer_rate` is the share of lines that are answered live, `handle_s` the mean time that a call takes an agent,
    wrap-up included, `ring_s` the mean time from a line's launch until its outcome is known, and `abandon_rate` the
    most that may be abandoned / live answers. Deterministic. Raises `ValueError` beyond the bounds of an argument, and
    `ArithmeticError` where the bound that was found is not tight.
    """
    floor = _checked_floor(agents, answer_rate, handle_s, ring_s)
    if not 0.0 <= abandon_rate <= MOST_ABANDON_RATE:
        raise ValueError(f"abandon_rate: expected in [0, {MOST_ABANDON_RATE:g}], was {abandon_rate:g}")
    progressive = progressive_occupancy(answer_rate=answer_rate, handle_s=handle_s, ring_s=ring_s)
    allowed = abandon_rate / (1.0 - abandon_rate)
    bound, kept, price = _search(floor, allowed)
    best = _refined(floor, allowed, kept, bound)
    return Limit(
        agents=agents,
        occupancy_bound=bound,
        occupancy_policy=best.occupancy,
        progressive=progressive,
        abandon_rate=best.abandon_rate,
        order_up_to=tuple(best.order_up_to.tolist()),
        price=price / (1.0 + price * allowed) if price < inf else inf,
        handle_s=handle_s,
    )


def performance(
    order_up_to: tuple[int, ...], *, answer_rate: float, handle_s: float, ring_s: float
) -> tuple[float, float]:
    """Return the exact occupancy and abandon rate of any order-up-to policy; `order_up_to[n]` is for n busy agents.

    Raises `ValueError` beyond the bounds of an argument, or where nothing would ever be launched.
    """
    floor = _checked_floor(len(order_up_to) - 1, answer_rate, handle_s, ring_s)
    if order_up_to[0] < 1 or min(order_up_to) < 0:
        raise ValueError(f"order_up_to: expected lines >= 0, and >= 1 with nobody busy, was {order_up_to}")
    run = floor.run(np.array(order_up_to, dtype=np.int64))
    return run.occupancy, run.abandon_rate


def progressive_occupancy(*, answer_rate: float, handle_s: float, ring_s: float) -> float:
    """Return the occupancy of one line for each idle agent: each waits for 1 / answer_rate lines, one after the other.

    Only means enter (renewal reward), so it is exact for any handle and ring times, and for any number of agents.
    """
    return handle_s / (handle_s + ring_s / answer_rate)


def idle_between_calls(occupancy: float, handle_s: float) -> float:
    """Return an agent's mean idle seconds between two calls."""
    return handle_s * (1.0 - occupancy) / occupancy


def _checked_floor(agents: int, answer_rate: float, handle_s: float, ring_s: float) -> _Floor:
    if not 1 <= agents <= MOST_AGENTS:
        raise ValueError(f"agents: expected in [1, {MOST_AGENTS}], was {agents}")
    if not 0.0 < answer_rate <= 1.0:
        raise ValueError(f"answer_rate: expected above 0 and at most 1, was {answer_rate:g}")
    for name, seconds in (("handle_s", handle_s), ("ring_s", ring_s)):
        if not (isfinite(seconds) and seconds > 0.0):
            raise ValueError(f"{name}: expected seconds above 0, was {seconds:g}")
    most = int(MOST_LINES * answer_rate / (1.0 + ring_s / handle_s))  # enough lines for all, and as many as are lost
    if agents > most:
        raise ValueError(f"agents: expected at most {most} at this answer rate and these times, was {agents}")
    return _Floor(agents=agents, outcomes=handle_s / ring_s, answer_rate=answer_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A policy at work, in the long run."""

    order_up_to: Counts
    occupancy: float
    lost: float  # abandons per agent and handle time
    excursions: Floats  # shape (agents + 1, 3 + agents + 1)

    @property
    def abandon_rate(self) -> float:
        """Abandoned / live answers: per agent and handle time, `occupancy` answers are handled."""
        return self.lost / (self.lost + self.occupancy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Floor:
    """The world. Its unit of time is one handle time."""

    agents: int
    outcomes: float  # of a ringing line, per handle time
    answer_rate: float

    def run(self, order_up_to: Counts) -> _Run:
        """Return what a policy comes to."""
        excursions = np.zeros((self.agents + 1, _COSTS + self.agents + 1))
        fill_excursions(order_up_to, self.outcomes, self.answer_rate, excursions)
        reduced, _ = _reduced(excursions, _most_busy(excursions))
        time, busy, lost = reduced[-1, :_COSTS]
        return _Run(
            order_up_to=order_up_to,
            occupancy=float(busy / time) / self.agents,
            lost=float(lost / time) / self.agents,
            excursions=excursions,
        )

    def best(self, worth: float, price: float, start: Counts) -> tuple[_Run, float]:
        """Return the policy that makes most of worth * occupancy - price * abandons, and a bound on what any makes.

        Abandons are per agent and handle time. Howard's policy iteration from `start`; it ends where no order-up-to
        level can be bettered.
        """
        rewards = np.array([0.0, worth, -price]) / self.agents
        lines = 2 * int(start.max()) + 16
        run = self.run(start)
        for _ in range(_ROUNDS):
            gain = worth * run.occupancy - price * run.lost
            boundary = _relative_values(run, rewards, gain)
            while True:
                values = np.empty((self.agents + 1, lines + 1))
                fill_values(run.order_up_to, self.outcomes, self.answer_rate, rewards, gain, boundary, values)
                better = run.order_up_to.copy()
                climb(values, better)
                if better.max() < lines:
                    break
                lines *= 2
            if np.array_equal(better, run.order_up_to):
                break
            run = self.run(better)
        return run, self._most_gained(values, rewards)

    def _most_gained(self, values: Floats, rewards: Floats) -> float:
        """Return a bound on the gain of any policy: the most that the process earns and gains on V in any state."""
        v = np.maximum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
        busy, lines = np.arange(v.shape[0])[:, None], np.arange(v.shape[1])[None, :]
        fewer = np.hstack([v[:, :1], v[:, :-1]])  # one line less; of no weight where none rings
        answered = np.vstack([fewer[1:], fewer[-1:] + rewards[_LOST]])
        finished = np.vstack([v[:1], v[:-1]])
        change = busy * (finished - v) + lines * self.outcomes * (
            self.answer_rate * (answered - v) + (1.0 - self.answer_rate) * (fewer - v)
        )
        return float((rewards[_BUSY] * busy + change).max())


def _relative_values(run: _Run, rewards: Floats, gain: float) -> Floats:
    """Return the values of the states in which lines are added, relative to that of one that is often met.

    Relative to one that is hardly ever met, all would be as large as the time until then, and lost in rounding. So it
    is the nearest to the mean of busy agents that is met at all. Not all are: where every line is answered and one busy
    agent more is to have more lines, an agent's end and an answer may lead past a state, each time.
    """
    met = _met(run.excursions)
    often = int(met[np.abs(met - run.occupancy * (len(run.order_up_to) - 1)).argmin()])
    reduced, order = _reduced(run.excursions, often)
    values = np.empty(len(order))
    fill_reduced_values(reduced, rewards, gain, values)
    return values[np.argsort(order)]


def _reduced(excursions: Floats, last: int) -> tuple[Floats, Counts]:
    """Return the excursions reduced to one state, which must be met again and again, and the order of the rows."""
    states = np.arange(len(excursions))
    order = np.append(np.delete(states, last), last)
    reduced = excursions[np.ix_(order, np.append(np.arange(_COSTS), _COSTS + order))]
    reduce_to_last(reduced)
    return reduced, order


def _most_busy(excursions: Floats) -> int:
    """Return the largest number of busy agents that is ever reached: with no lines, nobody more becomes busy."""
    most = n = 0
    while n <= most:
        most = max(most, int(excursions[n, _COSTS:].nonzero()[0].max()))
        n += 1
    return most


def _met(excursions: Floats) -> Counts:
    """Return the numbers of busy agents with which lines are added again and again, in rising order.

    They are those to which the largest number leads: it is met for ever, because all may always become idle, and then
    enough lines ring to lead there again.
    """
    leads = excursions[:, _COSTS:] > 0.0
    met = np.zeros(len(leads), dtype=np.bool_)
    new = leads[_most_busy(excursions)]
    while new.any():
        met |= new
        new = leads[new].any(axis=0) & ~met
    return np.flatnonzero(met)


def _search(floor: _Floor, allowed: float) -> tuple[float, _Run, float]:
    """Return the limit of the occupancy, the best run met that keeps the rate, and the price at the limit.

    `allowed`: abandons per handled call. Progressive dialling always keeps the rate; a price that is low enough breaks
    it.
    """
    idle = np.arange(floor.agents, -1, -1, dtype=np.int64)
    kept, broken = floor.run(idle), None
    # Enough lines for an answer to each idle agent, and for the answers that those who finish meanwhile will want.
    start = np.ceil(idle * (1.0 + 1.0 / floor.outcomes) / floor.answer_rate).astype(np.int64)
    if allowed == 0.0:
        return kept.occupancy, kept, inf  # with more lines than idle agents, there is a chance that all are answered
    price, bound, crossing = _FIRST_PRICE / (1.0 + allowed), inf, -inf
    for _ in range(_ROUNDS):
        run, most = floor.best(1.0 + price * allowed, price, start)
        start = run.order_up_to
        bound = min(bound, most)
        if run.occupancy + price * (allowed * run.occupancy - run.lost) <= crossing + _CLOSE:
            break
        if run.lost > allowed * run.occupancy:
            broken = run
        elif run.occupancy > kept.occupancy:
            kept = run
        if broken is None:
            price /= _PRICE_STEP
            continue
        rise, fall = allowed * kept.occupancy - kept.lost, broken.lost - allowed * broken.occupancy
        price = (broken.occupancy - kept.occupancy) / (rise + fall)
        crossing = kept.occupancy + price * rise
    if not bound <= crossing + _TIGHT:
        raise ArithmeticError(
            "the limit: no policy was found that is near the bound: try fewer agents, or shorter rings"
        )
    return bound, kept, price


def _refined(floor: _Floor, allowed: float, kept: _Run, bound: float) -> _Run:
    """Return the run that keeps the rate and that no change of one level betters, from `kept` uphill.

    The search for the price meets the policies that are best at some price; between two of them there may be better
    ones that keep the rate.
    """
    while bound - kept.occupancy > _NEAR:
        best = kept
        for n in range(max(0, floor.agents + 1 - _LEVELS_TRIED), floor.agents + 1):
            for change in (1, -1, 2, -2):
                levels = kept.order_up_to.copy()
                levels[n] += change
                if levels[-1] < 0 or levels[0] < 1 or (np.diff(levels) > 0).any():
                    continue
                run = floor.run(levels)
                if run.lost <= allowed * run.occupancy and run.occupancy > best.occupancy + _CLOSE:
                    best = run
        if best is kept:
            break
        kept = best
    return kept


@njit(types.void(_row, float64, int64, int64, _levels, _columns), cache=True)
def _add(row: Floats, share: float, n: int, lines: int, order_up_to: Counts, known: Floats) -> None:
    """Add to a row `share` of what happens from a state: nothing more if lines are added there."""
    if share == 0.0:
        return
    if lines <= order_up_to[n]:
        row[_COSTS + n] += share
    else:
        source = known[n]
        for i in range(len(row)):
            row[i] += share * source[i]


@njit(types.void(_levels, float64, float64, _columns), cache=True)
def fill_excursions(order_up_to: Counts, outcomes: float, answer_rate: float, excursions: Floats) -> None:
    """Fill row n with what happens from the moment when n agents are busy and `order_up_to[n]` lines ring until lines
    are next added, or might be: its time, busy agents x time and abandons, and with how many busy agents it ends.

    Beyond `order_up_to[n]`, a state leads to one with a line less, or with the same lines and an agent less busy: so
    all lines at a time, agents upward, each state is a mean of what is known already.
    """
    agents = len(order_up_to) - 1
    width = excursions.shape[1]
    before, now = np.zeros((agents + 1, width)), np.zeros((agents + 1, width))
    for lines in range(order_up_to.max() + 1):
        for n in range(agents + 1):
            if lines < order_up_to[n]:
                continue
            at_level = lines == order_up_to[n]
            row = excursions[n] if at_level else now[n]
            leaving = n + lines * outcomes
            finished, lost = n / leaving, lines * outcomes * answer_rate / leaving
            no_answer = lines * outcomes * (1.0 - answer_rate) / leaving
            row[:] = 0.0
            _add(row, finished, n - 1, lines, order_up_to, now)
            _add(row, no_answer, n, lines - 1, order_up_to, before)
            _add(row, lost, min(n + 1, agents), lines - 1, order_up_to, before)
            row[_TIME] += 1.0 / leaving
            row[_BUSY] += n / leaving
            if n == agents:
                row[_LOST] += lost
            for i in range(width):
                row[i] = row[i] if row[i] > _NEVER else 0.0
        before, now = now, before


@njit(types.void(_columns), cache=True)
def reduce_to_last(rows: Floats) -> None:
    """Take one state after the other out of a chain, in place, until its last row has the costs of a whole cycle.

    A row is a state's costs and then its moves. Each state's visits are made part of the moves and costs of those that
    remain, which keeps the moves to later states, and on the diagonal the chance to leave, for `fill_reduced_values`.
    Nothing is ever subtracted, so that small chances stay as exact as large ones (Grassmann, Taksar, Heyman 1985).
    """
    states = len(rows)
    for state in range(states - 1):
        taken = rows[state]
        diagonal = _COSTS + state
        leaving = taken[diagonal + 1 :].sum()
        taken[diagonal] = leaving
        for i in range(state + 1, states):
            row = rows[i]
            visits = row[diagonal] / leaving
            if visits == 0.0:
                continue
            for cost in range(_COSTS):
                row[cost] += visits * taken[cost]
            for j in range(diagonal + 1, _COSTS + states):
                row[j] += visits * taken[j]


@njit(types.void(_columns, _row, float64, _row), cache=True)
def fill_reduced_values(rows: Floats, rewards: Floats, gain: float, values: Floats) -> None:
    """Fill what each state of a reduced chain is worth beyond its last, whose value is 0."""
    states = len(rows)
    values[states - 1] = 0.0
    for state in range(states - 2, -1, -1):
        row = rows[state]
        worth = -gain * row[_TIME]
        for cost in range(_COSTS):
            worth += rewards[cost] * row[cost]
        for later in range(state + 1, states):
            worth += row[_COSTS + later] * values[later]
        values[state] = worth / row[_COSTS + state]


@njit(types.void(_levels, float64, float64, _row, float64, _row, _columns), cache=True)
def fill_values(
    order_up_to: Counts,
    outcomes: float,
    answer_rate: float,
    rewards: Floats,
    gain: float,
    at_level: Floats,
    values: Floats,
) -> None:
    """Fill values[n, lines], relative to the policy's gain, of adding nothing now and following the policy after.

    `at_level[n]` is the value with `order_up_to[n]` lines ringing.
    """
    agents = len(order_up_to) - 1
    for lines in range(values.shape[1]):
        for n in range(agents + 1):
            leaving = n + lines * outcomes
            if leaving == 0.0:
                values[n, lines] = -np.inf  # to add nothing now is to add nothing for ever
                continue
            worth = rewards[_BUSY] * n - gain
            if n > 0:
                worth += n * (at_level[n - 1] if lines <= order_up_to[n - 1] else values[n - 1, lines])
            if lines > 0:
                up = min(n + 1, agents)
                answered = at_level[up] if lines - 1 <= order_up_to[up] else values[up, lines - 1]
                if n == agents:
                    answered += rewards[_LOST]
                same = at_level[n] if lines - 1 <= order_up_to[n] else values[n, lines - 1]
                worth += lines * outcomes * (answer_rate * answered + (1.0 - answer_rate) * same)
            values[n, lines] = worth / leaving


@njit(types.void(_columns, _levels), cache=True)
def climb(values: Floats, levels: Counts) -> None:
    """Move each level uphill to the nearest peak of its row, if that is truly higher.

    All values on the way are between the two, so that every state fares better, as Howard's proof asks for. The highest
    peak of all would not do: from a state behind a nearer one, nothing leads there without loss.
    """
    last = values.shape[1] - 1
    for n in range(len(levels)):
        row = values[n]
        peak = levels[n]
        while peak < last and row[peak + 1] > row[peak]:
            peak += 1
        if peak == levels[n]:
            while peak > 0 and row[peak - 1] > row[peak]:
                peak -= 1
        if row[peak] > row[levels[n]] + _SAME:
            levels[n] = peak
