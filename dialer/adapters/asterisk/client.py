"""The telephony port on a real Asterisk, over its manager interface.

How it works: one connection at a time (`ManagerSession`) brings messages; `CallLedger` and `AgentLegs` turn them into
events, and `translate` turns actions into messages. Nothing is ever sent twice: when the connection is lost, what was
under way is found out by listing the switch's channels on the next one. Between the two nothing is dialled. A switch
that refuses the login again and again is given up for good: that is for a person to mend.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from itertools import count

from structlog.typing import FilteringBoundLogger

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.agents import AgentLegs
from dialer.adapters.asterisk.backoff import Backoff
from dialer.adapters.asterisk.calls import CallLedger, channel_of
from dialer.adapters.asterisk.session import ManagerSession
from dialer.adapters.asterisk.translate import Message, Order
from dialer.config.campaign import Asterisk, Campaign
from dialer.core.actions import Action, Bridge, HangUp, LogOut, Originate
from dialer.core.events import AttemptEnded, BridgeFailed, Event, LinkDropped, LinkUp
from dialer.errors import LinkLost, LoginRefused, TelephonyError, UnsafeValue
from dialer.ports import Cancellable, Clock, Emit

# Of one reconnection. A switch that restarts may not have read its users yet; each refusal takes it a second.
REFUSALS = 5
REMEMBERED = 100_000  # calls placed, so that a repeated Originate is noticed


class AsteriskTelephony:
    """One campaign's calls and agents on one switch. Implements `dialer.ports.Telephony`; use in one event loop.

    `rng` spreads the reconnections of many dialers; it decides nothing else.
    """

    def __init__(
        self,
        settings: Asterisk,
        *,
        campaign: Campaign,
        run: int,
        secret: str,
        clock: Clock,
        log: FilteringBoundLogger,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._campaign = campaign
        self._run = run
        self._clock = clock
        self._log = log.bind(switch=f"{settings.host}:{settings.port}")
        self._calls = CallLedger(campaign.campaign, amd=campaign.amd)
        self._legs = AgentLegs(campaign.agents)
        self._trunks = translate.by_name(campaign.trunks)
        self._session = ManagerSession(settings, secret=secret, hear=self._hear, lost=self._lost, log=self._log)
        self._backoff = Backoff(rng if rng is not None else random.Random())
        self._emit: Emit | None = None
        self._up = False
        self._held: list[Message] | None = None  # heard while the channels are being listed
        self._placed: dict[tuple[int, int], None] = {}
        self._keeper: asyncio.Task[None] | None = None
        self._overdue: Cancellable | None = None

    # ---- the port ---------------------------------------------------------------------------------------------
    async def start(self, emit: Emit) -> None:
        """Connect, list what is there, emit `AgentLoggedIn` for each waiting leg and `AttemptSurvived` for each that
        talks in a call of an earlier run, then `LinkUp`.

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
                    channel = self._calls.hanging_up(action.attempt_id, unanswered_only=action.unanswered_only)
                    if channel is not None:  # while the link is down, the next listing hangs it up
                        out.append(translate.order(translate.HangUpChannel(channel)))
                case LogOut():
                    order = self._legs.logging_out(action.agent_id)
                    if order is not None:
                        out.append(translate.order(order))
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
        self._session.close()

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
        if packets and self._up:
            self._session.write(b"".join(packets))

    # ---- messages ---------------------------------------------------------------------------------------------
    def _hear(self, message: Message) -> None:
        if self._held is not None:
            self._held.append(message)
            return
        at = translate.event_time(message, self._clock.now())
        # The legs first: a call is joined with a leg that is known.
        self._deal([*self._legs.hear(message, at), *self._calls.hear(message, at)])

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
        """Wake up for the calls of which there is no channel, and for orphans."""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        due_at = self._calls.next_due_at
        if due_at is not None:
            self._overdue = self._clock.call_at(due_at, self._end_overdue)

    def _end_overdue(self) -> None:
        self._overdue = None
        self._deal(self._calls.overdue(self._clock.now()))

    # ---- the link ---------------------------------------------------------------------------------------------
    async def _connect(self) -> None:
        """Connect, log in, list, and say so. Raises a `TelephonyError`, and then has no link."""
        await self._session.open()
        # The list is of one moment, and what is heard meanwhile may be older or newer: it is taken in after the list.
        self._held = []
        try:
            channels = await self._session.channels()
            if not self._session.linked:  # lost in the very moment of the answer
                raise LinkLost("the link was lost as soon as it was up")
        except BaseException as fault:
            self._session.drop(str(fault) or type(fault).__name__)
            raise
        finally:
            held, self._held = self._held, None
        self._up = True
        self._log.info("link.up", channels=len(channels))
        self._reconcile(channels, held)
        for message in held:
            self._hear(message)
        self._tell([LinkUp(at=self._clock.now())])

    def _reconcile(self, channels: Sequence[Message], held: Sequence[Message]) -> None:
        """Tell what became of legs and calls in a gap, given all live channels and what has been heard since."""
        now = self._clock.now()
        legs = self._legs.reconcile(channels, now, self._calls.own_bridges(channels))
        # An OriginateResponse can come after its call's Hangup: it proves nothing.
        heard = {channel_of(message) for message in held if message.get("Event") != "OriginateResponse"}
        calls = self._calls.reconcile(channels, now, heard=heard, agent_of=self._legs.agent_of)
        self._deal([*legs, *calls])

    def _lost(self, reason: str) -> None:
        if self._up:
            self._up = False
            self._log.warning("link.lost", reason=reason)
            self._tell([LinkDropped(at=self._clock.now(), reason=reason)])

    async def _keep(self) -> None:
        """Watch the link, and connect again whenever it is lost. Runs until `close`, or until the login is refused
        for good."""
        try:
            while True:
                await self._session.watch()
                refusal = await self._reconnect()
                if refusal is not None:
                    self._give_up(refusal)
                    return
        except Exception as fault:
            self._log.critical("link.unkept", exc_info=fault)
            raise

    async def _reconnect(self) -> LoginRefused | None:
        """Connect again, however long that takes. Returns the refusal where the switch lets us in no more."""
        refused = 0
        for attempt in count():
            await asyncio.sleep(self._backoff.wait_s(attempt))
            try:
                await self._connect()
                return None
            except LoginRefused as fault:
                refused += 1
                self._log.warning("link.down", why=str(fault))
                if refused >= REFUSALS:
                    return fault
            except TelephonyError as fault:
                self._log.warning("link.down", why=str(fault))
        return None

    def _give_up(self, refusal: LoginRefused) -> None:
        """Nothing will be heard of any call or leg any more: close their books, and say why nothing is dialled."""
        reason = f"given up after {REFUSALS} refusals: {refusal}"
        self._log.critical("link.given_up", reason=reason)
        self._reconcile([], [])
        self._tell([LinkDropped(at=self._clock.now(), reason=reason)])
