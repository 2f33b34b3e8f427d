"""`opensips-qrouting-dynamic-weights-v1` and `opensips-qrouting-best-dest-first-v1`: as OpenSIPS documents them.

Source: modules/qrouting/README and qr_sort.c, qr_acc.c, qr_stats.h of OpenSIPS/opensips. For each prefix (here:
region) and gateway (here: trunk) calls are counted in samples of 5 s, and a ring of them makes up a window of 30
minutes; only whole samples count. ASR is 200 OK out of all final replies, CCR all replies but faults (5xx, 6xx, 408)
out of the same. A statistic below its critical threshold multiplies the score, 1 at first, by the critical penalty;
one below its warning threshold by the warning penalty. Below the least number of calls it counts as healthy: unseen
gateways are the best, and old samples rotate out, so that a bad gateway heals by silence. `dynamic-weights` draws the
order of gateways with chances as their scores; `best-dest-first` sorts by score, equals in the order in which the
operator has put them, here from the cheapest expected cost on. Prices are not looked at otherwise, nor hour, attempt
or room.

PDD, AST and ACD have no thresholds here, nor are gateways disabled by hand. Thresholds are the operator's to set:
those of ASR here suit 13 % of answers.

Three defects of the source are not reproduced: the order below the first place is drawn with weights that belong to
other gateways, as `qr_weight_based_sort` swaps destinations and not their scores; a carrier's mean score of several
gateways is kept as an `int`, so that 0.7 becomes 0 until the next sample; a 200 OK without 180 or 183 counts as a PDD
of 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np

from carriers.market import Floats, Ints, Market
from carriers.peers.cost import ANSWER_SHARE, ANSWERED_S, check_range, expected_cost
from carriers.peers.overflow import draw, serve
from carriers.peers.replies import replies
from carriers.router import Outcomes, Reason, Room, RouteRequests, Routes

Sorting = Literal["dynamic-weights", "best-dest-first"]
_CALLS, _ANSWERS, _COMPLETED = range(3)  # what is counted
_COUNTED = {"asr": _ANSWERS, "ccr": _COMPLETED}


class Threshold(NamedTuple):
    """Of one statistic, as `qr_profiles` has it: two shares, and by what a score below them is multiplied."""

    warn: float
    crit: float
    warn_penalty: float = 0.5
    crit_penalty: float = 0.1
    least_calls: int = 30


THRESHOLDS: Mapping[str, Threshold] = MappingProxyType(
    {"asr": Threshold(warn=0.12, crit=0.08), "ccr": Threshold(warn=0.8, crit=0.5)}
)


class Window:
    """Counts by (kind, trunk, region) in a ring of samples, of which only whole ones are summed."""

    def __init__(self, *, samples: int, sample_s: float, trunks: int) -> None:
        self.sums: Floats = np.zeros((len(_COUNTED) + 1, trunks, 0))
        self._current = self.sums.copy()
        self._ring: Floats = np.zeros((samples, *self.sums.shape))
        self._sample_s = sample_s
        self._sample: int | None = None  # which one is being filled
        self.rotations = 0

    def grow(self, regions: int) -> None:
        """Make room for so many regions, where there are fewer."""
        more = regions - self.sums.shape[-1]
        if more > 0:
            self.sums, self._current, self._ring = (
                np.concatenate([counts, np.zeros((*counts.shape[:-1], more))], axis=-1)
                for counts in (self.sums, self._current, self._ring)
            )
            self.rotations += 1

    def add(self, kind: int, trunk: Ints, region: Ints, count: Floats) -> None:
        """Count in the sample that is being filled."""
        np.add.at(self._current[kind], (trunk, region), count)

    def rotate(self, now: float) -> None:
        """Bring the ring up to the sample of `now`."""
        sample = floor(now / self._sample_s)
        if self._sample is None:
            self._sample = sample
        for passed in range(self._sample, min(sample, self._sample + len(self._ring) + 1)):
            place = passed % len(self._ring)
            self.sums += self._current - self._ring[place]
            self._ring[place] = self._current
            self._current[:] = 0.0
            self.rotations += 1
        self._sample = max(sample, self._sample)


class OpensipsQrouting:
    """Scores trunks by region. Propensities: exact for drawn orders, 1 for sorted ones."""

    def __init__(
        self,
        market: Market,
        sorting: Sorting,
        *,
        thresholds: Mapping[str, Threshold] = THRESHOLDS,
        history_s: float = 1800.0,
        sample_s: float = 5.0,
        answer_share: float = ANSWER_SHARE,
        answered_s: float = ANSWERED_S,
    ) -> None:
        """`answer_share` and `answered_s`: of the cost by which gateways are put in order. Raises `ValueError` for a
        setting that cannot be."""
        unknown = [name for name in thresholds if name not in _COUNTED]
        if unknown:
            raise ValueError(f"expected thresholds of {', '.join(_COUNTED)}, was {unknown[0]!r}")
        check_range("sample_s", sample_s, least=0.001, most=history_s)
        self.router_id = f"opensips-qrouting-{sorting}-v1"
        self._market = market
        self._sorting = sorting
        self._thresholds = dict(thresholds)
        self._answer_share = check_range("answer_share", answer_share, least=0.0, most=1.0)
        self._answered_s = check_range("answered_s", answered_s, least=0.0)
        self._window = Window(samples=round(history_s / sample_s), sample_s=sample_s, trunks=market.trunks)
        self._scores: Floats = np.zeros((market.trunks, 0))
        self._scored_at = -1  # rotations of the window

    def choose(self, requests: RouteRequests, room: Room, *, now: float, rng: Any) -> Routes:
        """Choose the first open trunk of each call's order."""
        scores = np.take(self.scores(now), np.take(self._market.region, requests.cell), axis=1)
        if self._sorting == "dynamic-weights":
            return draw(self._market, requests, room, scores, rng)
        cost = expected_cost(self._market, requests.cell, answer_share=self._answer_share, answered_s=self._answered_s)
        places = np.argsort(np.lexsort((cost, -scores), axis=0), axis=0)
        return serve(self._market, requests, room, -places.astype(np.float64), own=Reason.TURN)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        """Count final replies."""
        self._bring_up(now)
        seen, region = replies(outcomes), np.take(self._market.region, outcomes.cell)
        for kind, count in ((_CALLS, seen.calls), (_ANSWERS, seen.answers), (_COMPLETED, seen.completed)):
            self._window.add(kind, outcomes.trunk, region, count)

    def scores(self, now: float) -> Floats:
        """Return each trunk's score by region, (K, R), in [0, 1]."""
        self._bring_up(now)
        if self._scored_at != self._window.rotations:
            self._scored_at = self._window.rotations
            calls = self._window.sums[_CALLS]
            self._scores = np.ones_like(calls)
            for name, threshold in self._thresholds.items():
                share = self._window.sums[_COUNTED[name]] / np.maximum(calls, 1.0)
                seen = calls >= threshold.least_calls
                crit, warn = seen & (share < threshold.crit), seen & (share < threshold.warn)
                penalties = [threshold.crit_penalty, threshold.warn_penalty]
                self._scores *= np.select([crit, warn], penalties, default=1.0)
        return self._scores

    def _bring_up(self, now: float) -> None:
        region = self._market.region
        self._window.grow(int(region.max()) + 1 if len(region) else 0)
        self._window.rotate(now)
