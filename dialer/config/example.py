"""The example campaign that `dialer init` writes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from dialer.errors import ConfigError

_FILES = {"example_campaign.yaml": "campaign.yaml", "example_leads.csv": "leads.csv"}


def write_example(folder: Path) -> list[Path]:
    """Write `campaign.yaml` and `leads.csv` into a folder, made if need be. Raises `ConfigError` before overwriting."""
    paths = [folder / name for name in _FILES.values()]
    taken = [path for path in paths if path.exists()]
    if taken:
        raise ConfigError(*(f"{path}: is there already: name another folder, or move it away" for path in taken))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source, path in zip(_FILES, paths, strict=True):
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write((resources.files("dialer.config") / source).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return paths
