"""What `priced-v1` makes of the floor: agents who leave, waiting calls, lines that stop ringing, guards, figures."""

from __future__ import annotations

import math
from math import inf
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW, make_view

from pacing.policy import Pace
from pacing.priced import Priced
from pacing.priced.decision import MOST_HUNG_UP, MOST_LINES
from pacing.priced.state import SETTINGS

FIGURES = {
    "forecast_free",
    "forecast_answers",
    "marginal_abandon_probability",
    "threshold",
    "price",
    "budget_left",
    "answer_multiplier",
}
BUSY_TEAM: dict[str, Any] = {"idle": 2, "handling_s": [20.0, 60.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0]}
ABOVE = SETTINGS["hang_up_above"]


def _taught(answers: int = 200, abandons: int = 0) -> Priced:
    policy, rng = Priced({"frozen_answers": 1.0}), np.random.default_rng(1)
    for _ in range(answers):
        after_s = 3.0 + rng.gamma(2.0, 4.0)
        policy.answered(after_s=after_s, probability=0.3, rang_after_s=2.0)
        policy.not_answered(after_s=25.0, probability=0.3, rang_after_s=2.0)
        policy.not_answered(after_s=25.0, probability=0.3)
        policy.handled(handle_s=rng.lognormal(4.7, 0.83))
    for _ in range(abandons):
        policy.abandoned()
    policy.state["refreshed_at_count"] = -1.0
    policy.lines(make_view(idle=0), np.random.default_rng(0))  # derives its tables
    return policy


@pytest.fixture(scope="module")
def trained() -> dict[str, object]:
    """What a policy has learned that was trained well, with a budget of 6 abandons."""
    return _taught().snapshot()


def _pace(trained: dict[str, object], **view: Any) -> Pace:
    """Return the decision of the trained policy, each time with nothing decided before."""
    policy = Priced({"frozen_answers": 1.0})
    policy.restore(trained)
    return policy.lines(make_view(**view), np.random.default_rng(0))


def _free(trained: dict[str, object], **view: Any) -> float:
    return _pace(trained, **view).figures["forecast_free"]


def _taus(trained: dict[str, object]) -> Any:
    policy = Priced()
    policy.restore(trained)
    return policy.state["taus"][0]


def test_it_dials_ahead_and_explains_itself(trained: dict[str, object]) -> None:
    pace = _pace(trained, **BUSY_TEAM)
    assert pace.lines > 2
    assert set(pace.figures) == FIGURES
    assert all(math.isfinite(value) for value in pace.figures.values())
    assert pace.figures["threshold"] == pytest.approx(1.0 / (1.0 + pace.figures["price"]))
    assert pace.figures["marginal_abandon_probability"] >= pace.figures["threshold"]


def test_the_draw_dithers_the_threshold_and_so_mixes_two_counts(trained: dict[str, object]) -> None:
    lines = []
    for draw in np.linspace(0.0, 1.0, 21).tolist():
        pace = _pace(trained | {"draw": draw}, **BUSY_TEAM, next_answer_probability=0.1)
        dithered = pace.figures["threshold"] * (1.0 + pace.figures["price"])
        assert math.log(dithered) == pytest.approx(SETTINGS["dither"] * (2.0 * draw - 1.0), abs=1e-12)
        lines.append(pace.lines)
    assert lines == sorted(lines)
    assert 1 <= lines[-1] - lines[0] <= 3


# ---- agents ------------------------------------------------------------------------------------------------------
def test_a_busy_agent_who_leaves_after_his_call_is_never_free(trained: dict[str, object]) -> None:
    stays = _free(trained, **BUSY_TEAM)
    seven = {"idle": 2, "handling_s": BUSY_TEAM["handling_s"][1:]}
    for gone_at in (-inf, NOW - 100.0, NOW):
        leaves_at = np.full(8, inf)
        leaves_at[0] = gone_at
        left = _free(trained, **BUSY_TEAM, leaves_at=leaves_at)
        assert left == pytest.approx(_free(trained, **seven)) and left < stays
    assert _free(trained, **BUSY_TEAM, leaves_at=np.full(8, inf)) == stays
    assert _free(trained, **BUSY_TEAM, leaves_at=np.full(8, NOW)) == 2.0


