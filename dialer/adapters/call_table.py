"""A user's own table of calls in CSV, whatever its columns: one row a call, in the order of time, one column the label.

How it works: what is known only after a call must not be learned from. Columns that say so by their names are left out
and told; a column that by itself tells the label is refused, for its name may say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from dialer.adapters.lead_columns import plain_name
from dialer.config.csv_text import open_csv
from dialer.errors import ConfigError
from models.attempts import Flags, Singles
from models.call_evaluation import Evaluation, evaluate_calls
from models.call_stream import CallTable, StreamSettings
from models.evaluation import auc

MOST_ROWS = 5_000_000
_YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "si", "sí", "s"})
_NO = frozenset({"0", "0.0", "no", "n", "false", "f"})
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "nan", "null", "none", "#n/a", "\\n", "unknown", "desconocido"})
_SECONDS = r"(_(s|sec|secs|seconds|segundos|ms|in_sec|in_seconds|min|minutes|minutos))?"
_AFTER_THE_CALL = re.compile(
    rf"(call_|total_|talk_|billable_)?(duration|duracion|length){_SECONDS}|(talk|handle|wrap|wrap_up|acw|hold|bill|"
    rf"billed|conversation)(_time)?{_SECONDS}|billsec|aht|(call_|dial_|final_|lead_)?(status|disposition|outcome|result)"
    r"(_name|_code)?|dialstatus|resultado|disposicion|tipificacion|estado_llamada|hangup(_cause|_reason|_by)?|"
    r"hangupcause|term_reason|end_reason|(call_)?(ended|answered|hung_up|end|answer)(_at|_time|_epoch)?|recording"
    r"(_url|_file|_id)?"
)
_CALL_TIMES = (
    "at date time datetime timestamp fecha fecha_hora hora call_date calldate call_time call_at started_at start "
    "start_time placed_at fecha_llamada event_time"
)
_LEAKS, _SUSPECT = 0.98, 0.9  # AUC of one column by itself
_LARGEST = 1e30
_FEWEST = 20  # successes, and rows a value, below which such an AUC may be chance
_MOST_NAMES = 200  # values of a column of names; with more it is an identifier or free text
_SAMPLE = 200  # cells by which a column's kind is told
_MOST_TOLD = 20
_A_DAY = timedelta(days=1)


@dataclass(slots=True)
class _Cells:
    """The file as text: the cells of each column, and the line of each row."""

    path: Path
    header: tuple[str, ...]
    columns: list[list[str]]
    lines: list[int]
    told: list[str] = field(default_factory=list)

    def fault(self, row: int, text: str) -> ConfigError:
        return ConfigError(f"{self.path}:{self.lines[row]}: {text}")


def evaluate_table(
    path: Path,
    *,
    label: str,
    without: Collection[str] = (),
    first_row: int | None = None,
    every: int = 250,
    order: str = "rows",
    now: datetime | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Read a table of calls and tell each call by those before it, as the product would have.

    `label`: the column that is told, of yes and no (1/0, true/false, si/no). `without`: columns that are left out.
    `first_row`: rows that are only learned from (a tenth of them where None). `every`: rows from one training to the
    next. `order`: "rows", which then must be in the order of time, or the column of time by which they are sorted.
    `now`: until when calls can have been made (UTC; not checked where None). `progress(told, to tell)` after each
    training. `Evaluation.told` has lines for people, which may hold what a stranger typed.

    Raises `ConfigError`, one line with the file and where there is one its line: no such column, one class only, a
    column that leaks the label, a time in the future or running backwards, too few rows.
    """
    if every < 1:
        raise ConfigError(f"expected every >= 1 row, was {every}")
    table, told = read_call_table(path, label=label, without=without, order=order, now=now)
    settings = msgspec.structs.replace(StreamSettings(), every=every)
    try:
        return evaluate_calls(
            table,
            label=label,
            first_row=first_row,
            settings=settings,
            told=tuple(told),
            threads=threads,
            progress=progress,
        )
    except ValueError as fault:
        raise ConfigError(f"{path}: {fault}") from fault


