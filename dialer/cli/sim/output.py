"""Where a command's results go: whole files or none, and standard output for scripts."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dialer.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dialer.studies.comparison import Study

# `--json` alone means standard output, as `--json -` does.
JsonTo = Annotated[bool | Path, Parameter(allow_leading_hyphen=True, negative="", show_default=False, metavar="[FILE]")]
# A file or `-`, standard output.
FileTo = Annotated[Path | None, Parameter(allow_leading_hyphen=True, metavar="FILE")]
Settings = Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False, metavar="PATH=VALUE")]

STDOUT = Path("-")
INTERRUPTED = 130


def json_target(json: bool | Path) -> Path | None:
    """Return where `--json` writes: a file, `STDOUT`, or None. Raises `ConfigError` for an option taken for a file."""
    if isinstance(json, bool):
        return STDOUT if json else None
    if str(json).startswith("-") and json != STDOUT:
        raise ConfigError(f"--json {json}: expected a file or `-` (standard output) after --json")
    return json


def check_targets(*paths: Path | None) -> None:
    """Refuse what could not be written, before the work that would be lost. Raises `ConfigError`."""
    named = [path for path in paths if path is not None]
    if named.count(STDOUT) > 1:
        raise ConfigError("expected one result on standard output at the most: name a file for the others")
    for path in named:
        if path == STDOUT:
            continue
        if path.is_dir():
            raise ConfigError(f"{path}: expected a file to write, is a folder")
        if path.exists() and not path.is_file():  # a device or a pipe: its folder does not matter
            continue
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: expected a folder to write into, found none at {path.parent}: make it first")
        if not os.access(path.parent, os.W_OK):
            raise ConfigError(f"{path}: cannot be written: {path.parent} is not yours to write in")


def write_whole(path: Path, text: str, *, keep: bool = False) -> None:
    """Write a text file whole or not at all; `-` is standard output. `keep`: a file that is there is not replaced.

    What is there and is no file, such as `/dev/null` or a pipe, is written into and never replaced, nor is a link.
    Raises `ConfigError` where that fails.
    """
    if path == STDOUT:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough; other results are still to be written to files
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        place = path.resolve()  # /dev/stdout leads to the file that standard output goes to
        if place.exists() and not place.is_file():
            place.write_text(text, encoding="utf-8", newline="\n")
            return
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            part.chmod(0o666 & ~_umask())
            if keep:
                os.link(part, place)
            else:
                part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise ConfigError(f"{path}: is there already: --force replaces it, or name another") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def to_json(result: Any) -> str:
    """Return a result as JSON for people and scripts: two spaces a level, one line at the end."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"


@contextmanager
def progress_bar(label: str, total: float) -> Iterator[Callable[[float], None] | None]:
    """Show how far the work is, on stderr, where that is a terminal; else yield None."""
    from dialer.cli.safe_text import make_console, safe

    console = make_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn() if total > 1 else TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(safe(label), total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def at_work(label: str) -> Iterator[None]:
    """Show on stderr, where that is a terminal, that something goes on whose end cannot be told."""
    from dialer.cli.safe_text import make_console, safe

    console = make_console(stderr=True)
    if not console.is_terminal:
        yield
        return
    from rich.text import Text

    with console.status(Text(safe(label))):
        yield


def tell_interrupted(finished: int, wanted: int, *, seeds: int | None = None) -> int:
    """Say what an interrupt left; returns the exit code. `seeds`: how many of them every variant has a day of."""
    from dialer.cli.safe_text import say

    if not finished or seeds == 0:
        shown = "nothing to show"
    elif seeds is None:
        shown = "the figures are of those"
    else:
        shown = f"the figures are of the {seeds} {'seed' if seeds == 1 else 'seeds'} that all have finished"
    say(f"interrupted: {finished} of {wanted} simulated days finished; {shown}", file=sys.stderr)
    return INTERRUPTED


def show_study(
    study: Study, view: Callable[[Study], RenderableType], *, json: Path | None, csv: Path | None = None
) -> int:
    """Write and show what a study found; returns the exit code."""
    from dialer.cli.safe_text import make_console
    from dialer.studies.lines import as_csv

    if study.seeds:
        if json is not None:
            write_whole(json, to_json(study))
        if csv is not None:
            write_whole(csv, as_csv(study))
        if STDOUT not in (json, csv):
            make_console().print(view(study))
    if not study.interrupted:
        return 0
    return tell_interrupted(study.days_finished, study.days_wanted, seeds=len(study.seeds))
