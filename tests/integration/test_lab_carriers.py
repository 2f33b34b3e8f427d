"""Several carriers behind one real Asterisk: failover, circuits and limits, held against what the carriers saw."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carriers.circuit import FIRST_WAIT_S, PROBE_EVERY_S
from dialer.core.routing import SILENT_S
from dialer.lab.lab import CALLER_ID, Lab
from dialer.lab.trial import SECRET_ENV
from tests.integration.carrier_day import CarrierDay, Try, Wire, by_period, carrier_day, most_in_a_window
from tests.integration.conftest import started

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

A, B, C = "carrier1", "carrier2", "carrier3"
BUSY = "30"
CHEAP, DEAR = {"per_minute": 0.001, "billing": "1/1"}, {"per_minute": 0.05, "billing": "1/1"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Asterisk's own timers as they come, and trunks that are asked every second whether they are there."""
    os.environ[SECRET_ENV] = "set below"
    folder = tmp_path_factory.mktemp("carriers")
    with started(
        Lab(folder, agents=10, carriers=3, ring_s=0.4, talk_s=(1.0, 2.0), key_every_s=0.5, no_reply_s=32.0, qualify_s=1)
    ) as bench:
        os.environ[SECRET_ENV] = bench.secret
        yield bench


def numbers(lab: Lab, outcome: str, count: int, first: int) -> list[str]:
    return [lab.number(outcome, first + place) for place in range(count)]


def trunk(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "carrier": name, "max_channels": 50, "max_cps": 20, **more}


