"""Random numbers by name: the same for the same name, and uniform and unrelated for different ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim import streams
from sim.streams import Draws, Stream

PINNED = [0.2605312297057201, 0.314474778656506, 0.8842435600893446]

seeds, subjects, indexes = st.integers(0, 2**63 - 1), st.integers(0, 10**7), st.integers(0, 10**4)


@given(seeds, subjects, indexes)
def test_a_draw_depends_on_its_name_alone(seed: int, subject: int, index: int) -> None:
    stream = Stream(seed, "talk")
    drawn = stream.uniform(subject, index)
    for other in range(3):
        stream.uniform(other, index)
    assert 0.0 < drawn < 1.0
    assert stream.uniform(subject, index) == drawn == Stream(seed, "talk").uniform(subject, index)


def test_the_values_of_a_seed_are_pinned() -> None:
    """Journals and benchmarks of an earlier day must still mean the same."""
    stream = Stream(7, "answer")
    assert [stream.uniform(0), stream.uniform(1), stream.uniform(0, 1)] == PINNED


@pytest.mark.parametrize("axis", ["subject", "index", "seed"])
def test_draws_are_uniform_along_each_axis(axis: str) -> None:
    count = 4000
    if axis == "subject":
        drawn = [Stream(1, "talk").uniform(n) for n in range(count)]
    elif axis == "index":
        drawn = [Stream(1, "talk").uniform(5, n) for n in range(count)]
    else:
        drawn = [Stream(n, "talk").uniform(5) for n in range(count)]
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.06


@given(seeds)
def test_other_seeds_purposes_subjects_and_indexes_draw_otherwise(seed: int) -> None:
    one = Stream(seed, "talk")
    drawn = {
        one.uniform(1, 0), one.uniform(0, 1), one.uniform(0, 0), Stream(seed, "wrap_up").uniform(0, 0),
        Stream(seed + 1, "talk").uniform(0, 0),
    }  # fmt: skip
    assert len(drawn) == 5


def test_two_purposes_are_unrelated() -> None:
    first, second = Stream(3, "talk"), Stream(3, "patience")
    pairs = [(first.uniform(n), second.uniform(n)) for n in range(4000)]
    assert abs(np.corrcoef(np.array(pairs).T)[0, 1]) < 0.06


@given(seeds, st.integers(1, 300), indexes)
def test_a_column_has_the_numbers_one_by_one(seed: int, count: int, index: int) -> None:
    stream = Stream(seed, "taste")
    assert stream.column(count, index).tolist() == [stream.uniform(subject, index) for subject in range(count)]


@given(seeds, st.lists(st.tuples(subjects, st.integers(0, 50)), min_size=1, max_size=6))
def test_rows_have_the_numbers_one_by_one_in_whatever_order_and_block(seed: int, places: list[tuple[int, int]]) -> None:
    purposes = ("talk", "answer", "patience")
    draws = Draws(seed, purposes)
    for subject, index in [*places, *reversed(places)]:
        one_by_one = [Stream(seed, purpose).uniform(subject, index) for purpose in purposes]
        assert draws.row(subject, index) == one_by_one


def test_draws_keep_a_bounded_number_of_blocks_and_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of one lead who is drawn thousands of times once took gigabytes."""
    monkeypatch.setattr(streams, "_MOST_BLOCKS", 4)
    draws, stream = Draws(5, ["talk", "wrap_up"]), Stream(5, "wrap_up")
    assert [draws.row(7, index)[1] for index in range(20)] == [stream.uniform(7, index) for index in range(20)]
    assert len(draws._blocks) <= 4
