"""The best hours to call a list: its leads told for each open hour of the coming week, by segment.

How it works: the campaign's journals say what has happened to each lead, and how often each hour was tried. Then each
place's hours of the coming seven days are asked for one after the other: the rules say which are open, the model how
likely a call is to succeed there. Of a large segment some leads, drawn by lot, stand for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from compliance.clearance import Place
from compliance.ruleset import RuleSet
from compliance.zones import day_begin, known_zones, local_date, offset_at
from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.lead_traits import lead_table_of
from dialer.adapters.local_moments import holidays_of
from dialer.config.campaign import Campaign
from dialer.config.models import Goal
from dialer.config.segments import STAGES, Segment, When
from dialer.core.lead import Lead
from dialer.core.segments import SegmentRules
from models.attempts import AttemptLog, Flags, Floats, Ints, Result, Singles
from models.best_time import DAYS, HOURS, HourMeans, HourRecord, SegmentHours, best_time, record_by_hour, successes
from models.bundle import ANSWER, PROMISE, RIGHT_PARTY, ModelBundle
from models.empirical_bayes import RateTables
from models.feature_set import FeatureSet, feature_set_of, fits, unknown_rows
from models.features import attempt_features
from models.history import History, features_at
from models.lead_table import LeadTable

OTHERS = "all others"
MOST_LEADS = 4000  # of a segment that are told; the mean of so many is as good as that of all
_CHUNK = 200_000  # rows of features at a time
_TABLE_PRIORS = {ANSWER: 0.1, RIGHT_PARTY: 0.6, PROMISE: 0.3}

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestHours:
    """What is told of a list. `model`: the version that told it; None: tables alone."""

    goal: Goal
    model: str | None
    segments: tuple[SegmentHours, ...]
    told: tuple[str, ...] = ()


class Chances(Protocol):
    """Tells how likely calls are to succeed."""

    @property
    def feature_set(self) -> FeatureSet: ...
    def of(self, X: Singles) -> tuple[Singles, Singles]:
        """Return the chance of each row by the model and by its tables alone."""
        ...


class ModelChances:
    """A trained model's."""

    def __init__(self, bundle: ModelBundle, goal: Goal) -> None:
        self._bundle = bundle
        self._parts = _parts(goal)

    @property
    def feature_set(self) -> FeatureSet:
        return self._bundle.feature_set

    def of(self, X: Singles) -> tuple[Singles, Singles]:
        bundle = self._bundle
        told = {ANSWER: bundle.answer, RIGHT_PARTY: bundle.right_party, PROMISE: bundle.promise}
        model, tables = np.ones(len(X), dtype=np.float32), np.ones(len(X), dtype=np.float32)
        for part in self._parts:
            model *= told[part](X)
            tables *= bundle.by_tables(part, X)
        return model, tables


class TableChances:
    """Those of tables, fitted to the attempts on record: for a campaign without a model."""

    def __init__(self, past: PastAttempts, goal: Goal) -> None:
        log, result = past.log, past.log.result
        columns = feature_set_of(past.table, log)
        X = attempt_features(log, past.table, columns)
        reached = (result == Result.RIGHT_PARTY) | (result == Result.PROMISE)
        taught = {
            ANSWER: (log.known, log.answered),
            RIGHT_PARTY: (reached | (result == Result.WRONG_PARTY), reached),
            PROMISE: (reached, result == Result.PROMISE),
        }
        self.feature_set = columns
        self._tables = [
            RateTables.fit(X[rows], y[rows], columns, prior_rate=_TABLE_PRIORS[part])
            for part, (rows, y) in taught.items()
            if part in _parts(goal)
        ]

    def of(self, X: Singles) -> tuple[Singles, Singles]:
        p = np.ones(len(X), dtype=np.float32)
        for tables in self._tables:
            p /= np.float32(1.0) + np.exp(-tables.margin(X))
        return p, p


def _parts(goal: Goal) -> tuple[str, ...]:
    return (ANSWER, RIGHT_PARTY, PROMISE) if goal == "promise" else (ANSWER, RIGHT_PARTY)


