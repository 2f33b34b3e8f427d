"""Rate decks: CSV files of prices by prefix, as carriers send them and Excel saves them.

A deck is read whole or not at all: every fault is told by its line. Of what was read, the campaign keeps the rows that
can hold for a number of its jurisdictions, and of these the ones that say something else than a shorter prefix.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import phonenumbers

from dialer.config.campaign import Campaign
from dialer.config.carriers import MAX_PRICE, RateRow, Trunk, read_billing
from dialer.config.csv_text import open_csv
from dialer.config.rate_deck_columns import DeckColumns, deck_columns
from dialer.config.yaml_lines import Document, Loc
from dialer.errors import ConfigError

MAX_BYTES = 32 << 20
MAX_FAULTS = 20  # told of one file
MAX_SHOWN = 40  # characters of a cell in a message

_PREFIX = re.compile(r"[1-9][0-9]{0,14}")
# What exporters put around digits so that Excel leaves them alone: a leading apostrophe, or ="51".
_WRAPPED = re.compile(r"'(?P<bare>.*)|=\"(?P<quoted>[^\"]*)\"")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_ZEROS = re.compile(r"[.,]0+$")  # spreadsheets save whole seconds as 60.0, too
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,15})?(?:[eE]-[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{1,4}[-/ ][^\W\d_]{3,}\.?(?:[-/ ][0-9]{2,4})?|[0-9]{1,4}([-/])[0-9]{1,2}\1[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class RateDeckFile:
    """What a file says: all of its rows, and the titles of columns that are not read."""

    rows: tuple[RateRow, ...]  # by prefix
    unread: tuple[str, ...]


# ---- the campaign's decks -------------------------------------------------------------------------------------
def with_decks(campaign: Campaign, document: Document, loc: Loc = ()) -> Campaign:
    """Return the campaign with the rows of its trunks' `rates` in it, so that nobody needs the files again.

    `document`: the file in which the campaign stands, under `loc`; decks are relative to it. A trunk that brings its
    rows keeps them. Raises `ConfigError` with the faults of all decks.
    """
    codes = calling_codes(campaign.jurisdictions)
    read: dict[Path, tuple[RateRow, ...]] = {}
    faults: list[str] = []
    trunks: list[Trunk] = []
    for place, trunk in enumerate(campaign.trunks):
        trunks.append(trunk)
        if not trunk.rates or trunk.deck:
            continue
        here = (*loc, "trunks", place, "rates")
        try:
            path = document.path.parent / trunk.rates
            if path not in read:
                read[path] = ()  # a deck that two trunks name is told once
                read[path] = rows_of(read_rate_deck(path, currency=campaign.routing.currency).rows, codes)
                if not read[path]:
                    told = ", ".join(f"{code}..." for code in sorted(codes))
                    faults.append(document.fault(here, f"expected a prefix that begins {told}, found none in {path}"))
            trunks[-1] = trunk.model_copy(update={"deck": read[path]})
        except ConfigError as error:
            faults += error.faults
        except FileNotFoundError as error:
            faults.append(document.fault(here, str(error)))
    if faults:
        raise ConfigError(*faults)
    return campaign.model_copy(update={"trunks": tuple(trunks)}) if read else campaign


def calling_codes(countries: Collection[str]) -> frozenset[str]:
    """Return the calling codes of countries by ISO 3166, without those that have none: `PE` has 51."""
    found = (phonenumbers.country_code_for_region(country) for country in countries)
    return frozenset(str(code) for code in found if code)


def rows_of(rows: Sequence[RateRow], codes: Collection[str]) -> tuple[RateRow, ...]:
    """Keep the rows, sorted by prefix, that may hold for numbers of these calling codes and that change something.

    A prefix may be a part of a calling code, or a code and more. A row that says what the next shorter prefix says
    changes nothing.
    """
    kept: list[RateRow] = []
    above: list[RateRow] = []  # prefixes that begin the present one, each longer than the last
    for row in rows:
        prefix = row[0]
        if not any(prefix.startswith(code) or code.startswith(prefix) for code in codes):
            continue
        while above and not prefix.startswith(above[-1][0]):
            above.pop()
        if not above or above[-1][1:] != row[1:]:
            kept.append(row)
            above.append(row)
    return tuple(kept)


# ---- one file -------------------------------------------------------------------------------------------------
def read_rate_deck(path: Path, *, currency: str) -> RateDeckFile:
    """Read a rate deck whose prices are in `currency` (ISO 4217).

    Raises `FileNotFoundError` where there is no such file, and `ConfigError` with each fault by its line, the first
    ones of many.
    """
    try:
        if not path.is_file():  # nor a folder, nor a pipe that would never end
            raise FileNotFoundError(f"expected a rate deck, found none at {path}")
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise FileNotFoundError(str(error) if isinstance(error, FileNotFoundError) else f"{path}: {error}") from None
    if size > MAX_BYTES:
        raise ConfigError(f"{path}: expected at most {MAX_BYTES >> 20} MiB, was {size / (1 << 20):.1f} MiB")
    rows = open_csv(path).rows()
    header_line, header = next(rows, (1, []))
    try:
        columns = deck_columns(header)
    except ValueError as fault:
        raise ConfigError(f"{path}:{header_line}: {fault}") from None
    reader = _Reader(path, columns, len(header), currency)
    for line, cells in rows:
        reader.take(line, cells)
    if not reader.found and not reader.faults:
        raise ConfigError(f"{path}:{header_line}: expected a row for each prefix, found none")
    reader.refuse()
    return RateDeckFile(rows=tuple(sorted(row for _, row in reader.found.values())), unread=columns.unread)


class _Reader:
    """Turns cells into rows, and remembers what is wrong."""

    def __init__(self, path: Path, columns: DeckColumns, count: int, currency: str) -> None:
        self.found: dict[str, tuple[int, RateRow]] = {}
        self.faults: list[str] = []
        self._more = 0
        self._path = path
        self._columns = columns
        self._count = count
        self._currency = currency
        self._signs: dict[str, int] = {}  # "." and ",", and the line on which each first parted a fraction
        self._numbers: dict[str, float] = {}  # decks repeat their prices
        self._billing: dict[str, tuple[float, float]] = {}

    def take(self, line: int, cells: list[str]) -> None:
        """Read a row; one with a fault is told."""
        try:
            row = self._row(line, cells)
        except ValueError as fault:
            self._fault(line, str(fault))
            return
        first = self.found.setdefault(row[0], (line, row))
        if first[0] != line:
            self._fault(line, f"prefix {row[0]} stands twice (first in line {first[0]}): keep one")

    def refuse(self) -> None:
        """Raise `ConfigError` where anything was wrong."""
        if len(self._signs) > 1:
            (sign, line), (other, later) = self._signs.items()
            fault = f"{other!r} parts a fraction here and {sign!r} in line {line}: write all numbers one way"
            self._fault(later, fault, first=True)
        if self._more:
            self.faults.append(f"{self._path}: and {self._more:,} faults more")
        if self.faults:
            raise ConfigError(*self.faults)

    def _fault(self, line: int, text: str, *, first: bool = False) -> None:
        told = f"{self._path}:{line}: {text}"
        if first:
            self.faults.insert(0, told)
        elif len(self.faults) < MAX_FAULTS:
            self.faults.append(told)
        else:
            self._more += 1

    def _row(self, line: int, cells: list[str]) -> RateRow:
        columns = self._columns
        if len(cells) > self._count:
            raise ValueError(
                f"expected {self._count} cells, found {len(cells)}: put quotes around a value with a separator in it"
            )
        if columns.currency is not None and (named := _cell(cells, columns.currency)) != self._currency:
            raise ValueError(f"expected prices in {self._currency}, as routing.currency says, was {_shown(named)}")
        prefix = read_prefix(_cell(cells, columns.prefix))
        price = self._amount("price", _cell(cells, columns.per_minute), line)
        first_s, step_s = self._steps(cells)
        connection_fee = self._fee("connection fee", cells, columns.connection_fee, line)
        attempt_fee = self._fee("attempt fee", cells, columns.attempt_fee, line)
        return prefix, price, first_s, step_s, connection_fee, attempt_fee

    def _fee(self, what: str, cells: list[str], place: int | None, line: int) -> float:
        # An empty cell under a title is nobody's zero.
        return 0.0 if place is None else self._amount(what, _cell(cells, place), line)

    def _steps(self, cells: list[str]) -> tuple[float, float]:
        columns = self._columns
        if columns.billing is None:
            assert columns.first_s is not None and columns.step_s is not None
            first, step = _cell(cells, columns.first_s), _cell(cells, columns.step_s)
            return self._terms(f"{_ZEROS.sub('', first)}/{_ZEROS.sub('', step)}")
        return self._terms(_cell(cells, columns.billing))

    def _terms(self, text: str) -> tuple[float, float]:
        terms = self._billing.get(text)
        if terms is None:
            if _DATE.fullmatch(text):
                mend = "a spreadsheet made a date of it: use columns `first_s` and `step_s`"
                raise ValueError(f"billing: expected first/step in seconds, as in 60/60, was {_shown(text)}: {mend}")
            try:
                terms = self._billing[text] = read_billing(text.replace(" ", "").replace("+", "/"))
            except ValueError as fault:
                raise ValueError(f"billing: {str(fault)[:160]}") from None
        return terms

    def _amount(self, what: str, text: str, line: int) -> float:
        value = self._numbers.get(text)
        if value is None:
            value = self._numbers[text] = _amount(what, text)
            for sign in ".,":
                if sign in text:
                    self._signs.setdefault(sign, line)
        return value


def read_prefix(text: str) -> str:
    """Return the digits of a prefix that may have a + before them. Raises `ValueError` that tells the mend."""
    wrapped = _WRAPPED.fullmatch(text)
    bare = (wrapped["bare"] or wrapped["quoted"] or "").strip() if wrapped else text
    digits = bare.removeprefix("+").replace(" ", "")
    if _PREFIX.fullmatch(digits):
        return digits
    if _SCIENTIFIC.fullmatch(digits):
        mend = "it lost digits in a spreadsheet: format the column as text and export it again"
    elif _DECIMAL.fullmatch(digits):
        mend = "it was saved as a decimal number: format the column as text and export it again"
    elif digits.startswith("00"):
        mend = "write it without 00"
    elif digits.startswith("0"):
        mend = "write the country's calling code first"
    else:
        mend = "one prefix a row"
    raise ValueError(f"prefix: expected 1 to 15 digits, country first, was {_shown(text)}: {mend}")


def _amount(what: str, text: str) -> float:
    if not text:
        raise ValueError(f"{what}: expected a number, was empty: write 0 where nothing is charged")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{what}: expected a number such as 0.0125, was {_shown(text)}")
    value = float(text.replace(",", "."))
    if not (isfinite(value) and 0.0 <= value <= MAX_PRICE):
        raise ValueError(f"{what}: expected 0 to {MAX_PRICE:,.0f}, was {_shown(text)}")
    return abs(value)  # -0 is 0


def _cell(cells: list[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "...")