def test_a_busy_agent_counts_at_the_taus_before_he_leaves(trained: dict[str, object]) -> None:
    taus, one = _taus(trained), {"idle": 0, "handling_s": [100.0]}
    free = [_free(trained, **one, leaves_at=np.array([NOW + at])) for at in [0.0, *(taus + 0.01), 1e6]]
    assert free[0] == 0.0
    assert np.all(np.diff(free[:-1]) > 0.0)  # one more tau with him each time
    assert free[-2] == free[-1] == _free(trained, **one)


def test_an_idle_agent_who_leaves_counts_until_then(trained: dict[str, object]) -> None:
    taus = _taus(trained)
    for kept, at in enumerate([0.0, *(taus + 0.01)]):
        free = _free(trained, idle=2, idle_leaves_at=np.array([NOW + at]))
        assert free == pytest.approx(1.0 + kept / len(taus))
    busy = {"handling_s": BUSY_TEAM["handling_s"]}
    gone = _pace(trained, idle=3, **busy, idle_leaves_at=np.array([NOW - 5.0]))
    assert gone.lines == _pace(trained, idle=2, **busy).lines
    risk = gone.figures["marginal_abandon_probability"]
    assert risk == pytest.approx(_pace(trained, idle=2, **busy).figures["marginal_abandon_probability"])


def test_waiting_calls_take_idle_agents(trained: dict[str, object]) -> None:
    lines = [_pace(trained, **BUSY_TEAM, waiting=waiting).lines for waiting in range(4)]
    assert lines == sorted(lines, reverse=True) and lines[0] > lines[1] > lines[2]
    two_wait = _pace(trained, **(BUSY_TEAM | {"idle": 4}), waiting=2)
    assert (two_wait.lines, two_wait.figures) == (lines[0], _pace(trained, **BUSY_TEAM).figures)
    assert _pace(trained, idle=0, handling_s=[10.0], waiting=3).lines == 0


def test_lines_about_to_be_answered_count(trained: dict[str, object]) -> None:
    fresh = _pace(trained, **BUSY_TEAM, ringing_s=[8.0] * 6, probability=0.5).lines
    late = _pace(trained, **BUSY_TEAM, ringing_s=[24.4] * 6, probability=0.5).lines
    assert fresh < late


def test_lines_that_ring_count_more_than_silent_ones(trained: dict[str, object]) -> None:
    view = {**BUSY_TEAM, "ringing_s": [6.0] * 8, "probability": 0.4}
    silent = _pace(trained, **view, rung_since=np.full(8, inf))
    ringing = _pace(trained, **view, rung_since=np.full(8, NOW - 4.0))
    assert ringing.lines < silent.lines
    assert ringing.figures["marginal_abandon_probability"] >= ringing.figures["threshold"]


# ---- guards ------------------------------------------------------------------------------------------------------
def test_a_cold_policy_dials_progressively(trained: dict[str, object]) -> None:
    eager = {**BUSY_TEAM, "next_answer_probability": 0.02}  # by the price alone it would dial many
    pace = Priced().lines(make_view(**eager), np.random.default_rng(0))
    assert (pace.lines, pace.guard) == (2, "abandon_budget")
    assert _pace(trained, **eager).lines > 10


def test_an_empty_budget_means_progressive() -> None:
    trained = _taught(abandons=6).snapshot()  # 200 * 0.03 = 6
    assert _pace(trained, **BUSY_TEAM, ringing_s=[5.0]).lines == 1
    assert _pace(trained, **BUSY_TEAM, ringing_s=[5.0] * 4).lines == 0


