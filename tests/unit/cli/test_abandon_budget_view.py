"""What a supervisor sees of the accounts of abandons."""

from __future__ import annotations

from datetime import UTC
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from dialer.adapters.control_messages import Status
from dialer.cli.control_view import detail_lines
from dialer.cli.live_view import live_view
from dialer.core.status import CampaignStatus
from pacing.accounts.account import Standing
from tests.unit.core.bench_engine import Bench


def standing(rule: str, *, answers: float, abandons: float, budget_left: float) -> Standing:
    rate = abandons / answers if answers else None
    return Standing(
        rule=rule, window=rule, cap_rate=0.03, answers=answers, abandons=abandons, rate=rate, budget_left=budget_left
    )


@pytest.fixture
def status() -> CampaignStatus:
    return msgspec.structs.replace(
        Bench().engine.status(),
        abandon_accounts=(
            standing("rolling_24h", answers=200, abandons=7, budget_left=-1.0),
            standing("30_days", answers=0, abandons=0, budget_left=0.0),
        ),
        tightest_account="rolling_24h",
    )


def test_the_details_name_every_account_and_the_tightest(status: CampaignStatus) -> None:
    lines = [line for line in detail_lines(Status(pid=1, status=status)) if line.startswith("abandon budget")]
    assert lines == [
        "abandon budget: overdrawn by 1.0 (rolling_24h: 3.5 % of 3.0 %), the tightest",
        "abandon budget: 0.0 left (30_days: – of 3.0 %)",
    ]


def test_the_live_view_shows_the_tightest(status: CampaignStatus) -> None:
    console = Console(width=160, record=True, file=StringIO())
    console.print(live_view(status, zone=UTC, share=0.5, note=""))
    text = console.export_text()
    assert "overdrawn by 1.0 (rolling_24h: 3.5 % of 3.0 %)" in text and "30_days" not in text
