"""`cgrates-qos-v1`: CGRateS RouteS with the sorting `*qos` over one StatQueue a route, as its documentation says.

Source: docs/routes.rst, docs/stats.rst, engine/libroutes.go (SortQOS), engine/libstats.go and engine/statmetrics.go of
cgrates/cgrates. Routes are trunks. Each has a first-in first-out queue of the last `queue_length` calls; with a `ttl_s`
calls leave it after so long, too. Routes are sorted by the listed metrics one after the other, more being better, then
by weight, then at random for each call. A metric is missing below `min_items` calls, and then worth -1: a route without
calls sorts behind one on which nobody ever answers, and gets calls by overflow alone. That is why this peer, once all
trunks have been seen, sends all to one of them for as long as its last hundred calls look best.

As known to the original: `*asr` counts 200 OK in per cent of the calls, whoever or whatever answered; `*acd` is the
mean of the lengths of answered calls. `*pdd` is none of the metrics here, as outcomes do not tell it. Prices are not
looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np

from carriers.market import Floats, Market
from carriers.peers.cost import check_range
from carriers.peers.overflow import serve
from carriers.peers.replies import replies
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes

MISSING = -1.0


class _Item(NamedTuple):
    at: float
    answered: float
    talked_s: float  # 0: not answered, or its length was told with another row


class StatQueue:
    """The last calls of a route, and metrics of them."""

    def __init__(self, *, length: int, min_items: int, ttl_s: float) -> None:
        self._items: deque[_Item] = deque()
        self._length = length
        self._least = max(min_items, 1)
        self._ttl_s = ttl_s
        self._answered = 0.0

    def add(self, at: float, answered: float, talked_s: float) -> None:
        """Add a call, which drops the oldest where the queue is full."""
        self.expire(at)
        if len(self._items) == self._length:
            self._drop()
        self._items.append(_Item(at, answered, talked_s))
        self._answered += answered

    def expire(self, now: float) -> bool:
        """Drop calls that were added `ttl_s` ago or earlier; returns whether there were any."""
        length = len(self._items)
        while self._items and self._items[0].at + self._ttl_s <= now:
            self._drop()
        return len(self._items) < length

    def asr(self) -> float:
        """Return answered calls in per cent of all."""
        return MISSING if len(self._items) < self._least else 100.0 * self._answered / len(self._items)

    def acd(self) -> float:
        """Return the mean seconds of answered calls."""
        talked = [item.talked_s for item in self._items if item.talked_s > 0.0]
        return MISSING if not talked or len(self._items) < self._least else sum(talked) / len(talked)

    def _drop(self) -> None:
        self._answered -= self._items.popleft().answered


_METRICS: dict[str, Callable[[StatQueue], float]] = {"*asr": StatQueue.asr, "*acd": StatQueue.acd}


class CgratesQos:
    """Sorts trunks by the metrics of their last calls. Propensities: 1 out of the equally good trunks that are open."""

    router_id = "cgrates-qos-v1"

    def __init__(
        self,
        market: Market,
        *,
        metrics: Sequence[str] = ("*asr", "*acd"),
        queue_length: int = 100,
        min_items: int = 0,
        ttl_s: float = inf,
        weights: Sequence[float] = (),
    ) -> None:
        """`weights` of the trunks, none: all alike. Raises `ValueError` for a setting that cannot be."""
        unknown = [metric for metric in metrics if metric not in _METRICS]
        if unknown:
            raise ValueError(f"expected metrics of {', '.join(_METRICS)}, was {unknown[0]!r}")
        if weights and len(weights) != market.trunks:
            raise ValueError(f"expected no weights or {market.trunks}, were {len(weights)}")
        check_range("queue_length", queue_length, least=1)
        check_range("ttl_s", ttl_s, least=0.0)
        self._market = market
        self._metrics = [_METRICS[metric] for metric in metrics]
        self._weights = tuple(weights) or (0.0,) * market.trunks
        self._queues = [StatQueue(length=queue_length, min_items=min_items, ttl_s=ttl_s) for _ in range(market.trunks)]
        self._sorted: Floats | None = None  # until a queue changes

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """Choose the open trunk that sorts first for each call."""
        scores = np.repeat(self._scores(now)[:, None], len(requests.cell), axis=1)
        return serve(self._market, requests, room, scores, own=Reason.TURN, rng=rng)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Add calls to their trunks' queues. An answer that is taken back is not: a queue knows no corrections."""
        seen = replies(outcomes)
        rows = zip(
            outcomes.trunk.tolist(), seen.calls.tolist(), seen.answers.tolist(), seen.talked_s.tolist(), strict=True
        )
        for trunk, calls, answers, talked_s in rows:
            if calls > 0.0:
                self._queues[trunk].add(now, answers, talked_s)
                self._sorted = None

    def _scores(self, now: float) -> Floats:
        """Return (K,) how many places from the last each trunk sorts; equal ones share a place."""
        expired = [queue.expire(now) for queue in self._queues]
        if self._sorted is None or any(expired):
            keys = [[metric(queue) for metric in self._metrics] for queue in self._queues]
            rows = [(*key, weight) for key, weight in zip(keys, self._weights, strict=True)]
            places = {row: place for place, row in enumerate(sorted(set(rows)))}
            self._sorted = np.array([float(places[row]) for row in rows])
        return self._sorted
