"""The planner: what is known of every lead, the models, and from them the plan of an hour.

How it works: a grid holds each lead's probability of an answer in each open hour that is left of the day. It is filled
once a day and afterwards only for leads to whom something has happened. What an answer is worth is told once an hour.
Each plan prices the hours, ranks the leads by what a call now brings beyond a later one, and sets aside the few whose
hour or rest is drawn by lot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from models.allocation import DayCalls, HourPrices, advantage, hour_prices
from models.attempts import AttemptLog, Flags, Floats, Result, Singles
from models.bundle import ANSWER, PROMISE, RIGHT_PARTY, ModelBundle
from models.exploration import NEVER, NO_HOUR, Because, Randomised, challenged, randomise, rest_until
from models.feature_kernels import WEEK
from models.features import History, features_at, fits, unknown_rows
from models.lead_table import LeadTable
from models.plan import HourPlan, PlanRequest, PlanSettings, Region, pack
from models.plan_columns import Columns, columns_of
from models.wear import WearEffect, contacts_lost, shrunk_effect
from models.wear_since_load import WearSinceLoad

__all__ = ["USUAL_WEAR", "PlanSettings", "Planning"]

HOUR_S, DAY_S = 3600.0, 86400.0
RUNS_ON_S = 300.0  # a plan holds so long after its hour, while the next one is made
ROWS = 50_000  # leads at a time: what bounds the memory
# Any call takes a line, and somebody's peace: where agents are what is scarce and lines are not, calls should all the
# same go where they bring something. A call costs so much of what a usual one brings.
ATTEMPT_SHARE = 0.25
HORIZON_DAYS = 7.0  # within which a failed attempt is felt
# Wear before lots tell it: on the logit, for each unanswered attempt. Of 41,188 bank calls (Moro, Cortez and Rita 2014)
# the logit of success falls by 0.11 an attempt from the first to the tenth; about half of it is people who left.
USUAL_WEAR = WearEffect(drop=0.05, error=0.05, half_life_days=4.0, rows=0, effective_rows=0.0)


class Planning:
    """Plans the hours of one campaign. Not thread-safe; equal histories and requests give equal plans."""

    def __init__(
        self,
        leads: LeadTable,
        champion: ModelBundle,
        *,
        challenger: ModelBundle | None = None,
        settings: PlanSettings | None = None,
        wear: WearEffect | None = None,
    ) -> None:
        self.settings = settings or PlanSettings()
        self._wear_effect = USUAL_WEAR if wear is None else shrunk_effect(wear, USUAL_WEAR)
        self.history = History(len(leads))
        self._leads = leads
        n = len(leads)
        self._keys = np.array([_key(lead_id) for lead_id in leads.ids], dtype=np.uint64)
        self._region = np.full(n, -1, dtype=np.int16)
        self._home = np.zeros(n, dtype=np.int16)  # the last region that it had
        self._number = np.zeros(n, dtype=np.int8)
        self._priority = np.zeros(n, dtype=np.int32)
        self._ready_at = np.zeros(n)
        self._grid: dict[int, Singles] = {}  # by UTC hour since 1970
        self._value = np.full(n, np.nan, dtype=np.float32)
        self._right_party = np.full(n, np.nan, dtype=np.float32)
        self._talk_s = np.full(n, np.nan, dtype=np.float32)
        self._appraised = 0  # the UTC hour that these three are of
        self._dirty = np.ones(n, dtype=np.bool_)
        self._clocks: dict[int, tuple[int, bool]] = {}  # by region: offset and holiday that the grid goes by
        self._prices: HourPrices | None = None
        self._priced_from = 0  # the first hour of the prices
        self._since_load = WearSinceLoad(n)
        self.adopt(champion, challenger, self.settings.challenger_share)

    def adopt(
        self,
        champion: ModelBundle,
        challenger: ModelBundle | None = None,
        share: float = 0.0,
        *,
        leads: LeadTable | None = None,
    ) -> None:
        """Plan by these models from now on; the challenger serves a share of the leads, the same ones every day.

        `leads`: the same leads, with the columns that these models ask for. Raises `ValueError` for a model whose
        columns the leads have not; then nothing has changed.
        """
        table = self._leads if leads is None else leads
        if table.ids != self._leads.ids:
            raise ValueError(f"expected the same {len(self._leads)} leads in their order, were {len(table)} others")
        models = (champion,) if challenger is None else (champion, challenger)
        for model in models:
            if wrong := fits(model.feature_set, table):
                raise ValueError(f"model {model.id} does not fit the list: {'; '.join(wrong)}")
        self.models, self._leads = models, table
        self._arm = np.zeros(len(table), dtype=np.uint8)
        if challenger is not None:
            self._arm[challenged(self._keys, share=share, seed=self.settings.seed)] = 1
        self._unscored = np.zeros(len(table), dtype=np.bool_)
        self._told: list[str] = []
        for arm, model in enumerate(models):
            unknown, told = unknown_rows(model.feature_set, table)
            self._unscored |= unknown & (self._arm == arm)
            self._told += [f"{line}: they go by the tables" for line in told]
        self._grid = {}
        self._dirty[:] = True

    def observe(self, log: AttemptLog) -> None:
        """Take in attempts, in order of time; leads by their row of the lead table."""
        self.history.observe(log)
        self._dirty[log.lead] = True

    def plan(self, request: PlanRequest) -> HourPlan:
        """Answer a request. Raises `ValueError` for columns that do not fit the leads; then nothing was taken in."""
        self.take_in(request)
        return self.planned(request)

    def planned(self, request: PlanRequest) -> HourPlan:
        """Answer a request that was taken in."""
        regions = request.regions
        hours = [int((slot.begin_at + slot.end_at) / 2.0 // HOUR_S) for slot in request.slots]
        rows = np.flatnonzero((self._region >= 0) & (self._ready_at < request.slots[-1].end_at))
        self._refresh(hours, rows, regions)
        region = self._region[rows]
        is_open = np.array([r.open for r in regions], dtype=np.float32).reshape(len(regions), len(hours))[region]
        for place, slot in enumerate(request.slots):  # a lead that rests may be called once it has rested
            is_open[:, place] *= self._ready_at[rows] < slot.end_at
        answer = np.zeros((len(rows), len(hours)), dtype=np.float32)
        for place, hour in enumerate(hours):
            if hour in self._grid:  # else nobody is called in it
                answer[:, place] = self._grid[hour][rows]
        left, within_week, called_today = self._attempts_left(rows, request)
        wear = self._wear(answer, is_open, rows, within_week, request)
        lots = self._lots(rows, request, called_today)
        calls = DayCalls(
            answer=answer,
            open=is_open * lots.allowed,
            attempts_left=left,
            value=self._value[rows],
            handle_s=self._handle_s(rows, answer[:, 0], request.handle_s),
            wear=wear,
            cost=ATTEMPT_SHARE * _usual(answer[:, 0] * self._value[rows]),
            gap=1 if request.gap_s < HOUR_S else int(np.ceil(request.gap_s / HOUR_S)),
        )
        prices = hour_prices(
            calls,
            [slot.attempts for slot in request.slots],
            [slot.agent_s for slot in request.slots],
            warm=self._warm(hours),
            seed=self.settings.seed,
        )
        self._prices, self._priced_from = prices, hours[0]
        gain = advantage(calls, prices)
        # Lots are kept to, whatever the model says: the hour that was drawn has come; or the rest that was drawn ends
        # today, and no later hour of the day is better.
        due = (lots.drawn.because == Because.RANDOM_GAP) & ((answer * calls.open).argmax(axis=1) == 0)
        gain[((lots.drawn.hour != NO_HOUR) | due) & np.isfinite(gain)] = np.inf
        self._since_load.load(hours, rows, answer, calls.value)
        index = self._since_load.index(hours[0], rows, answer[:, 0] * calls.value, gone=self._region < 0)
        return self._written(request, rows, gain, lots, answer[:, 0], prices, index)

    # ---- what is known ----------------------------------------------------------------------------------------
    def take_in(self, request: PlanRequest) -> None:
        """Learn what a request tells, without a plan. Raises as `plan` does."""
        if len(request.regions) < len(self._clocks):
            raise ValueError(f"expected the {len(self._clocks)} regions told before, were {len(request.regions)}")
        changed, ended = columns_of(request, len(self._leads))
        lead, region, number = changed["lead"], changed["region"], changed["on_number"]
        self._dirty[lead[(self._number[lead] != number) | (self._region[lead] != region)]] = True
        self._region[lead], self._number[lead] = region, number
        self._home[lead[region >= 0]] = region[region >= 0]
        self._priority[lead], self._ready_at[lead] = changed["priority"], changed["ready_at"]
        for place, told in enumerate(request.regions):
            if self._clocks.setdefault(place, (told.offset_s, told.holiday)) != (told.offset_s, told.holiday):
                self._clocks[place] = (told.offset_s, told.holiday)
                self._dirty[self._home == place] = True
        if len(ended["ended_lead"]):
            self.observe(self._log_of(request, ended))

    def _log_of(self, request: PlanRequest, ended: Columns) -> AttemptLog:
        """The outcomes of a request, in order of time."""
        at, lead = ended["ended_at"], ended["ended_lead"]
        # Outcomes are told as attempts end; a lead's own are in order, and of others' no feature knows.
        order = np.argsort(at, kind="stable")
        known = self.history.attempt_at[lead][order]
        order = order[np.isnan(known) | (at[order] > known)]  # but for what the journal told already
        region = np.minimum(self._home[lead][order], len(request.regions) - 1)
        return AttemptLog(
            at=at[order],
            lead=lead[order],
            number=ended["ended_number"][order],
            offset_s=np.array([r.offset_s for r in request.regions], dtype=np.int32)[region],
            result=ended["ended_result"][order],
            holiday=np.array([r.holiday for r in request.regions], dtype=np.bool_)[region],
            carrier=ended["ended_carrier"][order],
            ring_s=ended["ended_ring"][order],
            talk_s=ended["ended_talk"][order],
            propensity=ended["ended_propensity"][order],
            carriers=request.carriers,
        )

    # ---- the grid ---------------------------------------------------------------------------------------------
    def _refresh(self, hours: list[int], rows: NDArray[np.int64], regions: tuple[Region, ...]) -> None:
        """Bring the grid up to date for these leads, and forget hours that are over."""
        dirty = rows[self._dirty[rows]]
        kept = {hour: column for hour, column in self._grid.items() if hour >= hours[0]}
        for place, hour in enumerate(hours):
            column = kept.get(hour)
            if column is None:
                if place and not any(region.open[place] > 0.0 for region in regions):
                    continue
                column = kept[hour] = np.full(len(self._leads), np.nan, dtype=np.float32)
            missing = rows[np.isnan(column[rows]) & ~self._dirty[rows]]
            self._score(column, hour, np.concatenate([dirty, missing]), regions)
        self._grid = kept
        if self._appraised != hours[0]:
            self._appraised = hours[0]
            self._value[:] = np.nan
        late = rows[np.isnan(self._value[rows]) & ~self._dirty[rows]]
        self._appraise(np.concatenate([dirty, late]), hours[0], regions)
        self._dirty[dirty] = False

    def _score(self, column: Singles, hour: int, rows: NDArray[np.int64], regions: tuple[Region, ...]) -> None:
        """Write the probability of an answer at the middle of an hour."""
        for arm, some in self._by_model(rows):
            column[some] = self._probability(arm, ANSWER, some, self._features(arm, some, hour, regions))

    def _appraise(self, rows: NDArray[np.int64], hour: int, regions: tuple[Region, ...]) -> None:
        """Write what an answer is worth, and how long it takes: of the present hour, for all hours alike."""
        for arm, some in self._by_model(rows):
            features = self._features(arm, some, hour, regions)
            value = self._right_party[some] = self._probability(arm, RIGHT_PARTY, some, features)
            if self.settings.goal == "promise":
                value = value * self._probability(arm, PROMISE, some, features)
            self._value[some] = value
            self._talk_s[some] = self.models[arm].talk_s(features)

    def _probability(self, arm: int, part: str, rows: NDArray[np.int64], features: Singles) -> Singles:
        """By the model; for leads with a value that it has never seen, by its tables."""
        model = self.models[arm]
        told: Singles = {ANSWER: model.answer, RIGHT_PARTY: model.right_party, PROMISE: model.promise}[part](features)
        strange = self._unscored[rows]
        if strange.any():
            told[strange] = model.by_tables(part, features[strange])
        return told

    def _by_model(self, rows: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64]]]:
        """Cut rows into pieces that one model tells and that fit the memory."""
        pieces = []
        for arm in range(len(self.models)):
            own = rows[self._arm[rows] == arm]
            pieces += [(arm, own[begin : begin + ROWS]) for begin in range(0, len(own), ROWS)]
        return pieces

    def _features(self, arm: int, rows: NDArray[np.int64], hour: int, regions: tuple[Region, ...]) -> Singles:
        region = self._region[rows]
        return features_at(
            self.history,
            self._leads,
            self.models[arm].feature_set,
            rows.astype(np.int32),
            self._number[rows],
            (hour + 0.5) * HOUR_S,
            np.array([r.offset_s for r in regions], dtype=np.int32)[region],
            np.array([r.holiday for r in regions], dtype=np.bool_)[region],
        )

    # ---- the day ----------------------------------------------------------------------------------------------
    def _local_day(self, rows: NDArray[np.int64], request: PlanRequest) -> NDArray[np.int64]:
        days = np.array([int((request.at + r.offset_s) // DAY_S) for r in request.regions], dtype=np.int64)
        today: NDArray[np.int64] = days[self._region[rows]]
        return today

    def _attempts_left(self, rows: NDArray[np.int64], request: PlanRequest) -> tuple[NDArray[np.int8], Floats, Flags]:
        """How many attempts each lead may still have today, and within the week; whether it had one today."""
        today = self._local_day(rows, request)
        last, counts = self.history.records["day"][rows].astype(np.int64), self.history.records["days"][rows]
        so_far, this_week = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for back in range(WEEK):
            day = today - back
            counted = np.where((day <= last) & (day > last - WEEK), counts[np.arange(len(rows)), day % WEEK], 0)
            this_week += counted
            if back == 0:
                so_far = counted
        caps = np.array([(r.per_day, r.per_week) for r in request.regions], dtype=np.int64).reshape(-1, 2)
        per_day, per_week = caps[self._region[rows]].T
        within_week = np.maximum(0, per_week - this_week)
        left = np.clip(np.minimum(per_day - so_far, within_week), 0, 127)
        return left.astype(np.int8), within_week.astype(np.float64), so_far > 0

    def _lots(self, rows: NDArray[np.int64], request: PlanRequest, called_today: Flags) -> _Lots:
        """Whose hour or rest is drawn by lot on its own local day, and what that forbids."""
        regions, region = request.regions, self._region[rows]
        hours = np.zeros((len(regions), 24), dtype=np.bool_)
        begins = np.zeros((len(regions), 24))  # of each local hour: when it begins; the next day, where it is over
        local = np.zeros((len(regions), len(request.slots)), dtype=np.int8)
        for place, told in enumerate(regions):
            hours[place, list(told.hours)] = True
            begins[place] = ((request.at + told.offset_s) // DAY_S + 1.0) * DAY_S - told.offset_s
            for number, slot in enumerate(request.slots):
                middle = (slot.begin_at + slot.end_at) // 2 // HOUR_S * HOUR_S + HOUR_S / 2.0
                local[place, number] = (middle + told.offset_s) // HOUR_S % 24.0
                begins[place, local[place, number]] = min(begins[place, local[place, number]], slot.begin_at)
        drawn = self._drawn(rows, hours[region], self._local_day(rows, request))
        hour = drawn.hour
        by_lot = hour != NO_HOUR
        allowed = ~by_lot[:, None] | (local[region] == hour[:, None])
        allowed &= ~(drawn.resting | (by_lot & called_today))[:, None]  # one that was called today had its draw
        resting, waiting = np.flatnonzero(drawn.resting), np.flatnonzero(by_lot & ~drawn.resting & ~allowed[:, 0])
        offsets = np.array([told.offset_s for told in regions], dtype=np.float64)[region]
        days = rest_until(
            self._keys[rows[resting]],
            self.history.records["day"][rows[resting]],
            share=self.settings.explore,
            seed=self.settings.seed,
        )
        tomorrow = (np.floor((request.at + offsets[waiting]) / DAY_S) + 1.0) * DAY_S - offsets[waiting]
        comes = np.where(called_today[waiting], tomorrow, begins[region[waiting], hour[waiting]])
        return _Lots(
            drawn=drawn,
            allowed=allowed,
            held=rows[np.concatenate([resting, waiting])],
            until=np.concatenate([days * DAY_S - offsets[resting], comes]),
        )

    def _drawn(self, rows: NDArray[np.int64], hours: Flags, today: NDArray[np.int64]) -> Randomised:
        """The lots of each lead's own local day: two or three days are current at a time."""
        n = len(rows)
        found = Randomised(
            hour=np.full(n, NO_HOUR, dtype=np.int8),
            resting=np.zeros(n, dtype=np.bool_),
            because=np.full(n, Because.MODEL, dtype=np.uint8),
            propensity=np.full(n, np.nan, dtype=np.float32),
        )
        never = np.isnan(self.history.attempt_at[rows])
        last = np.where(never, NEVER, self.history.records["day"][rows]).astype(np.int32)
        for day in np.unique(today).tolist():
            some = today == day
            lots = randomise(
                self._keys[rows[some]],
                day,
                hours[some],
                share=self.settings.explore,
                seed=self.settings.seed,
                last_day=last[some],
            )
            for name in ("hour", "resting", "because", "propensity"):
                getattr(found, name)[some] = getattr(lots, name)
        # Whoever talked to us last, or promised, may wait for our call: no lot keeps it from them.
        awaited = (self.history.records["result"][rows] >= Result.WRONG_PARTY) | np.isfinite(
            self.history.records["promise_at"][rows]
        )
        found.hour[awaited], found.resting[awaited] = NO_HOUR, False
        found.because[awaited], found.propensity[awaited] = Because.MODEL, np.nan
        return found

    def _handle_s(self, rows: NDArray[np.int64], answer: Singles, usual_s: float) -> Singles:
        """How long an answer of each lead keeps an agent: as its talk, and on the whole as long as it has been."""
        talk = self._talk_s[rows]
        known = np.isfinite(talk)
        weight = float(answer[known].sum(dtype=np.float64))
        if not weight > 0.0:
            return np.full(len(rows), usual_s, dtype=np.float32)
        mean = float(answer[known] @ talk[known]) / weight
        handled: Singles = np.where(known, talk * np.float32(usual_s / mean), np.float32(usual_s))
        return handled

    def _wear(
        self, answer: Singles, is_open: Singles, rows: NDArray[np.int64], within_week: Floats, request: PlanRequest
    ) -> Singles:
        """Contacts that a failed attempt costs later, of those that lines may bring within the horizon."""
        if self.settings.wear_price == 0.0 or not len(rows):
            return np.zeros(len(rows), dtype=np.float32)
        a_day = sum(slot.attempts for slot in request.slots)
        open_s = is_open.sum(axis=1, dtype=np.float64)
        lost = contacts_lost(
            (answer * is_open).sum(axis=1, dtype=np.float64) / np.maximum(open_s, 1e-9),
            self._value[rows].astype(np.float64),
            self._wear_effect.drop,
            attempts=np.minimum(within_week, HORIZON_DAYS * a_day / len(rows)),
            horizon_days=HORIZON_DAYS,
            half_life_days=self._wear_effect.half_life_days,
        )
        return (self.settings.wear_price * lost).astype(np.float32)

    def _warm(self, hours: list[int]) -> HourPrices | None:
        """The prices before, as far as they are of these hours; None where none are."""
        before, since = self._prices, hours[0] - self._priced_from
        if before is None or since < 0 or len(before.attempt) - since != len(hours):
            return None
        return replace(
            before,
            attempt=before.attempt[since:],
            agent_s=before.agent_s[since:],
            load=before.load[since:],
            agent_load_s=before.agent_load_s[since:],
        )

    # ---- the plan ---------------------------------------------------------------------------------------------
    def _mixed(self, gain: Singles, rows: NDArray[np.int64], prices: HourPrices, request: PlanRequest) -> Singles:
        """Give all for whom this is the hour a rank by lot, above those for whom it is not.

        All of the former are to be called in it, so their order matters little to them; to pacing it matters that the
        next calls are as likely to be answered as the last ones, not the best first and then ever worse ones.
        """
        hour = int(request.at // HOUR_S)
        lot = np.random.default_rng([self.settings.seed, hour]).random(len(self._leads), dtype=np.float32)
        chosen = np.isfinite(gain) & (gain >= -prices.blur)
        above = np.float32(max(0.0, float(gain[np.isfinite(gain)].max(initial=0.0))))
        return np.where(chosen, above + 1.0 + lot[rows], gain).astype(np.float32)

    def _written(
        self,
        request: PlanRequest,
        rows: NDArray[np.int64],
        gain: Singles,
        lots: _Lots,
        answer: Singles,
        prices: HourPrices,
        wear_index: float | None,
    ) -> HourPlan:
        able = np.flatnonzero(gain > -np.inf)
        rank = self._mixed(gain, rows, prices, request)
        order = rows[able[np.lexsort((-rank[able], -self._priority[rows[able]].astype(np.int64)))]]
        by_model = np.where(self._arm[rows] == 1, Because.CHALLENGER, Because.MODEL)
        by_model[self._unscored[rows]] = Because.TABLES
        because = np.full(len(self._leads), Because.TABLES, dtype=np.uint8)
        because[rows] = np.where(lots.drawn.because != Because.MODEL, lots.drawn.because, by_model)
        return HourPlan(
            number=request.number,
            until=request.slots[0].end_at + RUNS_ON_S,
            models=tuple(model.id for model in self.models),
            order=pack(order, "<i4"),
            held=pack(lots.held, "<i4"),
            held_until=pack(lots.until, "<f8"),
            answer=pack(self._of_all(rows, answer), "<f4"),
            right_party=pack(self._of_all(rows, self._right_party[rows]), "<f4"),
            because=pack(because, "|u1"),
            propensity=pack(self._of_all(rows, lots.drawn.propensity), "<f4"),
            arm=pack(self._arm, "|u1"),
            hour_prices=tuple(prices.attempt.tolist()),
            agent_prices=tuple(prices.agent_s.tolist()),
            wear_index=wear_index,
            told=tuple(self._told),
        )

    def _of_all(self, rows: NDArray[np.int64], values: Singles) -> Singles:
        """A column of all leads, NaN for those of whom the plan says nothing."""
        column = np.full(len(self._leads), np.nan, dtype=np.float32)
        column[rows] = values
        return column


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lots:
    """What lots decide for the n leads of a plan."""

    drawn: Randomised
    allowed: Flags  # (n, slots): whether they leave the lead to be called in it
    held: NDArray[np.int64]  # leads that they keep from being called now
    until: Floats  # until when, UTC seconds


def _usual(worth: Singles) -> float:
    """The mean; 0 of nothing."""
    return float(worth.mean(dtype=np.float64)) if len(worth) else 0.0


def _key(lead_id: str) -> int:
    """A number that stands for a lead for good."""
    return int.from_bytes(blake2b(lead_id.encode(), digest_size=8).digest(), "little")
