"""The simulated world: a switch and agents who play out each call's fate against the engine's actions.

How it works: `perform` takes the engine's actions as a switch would. How a call turns out is fixed by its `Outcome`
when it is placed; here is only the mechanics: who hangs up first, who is bridged to whom. All waiting is wake-up
calls of the clock; a wake-up checks whether its call is still in the state for which it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import inf

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead
from dialer.ports import Clock, Emit
from sim.carriers import AccountMeter, TrunkBill, TrunkMeter, account_meters, carriers_of
from sim.clock import wake_of
from sim.distributions import Fixed
from sim.floor import AgentDay, SimulatedFloor, agent_days
from sim.outcome import Fates, Outcome
from sim.people import People
from sim.scenario import Scenario
from sim.streams import Stream

# The message begins so long before the limit: the dialplan must be within it.
MESSAGE_EARLY_S = 0.1
# What a carrier answers beyond its hidden limits, and at once.
_NO_ROOM = Outcome(end="failed", set_up_s=0.1, cause=34, sip_code=503)
_NOT_PLACED = Outcome(end="failed", set_up_s=0.0, cause=3)
_NORMAL_CLEARING = 16
_RUNG_OUT, _RUNG_OUT_SIP = 19, 480


class CallState(IntEnum):
    """Where a simulated call is."""

    SETTING_UP = 0
    RINGING = 1
    ANSWERED = 2  # nobody has come on yet
    TALKING = 3
    MESSAGE = 4
    GONE = 5


# By names of the module: an Enum's attribute costs more than the rest of a wake-up.
_SETTING_UP, _RINGING, _ANSWERED, _TALKING, _MESSAGE, _GONE = CallState


class SimulatedCall:
    """One call in the simulated switch. Times in UTC seconds."""

    __slots__ = (
        "account", "agent_id", "answered_at", "attempt_id", "disposition", "draw", "handle_factor", "leaves_at",
        "meter", "outcome", "rung_out_at", "state", "subject", "try_no",
    )  # fmt: skip

    def __init__(
        self,
        action: act.Originate,
        subject: int,
        draw: int,
        outcome: Outcome,
        meter: TrunkMeter | None,
        account: AccountMeter | None = None,
    ) -> None:
        self.attempt_id = action.attempt_id
        self.try_no = action.try_no
        self.subject = subject  # the lead's place in the list: the key of its streams
        self.draw = draw  # how many calls the lead has had before
        self.outcome = outcome
        self.meter = meter  # None: the carrier refused it
        self.account = account  # None: it has no surcharges, or the call never reached it
        self.state: CallState = _SETTING_UP
        self.rung_out_at = 0.0
        self.answered_at: float | None = None
        self.leaves_at = inf  # when a person hangs up on silence
        self.agent_id = ""
        self.handle_factor = 1.0
        self.disposition = ""


class World:
    """A switch, its trunks, the people called and the agents. Deterministic for a seed.

    `fates` says how calls turn out, `days` when agents are there; both are drawn from the scenario where they are not
    given.
    """

    def __init__(
        self,
        scenario: Scenario,
        leads: Sequence[Lead],
        *,
        seed: int,
        clock: Clock,
        fates: Fates | None = None,
        days: Sequence[AgentDay] | None = None,
    ) -> None:
        self._clock = clock
        self._wake = wake_of(clock)
        self._emit: Emit = _unheard
        self._fates: Fates = People(scenario, leads, seed=seed) if fates is None else fates
        self._leads = leads
        self._subjects = {lead.lead_id: index for index, lead in enumerate(leads)}
        self._placed = [0] * len(leads)  # how many calls each lead has had
        self._calls: dict[int, SimulatedCall] = {}
        self._seen: set[tuple[int, int]] = set()  # tries placed: a repeated one changes nothing
        self._meters = {name: TrunkMeter(carrier) for name, carrier in carriers_of(scenario).items()}
        self._accounts = account_meters(scenario)
        self._account_of = {
            trunk.name: self._accounts[trunk.carrier]
            for trunk in scenario.campaign.trunks
            if trunk.carrier in self._accounts
        }
        self._floor = SimulatedFloor(
            agent_days(scenario, seed) if days is None else days,
            scenario.population.conversations,
            seed=seed,
            clock=clock,
            wake=self._wake,
        )
        self._bridging = Stream(seed, "bridge")
        self._bridge_s = scenario.switch.bridge_s
        self._message_s = scenario.switch.message_s
        self._unserved_s = scenario.campaign.connect_deadline_s - MESSAGE_EARLY_S

    @property
    def bill(self) -> dict[str, TrunkBill]:
        """What each trunk's ended calls cost so far, by its name."""
        return {name: meter.bill for name, meter in self._meters.items()}

    @property
    def surcharges(self) -> dict[str, float]:
        """What each account's surcharges come to so far, by its name."""
        return {name: meter.surcharges for name, meter in self._accounts.items()}

    # ---- the Telephony port -----------------------------------------------------------------------------------
    async def start(self, emit: Emit) -> None:
        """Open the switch and let the agents come in."""
        self.begin(emit)

    def begin(self, emit: Emit) -> None:
        """The same without waiting, for the runner without an event loop."""
        self._emit = emit
        self._floor.begin(emit)
        emit(ev.LinkUp(at=self._clock.now()))

    def perform(self, actions: Sequence[act.Action]) -> None:
        """Carry out what a switch carries out; other actions are not for it."""
        for action in actions:
            kind = type(action)
            if kind is act.Originate:
                self._originate(action)  # type: ignore[arg-type]
            elif kind is act.Bridge:
                self._plan_bridge(action)  # type: ignore[arg-type]
            elif kind is act.HangUp:
                self._hang_up(action)  # type: ignore[arg-type]
            elif kind is act.LogOut:
                self._floor.log_out(action.agent_id)  # type: ignore[attr-defined]

    def _hang_up(self, action: act.HangUp) -> None:
        call = self._calls.get(action.attempt_id)
        if call is not None and not (action.unanswered_only and call.answered_at is not None):
            self._end(call, _NORMAL_CLEARING, None, cancelled=call.answered_at is None)

    async def close(self) -> None:
        """Nothing to let go of."""

    # ---- calls ------------------------------------------------------------------------------------------------
    def _originate(self, action: act.Originate) -> None:
        key = (action.attempt_id, action.try_no)
        if key in self._seen:
            return
        self._seen.add(key)
        now = self._clock.now()
        call = self._place(action, now)
        self._calls[action.attempt_id] = call
        call.rung_out_at = now + action.ring_timeout_s
        outcome = call.outcome
        rings = outcome.rings_s is not None or outcome.end in ("answered", "no_answer")
        self._wake(min(now + outcome.set_up_s, call.rung_out_at), self._ring if rings else self._over, call)

    def _place(self, action: act.Originate, now: float) -> SimulatedCall:
        """Give the call to its carrier and let its fate be drawn. A call that reaches nobody tires nobody."""
        subject = self._subjects.get(action.lead_id, -1)
        number_index = _index_of(self._leads[subject], action.number) if subject >= 0 else -1
        meter = self._meters.get(action.trunk)
        if number_index < 0 or meter is None:
            return SimulatedCall(action, subject, 0, _NOT_PLACED, None)
        draw, account = self._placed[subject], self._account_of.get(action.trunk)
        if not meter.placed(now):
            return SimulatedCall(action, subject, draw, _NO_ROOM, None, account)
        self._placed[subject] = draw + 1
        outcome = self._fates.outcome(subject=subject, draw=draw, number_index=number_index, trunk=action.trunk, at=now)
        return SimulatedCall(action, subject, draw, outcome, meter, account)

    def _over(self, call: SimulatedCall) -> None:
        """The network ends the call as its fate says, or the ring time-out does."""
        if call.state > _RINGING:
            return
        if self._clock.now() >= call.rung_out_at:
            self._end(call, _RUNG_OUT, _RUNG_OUT_SIP, cancelled=True)
        else:
            self._end(call, call.outcome.cause, call.outcome.sip_code)

    def _ring(self, call: SimulatedCall) -> None:
        if call.state is not _SETTING_UP:
            return
        now = self._clock.now()
        if now >= call.rung_out_at:
            self._over(call)
            return
        call.state = _RINGING
        self._emit(ev.AttemptRinging(at=now, attempt_id=call.attempt_id, try_no=call.try_no))
        rings_s = call.outcome.rings_s
        ends_at = inf if rings_s is None else now + rings_s
        if call.outcome.end == "answered" and ends_at < call.rung_out_at:
            self._wake(ends_at, self._answer, call)
        else:
            self._wake(min(ends_at, call.rung_out_at), self._over, call)

    def _answer(self, call: SimulatedCall) -> None:
        if call.state is not _RINGING:
            return
        call.state = _ANSWERED
        now = call.answered_at = self._clock.now()
        self._emit(ev.AttemptAnswered(at=now, attempt_id=call.attempt_id, try_no=call.try_no))
        outcome = call.outcome
        if outcome.patience_s is not None:
            call.leaves_at = now + outcome.patience_s
        if outcome.screening_s is None:
            self._await_agent(call, now)
        else:
            self._wake(min(now + outcome.screening_s, call.leaves_at), self._screen, call)

    def _screen(self, call: SimulatedCall) -> None:
        """Answering-machine detection decides, unless a person has hung up before."""
        if call.state is not _ANSWERED:
            return
        now, verdict = self._clock.now(), call.outcome.verdict
        if now >= call.leaves_at:
            self._end(call, _NORMAL_CLEARING, None)
            return
        # Simulated detection decides as the greeting ends.
        self._emit(ev.AttemptScreened(at=now, attempt_id=call.attempt_id, verdict=verdict, greeting_ended_at=now))
        if verdict == "machine":
            self._end(call, _NORMAL_CLEARING, None)
        else:
            self._await_agent(call, now)

    def _await_agent(self, call: SimulatedCall, now: float) -> None:
        """The dialplan's own rule: the message after the deadline. People may hang up on silence sooner."""
        self._wake(min(now + self._unserved_s, call.leaves_at), self._unserved, call)

    def _unserved(self, call: SimulatedCall) -> None:
        if call.state is not _ANSWERED:
            return
        now = self._clock.now()
        if now >= call.leaves_at:
            self._end(call, _NORMAL_CLEARING, None)
            return
        call.state = _MESSAGE
        self._emit(ev.AttemptAbandoned(at=now, attempt_id=call.attempt_id))
        self._wake(min(now + self._message_s, call.leaves_at), self._message_over, call)

    def _message_over(self, call: SimulatedCall) -> None:
        if call.state is _MESSAGE:
            self._end(call, _NORMAL_CLEARING, None)

    def _plan_bridge(self, action: act.Bridge) -> None:
        if isinstance(self._bridge_s, Fixed):
            delay_s = self._bridge_s.value
        else:
            delay_s = self._bridge_s.quantile(self._bridging.uniform(action.attempt_id))
        self._wake(self._clock.now() + delay_s, self._bridge, action)

    def _bridge(self, action: act.Bridge) -> None:
        call = self._calls.get(action.attempt_id)
        if call is None or call.state not in (_ANSWERED, _MESSAGE):
            return
        now, agent_id = self._clock.now(), action.agent_id
        if not self._floor.is_here(agent_id):
            self._emit(ev.BridgeFailed(at=now, attempt_id=call.attempt_id, agent_id=agent_id, agent_gone=True))
            return
        call.state = _TALKING
        call.agent_id = agent_id
        call.handle_factor = self._floor.take_call(agent_id, call.attempt_id)
        call.disposition = self._floor.disposition(agent_id, call.outcome.disposition, call.subject, call.draw)
        self._emit(ev.AttemptBridged(at=now, attempt_id=call.attempt_id, agent_id=agent_id))
        self._wake(now + call.outcome.talk_s * call.handle_factor, self._talk_over, call)

    def _talk_over(self, call: SimulatedCall) -> None:
        if call.state is _TALKING:
            self._end(call, _NORMAL_CLEARING, None)

    def _end(self, call: SimulatedCall, cause: int, sip_code: int | None, *, cancelled: bool = False) -> None:
        """The call is over; `cancelled`: by us, before an answer."""
        if call.state is _GONE:
            return
        talked = call.state is _TALKING
        call.state = _GONE
        del self._calls[call.attempt_id]
        now = self._clock.now()
        answered_s = None if call.answered_at is None else now - call.answered_at
        if call.meter is not None:
            call.meter.ended(answered_s)
        if call.account is not None:
            call.account.ended(now, answered_s, cancelled=cancelled)
        ended = ev.AttemptEnded(at=now, attempt_id=call.attempt_id, try_no=call.try_no, cause=cause, sip_code=sip_code)
        self._emit(ended)
        if talked:
            self._wake(now + call.outcome.wrap_up_s * call.handle_factor, self._wrapped_up, call)

    def _wrapped_up(self, call: SimulatedCall) -> None:
        self._floor.dispose(call.agent_id, call.attempt_id, call.disposition)


def _index_of(lead: Lead, number: str) -> int:
    """The number's place among the lead's; -1 where it is not theirs."""
    for index, own in enumerate(lead.numbers):
        if own.e164 == number:
            return index
    return -1


def _unheard(event: ev.Event) -> None:
    raise RuntimeError(f"expected start() before anything happens, was {type(event).__name__}")
