"""Train a bundle on attempts: split by time, trees on tables, calibrated and scored on days they have not seen.

The attempts that teach, in order of time, are cut in three at the begin of a local day where there are days enough:
tables and trees are grown on the first, the better of them chosen and calibrated on the second, scored on the third.
Then the calibration is fitted again on both of the last, and what was chosen is grown again on all. What is calibrated
or scored is told without its carrier, as plans are made before it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from math import isfinite

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit  # type: ignore[import-untyped]

from models.attempts import AttemptLog, Flags, Result, Singles
from models.boosted import SQUARED, Boosted, Judge
from models.bundle import (
    ANSWER,
    LEAST_TALK_S,
    MOST_TALK_S,
    PROMISE,
    RIGHT_PARTY,
    Kind,
    Manifest,
    ModelBundle,
    PartFigures,
    TalkFigures,
    TrainingSettings,
)
from models.calibration import Calibration, calibration_of
from models.empirical_bayes import RateTables
from models.evaluation import Scores, auc, row_losses, scores
from models.features import FeatureSet, attempt_features, feature_set_of
from models.lead_table import LeadTable

_DAY = 86400.0
_DAYS_TO_CUT = 10  # fewer days on record are cut anywhere
_CLOCKS_APART_S = 300.0  # a log may be ahead of `now` by so much
_BEYOND_CHANCE = 1.0  # deviations
_LEAK_AUC = 0.98  # a column of the list that alone tells answers so well was filled in after the calls
_LEAK_ROWS = 20_000
_LEAST_LEAKED = 10  # rows of each kind to judge a leak by
_TOLD_APART = {ANSWER: "answered attempts", RIGHT_PARTY: "right parties", PROMISE: "promises"}


class TrainingRefused(ValueError):
    """Attempts that cannot teach a model."""


Rows = slice | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Trained:
    """A bundle, and what its answer model told of the last days before it saw them."""

    bundle: ModelBundle
    rows: NDArray[np.int64]  # of the log, in order of time
    y: Flags  # answered
    told: Singles


def trained(
    log: AttemptLog,
    leads: LeadTable,
    *,
    settings: TrainingSettings | None = None,
    seed: int,
    now: float,
    nthread: int = 2,
    feature_set: FeatureSet | None = None,
) -> Trained:
    """Train a bundle on a log that ends at or before `now` (UTC seconds). Deterministic for a seed.

    What was told of the last days is for `acceptance.judged`. Raises `TrainingRefused`, in one line, for too few
    attempts, answers only or none, a future date, a lead that is none, or a column of the list that was filled in after
    the calls.
    """
    how = settings or TrainingSettings()
    _check(log, leads, how, now)
    if how.without:
        leads = _without(leads, how.without)
    columns = feature_set or feature_set_of(leads, log)
    try:
        X = attempt_features(log, leads, columns)
    except ValueError as fault:
        raise TrainingRefused(str(fault)) from fault
    known = np.flatnonzero(log.known)
    if len(known) < len(log):
        X = X[known]
    taught = log.rows(known)
    cuts = _cuts(taught, how)
    told: dict[str, _Part] = {}
    chosen = {
        ANSWER: (np.ones(len(taught), dtype=np.bool_), taught.answered, float(taught.answered[: cuts[0]].mean())),
        RIGHT_PARTY: (_of_known_party(taught), taught.result >= Result.RIGHT_PARTY, how.right_party_prior),
        PROMISE: (
            (taught.result == Result.RIGHT_PARTY) | (taught.result == Result.PROMISE),
            taught.result == Result.PROMISE,
            how.promise_prior,
        ),
    }
    for name, (which, y, _) in chosen.items():
        rows = np.flatnonzero(which)
        _check_leaks(X, rows, y[rows], columns, _TOLD_APART[name])
    growing = _Growing(X, columns, how, cuts, seed, nthread)
    for name, (which, y, prior) in chosen.items():
        told[name] = growing.part(which, y, prior)
    talk, talk_figures = growing.talk(taught)
    digest = sha256(told[ANSWER].tables.to_bytes() + f"{now} {seed}".encode()).hexdigest()
    manifest = Manifest(
        id=f"m-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{digest[:4]}",
        made_at=float(now),
        feature_set=columns,
        feature_hash=columns.hash,
        first_at=float(taught.at[0]),
        last_at=float(taught.at[-1]),
        scored_from=float(taught.at[cuts[1]]),
        rows=len(taught),
        positives=int(taught.answered.sum()),
        parts={name: part.figures for name, part in told.items()},
        talk=talk_figures,
        calibrations={name: part.calibration for name, part in told.items()},
        settings=how,
        seed=seed,
    )
    bundle = ModelBundle(manifest, {name: (part.tables, part.trees) for name, part in told.items()}, talk)
    bundle.nthread = nthread
    return Trained(bundle, known[cuts[1] :], taught.answered[cuts[1] :], told[ANSWER].last)


# ---- the parts --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Part:
    tables: RateTables
    trees: Boosted | None
    calibration: Calibration
    figures: PartFigures
    last: Singles  # told of the last days


@dataclass(frozen=True, slots=True)
class _Grown:
    kind: Kind
    trees: Boosted | None
    why: str | None


class _Growing:
    """The rows all parts are grown on. The carrier is hidden in some rows to teach from, and in all others."""

    def __init__(
        self,
        X: Singles,
        columns: FeatureSet,
        how: TrainingSettings,
        cuts: tuple[int, int],
        seed: int,
        nthread: int,
    ) -> None:
        self._X, self._columns, self._how, self._cuts, self._seed, self._nthread = X, columns, how, cuts, seed, nthread
        self._carrier = columns.names.index("carrier")
        hidden = np.random.default_rng(seed).random(len(X)) < how.without_carrier
        X[hidden, self._carrier] = np.nan
        self._carriers = X[cuts[0] :, self._carrier].copy()

    def part(self, which: Flags, y: Flags, prior: float) -> _Part:
        """Grow tables and trees on the rows of `which`, with labels `y`; both of shape (n,)."""
        calibrate_from = self._cuts[0]
        chosen = np.flatnonzero(which)
        first, second = np.searchsorted(chosen, self._cuts)
        before, between = _slice(chosen[:first]), _slice(chosen[first:second])
        after, every = _slice(chosen[first:]), _slice(chosen)
        self._X[calibrate_from:, self._carrier] = np.nan
        tables = RateTables.fit(self._X[before], y[before], self._columns, prior_rate=prior)
        grown = self._best(tables, before, between, y)
        margin = self._margin(tables, grown, self._X[after])
        split, held = int(second - first), y[after]
        told = calibration_of(margin[:split], held[:split]).probabilities(margin[split:])
        calibration = calibration_of(margin, held)
        rows = len(chosen)
        if first < rows <= self._how.refit_up_to:
            self._X[calibrate_from:, self._carrier] = self._carriers
            tables = RateTables.fit(self._X[every], y[every], self._columns, prior_rate=prior)
            if grown.trees is not None:
                grown = replace(grown, trees=self._trees(tables, grown.kind, every, y, rounds=grown.trees.rounds))
        figures = PartFigures(
            rows=rows,
            positives=int(y[every].sum()),
            scores=scores(held[split:], told),
            kind=grown.kind,
            why=grown.why,
            rounds=0 if grown.trees is None else grown.trees.rounds,
        )
        return _Part(tables, grown.trees, calibration, figures, told)

    def _best(self, tables: RateTables, before: Rows, between: Rows, y: Flags) -> _Grown:
        """Whatever tells the rows `between` best of the tables, trees on them, and trees on the rate of all."""
        positives, rows = int(y[before].sum()), len(y[before])
        least = self._how.least_for_trees
        if min(positives, rows - positives) < least or y[between].all() or not y[between].any():
            why = f"{positives} of {rows} earlier rows are positive: trees need {least} of each kind, and later ones"
            return _Grown(Kind.TABLES, None, why)
        later, came = self._X[between], y[between]
        tried = [_Grown(Kind.TABLES, None, None)]
        kinds = [Kind.TREES, *([Kind.TREES_ON_TABLES] if rows <= self._how.on_tables_up_to else [])]
        for kind in kinds:
            judge = Judge(later, came, self._start(tables, kind, later))
            tried.append(_Grown(kind, self._trees(tables, kind, before, y, judge=judge), None))
        losses = [row_losses(came, expit(self._margin(tables, grown, later))) for grown in tried]
        best = int(np.argmin([loss.mean() for loss in losses]))
        gain = losses[0] - losses[best]
        # Trees find something in chance too: they must gain more than its deviation.
        beyond = gain.mean() > _BEYOND_CHANCE * gain.std() / np.sqrt(len(gain))
        return tried[best] if beyond else replace(tried[0], why="trees told later rows no better than the tables")

    def _start(self, tables: RateTables, kind: Kind, X: Singles) -> Singles:
        if kind is Kind.TREES:
            return np.full(len(X), tables.stored.base, dtype=np.float32)
        return tables.margin(X, nthread=self._nthread)

    def _margin(self, tables: RateTables, grown: _Grown, X: Singles) -> Singles:
        start = self._start(tables, grown.kind, X)
        return start if grown.trees is None else grown.trees.margins(X, start, nthread=self._nthread)

    def _trees(
        self,
        tables: RateTables,
        kind: Kind,
        which: Rows,
        y: Flags,
        *,
        judge: Judge | None = None,
        rounds: int | None = None,
    ) -> Boosted:
        X, how = self._X[which], self._how.trees
        return Boosted.fit(
            X,
            y[which].astype(np.float32),
            margin=self._start(tables, kind, X),
            settings=how if rounds is None else msgspec.structs.replace(how, rounds=rounds),
            judge=judge,
            seed=self._seed,
            nthread=self._nthread,
        )

    def talk(self, log: AttemptLog) -> tuple[Boosted | None, TalkFigures]:
        """Grow trees on the logarithm of talk times of answered attempts."""
        known = np.flatnonzero(log.answered & np.isfinite(log.talk_s) & (log.talk_s > 0))
        logs = np.log(np.clip(log.talk_s[known], LEAST_TALK_S, MOST_TALK_S)).astype(np.float32)
        if not len(known):
            return None, TalkFigures(rows=0, mean_log=None)
        first = int(np.searchsorted(known, self._cuts[0]))
        mean, spread = float(logs.mean()), float(logs.std())
        plain = TalkFigures(rows=len(known), mean_log=mean, sigma=spread)
        if first < self._how.least_for_trees or len(known) - first < self._how.least_for_trees // 4:
            return None, plain
        X = self._X[known]
        start = np.full(len(known), mean, dtype=np.float32)
        trees = self._talk_trees(X[:first], logs[:first], start[:first])
        left = logs[first:] - trees.margins(X[first:], start[first:], nthread=self._nthread)
        if float(np.mean(left**2)) >= float(np.var(logs[first:])):
            return None, plain
        trees = self._talk_trees(X, logs, start)
        return trees, TalkFigures(rows=len(known), mean_log=mean, sigma=float(np.sqrt(np.mean(left**2))))

    def _talk_trees(self, X: Singles, logs: Singles, start: Singles) -> Boosted:
        return Boosted.fit(
            X, logs, margin=start, objective=SQUARED, settings=self._how.trees, seed=self._seed, nthread=self._nthread
        )


def _slice(rows: NDArray[np.int64]) -> Rows:
    """The same rows without a copy where they follow each other."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _of_known_party(log: AttemptLog) -> Flags:
    flags: Flags = (log.result >= Result.WRONG_PARTY) & (log.result <= Result.PROMISE)
    return flags


