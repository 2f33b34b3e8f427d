"""A campaign's own caps: how often somebody may be called, besides what the law says."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from compliance.streams import somebody_in
from dialer.config.section import Section

KeyKind = Literal["person", "debt", "account", "number", "subject", "campaign"]
Channel = Literal["voice", "inbound", "sms", "whatsapp", "email", "letter", "visit"]
PeriodKind = Literal["rolling_hours", "rolling_calendar_days", "calendar_day", "calendar_week_mon", "calendar_month"]


class Period(Section):
    """How long a cap looks back."""

    kind: PeriodKind
    n: int = Field(1, ge=1, le=366)


class Cap(Section):
    """At most `max` attempts, contacts, conversations or communications in a period, under a key."""

    id: str = Field("", max_length=64)
    count: Literal["attempt", "contact", "conversation", "communication"] = "attempt"
    max: int = Field(ge=1, le=1000)
    period: Period
    key: Annotated[tuple[KeyKind, ...], Field(min_length=1), AfterValidator(somebody_in)]
    channels: tuple[Channel, ...] = Field(("voice",), min_length=1)
    exclude: tuple[str, ...] = ()  # dispositions that do not count
