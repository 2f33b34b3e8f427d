"""The columns of a request for a plan, read and checked: nothing of a request that does not fit is taken in."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.allocation import MOST_SLOTS
from models.attempts import Result
from models.plan import PlanRequest, unpack

Columns = dict[str, NDArray[Any]]

CHANGED = {"lead": "<i4", "region": "<i2", "on_number": "<i1", "priority": "<i4", "ready_at": "<f8"}
ENDED = {
    "ended_lead": "<i4",
    "ended_at": "<f8",
    "ended_number": "<i1",
    "ended_result": "<i1",
    "ended_ring": "<f4",
    "ended_talk": "<f4",
    "ended_carrier": "<i2",
    "ended_propensity": "<f4",
}
AHEAD_S = 300.0  # an attempt is placed no later than so long after its request: a clock may have been set


def columns_of(request: PlanRequest, leads: int) -> tuple[Columns, Columns]:
    """Return what changed and what ended, of `leads` leads. Raises `ValueError`, one line, for what does not fit."""
    _check_day(request)
    changed, ended = _read(request, CHANGED), _read(request, ENDED)
    for column, what, least, most in (
        (changed["lead"], "leads", 0, leads - 1),
        (changed["region"], "regions", -1, len(request.regions) - 1),
        (changed["on_number"], "numbers", 0, 127),
        (ended["ended_lead"], "leads", 0, leads - 1),
        (ended["ended_number"], "numbers", 0, 127),
        (ended["ended_result"], "results", min(Result), max(Result)),
    ):
        if len(column) and (int(column.min()) < least or int(column.max()) > most):
            raise ValueError(f"expected {what} in [{least}, {most}], were {column.min()} to {column.max()}")
    if np.isnan(changed["ready_at"]).any():
        raise ValueError("expected a time from which each lead is ready, found none")
    at = ended["ended_at"]
    if len(at) and not (at.min() >= 0.0 and at.max() <= request.at + AHEAD_S):
        raise ValueError(f"expected attempts before {request.at:.0f}, were from {at.min():.0f} to {at.max():.0f}")
    if len(at) and not request.regions:
        raise ValueError("expected the regions of the leads that were called, found none")
    return changed, ended


def _read(request: PlanRequest, kinds: dict[str, str]) -> Columns:
    columns = {name: unpack(getattr(request, name), kind) for name, kind in kinds.items()}
    if len({len(column) for column in columns.values()}) > 1:
        found = ", ".join(f"{len(column)} {name}" for name, column in columns.items())
        raise ValueError(f"expected columns of equal length, were {found}")
    return columns


def _check_day(request: PlanRequest) -> None:
    """Raise `ValueError` for slots and regions that make no day."""
    slots = request.slots
    if not 1 <= len(slots) <= MOST_SLOTS:
        raise ValueError(f"expected 1 to {MOST_SLOTS} slots, were {len(slots)}")
    if not all(0.0 <= slot.begin_at < slot.end_at and isfinite(slot.end_at) for slot in slots):
        raise ValueError("expected slots that begin before they end")
    if not all(one.end_at <= other.begin_at for one, other in pairwise(slots)):
        raise ValueError("expected slots in order of time")
    if not (request.handle_s > 0.0 and isfinite(request.handle_s)):
        raise ValueError(f"expected a handle time above 0, was {request.handle_s:g} s")
    if not (request.gap_s >= 0.0 and isfinite(request.gap_s)):
        raise ValueError(f"expected a gap of at least 0, was {request.gap_s:g} s")
    for region in request.regions:
        if len(region.open) != len(slots) or not all(0.0 <= share <= 1.0 for share in region.open):
            raise ValueError(f"expected {len(slots)} shares of {region.zone} in [0, 1], were {region.open}")
        if not all(0 <= hour < 24 for hour in region.hours):
            raise ValueError(f"expected hours of {region.zone} in [0, 23], were {region.hours}")
        if region.per_day < 0 or region.per_week < 0:
            raise ValueError(f"expected caps of {region.zone}, were {region.per_day} a day, {region.per_week} a week")
