"""One login on the manager interface: connecting, questions with a deadline, and signs of life.

A link that says nothing is asked to, and given up when it stays silent: a stalled connection looks like a quiet one.
Any byte is a sign of life, so that an answer behind a flood of events is not taken for a silence.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import count

from structlog.typing import FilteringBoundLogger

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.link import ManagerLink
from dialer.adapters.asterisk.translate import Message
from dialer.config.campaign import Asterisk
from dialer.errors import CommandTimeout, LinkLost, LoginRefused

CONNECT_LIMIT_S = 5.0
ANSWER_LIMIT_S = 5.0  # a wrong secret is answered after 1 s
BOOT_LIMIT_S = 60.0
PING_AFTER_S = 1.5  # of silence
SILENCE_LIMIT_S = 3.5
OVERSLEPT_S = 1.0


class ManagerSession:
    """Connects as often as it is told to, one link at a time. `hear` gets what answers no question of its own; `lost`
    is called once for each link that had been opened, with the reason."""

    def __init__(
        self,
        settings: Asterisk,
        *,
        secret: str,
        hear: Callable[[Message], None],
        lost: Callable[[str], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._hear = hear
        self._on_lost = lost
        self._log = log
        self._link: ManagerLink | None = None
        self._lost = asyncio.Event()
        self._booted = asyncio.Event()
        self._asked: dict[str, asyncio.Future[list[Message]]] = {}
        self._lists: dict[str, list[Message]] = {}
        self._serial = count(1)
        self._faults = 0

    # ---- life -------------------------------------------------------------------------------------------------
    async def open(self) -> None:
        """Connect, log in and wait until the switch has booted.

        Raises `LoginRefused` for a wrong user or secret, `LinkLost` or `CommandTimeout` where there is no switch; has
        no link then.
        """
        host, port = self._settings.host, self._settings.port
        self._lost.clear()
        self._booted.clear()
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                _, link = await asyncio.get_running_loop().create_connection(
                    lambda: ManagerLink(self._take, self._lose, self._faulty), host, port
                )
        except (OSError, TimeoutError) as fault:
            raise LinkLost(f"expected a manager interface at {host}:{port}: {fault or 'no answer'}") from None
        self._link = link
        try:
            await self._log_in()
        except BaseException as fault:
            link.drop(str(fault) or type(fault).__name__)
            raise

    async def channels(self) -> list[Message]:
        """List all live channels. Raises as `open` does."""
        answer = await self._ask("CoreShowChannels", [], ANSWER_LIMIT_S)
        if answer[0].get("Response") != "Success":
            raise LoginRefused(f"the manager user may not list channels: {answer[0].get('Message', '')}")
        return [item for item in answer if item.get("Event") == "CoreShowChannel"]

    async def watch(self) -> None:
        """Return when the link is lost, which includes that it has been silent for 3.5 s."""
        while (link := self._link) is not None and not link.gone:
            silent_s = time.monotonic() - link.heard_at
            if silent_s >= SILENCE_LIMIT_S:
                link.drop(f"the switch said nothing for {SILENCE_LIMIT_S:g} s")
                return
            if silent_s < PING_AFTER_S:
                wait_s = PING_AFTER_S - silent_s
            else:
                self.write(translate.packet([("Action", "Ping"), ("ActionID", f"ping:{next(self._serial)}")]))
                wait_s = SILENCE_LIMIT_S - silent_s
            if await self._wait_lost(wait_s) > wait_s + OVERSLEPT_S:
                link.heard_at = time.monotonic()  # it was this process that stood still, not the switch

    async def _wait_lost(self, limit_s: float) -> float:
        """Wait until the link is lost, or the limit; returns how long it was, s."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit_s):
                await self._lost.wait()
        except TimeoutError:
            pass
        return time.monotonic() - began

    @property
    def linked(self) -> bool:
        """Whether there is a link."""
        return self._link is not None

    def write(self, data: bytes) -> None:
        """Send messages, once; without a link they are dropped."""
        if self._link is not None:
            self._link.write(data)

    def drop(self, reason: str) -> None:
        """Give the link up, if there is one."""
        if self._link is not None:
            self._link.drop(reason)

    def close(self) -> None:
        """Log off and close, in good order. Nothing is said about it."""
        if self._link is not None:
            self.write(translate.packet([("Action", "Logoff")]))
            self._link.close()
            self._link = None
        self._fail_asked("the link was closed")

    # ---- questions --------------------------------------------------------------------------------------------
    async def _log_in(self) -> None:
        user = self._settings.user
        login = [("Username", user), ("Secret", self._secret), ("Events", "on")]
        reply = (await self._ask("Login", login, ANSWER_LIMIT_S))[0]
        if reply.get("Response") != "Success":
            raise LoginRefused(
                f"the switch refused the manager user {user!r}: {reply.get('Message', 'no reason given')}"
            )
        booted = asyncio.ensure_future(self._booted.wait())
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({booted, lost}, timeout=BOOT_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            booted.cancel()
            lost.cancel()
        if self._lost.is_set():
            raise LinkLost("the switch closed the connection before it had booted")
        if not self._booted.is_set():
            raise CommandTimeout(f"expected FullyBooted within {BOOT_LIMIT_S:.0f} s of the login")

    async def _ask(self, action: str, fields: Sequence[tuple[str, str]], limit_s: float) -> list[Message]:
        """Send a question that may be repeated without harm, and wait for its whole answer."""
        if self._link is None or self._link.gone:
            raise LinkLost("there is no link")
        action_id = f"ask:{next(self._serial)}"
        answer: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._asked[action_id] = answer
        try:
            self._link.write(translate.packet([("Action", action), ("ActionID", action_id), *fields]))
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError:
            raise CommandTimeout(f"the switch did not answer {action} within {limit_s:g} s") from None
        finally:
            del self._asked[action_id]
            self._lists.pop(action_id, None)

    def _fail_asked(self, reason: str) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(LinkLost(reason))

    # ---- what the link says -----------------------------------------------------------------------------------
    def _take(self, link: ManagerLink, message: Message) -> None:
        if link is not self._link or self._answers(message):
            return
        if message.get("Event") == "FullyBooted":
            self._booted.set()
        self._hear(message)

    def _answers(self, message: Message) -> bool:
        """Take what belongs to a question of our own: its response, or the items of a list."""
        action_id = message.get("ActionID", "")
        asked = self._asked.get(action_id)
        if asked is None:
            return False
        items = self._lists.setdefault(action_id, [])
        items.append(message)
        begins_list = message.get("EventList", "").lower() == "start"
        inside_list = len(items) > 1 and message.get("EventList", "").lower() != "complete"
        if not begins_list and not inside_list and not asked.done():
            asked.set_result(items)
        return True

    def _lose(self, link: ManagerLink, reason: str) -> None:
        if link is not self._link:
            return
        self._link = None
        self._lost.set()
        self._fail_asked(reason)
        self._on_lost(reason)

    def _faulty(self, message: Message, fault: Exception) -> None:
        """A message that we could not take in is our bug: logged, less and less often, and the next one is taken."""
        self._faults += 1
        if self._faults & (self._faults - 1) == 0:
            event_name = message.get("Event", "response")
            self._log.error("message.fault", event_name=event_name, faults=self._faults, exc_info=fault)
