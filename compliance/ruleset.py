"""The rules of one campaign: when a number may be called, and what an attempt must be cleared of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from compliance.clearance import Clearance, ConsentCheck, DialCandidate, ListCheck, Place
from compliance.frequency import PlannedLimit, limit_of, plan
from compliance.rule import VERIFIED, CapRule, Profile, WindowRule
from compliance.stack import OwnRules, Stack, holds_on, stack_of, subdivisions_of
from compliance.streams import Shape, agreeing, parts_of, shape_of, streams_of
from compliance.window import WindowState, open_times, window_state
from compliance.zones import DAY_S, day_begin, known_zones, load_zone, local_date

# The stop that forbids every call of every campaign on the store: the emergency stop.
EVERYTHING = "everything"

_MINUTE_S = 60


class RuleSet:
    """The profiles of law by country (those of subdivisions with them), the policy, and what a campaign adds.

    Everything that applies must pass. Answers depend on the arguments alone; they are kept until they end, because they
    are asked for every candidate. What each rule means is told in docs/compliance_semantics.md.
    """

    def __init__(
        self,
        profiles: Mapping[str, Sequence[Profile]],
        *,
        policy: Profile,
        scope: str,
        windows: Sequence[WindowRule] = (),
        caps: Sequence[CapRule] = (),
        segment_caps: Sequence[Sequence[CapRule]] = (),
        closed_dates: Sequence[date] = (),
        ring_guard_s: float = 45.0,
        stale_lists: Literal["block", "warn"] = "block",
    ) -> None:
        self.profiles_by_country = {country: tuple(stack) for country, stack in profiles.items()}
        self.policy = policy
        self.scope = scope
        self.ring_guard_s = ring_guard_s
        self.stale_lists = stale_lists
        self._own = OwnRules(windows=tuple(windows), caps=tuple(caps), closed_dates=tuple(closed_dates))
        # What each of a campaign's segments adds for its own leads, beyond all that holds anyway.
        self.segment_limits = tuple(tuple(map(limit_of, caps)) for caps in segment_caps)
        self._stacks: dict[tuple[str, ...], Stack] = {}
        self._states: dict[Place, tuple[float, WindowState]] = {}
        self._plans: dict[Place, _Plan] = {}

    # ---- hours ----------------------------------------------------------------------------------------------
    def window(self, place: Place, now: float) -> WindowState:
        """Say whether a number there may be called at `now`, and until when that holds."""
        since, state = self._states.get(place, (math.inf, None))
        if state is None or not since <= now < state.changes_at:
            state = self.window_afresh(place, now)
            self._states[place] = (now, state)
        return state

    def window_afresh(self, place: Place, now: float) -> WindowState:
        """Return `window` without keeping it: for looking far ahead."""
        fault = self.fault(place)
        if fault:
            return WindowState(open=False, changes_at=math.inf, rule=fault)
        return window_state(self.stack(place).hours, place.zones, now, self.ring_guard_s)

    def open_times(self, place: Place, since: float, *, days: int) -> Iterator[tuple[float, float]]:
        """Yield the spans [begin, end) of UTC seconds in which a call there may begin, those that end after `since`,
        of the UTC day of `since` and the days that follow it."""
        if self.fault(place):
            return iter(())
        return open_times(self.stack(place).hours, place.zones, since, self.ring_guard_s, days=days)

    def fault(self, place: Place) -> str:
        """Return why no rule could ever allow a call there: `jurisdiction.unknown`, `zone.unknown`; empty if none."""
        if not place.jurisdictions or self.stack(place).unknown:
            return "jurisdiction.unknown"
        if not place.zones or not known_zones().issuperset(place.zones):
            return "zone.unknown"
        return ""

    def stack(self, place: Place) -> Stack:
        """Return the rules of the place's jurisdictions, of whatever date."""
        stack = self._stacks.get(place.jurisdictions)
        if stack is None:
            stack = self._stacks[place.jurisdictions] = stack_of(
                place.jurisdictions, self.profiles_by_country, policy=self.policy, scope=self.scope, own=self._own
            )
        return stack

    # ---- everything else ------------------------------------------------------------------------------------
    def clearance(self, candidate: DialCandidate, now: float) -> Clearance:
        """Return what the store must check for an attempt at `now`: caps are the law's first, then the policy's, the
        campaign's and those of the candidate's segment.

        Raises `KeyError` for a place whose zones `window` calls unknown: such a number is never dialled; `IndexError`
        for a segment that the campaign does not have.
        """
        place = candidate.place
        plan_ = self._plans.get(place)
        if plan_ is None or not plan_.since <= now < plan_.until:
            plan_ = self._plans[place] = _Plan(self, place, now)
        if plan_.at != now:
            plan_.move_to(now)
        person, number, account, use = candidate.person, candidate.number, candidate.account, candidate.use
        stops = (f"lead:{candidate.lead_id}", f"number:{number}", f"person:{person}", f"debt:{candidate.debt}")
        shapes, limits = plan_.shaped(bool(account), use, candidate.agent_held, candidate.segment)
        wheres = [_where(shape, candidate) for shape in shapes]
        consent = plan_.consent
        if consent is not None:
            keys_of_consent = (f"{self.scope}|person:{person}", f"{self.scope}|number:{number}")
            consent = ConsentCheck(keys=keys_of_consent, since=consent.since, rule=consent.rule)
        return Clearance(
            stop_keys=(*stops, EVERYTHING)
            if not account and not use
            else (*stops, *_more_stops(candidate), EVERYTHING),
            fact_keys=streams_of(candidate),
            fact=parts_of(candidate),
            caps=tuple([limit.slot(wheres[shape], now) for limit, shape in limits]),
            lists=plan_.lists,
            consent=consent,
            local_times=plan_.local_times,
            profiles=plan_.profile_ids,
        )

    def clearances(self, candidates: Sequence[DialCandidate], now: float) -> list[Clearance | WindowState]:
        """Return for each of a batch what the store must check, or the window that is closed to it."""
        window, clearance = self.window, self.clearance
        states = [window(candidate.place, now) for candidate in candidates]
        return [
            clearance(candidate, now) if state.open else state
            for candidate, state in zip(candidates, states, strict=True)
        ]

    def in_force(self, place: Place, now: float) -> tuple[Profile, ...]:
        """Return the profiles that apply at `now` by any of the place's clocks, the policy last.

        Hours ask each clock for itself: they are `window`'s to say. Without a zone, those of whatever date.
        """
        stack = self.stack(place)
        if not place.zones:
            return stack.profiles
        days = {local_date(zone, now) for zone in place.zones}
        return tuple(profile for profile in stack.profiles if any(holds_on(profile.in_force, day) for day in days))

    def countries(self, place: Place) -> tuple[str, ...]:
        """Return the candidate countries of a place."""
        return tuple(subdivisions_of(place.jurisdictions))


