"""The dialer brain: events in, actions out, no I/O.

How it works: `step` gives each event to its handler, here or in one of the parts (`calls`, `agents`), which move the
state machines and append actions; `launching` decides, `settling` ends. Only `Reserved` leads to `Originate`, and every
attempt that was held by the store ends in exactly one `Settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from carriers.standing import RoutingStanding
from carriers.tally import TrunkTally
from compliance.ruleset import EVERYTHING, RuleSet
from dialer import __version__
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agents import Agents
from dialer.core.attempt import DIALLING, DISPOSING, INHERITED, Attempt
from dialer.core.calls import ENDED_BY_SWITCH_S, Calls
from dialer.core.disposition import Disposition
from dialer.core.launching import Launching
from dialer.core.learned import Learned
from dialer.core.pacers import Pacers
from dialer.core.planning import Planning
from dialer.core.retry import fitted
from dialer.core.routing import Routing
from dialer.core.segmenting import BEGIN, Segmenting
from dialer.core.settling import Settling
from dialer.core.snapshot import Snapshot, apply_snapshot, take_snapshot
from dialer.core.state import LAUNCHED_AT, CampaignState
from dialer.core.status import CampaignStatus, status_of
from dialer.core.timers import (
    ATTEMPT_LIMIT,
    DECIDE,
    LEAVE,
    PLAN,
    PLAN_END,
    PRICE,
    REVIEW,
    ROOM,
    SAVE,
    SET_UP,
    TICK,
    WRAP_UP_LIMIT,
)
from pacing.policy import Policy

SAVE_S = 60.0
CLOCK_SLACK_S = 3600.0


class Engine:
    """The dialer without I/O. One writer calls `step` once per event, in order; the same events give the same actions.

    `policies` has one for each mode; all of them learn, so that a change of mode loses nothing. `run` is the lease's
    fence: attempt ids of two runs never meet. `seed` feeds the policy's dithering.
    """

    def __init__(
        self, campaign: Campaign, *, rules: RuleSet, policies: Mapping[str, Policy], run: int, seed: int
    ) -> None:
        state = CampaignState(campaign, rules=rules, policies=policies, run=run, seed=seed)
        self._state = state
        self._pacers = Pacers(state)
        self._routing = Routing(state)
        self._segmenting = Segmenting(state)
        self._planning = Planning(state, self._segmenting)
        self._settling = Settling(state, self._pacers, self._routing, self._planning, self._segmenting)
        self._launching = Launching(
            state, self._pacers, self._settling, self._routing, self._planning, self._segmenting
        )
        self._calls = Calls(state, self._launching, self._settling, self._routing, self._planning)
        self._agents = Agents(state, self._pacers, self._launching, self._settling, self._calls)
        self.campaign = campaign
        self.queue = state.queue
        self.floor = state.floor
        self.counters = state.counters
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.LeadsAdded: self._leads_added,
            ev.LeadStopped: self._lead_stopped,
            ev.AgentLoggedIn: self._agents.logged_in,
            ev.AgentLoggedOut: self._agents.logged_out,
            ev.AgentPaused: self._agents.paused,
            ev.AgentLeaveAnnounced: self._agents.leave_announced,
            ev.AgentReadied: self._agents.readied,
            ev.AgentKeyed: self._agents.keyed,
            ev.AttemptDisposed: self._agents.disposed,
            ev.AgentLogoutOrdered: self._agents.logout_ordered,
            ev.Reserved: self._calls.reserved,
            ev.Refused: self._calls.refused,
            ev.ReservationLost: self._calls.reservation_lost,
            ev.AttemptsInherited: self._attempts_inherited,
            ev.StateRecalled: self._state_recalled,
            ev.StoreStalled: self._store_stalled,
            ev.StoreRecovered: self._store_recovered,
            ev.AttemptRinging: self._calls.ringing,
            ev.AttemptAnswered: self._calls.answered,
            ev.AttemptScreened: self._calls.screened,
            ev.AttemptBridged: self._calls.bridged,
            ev.BridgeFailed: self._calls.bridge_failed,
            ev.AttemptAbandoned: self._calls.abandoned,
            ev.AttemptEnded: self._calls.attempt_ended,
            ev.AttemptSurvived: self._calls.survived,
            ev.LinkDropped: self._link_dropped,
            ev.LinkUp: self._link_came_up,
            ev.CapacityPriced: self._capacity_priced,
            ev.PlannerOpened: self._planning.opened,
            ev.HoursPlanned: self._hours_planned,
            ev.PacingChanged: self._pacing_changed,
            ev.LaunchingPaused: self._launching_paused,
            ev.LaunchingResumed: self._launching_resumed,
            ev.DrainOrdered: self._drain_ordered,
            ev.StopOrdered: self._stop_ordered,
            ev.TimePassed: self._time_passed,
        }

    def step(self, event: ev.Event) -> list[act.Action]:
        """Take in one fact and return what is to be done about it. Time never runs backwards here."""
        state = self._state
        if event.at > state.now:
            state.now = event.at
        self.counters.events += 1
        state.out = []
        self._handlers[type(event)](event)
        if state.settlements:
            state.record_ends()
        if state.draining and state.loaded and not state.attempts and not state.ended:
            state.end("drained")
        return state.out

    @property
    def policy_ids(self) -> dict[str, str]:
        """The policy of each mode."""
        return {mode: policy.policy_id for mode, policy in self._state.policies.items()}

    @property
    def tallies(self) -> dict[str, TrunkTally]:
        """What the calls of each trunk came to."""
        return self._state.desk.tallies

    def routing_standing(self, now: float) -> RoutingStanding:
        """How the trunks and the caller IDs stand at `now`; looking changes nothing."""
        return self._routing.standing(now)

    @property
    def target_abandon_rate(self) -> float:
        """The cap in force, abandoned / live answers."""
        return self._state.target_abandon_rate

    def line_s_of_lines_up(self, now: float) -> float:
        """Seconds, up to `now`, of all lines that are being set up or ringing."""
        launched_at = self._state.lines.column(LAUNCHED_AT)
        return float(now * len(launched_at) - launched_at.sum())

    @property
    def next_timer_at(self) -> float | None:
        """When `TimePassed` is wanted; None: not at all."""
        state = self._state
        heap = state.timers.heap
        return heap[0][0] if heap and not state.ended else None

    @property
    def store_ok(self) -> bool:
        """Whether the store took the last thing it was asked."""
        return self._state.store_ok

    @property
    def live_attempts(self) -> int:
        """Attempts that have not been settled."""
        return len(self._state.attempts)

    def _leads_added(self, event: ev.LeadsAdded) -> None:
        for lead, progress in zip(event.leads, event.progress, strict=True):
            progress = fitted(progress, len(lead.numbers))
            index = self._state.queue.add(lead, progress)
            self._state.learn_apart(lead.product)
            if lead.lead_id in event.unlisted:
                self._state.unlisted.add(index)
            elif progress.status == "ready":
                self._settling.requeue(index)
        if not event.last:
            return
        if not self._state.loaded:
            self._state.loaded = True
            self._state.after_a_run()
            self._state.timers.set(self._state.now + SAVE_S, SAVE)
            self._segmenting.begin()
        self._launching.ask("LeadsAdded")
        self._launching.start_ticking()

    def _lead_stopped(self, event: ev.LeadStopped) -> None:
        """The store refuses the lead from now on; here only calls that nobody has answered yet are hung up.

        The stop of everything also ends the campaign: what it refuses now must not look like a finished list.
        """
        if event.key == EVERYTHING:
            self._state.draining = True
        self._settling.stop((event.key,), event.reason)

    def _attempts_inherited(self, event: ev.AttemptsInherited) -> None:
        """An earlier run's claims. The switch says which of them live; the rest is settled as unknown at `LinkUp`."""
        by_id = {self._state.queue[i].lead.lead_id: i for i in range(len(self._state.queue))}
        for claim in event.claims:
            index = by_id.get(claim.lead_id)
            if index is None or claim.attempt_id in self._state.attempts:
                continue
            numbers = [number.e164 for number in self._state.queue[index].lead.numbers]
            number_index = numbers.index(claim.number) if claim.number in numbers else 0
            attempt = Attempt(claim.attempt_id, claim, index, number_index, at=claim.at, closes_at=0.0, trunk="")
            attempt.state = INHERITED
            attempt.survived = True
            self._state.queue.drop(index)
            self._state.attempts[claim.attempt_id] = attempt
            self._state.live_leads.add(index)

    def _state_recalled(self, event: ev.StateRecalled) -> None:
        """Go on with what an earlier run learned; what another version or another clock left is not for this one.
        The accounts of abandons are the law's: they outlive a version, and a clock that was set back a little."""
        learned = event.learned
        if learned.at <= event.at and learned.version == __version__:
            self._state.recall(learned)
        elif learned.at <= event.at + CLOCK_SLACK_S:
            self._state.abandon_book.accounts.restore(learned.accounts)
            self._state.desk.recall_counts(learned.routing)
        self._state.recalled_at = learned.at

    def _store_stalled(self, _: ev.StoreStalled) -> None:
        self._state.store_ok = False

    def _store_recovered(self, _: ev.StoreRecovered) -> None:
        self._state.store_ok = True
        self._launching.ask("StoreRecovered")

    def _link_dropped(self, event: ev.LinkDropped) -> None:
        self._state.link_up = False
        self._state.link_down_because = event.reason
        for attempt in self._state.attempts.values():
            attempt.doubtful |= attempt.state is DIALLING

    def _link_came_up(self, _: ev.LinkUp) -> None:
        self._state.link_up = True
        for attempt in [a for a in self._state.attempts.values() if a.state is INHERITED]:
            attempt.move(ev.LinkUp)
            self._settling.close(attempt, Disposition.UNKNOWN)
        self._launching.ask("LinkUp")

    def _capacity_priced(self, event: ev.CapacityPriced) -> None:
        self._state.desk.reprice(event.prices, self._state.now)

    def _hours_planned(self, event: ev.HoursPlanned) -> None:
        self._planning.planned(event)
        self._launching.ask("HoursPlanned")

    def _pacing_changed(self, event: ev.PacingChanged) -> None:
        """In force at the next decision."""
        if event.mode is not None:
            self._state.mode = event.mode
            self._pacers.mode_set()
        if event.target_abandon_rate is not None:
            self._state.target_abandon_rate = event.target_abandon_rate
        if event.lines_per_idle_agent is not None:
            self._state.lines_per_idle_agent = event.lines_per_idle_agent
        if event.max_lines_per_idle_agent is not None:
            self._state.max_lines_per_idle_agent = event.max_lines_per_idle_agent
        self._launching.ask("PacingChanged")

    def _launching_paused(self, _: ev.LaunchingPaused) -> None:
        self._state.paused = True

    def _launching_resumed(self, _: ev.LaunchingResumed) -> None:
        self._state.paused = False
        self._launching.ask("LaunchingResumed")

    def _drain_ordered(self, _: ev.DrainOrdered) -> None:
        self._state.draining = True
        self._calls.set_up_held()  # what waits for a set-up is not placed any more

    def _stop_ordered(self, event: ev.StopOrdered) -> None:
        """Hang up everything first, so that no freed agent is given a call that is about to go."""
        self._state.draining = True
        self._calls.set_up_held()
        live = list(self._state.attempts.values())
        for attempt in live:
            if attempt.state is not DISPOSING:
                self._settling.hang_up(attempt, f"stopped by {event.by}")
                limit = self._state.now + ENDED_BY_SWITCH_S
                self._state.timers.set_coarse(limit, ATTEMPT_LIMIT, attempt.attempt_id)
        for attempt in live:
            if attempt.state is DISPOSING:
                agent = self._state.floor.get(attempt.agent_id or "")
                if agent is not None and agent.attempt_id == attempt.attempt_id:
                    self._agents.end_wrap_up(agent)

    def _time_passed(self, event: ev.TimePassed) -> None:
        for kind, subject in self._state.timers.due(event.at):
            if kind is DECIDE:
                cause, self._state.asked_by = self._state.asked_by, ""
                self._launching.decide(cause)
            elif kind is TICK:
                self._launching.tick()
            elif kind is SET_UP:
                self._state.set_up_at = None
                self._calls.set_up_held()
            elif kind is SAVE:
                self._save()
            elif kind is PRICE:
                self._routing.price()
            elif kind is PLAN:
                self._planning.ask()
            elif kind is PLAN_END:
                self._planning.run_out()
                self._launching.ask("PlanEnd")
            elif kind is REVIEW:
                if subject == BEGIN:
                    self._segmenting.begin()  # the next one
                self._segmenting.review(subject)
                self._launching.ask("Review")
            elif kind is ROOM:
                self._state.room_asked = False
                self._launching.ask("Room")
            elif kind is LEAVE:
                self._agents.leave_due(subject)
            elif kind is WRAP_UP_LIMIT:
                attempt = self._state.attempts.get(subject)
                if attempt is not None and attempt.state is DISPOSING:
                    self._agents.end_wrap_up(self._state.floor.agents[attempt.agent_id or ""])
            else:
                self._calls.limit_passed(subject)

    def _save(self) -> None:
        self._state.desk.flush(self._state.now)
        self._state.out.append(act.SaveLearned(learned=self._state.learned()))
        self._state.timers.set(self._state.now + SAVE_S, SAVE)

    def learned(self) -> Learned:
        """What was learned and counted, for the next run."""
        return self._state.learned()

    @property
    def ended(self) -> bool:
        """Whether the campaign is over."""
        return self._state.ended

    def snapshot(self) -> Snapshot:
        """The whole state, between two steps."""
        return take_snapshot(self._state)

    @classmethod
    def restore(
        cls,
        campaign: Campaign,
        *,
        rules: RuleSet,
        policies: Mapping[str, Policy],
        snapshot: Snapshot,
        tail: Iterable[ev.Event] = (),
    ) -> Engine:
        """Go on from a snapshot, after the events of `tail`; their actions have been carried out already."""
        engine = cls(campaign, rules=rules, policies=policies, run=0, seed=0)
        apply_snapshot(engine._state, snapshot)
        for event in tail:
            engine.step(event)
        return engine

    def status(self) -> CampaignStatus:
        """The campaign at a glance."""
        return status_of(self._state)
