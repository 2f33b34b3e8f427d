"""Lists of leads from CSV files: what can be dialled is read, everything else is told with its line and its mend."""

from __future__ import annotations

import csv
import math
import os
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compliance.resolve import read_subdivision
from dialer.adapters.lead_columns import Columns, plain_name, read_columns
from dialer.adapters.number_plan import BadAddress, BadNumber, read_number
from dialer.adapters.spreadsheet import neutral
from dialer.config.csv_text import open_csv
from dialer.core.lead import Lead, PhoneNumber
from dialer.errors import ConfigError

MAX_KEY = 128

# C0 and C1 controls, and the invisible marks by which text is turned or joined.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_NOTHING = frozenset({"", "-", "--", "n/a", "na", "nd", "s/d", "nan", "null", "none", "#n/a"})
_MONEY = re.compile(r"(?:[A-Z]{1,3}|[$€]|US\$|S/\.?|R\$|₡|\s)*(-?[\d.,'\s]*\d)(?:\s|[A-Z]{3}|[$€])*", re.IGNORECASE)
_COUNTRIES = {
    "alemania": "DE",
    "argentina": "AR",
    "australia": "AU",
    "brasil": "BR",
    "brazil": "BR",
    "canada": "CA",
    "chile": "CL",
    "colombia": "CO",
    "costa_rica": "CR",
    "deutschland": "DE",
    "ecuador": "EC",
    "espana": "ES",
    "france": "FR",
    "francia": "FR",
    "germany": "DE",
    "india": "IN",
    "ireland": "IE",
    "irlanda": "IE",
    "spain": "ES",
    "mexico": "MX",
    "peru": "PE",
    "reino_unido": "GB",
    "uk": "GB",
    "united_kingdom": "GB",
    "estados_unidos": "US",
    "eeuu": "US",
    "usa": "US",
    "united_states": "US",
}


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that gives no lead, and why; `cells` as they stand in the file."""

    line: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DroppedNumber:
    """A number that was left out of a lead which keeps others."""

    line: int
    cell: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadList:
    """What a list file holds."""

    path: Path
    header: tuple[str, ...]
    separator: str
    leads: list[Lead]
    rejected: list[RejectedRow]
    dropped: list[DroppedNumber]


@dataclass(frozen=True, slots=True)
class Seen:
    """The people, numbers and ids read so far, over all lists of a campaign, and the `file:line` of each."""

    persons: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


class _BadRow(ValueError):
    """Why a row gives no lead."""


def read_leads(
    path: Path, *, default_country: str, jurisdictions: Collection[str], seen: Seen | None = None
) -> LeadList:
    """Read a list. `default_country` is that of numbers without a country code where no column says.

    The first row of a person, number or id wins, over all lists read with the same `seen`. Raises `ConfigError` where
    the file as a whole is at fault; `seen` is then to be thrown away.
    """
    text = open_csv(path)
    rows = text.rows()
    header_line, header = next(rows, (1, []))
    columns = read_columns(header)
    if not columns.numbers:
        raise ConfigError(
            f"{path}:{header_line}: expected a first line of column names with one of numbers (telefono, celular, "
            f"phone, number), found {', '.join(map(repr, header[:8]))}"
        )
    reader = _RowReader(path, columns, default_country, jurisdictions, seen or Seen())
    leads: list[Lead] = []
    rejected: list[RejectedRow] = []
    for line, cells in rows:
        try:
            leads.append(reader.lead(line, cells))
        except _BadRow as fault:
            rejected.append(RejectedRow(line, str(fault), tuple(cells)))
    return LeadList(
        path=path,
        header=tuple(header),
        separator=text.separator,
        leads=leads,
        rejected=rejected,
        dropped=reader.dropped,
    )


class _RowReader:
    """Turns rows of one file into leads."""

    def __init__(
        self, path: Path, columns: Columns, default_country: str, jurisdictions: Collection[str], seen: Seen
    ) -> None:
        self.dropped: list[DroppedNumber] = []
        self._file = path.name
        self._columns = columns
        self._default_country = default_country
        self._jurisdictions = jurisdictions
        self._seen = seen

    def lead(self, line: int, cells: Sequence[str]) -> Lead:
        """Return the row's lead and remember it. Raises `_BadRow`, and then nothing of the row is remembered."""
        columns = self._columns
        if len(cells) > columns.count:
            raise _BadRow(
                f"expected {columns.count} cells, found {len(cells)}: put quotes around a value with a separator in it"
            )
        values = {name: _clean(cells[index]) for name, index in columns.fields.items() if index < len(cells)}
        person = _key(values, "person")
        self._refuse_duplicate(self._seen.persons, person, "person")
        numbers, dropped = self._numbers(line, cells, values)
        person = person or numbers[0].e164
        debt = _key(values, "debt")
        lead_id = _key(values, "lead_id") or debt or person
        self._refuse_duplicate(self._seen.ids, lead_id, "id")
        lead = Lead(
            lead_id=lead_id,
            numbers=numbers,
            person=person,
            debt=debt or lead_id,
            account=_key(values, "account"),
            name=values.get("name", ""),
            priority=_whole(values, "priority") or 0,
            product=values.get("product", ""),
            region=values.get("region", ""),
            amount=_amount(values.get("amount", "")),
            days_past_due=_whole(values, "days_past_due"),
            extra={title: value for i, title in columns.extra if i < len(cells) and (value := _clean(cells[i]))},
        )
        self._remember(lead, f"{self._file}:{line}")
        self.dropped += dropped
        return lead

    def _numbers(
        self, line: int, cells: Sequence[str], values: dict[str, str]
    ) -> tuple[tuple[PhoneNumber, ...], list[DroppedNumber]]:
        given = _country(values.get("country", ""))
        country = given or self._default_country
        regions = (_clean(cells[index]) for index in self._columns.states if index < len(cells))
        states = tuple(cell for cell in regions if cell.casefold() not in _NOTHING)
        address = {
            "address_country": given,
            "subdivision": _subdivision(values.get("subdivision", ""), country),
            "postal": _given(values, "postal").lstrip("'"),
            "zone": _given(values, "zone"),
        }
        numbers: dict[str, PhoneNumber] = {}
        dropped: list[DroppedNumber] = []
        columns = self._columns
        for index, use, carrier in zip(columns.numbers, columns.uses, columns.networks, strict=True):
            network = _clean(cells[carrier]) if carrier is not None and carrier < len(cells) else ""
            network = "" if network.casefold() in _NOTHING else network
            written = _clean(cells[index]) if index < len(cells) else ""
            if written.casefold() in _NOTHING:
                continue
            for cell in re.split(r"[/;|]", written):
                if cell.strip().casefold() in _NOTHING:
                    continue
                try:
                    number = read_number(
                        cell, country, self._jurisdictions, use=use, network=network, states=states, **address
                    )
                except BadAddress as fault:
                    raise _BadRow(str(fault)) from fault
                except BadNumber as fault:
                    dropped.append(DroppedNumber(line, cell, str(fault)))
                    continue
                first = self._seen.numbers.get(number.e164)
                if first is not None:
                    dropped.append(DroppedNumber(line, cell, f"{number.e164} is a duplicate of {first}"))
                elif number.e164 not in numbers or use:
                    # Where two columns have it and one is of the place of work, what holds there holds for it.
                    numbers[number.e164] = number
        if not numbers:
            raise _BadRow("; ".join(fault.reason for fault in dropped) or "no number in the row")
        return tuple(numbers.values()), dropped

    def _refuse_duplicate(self, known: dict[str, str], key: str, what: str) -> None:
        if key and key in known:
            raise _BadRow(f"{what} {key!r} is a duplicate of {known[key]}")

    def _remember(self, lead: Lead, place: str) -> None:
        self._seen.persons[lead.person] = place
        self._seen.ids[lead.lead_id] = place
        for number in lead.numbers:
            self._seen.numbers[number.e164] = place