def best_hours(
    campaign: Campaign,
    rules: RuleSet,
    leads: Sequence[Lead],
    past: PastAttempts,
    bundle: ModelBundle | None,
    *,
    now: float,
    seed: int = 1,
    progress: Progress | None = None,
) -> BestHours:
    """Return the hours of the seven local days after `now` (UTC seconds) for each of the campaign's segments.

    Without a model, or with one that does not fit the list, the tables tell. `progress` is told the share done.
    """
    goal, told = campaign.models.goal, []
    chances: Chances | None = None
    if bundle is not None:
        wrong = fits(bundle.feature_set, lead_table_of(leads, bundle.feature_set))
        if wrong:
            told.append(f"{bundle.id} does not fit this list ({'; '.join(wrong)}): the tables tell")
        else:
            chances = ModelChances(bundle, goal)
    model = bundle.id if bundle is not None and chances is not None else None
    if chances is None:
        chances = TableChances(past, goal)
    week = _Week(campaign, rules, leads, past, chances, now=now, seed=seed)
    means = week.means(progress)
    segments = best_time(means, week.record(), week.names)
    return BestHours(goal=goal, model=model, segments=tuple(segments), told=(*told, *week.told))


def segments_or_stages(campaign: Campaign) -> tuple[Campaign, tuple[str, ...]]:
    """Return the campaign with the segments that are told, and their names: its own, or the stages of delinquency."""
    if not campaign.segments:
        stages = tuple(Segment(name=stage, when=When(stage=(stage,))) for stage in STAGES)
        campaign = campaign.model_copy(update={"segments": stages})
    return campaign, tuple(segment.name for segment in campaign.segments)


