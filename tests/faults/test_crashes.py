"""The dialer killed with -9 at every named point of a dial, on a real Asterisk and a real store, and started again.

In CI each point is hit once; CADENCIA_NIGHTLY=1 hits each at several moments, 56 runs in all.
"""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dialer.adapters.journal import read_journal
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.keys import FACTS, campaign_key
from dialer.adapters.store.server import connect
from dialer.bootstrap import CRASH_ENV
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.errors import JournalError
from dialer.lab.lab import Lab
from dialer.lab.trial import OUTCOMES, SECRET_ENV, write_campaign
from dialer.runtime import CRASH_POINTS
from tests.integration.conftest import started

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

NIGHTLY = bool(os.environ.get("CADENCIA_NIGHTLY"))
# Enough leads that each point is passed so often: four agents are given four lines at a time at most.
LEADS, AGENTS = (14 if NIGHTLY else 9), 4
MOMENTS = (1, 2, 3, 4, 5, 7, 9, 11) if NIGHTLY else (3,)
QUICK = ("10", "11", "30", "40", "50")  # lines that ring for long would only make the test long
REFUSED = "50"  # by each carrier, so that an attempt is tried on both
_trials = count(1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("crashes")
    with started(Lab(folder, agents=AGENTS, carriers=2, ring_s=0.8, talk_s=(1.5, 3.0), key_every_s=0.5)) as bench:
        yield bench


def dialer(lab: Lab, file: Path, *, crash_at: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, SECRET_ENV: lab.secret, CRASH_ENV: crash_at}
    command = [sys.executable, "-m", "tests.faults.dial_trial", str(file)]
    with (file.parent / "output").open("ab") as log:
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("point", CRASH_POINTS)
def test_killed_and_started_again(lab: Lab, tmp_path: Path, point: str, moment: int) -> None:
    trial = next(_trials)
    first = 200 * trial
    file = write_campaign(lab, tmp_path, leads=LEADS, name=f"crash{trial}", first=first, outcomes=QUICK)
    program = dialer(lab, file, crash_at=f"{point}:{moment}")
    assert program.wait(60) == -signal.SIGKILL, (tmp_path / "output").read_text()[-2000:]
    talking = bridged_calls(lab, trial)
    time.sleep(0.3)
    assert bridged_calls(lab, trial) >= talking - 1, "calls were cut by the death of the dialer"
    again = dialer(lab, file)
    try:
        assert again.wait(90) == 0, (tmp_path / "output").read_text()[-2000:]
    finally:
        again.kill()
        again.wait()
    time.sleep(1.2)  # the carriers count once a second
    judge(lab, tmp_path, trial)


def bridged_calls(lab: Lab, trial: int) -> int:
    """Live calls of this trial that have an agent, as the switch sees them."""
    rows = lab.asterisk.cli("core show channels concise").splitlines()
    return sum(1 for row in rows if f"cad-crash{trial}-" in row and "Bridge" in row)


def judge(lab: Lab, folder: Path, trial: int) -> None:
    """Hold both runs' journals and the store against what the carriers saw."""
    with (folder / "leads.csv").open() as file:
        numbers = {row["id"]: row["phone"] for row in csv.DictReader(file)}
    originated: Counter[str] = Counter()
    ids: Counter[tuple[int, int]] = Counter()
    settled: Counter[int] = Counter()
    last: dict[str, str] = {}
    survived: dict[int, str] = {}
    dispositions: dict[int, str] = {}
    journals = sorted((folder / "data" / "journal" / f"crash{trial}").glob("*.jsonl"))
    assert len(journals) == 2
    for journal in journals:
        for event, actions in whole_steps(journal):
            if isinstance(event, ev.AttemptSurvived):
                survived[event.attempt_id] = event.agent_id
            for action in actions:
                if isinstance(action, act.Originate):
                    originated[action.lead_id] += 1
                    ids[action.attempt_id, action.try_no] += 1
                elif isinstance(action, act.Settle):
                    for settlement in action.settlements:
                        settled[settlement.attempt_id] += 1
                        last[settlement.lead_id] = settlement.disposition
                        dispositions[settlement.attempt_id] = settlement.disposition
    invites = Counter(lab.dialled())
    assert last.keys() == numbers.keys(), "a lead was lost"
    assert set(ids.values()) <= {1}, "a try was originated twice"
    facts, in_flight = asyncio.run(store_records(folder, f"crash{trial}", list(numbers.values())))
    for lead, number in numbers.items():
        placed = invites[number.removeprefix("+")]
        recorded = facts[number]
        tries = len(lab.carriers) if lead.startswith(REFUSED) else 1  # of one attempt, at most
        assert placed <= 2 * tries, f"{lead} was called {placed} times: above its cap"
        assert placed <= recorded * tries, f"{lead} was called {placed} times and recorded {recorded} times"
        assert recorded <= 2
        # A journal's last lines can be lost with the program; the switch never acts before they are written.
        assert placed <= originated[lead], f"{lead}: {placed} calls, {originated[lead]} Originates in the journals"
        # UNKNOWN: the death came between the call and its end. CANCELLED: claimed again, and the trial was over.
        allowed = OUTCOMES[lead[:2]][0] | {"UNKNOWN", "CANCELLED"}
        assert last[lead] in allowed, f"{lead} ended as {last[lead]}"
    for attempt in survived:
        assert dispositions[attempt] == "RPC", "a call that went on was not disposed by its agent"
    assert in_flight == 0, "attempts are left in flight"


async def store_records(folder: Path, campaign: str, numbers: list[str]) -> tuple[dict[str, int], int]:
    """How many attempts the store has on record for each number, and how many it holds in flight."""
    server = EmbeddedValkey(folder / "data")
    await server.start()
    try:
        async with connect(server.socket_path) as client:
            facts = {number: await client.zcard(f"{FACTS}number:{number}") for number in numbers}
            in_flight = await client.hlen(campaign_key(campaign, "in_flight"))
    finally:
        await server.stop()
    return facts, in_flight


def whole_steps(journal: Path) -> Iterator[tuple[ev.Event, list[act.Action]]]:
    """All that was written whole: a program that was killed may leave half a line, or not even the first."""
    try:
        _, steps = read_journal(journal)
        for event, actions in steps:
            yield event, list(actions)
    except JournalError:
        return
