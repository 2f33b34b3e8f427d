"""The atomic claim of a batch of 100 leads, by five engines on one server that syncs every write to its disk.

Each engine is a process with a campaign of its own. A claim passes six caps, is recorded in six streams and is held
against a registry of a million numbers. Calls end a few at a time, and their ends are written meanwhile. Timed is the
whole call: the batch made ready, sent, judged, on the disk, and the answer read.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from benchmarks.report import Row
from compliance.clearance import CapSlot, ListCheck
from compliance.facts import ignored_outcomes
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.core.actions import Claim, Settlement
from dialer.core.lead import LeadProgress

COMMAND = "./run bench compliance"
SEEDS = (1,)
ENGINES, BATCH, PERSONS = 5, 100, 4000
BATCHES_PER_S = 4.0  # of each engine: 400 claims a second, more than 200 agents ask for
SETTLED_AT_ONCE = 10
WARM_UP = 3  # batches of each engine that are not counted: the first ones make the link and send the scripts
GOAL_MS = 10.0
BEGIN = 1_763_672_400.0
DAY = 86400.0

_ATTEMPTS = ignored_outcomes("attempt", ("voice",), ("FAILED", "CONGESTION", "INVALID_NUMBER"))
_CONTACTS = ignored_outcomes("contact", ("voice",), ())
_CONVERSATIONS = ignored_outcomes("conversation", ("voice",), ())


def rows(quick: bool) -> list[Row]:
    """Return p50 and p99 of a claim of 100 leads at a realistic rate (the bar), and with no pause (for information)."""
    paced, closely = measure(quick)
    return [
        _row("p99 of the atomic claim of 100 leads, 5 engines, 4 batches/s each, ms", paced, 99, is_bar=True),
        _row("p50 of the atomic claim of 100 leads, 5 engines, 4 batches/s each, ms", paced, 50),
        _row("p99 of the same with no pause between batches, ms", closely, 99),
        _row("p50 of the same with no pause between batches, ms", closely, 50),
    ]


def _row(bar: str, taken_s: Sequence[float], percentile: int, *, is_bar: bool = False) -> Row:
    value = round(1000 * float(np.percentile(taken_s, percentile)), 2)
    return Row(
        bench="compliance",
        bar=bar,
        value=value,
        goal=f"< {GOAL_MS:g}" if is_bar else "–",
        met=value < GOAL_MS if is_bar else None,
        command=COMMAND,
    )


def measure(quick: bool) -> tuple[list[float], list[float]]:
    """Return what every claim took, seconds: at a realistic rate, and one batch right after the other."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedValkey(Path(folder))
        asyncio.run(server.start())
        try:
            asyncio.run(_load_registry(server.socket_path, 50_000 if quick else 1_000_000))
            paced = _run(server.socket_path, batches=40 if quick else 240, per_s=BATCHES_PER_S)
            return paced, _run(server.socket_path, batches=20 if quick else 200, per_s=None)
        finally:
            asyncio.run(server.stop())


async def _load_registry(socket: Path, count: int) -> None:
    store = RedisStore(connect(socket))
    await store.replace_registry("pe", (f"+519{number:08d}" for number in range(count)), as_of=BEGIN, source="made up")
    await store.close()


def _run(socket: Path, *, batches: int, per_s: float | None) -> list[float]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(ENGINES)
    with context.Pool(ENGINES, initializer=_share, initargs=(barrier,)) as pool:
        work = [(socket, engine, batches, per_s) for engine in range(ENGINES)]
        return [taken for answers in pool.starmap(_engine, work, chunksize=1) for taken in answers]


_barrier: Barrier | None = None


