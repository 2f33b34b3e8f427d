"""What calls in vain cost a campaign's people: by the model, by the lots, as seen, and as the last plan had it.

How it works: of each lead one attempt drawn by lot stands for a usual call. The model is asked about it as if the lead
had been called so often and had rested so long. The lots are the attempts whose rest was random. Segments go by what
lasts: who is of one because of what came of the calls would tell of those calls, not of wear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.best_hours import OTHERS, segments_or_stages
from dialer.adapters.lead_traits import lead_table_of
from dialer.config.campaign import Campaign
from dialer.core.lead import Lead
from dialer.core.segments import SegmentRules
from models.attempts import AttemptLog, Ints
from models.best_time import EVERYBODY
from models.bundle import ModelBundle
from models.feature_set import fits
from models.features import attempt_features
from models.report_data import PlannedWear, SegmentWear
from models.wear import (
    WearCurve,
    WearEffect,
    counterfactual_curves,
    effect_curves,
    randomised_effect,
    raw_curves,
    segment_effects,
)

MOST_LEADS = 2000  # of a segment about whom the model is asked; the mean of so many is as good as that of all
LEAST_SEEN = 50  # attempts of a number, below which what is seen of it is chance
_PRIOR_RATE, _PRIOR_WEIGHT = 0.1, 10.0  # of first calls that are answered

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WearOnRecord:
    """The wear of each segment that was called, all leads last, and what people should know."""

    segments: tuple[SegmentWear, ...]
    told: tuple[str, ...] = ()


def wear_on_record(
    bundle: ModelBundle, past: PastAttempts, campaign: Campaign | None, *, now: float, seed: int = 1
) -> WearOnRecord:
    """Tell wear by a campaign's segments, its stages where it has none; of all leads alone without a campaign.

    `now` is UTC seconds. Deterministic for a seed. Where the lists lack a column of the model's, that is told and the
    model says nothing.
    """
    names, codes, told = _lasting(campaign, past.leads, now)
    log = past.log.rows(past.log.known)
    everybody = np.full(len(past.leads), len(names), dtype=np.int32)
    groups = (*names, EVERYBODY)
    curves: list[WearCurve] = []
    table = lead_table_of(past.leads, bundle.feature_set)
    if wrong := fits(bundle.feature_set, table):
        told.append(f"{bundle.id} cannot say how calls wear: {'; '.join(wrong)}")
    elif len(log):
        X = attempt_features(log, table, bundle.feature_set)
        rows, segments = _asked(log, codes, len(names), np.random.default_rng(seed))
        X = X[rows]
        X[:, bundle.feature_set.names.index("carrier")] = np.nan
        curves = counterfactual_curves(bundle.answer, X, bundle.feature_set.names, segments, groups)
    effects: dict[str, WearEffect] = segment_effects(log, codes, names) if names else {}
    if (overall := randomised_effect(log)) is not None:
        effects[EVERYBODY] = overall
    raw = {curve.segment: curve for curve in (*raw_curves(log, codes, names), *raw_curves(log, everybody, groups)[-1:])}
    number, in_vain = _numbers(log)
    found = []
    for code, name in enumerate(groups):
        own = np.ones(len(log), dtype=np.bool_) if name == EVERYBODY else codes[log.lead] == code
        if not own.any():
            continue
        drawn = log.propensity[own & (in_vain > 0) & (log.propensity > 0.0)].astype(np.float64)
        effect = effects.get(name)
        first = log.answered[own & (number == 1)]
        rate = (first.sum() + _PRIOR_RATE * _PRIOR_WEIGHT) / (len(first) + _PRIOR_WEIGHT)
        part = SegmentWear(
            segment=name,
            leads=len(np.unique(log.lead[own])),
            attempts=int(own.sum()),
            model=tuple(curve for curve in curves if curve.segment == name),
            raw=_seen(raw[name], number[own]),
            drawn=len(drawn),
            worth=float((1.0 / drawn).sum() ** 2 / (1.0 / drawn**2).sum()) if len(drawn) else 0.0,
            effect=effect,
        )
        if effect is not None and part.lots_tell:
            part = msgspec.structs.replace(part, lots=tuple(effect_curves(effect, float(rate), segment=name)))
        found.append(part)
    return WearOnRecord(segments=tuple(found), told=tuple(told))


def _lasting(campaign: Campaign | None, leads: Sequence[Lead], now: float) -> tuple[tuple[str, ...], Ints, list[str]]:
    """Return names of segments, the place of each lead's among them, and what is to be told."""
    if campaign is None:
        return (), np.full(len(leads), -1, dtype=np.int32), []
    campaign, names = segments_or_stages(campaign)
    lasting, told = [], []
    for segment in campaign.segments:
        when = segment.when.model_copy(update={"last_contact_days": None, "propensity": None})
        if when != segment.when:
            told.append(f"{segment.name}: its wear is that of all who could be of it, whatever came of their calls")
        lasting.append(segment.model_copy(update={"when": when}))
    rules = SegmentRules(campaign.model_copy(update={"segments": tuple(lasting)}))
    codes = np.array(
        [rules.of(lead, propensity=None, last_contact_at=None, now=now) for lead in leads], dtype=np.int32
    ).reshape(len(leads))
    return (*names, OTHERS), np.where(codes < 0, len(names), codes).astype(np.int32), told


