"""A campaign dialled through the lab, and what came of it held against the switch's and the carriers' own records."""

from __future__ import annotations

import asyncio
import csv
import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import msgspec
from ruamel.yaml import YAML

from dialer.adapters.campaign_lists import load_lists
from dialer.adapters.clock import SystemClock
from dialer.adapters.journal import read_journal
from dialer.bootstrap import Place, Session, live, replay_journal
from dialer.config.campaign_file import list_paths, read_campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.lab.lab import Lab

# The first two digits that the carriers obey, the dispositions that may come of them, and their share of a trial.
OUTCOMES: dict[str, tuple[frozenset[str], float]] = {
    "10": (frozenset({"RPC", "ABANDONED"}), 0.35),  # a person who talks; ABANDONED only where nobody was free
    "11": (frozenset({"RPC", "ABANDONED"}), 0.10),  # a person who hangs up after a second
    "30": (frozenset({"BUSY"}), 0.15),
    "31": (frozenset({"NO_ANSWER"}), 0.15),
    "32": (frozenset({"NO_ANSWER"}), 0.10),
    "40": (frozenset({"INVALID_NUMBER"}), 0.05),
    "50": (frozenset({"CONGESTION"}), 0.05),
    "60": (frozenset({"BUSY"}), 0.05),  # declined
}
ATTEMPTS_PER_PERSON_AND_DAY = 2
SECRET_ENV = "CADENCIA_LAB_AMI_SECRET"


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """A trial in figures. Times in seconds."""

    leads: int
    attempts: int
    tries: int  # calls placed; more than one for an attempt that a carrier refused
    live_answers: int
    abandoned: int
    bridged: int
    dispositions: dict[str, int]
    unexpected: tuple[str, ...]  # attempts whose disposition is not one that their outcome implies
    leads_untouched: int
    over_cap: int  # persons dialled more often than the cap
    repeated_originates: int
    invites: int  # as the carriers counted
    switch_calls: int  # channels to carriers, as the switch recorded
    switch_answers: int
    journal_answers: int
    bridge_s: tuple[float, ...]  # answer to bridged, of the calls that found an idle agent, sorted
    duration_s: float
    replay_equal: bool

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not as it must be; empty where all is well."""
        checks = (
            (not self.unexpected, f"unexpected dispositions: {', '.join(self.unexpected[:5])}"),
            (self.leads_untouched == 0, f"{self.leads_untouched} leads were never dialled"),
            (self.over_cap == 0, f"{self.over_cap} persons were dialled above the cap"),
            (self.repeated_originates == 0, f"{self.repeated_originates} calls were placed twice"),
            (self.invites == self.tries, f"{self.tries} calls, but {self.invites} INVITEs"),
            (self.switch_calls == self.tries, f"{self.tries} calls, but the switch saw {self.switch_calls}"),
            (
                self.switch_answers == self.journal_answers,
                f"{self.journal_answers} answers, but the switch saw {self.switch_answers}",
            ),
            (
                max(self.bridge_s, default=0.0) <= 0.1,
                f"the slowest answer took {1000 * max(self.bridge_s, default=0.0):.0f} ms to its agent",
            ),
            (self.replay_equal, "the journal does not replay equally"),
        )
        return tuple(fault for well, fault in checks if not well)

    @property
    def bridge_median_s(self) -> float | None:
        """Median from answer to bridged."""
        return quantiles(self.bridge_s, n=2)[0] if len(self.bridge_s) > 1 else None


def write_campaign(
    lab: Lab,
    folder: Path,
    *,
    leads: int,
    name: str = "lab",
    first: int = 0,
    outcomes: Sequence[str] = tuple(OUTCOMES),
) -> Path:
    """Write the campaign file and the list of a trial; returns the campaign file. `first` keeps the numbers of trials
    on one lab apart."""
    folder.mkdir(parents=True, exist_ok=True)
    campaign = {
        "campaign": name,
        "mode": "predictive",
        "target_abandon_rate": 0.03,
        "ring_timeout_s": 15,
        "wrap_up_limit_s": 10,
        "number_gap": "5s",
        "retry": {"BUSY": {"after": "5s", "max": 5}},
        "lists": ["leads.csv"],
        **lab.settings(),
    }
    campaign["asterisk"]["secret_env"] = SECRET_ENV
    path = folder / "campaign.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump(campaign, file)
    with (folder / "leads.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "phone", "amount", "days_past_due"])
        for index, outcome in enumerate(_interleaved(outcomes, leads)):
            writer.writerow(
                [f"{outcome}-{index}", f"Lead {index}", lab.number(outcome, first + index), 100 + index, index % 90]
            )
    return path


def _interleaved(outcomes: Sequence[str], leads: int) -> list[str]:
    """Outcomes by their shares among each other."""
    due = dict.fromkeys(outcomes, 0.0)
    whole = sum(OUTCOMES[outcome][1] for outcome in outcomes)
    chosen = []
    for _ in range(leads):
        for outcome in outcomes:
            due[outcome] += OUTCOMES[outcome][1] / whole
        outcome = max(due, key=lambda key: due[key])
        due[outcome] -= 1.0
        chosen.append(outcome)
    return chosen


async def dial(lab: Lab, campaign_file: Path, *, seed: int = 1) -> TrialResult:
    """Dial the trial's campaign as `dialer run` does, until nobody is callable any more today, and judge it.

    The lab's telephones are nobody's, so the campaign's clock shows office hours in Lima whatever the time is.
    """
    os.environ[SECRET_ENV] = lab.secret
    began = time.monotonic()
    journal, leads = await dial_until_done(campaign_file, seed=seed)
    duration_s = time.monotonic() - began
    await asyncio.sleep(1.5)  # the carriers count once a second
    return await asyncio.to_thread(judge, lab, journal, leads, duration_s)


async def dial_until_done(campaign_file: Path, *, seed: int = 1) -> tuple[Path, int]:
    """Dial a trial's campaign to its end; returns its journal and how many leads its list has."""
    campaign = read_campaign(campaign_file)
    leads = load_lists(list_paths(campaign_file, campaign), campaign, say=lambda _: None)
    clock = SystemClock(shift_s=_office_hours_shift_s(datetime.now(UTC)))
    place = Place(data_dir=campaign_file.parent / "data")
    async with live(campaign, leads, place, seed=seed, clock=clock) as session:
        closer = asyncio.create_task(_drain_when_done(session))
        try:
            await session.run()
        finally:
            closer.cancel()
    return session.journal, len(leads)


