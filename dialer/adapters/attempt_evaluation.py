"""How well answers are told on attempts on record: by a model on what came after its training, or by models trained
again and again along a log. Every attempt is told by what went before it alone, without its carrier, as plans are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.lead_traits import lead_table_of
from dialer.errors import ConfigError
from models.attempts import Flags, Floats
from models.bundle import ModelBundle, TrainingSettings
from models.call_evaluation import PERIODS, Evaluation, Period, gain_curve
from models.evaluation import reliability, scores
from models.features import attempt_features
from models.recalibration import recalibrated
from models.training import TrainingRefused, score_since, trained

LABEL = "answered"
LEAST_TOLD = 100  # attempts, below which figures say nothing
TRAININGS = 8  # along a log, where no number of rows is named
PRIOR, HALF_LIFE = 30.0, 1000.0  # of the online recalibration, expected answers


def evaluate_model(bundle: ModelBundle, past: PastAttempts, *, since: float | None = None) -> Evaluation:
    """Tell the attempts from `since` (UTC seconds) on, after the model's own training where None.

    Raises `ConfigError` where there are too few of them, or the lists lack a column of the model's.
    """
    begin = bundle.manifest.last_at if since is None else since
    table = lead_table_of(past.leads, bundle.feature_set)
    try:
        _, rows, told = score_since(bundle, past.log, table, np.nextafter(begin, np.inf) if since is None else begin)
    except ValueError as fault:
        raise ConfigError(f"{bundle.id}: {fault}") from fault
    notes = list(past.told)
    if begin < bundle.manifest.last_at and len(rows):
        notes.append("some of these attempts the model has learned from: the figures flatter it")
    return _evaluation(
        past, rows, told.astype(np.float64), columns=bundle.feature_set.names, notes=notes, every=0, trainings=0
    )


def evaluate_rolling(
    past: PastAttempts,
    *,
    first_row: int | None = None,
    every: int | None = None,
    now: float,
    seed: int = 1,
    settings: TrainingSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Train on the attempts before a row, tell the next `every`, and so on from `first_row` (half of them where None).

    `progress(told, to tell)` after each training. Raises `ConfigError` where there are too few attempts.
    """
    log, rows = past.log, len(past.log)
    first = rows // 2 if first_row is None else first_row
    if rows <= LEAST_TOLD:
        raise ConfigError(f"expected more than {LEAST_TOLD} attempts to learn from and to tell, found {rows}")
    if not 0 < first <= rows - LEAST_TOLD:
        raise ConfigError(f"expected a first row in [1, {rows - LEAST_TOLD}] of {rows:,} attempts, was {first:,}")
    step = max(LEAST_TOLD, -(-(rows - first) // TRAININGS)) if every is None else every
    if step < 1:
        raise ConfigError(f"expected every >= 1 row, was {step}")
    told: Floats = np.full(rows, np.nan)
    columns: tuple[str, ...] = ()
    begins = range(first, rows, step)
    for begin in begins:
        end = min(begin + step, rows)
        try:
            bundle = trained(log.rows(slice(0, begin)), past.table, settings=settings, seed=seed, now=now).bundle
        except TrainingRefused as refusal:
            raise ConfigError(f"the first {begin:,} attempts: {refusal}") from refusal
        columns = bundle.feature_set.names
        X = attempt_features(log.rows(slice(0, end)), past.table, bundle.feature_set)[begin:]
        X[:, columns.index("carrier")] = np.nan
        told[begin:end] = bundle.answer(X)
        if progress is not None:
            progress(end - first, rows - first)
    chosen = np.flatnonzero(log.known & (np.arange(rows) >= first))
    return _evaluation(past, chosen, told[chosen], columns=columns, notes=past.told, every=step, trainings=len(begins))


def _evaluation(
    past: PastAttempts,
    rows: NDArray[np.int64],
    told: Floats,
    *,
    columns: tuple[str, ...],
    notes: list[str] | tuple[str, ...],
    every: int,
    trainings: int,
) -> Evaluation:
    """Compare what was told of some rows of the log with what came."""
    if len(rows) < LEAST_TOLD:
        raise ConfigError(
            f"expected at least {LEAST_TOLD} attempts to judge by, found {len(rows)}: wait for more calls"
        )
    came: Flags = past.log.answered[rows]
    mended = recalibrated(told, came, prior=PRIOR, half_life=HALF_LIFE)
    return Evaluation(
        label=LABEL,
        rows=len(past.log),
        first_row=int(rows[0]),
        every=every,
        delay=1,
        trainings=trainings,
        columns=columns,
        told=tuple(notes),
        model=scores(came, told),
        recalibrated=scores(came, mended),
        periods=_periods(rows, came, mended),
        reliability=tuple(reliability(came, mended)),
        gain=gain_curve(came, mended),
    )


def _periods(rows: NDArray[np.int64], came: Flags, told: Floats) -> tuple[Period, ...]:
    edges = np.linspace(0, len(rows), PERIODS + 1).astype(int).tolist()
    return tuple(
        Period(first=int(rows[a]), last=int(rows[b - 1]), scores=scores(came[a:b], told[a:b]))
        for a, b in pairwise(edges)
        if b > a
    )
