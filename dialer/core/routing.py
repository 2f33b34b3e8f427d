"""Which trunk and which caller ID each try has, and what the desk is told of it.

How it works: a batch of leads is routed when it is launched; the trunk's channel is taken then, its set-up when the
call is placed. A try that a carrier's fault ended before it rang goes to the next trunk, as the next try of the same
attempt. The desk learns of every try by `ended`, and of contacts when they are credited or taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf

import msgspec
import numpy as np

from carriers.caller_id import CallerIdChoice
from carriers.causes import CallEnd, may_try_elsewhere, read_end
from carriers.desk import CONTACT_S, LEAST_SILENT_S, Call, Ended, Route
from carriers.router import Reason
from carriers.standing import RoutingStanding
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.attempt import DIALLING, RINGING, TALKING, Attempt, TryFailed
from dialer.core.disposition import END_DISPOSITION, NETWORK_FAULTS, Disposition
from dialer.core.lead import Lead, PhoneNumber
from dialer.core.state import LAUNCHED_AT, RUNG_SINCE, CampaignState
from dialer.core.timers import PRICE

PRICE_S = 30.0
# A lead that no trunk may carry now rests so long; one that found no room, until the next decision but a few.
UNSERVED_REST_S, NO_ROOM_REST_S, MOST_NO_ROOM_REST_S = 60.0, 1.0, 4.0
NO_TRUNK = "routing.no_trunk"  # why a number is left out that nothing carries
# A carrier that refuses does so at once. What fails later may have rung at somebody without a word to us.
FAILOVER_WITHIN_S = 12.0
LISTEN_S = 1.0
NO_CALLER_ID = "calls cannot be placed for want of a caller ID"
# An end this close to the ring time-out is our own cancellation, however the switch reports it.
TIME_OUT_SLACK_S = 0.5


class Routing:
    """Routes the calls of one campaign. Shares the campaign's state with the other parts of the engine."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        # By what the law allows and what the trunk takes: one and the same set for many calls.
        self._showable: dict[tuple[tuple[str, ...], tuple[str, ...]], frozenset[str]] = {}

    # ---- before a try -----------------------------------------------------------------------------------------
    def routes(self, leads: Sequence[int], probabilities: Sequence[float]) -> list[tuple[int, Route | None]]:
        """Choose a trunk for each lead of a batch, and take a channel of it; returns each one's cell and route."""
        state = self._state
        calls = [
            Call(self._next_cell(lead), p, self._value(lead)) for lead, p in zip(leads, probabilities, strict=True)
        ]
        if not state.pricing and calls:
            state.pricing = True
            state.timers.set(state.now + PRICE_S, PRICE)
        routes = state.desk.route(calls, now=state.now, rng=state.rng)
        return [(call.cell, route) for call, route in zip(calls, routes, strict=True)]

    def rest(self, lead: int, cell: int, *, routed: bool) -> None:
        """Queue a lead again that found no route, or no number to show (`routed`). Those of a cell for which there is
        no room rest longer each time, so that they do not stand before all others."""
        state, entry = self._state, self._state.queue[lead]
        rest_s = UNSERVED_REST_S
        if not routed and state.desk.served(cell, state.now):
            rest_s = state.cell_rests.get(str(cell), NO_ROOM_REST_S)
            state.crowded.add(cell)
        next_at = max(entry.progress.next_at, state.now + rest_s)
        entry.progress = msgspec.structs.replace(entry.progress, next_at=next_at)
        state.queue.put(lead)

    def decided(self, routed: Collection[int]) -> None:
        """A decision is over in which calls of these cells found a route: the rests of the others grow."""
        rests = self._state.cell_rests
        for cell in routed:
            rests.pop(str(cell), None)
        for cell in self._state.crowded.difference(routed):
            rests[str(cell)] = min(2.0 * rests.get(str(cell), NO_ROOM_REST_S), MOST_NO_ROOM_REST_S)
        self._state.crowded.clear()

    def carried(self, index: int) -> bool:
        """Whether any trunk has a rate for the lead's present number, and serves its region, at any time."""
        cell = self._next_cell(index)  # made now, if it is the first of its kind
        if bool(self._state.desk.cells.served[:, cell].any()):
            return True
        if NO_TRUNK not in self._state.told_faults:
            self._state.told_faults = [*self._state.told_faults, NO_TRUNK]
            text = (
                "numbers are left out: no trunk has a rate for them and serves their region (`dialer carriers check`)"
            )
            self._state.out.append(act.Alert(text=text))
        return False

    def plan(self, attempt: Attempt, cell: int, route: Route) -> None:
        """Give an attempt its trunk."""
        attempt.shown = None  # trunks take different numbers
        attempt.trunk = self._state.desk.supply.trunks[route.trunk].name
        attempt.cell = cell
        attempt.route_reason, attempt.propensity = int(route.reason), route.propensity
        attempt.channel_taken = True

    def survived(self, attempt: Attempt, trunk: str) -> None:
        """A call of an earlier run holds a channel of its trunk, if that is still ours."""
        place = self._state.desk.places.get(trunk)
        if place is not None:
            attempt.trunk = trunk
            attempt.channel_taken = True
            self._state.desk.occupy(place)

    def release(self, attempt: Attempt, *, set_up: bool) -> None:
        """Give an attempt's channel back, if it has one."""
        if attempt.channel_taken:
            attempt.channel_taken = False
            self._state.desk.loads.give_back(self._trunk(attempt), set_up=set_up)

    def _may_go(self, attempt: Attempt) -> bool:
        """Whether a planned try may still go over its trunk: its circuit or its hours may have closed since."""
        if attempt.route_reason == Reason.PROBE:
            return self._state.desk.may_probe(self._trunk(attempt), attempt.cell, self._state.now)
        return self._state.desk.usable(self._trunk(attempt), attempt.cell, self._state.now)

    def reroute(self, attempt: Attempt) -> bool:
        """Plan another trunk for a try that is not placed, or that failed; returns whether there is one with room."""
        state = self._state
        self.release(attempt, set_up=False)
        attempt.tried.append(attempt.trunk)
        tried = [state.desk.places[name] for name in attempt.tried]
        call = Call(attempt.cell, attempt.probability, self._value(attempt.lead))
        route = state.desk.again(call, tried=tried, now=state.now, rng=state.rng)
        if route is None:
            return False
        self.plan(attempt, attempt.cell, route)
        return True

    def _may_show(self, shown: CallerIdChoice) -> bool:
        return self._state.desk.caller_ids.may_show(shown, self._state.now)

    def _caller_id(self, attempt: Attempt, allowed: tuple[str, ...]) -> CallerIdChoice | None:
        """Choose the number that the called party sees, of those that the law allows; None: there is none."""
        state, entry = self._state, self._state.queue[attempt.lead]
        trunk = state.desk.supply.trunks[self._trunk(attempt)]
        key = (allowed, trunk.caller_ids)
        numbers = self._showable.get(key)
        if numbers is None:
            numbers = frozenset(allowed).intersection(trunk.caller_ids or allowed)
            self._showable[key] = numbers
        number = entry.lead.numbers[attempt.number_index]
        return state.desk.caller_ids.choose(
            number=attempt.number,
            jurisdictions=number.jurisdictions or (number.country,),
            product=entry.lead.product,
            allowed=numbers,
            now=state.now,
        )

    def face(self, attempt: Attempt) -> CallerIdChoice | None:
        """The number to be shown on a trunk that may carry the try now: on its own, or on another one where its own
        has closed since or takes no number that may be shown. None: it cannot be placed."""
        allowed = self._allowed(attempt)
        while allowed:
            if self._may_go(attempt):
                shown = attempt.shown
                if shown is None or shown.number not in allowed or not self._may_show(shown):
                    attempt.shown = shown = self._caller_id(attempt, allowed)
                if shown is not None:
                    return shown
            if not self.reroute(attempt):
                return None
        return None

    def note(self, attempt: Attempt, shown: CallerIdChoice) -> act.RouteNote:
        """Say why a try goes as it goes."""
        entry = self._state.queue[attempt.lead]
        number = entry.lead.numbers[attempt.number_index]
        return act.RouteNote(
            because="failover" if attempt.try_no > 1 else Reason(attempt.route_reason).name.lower(),
            propensity=round(attempt.propensity, 6),
            region=_region(entry.lead, number),
            network=number.network,
            expected=round(attempt.probability, 6),
            pool=shown.pool,
            shown_because=shown.reason.name.lower(),
            shown_propensity=shown.propensity,
            attestation=self._state.desk.supply.trunks[self._trunk(attempt)].attestation,
        )

    def placed(self, attempt: Attempt, shown: CallerIdChoice) -> None:
        """A try is placed."""
        self._state.desk.placed(self._trunk(attempt), first=attempt.try_no == 1, now=self._state.now)
        self._state.desk.caller_ids.placed(shown, self._state.now)

    # ---- after it ---------------------------------------------------------------------------------------------
    def rang(self, attempt: Attempt, at: float) -> None:
        """The first sign of ringing."""
        set_up_s = at - (attempt.originated_at or at)
        self._state.desk.rang(self._trunk(attempt), attempt.cell, set_up_s, now=self._state.now)

    def listen(self) -> None:
        """Tell the desk of set-ups of which nothing has been heard for long: a trunk that swallows calls says nothing
        else until they time out. Tell people what has changed since."""
        state = self._state
        if state.now < state.listened_at + LISTEN_S:
            return
        state.listened_at = state.now
        quiet = state.lines.column(LAUNCHED_AT) <= state.now - LEAST_SILENT_S
        for row in np.flatnonzero(quiet & (state.lines.column(RUNG_SINCE) == inf)).tolist():
            attempt = state.lines.owners[row]
            if attempt.state is not DIALLING or attempt.silent or attempt.cell < 0:
                continue
            trunk = self._trunk(attempt)
            if state.now - (attempt.originated_at or state.now) >= state.desk.silent_s(trunk):
                attempt.silent = True
                state.desk.silent(trunk, attempt.cell, now=state.now)
        self._tell()

    def answered(self, attempt: Attempt) -> None:
        """200 OK, whoever or whatever answered."""
        if attempt.cell >= 0:
            desk, expected = self._state.desk, attempt.probability
            desk.answered(self._trunk(attempt), attempt.cell, expected, now=self._state.now)

    def contact(self, attempt: Attempt) -> None:
        """Credit a live answer as a contact."""
        if attempt.cell >= 0:
            attempt.credited = True
            self._state.desk.contact(self._trunk(attempt), attempt.cell, now=self._state.now)
            self._reputation(attempt, 0.0, 1.0)

    def no_contact(self, attempt: Attempt) -> None:
        """Take back a contact that proved to be none: a machine, nobody there, too short, or left without an agent."""
        if attempt.credited:
            attempt.credited = False
            self._state.desk.no_contact(self._trunk(attempt), attempt.cell, now=self._state.now)
            self._reputation(attempt, 0.0, -1.0)

    def ended(self, attempt: Attempt, event: ev.AttemptEnded) -> CallEnd:
        """Tell the desk what a try came to, and give its channel back. Returns how it ended."""
        state = self._state
        answered_at = attempt.connected_at
        rang = attempt.rang_at is not None
        end = read_end(event.cause, event.sip_code, rang=rang, answered=answered_at is not None)
        # While there is no link, what "fails" was refused on our own side: that says nothing of the trunk.
        if event.lost or (end is CallEnd.FAILED and not state.link_up):
            end = CallEnd.UNKNOWN
        if attempt.cell < 0:  # of an earlier run
            self.release(attempt, set_up=True)
            return end
        held_s = max(0.0, event.at - (attempt.originated_at or event.at))
        ours = attempt.hang_up_asked and answered_at is None
        timed_out = answered_at is None and held_s >= state.campaign.ring_timeout_s - TIME_OUT_SLACK_S
        taught = attempt.machine or attempt.state in (DIALLING, RINGING, TALKING)
        taught = taught and not ours and end is not CallEnd.UNKNOWN
        trunk = self._trunk(attempt)
        self.release(attempt, set_up=True)
        told = Ended(
            trunk=trunk,
            cell=attempt.cell,
            end=end,
            expected=attempt.probability,
            taught=taught,
            rang=rang,
            cancelled=ours or timed_out,
            answered_s=None if answered_at is None else max(0.0, event.at - answered_at),
            held_s=held_s,
            silent=attempt.silent,
        )
        state.desk.ended(told, now=state.now)
        if taught:
            self._reputation(attempt, attempt.probability, 0.0)
        if not taught or (told.answered_s is not None and told.answered_s < CONTACT_S):
            self.no_contact(attempt)
        return end

    def next_try(self, attempt: Attempt, end: CallEnd, *, lost: bool) -> bool:
        """Plan the next try of an attempt whose last one has ended so, where a carrier's fault ended it before it rang
        and there is a trunk left; returns whether there is one."""
        state = self._state
        rang, ours = attempt.rang_at is not None, attempt.hang_up_asked
        tried_s = state.now - (attempt.originated_at or state.now)
        if attempt.doubtful or tried_s > FAILOVER_WITHIN_S:
            return False  # it may have rung all the same
        if attempt.state is not DIALLING or not may_try_elsewhere(end, rang=rang, ended_by_us=ours, lost=lost):
            return False
        if attempt.try_no >= state.campaign.routing.max_tries or state.now >= attempt.closes_at:
            return False
        attempt.failed_as = str(END_DISPOSITION[end])
        if not self.reroute(attempt):
            return False
        attempt.move(TryFailed)
        attempt.try_no += 1
        attempt.silent = False
        return True

    def settled(self, attempt: Attempt, disposition: str) -> None:
        """Take in how the attempt was settled."""
        if disposition == Disposition.MACHINE:
            self.no_contact(attempt)
        if disposition in NETWORK_FAULTS and attempt.cell >= 0:
            self._state.desk.attempt_failed(self._trunk(attempt), now=self._state.now)

    def price(self) -> None:
        """Ask for new prices, and for the next ones, as long as anybody is called."""
        state = self._state
        self._tell()
        problem = state.desk.problem(state.now)
        if problem is not None:
            state.out.append(act.PriceCapacity(problem=problem))
        state.pricing = bool(state.attempts) and not state.ended
        if state.pricing:
            state.timers.set(state.now + PRICE_S, PRICE)

    def standing(self, now: float) -> RoutingStanding:
        """How the trunks and the caller IDs stand."""
        desk = self._state.desk
        return RoutingStanding(
            at=now,
            router=desk.router.router_id,
            currency=self._state.campaign.routing.currency,
            trunks=desk.standings(now),
            accounts=desk.accounts(now),
            caller_ids=desk.numbers(now),
            prices_at=desk.prices_at,
        )

    # ---- parts ------------------------------------------------------------------------------------------------
    def _tell(self) -> None:
        self._state.out += [act.Alert(text=text) for text in self._state.desk.told()]

    def _allowed(self, attempt: Attempt) -> tuple[str, ...]:
        """Our numbers that this called party may be shown. None where a duty began in the run: told once."""
        state, profiles = self._state, attempt.claim.profiles
        allowed = state.duties.caller_ids(profiles, state.now)
        if not allowed and NO_CALLER_ID not in state.told_faults:
            state.told_faults = [*state.told_faults, NO_CALLER_ID]
            state.out.append(
                act.Alert(text=f"{NO_CALLER_ID} where {', '.join(profiles)} hold: add a caller ID that they allow")
            )
        return allowed

    def _trunk(self, attempt: Attempt) -> int:
        return self._state.desk.places[attempt.trunk]

    def _cell_of(self, index: int, number_index: int) -> int:
        lead = self._state.queue[index].lead
        number = lead.numbers[number_index]
        region = _region(lead, number)
        return self._state.desk.cells.of(number.e164, region=region, network=number.network, country=number.country)

    def _next_cell(self, index: int) -> int:
        return self._cell_of(index, self._state.queue[index].progress.number_index)

    def _value(self, index: int) -> float:
        """What a contact with the lead is worth."""
        routing = self._state.campaign.routing
        return routing.contact_values.get(self._state.queue[index].lead.product, routing.contact_value)

    def _reputation(self, attempt: Attempt, expected: float, contacts: float) -> None:
        if attempt.shown is not None:
            number = self._state.queue[attempt.lead].lead.numbers[attempt.number_index]
            # One carrier's name in two countries is two networks: people there answer at other hours.
            network = f"{number.country} {number.network}"
            self._state.desk.shown(attempt.shown, network, expected, contacts)


def _region(lead: Lead, number: PhoneNumber) -> str:
    """The region as the list has it, else where the number is from."""
    return lead.region or (number.jurisdictions or (number.country,))[0]