def _more_stops(candidate: DialCandidate) -> Iterator[str]:
    if candidate.account:
        yield f"account:{candidate.account}"
    if candidate.use == "work":
        yield f"work:{candidate.person}"


def _where(shape: Shape, candidate: DialCandidate) -> tuple[str, tuple[str, ...], str]:
    """Return the stream of a key, and what its facts must agree with."""
    stream, kinds, also = shape
    where = tuple([part for kind in kinds if (part := agreeing(kind, candidate))]) if kinds else ()
    key = f"{stream}:{getattr(candidate, stream)}"
    return key, where, "" if also is None else agreeing(also, candidate)


_Shaped = tuple[tuple[Shape, ...], tuple[tuple[PlannedLimit, int], ...]]


class _Plan:
    """What is the same for every candidate of a place until the next local midnight in any of its zones: every calendar
    period moves at one, and every rule comes into force at one. What moves with the time itself is renewed by
    `move_to`."""

    def __init__(self, rules: RuleSet, place: Place, now: float) -> None:
        if not place.zones:
            raise KeyError("a number without a zone")
        self.since, self.until = now, min(_next_midnight(zone, now) for zone in place.zones)
        self.at = math.nan
        self.lists: tuple[ListCheck, ...] = ()
        self.consent: ConsentCheck | None = None
        self.local_times: tuple[tuple[int, int], ...] = ()
        self._minutes = (math.nan, math.nan)
        self._ring_guard_s = rules.ring_guard_s
        self._zones = place.zones
        self._stale_lists = rules.stale_lists
        self._scope = rules.scope
        self._stack = rules.stack(place)
        self._days = {local_date(zone, now) for zone in place.zones}
        self._profiles = rules.in_force(place, now)
        self.profile_ids = tuple(profile.id for profile in self._profiles)
        self._limits = tuple(
            plan(limit, place.zones, now) for limit in self._stack.limits if self._holds(limit.profile)
        )
        self._segment_limits = rules.segment_limits
        self._shaped: dict[tuple[bool, str, bool, int], _Shaped] = {}

    def _holds(self, profile: Profile | None) -> bool:
        return profile is None or any(holds_on(profile.in_force, day) for day in self._days)

    def shaped(self, has_account: bool, use: str, agent_held: bool, segment: int) -> _Shaped:
        """Return how a candidate's limits find their facts, and each limit with the place of its way among them."""
        found = self._shaped.get((has_account, use, agent_held, segment))
        if found is None:
            limits = self._limits if segment < 0 else self._limits + self._of_segment(segment)
            asked = [limit for limit in limits if limit.limit.asked_of(use, agent_held)]
            ways = [shape_of(limit.limit.key, has_account) for limit in asked]
            shapes = tuple(dict.fromkeys(ways))
            shaped = tuple((limit, shapes.index(way)) for limit, way in zip(asked, ways, strict=True))
            found = self._shaped[has_account, use, agent_held, segment] = (shapes, shaped)
        return found

    def _of_segment(self, segment: int) -> tuple[PlannedLimit, ...]:
        """A segment's own limits: their periods are the same from the plan's begin to its end."""
        return tuple(plan(limit, self._zones, self.since) for limit in self._segment_limits[segment])

    def move_to(self, now: float) -> None:
        """Renew what depends on the moment: how old lists and consent may be, and what the clocks show."""
        self.at = now
        self.lists = self._lists_at(now)
        self.consent = self._consent_at(now)
        moments = (now, now + self._ring_guard_s)
        minutes = (moments[0] // _MINUTE_S, moments[1] // _MINUTE_S)
        if minutes != self._minutes:
            self._minutes = minutes
            self.local_times = tuple(sorted({_local_time(zone, at) for zone in self._zones for at in moments}))

    def _lists_at(self, now: float) -> tuple[ListCheck, ...]:
        """The registries to be asked, once each, as the strictest of the rules wants them."""
        checks: dict[str, ListCheck] = {}
        for profile in self._profiles:
            rule = profile.dnc
            if rule is None or not self._asks(rule.until if rule.confidence in VERIFIED else None):
                continue
            fresh_since = 0.0 if rule.max_age_days is None else now - rule.max_age_days * DAY_S
            for registry in rule.registries:
                before = checks.get(registry)
                if before is None or before.fresh_since < fresh_since:
                    checks[registry] = ListCheck(
                        registry=registry, fresh_since=fresh_since, when_stale=self._stale_lists, rule=profile.id
                    )
        return tuple(checks.values())

    def _asks(self, until: date | None) -> bool:
        return until is None or any(day <= until for day in self._days)

    def _consent_at(self, now: float) -> ConsentCheck | None:
        """The consent that must be there, as fresh as the strictest of the rules wants it; its keys are the
        candidate's."""
        check = None
        for profile in self._profiles:
            rule = profile.consent
            if rule is None or not rule.required:
                continue
            if rule.since is not None and all(day < rule.since for day in self._days):
                continue
            since = 0.0 if rule.max_age_days is None else now - rule.max_age_days * DAY_S
            if check is None or check.since < since:
                check = ConsentCheck(keys=(), since=since, rule=profile.id)
        return check


def _next_midnight(zone: str, now: float) -> float:
    return day_begin(zone, date.fromordinal(local_date(zone, now).toordinal() + 1))


def _local_time(zone: str, now: float) -> tuple[int, int]:
    wall = datetime.fromtimestamp(now, load_zone(zone))
    return wall.weekday(), wall.hour * 60 + wall.minute
