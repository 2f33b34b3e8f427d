"""A campaign at a glance, for whoever watches."""

from __future__ import annotations

import msgspec

from dialer.core.actions import Decision
from dialer.core.attempt import AttemptState
from dialer.core.state import CampaignState
from pacing.accounts.account import Standing


class PlanStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that a campaign goes by."""

    models: tuple[str, ...]  # versions: the champion, and the challenger if there is one
    until: float  # UTC seconds
    leads: int  # that it names
    answer_odds: float  # odds of an answer as calls have it, over those that the champion tells
    wear_index: float | None  # contacts that the leads may still bring / what they were when loaded


class CampaignStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Counts at one instant. `None`: not known yet."""

    campaign: str
    at: float
    mode: str
    policy: str
    pacing_fault: str  # why the mode's policy is not asked any more, until a supervisor sets a mode; empty if it is
    draining: bool
    paused: bool
    link_up: bool
    link_down_because: str
    store_ok: bool
    agents: dict[str, int]  # by state, lower case
    dialling: int  # lines being set up or ringing
    waiting: int  # answered, no agent yet
    talking: int
    leads: int
    leads_queued: int
    leads_open: int  # queued or in flight
    attempts: int
    live_answers: int
    bridged: int
    abandoned: int
    cut_short: int  # hung up as they rang, for want of an agent
    abandon_rate: float | None
    target_abandon_rate: float
    lines_per_idle_agent: float  # of mode power
    max_lines_per_idle_agent: float
    right_party_contacts: int
    promises: int
    dispositions: dict[str, int]
    refusals: dict[str, int]
    answer_to_bridge_s: float | None  # mean
    handle_s: float | None  # mean
    decisions: tuple[tuple[float, Decision], ...]  # the last few, oldest first
    closed_rule: str  # the rule that keeps leads from being called now; empty if none
    next_change_at: float | None
    abandon_accounts: tuple[Standing, ...] = ()  # one for each of the campaign's abandon rules
    plan: PlanStanding | None = None  # None: it goes by its tables
    tightest_account: str = ""  # the rule with the least budget left: it is the one that paces


def status_of(state: CampaignState) -> CampaignStatus:
    """The campaign at a glance."""
    counters, counts = state.counters, state.floor.count()
    states = [attempt.state for attempt in state.attempts.values()]
    accounts = state.abandon_book.accounts
    return CampaignStatus(
        campaign=state.campaign.campaign,
        at=state.now,
        mode=state.mode,
        policy=state.policy.policy_id,
        pacing_fault=state.pacing_fault,
        draining=state.draining,
        paused=state.paused,
        link_up=state.link_up,
        link_down_because="" if state.link_up else state.link_down_because,
        store_ok=state.store_ok,
        agents={state.name.lower(): count for state, count in counts.items()},
        dialling=len(state.lines),
        waiting=len(state.waiting),
        talking=states.count(AttemptState.TALKING),
        leads=len(state.queue),
        leads_queued=state.queue.queued,
        leads_open=state.queue.queued + len(state.attempts),
        attempts=counters.attempts,
        live_answers=counters.live_answers,
        bridged=counters.bridged,
        abandoned=counters.abandoned,
        cut_short=counters.cut_short,
        abandon_rate=counters.abandon_rate,
        target_abandon_rate=state.target_abandon_rate,
        lines_per_idle_agent=state.lines_per_idle_agent,
        max_lines_per_idle_agent=state.max_lines_per_idle_agent,
        right_party_contacts=counters.right_party_contacts,
        promises=counters.promises,
        dispositions=dict(counters.dispositions),
        refusals=dict(counters.refusals),
        answer_to_bridge_s=counters.answer_to_bridge_s / counters.bridged if counters.bridged else None,
        handle_s=counters.handle_s / counters.handled if counters.handled else None,
        decisions=tuple(state.decisions),
        closed_rule=state.queue.closed_rule(),
        next_change_at=state.queue.next_change_at(state.now),
        abandon_accounts=accounts.standings(state.now),
        plan=_plan(state),
        tightest_account=accounts.tightest(state.now).rule,
    )


def _plan(state: CampaignState) -> PlanStanding | None:
    plan = state.plans.plan
    if plan is None or state.now >= plan.until:
        return None
    return PlanStanding(
        models=plan.models,
        until=plan.until,
        leads=len(plan.order) // 4,
        answer_odds=state.plans.ratio_of(plan.models[0]).ratio,
        wear_index=plan.wear_index,
    )
