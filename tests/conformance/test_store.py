"""The store in memory and the store on a real server pass the same checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from check_claims import CHECKS as CLAIM_CHECKS
from check_records import CHECKS as RECORD_CHECKS
from check_store import CHECKS as CAMPAIGN_CHECKS
from specimens import DAY, NOW, AnyStore, Make, claim

from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect

CHECKS = {**CAMPAIGN_CHECKS, **CLAIM_CHECKS, **RECORD_CHECKS}


@pytest.fixture(params=["memory", "valkey", "valkey, waiting for its disk"])
async def make(request: pytest.FixtureRequest, valkey_socket: Path) -> AsyncIterator[Make]:
    if request.param == "memory":
        data = MemoryStore().data
        yield lambda: MemoryStore(data)
        return
    stores: list[RedisStore] = []

    def another() -> AnyStore:
        stores.append(RedisStore(connect(valkey_socket), wait_for_disk=request.param != "valkey"))
        return stores[-1]

    yield another
    for store in stores:
        await store.close()


@pytest.mark.parametrize("check", CHECKS)
async def test_store(check: str, make: Make) -> None:
    await CHECKS[check](make)


async def test_memory_forgets_old_facts() -> None:
    """A server does so now and then: what it keeps in between no cap can see."""
    store = MemoryStore()
    await store.open_campaign("mora", owner="here:1")
    for number, age in enumerate((371, 369, 0)):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=NOW - age * DAY)])
    assert [fact.at for fact in (await store.facts_of(["person:P"]))["person:P"]] == [NOW - 369 * DAY, NOW]
