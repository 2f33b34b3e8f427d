"""Do-not-call registries and lists of stopped numbers from files: CSV or one number a line, plain, .gz or .zip.

How it works: the file is read to its end before anything is replaced, so that a bad one leaves the old copy as it was.
Numbers are kept as 8 bytes each: a national registry has many millions.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialer.adapters.lead_columns import read_columns
from dialer.adapters.number_plan import BadNumber
from dialer.adapters.registered_number import check_country, is_valid, registered_forms
from dialer.adapters.rejected_rows import RejectedRows
from dialer.config.csv_text import CsvText, open_csv
from dialer.errors import ConfigError

MAX_UNPACKED = 8 << 30  # bytes
LINES_A_REPORT = 20_000
SAMPLE = 5000  # numbers that are held against the numbering plan: enough to see that a column is of something else

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_PIECE = 1 << 20
_EMPTY = frozenset({"", "-", "n/a", "na", "null", "none"})
# The registry of the United States comes as `area code,number`.
_AREA_CODE_DIGITS, _LOCAL_DIGITS = 3, 7


@dataclass(frozen=True, slots=True)
class RegisteredNumbers:
    """Numbers without duplicates, in ascending order; iterating gives each in E.164."""

    digits: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.digits)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self.digits), _PIECE):
            for number in self.digits[start : start + _PIECE].tolist():
                yield f"+{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFile:
    """What a file holds."""

    path: Path
    numbers: RegisteredNumbers
    lines: int  # with a number or without one; blank lines and the header are none
    rejected: int
    rejected_path: Path | None


def read_registry(
    path: Path, *, country: str = "", force: bool = False, on_lines: Callable[[int], None] | None = None
) -> RegistryFile:
    """Read a file of numbers. `country` (ISO 3166 alpha-2) is that of numbers without a country code.

    Lines without a number that can be read go to `<file>.rejected.csv`. `on_lines` is told now and then how many were
    read. Raises `ConfigError` where the file as a whole is no list of numbers: no such column, not one number, or (but
    not with `force`) more than half of its lines without a valid one.
    """
    check_country(country)
    with tempfile.TemporaryDirectory(prefix="cadencia-") as folder:
        plain = _unpacked(path, Path(folder))
        try:
            return _read(path, open_csv(plain), country, force, on_lines)
        except ConfigError as error:
            raise ConfigError(*(fault.replace(str(plain), str(path)) for fault in error.faults)) from error


def _unpacked(path: Path, folder: Path) -> Path:
    """Return the file, or what is packed in it, written into the folder."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        target = folder / "unpacked"
        if head.startswith(_GZIP):
            with gzip.open(path) as packed:
                _copy(path, packed.read, target)
            return target
        if head == _ZIP and path.suffix.casefold() == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [entry for entry in archive.infolist() if not entry.is_dir()]
                if len(names) != 1:
                    raise ConfigError(f"{path}: expected one file in it, found {len(names)}: unpack it")
                with archive.open(names[0]) as packed:
                    _copy(path, packed.read, target)
            return target
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    except ValueError as error:  # zlib's own
        raise ConfigError(f"{path}: cannot be unpacked: {error}") from error
    return path


def _copy(path: Path, read: Callable[[int], bytes], target: Path) -> None:
    size = 0
    with target.open("wb") as out:
        while piece := read(_PIECE):
            size += len(piece)
            if size > MAX_UNPACKED:
                raise ConfigError(f"{path}: expected at most {MAX_UNPACKED >> 30} GiB unpacked, found more")
            out.write(piece)


def _read(path: Path, text: CsvText, country: str, force: bool, on_lines: Callable[[int], None] | None) -> RegistryFile:
    rows = text.rows()
    first_line, first = next(rows, (1, []))
    columns = read_columns(first).numbers
    header: Sequence[str] = first if columns else ()
    split = False
    if not columns:
        columns, split = _columns_without_header(path, first_line, first, country)
    numbers = array("q")
    lines = doubtful = 0
    with RejectedRows(path, header=header, separator=text.separator) as rejected:
        for line, cells in rows if header else _again((first_line, first), rows):
            lines += 1
            if on_lines is not None and lines % LINES_A_REPORT == 0:
                on_lines(lines)
            try:
                found = _numbers_of(cells, columns, country, split=split)
            except BadNumber as fault:
                rejected.add(line, str(fault), cells)
                continue
            if lines <= SAMPLE:
                doubtful += not any(is_valid(number) for number in found)
            numbers.extend(int(number) for number in found)
        if not numbers:
            raise ConfigError(f"{path}: expected numbers, found none in {lines:,} lines; {rejected.first or 'no line'}")
        bad = rejected.count + doubtful * lines // min(lines, SAMPLE)
        if 2 * bad > lines and not force:
            raise ConfigError(
                f"{path}: expected a list of numbers, but {bad:,} of {lines:,} lines have none that is valid "
                f"({rejected.first or 'right length, but in no numbering plan'}): name the country of the "
                "numbers with --country, or take it as it is with --force"
            )
        return RegistryFile(
            path=path,
            numbers=RegisteredNumbers(np.unique(np.frombuffer(numbers, dtype=np.int64))),
            lines=lines,
            rejected=rejected.count,
            rejected_path=rejected.keep(),
        )


def _again(first: tuple[int, list[str]], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rows


def _columns_without_header(path: Path, line: int, cells: Sequence[str], country: str) -> tuple[tuple[int, ...], bool]:
    """Say where the numbers stand, and whether area code and number stand in two cells, by the first row itself."""
    found = [cell.strip() for cell in cells]
    if [len(cell) for cell in found] == [_AREA_CODE_DIGITS, _LOCAL_DIGITS] and "".join(found).isdigit():
        return (0, 1), True
    places = tuple(place for place, cell in enumerate(found) if _is_number(cell, country))
    if len(places) != 1:
        raise ConfigError(
            f"{path}:{line}: expected a first line of column names with one of numbers (telefono, celular, phone, "
            f"number), or one number a line, found {', '.join(repr(cell[:40]) for cell in found[:8])}"
        )
    return places, False


def _is_number(cell: str, country: str) -> bool:
    """Whether a cell looks like a number, readable in this country or not: a bad first line is none the less a line."""
    try:
        registered_forms(cell, country)
    except BadNumber:
        return sum(sign.isdigit() for sign in cell) > _LOCAL_DIGITS and not any(sign.isalpha() for sign in cell)
    return True


def _numbers_of(cells: Sequence[str], columns: Sequence[int], country: str, *, split: bool) -> list[str]:
    """Return the numbers of a row in all their forms. Raises `BadNumber` where it has none, or one that is bad."""
    written = [cells[place] for place in columns if place < len(cells)]
    if split:
        return list(registered_forms("".join(cell.strip() for cell in written), country or "US"))
    found = [cell for cell in written if cell.strip().casefold() not in _EMPTY]
    if not found:
        raise BadNumber("no number in the row")
    return [form for cell in found for form in registered_forms(cell, country)]
