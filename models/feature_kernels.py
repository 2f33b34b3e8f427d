# mypy: allow-untyped-decorators
"""A lead's history as one record, how an attempt changes it, and how it reads as a row of features: compiled.

One body, `_write_row`, writes the row of an attempt on record and the row of a slot to come, so that a model is served
what it was trained on. All of it stands in one file, because numba looks at one file only to tell whether a cached
function is out of date.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.lead_table import MOST_NUMBERS

# Blocks of the day: before 11, before 15, before 18, later (local hours).
BLOCKS = 4
FIRST_HOURS = (0, 11, 15, 18, 24)
MOST_HOURS = 500.0  # "hours since" go no further: three weeks ago is long ago
WEEK = 7  # local days, today included
# A rate is worth its own outcomes against this many at the prior rate (beta-binomial).
ANSWER_PRIOR, ANSWER_WEIGHT = 0.1, 8.0
RIGHT_PARTY_PRIOR, RIGHT_PARTY_WEIGHT = 0.6, 4.0
# Unanswered attempts weigh less with time: half after so many seconds. Two of them, because nobody knows how fast
# people get over it.
HALF_LIVES_S = (2 * 86400.0, 8 * 86400.0)
NEAR_SD_HOURS = 1.5  # how fast what was seen at one hour of the day ceases to tell of another

_TIME = ("hour", "weekday", "holiday", "days_to_payday", "days_since_payday")
_CALL = ("carrier", "number", "number_unanswered", "number_answered", "number_wrong_parties", "number_dead")
_PAST = (
    "attempts",
    "hours_since_attempt",
    "attempts_today",
    "attempts_7_days",
    "unanswered_since_answer",
    "wear_2_days",
    "wear_8_days",
    "previous_result",
    "previous_ring_s",
    "machines",
    "busies",
)
_ANSWERS = (
    "answers",
    "answer_rate",
    "hours_since_answer",
    "right_parties",
    "wrong_parties",
    "right_party_rate",
    "hours_since_right_party",
    "hours_since_promise",
)
_HOURS = (
    "unanswered_in_block",
    "answered_in_block",
    "answer_rate_in_block",
    "unanswered_before_11",
    "unanswered_before_15",
    "unanswered_before_18",
    "unanswered_later",
    "unanswered_near",
    "answered_near",
    "answer_rate_near",
)
COLUMNS = (*_TIME, *_CALL, *_PAST, *_ANSWERS, *_HOURS)
_CALL_FROM = len(_TIME)
_PAST_FROM = _CALL_FROM + len(_CALL)
_ANSWERS_FROM = _PAST_FROM + len(_PAST)
_HOURS_FROM = _ANSWERS_FROM + len(_ANSWERS)

LEAD_HISTORY = np.dtype(
    [
        # UTC seconds; NaN: never
        ("attempt_at", np.float64),
        ("answer_at", np.float64),
        ("right_party_at", np.float64),
        ("promise_at", np.float64),
        ("worn_at", np.float64),  # the last unanswered attempt: `wear` is as of then
        ("wear", np.float32, 2),  # unanswered attempts, each halved with every half-life of `HALF_LIVES_S`
        ("ring_s", np.float32),  # of the last attempt
        ("day", np.int32),  # the last local day with an attempt, from 1970-01-01
        ("days", np.int16, WEEK),  # attempts on local day d, at d mod 7
        ("attempts", np.int16),
        ("answers", np.int16),
        ("machines", np.int16),
        ("busies", np.int16),
        ("right_parties", np.int16),
        ("wrong_parties", np.int16),
        ("unanswered_since_answer", np.int16),
        ("result", np.int16),  # of the last attempt, -1: none
        ("unanswered_at", np.uint8, 24),  # by local hour
        ("answered_at", np.uint8, 24),
        ("numbers", np.uint8, (MOST_NUMBERS, 4)),  # unanswered, answered, wrong parties, dead
    ],
    align=True,
)
_MOST, _MOST_SMALL = 32767, 255  # counts stay there
_NO_DAY = -(2**40)
_distance = np.abs(np.subtract.outer(np.arange(24), np.arange(24)))
_NEAR = np.exp(-0.5 * (np.minimum(_distance, 24 - _distance) / NEAR_SD_HOURS) ** 2).astype(np.float32)
# What `models.attempts.Result` calls them.
_MACHINE, _BUSY, _DEAD, _WRONG_PARTY, _RIGHT_PARTY, _PROMISE = 1, 2, 3, 4, 5, 6


def empty_histories(leads: int) -> NDArray[Any]:
    """Return histories in which nothing has happened, shape (leads,), of `LEAD_HISTORY`."""
    records = np.zeros(leads, dtype=LEAD_HISTORY)
    for name in ("attempt_at", "answer_at", "right_party_at", "promise_at", "worn_at", "ring_s"):
        records[name] = np.nan
    records["result"] = -1
    return records


# ---- time -------------------------------------------------------------------------------------------------------
@njit(nogil=True)
def _local(at: float, offset_s: int) -> tuple[int, int]:
    """The local day, from 1970-01-01, and the local hour."""
    second = math.floor(at) + offset_s
    day = second // 86400
    return day, (second - day * 86400) // 3600


@njit(nogil=True)
def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(nogil=True)
def _civil(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month of a day from 1970-01-01 (Hinnant, chrono-compatible date algorithms)."""
    z = day + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return yoe + era * 400 + (1 if month <= 2 else 0), month, doy - (153 * mp + 2) // 5 + 1


