"""The terminal view of a campaign, and its plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dialer.core.actions import Decision
from dialer.core.status import CampaignStatus
from pacing.accounts.account import Standing
from pacing.explain import explain

_AGENT_COLOURS = {
    "on_call": "green",
    "wrap_up": "cyan",
    "reserved": "bright_green",
    "idle": "yellow",
    "paused": "magenta",
    "offline": "bright_black",
}


def why(decision: Decision) -> str:
    """One sentence for a supervisor."""
    return explain(
        decision.policy,
        decision.figures,
        idle=decision.idle,
        ringing=decision.ringing,
        lines=decision.launched,
        guard=decision.guard,
        hung_up=decision.hung_up,
    )


def percent(rate: float | None) -> str:
    """A rate as people read it."""
    return "–" if rate is None else f"{100 * rate:.1f} %"


def budget(account: Standing) -> str:
    """What an account of abandons still allows, in a few words."""
    left = account.budget_left
    stands = f"{left:.1f} left" if left >= 0 else f"overdrawn by {-left:.1f}"
    return f"{stands} ({account.rule}: {percent(account.rate)} of {percent(account.cap_rate)})"


def plain_line(status: CampaignStatus, zone: tzinfo) -> str:
    """The campaign in one line, for logs and pipes."""
    agents = status.agents
    done = status.leads - status.leads_open
    line = (
        f"{_clock(status.at, zone)}  agents {agents['on_call']} on call, {agents['wrap_up']} wrap-up, "
        f"{agents['idle']} idle | lines {status.dialling} | attempts {status.attempts} | live {status.live_answers} | "
        f"abandoned {percent(status.abandon_rate)} of {percent(status.target_abandon_rate)} | "
        f"promises {status.promises} | leads done {done}/{status.leads}"
    )
    return " | ".join(filter(None, (line, waiting_for(status, zone), fault(status))))


def live_view(status: CampaignStatus, *, zone: tzinfo, share: float, note: str) -> RenderableType:
    """The campaign on one screen. `share` in [0, 1] is how much of the time has passed."""
    top = Table.grid(expand=True)
    top.add_column(ratio=1)
    top.add_column(ratio=1)
    top.add_row(_agents(status), _figures(status))
    return Group(_title(status, zone, note), top, _decisions(status, zone), ProgressBar(total=1.0, completed=share))


def _title(status: CampaignStatus, zone: tzinfo, note: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" Cadencia ", style="bold white on blue")
    text.append(f" {status.campaign} ", style="bold")
    text.append(f" {_clock(status.at, zone)}  {status.mode} ({status.policy})  {note}", style="bright_black")
    waits = waiting_for(status, zone)
    if waits:
        text.append(f"  {waits}", style="bold yellow")
    if status.pacing_fault:
        text.append(f"  {fault(status)}", style="bold red")
    return text


def fault(status: CampaignStatus) -> str:
    """What is wrong with the pacing, in a few words; empty if nothing is."""
    return f"{status.mode} failed: one line for each free agent at most" if status.pacing_fault else ""


def waiting_for(status: CampaignStatus, zone: tzinfo) -> str:
    """Why nothing more is dialled, in a few words; empty where the campaign is dialling."""
    if status.draining:
        calls = status.dialling + status.waiting + status.talking
        return f"draining: {calls} calls to finish (Ctrl-C again hangs up)"
    if not status.link_up:
        return f"the link to the switch is down: {status.link_down_because or 'connecting'}"
    if not status.store_ok:
        return "the store cannot record calls"
    if status.paused:
        return "paused by a supervisor"
    if status.next_change_at is not None and not status.dialling:
        rule = f"closed by {status.closed_rule}; " if status.closed_rule else ""
        return f"{rule}next lead at {_clock(status.next_change_at, zone)}"
    return ""


def _agents(status: CampaignStatus) -> Panel:
    total = sum(status.agents.values())
    bar = Text()
    rows = Table.grid(padding=(0, 2))
    for state, colour in _AGENT_COLOURS.items():
        count = status.agents.get(state, 0)
        bar.append("█" * count if total <= 60 else "█" * round(60 * count / total), style=colour)
        if count or state in ("on_call", "idle"):
            rows.add_row(Text(state.replace("_", "-"), style=colour), f"{count}")
    rows.add_row(Text("lines ringing"), f"{status.dialling}")
    rows.add_row(Text("waiting for an agent"), f"{status.waiting}")
    return Panel(Group(bar, rows), title=f"agents ({total})", title_align="left")


def _figures(status: CampaignStatus) -> Panel:
    rows = Table.grid(padding=(0, 2))
    rate = status.abandon_rate
    colour = "green" if rate is None or rate <= status.target_abandon_rate else "red"
    rows.add_row("attempts", f"{status.attempts:,}")
    rows.add_row("live answers", f"{status.live_answers:,}")
    rows.add_row(
        "abandoned",
        Text(f"{status.abandoned}  ({percent(rate)}, cap {percent(status.target_abandon_rate)})", style=colour),
    )
    for account in status.abandon_accounts:
        if account.rule == status.tightest_account:
            style = "green" if account.budget_left >= 1 else "yellow"
            rows.add_row("abandon budget", Text(budget(account), style=style))
    rows.add_row("right-party contacts", f"{status.right_party_contacts:,}")
    rows.add_row("promises to pay", Text(f"{status.promises:,}", style="bold green"))
    rows.add_row("refused by rules", _counts(status.refusals))
    rows.add_row("leads", f"{status.leads - status.leads_open:,} done of {status.leads:,}")
    wait = status.answer_to_bridge_s
    rows.add_row("answer to agent", "–" if wait is None else f"{1000 * wait:.0f} ms")
    return Panel(rows, title="campaign", title_align="left")


def _counts(counts: dict[str, int]) -> str:
    top = sorted(counts.items(), key=lambda entry: -entry[1])[:3]
    return ", ".join(f"{count} {name}" for name, count in top) or "–"


def _decisions(status: CampaignStatus, zone: tzinfo) -> Panel:
    rows = Table.grid(padding=(0, 1))
    for at, decision in status.decisions[-4:]:
        rows.add_row(
            Text(_clock(at, zone), style="bright_black"),
            Text(f"+{decision.launched}", style="bold" if decision.launched else "bright_black"),
            Text(why(decision)),
        )
    return Panel(rows, title="last decisions", title_align="left")


def summary(status: CampaignStatus) -> Table:
    """The campaign's end in a table."""
    table = Table(title=f"campaign {status.campaign}", title_justify="left", show_header=False)
    table.add_row("attempts", f"{status.attempts:,}")
    table.add_row("live answers", f"{status.live_answers:,}")
    table.add_row(
        "abandoned",
        f"{status.abandoned} = {percent(status.abandon_rate)}"
        f" of live answers (cap {percent(status.target_abandon_rate)})",
    )
    table.add_row("right-party contacts", f"{status.right_party_contacts:,}")
    table.add_row("promises to pay", f"{status.promises:,}")
    table.add_row("leads", f"{status.leads - status.leads_open:,} done of {status.leads:,}")
    table.add_row("mean handle time", "–" if status.handle_s is None else f"{status.handle_s:.0f} s")
    table.add_row("dispositions", _lines(status.dispositions))
    table.add_row("refused by rules", _lines(status.refusals) or "–")
    return table


def summary_lines(status: CampaignStatus) -> Sequence[str]:
    """The campaign's end in plain lines."""
    return (
        f"attempts {status.attempts}, live answers {status.live_answers}, abandoned {status.abandoned} "
        f"({percent(status.abandon_rate)} of live answers, cap {percent(status.target_abandon_rate)})",
        f"right-party contacts {status.right_party_contacts}, promises {status.promises}, "
        f"leads done {status.leads - status.leads_open}/{status.leads}",
        f"dispositions: {', '.join(f'{count} {name}' for name, count in sorted(status.dispositions.items()))}",
    )


def _lines(counts: dict[str, int]) -> str:
    return "\n".join(f"{count:>6,}  {name}" for name, count in sorted(counts.items(), key=lambda entry: -entry[1]))


def _clock(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%H:%M:%S")
