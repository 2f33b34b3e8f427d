"""Segments of a campaign's leads: which one a lead is of now, and what that means for its calls.

How it works: the campaign's rules are compiled once into ranges of four figures (amount, days past due, propensity,
days since the last contact) and sets of three names (stage, product, region). What is not known is NaN, which is in no
range, or a name that is in no set.
"""

from __future__ import annotations

from bisect import bisect_left
from math import inf, nan

from compliance.rule import CapRule
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import segment_caps
from dialer.config.segments import STAGES, Segment, When
from dialer.core.lead import Lead

NO_SEGMENT = -1
DAY_S = 86400.0
# Days since the last contact of somebody who was never reached: beyond every bound that a file may name.
NEVER = 1e9

_AMOUNT, _DAYS, _PROPENSITY, _CONTACT = range(4)
_STAGE, _PRODUCT, _REGION = range(3)

_Ranges = tuple[tuple[int, float, float], ...]  # which figure, at least, below
_Names = tuple[tuple[int, frozenset[str]], ...]


class SegmentRules:
    """The segments of one campaign. Pure."""

    def __init__(self, campaign: Campaign) -> None:
        self.segments = campaign.segments
        self._rules = tuple(
            (place, _ranges(segment.when), _names(segment.when)) for place, segment in enumerate(campaign.segments)
        )
        self._stages = (campaign.stages.early, campaign.stages.middle)
        self._priorities = tuple(segment.priority for segment in campaign.segments)
        self._caps = segment_caps(campaign)
        self._skills = tuple(segment.skill for segment in campaign.segments)
        self._called = tuple("voice" in segment.channels for segment in campaign.segments)

    def __len__(self) -> int:
        return len(self._rules)

    def of(self, lead: Lead, *, propensity: float | None, last_contact_at: float | None, now: float) -> int:
        """Return the place of the lead's segment among the campaign's; `NO_SEGMENT` if it is of none.

        `propensity` is the chance that a call now reaches the right party, in [0, 1]; None or NaN: nobody knows, and no
        segment that asks for it holds. `last_contact_at`: when the right party was last reached, UTC seconds; None:
        never.
        """
        rules = self._rules
        if not rules:
            return NO_SEGMENT
        amount, days = lead.amount, lead.days_past_due
        figures = (
            nan if amount is None else amount,
            nan if days is None else days,
            nan if propensity is None else propensity,
            NEVER if last_contact_at is None else (now - last_contact_at) / DAY_S,
        )
        names = ("" if days is None else STAGES[bisect_left(self._stages, days)], lead.product, lead.region)
        for place, ranges, sets in rules:
            for which, at_least, below in ranges:
                if not at_least <= figures[which] < below:
                    break
            else:
                for which, wanted in sets:
                    if names[which] not in wanted:
                        break
                else:
                    return place
        return NO_SEGMENT

    def priority(self, lead: Lead, segment: int) -> int:
        """Return the priority in which the lead is called: its segment's, or the list's."""
        own = None if segment < 0 else self._priorities[segment]
        return lead.priority if own is None else own

    def caps(self, segment: int) -> tuple[CapRule, ...]:
        """Return the caps that a segment adds."""
        return () if segment < 0 else self._caps[segment]

    def skill(self, segment: int) -> str:
        """Return the skill that an agent for its calls should have; empty: any agent."""
        return "" if segment < 0 else self._skills[segment]

    def called(self, segment: int) -> bool:
        """Say whether its leads are called at all: not those whose channels do not include voice."""
        return segment < 0 or self._called[segment]

    def script(self, segment: int) -> str:
        """Return what the agent should say; empty: nothing is named."""
        return "" if segment < 0 else self.segments[segment].script

    def channels(self, segment: int) -> tuple[str, ...]:
        """Return the channels by which its people should be reached, the preferred first."""
        return ("voice",) if segment < 0 else self.segments[segment].channels

    def name(self, segment: int) -> str:
        """Return a segment's name; empty for none."""
        return "" if segment < 0 else self.segments[segment].name

    def get(self, segment: int) -> Segment | None:
        """Return a segment as the campaign file has it; None for none."""
        return None if segment < 0 else self.segments[segment]


def _ranges(when: When) -> _Ranges:
    found: list[tuple[int, float, float]] = []
    for which, asked in ((_AMOUNT, when.amount), (_DAYS, when.days_past_due), (_PROPENSITY, when.propensity)):
        if asked is not None:
            low, high = asked.at_least, asked.below
            found.append((which, -inf if low is None else low, inf if high is None else high))
    contact = when.last_contact_days
    if contact is not None:
        known = contact.at_least is not None or contact.below is not None
        low = contact.at_least if contact.at_least is not None else 0.0 if known else NEVER
        high = contact.below if contact.below is not None else inf if contact.never else NEVER
        # A clock that was set back makes a contact of the future: it was just now.
        found.append((_CONTACT, -inf if low == 0.0 else low, high))
    return tuple(found)


def _names(when: When) -> _Names:
    asked = ((_STAGE, when.stage), (_PRODUCT, when.product), (_REGION, when.region))
    return tuple((which, frozenset(names)) for which, names in asked if names is not None)
