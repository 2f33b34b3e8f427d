"""One past call as some log tells it: the neutral form that every reader of logs gives and that calibration takes."""

from __future__ import annotations

from typing import Literal

import msgspec

Result = Literal[
    "answered-human",
    "answered-machine",
    "answered",  # the log does not say by whom
    "no-answer",
    "busy",
    "invalid",
    "failed",
    "abandoned",  # a person answered and got no agent
    "unknown",
]
LIVE: frozenset[Result] = frozenset({"answered-human", "abandoned"})
ANSWERED: frozenset[Result] = LIVE | {"answered-machine", "answered"}


class LoggedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One placed call. Durations in seconds; None is what the log does not tell, never a zero."""

    at: float  # UTC seconds, when it was placed; where the log knows only the answer or the end, that
    lead: str
    number: str | None = None
    hour: int | None = None  # of the day, 0 to 23, local to the called person where the log knows, else to the log
    trunk: str | None = None
    agent: str | None = None
    set_up_s: float | None = None  # from the originate to the first ringing, or to the end where nothing rang
    ring_s: float | None = None  # from the ringing to the answer or the end
    line_s: float | None = None  # from the originate to the answer or the end: set-up and ringing in one
    result: Result
    cut_off: bool = False  # the dialer itself ended the ringing, by its time-out or an order
    wait_s: float | None = None  # from the answer to the agent, or to the end where none came
    talk_s: float | None = None  # from the agent to the end
    wrap_up_s: float | None = None
    disposition: str | None = None  # a `Disposition`, where a person or the log's status says one
