"""Columns of numbers about what is live now, kept dense so that a decision reads them without any conversion."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Owner(Protocol):
    """Whoever has a row; told when its row moves."""

    row: int


RowOwner = TypeVar("RowOwner", bound=Owner)


class LiveRows(Generic[RowOwner]):
    """A growing table of float64 columns whose first `len(self)` rows are live; removing moves the last row down."""

    def __init__(self, columns: int, capacity: int = 64) -> None:
        self._data: NDArray[np.float64] = np.zeros((columns, capacity))
        self.owners: list[RowOwner] = []  # in the order of the rows

    def __len__(self) -> int:
        return len(self.owners)

    def add(self, owner: RowOwner, *values: float) -> None:
        """Append a row for `owner`, one value a column."""
        row = len(self.owners)
        if row == self._data.shape[1]:
            self._data = np.concatenate([self._data, np.zeros_like(self._data)], axis=1)
        data = self._data
        for column, value in enumerate(values):
            data[column, row] = value
        owner.row = row
        self.owners.append(owner)

    def remove(self, owner: RowOwner) -> None:
        """Drop the row of `owner`, if it has one."""
        row = owner.row
        if row < 0:
            return
        last = self.owners.pop()
        if last is not owner:
            self._data[:, row] = self._data[:, len(self.owners)]
            self.owners[row] = last
            last.row = row
        owner.row = -1

    @property
    def columns(self) -> NDArray[np.float64]:
        """The live part of every column, in order: a view, shape (columns, rows)."""
        return self._data[:, : len(self.owners)]

    def column(self, index: int) -> NDArray[np.float64]:
        """The live part of a column: a view, not a copy."""
        return self._data[index, : len(self.owners)]
