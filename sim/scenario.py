"""A scenario: a campaign, the people on its list, its agents and its carriers, all of them simulated."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dialer.config.campaign import Campaign, Duration
from sim.distributions import Distribution, Fixed, LogNormal, Mixture, Normal, Part, Uniform


class Section(BaseModel):
    """A part of the file: frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(Section):
    """People of one region: their zone, the numbers they have, and their share of the list."""

    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    zone: str
    prefix: str = Field(pattern=r"^\+[1-9]\d{1,10}$", description="the numbers begin so")
    digits: int = Field(ge=1, le=12, description="random digits after the prefix")
    share: float = Field(gt=0)


class Population(Section):
    """Who is on the list, and how they take a call. Rates are per attempt on a working number."""

    leads: int = Field(ge=1, le=2_000_000)
    regions: tuple[Region, ...] = Field((), description="where generated people live")
    second_number_rate: float = Field(0.3, ge=0, le=1)
    dead_number_rate: float = Field(0.05, ge=0, le=1)
    live_rate: float = Field(0.30, ge=0, le=1, description="answered by a person")
    live_rate_spread: float = Field(0.5, ge=0, le=0.95, description="people differ by this share, up and down")
    machine_rate: float = Field(0.15, ge=0, le=1)
    busy_rate: float = Field(0.05, ge=0, le=1)
    hours: tuple[float, ...] = Field(
        (0.6,) * 8 + (0.7, 0.9, 1.0, 1.0, 0.9, 0.8, 0.8, 0.9, 1.0, 1.1, 1.3, 1.3) + (1.0,) * 4,
        min_length=24,
        max_length=24,
        description="multiplier of live_rate by local hour",
    )
    right_party_rate: float = Field(0.7, ge=0, le=1, description="of live answers")
    promise_rate: float = Field(0.35, ge=0, le=1, description="of right-party contacts")
    refusal_rate: float = Field(0.15, ge=0, le=1, description="of right-party contacts")
    paid_rate: float = Field(0.03, ge=0, le=1, description="of right-party contacts: says that it is paid")
    patience_s: Distribution = Uniform(kind="uniform", low=3.0, high=12.0)
    answer_s: Distribution = Mixture(
        kind="mixture",
        parts=(
            Part(weight=0.75, of=LogNormal(kind="lognormal", median=8.0, sigma=0.35)),
            Part(weight=0.25, of=Normal(kind="normal", mean=18.0, sd=1.5)),
        ),
    )
    machine_answer_s: Distribution = Normal(kind="normal", mean=17.0, sd=2.0)
    wrong_party_talk_s: Distribution = LogNormal(kind="lognormal", median=18.0, sigma=0.4)
    right_party_talk_s: Distribution = LogNormal(kind="lognormal", median=150.0, sigma=0.8)
    machine_talk_s: Distribution = Uniform(kind="uniform", low=4.0, high=9.0)


class Floor(Section):
    """The agents' habits. Who they are stands in the campaign."""

    log_in_s: Distribution = Uniform(kind="uniform", low=0.0, high=20.0)
    wrap_up_s: Distribution = LogNormal(kind="lognormal", median=18.0, sigma=0.5)
    break_every_s: Duration = Field(0.0, description="0: no breaks")
    break_s: Distribution = Normal(kind="normal", mean=600.0, sd=60.0)


class Carrier(Section):
    """How one trunk of the campaign behaves."""

    trunk: str
    post_dial_delay_s: Distribution = LogNormal(kind="lognormal", median=2.0, sigma=0.3)
    failure_rate: float = Field(0.01, ge=0, le=1, description="503 instead of a call")
    no_live_rate: float = Field(0.0, ge=0, le=1, description="share of live answers that this carrier loses")


class Switch(Section):
    """The simulated switch."""

    bridge_s: Distribution = Fixed(kind="fixed", value=0.004)
    message_s: float = Field(9.0, ge=0, le=60)
    amd_s: Distribution = Uniform(kind="uniform", low=1.6, high=2.6)
    amd_false_machine_rate: float = Field(0.02, ge=0, le=1, description="people taken for machines")
    amd_missed_machine_rate: float = Field(0.08, ge=0, le=1, description="machines taken for people")


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
    carriers: tuple[Carrier, ...] = ()
    switch: Switch = Switch()

    @field_validator("start")
    @classmethod
    def _with_offset(cls, start: datetime) -> datetime:
        if start.tzinfo is None:
            raise ValueError('expected an offset from UTC, as in "2026-11-23T09:00:00-05:00"')
        return start

    @field_validator("carriers")
    @classmethod
    def _known(cls, carriers: tuple[Carrier, ...]) -> tuple[Carrier, ...]:
        names = [carrier.trunk for carrier in carriers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"trunk {name!r} stands twice")
        return carriers

    @property
    def start_at(self) -> float:
        """UTC seconds."""
        return self.start.timestamp()
