"""A TCP proxy in front of the manager interface, for faults that a real network has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType


class FaultyLink:
    """Passes everything on, until told otherwise. `heard` is all that came from the dialer so far.

    `swallowing`: what the switch says is dropped. `chunk`: it comes in pieces of that many bytes. `stall()`: nothing
    moves until `resume()`. `cut()`: all connections are closed. `refusing`: new ones are closed at once.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._closing = asyncio.Event()
        self.heard = b""
        self.swallowing = False
        self.refusing = False
        self.chunk = 0

    async def __aenter__(self) -> FaultyLink:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        # Its connections are cut, so each handler ends by itself; one that is cancelled would log that as a fault.
        self._closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        assert self._server is not None, "enter it first"
        return int(self._server.sockets[0].getsockname()[1])

    def stall(self) -> None:
        self._flows.clear()

    def resume(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refusing or self._closing.is_set():
            writer.transport.abort()
            return
        try:
            switch_reader, switch_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, switch_writer}
        pumps = [
            asyncio.ensure_future(_pump(reader, self._to_switch(switch_writer))),
            asyncio.ensure_future(_pump(switch_reader, self._to_dialer(writer))),
        ]
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait([*pumps, closing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (*pumps, closing):
                waiting.cancel()
            await asyncio.gather(*pumps, closing, return_exceptions=True)
            for end in (writer, switch_writer):
                end.transport.abort()
                self._writers.discard(end)

    def _to_switch(self, writer: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        async def forward(data: bytes) -> None:
            await self._flows.wait()
            self.heard += data
            writer.write(data)

        return forward

    def _to_dialer(self, writer: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        async def forward(data: bytes) -> None:
            await self._flows.wait()
            if self.swallowing:
                return
            step = self.chunk or len(data)
            for begin in range(0, len(data), step):
                writer.write(data[begin : begin + step])
                await asyncio.sleep(0)  # so that the pieces leave one by one

        return forward


async def _pump(reader: asyncio.StreamReader, forward: Callable[[bytes], Awaitable[None]]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            await forward(data)