def test_a_budget_used_up_elsewhere_means_progressive(trained: dict[str, object]) -> None:
    eager = {**BUSY_TEAM, "next_answer_probability": 0.05}
    assert _pace(trained, **eager, budget_left=1.0).guard == "none"
    pace = _pace(trained, **eager, budget_left=0.999)
    assert (pace.lines, pace.guard, pace.figures["budget_left"]) == (2, "abandon_budget", 0.999)


def test_without_agents_it_says_so(trained: dict[str, object]) -> None:
    pace = _pace(trained, idle=0)
    assert (pace.lines, pace.guard) == (0, "no_agents")


def test_the_supervisors_bound_holds(trained: dict[str, object]) -> None:
    pace = _pace(trained, idle=2, max_lines_per_idle_agent=1.5, next_answer_probability=0.01)
    assert (pace.lines, pace.guard) == (3, "lines_per_idle_agent")
    ringing = {"ringing_s": [1.0] * 2, "probability": 0.01}
    pace = _pace(trained, idle=2, max_lines_per_idle_agent=1.5, next_answer_probability=0.01, **ringing)
    assert (pace.lines, pace.guard) == (1, "lines_per_idle_agent")


def test_leads_that_never_answer_do_not_make_it_run_away(trained: dict[str, object]) -> None:
    pace = _pace(trained, **BUSY_TEAM, next_answer_probability=0.0)
    assert 0 < pace.lines <= 8 * 10
    assert pace.guard == "lines_per_idle_agent"
    huge = _pace(trained, idle=5000, next_answer_probability=0.0)
    assert huge.lines == MOST_LINES


# ---- hanging up --------------------------------------------------------------------------------------------------
RINGING: dict[str, Any] = {
    "idle": 0,
    "handling_s": [5.0, 6.0],
    "ringing_s": [19.0, 17.0, 18.0, 16.0],
    "probability": 0.9,
}


def _rung(*rung_s: float) -> Any:
    return NOW - np.array(rung_s)


def test_lines_that_nobody_will_be_there_for_stop_ringing(trained: dict[str, object]) -> None:
    """Both agents have just begun and leave afterwards: whoever answers finds nobody."""
    gone = {**RINGING, "leaves_at": np.full(2, -inf), "hang_up_after_ring_s": 15.0}
    rung_since = _rung(17.0, 15.0, 15.5, 14.9)
    pace = _pace(trained, **gone, rung_since=rung_since)
    assert (pace.lines, pace.hang_up) == (0, (0, 2, 1))  # the longest first; the last may not be hung up yet
    assert _pace(trained, **gone, rung_since=_rung(17.0, -inf, 15.5, -inf)).hang_up == (0, 2)  # no sign, no ringing
    assert _pace(trained, **gone).hang_up == ()  # nothing is known of any ringing
    assert _pace(trained, **(gone | {"hang_up_after_ring_s": inf}), rung_since=rung_since).hang_up == ()
    assert _pace(trained, **(gone | {"hang_up_after_ring_s": 17.5}), rung_since=rung_since).hang_up == ()


def test_no_line_is_hung_up_where_there_is_an_agent_for_each(trained: dict[str, object]) -> None:
    ringing = {**RINGING, "hang_up_after_ring_s": 15.0, "rung_since": _rung(17.0, 15.0, 15.5, 15.1)}
    assert _pace(trained, **ringing).hang_up != ()
    assert _pace(trained, **(ringing | {"idle": 4})).hang_up == ()


def _about_to_answer(lines: int, rung_s: float) -> dict[str, Any]:
    """Lines that are all but certain to be answered before long."""
    return {"ringing_s": [rung_s + 2.0] * lines, "probability": 1.0, "rung_since": np.full(lines, NOW - rung_s)}


def test_no_more_lines_are_hung_up_than_make_the_difference(trained: dict[str, object]) -> None:
    """What is left of an overfull floor can be met: one line fewer hung up, and the others would take every agent."""
    view = {"idle": 2, "handling_s": [300.0] * 4, **_about_to_answer(12, 6.0), "hang_up_after_ring_s": 5.0}
    pace = _pace(trained, **view)
    assert 0 < len(pace.hang_up) < 12
    assert pace.hang_up == tuple(range(len(pace.hang_up)))  # equally long: in order

    def risk(kept: int) -> float:
        fewer = view | _about_to_answer(kept, 6.0)
        return _pace(trained, **fewer).figures["marginal_abandon_probability"]

    kept = 12 - len(pace.hang_up)
    assert risk(kept) >= ABOVE > risk(kept - 1)


