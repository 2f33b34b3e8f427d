"""Any course of events keeps the engine's promises: a state machine of hypothesis plays store, switch and people.

How it works: most rules make sense of the engine's present state (a line that rings is answered, a bridge is reported),
so that runs go deep; one rule says senseless things. What the engine answers is checked against books that never look
inside it (`engine_books`); the invariants compare its indexes with its attempts. At the end of each run the switch is
silent, and everything must come to an end all the same. `CADENCIA_NIGHTLY=1` plays a hundred times as many runs.
"""

from __future__ import annotations

import os
from collections import Counter
from math import inf, nan

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import AGENT_TRANSITIONS, Agent, AgentState
from dialer.core.attempt import ATTEMPT_TRANSITIONS, Attempt
from dialer.core.attempt import AttemptState as S
from dialer.core.floor import AT_ONCE, BUSY, LEAVES_AT, SEGMENT, SINCE
from dialer.core.learned import Learned
from models.answer import AnswerTable
from models.plan import HourPlan, pack
from tests.property.engine_books import FAULTS, Books
from tests.property.twin_bench import TwinBench
from tests.unit.core.bench_engine import START, campaign_of, lead_of

NIGHTLY = os.environ.get("CADENCIA_NIGHTLY") == "1"
RUNS = 80_000 if NIGHTLY else 800
STEPS = 20

AGENTS = ("ana", "bruno", "carla")
LEADS = 30
CHANNELS = 6
SILENT_LIMIT_S = 420.0
RECALLED = Learned(
    at=START - 3600.0,
    policies={"told-v1": {"learned": ["answered"]}},
    answers=AnswerTable().snapshot(),
    counters={"attempts": 9, "answers": 6, "live_answers": 5, "abandoned": 1},
)
CAMPAIGNS = {
    amd: campaign_of(
        amd=amd,
        agents=[{"id": agent} for agent in AGENTS],
        retry={
            name: {"after": 1, "max": 50, "next_number": index % 2}
            for index, name in enumerate(
                ("BUSY", "NO_ANSWER", "CANCELLED", "UNKNOWN", "ABANDONED", "RPC", "INVALID_NUMBER", "WRONG_PARTY")
            )
        },
        number_gap=1,
        wrap_up_limit_s=10,
        trunks=[
            {"name": "t1", "max_channels": CHANNELS - 2, "max_cps": 4},
            {"name": "t2", "max_channels": 2, "max_cps": 1},
        ],
    )
    for amd in (False, True)
}


def plan_of(order: list[int], *, number: int, until: float, held: list[int]) -> HourPlan:
    """A plan that calls leads in this order, and holds some back for ten seconds."""
    answer = [nan if lead % 7 == 0 else 0.1 + 0.02 * lead for lead in range(LEADS)]
    return HourPlan(
        number=number,
        until=until,
        models=("m-1",),
        order=pack(order, "<i4"),
        held=pack(held, "<i4"),
        held_until=pack([until - 40.0] * len(held), "<f8"),
        answer=pack(answer, "<f4"),
        right_party=pack([0.5] * LEADS, "<f4"),
        because=pack([0] * LEADS, "|u1"),
        propensity=pack([nan] * LEADS, "<f4"),
        arm=pack([0] * LEADS, "|u1"),
        told=("something is odd",) if number % 2 else (),
    )


agents = st.sampled_from(AGENTS)
picks = st.integers(0, 11)
# Not equally likely: the first is what mostly happens.
answers = st.sampled_from(["held"] * 5 + ["mixed", "mixed", "lost", "late"])


