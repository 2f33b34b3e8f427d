"""Which segment each lead is of, as the campaign goes on.

How it works: a lead's segment is looked up whenever it is queued and when it is claimed. Where segments ask for the
propensity or for the last contact, a plan or the mere time may move leads that nothing queues: after each plan, and
every ten minutes, all are looked at again, some at a time, so that no step takes long.
"""

from __future__ import annotations

from collections.abc import Callable

from dialer.core.state import CampaignState
from dialer.core.timers import REVIEW

LEADS_PER_REVIEW = 1000
REVIEW_GAP_S, REVIEW_EVERY_S = 0.05, 600.0
BEGIN = -1  # as a timer's subject: a review begins


class Segmenting:
    """Puts leads into segments. Shares the campaign's state with the other parts of the engine."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        self.requeue: Callable[[int], None] = state.queue.put  # set by whoever queues leads by all that they must pass
        self.moving = any(s.when.propensity or s.when.last_contact_days for s in state.campaign.segments)

    def begin(self) -> None:
        """Look at all leads every so often, where time or a plan can move them."""
        if self.moving:
            self._state.timers.set(self._state.now + REVIEW_EVERY_S, REVIEW, BEGIN)

    def place(self, index: int) -> bool:
        """Put a lead into its segment, with that segment's priority; returns whether it is called at all."""
        rules, entry = self._state.segment_rules, self._state.queue[index]
        if not len(rules):
            return True
        entry.segment = self._segment(index)
        entry.priority = rules.priority(entry.lead, entry.segment)
        called = rules.called(entry.segment)
        if called or entry.progress.status != "ready":
            self._state.not_called.discard(index)
        else:
            self._state.not_called.add(index)
        return called

    @property
    def waits(self) -> bool:
        """Whether leads that are not called now may yet be."""
        return self.moving and bool(self._state.not_called)

    def review(self, begin: int = BEGIN) -> None:
        """Look again at all leads, or go on with it from `begin`."""
        state = self._state
        if not self.moving or state.ended or (begin == BEGIN and state.reviewing >= 0):
            return
        first = max(0, begin)
        end = min(first + LEADS_PER_REVIEW, len(state.queue))
        for index in range(first, end):
            entry = state.queue[index]
            if entry.progress.status != "ready" or index in state.unlisted or index in state.live_leads:
                continue  # one that is in a call is queued by its segment when that is over
            if entry.segment != self._segment(index):
                self._move(index)
        state.reviewing = end if end < len(state.queue) else -1
        if state.reviewing >= 0:
            state.timers.set(state.now + REVIEW_GAP_S, REVIEW, end)

    def _move(self, index: int) -> None:
        """A lead is of another segment now."""
        state = self._state
        state.queue.drop(index)
        state.queue.changed.add(index)
        self.requeue(index)

    def _segment(self, index: int) -> int:
        state, entry = self._state, self._state.queue[index]
        score = state.plans.score(index, state.now) if self.moving else None
        known = score is not None and score.right_party is not None
        return state.segment_rules.of(
            entry.lead,
            propensity=score.answer * score.right_party if known else None,  # type: ignore[union-attr,operator]
            last_contact_at=entry.progress.last_contact_at,
            now=state.now,
        )
