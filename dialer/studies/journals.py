"""Journals of simulated days: kept when their day is finished, so that none is left half written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.adapters.journal import header_of, journal_path
from dialer.errors import ConfigError
from sim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class JournalFolder:
    """Where journals are kept: in `folder` itself for one day, in a folder a seed for several."""

    folder: Path
    unfinished: Path
    seeds: tuple[int, ...]

    def begin(self, seed: int) -> Path:
        """Return the folder for the journal of a day that has yet to be simulated."""
        return self.unfinished / f"seed-{seed}"

    def keep(self, journal: Path, seed: int) -> Path:
        """Move the journal of a finished day to its place. Raises `ConfigError` where one stands there."""
        place = _home(self.folder, seed, self.seeds) / journal.relative_to(self.begin(seed))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_taken(place)
        journal.rename(place)
        return place


@contextmanager
def journal_folder(folder: Path, scenario: Scenario, seeds: Sequence[int]) -> Iterator[JournalFolder]:
    """Prepare a folder for the journals of a scenario's days. Raises `ConfigError` where one is there already."""
    for seed in seeds:
        header = header_of(scenario.campaign, run=1, seed=seed, started_at=scenario.start_at)
        _refuse_taken(journal_path(_home(folder, seed, seeds), header))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix=".unfinished-"))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield JournalFolder(folder, unfinished, tuple(seeds))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _home(folder: Path, seed: int, seeds: Sequence[int]) -> Path:
    return folder if len(seeds) == 1 else folder / f"seed-{seed}"


def _refuse_taken(path: Path) -> None:
    if path.exists():
        raise ConfigError(f"{path}: is there already, and a journal is never replaced: name another folder")
