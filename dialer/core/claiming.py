"""Claims as the store is asked for them: the one place where an attempt becomes all that it must pass."""

from __future__ import annotations

from compliance.clearance import DialCandidate, ListCheck
from compliance.ruleset import RuleSet
from dialer.config.campaign import Campaign
from dialer.core.actions import Claim
from dialer.core.lead import Lead

OWN_REGISTRIES = "campaign.dnc_registries"  # the rule by which a campaign's own registries are asked


class Claims:
    """Makes the claims of one campaign. Pure: what the rules say at a moment, put into one record."""

    def __init__(self, campaign: Campaign, rules: RuleSet) -> None:
        self._campaign = campaign.campaign
        self._subject = campaign.subject
        self._rules = rules
        # A registry that a campaign wants on top names no age: any copy will do, none at all will not.
        self._own_lists = tuple(
            ListCheck(registry=name, fresh_since=0.0, when_stale=campaign.stale_lists, rule=OWN_REGISTRIES)
            for name in campaign.dnc_registries
        )

    def candidate(self, lead: Lead, number_index: int, segment: int = -1) -> DialCandidate:
        """Return what the rules must know of an attempt on a lead's number; `segment` is the lead's among the
        campaign's, whose caps come on top (-1: of none).

        No agent is ever held for one call: a line that is launched for a free agent may find them taken.
        """
        number = lead.numbers[number_index]
        return DialCandidate(
            lead_id=lead.lead_id,
            person=lead.person,
            debt=lead.debt,
            number=number.e164,
            place=number.place,
            account=lead.account,
            subject=self._subject,
            campaign=self._campaign,
            use=number.use,
            segment=segment,
        )

    def of(self, candidate: DialCandidate, *, attempt_id: int, now: float) -> Claim:
        """Return the claim of an attempt at `now` (UTC seconds). Raises `KeyError` for a place that `window` calls
        unknown: such a number is never dialled."""
        clearance = self._rules.clearance(candidate, now)
        return Claim(
            attempt_id=attempt_id,
            lead_id=candidate.lead_id,
            number=candidate.number,
            at=now,
            stop_keys=clearance.stop_keys,
            fact_keys=clearance.fact_keys,
            fact=clearance.fact,
            caps=clearance.caps,
            person=candidate.person,
            lists=clearance.lists + self._own_lists if self._own_lists else clearance.lists,
            consent=clearance.consent,
            local_times=clearance.local_times,
            profiles=clearance.profiles,
            zones=candidate.place.zones,
        )
