"""A whole engine as plain values: the state after a step, from which another engine goes on as if it were the same."""

from __future__ import annotations

from typing import Any

import msgspec

from carriers.caller_id import choice_of
from compliance.clearance import Place
from dialer.core.actions import Claim, Decision
from dialer.core.agent import Agent, AgentState
from dialer.core.attempt import Attempt, AttemptState
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from dialer.core.plan_book import Score
from dialer.core.state import CampaignState
from dialer.core.timers import TimerKind
from models.plan import HourPlan, unpack

# Set as they are; everything else in the state has its own field below.
_PLAIN = (
    "mode", "target_abandon_rate", "lines_per_idle_agent", "max_lines_per_idle_agent", "loaded", "link_up",
    "link_down_because", "store_ok", "paused", "draining", "ended", "next_attempt_id", "now", "asked_by",
    "set_up_at", "ticking", "decided_at", "last_guard", "faults_in_row", "pacing_fault", "told_faults",
    "stale_lists", "reviewing", "pricing", "room_asked", "listened_at", "cell_rests", "recalled_at",
)  # fmt: skip
_ATTEMPT = tuple(slot for slot in Attempt.__slots__ if slot not in ("claim", "state", "row"))
_AGENT = tuple(
    slot for slot in Agent.__slots__ if slot not in ("agent_id", "state", "row", "counts", "spent", "skills")
)


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A live attempt."""

    claim: Claim
    state: int
    values: dict[str, Any]


class AgentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An agent."""

    agent_id: str
    state: int
    values: dict[str, Any]


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an engine knows. Survives JSON; belongs to the version of the program that made it."""

    plain: dict[str, Any]
    leads: tuple[Lead, ...]
    progress: tuple[LeadProgress, ...]
    tickets: tuple[int, ...]  # a lead's place in the order of queueing; 0: not queued
    last_ticket: int
    places: tuple[Place, ...]  # the queue's groups, in their order
    group_of: tuple[int, ...]  # each lead's group, -1: never queued
    priorities: tuple[int, ...]
    lead_segments: tuple[int, ...]
    changed: tuple[int, ...]  # leads of which the planner has not been told
    plan: HourPlan | None
    planned_to: int  # the queue's ticket before the plan was asked for
    plans: dict[str, Any]  # `PlanBook.snapshot`
    attempts: tuple[AttemptRecord, ...]
    lines: tuple[int, ...]  # attempt ids, in the order of the rows
    waiting: tuple[int, ...]
    agents: tuple[AgentRecord, ...]
    idle: tuple[str, ...]  # longest idle first
    busy: tuple[str, ...]  # agent ids, in the order of the rows
    spent: tuple[float, ...]  # agent-seconds by state
    timers: tuple[tuple[float, int, int, int], ...]
    timer_seq: int
    desk: dict[str, Any]  # `carriers.desk.Desk.snapshot`
    held: tuple[int, ...]
    unlisted: tuple[int, ...]
    chance: dict[str, str]  # the bit generator's state; its numbers are too large for JSON
    learned: Learned
    decisions: tuple[tuple[float, Decision], ...]


def take_snapshot(state: CampaignState) -> Snapshot:
    """Copy the state between two steps."""
    floor, queue = state.floor, state.queue
    generator = state.rng.bit_generator.state
    return Snapshot(
        plain={name: getattr(state, name) for name in _PLAIN} | {"cell_rests": dict(state.cell_rests)},
        leads=tuple(queue[i].lead for i in range(len(queue))),
        progress=tuple(queue[i].progress for i in range(len(queue))),
        tickets=tuple(queue[i].ticket for i in range(len(queue))),
        last_ticket=queue.tickets,
        places=tuple(queue.places),
        group_of=tuple(queue.group_of.tolist()),
        priorities=tuple(queue[i].priority for i in range(len(queue))),
        lead_segments=tuple(queue[i].segment for i in range(len(queue))),
        changed=tuple(sorted(queue.changed)),
        plan=state.plans.plan,
        planned_to=queue.planned_to,
        plans=state.plans.snapshot(),
        attempts=tuple(
            AttemptRecord(claim=a.claim, state=int(a.state), values=_values(a)) for a in state.attempts.values()
        ),
        lines=tuple(owner.attempt_id for owner in state.lines.owners),
        held=tuple(state.held),
        unlisted=tuple(sorted(state.unlisted)),
        waiting=tuple(state.waiting),
        agents=tuple(
            AgentRecord(agent_id=a.agent_id, state=int(a.state), values={slot: getattr(a, slot) for slot in _AGENT})
            for a in floor.agents.values()
        ),
        idle=tuple(floor.idle_order),
        busy=tuple(owner.agent_id for owner in floor.busy.owners),
        spent=floor.spent_before,
        timers=tuple((at, seq, int(kind), subject) for at, seq, kind, subject in state.timers.pending),
        timer_seq=state.timers.seq,
        desk=state.desk.snapshot(),
        chance={
            "state": hex(generator["state"]["state"]),
            "inc": hex(generator["state"]["inc"]),
            "has_uint32": str(generator["has_uint32"]),
            "uinteger": str(generator["uinteger"]),
        },
        learned=msgspec.structs.replace(state.learned(), routing={}),  # all of it is in `desk`
        decisions=tuple(state.decisions),
    )


def apply_snapshot(state: CampaignState, snapshot: Snapshot) -> None:
    """Make a fresh state equal to the one the snapshot was taken of."""
    for name, value in snapshot.plain.items():
        setattr(state, name, value)
    state.queue.restore(
        snapshot.leads,
        snapshot.progress,
        snapshot.tickets,
        places=snapshot.places,
        group_of=snapshot.group_of,
        priorities=snapshot.priorities,
        segments=snapshot.lead_segments,
        last_ticket=snapshot.last_ticket,
    )
    for record in snapshot.attempts:
        _restore_attempt(state, record)
    for attempt_id in snapshot.lines:
        state.add_line(state.attempts[attempt_id])
    state.waiting = {attempt_id: state.attempts[attempt_id] for attempt_id in snapshot.waiting}
    _restore_floor(state, snapshot)
    state.timers.restore(((at, seq, TimerKind(kind), s) for at, seq, kind, s in snapshot.timers), snapshot.timer_seq)
    state.held.extend(snapshot.held)
    state.unlisted.update(snapshot.unlisted)
    state.rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": int(snapshot.chance["state"], 16), "inc": int(snapshot.chance["inc"], 16)},
        "has_uint32": int(snapshot.chance["has_uint32"]),
        "uinteger": int(snapshot.chance["uinteger"]),
    }
    state.recall(msgspec.structs.replace(snapshot.learned, routing={}))
    state.desk.restore(snapshot.desk)
    state.plans.restore(snapshot.plans, snapshot.plan)
    if snapshot.plan is not None:
        state.queue.follow(unpack(snapshot.plan.order, "<i4"), snapshot.planned_to)
    state.queue.changed = set(snapshot.changed)
    state.live_leads = {attempt.lead for attempt in state.attempts.values()}
    state.not_called = {
        index
        for index in range(len(state.queue))
        if state.queue[index].progress.status == "ready"
        and index not in state.unlisted
        and not state.segment_rules.called(state.queue[index].segment)
    }
    state.decisions.extend(snapshot.decisions)


def _values(attempt: Attempt) -> dict[str, Any]:
    """An attempt's values; those that go on changing are copied."""
    values = {slot: getattr(attempt, slot) for slot in _ATTEMPT}
    values["tried"] = tuple(attempt.tried)
    values["score"] = None if attempt.score is None else msgspec.to_builtins(attempt.score)
    return values


def _restore_attempt(state: CampaignState, record: AttemptRecord) -> None:
    values = record.values
    attempt = Attempt(
        values["attempt_id"], record.claim, values["lead"], values["number_index"], at=0.0, closes_at=0.0, trunk=""
    )
    for slot, value in values.items():
        setattr(attempt, slot, value)
    attempt.tried = list(values["tried"])
    attempt.state = AttemptState(record.state)
    if (shown := values["shown"]) is not None:
        attempt.shown = choice_of(shown)
    if (score := values["score"]) is not None:
        attempt.score = msgspec.convert(score, Score)
    state.attempts[attempt.attempt_id] = attempt


def _restore_floor(state: CampaignState, snapshot: Snapshot) -> None:
    floor = state.floor
    for record in snapshot.agents:
        agent = floor.agents[record.agent_id]
        for slot, value in record.values.items():
            setattr(agent, slot, value)
        agent.state = AgentState(record.state)
    floor.restore_order(snapshot.idle, snapshot.busy)
    floor.restore_spent(snapshot.spent)
