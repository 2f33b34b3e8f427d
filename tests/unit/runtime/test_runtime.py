"""The asyncio shell: what is written before what, and how each kind of failure ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dialer import runtime
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import LeadProgress
from dialer.core.learned import Learned
from dialer.errors import LeaseLost, LinkLost, StoreError
from models.answer import AnswerTable
from tests.unit.core.bench_engine import START, lead_of
from tests.unit.runtime.stage import Stage


def claim_of(attempt_id: int, lead: str) -> act.Claim:
    return act.Claim(
        attempt_id=attempt_id,
        lead_id=lead,
        number=lead_of(lead).numbers[0].e164,
        at=START - 60.0,
        stop_keys=(f"lead:{lead}",),
        fact_keys=(),
        caps=(),
    )


# ---- what is written before what ----------------------------------------------------------------------------
async def test_the_switch_acts_only_after_the_journal_has_the_event_that_made_it_act() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        trail = stage.trail
        acted = next(i for i, (name, _) in enumerate(trail) if name == "perform")
        written = next(i for i, (_, what) in enumerate(trail) if isinstance(what, ev.Reserved))
        assert written < trail.index(("flush", None), written) < acted
        assert stage.placed == [attempt] == stage.of("reserve")[0]


async def test_facts_of_one_turn_are_flushed_once() -> None:
    async with Stage().play() as stage:
        before = stage.names("flush")
        for agent in ("ana", "bruno"):
            stage.runtime.emit(ev.AgentPaused(at=START, agent_id=agent, reason="lunch"))
        await stage.turns()
        assert len(stage.names("flush")) == len(before) + 1


async def test_a_start_recalls_then_tells_the_list_and_what_was_claimed_and_only_then_hears_the_switch() -> None:
    learned = Learned(at=START - 9.0, policies={}, answers=AnswerTable().snapshot(), counters={"attempts": 7})
    async with Stage(learned=learned, in_flight=(claim_of(5, "L0"),)).play() as stage:
        told = [type(event).__name__ for event in stage.of("append")]
        assert told[:5] == ["StateRecalled", "LeadsAdded", "AttemptsInherited", "LeadsAdded", "AgentLoggedIn"]
        assert stage.runtime.engine.counters.attempts == 7
        assert stage.of("settle") == [[5]]


async def test_settlements_are_merged_but_never_across_a_reservation() -> None:
    async with Stage().play() as stage:
        first, second, third, fourth = await stage.dial(4)
        stage.store.gate.clear()
        for attempt in (first, second, third):
            await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)
        stage.policy.want = 1
        await stage.wait(1.1)
        await stage.tell(ev.AttemptEnded, attempt_id=fourth, cause=17)
        before = len(stage.trail)
        stage.store.gate.set()
        await stage.turns()
        calls = [(name, what) for name, what in stage.trail[before:] if name in ("settle", "reserve")]
        fifth = fourth + 1
        assert calls == [("settle", [first]), ("settle", [second, third]), ("reserve", [fifth]), ("settle", [fourth])]


async def test_refused_claims_are_told_beside_those_that_are_held() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.store.refuse[attempt + 1] = "cap"
        placed = await stage.dial(2)
        assert placed == [attempt + 2]
        (refused,) = stage.heard(ev.Refused)
        assert isinstance(refused, ev.Refused)
        assert [(refusal.attempt_id, refusal.rule) for refusal in refused.refusals] == [(attempt + 1, "cap")]


async def test_a_long_list_whose_beginning_is_finished_is_not_taken_for_a_finished_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loading takes time, and the engine's ticks come meanwhile."""
    monkeypatch.setattr("dialer.core.lead.LEADS_PER_EVENT", 2)
    leads = tuple(lead_of(f"L{index}") for index in range(20))
    statuses = ["finished"] * 18 + ["ready"] * 2
    progress = tuple(LeadProgress(lead_id=lead.lead_id, status=s) for lead, s in zip(leads, statuses, strict=True))
    stage = Stage(leads=leads, progress=progress)
    stage.policy.want = 2
    stage.running = asyncio.create_task(stage.runtime.run())
    try:
        async with asyncio.timeout(5.0):
            while len(stage.heard(ev.LeadsAdded)) < 10:
                stage.clock.advance()  # each piece takes as long as the engine waits for anything
                await asyncio.sleep(0)
        await stage.turns()
        await stage.wait(1.1)
        assert not stage.runtime.engine.ended
        assert len(stage.placed) == 2
    finally:
        stage.running.cancel()
        await asyncio.gather(stage.running, return_exceptions=True)


