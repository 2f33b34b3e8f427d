"""Drives the asyncio runtime in virtual time: flat out, or held to a multiple of real time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sim.clock import VirtualClock


async def drive(
    clock: VirtualClock, quiet: Callable[[], Awaitable[None]], *, ended: Callable[[], bool], speed: float | None
) -> None:
    """Advance `clock` until `ended`; `speed` virtual seconds a real second, None for flat out.

    Time does not advance while anything is outstanding: `quiet` waits until every event is taken in and every reply
    of the store has come. So the order of events does not depend on how fast the store answers.
    """
    loop = asyncio.get_running_loop()
    began, origin = loop.time(), clock.now()
    while True:
        await quiet()
        due = clock.next_at
        if ended() or due is None:
            return
        if speed is not None:
            ahead = (due - origin) / speed - (loop.time() - began)
            if ahead > 0.001:
                await asyncio.sleep(ahead)
                continue  # something from outside may have come meanwhile
        clock.advance()
