"""The asyncio shell around the engine: inbox -> engine -> journal -> store and switch.

How it works: everything that happens is emitted into one inbox. One drain takes all that is there, steps the engine,
writes the journal, and only then lets the switch act. The store's calls go through one worker, in order, because a
`Reserve` must see the `Settle` before it. A store that fails stops launching (`StoreStalled`) until it works again;
settlements are tried again, since settling twice changes nothing, but a reservation is not: its claims are lost.
A lost lease is no stall: somebody else has the campaign, so the run fails and its calls are left to the switch.
Capacity prices and plans of the hours come when they come, or not at all: nothing waits for them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from carriers.capacity import CapacityPrices
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import lead_chunks
from dialer.errors import LeaseLost, StoreError
from dialer.ports import Cancellable, Clock, EventLog, Opening, Planner, RuntimeStore, Solver, Telephony
from models.plan import HourPlan

_SWITCH_ACTIONS = (act.Originate, act.Bridge, act.HangUp, act.LogOut)
LAST_WRITES_S = 10.0  # how long the end of a run waits for a store that does not answer
CANCEL_AGAIN_S = 0.1
LATE_S = 0.05  # of the newest fact, when it is taken in
_RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)

StoreAction = act.Reserve | act.Stop | act.Settle | act.SaveLearned
Observer = Callable[[ev.Event, Sequence[act.Action]], None]
Log = structlog.typing.FilteringBoundLogger


# Places in a dial where a program can die; the fault harness kills it at each. Between "reserving" and "performed" lies
# the one stretch in which a call is claimed and not yet placed.
CRASH_POINTS = ("reserving", "reserved", "decided", "journalled", "performed", "settling", "settled")


def _pass(_: str) -> None:
    """No fault is wanted."""


class Runtime:
    """One campaign, run. `run()` returns when the engine has ended it and everything is recorded."""

    def __init__(
        self,
        engine: Engine,
        *,
        opening: Opening,
        store: RuntimeStore,
        telephony: Telephony,
        solver: Solver,
        planner: Planner,
        clock: Clock,
        log: EventLog,
        logger: Log,
        observer: Observer | None = None,
        checkpoint: Callable[[str], None] | None = None,
    ) -> None:
        self._checkpoint = checkpoint or _pass
        self.engine = engine
        self._opening = opening
        self._campaign = engine.campaign.campaign
        self._store = store
        self._telephony = telephony
        self._solver = solver
        self._planner = planner
        self._clock = clock
        self._log = log
        self._logger = logger
        self._observer = observer
        self._inbox: deque[ev.Event] = deque()
        self._drain_planned = False
        self._alarm: Cancellable | None = None
        self._alarm_at = 0.0
        self._store_work: deque[StoreAction] = deque()
        self._store_wanted = asyncio.Event()
        self._own_stops: set[str] = set()  # set by our own settlements: the engine knows them already
        self._outstanding = 0  # actions the store has not yet answered
        self._activity = asyncio.Event()
        self._ended = asyncio.Event()
        self._failure: BaseException | None = None

    # ---- from outside -----------------------------------------------------------------------------------------
    def emit(self, event: ev.Event) -> None:
        """Take in a fact. Facts of one loop turn are taken in together."""
        self._inbox.append(event)
        if not self._drain_planned:
            self._drain_planned = True
            asyncio.get_running_loop().call_soon(self._drain)

    def drain(self, by: str) -> None:
        """Stop launching, let live calls finish, then end."""
        self.emit(ev.DrainOrdered(at=self._clock.now(), by=by))

    def stop(self, by: str) -> None:
        """Stop launching and hang up everything."""
        self.emit(ev.StopOrdered(at=self._clock.now(), by=by))

    @property
    def ended(self) -> bool:
        """Whether the campaign is over and recorded, or has failed."""
        return self._failure is not None or (self._ended.is_set() and self._idle)

    async def quiet(self) -> None:
        """Wait until every event is taken in and every reply of the store has come."""
        while not self._idle and self._failure is None:
            self._activity.clear()
            await self._activity.wait()

    async def run(self) -> None:
        """Start, dial, and end with everything recorded. Raises what broke the run."""
        workers = [asyncio.create_task(self._work_store()), asyncio.create_task(self._watch_stops())]
        for worker in workers:
            worker.add_done_callback(self._worker_done)
        try:
            await self._begin()
            await self._ended.wait()
            await self.quiet()
            if self._failure is not None:
                workers[0].cancel()
                await asyncio.gather(workers[0], return_exceptions=True)
                if not isinstance(self._failure, LeaseLost):
                    await self._save_what_ended()
                raise self._failure
        finally:
            await _end(workers)
            if self._alarm is not None:
                self._alarm.cancel()
            await self._telephony.close()
            await self._solver.close()
            await self._planner.close()
            self._log.close()

    async def _save_what_ended(self) -> None:
        """After a failure, give the store a bounded time for the ends and stops that wait for it."""
        waiting = [action for action in self._store_work if isinstance(action, act.Settle | act.Stop)]
        try:
            async with asyncio.timeout(LAST_WRITES_S / 2):
                for action in waiting:
                    await (self._stop(action) if isinstance(action, act.Stop) else self._settle(action.settlements))
        except (StoreError, TimeoutError) as error:
            self._logger.error("ends.unrecorded", campaign=self._campaign, actions=len(waiting), error=str(error))

    async def _begin(self) -> None:
        """Start is recovery: the list as the store has it, what an earlier run left in flight, then the switch."""
        opening, now = self._opening, self._clock.now()
        if opening.learned is not None:
            self.emit(ev.StateRecalled(at=now, learned=opening.learned))
        for leads, progress, last in lead_chunks(opening.leads, opening.progress):
            last = last and not opening.in_flight
            self.emit(ev.LeadsAdded(at=now, leads=leads, progress=progress, unlisted=opening.unlisted, last=last))
            await asyncio.sleep(0)  # a long list must not hold the loop
        self._planner.begin(opening.leads, self._planner_opened)
        if opening.in_flight:
            self.emit(ev.AttemptsInherited(at=now, claims=opening.in_flight))
            self.emit(ev.LeadsAdded(at=now, leads=(), progress=()))  # the last: now all is known
        self._logger.info(
            "campaign.started",
            campaign=self._campaign,
            run=opening.run,
            leads=len(opening.leads),
            inherited=len(opening.in_flight),
        )
        await self._telephony.start(self.emit)

    # ---- the inbox --------------------------------------------------------------------------------------------
    def _drain(self) -> None:
        self._drain_planned = False
        if self._failure is not None:
            self._inbox.clear()  # nothing is decided, recorded or dialled any more
            return
        switch: list[act.Action] = []
        try:
            now = self._clock.now()
            if self._inbox and self._inbox[-1].at < now - LATE_S:
                # What is decided now happens now, however old its cause: set-ups are counted when they are sent.
                self._inbox.appendleft(ev.TimePassed(at=now))
            while self._inbox:
                event = self._inbox.popleft()
                actions = self.engine.step(event)
                self._log.append(event, actions)
                self._sort(actions, switch)
                if self._observer is not None:
                    self._observer(event, actions)
            self._checkpoint("decided")
            self._log.flush()
            if switch:
                self._checkpoint("journalled")
                self._telephony.perform(switch)
                self._checkpoint("performed")
            self._arm()
        except BaseException as failure:  # a bug, or a journal that cannot be written: dial nothing more
            self._fail(failure)
            return
        self._activity.set()

    def _sort(self, actions: Sequence[act.Action], switch: list[act.Action]) -> None:
        for action in actions:
            if isinstance(action, _SWITCH_ACTIONS):
                switch.append(action)
            elif isinstance(action, StoreAction):
                self._outstanding += 1
                self._store_work.append(action)
                self._store_wanted.set()
            elif isinstance(action, act.PriceCapacity):
                self._solver.solve(action.problem, self._priced)
            elif isinstance(action, act.PlanHours):
                self._planner.plan(action.request, self._planned)
            elif isinstance(action, act.Alert):
                self._logger.error("campaign.alert", campaign=self._campaign, alert=action.text)
            elif isinstance(action, act.EndCampaign):
                self._logger.info("campaign.ended", campaign=self._campaign, reason=action.reason)
                self._ended.set()

    def _priced(self, prices: CapacityPrices) -> None:
        self.emit(ev.CapacityPriced(at=self._clock.now(), prices=prices))

    def _planner_opened(self, models: tuple[str, ...]) -> None:
        self.emit(ev.PlannerOpened(at=self._clock.now(), models=models))

    def _planned(self, plan: HourPlan) -> None:
        self.emit(ev.HoursPlanned(at=self._clock.now(), plan=plan))

    def _arm(self) -> None:
        """Keep one wake-up call at the engine's earliest timer."""
        due = self.engine.next_timer_at
        if self._alarm is not None:
            if due is not None and self._alarm_at <= due:
                return
            self._alarm.cancel()
            self._alarm = None
        if due is not None:
            self._alarm_at = due
            self._alarm = self._clock.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.emit(ev.TimePassed(at=self._clock.now()))

    @property
    def _idle(self) -> bool:
        return not self._inbox and not self._drain_planned and self._outstanding == 0

    # ---- the store --------------------------------------------------------------------------------------------
    async def _work_store(self) -> None:
        """One call after another, in order; settlements that follow each other go as one."""
        work = self._store_work
        while True:
            while not work:
                self._store_wanted.clear()
                await self._store_wanted.wait()
            action, done = work[0], 1  # it stays there until the store has it
            if isinstance(action, act.Reserve):
                await self._reserve(action)
            elif isinstance(action, act.SaveLearned):
                await self._save(action)
            elif isinstance(action, act.Stop):
                await self._record(partial(self._stop, action))
            else:
                settlements = list(action.settlements)
                for following in itertools.islice(work, 1, None):
                    if not isinstance(following, act.Settle):
                        break
                    settlements += following.settlements
                    done += 1
                await self._record(partial(self._settle, settlements))
            for _ in range(done):
                work.popleft()
            self._outstanding -= done
            self._activity.set()

    async def _reserve(self, action: act.Reserve) -> None:
        ids = tuple(claim.attempt_id for claim in action.claims)
        self._checkpoint("reserving")
        try:
            reservation = await self._store.reserve(self._campaign, action.claims)
            self._checkpoint("reserved")
        except LeaseLost:
            raise
        except StoreError as error:
            self._logger.error("store.stalled", campaign=self._campaign, error=str(error))
            at = self._clock.now()
            self.emit(ev.StoreStalled(at=at, reason=str(error)))
            self.emit(ev.ReservationLost(at=at, attempt_ids=ids))
            return
        at = self._clock.now()
        for event in reservation.events(ids, at):
            self.emit(event)

    async def _stop(self, action: act.Stop) -> None:
        for key in action.keys:
            self._own_stops.add(key)
            await self._store.stop(key, action.reason)

    async def _settle(self, settlements: Sequence[act.Settlement]) -> None:
        self._checkpoint("settling")
        await self._store.settle(self._campaign, settlements)
        self._checkpoint("settled")

    async def _record(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write for as long as it takes: both kinds of writes may be repeated. The first success after a stall says
        so. A lease that is lost, and a store that is dead when the campaign is over, end the run."""
        tries, ended_s = 0, 0.0
        while True:
            try:
                await write()
            except LeaseLost:
                raise
            except StoreError as error:
                if tries == 0:
                    self._logger.error("store.stalled", campaign=self._campaign, error=str(error))
                    self.emit(ev.StoreStalled(at=self._clock.now(), reason=str(error)))
                pause_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
                ended_s += pause_s if self._ended.is_set() else 0.0
                if ended_s > LAST_WRITES_S:
                    raise
                await asyncio.sleep(pause_s)
                tries += 1
                continue
            if tries or not self.engine.store_ok:
                self._logger.info("store.recovered", campaign=self._campaign)
                self.emit(ev.StoreRecovered(at=self._clock.now()))
            return

    async def _save(self, action: act.SaveLearned) -> None:
        """Keep learned state; one that could not be kept is followed by the next."""
        try:
            await self._store.save_learned(self._campaign, action.learned)
        except LeaseLost:
            raise
        except StoreError as error:
            self._logger.warning("learned.unsaved", campaign=self._campaign, error=str(error))

    async def _watch_stops(self) -> None:
        """Stops that others set reach calls which ring now; the store refuses all later ones by itself."""
        while True:
            try:
                key, reason = await self._store.next_stop()
            except StoreError as error:
                self._logger.warning("stops.unheard", campaign=self._campaign, error=str(error))
                await asyncio.sleep(_RETRY_S[-1])
                continue
            if key in self._own_stops:
                self._own_stops.discard(key)
            else:
                self.emit(ev.LeadStopped(at=self._clock.now(), key=key, reason=reason))

    # ---- failures ---------------------------------------------------------------------------------------------
    def _worker_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, failure: BaseException) -> None:
        """Something that must not happen did: launch nothing more, and let `run` raise it."""
        if self._failure is None:
            self._failure = failure
        self._ended.set()
        self._activity.set()


async def _end(workers: Sequence[asyncio.Task[None]]) -> None:
    """Cancel workers until they have ended. Once is not enough: before Python 3.12, `asyncio.wait_for` forgets a
    cancellation that comes in the moment in which what it waits for is done, and the store's client waits so."""
    while pending := [worker for worker in workers if not worker.done()]:
        for worker in pending:
            worker.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*workers, return_exceptions=True)