def _clean(cell: str) -> str:
    if not cell.isprintable():
        cell = _CONTROLS.sub(" ", cell)
    return cell.strip()


def _key(values: dict[str, str], name: str) -> str:
    """Return an identifier; spreadsheets put a ' before those that begin with zeros."""
    key = values.get(name, "").lstrip("'").strip()
    if not key:
        return ""
    if len(key) > MAX_KEY:
        raise _BadRow(f"expected at most {MAX_KEY} characters for the {name}, found {len(key)}")
    if re.fullmatch(r"\d+[.,]\d+E\+\d+", key, re.IGNORECASE):
        raise _BadRow(f"the {name} {key!r} lost digits in a spreadsheet: format the column as text and export it again")
    return "" if key.casefold() in _NOTHING else key


def _country(cell: str) -> str:
    if cell.casefold() in _NOTHING:
        return ""
    code = _COUNTRIES.get(plain_name(cell), cell.upper())
    if not re.fullmatch("[A-Z]{2}", code):
        raise _BadRow(f"expected a country such as PE, was {cell!r}")
    return code


def _given(values: dict[str, str], name: str) -> str:
    cell = values.get(name, "")
    return "" if cell.casefold() in _NOTHING else cell


def _subdivision(cell: str, country: str) -> str:
    try:
        return read_subdivision(cell, country)
    except ValueError as fault:
        if cell.casefold() in _NOTHING:  # but ND is North Dakota
            return ""
        raise _BadRow(str(fault)) from fault


