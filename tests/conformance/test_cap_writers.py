"""Eight writers in processes of their own, each with a campaign, dial the same people: no cap is ever exceeded by one.

The processes race, so what each is granted differs from run to run; what is held against it is the order in which the
server granted, which the grants themselves tell, and a plain count.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
from cap_writer import BATCH, ROUNDS, Cap, Grant, caps_of
from specimens import brief

from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect

WRITERS = 8
ROOT = Path(__file__).parents[2]


def run_writers(socket: Path) -> tuple[list[Grant], int]:
    """Let all of them write at once; returns their grants and how many claims were refused."""
    command = [sys.executable, "-m", "tests.conformance.cap_writer", str(socket)]
    writers = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number in range(WRITERS)
    ]
    grants, refused = list[Grant](), 0
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(b"go\n")
            writer.stdin.flush()
        for writer in writers:
            output, _ = writer.communicate(timeout=60)
            assert writer.returncode == 0
            its_grants, its_refusals = msgspec.json.decode(output, type=tuple[list[Grant], int])
            grants += its_grants
            refused += its_refusals
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    return grants, refused


def by_key(grants: list[Grant]) -> dict[str, list[tuple[Grant, int]]]:
    """Each key's grants, in the order in which the server granted them, with the key's place in each."""
    found: dict[str, list[tuple[Grant, int]]] = defaultdict(list)
    for grant in grants:
        for place, key in enumerate(grant.keys):
            found[key].append((grant, place))
    for key, entries in found.items():
        entries.sort(key=lambda entry: entry[0].places[entry[1]])
        assert [grant.places[place] for grant, place in entries] == list(range(len(entries))), key
    return found


def judge_cap(cap: Cap, number: int, entries: list[tuple[Grant, int]]) -> bool:
    """Hold every grant against all that were granted before it; returns whether the cap was ever full."""
    full = False
    for position, (grant, place) in enumerate(entries):
        since = cap.begin(grant.at)
        before = [earlier for earlier, _ in entries[:position] if earlier.at >= since]
        most = len(before)  # what was settled by then is not known: at least those that count for good, at most all
        least = sum(earlier.outcome not in cap.ignores for earlier in before)
        seen = grant.seen[place][number]
        assert least <= seen <= most, (cap, seen, least, most)
        assert seen < cap.max, (cap, seen)
        full = full or seen == cap.max - 1
    return full


def test_no_cap_is_ever_exceeded_by_one(valkey_socket: Path) -> None:
    grants, refused = run_writers(valkey_socket)
    assert len(grants) + refused == WRITERS * ROUNDS * BATCH
    assert min(len(grants), refused) > 300
    full = Counter[str]()
    streams = by_key(grants)
    for key, entries in streams.items():
        for number, cap in enumerate(caps_of(key)):
            full[cap.kind] += judge_cap(cap, number, entries)
    assert len(full) == 5
    assert min(full.values()) > 0, f"a kind of period that no cap filled proves nothing: {full}"

    async def stored() -> dict[str, list[tuple[float, str]]]:
        store = RedisStore(connect(valkey_socket))
        try:
            return brief(await store.facts_of(list(streams)))
        finally:
            await store.close()

    facts = asyncio.run(stored())
    for key, entries in streams.items():
        assert facts[key] == sorted((grant.at, grant.outcome) for grant, _ in entries), key
