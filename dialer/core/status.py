"""A campaign at a glance, for whoever watches."""

from __future__ import annotations

import msgspec

from dialer.core.actions import Decision


class CampaignStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Counts at one instant. `None`: not known yet."""

    campaign: str
    at: float
    mode: str
    policy: str
    draining: bool
    paused: bool
    link_up: bool
    store_ok: bool
    agents: dict[str, int]  # by state, lower case
    dialling: int  # lines being set up or ringing
    waiting: int  # answered, no agent yet
    talking: int
    leads: int
    leads_queued: int
    leads_open: int  # queued or in flight
    attempts: int
    live_answers: int
    bridged: int
    abandoned: int
    abandon_rate: float | None
    target_abandon_rate: float
    max_lines_per_idle_agent: float
    right_party_contacts: int
    promises: int
    dispositions: dict[str, int]
    refusals: dict[str, int]
    answer_to_bridge_s: float | None  # mean
    handle_s: float | None  # mean
    decisions: tuple[tuple[float, Decision], ...]  # the last few, oldest first
    closed_rule: str  # the rule that keeps leads from being called now; empty if none
    next_change_at: float | None
