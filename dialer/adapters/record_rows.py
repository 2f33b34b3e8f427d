"""Files of records on people (stops, consents, facts): rows whose columns are found by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialer.adapters.lead_columns import plain_name, read_columns
from dialer.config.csv_text import CsvText, open_csv
from dialer.errors import ConfigError

# Besides person, debt, account and number, which are named as in lists.
_SYNONYMS = {
    "key": "key clave llave",
    "reason": "reason motivo razon causa",
    "kind": "kind tipo hecho",
    "channel": "channel canal medio",
    "at": "at date fecha time hora fecha_hora timestamp fecha_consentimiento given_at",
    "expires": "expires expires_at vence vencimiento expira",
    "scope": "scope ambito alcance finalidad",
    "source": "source fuente origen evidencia",
    "text": "text texto mensaje message",
    "not": "not hours horas inconvenient no_llamar",
}
_FIELD_OF = {name: field for field, names in _SYNONYMS.items() for name in names.split()}
_OF_LISTS = ("person", "debt", "account")


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One row: what its known columns say, without the apostrophe that spreadsheets put in front."""

    line: int
    values: dict[str, str]
    cells: tuple[str, ...]

    def get(self, name: str) -> str:
        """The value, empty where there is none."""
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file whose columns are known."""

    path: Path
    header: tuple[str, ...]
    separator: str
    _text: CsvText
    _columns: dict[str, int]

    def rows(self) -> Iterator[RecordRow]:
        """Yield the rows in order. Raises `ConfigError` that names the line of what is not CSV."""
        rows = self._text.rows()
        next(rows)
        for line, cells in rows:
            values = {name: _bare(cells[at]) for name, at in self._columns.items() if at < len(cells)}
            yield RecordRow(line, values, tuple(cells))


def open_record_file(path: Path, wanted: Sequence[Sequence[str]]) -> RecordFile:
    """Open a file and find its columns. Of each group in `wanted` one column at least must be there.

    Raises `ConfigError` with one line where it is not.
    """
    text = open_csv(path)
    line, header = next(text.rows(), (1, []))
    columns: dict[str, int] = {}
    named = read_columns(header)
    for field in _OF_LISTS:
        if field in named.fields:
            columns[field] = named.fields[field]
    if named.numbers:
        columns["number"] = named.numbers[0]
    for index, title in enumerate(header):
        field = _FIELD_OF.get(plain_name(title), "")
        if field and index not in columns.values():
            columns.setdefault(field, index)
    for group in wanted:
        if not any(name in columns for name in group):
            raise ConfigError(
                f"{path}:{line}: expected a first line of column names with {' or '.join(group)}, found "
                f"{', '.join(repr(title[:40]) for title in header[:8])}"
            )
    return RecordFile(path, tuple(header), text.separator, text, columns)


def _bare(cell: str) -> str:
    return cell.strip().lstrip("'").strip()
