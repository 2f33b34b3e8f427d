"""Attempts on record, as columns: what models learn from. One row an attempt, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int32]
Codes = NDArray[np.int16]
Bytes = NDArray[np.int8]
Flags = NDArray[np.bool_]


class Result(IntEnum):
    """What an attempt came to, as far as models tell it apart."""

    UNKNOWN = -1  # a fault of the network, or nobody knows: teaches nothing and wears nobody
    NO_ANSWER = 0
    MACHINE = 1
    BUSY = 2
    DEAD = 3  # the number is none
    WRONG_PARTY = 4  # from here on: a person answered
    RIGHT_PARTY = 5
    PROMISE = 6
    ANSWERED = 7  # by a person of whom nothing is known, abandoned calls included


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLog:
    """Columns of equal length n, in order of `at`. Missing is NaN or -1, never 0."""

    at: Floats  # UTC seconds, when it was placed
    lead: Ints  # its row of the lead table
    number: Bytes  # place among the lead's numbers, from 0
    offset_s: Ints  # local time minus UTC, seconds, where the person is
    result: Bytes  # `Result`
    holiday: Flags  # the local day is a public holiday
    carrier: Codes  # of `carriers`, -1 unknown
    ring_s: Singles  # from the first ringing to the answer or the end; NaN unknown
    talk_s: Singles  # NaN where nobody talked or nobody knows
    # The chance with which a randomised hour or gap led to this very slot; NaN: it was not randomised.
    propensity: Singles
    carriers: tuple[str, ...] = ()  # names, by code

    def __len__(self) -> int:
        return len(self.at)

    @property
    def answered(self) -> Flags:
        """Whether a person answered."""
        flags: Flags = self.result >= Result.WRONG_PARTY
        return flags

    @property
    def known(self) -> Flags:
        """Whether the row teaches anything."""
        flags: Flags = self.result != Result.UNKNOWN
        return flags

    def rows(self, chosen: slice | NDArray[np.int64] | Flags) -> AttemptLog:
        """Some of the rows, in their order."""
        columns = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name != "carriers"}
        return replace(self, **columns)


def joined(logs: Sequence[AttemptLog]) -> AttemptLog:
    """Put logs of the same carriers one after the other. Raises `ValueError` where time runs backwards."""
    columns = {
        f.name: np.concatenate([getattr(log, f.name) for log in logs])
        for f in fields(AttemptLog)
        if f.name != "carriers"
    }
    if len(columns["at"]) and (np.diff(columns["at"]) < 0).any():
        raise ValueError("expected attempts in order of time, found one before its predecessor")
    return AttemptLog(**columns, carriers=logs[0].carriers)


def of_leads(log: AttemptLog, row_of: NDArray[np.int64]) -> AttemptLog:
    """Give the attempts of other rows of leads: `row_of` by the present row, -1 for leads that are left out."""
    rows = row_of[log.lead]
    kept = log.rows(rows >= 0)
    return replace(kept, lead=rows[rows >= 0].astype(np.int32))
