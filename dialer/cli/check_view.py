"""A checkup for people."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from dialer.adapters.readiness import LeadState, Readiness
from dialer.cli.checkup import Checkup, stamp
from dialer.cli.safe_text import make_console, safe

NOTES = 12  # of one finding


def show(found: Checkup, rows: int) -> None:
    """Print a checkup: a line a finding, then the queue's counts and up to `rows` of its leads."""
    console = make_console()
    for finding in found.findings:
        line = Text("ok    " if finding.ok else "FAULT ", style="green" if finding.ok else "bold red")
        line.append(f"{finding.what}: {safe(finding.text)}", style="default")
        console.print(line, soft_wrap=True)
        for note in finding.notes[:NOTES]:
            console.print(f"        {safe(note)}", soft_wrap=True)
        if len(finding.notes) > NOTES:
            console.print(f"        and {len(finding.notes) - NOTES:,} more")
    if found.queue is not None and found.queue.leads:
        console.print(_counts(found.queue))
        if rows > 0:
            console.print(_leads(found.queue, rows))
        console.print(_next(found.queue), soft_wrap=True)
    verdict = "would dial now" if found.would_dial else "would not dial now"
    console.print(f"campaign {found.campaign}: {verdict}", soft_wrap=True)


def _counts(queue: Readiness) -> Table:
    table = Table(title="leads", title_justify="left")
    table.add_column("leads", justify="right")
    table.add_column("now")
    table.add_column("because of")
    table.add_row(f"{queue.callable_now:,}", "callable", "")
    for why, rule, count in queue.counts:
        table.add_row(f"{count:,}", why, safe(rule))
    return table


def _leads(queue: Readiness, rows: int) -> Table:
    table = Table(title=f"the first {min(rows, len(queue.leads)):,} in dialling order", title_justify="left")
    for column in ("lead", "name", "number", "now", "because of", "until"):
        table.add_column(column, overflow="fold")
    for lead in queue.leads[:rows]:
        table.add_row(
            safe(lead.lead_id), safe(lead.name), lead.number, lead.why or "callable", safe(lead.rule), _until(lead)
        )
    return table


def _until(lead: LeadState) -> str:
    return "" if lead.at is None else stamp(lead.at)[4:20]  # without the day's name and the offset


def _next(queue: Readiness) -> str:
    if queue.callable_now:
        return f"callable now: {queue.callable_now:,}"
    if queue.next_callable_at is None:
        return "no lead will be callable as things are"
    return f"the next lead is callable on {stamp(queue.next_callable_at)}"
