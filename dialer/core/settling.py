"""How attempts end: counted, learned from, their leads moved on, and recorded in exactly one settlement."""

from __future__ import annotations

from math import inf

import msgspec

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.attempt import DIALLING, DISPOSING, INHERITED, REROUTING, RESERVING, RINGING, Attempt
from dialer.core.disposition import STOPPING, Disposition
from dialer.core.lead import LeadProgress
from dialer.core.pacers import Pacers
from dialer.core.planning import Planning
from dialer.core.retry import after_attempt, without_number
from dialer.core.routing import NO_TRUNK, Routing
from dialer.core.segmenting import Segmenting
from dialer.core.state import CampaignState

UNDIALLED_REST_S = 60.0
_UNANSWERED = (
    RESERVING,
    DIALLING,
    RINGING,
    REROUTING,
    INHERITED,
)


class Settling:
    """Ends attempts. Shares the campaign's state with the other parts of the engine."""

    def __init__(
        self, state: CampaignState, pacers: Pacers, routing: Routing, planning: Planning, segmenting: Segmenting
    ) -> None:
        self._state = state
        self._segmenting = segmenting
        segmenting.requeue = self.requeue
        self._planning = planning
        self._routing = routing
        self._pacers = pacers

    def stop(self, keys: tuple[str, ...], reason: str) -> None:
        for attempt in self._state.attempts.values():
            if attempt.state in _UNANSWERED and not set(keys).isdisjoint(attempt.claim.stop_keys):
                self.hang_up(attempt, f"stop:{reason}")

    def live_answer(self, attempt: Attempt) -> None:
        """Count and learn a live answer, once an attempt."""
        if attempt.live:
            return
        attempt.live = True
        self._state.counters.live_answers += 1
        self._routing.contact(attempt)
        self._learn(attempt, answered=True)

    def not_live(self, attempt: Attempt, *, lost: bool = False, fault: bool = False) -> None:
        """Learn that a line came to nothing; of one that was lost nobody knows. A carrier's fault says how long lines
        last, and nothing of whether people answer."""
        if attempt.originated_at is not None and not attempt.hang_up_asked and not lost:
            self._learn(attempt, answered=False, fault=fault)
        self._off_line(attempt)

    def _off_line(self, attempt: Attempt) -> None:
        """The line is no longer being set up or ringing, if it was."""
        if attempt.row >= 0:
            if attempt.originated_at is not None:
                self._state.counters.line_s += self._state.now - attempt.originated_at
            self._state.lines.remove(attempt)

    def _learn(self, attempt: Attempt, *, answered: bool, fault: bool = False) -> None:
        state = self._state
        self._off_line(attempt)
        began = attempt.originated_at or attempt.reserved_at
        after_s = state.now - began
        attempts = state.queue[attempt.lead].progress.attempts
        if not fault:
            state.answers.learn(attempts, began, answered=answered)
            self._planning.answered(attempt, answered=answered)
        if answered:
            self._pacers.answered(attempt, after_s)
        else:
            self._pacers.not_answered(attempt, after_s)

    def abandon(self, attempt: Attempt) -> None:
        """Count an abandoned call, once."""
        if not attempt.abandoned:
            attempt.abandoned = True
            self._state.counters.abandoned += 1
            self._state.counters.lost_wait_s += self._state.now - (attempt.answered_at or self._state.now)
            self._state.abandon_book.enter(attempt, self._state.now)
            self._pacers.abandoned()

    def hang_up(self, attempt: Attempt, reason: str, *, unanswered_only: bool = False) -> None:
        attempt.hang_up_asked = True
        if attempt.state not in (RESERVING, REROUTING):  # else there is no call yet
            self._state.out.append(
                act.HangUp(attempt_id=attempt.attempt_id, reason=reason, unanswered_only=unanswered_only)
            )

    def undialled(self, attempt: Attempt, disposition: Disposition) -> None:
        """Held by the store, perhaps, and never dialled: settled so that nothing hangs. It costs the lead a rest, but
        none of its retries."""
        attempt.move(ev.ReservationLost)
        self._routing.release(attempt, set_up=False)
        rested = msgspec.structs.replace(
            self._state.queue[attempt.lead].progress, next_at=self._state.now + UNDIALLED_REST_S
        )
        self._settle(attempt, disposition, rested)

    def forget(self, attempt: Attempt) -> None:
        """Drop an attempt for which the store holds nothing."""
        self._routing.release(attempt, set_up=False)
        self._state.lines.remove(attempt)
        del self._state.attempts[attempt.attempt_id]
        self._state.live_leads.discard(attempt.lead)

    def close(self, attempt: Attempt, disposition: str) -> None:
        """Settle an attempt that was dialled, or may have been: its lead moves on by the retry rules."""
        state = self._state
        if attempt.state is DISPOSING:
            attempt.move(ev.AttemptDisposed)
        after = after_attempt(
            state.queue[attempt.lead].progress,
            attempt.number_index,
            disposition,
            now=state.now,
            rules=state.campaign.retry,
            gap_s=state.campaign.number_gap,
        )
        self._settle(attempt, disposition, after)

    def requeue(self, index: int) -> None:
        """Queue a lead that is ready, on its next number that can ever be called; without one it is finished. One of a
        segment that is not called waits for what moves it to another."""
        state, entry = self._state, self._state.queue[index]
        if index in state.unlisted or not self._segmenting.place(index):
            return
        while entry.progress.status == "ready":
            number_index = entry.progress.number_index
            number = entry.lead.numbers[number_index]
            window = state.rules.window(number.place, state.now)
            never = "" if window.open or window.changes_at < inf else window.rule
            if not never and not self._routing.carried(index):
                never = NO_TRUNK
            if not never:
                state.queue.put(index)
                return
            state.counters.refusals[never] += 1
            entry.progress = without_number(entry.progress, number_index, until=None, now=state.now)

    def _settle(self, attempt: Attempt, disposition: str, after: LeadProgress) -> None:
        """Count it, queue its lead again, record it."""
        state = self._state
        del state.attempts[attempt.attempt_id]
        state.live_leads.discard(attempt.lead)
        self._off_line(attempt)
        state.counters.settled(disposition)
        cut_short = attempt.cut_short and attempt.connected_at is None
        state.counters.cut_short += cut_short
        state.abandon_book.settled(attempt, disposition)
        self._routing.settled(attempt, disposition)
        self._planning.settled(attempt, disposition)
        entry = state.queue[attempt.lead]
        entry.progress = after
        if after.status != "ready":
            state.not_called.discard(attempt.lead)
        state.queue.changed.add(attempt.lead)
        self.requeue(attempt.lead)
        stop_reason = STOPPING.get(disposition, "")
        state.settlements.append(
            act.Settlement(
                attempt_id=attempt.attempt_id,
                lead_id=attempt.claim.lead_id,
                number=attempt.number,
                at=state.now,
                disposition=disposition,
                abandoned=attempt.abandoned,
                cut_short=cut_short,
                reserved_at=attempt.reserved_at,
                originated_at=attempt.originated_at,
                answered_at=attempt.answered_at,
                bridged_at=attempt.bridged_at,
                ended_at=attempt.ended_at,
                agent_id=attempt.agent_id,
                trunk=attempt.trunk or None,
                caller_id=attempt.caller_id or None,
                tries=attempt.try_no,
                fact_keys=attempt.claim.fact_keys,
                progress=entry.progress,
                stop_keys=attempt.own_stop_keys(disposition),
                stop_reason=stop_reason,
            )
        )
