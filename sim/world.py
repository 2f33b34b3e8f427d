"""The simulated world: carriers, people and agents who answer the engine's actions with events.

How it works: `perform` takes the engine's actions as a switch would. Every random value is drawn from a stream named
by its purpose and keyed by the lead and the lead's own count of calls, so that two policies meet the same people in
the same mood. All waiting is wake-up calls of the clock; a wake-up checks whether its call is still in the state for
which it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum
from functools import partial
from zoneinfo import ZoneInfo

from compliance.zones import load_zone
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.disposition import Disposition
from dialer.core.lead import Lead
from dialer.ports import Clock, Emit
from sim.scenario import Carrier, Scenario
from sim.streams import Stream

_PURPOSES = (
    "failure", "delay", "taste", "outcome", "answer", "patience", "party", "talk", "result", "amd", "amd_error",
    "dead", "lost", "log_in", "wrap_up", "break", "break_length", "bridge",
)  # fmt: skip


class CallState(IntEnum):
    """Where a simulated call is."""

    SETTING_UP = 0
    RINGING = 1
    ANSWERED = 2  # nobody has come on yet
    TALKING = 3
    MESSAGE = 4
    GONE = 5


class SimulatedCall:
    """One call in the simulated switch."""

    __slots__ = ("agent_id", "attempt_id", "disposition", "draw", "human", "lead", "state", "subject")

    def __init__(self, attempt_id: int, lead: Lead, subject: int, draw: int) -> None:
        self.attempt_id = attempt_id
        self.lead = lead
        self.subject = subject  # the lead's place in the list: the key of its streams
        self.draw = draw  # how many calls the lead has had before
        self.state = CallState.SETTING_UP
        self.human = False
        self.agent_id: str | None = None
        self.disposition = Disposition.RPC


class World:
    """A switch, its carriers, the people called and the agents. Deterministic for a seed."""

    def __init__(self, scenario: Scenario, leads: Sequence[Lead], *, seed: int, clock: Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        self._emit: Emit = _unheard
        self._streams = {purpose: Stream(seed, purpose) for purpose in _PURPOSES}
        self._subjects = {lead.lead_id: index for index, lead in enumerate(leads)}
        self._leads = leads
        self._calls: dict[int, SimulatedCall] = {}
        self._placed: dict[str, int] = {}  # how many calls each lead has had
        self._seen: set[tuple[int, int]] = set()  # tries placed: a repeated one changes nothing
        self._here: set[str] = set()  # agents whose leg is up
        self._handling: dict[str, int] = {}  # agents in a call or in its wrap-up, and whose
        self._breaks: dict[str, int] = {}
        self._agent_subjects = {agent.id: i for i, agent in enumerate(scenario.campaign.agents)}
        self._zones: dict[str, ZoneInfo] = {}
        behaviours = {carrier.trunk: carrier for carrier in scenario.carriers}
        self._carriers = {
            trunk.name: behaviours.get(trunk.name, Carrier(trunk=trunk.name)) for trunk in scenario.campaign.trunks
        }

    # ---- the Telephony port -----------------------------------------------------------------------------------
    async def start(self, emit: Emit) -> None:
        """Open the switch and let the agents come in."""
        self.begin(emit)

    def begin(self, emit: Emit) -> None:
        """The same without waiting, for the runner without an event loop."""
        self._emit = emit
        floor = self._scenario.floor
        for subject, agent in enumerate(self._scenario.campaign.agents):
            delay = floor.log_in_s.quantile(self._streams["log_in"].uniform(subject))
            if delay > 0:
                self._after(delay, partial(self._log_in, agent.id))
            else:
                self._log_in(agent.id)  # waits already
        emit(ev.LinkUp(at=self._clock.now()))

    def perform(self, actions: Sequence[act.Action]) -> None:
        """Carry out what a switch carries out; other actions are not for it."""
        for action in actions:
            if isinstance(action, act.Originate):
                self._originate(action)
            elif isinstance(action, act.Bridge):
                delay = self._scenario.switch.bridge_s.quantile(self._streams["bridge"].uniform(action.attempt_id))
                self._after(delay, partial(self._bridge, action))
            elif isinstance(action, act.LogOut):
                if action.agent_id in self._here:
                    self._here.discard(action.agent_id)
                    self._emit(ev.AgentLoggedOut(at=self._clock.now(), agent_id=action.agent_id))
            elif isinstance(action, act.HangUp):
                call = self._calls.get(action.attempt_id)
                if call is not None:
                    self._end(call, cause=16)

    async def close(self) -> None:
        """Nothing to let go of."""

    # ---- calls ------------------------------------------------------------------------------------------------
    def _originate(self, action: act.Originate) -> None:
        key = (action.attempt_id, action.try_no)
        if key in self._seen:
            return
        self._seen.add(key)
        draw = self._placed.get(action.lead_id, 0)
        self._placed[action.lead_id] = draw + 1
        subject = self._subjects[action.lead_id]
        call = SimulatedCall(action.attempt_id, self._leads[subject], subject, draw)
        self._calls[action.attempt_id] = call
        carrier = self._carriers[action.trunk]
        delay = carrier.post_dial_delay_s.quantile(self._draw("delay", call))
        if self._draw("failure", call) < carrier.failure_rate:
            self._after(delay, lambda: self._end(call, cause=34, sip_code=503))
        elif self._dead(call, action.number):
            self._after(delay, lambda: self._end(call, cause=1, sip_code=404))
        else:
            self._reach(call, carrier, delay, action.ring_timeout_s)

    def _dead(self, call: SimulatedCall, number: str) -> bool:
        which = [n.e164 for n in call.lead.numbers].index(number)
        return self._streams["dead"].uniform(call.subject, which) < self._scenario.population.dead_number_rate

    def _reach(self, call: SimulatedCall, carrier: Carrier, delay: float, ring_timeout_s: float) -> None:
        """The called line is reached: busy, or it rings and is answered, by whom, or not."""
        people = self._scenario.population
        live_rate = self._live_rate(call)
        u = self._draw("outcome", call)
        if u < people.busy_rate:
            self._after(delay, lambda: self._end(call, cause=17, sip_code=486))
            return
        u -= people.busy_rate
        self._after(delay, lambda: self._ring(call))
        self._after(ring_timeout_s, lambda: self._ring_out(call))
        if u < live_rate:
            if self._draw("lost", call) < carrier.no_live_rate:
                return
            call.human = True
            answer_s = people.answer_s.quantile(self._draw("answer", call))
        elif u < live_rate + people.machine_rate:
            answer_s = people.machine_answer_s.quantile(self._draw("answer", call))
        else:
            return
        self._after(delay + answer_s, lambda: self._answer(call))

    def _live_rate(self, call: SimulatedCall) -> float:
        people = self._scenario.population
        taste = 1.0 + people.live_rate_spread * (2.0 * self._streams["taste"].uniform(call.subject) - 1.0)
        zone = call.lead.numbers[0].zones[0]
        info = self._zones.get(zone)
        if info is None:
            info = self._zones[zone] = load_zone(zone)
        hour = datetime.fromtimestamp(self._clock.now(), info).hour
        return min(people.live_rate * taste * people.hours[hour], 1.0 - people.busy_rate - people.machine_rate)

    def _ring(self, call: SimulatedCall) -> None:
        if call.state is CallState.SETTING_UP:
            call.state = CallState.RINGING
            self._emit(ev.AttemptRinging(at=self._clock.now(), attempt_id=call.attempt_id))

    def _ring_out(self, call: SimulatedCall) -> None:
        if call.state in (CallState.SETTING_UP, CallState.RINGING):
            self._end(call, cause=19, sip_code=480)

    def _answer(self, call: SimulatedCall) -> None:
        if call.state not in (CallState.SETTING_UP, CallState.RINGING):
            return
        call.state = CallState.ANSWERED
        now = self._clock.now()
        self._emit(ev.AttemptAnswered(at=now, attempt_id=call.attempt_id))
        if self._scenario.campaign.amd:
            delay = self._scenario.switch.amd_s.quantile(self._draw("amd", call))
            self._after(delay, lambda: self._screen(call))
        else:
            self._await_agent(call)

    def _screen(self, call: SimulatedCall) -> None:
        """Answering-machine detection decides, with both of its errors."""
        if call.state is not CallState.ANSWERED:
            return
        switch = self._scenario.switch
        wrong = self._draw("amd_error", call)
        error_rate = switch.amd_false_machine_rate if call.human else switch.amd_missed_machine_rate
        human = call.human is not (wrong < error_rate)
        verdict = "human" if human else "machine"
        self._emit(ev.AttemptScreened(at=self._clock.now(), attempt_id=call.attempt_id, verdict=verdict))
        if human:
            self._await_agent(call)
        else:
            self._end(call, cause=16)

    def _await_agent(self, call: SimulatedCall) -> None:
        """The dialplan's own rule: the message after the deadline. People may hang up on silence sooner."""
        self._after(self._scenario.campaign.connect_deadline_s - 0.1, lambda: self._play_message(call))
        if call.human:
            patience_s = self._scenario.population.patience_s.quantile(self._draw("patience", call))
            self._after(patience_s, lambda: self._lose_patience(call))

    def _play_message(self, call: SimulatedCall) -> None:
        if call.state is CallState.ANSWERED:
            call.state = CallState.MESSAGE
            self._emit(ev.AttemptAbandoned(at=self._clock.now(), attempt_id=call.attempt_id))
            self._after(self._scenario.switch.message_s, lambda: self._end_if(call, CallState.MESSAGE))

    def _lose_patience(self, call: SimulatedCall) -> None:
        if call.state in (CallState.ANSWERED, CallState.MESSAGE):
            self._end(call, cause=16)

    def _end_if(self, call: SimulatedCall, state: CallState) -> None:
        if call.state is state:
            self._end(call, cause=16)

    def _bridge(self, action: act.Bridge) -> None:
        call = self._calls.get(action.attempt_id)
        if call is None or call.state not in (CallState.ANSWERED, CallState.MESSAGE):
            return
        call.state = CallState.TALKING
        call.agent_id = action.agent_id
        self._handling[action.agent_id] = call.attempt_id
        at = self._clock.now()
        self._emit(ev.AttemptBridged(at=at, attempt_id=call.attempt_id, agent_id=action.agent_id))
        talk_s = self._conversation(call)
        self._after(talk_s, lambda: self._end_if(call, CallState.TALKING))

    def _conversation(self, call: SimulatedCall) -> float:
        """Decide what the talk comes to; returns its length in seconds."""
        people = self._scenario.population
        u = self._draw("talk", call)
        if not call.human:
            call.disposition = Disposition.MACHINE
            return people.machine_talk_s.quantile(u)
        if self._draw("party", call) >= people.right_party_rate:
            call.disposition = Disposition.WRONG_PARTY
            return people.wrong_party_talk_s.quantile(u)
        result = self._draw("result", call)
        call.disposition = Disposition.RPC
        for disposition, rate in (
            (Disposition.PTP, people.promise_rate),
            (Disposition.REFUSED, people.refusal_rate),
            (Disposition.PAID, people.paid_rate),
        ):
            if result < rate:
                call.disposition = disposition
                break
            result -= rate
        return people.right_party_talk_s.quantile(u)

    def _end(self, call: SimulatedCall, *, cause: int, sip_code: int | None = None) -> None:
        if call.state is CallState.GONE:
            return
        talked = call.state is CallState.TALKING
        call.state = CallState.GONE
        del self._calls[call.attempt_id]
        at = self._clock.now()
        self._emit(ev.AttemptEnded(at=at, attempt_id=call.attempt_id, cause=cause, sip_code=sip_code))
        if talked and call.agent_id is not None:
            wrap_s = self._scenario.floor.wrap_up_s.quantile(self._draw("wrap_up", call))
            self._after(wrap_s, lambda: self._wrap_up(call))

    # ---- agents -----------------------------------------------------------------------------------------------
    def _log_in(self, agent_id: str) -> None:
        self._here.add(agent_id)
        self._emit(ev.AgentLoggedIn(at=self._clock.now(), agent_id=agent_id))
        self._plan_break(agent_id)

    def _wrap_up(self, call: SimulatedCall) -> None:
        assert call.agent_id is not None
        if self._handling.get(call.agent_id) == call.attempt_id:
            del self._handling[call.agent_id]
        at = self._clock.now()
        self._emit(
            ev.AttemptDisposed(
                at=at, agent_id=call.agent_id, attempt_id=call.attempt_id, disposition=call.disposition.value
            )
        )

    def _plan_break(self, agent_id: str) -> None:
        every = self._scenario.floor.break_every_s
        if every <= 0:
            return
        count = self._breaks[agent_id] = self._breaks.get(agent_id, 0) + 1
        subject = self._agent_subjects[agent_id]
        delay = every * (0.5 + self._streams["break"].uniform(subject, count))
        self._after(delay, lambda: self._go_on_break(agent_id, subject, count))

    def _go_on_break(self, agent_id: str, subject: int, count: int) -> None:
        self._emit(ev.AgentPaused(at=self._clock.now(), agent_id=agent_id, reason="break"))
        length = self._scenario.floor.break_s.quantile(self._streams["break_length"].uniform(subject, count))
        self._after(length, lambda: self._come_back(agent_id))

    def _come_back(self, agent_id: str) -> None:
        if agent_id in self._handling:  # the last call before the break outlasted it
            self._after(5.0, lambda: self._come_back(agent_id))
            return
        self._emit(ev.AgentReadied(at=self._clock.now(), agent_id=agent_id))
        self._plan_break(agent_id)

    # ---- chance and time --------------------------------------------------------------------------------------
    def _draw(self, purpose: str, call: SimulatedCall) -> float:
        return self._streams[purpose].uniform(call.subject, call.draw)

    def _after(self, delay: float, callback: Callable[[], None]) -> None:
        self._clock.call_at(self._clock.now() + delay, callback)


def _unheard(event: ev.Event) -> None:
    raise RuntimeError(f"expected start() before anything happens, was {type(event).__name__}")
