"""Boosted trees on top of a table's margin: a thin skin over xgboost, whose import takes half a second."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.attempts import Singles

if TYPE_CHECKING:
    import xgboost

BINARY = "binary:logistic"
SQUARED = "reg:squarederror"

_SMALLEST = 16
_WHERE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")  # its clock and source line, of no use to anybody


class TreeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How trees grow. `histogram` with few bins: 64 lose nothing against 256 and take a third of the time."""

    rounds: int = 100
    depth: int = 5
    eta: float = 0.1
    min_child_weight: float = 40.0  # sum of p(1-p) in a leaf at least
    max_bin: int = 64
    subsample: float = 0.8
    columns: float = 0.7  # share of columns each tree sees
    pull: float = 1.0  # L2 on the leaves


@dataclass(frozen=True, slots=True)
class Judge:
    """Rows later than those that trees are grown on: (m, k), labels (m,), margins (m,)."""

    X: Singles
    y: NDArray[Any]
    margin: Singles | None = None


class TreesRefused(ValueError):
    """Trees that cannot be read."""


class Boosted:
    """Trees that add to a margin. Telling is the same on any number of threads."""

    def __init__(self, booster: xgboost.Booster, columns: int) -> None:
        self._booster = booster
        self.columns = columns

    @property
    def rounds(self) -> int:
        """How many trees there are."""
        return int(self._booster.num_boosted_rounds())

    @classmethod
    def fit(
        cls,
        X: Singles,
        y: NDArray[np.floating[Any]],
        *,
        margin: Singles | None = None,
        weight: Singles | None = None,
        objective: str = BINARY,
        settings: TreeSettings | None = None,
        judge: Judge | None = None,
        seed: int = 0,
        nthread: int = 2,
    ) -> Boosted:
        """Grow trees on rows `X` (n, k), NaN missing, labels `y` (n,), from logits (or means) `margin` (n,).

        Later rows `judge` say how many trees are kept of `settings.rounds`: those that told them best.
        The same for a seed and number of threads; another number of threads adds up floats in another order, which
        can move a leaf in its last digits.
        """
        import xgboost

        how = settings or TreeSettings()
        rows = xgboost.QuantileDMatrix(
            X, np.asarray(y, dtype=np.float32), weight=weight, base_margin=margin, max_bin=how.max_bin, nthread=nthread
        )
        told: dict[str, dict[str, list[float]]] = {}
        later = []
        if judge is not None:
            label = np.asarray(judge.y, dtype=np.float32)
            later = [(xgboost.DMatrix(judge.X, label, base_margin=judge.margin, nthread=nthread), "later")]
        booster = xgboost.train(
            {
                "objective": objective,
                "tree_method": "hist",
                "max_depth": how.depth,
                "eta": how.eta,
                "min_child_weight": how.min_child_weight,
                "max_bin": how.max_bin,
                "subsample": how.subsample,
                "colsample_bytree": how.columns,
                "lambda": how.pull,
                "nthread": nthread,
                "seed": seed,
                "eval_metric": "logloss" if objective == BINARY else "rmse",
                "verbosity": 0,
                # Without a margin: start at 0, not at a mean that is found from the labels and stored with the trees.
                "base_score": 0.5 if objective == BINARY else 0.0,
            },
            rows,
            num_boost_round=how.rounds,
            evals=later,
            evals_result=told,
            verbose_eval=False,
        )
        if judge is not None:
            (losses,) = told["later"].values()
            booster = booster[: int(np.argmin(losses)) + 1]
        return cls(booster, X.shape[1])

    def margins(self, X: Singles, margin: Singles | None = None, *, nthread: int | None = None) -> Singles:
        """Logits (or means) of rows `X` (n, k), starting from `margin` (n,), zeros if none is given."""
        if X.ndim != 2 or X.shape[1] != self.columns:
            raise ValueError(f"expected rows of {self.columns} columns, were of shape {X.shape}")
        start = np.zeros(len(X), dtype=np.float32) if margin is None else margin
        if not len(X):
            return start
        if nthread is not None:
            self._booster.set_param({"nthread": nthread})
        told: Singles = self._booster.inplace_predict(
            X, predict_type="margin", base_margin=start, validate_features=False
        )
        return told

    def contributions(self, X: Singles, margin: Singles | None = None) -> Singles:
        """What each column adds to the margin of each row (TreeSHAP, Lundberg 2018): (n, k + 1), the last the bias."""
        import xgboost

        rows = xgboost.DMatrix(X, base_margin=margin)
        added: Singles = self._booster.predict(rows, pred_contribs=True)
        return added

    def to_bytes(self) -> bytes:
        """The trees, as UBJSON."""
        return bytes(self._booster.save_raw("ubj"))

    @classmethod
    def from_bytes(cls, data: bytes, columns: int, *, nthread: int = 2) -> Boosted:
        """Read trees of so many columns. Raises `TreesRefused` in one line.

        xgboost's reader is not made for hostile bytes: check a digest before.
        """
        import xgboost

        if len(data) < _SMALLEST:  # of no bytes at all its reader ends the process
            raise TreesRefused(f"expected trees, found {len(data)} bytes")
        booster = xgboost.Booster({"nthread": nthread})
        try:
            booster.load_model(bytearray(data))
            found = booster.num_features()
        except (xgboost.core.XGBoostError, ValueError, TypeError) as fault:
            raise TreesRefused(f"trees that xgboost cannot read ({_first_line(fault)})") from fault
        if found != columns:
            raise TreesRefused(f"expected trees of {columns} columns, were of {found}")
        return cls(booster, columns)


def _first_line(fault: Exception) -> str:
    """The first line of xgboost's message without its stack."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return _WHERE.sub("", lines[0])[:120] if lines else type(fault).__name__
