"""What every part of a campaign file has in common: strictness, names, hours of the week."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
# What may stand in a name that reaches the switch's dialplan or a key of the store.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
# What may stand in a name that people alone read.
LABEL = r"^[^\x00-\x1f\x7f-\x9f]{0,64}$"

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Section(BaseModel):
    """A part of the file: frozen, strict about keys, and finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Window(Section):
    """Hours in which the called party may be called, in local time, half-open: `allow: [["09:00", "20:00"]]`."""

    days: tuple[Day, ...] = Field(min_length=1)
    allow: tuple[tuple[str, str], ...] = Field(min_length=1)

    @field_validator("allow")
    @classmethod
    def _ordered(cls, spans: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for begin, end in spans:
            for clock in (begin, end):
                if not _CLOCK.fullmatch(clock):
                    raise ValueError(f'expected a quoted local time such as "09:00", was {clock!r}')
            if begin >= end:
                raise ValueError(f"expected a begin before its end, was {begin!r} to {end!r}")
        return spans
