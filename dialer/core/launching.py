"""When to launch, how many lines, and for whom.

How it works: whatever changes supply or demand asks for a decision, which a timer takes 100 ms after the first ask,
over all that came in since, and never sooner than 250 ms after the last one: a large floor, where something happens all
the time, loses nothing by it and takes half as many. Where nothing asks for a second, one is taken all the same, for
time itself changes the forecast. A decision asks the policy how many lines to launch, takes that many leads from the
dial queue and answers with `Reserve`.
"""

from __future__ import annotations

from carriers.desk import Route
from dialer.core import actions as act
from dialer.core.attempt import RINGING, Attempt
from dialer.core.pacers import Pacers
from dialer.core.planning import Planning
from dialer.core.routing import Routing
from dialer.core.segmenting import Segmenting
from dialer.core.settling import Settling
from dialer.core.state import CampaignState
from dialer.core.timers import DECIDE, ROOM, TICK
from pacing.policy import Pace
from pacing.view import PacingView

DECISION_DELAY_S = 0.1
DECISION_GAP_S = 0.25
TICK_S = 1.0
SLOW_TICK_S = 60.0
CLAIMS_PER_BATCH = 100
MOST_UNROUTED = 200  # leads that find no route, in one decision: the next one looks further
LEAVES_SOON_S = 600.0  # a later leave of an idle agent is nothing to a decision


