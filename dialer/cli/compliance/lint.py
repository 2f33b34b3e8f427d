"""`dialer compliance lint`: faults of rule packs."""

from __future__ import annotations

from datetime import date
from pathlib import Path


def lint(*files: Path, json: bool = False, today: date | None = None) -> int:
    """Look for faults in rule packs: without a file in our own, with files in yours beside ours.

    A line each: file, line, `error`, `warning` (a pack at which nobody has looked for a year) or `note` (what the
    engine does by itself). Exits 0 where there are notes at the most, else 1.

    Parameters
    ----------
    files
        Rule packs of yours, as campaigns name them in `rule_packs`.
    json
        For scripts: a list of path, line, level and text.
    today
        The day by which ages are told, as 2026-12-08; today if not given.
    """
    from dataclasses import asdict

    from dialer.cli.safe_text import say
    from dialer.config.rule_lint import lint_files, lint_packs

    day = date.today() if today is None else today
    found = lint_files(files, day) if files else lint_packs(day)
    if json:
        from json import dumps

        say(dumps([asdict(finding) for finding in found], indent=2, ensure_ascii=False))
    else:
        for finding in found:
            say(finding)
        failing = sum(finding.failing for finding in found)
        say(f"{failing} to mend, {len(found) - failing} noted")
    return int(any(finding.failing for finding in found))
