"""One campaign's writer in a process of its own: claims and settles at random, and writes down what it was granted.

Every person, debt and number has caps of its own, drawn by its name, so that all writers mean the same by them. One
more cap, which is never full, counts the whole stream: what it saw is a grant's place among all grants of the key.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from compliance.clearance import CapSlot
from compliance.rule import PeriodKind
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from tests.conformance.specimens import claim, settlement, slot

ZONE = ZoneInfo("America/Santiago")  # its clocks are set on 2026-04-04, within the time that is played
BEGIN = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()
PERSONS, DEBTS, NUMBERS = 40, 60, 80
ROUNDS, BATCH, HELD = 300, 6, 8
STEP_S = 3 * 3600.0
OUTCOMES = ("BUSY", "NO_ANSWER", "RPC", "UNKNOWN")
KINDS: tuple[tuple[PeriodKind, tuple[int, ...]], ...] = (
    ("rolling_hours", (1, 24, 72)),
    ("rolling_calendar_days", (2, 7, 30)),
    ("calendar_day", (1,)),
    ("calendar_week_mon", (1, 2)),
    ("calendar_month", (1,)),
)


class Cap(msgspec.Struct, frozen=True):
    """A rule for one key."""

    kind: PeriodKind
    n: int
    max: int
    ignores: tuple[str, ...]

    def begin(self, at: float) -> float:
        """Since when facts count at this moment."""
        if self.kind == "rolling_hours":
            return at - self.n * 3600.0
        today = datetime.fromtimestamp(at, ZONE).date()
        if self.kind == "calendar_week_mon":
            first = today - timedelta(days=today.weekday(), weeks=self.n - 1)
        elif self.kind == "calendar_month":
            first = today.replace(day=1)
        else:
            first = today - timedelta(days=self.n - 1)
        return datetime(first.year, first.month, first.day, tzinfo=ZONE).timestamp()


class Grant(msgspec.Struct):
    """What a writer was granted, and what came of it."""

    at: float
    keys: tuple[str, ...]
    places: tuple[int, ...]  # among the grants of each key
    seen: tuple[tuple[int, ...], ...]  # what the caps of each key had counted
    outcome: str = "PENDING"


def caps_of(key: str) -> tuple[Cap, ...]:
    """The caps of a key: of two kinds of period."""
    rng = random.Random(key)
    return tuple(
        Cap(kind, rng.choice(sizes), rng.randint(1, 5), rng.choice(((), ("BUSY",), ("BUSY", "NO_ANSWER"))))
        for kind, sizes in rng.sample(KINDS, 2)
    )


def slots(key: str, at: float) -> Iterator[CapSlot]:
    yield slot(key, rule="all", max=10**9, since=0.0)
    for cap in caps_of(key):
        window_s = cap.n * 3600.0 if cap.kind == "rolling_hours" else None
        yield slot(
            key,
            rule=cap.kind,
            max=cap.max,
            since=cap.begin(at),
            ignores=cap.ignores,
            window_s=window_s,
            resets_at=None if window_s else at + 3600.0,
        )


async def write(socket: Path, number: int) -> tuple[list[Grant], int]:
    """Claim and settle for `ROUNDS` rounds; returns the grants and how many claims were refused."""
    rng = random.Random(number)
    campaign, store = f"c{number}", RedisStore(connect(socket))
    await store.open_campaign(campaign, owner=f"here:{number}")
    grants, held, refused = list[Grant](), list[tuple[object, Grant]](), 0
    for turn in range(ROUNDS):
        batch = []
        for place in range(BATCH):
            at = BEGIN + turn * STEP_S + rng.uniform(-STEP_S, STEP_S)
            keys = tuple(f"{kind}:{rng.randrange(size)}" for kind, size in _KINDS_OF_KEYS)
            caps = [slot for key in keys for slot in slots(key, at)]
            batch.append(claim(turn * BATCH + place, f"L{turn}-{place}", *caps, at=at, facts=keys))
        answer = await store.reserve(campaign, batch)
        refused += len(answer.refusals)
        for entry in batch:
            seen = answer.seen.get(entry.attempt_id)
            if seen is not None:
                width = len(seen) // len(entry.fact_keys)
                parts = [seen[at : at + width] for at in range(0, len(seen), width)]
                grant = Grant(entry.at, entry.fact_keys, tuple(p[0] for p in parts), tuple(p[1:] for p in parts))
                grants.append(grant)
                held.append((entry, grant))
        rng.shuffle(held)
        while len(held) > HELD:
            entry, grant = held.pop()
            grant.outcome = rng.choice(OUTCOMES)
            await store.settle(campaign, [settlement(entry, grant.outcome)])  # type: ignore[arg-type]
    await store.close()
    return grants, refused


_KINDS_OF_KEYS = (("person", PERSONS), ("debt", DEBTS), ("number", NUMBERS))

if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()  # all begin at once
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))))