def _whole(values: dict[str, str], name: str) -> int | None:
    cell = values.get(name, "")
    if cell.casefold() in _NOTHING:
        return None
    match = re.fullmatch(r"(-?\d{1,9})(?:[.,]0+)?", cell)
    if not match:
        raise _BadRow(f"expected a whole number for {name}, was {cell[:40]!r}")
    return int(match[1])


def _amount(cell: str) -> float | None:
    """Read `1234.5`, `1.234,50`, `S/ 1,234.50`. The last sign of the two is the decimal one; of one kind alone, a sign
    that stands several times, or before exactly three digits, parts thousands."""
    if cell.casefold() in _NOTHING:
        return None
    match = _MONEY.fullmatch(cell)
    if not match:
        raise _BadRow(f"expected an amount such as 1234.50, was {cell[:40]!r}")
    digits = re.sub(r"[\s']", "", match[1])
    signs = [char for char in digits if char in ".,"]
    decimal = signs[-1] if signs else "."
    if len(set(signs)) == 1 and (len(signs) > 1 or re.fullmatch(r"-?[1-9]\d{0,2}[.,]\d{3}", digits)):
        decimal = ""
    plain = "".join("." if char == decimal else char for char in digits if char not in ".," or char == decimal)
    try:
        amount = float(plain)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount):
        raise _BadRow(f"expected an amount such as 1234.50, was {cell[:40]!r}")
    return amount


def write_rejected(read: LeadList) -> Path | None:
    """Write the rejected rows beside the list as `<list>.rejected.csv`, with their lines and reasons, and return it.

    Without any, an older such file is removed and None returned. Cells that a spreadsheet would take for a formula get
    a ' in front, which `read_leads` takes off numbers and keys again. Raises `ConfigError` where it cannot be written.
    """
    path = read.path.with_suffix(".rejected.csv")
    try:
        if not read.rejected:
            path.unlink(missing_ok=True)
            return None
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file, delimiter=read.separator)
                writer.writerow(["line", "reason", *map(neutral, read.header)])
                for row in read.rejected:
                    writer.writerow([row.line, neutral(row.reason), *map(neutral, row.cells)])
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path
