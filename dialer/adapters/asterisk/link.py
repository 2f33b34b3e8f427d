"""One connection to the manager interface, on panoramisk's protocol and parser.

What of panoramisk is used: its message parser, and its protocol class as the base. What is not: its futures (many
never resolve), its reconnect (it sends unanswered actions again, so it can dial twice) and its receive path, which is
replaced here: there, an exception in a callback closes the connection, a character split over two segments is lost,
and data that comes early finds it unprepared.

How it works: bytes are cut into messages at empty lines, and messages are handed on in batches, one batch a turn of
the loop; while some are left over, nothing more is read. So a flood slows the switch down, not the dialer, and no
more is ever held than one read and one message.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message as WireMessage

from dialer.adapters.asterisk.translate import HEARD_EVENTS, Message

BANNER = b"Asterisk Call Manager/"
MAX_BANNER = 128
# A message of the switch has about 500 bytes; what is longer than this does not come from a switch.
MAX_MESSAGE = 1 << 16
BATCH = 100  # messages a turn of the loop, a few milliseconds
_END = b"\r\n\r\n"
_EVENT = b"Event: "


class ManagerLink(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Hands each whole message to `hear`, and says `lost` once, with a reason. A fault in `hear` goes to `faulty`."""

    def __init__(
        self,
        hear: Callable[[ManagerLink, Message], None],
        lost: Callable[[ManagerLink, str], None],
        faulty: Callable[[Message, Exception], None],
    ) -> None:
        self.heard_at = time.monotonic()  # the last sign of life
        self._hear = hear
        self._lost = lost
        self._faulty = faulty
        self._pending = bytearray()
        self._searched = 0  # so much of `_pending` holds no end of a message
        self._backlog: deque[bytes] = deque()
        self._resting = False  # the rest of the backlog is handed on in the next turn of the loop
        self._greeted = False
        self._gone = False

    @property
    def gone(self) -> bool:
        """Whether it is lost or closed: nothing comes or goes any more."""
        return self._gone

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # panoramisk answers through its factory; here nothing is left for it to answer.
        self.factory = None

    def data_received(self, data: bytes) -> None:
        """Cut the stream into messages. Only whole messages are decoded, so no character is ever split."""
        if self._gone:
            return
        self.heard_at = time.monotonic()
        self._pending += data
        if (self._greeted or self._greet()) and self._cut() and not self._resting:
            self._hand_on()

    def connection_lost(self, exc: Exception | None) -> None:
        while self._backlog and not self._gone:
            self._take(self._backlog.popleft())
        self._say_lost("the switch closed the connection" if exc is None else f"connection failed: {exc}")

    def write(self, data: bytes) -> None:
        """Send messages, once. What cannot be sent any more is dropped: the outcome is then found by listing."""
        if not self._gone:
            self.transport.write(data)

    def drop(self, reason: str) -> None:
        """Give the connection up, with everything that is still unsent."""
        self._say_lost(reason)
        self.transport.abort()

    def close(self) -> None:
        """Close in good order, after what is still unsent. Nothing is said about it."""
        self._gone = True
        self.transport.close()

    # ---- from bytes to messages -------------------------------------------------------------------------------
    def _greet(self) -> bool:
        banner, end, rest = bytes(self._pending).partition(b"\r\n")
        if not banner.startswith(BANNER[: len(banner)]) or len(banner) > MAX_BANNER:
            self.drop(f"expected an Asterisk manager interface, found {banner[:40]!r}")
            return False
        if not end:
            return False
        self._greeted = True
        self._pending = bytearray(rest)
        return True

    def _cut(self) -> bool:
        """Move whole messages to the backlog. Drops a link that sends a message without an end."""
        if self._pending.find(_END, max(0, self._searched - len(_END) + 1)) >= 0:
            *whole, self._pending = self._pending.split(_END)
            self._backlog.extend(bytes(message) for message in whole)
        self._searched = len(self._pending)
        if self._searched > MAX_MESSAGE:
            self.drop(f"expected messages of at most {MAX_MESSAGE} bytes from the switch")
            return False
        return True

    def _hand_on(self) -> None:
        """Hand on one batch, and leave the rest to the next turn of the loop."""
        was_resting, self._resting = self._resting, False
        for _ in range(BATCH):
            if self._gone or not self._backlog:
                break
            self._take(self._backlog.popleft())
        if self._gone:
            return
        self.heard_at = time.monotonic()
        if self._backlog:
            self._resting = True
            asyncio.get_running_loop().call_soon(self._hand_on)
        if was_resting != self._resting and not self.transport.is_closing():
            (self.transport.pause_reading if self._resting else self.transport.resume_reading)()

    def _take(self, raw: bytes) -> None:
        if raw.startswith(_EVENT) and raw[len(_EVENT) :].partition(b"\r\n")[0] not in HEARD_EVENTS:
            return
        parsed = WireMessage.from_line(raw.decode("utf-8", "replace").strip("\r\n"))
        if parsed is None:
            return
        # A repeated header comes as a list; the first one is the switch's own, before anything a dialplan adds.
        # `content` is the parser's own, for the text of console commands.
        plain = {k: v if isinstance(v, str) else v[0] for k, v in parsed.items() if k != "content"}
        try:
            self._hear(self, plain)
        except Exception as fault:
            self._faulty(plain, fault)

    def _say_lost(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self._backlog.clear()
            self._pending.clear()
            self._lost(self, reason)