# ---- time -------------------------------------------------------------------------------------------------------
def _cuts(log: AttemptLog, how: TrainingSettings) -> tuple[int, int]:
    """Rows from which to calibrate and from which to score: begins of local days where there are days enough."""
    n = len(log)
    wanted = [int(n * (1.0 - how.calibrate_share - how.score_share)), int(n * (1.0 - how.score_share))]
    days = np.floor((log.at + np.median(log.offset_s)) / _DAY)
    firsts = np.append(np.flatnonzero(np.diff(days) > 0) + 1, n)
    if len(firsts) >= _DAYS_TO_CUT:
        # The last begin of a day before: whole days, and no fewer rows than wanted.
        wanted = [int(firsts[firsts <= row].max(initial=firsts[0])) for row in wanted]
        if wanted[0] == wanted[1]:
            wanted[0] = int(firsts[firsts < wanted[1]].max(initial=firsts[0]))
    # Rows of one moment stay together.
    first, second = (int(np.searchsorted(log.at, log.at[min(row, n - 1)])) for row in wanted)
    if not 0 < first < second < n:
        raise TrainingRefused(f"expected attempts of at least three moments, {n} attempts are of too few")
    return first, second


# ---- refusals ---------------------------------------------------------------------------------------------------
def _check(log: AttemptLog, leads: LeadTable, how: TrainingSettings, now: float) -> None:
    if not isfinite(now):
        raise TrainingRefused(f"expected the present time, was {now}")
    known = int(log.known.sum())
    if known < how.least_rows:
        raise TrainingRefused(f"expected at least {how.least_rows} attempts whose outcome is known, found {known}")
    if not np.isfinite(log.at).all():
        raise TrainingRefused(f"expected a time of every attempt, found none of attempt {_first(~np.isfinite(log.at))}")
    ahead = log.at > now + _CLOCKS_APART_S
    if ahead.any():
        when = datetime.fromtimestamp(min(float(log.at[ahead][0]), 253402300799.0), UTC)
        raise TrainingRefused(
            f"attempt {_first(ahead)} lies in the future, at {when:%Y-%m-%d %H:%M} UTC: mend its date"
        )
    strange = (log.lead < 0) | (log.lead >= len(leads))
    if strange.any():
        raise TrainingRefused(f"attempt {_first(strange)} is of a lead that is none of the {len(leads)}")
    answers = int(log.answered[log.known].sum())
    if min(answers, known - answers) < how.least_positives:
        raise TrainingRefused(
            f"expected at least {how.least_positives} answered attempts and as many others, "
            f"found {answers} answered of {known}: a single class teaches nothing"
        )
    missing = [name for name in how.without if name not in _columns_of(leads)]
    if missing:
        raise TrainingRefused(f"expected a column {missing[0]} to leave out, found {', '.join(_columns_of(leads))}")


