"""The telephony port on a real Asterisk, over its manager interface.

How it works: one connection (`ManagerLink`) brings messages; `CallLedger` and `AgentLegs` turn them into events, and
`translate` turns actions into messages. Nothing is ever sent twice: when the connection is lost, what was under way is
found out by listing the switch's channels on the next one. Between the two nothing is dialled. A switch that stops
answering is given up after two missed seconds, because a stalled connection looks like a quiet one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count

from structlog.typing import FilteringBoundLogger

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.agents import AgentLegs
from dialer.adapters.asterisk.calls import CallLedger
from dialer.adapters.asterisk.link import ManagerLink
from dialer.adapters.asterisk.translate import Message, Order
from dialer.config.campaign import Asterisk, Campaign
from dialer.core.actions import Action, Bridge, HangUp, Originate
from dialer.core.events import AttemptEnded, BridgeFailed, Event, LinkDropped, LinkUp
from dialer.errors import CommandTimeout, LinkLost, LoginRefused, TelephonyError, UnsafeValue
from dialer.ports import Cancellable, Clock, Emit

CONNECT_LIMIT_S = 5.0
ANSWER_LIMIT_S = 5.0  # a wrong secret is answered after 1 s
BOOT_LIMIT_S = 60.0
PING_EVERY_S = 2.0
PING_LIMIT_S = 2.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
REMEMBERED = 100_000  # calls placed, so that a repeated Originate is noticed


class AsteriskTelephony:
    """One campaign's calls and agents on one switch. Implements `dialer.ports.Telephony`; use in one event loop."""

    def __init__(
        self,
        settings: Asterisk,
        *,
        campaign: Campaign,
        run: int,
        secret: str,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._campaign = campaign
        self._run = run
        self._secret = secret
        self._clock = clock
        self._log = log.bind(switch=f"{settings.host}:{settings.port}")
        self._calls = CallLedger(campaign.campaign, amd=campaign.amd)
        self._legs = AgentLegs(campaign.agents)
        self._trunks = translate.by_name(campaign.trunks)
        self._emit: Emit | None = None
        self._link: ManagerLink | None = None
        self._up = False
        self._lost = asyncio.Event()
        self._booted = asyncio.Event()
        self._asked: dict[str, asyncio.Future[list[Message]]] = {}
        self._lists: dict[str, list[Message]] = {}
        self._serial = count(1)
        self._placed: dict[tuple[int, int], None] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._overdue: Cancellable | None = None

    # ---- the port ---------------------------------------------------------------------------------------------
    async def start(self, emit: Emit) -> None:
        """Connect, list what is there, emit `AgentLoggedIn` for each waiting leg, then `LinkUp`.

        Raises `LoginRefused` for a wrong user or secret, `LinkLost` or `CommandTimeout` where there is no switch.
        """
        self._emit = emit
        await self._connect()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    def perform(self, actions: Sequence[Action]) -> None:
        """Send each action at most once, all in one write. What cannot be placed ends by an event, on the next turn
        of the loop."""
        out: list[bytes] = []
        found: list[Event] = []
        for action in actions:
            match action:
                case Originate():
                    self._originate(action, out, found)
                case Bridge():
                    self._bridge(action, out, found)
                case HangUp():
                    channel = self._calls.hanging_up(action.attempt_id)
                    if channel is not None:  # while the link is down, the next listing hangs it up
                        out.append(translate.order(translate.HangUpChannel(channel)))
        self._write(out)
        if found:
            asyncio.get_running_loop().call_soon(self._tell, found)

    async def close(self) -> None:
        """Let go of the link; calls go on, and the dialplan keeps its limit."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        self._up = False
        if self._link is not None:
            self._link.write(translate.packet([("Action", "Logoff")]))
            self._link.close()
            self._link = None
        self._fail_asked(LinkLost("the link was closed"))

    # ---- actions ----------------------------------------------------------------------------------------------
    def _originate(self, action: Originate, out: list[bytes], found: list[Event]) -> None:
        key = (action.attempt_id, action.try_no)
        if key in self._placed:
            self._log.error("originate.repeated", attempt_id=action.attempt_id, try_no=action.try_no)
            return
        self._placed[key] = None
        if len(self._placed) > REMEMBERED:
            del self._placed[next(iter(self._placed))]
        why = "" if self._up else "link down"
        if not why and len(self._calls) >= self._settings.max_calls:
            why = f"max_calls {self._settings.max_calls} reached"
        if not why:
            try:
                message = translate.originate(action, campaign=self._campaign, run=self._run, trunks=self._trunks)
            except UnsafeValue as fault:
                why = f"unsafe: {type(fault).__name__}"
        if why:
            number = translate.masked(action.number)
            self._log.warning("originate.refused", attempt_id=action.attempt_id, number=number, why=why)
            now = self._clock.now()
            ended = AttemptEnded(at=now, attempt_id=action.attempt_id, try_no=action.try_no, cause=translate.NOT_PLACED)
            found.append(ended)
            return
        self._calls.place(action.attempt_id, action.try_no)
        out.append(message)

    def _bridge(self, action: Bridge, out: list[bytes], found: list[Event]) -> None:
        if not self._calls.is_live(action.attempt_id):
            return  # its end is on the way
        leg = self._legs.leg(action.agent_id)
        caller = self._calls.bridging(action.attempt_id, action.agent_id, leg.channel) if leg is not None else None
        if leg is None or caller is None:
            now = self._clock.now()
            found.append(
                BridgeFailed(at=now, attempt_id=action.attempt_id, agent_id=action.agent_id, agent_gone=leg is None)
            )
        else:  # while the link is down, the next listing tells what became of the call
            channel, name = caller
            out.append(translate.bridge(channel, name, leg.name))

    def _write(self, packets: Sequence[bytes]) -> None:
        if packets and self._up and self._link is not None:
            self._link.write(b"".join(packets))

    # ---- messages ---------------------------------------------------------------------------------------------
    def _hear(self, link: ManagerLink, message: Message) -> None:
        if link is not self._link:
            return
        if self._answers(message):
            return
        if message.get("Event") == "FullyBooted":
            self._booted.set()
        now = self._clock.now()
        at = translate.event_time(message, now)
        # The legs first: a call is joined with a leg that is known.
        self._deal([*self._legs.hear(message, at), *self._calls.hear(message, at)])

    def _answers(self, message: Message) -> bool:
        """Take what belongs to a question of our own: its response, or the items of a list."""
        asked = self._asked.get(message.get("ActionID", ""))
        if asked is None:
            return False
        items = self._lists.setdefault(message["ActionID"], [])
        items.append(message)
        begins_list = message.get("EventList", "").lower() == "start"
        inside_list = len(items) > 1 and message.get("EventList", "").lower() != "complete"
        if not begins_list and not inside_list and not asked.done():
            asked.set_result(items)
        return True

    def _deal(self, found: Sequence[Event | Order]) -> None:
        orders = [translate.order(f) for f in found if not isinstance(f, Event)]
        self._write(orders)
        self._tell([f for f in found if isinstance(f, Event)])
        self._arm()

    def _tell(self, events: Sequence[Event]) -> None:
        if self._emit is not None:
            for event in events:
                self._emit(event)

    def _arm(self) -> None:
        """Wake up for the failed calls of which no channel was seen."""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        due_at = self._calls.next_due_at
        if due_at is not None:
            self._overdue = self._clock.call_at(due_at, self._end_overdue)

    def _end_overdue(self) -> None:
        self._overdue = None
        self._deal(self._calls.overdue(self._clock.now()))

    def _faulty(self, message: Message, fault: Exception) -> None:
        self._log.error("message.fault", event_name=message.get("Event", "response"), exc_info=fault)

    # ---- the link ---------------------------------------------------------------------------------------------
    async def _connect(self) -> None:
        """Connect, log in, list, and say so. Raises a `TelephonyError`, and then has no link."""
        loop = asyncio.get_running_loop()
        host, port = self._settings.host, self._settings.port
        self._lost.clear()
        self._booted.clear()
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                _, link = await loop.create_connection(
                    lambda: ManagerLink(self._hear, self._on_lost, self._faulty), host, port
                )
        except (OSError, TimeoutError) as fault:
            raise LinkLost(f"expected a manager interface at {host}:{port}: {fault or 'no answer'}") from None
        self._link = link
        try:
            await self._log_in()
            channels = await self._list_channels()
        except BaseException as fault:
            link.drop(str(fault))
            raise
        self._up = True
        now = self._clock.now()
        self._log.info("link.up", channels=len(channels))
        self._deal([*self._legs.reconcile(channels, now), *self._calls.reconcile(channels, now), LinkUp(at=now)])

    async def _log_in(self) -> None:
        user = self._settings.user
        login = [("Username", user), ("Secret", self._secret), ("Events", "on")]
        reply = (await self._ask("Login", login, ANSWER_LIMIT_S))[0]
        if reply.get("Response") != "Success":
            raise LoginRefused(
                f"the switch refused the manager user {user!r}: {reply.get('Message', 'no reason given')}"
            )
        try:
            async with asyncio.timeout(BOOT_LIMIT_S):
                await self._booted.wait()
        except TimeoutError:
            raise CommandTimeout(f"expected FullyBooted within {BOOT_LIMIT_S:.0f} s of the login") from None

    async def _list_channels(self) -> list[Message]:
        answer = await self._ask("CoreShowChannels", [], ANSWER_LIMIT_S)
        if answer[0].get("Response") != "Success":
            raise LoginRefused(f"the manager user may not list channels: {answer[0].get('Message', '')}")
        return [item for item in answer if item.get("Event") == "CoreShowChannel"]

    async def _ask(self, action: str, fields: Sequence[tuple[str, str]], limit_s: float) -> list[Message]:
        """Send a question that may be repeated without harm, and wait for its whole answer."""
        if self._link is None:
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

    def _on_lost(self, link: ManagerLink, reason: str) -> None:
        if link is not self._link and self._link is not None:
            return
        self._link = None
        self._lost.set()
        self._fail_asked(LinkLost(reason))
        if self._up:
            self._up = False
            self._log.warning("link.lost", reason=reason)
            self._tell([LinkDropped(at=self._clock.now(), reason=reason)])

    def _fail_asked(self, fault: LinkLost) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(fault)

    async def _keep(self) -> None:
        """Ask for a sign of life every 2 s, and connect again whenever the link is lost. Runs until `close`."""
        try:
            while True:
                try:
                    async with asyncio.timeout(PING_EVERY_S):
                        await self._lost.wait()
                except TimeoutError:
                    await self._ping()
                    continue
                await self._reconnect()
        except Exception as fault:
            self._log.critical("link.unkept", exc_info=fault)
            raise

    async def _ping(self) -> None:
        link = self._link
        try:
            await self._ask("Ping", [], PING_LIMIT_S)
        except TelephonyError as fault:
            if link is not None and link is self._link:
                link.drop(str(fault))

    async def _reconnect(self) -> None:
        for attempt in count():
            await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
            try:
                await self._connect()
                return
            except TelephonyError as fault:
                # A refused login too: a switch that restarts may not have read its users yet.
                self._log.warning("link.down", why=str(fault))
