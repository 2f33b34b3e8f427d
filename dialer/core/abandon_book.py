"""The campaign's accounts of abandons, as the engine keeps them: each live answer once, when its waiting is over."""

from __future__ import annotations

from datetime import UTC

from compliance.zones import load_zone
from dialer.config.abandon import MAX_ABANDON_RATE
from dialer.config.campaign import Campaign
from dialer.core.attempt import Attempt
from dialer.core.disposition import Disposition
from pacing.accounts.account import AbandonAccounts
from pacing.accounts.rule import AbandonRule, Answer


def open_accounts(campaign: Campaign) -> AbandonAccounts:
    """Return empty accounts, one for each of the campaign's rules. Only a simulated campaign aims above the law's cap;
    its accounts then allow as much."""
    aim = campaign.target_abandon_rate
    return AbandonAccounts(
        [
            AbandonRule(
                id=rule.name,
                cap_rate=rule.cap_rate if aim <= MAX_ABANDON_RATE else max(rule.cap_rate, aim),
                numerator=rule.numerator,
                denominator=rule.denominator,
                clock_start=rule.clock_start,
                threshold_s=rule.threshold_s,
                window=rule.window,
                zone=load_zone(rule.time_zone) if rule.time_zone else UTC,
            )
            for rule in campaign.abandon_rules
        ]
    )


def expected_lost(campaign: Campaign) -> float:
    """Return how many people detection is expected to have hung up on, for each one whom it let pass."""
    rate = campaign.amd_false_positive_rate if campaign.amd else 0.0
    return rate / (1.0 - rate)


class AbandonBook:
    """Enters attempts into the accounts. `now` is UTC seconds."""

    __slots__ = ("_lost_each", "accounts")

    def __init__(self, campaign: Campaign) -> None:
        self.accounts = open_accounts(campaign)
        self._lost_each = expected_lost(campaign)

    def enter(self, attempt: Attempt, now: float) -> None:
        """Count a live answer whose waiting is over, once; later facts (a bridge that was under way) change nothing."""
        if attempt.accounted or attempt.connected_at is None:
            return
        attempt.accounted = True
        self.accounts.observe(_answer(attempt, now))
        if self._lost_each:
            self.accounts.lost(self._lost_each, attempt.connected_at)

    def settled(self, attempt: Attempt, disposition: str) -> None:
        """Take back an answer that its agent found to be a machine's; an abandoned one was heard by nobody."""
        machine = disposition == Disposition.MACHINE and attempt.accounted and not attempt.abandoned
        if machine and attempt.bridged_at is not None:
            self.accounts.found_machine(_answer(attempt, attempt.bridged_at))


def _answer(attempt: Attempt, ended_at: float) -> Answer:
    assert attempt.connected_at is not None, "only an answered call is entered"
    return Answer(
        connected_at=attempt.connected_at,
        greeting_began_at=attempt.greeting_began_at,
        greeting_ended_at=attempt.greeting_ended_at,
        agent_at=attempt.bridged_at,
        ended_at=ended_at,
        hung_up=attempt.left,
    )
