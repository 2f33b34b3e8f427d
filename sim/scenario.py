"""A scenario: a campaign, the people on its list, its agents and its carriers, all of them simulated.

Every duration is a named distribution; rates are fractions in [0, 1]. Moments of the day are either durations from
the scenario's start (`2h`) or local times at the start's offset from UTC, on its date ("14:30").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from compliance.zones import known_zones
from dialer.config.campaign import Campaign, Duration
from sim.conversations import DEFAULT_CONVERSATIONS, RATED, Conversation, Conversed, with_defaults
from sim.distributions import Distribution, Fixed, LogNormal, Mixture, Normal, Part, Uniform
from sim.leanings import PRODUCTS, Lean

MAX_AGENTS = 10_000
MAX_DIGITS = 15  # of a telephone number (ITU-T E.164)
LEAST_BREAK_EVERY_S = 60.0
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")
_DURATION: TypeAdapter[float] = TypeAdapter(Duration)
_EVEN_DAY = (1.0,) * 24
_EVEN_WEEK = (1.0,) * 7

Fault = tuple[tuple[str | int, ...], str]


def _moment(value: Any) -> Any:
    if isinstance(value, str) and ":" in value:
        if not _CLOCK.match(value):
            raise ValueError(f'expected a quoted local time such as "09:00", was {value!r}')
        return value
    return _DURATION.validate_python(value)


Moment = Annotated[float | str, BeforeValidator(_moment)]
Factor = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0)]
Multiplier = Annotated[float, Field(ge=0, le=100)]


def offset_s(moment: float | str, start: datetime) -> float:
    """Return how long after `start` a moment is, in seconds; negative where it was before."""
    if isinstance(moment, str):
        hour, minute = moment.split(":")
        return int(hour) * 3600.0 + int(minute) * 60.0 - (start.hour * 3600.0 + start.minute * 60.0 + start.second)
    return moment


def _refuse(title: str, faults: Iterable[Fault]) -> None:
    """Raise where there are faults, each at its place: a file's reader says the line."""
    details = [
        InitErrorDetails(type=PydanticCustomError("inconsistent", "{told}", {"told": told}), loc=loc, input=None)
        for loc, told in faults
    ]
    if details:
        raise ValidationError.from_exception_data(title, details)


def _no_share(name: str, members: Iterable[Any]) -> Iterator[Fault]:
    shares = [member.share for member in members]
    if shares and sum(shares) <= 0:
        yield (name, 0, "share"), "expected shares that add up to more than 0, were all 0: give one of them a share"


class Section(BaseModel):
    """A part of the file: frozen, strict about keys, and finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _unless_usual(
    section: Section, handler: SerializerFunctionWrapHandler, info: SerializationInfo, names: tuple[str, ...]
) -> dict[str, Any]:
    """Write a section as JSON without these later keys where they are at their defaults: what was on record before
    there were any reads, and hashes, as it did."""
    said: dict[str, Any] = handler(section)
    if info.mode == "json":
        for name in names:
            if getattr(section, name) == type(section).model_fields[name].default:
                said.pop(name, None)
    return said


# ---- people -------------------------------------------------------------------------------------------------
class Region(Section):
    """People of one region: their zone, the numbers they have, and their share of the list."""

    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    zone: str = Field(description="IANA zone, America/Lima")
    prefix: str = Field(pattern=r"^\+[1-9]\d{1,10}$", description="the numbers begin so")
    digits: int = Field(ge=1, le=12, description="random digits after the prefix")
    share: Share = Field(description="of the list, in proportion to the others'")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in known_zones():
            raise ValueError(f"expected an IANA zone such as America/Lima, was {zone!r}")
        return zone

    @field_validator("digits")
    @classmethod
    def _no_longer_than_a_number(cls, digits: int, info: ValidationInfo) -> int:
        most = MAX_DIGITS - len(info.data.get("prefix", "+").removeprefix("+"))
        if digits > most:
            raise ValueError(f"expected at most {MAX_DIGITS} digits with the prefix, so {most} here, was {digits}")
        return digits


class Destination(Section):
    """A carrier of called numbers, as the list or the numbering plan knows it: our carriers reach it more or less
    well."""

    name: str
    share: Share = Field(description="of the numbers, in proportion to the others'")


class Habit(Section):
    """A kind of people: when they take a call, as multipliers of `live_rate` besides everybody's own."""

    name: str
    share: Share = Field(description="of the people, in proportion to the others'")
    hours: tuple[Multiplier, ...] = Field(_EVEN_DAY, min_length=24, max_length=24, description="by local hour")
    weekdays: tuple[Multiplier, ...] = Field(_EVEN_WEEK, min_length=7, max_length=7, description="Monday first")
    lean: Lean = Field(Lean(), description="factors on the share, by what is known of a lead")

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        return _unless_usual(self, handler, info, ("lean",))


