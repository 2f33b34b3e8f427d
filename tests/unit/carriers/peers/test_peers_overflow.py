"""Serving in order of arrival against a slow twin, and propensities against how often each trunk is really taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers.market import Market
from carriers.peers.overflow import draw, serve, take_turns
from carriers.router import Reason, Room, RouteRequests
from tests.unit.carriers.peers.peer_market import calls, make_market, room, serve_by_hand

GRID = 60  # divides by 1 to 6, so that even draws of up to six trunks fall evenly on it


class Given:
    """Stands for a generator: its next uniform numbers are given."""

    def __init__(self, first: float, second: float) -> None:
        self.numbers = np.array([[first], [second]])

    def random(self, shape: tuple[int, int]) -> Any:
        assert shape == (2, 1)
        return self.numbers


def grid() -> Iterator[Given]:
    """Uniform numbers in the middle of each square of a grid."""
    for first in range(GRID):
        for second in range(GRID):
            yield Given((first + 0.5) / GRID, (second + 0.5) / GRID)


@st.composite
def batches(draw_from: st.DrawFn) -> tuple[Market, RouteRequests, Room, np.ndarray]:
    """A market of a few trunks and accounts with some of it closed, a batch, what room there is, and scores."""
    trunks, cells, count = draw_from(st.integers(1, 5)), draw_from(st.integers(1, 3)), draw_from(st.integers(0, 12))
    account = [draw_from(st.integers(0, k)) for k in range(trunks)]
    account = np.unique(account, return_inverse=True)[1].tolist()
    usable = np.array(draw_from(st.lists(st.booleans(), min_size=trunks * cells, max_size=trunks * cells)))
    market = make_market(trunks, [0] * cells, account=account, usable=usable.reshape(trunks, cells))
    cell = draw_from(st.lists(st.integers(0, cells - 1), min_size=count, max_size=count))
    some = st.integers(0, 4)
    available = room(
        *draw_from(st.lists(some, min_size=trunks, max_size=trunks)),
        account=draw_from(st.lists(some, min_size=max(account) + 1, max_size=max(account) + 1)),
    )
    scores = draw_from(st.lists(st.integers(0, 3), min_size=trunks * count, max_size=trunks * count))
    return market, calls(*cell), available, np.array(scores, dtype=np.float64).reshape(trunks, count)


@given(batches())
def test_each_call_gets_the_best_open_trunk_the_first_of_equals(batch: Any) -> None:
    market, requests, available, scores = batch
    routes = serve(market, requests, available, scores, own=Reason.BEST)
    reasons: list[Reason] = []

    def pick(call: int, found: list[int], usable: list[int]) -> int:
        order = sorted(usable, key=lambda k: (-scores[k, call], k))
        best = next(k for k in order if k in found)
        reasons.append(Reason.ONLY if len(found) == 1 else Reason.BEST if order[0] == best else Reason.OVERFLOW)
        return best

    assert serve_by_hand(market, requests, available, pick) == routes.trunk.tolist()
    assert [reason for reason in routes.reason.tolist() if reason != Reason.NONE] == reasons
    assert (routes.propensity == 1.0).all()


@given(batches(), st.integers(0, 4))
def test_turns_go_on_from_the_trunk_that_was_last_taken(batch: Any, first: int) -> None:
    market, requests, available, _ = batch
    first %= market.trunks
    routes, turn = take_turns(market, requests, available, first)
    at = [first]

    def pick(call: int, found: list[int], usable: list[int]) -> int:
        trunk = min(found, key=lambda k: (k - at[0]) % market.trunks)
        at[0] = (trunk + 1) % market.trunks
        return trunk

    assert serve_by_hand(market, requests, available, pick) == routes.trunk.tolist()
    assert turn == at[0]


@given(batches(), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 99))
def test_drawn_routes_are_open_ones_whatever_is_drawn(batch: Any, exploration: float, seed: int) -> None:
    market, requests, available, scores = batch
    for routes in (
        serve(
            market,
            requests,
            available,
            scores,
            own=Reason.BEST,
            rng=np.random.default_rng(seed),
            exploration=exploration,
        ),
        draw(market, requests, available, scores, np.random.default_rng(seed)),
    ):
        chosen = iter(routes.trunk.tolist())
        calls_that_had_one = iter([trunk for trunk in routes.trunk.tolist() if trunk >= 0])

        def pick(call: int, found: list[int], usable: list[int]) -> int:
            trunk = next(calls_that_had_one)  # noqa: B023
            assert trunk in found
            return trunk

        assert serve_by_hand(market, requests, available, pick) == list(chosen)
        assert ((routes.propensity > 0.0) & (routes.propensity <= 1.0 + 1e-12)).all()


@pytest.mark.parametrize("exploration", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("scores", [[3, 2, 1, 0], [2, 2, 1, 0], [1, 1, 1, 1], [9, 1, 1, 0]])
def test_a_propensity_is_how_often_that_trunk_is_taken(exploration: float, scores: list[float]) -> None:
    market, available = make_market(5), room(1, 1, 1, 1, 0)
    column = np.array([[float(score)] for score in [*scores, 10]])  # the best has no room
    taken: Counter[int] = Counter()
    told: dict[int, float] = {}
    for numbers in grid():
        routes = serve(
            market,
            calls(0),
            available,
            column,
            own=Reason.BEST,
            rng=numbers,
            exploration=exploration,
        )
        trunk = int(routes.trunk[0])
        taken[trunk] += 1
        assert told.setdefault(trunk, routes.propensity[0]) == routes.propensity[0]
        assert routes.reason[0] == (Reason.EXPLORED if numbers.numbers[0, 0] < exploration else Reason.OVERFLOW)
    assert {trunk: count / GRID**2 for trunk, count in taken.items()} == pytest.approx(told)
    assert sum(told.values()) == pytest.approx(1.0)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=5), st.data())
def test_a_weighted_draw_is_in_proportion_to_the_weights_of_open_trunks(
    weights: list[int], data: st.DataObject
) -> None:
    trunks = len(weights)
    open_ones = data.draw(st.lists(st.booleans(), min_size=trunks, max_size=trunks))
    market, available = make_market(trunks), room(*[int(is_open) for is_open in open_ones])
    column = np.array([[float(weight)] for weight in weights])
    total = sum(weight for weight, is_open in zip(weights, open_ones, strict=True) if is_open)
    rng = np.random.default_rng(4)
    chosen = [draw(market, calls(0), available, column, rng) for _ in range(600)]
    taken = Counter(int(routes.trunk[0]) for routes in chosen)
    if not any(open_ones):
        assert taken == {-1: 600}
    elif total == 0:
        assert taken == {open_ones.index(True): 600}
    else:
        for trunk, count in taken.items():
            assert open_ones[trunk]
            share = weights[trunk] / total
            assert abs(count / 600 - share) <= 4.5 * (share * (1 - share) / 600) ** 0.5
        assert {int(r.trunk[0]): r.propensity[0] for r in chosen} == pytest.approx(
            {trunk: weights[trunk] / total for trunk in taken}
        )


def test_what_comes_in_is_left_as_it_was() -> None:
    market, available, scores = make_market(2), room(1, 1), np.ones((2, 3))
    serve(market, calls(0, 0, 0), available, scores, own=Reason.TURN)
    draw(market, calls(0, 0, 0), available, scores, np.random.default_rng(0))
    take_turns(market, calls(0, 0, 0), available, 0)
    assert available.trunk.tolist() == [1, 1] and (scores == 1.0).all()
