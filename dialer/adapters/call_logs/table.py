"""The rows of a log in CSV or TSV, with or without a line of column names; bad rows are told, not fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from dialer.adapters.lead_columns import plain_name
from dialer.config.csv_text import CsvText, open_csv
from dialer.core.logged_call import LoggedCall
from dialer.errors import ConfigError

SHOWN_FAULTS = 20
_SAMPLE = 200
_FIRST_YEAR, _LAST_YEAR = 1971, 2199  # of a log; near the calendar's ends another zone's time cannot be told
_NULLS = frozenset({"", "\\N", "NULL", "null"})


class BadRow(ValueError):
    """A row that gives no call; the text says what was expected and what was found."""


@dataclass(slots=True, kw_only=True)
class CallLog:
    """What a log holds. `faults` are the first bad rows, one line each as `file:line: what`."""

    kind: str  # journal | vicidial_log | asterisk-cdr | asterisk-cel
    calls: list[LoggedCall] = field(default_factory=list)
    rows: int = 0
    bad_rows: int = 0
    passed_over: int = 0  # rows that are no outbound call: not placed, inbound, or an agent's own leg
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # how the log was taken, and what this kind cannot tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file of rows, its first rows already looked at."""

    text: CsvText
    names: Mapping[str, int]  # plain column name: place; empty where the file has no line of names
    sample: tuple[tuple[str, ...], ...]  # the first rows, without that of the names

    @property
    def path(self) -> Path:
        return self.text.path

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) of the rows after the names."""
        yield from islice(self.text.rows(), 1 if self.names else 0, None)


def open_table(path: Path, known: frozenset[str]) -> Table:
    """Open a file; its first row is taken for names where at least two of its cells are among `known` names."""
    text = open_csv(path)
    first = [tuple(cells) for _, cells in islice(text.rows(), _SAMPLE)]
    if not first:
        raise ConfigError(f"{path}:1: expected rows of calls, found none")
    names = [plain_name(cell) for cell in first[0]]
    if len(known.intersection(names)) < 2:
        return Table(text=text, names={}, sample=tuple(first))
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    return Table(text=text, names=places, sample=tuple(first[1:]))


def read_rows(table: Table, log: CallLog, read: Callable[[Sequence[str]], LoggedCall | None]) -> CallLog:
    """Read each row with `read`, which returns None for one that is no outbound call and raises `BadRow`.

    Raises `ConfigError` where most rows are bad, or there is no call at all.
    """
    for line, cells in table.rows():
        log.rows += 1
        try:
            call = read(cells)
        except BadRow as bad:
            note_fault(log, table.path, line, str(bad))
            continue
        if call is None:
            log.passed_over += 1
        else:
            log.calls.append(call)
    check(table.path, log)
    log.calls.sort(key=lambda call: call.at)
    return log


def note_fault(log: CallLog, path: Path, line: int, reason: str) -> None:
    """Count a bad row, and keep its reason while there are few."""
    log.bad_rows += 1
    if len(log.faults) < SHOWN_FAULTS:
        log.faults.append(f"{path}:{line}: {_printable(reason)}")


def check(path: Path, log: CallLog) -> None:
    """Raise `ConfigError` where most rows are bad, or where none is a call."""
    if log.bad_rows * 2 > log.rows:
        raise ConfigError(
            f"{log.faults[0]}: {log.bad_rows} of {log.rows} rows are unreadable as {log.kind}: "
            "export the log again with all of its columns"
        )
    if not log.calls:
        mend = ""
        if log.kind.startswith("asterisk"):  # a call that a program originates on a trunk has no extension
            mend = ": their numbers are not in it; of calls that Cadencia placed, take its journal"
        raise ConfigError(f"{path}: expected outbound calls in this {log.kind}, found none in {log.rows} rows{mend}")


def cell(cells: Sequence[str], place: int | None) -> str:
    """Return a cell without blanks around it; empty where the column or its value is missing."""
    if place is None or place >= len(cells):
        return ""
    value = cells[place].strip()
    return "" if value in _NULLS else value


def whole_seconds(cells: Sequence[str], place: int | None, name: str) -> float | None:
    """Return a count of seconds, None where the cell is empty. Raises `BadRow`."""
    value = cell(cells, place)
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 4e9:
        raise BadRow(f"{name}: expected seconds as in 42, was {value[:40]!r}")
    return seconds


def moment(value: str, name: str, zone: ZoneInfo) -> datetime:
    """Read a date with its time; one without an offset is of `zone`. Raises `BadRow`."""
    try:
        if value.replace(".", "", 1).isdigit():
            when = datetime.fromtimestamp(float(value), zone)
        else:
            when = datetime.fromisoformat(value)
        if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
            raise ValueError(f"year {when.year}")
    except (ValueError, OverflowError, OSError):
        raise BadRow(f"{name}: expected a time as in 2026-11-23 09:00:00, was {value[:40]!r}") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)


def is_moment(value: str) -> bool:
    """Whether a cell is a date with its time."""
    try:
        datetime.fromisoformat(value.strip())
    except ValueError:
        return False
    return len(value.strip()) > 10


def dialled_number(value: str) -> str | None:
    """Return the digits of a telephone number, None for what is none (`s`, an extension of the house)."""
    digits = "".join(char for char in value if char.isdigit())
    return digits if len(digits) >= 6 and len(digits) * 2 > len(value) else None


def peer_of(channel: str) -> str | None:
    """Return the endpoint in a channel's name: `PJSIP/andina-0000001a` is `andina`; a Local channel has none."""
    technology, slash, rest = channel.partition("/")
    if technology == "Local":
        return None
    name = rest.rpartition("-")[0] or rest
    return name.partition("@")[0] or None if slash else None


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
