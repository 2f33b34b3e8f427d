"""Trains a running campaign's models again when it is time: in a process of its own, beside the loop.

How it works: at the begin of a run and every hour of it the registry is asked when the champion's campaign was trained
last. Where that is `retrain_every` ago a worker is begun, trains, puts the model into the registry and is ended. The
planner looks there before each plan and goes by whoever is champion. A campaign without a champion waits for the first
training, which is ordered by hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import structlog

from dialer.adapters.model_registry import ModelRegistry
from dialer.adapters.retraining import DAY_S, Order, Role, last_trained_at, retrain_if_due
from dialer.adapters.worker_process import OneWorker, gave_way

CHECKED_EVERY_S = 3600.0
TRAINED_WITHIN_S = 2 * 3600.0
BY = "the run, as retrain_every says"
_MOST_SAID = 500  # characters of a reason

Log = structlog.typing.FilteringBoundLogger


class TrainingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to train."""

    data: str  # the data folder
    campaign: str
    now: float  # UTC seconds
    every_s: float  # from one training to the next


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    model: str
    serves_as: Role | None  # None: it is kept aside
    refusals: tuple[str, ...]
    rows: int  # attempts that taught
    log_loss: float | None  # on the last days
    against: str | None  # the champion that it was judged against
    against_log_loss: float | None
    aside: tuple[str, ...] = ()  # why it is kept aside although it was not refused
    told: tuple[str, ...] = ()  # what else people should know


Work = Callable[[TrainingOrder], TrainedModel | None]


class TrainingWatch:
    """Looks every `checked_every_s` whether a training is due, and has it done by `work`, a function of a module.

    `now` returns UTC seconds, `sleep` waits. Nothing that goes wrong here is heard by the campaign: it is one line of
    the log. A training that failed is tried again when `every_s` has passed, a day at least: it would fail again.
    """

    def __init__(
        self,
        data: Path,
        campaign: str,
        *,
        every_s: float,
        now: Callable[[], float],
        log: Log,
        checked_every_s: float = CHECKED_EVERY_S,
        within_s: float = TRAINED_WITHIN_S,
        work: Work | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._registry = ModelRegistry(data, campaign)
        self._data, self._every_s = data, every_s
        self._now, self._sleep, self._log = now, sleep, log
        self._checked_every_s, self._within_s = checked_every_s, within_s
        self._work = work or retrained
        self._worker = OneWorker(_warmed)
        self._failed_at: float | None = None  # UTC seconds

    @property
    def worker_pid(self) -> int | None:
        """The worker's process; None while nothing is trained."""
        return self._worker.pid

    async def run(self) -> None:
        """Look, and look again, until cancelled; a training under way is then given up."""
        while True:
            try:
                await self._look()
            except Exception as error:  # whatever it is, calls go on
                reason = " ".join(str(error).split())[:_MOST_SAID] or type(error).__name__
                self._log.error("models.untrained", error=reason, because="the models in use go on")
            await self._sleep(self._checked_every_s)

    async def _look(self) -> None:
        now = self._now()
        if self._failed_at is not None and now < self._failed_at + max(self._every_s, DAY_S):
            return
        if not await asyncio.to_thread(training_due, self._registry, now, self._every_s):
            return
        order = TrainingOrder(data=str(self._data), campaign=self._registry.campaign, now=now, every_s=self._every_s)
        self._failed_at = now  # until it has not
        try:
            executor = await self._worker.begun()
            async with asyncio.timeout(self._within_s):
                found = await asyncio.wrap_future(executor.submit(self._work, order))
        except TimeoutError:
            raise TimeoutError(f"expected a training within {self._within_s:g} s, was ended") from None
        finally:
            await self._worker.end()
        self._failed_at = None
        if found is not None:
            self._tell(found)

    def _tell(self, found: TrainedModel) -> None:
        figures: dict[str, object] = {
            "model": found.model,
            "rows": found.rows,
            "log_loss": _rounded(found.log_loss),
            "against": found.against,
            "against_log_loss": _rounded(found.against_log_loss),
        }
        if found.told:
            figures["told"] = "; ".join(found.told)[:_MOST_SAID]
        if found.serves_as is None:
            event = "models.refused" if found.refusals else "models.kept_aside"
            reasons = "; ".join((*found.refusals, *found.aside))[:_MOST_SAID]
            self._log.warning(event, **figures, reasons=reasons, because="whoever served goes on")
        else:
            self._log.info("models.trained", **figures, serves_as=found.serves_as)


def training_due(registry: ModelRegistry, now: float, every_s: float) -> bool:
    """Say whether a campaign that has a champion was trained last `every_s` ago or earlier. Raises `ConfigError`."""
    if registry.standing().champion is None:
        return False
    last = last_trained_at(registry)
    return last is None or now >= last + every_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


# ---- inside the worker ------------------------------------------------------------------------------------------
def _warmed() -> int:
    """Give way to the loop where processors are short; returns this process's id."""
    return gave_way()


def retrained(order: TrainingOrder) -> TrainedModel | None:
    """Train on the campaign's journals; None where somebody else has trained meanwhile. Raises as `retrain_if_due`."""
    found = retrain_if_due(
        Path(order.data), order.campaign, order.now, order.every_s / DAY_S, order=Order(by=BY, threads=1)
    )
    if found is None:
        return None
    judgement, against = found.judgement, found.judgement.champion
    return TrainedModel(
        model=found.model,
        serves_as=found.serves_as,
        refusals=tuple(judgement.refusals),
        rows=found.bundle.manifest.rows,
        log_loss=judgement.candidate.log_loss,
        against=found.against,
        against_log_loss=None if against is None else against.log_loss,
        aside=found.aside,
        told=found.told,
    )
