"""Rates against the plainest thing that could say the same: a look at every rate, a step at a time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.rates import Deck, Rate, billed_s, cost_of

digits = st.text(alphabet="015", max_size=6)
money = st.sampled_from([0.0, 0.0025, 0.01, 1.5])


@given(st.sets(digits, max_size=12), st.text(alphabet="015", min_size=1, max_size=8), st.booleans())
def test_the_longest_prefix_holds(prefixes: set[str], number: str, plus: bool) -> None:
    rates = [Rate(prefix=prefix, per_minute=float(len(prefix))) for prefix in prefixes]
    begins = [rate for rate in rates if number.startswith(rate.prefix)]
    expected = max(begins, key=lambda rate: len(rate.prefix), default=None)
    assert Deck(rates).rate_of("+" + number if plus else number) == expected


@given(st.sets(digits, max_size=12), digits)
def test_a_rate_stands_under_its_very_prefix(prefixes: set[str], prefix: str) -> None:
    found = Deck([Rate(prefix=each) for each in prefixes]).exactly(prefix)
    assert found == (Rate(prefix=prefix) if prefix in prefixes else None)


def test_two_rates_of_one_prefix_are_refused() -> None:
    with pytest.raises(ValueError, match="'51' twice"):
        Deck([Rate(prefix="51"), Rate(prefix="511"), Rate(prefix="51", per_minute=1.0)])


@given(st.integers(0, 90), st.integers(1, 90), st.integers(0, 400_000))
def test_an_answered_call_is_billed_in_whole_steps(first_s: int, step_s: int, milliseconds: int) -> None:
    billed = first_s
    while Fraction(milliseconds, 1000) > billed:
        billed += step_s
    assert billed_s(Rate(prefix="", first_s=first_s, step_s=step_s), milliseconds / 1000) == billed


def test_a_clock_that_is_off_by_its_last_bit_costs_no_step() -> None:
    assert billed_s(Rate(prefix="", first_s=30, step_s=6), 0.1 * 3 * 120) == 36.0


@given(money, money, money, st.one_of(st.none(), st.floats(0, 7200)))
def test_a_call_costs_its_fees_and_its_billed_time(
    per_minute: float, connection_fee: float, attempt_fee: float, answered_s: float | None
) -> None:
    rate = Rate(
        prefix="51",
        per_minute=per_minute,
        first_s=60,
        step_s=60,
        connection_fee=connection_fee,
        attempt_fee=attempt_fee,
    )
    cost = cost_of(rate, answered_s=answered_s)
    if answered_s is None:
        assert cost == attempt_fee
    else:
        assert cost == pytest.approx(attempt_fee + connection_fee + per_minute * billed_s(rate, answered_s) / 60)
        assert cost >= attempt_fee
