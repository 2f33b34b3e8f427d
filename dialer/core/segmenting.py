"""Which segment each lead is of, as the campaign goes on.

How it works: a lead's segment is looked up whenever it is queued. Where segments ask for the propensity or for the last
contact, a plan or the mere time may move leads that nothing queues: after each plan all are looked at again, some at a
time, so that no step takes long.
"""

from __future__ import annotations

from dialer.core.segments import SegmentRules
from dialer.core.state import CampaignState
from dialer.core.timers import REVIEW

LEADS_PER_REVIEW = 1000
REVIEW_GAP_S = 0.05


class Segmenting:
    """Puts leads into segments. Shares the campaign's state with the other parts of the engine."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        campaign = state.campaign
        self._moving = any(s.when.propensity or s.when.last_contact_days for s in campaign.segments)

    @property
    def rules(self) -> SegmentRules:
        """The campaign's segments."""
        return self._state.segment_rules

    def place(self, index: int) -> bool:
        """Put a lead into its segment, with that segment's priority; returns whether it is called at all."""
        rules, entry = self._state.segment_rules, self._state.queue[index]
        if not len(rules):
            return True
        entry.segment = self._segment(index)
        entry.priority = rules.priority(entry.lead, entry.segment)
        return rules.called(entry.segment)

    def review(self, begin: int = 0) -> None:
        """Look again at some leads from `begin` on, and later at the rest."""
        state = self._state
        if not self._moving or state.ended:
            return
        end = min(begin + LEADS_PER_REVIEW, len(state.queue))
        for index in range(begin, end):
            entry = state.queue[index]
            if (
                entry.progress.status == "ready"
                and index not in state.unlisted
                and entry.segment != self._segment(index)
            ):
                self._move(index)
        if end < len(state.queue):
            state.timers.set(state.now + REVIEW_GAP_S, REVIEW, end)

    def _move(self, index: int) -> None:
        """A lead is of another segment now. One that is in a call is queued by its segment when that is over."""
        state = self._state
        entry = state.queue[index]
        was_called = state.segment_rules.called(entry.segment)
        called = self.place(index)
        state.queue.changed.add(index)
        if entry.ticket and not called:
            state.queue.drop(index)
        elif called and (entry.ticket or not was_called):
            state.queue.put(index)

    def _segment(self, index: int) -> int:
        state, entry = self._state, self._state.queue[index]
        score = state.plans.score(index, state.now) if self._moving else None
        known = score is not None and score.right_party is not None
        return state.segment_rules.of(
            entry.lead,
            propensity=score.answer * score.right_party if known else None,  # type: ignore[union-attr,operator]
            last_contact_at=entry.progress.last_contact_at,
            now=state.now,
        )
