"""The link to the server: scripts that run once each, and errors in our own words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from dialer.adapters.store.server import patient_twin
from dialer.errors import LeaseLost, StoreError

WAIT_FOR_DISK_MS = 1500  # less than a reply's time limit
_SCRIPTS = Path(__file__).parent / "scripts"


class ServerLink:
    """A client of one server, and a patient twin of it. `wait_for_disk`: the server does not sync each write itself."""

    def __init__(self, client: Redis, *, wait_for_disk: bool = False) -> None:
        self._client = client
        self._patient = patient_twin(client)
        self._wait_for_disk = wait_for_disk
        self._scripts = {path.stem: client.register_script(path.read_text()) for path in _SCRIPTS.glob("*.lua")}

    async def _run(self, name: str, keys: list[str], args: list[Any]) -> Any:
        """Run a script once; its answer comes with the write on disk. Only one unknown to the server is resent."""
        with translated():
            try:
                return await self._run_once(name, keys, args)
            except NoScriptError:
                await self._client.script_load(self._scripts[name].script)
                return await self._run_once(name, keys, args)

    async def _run_once(self, name: str, keys: list[str], args: list[Any]) -> Any:
        sha = self._scripts[name].sha
        return await self._write("EVALSHA", sha, len(keys), *keys, *args)

    async def _write(self, *command: Any) -> Any:
        """Send a command once; its answer comes with the write on disk."""
        client: Any = self._client  # the package leaves its commands untyped
        if not self._wait_for_disk:
            return await client.execute_command(*command)
        # WAITAOF waits for the writes of its own connection only: it must go in the pipeline of the command.
        async with client.pipeline(transaction=False) as pipe:
            pipe.execute_command(*command)
            pipe.execute_command("WAITAOF", 1, 0, WAIT_FOR_DISK_MS)
            answer, synced = await pipe.execute(raise_on_error=False)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(synced, Exception):
            raise synced
        if synced[0] < 1:
            raise StoreError(f"expected the write on the server's disk within {WAIT_FOR_DISK_MS} ms, was not")
        return answer


@contextlib.contextmanager
def _cancellable() -> Iterator[None]:
    """Let no cancellation get lost: the client sends with `asyncio.wait_for`, which before Python 3.12 swallows one
    that comes in the moment in which the sending ends. A task that is cancelled once would then go on for ever."""
    task = asyncio.current_task()
    asked = task.cancelling() if task is not None else 0
    try:
        yield
    finally:
        if task is not None and task.cancelling() > asked:
            raise asyncio.CancelledError


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn whatever the server or the link to it raises into `StoreError`."""
    try:
        with _cancellable():
            yield
    except ResponseError as error:
        if str(error).startswith("FENCED"):
            raise LeaseLost(f"expected to be the campaign's newest writer, was not: {error}") from error
        raise StoreError(f"expected the store to do as it was asked, it answered: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise StoreError(f"expected an answer of the store, was {type(error).__name__}: {error}") from error
    except msgspec.MsgspecError as error:
        raise StoreError(f"expected records of this version in the store, was: {error}") from error
