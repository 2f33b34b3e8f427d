"""Durations as people write them: `90s`, `15m`, `2h`, `1d`, or a bare number of seconds."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(value: Any) -> Any:
    """Read `90s`, `15m`, `2h`, `1d` (or a bare number of seconds)."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", value.strip())
        if not match:
            raise ValueError(f"expected a duration such as 90s, 15m, 2h or 1d, was {value!r}")
        return float(match[1]) * _UNITS[match[2]]
    return value


Duration = Annotated[float, BeforeValidator(seconds_of), Field(ge=0, le=366 * 86400.0)]