def _office_hours_shift_s(now: datetime) -> float:
    """Seconds from now to Monday 10:00 in Lima (UTC-5) of a week without holidays."""
    return (datetime(2026, 11, 23, 15, 0, tzinfo=UTC) - now) / timedelta(seconds=1)


async def _drain_when_done(session: Session) -> None:
    """Busy people are refused by the day's cap and wait for tomorrow: that is the trial's end."""
    engine = session.runtime.engine
    while True:
        await asyncio.sleep(0.5)
        now, change = session.clock.now(), engine.status().next_change_at
        ran = engine.counters.events > 100 or engine.counters.attempts
        if ran and not engine.live_attempts and (change is None or change > now + 60.0):
            session.runtime.drain("nobody is callable today")


# ---- judging ------------------------------------------------------------------------------------------------
def judge(lab: Lab, journal: Path, leads: int, duration_s: float) -> TrialResult:
    """Hold a journal against the switch's records and the carriers' counts."""
    _, steps = read_journal(journal)
    placed: Counter[tuple[int, int]] = Counter()
    persons: Counter[str] = Counter()
    settled: list[act.Settlement] = []
    answers = abandoned = bridged = live_answers = 0
    at_once: dict[int, float] = {}
    bridge_s: list[float] = []
    for event, actions in steps:
        if isinstance(event, ev.AttemptAnswered):
            answers += 1
            if any(isinstance(action, act.Bridge) and action.attempt_id == event.attempt_id for action in actions):
                at_once[event.attempt_id] = event.at
        elif isinstance(event, ev.AttemptBridged):
            bridged += 1
            if event.attempt_id in at_once:
                bridge_s.append(event.at - at_once.pop(event.attempt_id))
        for action in actions:
            if isinstance(action, act.Originate):
                placed[action.attempt_id, action.try_no] += 1
                persons[action.lead_id] += action.try_no == 1
            elif isinstance(action, act.Settle):
                settled += action.settlements
    dispositions = Counter(settlement.disposition for settlement in settled)
    abandoned = dispositions["ABANDONED"]
    live_answers = sum(settlement.answered_at is not None for settlement in settled)
    calls, switch_answers = _switch_records(lab)
    _, replayed = replay_journal(journal)
    return TrialResult(
        leads=leads,
        attempts=len({attempt_id for attempt_id, _ in placed}),
        tries=sum(placed.values()),
        live_answers=live_answers,
        abandoned=abandoned,
        bridged=bridged,
        dispositions=dict(dispositions),
        unexpected=tuple(
            f"{s.lead_id}: {s.disposition}" for s in settled if s.disposition not in OUTCOMES[s.lead_id[:2]][0]
        ),
        leads_untouched=leads - len(persons),
        over_cap=sum(count > ATTEMPTS_PER_PERSON_AND_DAY for count in persons.values()),
        repeated_originates=sum(count > 1 for count in placed.values()),
        invites=sum(lab.invites().values()),
        switch_calls=calls,
        switch_answers=switch_answers,
        journal_answers=answers,
        bridge_s=tuple(sorted(bridge_s)),
        duration_s=duration_s,
        replay_equal=replayed.difference is None,
    )


def _switch_records(lab: Lab) -> tuple[int, int]:
    """Channels to carriers that the switch began and answered, from its channel event records (CEL)."""
    began: set[str] = set()
    answered: set[str] = set()
    for row in csv.reader(lab.asterisk.cel_rows()):
        kind, channel, unique_id = row[0], row[9], row[14]
        if channel.startswith("PJSIP/carrier"):
            if kind == "CHAN_START":
                began.add(unique_id)
            elif kind == "ANSWER":
                answered.add(unique_id)
    return len(began), len(answered)
