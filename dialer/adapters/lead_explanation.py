"""Why a lead has the probability that it has: what the tables and trees add, what came so far, and its plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np

from compliance.zones import load_zone
from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.journal import read_journal
from dialer.adapters.lead_traits import lead_table_of
from dialer.adapters.local_moments import holidays_of, offsets_of
from dialer.core import events as ev
from dialer.core.lead import Lead
from dialer.errors import ConfigError, JournalError
from models.attempts import AttemptLog, Result, Singles
from models.bundle import ANSWER, RIGHT_PARTY, Kind, ModelBundle
from models.exploration import Because
from models.features import History, features_at, fits, unknown_rows
from models.plan import HourPlan, unpack

HOUR_S = 3600.0
HOURS = 24  # that are looked at
MOST_ATTEMPTS = 20  # the last ones that are told


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What moves a probability, on the logit; `value` is the lead's own in that column, None where unknown."""

    what: str
    logit: float
    value: float | str | None = None


class HourTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a call in an hour would bring, by the history as it is now."""

    at: float  # UTC seconds, its begin
    local: str  # the lead's clock
    answer: float
    right_party: float  # of an answer
    open: bool | None  # whether the rules allow it; None: they are not known


class PastAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt on the lead so far."""

    at: float  # UTC seconds
    local: str
    number: int | None  # place among the lead's numbers, from 0
    result: str  # `Result`, in small letters


class LeadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the last plan that the journals have says of the lead."""

    at: float  # UTC seconds, when it came
    until: float
    models: tuple[str, ...]
    place: int | None  # in the order of those to be called now, from 1; None: it is not among them
    of: int  # so many are
    answer: float | None
    right_party: float | None
    because: str
    propensity: float | None
    held_until: float | None  # its hour or gap was drawn by lot


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is to say of a lead's probability at a moment."""

    lead: str
    at: float  # UTC seconds
    model: str
    by: Kind  # what tells the answer
    number: int  # place among the lead's numbers
    answer: float
    right_party: float  # of an answer
    promise: float  # of a right party
    talk_s: float | None
    moves: tuple[Move, ...]  # of the answer's logit, before the calibration
    right_party_moves: tuple[Move, ...]
    attempts: tuple[PastAttempt, ...]  # the last ones
    attempts_in_all: int
    hours: tuple[HourTold, ...]
    plan: LeadPlan | None
    told: tuple[str, ...]


def explain_lead(
    bundle: ModelBundle,
    leads: Sequence[Lead],
    past: PastAttempts,
    lead_id: str,
    *,
    at: float,
    number: int = 0,
    open_at: Callable[[Lead, int, float], bool] | None = None,
    plan: LeadPlan | None = None,
) -> Explanation:
    """Explain a lead's probability if its number at place `number` were called at `at` (UTC seconds).

    `leads` are as the list has them now, `past` what was done before. `open_at(lead, number, at)` says whether the
    rules allow a call. Raises `ConfigError` for a lead or number that is none, or a list that the model cannot read.
    """
    row = next((index for index, lead in enumerate(leads) if lead.lead_id == lead_id), None)
    if row is None:
        raise ConfigError(f"{lead_id[:60]!r}: expected one of the campaign's {len(leads):,} leads")
    lead = leads[row]
    if not 0 <= number < len(lead.numbers):
        raise ConfigError(f"--number {number + 1}: expected one of the lead's {len(lead.numbers)}")
    table = lead_table_of(leads, bundle.feature_set)
    if wrong := fits(bundle.feature_set, table):
        raise ConfigError(f"{bundle.id}: {'; '.join(wrong)}")
    before = _attempts_of(past, lead_id, at, row)
    history = History(len(leads))
    history.observe(before)
    strange, told = unknown_rows(bundle.feature_set, table)
    by_tables = bool(strange[row])
    notes = list(past.told)
    if by_tables:
        notes += [f"{line}; this lead goes by the tables" for line in told]
    zone = lead.numbers[number].zones[0] if lead.numbers[number].zones else "UTC"
    places = tuple(lead.numbers[number].place.jurisdictions)

    def features(moment: float) -> Singles:
        when = np.array([moment])
        offset_s = offsets_of(when, np.zeros(1, dtype=np.int64), [zone])
        holiday = holidays_of(when, offset_s, np.zeros(1, dtype=np.int64), [places])
        which, on = np.array([row], dtype=np.int32), np.array([number], dtype=np.int8)
        return features_at(history, table, bundle.feature_set, which, on, moment, offset_s, holiday)

    X = features(at)
    talk_s = float(bundle.talk_s(X)[0])
    return Explanation(
        lead=lead_id,
        at=at,
        model=bundle.id,
        by=Kind.TABLES if by_tables else bundle.manifest.parts[ANSWER].kind,
        number=number,
        answer=_answer(bundle, X, by_tables),
        right_party=float(bundle.right_party(X)[0]),
        promise=float(bundle.promise(X)[0]),
        talk_s=talk_s if np.isfinite(talk_s) else None,
        moves=_moves(bundle, ANSWER, X, by_tables),
        right_party_moves=_moves(bundle, RIGHT_PARTY, X, False),
        attempts=_told_attempts(before, zone),
        attempts_in_all=len(before),
        hours=_hours(bundle, features, by_tables, at, zone, lead, number, open_at),
        plan=plan,
        told=tuple(notes),
    )


