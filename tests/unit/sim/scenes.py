"""Small scenarios for the tests of the simulated world."""

from __future__ import annotations

from typing import Any

from sim.scenario import Scenario

START = "2026-11-23T10:00:00-05:00"  # a Monday
LIMA = {"name": "Lima", "country": "PE", "zone": "America/Lima", "prefix": "+519", "digits": 8, "share": 1}
TOKYO = {"name": "Tokyo", "country": "JP", "zone": "Asia/Tokyo", "prefix": "+8190", "digits": 8, "share": 1}
ALWAYS = {"live_rate": 1.0, "machine_rate": 0.0, "busy_rate": 0.0, "live_rate_spread": 0.0, "hours": [1.0] * 24}
NOBODY_IS_WRONG = {"dead_number_rate": 0.0, "wrong_number_rate": 0.0, "wear": {"strength": 0}}


def fixed(value: float) -> dict[str, Any]:
    return {"kind": "fixed", "value": value}


def scenario(
    *,
    population: dict[str, Any] | None = None,
    floor: dict[str, Any] | None = None,
    carriers: list[dict[str, Any]] | None = None,
    campaign: dict[str, Any] | None = None,
    **more: Any,
) -> Scenario:
    """One trunk, one region, one agent, no chance of a failure; then what the test wants otherwise."""
    return Scenario.model_validate(
        {
            "scenario": "test",
            "start": START,
            "duration": "8h",
            "campaign": {
                "campaign": "test",
                "jurisdictions": ["PE"],
                "trunks": [{"name": "north"}],
                "caller_ids": ["+5117000000"],
                **(campaign or {}),
            },
            "population": {"leads": 200, "regions": [LIMA], **ALWAYS, **NOBODY_IS_WRONG, **(population or {})},
            "floor": {"agents": 1, "log_in_s": fixed(0), **(floor or {})},
            "carriers": carriers or [{"trunk": "north", "failure_rate": 0, "post_dial_delay_s": fixed(1)}],
            **more,
        }
    )
