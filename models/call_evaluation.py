"""What a user's own table of calls says of prediction by time: figures overall and by period, reliability and gain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
import numpy as np

from models.attempts import Flags, Floats
from models.call_stream import CallTable, StreamSettings, tell_by_time
from models.evaluation import Bin, Scores, captured, reliability, scores

LEAST_ROWS = 200
PERIODS = 10
_SHARES = tuple(step / 20 for step in range(1, 21))


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of rows `first` to `last`, counted from 0 without the line of names."""

    first: int
    last: int
    scores: Scores


class GainPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Of the share of rows told most, the share of all successes."""

    share: float
    captured: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How well calls are told by time. All figures are of rows from `first_row` on, each told by rows before it."""

    label: str
    rows: int
    first_row: int  # so many rows were only learned from
    every: int  # rows from one training to the next
    delay: int  # rows after which an outcome was taken as known
    trainings: int
    columns: tuple[str, ...]  # what was learned from
    told: tuple[str, ...]  # for people: what was left out, what could not be read
    model: Scores  # before the online recalibration
    recalibrated: Scores  # after it: the figures of the product
    periods: tuple[Period, ...]  # recalibrated
    reliability: tuple[Bin, ...]  # recalibrated
    gain: tuple[GainPoint, ...]  # recalibrated


def default_first_row(rows: int, settings: StreamSettings) -> int:
    """A tenth of the rows are only learned from, but no fewer than a training needs, and no more than half."""
    return max(1, min(max(rows // 10, settings.least_rows + settings.delay), rows // 2))


def evaluate_calls(
    table: CallTable,
    *,
    label: str,
    first_row: int | None = None,
    settings: StreamSettings | None = None,
    told: tuple[str, ...] = (),
    seed: int = 1,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Tell the calls by time and compare with what came. Deterministic for a seed.

    Raises `ValueError` with one line: too few rows, one class only (in all, or among the rows that are told), a first
    row out of range.
    """
    setting = settings or StreamSettings()
    rows, positives = len(table), int(np.count_nonzero(table.label))
    if rows < LEAST_ROWS:
        raise ValueError(f"expected at least {LEAST_ROWS} rows with a known {label}, found {rows}")
    first = default_first_row(rows, setting) if first_row is None else first_row
    if not 0 < first <= rows - LEAST_ROWS // 2:
        raise ValueError(f"expected a first row in [1, {rows - LEAST_ROWS // 2}] of {rows} rows, was {first}")
    came = table.label[first:]
    if came.all() or not came.any():
        both = "" if positives in (0, rows) else f" from row {first} on"
        raise ValueError(f"expected two classes of {label}, found {int(came[0])} only{both}: nothing can be told apart")
    if not table.names:
        raise ValueError("expected a column to learn from, found none but the label")
    found = tell_by_time(table, first, setting, seed=seed, threads=threads, progress=progress)
    p = found.recalibrated
    return Evaluation(
        label=label,
        rows=rows,
        first_row=first,
        every=setting.every,
        delay=setting.delay,
        trainings=found.trainings,
        columns=table.names,
        told=told,
        model=scores(came, found.model),
        recalibrated=scores(came, p),
        periods=_periods(came, p, first),
        reliability=tuple(reliability(came, p)),
        gain=gain_curve(came, p),
    )


def gain_curve(y: Flags, p: Floats) -> tuple[GainPoint, ...]:
    """Share of successes among the rows told most, by twentieths of the rows; empty without successes."""
    points = ((share, captured(y, p, share)) for share in _SHARES)
    return tuple(GainPoint(share=share, captured=part) for share, part in points if part is not None)


def _periods(y: Flags, p: Floats, first: int) -> tuple[Period, ...]:
    edges = np.linspace(0, len(y), min(PERIODS, len(y)) + 1).astype(int).tolist()
    return tuple(
        Period(first=first + begin, last=first + end - 1, scores=scores(y[begin:end], p[begin:end]))
        for begin, end in pairwise(edges)
        if end > begin
    )
