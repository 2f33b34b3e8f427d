"""The closed form of progressive dialling, by hand and in its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from sim.theory import Progressive


def test_it_is_what_one_works_out_by_hand() -> None:
    """180 s of handling after on average 1 / 0.3 lines of 15 s each: 50 s idle."""
    floor = Progressive(agents=20, handle_s=180.0, live_rate=0.3, live_s=15.0, not_live_s=15.0)
    assert floor.mean_idle_s == pytest.approx(50.0)
    assert floor.occupancy == pytest.approx(180.0 / 230.0)
    assert floor.attempts_per_s == pytest.approx(20 / 0.3 / 230.0)


def test_lines_that_fail_cost_their_own_time() -> None:
    floor = Progressive(agents=1, handle_s=100.0, live_rate=0.25, live_s=10.0, not_live_s=20.0)
    assert floor.mean_idle_s == pytest.approx(10.0 + 3 * 20.0)


def test_each_attempt_waits_for_its_decision() -> None:
    one = Progressive(agents=1, handle_s=1e9, live_rate=0.25, live_s=10.0, not_live_s=20.0, decision_delay_s=0.05)
    assert one.launch_delay_s == pytest.approx(0.05, rel=1e-6)  # nothing else happens meanwhile
    assert one.mean_idle_s == pytest.approx(70.2, rel=1e-6)


@given(agents=st.integers(1, 500), handle_s=st.floats(1.0, 600.0), live_rate=st.floats(0.02, 1.0))
def test_a_larger_floor_shares_decisions(agents: int, handle_s: float, live_rate: float) -> None:
    def floor(agents: int) -> Progressive:
        return Progressive(
            agents=agents, handle_s=handle_s, live_rate=live_rate, live_s=8.0, not_live_s=20.0, decision_delay_s=0.05
        )

    small, large = floor(agents), floor(2 * agents)
    assert 0.025 < large.launch_delay_s < small.launch_delay_s < 0.05
    assert small.occupancy < large.occupancy < 1.0
    # Little's law: as many calls are handled as attempts are answered.
    handled_per_s = small.occupancy * agents / handle_s
    assert handled_per_s == pytest.approx(small.attempts_per_s * live_rate, rel=1e-9)


def test_the_number_of_busy_agents_is_binomial() -> None:
    floor = Progressive(agents=30, handle_s=120.0, live_rate=0.4, live_s=9.0, not_live_s=14.0)
    np.testing.assert_allclose(
        floor.busy_distribution(), binom.pmf(np.arange(31), 30, floor.occupancy), rtol=1e-9, atol=1e-300
    )


@pytest.mark.parametrize("wrong", [{"agents": 0}, {"live_rate": 0.0}, {"live_rate": 1.1}, {"handle_s": 0.0}])
def test_a_floor_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected agents"):
        Progressive(**{"agents": 5, "handle_s": 100.0, "live_rate": 0.3, "live_s": 9.0, "not_live_s": 20.0, **wrong})
