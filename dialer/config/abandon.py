"""How a campaign's abandons are counted: the `abandon_rules` of the campaign file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from compliance.zones import known_zones
from pacing.accounts.rule import ClockStart, Denominator, Numerator, WindowKind

MAX_ABANDON_RATE = 0.03  # abandoned / answered, of a campaign that calls people: 16 CFR 310.4(b)(4)(i)


class AbandonRule(BaseModel):
    """One account of abandons. The most that may be written is the law's figure; a rule can only be stricter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("", pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    window: WindowKind = Field(description="rolling_24h, calendar_month, 30_days or campaign")
    cap_rate: float = Field(MAX_ABANDON_RATE, gt=0, le=MAX_ABANDON_RATE)
    numerator: Numerator = "late"
    denominator: Denominator = "live_answers"
    clock_start: ClockStart = "greeting_end"
    threshold_s: float = Field(2.0, ge=0.5, le=2.0)
    time_zone: str = ""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone and zone not in known_zones():
            raise ValueError(f"expected a time zone such as America/Lima, was {zone!r}")
        return zone

    @model_validator(mode="after")
    def _zone_of_the_month(self) -> AbandonRule:
        if self.window == "calendar_month" and not self.time_zone:
            raise ValueError("calendar_month: expected time_zone beside it, such as America/Lima, found none")
        if self.window != "calendar_month" and self.time_zone:
            raise ValueError(f"{self.window}: expected no time_zone: only calendar_month has one")
        return self

    @property
    def name(self) -> str:
        """The id under which the account is kept and shown."""
        return self.id or self.window


# The day, for whoever asks may look back from any moment; and the period by which the law of the United States counts:
# a campaign of less than 30 days is its own first period, and a longer one obeys its cap if each of its periods does.
DEFAULT_ABANDON_RULES = (AbandonRule(window="rolling_24h"), AbandonRule(window="30_days"))


def distinct(rules: tuple[AbandonRule, ...]) -> tuple[AbandonRule, ...]:
    """Return the rules. Raises `ValueError` where two have one id."""
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise ValueError(f"{rule.name!r} stands twice: give one of them another id")
        seen.add(rule.name)
    return rules
