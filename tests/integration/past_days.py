"""A month of journals whose people answer by their hour, product and number of attempts: what models can learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dialer.adapters.journal import Header, Journal
from dialer.core.actions import Originate, Settle, Settlement
from dialer.core.events import AttemptRinging, LeadsAdded, TimePassed
from dialer.core.lead import Lead, LeadProgress, PhoneNumber

DAY_S = 86400.0
LIMA_S = -5 * 3600.0
NOBODY = ("NO_ANSWER", "NO_ANSWER", "NO_ANSWER", "MACHINE", "BUSY")
SOMEBODY = ("RPC", "RPC", "PTP", "WRONG_PARTY", "REFUSED")


def past_leads(count: int) -> list[Lead]:
    return [
        Lead(
            lead_id=f"L{n:04d}",
            numbers=(PhoneNumber(e164=f"+51999{n:06d}", zones=("America/Lima",), country="PE", line_type="mobile"),),
            person=f"P{n}",
            debt=f"D{n}",
            product=("card", "loan", "auto")[n % 3],
            region=("Lima", "Cusco")[n % 2],
            amount=50.0 + n,
            days_past_due=n % 120,
        )
        for n in range(count)
    ]


def write_past(
    data: Path,
    leads: Sequence[Lead],
    *,
    first_day: float,
    days: int,
    a_day: int = 250,
    seed: int = 5,
    campaign: str = "mora",
    nobody: bool = False,
) -> list[Path]:
    """Write a journal a day (10:00 to 20:00 in Lima), and return them. `nobody`: nobody answers."""
    rng = np.random.default_rng(seed)
    paths = []
    for day in range(days):
        begin = first_day + day * DAY_S - LIMA_S + 10 * 3600.0
        path = data / "journal" / campaign / f"day-{int(begin)}.jsonl"
        header = Header(campaign={"campaign": campaign, "trunks": []}, run=day + 1, seed=seed, started_at=begin)
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(path, header)
        progress = tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads)
        journal.append(LeadsAdded(at=begin, leads=tuple(leads), progress=progress), [])
        moments = begin + np.sort(rng.uniform(0.0, 10 * 3600.0, a_day))
        for attempt, (at, row) in enumerate(zip(moments.tolist(), rng.integers(0, len(leads), a_day), strict=True), 1):
            _add(journal, attempt, at, leads[int(row)], rng, nobody=nobody)
        journal.close()
        paths.append(path)
    return paths


def _add(journal: Journal, attempt: int, at: float, lead: Lead, rng: np.random.Generator, *, nobody: bool) -> None:
    late = ((at + LIMA_S) % DAY_S) / 3600.0 >= 17.0
    chance = (0.5 if late else 0.1) * (1.5 if lead.product == "card" else 0.6) * (not nobody)
    answered = bool(rng.random() < chance)
    disposition = str(rng.choice(SOMEBODY if answered else NOBODY))
    number = lead.numbers[0].e164
    call = Originate(
        attempt_id=attempt,
        try_no=1,
        lead_id=lead.lead_id,
        number=number,
        trunk=("t1", "t2")[attempt % 2],
        caller_id="+5117000000",
        ring_timeout_s=22.0,
    )
    journal.append(TimePassed(at=at), [call])
    journal.append(AttemptRinging(at=at + 3.0, attempt_id=attempt), [])
    settled = Settlement(
        attempt_id=attempt,
        lead_id=lead.lead_id,
        number=number,
        at=at + 90.0,
        disposition=disposition,
        reserved_at=at,
        originated_at=at,
        answered_at=at + 10.0 if answered else None,
        bridged_at=at + 11.0 if answered else None,
        ended_at=at + (11.0 + float(rng.lognormal(4.0, 0.5)) if answered else 25.0),
        agent_id="ana" if answered else None,
        trunk=call.trunk,
        caller_id=call.caller_id,
        fact_keys=(),
        progress=LeadProgress(lead_id=lead.lead_id),
    )
    journal.append(TimePassed(at=at + 90.0), [Settle(settlements=(settled,))])
