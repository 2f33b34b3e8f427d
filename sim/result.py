"""What a day came to, in figures for scripts and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from compliance.zones import load_zone
from sim.day import DayRecord
from sim.replications import CONFIDENCE, wilson
from sim.scenario import Scenario

_HANDLING = ("reserved", "on_call", "wrap_up")
_PAID = (*_HANDLING, "idle", "paused")

METHODS = (
    f"Figures of one run, from its first minute to its last. occupancy: handling / (handling + idle) agent-seconds "
    f"until the run is drained. "
    f"abandon_rate: abandoned / live answers; abandon_rate_ci95: Wilson score interval (Wilson 1927), "
    f"{CONFIDENCE:.0%}, live answers taken as independent trials. mean_idle_s: idle agent-seconds / connects. "
    f"Per agent-hour: per hour logged in, pauses included. None: not known."
)


class HourFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by hour of the run; every tuple has one entry an hour, the last hour may be a part of one."""

    begins: tuple[str, ...]  # local time of the scenario's zone, ISO 8601 with its offset
    occupancy: tuple[float | None, ...]
    abandon_rate: tuple[float | None, ...]
    mean_idle_s: tuple[float | None, ...]
    attempts: tuple[int, ...]
    live_answers: tuple[int, ...]
    connects: tuple[int, ...]
    abandoned: tuple[int, ...]
    right_party_contacts: tuple[int, ...]
    promises: tuple[int, ...]


class SimResult(msgspec.Struct, frozen=True, kw_only=True):
    """A day's figures. Rates are fractions in [0, 1]; None where nothing is known."""

    campaign: str
    scenario: str  # empty: a real day
    scenario_hash: str  # of all that the scenario says; empty: a real day
    policy: str
    seed: int | None
    version: str
    start: str  # local time, ISO 8601 with its offset
    hours: float  # length of the run
    events: int
    leads: int
    attempts: int
    live_answers: int
    connects: int  # people bridged to an agent
    abandoned: int
    right_party_contacts: int
    promises: int
    contacts: int  # human contacts of at least 6 s
    occupancy: float | None
    abandon_rate: float | None
    abandon_rate_ci95: tuple[float, float] | None
    mean_idle_s: float | None
    agent_hours: float  # logged in, pauses included
    attempts_per_hour: float
    attempts_per_agent_hour: float | None
    rpc_per_agent_hour: float | None
    contacts_per_1000_attempts: float | None
    carriers_cost: float | None  # surcharges included
    carriers_cost_per_contact: float | None
    cost: float | None  # the carriers' and the agents'
    cost_per_rpc: float | None
    currency: str
    compliance_blocks: int  # dialling refused by a rule; one lead may be refused more than once
    blocks_by_rule: dict[str, int]
    dispositions: dict[str, int]
    per_hour: HourFigures
    methods: str = METHODS


def scenario_hash(scenario: Scenario) -> str:
    """Return 16 hex digits of all that a scenario says, wherever its list's folder is."""
    said = scenario.model_dump(mode="json")
    if scenario.population.list is not None:
        said["population"]["list"] = scenario.population.list.name
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]


