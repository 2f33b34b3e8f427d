"""The store's server killed, frozen and filled under a campaign: nothing is dialled unrecorded, nothing lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import ConnectionError as ServerGone

from dialer.adapters.store import embedded
from dialer.errors import LeaseLost
from tests.faults.store_bench import Bench, Call, Fault, campaign_on

BACK_WITHIN_S = 10.0


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lead whose claim was lost rests for a minute, and a server that dies often is started ever later: not here."""
    monkeypatch.setattr(embedded, "RESTART_WAITS_S", (0.1,))
    monkeypatch.setattr("dialer.core.settling.UNDIALLED_REST_S", 0.1)


async def until(condition: Callable[[], bool], within_s: float = BACK_WITHIN_S) -> float:
    """Wait; returns the loop's time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
    return loop.time()


def answers(bench: Bench) -> bool:
    try:
        with bench.admin() as admin:
            return bool(admin.ping())
    except redis.RedisError:
        return False


# ---- killed -------------------------------------------------------------------------------------------------
async def killed_before_the_call(bench: Bench, call: Call) -> Any:
    bench.kill()
    return await call()


async def killed_with_the_call_unread(bench: Bench, call: Call) -> Any:
    bench.signal(signal.SIGSTOP)
    pending = asyncio.ensure_future(call())
    await asyncio.sleep(0.05)
    bench.kill()
    return await pending


async def killed_and_the_reply_lost(bench: Bench, call: Call) -> Any:
    await call()
    bench.kill()
    raise ServerGone("the reply was lost")


async def killed_after_the_reply(bench: Bench, call: Call) -> Any:
    answer = await call()
    bench.kill()
    return answer


KILLS: tuple[Fault, ...] = (
    killed_before_the_call,
    killed_with_the_call_unread,
    killed_and_the_reply_lost,
    killed_after_the_reply,
)


@pytest.mark.parametrize("fault", KILLS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("script", ["reserve", "settle"])
async def test_a_server_killed_between_write_and_call(tmp_path: Path, script: str, fault: Fault) -> None:
    async with campaign_on(tmp_path, count=14) as bench:
        checked: list[set[int]] = []

        async def kill_and_look(bench: Bench, call: Call) -> Any:
            placed = set(bench.exchange.originated)
            asyncio.get_running_loop().call_later(0.0, placed.update, bench.exchange.originated)
            checked.append(placed)
            return await fault(bench, call)

        bench.store.faults = {(script, 2): kill_and_look, (script, 6): kill_and_look}
        await bench.dial_all()
        assert len(checked) == len(bench.kills) == 2
        bench.judge()
        # After the reply nothing was under way: the server may be back before anybody asks again.
        assert bench.stalls() or fault is killed_after_the_reply
        for killed_at in bench.kills:
            after = [at for at in bench.exchange.originated.values() if at > killed_at + 0.1]
            assert after and min(after) - killed_at < BACK_WITHIN_S


async def test_what_was_dialled_is_known_to_the_server_that_was_started_again(tmp_path: Path) -> None:
    """Killed at any moment, six times: whoever was being dialled stands in the very first answer of the next server."""
    async with campaign_on(tmp_path, count=90) as bench:
        running = asyncio.create_task(bench.runtime.run())
        for number in range(6):
            known = len(bench.exchange.originated)
            await until(lambda known=known: len(bench.exchange.originated) > known + 2)  # type: ignore[misc]
            await asyncio.sleep(0.013 * number)
            bench.kill()
            placed = set(bench.exchange.originated)
            await until(lambda: answers(bench))
            assert placed <= set(bench.recorded())
        await bench.drain(running)
        bench.judge()


# ---- frozen -------------------------------------------------------------------------------------------------
async def test_a_frozen_server(tmp_path: Path) -> None:
    """Launching stops, those who talk finish, those who answer are bridged, and it goes on."""
    async with campaign_on(tmp_path, count=24) as bench:
        running = asyncio.create_task(bench.runtime.run())
        await until(lambda: len(bench.exchange.talked) >= 3)
        begin = asyncio.get_running_loop().time()
        bench.signal(signal.SIGSTOP)
        await asyncio.sleep(5)
        end = asyncio.get_running_loop().time()
        bench.signal(signal.SIGCONT)
        assert bench.originated_between(begin + 0.05, end) == []
        talked_during = [since for since, until_ in bench.exchange.talked.values() if begin < until_ < end]
        assert talked_during  # conversations ended in their own time
        assert bench.runtime.engine.status().talking == 0
        assert not bench.runtime.engine.store_ok
        again = await until(lambda: bool(bench.originated_between(end, float("inf"))))
        assert again - end < BACK_WITHIN_S
        await bench.dial_all(running)
        bench.judge()
        assert all(until_ - since < 1.0 for since, until_ in bench.exchange.talked.values())


# ---- full ---------------------------------------------------------------------------------------------------
async def test_a_full_memory(tmp_path: Path) -> None:
    async with campaign_on(tmp_path, count=24) as bench:
        running = asyncio.create_task(bench.runtime.run())
        await until(lambda: len(bench.exchange.talked) >= 3)
        with bench.admin() as admin:
            admin.config_set("maxmemory", "100kb")
        begin = asyncio.get_running_loop().time()
        await asyncio.sleep(0.8)
        end = asyncio.get_running_loop().time()
        assert bench.originated_between(begin + 0.05, end) == []
        assert bench.runtime.engine.status().talking == 0
        assert bench.unrecorded() == set()
        with bench.admin() as admin:
            admin.config_set("maxmemory", 0)
        await until(lambda: bool(bench.originated_between(end, float("inf"))))
        await bench.dial_all(running)
        bench.judge()
        assert bench.stalls()


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends itself, or is ended, at the first write; started again it ends again, until there is room."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("no prlimit: Linux only")
    full = tmp_path / "full"
    program = tmp_path / "server-on-a-small-disk"
    program.write_text(f'#!/bin/sh\n[ ! -e {full} ] || ulimit -f 0\nexec {embedded.server_program()} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(embedded, "server_program", lambda: program)
    async with campaign_on(tmp_path / "data", count=24) as bench:
        running = asyncio.create_task(bench.runtime.run())
        await until(lambda: len(bench.exchange.talked) >= 3)
        full.touch()
        resource.prlimit(bench.pid, resource.RLIMIT_FSIZE, (0, 0))
        begin = asyncio.get_running_loop().time()
        await asyncio.sleep(1.2)
        end = asyncio.get_running_loop().time()
        assert bench.originated_between(begin + 0.05, end) == []
        assert bench.runtime.engine.status().talking == 0
        assert not answers(bench)
        full.unlink()
        await until(lambda: bool(bench.originated_between(end, float("inf"))))
        await bench.dial_all(running)
        bench.judge()


# ---- overtaken ----------------------------------------------------------------------------------------------
async def test_an_overtaken_run_ends_at_its_next_write(tmp_path: Path) -> None:
    async with campaign_on(tmp_path, count=24) as bench:
        running = asyncio.create_task(bench.runtime.run())
        await until(lambda: len(bench.exchange.talked) >= 3)
        with bench.admin() as admin:
            admin.incr("cadencia:campaign:mora:run")
        overtaken_at = asyncio.get_running_loop().time()
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(running, 5)
        assert bench.originated_between(overtaken_at + 0.05, float("inf")) == []
        assert bench.unrecorded() == set()


# ---- a disk that is written once a second -------------------------------------------------------------------
async def test_an_answer_of_a_server_that_syncs_once_a_second_outlives_a_kill(tmp_path: Path) -> None:
    """A kill spares what the system has yet to write, so this shows that the waiting store dials and recovers. That an
    answer waits for the disk itself, a server that never syncs shows (`tests/conformance/test_redis_store.py`)."""
    async with campaign_on(tmp_path, wait_for_disk=True, count=400) as bench:
        running = asyncio.create_task(bench.runtime.run())
        for number in range(5):
            await until(lambda: answers(bench))
            with bench.admin() as admin:
                admin.config_set("appendfsync", "everysec")
            known = set(bench.exchange.originated)
            await until(lambda known=known: len(bench.exchange.originated) >= len(known) + 1)  # type: ignore[misc]
            bench.kill()
            placed = set(bench.exchange.originated)
            await until(lambda: answers(bench))
            assert placed <= set(bench.recorded()), number
        await bench.drain(running)
        bench.judge()