def _answer(bundle: ModelBundle, X: Singles, by_tables: bool) -> float:
    return float((bundle.by_tables(ANSWER, X) if by_tables else bundle.answer(X))[0])


def _attempts_of(past: PastAttempts, lead_id: str, at: float, row: int) -> AttemptLog:
    """The lead's attempts before a moment, as those of row `row` of the present list."""
    here = past.ids.index(lead_id) if lead_id in past.ids else -1
    own = past.log.rows((past.log.lead == here) & (past.log.at < at))
    return replace(own, lead=np.full(len(own), row, dtype=np.int32))


def _moves(bundle: ModelBundle, part: str, X: Singles, by_tables: bool) -> tuple[Move, ...]:
    fs, row = bundle.feature_set, X[0]
    told = bundle.tables[part].explained(row) if by_tables else bundle.explained(part, row)
    names = {name: place for place, name in enumerate(fs.names)}
    moves = []
    for what, logit in told:
        value: float | str | None = None
        if what in names and np.isfinite(row[names[what]]):
            value = round(float(row[names[what]]), 4)
            words = fs.carriers if what == "carrier" else fs.vocabularies.get(what.removeprefix("list_"), ())
            value = words[int(value)] if int(value) < len(words) else value
        moves.append(Move(what=what, logit=round(float(logit), 4), value=value))
    return tuple(moves)


def _hours(
    bundle: ModelBundle,
    features: Callable[[float], Singles],
    by_tables: bool,
    at: float,
    zone: str,
    lead: Lead,
    number: int,
    open_at: Callable[[Lead, int, float], bool] | None,
) -> tuple[HourTold, ...]:
    first = np.floor(at / HOUR_S) * HOUR_S
    hours = []
    for begin in (float(first + HOUR_S * k) for k in range(HOURS)):
        middle = max(begin + 0.5 * HOUR_S, at)
        X = features(middle)
        hours.append(
            HourTold(
                at=begin,
                local=_local(begin, zone),
                answer=_answer(bundle, X, by_tables),
                right_party=float(bundle.right_party(X)[0]),
                open=None if open_at is None else open_at(lead, number, middle),
            )
        )
    return tuple(hours)


def _told_attempts(log: AttemptLog, zone: str) -> tuple[PastAttempt, ...]:
    return tuple(
        PastAttempt(
            at=float(log.at[row]),
            local=_local(float(log.at[row]), zone),
            number=None if log.number[row] < 0 else int(log.number[row]),
            result=Result(int(log.result[row])).name.lower(),
        )
        for row in range(max(0, len(log) - MOST_ATTEMPTS), len(log))
    )


def _local(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, load_zone(zone)).strftime("%a %Y-%m-%d %H:%M")


# ---- the plan -------------------------------------------------------------------------------------------------
def last_plan(journal: Path, lead_id: str, at: float) -> LeadPlan | None:
    """Return what the last plan of a journal until `at` (UTC seconds) says of a lead; None where there is none."""
    _, steps = read_journal(journal)
    index_of: dict[str, int] = {}
    found: tuple[float, HourPlan] | None = None
    try:
        for event, _ in steps:
            if isinstance(event, ev.LeadsAdded):
                for lead in event.leads:
                    index_of.setdefault(lead.lead_id, len(index_of))
            elif isinstance(event, ev.HoursPlanned) and event.at <= at:
                found = event.at, event.plan
    except JournalError:  # of a campaign that runs the last line may be half written
        pass
    index = index_of.get(lead_id)
    return None if found is None or index is None else _plan_of(found[1], index, found[0])


def _plan_of(plan: HourPlan, index: int, at: float) -> LeadPlan | None:
    answer = unpack(plan.answer, "<f4")
    if index >= len(answer):
        return None
    order, held = unpack(plan.order, "<i4"), unpack(plan.held, "<i4")
    place, rests = np.flatnonzero(order == index), np.flatnonzero(held == index)
    return LeadPlan(
        at=at,
        until=plan.until,
        models=plan.models,
        place=int(place[0]) + 1 if len(place) else None,
        of=len(order),
        answer=_known(answer[index]),
        right_party=_known(unpack(plan.right_party, "<f4")[index]),
        because=Because(int(unpack(plan.because, "|u1")[index])).name.lower(),
        propensity=_known(unpack(plan.propensity, "<f4")[index]),
        held_until=float(unpack(plan.held_until, "<f8")[rests[0]]) if len(rests) else None,
    )


def _known(value: np.float32) -> float | None:
    return float(value) if np.isfinite(value) else None
