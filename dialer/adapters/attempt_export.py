"""A journal's attempts as CSV, for people with Excel."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from dialer.adapters.journal import read_journal
from dialer.adapters.spreadsheet import neutral
from dialer.core.actions import Settle, Settlement

COLUMNS = (
    "attempt_id", "lead_id", "number", "disposition", "agent", "trunk", "tries", "caller_id", "reserved_at",
    "originated_at", "answered_at", "bridged_at", "ended_at", "wait_s", "talk_s",
)  # fmt: skip


def export_attempts(journal: Path, target: Path) -> int:
    """Write one row an attempt, in the order of their ends; returns how many. Times are UTC, ISO 8601.

    The file appears whole or not at all. Raises `JournalError`.
    """
    _, steps = read_journal(journal)
    partial = target.with_name(target.name + ".part")
    count = 0
    try:
        with partial.open("w", newline="", encoding="utf-8-sig") as file:
            partial.chmod(0o600)
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for _, actions in steps:
                for action in actions:
                    if isinstance(action, Settle):
                        writer.writerows(map(_row, action.settlements))
                        count += len(action.settlements)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _row(settled: Settlement) -> list[str]:
    times = (settled.reserved_at, settled.originated_at, settled.answered_at, settled.bridged_at, settled.ended_at)
    return [
        str(settled.attempt_id),
        neutral(settled.lead_id),
        neutral(settled.number),
        settled.disposition,
        settled.agent_id or "",
        settled.trunk or "",
        "" if settled.originated_at is None else str(settled.tries),
        neutral(settled.caller_id or ""),
        *("" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds") for at in times),
        _span(settled.answered_at, settled.bridged_at),
        _span(settled.bridged_at, settled.ended_at),
    ]


def _span(begin: float | None, end: float | None) -> str:
    return "" if begin is None or end is None else f"{end - begin:.3f}"
