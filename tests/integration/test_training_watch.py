"""The training of a running campaign: when it is due, in a process of its own, and what becomes of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

import dialer.adapters.worker_process as worker_process
import dialer.bootstrap.sessions as sessions
from dialer.adapters.attempt_history import read_campaign_history
from dialer.adapters.model_registry import ModelRegistry
from dialer.adapters.retraining import Order, retrain_if_due, train_model
from dialer.adapters.training_watch import BY, CHECKED_EVERY_S, TrainingWatch, Work
from dialer.bootstrap import Place, sandbox
from dialer.config.models import Models
from models.bundle import TrainingSettings
from tests.integration.past_days import DAY_S, past_leads, write_past
from tests.integration.test_control import AT, CAMPAIGN
from tests.integration.test_control import leads as few_leads
from tests.integration.trainings import broken, dying, endless, kept_aside, set_aside, trained

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC).timestamp()
TRAINED_AT = NOW - 2 * DAY_S
HOUR_S = 3600.0


class Clock:
    """Time that goes on only while somebody waits, and not beyond `until`."""

    def __init__(self, at: float, *, until: float) -> None:
        self.at, self.until = at, until
        self.waited: list[float] = []
        self.over = asyncio.Event()

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds
        if self.at > self.until:
            self.over.set()
            await asyncio.Event().wait()


class Logged(structlog.testing.CapturingLogger):
    @property
    def lines(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(call.method_name, call.args[0], call.kwargs) for call in self.calls]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with journals and a champion that was trained two days before the last of them."""
    data = tmp_path_factory.mktemp("data")
    write_past(data, past_leads(600), first_day=NOW // DAY_S * DAY_S - 17 * DAY_S, days=17, a_day=300)
    past = read_campaign_history(data, "mora", now=NOW)
    before = past.log.rows(past.log.at < TRAINED_AT)
    quick = Order(settings=TrainingSettings(least_for_trees=10**9))
    first = train_model(
        ModelRegistry(data, "mora"),
        type(past)(leads=past.leads, table=past.table, log=before),
        now=TRAINED_AT,
        order=quick,
    )
    assert first.serves_as == "champion"
    return data


class Thread:
    """Stands for the worker process where only what it answers matters."""

    pid = 1

    def __init__(self, warm: Callable[[], int]) -> None:
        self.executor = ThreadPoolExecutor(1)

    def end(self) -> None:
        self.executor.shutdown()


@pytest.fixture
def in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "WorkerProcess", Thread)


@asynccontextmanager
async def watching(
    data: Path, clock: Clock, campaign: str = "mora", **settings: Any
) -> AsyncIterator[tuple[TrainingWatch, Logged]]:
    log = Logged()
    settings = {"every_s": DAY_S, "sleep": clock.sleep, **settings}
    watch = TrainingWatch(data, campaign, now=clock.now, log=log, **settings)
    task = asyncio.create_task(watch.run())
    try:
        yield watch, log
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 20.0)
        assert watch.worker_pid is None


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60.0):
        while not true():
            await asyncio.sleep(0.01)


# ---- when -----------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_a_thread")
async def test_it_looks_at_the_begin_and_every_hour_and_trains_when_it_is_due(data: Path) -> None:
    clock = Clock(TRAINED_AT + DAY_S - 2.5 * HOUR_S, until=TRAINED_AT + DAY_S + HOUR_S)
    async with watching(data, clock, work=trained) as (_, log):
        await clock.over.wait()
    assert clock.waited == [CHECKED_EVERY_S] * 4
    told = [f"m-{TRAINED_AT + DAY_S + 0.5 * HOUR_S:.0f}"]
    assert [fields["model"] for _, _, fields in log.lines] == told
    assert log.lines[0][:2] == ("info", "models.trained") and log.lines[0][2]["serves_as"] == "champion"


async def test_without_a_champion_it_waits_for_the_first_training_by_hand(data: Path, tmp_path: Path) -> None:
    clock = Clock(NOW, until=NOW + 48 * HOUR_S)
    async with watching(tmp_path, clock, campaign="other", work=trained) as (_, log):
        await clock.over.wait()
    assert log.lines == [] and list(tmp_path.iterdir()) == []


async def test_a_registry_that_cannot_be_read_is_one_line_a_look(tmp_path: Path) -> None:
    (tmp_path / "models" / "mora").mkdir(parents=True)
    (tmp_path / "models" / "mora" / "registry.json").write_text("{")
    clock = Clock(NOW, until=NOW + HOUR_S)
    async with watching(tmp_path, clock, work=trained) as (_, log):
        await clock.over.wait()
    assert [(level, event) for level, event, _ in log.lines] == [("error", "models.untrained")] * 2
    assert "expected a registry of models" in log.lines[0][2]["error"]


# ---- what becomes of it ---------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_a_thread")
@pytest.mark.parametrize(
    ("work", "level", "event", "said"),
    [
        (kept_aside, "warning", "models.refused", "worse than the champion"),
        (set_aside, "warning", "models.kept_aside", "rolled back by ana"),
        (set_aside, "warning", "models.kept_aside", "a column is gone"),
        (broken, "error", "models.untrained", "the disk is full"),
    ],
)
async def test_whatever_comes_of_it_is_one_line(data: Path, work: Work, level: str, event: str, said: str) -> None:
    clock = Clock(NOW, until=NOW)
    async with watching(data, clock, work=work) as (watch, log):
        await clock.over.wait()
        assert watch.worker_pid is None
    (line,) = log.lines
    assert line[:2] == (level, event) and said in str(line[2])


