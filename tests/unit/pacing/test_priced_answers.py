"""The campaign's answer multiplier: steady when the day is, quick when it changes."""

from __future__ import annotations

import numpy as np
import pytest
from pacing_views import make_view

from pacing.priced import Priced
from pacing.priced.answers import MULTIPLIER_MAX, MULTIPLIER_MIN, SLOW_HALF_LIFE, cautious_multiplier


def _feed(policy: Priced, rng: np.random.Generator, *, rate: float, outcomes: int) -> list[float]:
    """Let lines of a promised 0.3 be answered at this rate; return the multiplier after each."""
    values = []
    for answered in rng.random(outcomes) < rate:
        learn = policy.answered if answered else policy.not_answered
        learn(after_s=8.0, probability=0.3)
        values.append(_multiplier(policy))
    return values


def _multiplier(policy: Priced) -> float:
    return float(policy.state["multiplier"][0])


def test_it_begins_at_one_and_finds_the_ratio() -> None:
    policy = Priced()
    assert _multiplier(policy) == 1.0
    values = _feed(policy, np.random.default_rng(1), rate=0.15, outcomes=4000)
    assert np.mean(values[1000:]) == pytest.approx(0.5, abs=0.04)


def test_it_is_steady_while_nothing_changes() -> None:
    values = _feed(Priced(), np.random.default_rng(2), rate=0.3, outcomes=20_000)
    assert np.std(values[1000:]) < 0.09


class Bursts:
    """A floor that launches so many lines at once, again and again: of each, answers come within 12 s of its launch,
    and it gives up after 24 s. Probabilities are as promised."""

    def __init__(self, policy: Priced, *, rate: float, lines: int) -> None:
        self.policy, self.rate, self.lines = policy, rate, lines
        self.now, self.rng = 0.0, np.random.default_rng(5)

    def play(self, bursts: int) -> list[float]:
        """Return the multiplier of every second."""
        values = []
        for _ in range(bursts):
            ends = np.where(self.rng.random(self.lines) < self.rate, self.rng.uniform(3.0, 12.0, self.lines), 24.0)
            begun_at = self.now
            for second in range(30):
                self.now = begun_at + second
                ended = ends[(ends > second - 1) & (ends <= second)]
                for after_s in ended:
                    learn = self.policy.answered if after_s < 24.0 else self.policy.not_answered
                    learn(after_s=float(after_s), probability=self.rate)
                self._look(np.count_nonzero(ends > second), begun_at)
                values.append(_multiplier(self.policy))
        return values

    def _look(self, in_flight: int, begun_at: float) -> None:
        ringing_s = np.full(in_flight, self.now - begun_at)
        view = make_view(now=self.now, idle=50, ringing_s=ringing_s, probability=self.rate)
        self.policy.lines(view, np.random.default_rng(1))


@pytest.mark.parametrize("rate", [0.05, 0.12, 0.4])
def test_answers_that_come_before_refusals_are_no_higher_rate(rate: float) -> None:
    """Two hundred lines at once: within the first seconds all that has ended was answered."""
    bursts = Bursts(Priced(), rate=rate, lines=200)
    bursts.play(20)
    values = np.reshape(bursts.play(300), (300, 30))
    assert np.mean(values) == pytest.approx(1.0, abs=0.04)
    by_second = values.mean(axis=0)
    assert by_second.max() - by_second.min() < 0.05


def test_what_ended_lines_told_while_they_waited_counts_once() -> None:
    bursts = Bursts(Priced(), rate=0.12, lines=200)
    bursts.play(5)
    state = bursts.policy.state[0]
    assert state["due_in_flight"] == pytest.approx(0.0, abs=1e-9)  # nothing is in flight
    before = float(state["slow_promised"])
    bursts.play(1)
    fade = 0.5 ** (200 * 0.12 / SLOW_HALF_LIFE)
    assert float(state["slow_promised"]) == pytest.approx(before * fade + 200 * 0.12, rel=0.06)


def test_a_policy_that_learns_while_another_decides_learns_the_same() -> None:
    policy = Priced()
    bursts = Bursts(policy, rate=0.3, lines=20)
    bursts.play(3)
    rng = np.random.default_rng(7)
    for answered in rng.random(4000) < 0.3:
        learn = policy.answered if answered else policy.not_answered
        learn(after_s=float(rng.uniform(3.0, 12.0)) if answered else 24.0, probability=0.3)
    assert _multiplier(policy) == pytest.approx(1.0, abs=0.2)
    bursts.play(1)
    assert _multiplier(policy) == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("looks_at_s", [(0.0,), (6.0,), (0.0, 20.0)])
