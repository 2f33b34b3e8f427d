"""The store in memory and the store on a real server pass the same checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from check_store import CHECKS, AnyStore, Make

from dialer.adapters.store.memory import MemoryStore
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect


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
