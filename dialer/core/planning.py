"""What the engine tells the planner of leads and of the day, and how it follows the plan.

How it works: from the moment a planner is there (`PlannerOpened`) the engine asks for a plan whenever an hour begins,
and every `plan_every` in between, with what has changed since the last request. The planner works beside the loop; its
plan is an event, so that a replay needs no planner. A plan orders the dial queue and says how likely each lead answers
now. When no plan comes, the last one runs out soon after its hour, and the campaign goes on by its tables.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from compliance.calendars import has_calendar, is_holiday
from compliance.clearance import Place
from compliance.zones import local_date, offset_at
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.agent import IDLE, ON_CALL, RESERVED, WRAP_UP
from dialer.core.attempt import Attempt
from dialer.core.disposition import RESULT_OF
from dialer.core.plan_book import Ended
from dialer.core.segmenting import Segmenting
from dialer.core.state import CampaignState
from dialer.core.timers import PLAN, PLAN_END
from models.attempts import Result
from models.exploration import Because
from models.plan import HourPlan, PlanRequest, Region, Slot, pack, unpack
from models.plan_check import check_plan

SLOT_S = 3600.0
MOST_SLOTS = 24
USUAL_HANDLE_S, USUAL_LINE_S = 120.0, 25.0  # before any call says otherwise
USUAL_OCCUPANCY, OCCUPANCY_WEIGHT_S = 0.85, 3600.0  # agent-seconds that the usual share is worth
DAY_S, WEEK_S = 86400.0, 7 * 86400.0
MOST_ATTEMPTS = 100  # where no cap says less
MOST_PROBABILITY = 0.99
LEADS_PER_REQUEST, PIECE_GAP_S = 8000, 0.05  # a longer list is told in pieces: no step takes long
FIRST_S = 60.0  # after the first request, when agents have come in
NOT_LOADED_S = 1.0  # while the list is not there yet, the next request comes so soon


class Planning:
    """Asks for plans and follows them. Shares the campaign's state with the other parts of the engine."""

    def __init__(self, state: CampaignState, segmenting: Segmenting) -> None:
        self._state = state
        self._segmenting = segmenting
        self._spans: dict[Place, list[tuple[float, float]]] = {}  # open times, as far as they were looked at
        self._spans_day: dict[Place, float] = {}

    # ---- asking -----------------------------------------------------------------------------------------------
    def opened(self, _: ev.PlannerOpened) -> None:
        """There is a planner, or a new one in its place, that knows nothing of today: ask it, and go on asking."""
        book = self._state.plans
        book.told_leads, book.looked_again = 0, False
        self._state.queue.changed = set()  # all will be told anyway
        if not book.open:
            book.open = True
            self.ask()

    def ask(self) -> None:
        """Ask for a plan, and set the time of the next request."""
        state = self._state
        if state.ended or not state.plans.open:
            return
        request = None
        if state.loaded and (state.queue.queued or self._segmenting.waits):
            request = self._request()
            if request is not None:
                state.out.append(act.PlanHours(request=request))
        next_hour = (state.now // SLOT_S + 1.0) * SLOT_S
        book, every_s = state.plans, state.campaign.models.plan_every
        if not state.loaded:
            every_s = NOT_LOADED_S
        elif request is not None and book.told_leads < len(state.queue):
            every_s = PIECE_GAP_S
        elif not book.looked_again:
            book.looked_again = True
            every_s = min(every_s, FIRST_S)
        state.timers.set(min(state.now + every_s, next_hour), PLAN)

    def _request(self) -> PlanRequest | None:
        """How the day stands; None where nobody can be called any more today."""
        state, book = self._state, self._state.plans
        places = state.queue.places
        slots = self._slots(places)
        if not slots:
            return None
        book.asked += 1
        book.tickets_asked[str(book.asked)] = state.queue.tickets
        return PlanRequest(
            number=book.asked,
            at=state.now,
            slots=tuple(slots),
            regions=tuple(self._regions(places, slots)),
            carriers=tuple(trunk.name for trunk in state.campaign.trunks),
            handle_s=self._handle_s(),
            gap_s=state.campaign.number_gap,
            **self._changed_leads(),
            **book.columns_of_ended(),
        )

    def _changed_leads(self) -> dict[str, bytes]:
        """The columns of leads that are not as the last request had them; to a new planner, of all, piece by piece."""
        state, queue, book = self._state, self._state.queue, self._state.plans
        if book.told_leads < len(queue):
            begin, book.told_leads = book.told_leads, min(book.told_leads + LEADS_PER_REQUEST, len(queue))
            which = list(range(begin, book.told_leads))
        else:
            which, queue.changed = sorted(queue.changed), set()
        entries = [queue[index] for index in which]
        regions = queue.group_of[np.array(which, dtype=np.int64)]
        gone = [
            entry.progress.status != "ready"
            or index in state.unlisted
            or not state.segment_rules.called(queue[index].segment)
            for index, entry in zip(which, entries, strict=True)
        ]
        regions[np.array(gone, dtype=bool)] = -1
        return {
            "lead": pack(which, "<i4"),
            "region": pack(regions, "<i2"),
            "on_number": pack([entry.progress.number_index for entry in entries], "<i1"),
            "priority": pack([entry.priority for entry in entries], "<i4"),
            "ready_at": pack([entry.progress.next_at for entry in entries], "<f8"),
        }

    # ---- the day ----------------------------------------------------------------------------------------------
    def _slots(self, places: list[Place]) -> list[Slot]:
        """The hours from now until the last place closes for the day, closed ones in between included."""
        state = self._state
        now = state.now
        closes_at = max((self._closes_at(place) for place in places), default=0.0)
        # Before anybody has logged in all of them are counted on: the next request knows better.
        agents = state.floor.idle + len(state.floor.busy) or len(state.floor.agents)
        occupancy = self._occupancy()
        lines_per_s = self._lines_per_s()
        slots: list[Slot] = []
        begin = now
        while begin < closes_at and len(slots) < MOST_SLOTS:
            end = min((begin // SLOT_S + 1.0) * SLOT_S, closes_at)
            slots.append(
                Slot(
                    begin_at=begin,
                    end_at=end,
                    attempts=lines_per_s * (end - begin),
                    agent_s=agents * occupancy * (end - begin),
                )
            )
            begin = end
        return slots

    def _open_spans(self, place: Place) -> list[tuple[float, float]]:
        """When calls there may begin, from yesterday (UTC) on, for today began earlier in the east."""
        day = self._state.now // DAY_S
        if self._spans_day.get(place) != day:
            self._spans[place] = list(self._state.rules.open_times(place, (day - 1.0) * DAY_S, days=4))
            self._spans_day[place] = day
        return self._spans[place]

    def _closes_at(self, place: Place) -> float:
        """When the place closes for today (its own day); in the past where it is closed for today already."""
        if not place.zones:
            return 0.0
        now, zone = self._state.now, place.zones[0]
        today = local_date(zone, now)
        ends = [end for begin, end in self._open_spans(place) if end > now and local_date(zone, begin) == today]
        return max(ends, default=0.0)

    def _regions(self, places: list[Place], slots: list[Slot]) -> Iterator[Region]:
        state = self._state
        numbers, firsts = np.unique(state.queue.group_of, return_index=True)
        first_of = dict(zip(numbers.tolist(), firsts.tolist(), strict=True))
        for number, place in enumerate(places):
            zone = place.zones[0] if place.zones else "UTC"
            spans = self._open_spans(place) if place.zones else []
            today, offset_s = local_date(zone, state.now), offset_at(zone, int(state.now))
            midnight = (state.now + offset_s) // DAY_S * DAY_S - offset_s
            per_day, per_week = self._caps(first_of[number]) if number in first_of else (MOST_ATTEMPTS, MOST_ATTEMPTS)
            yield Region(
                zone=zone,
                offset_s=offset_s,
                holiday=any(has_calendar(code) and is_holiday(code, today) for code in place.jurisdictions),
                open=tuple(round(_open_share(spans, slot.begin_at, slot.end_at), 4) for slot in slots),
                hours=tuple(
                    hour
                    for hour in range(24)
                    if _open_share(spans, midnight + hour * SLOT_S, midnight + (hour + 1) * SLOT_S) > 0.0
                ),
                per_day=per_day,
                per_week=per_week,
            )

    def _caps(self, index: int) -> tuple[int, int]:
        """How many attempts a lead may have in a day and in a week, by the tightest of its caps on attempts. Those of
        its segment are left to the store: the lead stands for its region."""
        state, entry = self._state, self._state.queue[index]
        per_day = per_week = MOST_ATTEMPTS
        candidate = state.claims.candidate(entry.lead, entry.progress.number_index)
        if state.rules.fault(candidate.place):
            return 0, 0
        for cap in state.rules.clearance(candidate, state.now).caps:
            length_s = state.now - cap.since
            if cap.count != "attempt":
                continue
            if length_s <= DAY_S:
                per_day = min(per_day, cap.max)
            elif length_s <= WEEK_S + DAY_S:
                per_week = min(per_week, cap.max)
        return per_day, per_week

    def _occupancy(self) -> float:
        """The share of the agents' ready time that calls take: as it has been, beginning with what is usual."""
        spent = self._state.floor.spent(self._state.now)
        busy_s = spent[RESERVED] + spent[ON_CALL] + spent[WRAP_UP]
        usual_s = USUAL_OCCUPANCY * OCCUPANCY_WEIGHT_S
        return (busy_s + usual_s) / (busy_s + spent[IDLE] + OCCUPANCY_WEIGHT_S)

    def _handle_s(self) -> float:
        counters = self._state.counters
        return (counters.handle_s + USUAL_HANDLE_S * 50.0) / (counters.handled + 50.0)

    def _lines_per_s(self) -> float:
        """How many attempts trunks and switch take in a second."""
        state = self._state
        trunks = state.campaign.trunks
        per_s = sum(float(trunk.max_cps) for trunk in trunks)
        channels = min(sum(trunk.max_channels for trunk in trunks), state.campaign.asterisk.max_calls)
        attempts = max(1, state.counters.attempts)
        line_s = (state.counters.line_s + USUAL_LINE_S * 50.0) / (attempts + 50.0)
        talking = state.floor.on_call
        return min(per_s, max(1.0, channels - talking) / line_s)

    # ---- following --------------------------------------------------------------------------------------------
    def planned(self, event: ev.HoursPlanned) -> None:
        """Follow a plan, unless a newer one is followed already. One that does not fit the list is not followed."""
        state, book, plan = self._state, self._state.plans, event.plan
        if plan.number <= book.followed or state.ended:
            return
        for text in plan.told:
            if text not in book.told:
                book.told = [*book.told, text]
                state.out.append(act.Alert(text=text))
        try:
            check_plan(plan, leads=len(state.queue), now=state.now)
            state.queue.follow(unpack(plan.order, "<i4"), book.tickets_asked.get(str(plan.number), 0))
        except ValueError as fault:
            state.out.append(act.Alert(text=f"plan {plan.number} is not followed: {fault}"))
            return
        book.follow(plan)
        state.timers.set(plan.until, PLAN_END)
        self._hold_back(plan)
        self._segmenting.review()

    def run_out(self) -> None:
        """The plan's time may be over: then leads are called as without one."""
        state = self._state
        if state.plans.plan is not None and state.now >= state.plans.plan.until:
            state.queue.follow(np.zeros(0, dtype=np.int32), 0)

    def _hold_back(self, plan: HourPlan) -> None:
        """Let leads rest whose hour or gap was drawn by lot."""
        queue = self._state.queue
        held, until = unpack(plan.held, "<i4").tolist(), unpack(plan.held_until, "<f8").tolist()
        for index, rests_until in zip(held, until, strict=True):
            entry = queue[index]
            if entry.ticket and entry.progress.next_at < rests_until:
                entry.progress = msgspec.structs.replace(entry.progress, next_at=rests_until)
                queue.put(index)

    def probability(self, index: int) -> float:
        """The probability that a lead answers now: by the plan, else by its list, else by the campaign's tables."""
        state = self._state
        planned = state.plans.answer(index, state.now)
        if planned is not None:
            return min(planned, MOST_PROBABILITY)
        entry = state.queue[index]
        if entry.lead.answer_probability is not None:
            return entry.lead.answer_probability
        return state.answers.probability(entry.progress.attempts, state.now)

    def score(self, attempt: Attempt) -> None:
        """Keep with an attempt what the plan says of its lead now."""
        book = self._state.plans
        attempt.score = book.score(attempt.lead, self._state.now)
        if attempt.score is not None and book.plan is not None:
            attempt.scored_by = book.plan.models[attempt.score.arm]

    def note(self, attempt: Attempt) -> act.ScoreNote | None:
        """Why the lead is called in this hour; None where neither a plan nor a segment says anything."""
        score, segment = attempt.score, self._segment_name(attempt.lead)
        if score is None and not segment:
            return None
        return act.ScoreNote(
            model=attempt.scored_by,
            because=Because(Because.TABLES if score is None else score.because).name.lower(),
            answer=round(attempt.probability if score is None else score.answer, 6),
            right_party=None if score is None or score.right_party is None else round(score.right_party, 6),
            propensity=None if score is None else score.propensity,
            segment=segment,
            channels=self._state.segment_rules.channels(self._state.queue[attempt.lead].segment),
        )

    def _segment_name(self, index: int) -> str:
        return self._state.segment_rules.name(self._state.queue[index].segment)

    # ---- learning ---------------------------------------------------------------------------------------------
    def answered(self, attempt: Attempt, *, answered: bool) -> None:
        """Learn how the plan's probabilities are off."""
        if attempt.score is not None:
            self._state.plans.ratio_of(attempt.scored_by).learn(attempt.score.answer, answered)

    def settled(self, attempt: Attempt, disposition: str) -> None:
        """Note what an attempt came to, for the planner."""
        state = self._state
        if not state.plans.open or attempt.originated_at is None:
            return
        result = RESULT_OF.get(disposition, Result.UNKNOWN)
        if attempt.hang_up_asked and result == Result.NO_ANSWER:
            result = Result.UNKNOWN  # we ended the ringing: nobody knows who would have answered
        connected_at = attempt.connected_at or attempt.ended_at
        score = attempt.score
        state.plans.ended.append(
            Ended(
                lead=attempt.lead,
                at=attempt.originated_at,
                number=attempt.number_index,
                result=int(result),
                ring_s=None if attempt.rang_at is None or connected_at is None else connected_at - attempt.rang_at,
                talk_s=None
                if attempt.bridged_at is None or attempt.ended_at is None
                else attempt.ended_at - attempt.bridged_at,
                carrier=state.desk.places.get(attempt.trunk, -1),
                propensity=None if score is None else score.propensity,
            )
        )


def _open_share(spans: list[tuple[float, float]], begin_at: float, end_at: float) -> float:
    """The share of a stretch of time that lies within spans."""
    length = end_at - begin_at
    inside = sum(max(0.0, min(end, end_at) - max(begin, begin_at)) for begin, end in spans)
    return min(1.0, inside / length) if length > 0.0 else 0.0
