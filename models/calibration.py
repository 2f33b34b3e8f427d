"""Make told probabilities come true: a rising, bent line on the logit, fitted on days the trees have not seen.

Few positives allow an intercept, more a slope too (Platt 1999), many an isotonic line of few knots (Zadrozny and Elkan
2002). The line always rises, so the order of leads stays as the model had it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]
from scipy.special import expit, logit  # type: ignore[import-untyped]

from models.attempts import Flags, Floats, Singles

_SLOPE_FROM = 50  # positives (and negatives) from which a slope is fitted
_KNOTS_FROM = 2000  # ... and knots
_POSITIVES_PER_KNOT = 200
_MOST_KNOTS = 20
_TRUST_LINE = 50.0  # positives' worth of belief in Platt's line, at each knot
_LEAST_SLOPE = 0.1
_STEPS = 30


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Knots of a rising line from a model's logit to a calibrated one; outside of them with slope `slope`.

    A single knot is a plain line. `rows` and `positives` are those it was fitted on.
    """

    at: list[float]
    to: list[float]
    slope: float = 1.0
    rows: int = 0
    positives: int = 0

    def faults(self) -> list[str]:
        """What is wrong with it as read from a file; empty if nothing."""
        if not self.at or len(self.at) != len(self.to):
            return [f"expected as many knots at as to, were {len(self.at)} and {len(self.to)}"]
        values = np.array([self.at, self.to])
        if not np.isfinite(values).all() or not (np.isfinite(self.slope) and self.slope > 0.0):
            return ["expected finite knots and a slope above 0"]
        if (np.diff(values, axis=1) <= 0.0).any():
            return ["expected knots that rise"]
        return []

    def margins(self, margin: NDArray[np.floating[Any]]) -> Floats:
        """Calibrated logits of a model's logits."""
        x = np.asarray(margin, dtype=np.float64)
        inner: Floats = np.interp(x, self.at, self.to)
        inner += self.slope * (np.minimum(x - self.at[0], 0.0) + np.maximum(x - self.at[-1], 0.0))
        return inner

    def probabilities(self, margin: NDArray[np.floating[Any]]) -> Singles:
        """Calibrated probabilities, float32, of a model's logits."""
        told: Singles = expit(self.margins(margin).astype(np.float32))
        return told


IDENTITY = Calibration(at=[0.0], to=[0.0])


def calibration_of(margin: NDArray[np.floating[Any]], y: Flags) -> Calibration:
    """Fit a calibration of logits `margin` to outcomes `y`; the identity where there is nothing to learn from."""
    x = np.asarray(margin, dtype=np.float64)
    came = np.asarray(y, dtype=np.float64)
    positives = int(came.sum())
    fewer = min(positives, len(came) - positives)
    if fewer < 5:
        return Calibration(at=[0.0], to=[0.0], rows=len(x), positives=positives)
    slope, intercept = _line(x, came, sloped=fewer >= _SLOPE_FROM)
    if fewer < _KNOTS_FROM:
        return Calibration(at=[0.0], to=[intercept], slope=slope, rows=len(x), positives=positives)
    at, to = _knots(x, came, slope, intercept)
    return Calibration(at=at, to=to, slope=slope, rows=len(x), positives=positives)


def _line(x: Floats, y: Floats, *, sloped: bool) -> tuple[float, float]:
    """Platt's line by Newton's steps, the slope held near 1 by a prior of deviation 1 and at least `_LEAST_SLOPE`."""
    slope, intercept = 1.0, 0.0
    for _ in range(_STEPS):
        p = expit(slope * x + intercept)
        w = p * (1.0 - p)
        gradient = np.array([(y - p) @ x - (slope - 1.0), (y - p).sum()])
        if not sloped:
            step = np.array([0.0, gradient[1] / max(w.sum(), 1e-9)])
        else:
            across = w @ x
            hessian = np.array([[w @ (x * x) + 1.0, across], [across, w.sum() + 1e-9]])
            step = np.linalg.solve(hessian, gradient)
        step = np.clip(step, -1.0, 1.0)
        slope, intercept = max(slope + float(step[0]), _LEAST_SLOPE), intercept + float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    return slope, intercept


def _knots(x: Floats, y: Floats, slope: float, intercept: float) -> tuple[list[float], list[float]]:
    """Isotonic rates of bins with equal numbers of positives, each drawn to Platt's line, on the logit."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    line = expit(slope * x + intercept)
    bins = min(_MOST_KNOTS, int(min(y.sum(), len(y) - y.sum()) // _POSITIVES_PER_KNOT))
    # Of equal numbers of expected positives: the rare high probabilities matter as much as the many low ones.
    edges = np.searchsorted(np.cumsum(line), np.linspace(0.0, line.sum(), bins + 1)[1:-1])
    starts = np.unique(np.concatenate([[0], edges]))
    starts = starts[starts < len(x)]
    rows = np.diff(np.append(starts, len(x)))
    told, came = np.add.reduceat(line, starts), np.add.reduceat(y, starts)
    # Odds of the bin against the line's, drawn to 1: as a Gamma prior of `_TRUST_LINE` answers.
    rate = np.clip((came + _TRUST_LINE) * told / (told + _TRUST_LINE) / rows, 1e-6, 1.0 - 1e-6)
    rising = isotonic_regression(rate, weights=rows).x
    at = np.add.reduceat(slope * x + intercept, starts) / rows
    to = at + logit(rising) - logit(told / rows)  # the bin's move, at its mean: the curve within a bin stays the line's
    at = (at - intercept) / slope
    return _risen(at, to, slope)


def _risen(at: Floats, to: Floats, slope: float) -> tuple[list[float], list[float]]:
    """Keep knots apart and let the line rise by at least a tenth of Platt's slope."""
    kept_at, kept_to = [float(at[0])], [float(to[0])]
    for a, t in zip(at[1:], to[1:], strict=True):
        gap = float(a) - kept_at[-1]
        if gap < 1e-6:
            continue
        kept_at.append(float(a))
        kept_to.append(max(float(t), kept_to[-1] + _LEAST_SLOPE * slope * gap))
    return kept_at, kept_to
