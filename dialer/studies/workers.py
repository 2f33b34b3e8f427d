"""Worker processes for long studies: results in the order of the tasks whatever the number of workers, and an end at
once when a person interrupts."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, TypeVar

from dialer.adapters.worker_process import begin_worker, interrupts_held
from dialer.errors import ConfigError, DialerError

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[float], None]  # told how much is done, in tasks

MAX_JOBS = 256
WORKER_BYTES = 1 << 29  # set aside for a worker, of the machine's memory: twice what a day of 100 agents takes


@dataclass(frozen=True, slots=True)
class Harvest(Generic[R]):
    """What came of the tasks, in their order; None for those that an interrupt left undone."""

    results: tuple[R | None, ...]
    interrupted: bool

    @property
    def finished(self) -> int:
        """How many tasks were done."""
        return sum(result is not None for result in self.results)


def jobs_of(wanted: int | None) -> int:
    """Return how many workers to have: as many as wanted, else as this machine has processors and memory for.

    Raises `ConfigError`.
    """
    if wanted is not None:
        if not 1 <= wanted <= MAX_JOBS:
            raise ConfigError(f"--jobs {wanted}: expected 1 to {MAX_JOBS}")
        return wanted
    try:
        processors = len(os.sched_getaffinity(0))
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not Linux
        return os.cpu_count() or 1
    return max(1, min(processors, memory // WORKER_BYTES))


def run_all(
    run: Callable[[T, Progress | None], R], tasks: Sequence[T], *, jobs: int, progress: Progress | None = None
) -> Harvest[R]:
    """Run every task, `jobs` at a time; one at a time needs no further process. Ctrl-C ends it with what is done.

    `run` is a function of a module, tasks and results can be pickled. Raises what a task raised, after ending the rest.
    """
    if min(jobs, len(tasks)) <= 1:
        return _one_by_one(run, tasks, progress)
    return _in_processes(run, tasks, min(jobs, len(tasks)), progress)


def _one_by_one(run: Callable[[T, Progress | None], R], tasks: Sequence[T], progress: Progress | None) -> Harvest[R]:
    results: list[R | None] = [None] * len(tasks)
    try:
        for place, task in enumerate(tasks):
            results[place] = run(task, None if progress is None else _from(place, progress))
            if progress is not None:
                progress(place + 1.0)
    except KeyboardInterrupt:
        return Harvest(tuple(results), interrupted=True)
    return Harvest(tuple(results), interrupted=False)


def _from(done: int, progress: Progress) -> Progress:
    return lambda share: progress(done + share)


def _in_processes(
    run: Callable[[T, Progress | None], R], tasks: Sequence[T], jobs: int, progress: Progress | None
) -> Harvest[R]:
    results: list[R | None] = [None] * len(tasks)
    # A fresh interpreter for each worker: a fork would copy numba's threads and our open files.
    executor = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=begin_worker)
    others = {child.pid for child in multiprocessing.active_children()}
    places: dict[Future[R], int] = {}
    interrupted = False
    try:
        with interrupts_held():
            for place, task in enumerate(tasks):
                places[executor.submit(run, task, None)] = place
        for count, future in enumerate(as_completed(places), start=1):
            results[places[future]] = future.result()
            if progress is not None:
                progress(float(count))
    except KeyboardInterrupt:
        interrupted = True
    except BrokenProcessPool:
        raise DialerError(
            f"expected {jobs} worker processes to the end, was: one ended by itself, perhaps for want of memory: "
            "run again with fewer --jobs"
        ) from None
    finally:
        if not all(future.done() for future in places):
            executor.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child.pid not in others:
                    child.terminate()
        executor.shutdown(wait=True, cancel_futures=True)
    return Harvest(tuple(results), interrupted)
