"""Several carriers behind one real Asterisk: failover, circuits and limits, held against what the carriers saw."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from carriers.circuit import FIRST_WAIT_S, PROBE_EVERY_S
from carriers.desk import MOST_SILENT_S
from dialer.core.actions import Bridge, HangUp, Originate
from dialer.core.events import AttemptAnswered, AttemptBridged, AttemptEnded, AttemptSurvived
from dialer.lab.lab import CALLER_ID, Lab
from dialer.lab.trial import SECRET_ENV, write_campaign
from tests.integration.carrier_day import CarrierDay, Try, Wire, by_period, carrier_day, most_in_a_window
from tests.integration.conftest import Station, started

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
        Lab(folder, agents=40, carriers=3, ring_s=0.4, talk_s=(1.0, 2.0), key_every_s=0.5, no_reply_s=32.0, qualify_s=1)
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
    trunks = [trunk(A, price=CHEAP, max_channels=enough, max_cps=enough), trunk(B, price=DEAR, max_cps=60)]
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
    assert not wire.on(B) and not story.on(B)
    assert Counter(s.disposition for s in story.settled.values()) == {"BUSY": 8, "INVALID_NUMBER": 4}
    assert {each.end.sip_code for each in story.tries if each.end is not None} == {486, 603, 404}


# ---- limits ---------------------------------------------------------------------------------------------------
JITTER_S = 0.15  # from the journal to the carrier, on a busy machine


async def test_limits_hold_on_the_wire(lab: Lab, tmp_path: Path) -> None:
    """Each kind of limit, of trunks and of an account. Some calls are refused: their next tries are set-ups too."""
    lab.change_carrier(A)
    wire = Wire(lab)
    called = [lab.number("50" if place % 4 == 0 else BUSY, 7000 + place) for place in range(48)]
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
        # What is seen in a second's first moments may be of the second before: those only count towards two seconds.
        assert max(by_period([at for at in times[A] if at % 1.0 >= slack_s], 1.0), default=0) <= 3
        assert most_in_a_window(times[A], 1.0 - slack_s) <= 6
        assert most_in_a_window(times[B], 2.0 - slack_s) <= 5
        assert most_in_a_window(times["both"], 2.0 - slack_s) <= 9
        assert fullest_bucket(times[C], per_s=4.0) <= 4.0 + 4.0 * slack_s + 1e-6
    lags = sorted(
        invite.at + day.shift_s - each.at
        for name in (A, B, C)
        for each, invite in zip(sorted(story.on(name), key=lambda t: t.number), sorted(wire.on(name)), strict=True)
    )
    print(f"journal to wire, ms: median {1000 * lags[len(lags) // 2]:.1f}, most {1000 * lags[-1]:.1f}")
    assert lags[-1] < JITTER_S


def fullest_bucket(times: list[float], *, per_s: float) -> float:
    """How full a bucket was at most that leaks so fast and takes one token a set-up."""
    level, most, before = 0.0, 0.0, 0.0
    for at in times:
        level = max(0.0, level - (at - before) * per_s) + 1.0
        most, before = max(most, level), at
    return most


# ---- carriers that fall silent ----------------------------------------------------------------------------------
async def test_a_bad_day(lab: Lab, tmp_path: Path) -> None:
    """A dies in the middle and comes back; C takes every call and says no more of it; B is well. All waits are real."""
    lab.change_carrier(A)
    lab.change_carrier(C, always="52")
    wire, dead = Wire(lab), next(sipp for sipp in lab.carriers if sipp.name == A)
    trunks = [trunk(A, max_cps=4), trunk(B, max_cps=8), trunk(C, max_cps=2, max_channels=8)]
    settings = {"trunks": trunks, "routing": {"router": "round-robin-v1"}}
    async with carrier_day(lab, tmp_path, "bad", numbers(lab, BUSY, 900, 8000), **settings) as day:
        await day.until(lambda: len(wire.on(A)) >= 8, 10)
        dead.stop()
        died_at = day.now()
        await day.until(lambda: day.circuit(A) != "closed", 15)
        left_at = day.now()
        dead.start()
        await day.until(lambda: day.circuit(C) != "closed", MOST_SILENT_S + 5)
        await day.until(lambda: day.circuit(A) == "closed", FIRST_WAIT_S + 4 * PROBE_EVERY_S)
        well_at, before = day.now(), len(wire.on(A))
        await day.until(lambda: len(wire.on(A)) >= before + 4, 5)
    of_a, of_c = (Counter(each.because for each in day.story.on(name)) for name in (A, C))
    print(f"A: open {left_at - died_at:.2f} s after its death, closed {well_at - died_at:.1f} s; {of_a}; C: {of_c}")
    a_dead_trunk_is_left(day, died_at, left_at)
    and_taken_again_after_probes(day, left_at, well_at)
    swallowed_calls_are_not_tried_elsewhere(day)
    assert wire.dialled(B) == dialled_on(day.story.on(B))
    # What A did not live to answer was sent again by the switch (RFC 3261, timer A), and is no second call.
    assert set(wire.dialled(A)) <= set(dialled_on(day.story.on(A)))


def a_dead_trunk_is_left(day: CarrierDay, died_at: float, left_at: float) -> None:
    doomed = [each for each in day.story.on(A) if died_at < each.at < left_at]
    print(f"calls after its death {len(doomed)}, the last one after {doomed[-1].at - died_at:.2f} s")
    assert doomed[-1].at - died_at < 5.0
    refused = [each for each in doomed if each.end is not None and each.end.cause == 38]  # by the switch, unreachable
    assert len(refused) >= 4
    for each in refused:
        other = day.story.of(each.attempt_id)[1]
        # Whichever of the others: nobody knows of C yet that it swallows calls.
        assert (other.try_no, other.because) == (2, "failover") and other.trunk in (B, C)
        assert other.at - each.at < 2.0
    told_at = next(at for at, text in day.story.alerts if text.startswith(f"trunk {A}") and "is open" in text)
    assert told_at - left_at < 2.0, "people are told at once"


def and_taken_again_after_probes(day: CarrierDay, left_at: float, well_at: float) -> None:
    probes = [each.at for each in day.story.on(A) if left_at <= each.at < well_at]
    assert [each.because for each in day.story.on(A) if left_at <= each.at < well_at] == ["probe"] * 3
    assert probes[0] - left_at >= FIRST_WAIT_S - 0.5
    assert all(second - first >= PROBE_EVERY_S for first, second in pairwise(probes))
    assert sum(each.at >= well_at and each.because != "probe" for each in day.story.on(A)) >= 4


def swallowed_calls_are_not_tried_elsewhere(day: CarrierDay) -> None:
    swallowed = day.story.on(C)
    first = swallowed[0].at
    # Found out by silence: until then no more than it has channels, and from then on nothing but probes.
    assert all(each.because == "probe" for each in swallowed if each.at > first + MOST_SILENT_S + 2.0)
    assert 4 <= sum(each.because != "probe" for each in swallowed) <= 8
    assert any("by silence" in text for _, text in day.story.alerts if text.startswith(f"trunk {C}"))
    for each in swallowed:
        assert [other.trunk for other in day.story.of(each.attempt_id)] == [C] and not each.rang
        settled = day.story.settled[each.attempt_id]
        assert (settled.disposition, settled.tries) == ("NO_ANSWER", 1)
        assert each.end is not None
        assert (each.end.cause, each.end.sip_code, each.end.lost) == (19, None, False), "it is we who gave it up"


# ---- the switch -------------------------------------------------------------------------------------------------
async def test_a_second_try_outlives_the_dialer(station: Station) -> None:
    """Of a dialer that died: try 2 of an attempt talks with its agent, and is known as that by the next one."""
    station.lab.change_carrier(A, always="53")
    station.lab.change_carrier(B)
    first = await station.bench(amd=False)
    attempt_id = first.dial(first.patient, trunk=A)
    assert (await first.told(AttemptEnded, attempt_id)).sip_code == 500
    again = Originate(
        attempt_id=attempt_id, try_no=2, lead_id="l", number=first.patient, trunk=B, caller_id=CALLER_ID,
        ring_timeout_s=15.0,
    )  # fmt: skip
    first.telephony.perform([again, again])
    assert (await first.told(AttemptAnswered, attempt_id)).try_no == 2
    first.telephony.perform([Bridge(attempt_id=attempt_id, agent_id="agent7")])
    await first.told(AttemptBridged, attempt_id)
    await first.telephony.close()
    station.events.clear()
    second = await station.bench(amd=False, run=2)
    survived = [event for event in station.events if isinstance(event, AttemptSurvived)]
    assert [(event.attempt_id, event.agent_id) for event in survived] == [(attempt_id, "agent7")]
    second.telephony.perform([HangUp(attempt_id=attempt_id, reason="test")])
    ended = await second.told(AttemptEnded, attempt_id)
    assert (ended.try_no, ended.cause, ended.lost) == (2, 16, False)


async def test_a_trunk_that_the_switch_does_not_know(lab: Lab, tmp_path: Path) -> None:
    file = write_campaign(lab, tmp_path, leads=1)
    file.write_text(file.read_text().replace(f"name: {C}", "name: carrier9"))
    line = next(place for place, text in enumerate(file.read_text().splitlines(), 1) if "name: carrier9" in text)
    before = lab.dialled()
    code, text = await dialer("run", str(file), "--data", str(tmp_path / "data"))
    assert code == 2
    assert f"{file}:{line}: trunks.2.name: the switch has no PJSIP endpoint 'carrier9'" in text
    assert lab.dialled() == before and not (tmp_path / "data" / "journal").exists()