# ---- the journal and the switch fail ------------------------------------------------------------------------
@pytest.mark.parametrize("fault", ["append_fault", "flush_fault"])
async def test_a_journal_that_fails_ends_the_run_and_nothing_is_performed_any_more(fault: str) -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        setattr(stage.journal, fault, StoreError("the disk is full"))
        await stage.tell(ev.AttemptAnswered, attempt_id=attempt)
        setattr(stage.journal, fault, None)
        acted = len(stage.of("perform"))
        await stage.tell(ev.AgentLoggedIn, agent_id="bruno")
        stage.runtime.stop("an operator")
        await stage.wait(5.0)
        with pytest.raises(StoreError, match="disk is full"):
            await stage.end()
        assert len(stage.of("perform")) == acted == 1
        assert stage.names("switch closed", "journal closed") == ["switch closed", "journal closed"]
        assert stage.runtime.ended


async def test_a_switch_that_cannot_act_ends_the_run() -> None:
    async with Stage().play() as stage:
        stage.switch.perform_fault = RuntimeError("a bug in the adapter")
        await stage.dial()
        with pytest.raises(RuntimeError, match="bug in the adapter"):
            await stage.end()
        assert stage.names("switch closed", "journal closed") == ["switch closed", "journal closed"]


async def test_an_engine_that_cannot_go_on_ends_the_run() -> None:
    async with Stage().play() as stage:
        stage.runtime.emit(object())  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            await stage.end()
        assert stage.names("journal closed") == ["journal closed"]


async def test_a_switch_that_cannot_be_reached_at_the_start_ends_the_run() -> None:
    stage = Stage()
    stage.switch.start_fault = LinkLost("connection refused")
    async with stage.play():
        with pytest.raises(LinkLost):
            await stage.end()
        assert stage.names("switch closed", "journal closed") == ["switch closed", "journal closed"]


async def test_an_interrupted_run_lets_go_of_everything() -> None:
    stage = Stage()
    async with stage.play():
        await stage.dial()
    assert stage.names("switch closed", "journal closed") == ["switch closed", "journal closed"]
    assert stage.clock.next_at is None, "a wake-up call was left behind"


# ---- the store fails ----------------------------------------------------------------------------------------
async def test_a_reservation_that_fails_is_not_dialled_and_is_settled_once_the_store_works() -> None:
    async with Stage().play() as stage:
        stage.store.faults["reserve"].append(StoreError("no answer"))
        assert await stage.dial(2) == []
        kinds = (ev.StoreStalled, ev.ReservationLost, ev.StoreRecovered)
        assert [type(event) for event in stage.heard(*kinds)] == list(kinds)
        (lost,) = stage.of("reserve failed")
        assert stage.of("settle") == [lost]
        assert len(await stage.dial(2)) == 2


async def test_nothing_is_launched_while_the_store_is_stalled() -> None:
    async with Stage().play() as stage:
        stage.store.faults["reserve"].append(StoreError("no answer"))
        stage.store.faults["settle"].extend(StoreError("no answer") for _ in range(3))
        await stage.dial(2)
        assert await stage.dial(2) == []
        assert stage.of("reserve") == []


async def test_a_settlement_is_tried_until_the_store_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_RETRY_S", (0.001,))
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.store.faults["settle"].extend(StoreError("no answer") for _ in range(4))
        await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)
        async with asyncio.timeout(5.0):
            await stage.runtime.quiet()
        await stage.turns()
        assert stage.names("settle failed", "settle") == ["settle failed"] * 4 + ["settle"]
        kinds = (ev.StoreStalled, ev.StoreRecovered)
        assert [type(event) for event in stage.heard(*kinds)] == list(kinds)


async def test_learned_state_is_saved_every_minute_and_a_failure_of_it_is_no_stall() -> None:
    async with Stage().play() as stage:
        stage.store.faults["save"].append(StoreError("no answer"))
        await stage.wait(125.0)
        assert stage.names("save failed", "save") == ["save failed", "save"]
        assert stage.heard(ev.StoreStalled) == []


async def _reserve(stage: Stage) -> None:
    await stage.dial()


async def _settle(stage: Stage) -> None:
    (attempt,) = await stage.dial()
    await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)


async def _save(stage: Stage) -> None:
    await stage.wait(61.0)


@pytest.mark.parametrize(("call", "work"), [("reserve", _reserve), ("settle", _settle), ("save", _save)])
async def test_a_lost_lease_ends_the_run(call: str, work: Callable[[Stage], object]) -> None:
    async with Stage().play() as stage:
        stage.store.faults[call].extend(LeaseLost("run 2 has the campaign") for _ in range(100))
        await work(stage)  # type: ignore[misc]
        with pytest.raises(LeaseLost):
            await stage.end()
        assert len(stage.names(f"{call} failed")) <= 2, "it is no stall: trying again is no use"
        assert stage.heard(ev.StoreStalled) == []
        assert stage.names("journal closed") == ["journal closed"]


