"""`priced-v1`: guards, figures, errors, accounts."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from pacing_views import NOW, make_view

from pacing.price import NEW_ACCOUNT_AFTER_S
from pacing.priced import Priced
from pacing.view import InconsistentView

FIGURES = {
    "forecast_free",
    "forecast_answers",
    "marginal_abandon_probability",
    "threshold",
    "price",
    "budget_left",
    "answer_multiplier",
}
BUSY_TEAM = {"idle": 2, "handling_s": [20.0, 60.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0]}


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _taught(answers: int = 200, abandons: int = 0) -> Priced:
    policy, rng = Priced(), np.random.default_rng(1)
    for _ in range(answers):
        policy.answered(after_s=3.0 + rng.gamma(2.0, 4.0), probability=0.3)
        policy.not_answered(after_s=25.0, probability=0.3)
        policy.not_answered(after_s=25.0, probability=0.3)
        policy.handled(handle_s=rng.lognormal(4.7, 0.83))
    for _ in range(abandons):
        policy.abandoned()
    return policy


def test_it_dials_ahead_and_explains_itself() -> None:
    pace = _taught().lines(make_view(**BUSY_TEAM), _rng())
    assert pace.lines > 2
    assert set(pace.figures) == FIGURES
    assert all(math.isfinite(value) for value in pace.figures.values())
    assert pace.figures["threshold"] == pytest.approx(1.0 / (1.0 + pace.figures["price"]))


def test_a_cold_policy_dials_progressively() -> None:
    eager = {"next_answer_probability": 0.02}  # by the price alone it would dial many
    pace = Priced().lines(make_view(**BUSY_TEAM, **eager), _rng())
    assert (pace.lines, pace.guard) == (2, "abandon_budget")
    assert _taught().lines(make_view(**BUSY_TEAM, **eager), _rng()).lines > 10


def test_an_empty_budget_means_progressive() -> None:
    policy = _taught(answers=200, abandons=6)  # 200 * 0.03 = 6
    assert policy.lines(make_view(**BUSY_TEAM, ringing_s=[5.0]), _rng()).lines == 1
    assert policy.lines(make_view(**BUSY_TEAM, ringing_s=[5.0] * 4), _rng()).lines == 0


def test_waiting_calls_and_leaving_agents_lower_the_lines() -> None:
    def lines(**more: int) -> int:
        return _taught().lines(make_view(**BUSY_TEAM, **more), _rng()).lines

    assert lines(waiting=2) < lines(waiting=1) < lines()
    assert lines(leaving=8) < lines()


def test_more_waiting_calls_than_idle_agents_stop_it() -> None:
    assert _taught().lines(make_view(idle=0, handling_s=[10.0], waiting=3), _rng()).lines == 0


def test_without_agents_it_says_so() -> None:
    pace = _taught().lines(make_view(idle=0), _rng())
    assert (pace.lines, pace.guard) == (0, "no_agents")


def test_the_supervisors_bound_holds() -> None:
    view = make_view(idle=2, max_lines_per_idle_agent=1.5, next_answer_probability=0.01)
    pace = _taught().lines(view, _rng())
    assert (pace.lines, pace.guard) == (3, "lines_per_idle_agent")


def test_leads_that_never_answer_do_not_make_it_run_away() -> None:
    pace = _taught().lines(make_view(**BUSY_TEAM, next_answer_probability=0.0), _rng())
    assert 0 < pace.lines <= 8 * 10
    assert pace.guard == "lines_per_idle_agent"


def test_lines_about_to_be_answered_count() -> None:
    fresh = _taught().lines(make_view(**BUSY_TEAM, ringing_s=[8.0] * 6, probability=0.5), _rng()).lines
    stale = _taught().lines(make_view(**BUSY_TEAM, ringing_s=[24.4] * 6, probability=0.5), _rng()).lines
    assert fresh < stale


def test_a_night_opens_a_new_account() -> None:
    policy = _taught(answers=2000)
    before = policy.lines(make_view(**BUSY_TEAM), _rng()).figures
    after = policy.lines(make_view(now=NOW + NEW_ACCOUNT_AFTER_S, **BUSY_TEAM), _rng())
    assert before["budget_left"] == pytest.approx(60.0)
    assert after.figures["budget_left"] == 0.0
    assert after.lines == 2  # progressive again


@pytest.mark.parametrize(
    "wrong",
    [
        {"idle": -1},
        {"waiting": -1},
        {"leaving": -1},
        {"leaving": 1},
        {"next_answer_probability": 1.01},
        {"next_answer_probability": float("nan")},
        {"target_abandon_rate": -0.01},
        {"max_lines_per_idle_agent": float("nan")},
        {"max_lines_per_idle_agent": -1.0},
        {"now": float("nan")},
        {"now": float("inf")},
        {"handling_s": [-1.0]},
        {"handling_s": [float("nan")]},
        {"ringing_s": [-0.001]},
        {"ringing_s": [float("nan")]},
        {"ringing_s": [1.0], "probability": 1.5},
        {"ringing_s": [1.0], "probability": float("nan")},
        {"ringing_s": [1.0], "probability": [0.3, 0.3]},
    ],
)
@pytest.mark.parametrize("taught", [0, 100])
def test_a_view_that_cannot_be_true_is_refused_and_leaves_no_mark(wrong: dict[str, object], taught: int) -> None:
    policy = _taught(answers=taught)
    before = policy.snapshot()
    with pytest.raises(InconsistentView, match="expected"):
        policy.lines(make_view(**wrong), _rng())  # type: ignore[arg-type]
    assert policy.snapshot() == before


def test_a_clock_that_goes_back_is_refused() -> None:
    policy = _taught()
    policy.lines(make_view(), _rng())
    policy.lines(make_view(), _rng())
    with pytest.raises(InconsistentView, match="expected a time from"):
        policy.lines(make_view(now=NOW - 0.5), _rng())


def test_the_dither_is_drawn_at_each_launch_and_kept_in_the_snapshot() -> None:
    policy, restored = _taught(), Priced()
    assert policy.lines(make_view(**BUSY_TEAM), _rng()).lines > 0
    drawn = _rng().random()
    assert policy.snapshot()["dither"] == drawn
    restored.restore(policy.snapshot())
    assert restored.snapshot()["dither"] == drawn


def test_read_only_and_sliced_arrays_are_views_too() -> None:
    policy, twin = _taught(), _taught()
    view = make_view(**BUSY_TEAM, ringing_s=[5.0, 9.0])
    since = np.zeros(20)
    since[::2][:8] = view.handling_since
    view.ringing_since.setflags(write=False)
    sliced = msgspec.structs.replace(make_view(**BUSY_TEAM, ringing_s=[5.0, 9.0]), handling_since=since[::2][:8])
    assert policy.lines(view, _rng()) == twin.lines(sliced, _rng())
