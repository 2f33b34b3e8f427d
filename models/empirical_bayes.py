# mypy: allow-untyped-decorators
"""Rates by cells of a few columns, each drawn to what the tables before it say: a start for trees, or all there is.

Each table looks at the rows as the tables before it tell them, and moves the odds of its cells: a Gamma prior of weight
k about 1, k from the spread of the cells by moments (Robbins 1956; Clayton and Kaldor 1987). So a cell of few rows, or
a table whose cells differ by chance alone, moves nothing, and a lead unlike any seen gets the rate of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import expit, logit  # type: ignore[import-untyped]

from models.attempts import Flags, Floats, Singles

if TYPE_CHECKING:
    from models.feature_set import FeatureSet

_PRIOR_ROWS = 20.0  # belief in the prior rate of all
_LEAST_WEIGHT = 8.0  # expected answers: the least belief in the tables before
_MOST_WEIGHT = 1e5
_BEYOND_CHANCE = 2.0  # deviations by which cells must differ more than chance has it
_MOST_CELLS = 200_000  # of one table
_NUMERIC_BINS = 8
_ROWS_PER_THREAD = 50_000
_MOST_COLUMNS = 3  # of one table
_MOST_CROSSED = 3  # categories that have an hour curve of their own
# Columns of whole numbers, and how many of them are told apart: more count as the last.
_WHOLE = {
    "hour": 24,
    "weekday": 7,
    "holiday": 2,
    "number": 4,
    "number_unanswered": 6,
    "number_answered": 3,
    "number_wrong_parties": 3,
    "number_dead": 2,
    "attempts": 12,
    "attempts_today": 4,
    "attempts_7_days": 8,
    "unanswered_since_answer": 8,
    "answers": 5,
    "right_parties": 4,
    "wrong_parties": 3,
    "previous_result": 8,
}
_HISTORY: tuple[tuple[str, ...], ...] = (
    ("number", "number_wrong_parties", "number_dead"),
    ("attempts", "answers"),
    ("right_parties", "wrong_parties"),
    ("previous_result", "hours_since_attempt"),
    ("unanswered_since_answer", "attempts_7_days"),
    ("answer_rate_in_block",),
    ("answer_rate_near",),
    ("hours_since_answer",),
)


class CodedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """How a column of X becomes a code: whole numbers below `whole` as they are, others by `edges`; NaN is the last."""

    name: str
    index: int
    whole: int = 0  # 0: by edges
    edges: list[float] = []

    @property
    def codes(self) -> int:
        """How many codes there are, that of the unknown among them."""
        return (self.whole or len(self.edges) + 1) + 1


class RateTable(msgspec.Struct, frozen=True, kw_only=True):
    """Moves of the logit, one a cell: `moves[code of the first column * codes of the second + ...]`."""

    columns: list[int]  # of `RateTablesFile.columns`
    moves: list[float]
    weight: float  # belief in the tables before, expected answers


class RateTablesFile(msgspec.Struct, frozen=True, kw_only=True):
    """Tables as they are stored."""

    base: float  # logit of the rate of all
    rows: int
    positives: int
    columns: list[CodedColumn] = []
    tables: list[RateTable] = []

    def faults(self, width: int) -> list[str]:
        """What is wrong with it as read from a file, for rows of `width` columns; empty if nothing."""
        if not np.isfinite(self.base):
            return ["expected a finite base"]
        for column in self.columns:
            if (
                not 0 <= column.index < width
                or not 0 <= column.whole <= _MOST_CELLS
                or not np.isfinite(column.edges).all()
            ):
                return [f"column {column.name[:40]!r} is out of range"]
        for table in self.tables:
            if not 0 < len(table.columns) <= _MOST_COLUMNS or not all(
                0 <= c < len(self.columns) for c in table.columns
            ):
                return ["a table of columns that are none"]
            cells = int(np.prod([self.columns[c].codes for c in table.columns], dtype=np.float64))
            if cells != len(table.moves) or not np.isfinite(table.moves).all():
                return [f"expected a table of {cells} finite moves, was of {len(table.moves)}"]
        return []


class RateTables:
    """Tables ready to tell."""

    def __init__(self, stored: RateTablesFile) -> None:
        self.stored = stored
        columns, tables = stored.columns, stored.tables
        self._index = np.array([c.index for c in columns], dtype=np.int32)
        self._whole = np.array([c.whole for c in columns], dtype=np.int32)
        widest = max((len(c.edges) for c in columns), default=0)
        self._edges = np.full((len(columns), max(widest, 1)), np.inf)
        for i, column in enumerate(columns):
            self._edges[i, : len(column.edges)] = column.edges
        self._edge_counts = np.array([len(c.edges) for c in columns], dtype=np.int32)
        self._of = np.full((len(tables), _MOST_COLUMNS), -1, dtype=np.int32)
        self._stride = np.zeros((len(tables), _MOST_COLUMNS), dtype=np.int32)
        for i, table in enumerate(tables):
            self._of[i, : len(table.columns)] = table.columns
            self._stride[i, : len(table.columns)] = _strides([columns[c].codes for c in table.columns])
        self._offset = np.cumsum([0] + [len(t.moves) for t in tables])[:-1].astype(np.int64)
        self._moves = np.array([m for t in tables for m in t.moves], dtype=np.float32)

    @classmethod
    def fit(
        cls,
        X: Singles,
        y: Flags,
        feature_set: FeatureSet,
        *,
        prior_rate: float = 0.2,
        weight: NDArray[np.floating[Any]] | None = None,
    ) -> RateTables:
        """Fit the tables of `table_plan` on rows X (n, k) and outcomes y (n,); no rows: the prior rate."""
        return cls(_fitted(X, np.asarray(y, dtype=np.float64), feature_set, prior_rate, weight))

    def margin(self, X: Singles, *, nthread: int = 1) -> Singles:
        """Logits of rows X (n, k), float32 (n,)."""
        told = np.empty(len(X), dtype=np.float32)
        columns = (self._index, self._whole, self._edges, self._edge_counts)
        tables = (self._of, self._stride, self._offset, self._moves)
        if nthread < 2 or len(X) < _ROWS_PER_THREAD:
            _margins(X, self.stored.base, *columns, *tables, told)
            return told
        cuts = np.linspace(0, len(X), nthread + 1).astype(int)
        with ThreadPoolExecutor(nthread) as threads:  # the kernel lets go of the interpreter
            done = [
                threads.submit(_margins, X[begin:end], self.stored.base, *columns, *tables, told[begin:end])
                for begin, end in pairwise(cuts)
            ]
            for part in done:
                part.result()
        return told

    def explained(self, row: Singles) -> list[tuple[str, float]]:
        """What moves one row (k,): the rate of all as a logit, then each table that moves it, in their order."""
        codes = _codes(row[None, :], self.stored.columns)[:, 0]
        told = [("rate of all", self.stored.base)]
        for i, table in enumerate(self.stored.tables):
            cell = int(sum(codes[c] * s for c, s in zip(table.columns, self._stride[i], strict=False)))
            move = table.moves[cell]
            if move:
                told.append((" x ".join(self.stored.columns[c].name for c in table.columns), move))
        return told

    def to_bytes(self) -> bytes:
        """The tables, as JSON."""
        return msgspec.json.encode(self.stored)

    @classmethod
    def from_bytes(cls, data: bytes, columns: int) -> RateTables:
        """Read tables of rows of so many columns. Raises `ValueError` in one line."""
        stored = msgspec.json.decode(data, type=RateTablesFile)  # its errors are ValueErrors
        faults = stored.faults(columns)
        if faults:
            raise ValueError(faults[0])
        return cls(stored)


def _fitted(
    X: Singles, y: Floats, feature_set: FeatureSet, prior_rate: float, weight: NDArray[np.floating[Any]] | None
) -> RateTablesFile:
    rows = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    rate = float((y @ rows + prior_rate * _PRIOR_ROWS) / (rows.sum() + _PRIOR_ROWS))
    base = float(logit(rate))
    counted = RateTablesFile(base=base, rows=len(y), positives=int(y.sum()))
    if not len(y):
        return counted
    plan = table_plan(feature_set)
    names = sorted({name for columns in plan for name in columns}, key=feature_set.names.index)
    coded = [_column_of(name, X, feature_set) for name in names]
    codes = _codes(X, coded)
    margin = np.full(len(y), base)
    tables = []
    for columns in plan:
        chosen = [names.index(name) for name in columns]
        shape = [coded[c].codes for c in chosen]
        cells = int(np.prod(shape, dtype=np.float64))
        if cells > _MOST_CELLS:
            continue
        cell = sum(codes[c].astype(np.int64) * s for c, s in zip(chosen, _strides(shape), strict=True))
        moves, belief = _moves(np.asarray(cell), cells, margin, y, rows)
        if moves is None:
            continue
        margin += moves[cell]
        tables.append(RateTable(columns=chosen, moves=[round(float(m), 6) for m in moves], weight=round(belief, 3)))
    return msgspec.structs.replace(counted, columns=coded, tables=tables)


def _moves(cell: NDArray[np.int64], cells: int, margin: Floats, y: Floats, rows: Floats) -> tuple[Floats | None, float]:
    """Moves of the logit by cell, None where cells differ by chance alone, and the weight of belief in `margin`."""
    p = expit(margin)
    expected = np.bincount(cell, weights=p * rows, minlength=cells)
    observed = np.bincount(cell, weights=y * rows, minlength=cells)
    chance = np.bincount(cell, weights=p * (1.0 - p) * rows * rows, minlength=cells)
    # Var(O - E) = sum p(1-p) + E^2 / k; by chance alone the spread deviates from 0 by the root of sum 2 (sum p(1-p))^2.
    spread = float(((observed - expected) ** 2 - chance).sum())
    squares = float((expected * expected).sum())
    if spread <= max(_BEYOND_CHANCE * float(np.sqrt(2.0 * (chance * chance).sum())), squares / _MOST_WEIGHT):
        return None, _MOST_WEIGHT
    weight = max(squares / spread, _LEAST_WEIGHT)
    # Mantel and Haenszel's odds of a cell against the margin's: they do not lean where p is not small.
    above = np.bincount(cell, weights=y * (1.0 - p) * rows, minlength=cells)
    below = np.bincount(cell, weights=(1.0 - y) * p * rows, minlength=cells)
    moves: Floats = np.log((above + weight) / (below + weight))
    return moves, weight


def table_plan(feature_set: FeatureSet) -> list[tuple[str, ...]]:
    """The tables that a feature set allows, from what is true of many leads to what is true of few."""
    names = feature_set.names
    own = names[len(names) - _own(feature_set) :]
    people = own[len(feature_set.numeric) :]
    plan: list[tuple[str, ...]] = [(name,) for name in (*people, *own[: len(feature_set.numeric)])]
    plan += [("weekday", "hour"), *((name, "hour") for name in people[:_MOST_CROSSED])]
    return plan + [columns for columns in _HISTORY if all(name in names for name in columns)]


def _own(feature_set: FeatureSet) -> int:
    """How many columns at the end of X are the lead's own."""
    return len(feature_set.numeric) + len(feature_set.categories) + len(feature_set.of_numbers)


