"""Workers: what a run must not load for them, and that none is left behind."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time

import pytest

from dialer.adapters import worker_process
from dialer.adapters.worker_process import WorkerProcess

HEAVY = ("numba", "scipy.optimize", "xgboost", "sklearn")


def asleep() -> int:
    """Never come to tell its id."""
    time.sleep(600.0)
    return 0


def test_a_worker_that_never_tells_its_id_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "BEGUN_WITHIN_S", 0.05)
    before = {child.pid for child in multiprocessing.active_children()}
    with pytest.raises(TimeoutError):
        WorkerProcess(asleep)
    assert {child.pid for child in multiprocessing.active_children()} <= before


def test_a_run_begins_without_what_only_workers_need() -> None:
    """Compilers and solvers take seconds to load."""
    code = f"import sys, dialer.bootstrap.sessions; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
