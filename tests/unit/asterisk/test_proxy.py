"""The lab's faulty link: it closes without a word, whatever state its connections are in."""

from __future__ import annotations

import asyncio
import logging

import pytest

from dialer.lab.proxy import FaultyLink
from tests.unit.asterisk.fake_switch import BANNER, FakeSwitch


@pytest.mark.parametrize("state", ["flowing", "stalled", "cut", "refusing"])
async def test_closing_says_nothing(state: str, caplog: pytest.LogCaptureFixture) -> None:
    async with FakeSwitch() as switch, FaultyLink("127.0.0.1", switch.port) as proxy:
        proxy.refusing = state == "refusing"
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read(100) == (b"" if proxy.refusing else BANNER)
        if state == "stalled":
            proxy.stall()
            writer.write(b"Action: Ping\r\n\r\n")
        elif state == "cut":
            proxy.cut()
        await asyncio.sleep(0)
    writer.close()
    for _ in range(5):
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_what_passes_is_heard() -> None:
    async with FakeSwitch() as switch, FaultyLink("127.0.0.1", switch.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.readexactly(len(BANNER)) == BANNER
        writer.write(b"Action: Ping\r\n\r\n")
        assert b"Success" in await reader.readuntil(b"\r\n\r\n")
        assert proxy.heard == b"Action: Ping\r\n\r\n"
        proxy.cut()
        assert await reader.read() == b""
        writer.close()
