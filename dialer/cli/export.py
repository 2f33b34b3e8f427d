"""`dialer export`: a journal's attempts for Excel."""

from __future__ import annotations

from pathlib import Path


def export(journal: Path, *, out: Path | None = None) -> int:
    """Write a journal's attempts as CSV, one row an attempt.

    Parameters
    ----------
    journal
        A journal that `dialer run`, `dialer demo` or `dialer sim run` wrote.
    out
        The CSV file; beside the journal if not named.
    """
    from dialer.adapters.attempt_export import export_attempts
    from dialer.cli.safe_text import say

    target = journal.with_suffix(".attempts.csv") if out is None else out
    say(f"{export_attempts(journal, target):,} attempts in {target}")
    return 0