def read_call_table(
    path: Path, *, label: str, without: Collection[str] = (), order: str = "rows", now: datetime | None = None
) -> tuple[CallTable, list[str]]:
    """Return the calls in the order of time, and what people should know of how they were read.

    Rows without a label are left out and counted. Raises `ConfigError` as `evaluate_table` does.
    """
    cells = _read(path)
    places = _places(cells, label, without)
    y, kept = _labels(cells, places[0], label)
    told, names, named, columns = cells.told, [], [], []
    turn: NDArray[np.int64] | None = None
    for place in places[1]:
        name, texts = cells.header[place], [cells.columns[place][row] for row in kept]
        moments = _moments(texts)
        if moments is not None:
            if name != order and plain_name(name) not in _CALL_TIMES.split():
                told.append(f"{name}: a date that is not the call's: left out")
                continue
            turn = _turn(cells, kept, name, moments, sort=name == order, now=now)
            names += [f"{name}: hour", f"{name}: weekday"]
            named += [False, True]
            columns += [_of(moments, lambda at: at.hour + at.minute / 60), _of(moments, lambda at: at.weekday())]
            continue
        read = _column(name, texts, told)
        if read is not None:
            names.append(name)
            named.append(read[1])
            columns.append(read[0])
    if order != "rows" and turn is None:
        raise ConfigError(f"{path}:1: expected a column of times {order!r} to sort by, found {_listed(cells.header)}")
    for name, column, is_name in zip(names, columns, named, strict=True):
        _refuse_leak(path, name, label, column, y, named=is_name, told=told)
    table = np.column_stack(columns).astype(np.float32) if columns else np.empty((len(y), 0), np.float32)
    if turn is not None:
        table, y = table[turn], y[turn]
    return CallTable(names=tuple(names), named=tuple(named), columns=table, label=y), told


def _read(path: Path) -> _Cells:
    rows = open_csv(path).rows()
    line, header = next(rows, (1, []))
    names = tuple(" ".join(title.split()) for title in header)
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise ConfigError(f"{path}:{line}: expected each column once, found {doubled[0][:40]!r} twice")
    columns: list[list[str]] = [[] for _ in names]
    lines: list[int] = []
    for line, row in rows:
        if len(row) != len(names):
            raise ConfigError(f"{path}:{line}: expected {len(names)} cells as the first line has, found {len(row)}")
        if len(lines) == MOST_ROWS:
            raise ConfigError(f"{path}:{line}: expected at most {MOST_ROWS:,} rows: give the latest ones")
        lines.append(line)
        for column, text in zip(columns, row, strict=True):
            column.append(text.strip())
    return _Cells(path, names, columns, lines)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(repr(name[:40]) for name in names[:12]) + more


def _places(cells: _Cells, label: str, without: Collection[str]) -> tuple[int, list[int]]:
    """The label's column, and those that may be learned from."""
    for name in (label, *without):
        if name not in cells.header:
            raise ConfigError(f"{cells.path}:1: expected a column {name!r}, found {_listed(cells.header)}")
    left: list[int] = []
    for place, name in enumerate(cells.header):
        if name == label or name in without or not name:
            continue
        if _AFTER_THE_CALL.fullmatch(plain_name(name)):
            cells.told.append(f"{name}: known only after the call: left out")
            continue
        left.append(place)
    return cells.header.index(label), left


def _labels(cells: _Cells, place: int, label: str) -> tuple[Flags, list[int]]:
    """The labels that are known, and their rows."""
    y: list[bool] = []
    kept: list[int] = []
    for row, text in enumerate(cells.columns[place]):
        word = text.lower()
        if word in _YES or word in _NO:
            y.append(word in _YES)
            kept.append(row)
        elif word not in _NOTHING:
            raise cells.fault(row, f"{label}: expected yes or no (1/0, true/false, si/no), was {text[:40]!r}")
    if len(kept) < len(cells.lines):
        cells.told.append(f"{label}: {len(cells.lines) - len(kept):,} rows do not say: left out")
    return np.asarray(y, dtype=np.bool_), kept


def _column(name: str, texts: Sequence[str], told: list[str]) -> tuple[Singles, bool] | None:
    """The column as numbers or codes of names, and whether it is names; None where there is nothing to learn in it."""
    values = _numbers(name, texts, told)
    if values is None:
        codes = _names(name, texts, told)
        return None if codes is None else (codes, True)
    if len(values) >= _SAMPLE and (np.diff(values) > 0).all() and (values == np.floor(values)).all():
        told.append(f"{name}: rises from row to row, a number of the row: left out")
        return None
    return values, False


def _numbers(name: str, texts: Sequence[str], told: list[str]) -> Singles | None:
    """The column as numbers, None where most of its cells are none; what cannot be read is counted and unknown."""
    values = np.full(len(texts), np.nan, dtype=np.float32)
    unread = known = 0
    for row, text in enumerate(texts):
        if text.lower() in _NOTHING:
            continue
        known += 1
        number = _number(text)
        if number is None:
            unread += 1
        else:
            values[row] = number
    if not known or unread * 2 > known:
        return None
    if unread:
        told.append(f"{name}: {unread:,} of {known:,} cells are no numbers: taken as unknown")
    return values


