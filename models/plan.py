"""What the engine asks of the planner and what it is answered: whom to call in this hour, and how likely each answers.

The columns travel as bytes (little-endian), so that a request or a plan is one small record of the journal.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Column = bytes


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign wants its plans."""

    explore: float = 0.03  # share of the lead-days whose hour or rest is drawn by lot
    goal: str = "right_party"  # or "promise"
    wear_price: float = 1.0  # times what a failed attempt costs in later contacts
    challenger_share: float = 0.0  # of the leads
    seed: int = 0


class Slot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of the day, an hour or what is left of it, and what can be done in it."""

    begin_at: float  # UTC seconds
    end_at: float
    attempts: float  # that lines and trunks can place in it, at most
    agent_s: float  # seconds that agents can spend on calls in it


class Region(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Leads whose hours open and close together, and who are bound by the same caps."""

    zone: str  # IANA; of the local hour
    offset_s: int  # local time minus UTC, now
    holiday: bool  # today is a public holiday there
    open: tuple[float, ...]  # by slot: share of it in which calls may be begun, in [0, 1]
    hours: tuple[int, ...]  # local hours of the whole day in which calls may be begun
    per_day: int  # attempts that a person may have in a day
    per_week: int  # in seven days


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the day stands, and what has happened since the last request. Leads by their index in the engine.

    What changed of leads: `lead` int32, `region` int16 (of `regions`; -1: not to be called any more), `on_number` int8,
    `priority` int32, `ready_at` float64 (UTC seconds). What attempts came to: `ended_lead` int32, `ended_at` float64
    (when placed), `ended_number` int8, `ended_result` int8 (`models.attempts.Result`), `ended_ring` float32,
    `ended_talk` float32, `ended_carrier` int16 (of `carriers`), `ended_propensity` float32.
    """

    number: int  # of the request, from 1
    at: float  # UTC seconds
    slots: tuple[Slot, ...]  # the present one first; to the end of the day
    regions: tuple[Region, ...]
    carriers: tuple[str, ...]
    handle_s: float  # of an answered call, on the whole
    gap_s: float  # least rest of a lead between two attempts
    lead: Column = b""
    region: Column = b""
    on_number: Column = b""
    priority: Column = b""
    ready_at: Column = b""
    ended_lead: Column = b""
    ended_at: Column = b""
    ended_number: Column = b""
    ended_result: Column = b""
    ended_ring: Column = b""
    ended_talk: Column = b""
    ended_carrier: Column = b""
    ended_propensity: Column = b""


class HourPlan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a request, for its present slot.

    `order` int32: leads to be called, the best first; whoever is not in it comes after all that are. `held` int32:
    leads not called before `held_until` float64 (UTC seconds), for their hour or gap was drawn by lot. Of every
    lead, by index: `answer` float32 in [0, 1], of a live answer now, NaN where no model says; `right_party` float32, of
    such an answer; `because` uint8 (`models.exploration.Because`); `propensity` float32, of a randomised hour or gap,
    else NaN; `arm` uint8, of `models`.
    """

    number: int  # of the request
    until: float  # UTC seconds: the plan is of no use from then on
    models: tuple[str, ...]  # versions: the champion, and the challenger if there is one
    order: Column
    held: Column
    held_until: Column
    answer: Column
    right_party: Column
    because: Column
    propensity: Column
    arm: Column
    hour_prices: tuple[float, ...] = ()  # by slot, of an attempt, in contacts
    agent_prices: tuple[float, ...] = ()  # by slot, of an agent's second, in contacts
    wear_index: float | None = None  # remaining expected contacts / those at load
    told: tuple[str, ...] = ()  # what people should know: leads without a score, a model that is refused


def pack(values: object, kind: str) -> Column:
    """Write a column: `kind` as numpy has it ("<i4")."""
    return np.asarray(values, dtype=kind).tobytes()


def unpack(data: Column, kind: str) -> NDArray[Any]:
    """Read a column: a view that cannot be written."""
    return np.frombuffer(data, dtype=kind)
