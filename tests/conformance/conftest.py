"""One real server for the session, in a temporary folder; each test finds it empty."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dialer.adapters.store.embedded import EmbeddedValkey


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def valkey_socket(valkey_server: EmbeddedValkey) -> Path:
    with redis.Redis(unix_socket_path=str(valkey_server.socket_path)) as client:
        client.flushall()
    return valkey_server.socket_path
