"""Tell the outcome of calls of any kind, given as a plain table in the order of time, under strong drift.

How it works: a ridge logit on success rates of late (`models.stream_features`) follows the drift; a few shallow trees
mend it, from its logit on (`base_margin`); what both miss of the level, the online recalibration takes. Older rows
weigh less. Ridge and trees are made anew every so many rows, from rows whose outcomes are known by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.attempts import Flags, Floats, Singles
from models.recalibration import recalibrated
from models.stream_features import codes_of, late_rates, value_ratios

_NEWTON_STEPS = 12
_LARGEST_LOGIT = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTable:
    """Calls in the order of time. `columns` float32, shape (n, k), NaN unknown: numbers, or codes of names."""

    names: tuple[str, ...]
    named: tuple[bool, ...]  # by column: its numbers are codes of names
    columns: Singles
    label: Flags

    def __len__(self) -> int:
        return len(self.label)


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream is learned. Lengths of memory are in rows, but for the recalibration's (expected successes)."""

    every: int = 250  # rows from one training to the next
    delay: int = 10  # rows after which an outcome is known: calls overlap
    least_rows: int = 500  # to train on; before, the rate of late is told
    window: int = 40_000  # the latest rows that are trained on
    row_half_life: float = 8_000.0
    rate_half_lives: tuple[float, ...] = (25.0, 100.0, 400.0, 1600.0)  # ascending
    base_half_life: float = 200.0  # of the rate against which values are held
    value_half_life: float = 4_000.0
    value_prior: float = 20.0  # successes
    ridge: float = 20.0
    rounds: int = 40
    depth: int = 3
    eta: float = 0.025
    least_weight: float = 20.0  # `min_child_weight`
    ratio_prior: float = 10.0
    ratio_half_life: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Probabilities of the rows from `first` on: as the models told them, and recalibrated."""

    first: int
    model: Floats
    recalibrated: Floats
    trainings: int


def tell_by_time(
    table: CallTable,
    first: int,
    settings: StreamSettings | None = None,
    *,
    seed: int = 1,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Told:
    """Tell each row from `first` on by what was known before it. Deterministic for a seed.

    `progress` is called with (rows told, rows to tell) after each training. Raises `ValueError` for a `first` that
    leaves nothing to learn from or to tell.
    """
    setting = settings or StreamSettings()
    if not 0 < first < len(table):
        raise ValueError(f"expected a first row in [1, {len(table) - 1}], was {first}")
    late, ratios = _features(table, first, setting)
    inputs = np.column_stack([late, ratios])
    trees_see = np.column_stack([table.columns, inputs]).astype(np.float32)
    p, trainings = np.empty(len(table) - first), 0
    slopes: Floats | None = None
    for begin in range(first, len(table), setting.every):
        end = min(begin + setting.every, len(table))
        known = slice(max(0, begin - setting.delay + 1 - setting.window), max(0, begin - setting.delay + 1))
        y = table.label[known]
        if len(y) < setting.least_rows or y.all() or not y.any():
            p[begin - first : end - first] = _sigmoid(late[begin:end, -1])
            continue
        weight = 0.5 ** (np.arange(len(y))[::-1] / setting.row_half_life)
        slopes = ridge_logit(inputs[known], y, weight, setting.ridge, start=slopes)
        margin = inputs @ slopes[1:] + slopes[0]
        booster = _trees(trees_see[known], y, weight, margin[known], setting, seed, threads)
        p[begin - first : end - first] = _told(booster, trees_see[begin:end], margin[begin:end], threads)
        trainings += 1
        if progress is not None:
            progress(end - first, len(table) - first)
    mended = recalibrated(
        p,
        table.label[first:],
        prior=setting.ratio_prior,
        half_life=setting.ratio_half_life,
        lag=setting.delay,
    )
    return Told(first=first, model=p, recalibrated=mended, trainings=trainings)


def _features(table: CallTable, first: int, setting: StreamSettings) -> tuple[Floats, Floats]:
    """The logits of the rates of late (n, half-lives), and the log ratios of the values (n, columns)."""
    y = table.label
    late = late_rates(y, setting.rate_half_lives, setting.delay)
    base = late_rates(y, (setting.base_half_life, setting.rate_half_lives[-1]), setting.delay)[:, 0]
    ratios = np.empty((len(table), len(table.names)))
    for place, named in enumerate(table.named):
        codes, count = codes_of(table.columns[:, place], first, named=named)
        ratios[:, place] = value_ratios(
            codes, count, y, base, setting.value_half_life, setting.value_prior, setting.delay
        )
    return late, ratios


def ridge_logit(x: Floats, y: Flags, weight: Floats, ridge: float, *, start: Floats | None = None) -> Floats:
    """Return intercept and slopes of a logit, slopes shrunk by `ridge` / 2 times their squares (Newton's method).

    `start`: an answer to a like question, from which it is near.
    """
    ones = np.column_stack([np.ones(len(x)), x])
    penalty = np.full(ones.shape[1], ridge)
    penalty[0] = 1e-3
    slopes = np.zeros(ones.shape[1]) if start is None else start
    for _ in range(_NEWTON_STEPS):
        p = _sigmoid(ones @ slopes)
        gradient = ones.T @ (weight * (p - y)) + penalty * slopes
        curve = (ones * (weight * p * (1.0 - p))[:, None]).T @ ones + np.diag(penalty)
        step = np.linalg.solve(curve, gradient)
        slopes = slopes - step
        if np.abs(step).max() < 1e-5:
            break
    return slopes


def _sigmoid(z: Floats) -> Floats:
    p: Floats = 1.0 / (1.0 + np.exp(-np.clip(z, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    return p


def _trees(
    x: Singles, y: Flags, weight: Floats, margin: Floats, setting: StreamSettings, seed: int, threads: int
) -> Any:
    import xgboost

    data = xgboost.QuantileDMatrix(x, y, weight=weight, base_margin=margin, max_bin=64, nthread=threads)
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_bin": 64,
        "max_depth": setting.depth,
        "eta": setting.eta,
        "min_child_weight": setting.least_weight,
        "nthread": threads,
        "seed": seed,
    }
    return xgboost.train(parameters, data, setting.rounds)


def _told(booster: Any, x: Singles, margin: Floats, threads: int) -> NDArray[np.float64]:
    import xgboost

    p: NDArray[np.float64] = booster.predict(xgboost.DMatrix(x, base_margin=margin, nthread=threads)).astype(np.float64)
    return p
