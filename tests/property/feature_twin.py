"""Features of one attempt worked out slowly, from the list of the lead's earlier attempts, by Python's calendar."""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from models.attempts import AttemptLog, Result

NEVER = math.nan


class Row(NamedTuple):
    """An attempt on record."""

    at: float
    number: int
    offset_s: int
    result: int
    ring_s: float

    @property
    def local(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC).replace(tzinfo=None) + timedelta(seconds=self.offset_s)

    @property
    def answered(self) -> bool:
        return self.result >= Result.WRONG_PARTY


def earlier_rows(log: AttemptLog, lead: int, at: float) -> list[Row]:
    """What is known of a lead before `at`."""
    columns = zip(log.at, log.lead, log.number, log.offset_s, log.result, log.ring_s, strict=True)
    rows = [(who, Row(*map(float, rest))) for who, *rest in ((c[1], c[0], *c[2:]) for c in columns)]
    return [
        row._replace(number=int(row.number), offset_s=int(row.offset_s), result=int(row.result))
        for who, row in rows
        if who == lead and row.at < at and row.result != Result.UNKNOWN
    ]


def pay_days(first: date, days: int, wanted: Sequence[int]) -> set[date]:
    """Every pay-day among `days` days from `first`."""
    span = (first + timedelta(days=k) for k in range(days))
    return {day for day in span for w in wanted if day.day == min(w, calendar.monthrange(day.year, day.month)[1])}


def block(hour: int) -> int:
    return sum(hour >= first for first in (11, 15, 18))


def hours_since(rows: Iterable[Row], at: float) -> float:
    """Hours since the latest, no more than 500."""
    times = [row.at for row in rows]
    return min((at - max(times)) / 3600.0, 500.0) if times else NEVER


def slow_row(
    past: Sequence[Row], at: float, number: int, offset_s: int, holiday: bool, paydays: Sequence[int]
) -> dict[str, float]:
    """Features by their names, the carrier and the lead's own columns left out."""
    local = Row(at, number, offset_s, 0, 0.0).local
    today = local.date()
    found = pay_days(today - timedelta(days=32), 65, paydays)
    unanswered = [row for row in past if not row.answered]
    answered = [row for row in past if row.answered]
    right = [row for row in past if row.result in (Result.RIGHT_PARTY, Result.PROMISE)]
    wrong = [row for row in past if row.result == Result.WRONG_PARTY]
    here = [row for row in past if row.number == number]
    dates = [row.local.date() for row in past]
    week_from = max([today, *dates]) - timedelta(days=7)
    last = max(reversed(past), key=lambda row: row.at, default=None)  # of one moment, the one told last
    after = [k for k, row in enumerate(past) if row.answered]

    def share(yes: float, no: float, prior: float, weight: float) -> float:
        return (yes + prior * weight) / (yes + no + weight)

    def in_block(rows: Sequence[Row], which: int) -> int:
        return sum(block(row.local.hour) == which for row in rows)

    def near(rows: Sequence[Row]) -> float:
        apart = [abs(row.local.hour - local.hour) for row in rows]
        return sum(math.exp(-0.5 * (min(hours, 24 - hours) / 1.5) ** 2) for hours in apart)

    def worn(days: float) -> float:
        return sum(0.5 ** ((at - row.at) / 86400.0 / days) for row in unanswered)

    same = block(local.hour)
    return {
        "hour": local.hour,
        "weekday": local.weekday(),
        "holiday": float(holiday),
        "days_to_payday": min(((day - today).days for day in found if day >= today), default=NEVER),
        "days_since_payday": min(((today - day).days for day in found if day <= today), default=NEVER),
        "number": number if number >= 0 else NEVER,
        "number_unanswered": sum(not row.answered for row in here),
        "number_answered": sum(row.answered for row in here),
        "number_wrong_parties": sum(row in wrong for row in here),
        "number_dead": sum(row.result == Result.DEAD for row in here),
        "attempts": len(past),
        "hours_since_attempt": hours_since(past, at),
        "attempts_today": sum(day >= today for day in dates),
        "attempts_7_days": sum(day > week_from for day in dates),
        "unanswered_since_answer": len(past) - (after[-1] + 1 if after else 0),
        "wear_2_days": worn(2.0),
        "wear_8_days": worn(8.0),
        "previous_result": last.result if last else NEVER,
        "previous_ring_s": last.ring_s if last else NEVER,
        "machines": sum(row.result == Result.MACHINE for row in past),
        "busies": sum(row.result == Result.BUSY for row in past),
        "answers": len(answered),
        "answer_rate": share(len(answered), len(unanswered), 0.1, 8.0),
        "hours_since_answer": hours_since(answered, at),
        "right_parties": len(right),
        "wrong_parties": len(wrong),
        "right_party_rate": share(len(right), len(wrong), 0.6, 4.0),
        "hours_since_right_party": hours_since(right, at),
        "hours_since_promise": hours_since([row for row in past if row.result == Result.PROMISE], at),
        "unanswered_in_block": in_block(unanswered, same),
        "answered_in_block": in_block(answered, same),
        "answer_rate_in_block": share(in_block(answered, same), in_block(unanswered, same), 0.1, 8.0),
        "unanswered_before_11": in_block(unanswered, 0),
        "unanswered_before_15": in_block(unanswered, 1),
        "unanswered_before_18": in_block(unanswered, 2),
        "unanswered_later": in_block(unanswered, 3),
        "unanswered_near": near(unanswered),
        "answered_near": near(answered),
        "answer_rate_near": share(near(answered), near(unanswered), 0.1, 8.0),
    }
