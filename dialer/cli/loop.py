"""Runs a command's coroutine, with the interrupts that a dialer needs."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

DRAIN_LIMIT_S = 120.0


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where there is one. A group with one failure raises that failure."""
    try:
        if sys.platform == "win32":
            return asyncio.run(coroutine)
        import uvloop

        return uvloop.run(coroutine)
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise


def on_interrupt(drain: Callable[[str], None], stop: Callable[[str], None], *, drain_limit_s: float) -> None:
    """Drain at the first Ctrl-C, hang up at a second; a third ends the program at once. SIGTERM drains too, but hangs
    up after `drain_limit_s` seconds.

    Both are told by what they were asked.
    """
    loop = asyncio.get_running_loop()
    seen: set[signal.Signals] = set()

    def handle(number: signal.Signals, name: str) -> None:
        if number in seen:
            stop(name)
            # Whatever hangs now: one more ends the program at once.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
            return
        seen.add(number)
        drain(name)
        if number == signal.SIGTERM:
            loop.call_later(drain_limit_s, stop, f"{name}, {drain_limit_s:g} s ago")

    loop.add_signal_handler(signal.SIGINT, handle, signal.SIGINT, "Ctrl-C")
    loop.add_signal_handler(signal.SIGTERM, handle, signal.SIGTERM, "SIGTERM")
