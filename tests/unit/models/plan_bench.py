"""Models whose numbers are plain to see, days to plan, and a planning that is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.attempts import Result, Singles
from models.bundle import ModelBundle
from models.feature_set import FeatureSet
from models.lead_table import LeadTable
from models.plan import HourPlan, PlanRequest, Region, Slot, pack, unpack
from models.planning import Planning, PlanSettings

MONDAY = 1_767_571_200.0  # 2026-01-05 00:00 UTC
HOUR_S, DAY_S = 3600.0, 86400.0
SET = FeatureSet(
    numeric=("amount",), categories=("product",), vocabularies={"product": ("card", "loan")}, carriers=("t1",)
)
PLACE = {name: place for place, name in enumerate(SET.names)}


@dataclass
class PlainModel:
    """Answers by a logit of the amount, the local hour and what has happened; no two rows of a test are alike."""

    id: str = "m-1"
    by_hour: float = 0.05
    feature_set: FeatureSet = SET
    told: int = 0  # rows that it was asked about

    def answer(self, X: Singles) -> Singles:
        self.told += len(X)
        z = -2.0 + column(X, "amount") + self.by_hour * column(X, "hour") + 0.3 * column(X, "holiday")
        z += 0.2 * column(X, "number") - 0.1 * column(X, "attempts_7_days") - 0.4 * column(X, "attempts_today")
        return _chance(z + 0.001 * column(X, "hours_since_attempt") - 0.2 * column(X, "wear_2_days"))

    def right_party(self, X: Singles) -> Singles:
        return _chance(0.5 - 0.2 * column(X, "wrong_parties") + 0.03 * column(X, "hour"))

    def promise(self, X: Singles) -> Singles:
        return _chance(-1.0 + column(X, "amount"))

    def talk_s(self, X: Singles) -> Singles:
        return (60.0 + 10.0 * column(X, "amount")).astype(np.float32)

    def by_tables(self, part: str, X: Singles) -> Singles:
        return np.full(len(X), {"answer": 0.25, "right_party": 0.75, "promise": 0.5}[part], dtype=np.float32)


def column(X: Singles, name: str) -> NDArray[np.float64]:
    return np.nan_to_num(X[:, PLACE[name]].astype(np.float64))


def _chance(z: NDArray[np.float64]) -> Singles:
    return (1.0 / (1.0 + np.exp(-z))).astype(np.float32)


def table_of(n: int, *, product: Sequence[str] = ("card", "loan"), seed: int = 0) -> LeadTable:
    amounts = np.random.default_rng(seed).permutation(n) / max(n, 1)
    words = tuple(sorted(set(product)))
    return LeadTable(
        ids=tuple(f"L{i}" for i in range(n)),
        numeric={"amount": amounts.astype(np.float32)},
        categories={"product": np.array([words.index(product[i % len(product)]) for i in range(n)], dtype=np.int32)},
        vocabularies={"product": words},
    )


def planning_of(n: int | LeadTable, model: object | None = None, **settings: Any) -> Planning:
    table = table_of(n) if isinstance(n, int) else n
    challenger = settings.pop("challenger", None)
    return Planning(
        table,
        cast(ModelBundle, model or PlainModel()),
        challenger=cast(ModelBundle, challenger) if challenger else None,
        settings=PlanSettings(**{"explore": 0.0, **settings}),
    )


@dataclass(frozen=True)
class Zone:
    """Where people are, and what binds them. Hours are local."""

    offset_h: float = 0.0
    opens: float = 8.0
    closes: float = 20.0
    per_day: int = 100
    per_week: int = 100
    holiday: bool = False


@dataclass(frozen=True)
class Told:
    """What an attempt came to."""

    lead: int
    at: float
    result: Result = Result.NO_ANSWER
    propensity: float = nan
    number: int = 0


def request_of(
    at: float,
    n: int,
    *,
    lead: Sequence[int] | None = None,
    zones: Sequence[Zone] = (Zone(),),
    until: float | None = None,
    ended: Sequence[Told] = (),
    attempts: float = 1e6,
    agent_s: float = 1e9,
    number: int = 1,
    **columns: Any,
) -> PlanRequest:
    """Ask for `n` leads, or `lead` of them; the last place to close ends the day, or `until`. Columns by name."""
    which = list(range(n)) if lead is None else list(lead)
    ends = [((at + zone.offset_h * HOUR_S) // DAY_S) * DAY_S + (zone.closes - zone.offset_h) * HOUR_S for zone in zones]
    bounds = [at]
    last = max(ends, default=at + HOUR_S) if until is None else until
    while bounds[-1] < last:
        bounds.append(min((bounds[-1] // HOUR_S + 1.0) * HOUR_S, last))
    slots = tuple(
        Slot(begin_at=one, end_at=other, attempts=attempts, agent_s=agent_s) for one, other in pairwise(bounds)
    )
    return PlanRequest(
        number=number,
        at=at,
        slots=slots,
        regions=tuple(_region(zone, slots) for zone in zones),
        carriers=("t1",),
        handle_s=120.0,
        gap_s=0.0,
        lead=pack(which, "<i4"),
        region=pack(columns.get("region", [0] * len(which)), "<i2"),
        on_number=pack(columns.get("on_number", [0] * len(which)), "<i1"),
        priority=pack(columns.get("priority", [0] * len(which)), "<i4"),
        ready_at=pack(columns.get("ready_at", [0.0] * len(which)), "<f8"),
        ended_lead=pack([told.lead for told in ended], "<i4"),
        ended_at=pack([told.at for told in ended], "<f8"),
        ended_number=pack([told.number for told in ended], "<i1"),
        ended_result=pack([told.result for told in ended], "<i1"),
        ended_ring=pack([20.0] * len(ended), "<f4"),
        ended_talk=pack([nan] * len(ended), "<f4"),
        ended_carrier=pack([0] * len(ended), "<i2"),
        ended_propensity=pack([told.propensity for told in ended], "<f4"),
    )


def _region(zone: Zone, slots: Sequence[Slot]) -> Region:
    shift = zone.offset_h * HOUR_S

    def share(begin: float, end: float) -> float:
        day = begin // DAY_S * DAY_S
        inside = min(end, day + zone.closes * HOUR_S) - max(begin, day + zone.opens * HOUR_S)
        return max(0.0, inside) / (end - begin)

    return Region(
        zone=f"Etc/{zone.offset_h:g}",
        offset_s=int(shift),
        holiday=zone.holiday,
        open=tuple(share(slot.begin_at + shift, slot.end_at + shift) for slot in slots),
        hours=tuple(h for h in range(24) if share(h * HOUR_S, (h + 1) * HOUR_S) > 0.0),
        per_day=zone.per_day,
        per_week=zone.per_week,
    )


def order_of(plan: HourPlan) -> list[int]:
    found: list[int] = unpack(plan.order, "<i4").tolist()
    return found


def held_of(plan: HourPlan) -> dict[int, float]:
    return dict(zip(unpack(plan.held, "<i4").tolist(), unpack(plan.held_until, "<f8").tolist(), strict=True))


def because_of(plan: HourPlan) -> NDArray[np.uint8]:
    return unpack(plan.because, "|u1")


def answers_of(plan: HourPlan) -> NDArray[np.float32]:
    return unpack(plan.answer, "<f4")