def _number(text: str) -> float | None:
    """A number with a decimal point or comma."""
    try:
        number = float(text if "." in text else text.replace(",", ".", 1))
    except ValueError:
        return None
    return number if abs(number) < _LARGEST else None


def _names(name: str, texts: Sequence[str], told: list[str]) -> Singles | None:
    """The column as codes of its values by their first appearance, None where it names nearly each row."""
    codes: dict[str, int] = {}
    values = np.full(len(texts), np.nan, dtype=np.float32)
    for row, text in enumerate(texts):
        if text.lower() not in _NOTHING:
            values[row] = codes.setdefault(text, len(codes))
            if len(codes) > _MOST_NAMES:
                told.append(f"{name}: more than {_MOST_NAMES} different texts, an identifier or free text: left out")
                return None
    if not codes:
        told.append(f"{name}: empty: left out")
        return None
    return values


def _moments(texts: Sequence[str]) -> list[datetime | None] | None:
    """The column as times, None where it is none (by its first known cells)."""
    sample = [text for text in texts if text.lower() not in _NOTHING][:_SAMPLE]
    if not sample or any(_moment(text) is None for text in sample):
        return None
    return [_moment(text) for text in texts]


def _moment(text: str) -> datetime | None:
    if len(text) < 8 or "-" not in text[1:]:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _of(moments: Sequence[datetime | None], part: Callable[[datetime], float]) -> Singles:
    return np.array([np.nan if at is None else part(at) for at in moments], dtype=np.float32)


def _turn(
    cells: _Cells,
    kept: Sequence[int],
    name: str,
    moments: Sequence[datetime | None],
    *,
    sort: bool,
    now: datetime | None,
) -> NDArray[np.int64] | None:
    """Rows in the order of time, None where they are in it. Raises `ConfigError` for what no call's time can be."""
    times: list[datetime] = []
    for place, at in enumerate(moments):
        row = kept[place]
        if at is None:
            found = cells.columns[cells.header.index(name)][row]
            raise cells.fault(row, f"{name}: expected a time as in 2026-11-23 09:00:00, was {found[:40]!r}")
        if now is not None and at > now + _A_DAY:  # local times without an offset may be a day ahead of UTC
            raise cells.fault(row, f"{name}: {at:%Y-%m-%d %H:%M} is in the future: no call was made then")
        times.append(at)
    if sort:
        return np.array(sorted(range(len(times)), key=times.__getitem__), dtype=np.int64)
    for place, (before, after) in enumerate(pairwise(times)):
        if after < before:
            raise cells.fault(
                kept[place + 1],
                f"{name}: {after:%Y-%m-%d %H:%M} comes after {before:%Y-%m-%d %H:%M}: sort the rows by {name}, the "
                f"oldest first, or name it with --order {name}",
            )
    return None


def _refuse_leak(path: Path, name: str, label: str, column: Singles, y: Flags, *, named: bool, told: list[str]) -> None:
    """Raise `ConfigError` where the column by itself tells the label; a suspect one is told."""
    if min(np.count_nonzero(y), np.count_nonzero(~y)) < _FEWEST:
        return
    tells = max(_tells(column, y, named=named), _tells(np.isnan(column).astype(np.float32), y, named=False))
    if tells > _LEAKS:
        raise ConfigError(
            f"{path}:1: {name!r} by itself tells {label} (AUC {tells:.3f}): it is known only after the call: leave it "
            f"out with --without {name}"
        )
    if tells > _SUSPECT and len(told) < _MOST_TOLD:
        told.append(f"{name}: by itself tells {label} with AUC {tells:.2f}: is it known before the call?")


def _tells(column: Singles, y: Flags, *, named: bool) -> float:
    """AUC of the column by itself, in [0.5, 1]: of its numbers, or of its values' own rates where they are few."""
    known = ~np.isnan(column)
    best = 0.5
    if not named:
        by_number = auc(y[known], column[known]) if known.mean() > 0.5 else None
        best = 0.5 if by_number is None else max(by_number, 1.0 - by_number)
    values, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(values) * _FEWEST <= len(y):
        rates = np.bincount(codes.reshape(-1), weights=y) / counts
        best = max(best, auc(y, rates[codes.reshape(-1)]) or 0.5)
    return float(best)