def test_however_seldom_it_looks_a_promise_counts_once(looks_at_s: tuple[float, ...]) -> None:
    """One line at a time."""
    policy, rng, now = Priced(), np.random.default_rng(8), 0.0
    for answered in rng.random(4000) < 0.3:
        ends_s = float(rng.uniform(3.0, 12.0)) if answered else 24.0
        for look_s in looks_at_s:
            if look_s < ends_s:
                view = make_view(now=now + look_s, idle=5, ringing_s=[look_s], probability=0.3)
                policy.lines(view, np.random.default_rng(1))
        (policy.answered if answered else policy.not_answered)(after_s=ends_s, probability=0.3)
        now += 30.0
        policy.lines(make_view(now=now - 1.0, idle=5), np.random.default_rng(1))
    assert _multiplier(policy) == pytest.approx(1.0, abs=0.2)


def test_a_line_that_is_told_to_be_hung_up_again_and_again_tells_once() -> None:
    """It stays in the view until its end is heard of."""
    bursts = Bursts(Priced(), rate=0.3, lines=200)
    bursts.play(10)
    policy, now = bursts.policy, bursts.now + 20.0
    seen = []
    for look in range(6):
        view = make_view(
            now=now + 0.25 * look, idle=0, ringing_s=np.full(30, 16.0 + 0.25 * look), probability=0.9,
            rung_since=np.full(30, now - 16.0), hang_up_after_ring_s=15.0,
        )  # fmt: skip
        pace = policy.lines(view, np.random.default_rng(1))
        assert pace.hang_up
        seen.append(float(policy.state["slow_promised"][0]))
    gone = float(policy.state["slow_promised"][0])
    assert seen[1:] == pytest.approx([seen[0]] * 5, rel=0.01)
    policy.lines(make_view(now=now + 2.0, idle=0, ringing_s=[1.0], probability=0.9), np.random.default_rng(1))
    assert float(policy.state["slow_promised"][0]) == pytest.approx(gone, rel=0.02)


def test_lines_that_vanish_untold_do_not_take_back_what_they_told() -> None:
    """All are hung up at once, as by an emergency stop: nobody tells of their ends."""
    bursts = Bursts(Priced(), rate=0.12, lines=200)
    bursts.play(5)
    state = bursts.policy.state[0]
    known = float(state["slow_promised"]), _multiplier(bursts.policy)
    for second in range(12):
        bursts.now += 1.0
        bursts._look(200, bursts.now - second)
    told = float(state["slow_promised"])
    assert told > known[0] + 10.0
    bursts._look(0, bursts.now)
    assert (float(state["slow_promised"]), float(state["due_in_flight"])) == (told, 0.0)


def test_forecasts_are_raised_while_few_answers_were_seen() -> None:
    policy = Priced()
    new = cautious_multiplier(policy.state[0])
    _feed(policy, np.random.default_rng(1), rate=0.3, outcomes=3000)
    known = cautious_multiplier(policy.state[0]) / _multiplier(policy)
    assert new == pytest.approx(1.0 + 1.5 / np.sqrt(5.0)) and 1.05 < known < 1.12
    frozen = Priced({"frozen_answers": 1.0})
    assert cautious_multiplier(frozen.state[0]) == 1.0


def test_it_is_as_steady_on_a_list_that_seldom_answers() -> None:
    """It forgets by answers, not by lines: at 0.03 as at 0.3."""
    policy, rng, values = Priced(), np.random.default_rng(6), []
    for answered in rng.random(60_000) < 0.03:
        (policy.answered if answered else policy.not_answered)(after_s=8.0, probability=0.03)
        values.append(_multiplier(policy))
    assert np.std(values[10_000:]) < 0.12


def test_it_follows_a_jump_within_some_hundred_outcomes() -> None:
    rng, policy = np.random.default_rng(3), Priced()
    _feed(policy, rng, rate=0.45, outcomes=3000)
    assert _multiplier(policy) == pytest.approx(1.5, abs=0.25)
    assert min(_feed(policy, rng, rate=0.15, outcomes=150)) < 0.75
    assert max(_feed(policy, rng, rate=0.45, outcomes=150)) > 1.1


def test_a_frozen_rate_is_taken_as_given() -> None:
    policy = Priced({"frozen_answers": 1.0})
    assert set(_feed(policy, np.random.default_rng(4), rate=0.05, outcomes=500)) == {1.0}
    assert policy.state["refreshed_at_count"] == -1.0 and policy.state["unused"] == 500.0  # the clocks do learn


def test_it_stays_within_its_bounds() -> None:
    policy = Priced()
    for _ in range(2000):
        policy.not_answered(after_s=8.0, probability=1.0)
    assert _multiplier(policy) == MULTIPLIER_MIN
    for _ in range(2000):
        policy.answered(after_s=8.0, probability=0.0)
    assert _multiplier(policy) == MULTIPLIER_MAX


def test_outcomes_held_for_certain_make_no_surprise_of_their_own() -> None:
    """A hundred certain answers and one that fails: no alarm, however small the variance that was promised."""
    policy = Priced()
    for _ in range(100):
        policy.answered(after_s=8.0, probability=1.0)
    policy.not_answered(after_s=8.0, probability=1.0)
    assert _multiplier(policy) == pytest.approx(1.0, abs=0.02)
    assert policy.state["slow_promised"] > 80.0  # a restart would have left the fast one's 15
