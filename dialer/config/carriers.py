"""Carriers and trunks as the campaign file has them: limits, surcharges, prices, hours, caller IDs.

Prices are in the campaign's currency (`routing.currency`), and never negative.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from carriers.supply import Attestation, LimitKind
from compliance.zones import DAY_S, known_zones
from dialer.config.section import LABEL, NAME, Section, Window

MAX_PRICE = 1_000_000.0  # of a minute, or of one call, in whatever currency
MAX_BILLING_S = 3600
MAX_CALLS = 1_000_000  # of a limit

Money = Annotated[float, Field(ge=0, le=MAX_PRICE)]
Prefix = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}$")]
FirstS = Annotated[float, Field(ge=0, le=MAX_BILLING_S)]
StepS = Annotated[float, Field(gt=0, le=MAX_BILLING_S)]
# A row of a rate deck: prefix, price of a minute, first seconds, step, connection fee, attempt fee.
RateRow = tuple[Prefix, Money, FirstS, StepS, Money, Money]


class SetUpLimit(Section):
    """So many call set-ups in a time, as the provider counts them."""

    calls: int = Field(ge=1, le=MAX_CALLS, description="so many set-ups")
    per_s: float = Field(gt=0, le=DAY_S, description="in so many seconds")
    kind: LimitKind = "rolling"

    @model_validator(mode="after")
    def _whole_periods(self) -> SetUpLimit:
        periods = DAY_S / self.per_s
        if self.kind == "clock" and abs(periods - round(periods)) > 1e-6:
            raise ValueError(f"clock: expected a per_s that divides the day's 86400 seconds, was {self.per_s:g}")
        return self


class CancelledCalls(Section):
    """A fee on each call that we end before an answer, where they are more than a share of all."""

    above: float = Field(ge=0, lt=1, description="cancelled / all calls of a day (UTC)")
    fee: Money = Field(description="of each such call")


class ShortCalls(Section):
    """A fee on each short call, where they are more than a share of the answered ones."""

    above: float = Field(ge=0, lt=1, description="short / answered calls of a day (UTC)")
    fee: Money = Field(description="of each such call")
    up_to_s: float = Field(6.0, gt=0, le=60, description="seconds that a short call lasts at most")


class CarrierAccount(Section):
    """A supplier, and what holds for our whole account there, over all its trunks."""

    name: str = Field(min_length=1, pattern=LABEL)
    limits: tuple[SetUpLimit, ...] = Field((), max_length=8)
    max_channels: int | None = Field(None, ge=1, le=100_000)
    short_calls: ShortCalls | None = None
    cancelled_calls: CancelledCalls | None = None


class Price(Section):
    """One price for all numbers, where a trunk has no rate deck."""

    per_minute: Money
    billing: str = Field(
        pattern=r"^[0-9]{1,4}/[0-9]{1,4}$", description="first/step in seconds, as in 60/60, 30/6 or 1/1"
    )
    connection_fee: Money = 0.0
    attempt_fee: Money = 0.0

    @field_validator("billing")
    @classmethod
    def _bounded(cls, billing: str) -> str:
        read_billing(billing)
        return billing


class TrunkHours(Window):
    """Hours in which a trunk may be used, in a zone."""

    zone: str

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in known_zones():
            raise ValueError(f"expected a time zone such as America/Lima, was {zone!r}")
        return zone


class Trunk(Section):
    """One SIP peer of a carrier, by the name of its PJSIP endpoint."""

    name: str = Field(pattern=NAME)
    carrier: str = Field("", pattern=LABEL)
    max_channels: int = Field(30, ge=1, le=10_000)
    max_cps: float = Field(5.0, gt=0, le=1000)
    limits: tuple[SetUpLimit, ...] = Field((), max_length=8)
    rates: str = Field("", max_length=4096)
    deck: tuple[RateRow, ...] = Field((), description="the rows of `rates` that were read")
    price: Price | None = None
    regions: tuple[str, ...] = ()
    hours: tuple[TrunkHours, ...] = ()
    caller_ids: tuple[str, ...] = ()
    attestation: Attestation = "none"
    prefix: str = Field("", pattern=r"^[0-9+*#]{0,16}$", description="put before the number")
    strip_plus: bool = True

    @field_validator("deck")
    @classmethod
    def _each_prefix_once(cls, rows: tuple[RateRow, ...]) -> tuple[RateRow, ...]:
        seen: set[str] = set()
        for row in rows:
            if row[0] in seen:
                raise ValueError(f"prefix {row[0]} stands twice: keep one")
            seen.add(row[0])
        return rows

    @model_validator(mode="after")
    def _one_price(self) -> Trunk:
        if self.price is not None and (self.rates or self.deck):
            raise ValueError("expected rates or price, found both: remove one")
        return self


def read_billing(text: str) -> tuple[float, float]:
    """Read `60/60` as (first_s, step_s). Raises `ValueError` where it is not that, or out of bounds."""
    first, sign, step = text.partition("/")
    # Digits of other scripts would pass `isdigit`.
    if not (sign and first.isascii() and first.isdigit() and step.isascii() and step.isdigit()):
        raise ValueError(f"expected first/step in seconds, as in 60/60, was {text!r}")
    if not (0 <= int(first) <= MAX_BILLING_S and 1 <= int(step) <= MAX_BILLING_S):
        raise ValueError(f"expected seconds up to {MAX_BILLING_S}, and a step of at least 1, was {text!r}")
    return float(first), float(step)
