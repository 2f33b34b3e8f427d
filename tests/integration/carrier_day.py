"""A campaign dialled over the lab's carriers, and what its journal says of each try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dialer.adapters.clock import SystemClock
from dialer.adapters.journal import read_journal
from dialer.bootstrap import Place, Session, live
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, PhoneNumber
from dialer.lab.lab import Lab
from dialer.lab.sipp import Invite
from dialer.lab.trial import SECRET_ENV

# Monday, 10:00 in Lima, of a week without holidays. Whole seconds, so that clock limits have the same periods on both
# clocks.
_OPEN_AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC).timestamp()
ONCE = {name: {"after": 0, "max": 0} for name in ("BUSY", "NO_ANSWER", "CONGESTION", "FAILED", "UNKNOWN", "CANCELLED")}


@dataclass(slots=True)
class Try:
    """One originate, as the journal has it; times by the campaign's clock."""

    attempt_id: int
    try_no: int
    number: str  # as SIP has it, without the plus sign
    trunk: str
    because: str
    at: float  # when it was counted as sent
    rang: bool = False
    end: ev.AttemptEnded | None = None


@dataclass(slots=True)
class Story:
    """A campaign's journal, by tries and by attempts."""

    tries: list[Try] = field(default_factory=list)
    settled: dict[int, act.Settlement] = field(default_factory=dict)
    alerts: list[tuple[float, str]] = field(default_factory=list)

    def on(self, trunk: str) -> list[Try]:
        """The tries on a trunk, in order."""
        return [each for each in self.tries if each.trunk == trunk]

    def of(self, attempt_id: int) -> list[Try]:
        """The tries of an attempt, in order."""
        return [each for each in self.tries if each.attempt_id == attempt_id]


def read_story(journal: Path) -> Story:
    """Read a journal. The engine counts a set-up at the latest time of which it has heard."""
    story, now = Story(), 0.0
    found: dict[tuple[int, int], Try] = {}
    for event, actions in read_journal(journal)[1]:
        now = max(now, event.at)
        if isinstance(event, ev.AttemptEnded) and (event.attempt_id, event.try_no) in found:
            found[event.attempt_id, event.try_no].end = event
        elif isinstance(event, ev.AttemptRinging):
            found[event.attempt_id, event.try_no].rang = True
        for action in actions:
            if isinstance(action, act.Originate):
                key = (action.attempt_id, action.try_no)
                assert key not in found, f"{key} was placed twice"
                because = "" if action.route is None else action.route.because
                found[key] = Try(*key, action.number.removeprefix("+"), action.trunk, because, now)
                story.tries.append(found[key])
            elif isinstance(action, act.Alert):
                story.alerts.append((now, action.text))
            elif isinstance(action, act.Settle):
                story.settled.update((settlement.attempt_id, settlement) for settlement in action.settlements)
    return story


class CarrierDay:
    """A campaign that dials. `story` is there once it has ended."""

    def __init__(self, session: Session, shift_s: float, data_dir: Path, name: str, numbers: int) -> None:
        self.session = session
        self.shift_s = shift_s  # of the campaign's clock against the machine's
        self.data_dir, self.name = data_dir, name
        self.story = Story()
        self._numbers = numbers

    def now(self) -> float:
        return self.session.clock.now()

    def circuit(self, trunk: str) -> str:
        """The state of a trunk's circuit for Peru: nobody else is called."""
        standing = self.session.runtime.engine.routing_standing(self.now())
        found = next(each for each in standing.trunks if each.trunk == trunk)
        return next((part.circuit for part in found.open_prefixes), found.circuit)

    def all_called(self) -> bool:
        """Whether each number was called, and every call is over."""
        engine = self.session.runtime.engine
        return engine.counters.attempts >= self._numbers and not engine.live_attempts

    async def until(self, condition: Callable[[], bool], limit_s: float) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def carrier_day(
    lab: Lab, folder: Path, name: str, numbers: Sequence[str], **settings: Any
) -> AsyncIterator[CarrierDay]:
    """Dial these numbers once each, flat out within the limits, until the block ends; live calls are let finish."""
    campaign = Campaign.model_validate(
        {
            "campaign": name,
            "mode": "power",
            "lines_per_idle_agent": 5,
            "ring_timeout_s": 15,
            "wrap_up_limit_s": 5,
            "retry": ONCE,
            **lab.settings(),
            **settings,
            "asterisk": {**lab.settings()["asterisk"], "secret_env": SECRET_ENV},
        }
    )
    leads = [
        Lead(
            lead_id=f"L{place}",
            numbers=(PhoneNumber(e164=number, zones=("America/Lima",), country="PE"),),
            person=f"P{place}",
            debt=f"D{place}",
            answer_probability=0.02,  # so that it is the trunks that bound the pace, and not the agents
        )
        for place, number in enumerate(numbers)
    ]
    shift_s = round(_OPEN_AT - datetime.now(UTC).timestamp())
    data_dir = folder / "data"
    place = Place(data_dir=data_dir)
    async with live(campaign, leads, place, seed=1, clock=SystemClock(shift_s=shift_s)) as session:
        running = asyncio.create_task(session.run())
        day = CarrierDay(session, shift_s, data_dir, name, len(leads))
        try:
            yield day
            session.runtime.drain("the test is done")
            async with asyncio.timeout(20):
                await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    day.story = read_story(session.journal)


class Wire:
    """What the carriers saw from now on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._seen = {sipp.name: len(sipp.invites()) for sipp in lab.carriers}

    def on(self, trunk: str) -> list[Invite]:
        """The INVITEs at a carrier, in order."""
        sipp = next(sipp for sipp in self._lab.carriers if sipp.name == trunk)
        return sipp.invites()[self._seen[trunk] :]

    def dialled(self, trunk: str) -> list[str]:
        """The numbers of those INVITEs, sorted."""
        return sorted(invite.dialled for invite in self.on(trunk))


def most_in_a_window(times: Sequence[float], per_s: float) -> int:
    """How many of these rising times the fullest half-open window of `per_s` holds."""
    return max(
        (sum(begin <= at < begin + per_s for at in times[place:]) for place, begin in enumerate(times)), default=0
    )


def by_period(times: Sequence[float], per_s: float) -> Iterator[int]:
    """How many of these times each period holds, counted from the epoch."""
    periods = [int(at // per_s) for at in times]
    return (periods.count(period) for period in sorted(set(periods)))
