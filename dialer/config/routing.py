"""How calls find their trunk and the number they show: `routing` and `caller_id_pools` of the campaign file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dialer.config.section import NAME, Section

RouterId = Literal["hoe-lp-v1", "round-robin-v1", "static-lcr-v1"]
MAX_CONTACT_VALUE = 1_000_000_000.0

ContactValue = Annotated[float, Field(gt=0, le=MAX_CONTACT_VALUE)]
Place = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class CallerIdPool(Section):
    """Own numbers that are shown to some of the called."""

    name: str = Field(pattern=NAME)
    numbers: tuple[str, ...] = Field(min_length=1)
    jurisdictions: tuple[Place, ...] = Field((), description="ISO 3166, countries or parts of them; none: all")
    products: tuple[str, ...] = Field((), description="none: all")
    local: bool = False
    max_calls_a_day: int | None = Field(None, ge=1, le=100_000, description="of each number; none: no cap")


class Routing(Section):
    """Which trunk carries each call."""

    router: RouterId = "hoe-lp-v1"
    contact_value: ContactValue = 0.25
    contact_values: dict[str, ContactValue] = Field(default_factory=dict, description="by product")
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217; of every price of the campaign")
    exploration: float = Field(0.02, ge=0, le=0.2, description="share of calls")
    max_tries: int = Field(3, ge=1, le=5)
