"""Connections to a Redis or Valkey server, and what is expected of it."""

from __future__ import annotations

import re
from pathlib import Path

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from dialer.errors import ConfigError, StoreError

REPLY_TIMEOUT_S = 2.0


def connect(where: str | Path) -> Redis:
    """Return a client for a URL or a unix socket; it connects at the first command.

    Nothing is sent twice: a script whose answer was lost may have run, and only the engine knows what that means.
    """
    never_again = Retry(NoBackoff(), 0)
    if isinstance(where, Path):
        return Redis(
            unix_socket_path=str(where),
            socket_timeout=REPLY_TIMEOUT_S,
            socket_connect_timeout=REPLY_TIMEOUT_S,
            retry=never_again,
        )
    try:
        return Redis.from_url(
            where, socket_timeout=REPLY_TIMEOUT_S, socket_connect_timeout=REPLY_TIMEOUT_S, retry=never_again
        )
    except ValueError as error:
        raise ConfigError(f"--redis-url: expected redis://HOST:PORT/DB, rediss:// or unix:///PATH: {error}") from None


def patient_twin(client: Redis) -> Redis:
    """Return a client of the same server without time limits of its own, for what waits or may come late.

    Whoever uses it sets one with `asyncio.timeout`: a link that a network swallowed says nothing, ever.
    """
    pool = client.connection_pool
    kwargs = {**pool.connection_kwargs, "socket_timeout": None, "socket_connect_timeout": None}
    return Redis.from_pool(ConnectionPool(connection_class=pool.connection_class, **kwargs))


async def check_server(client: Redis, url: str) -> bool:
    """Return whether writes must be waited for with `WAITAOF`. Raises `ConfigError` naming what the server lacks."""
    try:
        info = await client.info()
    except (RedisError, OSError) as error:
        raise StoreError(f"expected a Redis or Valkey server at {without_password(url)}, was: {error}") from error
    where = f"--redis-url {without_password(url)}: expected"
    faults = []
    if info.get("cluster_enabled"):
        faults.append(f"{where} one server or one with replicas, was a cluster")
    if str(info.get("maxmemory_policy", "noeviction")) != "noeviction":
        faults.append(
            f"{where} maxmemory-policy noeviction (caps must not be forgotten), was {info['maxmemory_policy']}"
        )
    if not info.get("aof_enabled"):
        faults.append(f"{where} appendonly yes (a claim must outlive a crash), was no: CONFIG SET appendonly yes")
    if faults:
        raise ConfigError(*faults)
    return await _must_wait(client, where)


async def _must_wait(client: Redis, where: str) -> bool:
    try:
        if (await client.config_get("appendfsync")).get("appendfsync") == "always":
            return False
    except ResponseError:
        pass  # a hosted server may forbid CONFIG: then wait, which is always right
    try:
        await client.waitaof(0, 0, 1)
    except ResponseError:
        raise ConfigError(f"{where} appendfsync always, or a server that has WAITAOF (Redis 7.2, Valkey 7.2)") from None
    return True


def without_password(url: str) -> str:
    """Return the URL for messages and logs."""
    return re.sub("//.*@", "//", url).partition("?")[0]
