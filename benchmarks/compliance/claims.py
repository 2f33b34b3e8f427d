"""The atomic claim of a batch of 100 leads, by five engines on one server that syncs every write to its disk.

Each engine is a process with a campaign of its own. A claim passes six caps, is recorded in four streams (as many as
any claim is) and is held against a registry of a million numbers. Calls end a few at a time, and their ends are written
meanwhile. Timed is the whole call: the batch made ready, sent, judged, on the disk, and the answer read.
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
from compliance.clearance import CapSlot, DialCandidate, ListCheck, Place
from compliance.streams import parts_of, streams_of
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.core.actions import Claim, Settlement
from dialer.core.lead import LeadProgress

COMMAND = "./run bench compliance"
SEEDS = (1,)
ENGINES, BATCH, PERSONS = 5, 100, 4000
# Of each engine. The bar's rate is 1.8 million calls an hour of all five, twice what we aim at.
BATCHES_PER_S, HURRIED_PER_S = 1.0, 4.0
SETTLED_AT_ONCE = 10
WARM_UP = 3  # batches of each engine that are not counted: the first ones make the link and send the scripts
GOAL_MS = 10.0
BEGIN = 1_763_672_400.0
DAY = 86400.0

NO_LINE = ("FAILED", "CONGESTION", "INVALID_NUMBER")  # what the caps on attempts do not count


def rows(quick: bool) -> list[Row]:
    """Return p50 and p99 of a claim of 100 leads at the bar's rate; for information, four times as often and with no
    pause."""
    paced, hurried, closely = measure(quick)
    claim = "of the atomic claim of 100 leads, 5 engines"
    return [
        _row(f"p99 {claim}, 1 batch/s each, ms", paced, 99, is_bar=True),
        _row(f"p50 {claim}, 1 batch/s each, ms", paced, 50),
        _row(f"p99 {claim}, 4 batches/s each, ms", hurried, 99),
        _row(f"p50 {claim}, 4 batches/s each, ms", hurried, 50),
        _row(f"p99 {claim}, with no pause, ms", closely, 99),
        _row(f"p50 {claim}, with no pause, ms", closely, 50),
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


def measure(quick: bool) -> tuple[list[float], list[float], list[float]]:
    """Return what every claim took, seconds: at the bar's rate, at the hurried one, one batch right after the other."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedValkey(Path(folder))
        asyncio.run(server.start())
        try:
            asyncio.run(_load_registry(server.socket_path, 50_000 if quick else 1_000_000))
            paced = _run(server.socket_path, batches=15 if quick else 120, per_s=BATCHES_PER_S)
            hurried = _run(server.socket_path, batches=30 if quick else 240, per_s=HURRIED_PER_S)
            return paced, hurried, _run(server.socket_path, batches=20 if quick else 200, per_s=None)
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
    who = DialCandidate(
        lead_id=f"L{lead}",
        person=f"P{lead}-{engine}",
        debt=f"D{engine}-{lead}",
        number=f"+573{engine}{lead:07d}",
        place=_BOGOTA,
        account=f"A{lead}-{engine}",
        subject=f"c{engine}",
    )
    streams, midnight = streams_of(who), at - at % DAY
    person, number, where = streams[0], streams[1], (f"d={who.debt}",)
    day, week = midnight + DAY, 7 * DAY
    caps = (
        CapSlot(rule="day", key=person, max=2, since=midnight, exclude=NO_LINE, resets_at=day),
        CapSlot(rule="7d", key=person, max=7, since=midnight - 6 * DAY, exclude=NO_LINE, resets_at=day),
        CapSlot(rule="7in7", key=person, where=where, max=7, since=at - week, exclude=NO_LINE, window_s=week),
        CapSlot(
            rule="4in30",
            key=number,
            also=f"n={who.number}",
            count="contact",
            max=40,
            since=at - 30 * DAY,
            window_s=30 * DAY,
        ),
        CapSlot(rule="talk", key=person, where=where, count="conversation", max=1, since=at - week, resets_at=day),
        CapSlot(rule="72h", key=person, count="conversation", max=1, since=at - 3 * DAY, window_s=3 * DAY),
    )
    return Claim(
        attempt_id=run * 2**24 + order,
        lead_id=who.lead_id,
        number=who.number,
        at=at,
        stop_keys=(f"lead:{who.lead_id}", *streams, "everything"),
        fact_keys=streams,
        fact=parts_of(who),
        caps=caps,
        person=who.person,
        lists=(_REGISTRY,),
        local_times=((2, 600),),
        profiles=("co-debt", "policy"),
        zones=_BOGOTA.zones,
    )


_BOGOTA = Place(("CO",), ("America/Bogota",))
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