@njit(nogil=True)
def _paydays(day: int, paydays: NDArray[np.int64]) -> tuple[float, float]:
    """Days to the next pay-day and since the last one, 0 on the day itself; NaN where there are none."""
    year, month, date = _civil(day)
    length = _month_days(year, month)
    before = _month_days(year, month - 1) if month > 1 else 31
    after = _month_days(year, month + 1) if month < 12 else 31
    to, since = math.nan, math.nan
    for wanted in paydays:
        this = min(wanted, length)
        ahead = this - date if this >= date else length - date + min(wanted, after)
        behind = date - this if this <= date else date + before - min(wanted, before)
        to = ahead if not to <= ahead else to
        since = behind if not since <= behind else since
    return to, since


# ---- the row ----------------------------------------------------------------------------------------------------
@njit(nogil=True)
def _hours_since(then: float, at: float) -> float:
    """NaN where it never was."""
    if math.isnan(then):
        return math.nan
    return min(max(at - then, 0.0) / 3600.0, MOST_HOURS)


@njit(nogil=True)
def _write_call(row: Any, past: Any, number: int, carrier: float) -> None:
    row[_CALL_FROM] = carrier
    row[_CALL_FROM + 1] = number if number >= 0 else math.nan
    for k in range(4):
        row[_CALL_FROM + 2 + k] = past.numbers[number, k] if 0 <= number < MOST_NUMBERS else math.nan


@njit(nogil=True)
def _write_past(row: Any, past: Any, at: float, day: int) -> None:
    today, week = 0, 0
    for k in range(WEEK):  # a lead with numbers in two zones may have a day that this number has not reached
        d = past.day - k
        if d > day - WEEK:
            count = past.days[d % WEEK]
            week += count
            if d >= day:
                today += count
    i = _PAST_FROM
    row[i] = past.attempts
    row[i + 1] = _hours_since(past.attempt_at, at)
    row[i + 2] = today
    row[i + 3] = week
    row[i + 4] = past.unanswered_since_answer
    for k in range(2):
        left = math.exp(-math.log(2.0) / HALF_LIVES_S[k] * max(at - past.worn_at, 0.0)) if past.wear[k] > 0.0 else 0.0
        row[i + 5 + k] = past.wear[k] * left
    row[i + 7] = past.result if past.result >= 0 else math.nan
    row[i + 8] = past.ring_s
    row[i + 9] = past.machines
    row[i + 10] = past.busies


@njit(nogil=True)
def _write_answers(row: Any, past: Any, at: float) -> None:
    i = _ANSWERS_FROM
    row[i] = past.answers
    row[i + 1] = (past.answers + ANSWER_PRIOR * ANSWER_WEIGHT) / (past.attempts + ANSWER_WEIGHT)
    row[i + 2] = _hours_since(past.answer_at, at)
    row[i + 3] = past.right_parties
    row[i + 4] = past.wrong_parties
    told = past.right_parties + past.wrong_parties
    row[i + 5] = (past.right_parties + RIGHT_PARTY_PRIOR * RIGHT_PARTY_WEIGHT) / (told + RIGHT_PARTY_WEIGHT)
    row[i + 6] = _hours_since(past.right_party_at, at)
    row[i + 7] = _hours_since(past.promise_at, at)


