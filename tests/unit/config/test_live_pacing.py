"""What may be changed while a campaign runs."""

from __future__ import annotations

import pytest

from dialer.config.campaign import Campaign
from dialer.config.live_pacing import LIVE_KEYS, changed_pacing, parse_changes
from dialer.errors import ConfigError

CAMPAIGN = Campaign.model_validate(
    {
        "campaign": "c",
        "jurisdictions": ["PE"],
        "trunks": [{"name": "t"}],
        "caller_ids": ["+5117000000"],
        "agents": [{"id": "ana"}],
        "target_abandon_rate": 0.01,
    }
)


def test_all_of_them_change_and_nothing_else() -> None:
    live = {"mode": "power", "target_abandon_rate": 0.02, "lines_per_idle_agent": 2.5, "max_lines_per_idle_agent": 3.0}
    assert tuple(live) == LIVE_KEYS
    changed = changed_pacing(CAMPAIGN, {key: str(value) for key, value in live.items()})
    assert {key: getattr(changed, key) for key in LIVE_KEYS} == live
    same = changed_pacing(changed, {key: str(getattr(CAMPAIGN, key)) for key in LIVE_KEYS})
    assert same == CAMPAIGN


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("target_abandon_rate", "0.031", ["expected less than or equal to 0.03", "was 0.031", "310.4(b)(4)"]),
        ("target_abandon_rate", "0", ["greater than 0"]),
        ("target_abandon_rate", "nan", ["target_abandon_rate:"]),
        ("target_abandon_rate", "inf", ["target_abandon_rate: expected a finite number"]),
        ("target_abandon_rate", "3%", ["target_abandon_rate:", "was 3%"]),
        ("max_lines_per_idle_agent", "21", ["less than or equal to 20"]),
        ("max_lines_per_idle_agent", "0.5", ["greater than or equal to 1"]),
        ("mode", "turbo", ["'progressive', 'power' or 'predictive'", "was turbo"]),
        (
            "mode",
            "preview",
            ["mode: preview does not run yet (no agent can ask", "progressive, power, predictive"],
        ),
        ("lines_per_idle_agent", "5.1", ["less than or equal to 5"]),
        ("lines_per_idle_agent", "0.9", ["greater than or equal to 1"]),
        ("target_abandon", "0.01", ["unknown key", "did you mean target_abandon_rate?"]),
        ("ring_timeout_s", "20", ["cannot be changed while the campaign runs"]),
    ],
)
def test_what_is_refused_and_why(key: str, value: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        changed_pacing(CAMPAIGN, {key: value})
    assert [word for word in words if word not in str(refused.value)] == []


def test_all_faults_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        changed_pacing(CAMPAIGN, {"mode": "turbo", "target_abandon_rate": "2"})
    assert len(refused.value.faults) == 2


def test_changes_are_read() -> None:
    assert parse_changes(["a=1", "b=x=y"]) == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("texts", [["a"], ["a="], ["=1"], ["a=1", "a=2"]])
def test_changes_of_bad_form(texts: list[str]) -> None:
    with pytest.raises(ConfigError):
        parse_changes(texts)
