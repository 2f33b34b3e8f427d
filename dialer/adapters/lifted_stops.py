"""The stops that were taken back, as the audit of journals reads them: a journal tells of stops, but of no end of one.

They stand in `journal/lifted.jsonl` of the data folder, appended, one a line, mode 600: beside the journals, for like
them it names numbers in full, which the audit log does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from dialer.adapters.journal import LATEST
from dialer.errors import JournalError


class LiftedStop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop, or some of its reasons, taken back at a time (UTC seconds) by the clock of whoever did it."""

    at: Annotated[float, msgspec.Meta(ge=0.0, lt=LATEST)]
    key: str
    reasons: tuple[str, ...]


def note_lifted(data_dir: Path, lifted: LiftedStop) -> None:
    """Append one, on disk when this returns. Raises `OSError`."""
    path = lifted_path(data_dir / "journal")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One write of a whole line to a file opened for appending: lines of several programs never mix.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, msgspec.json.encode(lifted) + b"\n")
        os.fsync(file)
    finally:
        os.close(file)


def lifted_path(folder: Path) -> Path:
    """Where they stand in a folder of journals."""
    return folder / "lifted.jsonl"


def read_lifted(paths: Iterable[Path]) -> list[LiftedStop]:
    """Return those of these files, oldest first; of a file that is not there, none. Raises `JournalError`."""
    found = [entry for path in paths for entry in _entries(path)]
    return sorted(found, key=lambda entry: entry.at)


def _entries(path: Path) -> Sequence[LiftedStop]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise JournalError(f"{path}: expected stops that were taken back, was: {error.strerror or error}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(msgspec.json.decode(line, type=LiftedStop))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise JournalError(
                f"{path}:{number}: expected a stop that was taken back, was: {error}: take the line out"
            ) from None
    return found
