"""The rules of one campaign: when a number may be called, and which caps an attempt must pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from compliance.frequency import CapSlot, DialCandidate, PlannedCap, fact_key, plan_cap
from compliance.rule import CapRule, KeyKind, Profile, WindowRule
from compliance.window import CallingHours, WindowState, week_of, window_state
from compliance.zones import day_begin, known_zones, local_date

# The streams in which every attempt is recorded, so that another campaign's caps see it whatever this one's are.
STREAMS: tuple[tuple[KeyKind, ...], ...] = (("person",), ("debt",), ("number",), ("person", "debt"))

# The stop that forbids every call of every campaign on the store: the emergency stop.
EVERYTHING = "everything"

_Place = tuple[str, tuple[str, ...]]  # country, zones


class RuleSet:
    """Profiles of law by country, the policy's defaults, and what a campaign adds. All must pass.

    A country whose profiles name no hours gets the defaults' hours, closed on its public holidays. The defaults' caps
    always hold. A campaign's windows, caps and closed dates only tighten. Answers depend on the arguments alone; they
    are kept until they end because they are asked for every candidate.
    """

    def __init__(
        self,
        profiles_by_country: Mapping[str, Sequence[Profile]],
        *,
        defaults: Profile,
        windows: Sequence[WindowRule] = (),
        caps: Sequence[CapRule] = (),
        closed_dates: Sequence[date] = (),
        ring_guard_s: float = 45.0,
    ) -> None:
        self.profiles_by_country = {country: tuple(profiles) for country, profiles in profiles_by_country.items()}
        self.ring_guard_s = ring_guard_s
        own = _own_hours(windows, closed_dates)
        self._hours = {
            country: (*_hours_of(country, profiles, defaults), *own)
            for country, profiles in self.profiles_by_country.items()
        }
        self._caps = {
            country: (*(cap for profile in profiles for cap in profile.caps), *defaults.caps, *caps)
            for country, profiles in self.profiles_by_country.items()
        }
        self._shared_caps = (*defaults.caps, *caps)
        keys = (cap.key for country_caps in self._caps.values() for cap in country_caps)
        self._streams = tuple(dict.fromkeys((*STREAMS, *keys)))
        self._states: dict[_Place, tuple[float, WindowState]] = {}
        self._plans: dict[_Place, tuple[float, float, tuple[PlannedCap, ...]]] = {}

    def window(self, country: str, zones: tuple[str, ...], now: float) -> WindowState:
        """Say whether numbers of this country and these zones may be called at `now`, and until when that holds."""
        place = (country, zones)
        since, state = self._states.get(place, (math.inf, None))
        if state is None or not since <= now < state.changes_at:
            state = self._window(country, zones, now)
            self._states[place] = (now, state)
        return state

    def _window(self, country: str, zones: tuple[str, ...], now: float) -> WindowState:
        hours = self._hours.get(country)
        if hours is None:
            return WindowState(open=False, changes_at=math.inf, rule="jurisdiction.unknown")
        if not zones or not known_zones().issuperset(zones):
            return WindowState(open=False, changes_at=math.inf, rule="zone.unknown")
        return window_state(hours, zones, now, self.ring_guard_s)

    def caps(self, candidate: DialCandidate, now: float) -> tuple[CapSlot, ...]:
        """Return the caps that an attempt at `now` must pass, the law's first, then the policy's and the campaign's.

        Raises `KeyError` for a zone that `window` calls unknown: such a number is never dialled.
        """
        return self.claim(candidate, now)[1]

    def _plan_of(self, candidate: DialCandidate, now: float) -> tuple[PlannedCap, ...]:
        place = (candidate.country, candidate.zones)
        since, until, plan = self._plans.get(place, (math.inf, -math.inf, ()))
        if not since <= now < until:
            since, until, plan = self._plan(place, now)
            self._plans[place] = (since, until, plan)
        return plan

    def _plan(self, place: _Place, now: float) -> tuple[float, float, tuple[PlannedCap, ...]]:
        country, zones = place
        if not zones:
            raise KeyError("a number without a zone")
        plan = tuple(plan_cap(cap, zones, now) for cap in self._caps.get(country, self._shared_caps))
        # Every calendar period moves at a local midnight: no plan outlives the first one in any of the zones.
        midnights = (day_begin(zone, date.fromordinal(local_date(zone, now).toordinal() + 1)) for zone in zones)
        return now, min(midnights), plan

    def fact_keys(self, candidate: DialCandidate) -> tuple[str, ...]:
        """Return the streams in which the attempt is recorded, capped here or not."""
        return tuple([fact_key(kinds, candidate) for kinds in self._streams])

    def claim(self, candidate: DialCandidate, now: float) -> tuple[tuple[str, ...], tuple[CapSlot, ...]]:
        """Return `fact_keys` and `caps` in one pass, each key made once."""
        keys = {kinds: fact_key(kinds, candidate) for kinds in self._streams}
        return tuple(keys.values()), tuple([cap.slot(keys[cap.rule.key], now) for cap in self._plan_of(candidate, now)])

    def stop_keys(self, candidate: DialCandidate) -> tuple[str, ...]:
        """Return the stops that would forbid the attempt."""
        return (f"lead:{candidate.lead_id}", f"number:{candidate.number}", f"person:{candidate.person}")


def _hours_of(country: str, profiles: Sequence[Profile], defaults: Profile) -> list[CallingHours]:
    """Return the hours of the law; of the defaults where no profile names any."""
    hours = [
        CallingHours(rule=profile.id, week=week_of(profile.windows), holidays=profile.holidays, zones=profile.zones)
        for profile in profiles
        if profile.windows or profile.holidays is not None
    ]
    if not any(profile.windows for profile in profiles):
        hours.append(CallingHours(rule=defaults.id, week=week_of(defaults.windows), holidays=country))
    return hours


def _own_hours(windows: Sequence[WindowRule], closed_dates: Sequence[date]) -> list[CallingHours]:
    hours = []
    if windows:
        hours.append(CallingHours(rule="campaign.windows", week=week_of(windows)))
    if closed_dates:
        dates = frozenset(closed_dates)
        hours.append(CallingHours(rule="campaign.closed_dates", week=week_of(()), closed_dates=dates))
    return hours
