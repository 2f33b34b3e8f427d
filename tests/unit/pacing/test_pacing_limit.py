"""The limit of pacing against a linear program, a simulation, published closed forms and the newsvendor's rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.stats import binom

from pacing.limit import MOST_ABANDON_RATE, Limit, limit, performance, progressive_occupancy

FLOOR = {"answer_rate": 0.3, "handle_s": 180.0, "ring_s": 15.0}

# Solved independently, by policy iteration on the whole grid with sparse LU: per cent at S = 15 s, p = 0.3, T = 180 s.
TABLE = {
    (5, 0.01): 80.6, (5, 0.03): 83.3, (10, 0.01): 83.2, (10, 0.03): 86.2, (20, 0.01): 87.3, (20, 0.03): 89.7,
    (20, 0.05): 91.0, (50, 0.01): 92.2, (50, 0.03): 93.9, (50, 0.05): 94.7,
    (100, 0.03): 96.0, (200, 0.03): 97.5,
}  # fmt: skip
SENSITIVITY = [
    ({"handle_s": 60.0}, (77.5, 84.7, 91.3)),
    ({"handle_s": 600.0}, (94.0, 94.8, 96.3)),
    ({"answer_rate": 0.1}, (82.8, 88.4, 93.4)),
    ({"answer_rate": 0.8}, (91.6, 92.6, 94.9)),
    ({"ring_s": 8.0}, (90.7, 92.5, 95.2)),
    ({"ring_s": 25.0}, (82.1, 87.4, 92.7)),
]


def limit_of(agents: int, abandon_rate: float, **changed: float) -> Limit:
    return limit(agents=agents, abandon_rate=abandon_rate, **(FLOOR | changed))


def by_linear_program(agents: int, lines: int, answer_rate: float, outcomes: float, abandon_rate: float) -> float:
    """The same limit from occupation measures: time in each state and impulses per unit of time, nothing else."""
    states = {state: place for place, state in enumerate(np.ndindex(agents + 1, lines + 1))}
    balance: dict[tuple[int, int], float] = {}
    occupancy, kept, total = [], [], []

    def flow(column: int, start: tuple[int, int], end: tuple[int, int], rate: float) -> None:
        for state, signed in ((start, -rate), (end, rate)):
            balance[states[state], column] = balance.get((states[state], column), 0.0) + signed

    for n, r in states:
        column = len(occupancy)
        answers = r * outcomes * answer_rate
        occupancy.append(n / agents)
        kept.append((1 - abandon_rate) * answers * (n == agents) - abandon_rate * answers * (n < agents))
        total.append(1.0)
        if n > 0:
            flow(column, (n, r), (n - 1, r), n)
        if r > 0:
            flow(column, (n, r), (n, r - 1), r * outcomes * (1 - answer_rate))
            flow(column, (n, r), (min(n + 1, agents), r - 1), answers)
    for n, r in states:
        if r < lines:
            flow(len(occupancy), (n, r), (n, r + 1), 1.0)
            occupancy.append(0.0)
            kept.append(0.0)
            total.append(0.0)
    equal = np.zeros((len(states) + 1, len(occupancy)))
    for (row, column), rate in balance.items():
        equal[row, column] = rate
    equal[-1] = total
    right = np.append(np.zeros(len(states)), 1.0)
    solved = linprog(-np.array(occupancy), A_ub=[kept], b_ub=[0.0], A_eq=equal, b_eq=right, method="highs")
    assert solved.status == 0, solved.message
    return float(-solved.fun)


@pytest.mark.parametrize(
    ("agents", "lines", "answer_rate", "outcomes", "abandon_rate"),
    [(1, 12, 0.5, 6.0, 0.1), (2, 14, 0.6, 12.0, 0.03), (3, 24, 0.4, 8.0, 0.05), (4, 16, 0.9, 4.0, 0.02)],
)
def test_the_bound_is_the_optimum_of_the_linear_program(
    agents: int, lines: int, answer_rate: float, outcomes: float, abandon_rate: float
) -> None:
    found = limit(
        agents=agents, answer_rate=answer_rate, handle_s=10.0 * outcomes, ring_s=10.0, abandon_rate=abandon_rate
    )
    optimum = by_linear_program(agents, lines, answer_rate, outcomes, abandon_rate)
    assert found.occupancy_bound == pytest.approx(optimum, abs=1e-6)


@pytest.mark.parametrize(("agents", "abandon_rate"), TABLE)
def test_the_table_of_limits(agents: int, abandon_rate: float) -> None:
    found = limit_of(agents, abandon_rate)
    assert 100 * found.occupancy_bound == pytest.approx(TABLE[agents, abandon_rate], abs=0.06)
    assert 100 * found.progressive == pytest.approx(78.26, abs=0.01)
    assert found.progressive <= found.occupancy_policy <= found.occupancy_bound + 1e-9
    assert found.abandon_rate <= abandon_rate + 1e-12


@pytest.mark.parametrize(("changed", "expected"), SENSITIVITY)
def test_the_limit_on_other_floors(changed: dict[str, float], expected: tuple[float, ...]) -> None:
    found = [100 * limit_of(agents, 0.03, **changed).occupancy_bound for agents in (10, 20, 50)]
    assert found == pytest.approx(expected, abs=0.06)


def simulate(order_up_to: tuple[int, ...], outcomes: float, answer_rate: float, events: int) -> tuple[float, float]:
    """Occupancy and abandon rate of a policy in the Markov world, event by event."""
    rng = np.random.default_rng(5)
    agents = len(order_up_to) - 1
    n, r = 0, order_up_to[0]
    time = busy = 0.0
    answers = abandoned = 0
    for wait, which in zip(rng.exponential(size=events), rng.random(events), strict=True):
        total = n + r * outcomes
        time += wait / total
        busy += n * wait / total
        at = which * total
        if at < n:
            n -= 1
        else:
            r -= 1
            if at - n < (r + 1) * outcomes * answer_rate:
                answers += 1
                if n == agents:
                    abandoned += 1
                else:
                    n += 1
        r = max(r, order_up_to[n])
    return busy / time / agents, abandoned / answers


def test_the_policy_does_what_is_said_of_it() -> None:
    found = limit_of(10, 0.03)
    occupancy, abandon_rate = simulate(found.order_up_to, 12.0, 0.3, 400_000)
    assert occupancy == pytest.approx(found.occupancy_policy, abs=0.004)
    assert abandon_rate == pytest.approx(found.abandon_rate, abs=0.0025)
    assert performance(found.order_up_to, **FLOOR) == pytest.approx((found.occupancy_policy, found.abandon_rate))


def newsvendor(agents: int, price: float) -> tuple[int, ...]:
    """Levels of the rule: one more line while the chance that its answer finds no agent is below 1 / (1 + price)."""
    taus = (np.arange(10) + 0.5) / 10 * 3.0 * FLOOR["ring_s"]
    weights = np.exp(-taus / FLOOR["ring_s"])
    weights /= weights.sum()
    finished = 1 - np.exp(-taus / FLOOR["handle_s"])
    answered = FLOOR["answer_rate"] * (1 - np.exp(-taus / FLOOR["ring_s"]))
    levels = []
    for n in range(agents + 1):
        free = agents - n + np.arange(n + 1)
        lines = 0
        while True:
            finds_none = sum(
                w * (binom.pmf(np.arange(n + 1), n, f) * binom.sf(free - 1, lines, a)).sum()
                for w, f, a in zip(weights, finished, answered, strict=True)
            )
            if finds_none >= 1 / (1 + price):
                break
            lines += 1
        levels.append(lines)
    return tuple(levels)


def test_no_price_takes_the_newsvendors_rule_above_the_bound() -> None:
    nearest = 1.0
    for price in (1.5, 2.0, 3.0, 5.0, 10.0):
        occupancy, abandon_rate = performance(newsvendor(5, price), **FLOOR)
        bound = limit_of(5, abandon_rate).occupancy_bound
        assert occupancy <= bound + 1e-9
        nearest = min(nearest, bound - occupancy)
    assert nearest < 0.003


@settings(max_examples=25, deadline=None)
@given(
    agents=st.integers(1, 7),
    answer_rate=st.floats(0.1, 1.0),
    outcomes=st.floats(2.0, 40.0),
    abandon_rate=st.floats(0.001, 0.2),
    levels=st.lists(st.integers(0, 30), min_size=8, max_size=8),
)
@example(agents=6, answer_rate=1.0, outcomes=2.0, abandon_rate=0.078125, levels=[0] * 8)  # 4 busy are never met
def test_no_levels_exceed_the_bound_at_their_own_abandon_rate(
    agents: int, answer_rate: float, outcomes: float, abandon_rate: float, levels: list[int]
) -> None:
    floor = {"answer_rate": answer_rate, "handle_s": 10.0 * outcomes, "ring_s": 10.0}
    order_up_to = (levels[0] + 1, *levels[1 : agents + 1])
    occupancy, abandoned = performance(order_up_to, **floor)
    if abandoned <= MOST_ABANDON_RATE:
        assert occupancy <= limit(agents=agents, abandon_rate=abandoned, **floor).occupancy_bound + 1e-8
    found = limit(agents=agents, abandon_rate=abandon_rate, **floor)
    assert found.progressive - 1e-9 <= found.occupancy_policy <= found.occupancy_bound + 1e-9 <= 1.0
    assert found.abandon_rate <= abandon_rate + 1e-12
    assert list(found.order_up_to) == sorted(found.order_up_to, reverse=True)
    assert limit(agents=agents + 1, abandon_rate=abandon_rate, **floor).occupancy_bound > found.occupancy_bound - 1e-8
    assert limit(agents=agents, abandon_rate=1.5 * abandon_rate, **floor).occupancy_bound > found.occupancy_bound


def test_where_nobody_may_be_abandoned_the_limit_is_progressive_dialling() -> None:
    found = limit_of(6, 0.0)
    assert found.order_up_to == (6, 5, 4, 3, 2, 1, 0)
    assert found.occupancy_bound == found.occupancy_policy == pytest.approx(found.progressive)
    assert found.abandon_rate == 0.0
    assert limit_of(6, 1e-7).occupancy_bound == pytest.approx(found.progressive, abs=0.01)
    assert progressive_occupancy(**FLOOR) == pytest.approx(180 / 230)


def test_idle_seconds_between_calls() -> None:
    assert limit_of(20, 0.03).mean_idle_s == pytest.approx(20.6, abs=0.1)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"agents": 0}, r"agents: expected in \[1, 500\], was 0"),
        ({"agents": 501}, "agents: expected in"),
        ({"agents": 400, "answer_rate": 0.01}, "agents: expected at most 21 at this answer rate"),
        ({"answer_rate": 0.0}, "answer_rate: expected above 0 and at most 1, was 0"),
        ({"answer_rate": float("nan")}, "answer_rate"),
        ({"handle_s": 0.0}, "handle_s: expected seconds above 0, was 0"),
        ({"ring_s": float("inf")}, "ring_s"),
        ({"abandon_rate": 0.6}, r"abandon_rate: expected in \[0, 0.5\], was 0.6"),
    ],
)
def test_arguments_beyond_their_bounds_are_named(changed: dict[str, float], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        limit(**({"agents": 5, "abandon_rate": 0.03} | FLOOR | changed))  # type: ignore[arg-type]


def test_a_policy_that_never_launches_is_refused() -> None:
    with pytest.raises(ValueError, match="order_up_to: expected lines"):
        performance((0, 3), **FLOOR)