def test_one_decision_hangs_up_no_more_than_it_says_it_does(trained: dict[str, object]) -> None:
    many = _about_to_answer(80, 20.0) | {"idle": 0, "hang_up_after_ring_s": 15.0}
    pace = _pace(trained, **many)
    assert pace.hang_up == tuple(range(MOST_HUNG_UP))


def test_it_never_dials_and_hangs_up_at_once(trained: dict[str, object]) -> None:
    """Without a budget each idle agent would get a line; not where all are about to leave."""
    leaving = {"idle": 5, "idle_leaves_at": np.full(5, NOW), "hang_up_after_ring_s": 15.0, "budget_left": 0.0}
    pace = _pace(trained, **leaving, **_about_to_answer(2, 16.0))
    assert (pace.lines, pace.hang_up) == (0, (0, 1))


# ---- any floor ---------------------------------------------------------------------------------------------------
@given(
    idle=st.integers(0, 8),
    waiting=st.integers(0, 3),
    busy=st.integers(0, 150),
    ringing=st.integers(0, 60),
    hang_up_after_s=st.sampled_from([0.0, 15.0, inf]),
    budget=st.sampled_from([-3.0, 0.0, 0.99, 4.0, inf]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_on_any_floor_it_keeps_its_bounds(
    trained: dict[str, object], idle: int, waiting: int, busy: int, ringing: int, hang_up_after_s: float,
    budget: float, seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    ringing_s = rng.uniform(0.0, 40.0, ringing)
    rung_since = NOW - ringing_s * rng.random(ringing)
    rung_since[rng.random(ringing) < 0.5] = inf
    view = make_view(
        idle=idle,
        waiting=waiting,
        handling_s=rng.exponential(200.0, busy),
        ringing_s=ringing_s,
        probability=rng.random(ringing),
        rung_since=rung_since,
        leaves_at=np.where(rng.random(busy) < 0.8, inf, NOW + rng.uniform(-9.0, 60.0, busy)),
        idle_leaves_at=NOW + rng.uniform(-9.0, 60.0, int(rng.integers(0, idle + 1))),
        next_answer_probability=float(rng.random()) ** 2,
        hang_up_after_ring_s=hang_up_after_s,
        budget_left=budget,
    )
    policy = Priced({"frozen_answers": 1.0})
    policy.restore(trained)
    pace = policy.lines(view, rng)
    assert all(math.isfinite(value) for value in pace.figures.values())
    assert 0 <= pace.lines <= view.max_lines_per_idle_agent * (idle + busy)
    if budget < 1.0:
        assert pace.lines <= max(0, idle - waiting - ringing)
    assert not (pace.lines and pace.hang_up)
    assert len(set(pace.hang_up)) == len(pace.hang_up)
    rung = rung_since[list(pace.hang_up)]
    assert (rung <= NOW - hang_up_after_s).all() and (np.diff(rung) >= 0.0).all()
    assert 0.0 <= pace.figures["marginal_abandon_probability"] <= 1.0 + 1e-9


def test_read_only_and_sliced_arrays_are_views_too(trained: dict[str, object]) -> None:
    view = make_view(**BUSY_TEAM, ringing_s=[5.0, 9.0])
    view.ringing_since.setflags(write=False)
    since = np.zeros(20)
    since[::2][:8] = view.handling_since
    sliced = msgspec.structs.replace(view, handling_since=since[::2][:8])
    paces = []
    for each in (view, sliced):
        policy = Priced({"frozen_answers": 1.0})
        policy.restore(trained)
        paces.append(policy.lines(each, np.random.default_rng(0)))
    assert paces[0] == paces[1]