def result_of(
    day: DayRecord,
    *,
    events: int,
    scenario: Scenario | None = None,
    carriers_cost: float | None = None,
) -> SimResult:
    """Sum a day up. `carriers_cost` is what the carriers bill, in the scenario's currency; None: not known."""
    total = _Sums(day, 0, len(day.lines))
    cost = None if scenario is None or carriers_cost is None else carriers_cost
    if cost is not None and scenario is not None:
        cost += total.paid_s / 3600.0 * scenario.costs.agent_hour
    interval = wilson(total.abandoned, total.live_answers)
    hours = total.seconds / 3600.0
    zone = load_zone(day.zone)
    return SimResult(
        campaign=day.campaign,
        scenario=day.scenario,
        scenario_hash="" if scenario is None else scenario_hash(scenario),
        policy=day.policy,
        seed=day.seed,
        version=day.version,
        start=_local(day.start_at, zone),
        hours=round(hours, 4),
        events=events,
        leads=day.leads,
        attempts=total.attempts,
        live_answers=total.live_answers,
        connects=total.connects,
        abandoned=total.abandoned,
        right_party_contacts=total.right_party_contacts,
        promises=total.promises,
        contacts=total.contacts,
        occupancy=total.occupancy,
        abandon_rate=total.abandon_rate,
        abandon_rate_ci95=None if interval.low is None or interval.high is None else (interval.low, interval.high),
        mean_idle_s=total.mean_idle_s,
        agent_hours=round(total.paid_s / 3600.0, 3),
        attempts_per_hour=_ratio(total.attempts, hours) or 0.0,
        attempts_per_agent_hour=_ratio(total.attempts, total.paid_s / 3600.0),
        rpc_per_agent_hour=_ratio(total.right_party_contacts, total.paid_s / 3600.0),
        contacts_per_1000_attempts=_ratio(1000.0 * total.contacts, total.attempts),
        carriers_cost=None if carriers_cost is None else round(carriers_cost, 4),
        carriers_cost_per_contact=None if carriers_cost is None else _ratio(carriers_cost, total.contacts),
        cost=None if cost is None else round(cost, 2),
        cost_per_rpc=None if cost is None else _ratio(cost, total.right_party_contacts),
        currency="" if scenario is None else scenario.costs.currency,
        compliance_blocks=sum(day.refusals.values()),
        blocks_by_rule=dict(sorted(day.refusals.items())),
        dispositions=dict(sorted(day.dispositions.items())),
        per_hour=_per_hour(day, zone),
    )


class _Sums:
    """Sums over the intervals from `begin` to before `end`."""

    def __init__(self, day: DayRecord, begin: int, end: int) -> None:
        part = slice(begin, end)
        self.attempts = sum(day.attempts[part])
        self.live_answers = sum(day.live_answers[part])
        self.connects = sum(day.bridged[part])
        self.abandoned = sum(day.abandoned[part])
        self.right_party_contacts = sum(day.right_party_contacts[part])
        self.promises = sum(day.promises[part])
        self.contacts = sum(sum(trunk.contacts[part]) for trunk in day.trunks.values())
        self.seconds = sum(day.lengths_s[part])
        pacing = slice(begin, max(begin, min(end, _last_paced(day))))
        handling = self._spent(day, _HANDLING, pacing)
        idle = self._spent(day, ("idle",), pacing)
        self.paid_s = self._spent(day, _PAID, part)
        self.occupancy = _ratio(handling, handling + idle)
        self.abandon_rate = _ratio(self.abandoned, self.live_answers)
        self.mean_idle_s = _ratio(idle, self.connects)

    def _spent(self, day: DayRecord, states: Sequence[str], part: slice) -> float:
        lengths = day.lengths_s[part]
        return sum(
            mean * length
            for state in states
            for mean, length in zip(day.agents.get(state, ())[part], lengths, strict=False)
        )


def _last_paced(day: DayRecord) -> int:
    """The interval in which launching ended for good: when a day is drained its agents run idle one by one."""
    if day.drained_at is None or day.drained_at <= day.start_at:
        return len(day.lines)
    return max(1, int((day.drained_at - day.start_at) / day.interval_s))


def _per_hour(day: DayRecord, zone: ZoneInfo) -> HourFigures:
    each = max(1, round(3600.0 / day.interval_s))
    begins = range(0, len(day.lines), each)
    hours = [_Sums(day, begin, begin + each) for begin in begins]
    return HourFigures(
        begins=tuple(_local(day.start_at + begin * day.interval_s, zone) for begin in begins),
        occupancy=tuple(hour.occupancy for hour in hours),
        abandon_rate=tuple(hour.abandon_rate for hour in hours),
        mean_idle_s=tuple(hour.mean_idle_s for hour in hours),
        attempts=tuple(hour.attempts for hour in hours),
        live_answers=tuple(hour.live_answers for hour in hours),
        connects=tuple(hour.connects for hour in hours),
        abandoned=tuple(hour.abandoned for hour in hours),
        right_party_contacts=tuple(hour.right_party_contacts for hour in hours),
        promises=tuple(hour.promises for hour in hours),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _local(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")