async def dialer(*words: str) -> tuple[int, str]:
    """Run `dialer` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", *words, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode()


def dialled_on(tries: list[Try]) -> list[str]:
    return sorted(each.number for each in tries)


# ---- a carrier that refuses -----------------------------------------------------------------------------------
# what the carrier says: how many such ends open its circuit, and what each is
REFUSALS = {"50": (8, 503), "53": (4, 500), "54": (4, 403)}


@pytest.mark.parametrize("said", REFUSALS)
async def test_a_carrier_that_refuses(lab: Lab, tmp_path: Path, said: str) -> None:
    enough, code = REFUSALS[said]
    lab.change_carrier(A, always=said)
    wire, called = Wire(lab), numbers(lab, "11", 6, 100 * int(said)) + numbers(lab, BUSY, 24, 100 * int(said))
    # A is the better one, and gets just so many before the first of them has failed.
    trunks = [trunk(A, price=CHEAP, max_channels=enough, max_cps=enough), trunk(B, price=DEAR)]
    async with carrier_day(lab, tmp_path, f"refused{code}", called, trunks=trunks) as day:
        await day.until(lambda: day.circuit(A) == "open", 15)
        await status_shows(day, enough)
        await day.until(day.all_called, 20)
    story = day.story
    first = story.on(A)
    assert {each.end.sip_code for each in first if each.end is not None} == {code}
    # Every one of them arrived at B as try 2 of the same attempt; all others went there at once.
    for each in first:
        assert [(other.try_no, other.trunk) for other in story.of(each.attempt_id)] == [(1, A), (2, B)]
    assert {(each.try_no, each.because == "failover") for each in story.on(B)} == {(1, False), (2, True)}
    assert len(story.settled) == len(called)
    assert Counter(s.disposition for s in story.settled.values()) == {"BUSY": 24, "RPC": 6}
    # The carriers saw what the journal says: one INVITE a try.
    assert wire.dialled(A) == dialled_on(first) and wire.dialled(B) == dialled_on(story.on(B))
    assert dialled_on(story.on(B)) == sorted(number.removeprefix("+") for number in called)
    # Left after few: what was under way as the last needed fault came is all that came on top.
    assert enough <= len(first) < 2 * enough
    print(f"{code}: {len(first)} calls on A before its circuit was open, {len(story.on(B))} on B")


async def status_shows(day: CarrierDay, enough: int) -> None:
    """`dialer carriers status`, for people and for scripts."""
    words = ("carriers", "status", day.name, "--data", str(day.data_dir))
    (code, text), (_, raw) = await asyncio.gather(dialer(*words), dialer(*words, "--json"))
    because = f"{enough} of the last {enough} calls failed"
    assert code == 0 and f"{A}: circuit of prefix PE open: {because}" in text, text
    trunks = {each["trunk"]: each for each in json.loads(raw)["standing"]["trunks"]}
    assert [(part["circuit"], part["because"]) for part in trunks[A]["open_prefixes"]] == [("open", because)]
    assert trunks[B]["circuit"] == "closed" and trunks[B]["open_prefixes"] == []
    assert trunks[A]["tries"] == enough and not trunks[A]["ner"]


async def test_what_is_true_of_the_called_party_is_not_tried_elsewhere(lab: Lab, tmp_path: Path) -> None:
    lab.change_carrier(A)
    wire = Wire(lab)
    called = {outcome: numbers(lab, outcome, 4, 6000) for outcome in (BUSY, "60", "40")}
    trunks = [trunk(A, price=CHEAP), trunk(B, price=DEAR)]
    everyone = [number for some in called.values() for number in some]
    async with carrier_day(lab, tmp_path, "facts", everyone, trunks=trunks, routing={"exploration": 0}) as day:
        await day.until(day.all_called, 15)
    story = day.story
    assert dialled_on(story.on(A)) == wire.dialled(A) == sorted(number.removeprefix("+") for number in everyone)
    assert wire.on(B) == story.on(B) == []
    assert Counter(s.disposition for s in story.settled.values()) == {"BUSY": 8, "INVALID_NUMBER": 4}
    assert {each.end.sip_code for each in story.tries if each.end is not None} == {486, 603, 404}


# ---- limits ---------------------------------------------------------------------------------------------------
JITTER_S = 0.15  # from the journal to the carrier, on a busy machine


async def test_limits_hold_on_the_wire(lab: Lab, tmp_path: Path) -> None:
    """Each kind of limit, one of a trunk and one of an account; a part of the calls is refused, and their next tries are
    set-ups like all others."""
    lab.change_carrier(A)
    wire = Wire(lab)
    called = [
        lab.number("50" if place % 4 == 0 else BUSY, 7000 + place) for place in range(75)
    ]
    trunks = [
        trunk(A, limits=[{"calls": 3, "per_s": 1, "kind": "clock"}]),
        trunk(B, carrier="both", limits=[{"calls": 5, "per_s": 2, "kind": "rolling"}]),
        trunk(C, carrier="both", limits=[{"calls": 4, "per_s": 1, "kind": "bucket"}]),
    ]
    carriers = [{"name": "both", "limits": [{"calls": 9, "per_s": 2, "kind": "rolling"}]}]
    async with carrier_day(
        lab, tmp_path, "limits", called, trunks=trunks, carriers=carriers, routing={"router": "round-robin-v1"}
    ) as day:
        await day.until(day.all_called, 40)
    story = day.story
    sent = {name: [each.at for each in story.on(name)] for name in (A, B, C)}
    sent["both"] = sorted(sent[B] + sent[C])
    seen = {name: [invite.at for invite in wire.on(name)] for name in (A, B, C)}
    seen["both"] = sorted(seen[B] + seen[C])
    assert {name: len(times) for name, times in sent.items()} == {name: len(times) for name, times in seen.items()}
    for times, slack_s in ((sent, 0.0), (seen, JITTER_S)):
        assert max(by_period([at - slack_s for at in times[A] if at % 1.0 >= slack_s], 1.0)) <= 3
        assert most_in_a_window(times[B], 2.0 - slack_s) <= 5
        assert most_in_a_window(times["both"], 2.0 - slack_s) <= 9
        assert fullest_bucket(times[C], 4, 4.0) <= 4.0 + 4.0 * slack_s
    lags = sorted(
        invite.at + day.shift_s - each.at
        for name in (A, B, C)
        for each, invite in zip(sorted(story.on(name), key=lambda t: t.number), sorted(wire.on(name)), strict=True)
    )
    print(f"journal to wire, ms: median {1000 * lags[len(lags) // 2]:.1f}, most {1000 * lags[-1]:.1f}")
    assert lags[-1] < JITTER_S


def fullest_bucket(times: list[float], calls: int, per_s: float) -> float:
    """What a bucket that leaks so fast held at most, of one token a set-up; at most `calls` where the limit held."""
    level, most, before = 0.0, 0.0, -1e18
    for at in times:
        level = max(0.0, level - (at - before) * per_s) + 1.0
        most, before = max(most, level), at
    assert calls
    return most


# ---- carriers that fall silent ----------------------------------------------------------------------------------
async def test_a_bad_day(lab: Lab, tmp_path: Path) -> None:
    """A dies in the middle and comes back; C takes every call and says no more of it; B is well. All waits are as in
    earnest."""
    lab.change_carrier(A)
    lab.change_carrier(C, always="52")
    wire = Wire(lab)
    # Two networks to each trunk, so that it is the trunk that fails, and not only Peru.
    trunks = [trunk(A, max_cps=4), trunk(B, max_cps=8), trunk(C, max_cps=2, max_channels=8)]
    called = numbers(lab, BUSY, 600, 8000)
    async with carrier_day(lab, tmp_path, "bad", called, trunks=trunks, routing={"router": "round-robin-v1"}) as day:
        await asyncio.to_thread(lambda: None)
        await day.until(lambda: len(wire.on(A)) >= 6, 10)
        sipp = next(sipp for sipp in lab.carriers if sipp.name == A)
        sipp.stop()
        died_at = day.now()
        await day.until(lambda: day.circuit(A) == "open", 30)
        opened_at = day.now()
        sipp.start()
        await day.until(lambda: day.circuit(C) == "open", 30)
        silent_at = day.now()
        await day.until(lambda: day.circuit(A) == "closed", 60)
        closed_at = day.now()
        back = len(wire.on(A))
        await day.until(lambda: len(wire.on(A)) >= back + 4, 5)
    story = day.story
    at_a = [each for each in story.on(A) if each.because != "probe"]
    last = max(each.at for each in at_a if each.at < opened_at)
    probes = [each.at for each in story.on(A) if each.because == "probe"]
    print(f"died 0, last call {last - died_at:.2f}, open {opened_at - died_at:.2f}, probes {[round(p - died_at, 1) for p in probes]}, closed {closed_at - died_at:.1f}, C silent {silent_at - story.on(C)[0].at:.1f}")
    print(Counter((each.trunk, each.because, each.end and (each.end.cause, each.end.sip_code, each.end.lost)) for each in story.tries))
    print([(round(at - died_at, 1), text) for at, text in story.alerts])
