"""The engine keeps the campaign's accounts of abandons: each answer once, over restarts and versions."""

from __future__ import annotations

import json

import msgspec
import pytest

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.abandon_book import expected_lost
from dialer.core.engine import CLOCK_SLACK_S, Engine
from dialer.core.learned import Learned
from dialer.core.status import CampaignStatus
from pacing.accounts.account import Standing
from pacing.accounts.rule import Answer
from pacing.registry import make_policy
from tests.unit.core.bench_engine import START, Bench, campaign_of

DAY = {"window": "rolling_24h"}


def bench_of(*rules: dict[str, object], **changes: object) -> Bench:
    bench = Bench(leads=20, abandon_rules=list(rules) or [DAY], **changes)
    bench.log_in("ana", "bruno")
    return bench


def standing(bench: Bench, index: int = 0) -> Standing:
    return bench.engine.status().abandon_accounts[index]


def counts(bench: Bench) -> tuple[float, float]:
    return standing(bench).answers, standing(bench).abandons


def answer(bench: Bench, attempt: int) -> list[str]:
    """The attempt is answered; returns the agents it is to be bridged to."""
    actions = bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    return [action.agent_id for action in actions if isinstance(action, act.Bridge)]


def test_an_answer_counts_when_its_waiting_is_over() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    (agent,) = answer(bench, attempt)
    assert counts(bench) == (0, 0)
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id=agent)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.wait(60.0)
    assert counts(bench) == (1, 0)
    assert standing(bench).budget_left == pytest.approx(0.03)


def test_an_agent_who_comes_too_late_abandons_the_call() -> None:
    bench = bench_of(DAY, {**DAY, "id": "drops", "numerator": "unserved"})
    (attempt,) = bench.dial()
    (agent,) = answer(bench, attempt)
    bench.now += 2.5
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id=agent)
    assert counts(bench) == (1, 1)
    assert standing(bench, 1).abandons == 0


def test_a_call_that_is_given_up_and_joined_after_all_counts_once() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    (agent,) = answer(bench, attempt)
    bench.tell(ev.AttemptAbandoned, attempt_id=attempt)
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id=agent)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert counts(bench) == (1, 1)


@pytest.mark.parametrize("denominator", ["live_answers", "served_or_abandoned"])
def test_people_who_do_not_wait_are_told_apart_from_calls_given_up(denominator: str) -> None:
    bench = bench_of({**DAY, "denominator": denominator})
    bench.tell(ev.AgentPaused, agent_id="bruno", reason="break")
    busy, left, given_up, stopped = bench.dial(4)
    bench.talk(busy)
    for attempt in (left, given_up, stopped):
        assert answer(bench, attempt) == []
    bench.now += 0.5
    bench.tell(ev.AttemptEnded, attempt_id=left, cause=16)
    early = 0 if denominator == "served_or_abandoned" else 1
    assert counts(bench) == (1 + early, early)
    bench.tell(ev.AttemptAbandoned, attempt_id=given_up)
    bench.tell(ev.AttemptEnded, attempt_id=given_up, cause=16)
    bench.tell(ev.StopOrdered, by="eva")
    bench.tell(ev.AttemptEnded, attempt_id=stopped, cause=16)
    assert counts(bench) == (3 + early, 2 + early)


def test_the_clock_runs_from_the_greetings_end_where_it_is_known() -> None:
    bench = bench_of(DAY, {**DAY, "id": "strict", "clock_start": "connect"}, amd=True)
    known, unknown = bench.dial(2)
    for attempt in (known, unknown):
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    bench.now += 2.4
    at = {"greeting_ended_at": bench.now - 0.8}
    for attempt, moments in ((known, at), (unknown, {})):
        actions = bench.tell(ev.AttemptScreened, attempt_id=attempt, verdict="human", **moments)
        (bridge,) = [action for action in actions if isinstance(action, act.Bridge)]
        bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id=bridge.agent_id)
    assert (standing(bench, 0).abandons, standing(bench, 1).abandons) == (1, 2)


def test_people_whom_detection_is_expected_to_lose_are_counted() -> None:
    bench = bench_of(amd=True, amd_false_positive_rate=0.02)
    machine, person = bench.dial(2)
    for attempt, verdict in ((machine, "machine"), (person, "human")):
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
        actions = bench.tell(ev.AttemptScreened, attempt_id=attempt, verdict=verdict)
    (bridge,) = [action for action in actions if isinstance(action, act.Bridge)]
    bench.tell(ev.AttemptBridged, attempt_id=person, agent_id=bridge.agent_id)
    assert standing(bench).answers == pytest.approx(1 / 0.98)
    assert standing(bench).rate == pytest.approx(0.02)


def test_without_detection_nobody_is_lost_to_it() -> None:
    assert expected_lost(campaign_of(amd=False, amd_false_positive_rate=0.1)) == 0.0


@pytest.mark.parametrize(("denominator", "left"), [("people", 0), ("live_answers", 1)])
def test_an_answer_that_its_agent_finds_to_be_a_machine(denominator: str, left: int) -> None:
    bench = bench_of({**DAY, "denominator": denominator})
    (attempt,) = bench.dial()
    agent = bench.talk(attempt)
    assert counts(bench) == (1, 0)
    bench.tell(ev.AttemptDisposed, agent_id=agent, attempt_id=attempt, disposition="MACHINE")
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.wait(60.0)
    assert [s.disposition for s in bench.settled] == ["MACHINE"]
    assert counts(bench) == (left, 0)


