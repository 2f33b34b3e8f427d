"""Writes the tables of countries in compliance.md from the rule packs.

.venv/bin/python docs/rules_table.py            # after a change of compliance/rules
.venv/bin/python docs/rules_table.py --check    # what the test asks
"""

from __future__ import annotations

import sys
from pathlib import Path

from marked_block import write_or_check

from compliance.rule import Profile
from dialer.cli.compliance import rule_words
from dialer.config.rule_packs import SCOPES, built_in_profiles

PAGE = Path(__file__).with_name("compliance.md")
_TITLES = {"debt_collection": "Debt collection", "telemarketing": "Telemarketing"}


def tables() -> str:
    """Return a table a scope, one row a profile."""
    return "\n\n".join(f"### {_TITLES[scope]}\n\n{table(scope)}" for scope in SCOPES)


def table(scope: str) -> str:
    """Return one row for each profile of a scope."""
    rows = ["| | hours, local | holidays | limits of law | also | confidence | law |", "|---|---|---|---|---|---|---|"]
    rows += [_row(profile) for profile in built_in_profiles() if scope in profile.scope]
    return "\n".join(rows)


def _row(profile: Profile) -> str:
    cells = (
        profile.jurisdiction,
        rule_words.hours(profile.windows, otherwise="–"),
        "–" if profile.holidays is None else "closed",
        rule_words.limits(profile),
        rule_words.further(profile),
        profile.confidence,
        profile.cite,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, {"countries": tables()}))
