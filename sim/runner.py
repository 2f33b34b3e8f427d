"""Runs the real engine in a simulated world, flat out: no event loop, no store but memory, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import Lead, LeadProgress, lead_chunks
from dialer.ports import EventLog, InstantStore
from sim.clock import VirtualClock, WakeUp
from sim.world import World


class Runner:
    """Feeds the engine from the world's heap and the world from the engine's actions."""

    def __init__(
        self, engine: Engine, world: World, clock: VirtualClock, store: InstantStore, log: EventLog | None = None
    ) -> None:
        self.engine = engine
        self._world = world
        self._clock = clock
        self._store = store
        self._log = log
        self._inbox: deque[ev.Event] = deque()
        self._alarm: WakeUp | None = None
        self._alarm_at = 0.0

    def run(self, leads: Sequence[Lead], *, until: float, progress: Callable[[float], None] | None = None) -> None:
        """Dial `leads` until the campaign ends, or drain it at `until` (UTC seconds).

        `progress` is called with the virtual time, at most once a virtual minute.
        """
        fresh = [LeadProgress(lead_id=lead.lead_id) for lead in leads]
        for some, progress_of, last in lead_chunks(leads, fresh):
            self._take(ev.LeadsAdded(at=self._clock.now(), leads=some, progress=progress_of, last=last))
        self._world.begin(self._take)
        self._clock.call_at(until, lambda: self._take(ev.DrainOrdered(at=self._clock.now(), by="end of the scenario")))
        told = self._clock.now()
        self._drain()
        while not self.engine.ended and self._clock.advance():
            self._drain()
            if progress is not None and self._clock.now() - told >= 60.0:
                told = self._clock.now()
                progress(told)

    def _take(self, event: ev.Event) -> None:
        self._inbox.append(event)

    def _drain(self) -> None:
        inbox, campaign = self._inbox, self.engine.campaign.campaign
        while inbox:
            event = inbox.popleft()
            actions = self.engine.step(event)
            if self._log is not None:
                self._log.append(event, actions)
            if not actions:
                continue
            for action in actions:
                if isinstance(action, act.Reserve):
                    self._reserve(campaign, action)
                elif isinstance(action, act.Stop):
                    for key in action.keys:
                        self._store.stop_now(key, action.reason)
                elif isinstance(action, act.Settle):
                    self._store.settle_now(campaign, action.settlements)
            self._world.perform(actions)
        self._arm()

    def _reserve(self, campaign: str, action: act.Reserve) -> None:
        refusals = self._store.reserve_now(campaign, action.claims)
        at = self._clock.now()
        refused = {refusal.attempt_id for refusal in refusals}
        held = tuple(claim.attempt_id for claim in action.claims if claim.attempt_id not in refused)
        if held:
            self._take(ev.Reserved(at=at, attempt_ids=held))
        if refusals:
            self._take(ev.Refused(at=at, refusals=tuple(refusals)))

    def _arm(self) -> None:
        """Keep one wake-up call at the engine's earliest timer."""
        due = self.engine.next_timer_at
        if due is None or (self._alarm is not None and self._alarm_at <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._take(ev.TimePassed(at=self._clock.now()))