@njit(nogil=True)
def _write_hours(row: Any, past: Any, hour: int) -> None:
    i = _HOURS_FROM
    near_unanswered, near_answered = 0.0, 0.0
    for b in range(BLOCKS):
        unanswered, answered = 0, 0
        for h in range(FIRST_HOURS[b], FIRST_HOURS[b + 1]):
            unanswered += past.unanswered_at[h]
            answered += past.answered_at[h]
            near_unanswered += _NEAR[hour, h] * past.unanswered_at[h]
            near_answered += _NEAR[hour, h] * past.answered_at[h]
        row[i + 3 + b] = unanswered
        if FIRST_HOURS[b] <= hour < FIRST_HOURS[b + 1]:
            row[i] = unanswered
            row[i + 1] = answered
            row[i + 2] = (answered + ANSWER_PRIOR * ANSWER_WEIGHT) / (unanswered + answered + ANSWER_WEIGHT)
    row[i + 7] = near_unanswered
    row[i + 8] = near_answered
    near = near_unanswered + near_answered
    row[i + 9] = (near_answered + ANSWER_PRIOR * ANSWER_WEIGHT) / (near + ANSWER_WEIGHT)


@njit(nogil=True)
def _write_row(
    row: Any,
    past: Any,
    at: float,
    day: int,
    hour: int,
    holiday: bool,
    to_payday: float,
    since_payday: float,
    number: int,
    carrier: float,
) -> None:
    row[0] = hour
    row[1] = (day + 3) % 7  # Monday is 0; 1970-01-01 was a Thursday
    row[2] = 1.0 if holiday else 0.0
    row[3] = to_payday
    row[4] = since_payday
    _write_call(row, past, number, carrier)
    _write_past(row, past, at, day)
    _write_answers(row, past, at)
    _write_hours(row, past, hour)


# ---- what an attempt changes ------------------------------------------------------------------------------------
@njit(nogil=True)
def _count_day(past: Any, day: int) -> None:
    if past.attempts == 0 or day >= past.day + WEEK:
        for k in range(WEEK):
            past.days[k] = 0
        past.day = day
    while past.day < day:
        past.day += 1
        past.days[past.day % WEEK] = 0
    if day > past.day - WEEK:
        past.days[day % WEEK] = min(past.days[day % WEEK] + 1, _MOST)


@njit(nogil=True)
def _later(known: float, at: float) -> float:
    return known if known >= at else at  # NaN is no later than anything


@njit(nogil=True)
def _wear(past: Any, at: float) -> None:
    for k in range(2):
        rate = math.log(2.0) / HALF_LIVES_S[k]
        if past.worn_at > at:  # told late
            past.wear[k] += math.exp(-rate * (past.worn_at - at))
        elif past.wear[k] > 0.0:
            past.wear[k] = past.wear[k] * math.exp(-rate * (at - past.worn_at)) + 1.0
        else:
            past.wear[k] = 1.0
    past.worn_at = _later(past.worn_at, at)


@njit(nogil=True)
def _count_answer(past: Any, at: float, result: int) -> None:
    past.answers = min(past.answers + 1, _MOST)
    past.unanswered_since_answer = 0
    past.answer_at = _later(past.answer_at, at)
    if result == _WRONG_PARTY:
        past.wrong_parties = min(past.wrong_parties + 1, _MOST)
    elif result in (_RIGHT_PARTY, _PROMISE):
        past.right_parties = min(past.right_parties + 1, _MOST)
        past.right_party_at = _later(past.right_party_at, at)
    if result == _PROMISE:
        past.promise_at = _later(past.promise_at, at)