class Wear(Section):
    """Each call that is placed adds 1 to a person's load, which halves every `half_life`.

    People answer with `floor + (1 - floor) * exp(-strength * load)` of their usual rate.
    """

    strength: float = Field(0.12, ge=0, le=5, description="0: nobody tires")
    half_life: Duration = Field(4 * 86400.0, gt=0)
    floor: Factor = Field(0.3, description="what is left of the rate at worst")


class Population(Section):
    """Who is on the list, and how they take a call. Rates are per attempt that reaches a working number."""

    leads: int = Field(0, ge=0, le=2_000_000, description="how many people are made up; 0 where `list` names a file")
    list: Path | None = Field(None, description="a CSV list of leads, relative to the scenario file")
    regions: tuple[Region, ...] = Field((), description="where made-up people live")
    second_number_rate: float = Field(0.3, ge=0, le=1)
    third_number_rate: float = Field(0.1, ge=0, le=1, description="of those with a second number")
    dead_number_rate: float = Field(0.05, ge=0, le=1, description="of the numbers")
    wrong_number_rate: float = Field(0.05, ge=0, le=1, description="of the numbers: a stranger's")
    destinations: tuple[Destination, ...] = ()
    live_rate: float = Field(0.30, ge=0, le=1, description="a person would answer, if it rang long enough")
    live_rate_spread: float = Field(0.5, ge=0, le=0.95, description="people differ by this share, up and down")
    live_rate_sd: float | None = Field(
        None,
        ge=0,
        le=3,
        description="deviation of the logarithm of people's odds of answering, in place of live_rate_spread; live_rate "
        "is then the median, and lean, hours, habits and wear multiply the odds. None: live_rate_spread",
    )
    lean: Lean = Field(Lean(), description="factors on a person's odds of answering, by what is known of the lead")
    machine_rate: float = Field(0.15, ge=0, le=1)
    busy_rate: float = Field(0.05, ge=0, le=1)
    hours: tuple[Multiplier, ...] = Field(
        (0.6,) * 8 + (0.7, 0.9, 1.0, 1.0, 0.9, 0.8, 0.8, 0.9, 1.0, 1.1, 1.3, 1.3) + (1.0,) * 4,
        min_length=24,
        max_length=24,
        description="multiplier of live_rate by local hour",
    )
    weekdays: tuple[Multiplier, ...] = Field(
        _EVEN_WEEK, min_length=7, max_length=7, description="multiplier of live_rate by local weekday, Monday first"
    )
    habits: tuple[Habit, ...] = Field((), description="kinds of people; none: all alike")
    wear: Wear = Wear()
    right_party_rate: float = Field(0.75, ge=0, le=1, description="of live answers at a number that is right")
    right_party_rate_sd: float = Field(
        0.0, ge=0, le=0.5, description="people's own rates differ by this deviation, cut off at 0 and 1"
    )
    conversations: dict[Conversed, Conversation] = Field(
        default_factory=lambda: dict(DEFAULT_CONVERSATIONS), description="what is not named keeps its default"
    )
    patience_s: Distribution = Uniform(kind="uniform", low=3.0, high=12.0)
    answer_s: Distribution = Mixture(
        kind="mixture",
        parts=(
            Part(weight=0.75, of=LogNormal(kind="lognormal", median=8.0, sigma=0.35)),
            Part(weight=0.25, of=Normal(kind="normal", mean=20.0, sd=1.5)),
        ),
    )
    machine_answer_s: Distribution = Normal(kind="normal", mean=17.0, sd=2.0)

    @field_validator("conversations", mode="before")
    @classmethod
    def _filled(cls, named: Any) -> Any:
        return with_defaults(named)

    @model_serializer(mode="wrap")
    def _said(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        return _unless_usual(self, handler, info, ("live_rate_sd", "lean", "right_party_rate_sd"))

    @model_validator(mode="after")
    def _consistent(self) -> Population:
        _refuse("Population", self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.list is not None and self.leads:
            yield ("list",), "expected either leads or list, were both: remove one"
        if self.list is None and not self.leads:
            yield ("leads",), "expected at least 1 lead, or a list: write `leads: 3000` or `list: leads.csv`"
        for name in ("regions", "destinations", "habits"):
            yield from _no_share(name, getattr(self, name))
        if self.live_rate_sd is not None and self.live_rate >= 1.0:
            yield ("live_rate",), "expected less than 1 beside live_rate_sd: odds have no end there"
        total = self.live_rate + self.machine_rate + self.busy_rate
        if total > 1 + 1e-9:
            yield (
                ("live_rate",),
                f"expected live_rate + machine_rate + busy_rate of at most 1, was {total:g}: lower one",
            )
        yield from self._unknown_leanings(("lean",), self.lean)
        for index, habit in enumerate(self.habits):
            yield from self._unknown_leanings(("habits", index, "lean"), habit.lean)
        yield from self._rates_of_conversations()

    def _unknown_leanings(self, loc: tuple[str | int, ...], lean: Lean) -> Iterator[Fault]:
        """Names that nobody made up has; a list may have any."""
        if self.list is None:
            for name in lean.product.keys() - set(PRODUCTS):
                yield (*loc, "product", name), f"expected one of {', '.join(PRODUCTS)}, was {name!r}"
            regions = [region.name for region in self.regions]
            for name in lean.region.keys() - set(regions):
                told = f"expected one of population.regions ({', '.join(regions) or 'none there'}), was {name!r}"
                yield (*loc, "region", name), told

    def _rates_of_conversations(self) -> Iterator[Fault]:
        total = 0.0
        for disposition, conversation in self.conversations.items():
            if disposition not in RATED and conversation.rate is not None:
                told = f"expected no rate: {disposition} is what the other rates leave. Remove the line"
                yield ("conversations", disposition, "rate"), told
            total += conversation.rate or 0.0
        if total > 1 + 1e-9:
            yield ("conversations",), f"expected rates that add up to at most 1, was {total:g}: lower one"


# ---- agents -------------------------------------------------------------------------------------------------
class Shift(Section):
    """When a share of the agents is there."""

    name: str = ""
    share: Share = Field(1.0, description="of the agents, in proportion to the others'")
    begin: Moment = Field(0.0, description='"09:00", or from the start: 2h')
    end: Moment | None = Field(None, description="none: the scenario's end. A call is finished first")


class ScheduledBreak(Section):
    """A break that every agent takes who is there; in a call, after it."""

    name: str = "break"
    at: Moment = Field(description='"13:00", or from the start: 2h')
    spread_s: Distribution = Field(Uniform(kind="uniform", low=0.0, high=600.0), description="later than `at` by this")
    length_s: Distribution = Normal(kind="normal", mean=900.0, sd=60.0)


class AgentKind(Section):
    """A share of the agents and what sets them apart."""

    name: str
    share: Share = Field(description="of the agents, in proportion to the others'")
    skill: float = Field(1.0, ge=0, le=5, description="multiplies the promise rate")
    handle_factor: float = Field(1.0, gt=0, le=5, description="multiplies talk and wrap-up times")


class Floor(Section):
    """The agents' habits. Who they are stands in the campaign, or `agents` says how many."""

    agents: int | None = Field(
        None,
        ge=1,
        le=MAX_AGENTS,
        description="how many; the campaign's first, others are made up. None: as named there",
    )
    shifts: tuple[Shift, ...] = Field((), description="none: everybody is there from begin to end")
    kinds: tuple[AgentKind, ...] = Field((), description="none: all alike")
    log_in_s: Distribution = Field(
        Uniform(kind="uniform", low=0.0, high=20.0), description="from the shift's begin to the log-in"
    )
    breaks: tuple[ScheduledBreak, ...] = ()
    announce: Duration = Field(
        0.0, description="how long before the dialer is told of scheduled breaks and shifts' ends; 0: never"
    )
    break_every_s: Duration = Field(
        0.0, description="mean time between breaks at random, half to one and a half; 0: none"
    )
    break_s: Distribution = Normal(kind="normal", mean=600.0, sd=60.0)
    silence_s: Distribution = Field(
        Uniform(kind="uniform", low=4.0, high=8.0), description="until an agent hangs up on a line with nobody there"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Floor:
        _refuse("Floor", self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        for name in ("shifts", "kinds"):
            yield from _no_share(name, getattr(self, name))
        if 0.0 < self.break_every_s < LEAST_BREAK_EVERY_S:
            told = f"expected 0 for none, or at least {LEAST_BREAK_EVERY_S:g}, was {self.break_every_s:g}"
            yield ("break_every_s",), told


# ---- carriers -----------------------------------------------------------------------------------------------
class Drift(Section):
    """A slow wave in a carrier's quality: it loses between nothing and `amplitude` of the calls."""

    amplitude: Factor = 0.0
    period: Duration = Field(4 * 3600.0, gt=0)


class Incident(Section):
    """A time in which a carrier serves badly, or not at all (`factor: 0`)."""

    begin: Moment
    end: Moment
    factor: Factor = Field(0.0, description="share of the calls that still get through")
    regions: tuple[str, ...] = Field((), description="none: all")
    destinations: tuple[str, ...] = Field((), description="none: all")


class Carrier(Section):
    """How one trunk of the campaign behaves; the engine sees none of it but the calls."""

    trunk: str
    post_dial_delay_s: Distribution = LogNormal(kind="lognormal", median=2.0, sigma=0.3)
    failure_rate: Factor = Field(0.01, description="503 instead of a call")
    lost_rate: Factor = Field(0.0, description="calls that ring at nobody, whoever would have answered")
    regions: dict[str, Factor] = Field({}, description="share of the calls to a region that get through")
    destinations: dict[str, Factor] = Field({}, description="the same by the number's own carrier")
    drift: Drift = Drift()
    incidents: tuple[Incident, ...] = ()
    failed_share: Factor = Field(
        0.5, description="of the calls that do not get through: fail; the others ring at nobody"
    )
    max_channels: int | None = Field(None, ge=1, description="calls at a time, beyond: 503. Hidden; None: no limit")
    max_cps: float | None = Field(
        None, gt=0, le=1000, description="calls a second, beyond: 503. Hidden; None: no limit"
    )
    false_answer_rate: Factor = Field(0.0, description="calls that the carrier answers itself, with nobody there")
    false_answer_s: Distribution = Uniform(kind="uniform", low=0.5, high=3.0)
    price_per_minute: float = Field(0.0, ge=0, description="of answered time, in the scenario's currency")
    billing_increment_s: float = Field(1.0, ge=0.1, le=3600, description="answered time is rounded up to this")
    connection_fee: float = Field(0.0, ge=0, description="for each answered call")
    attempt_fee: float = Field(0.0, ge=0, description="for each attempt, answered or not")


class Switch(Section):
    """The simulated switch."""

    bridge_s: Distribution = Fixed(kind="fixed", value=0.004)
    message_s: float = Field(9.0, ge=0, le=60, description="length of the message that abandoned people hear")
    amd_s: Distribution = Uniform(kind="uniform", low=1.6, high=2.6)
    amd_false_machine_rate: float = Field(0.02, ge=0, le=1, description="people taken for machines")
    amd_missed_machine_rate: float = Field(0.08, ge=0, le=1, description="machines taken for people")


class Costs(Section):
    """What the day costs besides the carriers' bill."""

    agent_hour: float = Field(0.0, ge=0, description="of an agent who is logged in")
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217; of every price in the file")


class Scenario(Section):
    """One simulated day, or part of it."""

    scenario: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    description: str = ""
    seed: int = Field(1, ge=0, lt=2**63)
    start: datetime = Field(description="with its offset from UTC")
    duration: Duration = Field(gt=0)
    campaign: Campaign
    population: Population
    floor: Floor = Floor()
    carriers: tuple[Carrier, ...] = Field((), description="a trunk without an entry has the defaults")
    switch: Switch = Switch()
    costs: Costs = Costs()

    @model_validator(mode="before")
    @classmethod
    def _hired(cls, data: Any) -> Any:
        """Make up the agents that `floor.agents` asks for."""
        if not isinstance(data, dict) or not isinstance(data.get("floor"), dict):
            return data
        wanted, campaign = data["floor"].get("agents"), data.get("campaign")
        if type(wanted) is not int or not 1 <= wanted <= MAX_AGENTS or not isinstance(campaign, dict):
            return data
        agents = campaign.get("agents") or ()
        named = list(agents)[:wanted] if isinstance(agents, list | tuple) else []
        taken = {who.get("id") for who in named if isinstance(who, dict)}
        names = (f"agent{number}" for number in count(len(named) + 1))
        made_up = [{"id": name} for name in islice((n for n in names if n not in taken), wanted - len(named))]
        return {**data, "campaign": {**campaign, "agents": named + made_up}}

    @field_validator("start")
    @classmethod
    def _with_offset(cls, start: datetime) -> datetime:
        if start.tzinfo is None:
            raise ValueError('expected an offset from UTC, as in "2026-11-23T09:00:00-05:00"')
        if not 1971 <= start.year < 2200:
            raise ValueError(f"expected a year from 1971 to 2199, was {start.year}")
        return start

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        _refuse("Scenario", [*self._faults_of_shifts(), *self._faults_of_carriers()])
        return self

    def _faults_of_shifts(self) -> Iterator[Fault]:
        for index, shift in enumerate(self.floor.shifts):
            yield from self._reversed(("floor", "shifts", index, "end"), shift.begin, shift.end)

    def _faults_of_carriers(self) -> Iterator[Fault]:
        trunks = [trunk.name for trunk in self.campaign.trunks]
        seen: set[str] = set()
        for index, carrier in enumerate(self.carriers):
            loc = ("carriers", index)
            if carrier.trunk not in trunks:
                told = f"expected a trunk of the campaign ({', '.join(trunks)}), was {carrier.trunk!r}"
                yield (*loc, "trunk"), told
            if carrier.trunk in seen:
                yield (*loc, "trunk"), f"trunk {carrier.trunk!r} stands twice: remove one"
            seen.add(carrier.trunk)
            yield from self._unknown_places((*loc, "regions"), carrier.regions, "regions")
            yield from self._unknown_places((*loc, "destinations"), carrier.destinations, "destinations")
            for number, incident in enumerate(carrier.incidents):
                place = (*loc, "incidents", number)
                yield from self._reversed((*place, "end"), incident.begin, incident.end)
                yield from self._unknown_places((*place, "regions"), incident.regions, "regions")
                yield from self._unknown_places((*place, "destinations"), incident.destinations, "destinations")

    def _reversed(self, loc: tuple[str | int, ...], begin: float | str, end: float | str | None) -> Iterator[Fault]:
        if end is not None and offset_s(end, self.start) <= offset_s(begin, self.start):
            yield loc, f"expected an end after its begin, was {begin} to {end}"

    def _unknown_places(self, loc: tuple[str | int, ...], names: Iterable[str], kind: str) -> Iterator[Fault]:
        known = [place.name for place in getattr(self.population, kind)]
        if not known and kind == "regions":
            return  # a list's own regions: not known here
        for position, name in enumerate(names):
            if name not in known:
                at = position if isinstance(names, tuple) else name
                yield (
                    (*loc, at),
                    f"expected one of population.{kind} ({', '.join(known) or 'none there'}), was {name!r}",
                )

    @property
    def start_at(self) -> float:
        """UTC seconds."""
        return self.start.timestamp()
