"""How worker processes begin: they leave Ctrl-C to their parent, and never outlive it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait

BEGUN_WITHIN_S = 60.0


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting while workers are started: they inherit that, so a terminal's Ctrl-C is for us alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin_worker() -> None:
    """Begin a worker: it leaves Ctrl-C to its parent, and does not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


class WorkerProcess:
    """A worker process that has loaded all it needs. Making and ending one blocks.

    `warm` is a function of a module, which loads and returns the process's id (`gave_way`).
    """

    def __init__(self, warm: Callable[[], int]) -> None:
        # A fresh interpreter: a fork would copy numba's threads and our open files.
        context = multiprocessing.get_context("spawn")
        self.executor = ProcessPoolExecutor(1, mp_context=context, initializer=begin_worker)
        self.pid: int | None = None
        try:
            with interrupts_held():
                begun = self.executor.submit(warm)
            self.pid = begun.result(timeout=BEGUN_WITHIN_S)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Kill the process; whatever it was doing is lost."""
        # The executor's own list: one that has not told its id yet hangs, perhaps, and is killed like any other.
        for child in list((self.executor._processes or {}).values()):
            child.kill()
        self.executor.shutdown(wait=True, cancel_futures=True)


class OneWorker:
    """At most one worker process, begun and ended in threads: each takes about a second, of which the loop must not
    lose any."""

    def __init__(self, warm: Callable[[], int]) -> None:
        self._warm = warm
        self._process: WorkerProcess | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process; None while there is none."""
        return None if self._process is None else self._process.pid

    async def begun(self) -> ProcessPoolExecutor:
        """What takes its work; one is begun if there is none. Raises `OSError`, or `TimeoutError` for one that does not
        come up."""
        if self._process is None:
            beginning = asyncio.ensure_future(asyncio.to_thread(WorkerProcess, self._warm))
            try:
                self._process = await asyncio.shield(beginning)
            except asyncio.CancelledError:
                with suppress(Exception):
                    self._process = await beginning  # so that `end` finds it
                raise
        return self._process.executor

    async def end(self) -> None:
        """Kill the worker, if there is one, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(process.end)


def gave_way() -> int:
    """Give way to the parent where processors are short; returns this process's id."""
    if hasattr(os, "nice"):
        os.nice(10)
    return os.getpid()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