class _Week:
    """The leads of a list as the coming week finds them."""

    def __init__(
        self,
        campaign: Campaign,
        rules: RuleSet,
        leads: Sequence[Lead],
        past: PastAttempts,
        chances: Chances,
        *,
        now: float,
        seed: int,
    ) -> None:
        campaign, names = segments_or_stages(campaign)
        self.names = (*names, OTHERS)
        self._rules, self._leads, self._past, self._chances, self._now = rules, leads, past, chances, now
        self._segments = SegmentRules(campaign)
        self._campaign = campaign
        self._by_chance = any(segment.when.propensity is not None for segment in campaign.segments)
        columns = chances.feature_set
        self.table: LeadTable = lead_table_of(leads, columns)
        self._unknown, unknown_told = unknown_rows(columns, self.table)
        self.told = [f"{line}: they go by the tables" for line in unknown_told]
        self._row_of = {lead.lead_id: row for row, lead in enumerate(leads)}
        self.history = History(len(leads))
        self.history.observe(self._own_attempts())
        # Where each lead is called: by its first number.
        places = {lead.numbers[0].place for lead in leads if _callable(lead.numbers[0].place)}
        self._places = tuple(sorted(places))
        place_of = {place: code for code, place in enumerate(self._places)}
        self._place: NDArray[np.int64] = np.array(
            [place_of.get(lead.numbers[0].place, -1) for lead in leads], dtype=np.int64
        )
        self.segment = self._segment_of_leads()
        self._drawn, self._weight = self._some(np.random.default_rng(seed))

    def _own_attempts(self) -> AttemptLog:
        """The attempts on record that were made to leads of the list."""
        row: Ints = np.array([self._row_of.get(lead_id, -1) for lead_id in self._past.ids], dtype=np.int32)
        log = self._past.log
        own = log.rows(row[log.lead] >= 0)
        own.lead[:] = row[own.lead]  # a copy: it was chosen by a mask
        return own

    # ---- segments -------------------------------------------------------------------------------------------
    def _segment_of_leads(self) -> Ints:
        reached = self.history.right_party_at
        chance = self._chances_now() if self._by_chance else np.full(len(self._leads), np.nan)
        return np.array(
            [self._segment_of(lead, float(chance[row]), float(reached[row])) for row, lead in enumerate(self._leads)],
            dtype=np.int32,
        )

    def _segment_of(self, lead: Lead, chance: float, reached_at: float) -> int:
        last = None if np.isnan(reached_at) else reached_at
        found = self._segments.of(lead, propensity=chance, last_contact_at=last, now=self._now)
        return found if found >= 0 else len(self._segments)

    def record(self) -> HourRecord:
        """Return what is on record of each hour, and what these chances expected of it."""
        log, columns = self._past.log, self._chances.feature_set
        if fits(columns, self._past.table):  # as on record, the leads lack what the list has
            chance = np.zeros(len(log), dtype=np.float32)
            self.told.append("what the attempts on record came to is not held against the model: their lists differ")
            success = np.zeros(len(log))
        else:
            chance = self._chances.of(attempt_features(log, self._past.table, columns))[0]
            success = successes(log, promises=self._campaign.models.goal == "promise")
        return record_by_hour(log, success, chance, self._segment_of_past(), self._alike())

    def _alike(self) -> Flags:
        """Return whose attempts tell what comes of a segment's: (segments, leads on record). Those that could be of it,
        were it not for what came of their calls."""
        leads = self._past.leads
        meets = [self._meets(segment, leads) for segment in self._segments.segments]
        taken, alike = np.zeros(len(leads), dtype=np.bool_), []
        for segment, those in zip(self._segments.segments, meets, strict=True):
            alike.append(those & ~taken)
            if not _by_outcome(segment.when):
                taken = taken | those
        return np.array([*alike, ~taken])

    def _meets(self, segment: Segment, leads: Sequence[Lead]) -> Flags:
        """Return who meets a segment's conditions, but for those on what came of calls."""
        lasting = segment.when.model_copy(update={"last_contact_days": None, "propensity": None})
        alone = self._campaign.model_copy(update={"segments": (segment.model_copy(update={"when": lasting}),)})
        rules = SegmentRules(alone)
        return np.array(
            [rules.of(lead, propensity=None, last_contact_at=None, now=self._now) == 0 for lead in leads],
            dtype=np.bool_,
        )

    def _segment_of_past(self) -> Ints:
        """Return the segment of each lead on record: as it is on the list, else as it was when it was listed."""
        rows = (self._row_of.get(lead.lead_id, -1) for lead in self._past.leads)
        return np.array(
            [
                self.segment[row] if row >= 0 else self._segment_of(lead, np.nan, np.nan)
                for row, lead in zip(rows, self._past.leads, strict=True)
            ],
            dtype=np.int32,
        )

    def _chances_now(self) -> Singles:
        chance = np.full(len(self._leads), np.nan, dtype=np.float32)
        for code, place in enumerate(self._places):
            rows = np.flatnonzero(self._place == code)
            chance[rows] = self._told(rows, self._now, place)[0]
        return chance

    def _some(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
        """Return the leads that are told, of a large segment some, and how many each lead stands for."""
        drawn, weight = [], np.ones(len(self._leads))
        for segment, name in enumerate(self.names):
            rows = np.flatnonzero((self.segment == segment) & (self._place >= 0))
            if len(rows) > MOST_LEADS:
                self.told.append(f"{name}: {MOST_LEADS:,} leads drawn by lot stand for all {len(rows):,}")
                weight[rows] = 0.0
                share, rows = len(rows) / MOST_LEADS, rng.choice(rows, MOST_LEADS, replace=False)
                weight[rows] = share
            drawn.append(rows)
        return np.sort(np.concatenate(drawn)), weight

    # ---- hours ----------------------------------------------------------------------------------------------
    def means(self, progress: Progress | None) -> HourMeans:
        """Return what is told of each hour of the week."""
        means = HourMeans(self.segment, len(self.names), self._weight)
        rows_of = [self._drawn[self._place[self._drawn] == code] for code in range(len(self._places))]
        for step in range(1, DAYS + 1):
            for place, rows in zip(self._places, rows_of, strict=True):
                if len(rows):
                    self._add_day(means, place, rows, step)
            if progress is not None:
                progress(step / DAYS)
        return means

    def _add_day(self, means: HourMeans, place: Place, rows: NDArray[np.int64], step: int) -> None:
        zone = place.zones[0]
        day = local_date(zone, self._now) + timedelta(days=step)
        begin = day_begin(zone, day)
        for hour in range(HOURS):
            at = begin + hour * 3600.0 + 1800.0
            if local_date(zone, at) != day or not self._rules.window_afresh(place, at).open:
                continue
            for chunk in np.split(rows, range(_CHUNK, len(rows), _CHUNK)):
                means.add(day.weekday(), hour, chunk, *self._told(chunk, at, place))

    def _told(self, rows: NDArray[np.int64], at: float, place: Place) -> tuple[Singles, Singles]:
        """Return the chances of these leads of one place at a time, by the model and by its tables."""
        offset = offset_at(place.zones[0], int(at))
        offset_s: Ints = np.full(len(rows), offset, dtype=np.int32)
        at_once, nowhere = np.array([at]), np.zeros(1, dtype=np.int64)
        holiday: Flags = np.full(len(rows), holidays_of(at_once, offset_s[:1], nowhere, [place.jurisdictions])[0])
        number = np.zeros(len(rows), dtype=np.int8)
        which = rows.astype(np.int32)
        X = features_at(self.history, self.table, self._chances.feature_set, which, number, at, offset_s, holiday)
        model, tables = self._chances.of(X)
        return np.where(self._unknown[rows], tables, model), tables


def _callable(place: Place) -> bool:
    return bool(place.zones) and known_zones().issuperset(place.zones)


def _by_outcome(when: When) -> bool:
    """Whether who meets these conditions depends on what came of their calls."""
    return when.last_contact_days is not None or when.propensity is not None
