"""The planner in place and the one in a process of its own pass the same checks; and what becomes of the process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from check_planner import AT, CHECKS, LEADS, Bench, Past, make_past, request

from dialer.adapters.attempt_history import read_campaign_history
from dialer.adapters.planner import InlinePlanner, ProcessPlanner, planning_of
from dialer.adapters.retraining import TAUGHT_DAYS
from models.plan import unpack
from tests.integration.past_days import write_past
from tests.unit.models.plan_bench import DAY_S, Told


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return make_past(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def past(trained: Past, tmp_path: Path) -> Past:
    return trained.copy(tmp_path / "data")


@asynccontextmanager
async def process_bench(past: Past, **settings: Any) -> AsyncIterator[tuple[Bench, ProcessPlanner]]:
    log = structlog.testing.CapturingLogger()
    planner = ProcessPlanner(past.source, log=log, **settings)  # type: ignore[arg-type]
    try:
        yield Bench(planner=planner, past=past, log=log), planner
    finally:
        await planner.close()


@pytest.mark.parametrize("kind", ["inline", "process"])
@pytest.mark.parametrize("check", CHECKS)
async def test_planner(check: str, kind: str, past: Past) -> None:
    if kind == "inline":
        log = structlog.testing.CapturingLogger()
        planner = InlinePlanner(lambda leads: planning_of(past.source, leads), log=log)  # type: ignore[arg-type]
        await CHECKS[check](Bench(planner=planner, past=past, log=log))
        return
    async with process_bench(past) as (bench, _):
        await CHECKS[check](bench)


async def test_in_place_the_plan_is_there_at_once(past: Past) -> None:
    log = structlog.testing.CapturingLogger()
    bench = Bench(planner=InlinePlanner(lambda leads: planning_of(past.source, leads)), past=past, log=log)
    bench.begin()
    bench.ask(request(1))
    assert len(bench.opened) == len(bench.told) == 1


async def test_a_worker_that_died_or_hangs_is_replaced_and_knows_what_was_called(past: Past) -> None:
    async with process_bench(past) as (bench, planner):
        await bench.begun()
        before = await bench.plan_of(request(1))
        first = planner.worker_pid
        assert first is not None
        # What was called since is in the journal, whose clock has gone on since the planner was made.
        planner._made_at -= DAY_S
        (journal,) = write_past(past.data, past.leads, first_day=AT // DAY_S * DAY_S, days=1, a_day=200)
        os.kill(first, signal.SIGKILL)
        bench.ask(request(2, lead=[]))
        await bench.until(lambda: len(bench.opened) == 2)
        assert planner.worker_pid not in (None, first) and not _lives(first)
        bench.ask(request(3, lead=[5], ended=[Told(5, AT)]))  # asked before it was told of all: no plan
        after = await bench.plan_of(request(4))
        assert [told.number for told in bench.told] == [1, 4]
        changed = unpack(before.answer, "<f4") != unpack(after.answer, "<f4")
        assert changed.sum() > LEADS // 4, f"{journal} was not read"
        assert any("planner.replaced" in line for line in bench.logged)
        assert not any("no attempt on record" in line for line in bench.logged)
        second, planner._within_s = planner.worker_pid, 0.5
        os.kill(second or 0, signal.SIGSTOP)
        bench.ask(request(5, lead=[]))
        await bench.until(lambda: len(bench.opened) == 3)
        assert not _lives(second or 0) and any("took too long" in line for line in bench.logged)
        planner._within_s = 60.0  # a machine that is very busy may take more than the half second for this one, too
        assert (await bench.plan_of(request(6))).answer == after.answer


async def test_only_planners_without_a_plan_between_them_are_counted(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.adapters.planner.MOST_REPLACED", 2)
    async with process_bench(past) as (bench, planner):
        await bench.begun()
        for turn in range(1, 4):
            await bench.plan_of(request(turn))
            os.kill(planner.worker_pid or 0, signal.SIGKILL)
            bench.ask(request(10 + turn))
            await bench.until(lambda turn=turn: len(bench.opened) == 1 + turn or planner.over)  # type: ignore[misc]
        assert not planner.over and (await bench.plan_of(request(20))).number == 20


def test_plans_go_by_the_attempts_that_a_training_goes_by(past: Past) -> None:
    leads = [lead.lead_id for lead in past.leads]
    long_ago = AT - 200 * DAY_S
    write_past(past.data, past.leads, first_day=long_ago // DAY_S * DAY_S, days=1, a_day=LEADS)
    desk, told = planning_of(past.source, past.leads)
    assert desk is not None and told == []
    seen = read_campaign_history(past.data, "mora", now=AT, since=AT - TAUGHT_DAYS * DAY_S)
    assert len(read_campaign_history(past.data, "mora", now=AT).log) > len(seen.log)
    attempts = dict.fromkeys(leads, 0)
    for row in seen.log.lead[seen.log.known].tolist():
        attempts[seen.ids[row]] += 1
    assert desk._planning.history.attempts.tolist() == list(attempts.values())


async def test_one_that_does_not_open_in_time_is_given_up(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.planner.MOST_REPLACED", 1)
    async with process_bench(past, opened_within_s=0.0) as (bench, planner):
        bench.begin()
        await bench.until(lambda: planner.over)
        assert bench.opened == [] and planner.worker_pid is None
        assert "took too long" in bench.logged[0] and "the campaign goes by its tables" in bench.logged[-1]


async def test_an_end_while_the_worker_begins_or_opens_leaves_none_behind(past: Past) -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    async with process_bench(past) as (bench, planner):
        bench.begin()
        await asyncio.sleep(0)
        await planner.close()
        assert {child.pid for child in multiprocessing.active_children()} == before and bench.opened == []
    async with process_bench(past) as (bench, planner):
        bench.begin()
        await bench.until(lambda: planner.worker_pid is not None)
        await planner.close()
        assert {child.pid for child in multiprocessing.active_children()} == before and bench.opened == []


PARENT = """
import asyncio, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
import structlog
from check_planner import CAMPAIGN, Past, past_leads, LEADS
from dialer.adapters.planner import ProcessPlanner

async def main():
    past = Past(Path(sys.argv[1]), past_leads(LEADS), ("", ""))
    planner = ProcessPlanner(past.source, log=structlog.get_logger())
    planner.begin(past.leads, lambda _: print(planner.worker_pid, flush=True))
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_worker_never_outlives_its_parent(past: Past, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    here = Path(__file__).parent
    words = [sys.executable, str(script), str(past.data), str(here), str(here.parents[1])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert _lives(worker)
        parent.kill()
        until = time.monotonic() + 30.0
        while _lives(worker):
            assert time.monotonic() < until, "the worker lives on"
            time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "\nState:\tZ" not in status.read_text()
