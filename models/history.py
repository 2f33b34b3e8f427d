"""What has happened to each lead so far, as far as models look at it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import feature_kernels as kernels
from models.attempts import AttemptLog, Flags, Floats, Ints, Singles
from models.feature_set import FeatureSet, fits, recoding, shape_faults
from models.lead_table import LeadTable

_NO_ROWS = np.zeros((0, 0), dtype=np.float32)
_LAST_SECOND = 253_402_300_799.0  # of the year 9999


class History:
    """One record a lead, `feature_kernels.LEAD_HISTORY`, changed by every attempt that is told.

    An attempt of which nobody knows what it came to (`Result.UNKNOWN`) changes nothing: it teaches nothing and wears
    nobody. Within one log attempts stand in order of time; from one log to the next times may go back (a call is told
    when it is over): counts and last times come out the same, while `unanswered_since_answer` goes by the order told.
    """

    def __init__(self, leads: int) -> None:
        self.records = kernels.empty_histories(leads)

    def __len__(self) -> int:
        return len(self.records)

    def grow(self, leads: int) -> None:
        """Make room for `leads` in all. Raises `ValueError` for fewer than there are."""
        if leads < len(self):
            raise ValueError(f"expected at least the {len(self)} leads that have a history, were {leads}")
        self.records = np.concatenate([self.records, kernels.empty_histories(leads - len(self))])

    @property
    def attempts(self) -> NDArray[np.int16]:
        """Attempts of each lead so far, unknown ones left out."""
        return self._column("attempts")

    @property
    def answers(self) -> NDArray[np.int16]:
        """Those that a person answered."""
        return self._column("answers")

    @property
    def attempt_at(self) -> Floats:
        """When the last one was placed, UTC seconds, NaN: never."""
        return self._column("attempt_at")

    @property
    def right_party_at(self) -> Floats:
        """When the last right-party contact was placed, UTC seconds, NaN: never."""
        return self._column("right_party_at")

    def observe(self, log: AttemptLog) -> None:
        """Take in attempts, in order of time. Raises `ValueError` where they are not, or of a lead that is none."""
        self._check(log)
        self._replay(log, (), (), _NO_ROWS)

    def features_and_observe(
        self, log: AttemptLog, leads: LeadTable, feature_set: FeatureSet, out: Singles | None = None
    ) -> Singles:
        """Return a row for each attempt, of what was known before it, and take the attempts in.

        Shape (attempts, columns), float32, NaN unknown. Attempts of the same moment do not see each other.
        """
        self._check(log)
        check_table(self, leads, fits(feature_set, leads))
        rows = room(out, len(log), len(feature_set.names))
        self._replay(log, feature_set.carriers, feature_set.paydays, rows)
        write_own_columns(rows, leads, feature_set, plain(log.lead, np.int32), plain(log.number, np.int8))
        return rows

    def _replay(self, log: AttemptLog, carriers: tuple[str, ...], paydays: tuple[int, ...], out: Singles) -> None:
        recoded = recoding(log.carriers, carriers)
        codes = np.where((log.carrier >= 0) & (log.carrier < len(log.carriers)), log.carrier, -1)
        kernels.replay(
            self.records,
            plain(log.at, np.float64),
            plain(log.lead, np.int32),
            plain(log.number, np.int8),
            plain(log.offset_s, np.int32),
            plain(log.result, np.int8),
            plain(log.holiday, np.bool_),
            recoded[codes],
            plain(log.ring_s, np.float32),
            np.array(paydays, dtype=np.int64),
            out,
        )

    def _check(self, log: AttemptLog) -> None:
        read = (log.at, log.lead, log.number, log.offset_s, log.result, log.holiday, log.carrier, log.ring_s)
        if len({len(column) for column in read}) > 1:
            raise ValueError(f"expected columns of equal length, were of {', '.join(str(len(c)) for c in read)}")
        if not len(log):
            return
        check_leads(log.lead, len(self))
        check_time(float(log.at[0]))
        check_time(float(log.at[-1]))
        if not (np.diff(log.at) >= 0).all():
            raise ValueError("expected attempts in order of time, found one before its predecessor, or at no time")

    def _column(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = self.records[name]
        return column


def features_at(
    history: History,
    leads: LeadTable,
    feature_set: FeatureSet,
    which: Ints,
    number: NDArray[np.int8],
    at: float,
    offset_s: Ints,
    holiday: Flags,
    out: Singles | None = None,
) -> Singles:
    """Return a row for each lead of `which`, as if its number `number` were called at `at` (UTC seconds).

    `which`, `number`, `offset_s` (local time minus UTC, s) and `holiday` (of the local day) have shape (m,). Returns
    float32, shape (m, columns), NaN unknown; the carrier is unknown. `out` of that shape is written to and returned.
    The table's codes may be others than the feature set's: words count, and a code without a word is unknown. Raises
    `ValueError` where the leads do not fit.
    """
    check_table(history, leads, shape_faults(feature_set, leads))
    check_time(at)
    if len(which):
        check_leads(which, len(history))
    if not len(which) == len(number) == len(offset_s) == len(holiday):
        found = f"{len(which)}, {len(number)}, {len(offset_s)} and {len(holiday)}"
        raise ValueError(f"expected as many leads as numbers, offsets and holidays, were {found}")
    rows = room(out, len(which), len(feature_set.names))
    paydays = np.array(feature_set.paydays, dtype=np.int64)
    which, number = plain(which, np.int32), plain(number, np.int8)
    offset_s, holiday = plain(offset_s, np.int32), plain(holiday, np.bool_)
    kernels.rows_at(history.records, which, number, float(at), offset_s, holiday, paydays, rows)
    write_own_columns(rows, leads, feature_set, which, number)
    return rows


def plain(column: NDArray[Any], kind: Any) -> NDArray[Any]:
    """Return a column as the kernels were compiled for: read-only and strided ones would each be compiled anew."""
    return np.require(column, dtype=kind, requirements=["C", "A", "W"])


def room(out: Singles | None, rows: int, columns: int) -> Singles:
    """Return `out`, or a new matrix. Raises `ValueError` where its shape or kind is another."""
    if out is None:
        return np.empty((rows, columns), dtype=np.float32)
    if out.shape != (rows, columns) or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise ValueError(f"expected float32 of shape {(rows, columns)} to write to, was {out.dtype} of {out.shape}")
    return out


def write_own_columns(
    rows: Singles, leads: LeadTable, feature_set: FeatureSet, which: Ints, number: NDArray[np.int8]
) -> None:
    """Write what the list says of each lead into the last columns of `rows`."""
    columns = iter(rows[:, len(kernels.COLUMNS) :].T)
    for name in feature_set.numeric:
        kernels.write_numbers(next(columns), plain(leads.numeric[name], np.float32), which)
    for name in (*feature_set.categories, *feature_set.of_numbers):
        recoded = recoding(leads.vocabularies.get(name, ()), feature_set.vocabularies.get(name, ()))[:-1]
        if name in feature_set.categories:
            kernels.write_codes(next(columns), plain(leads.categories[name], np.int32), recoded, which)
        else:
            codes = plain(leads.of_numbers[name], np.int32)
            kernels.write_codes_of_numbers(next(columns), codes, recoded, which, number)


def check_table(history: History, leads: LeadTable, wrong: list[str]) -> None:
    """Raise `ValueError` where the leads are not those of the history, or something is wrong with them."""
    if len(leads) != len(history):
        raise ValueError(f"expected {len(history)} leads, as the history has, were {len(leads)}")
    if wrong:
        raise ValueError("; ".join(wrong))


def check_leads(which: Ints, leads: int) -> None:
    """Raise `ValueError` for a lead that is none."""
    if which.min() < 0 or which.max() >= leads:
        raise ValueError(f"expected leads in [0, {leads - 1}], were {which.min()} to {which.max()}")


def check_time(at: float) -> None:
    """Raise `ValueError` for what is no time."""
    if not 0.0 <= at <= _LAST_SECOND:
        raise ValueError(f"expected UTC seconds in [0, {_LAST_SECOND:.0f}], were {at}")
