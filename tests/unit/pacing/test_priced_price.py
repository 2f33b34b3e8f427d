"""The price loop: its budget on every path, its shape, what it learns, its accounts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing_views import NOW, make_view

from pacing.priced import Priced
from pacing.priced.price import NEW_ACCOUNT_AFTER_S, PRICE_OF_TARGET
from pacing.priced.state import SETTINGS

STEADY = {"offset_rate": 0.0, "dither": 0.0}  # nothing learned but the account


def _answered(policy: Priced, times: int = 1) -> None:
    for _ in range(times):
        policy.answered(after_s=8.0, probability=0.3)


def _figures(policy: Priced, **view: Any) -> dict[str, float]:
    return policy.lines(make_view(**view), np.random.default_rng(0)).figures


@settings(max_examples=40, deadline=None)
@given(
    events=st.lists(st.sampled_from(["answered", "abandoned", "lost", "not_answered", "look"]), max_size=150),
    targets=st.lists(st.sampled_from([0.01, 0.03, 0.05]), min_size=1, max_size=4),
)
def test_the_budget_is_what_was_allowed_less_what_was_abandoned(events: list[str], targets: list[float]) -> None:
    """On every path, under targets that change, whatever was learned in between."""
    policy, target, looks, budget = Priced(), 0.03, 0, 0.0
    for event in events:
        if event == "look":
            target = targets[looks % len(targets)]
            looks += 1
            assert _figures(policy, target_abandon_rate=target)["budget_left"] == pytest.approx(budget, abs=1e-9)
        elif event == "lost":
            policy.lost(answers=0.5)
        else:
            getattr(policy, event)(**({} if event == "abandoned" else {"after_s": 9.0, "probability": 0.3}))
        answers = {"answered": 1.0, "lost": 0.5}.get(event, 0.0)
        budget += target * answers - {"abandoned": 1.0, "lost": 0.5}.get(event, 0.0)
    assert _figures(policy)["budget_left"] == pytest.approx(budget, abs=1e-9)


def test_at_the_reserve_the_price_is_that_of_the_target() -> None:
    """With 27 allowed, half of seven and a fiftieth of 27 are kept back beside the guarded one."""
    policy = Priced(STEADY)
    _answered(policy, 900)
    reserve = 1.0 + 3.5 + 0.54
    assert _figures(policy, budget_left=reserve)["price"] == pytest.approx(PRICE_OF_TARGET / 0.03)
    assert _figures(policy, budget_left=reserve - 1.0)["price"] == pytest.approx(50.0 * math.exp(SETTINGS["slope"]))
    assert _figures(policy, budget_left=reserve + 2.0)["price"] == pytest.approx(50.0 * math.exp(-0.24))


def test_a_scarce_budget_raises_the_price_steeply_but_smoothly() -> None:
    policy = Priced(STEADY)
    _answered(policy, 900)
    left = np.arange(5.0, 0.0, -0.01)
    rises = np.diff([math.log(_figures(policy, budget_left=b)["price"]) for b in left]) / 0.01
    scarce = left[1:] < 1.0 + 0.4 * 4.04 - 0.011
    assert rises[~scarce][:-2] == pytest.approx(SETTINGS["slope"])
    assert rises[scarce] == pytest.approx(SETTINGS["slope"] + SETTINGS["scarcity"])
    assert max(rises) < 0.73  # nowhere a jump


def test_the_price_settles_where_the_budget_neither_grows_nor_shrinks() -> None:
    """A campaign that abandons less than allowed at the price of the target learns that its price is lower, and one
    that abandons more that it is higher; neither runs away."""
    shy, bold = Priced(), Priced()
    for _ in range(20):
        _answered(shy, 100)
        _answered(bold, 100)
        for _ in range(3):
            bold.abandoned()
    assert -2.5 <= shy.state["price_offset"][0] < -1.0
    assert 0.2 < bold.state["price_offset"][0] <= 2.5
    before = float(bold.state["price_offset"][0])
    for _ in range(50):
        bold.abandoned()
    _answered(bold, 100)
    assert bold.state["price_offset"][0] == before  # a guarded campaign's budget says nothing of its price


def test_another_account_with_less_left_rules() -> None:
    policy = Priced(STEADY)
    _answered(policy, 200)
    own = _figures(policy)
    assert own["budget_left"] == pytest.approx(6.0)
    assert _figures(policy, budget_left=50.0) == own
    tighter = _figures(policy, budget_left=2.0)
    assert tighter["budget_left"] == 2.0
    assert tighter["price"] > own["price"]


def test_the_price_follows_the_target() -> None:
    prices = [_figures(Priced(STEADY), target_abandon_rate=rate)["price"] for rate in (0.0, 0.001, 0.01, 0.03, 0.5)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] == pytest.approx(2000.0)
    assert prices[2] / prices[3] == pytest.approx(3.0)


@pytest.mark.parametrize("left", [-10.0, -1e4, -1e300])
def test_however_far_a_budget_is_overdrawn_the_price_is_a_number(left: float) -> None:
    policy = Priced()
    _answered(policy, 100)
    figures = _figures(policy, budget_left=left)
    assert all(math.isfinite(value) for value in figures.values())
    assert figures["price"] == pytest.approx(2000.0)


def test_people_taken_for_machines_are_answers_and_abandons() -> None:
    lost, met = Priced(STEADY), Priced(STEADY)
    for policy in (lost, met):
        _answered(policy, 100)
    lost.lost(answers=2.0)
    _answered(met, 2)
    for _ in range(2):
        met.abandoned()
    assert _figures(lost)["budget_left"] == pytest.approx(_figures(met)["budget_left"])
    assert _figures(lost)["price"] == pytest.approx(_figures(met)["price"])


@pytest.mark.parametrize(("paused_s", "new"), [(NEW_ACCOUNT_AFTER_S - 1.0, False), (NEW_ACCOUNT_AFTER_S, True)])
def test_a_long_pause_opens_an_account_that_knows_the_price(paused_s: float, new: bool) -> None:
    policy = Priced()
    _answered(policy, 1000)
    assert _figures(policy)["budget_left"] == pytest.approx(30.0)
    offset = float(policy.state["price_offset"][0])
    after = _figures(policy, now=NOW + paused_s)
    assert after["budget_left"] == (0.0 if new else pytest.approx(30.0))
    assert policy.state["price_offset"][0] == offset != 0.0
    assert _figures(policy, now=NOW + 3 * NEW_ACCOUNT_AFTER_S)["budget_left"] == 0.0


def test_a_lower_target_leaves_the_allowance_of_earlier_answers() -> None:
    policy = Priced()
    _answered(policy, 100)
    _figures(policy, target_abandon_rate=0.01)
    _answered(policy, 100)
    assert _figures(policy)["budget_left"] == pytest.approx(4.0)


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected settings of slope, .*, was slop"):
        Priced({"slop": 0.9})