# ---- what the accounts are for ------------------------------------------------------------------------------
def test_the_policy_sees_the_tightest_budget_and_so_does_the_supervisor() -> None:
    bench = bench_of(DAY, {"window": "campaign", "cap_rate": 0.01})
    bench.talk(*bench.dial())
    bench.dial(0)
    bench.wait(2.0)
    assert bench.policy.views[-1].budget_left == pytest.approx(0.01)
    status = msgspec.json.decode(msgspec.json.encode(bench.engine.status()), type=CampaignStatus)
    assert status.tightest_account == "campaign"
    assert [account.rule for account in status.abandon_accounts] == ["rolling_24h", "campaign"]


def recalled(answers: int, abandons: int, **learned: object) -> Learned:
    """What a run leaves in which so many were answered, of them so many abandoned."""
    bench = bench_of()
    accounts = bench.engine._state.abandon_book.accounts
    for index in range(answers):
        agent_at = None if index < abandons else START
        accounts.observe(Answer(connected_at=START, agent_at=agent_at, ended_at=START))
    kept = msgspec.structs.replace(bench.engine.learned(), at=START, **learned)
    return msgspec.json.decode(msgspec.json.encode(kept), type=Learned)


@pytest.mark.parametrize(("abandons", "guard"), [(0, "none"), (10, "abandon_budget")], ids=["plenty", "used up"])
def test_a_used_up_budget_makes_predictive_dialling_progressive(abandons: int, guard: str) -> None:
    bench = bench_of(max_lines_per_idle_agent=20)
    priced = make_policy("priced-v1")
    for _ in range(400):  # its own account is in order, and so few answer that two lines are too few at any price
        priced.answered(after_s=9.0, probability=0.1)
        for _ in range(39):
            priced.not_answered(after_s=20.0, probability=0.1)
        priced.handled(handle_s=200.0)
    bench.engine._state.policies["predictive"] = priced
    bench.tell(ev.StateRecalled, learned=recalled(340, abandons, policies={}))
    bench.wait(1.1)
    (first, *_) = (decision for _, decision in bench.engine.status().decisions if decision.launched)
    assert first.guard == guard
    assert first.figures["budget_left"] == pytest.approx(340 * 0.03 - abandons)
    lines = sum(len(action.claims) for action in bench.of(act.Reserve))  # type: ignore[attr-defined]
    assert (lines == 2) == (guard == "abandon_budget"), lines


# ---- restarts -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("learned", "kept"),
    [
        ({}, (100, 2)),
        ({"version": "0.0.1"}, (100, 2)),  # another version's tables mean nothing here; the law's counts do
        ({"at": START + CLOCK_SLACK_S}, (100, 2)),  # a clock that was set back a little
        ({"at": START + CLOCK_SLACK_S + 1}, (0, 0)),
    ],
    ids=["same version", "another version", "clock set back", "another clock"],
)
def test_the_accounts_outlive_a_restart(learned: dict[str, object], kept: tuple[int, int]) -> None:
    bench = bench_of()
    bench.tell(ev.StateRecalled, learned=msgspec.structs.replace(recalled(100, 2), **learned))
    assert counts(bench) == kept


def test_a_snapshot_carries_the_accounts_and_the_moments_of_live_calls() -> None:
    bench = bench_of(amd=True)
    talking, screened = bench.dial(2)
    for attempt in (talking, screened):
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
        bench.tell(ev.AttemptScreened, attempt_id=attempt, verdict="human", greeting_ended_at=bench.now + 1.0)
    bench.tell(ev.AttemptBridged, attempt_id=talking, agent_id="ana")
    raw = json.loads(msgspec.json.encode(bench.engine.snapshot()))
    snapshot = msgspec.convert(raw, type=type(bench.engine.snapshot()))
    restored = Engine.restore(
        bench.engine.campaign,
        rules=bench.rules,  # type: ignore[arg-type]
        policies={"progressive": bench.progressive, "predictive": bench.policy},
        snapshot=snapshot,
    )
    for engine in (bench.engine, restored):
        engine.step(ev.AttemptBridged(at=bench.now + 2.9, attempt_id=screened, agent_id="bruno"))
        assert engine.status().abandon_accounts[0].answers == 2
        assert engine.status().abandon_accounts[0].abandons == 0


@pytest.mark.parametrize(("detection", "counted"), [(False, (1, 1)), (True, (0, 0))])
def test_an_answer_of_which_track_was_lost_is_abandoned_if_it_was_live(
    detection: bool, counted: tuple[int, int]
) -> None:
    bench = bench_of(DAY, amd=detection)
    (attempt,) = bench.dial()
    answer(bench, attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=0, lost=True)
    assert [settled.disposition for settled in bench.settled] == ["UNKNOWN"]
    assert counts(bench) == counted


def test_what_is_kept_does_not_depend_on_who_looked() -> None:
    """Else a replay, at which nobody looks, differs from the day."""
    kept = []
    for looks in (False, True):
        bench = bench_of(DAY)
        bench.log_in("ana")
        (attempt,) = bench.dial()
        bench.talk(attempt)
        bench.tell(ev.LaunchingPaused, by="eva")
        for _ in range(9):
            bench.wait(100.0)
            if looks:
                bench.engine.status()
        bench.tell(ev.TimePassed)
        kept.append(bench.of(act.SaveLearned)[-3:])
    assert kept[0] == kept[1] != []