@pytest.mark.usefixtures("in_a_thread")
@pytest.mark.parametrize(("every_s", "times"), [(6 * HOUR_S, 3), (36 * HOUR_S, 2)])
async def test_a_training_that_failed_is_tried_again_after_a_day_at_least(
    data: Path, every_s: float, times: int
) -> None:
    clock = Clock(NOW, until=NOW + 2 * DAY_S)
    async with watching(data, clock, work=broken, every_s=every_s) as (_, log):
        await clock.over.wait()
    assert [event for _, event, _ in log.lines] == ["models.untrained"] * times


@pytest.fixture
def own(data: Path, tmp_path: Path) -> ModelRegistry:
    """The folder again, to change."""
    shutil.copytree(data, tmp_path / "own")
    return ModelRegistry(tmp_path / "own", "mora")


def test_a_rollback_holds_until_somebody_promotes(own: ModelRegistry) -> None:
    data, quick = own.folder.parents[1], Order(settings=TrainingSettings(least_for_trees=10**9))
    first = own.standing().champion
    assert first is not None
    other = retrain_if_due(data, "mora", NOW, 0.5, order=quick)
    assert other is not None and other.serves_as == "champion" and other.aside == ()
    own.rollback(at=NOW, by="ana")
    found = retrain_if_due(data, "mora", NOW + DAY_S, 0.5, order=quick)
    assert found is not None and found.serves_as is None and own.standing().champion == first
    assert "rolled back by ana" in found.aside[0] and found.model in own.ids()
    assert own.standing().history[-1].what == "registered", "somebody may promote it without force"
    past = read_campaign_history(data, "mora", now=NOW)
    by_hand = train_model(own, past, now=NOW + DAY_S + 60.0, order=quick)
    assert by_hand.aside == () and by_hand.serves_as == "champion"
    again = retrain_if_due(data, "mora", NOW + 2 * DAY_S, 0.5, order=quick)
    assert again is not None and again.aside == ()


@pytest.mark.parametrize("damaged", [False, True])
def test_what_cannot_be_compared_is_left_to_people(
    own: ModelRegistry, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    data, quick = own.folder.parents[1], Order(settings=TrainingSettings(least_for_trees=10**9))
    champion = own.standing().champion
    if damaged:
        (own.folder / str(champion) / "answer.tables.json").write_bytes(b"{")
    else:

        def strange(*_: object) -> None:
            raise ValueError("expected a column amount")

        monkeypatch.setattr("models.acceptance.score_since", strange)
    found = retrain_if_due(data, "mora", NOW, 0.5, order=quick)
    assert found is not None and found.serves_as is None and own.standing().champion == champion
    assert "cannot be compared" in found.aside[0] and found.told != ()


async def test_a_worker_that_dies_is_one_line(data: Path) -> None:
    clock = Clock(NOW, until=NOW)
    async with watching(data, clock, work=dying) as (_, log):
        await clock.over.wait()
    (line,) = log.lines
    assert line[1] == "models.untrained" and "terminated abruptly" in line[2]["error"]


async def test_one_that_takes_too_long_is_ended(data: Path) -> None:
    clock = Clock(NOW, until=NOW)
    async with watching(data, clock, work=endless, within_s=0.05) as (_, log):
        await clock.over.wait()
    (line,) = log.lines
    assert line[1] == "models.untrained" and "expected a training within 0.05 s" in line[2]["error"]


async def test_the_end_of_a_run_ends_a_training(data: Path) -> None:
    clock = Clock(NOW, until=NOW)
    async with watching(data, clock, work=endless) as (watch, log):
        await until(lambda: watch.worker_pid is not None)
        pid = watch.worker_pid
        assert pid is not None and lives(pid) and os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert not lives(pid) and log.lines == []


async def test_a_worker_trains_on_the_journals_and_the_loop_goes_on(data: Path) -> None:
    registry = ModelRegistry(data, "mora")
    first = registry.standing().champion
    clock, beats = Clock(NOW, until=NOW + HOUR_S), 0
    async with watching(data, clock) as (_, log):
        while not clock.over.is_set():
            beats += 1
            await asyncio.sleep(0.005)
    (line,) = log.lines  # at the second look it is not due any more
    assert line[1] == "models.trained", line
    assert line[2]["serves_as"] == "champion" and line[2]["against"] == first and line[2]["rows"] > 4000
    assert registry.standing().champion == line[2]["model"] != first
    assert registry.standing().history[-1].because == (BY,)
    assert registry.manifest(line[2]["model"]).made_at == NOW
    assert beats > 50


# ---- in a run -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("used", [True, False])
async def test_a_run_watches_as_its_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    begun: list[dict[str, Any]] = []
    ended: list[bool] = []

    class Watch:
        def __init__(self, data: Path, campaign: str, **settings: Any) -> None:
            begun.append({"data": data, "campaign": campaign, **settings})

        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    monkeypatch.setattr(sessions, "TrainingWatch", Watch)
    campaign = CAMPAIGN.model_copy(update={"models": Models(use=used, retrain_every=6 * HOUR_S)})
    async with sandbox(campaign, few_leads(2), Place(data_dir=tmp_path), seed=1, at=AT) as session:
        await asyncio.sleep(0)
        assert not ended
        session.runtime.stop("end of the test")
        await asyncio.wait_for(session.run(), 20.0)
    assert len(begun) == len(ended) == used
    for found in begun:
        assert (found["data"], found["campaign"], found["every_s"]) == (tmp_path, campaign.campaign, 6 * HOUR_S)
        assert abs(found["now"]() - AT.timestamp()) < timedelta(minutes=5).total_seconds()