@njit(nogil=True)
def _learn(past: Any, at: float, day: int, hour: int, number: int, result: int, ring_s: float) -> None:
    if result < 0:
        return
    answered = result >= _WRONG_PARTY
    _count_day(past, day)
    past.attempts = min(past.attempts + 1, _MOST)
    if not past.attempt_at > at:
        past.attempt_at = at
        past.result = result
        past.ring_s = ring_s
    if answered:
        past.answered_at[hour] = min(past.answered_at[hour] + 1, _MOST_SMALL)
        _count_answer(past, at, result)
    else:
        past.unanswered_at[hour] = min(past.unanswered_at[hour] + 1, _MOST_SMALL)
        past.unanswered_since_answer = min(past.unanswered_since_answer + 1, _MOST)
        past.machines = min(past.machines + (1 if result == _MACHINE else 0), _MOST)
        past.busies = min(past.busies + (1 if result == _BUSY else 0), _MOST)
        _wear(past, at)
    if 0 <= number < MOST_NUMBERS:
        tally = past.numbers[number]
        tally[1 if answered else 0] = min(tally[1 if answered else 0] + 1, _MOST_SMALL)
        if result == _WRONG_PARTY:
            tally[2] = min(tally[2] + 1, _MOST_SMALL)
        elif result == _DEAD:
            tally[3] = min(tally[3] + 1, _MOST_SMALL)


# ---- over arrays ------------------------------------------------------------------------------------------------
@njit(nogil=True, cache=True)
def replay(
    pasts: NDArray[Any],
    at: NDArray[np.float64],
    lead: NDArray[np.int32],
    number: NDArray[np.int8],
    offset_s: NDArray[np.int32],
    result: NDArray[np.int8],
    holiday: NDArray[np.bool_],
    carrier: NDArray[np.float32],
    ring_s: NDArray[np.float32],
    paydays: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Take in attempts in order of `at`, and write the row of each as of before it, unless `out` has no rows.

    Attempts of one moment do not see each other.
    """
    n, wanted, begun = len(at), len(out) > 0, 0
    known, to_payday, since_payday = _NO_DAY, math.nan, math.nan
    while begun < n:
        end = begun + 1
        while end < n and at[end] == at[begun]:
            end += 1
        if wanted:
            for i in range(begun, end):
                day, hour = _local(at[i], offset_s[i])
                if day != known:
                    known = day
                    to_payday, since_payday = _paydays(day, paydays)
                _write_row(
                    out[i],
                    pasts[lead[i]],
                    at[i],
                    day,
                    hour,
                    holiday[i],
                    to_payday,
                    since_payday,
                    number[i],
                    carrier[i],
                )
        for i in range(begun, end):
            day, hour = _local(at[i], offset_s[i])
            _learn(pasts[lead[i]], at[i], day, hour, number[i], result[i], ring_s[i])
        begun = end


@njit(nogil=True, cache=True)
def rows_at(
    pasts: NDArray[Any],
    which: NDArray[np.int32],
    number: NDArray[np.int8],
    at: float,
    offset_s: NDArray[np.int32],
    holiday: NDArray[np.bool_],
    paydays: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Write the rows of attempts that might be placed at one moment, of an unknown carrier."""
    known, to_payday, since_payday = _NO_DAY, math.nan, math.nan
    for i in range(len(which)):
        day, hour = _local(at, offset_s[i])
        if day != known:
            known = day
            to_payday, since_payday = _paydays(day, paydays)
        _write_row(out[i], pasts[which[i]], at, day, hour, holiday[i], to_payday, since_payday, number[i], math.nan)


@njit(nogil=True, cache=True)
def write_numbers(column: NDArray[np.float32], values: NDArray[np.float32], which: NDArray[np.int32]) -> None:
    """Write a number of each lead asked for: `column` shape (m,), `values` shape (leads,)."""
    for i in range(len(which)):
        column[i] = values[which[i]]


@njit(nogil=True, cache=True)
def write_codes(
    column: NDArray[np.float32], codes: NDArray[np.int32], recoded: NDArray[np.float32], which: NDArray[np.int32]
) -> None:
    """Write the code of each lead asked for, as `recoded` has it; NaN outside of it."""
    for i in range(len(which)):
        code = codes[which[i]]
        column[i] = recoded[code] if 0 <= code < len(recoded) else math.nan


@njit(nogil=True, cache=True)
def write_codes_of_numbers(
    column: NDArray[np.float32],
    codes: NDArray[np.int32],
    recoded: NDArray[np.float32],
    which: NDArray[np.int32],
    number: NDArray[np.int8],
) -> None:
    """Write the code of one number of each lead asked for: `codes` shape (leads, numbers)."""
    for i in range(len(which)):
        column[i] = math.nan
        if 0 <= number[i] < codes.shape[1]:
            code = codes[which[i], number[i]]
            column[i] = recoded[code] if 0 <= code < len(recoded) else math.nan