class Launching:
    """Decides and claims. Shares the campaign's state with the other parts of the engine."""

    def __init__(
        self,
        state: CampaignState,
        pacers: Pacers,
        settling: Settling,
        routing: Routing,
        planning: Planning,
        segmenting: Segmenting,
    ) -> None:
        self._state = state
        self._planning = planning
        self._segmenting = segmenting
        self._routing = routing
        self._pacers = pacers
        self._settling = settling

    def tick(self) -> None:
        self._state.ticking = False
        if self._state.ended:
            return
        if self._list_finished():
            self._state.end("list finished")
            return
        if not self._state.asked_by and self._state.now >= self._state.decided_at + TICK_S:
            self.decide("Tick")
        self.start_ticking()

    def start_ticking(self) -> None:
        if self._state.ticking or self._state.ended:
            return
        self._state.ticking = True
        now = self._state.now
        at = self._state.decided_at + TICK_S
        if at <= now:
            at = now + TICK_S
        if not self._state.attempts and self._state.queue.peek(now) is None:
            change = self._state.queue.next_change_at(now)
            at = now + SLOW_TICK_S if change is None else min(now + SLOW_TICK_S, max(now + TICK_S, change))
        self._state.timers.set(at, TICK)

    def ask(self, cause: str) -> None:
        """Ask for a decision; whatever asks until it is taken is taken with it."""
        if not self._state.asked_by and not self._state.ended:
            self._state.asked_by = cause
            at = max(self._state.now + DECISION_DELAY_S, self._state.decided_at + DECISION_GAP_S)
            self._state.timers.set(at, DECIDE)

    def may_dial(self) -> bool:
        return self._state.link_up and self._state.store_ok and not self._state.draining and not self._state.paused

    def _closed(self, head: int | None) -> str:
        """The guard that forbids any launch now; empty if none. `head` is the next lead to be dialled."""
        if self._state.draining:
            return "draining"
        if not self._state.link_up:
            return "link"
        if not self._state.loaded:
            return "loading"
        if not self._state.store_ok:
            return "store"
        if self._state.paused:
            return "paused"
        if self._state.floor.idle + len(self._state.floor.busy) == 0:
            return "no_agents"
        if head is None:
            return "window" if self._state.queue.closed_rule() else "queue_empty"
        return ""

    def decide(self, cause: str) -> None:
        state = self._state
        state.decided_at = state.now
        self._routing.listen()
        head = state.queue.peek(state.now)
        guard = self._closed(head)
        if head is None or guard:
            hung_up = self._only_hang_up() if len(state.lines) and state.link_up else 0
            self._note(cause, Pace(lines=0, guard=guard), 0, guard, hung_up)
            return
        pace = self._pacers.pace(self._view(head))
        hung_up = self._cut_short(pace.hang_up) if pace.hang_up else 0
        count, guard = pace.lines, pace.guard
        if count:
            room = state.desk.room(state.now)
            on_switch = state.campaign.asterisk.max_calls - len(state.attempts)
            if count > min(room, on_switch):
                guard = "cps" if room < min(on_switch, state.desk.loads.free_channels) else "channels"
                count = max(0, min(room, on_switch))
        launched, unrouted = self._launch(count) if count else (0, 0)
        if launched < count:
            guard = "no_route" if unrouted else "queue_empty"
        if guard in ("cps", "no_route") and launched < pace.lines and not state.room_asked:
            # Nothing else may happen until there is room: a trunk that bounds the pace is used as far as it goes.
            state.room_asked = True
            state.timers.set(max(state.desk.next_room_at(state.now), state.now + DECISION_GAP_S), ROOM)
        self._note(cause, pace, launched, guard, hung_up)

    def _view(self, head: int | None) -> PacingView:
        """What the policy may see; without a lead that would come next, with what is usual."""
        state = self._state
        handling_since, handling_segment, leaves_at = state.floor.busy.columns
        launched_at, probability, rung_since, line_segment = state.lines.columns
        return PacingView(
            now=state.now,
            idle=state.floor.idle,
            idle_leaves_at=state.floor.idle_leaves_at(state.now + LEAVES_SOON_S),
            handling_since=handling_since,
            handling_segment=handling_segment,
            leaves_at=leaves_at,
            talking=state.floor.on_call,
            ringing_since=launched_at,
            answer_probability=probability,
            rung_since=rung_since,
            line_segment=line_segment,
            launched=state.launched,
            waiting=len(state.waiting),
            next_answer_probability=state.answers.rate if head is None else self._planning.probability(head),
            next_segment=0 if head is None else state.segments.get(state.queue[head].lead.product, 0),
            hang_up_after_ring_s=state.hang_up_after_ring_s,
            max_lines_per_idle_agent=state.max_lines_per_idle_agent,
            lines_per_idle_agent=state.lines_per_idle_agent,
            target_abandon_rate=state.target_abandon_rate,
            budget_left=state.abandon_book.accounts.tightest(state.now).budget_left,
        )

    def _only_hang_up(self) -> int:
        """Nothing may be launched; for the lines that ring, agents may be wanting all the same."""
        return self._cut_short(self._pacers.pace(self._view(None)).hang_up)

    def _cut_short(self, rows: tuple[int, ...]) -> int:
        """Hang up lines that rang long enough, as the law counts it, and for whose answer nobody would be there; return
        how many."""
        state, hung_up = self._state, 0
        for attempt in [state.lines.owners[row] for row in rows]:
            rang_at = attempt.rang_at
            if attempt.state is not RINGING or rang_at is None or attempt.hang_up_asked:
                continue
            if state.now - rang_at >= state.hang_up_after_ring_s:
                attempt.cut_short = True
                hung_up += 1
                self._settling.hang_up(attempt, "no agent would be there", unanswered_only=True)
        return hung_up

    def _launch(self, count: int) -> tuple[int, int]:
        """Route and claim up to `count` leads; those for which there is no route rest, and others are taken in their
        stead. Returns how many were launched, and how many found no route."""
        state = self._state
        claims: list[act.Claim] = []
        routed: set[int] = set()
        unrouted = 0
        while len(claims) < count and unrouted < MOST_UNROUTED:
            taken = [lead for lead in state.queue.take(count - len(claims), state.now) if self._called(lead[0])]
            found = self._claims(taken, routed)
            claims += found
            unrouted += len(taken) - len(found)
            if len(taken) == len(found):
                break
        self._routing.decided(routed)
        state.record_ends()  # a stop that this very step records must bind these claims
        for begin in range(0, len(claims), CLAIMS_PER_BATCH):
            state.out.append(act.Reserve(claims=tuple(claims[begin : begin + CLAIMS_PER_BATCH])))
        return len(claims), unrouted

    def _list_finished(self) -> bool:
        """Whether nobody is left to be called, now or later."""
        state = self._state
        return state.loaded and state.queue.queued == 0 and not state.attempts and not self._segmenting.waits

    def _called(self, index: int) -> bool:
        """Look at a lead's segment at the moment of its claim: its caps hold as they are now."""
        return not self._segmenting.moving or self._segmenting.place(index)

    def _claims(self, taken: list[tuple[int, float]], routed: set[int]) -> list[act.Claim]:
        """Route these leads and begin their attempts; `routed` takes in the cells that found a route."""
        if not taken:
            return []
        probabilities = [self._planning.probability(index) for index, _ in taken]
        routes = self._routing.routes([index for index, _ in taken], probabilities)
        claims = []
        for (index, closes_at), probability, (cell, route) in zip(taken, probabilities, routes, strict=True):
            claim = None if route is None else self._claim(index, closes_at, probability, cell, route)
            if route is not None:
                routed.add(cell)
            if claim is None:
                self._routing.rest(index, cell, routed=route is not None)
            else:
                claims.append(claim)
        return claims

    def _claim(self, index: int, closes_at: float, probability: float, cell: int, route: Route) -> act.Claim | None:
        """Begin an attempt; None where no caller ID may be shown: that must not cost the person a counted attempt."""
        state = self._state
        now = state.now
        entry = state.queue[index]
        lead, number_index = entry.lead, entry.progress.number_index
        attempt_id = state.next_attempt_id + 1
        claim = state.claims.of(
            state.claims.candidate(lead, number_index, entry.segment), attempt_id=attempt_id, now=now
        )
        attempt = Attempt(attempt_id, claim, index, number_index, at=now, closes_at=closes_at, trunk="")
        self._routing.plan(attempt, cell, route)
        attempt.probability = probability
        self._planning.score(attempt)
        if self._routing.face(attempt) is None:
            self._routing.release(attempt, set_up=False)
            return None
        state.next_attempt_id = attempt_id
        attempt.segment = state.segments.get(lead.product, 0)
        state.attempts[attempt_id] = attempt
        state.live_leads.add(index)
        state.add_line(attempt)
        return claim

    def _note(self, cause: str, pace: Pace, launched: int, guard: str, hung_up: int = 0) -> None:
        """Keep a decision that launched or hung up something, or whose reason is new."""
        rule = self._state.queue.closed_rule() if guard == "window" else ""
        reason = f"{guard} {rule}" if rule else guard
        if not launched and not hung_up and reason == self._state.last_guard:
            return
        self._state.last_guard = reason
        decision = act.Decision(
            policy=self._state.policy.policy_id,
            cause=cause,
            idle=self._state.floor.idle,
            on_call=self._state.floor.on_call,
            wrap_up=self._state.floor.wrap_up,
            ringing=len(self._state.lines) - launched,
            waiting=len(self._state.waiting),
            wanted=pace.lines,
            launched=launched,
            hung_up=hung_up,
            guard=guard,
            rule=rule,
            figures=pace.figures,
        )
        self._state.decisions.append((self._state.now, decision))
        self._state.out.append(act.NoteDecision(decision=decision))
