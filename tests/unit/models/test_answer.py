"""The answer table: shrunk to the campaign's rate, never certain, equal after a snapshot."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.answer import AnswerTable

HOUR = 3600.0
outcomes = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 200), st.booleans()), max_size=60)


def taught(told: list[tuple[int, int, bool]], **table: float) -> AnswerTable:
    answers = AnswerTable(**table)
    for attempt_no, hour, answered in told:
        answers.learn(attempt_no, hour * HOUR, answered=answered)
    return answers


def test_what_is_not_known_is_the_prior() -> None:
    table = AnswerTable(prior_rate=0.3)
    assert table.rate == pytest.approx(0.3)
    assert table.probability(0, 0.0) == pytest.approx(0.3)


def test_a_cell_is_shrunk_to_the_campaign_s_rate_by_its_weight() -> None:
    """Without forgetting, the estimate is the textbook one: (own + w * rate) / (seen + w)."""
    told = [(0, 10, True)] * 6 + [(0, 10, False)] * 4 + [(2, 15, False)] * 30
    table = taught(told, prior_rate=0.2, prior_weight=20.0, cell_weight=50.0, half_life=1e12)
    rate = (0.2 * 20 + 6) / (20 + 40)
    assert table.rate == pytest.approx(rate)
    assert table.probability(0, 10 * HOUR) == pytest.approx((6 + 50 * rate) / (10 + 50))
    assert table.probability(2, 15 * HOUR) == pytest.approx((0 + 50 * rate) / (30 + 50))
    assert table.probability(1, 10 * HOUR) == pytest.approx(rate), "a cell without outcomes says what the campaign says"


def test_hours_are_of_the_day_and_late_attempts_share_a_cell() -> None:
    table = taught([(4, 9, True)] * 200)
    assert table.probability(7, (24 + 9) * HOUR + 1800.0) == table.probability(4, 9 * HOUR)
    assert table.probability(3, 9 * HOUR) < table.probability(4, 9 * HOUR)
    assert table.probability(4, 10 * HOUR) < table.probability(4, 9 * HOUR)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_an_estimate_lies_between_the_cell_s_own_rate_and_the_campaign_s(told: list[tuple[int, int, bool]]) -> None:
    table = taught(told)
    assert 0.0 < table.rate < 1.0
    for attempt_no, hour, _ in told[:10]:
        own = [a for n, h, a in told if (min(n, 4), h % 24) == (min(attempt_no, 4), hour % 24)]
        low, high = sorted((sum(own) / len(own), table.rate))
        # Forgetting weighs the last outcomes of a cell a little more than its first.
        assert low - 0.02 <= table.probability(attempt_no, hour * HOUR) <= high + 0.02


def test_old_outcomes_are_forgotten_by_half_in_a_half_life() -> None:
    table = taught([(0, 0, True)] * 100 + [(0, 0, False)] * 100, half_life=100.0, cell_weight=1e-9, prior_weight=1e-9)
    assert table.rate == pytest.approx(1 / 3, abs=0.01)
    assert table.probability(0, 0.0) == pytest.approx(1 / 3, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(outcomes, outcomes)
def test_a_restored_table_goes_on_as_the_one_it_was_taken_of(
    before: list[tuple[int, int, bool]], after: list[tuple[int, int, bool]]
) -> None:
    first, second = taught(before), AnswerTable()
    second.restore(json.loads(json.dumps(first.snapshot())))
    for attempt_no, hour, answered in after:
        first.learn(attempt_no, hour * HOUR, answered=answered)
        second.learn(attempt_no, hour * HOUR, answered=answered)
    assert second.snapshot() == first.snapshot()


def test_a_snapshot_is_not_changed_by_what_is_learned_later() -> None:
    table = AnswerTable()
    snapshot = table.snapshot()
    kept = json.dumps(snapshot)
    restored = AnswerTable()
    restored.restore(snapshot)
    for learner in (table, restored):
        learner.learn(0, 0.0, answered=True)
    assert json.dumps(snapshot) == kept


def test_a_snapshot_of_another_shape_is_refused_and_changes_nothing() -> None:
    table = taught([(0, 0, True)])
    state = table.snapshot()
    with pytest.raises(ValueError, match="expected 5 rows of 24 cells"):
        table.restore({**state, "seen": 1.0, "cell_seen": [[0.0]], "cell_answered": [[0.0]]})
    assert table.snapshot() == state
