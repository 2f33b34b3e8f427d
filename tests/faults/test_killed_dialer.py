"""The dialer killed with -9 again and again on one store: nobody is dialled above a cap, and no attempt is uncounted.

Every person may be called twice a day, whatever their debts and numbers, and would be called again at once: the cap is
all that stands between a claim that a death forgot and a third call. What was placed is what the switch wrote down.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import redis

from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.runtime import CRASH_POINTS
from tests.faults.killed_dialer import LEADS_A_PERSON, PERSONS, PLACING, dial, leads
from tests.faults.store_bench import NAME, OFFICE_HOURS

NIGHTLY = bool(os.environ.get("CADENCIA_NIGHTLY"))
CALLS_A_DAY = 2  # of the house policy, for each person
NOT_COUNTED = {"FAILED", "CONGESTION", "INVALID_NUMBER"}
PERSON_OF = {lead.numbers[0].e164: lead.person for lead in leads()}


class Bench:
    """One store, and one dialer after another on it."""

    def __init__(self, folder: Path, server: EmbeddedValkey) -> None:
        self.placed_file = folder / "placed"
        self._socket = server.socket_path
        self._shift_s = (OFFICE_HOURS - datetime.now(UTC)).total_seconds()
        self._lives = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.faults.warm_dialer"])
        asyncio.run(self._add_leads())

    async def _add_leads(self) -> None:
        store = RedisStore(connect(self._socket))
        await store.add_leads(NAME, leads())
        await store.close()

    def start(self, point: str = "", passage: int = 1) -> BaseProcess:
        self._lives += 1
        program = self._context.Process(
            target=dial, args=(self._socket, self.placed_file, self._shift_s, self._lives, point, passage)
        )
        program.start()
        return program

    def ended(self, program: BaseProcess) -> int | None:
        program.join(60)
        return program.exitcode

    def placed(self) -> list[tuple[str, str]]:
        """(attempt, number) of every call that was ever placed."""
        if not self.placed_file.exists():
            return []
        return [(attempt, number) for attempt, number in map(str.split, self.placed_file.read_text().splitlines())]

    def judge(self) -> Counter[str]:
        """Hold what was placed against what the store knows; returns the calls of each person."""
        placed = self.placed()
        assert len({attempt for attempt, _ in placed}) == len(placed), "an attempt was placed twice"
        calls = Counter(PERSON_OF[number] for _, number in placed)
        assert max(calls.values(), default=0) <= CALLS_A_DAY, f"above the cap: {calls.most_common(3)}"
        with redis.Redis(unix_socket_path=str(self._socket)) as admin:
            known = {
                key: [member.decode().split("|") for member in admin.zrange(f"cadencia:facts:{key}", 0, -1)]
                for key in {f"number:{number}" for number in PERSON_OF} | {f"person:P{n}" for n in range(PERSONS)}
            }
        for attempt, number in placed:
            for key in (f"number:{number}", f"person:{PERSON_OF[number]}"):
                assert attempt in {fact[2] for fact in known[key]}, f"attempt {attempt} is uncounted in {key}"
        for key, facts in known.items():
            counted = [fact for fact in facts if fact[-1] not in NOT_COUNTED]
            assert len(counted) <= CALLS_A_DAY or key.startswith("number:"), f"{key}: {facts}"
        return calls

    def judge_end(self) -> None:
        """The last dialer went through with it: nothing is open, and the cap was all that stopped it."""
        calls = self.judge()
        with redis.Redis(unix_socket_path=str(self._socket)) as admin:
            assert admin.hlen(f"cadencia:campaign:{NAME}:in_flight") == 0
            assert admin.hlen(f"cadencia:campaign:{NAME}:held") == 0
            outcomes = [
                [member.decode().rpartition("|")[2] for member in admin.zrange(f"cadencia:facts:person:P{n}", 0, -1)]
                for n in range(PERSONS)
            ]
        assert not any("PENDING" in known for known in outcomes)
        # Of a call that a death cut nothing is known, so it may have been an abandoned one: it closes the person's day.
        assert all(len(known) == CALLS_A_DAY or "UNKNOWN" in known for known in outcomes), outcomes
        assert sum(len(known) == CALLS_A_DAY for known in outcomes) >= PERSONS // 6
        assert sum(calls.values()) >= PERSONS * 3 // 4


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    server = EmbeddedValkey(tmp_path)
    asyncio.run(server.start())
    try:
        yield Bench(tmp_path, server)
    finally:
        asyncio.run(server.stop())


def test_killed_at_every_point_of_a_dial(bench: Bench) -> None:
    """Between the claim and the call, in the middle of a batch of calls, after it, after its end is recorded."""
    assert LEADS_A_PERSON == CALLS_A_DAY
    passages = (1, 2, 3, 5, 8) if NIGHTLY else (1, 3)
    deaths = [(point, passage) for point in (*CRASH_POINTS, PLACING) for passage in passages]
    random.Random(6).shuffle(deaths)
    for point, passage in deaths[: 24 if NIGHTLY else None]:
        assert bench.ended(bench.start(point, passage)) == -signal.SIGKILL, (point, passage)
        bench.judge()
    assert bench.ended(bench.start()) == 0
    bench.judge_end()


def test_killed_at_any_moment(bench: Bench) -> None:
    rng = random.Random(7)
    for _ in range(30 if NIGHTLY else 8):
        before = len(bench.placed())
        program = bench.start()
        deadline = time.monotonic() + 30
        while len(bench.placed()) <= before:
            assert time.monotonic() < deadline, "nobody was dialled"
            assert program.is_alive(), "nobody is left to be dialled: it proves nothing"
        time.sleep(rng.uniform(0.0, 0.15))
        program.kill()
        assert bench.ended(program) == -signal.SIGKILL
        bench.judge()
    assert bench.ended(bench.start()) == 0
    bench.judge_end()