@pytest.mark.parametrize("count", [1, 2])
async def test_what_waits_for_the_store_when_the_journal_fails_is_still_recorded(count: int) -> None:
    """The first end is under way in the store, the second waits behind it."""
    async with Stage().play() as stage:
        attempts = await stage.dial(count)
        stage.store.gate.clear()
        for attempt in attempts:
            await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)
        stage.journal.flush_fault = StoreError("the disk is full")
        await stage.tell(ev.AgentPaused, agent_id="ana", reason="lunch")
        stage.store.gate.set()
        with pytest.raises(StoreError, match="disk is full"):
            await stage.end()
        recorded = {attempt for ids in stage.of("settle") for attempt in ids}  # type: ignore[attr-defined]
        assert recorded == set(attempts)


async def test_a_store_that_is_silent_when_the_journal_fails_holds_the_run_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime, "LAST_WRITES_S", 0.1)
    async with Stage().play() as stage:
        first, second = await stage.dial(2)
        stage.store.gate.clear()
        for attempt in (first, second):
            await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)
        stage.journal.flush_fault = StoreError("the disk is full")
        await stage.tell(ev.AgentPaused, agent_id="ana", reason="lunch")
        with pytest.raises(StoreError, match="disk is full"):
            await stage.end()


async def test_a_store_that_is_dead_at_the_end_holds_the_run_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime, "_RETRY_S", (0.01,))
    monkeypatch.setattr(runtime, "LAST_WRITES_S", 0.1)
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.store.faults["settle"].extend(StoreError("no answer") for _ in range(10_000))
        stage.runtime.stop("an operator")
        await stage.turns()
        await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
        with pytest.raises(StoreError):
            await stage.end()
        assert stage.names("journal closed") == ["journal closed"]


# ---- stops --------------------------------------------------------------------------------------------------
async def test_a_stop_by_others_reaches_the_call_that_rings() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.store.stops.put_nowait(("lead:L0", "paid"))
        await stage.turns()
        hung_up = [action.attempt_id for action in stage.of("perform") if isinstance(action, act.HangUp)]
        assert hung_up == [attempt]


async def test_a_stop_of_our_own_is_set_in_the_store_and_not_heard_as_another_s() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        await stage.tell(ev.AttemptAnswered, attempt_id=attempt)
        await stage.tell(ev.AttemptBridged, attempt_id=attempt, agent_id="ana")
        await stage.tell(ev.AgentKeyed, agent_id="ana", key="6")  # paid
        assert stage.of("stop") == ["lead:L0", "number:+51999000000", "person:PL0", "debt:DL0"]
        assert stage.heard(ev.LeadStopped) == []
        stage.store.stops.put_nowait(("lead:L1", "paid"))
        await stage.turns()
        (heard,) = stage.heard(ev.LeadStopped)
        assert isinstance(heard, ev.LeadStopped) and heard.key == "lead:L1"


async def test_a_stop_that_fails_is_tried_until_the_store_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_RETRY_S", (0.001,))
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        await stage.tell(ev.AttemptAnswered, attempt_id=attempt)
        await stage.tell(ev.AttemptBridged, attempt_id=attempt, agent_id="ana")
        stage.store.faults["stop"].extend(StoreError("no answer") for _ in range(2))
        await stage.tell(ev.AgentKeyed, agent_id="ana", key="9")  # calls no more
        async with asyncio.timeout(5.0):
            await stage.runtime.quiet()
        assert len(stage.of("stop failed")) == 2 and set(stage.of("stop")) >= {"lead:L0", "person:PL0"}


async def test_stops_are_heard_again_after_the_store_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_RETRY_S", (0.001,))
    stage = Stage()
    stage.store.faults["next_stop"].append(StoreError("no answer"))
    async with stage.play():
        stage.store.stops.put_nowait(("lead:L1", "paid"))
        async with asyncio.timeout(5.0):
            while not stage.heard(ev.LeadStopped):
                await asyncio.sleep(0.001)


# ---- ends ---------------------------------------------------------------------------------------------------
async def test_draining_lets_the_call_finish_and_records_it_before_the_run_returns() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.runtime.drain("an operator")
        await stage.wait(2.0)
        assert not stage.runtime.ended
        stage.store.gate.clear()
        await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=17)
        assert stage.running is not None and not stage.running.done() and not stage.runtime.ended
        stage.store.gate.set()
        await stage.end()
        assert stage.of("settle") == [[attempt]]
        assert stage.names("settle", "save", "journal closed") == ["settle", "save", "journal closed"]


async def test_a_stop_hangs_up_at_once() -> None:
    async with Stage().play() as stage:
        (attempt,) = await stage.dial()
        stage.runtime.stop("an operator")
        await stage.turns()
        assert isinstance(stage.of("perform")[-1], act.HangUp)
        await stage.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
        await stage.end()
