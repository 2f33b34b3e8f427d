"""The campaign's accounts of abandons, as the engine keeps them: each live answer once, when its waiting is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from msgspec import structs

from compliance.abandon import abandon_limits, strictest_rate
from compliance.rule import Profile
from compliance.zones import load_zone
from dialer.config.abandon import MAX_ABANDON_RATE
from dialer.config.campaign import Campaign
from dialer.core.attempt import Attempt
from dialer.core.disposition import Disposition
from pacing.accounts.account import AbandonAccounts
from pacing.accounts.rule import AbandonRule, Answer


def open_accounts(campaign: Campaign, profiles: Sequence[Profile] = ()) -> AbandonAccounts:
    """Return empty accounts, one for each of the campaign's rules and of those that the law's profiles ask for.

    The lowest cap that any law names holds in all of them. Only a simulated campaign aims above the law's cap; its
    accounts then allow as much.
    """
    aim, lawful = campaign.target_abandon_rate, strictest_rate(profiles)

    def cap(rate: float) -> float:
        return min(rate, lawful) if aim <= MAX_ABANDON_RATE else max(rate, aim)

    own = [
        AbandonRule(
            id=rule.name,
            cap_rate=cap(rule.cap_rate),
            numerator=rule.numerator,
            denominator=rule.denominator,
            clock_start=rule.clock_start,
            threshold_s=rule.threshold_s,
            window=rule.window,
            zone=load_zone(rule.time_zone) if rule.time_zone else UTC,
        )
        for rule in campaign.abandon_rules
    ]
    law = [
        AbandonRule(
            id=count.rule,
            cap_rate=cap(count.rate),
            clock_start=count.clock_start,
            threshold_s=count.threshold_s,
            window=count.window,
            zone=load_zone(count.zone) if count.zone else UTC,
        )
        for count in abandon_limits(profiles)
    ]
    # A law that counts as a rule of the campaign does adds nothing to it.
    known = {(rule.definition, rule.cap_rate) for rule in own}
    taken = {rule.id for rule in own}
    law = [rule for rule in law if (rule.definition, rule.cap_rate) not in known]
    return AbandonAccounts(
        [*own, *(structs.replace(rule, id=f"law.{rule.id}") if rule.id in taken else rule for rule in law)]
    )


def expected_lost(campaign: Campaign) -> float:
    """Return how many people detection is expected to have hung up on, for each one whom it let pass."""
    rate = campaign.amd_false_positive_rate if campaign.amd else 0.0
    return rate / (1.0 - rate)


class AbandonBook:
    """Enters attempts into the accounts. `now` is UTC seconds."""

    __slots__ = ("_lost_each", "accounts")

    def __init__(self, campaign: Campaign, profiles: Sequence[Profile] = ()) -> None:
        self.accounts = open_accounts(campaign, profiles)
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
