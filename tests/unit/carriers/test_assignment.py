"""Which trunk serves a call, by cases that a person can check."""

from __future__ import annotations

import numpy as np
import pytest

from carriers.assignment import serve
from carriers.market import Floats, Ints
from carriers.router import Reason


def _serve(
    worth: list[float],
    *,
    room: list[int],
    calls: int = 1,
    usable: list[bool] | None = None,
    account: list[int] | None = None,
    account_room: list[int] | None = None,
    draws: list[float] | None = None,
    exploration: float = 0.0,
) -> tuple[Ints, Floats, Ints]:
    """Serve calls of one cell whose scores are `worth`."""
    trunks = len(worth)
    one = np.ones((trunks, 1))
    return serve(
        np.zeros(calls, dtype=np.int64),
        np.full(calls, 0.5),
        np.full(calls, 2.0),
        one,
        0.0 * one,
        1.0 - np.array(worth)[:, None],
        np.array(usable if usable is not None else [True] * trunks)[:, None],
        np.array(room),
        np.array(account if account is not None else range(trunks)),
        np.array(account_room if account_room is not None else [1000] * trunks),
        np.array(draws if draws is not None else [0.99] * (2 * calls)),
        exploration,
    )


def test_the_best_comes_first_and_then_overflows() -> None:
    trunk, propensity, reason = _serve([1.0, 3.0, 2.0], room=[5, 1, 1], calls=4)
    assert trunk.tolist() == [1, 2, 0, 0]
    assert reason.tolist() == [Reason.BEST, Reason.OVERFLOW, Reason.ONLY, Reason.ONLY]
    assert propensity.tolist() == [1.0] * 4


def test_no_room_is_no_trunk() -> None:
    trunk, _, reason = _serve([1.0, 2.0], room=[0, 3], usable=[True, False])
    assert (trunk.tolist(), reason.tolist()) == ([-1], [Reason.NONE])


def test_an_account_is_full_for_all_of_its_trunks() -> None:
    trunk, _, _ = _serve([1.0, 3.0, 2.0], room=[9, 9, 9], account=[0, 1, 1], account_room=[9, 2], calls=4)
    assert trunk.tolist() == [1, 1, 0, 0]


def test_a_trunk_that_is_not_usable_is_no_better_one() -> None:
    trunk, _, reason = _serve([1.0, 0.5, 9.0], room=[1, 1, 1], usable=[True, True, False])
    assert (trunk.tolist(), reason.tolist()) == ([0], [Reason.BEST])


def test_a_draw_decides_among_those_with_room() -> None:
    trunk, propensity, reason = _serve(
        [3.0, 2.0, 1.0], room=[9, 0, 9], calls=3, draws=[0.1, 0.6, 0.1, 0.4, 0.3, 0.9], exploration=0.2
    )
    assert trunk.tolist() == [2, 0, 0]
    assert reason.tolist() == [Reason.EXPLORED, Reason.EXPLORED, Reason.BEST]
    assert propensity.tolist() == pytest.approx([0.1, 0.9, 0.9])


def test_ties_are_shared_by_the_room_left() -> None:
    trunk, _, reason = _serve([2.0, 2.0 * (1 + 1e-12)], room=[30, 10], calls=40)
    assert np.bincount(trunk[:20]).tolist() == [15, 5]
    assert np.bincount(trunk).tolist() == [30, 10]
    assert Reason.OVERFLOW not in reason


def test_a_single_call_that_ties_takes_the_trunk_with_the_most_room() -> None:
    assert _serve([2.0, 2.0, 2.0], room=[3, 5, 4])[0].tolist() == [1]


def test_the_arguments_stay_as_they_were() -> None:
    room, account_room = np.array([2]), np.array([2])
    one = np.ones((1, 1))
    cell = np.zeros(2, dtype=np.int64)
    serve(
        cell, np.ones(2), np.ones(2), one, one, one, one > 0, room, np.array([0]), account_room, np.zeros(4), 0.0
    )  # fmt: skip
    assert (room.tolist(), account_room.tolist()) == ([2], [2])


def test_a_contact_is_never_surer_than_95_percent() -> None:
    # 0.95 x 2 = 1.9 against a cost of 1.95: the sure one loses although 2 x 0.5 x 2 would be 2
    trunk, _, _ = serve(
        np.zeros(1, dtype=np.int64), np.array([0.5]), np.array([2.0]), np.array([[2.0], [0.5]]), np.zeros((2, 1)),
        np.array([[1.95], [0.5]]), np.ones((2, 1), dtype=np.bool_), np.array([1, 1]), np.array([0, 1]),
        np.array([1, 1]), np.array([0.9, 0.9]), 0.0,
    )  # fmt: skip
    assert trunk.tolist() == [1]
