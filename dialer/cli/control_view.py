"""Running campaigns as tables and lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.table import Table

from dialer.adapters.control_messages import Agents, Status
from dialer.cli.live_view import budget, fault, percent, summary_lines, why
from dialer.cli.safe_text import safe
from dialer.core.status import CampaignStatus, PlanStanding


def campaign_table(answers: Mapping[str, Status]) -> Table:
    """The running campaigns, one a row."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("campaign", "pid", "mode", "state", "on call", "lines", "attempts", "abandoned", "leads"):
        table.add_column(column, justify="left" if column in ("campaign", "mode", "state") else "right", no_wrap=True)
    for name, answer in answers.items():
        status = answer.status
        there = sum(count for state, count in status.agents.items() if state != "offline")
        table.add_row(
            safe(name),
            str(answer.pid),
            status.mode,
            state_of(status),
            f"{status.agents.get('on_call', 0)}/{there}",
            f"{status.dialling}",
            f"{status.attempts:,}",
            percent(status.abandon_rate),
            f"{status.leads - status.leads_open:,}/{status.leads:,}",
        )
    return table


def state_of(status: CampaignStatus) -> str:
    """One word for what a campaign does."""
    if status.draining:
        return "draining"
    if status.paused:
        return "paused"
    if not status.link_up or not status.store_ok:
        return "held up"
    return "dialling" if status.dialling else "live" if status.talking else "waiting"


def detail_lines(answer: Status) -> Iterator[str]:
    """One campaign in plain lines: figures, what holds it up, the last decisions."""
    status = answer.status
    yield f"{status.campaign} (pid {answer.pid}): {state_of(status)}, {status.mode} ({status.policy})"
    power = f"lines_per_idle_agent {status.lines_per_idle_agent:g}, " if status.mode == "power" else ""
    yield (
        f"target_abandon_rate {status.target_abandon_rate:g}, {power}"
        f"max_lines_per_idle_agent {status.max_lines_per_idle_agent:g}"
    )
    agents = ", ".join(f"{count} {state.replace('_', '-')}" for state, count in status.agents.items() if count)
    yield f"agents: {agents or 'none'}; lines {status.dialling}, waiting {status.waiting}, talking {status.talking}"
    yield from summary_lines(status)
    for account in status.abandon_accounts:
        tightest = ", the tightest" if account.rule == status.tightest_account else ""
        yield f"abandon budget: {budget(account)}{tightest}"
    if status.plan is not None:
        yield plan_line(status.plan)
    if status.pacing_fault:
        yield f"{fault(status)} ({status.pacing_fault})"
        yield f"  to try it again: dialer set {status.campaign} mode={status.mode}"
    for obstacle in obstacles(status):
        yield f"nobody new is called: {obstacle}"
    if status.decisions:
        yield "last decisions:"
    for at, decision in status.decisions:
        yield f"  {local(at)}  +{decision.launched}  {why(decision)}"


def plan_line(plan: PlanStanding) -> str:
    """The plan that the campaign goes by, in one line."""
    worn = "" if plan.wear_index is None else f", wear index {plan.wear_index:.2f}"
    odds = f"answers come at {plan.answer_odds:.2f} times the odds that they tell"
    return f"models: {safe(', '.join(plan.models))}; {plan.leads:,} leads planned, {odds}{worn}"


def obstacles(status: CampaignStatus) -> list[str]:
    """What keeps a campaign from launching, the nearest first. While lines ring, only what somebody can mend."""
    found = []
    if status.draining:
        found.append("it drains: live calls finish, then it ends")
    if status.paused:
        found.append(f"it is paused: dialer resume {status.campaign}")
    if not status.link_up:
        found.append(f"the link to the switch is down: {status.link_down_because or 'connecting'}")
    if not status.store_ok:
        found.append("the store does not answer")
    if status.dialling:
        return found
    if not any(count for state, count in status.agents.items() if state not in ("offline", "paused")):
        counts = ", ".join(f"{count} {state}" for state, count in status.agents.items() if count)
        found.append(f"no agent takes calls ({counts or 'none'})")
    until = "" if status.next_change_at is None else f" until {local(status.next_change_at)}"
    if status.leads_queued == 0:
        found.append("every lead is finished or in a call")
    elif status.closed_rule:
        found.append(f"the calling window is closed by {status.closed_rule}{until}")
    elif status.next_change_at is not None:
        found.append(f"leads rest{until}")
    return found


def agent_table(answer: Agents) -> Table:
    """A campaign's agents, one a row."""
    table = Table(title="agents", title_justify="left")
    for column in ("agent", "name", "state", "for", "attempt", "pause", "leaves in"):
        table.add_column(column)
    for agent in answer.agents:
        table.add_row(
            safe(agent.agent_id),
            safe(agent.name),
            agent.state.replace("_", "-"),
            "–" if agent.since_s is None else span(agent.since_s),
            "–" if agent.attempt_id is None else str(agent.attempt_id),
            safe(agent.pause_reason),
            "–" if agent.leaves_in_s is None else span(agent.leaves_in_s),
        )
    return table


def span(seconds: float) -> str:
    """A length of time as people read it: 42 s, 3:07, 2:15:00."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def local(at: float) -> str:
    """A time of this machine's zone: the hour alone if it is today."""
    then = datetime.fromtimestamp(at).astimezone()
    return then.strftime("%H:%M:%S" if then.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M:%S")