def _first(rows: Flags) -> int:
    """The first row that is set, as people count."""
    return int(np.argmax(rows)) + 1


def _columns_of(leads: LeadTable) -> list[str]:
    return sorted({*leads.numeric, *leads.categories, *leads.of_numbers})


def _without(leads: LeadTable, names: tuple[str, ...]) -> LeadTable:
    return replace(
        leads,
        numeric={name: column for name, column in leads.numeric.items() if name not in names},
        categories={name: column for name, column in leads.categories.items() if name not in names},
        of_numbers={name: column for name, column in leads.of_numbers.items() if name not in names},
    )


def _check_leaks(X: Singles, which: NDArray[np.int64], y: Flags, columns: FeatureSet, what: str) -> None:
    """Refuse a column of the list that alone tells `y` of the rows `which`: half of them say how, the rest how well.

    `what` it tells apart, in words. Too few rows of either kind say nothing.
    """
    names = columns.names
    own = len(columns.numeric) + len(columns.categories) + len(columns.of_numbers)
    step = max(len(y) // _LEAK_ROWS, 1)
    some, came = X[which[::step]], y[::step]
    half = len(came) // 2
    if min(came[half:].sum(), (~came[half:]).sum()) < _LEAST_LEAKED:
        return
    for place in range(len(names) - own, len(names)):
        column = some[:, place]
        if place < len(names) - own + len(columns.numeric):
            told = np.nan_to_num(column, nan=float(np.nanmin(column)) - 1.0 if np.isfinite(column).any() else 0.0)
        else:
            codes = np.nan_to_num(column, nan=-1.0).astype(np.int64) + 1
            size = int(codes.max()) + 1
            rows = np.bincount(codes[:half], minlength=size)
            told = (np.bincount(codes[:half], came[:half], size) + came.mean())[codes] / (rows + 1.0)[codes]
        found = auc(came[half:], told[half:])
        if found is not None and max(found, 1.0 - found) > _LEAK_AUC:
            raise TrainingRefused(
                f"column {names[place]} alone tells {what} from others (AUC {max(found, 1.0 - found):.3f}): "
                "it was filled in after the calls; leave it out"
            )


def score_since(
    bundle: ModelBundle, log: AttemptLog, leads: LeadTable, since: float
) -> tuple[Scores, NDArray[np.int64], Singles]:
    """Score a bundle's answers on attempts from `since` on (UTC seconds), each told from what went before it alone.

    Returns the scores, the rows of the log and what was told of each. Carriers are hidden, as in a plan.
    """
    X = attempt_features(log, leads, bundle.feature_set)
    rows = np.flatnonzero(log.known & (log.at >= since))
    X = X[rows]
    X[:, bundle.feature_set.names.index("carrier")] = np.nan
    told = bundle.answer(X)
    return scores(log.answered[rows], told), rows, told
