"""Runs the real engine in a simulated world, flat out: no event loop, no store but memory, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import Lead, LeadProgress, lead_chunks
from dialer.ports import EventLog, InstantStore, Planner
from models.plan import HourPlan
from sim.clock import VirtualClock
from sim.moments import WATCHED
from sim.recorder import Recorder
from sim.world import World

TOLD_EVERY_S = 300.0


class Runner:
    """Feeds the engine from the world's heap and the world from the engine's actions."""

    def __init__(
        self,
        engine: Engine,
        world: World,
        clock: VirtualClock,
        store: InstantStore,
        log: EventLog | None = None,
        recorder: Recorder | None = None,
        planner: Planner | None = None,
    ) -> None:
        self.engine = engine
        self._world = world
        self._clock = clock
        self._store = store
        self._log = log
        self._recorder = recorder
        self._planner = planner
        self._inbox: deque[ev.Event] = deque()
        self._alarm_at = inf  # the earliest wake-up call that is set for the engine's timers

    def run(self, leads: Sequence[Lead], *, until: float, progress: Callable[[float], None] | None = None) -> None:
        """Dial `leads` until the campaign ends, or drain it at `until` (UTC seconds).

        `progress` is called with the virtual time, once in TOLD_EVERY_S virtual seconds.
        """
        self.begin(leads, until=until)
        clock, engine, inbox, recorder = self._clock, self.engine, self._inbox, self._recorder
        tell_at = clock.now() + TOLD_EVERY_S if progress is not None else inf
        while not engine.ended and clock.advance():
            if not inbox:
                continue
            if recorder is not None and clock.now() >= recorder.due:
                recorder.take(clock.now())
                if self._log is not None:
                    self._log.flush()  # a day's steps take a hundred megabytes: they need not wait in memory
            self._drain()
            if clock.now() >= tell_at and progress is not None:
                tell_at = clock.now() + TOLD_EVERY_S
                progress(clock.now())

    def begin(self, leads: Sequence[Lead], *, until: float) -> None:
        """Load the leads and open the day; it is drained at `until` (UTC seconds)."""
        fresh = [LeadProgress(lead_id=lead.lead_id) for lead in leads]
        for some, progress_of, last in lead_chunks(leads, fresh):
            self._take(ev.LeadsAdded(at=self._clock.now(), leads=some, progress=progress_of, last=last))
        if self._planner is not None:
            self._planner.begin(leads, self._opened)
        self._world.begin(self._take)
        self._clock.call_at(until, lambda: self._take(ev.DrainOrdered(at=self._clock.now(), by="end of the scenario")))
        self._drain()

    def play(self, *, until: float) -> None:
        """Go on with a day that has begun, through all that is due by `until` (UTC seconds)."""
        while not self.engine.ended:
            due = self._clock.next_at
            if due is None or due > until:
                return
            self._clock.advance()
            self._drain()

    def _take(self, event: ev.Event) -> None:
        self._inbox.append(event)

    def _drain(self) -> None:
        engine, inbox, log, recorder = self.engine, self._inbox, self._log, self._recorder
        while inbox:
            event = inbox.popleft()
            actions = engine.step(event)
            if log is not None:
                log.append(event, actions)
            if recorder is not None and (actions or type(event) in WATCHED):
                recorder.saw(event, actions)
            if actions:
                self._keep(actions)
                self._world.perform(actions)
        due = engine.next_timer_at
        if due is not None and due < self._alarm_at:
            self._alarm_at = due
            self._clock.wake_at(due, self._ring, due)

    def _keep(self, actions: Sequence[act.Action]) -> None:
        """Carry out what is for the store and for the solver."""
        campaign = self.engine.campaign.campaign
        for action in actions:
            if isinstance(action, act.Reserve):
                self._reserve(campaign, action)
            elif isinstance(action, act.Settle):
                self._store.settle_now(campaign, action.settlements)
            elif isinstance(action, act.Stop):
                for key in action.keys:
                    self._store.stop_now(key, action.reason)
            elif isinstance(action, act.PriceCapacity):
                self._price(action)
            elif isinstance(action, act.PlanHours) and self._planner is not None:
                self._planner.plan(action.request, self._planned)

    def _reserve(self, campaign: str, action: act.Reserve) -> None:
        reservation = self._store.reserve_now(campaign, action.claims)
        ids = [claim.attempt_id for claim in action.claims]
        for event in reservation.events(ids, self._clock.now()):
            self._take(event)

    def _price(self, action: act.PriceCapacity) -> None:
        """Solve in place: the prices come at the same virtual time. Where there are none, the old ones stay."""
        from carriers.pricing import PricingFailed, solve  # here, for it takes half a second, and most days need none

        with suppress(PricingFailed):
            self._take(ev.CapacityPriced(at=self._clock.now(), prices=solve(action.problem)))

    def _opened(self, models: tuple[str, ...]) -> None:
        self._take(ev.PlannerOpened(at=self._clock.now(), models=models))

    def _planned(self, plan: HourPlan) -> None:
        """The plan comes at the same virtual time."""
        self._take(ev.HoursPlanned(at=self._clock.now(), plan=plan))

    def _ring(self, due: float) -> None:
        """A wake-up call; one that an earlier timer has overtaken means nothing any more."""
        if due == self._alarm_at:
            self._alarm_at = inf
            self._inbox.append(ev.TimePassed(at=self._clock.now()))
