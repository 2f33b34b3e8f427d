"""CSV as people's tools export it: encoding and separator are found out, damage is named by its line.

How it works: a first pass decodes the file in pieces to find its encoding (a mark, else UTF-8, else Windows-1252), so
that the second can stream rows and no fault of the text comes up half way.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dialer.errors import ConfigError

MAX_COLUMNS = 1000
MAX_CELL = 10_000
MAX_LINE = 1 << 20  # characters: what is longer is no row that anybody wrote
SEPARATORS = ",;\t|"

_PIECE = 1 << 20
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_EXCEL_HINT = re.compile(r"sep=(.)\r?\n?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvText:
    """A CSV file that can be decoded to its end."""

    path: Path
    encoding: str
    separator: str
    skip_lines: int  # Excel's own `sep=;` line

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (first line, cells) of each row that is not blank. Raises `ConfigError` that names the line."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            for _ in range(self.skip_lines):
                file.readline()
            # strict: a quote that is never closed would swallow the people of every line that follows.
            reader = csv.reader(self._lines(file), delimiter=self.separator, strict=True)
            while True:
                line = reader.line_num + self.skip_lines + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise ConfigError(f"{self.path}:{line}: {_csv_fault(str(error))}") from error
                if not any(cells):
                    continue
                if len(cells) > MAX_COLUMNS:
                    raise ConfigError(f"{self.path}:{line}: expected at most {MAX_COLUMNS} columns, found {len(cells)}")
                if max(map(len, cells)) > MAX_CELL:
                    raise ConfigError(f"{self.path}:{line}: {_csv_fault('limit')}")
                yield line, cells

    def _lines(self, file: TextIO) -> Iterator[str]:
        number = self.skip_lines
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE and line[-1] not in "\r\n":
                raise ConfigError(f"{self.path}:{number}: expected lines of at most {MAX_LINE:,} characters: no CSV")
            yield line


def open_csv(path: Path) -> CsvText:
    """Find out how a CSV file is written. Raises `ConfigError` where it is not text or cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(_WORKBOOKS):
            raise ConfigError(f"{path}:1: this is an Excel workbook: save it as `CSV UTF-8` and name that file")
        encoding = _encoding(path, head)
        with path.open(encoding=encoding, newline="") as text:
            first = text.readline(MAX_COLUMNS * MAX_CELL)
            while first.strip() == "" and first:
                first = text.readline(MAX_COLUMNS * MAX_CELL)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not first:
        raise ConfigError(f"{path}:1: expected a line of column names, found nothing")
    hint = _EXCEL_HINT.match(first)
    if hint and hint[1] in SEPARATORS:
        return CsvText(path, encoding, hint[1], 1)
    return CsvText(path, encoding, _separator(first), 0)


def _separator(header: str) -> str:
    """Return the separator that stands most often outside of quotes; a comma where there is one column."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def _encoding(path: Path, head: bytes) -> str:
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    candidates = [marked] if marked else ["utf-8", "cp1252"]
    line = 1
    for encoding in candidates:
        fault = _undecodable_line(path, encoding)
        if fault is None:
            return encoding
        line = fault
    raise ConfigError(f"{path}:{line}: not text in UTF-8, UTF-16 or Windows-1252: save it as `CSV UTF-8`")


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """Return the line of the first byte that is not in the encoding, None where all are; raises for NUL bytes."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                return line + bytes(error.object[: error.start]).count(b"\n")
            if "\0" in text:
                at = line + text[: text.index("\0")].count("\n")
                raise ConfigError(f"{path}:{at}: a NUL byte: damaged, or not text: save it as `CSV UTF-8`")
            line += text.count("\n")
            if not piece:
                return None


def _csv_fault(message: str) -> str:
    if "limit" in message:
        return f"expected cells of at most {MAX_CELL} characters: is a quote opened here and never closed?"
    if "unexpected end of data" in message:
        return "a quote is opened here and never closed"
    if "expected after" in message:
        return 'text after a closing quote: write a quote inside a quoted value twice ("")'
    return f"not CSV: {message}"
