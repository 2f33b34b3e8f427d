"""`dialer compliance audit`: every call of a campaign or of a journal, checked again, independently of the engine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.adapters.audit_report import AuditReport

SHOWN = 100  # violations on the screen; --json has all


def audit(campaign: str, *, data: Path = Path(".cadencia"), json: bool = False) -> int:
    """Check every call that was placed against the rules once more; exit 1 where one broke a rule.

    Hours, holidays and the ring guard are worked out minute by minute, caps and cool-downs counted from the journals of
    the data folder (caps are shared by its campaigns), by code that shares nothing with the engine but the rule packs.
    Registries, consents, the hours a person asked for and calls recorded from outside stand in no journal. The rules
    and data are those of today; a note says where a journal was run with others.

    Parameters
    ----------
    campaign
        A campaign (all its runs in the data folder), or a journal's file.
    data
        The data folder of the campaign.
    json
        Print the report as one JSON object.
    """
    from dialer.adapters.attempt_audit import audit_journals, journals_to_audit, lines_of
    from dialer.bootstrap.versions import versions_of
    from dialer.cli.safe_text import say
    from dialer.cli.sim.output import progress_bar, to_json

    journals, beside = journals_to_audit(campaign, data)
    with progress_bar("checking", lines_of([*journals, *beside])) as bar:
        report = audit_journals(journals, beside=beside, versions_of=versions_of, told=bar)
    if json:
        print(to_json(report), end="")
    else:
        say(_told(report))
    return 1 if report.violations else 0


def _told(report: AuditReport) -> str:
    files = f"{len(report.journals)} journal{'s' if len(report.journals) != 1 else ''}"
    lines = [f"{report.attempts:,} attempts checked in {files}, {len(report.violations):,} violations"]
    if report.looked_back:
        lines.append(f"{report.looked_back:,} attempts of other journals counted")
    lines += report.notes
    for found in report.violations[:SHOWN]:
        cite = f" ({found.cite})" if found.cite else ""
        call = ""
        if found.at is not None:
            at = datetime.fromtimestamp(found.at, UTC).isoformat(timespec="seconds")
            call = f" {at} attempt {found.attempt_id} to {found.number}:"
        lines.append(f"{found.journal}:{found.line}:{call} {found.rule}: {found.text}{cite}")
    if len(report.violations) > SHOWN:
        lines.append(f"... and {len(report.violations) - SHOWN:,} more: --json tells all")
    return "\n".join(lines)