class EngineMachine(RuleBasedStateMachine):
    """A floor of three agents, two small trunks, and a store and a switch that say whatever may be said."""

    bench: TwinBench

    @initialize(
        amd=st.booleans(),
        open_s=st.sampled_from([1e6, 1e6, 1e6, 60.0]),
        inherited=st.lists(st.sampled_from(["talks", "talks", "ended", "gone", "twice", "unknown"]), max_size=3),
        recalled=st.booleans(),
        linked=st.sampled_from([True, True, True, False]),
    )
    def begin(self, amd: bool, open_s: float, inherited: list[str], recalled: bool, linked: bool) -> None:
        self.books = Books(closes_at=START + open_s, set_ups_per_s={"t1": 4, "t2": 1})
        self.bench = TwinBench(self.books, CAMPAIGNS[amd], leads=LEADS)
        self.base = 0
        if recalled:
            self.base = RECALLED.counters["attempts"]
            self.tell(ev.StateRecalled, learned=RECALLED)
        if inherited:
            self.inherit(inherited)
        for agent in AGENTS:
            self.tell(ev.AgentLoggedIn, agent_id=agent)
        for attempt_id, (fate, agent) in enumerate(zip(inherited, AGENTS, strict=False)):
            if fate == "talks":
                self.tell(ev.AttemptSurvived, attempt_id=attempt_id + 1, agent_id=agent)
            elif fate == "ended":
                self.tell(ev.AttemptEnded, attempt_id=attempt_id + 1, cause=16)
        if linked:
            self.tell(ev.LinkUp)

    def inherit(self, fates: list[str]) -> None:
        claims = []
        for index, fate in enumerate(fates):
            lead = lead_of("L99" if fate == "unknown" else f"L{index}", 2)
            claims.append(
                act.Claim(
                    attempt_id=index + 1,
                    lead_id=lead.lead_id,
                    number=lead.numbers[index % 2].e164,
                    at=START - 60.0,
                    stop_keys=(f"lead:{lead.lead_id}", "everything"),
                    fact_keys=(f"person:{lead.person}",),
                    caps=(),
                )
            )
        self.books.inherit(tuple(c for c, fate in zip(claims, fates, strict=True) if fate != "unknown"))
        self.tell(ev.LinkDropped, reason="not yet connected")
        again = [claim for claim, fate in zip(claims, fates, strict=True) if fate == "twice"]
        self.tell(ev.AttemptsInherited, claims=(*claims, *again))

    # ---- what the rules need ----------------------------------------------------------------------------------
    def tell(self, kind: type[ev.Event], **facts: object) -> None:
        self.bench.tell(kind, **facts)

    @property
    def attempts(self) -> dict[int, Attempt]:
        return self.bench.engine._state.attempts

    def some(self, *states: S) -> list[Attempt]:
        return [attempt for attempt in self.attempts.values() if attempt.state in states]

    # ---- the store --------------------------------------------------------------------------------------------
    @rule(lines=st.integers(1, 4), answer=answers, pause=st.sampled_from([0.06, 1.1]))
    def lines_are_launched(self, lines: int, answer: str, pause: float) -> None:
        before = set(self.books.reserving)
        self.bench.want(lines)
        self.bench.wait(pause)
        if answer != "late":
            self.store_answers(sorted(self.books.reserving - before), answer)

    # ---- the planner ------------------------------------------------------------------------------------------
    @rule()
    def a_planner_opens(self) -> None:
        self.tell(ev.PlannerOpened, models=("m-1",))

    @rule(order=st.permutations(range(LEADS)), length=st.integers(0, LEADS), late=st.integers(0, 2), rests=picks)
    def a_plan_comes(self, order: list[int], length: int, late: int, rests: int) -> None:
        """In time, or after a newer request; some leads are held back, of some no model says anything."""
        number = self.bench.engine._state.plans.asked - late
        if number >= 0:
            plan = plan_of(order[:length], number=number, until=self.bench.now + 50.0, held=order[:rests])
            self.tell(ev.HoursPlanned, plan=plan)

    @rule(row=st.integers(0, 9), pause=st.sampled_from([1.1, 16.0]))
    def the_policy_would_rather_hang_up(self, row: int, pause: float) -> None:
        """Of a row that is not there no policy speaks; what has not rung long enough is left alone."""
        self.bench.wait(pause)
        lines = len(self.bench.engine._state.lines)
        self.bench.want(0, hang_up=(row % lines,) if lines else ())
        self.bench.wait(0.3)
        self.bench.want(0)

    @rule(row=st.sampled_from([-1, 99, None]), pause=st.sampled_from([0.3, 4.0]))
    def the_policy_fails(self, row: int | None, pause: float) -> None:
        fault = ZeroDivisionError("division by zero") if row is None else None
        self.bench.want(3, hang_up=() if row is None else (row,), fault=fault)
        self.bench.wait(pause)
        self.bench.want(0)

    @rule(lines=st.integers(1, 2), far=st.sampled_from(["rings", "answered", "answered", "bridged", "bridged", "over"]))
    def calls_go_smoothly(self, lines: int, far: str) -> None:
        """Whatever was down comes up, and new calls come as far as this, if agents are there for them."""
        self.mend()
        before = set(self.attempts)
        self.bench.want(lines)
        self.bench.wait(1.1)
        for attempt in [attempt for attempt in self.attempts.values() if attempt.attempt_id not in before]:
            self.tell(ev.Reserved, attempt_ids=(attempt.attempt_id,))
            self.bench.wait(1.1)
            self.tell(ev.AttemptRinging, attempt_id=attempt.attempt_id, try_no=attempt.try_no)
            if far != "rings":
                self.tell(ev.AttemptAnswered, attempt_id=attempt.attempt_id, try_no=attempt.try_no)
                self.tell(ev.AttemptScreened, attempt_id=attempt.attempt_id, verdict="human")
            if far in ("bridged", "over") and attempt.agent_id is not None:
                self.tell(ev.AttemptBridged, attempt_id=attempt.attempt_id, agent_id=attempt.agent_id)
            if far == "over":
                self.tell(ev.AttemptEnded, attempt_id=attempt.attempt_id, try_no=attempt.try_no, cause=16)

    def mend(self) -> None:
        if not self.books.link_up:
            self.tell(ev.LinkUp)
        if not self.books.store_ok:
            self.tell(ev.StoreRecovered)
        if self.books.paused:
            self.tell(ev.LaunchingResumed, by="eva")
        if not self.books.here:
            self.tell(ev.AgentLoggedIn, agent_id="ana")

    @precondition(lambda self: self.books.reserving)
    @rule(answer=st.sampled_from(["held", "mixed", "lost"]))
    def the_store_answers_at_last(self, answer: str) -> None:
        self.store_answers(sorted(self.books.reserving), answer)

    def store_answers(self, ids: list[int], answer: str) -> None:
        held = ids if answer == "held" else ids[::2] if answer == "mixed" else []
        if held:
            self.tell(ev.Reserved, attempt_ids=tuple(held))
        rest = [attempt for attempt in ids if attempt not in held]
        if rest and answer == "mixed":
            refusals = [
                ev.Refusal(
                    attempt_id=a, rule="stop:paid" if a % 3 else "cap", retry_at=(None, self.bench.now + 3)[a % 2]
                )
                for a in rest
            ]
            self.tell(ev.Refused, refusals=tuple(refusals))
        elif rest:
            self.tell(ev.ReservationLost, attempt_ids=tuple(rest))

    # ---- the switch -------------------------------------------------------------------------------------------
    @precondition(lambda self: self.some(S.DIALLING, S.RINGING))
    @rule(
        pick=picks,
        fact=st.sampled_from(
            ["answered"] * 4 + ["rings"] * 3 + ["ends", "lost", "fails", "fails", "fails as all is paused"]
        ),
    )
    def a_line(self, pick: int, fact: str) -> None:
        lines = self.some(S.DIALLING, S.RINGING)
        line = lines[pick % len(lines)]
        told = {"attempt_id": line.attempt_id, "try_no": line.try_no}
        if fact == "answered":
            self.tell(ev.AttemptAnswered, **told)
        elif fact == "rings":
            self.tell(ev.AttemptRinging, **told)
        else:
            if fact == "fails as all is paused":
                self.tell(ev.LaunchingPaused, by="eva")
            causes = FAULTS if fact.startswith("fails") else ((17, 486), (19, 480), (16, None), (1, 404))
            cause, sip_code = causes[pick % len(causes)]
            self.tell(ev.AttemptEnded, **told, cause=cause, sip_code=sip_code, lost=fact == "lost")

    @precondition(lambda self: self.some(S.SCREENING, S.WAITING, S.MESSAGE))
    @rule(pick=picks, fact=st.sampled_from(["human", "uncertain", "machine", "abandoned", "ended", "lost"]))
    def an_answered_call(self, pick: int, fact: str) -> None:
        calls = self.some(S.SCREENING, S.WAITING, S.MESSAGE)
        call = calls[pick % len(calls)]
        if fact == "abandoned":
            self.tell(ev.AttemptAbandoned, attempt_id=call.attempt_id)
        elif fact in ("ended", "lost"):
            self.tell(ev.AttemptEnded, attempt_id=call.attempt_id, try_no=call.try_no, cause=16, lost=fact == "lost")
        else:
            self.tell(ev.AttemptScreened, attempt_id=call.attempt_id, verdict=fact)

    @precondition(lambda self: self.some(S.BRIDGING))
    @rule(
        pick=picks, fact=st.sampled_from(["bridged"] * 4 + ["failed", "gone", "abandoned", "ended", "other", "logout"])
    )
    def a_bridge(self, pick: int, fact: str) -> None:
        calls = self.some(S.BRIDGING)
        call = calls[pick % len(calls)]
        attempt, agent = call.attempt_id, call.agent_id
        if fact == "bridged":
            self.tell(ev.AttemptBridged, attempt_id=attempt, agent_id=agent)
        elif fact == "other":  # an answer about an earlier bridge of this call
            other = AGENTS[(AGENTS.index(agent or "") + 1) % len(AGENTS)]
            kind = (ev.AttemptBridged, ev.BridgeFailed)[pick % 2]
            more = {"agent_gone": False} if kind is ev.BridgeFailed else {}
            self.tell(kind, attempt_id=attempt, agent_id=other, **more)
            assert (call.state, call.agent_id) == (S.BRIDGING, agent), "another agent's answer was taken for this one's"
        elif fact == "abandoned":
            self.tell(ev.AttemptAbandoned, attempt_id=attempt)
        elif fact == "ended":
            self.tell(ev.AttemptEnded, attempt_id=attempt, try_no=call.try_no, cause=16)
        elif fact == "logout":
            self.tell(ev.AgentLoggedOut, agent_id=agent)
        else:
            self.tell(ev.BridgeFailed, attempt_id=attempt, agent_id=agent, agent_gone=fact == "gone")

    @precondition(lambda self: self.some(S.TALKING, S.DISPOSING))
    @rule(pick=picks, fact=st.sampled_from(["ended", "ended", "lost", "key", "disposed", "keeps", "logout"]))
    def a_conversation(self, pick: int, fact: str) -> None:
        calls = self.some(S.TALKING, S.DISPOSING)
        call = calls[pick % len(calls)]
        if fact == "key":
            self.tell(ev.AgentKeyed, agent_id=call.agent_id, key="12345679*#0"[pick % 11])
        elif fact == "logout":
            self.tell(ev.AgentLoggedOut, agent_id=call.agent_id)
        elif fact in ("disposed", "keeps"):
            self.tell(
                ev.AttemptDisposed,
                agent_id=call.agent_id,
                attempt_id=call.attempt_id,
                disposition=("RPC", "PTP", "PAID", "NOPE")[pick % 4],
                ends_wrap_up=fact == "disposed",
            )
        else:
            self.tell(ev.AttemptEnded, attempt_id=call.attempt_id, try_no=call.try_no, cause=16, lost=fact == "lost")

    # ---- people and time --------------------------------------------------------------------------------------
    @rule(agent=agents, fact=st.sampled_from(["in", "in", "out", "ready", "pause", "key", "ordered out"]), pick=picks)
    def an_agent(self, agent: str, fact: str, pick: int) -> None:
        if fact == "in":
            self.tell(ev.AgentLoggedIn, agent_id=agent)
        elif fact == "out":
            self.tell(ev.AgentLoggedOut, agent_id=agent)
        elif fact == "ready":
            self.tell(ev.AgentReadied, agent_id=agent)
        elif fact == "pause":
            self.tell(ev.AgentPaused, agent_id=agent, reason="lunch")
        elif fact == "key":
            self.tell(ev.AgentKeyed, agent_id=agent, key="12345679*#0"[pick % 11])
        else:
            self.tell(ev.AgentLogoutOrdered, agent_id=agent, by="eva")

    @rule(agent=agents, in_s=st.sampled_from([None, -1.0, 0.0, 0.4, 9.0, 50.0]))
    def a_leave_is_announced(self, agent: str, in_s: float | None) -> None:
        at = None if in_s is None else self.bench.now + in_s
        self.tell(ev.AgentLeaveAnnounced, agent_id=agent, leaves_at=at)

    @rule(
        order=st.sampled_from(
            ["faster", "progressive", "predictive", "pause", "resume", "stop lead", "stop person", "link", "store"]
        ),
        lead=st.integers(0, 9),
    )
    def somebody_intervenes(self, order: str, lead: int) -> None:
        if order == "link":
            self.tell(ev.LinkDropped, reason="test")
        elif order == "store":
            self.tell(ev.StoreStalled, reason="test")
        elif order == "faster":
            self.tell(ev.PacingChanged, by="eva", max_lines_per_idle_agent=5.0, target_abandon_rate=0.02)
        elif order in ("progressive", "predictive"):
            self.tell(ev.PacingChanged, by="eva", mode=order)
        elif order == "pause":
            self.tell(ev.LaunchingPaused, by="eva")
        elif order == "resume":
            self.tell(ev.LaunchingResumed, by="eva")
        else:
            key = f"lead:L{lead}" if order == "stop lead" else f"person:PL{lead}"
            self.tell(ev.LeadStopped, key=key, reason="paid")

    @rule(seconds=st.sampled_from([0.01, 0.05, 1.0, 9.9, 10.1, 40.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.wait(seconds)

    # ---- the unusual ------------------------------------------------------------------------------------------
    @rule(
        kind=st.sampled_from(
            [ev.Reserved, ev.Refused, ev.ReservationLost, ev.AttemptRinging, ev.AttemptAnswered, ev.AttemptScreened,
             ev.AttemptAbandoned, ev.AttemptEnded, ev.AttemptBridged, ev.BridgeFailed, ev.AttemptSurvived,
             ev.AttemptDisposed]
        ),
        pick=st.integers(0, 40),
        agent=st.sampled_from((*AGENTS, "nobody")),
    )  # fmt: skip
    def something_senseless(self, kind: type[ev.Event], pick: int, agent: str) -> None:
        """A fact about any attempt there has ever been, or none: late, twice, before its time."""
        known = [attempt for attempt in self.books.claims if attempt not in self.books.reserving]
        attempt = known[-pick] if 0 < pick <= len(known) else 77
        facts: dict[str, object] = {"attempt_id": attempt}
        if kind in (ev.Reserved, ev.ReservationLost):
            facts = {"attempt_ids": (attempt,)}
        elif kind is ev.Refused:
            facts = {"refusals": (ev.Refusal(attempt_id=attempt, rule="cap", retry_at=None),)}
        elif kind in (ev.AttemptBridged, ev.AttemptSurvived):
            facts["agent_id"] = agent
        elif kind is ev.BridgeFailed:
            facts.update(agent_id=agent, agent_gone=bool(pick % 2))
        elif kind is ev.AttemptDisposed:
            facts.update(agent_id=agent, disposition="RPC")
        elif kind is ev.AttemptScreened:
            facts["verdict"] = ("human", "machine")[pick % 2]
        elif kind is ev.AttemptEnded:
            facts["cause"] = (0, 16, 17, 19)[pick % 4]
        self.tell(kind, **facts)

    @rule()
    def the_engine_is_restored(self) -> None:
        self.bench.restart()

    @precondition(lambda self: len(self.books.claims) > 4)
    @rule(order=st.sampled_from(["drain", "stop", "everything"]))
    def the_day_ends(self, order: str) -> None:
        if order == "everything":
            self.tell(ev.LeadStopped, key="everything", reason="emergency")
        else:
            self.tell(ev.DrainOrdered if order == "drain" else ev.StopOrdered, by="eva")

    # ---- promises ---------------------------------------------------------------------------------------------
    @invariant()
    def the_engine_s_books_are_ours(self) -> None:
        engine, books = self.bench.engine, self.books
        assert self.attempts.keys() == books.live.keys()
        counters = engine.counters
        assert counters.attempts == len(books.originated) + self.base
        assert counters.abandoned <= counters.live_answers <= counters.answers <= counters.attempts
        assert counters.bridged <= counters.live_answers
        assert sum(counters.dispositions.values()) == len(books.settled)
        assert engine.ended == (books.ends == 1)

    @invariant()
    def the_indexes_agree_with_the_attempts(self) -> None:
        state = self.bench.engine._state
        live = state.attempts.values()
        on_trunks = Counter(a.trunk for a in live if a.trunk and a.state is not S.DISPOSING)
        assert {name: state.desk.loads.in_use(place) for name, place in state.desk.places.items()} == {
            name: on_trunks[name] for name in state.desk.places
        }
        assert sum(on_trunks.values()) <= CHANNELS
        assert set(state.waiting) == {a.attempt_id for a in live if a.state is S.WAITING}
        served = state.waiting.keys() - self.books.hung_up
        assert not (served and state.floor.idle), "an idle agent and a call that waits for one"
        lines = {a.attempt_id for a in live if (a.state <= S.SCREENING or a.state is S.REROUTING) and not a.machine}
        assert {a.attempt_id for a in state.lines.owners} == lines
        queued = {state.queue[i].lead.lead_id for i in range(len(state.queue)) if state.queue[i].ticket}
        assert queued.isdisjoint(self.books.live.values()), "a lead is queued and in flight"
        assert len(queued) == state.queue.queued

    @invariant()
    def an_agent_has_one_call_at_most(self) -> None:
        state = self.bench.engine._state
        floor = state.floor
        held = {a.agent_id: a.attempt_id for a in floor.agents.values() if a.attempt_id is not None}
        assert len(set(held.values())) == len(held) and set(held.values()) <= state.attempts.keys()
        for agent in floor.agents.values():
            assert (agent.state in BUSY) == (agent.attempt_id is not None) == (agent.row >= 0)
            assert (agent.state is AgentState.OFFLINE) == (agent.agent_id not in self.books.here)
        for attempt in self.some(S.BRIDGING, S.DISPOSING):
            assert held.get(attempt.agent_id) == attempt.attempt_id
        idle = {a.agent_id for a in floor.agents.values() if a.state is AgentState.IDLE}
        assert (set(floor.idle_order), floor.idle, len(floor.busy)) == (idle, len(idle), len(held))
        for agent in floor.busy.owners:
            known = AT_ONCE if agent.pausing else agent.leaves_at
            shown = tuple(floor.busy.column(column)[agent.row] for column in (SINCE, SEGMENT, LEAVES_AT))
            assert shown == (agent.busy_since, agent.segment, inf if known is None else known)
        for agent in floor.agents.values():
            assert agent.leaves_at is None or agent.state is not AgentState.OFFLINE
            # A campaign that is over wants no time any more.
            assert agent.leaves_at is None or state.ended or agent.leaves_at >= state.now

    def teardown(self) -> None:
        """The store has answered, the switch says nothing more, a stop is ordered: everything ends, recorded."""
        if not hasattr(self, "bench") or not self.bench.whole:
            return
        if self.books.reserving:
            self.tell(ev.ReservationLost, attempt_ids=tuple(sorted(self.books.reserving)))
        self.tell(ev.StopOrdered, by="test")
        self.bench.wait(SILENT_LIMIT_S)
        stuck = sorted({attempt.state.name for attempt in self.attempts.values()})
        assert not stuck, f"stuck for ever: {stuck}"
        assert self.books.live == {} and self.bench.engine.ended


def cells(table: dict[AgentState, dict[type, AgentState]] | dict[S, dict[type, S]]) -> set[str]:
    return {f"{state.name} {trigger.__name__}" for state, row in table.items() for trigger in row}


@pytest.mark.timeout(7200 if NIGHTLY else 600)
def test_the_engine_keeps_its_promises_and_every_cell_of_its_tables_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    visited: Counter[str] = Counter()

    def counted(kind: type[Attempt] | type[Agent]) -> None:
        move = kind.move

        def moved(self: Attempt | Agent, trigger: type, *at: float) -> None:
            before = self.state.name
            move(self, trigger, *at)  # type: ignore[arg-type]
            visited[f"{before} {trigger.__name__}"] += 1

        monkeypatch.setattr(kind, "move", moved)

    counted(Attempt)
    counted(Agent)
    run_state_machine_as_test(
        EngineMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not NIGHTLY,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    expected = cells(ATTEMPT_TRANSITIONS) | cells(AGENT_TRANSITIONS)
    # An idle agent who says to be ready is ready already: the floor moves nobody.
    assert expected <= visited.keys()
