"""A manager interface of a few lines, for what a real switch does not do on demand."""

from __future__ import annotations

import asyncio
from types import TracebackType

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


class FakeSwitch:
    """Lets in, lists no channels and answers pings, until told otherwise. `heard` is every action so far.

    `refusing`: logins are refused. `deaf`: nothing is answered. `in_listing`: said just before a list is complete.
    """

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.channels: list[dict[str, str]] = []
        self.in_listing: list[dict[str, str]] = []
        self.refusing = False
        self.deaf = False
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> FakeSwitch:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def say(self, **message: str) -> None:
        self.send(packet(message))

    def send(self, data: bytes) -> None:
        self._writers[-1].write(data)

    def count(self, action: str) -> int:
        return sum(message.get("Action") == action for message in self.heard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(BANNER)
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                action = dict(line.split(": ", 1) for line in raw.decode().split("\r\n") if line)
                self.heard.append(action)
                if not self.deaf:
                    self._answer(action, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        tag = {"ActionID": action.get("ActionID", "")}
        match action["Action"]:
            case "Login" if self.refusing:
                writer.write(packet({"Response": "Error", **tag, "Message": "Authentication failed"}))
                writer.close()
            case "Login":
                writer.write(packet({"Response": "Success", **tag}) + packet({"Event": "FullyBooted"}))
            case "CoreShowChannels":
                writer.write(packet({"Response": "Success", **tag, "EventList": "start"}))
                for channel in self.channels:
                    writer.write(packet({"Event": "CoreShowChannel", **tag, **channel}))
                for message in self.in_listing:
                    writer.write(packet(message))
                writer.write(packet({"Event": "CoreShowChannelsComplete", **tag, "EventList": "Complete"}))
            case _:
                writer.write(packet({"Response": "Success", **tag}))


def packet(message: dict[str, str]) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in message.items()).encode() + b"\r\n"
