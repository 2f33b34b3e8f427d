"""`abandon_rules` of the campaign file: what may be written, and how a fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.config.campaign import Campaign
from dialer.config.campaign_file import read_campaign
from dialer.core.abandon_book import open_accounts
from dialer.errors import ConfigError
from sim.overrides import simulated_campaign
from tests.unit.core.bench_engine import START, campaign_of

GOOD = """\
campaign: lima-1
jurisdictions: [PE]
trunks: [{name: a}]
caller_ids: ["+5117009000"]
agents: [{id: ana}]
"""


def read(tmp_path: Path, text: str) -> Campaign:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD + text, encoding="utf-8")
    return read_campaign(path)


def test_a_campaign_without_rules_has_those_of_the_day_and_of_thirty_days(tmp_path: Path) -> None:
    rules = read(tmp_path, "").abandon_rules
    assert [(rule.name, rule.cap_rate, rule.threshold_s) for rule in rules] == [
        ("rolling_24h", 0.03, 2.0),
        ("30_days", 0.03, 2.0),
    ]
    assert {(rule.numerator, rule.denominator, rule.clock_start) for rule in rules} == {
        ("late", "live_answers", "greeting_end")
    }


def test_rules_are_read(tmp_path: Path) -> None:
    campaign = read(
        tmp_path,
        "abandon_rules:\n"
        "  - {window: rolling_24h, cap_rate: 0.02, clock_start: greeting_start}\n"
        "  - {window: 30_days, denominator: people, id: ftc}\n"
        "  - {window: calendar_month, time_zone: America/Lima}\n"
        "amd_false_positive_rate: 0.01\n",
    )
    standings = open_accounts(campaign).standings(START)
    assert [(s.rule, s.window, s.cap_rate) for s in standings] == [
        ("rolling_24h", "rolling_24h", 0.02),
        ("ftc", "30_days", 0.03),
        ("calendar_month", "calendar_month", 0.03),
    ]
    assert campaign.amd_false_positive_rate == 0.01


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("abandon_rules: []", "6: abandon_rules: expected at least one entry"),
        ("abandon_rules: [{cap_rate: 0.02}]", "6: abandon_rules.0.window: expected this key, found none: rolling_24h,"),
        ("abandon_rules: [{window: 24h}]", "6: abandon_rules.0.window: expected one of rolling_24h"),
        ("abandon_rules:\n  - {window: 30_days, cap_rate: 0.05}", "7: abandon_rules.0.cap_rate: expected less than"),
        ("abandon_rules:\n  - {window: 30_days, cap_rate: 3}", "7: abandon_rules.0.cap_rate: expected less than"),
        ("abandon_rules: [{window: 30_days, threshold_s: 3}]", "6: abandon_rules.0.threshold_s: expected less than"),
        ("abandon_rules: [{window: 30_days, numerater: late}]", "did you mean numerator?"),
        ("abandon_rules: [{window: 30_days, id: 'a b'}]", "6: abandon_rules.0.id: "),
        (
            "abandon_rules: [{window: calendar_month}]",
            "6: abandon_rules.0: calendar_month: expected time_zone beside it, such as America/Lima, found none",
        ),
        (
            "abandon_rules: [{window: calendar_month, time_zone: Lima}]",
            "6: abandon_rules.0.time_zone: expected a time zone such as America/Lima, was 'Lima'",
        ),
        ("abandon_rules: [{window: 30_days, time_zone: UTC}]", "30_days: expected no time_zone"),
        (
            "abandon_rules: [{window: 30_days}, {window: 30_days}]",
            "6: abandon_rules: '30_days' stands twice: give one of them another id",
        ),
        ("amd_false_positive_rate: 0.3", "6: amd_false_positive_rate: expected less than or equal to 0.2, was '0.3'"),
    ],
)
def test_a_fault_names_its_line_and_its_mend(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    (fault,) = caught.value.faults
    assert told in fault, fault


def test_a_simulated_campaign_that_aims_above_the_law_has_accounts_that_let_it() -> None:
    data = campaign_of().model_dump()
    loose = open_accounts(simulated_campaign({**data, "target_abandon_rate": 0.1}))
    assert {standing.cap_rate for standing in loose.standings(START)} == {0.1}
    strict = open_accounts(campaign_of(target_abandon_rate=0.01))
    assert {standing.cap_rate for standing in strict.standings(START)} == {0.03}
