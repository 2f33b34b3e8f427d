"""Worker processes: order, equality with one process, faults, and an end at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from dialer.errors import ConfigError, DialerError
from dialer.studies.workers import MAX_JOBS, Progress, jobs_of, run_all

ROOT = Path(__file__).parents[3]
LIMIT_S = 60.0


def square(number: int, progress: Progress | None) -> tuple[int, int]:
    if progress is not None:
        progress(0.5)
    return number * number, os.getpid()


def fail_at_three(number: int, _: Progress | None) -> int:
    if number == 3:
        raise ConfigError("three: expected another number")
    return number


def die(number: int, _: Progress | None) -> int:
    if number == 1:
        os._exit(7)
    return number


def interrupt_at_two(number: int, _: Progress | None) -> int:
    if number == 2:
        raise KeyboardInterrupt
    return number


def test_results_come_in_the_order_of_the_tasks_whatever_the_jobs() -> None:
    alone = run_all(square, range(7), jobs=1)
    told: list[float] = []
    together = run_all(square, range(7), jobs=2, progress=told.append)
    assert told == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert [value for value, _ in filter(None, together.results)] == [value for value, _ in filter(None, alone.results)]
    assert {pid for _, pid in filter(None, alone.results)} == {os.getpid()}
    assert os.getpid() not in {pid for _, pid in filter(None, together.results)}
    assert not alone.interrupted and alone.finished == 7


def test_progress_within_a_task_counts_where_there_is_one_process() -> None:
    told: list[float] = []
    run_all(square, range(3), jobs=1, progress=told.append)
    assert told == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_tasks_fault_is_the_callers(jobs: int) -> None:
    with pytest.raises(ConfigError, match="three: expected another number"):
        run_all(fail_at_three, range(6), jobs=jobs)


def test_a_worker_that_dies_is_told_in_words() -> None:
    with pytest.raises(DialerError, match="fewer --jobs"):
        run_all(die, range(4), jobs=2)


def test_an_interrupt_leaves_what_was_done() -> None:
    harvest = run_all(interrupt_at_two, range(5), jobs=1)
    assert harvest.results == (0, 1, None, None, None)
    assert harvest.interrupted and harvest.finished == 2


def test_jobs_have_bounds() -> None:
    assert jobs_of(3) == 3
    assert 1 <= jobs_of(None) <= (os.cpu_count() or 1)
    for wrong in (0, -1, MAX_JOBS + 1):
        with pytest.raises(ConfigError, match="--jobs"):
            jobs_of(wrong)


# Tasks that last for ever after the first: only an end from outside ends them.
PROGRAM = textwrap.dedent(
    """
    import os, time
    from dialer.studies.workers import run_all

    def say(text):
        os.write(1, text.encode() + b"\\n")  # one write a line: three processes share this pipe

    def task(number, progress):
        say(f"pid {os.getpid()}")
        if number:
            while True:
                time.sleep(1)
        return number

    if __name__ == "__main__":
        harvest = run_all(task, range(6), jobs=2, progress=lambda done: say(f"done {done}"))
        say(f"left {harvest.results} {harvest.interrupted}")
    """
)


def started(folder: Path) -> subprocess.Popen[str]:
    """The program, once its first task is done and both workers are in tasks that do not end."""
    file = folder / "program.py"
    file.write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workers_of(program: subprocess.Popen[str]) -> set[int]:
    """Read until three tasks have begun and the first is done; returns the workers' ids."""
    assert program.stdout is not None
    lines: list[str] = []
    while sum(line.startswith("pid") for line in lines) < 3 or "done 1.0" not in lines:
        line = program.stdout.readline()
        assert line, program.communicate()
        lines.append(line.strip())
    return {int(line.split()[1]) for line in lines if line.startswith("pid")}


def gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_terminals_interrupt_ends_every_worker_at_once_and_quietly(tmp_path: Path) -> None:
    program = started(tmp_path)
    workers = workers_of(program)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to the program and to its workers
    out, err = program.communicate(timeout=LIMIT_S)
    assert "left (0, None, None, None, None, None) True" in out
    assert err == ""
    assert gone(workers)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    program = started(tmp_path)
    workers = workers_of(program)
    program.kill()
    program.wait(timeout=LIMIT_S)
    assert gone(workers)
    assert program.stdout is not None and program.stderr is not None
    program.stdout.close()
    program.stderr.close()
