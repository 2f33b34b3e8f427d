"""Carriers: hidden quality by place and time, hidden limits, and the bill."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config.carriers import CarrierAccount
from sim.carriers import AccountMeter, HiddenQuality, TrunkMeter
from sim.scenario import Carrier
from sim.streams import Stream
from tests.unit.sim.scenes import START

BEGIN = datetime.fromisoformat(START)
AT = BEGIN.timestamp()
REGIONS, DESTINATIONS = ("Lima", "Cusco"), ("red", "blue")


def quality(**settings: Any) -> HiddenQuality:
    carrier = Carrier.model_validate({"trunk": "north", "failure_rate": 0, **settings})
    return HiddenQuality(carrier, BEGIN, REGIONS, DESTINATIONS, Stream(1, "drift north"))


def through(made: HiddenQuality, region: int, destination: int, at: float = AT) -> float:
    losses = made.losses(region, destination, at)
    return (1.0 - losses.failed) * (1.0 - losses.lost)


rates = st.floats(0.0, 1.0)


@given(rates, rates, rates, rates, rates)
def test_what_gets_through_is_the_product_of_the_factors(
    failure: float, lost: float, region: float, destination: float, failed_share: float
) -> None:
    made = quality(
        failure_rate=failure,
        lost_rate=lost,
        regions={"Cusco": region},
        destinations={"blue": destination},
        failed_share=failed_share,
    )
    usual = (1.0 - failure) * (1.0 - lost)
    assert through(made, 0, 0) == pytest.approx(usual)
    assert through(made, 1, 0) == pytest.approx(usual * region)
    assert through(made, 0, 1) == pytest.approx(usual * destination)
    assert through(made, 1, 1) == pytest.approx(usual * region * destination)
    worst = made.losses(1, 1, AT)
    assert worst.congested == failure <= worst.failed + 1e-12
    unreached = 1.0 - region * destination
    assert 1.0 - worst.failed == pytest.approx((1.0 - failure) * (1.0 - unreached * failed_share))


def test_an_incident_holds_in_its_time_and_place_alone() -> None:
    incident = {"begin": "10:30", "end": "1h", "factor": 0.25, "regions": ["Cusco"], "destinations": ["red"]}
    made = quality(incidents=[incident])
    for offset_s, expected in ((0.0, 1.0), (1799.0, 1.0), (1800.0, 0.25), (3599.0, 0.25), (3600.0, 1.0)):
        assert through(made, 1, 0, AT + offset_s) == pytest.approx(expected)
        assert through(made, 0, 0, AT + offset_s) == through(made, 1, 1, AT + offset_s) == 1.0


def test_an_outage_lets_nothing_through() -> None:
    made = quality(incidents=[{"begin": 0, "end": 600}], failed_share=0.7)
    losses = made.losses(0, 0, AT + 1.0)
    assert (losses.failed, losses.lost) == (pytest.approx(0.7), pytest.approx(1.0))
    assert through(quality(incidents=[{"begin": 0, "end": 600}], failed_share=1.0), 0, 0) == 0.0


def test_drift_goes_slowly_between_its_bounds() -> None:
    made = quality(drift={"amplitude": 0.2, "period": "2h"})
    seen = [made.drift(AT + minute * 60.0) for minute in range(48 * 60)]
    assert 0.8 <= min(seen) < 0.82 and 0.98 < max(seen) <= 1.0
    steps = [abs(b - a) for a, b in pairwise(seen)]
    assert max(steps) < 0.2 * 3.1416 / 60  # an amplitude's slope at its steepest
    assert through(made, 0, 0, AT + 5000.0) == pytest.approx(made.drift(AT + 5000.0))


def meter(**settings: Any) -> TrunkMeter:
    return TrunkMeter(Carrier.model_validate({"trunk": "north", **settings}))


@given(st.integers(1, 5), st.lists(st.booleans(), max_size=40))
def test_no_more_channels_than_there_are(channels: int, placing: list[bool]) -> None:
    made, in_use = meter(max_channels=channels), 0
    for place in placing:
        if place:
            assert made.placed(0.0) is (in_use < channels)
            in_use = min(channels, in_use + 1)
        elif in_use:
            made.ended(None)
            in_use -= 1


@given(st.sampled_from([0.25, 0.5, 1.0, 2.0, 3.5, 10.0]), st.lists(st.floats(0.0, 3.0), min_size=1, max_size=80))
def test_no_window_has_more_set_ups_than_the_limit(cps: float, gaps: list[float]) -> None:
    made, at, taken = meter(max_cps=cps), AT, list[float]()
    window_s = max(1.0, 1.0 / cps)
    most = max(1, int(cps * window_s))
    for gap in gaps:
        at += gap
        recent = sum(before + window_s > at for before in taken)
        assert made.placed(at) is (recent < most)
        if recent < most:
            taken.append(at)


@given(st.lists(st.one_of(st.none(), st.floats(0.01, 900.0)), max_size=30), st.sampled_from([1.0, 6.0, 30.0, 60.0]))
def test_the_bill_is_the_sum_of_its_calls(answered: list[float | None], step: float) -> None:
    made = meter(price_per_minute=0.12, billing_increment_s=step, connection_fee=0.01, attempt_fee=0.002)
    for answered_s in answered:
        assert made.placed(AT)
        made.ended(answered_s)
    billed = [ceil(s / step) * step for s in answered if s is not None]
    bill = made.bill
    assert (bill.attempts, bill.billed_s) == (len(answered), pytest.approx(sum(billed)))
    expected = sum(billed) / 60 * 0.12 + 0.01 * len(billed) + 0.002 * len(answered)
    assert bill.cost == pytest.approx(expected)


def test_a_whole_increment_is_not_rounded_up_further() -> None:
    made = meter(price_per_minute=1.0, billing_increment_s=6.0)
    made.placed(AT)
    made.ended(AT + 12.0 - AT)
    made.placed(AT)
    made.ended(0.0)
    assert made.bill.billed_s == 18.0


def test_a_refused_call_is_an_attempt_and_costs_nothing() -> None:
    made = meter(max_channels=1, attempt_fee=0.5)
    assert made.placed(AT) and not made.placed(AT)
    assert made.bill == (2, 0.0, 0.5)


CALL = st.tuples(st.integers(0, 4 * 86_400), st.none() | st.sampled_from([0.0, 5.9, 6.0, 6.1, 90.0]), st.booleans())
SHARE = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75])


@given(st.lists(CALL, max_size=60), SHARE, SHARE)
def test_a_day_above_its_share_pays_for_each_call_of_the_kind(
    calls: list[tuple[int, float | None, bool]], short_above: float, cancelled_above: float
) -> None:
    account = CarrierAccount.model_validate(
        {
            "name": "Andina",
            "short_calls": {"above": short_above, "fee": 0.5, "up_to_s": 6},
            "cancelled_calls": {"above": cancelled_above, "fee": 8.0},
        }
    )
    made = AccountMeter(account)
    for at, answered_s, cancelled in calls:
        made.ended(at, answered_s, cancelled=cancelled and answered_s is None)
    expected = 0.0
    for day in range(5):
        of_day = [(s, c and s is None) for at, s, c in calls if at // 86_400 == day]
        answered = [s for s, _ in of_day if s is not None]
        short = [s for s in answered if s <= 6.0]
        ours = [c for _, c in of_day if c]
        expected += 0.5 * len(short) * (bool(answered) and len(short) / len(answered) > short_above)
        expected += 8.0 * len(ours) * (bool(of_day) and len(ours) / len(of_day) > cancelled_above)
    assert made.surcharges == pytest.approx(expected)


def test_an_account_without_surcharges_bills_none() -> None:
    made = AccountMeter(CarrierAccount(name="Andina"))
    made.ended(AT, 1.0, cancelled=False)
    made.ended(AT, None, cancelled=True)
    assert made.surcharges == 0.0