def _asked(log: AttemptLog, codes: Ints, segments: int, rng: np.random.Generator) -> tuple[Rows, Ints]:
    """Draw an attempt of each lead, of at most `MOST_LEADS` of each segment and of all: rows, and their segments."""
    shuffled = rng.permutation(len(log))
    one_each = shuffled[np.unique(log.lead[shuffled], return_index=True)[1]]
    one_each = rng.permutation(one_each)
    of_row = codes[log.lead[one_each]]
    rows = [one_each[of_row == code][:MOST_LEADS] for code in range(segments)] + [one_each[:MOST_LEADS]]
    place = np.repeat(np.arange(segments + 1, dtype=np.int32), [len(some) for some in rows])
    return np.concatenate(rows), place


def _numbers(log: AttemptLog) -> tuple[Rows, Rows]:
    """Return of each attempt the how-manieth of its lead it is, from 1, and how many before it were in vain."""
    order = np.lexsort((np.arange(len(log)), log.lead))
    lead, vain = log.lead[order], (~log.answered[order]).astype(np.int64)
    begins = np.flatnonzero(np.diff(lead, prepend=-1))
    lengths = np.diff(np.append(begins, len(lead)))
    before = np.cumsum(vain) - vain
    number, in_vain = np.empty(len(log), dtype=np.int64), np.empty(len(log), dtype=np.int64)
    number[order] = np.arange(len(lead)) - np.repeat(begins, lengths) + 1
    in_vain[order] = before - np.repeat(before[begins], lengths)
    return number, in_vain


def _seen(raw: WearCurve, number: Rows) -> WearCurve | None:
    """Return the raw curve as far as there are attempts enough; None where it does not even reach the second."""
    counts = np.bincount(number, minlength=max(raw.attempts) + 1)
    enough = [counts[j] >= LEAST_SEEN for j in raw.attempts]
    most = enough.index(False) if False in enough else len(enough)
    if most < 2 or not np.isfinite(raw.ratio[0]):
        return None
    return msgspec.structs.replace(raw, attempts=raw.attempts[:most], ratio=raw.ratio[:most])


# ---- the plan ---------------------------------------------------------------------------------------------------
class _Plan(msgspec.Struct, gc=False):
    wear_index: float | None = None


class _Planned(msgspec.Struct, gc=False):
    at: float
    plan: _Plan


_BEGIN = b'E {"type":"HoursPlanned"'


def planned_wear(journals: Sequence[Path]) -> PlannedWear | None:
    """Return the portfolio's wear index as the last plan had it; None where no plan of these journals has one.

    `journals` in the order in which they began. A line that is cut off or damaged is passed over.
    """
    decoder = msgspec.json.Decoder(_Planned)
    for path in reversed(journals):
        found: PlannedWear | None = None
        with path.open("rb") as file:
            for line in file:
                if not line.startswith(_BEGIN):
                    continue
                try:
                    planned = decoder.decode(memoryview(line)[2:])
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue
                if planned.plan.wear_index is not None:
                    found = PlannedWear(at=planned.at, index=planned.plan.wear_index)
        if found is not None:
            return found
    return None
