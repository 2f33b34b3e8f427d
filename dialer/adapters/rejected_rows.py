"""The rows of a file that were not taken, written beside it with their lines and reasons: nothing is lost."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from dialer.adapters.spreadsheet import neutral
from dialer.errors import ConfigError


class RejectedRows:
    """`<file>.rejected.csv`, which is there once `keep` is called and has any; rows go to the disk as they come.

    Cells that a spreadsheet would take for a formula get a ' in front. Raises `ConfigError` where it cannot be written.
    """

    def __init__(self, source: Path, *, header: Sequence[str] = (), separator: str = ",") -> None:
        self.path = source.with_suffix(".rejected.csv")
        self.count = 0
        self.first = ""  # the first of them, as `line N: reason`
        self._header = header
        self._separator = separator
        self._file: TextIO | None = None
        self._part: Path | None = None
        self._writer: Any = None

    def add(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Keep a row of the file."""
        self.count += 1
        self.first = self.first or f"line {line}: {reason}"
        try:
            if self._file is None:
                handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name, suffix=".part")
                self._part = Path(name)
                self._file = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")
                self._writer = csv.writer(self._file, delimiter=self._separator)
                self._writer.writerow(["line", "reason", *map(neutral, self._header)])
            self._writer.writerow([line, neutral(reason), *map(neutral, cells)])
        except OSError as error:
            raise self._unwritable(error) from error

    def keep(self) -> Path | None:
        """Put the file in its place and return it; without any row, an older one is removed and None returned."""
        try:
            if self._file is None or self._part is None:
                self.path.unlink(missing_ok=True)
                return None
            self._file.close()
            self._part.replace(self.path)
            self._part = None
            return self.path
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> RejectedRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self.path}: cannot be written: {error.strerror or error}")
