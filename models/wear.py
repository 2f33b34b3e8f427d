"""What unanswered calls cost: people who are called often answer less, for a time.

Success falls from attempt to attempt for two reasons. Easy people answer early and leave (selection); calling wears
those who stay (wear). A raw curve by attempt number mixes both. Two things tell them apart here:

* `counterfactual_curves`: the trained model asked about the same leads, with everything equal but the recency of calls.
  It is the model's opinion: as good as what the model could learn.
* `randomised_effect`: rests that were drawn by lot are the only ones that cannot depend on the person. Among attempts
  with equal history up to the attempt before, the rest alone moves wear, and its effect on answering is wear's.

Wear of a lead: unanswered attempts so far, each halved with every half-life since it was made; answers drop by `drop`
on the logit for each unit of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.attempts import AttemptLog
from models.wear_kernels import fill_wear

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int32]

ATTEMPTS = tuple(range(1, 11))
RESTS_DAYS = (1.0, 3.0, 7.0, 14.0)
HALF_LIVES_DAYS = (1.0, 2.0, 4.0, 8.0, 16.0)
_USUAL_HALF_LIFE_DAYS = 4.0
LEAST_ROWS = 200  # of randomised attempts, to say anything
_DAY_S = 86_400.0
_MOST_HOURS = 500.0
# Columns of X that tell how recently and how often a lead was called, and their half-life where they fade.
_RECENCY = ("hours_since_attempt", "attempts_today", "attempts_7_days")
_FADING = {"wear_2_days": 2.0, "wear_8_days": 8.0}
_PRIOR_RATE, _PRIOR_WEIGHT = 0.1, 8.0
_RIDGE = 1e-6


class WearCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Chance of an answer at attempt j against the first, by j of `attempts`, after so many days of rest."""

    segment: str
    rest_days: float
    attempts: tuple[int, ...]
    ratio: tuple[float, ...]  # NaN where nothing is known
    low: tuple[float, ...] = ()  # 95 %; empty where no interval is known
    high: tuple[float, ...] = ()
    rows: int = 0  # attempts or leads behind it


class WearEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Wear as randomised rests show it."""

    drop: float  # on the logit of an answer, for each unanswered attempt while it is fresh
    error: float  # standard error of `drop`
    half_life_days: float
    rows: int  # randomised attempts after an unanswered one
    effective_rows: float  # as many equally weighted rows would tell as much


@dataclass(frozen=True, slots=True)
class _Rested:
    """Randomised attempts that follow another of the same lead, columns of shape (n,)."""

    log: AttemptLog
    before: Floats  # (n, half-lives): wear just after the attempt before
    now: Floats  # (n, half-lives): what is left of it
    failures: Floats  # unanswered attempts before
    answers: Floats


# ---- what the lots say ------------------------------------------------------------------------------------------
def randomised_effect(log: AttemptLog) -> WearEffect | None:
    """Estimate wear from the attempts whose hour or rest was drawn by lot; None where they are too few to tell.

    A logistic regression of answers on wear now, weighted with 1 / propensity. Its controls are the history up to the
    attempt before (wear just after it, unanswered attempts, shrunk answer rate) and the block of the day: only the
    rest, which is random given that history, is left to tell. The half-life is the likeliest of `HALF_LIVES_DAYS`,
    4 days where they tell little. The error is the sandwich's. It assumes that the lots were kept to: whoever was due
    was called.
    """
    return _effect(_rested(log))


def segment_effects(log: AttemptLog, segments: Ints, names: Sequence[str]) -> dict[str, WearEffect]:
    """Estimate wear for each segment, shrunk to that of all by its error (normal-normal empirical Bayes).

    `segments` (leads,): index into `names`, -1 none. A segment with too few randomised attempts has the effect of all
    of them, with an error that covers how much segments differ. Empty where there are too few in all. The variance
    between segments is that of DerSimonian and Laird (1986).
    """
    rested = _rested(log)
    overall = _effect(rested)
    if overall is None:
        return {}
    of_row = segments[rested.log.lead]
    own = {name: _effect(_some(rested, of_row == code), overall.half_life_days) for code, name in enumerate(names)}
    drops = np.array([found.drop for found in own.values() if found])
    weights = np.array([1.0 / max(found.error, 1e-6) ** 2 for found in own.values() if found])
    between = 0.0
    if len(drops) > 1:
        mean = float(weights @ drops / weights.sum())
        spread = float(weights @ (drops - mean) ** 2) - (len(drops) - 1)
        between = max(0.0, spread / float(weights.sum() - (weights**2).sum() / weights.sum()))
    return {name: _shrunk(found, overall, between) for name, found in own.items()}


def shrunk_effect(found: WearEffect, usual: WearEffect) -> WearEffect:
    """Draw an effect to the usual one, as far as it is uncertain, and to no less than none: what a price may go by.

    The drop is the mean of both weighted with their precisions (1 / error^2), as of a normal prior. One whose error is
    not known tells nothing.
    """
    if not (np.isfinite(found.drop) and np.isfinite(found.error) and found.error > 0.0):
        return usual
    own, before = found.error**-2, usual.error**-2
    drop = (own * found.drop + before * usual.drop) / (own + before)
    return msgspec.structs.replace(found, drop=max(0.0, drop), error=float((own + before) ** -0.5))


def effect_curves(
    effect: WearEffect,
    first_answer: float,
    *,
    segment: str = "",
    attempts: Sequence[int] = ATTEMPTS,
    rests_days: Sequence[float] = RESTS_DAYS,
    spacing_days: float = 1.0,
) -> list[WearCurve]:
    """Return the curves that an effect means for people who answer a first call with chance `first_answer` in (0, 1).

    Attempts before the j-th were unanswered, `spacing_days` apart; then came the rest.
    """

    def ratios(drop: float, rest: float) -> tuple[float, ...]:
        return tuple(
            float(_expit(_logit(first_answer) - drop * faded_wear(j - 1, rest, spacing_days, effect.half_life_days)))
            / first_answer
            for j in attempts
        )

    return [
        WearCurve(
            segment=segment,
            rest_days=rest,
            attempts=tuple(attempts),
            ratio=ratios(effect.drop, rest),
            low=ratios(effect.drop + 1.96 * effect.error, rest),
            high=ratios(effect.drop - 1.96 * effect.error, rest),
            rows=effect.rows,
        )
        for rest in rests_days
    ]


def faded_wear(unanswered: int, rest_days: float, spacing_days: float, half_life_days: float) -> float:
    """Return what is left of so many unanswered attempts, evenly spaced, after a rest since the last of them."""
    ages = rest_days + spacing_days * np.arange(max(0, unanswered))
    return float(np.exp2(-ages / half_life_days).sum())


# ---- what the model says, and what is seen ----------------------------------------------------------------------
def counterfactual_curves(
    answer: Callable[[Singles], Singles],
    X: Singles,
    names: Sequence[str],
    segments: Ints,
    segment_names: Sequence[str],
    *,
    attempts: Sequence[int] = ATTEMPTS,
    rests_days: Sequence[float] = RESTS_DAYS,
    spacing_days: float = 1.0,
) -> list[WearCurve]:
    """Ask a model about the same leads as if each had just been called j - 1 times, all else equal.

    `answer`: chances (n,) for features (n, columns `names`). `X`: a row for each of some leads, at a usual hour.
    `segments` (n,): index into `segment_names`, -1 none. The ratio is of means over the leads of a segment. Columns
    that tell what kind of person it is (counts and rates of answers) stay as they are. Raises `ValueError` where no
    column tells of recency.
    """
    place = {name: k for k, name in enumerate(names) if name in _RECENCY or name in _FADING}
    if not place:
        wanted = ", ".join((*_RECENCY, *_FADING))
        raise ValueError(f"expected a column of recency ({wanted}), found none among {len(names)}")
    fresh = _means(answer(_as_called(X, place, 1, _MOST_HOURS / 24.0, spacing_days)), segments, len(segment_names))
    found = []
    for rest in rests_days:
        means = [
            fresh if j == 1 else _means(answer(_as_called(X, place, j, rest, spacing_days)), segments, len(fresh))
            for j in attempts
        ]
        ratios = np.array(means) / np.where(fresh > 0.0, fresh, np.nan)
        found += [
            WearCurve(
                segment=name,
                rest_days=rest,
                attempts=tuple(attempts),
                ratio=tuple(map(float, ratios[:, code])),
                rows=int((segments == code).sum()),
            )
            for code, name in enumerate(segment_names)
        ]
    return found


def raw_curves(
    log: AttemptLog, segments: Ints, segment_names: Sequence[str], *, attempts: Sequence[int] = ATTEMPTS
) -> list[WearCurve]:
    """Return what is seen by attempt number, selection and wear mixed: to be shown beside the others, never as wear.

    `segments` (leads,). Each curve's `rest_days` is NaN: whatever it was.
    """
    known = log.rows(log.known)
    number = _histories(known, (1.0,))[2].sum(1).astype(np.int64) + 1
    of_row, answered = segments[known.lead], known.answered
    found = []
    for code, name in enumerate(segment_names):
        own = (of_row == code) & (number <= max(attempts))
        seen = np.bincount(number[own], minlength=max(attempts) + 1)
        hits = np.bincount(number[own & answered], minlength=max(attempts) + 1)
        rate = hits / np.where(seen > 0, seen, np.nan)
        first = rate[1] if rate[1] > 0 else np.nan
        ratio = tuple(float(rate[j] / first) for j in attempts)
        found.append(
            WearCurve(segment=name, rest_days=np.nan, attempts=tuple(attempts), ratio=ratio, rows=int(own.sum()))
        )
    return found


# ---- what it means for the day ----------------------------------------------------------------------------------
def wear_index(expected_now: Floats, expected_at_load: Floats) -> float | None:
    """Return the contacts still expected of a list against those when it was loaded, leads of which both are known.

    Both (leads,): expected right-party contacts of a lead; NaN unknown, 0 for one that is gone. None without any.
    """
    both = np.isfinite(expected_now) & np.isfinite(expected_at_load)
    loaded = float(expected_at_load[both].sum())
    return float(expected_now[both].sum()) / loaded if loaded > 0.0 else None


def contacts_lost(
    answer: Floats,
    right_party: Floats,
    drop: Floats | float,
    *,
    attempts: Floats | float,
    horizon_days: float,
    half_life_days: float,
) -> Floats:
    """Return the right-party contacts lost later by one more unanswered call, shape (n,): `wear` of an allocation.

    `answer`, `right_party` (n,): chances at a usual later attempt. `attempts`: expected of the lead over the horizon,
    evenly spread over it. With q = answer * right_party, a lead is reached within m attempts with chance
    1 - (1 - q)^m, which loses m (1 - q)^(m - 1) for each unit that q falls; q falls by right_party * answer *
    (1 - answer) * drop while the wear is fresh, and by the mean of 2^(-t / half-life) of it over the horizon.
    """
    decay = np.log(2.0) / half_life_days * horizon_days
    lasting = -np.expm1(-decay) / decay if decay > 0.0 else 1.0
    q = np.clip(answer * right_party, 0.0, 1.0)
    steepness = attempts * (1.0 - q) ** np.maximum(np.asarray(attempts) - 1.0, 0.0)
    lost: Floats = np.maximum(drop, 0.0) * lasting * steepness * q * (1.0 - answer)
    return lost


def wear_price(answer: Floats, lost: Floats) -> Floats:
    """Return the contacts that a call is expected to lose later: those lost if nobody answers, times that chance."""
    price: Floats = (1.0 - answer) * lost
    return price


# ---- inside -----------------------------------------------------------------------------------------------------
def _histories(log: AttemptLog, half_lives_days: Sequence[float]) -> tuple[Floats, Floats, Floats]:
    """Return, as of each attempt: wear just after the one before, wear now, and (failures, answers) before."""
    n, lives = len(log), np.asarray(half_lives_days, np.float64) * _DAY_S
    before, now, counts = np.zeros((n, len(lives))), np.zeros((n, len(lives))), np.zeros((n, 2))
    order = np.lexsort((np.arange(n), log.lead))
    fill_wear(log.at, log.lead, log.answered, order, lives, before, now, counts)
    return before, now, counts


def _rested(log: AttemptLog) -> _Rested:
    known = log.rows(log.known)
    before, now, counts = _histories(known, HALF_LIVES_DAYS)
    with np.errstate(invalid="ignore"):
        drawn = (known.propensity > 0.0) & (before[:, 0] > 0.0)
    return _Rested(known.rows(drawn), before[drawn], now[drawn], counts[drawn, 0], counts[drawn, 1])


def _some(rested: _Rested, mask: NDArray[np.bool_]) -> _Rested:
    return _Rested(
        rested.log.rows(mask), rested.before[mask], rested.now[mask], rested.failures[mask], rested.answers[mask]
    )


def _effect(rested: _Rested, half_life_days: float | None = None) -> WearEffect | None:
    """Fit the effect, at a given half-life or at the likeliest."""
    y = rested.log.answered.astype(np.float64)
    if len(y) < LEAST_ROWS or not 0 < y.sum() < len(y):
        return None
    weights = 1.0 / rested.log.propensity.astype(np.float64)
    weights /= weights.mean()
    hour = ((rested.log.at + rested.log.offset_s) // 3600.0) % 24.0
    rate = (rested.answers + _PRIOR_RATE * _PRIOR_WEIGHT) / (rested.answers + rested.failures + _PRIOR_WEIGHT)
    controls = [np.ones_like(y), np.log1p(rested.failures), _logit(rate)]
    controls += [(hour >= first) & (hour < last) for first, last in ((11, 15), (15, 18), (18, 24))]
    # The same controls whatever the half-life, so that the likeliest is chosen by how wear fades and not by what kind
    # of person its sum tells of.
    controls += list(rested.before.T)
    best: tuple[float, float, float, float] | None = None
    for k, days in enumerate(HALF_LIVES_DAYS):
        if half_life_days not in (None, days):
            continue
        columns = np.column_stack([*controls, rested.now[:, k]]).astype(np.float64)
        likelihood, drop, error = _logistic(columns, y, weights)
        likelihood -= 0.5 * np.log2(days / _USUAL_HALF_LIFE_DAYS) ** 2  # where the rows do not tell
        if best is None or likelihood > best[0]:
            best = (likelihood, drop, error, days)
    if best is None:
        return None
    told = float(weights.sum() ** 2 / (weights**2).sum())
    return WearEffect(drop=-best[1], error=best[2], half_life_days=best[3], rows=len(y), effective_rows=told)


def _logistic(x: Floats, y: Floats, weights: Floats) -> tuple[float, float, float]:
    """Fit a weighted logistic regression by Newton's method: (log likelihood, last coefficient, its sandwich error)."""
    scale = np.maximum(np.abs(x).max(0), 1e-9)
    x = x / scale
    beta = np.zeros(x.shape[1])
    ridge = _RIDGE * len(y) * np.eye(x.shape[1])
    for _ in range(50):
        p = _expit(x @ beta)
        slope = x.T @ (weights * (y - p)) - ridge @ beta
        bend = (x * (weights * p * (1.0 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(bend, slope)
        beta += step / max(1.0, float(np.abs(step).max()) / 4.0)
        if np.abs(step).max() < 1e-8:
            break
    p = np.clip(_expit(x @ beta), 1e-12, 1.0 - 1e-12)
    likelihood = float(weights @ (y * np.log(p) + (1.0 - y) * np.log1p(-p)))
    scores = x * (weights * (y - p))[:, None]
    inverse = np.linalg.inv(bend)
    error = float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[-1, -1]))
    return likelihood, float(beta[-1] / scale[-1]), error / float(scale[-1])


def _shrunk(own: WearEffect | None, overall: WearEffect, between: float) -> WearEffect:
    if own is None:
        error = float(np.hypot(overall.error, np.sqrt(between)))
        return msgspec.structs.replace(overall, error=error, rows=0, effective_rows=0.0)
    trust = between / (between + own.error**2) if between > 0.0 else 0.0
    return msgspec.structs.replace(
        own,
        drop=trust * own.drop + (1.0 - trust) * overall.drop,
        error=float(np.sqrt(trust * own.error**2 + (1.0 - trust) * overall.error**2)),
    )


def _as_called(X: Singles, place: dict[str, int], attempt: int, rest_days: float, spacing_days: float) -> Singles:
    """Copy X with its columns of recency as at the given attempt after a rest; at the first, wholly rested."""
    X = X.copy()
    ages = rest_days + spacing_days * np.arange(attempt - 1)
    values = {
        "hours_since_attempt": min(24.0 * rest_days, _MOST_HOURS),
        "attempts_today": float((ages < 1.0).sum()),
        "attempts_7_days": float((ages < 7.0).sum()),
        **{name: faded_wear(attempt - 1, rest_days, spacing_days, days) for name, days in _FADING.items()},
    }
    for name, column in place.items():
        X[:, column] = values[name]
    return X


def _means(p: Singles, segments: Ints, count: int) -> Floats:
    own = segments >= 0
    seen = np.bincount(segments[own], minlength=count)
    total = np.bincount(segments[own], weights=p[own].astype(np.float64), minlength=count)
    means: Floats = total / np.where(seen > 0, seen, np.nan)
    return means


def _logit(p: Floats | float) -> Floats:
    p = np.asarray(p, np.float64)
    found: Floats = np.log(p / (1.0 - p))
    return found


def _expit(x: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0)))
    return found
