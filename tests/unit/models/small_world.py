"""A few thousand people with known chances of an answer, and attempts on them: the truth models are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.attempts import AttemptLog, Result
from models.lead_table import LeadTable

MONDAY = 1_767_571_200.0  # 2026-01-05 00:00 UTC


@dataclass(frozen=True)
class SmallWorld:
    log: AttemptLog
    leads: LeadTable
    truth: NDArray[np.float64]  # of each attempt, the chance of an answer


def small_world(leads: int = 1500, days: int = 14, a_day: int = 900, seed: int = 1, shift: float = 0.0) -> SmallWorld:
    """Attempts at random on people whose product, amount and hour matter; half the calls are of one of two carriers.

    `shift` is added to the logit over the whole time, little by little.
    """
    rng = np.random.default_rng(seed)
    product = rng.integers(0, 4, leads)
    line = rng.integers(0, 2, (leads, 1))
    amount = rng.lognormal(7.0, 1.0, leads)
    taste = rng.normal(0.0, 0.5, leads)
    best = rng.choice([10, 14, 19], leads)
    n = days * a_day
    at = MONDAY + np.sort(rng.integers(0, days, n) * 86400.0 + rng.uniform(8.0, 20.0, n) * 3600.0)
    lead = rng.integers(0, leads, n)
    hour = (at % 86400.0) // 3600.0
    z = -2.0 + np.array([-0.6, 0.0, 0.3, 0.8])[product[lead]] + taste[lead] + 0.5 * line[lead, 0]
    z += 1.5 * np.exp(-(((hour - best[lead]) / 2.0) ** 2)) + shift * np.arange(n) / n
    truth = 1.0 / (1.0 + np.exp(-z))
    answered = rng.random(n) < truth
    party = rng.choice([Result.WRONG_PARTY, Result.RIGHT_PARTY, Result.PROMISE], n, p=[0.4, 0.4, 0.2])
    silent = rng.choice([Result.NO_ANSWER, Result.MACHINE, Result.BUSY], n, p=[0.6, 0.3, 0.1])
    result = np.where(answered, party, silent).astype(np.int8)
    log = AttemptLog(
        at=at,
        lead=lead.astype(np.int32),
        number=np.zeros(n, np.int8),
        offset_s=np.zeros(n, np.int32),
        result=result,
        holiday=np.zeros(n, bool),
        carrier=rng.integers(0, 2, n).astype(np.int16),
        ring_s=rng.uniform(1.0, 30.0, n).astype(np.float32),
        talk_s=np.where(answered, rng.lognormal(4.0 + 0.3 * product[lead], 0.8), np.nan).astype(np.float32),
        propensity=np.full(n, np.nan, np.float32),
        carriers=("north", "south"),
    )
    table = LeadTable(
        ids=tuple(f"L{i}" for i in range(leads)),
        numeric={"amount": amount.astype(np.float32)},
        categories={"product": product.astype(np.int32)},
        of_numbers={"line_type": line.astype(np.int32)},
        vocabularies={"product": ("auto", "card", "home", "loan"), "line_type": ("landline", "mobile")},
    )
    return SmallWorld(log, table, truth)
