"""Any sequence of facts keeps the engine's promises: a state machine of hypothesis plays store, switch and agents.

The machine keeps its own books (what is held, what was placed, who talks to whom) from the actions alone.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import AgentState
from dialer.core.floor import BUSY
from tests.unit.core.bench_engine import Bench

AGENTS = ("ana", "bruno", "carla")
agents = st.sampled_from(AGENTS)


class EngineMachine(RuleBasedStateMachine):
    """Facts in any order, also senseless ones: late, twice, about nobody."""

    claimed = Bundle("claimed")
    placed = Bundle("placed")

    @initialize(amd=st.booleans())
    def begin(self, amd: bool) -> None:
        self.bench = Bench(
            leads=30,
            numbers=2,
            amd=amd,
            agents=[{"id": agent} for agent in AGENTS],
            retry={
                name: {"after": 1, "max": 50} for name in ("BUSY", "NO_ANSWER", "CANCELLED", "UNKNOWN", "ABANDONED")
            },
            number_gap=1,
        )
        self.reserving: set[int] = set()
        self.held: set[int] = set()
        self.open: set[int] = set()  # reserved or being reserved, not yet settled or refused
        self.originated: set[int] = set()
        self.leads_of: dict[int, str] = {}
        self.settled: set[int] = set()
        self.bridges: list[tuple[int, str]] = []

    # ---- the books --------------------------------------------------------------------------------------------
    def note(self, actions: list[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.Reserve):
                for claim in action.claims:
                    live = {self.leads_of[a] for a in self.open}
                    assert claim.lead_id not in live, "two live attempts of one lead"
                    assert claim.attempt_id not in self.leads_of, "an attempt id was used twice"
                    self.leads_of[claim.attempt_id] = claim.lead_id
                    self.reserving.add(claim.attempt_id)
                    self.open.add(claim.attempt_id)
            elif isinstance(action, act.Originate):
                assert action.attempt_id in self.held, "an Originate without its Reserved"
                assert action.attempt_id not in self.originated, "an attempt was originated twice"
                self.originated.add(action.attempt_id)
            elif isinstance(action, act.Bridge):
                assert action.attempt_id in self.originated - self.settled
                self.bridges.append((action.attempt_id, action.agent_id))
            elif isinstance(action, act.Settle):
                for settlement in action.settlements:
                    assert settlement.attempt_id not in self.settled, "an attempt was settled twice"
                    assert settlement.attempt_id in self.open
                    self.settled.add(settlement.attempt_id)
                    self.open.discard(settlement.attempt_id)

    def tell(self, kind: type[ev.Event], **facts: object) -> None:
        self.note(self.bench.tell(kind, **facts))

    # ---- facts ------------------------------------------------------------------------------------------------
    @rule(target=claimed, lines=st.integers(1, 6))
    def time_passes_and_leads_are_claimed(self, lines: int) -> tuple[int, ...]:
        self.bench.policy.want = lines
        self.note(self.bench.wait(1.1))
        ids, self.reserving = tuple(sorted(self.reserving)), set()
        return ids

    @rule(target=placed, ids=consumes(claimed), answer=st.sampled_from(["held", "mixed", "lost"]))
    def the_store_answers(self, ids: tuple[int, ...], answer: str) -> tuple[int, ...]:
        held = ids if answer == "held" else ids[::2] if answer == "mixed" else ()
        gone = tuple(attempt for attempt in ids if attempt not in held)
        self.held.update(held)
        if held:
            self.tell(ev.Reserved, attempt_ids=held)
        if gone and answer == "mixed":
            self.open -= {attempt for attempt in gone if attempt not in self.settled}
            refusals = tuple(ev.Refusal(attempt_id=a, rule="cap", retry_at=self.bench.now + 5) for a in gone)
            self.tell(ev.Refused, refusals=refusals)
        elif gone:
            self.tell(ev.ReservationLost, attempt_ids=gone)
        return held or (0,)

    @rule(ids=placed, pick=st.integers(0, 5), kind=st.sampled_from([ev.AttemptRinging, ev.AttemptAnswered]))
    def the_line(self, ids: tuple[int, ...], pick: int, kind: type[ev.Event]) -> None:
        self.tell(kind, attempt_id=ids[pick % len(ids)])

    @rule(ids=placed, pick=st.integers(0, 5), verdict=st.sampled_from(["human", "machine", "uncertain"]))
    def the_line_is_screened(self, ids: tuple[int, ...], pick: int, verdict: str) -> None:
        self.tell(ev.AttemptScreened, attempt_id=ids[pick % len(ids)], verdict=verdict)

    @rule(ids=placed, pick=st.integers(0, 5), cause=st.sampled_from([(0, None), (16, None), (17, 486), (19, 480)]))
    def the_line_ends(self, ids: tuple[int, ...], pick: int, cause: tuple[int, int | None]) -> None:
        self.tell(ev.AttemptEnded, attempt_id=ids[pick % len(ids)], cause=cause[0], sip_code=cause[1])

    @rule(ids=placed, pick=st.integers(0, 5))
    def the_message_plays(self, ids: tuple[int, ...], pick: int) -> None:
        self.tell(ev.AttemptAbandoned, attempt_id=ids[pick % len(ids)])

    @rule(pick=st.integers(0, 50), outcome=st.sampled_from(["bridged", "failed", "gone"]))
    def a_bridge_ends_so(self, pick: int, outcome: str) -> None:
        if not self.bridges:
            return
        attempt_id, agent_id = self.bridges[pick % len(self.bridges)]
        if outcome == "bridged":
            self.tell(ev.AttemptBridged, attempt_id=attempt_id, agent_id=agent_id)
        else:
            self.tell(ev.BridgeFailed, attempt_id=attempt_id, agent_id=agent_id, agent_gone=outcome == "gone")

    @rule(agent=agents, kind=st.sampled_from([ev.AgentLoggedIn, ev.AgentLoggedOut, ev.AgentReadied]))
    def an_agent(self, agent: str, kind: type[ev.Event]) -> None:
        self.tell(kind, agent_id=agent)

    @rule(agent=agents, key=st.sampled_from("12345679*#0"))
    def an_agent_presses(self, agent: str, key: str) -> None:
        self.tell(ev.AgentKeyed, agent_id=agent, key=key)

    @rule(up=st.booleans())
    def the_link(self, up: bool) -> None:
        if up:
            self.tell(ev.LinkUp)
        else:
            self.tell(ev.LinkDropped, reason="test")

    @rule(lead=st.integers(0, 29))
    def a_lead_is_stopped(self, lead: int) -> None:
        self.tell(ev.LeadStopped, key=f"lead:L{lead}", reason="paid")

    @rule(seconds=st.floats(0.01, 90.0))
    def time_passes(self, seconds: float) -> None:
        self.note(self.bench.wait(seconds))

    # ---- promises ---------------------------------------------------------------------------------------------
    @invariant()
    def books_agree(self) -> None:
        if not hasattr(self, "bench"):
            return
        engine = self.bench.engine
        assert engine.live_attempts == len(self.open)
        assert engine.counters.attempts == len(self.originated)
        assert engine.counters.abandoned <= engine.counters.live_answers <= engine.counters.answers

    @invariant()
    def agents_hold_one_call_each_at_most(self) -> None:
        if not hasattr(self, "bench"):
            return
        floor = self.bench.engine.floor
        held = [agent.attempt_id for agent in floor.agents.values() if agent.attempt_id is not None]
        assert len(held) == len(set(held))
        assert set(held) <= self.open
        for agent in floor.agents.values():
            assert (agent.state in BUSY) == (agent.attempt_id is not None) == (agent.row >= 0)
        idle = sum(agent.state is AgentState.IDLE for agent in floor.agents.values())
        assert (floor.idle, len(floor.busy)) == (idle, len(held))
        assert floor.leaving == sum(agent.pausing for agent in floor.agents.values())

    def teardown(self) -> None:
        """A stop order ends everything within the limits, whatever went before."""
        if not hasattr(self, "bench"):
            return
        self.tell(ev.LinkUp)
        self.tell(ev.StopOrdered, by="test")
        for attempt_id in sorted(self.open - self.held):
            self.tell(ev.ReservationLost, attempt_ids=(attempt_id,))
        for attempt_id in sorted(self.open):
            self.tell(ev.AttemptEnded, attempt_id=attempt_id, cause=16)
        self.note(self.bench.wait(300.0))
        assert self.open == set()
        assert self.bench.engine.ended


EngineMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEngine = EngineMachine.TestCase