def _column_of(name: str, X: Singles, feature_set: FeatureSet) -> CodedColumn:
    names = feature_set.names
    index = names.index(name)
    kinds = (*feature_set.categories, *feature_set.of_numbers)
    category = index - (len(names) - len(kinds))
    if category >= 0:
        return CodedColumn(name=name, index=index, whole=max(len(feature_set.vocabularies[kinds[category]]), 1))
    if name in _WHOLE:
        return CodedColumn(name=name, index=index, whole=_WHOLE[name])
    known = X[:, index][~np.isnan(X[:, index])]
    inner = np.quantile(known, np.linspace(0.0, 1.0, _NUMERIC_BINS + 1)[1:-1]) if len(known) else np.empty(0)
    return CodedColumn(name=name, index=index, edges=[float(np.float32(e)) for e in np.unique(inner)])


def _strides(codes: Sequence[int]) -> list[int]:
    """Of a table in row-major order."""
    strides = [1]
    for size in reversed(codes[1:]):
        strides.insert(0, strides[0] * size)
    return strides


def _codes(X: Singles, columns: Sequence[CodedColumn]) -> NDArray[np.int32]:
    """Codes of rows X, shape (columns, n). The same as the kernel's."""
    codes = np.empty((len(columns), len(X)), dtype=np.int32)
    for i, column in enumerate(columns):
        values = X[:, column.index]
        if column.whole:
            found = np.clip(np.nan_to_num(values), 0, column.whole - 1).astype(np.int32)
        else:
            found = np.searchsorted(column.edges, values, side="right").astype(np.int32)
        codes[i] = np.where(np.isnan(values), column.codes - 1, found)
    return codes


@njit(cache=True, nogil=True)
def _margins(X, base, index, whole, edges, edge_counts, of, stride, offset, moves, out):  # type: ignore[no-untyped-def]
    codes = np.empty(len(index), dtype=np.int64)
    for row in range(X.shape[0]):
        for c in range(len(index)):
            value = X[row, index[c]]
            if np.isnan(value):
                codes[c] = whole[c] if whole[c] > 0 else edge_counts[c] + 1
            elif whole[c] > 0:
                codes[c] = min(max(np.int64(min(max(value, 0.0), 1e9)), 0), whole[c] - 1)
            else:
                code = 0
                while code < edge_counts[c] and edges[c, code] <= value:
                    code += 1
                codes[c] = code
        told = base
        for t in range(len(offset)):
            cell = 0
            for j in range(of.shape[1]):
                if of[t, j] < 0:
                    break
                cell += codes[of[t, j]] * stride[t, j]
            told += moves[offset[t] + cell]
        out[row] = told
