"""OmniDialer's gamma and UNICOM's PI loop, worked out by hand from their descriptions."""

from __future__ import annotations

from math import exp, floor

import pytest
from peer_looks import look, tell

from pacing.peers.compiled import new_peer
from pacing.peers.omnidialer import gamma_of


def test_one_abandon_takes_twelve_hits_to_leave_the_soft_hold_and_nineteen_to_be_forgotten() -> None:
    state = new_peer("omnidialer-gamma")
    tell(state, answered=1, abandoned=1)
    assert state["omnidialer"]["abandon_rate"][0] == pytest.approx(0.1)
    gammas = []
    for hit in range(20):
        look(state, float(hit), idle=1)
        gammas.append(gamma_of(state[0]["omnidialer"]))
        tell(state, answered=1)
    assert gammas[11] == pytest.approx(0.2)  # after eleven hits
    assert 0.2 < gammas[12] < gammas[18] < 1.0
    assert gammas[19] == 1.0


def test_gamma_falls_linearly_from_half_the_bound_to_the_bound() -> None:
    state = new_peer("omnidialer-gamma", {"aggressiveness": 1.4})
    found = []
    for rate in (0.0, 0.015, 0.0225, 0.03, 0.5):
        state["omnidialer"]["abandon_rate"] = rate
        found.append(gamma_of(state[0]["omnidialer"]))
    assert found == pytest.approx([1.4, 1.4, 0.8, 0.2, 0.2])


def test_five_ticks_above_the_bound_latch_progressive_until_well_below_it() -> None:
    state = new_peer("omnidialer-gamma")
    tell(state, handled=50)
    state["omnidialer"]["hit_rate"] = 0.25
    state["omnidialer"]["abandon_rate"] = 0.1
    lines = [look(state, float(tick), idle=10) for tick in range(6)]
    assert lines == [8, 8, 8, 8, 10, 10]  # 10 / 0.25 * 0.2, and then one for each idle agent
    state["omnidialer"]["abandon_rate"] = 0.025
    assert look(state, 6.0, idle=10) == 10
    state["omnidialer"]["abandon_rate"] = 0.0239
    assert look(state, 7.0, idle=10) == floor(40 * (1.0 - (0.0239 - 0.015) / 0.015 * 0.8))


def test_lines_come_from_expected_agents_and_expected_answers() -> None:
    state = new_peer("omnidialer-gamma")
    tell(state, answered=50, handled=50, handle_s=100.0)
    state["omnidialer"]["hit_rate"] = 0.5
    free = (1.0 - exp(-15.0 / 90.0)) + (1.0 - exp(-15.0 / 20.0)) + (1.0 - exp(-15.0))
    expected = floor((3 + free - 2 * 0.5) / 0.5)
    # Calls that wait are not taken off, as published.
    assert look(state, 0.0, idle=3, waiting=2, handling_s=[10.0, 80.0, 500.0], ringing=2) == expected
    assert look(state, 0.9, idle=9) == 0  # between ticks
    assert look(state, 1.0, idle=9) == 18


def test_the_hit_rate_is_floored_and_omnidialer_is_progressive_before_fifty_handled_calls() -> None:
    state = new_peer("omnidialer-gamma")
    tell(state, failed=5, handled=49)
    assert look(state, 0.0, idle=4, ringing=1) == 3
    tell(state, handled=1)
    assert look(state, 1.0, idle=4) == 80  # 4 / 0.05


def test_lost_answers_count_as_abandons() -> None:
    state, twin = new_peer("omnidialer-gamma"), new_peer("omnidialer-gamma")
    from pacing.peers.compiled import peer_lost

    peer_lost(state, 2.0)
    tell(twin, abandoned=2)
    assert state["omnidialer"]["abandon_rate"] == pytest.approx(twin["omnidialer"]["abandon_rate"])
    assert (state["books"]["answers"][0], state["books"]["abandoned"][0]) == (2.0, 2.0)


def test_the_pi_loop_steps_by_its_gains() -> None:
    state = new_peer("unicom-pi", {"max_abandon_rate": 0.1})
    look(state, 0.0, idle=4)
    tell(state, answered=20, failed=60, abandoned=1)
    look(state, 299.5, idle=4)
    lines = look(state, 300.5, idle=4, ringing=5)
    error = 2.8 - 5.0  # percentage points
    integral = 150.0 + 0.05 * error * 1.0
    assert state["unicom"]["integral"][0] == pytest.approx(integral)
    adjustment = integral + 2.0 * error
    assert state["unicom"]["adjustment"][0] == pytest.approx(adjustment)
    assert lines == round(4 + 4 * adjustment / 100 * 3.0) - 5


@pytest.mark.parametrize(
    ("now", "answered", "abandoned", "expected"),
    [(299.0, 20, 0, 4), (301.0, 9, 0, 4), (301.0, 50, 2, 4), (301.0, 50, 1, 16)],
)
def test_the_pi_loop_is_progressive_early_and_above_its_bound(
    now: float, answered: int, abandoned: int, expected: int
) -> None:
    state = new_peer("unicom-pi", {"proportional_gain": 0.0, "integral_gain": 0.0})
    look(state, 0.0, idle=4)
    tell(state, answered=answered, failed=2 * answered, abandoned=abandoned)
    assert look(state, now, idle=4) == expected  # 4 + 4 * 1.5 * 2 where it may


def test_the_pi_loop_does_not_wind_up() -> None:
    state = new_peer("unicom-pi", {"max_abandon_rate": 1.0, "warm_up_s": 0.0, "integral_gain": 100.0})
    look(state, 0.0, idle=1)
    tell(state, answered=20, abandoned=20)
    for second in range(1, 100):
        look(state, float(second), idle=1)
    assert state["unicom"]["integral"][0] == 0.0
    tell(state, answered=100_000)
    look(state, 100.0, idle=1)
    assert state["unicom"]["integral"][0] > 100.0


def test_a_window_forgets() -> None:
    state = new_peer("unicom-pi")
    look(state, 0.0)
    tell(state, answered=3, failed=7, abandoned=1)
    for second in range(1, 885):
        look(state, float(second), idle=1)
    assert state["books"]["window_attempts"].sum() == 10.0
    look(state, 901.0, idle=1)
    assert state["books"]["window_attempts"].sum() == 0.0
    assert state["books"]["attempts"][0] == 10.0
