"""Ctrl-C once, twice, thrice; SIGTERM and its limit; the errors of a group."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from dialer.cli.loop import on_interrupt, run_async

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Whatever a test sets, the test run's own handlers come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    for _ in range(5):
        await asyncio.sleep(0.001)


async def test_the_first_ctrl_c_drains_and_the_second_hangs_up_and_a_third_would_end_the_program() -> None:
    heard: list[str] = []
    on_interrupt(lambda by: heard.append(f"drain {by}"), lambda by: heard.append(f"stop {by}"), drain_limit_s=60.0)
    await send(signal.SIGINT)
    assert heard == ["drain Ctrl-C"]
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_DFL
    await send(signal.SIGINT)
    assert heard == ["drain Ctrl-C", "stop Ctrl-C"]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


async def test_sigterm_drains_and_hangs_up_after_its_limit() -> None:
    heard: list[str] = []
    stopped = asyncio.Event()

    def stop(by: str) -> None:
        heard.append(f"stop {by}")
        stopped.set()

    on_interrupt(lambda by: heard.append(f"drain {by}"), stop, drain_limit_s=0.02)
    await send(signal.SIGTERM)
    assert heard[0] == "drain SIGTERM"
    async with asyncio.timeout(5.0):
        await stopped.wait()
    assert len(heard) == 2 and heard[1].startswith("stop SIGTERM")


async def test_ctrl_c_has_no_limit_of_its_own() -> None:
    heard: list[str] = []
    on_interrupt(lambda by: heard.append(by), lambda by: heard.append(f"stop {by}"), drain_limit_s=0.005)
    await send(signal.SIGINT)
    await asyncio.sleep(0.02)
    assert heard == ["Ctrl-C"]


def test_a_group_with_one_failure_raises_that_failure() -> None:
    async def fails(*errors: Exception) -> None:
        raise ExceptionGroup("tasks", errors)

    with pytest.raises(ValueError, match="the only one"):
        run_async(fails(ValueError("the only one")))
    with pytest.raises(ExceptionGroup):
        run_async(fails(ValueError("one"), KeyError("two")))


def test_a_result_is_returned() -> None:
    async def answers() -> int:
        return 42

    assert run_async(answers()) == 42
