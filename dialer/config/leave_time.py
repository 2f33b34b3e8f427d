"""When an agent will leave, as a supervisor types it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from dialer.errors import ConfigError

TAKEN_BACK = "never"
_LONGEST_S = 24 * 3600.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def leave_time(text: str, now: float) -> float | None:
    """Read `13:00` (the next one, by this machine's clock), `10m` or `90s` from `now`, or `never`, which is None.

    `now` and the answer are UTC seconds. Raises `ConfigError` for any other text, and beyond a day.
    """
    if text == TAKEN_BACK:
        return None
    if clock := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text):
        here = datetime.fromtimestamp(now)
        then = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        # In local time, so that a day on which the clocks change has its own length.
        return (then if then > here else then + timedelta(days=1)).timestamp()
    span = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if span and (seconds := float(span[1]) * _UNITS[span[2]]) <= _LONGEST_S:
        return now + seconds
    raise ConfigError(
        f"expected a time such as 13:00, or one from now such as 10m (a day at most), or never, was {text}"
    )