def _share(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _engine(socket: Path, engine: int, batches: int, per_s: float | None) -> list[float]:
    return asyncio.run(_claim_and_settle(socket, engine, batches, per_s))


async def _claim_and_settle(socket: Path, engine: int, batches: int, per_s: float | None) -> list[float]:
    rng = random.Random(engine)
    store = RedisStore(connect(socket))
    opening = await store.open_campaign(f"c{engine}", owner=f"bench:{engine}")
    assert _barrier is not None
    _barrier.wait()
    taken, next_at = list[float](), time.perf_counter()
    for number in range(batches):
        if per_s is not None:
            next_at += rng.expovariate(per_s)
            await asyncio.sleep(max(0.0, next_at - time.perf_counter()))
        claims = _batch(engine, opening.run, number)
        begin = time.perf_counter()
        answer = await store.reserve(f"c{engine}", claims)
        taken.append(time.perf_counter() - begin)
        assert not answer.refusals, answer.refusals[0]
        for first in range(0, BATCH, SETTLED_AT_ONCE):
            if per_s is not None:
                await asyncio.sleep(SETTLED_AT_ONCE / BATCH / per_s / 2)
            ended = claims[first : first + SETTLED_AT_ONCE]
            await store.settle(f"c{engine}", [_settled(entry) for entry in ended])
    await store.close()
    return taken[WARM_UP:]


def _batch(engine: int, run: int, number: int) -> list[Claim]:
    """A batch of leads; each lap through the persons is two days later, so that their day is free again."""
    lap, first = divmod(number * BATCH, PERSONS)
    at = BEGIN + 2 * DAY * (lap + 20 * run)
    return [_claim(engine, run, number * BATCH + place, (first + place) % PERSONS, at) for place in range(BATCH)]


def _claim(engine: int, run: int, order: int, lead: int, at: float) -> Claim:
    person, number, debt = f"P{lead}", f"+573{engine}{lead:07d}", f"D{engine}-{lead}"
    keys = (
        f"person:{person}-{engine}",
        f"debt:{debt}",
        f"number:{number}",
        f"account:A{lead}-{engine}",
        f"person+debt:{person}|{debt}",
        f"person+account:{person}|A{lead}",
    )
    midnight = at - at % DAY
    caps = (
        CapSlot(rule="day", key=keys[0], max=2, since=midnight, ignores=_ATTEMPTS, resets_at=midnight + DAY),
        CapSlot(rule="7d", key=keys[0], max=7, since=midnight - 6 * DAY, ignores=_ATTEMPTS, resets_at=midnight + DAY),
        CapSlot(rule="7in7", key=keys[4], max=7, since=at - 7 * DAY, ignores=_ATTEMPTS, window_s=7 * DAY),
        CapSlot(rule="4in30", key=keys[2], max=40, since=at - 30 * DAY, ignores=_CONTACTS, window_s=30 * DAY),
        CapSlot(rule="talk", key=keys[4], max=1, since=at - 7 * DAY, ignores=_CONVERSATIONS, resets_at=midnight + DAY),
        CapSlot(rule="72h", key=keys[0], max=1, since=at - 3 * DAY, ignores=_CONVERSATIONS, window_s=3 * DAY),
    )
    return Claim(
        attempt_id=run * 2**24 + order,
        lead_id=f"L{lead}",
        number=number,
        at=at,
        stop_keys=(f"lead:L{lead}", f"number:{number}", f"person:{person}", f"debt:{debt}", "everything"),
        fact_keys=keys,
        caps=caps,
        person=person,
        lists=(_REGISTRY,),
        local_times=((2, 600),),
        profiles=("co-debt", "policy"),
        zones=("America/Bogota",),
    )


_REGISTRY = ListCheck(registry="pe", fresh_since=BEGIN - 30 * DAY, when_stale="block", rule="co-dnc")


def _settled(claim: Claim) -> Settlement:
    return Settlement(
        attempt_id=claim.attempt_id,
        lead_id=claim.lead_id,
        number=claim.number,
        at=claim.at + 30,
        disposition="NO_ANSWER",
        reserved_at=claim.at,
        originated_at=claim.at,
        answered_at=None,
        bridged_at=None,
        ended_at=claim.at + 30,
        agent_id=None,
        trunk=None,
        caller_id=None,
        fact_keys=claim.fact_keys,
        progress=LeadProgress(lead_id=claim.lead_id, attempts=1),
    )
