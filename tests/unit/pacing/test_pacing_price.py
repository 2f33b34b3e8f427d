"""The price loop: its identity on every path, its clamp, its cold start, its account."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pacing import price as module
from pacing.price import AIM, COLD_PRICE, LOG_PRICE_MAX, LOG_PRICE_MIN, RESERVE, STEP, AbandonPrice


def test_abandons_less_aim_equal_the_change_of_log_price() -> None:
    rng = np.random.default_rng(3)
    price = AbandonPrice()
    begun, answers, abandons = price.log_price, 0, 0
    for _ in range(2000):
        price.answered()
        answers += 1
        if rng.random() < 0.03:
            price.abandoned()
            abandons += 1
    assert LOG_PRICE_MIN < price.log_price < LOG_PRICE_MAX
    assert (price.log_price - begun) / STEP == pytest.approx(abandons - AIM * 0.03 * answers)
    assert price.budget_left == pytest.approx(0.03 * answers - abandons)


def test_the_price_comes_back_at_once_after_a_flood() -> None:
    price = AbandonPrice()
    for _ in range(1000):
        price.abandoned()
    assert price.log_price == LOG_PRICE_MAX
    price.answered()
    assert price.log_price < LOG_PRICE_MAX
    for _ in range(100_000):
        price.answered()
    assert price.log_price == LOG_PRICE_MIN


def test_a_cold_start_is_dear() -> None:
    price = AbandonPrice()
    for _ in range(module.COLD_ANSWERS - 1):
        assert price.price >= COLD_PRICE
        price.answered()


def test_a_scarce_budget_raises_the_price_smoothly() -> None:
    price = AbandonPrice()
    for _ in range(150):  # a budget of 4.5
        price.answered()
    before = [price.price]
    for _ in range(4):
        price.abandoned()
        before.append(price.price)
    rises = np.diff(np.log(before))
    assert rises[0] == pytest.approx(STEP, abs=1e-9)  # still above COMFORT
    assert np.all(rises[2:] == pytest.approx(STEP + module.SCARCITY))


def test_a_new_account_forgets_the_counts_and_builds_a_reserve() -> None:
    price = AbandonPrice()
    for _ in range(3000):
        price.answered()
    before = price.log_price
    price.open_account()
    assert price.budget_left == 0.0
    assert price.log_price == pytest.approx(before + RESERVE * STEP)
    assert price.answers_seen == 3000


def test_a_lower_target_leaves_the_allowance_of_earlier_answers() -> None:
    price = AbandonPrice()
    for _ in range(100):
        price.answered()
    price.target_abandon_rate = 0.01
    for _ in range(100):
        price.answered()
    assert price.budget_left == pytest.approx(4.0)
    assert math.isfinite(price.price)
