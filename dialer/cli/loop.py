"""Runs a command's coroutine, with the interrupts that a dialer needs."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


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


def on_interrupt(first: Callable[[], None], second: Callable[[], None]) -> None:
    """Call `first` at the first Ctrl-C or SIGTERM, `second` at every later one."""
    loop = asyncio.get_running_loop()
    calls = [first]

    def handle() -> None:
        (calls.pop() if calls else second)()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, handle)
