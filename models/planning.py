"""The planner: what is known of every lead, the models, and from them the plan of an hour.

How it works: a grid holds each lead's probability of an answer in each hour that is left of the day. It is filled once
a day and afterwards only for leads to whom something has happened. Each plan prices the hours, ranks the leads by what
a call now brings beyond a later one, and sets aside the few whose hour or rest is drawn by lot.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.allocation import DayCalls, HourPrices, advantage, hour_prices
from models.attempts import AttemptLog, Flags, Floats, Singles
from models.bundle import ANSWER, ModelBundle
from models.exploration import NEVER, NO_HOUR, Because, Randomised, challenged, randomise, rest_until
from models.feature_kernels import WEEK
from models.features import History, features_at, unknown_rows
from models.lead_table import LeadTable
from models.plan import HourPlan, PlanRequest, Region, pack, unpack
from models.wear import WearEffect, contacts_lost

HOUR_S, DAY_S = 3600.0, 86400.0
RUNS_ON_S = 300.0  # a plan holds so long after its hour, while the next one is made
ROWS = 50_000  # leads at a time: what bounds the memory
HORIZON_DAYS = 7.0  # within which a failed attempt is felt
# Wear before lots tell it: on the logit, for each unanswered attempt. Of 41,188 bank calls (Moro, Cortez and Rita 2014)
# the logit of success falls by 0.11 an attempt from the first to the tenth; about half of it is people who left.
USUAL_WEAR = WearEffect(drop=0.05, error=0.05, half_life_days=4.0, rows=0, effective_rows=0.0)


class PlanSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign wants its plans."""

    explore: float = 0.03  # share of the lead-days whose hour or rest is drawn by lot
    goal: str = "right_party"  # or "promise"
    wear_price: float = 1.0  # times what a failed attempt costs in later contacts
    challenger_share: float = 0.0  # of the leads
    seed: int = 0


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
        self._wear_effect = wear or USUAL_WEAR
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
        self._handle_s = np.full(n, np.nan, dtype=np.float32)
        self._dirty = np.ones(n, dtype=np.bool_)
        self._prices: HourPrices | None = None
        self._priced_from = 0  # the first hour of the prices
        self._at_load: float | None = None
        self.adopt(champion, challenger, self.settings.challenger_share)

    def adopt(self, champion: ModelBundle, challenger: ModelBundle | None = None, share: float = 0.0) -> None:
        """Plan by these models from now on; the challenger serves a share of the leads, the same ones every day."""
        n = len(self._leads)
        self.models = (champion,) if challenger is None else (champion, challenger)
        self._arm = np.zeros(n, dtype=np.uint8)
        if challenger is not None:
            self._arm[challenged(self._keys, share=share, seed=self.settings.seed)] = 1
        self._unscored = np.zeros(n, dtype=np.bool_)
        self._told: list[str] = []
        for arm, model in enumerate(self.models):
            unknown, told = unknown_rows(model.feature_set, self._leads)
            self._unscored |= unknown & (self._arm == arm)
            self._told += [f"{line}: they go by the tables" for line in told]
        self._grid = {}
        self._dirty[:] = True

    def observe(self, log: AttemptLog) -> None:
        """Take in attempts, in order of time; leads by their row of the lead table."""
        self.history.observe(log)
        self._dirty[log.lead] = True

    def plan(self, request: PlanRequest) -> HourPlan:
        """Answer a request. Raises `ValueError` for columns that do not fit the leads."""
        self._take_in(request)
        regions = request.regions
        hours = [int((slot.begin_at + slot.end_at) / 2.0 // HOUR_S) for slot in request.slots]
        rows = np.flatnonzero((self._region >= 0) & (self._ready_at < request.slots[-1].end_at))
        self._refresh(hours, rows, regions)
        region = self._region[rows]
        opened = np.array([r.open for r in regions], dtype=np.float32).reshape(len(regions), len(hours))[region]
        for place, slot in enumerate(request.slots):  # a lead that rests may be called once it has rested
            opened[:, place] *= self._ready_at[rows] < slot.end_at
        left, within_week, called_today = self._attempts_left(rows, request)
        drawn = self._drawn(rows, request)
        opened[drawn.resting] = 0.0
        local = np.array([[(hour * 3600 + r.offset_s) // 3600 % 24 for hour in hours] for r in regions]).reshape(
            len(regions), len(hours)
        )[region]
        lot = drawn.hour != NO_HOUR
        opened[lot] *= local[lot] == drawn.hour[lot, None]
        opened[lot & called_today] = 0.0  # it had its draw
        answer = np.stack([self._grid[hour][rows] for hour in hours], axis=1)
        calls = DayCalls(
            answer=answer,
            open=opened,
            attempts_left=left,
            value=self._value[rows],
            handle_s=np.where(np.isnan(self._handle_s[rows]), np.float32(request.handle_s), self._handle_s[rows]),
            wear=self._wear(answer, rows, within_week, request),
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
        # Whose hour or day the lot has drawn is called, whatever the model says: else the lot would tell nothing.
        due = lot | ((drawn.because == Because.RANDOM_GAP) & ~called_today)
        gain[due & np.isfinite(gain)] = np.inf
        return self._written(request, rows, gain, drawn, answer, prices, local)

    # ---- what is known ----------------------------------------------------------------------------------------
    def _take_in(self, request: PlanRequest) -> None:
        lead = unpack(request.lead, "<i4")
        ended = unpack(request.ended_lead, "<i4")
        for column in (lead, ended):
            if len(column) and (int(column.min()) < 0 or int(column.max()) >= len(self._leads)):
                raise ValueError(f"expected leads in [0, {len(self._leads)}), were {column.min()} to {column.max()}")
        number = unpack(request.on_number, "<i1")
        self._dirty[lead[self._number[lead] != number]] = True
        self._dirty[lead[self._region[lead] == -1]] = True
        region = self._region[lead] = unpack(request.region, "<i2")
        self._home[lead[region >= 0]] = region[region >= 0]
        self._number[lead] = number
        self._priority[lead] = unpack(request.priority, "<i4")
        self._ready_at[lead] = unpack(request.ready_at, "<f8")
        if len(ended):
            self.observe(self._log_of(request, ended))

    def _log_of(self, request: PlanRequest, lead: NDArray[np.int32]) -> AttemptLog:
        """The outcomes of a request, in order of time."""
        at = unpack(request.ended_at, "<f8")
        # Outcomes are told as attempts end; a lead's own are in order, and of others' no feature knows.
        order = np.argsort(at, kind="stable")
        known = self.history.attempt_at[lead]
        order = order[np.isnan(known[order]) | (at[order] > known[order])]  # what the journal told already
        region = self._home[lead][order]
        offsets = np.array([r.offset_s for r in request.regions], dtype=np.int32)
        holidays = np.array([r.holiday for r in request.regions], dtype=np.bool_)
        return AttemptLog(
            at=at[order],
            lead=lead[order],
            number=unpack(request.ended_number, "<i1")[order],
            offset_s=offsets[region],
            result=unpack(request.ended_result, "<i1")[order],
            holiday=holidays[region],
            carrier=unpack(request.ended_carrier, "<i2")[order],
            ring_s=unpack(request.ended_ring, "<f4")[order],
            talk_s=unpack(request.ended_talk, "<f4")[order],
            propensity=unpack(request.ended_propensity, "<f4")[order],
            carriers=request.carriers,
        )

    # ---- the grid ---------------------------------------------------------------------------------------------
    def _refresh(self, hours: list[int], rows: NDArray[np.int64], regions: tuple[Region, ...]) -> None:
        """Bring the grid up to date for these leads, and forget hours that are over."""
        dirty = rows[self._dirty[rows]]
        kept = {hour: column for hour, column in self._grid.items() if hour >= hours[0]}
        for hour in hours:
            column = kept.get(hour)
            if column is None:
                column = kept[hour] = np.full(len(self._leads), np.nan, dtype=np.float32)
                self._score(column, hour, rows, regions)
            else:
                missing = rows[np.isnan(column[rows]) & ~self._dirty[rows]]
                self._score(column, hour, np.concatenate([dirty, missing]), regions)
        self._grid = kept
        late = rows[np.isnan(self._value[rows]) & ~self._dirty[rows]]
        self._appraise(np.concatenate([dirty, late]), hours[0], regions)
        self._dirty[dirty] = False

    def _score(self, column: Singles, hour: int, rows: NDArray[np.int64], regions: tuple[Region, ...]) -> None:
        """Write the probability of an answer at the middle of an hour."""
        for arm, some in self._by_model(rows):
            features = self._features(arm, some, hour, regions)
            column[some] = self.models[arm].answer(features)
            strange = self._unscored[some]
            if strange.any():
                column[some[strange]] = self.models[arm].by_tables(ANSWER, features[strange])

    def _appraise(self, rows: NDArray[np.int64], hour: int, regions: tuple[Region, ...]) -> None:
        """Write what an answer is worth, and how long it takes: they hardly depend on the hour."""
        for arm, some in self._by_model(rows):
            model, features = self.models[arm], self._features(arm, some, hour, regions)
            right_party = self._right_party[some] = model.right_party(features)
            self._value[some] = (
                right_party * model.promise(features) if self.settings.goal == "promise" else right_party
            )
            self._handle_s[some] = model.talk_s(features)

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
        records = self.history.records[rows]
        so_far, this_week = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for back in range(WEEK):
            day = today - back
            kept = (day <= records["day"]) & (day > records["day"].astype(np.int64) - WEEK)
            counted = np.where(kept, records["days"][np.arange(len(rows)), day % WEEK], 0)
            this_week += counted
            if back == 0:
                so_far = counted
        caps = np.array([(r.per_day, r.per_week) for r in request.regions], dtype=np.int64).reshape(-1, 2)
        per_day, per_week = caps[self._region[rows]].T
        within_week = np.maximum(0, per_week - this_week)
        left = np.clip(np.minimum(per_day - so_far, within_week), 0, 127)
        return left.astype(np.int8), within_week.astype(np.float64), so_far > 0

    def _drawn(self, rows: NDArray[np.int64], request: PlanRequest) -> Randomised:
        """Whose hour or rest is drawn by lot today. All regions share the day of the first: they differ by hours."""
        hours = np.zeros((len(request.regions), 24), dtype=np.bool_)
        for place, region in enumerate(request.regions):
            hours[place, list(region.hours)] = True
        records = self.history.records[rows]
        last = np.where(np.isnan(records["attempt_at"]), NEVER, records["day"]).astype(np.int32)
        day = int(self._local_day(rows[:1], request)[0]) if len(rows) else 0
        return randomise(
            self._keys[rows],
            day,
            hours[self._region[rows]],
            share=self.settings.explore,
            seed=self.settings.seed,
            last_day=last,
        )

    def _wear(self, answer: Singles, rows: NDArray[np.int64], within_week: Floats, request: PlanRequest) -> Singles:
        """Contacts that a failed attempt costs later, of those that lines may bring within the horizon."""
        if self.settings.wear_price == 0.0 or not len(rows):
            return np.zeros(len(rows), dtype=np.float32)
        a_day = sum(slot.attempts for slot in request.slots)
        lost = contacts_lost(
            answer.mean(axis=1, dtype=np.float64),
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
    def _written(
        self,
        request: PlanRequest,
        rows: NDArray[np.int64],
        gain: Singles,
        drawn: Randomised,
        answer: Singles,
        prices: HourPrices,
        local: NDArray[np.int64],
    ) -> HourPlan:
        n = len(self._leads)
        able = np.flatnonzero(gain > -np.inf)
        order = rows[able[np.lexsort((-gain[able], -self._priority[rows[able]]))]]
        now = np.full(n, np.nan, dtype=np.float32)
        now[rows] = answer[:, 0]
        because = np.full(n, Because.TABLES, dtype=np.uint8)
        by_model = np.where(self._arm[rows] == 1, Because.CHALLENGER, Because.MODEL)
        by_model[self._unscored[rows]] = Because.TABLES
        because[rows] = np.where(drawn.because != Because.MODEL, drawn.because, by_model)
        propensity = np.full(n, np.nan, dtype=np.float32)
        propensity[rows] = drawn.propensity
        held, until = self._held(request, rows, drawn, local)
        best = answer.max(axis=1) * self._value[rows]
        expected = float(best.sum(dtype=np.float64))
        self._at_load = expected if self._at_load is None else self._at_load
        return HourPlan(
            number=request.number,
            until=request.slots[0].end_at + RUNS_ON_S,
            models=tuple(model.id for model in self.models),
            order=pack(order, "<i4"),
            held=pack(held, "<i4"),
            held_until=pack(until, "<f8"),
            answer=pack(now, "<f4"),
            right_party=pack(self._right_party, "<f4"),
            because=pack(because, "|u1"),
            propensity=pack(propensity, "<f4"),
            arm=pack(self._arm, "|u1"),
            hour_prices=tuple(prices.attempt.tolist()),
            agent_prices=tuple(prices.agent_s.tolist()),
            wear_index=expected / self._at_load if self._at_load else None,
            told=tuple(self._told),
        )

    def _held(
        self, request: PlanRequest, rows: NDArray[np.int64], drawn: Randomised, local: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Floats]:
        """Leads that a lot keeps from being called now, and until when."""
        offsets = np.array([r.offset_s for r in request.regions], dtype=np.float64)[self._region[rows]]
        midnight = np.floor((request.at + offsets) / DAY_S) * DAY_S - offsets
        resting = np.flatnonzero(drawn.resting)
        days = rest_until(
            self._keys[rows[resting]],
            self.history.records["day"][rows[resting]],
            share=self.settings.explore,
            seed=self.settings.seed,
        )
        rest_ends = days * DAY_S - offsets[resting]
        lot = np.flatnonzero((drawn.hour != NO_HOUR) & (local[:, 0] != drawn.hour) & ~drawn.resting)
        begins = midnight[lot] + drawn.hour[lot] * HOUR_S
        # An hour that is over comes again tomorrow for another lot.
        begins = np.where(begins <= request.at, midnight[lot] + DAY_S, begins)
        return rows[np.concatenate([resting, lot])], np.concatenate([rest_ends, begins])


def _key(lead_id: str) -> int:
    """A number that stands for a lead for good."""
    return int.from_bytes(blake2b(lead_id.encode(), digest_size=8).digest(), "little")
