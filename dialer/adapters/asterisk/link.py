"""One connection to the manager interface, on panoramisk's protocol and parser.

What of panoramisk is used: its message parser, and its protocol class as the base. What is not: its futures (many
never resolve), its reconnect (it sends unanswered actions again, so it can dial twice) and its receive path, which is
replaced here: there, an exception in a callback closes the connection, a character split over two segments is lost,
and data that comes early finds it unprepared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message as WireMessage

from dialer.adapters.asterisk.translate import Message

BANNER = b"Asterisk Call Manager/"
# No message of the switch is near this; what is, does not come from a switch.
MAX_MESSAGE = 1 << 20


class ManagerLink(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Hands each whole message to `hear`, and says `lost` once, with a reason. A fault in `hear` goes to `faulty`."""

    def __init__(
        self,
        hear: Callable[[ManagerLink, Message], None],
        lost: Callable[[ManagerLink, str], None],
        faulty: Callable[[Message, Exception], None],
    ) -> None:
        self._hear = hear
        self._lost = lost
        self._faulty = faulty
        self._pending = b""
        self._greeted = False
        self._gone = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # panoramisk answers through its factory; here nothing is left for it to answer.
        self.factory = None

    def data_received(self, data: bytes) -> None:
        """Cut the stream into messages. Only whole messages are decoded, so no character is ever split."""
        self._pending += data
        if not self._greeted and not self._greet():
            return
        *whole, self._pending = self._pending.split(b"\r\n\r\n")
        if len(self._pending) > MAX_MESSAGE:
            self.drop(f"expected messages below {MAX_MESSAGE} bytes")
            return
        for raw in whole:
            parsed = WireMessage.from_line(raw.decode("utf-8", "replace").strip("\r\n"))
            if parsed is not None:
                self.handle_message(parsed)

    def handle_message(self, message: Any) -> None:
        # A repeated header comes as a list; the first one is the switch's own, before anything a dialplan adds.
        # `content` is the parser's own, for the text of console commands.
        plain = {k: v if isinstance(v, str) else v[0] for k, v in message.items() if k != "content"}
        try:
            self._hear(self, plain)
        except Exception as fault:
            self._faulty(plain, fault)

    def connection_lost(self, exc: Exception | None) -> None:
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

    def _greet(self) -> bool:
        banner, end, rest = self._pending.partition(b"\r\n")
        if not banner.startswith(BANNER[: len(banner)]):
            self.drop(f"expected an Asterisk manager interface, found {banner[:40]!r}")
            return False
        if not end:
            return False
        self._greeted = True
        self._pending = rest
        return True

    def _say_lost(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self._lost(self, reason)
