"""The engine of a campaign, with the policies that were asked for."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.calendars import load_calendars
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import rule_set
from dialer.core.engine import Engine
from pacing.registry import make_policy, warm_up

# The modes that run today. Manual and preview will have `on-request-v1`, agentless dialling `agentless-v1`.
POLICY_OF_MODE = {"progressive": "progressive-v1", "power": "power-v1", "predictive": "priced-v1"}


def make_engine(campaign: Campaign, *, run: int, seed: int, policies: Mapping[str, str] = POLICY_OF_MODE) -> Engine:
    """Build the engine of a campaign; `policies` names the policy of each mode."""
    warm_up()
    load_calendars()
    made = {mode: make_policy(policy_id) for mode, policy_id in policies.items()}
    return Engine(campaign, rules=rule_set(campaign), policies=made, run=run, seed=seed)
