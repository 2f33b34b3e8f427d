"""What agents' conversations come to, and how long they and the work after them take, by disposition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sim.distributions import Distribution, LogNormal, Mixture, Part, Uniform

Conversed = Literal[
    "RPC", "PTP", "REFUSED", "CALLBACK", "PAID", "DISPUTED", "DNC_REQUEST", "WRONG_PARTY", "MACHINE"
]  # fmt: skip
# Of a right-party contact; the rest is a plain RPC.
RATED: tuple[Conversed, ...] = ("PTP", "REFUSED", "CALLBACK", "PAID", "DISPUTED", "DNC_REQUEST")


class Conversation(BaseModel):
    """The calls that end with one disposition."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rate: float | None = Field(None, ge=0, le=1, description="of right-party contacts; RPC is what the others leave")
    talk_s: Distribution = Field(description="seconds from the bridge to the call's end")
    wrap_up_s: Distribution = Field(description="seconds from the call's end to the agent's report")


def _lognormal(median: float, sigma: float) -> LogNormal:
    return LogNormal(kind="lognormal", median=median, sigma=sigma)


def _conversation(rate: float | None, talk_s: Distribution, wrap_up_s: Distribution) -> Conversation:
    return Conversation(rate=rate, talk_s=talk_s, wrap_up_s=wrap_up_s)


# Calls that fail to become a conversation are short, the others log-normal (Brown et al., "Statistical Analysis of a
# Telephone Call Center", JASA 2005); many outbound calls last less than half a minute.
DEFAULT_CONVERSATIONS: dict[Conversed, Conversation] = {
    "RPC": _conversation(
        None,
        Mixture(
            kind="mixture",
            parts=(Part(weight=0.35, of=_lognormal(20.0, 0.4)), Part(weight=0.65, of=_lognormal(150.0, 0.8))),
        ),
        _lognormal(20.0, 0.5),
    ),
    "PTP": _conversation(0.30, _lognormal(200.0, 0.6), _lognormal(40.0, 0.5)),
    "REFUSED": _conversation(0.15, _lognormal(45.0, 0.7), _lognormal(15.0, 0.5)),
    "CALLBACK": _conversation(0.08, _lognormal(40.0, 0.6), _lognormal(20.0, 0.5)),
    "PAID": _conversation(0.03, _lognormal(70.0, 0.5), _lognormal(20.0, 0.5)),
    "DISPUTED": _conversation(0.01, _lognormal(180.0, 0.7), _lognormal(45.0, 0.5)),
    "DNC_REQUEST": _conversation(0.01, _lognormal(20.0, 0.5), _lognormal(12.0, 0.5)),
    "WRONG_PARTY": _conversation(None, _lognormal(18.0, 0.4), _lognormal(8.0, 0.4)),
    "MACHINE": _conversation(None, Uniform(kind="uniform", low=4.0, high=9.0), _lognormal(4.0, 0.3)),
}  # fmt: skip


def with_defaults(named: Any) -> Any:
    """Fill in what a file leaves out: whole dispositions, or the fields of one."""
    if not isinstance(named, Mapping):
        return named
    filled: dict[Any, Any] = {**DEFAULT_CONVERSATIONS}
    for disposition, given in named.items():
        usual = DEFAULT_CONVERSATIONS.get(disposition)
        if usual is not None and isinstance(given, Mapping):
            filled[disposition] = {**{name: getattr(usual, name) for name in Conversation.model_fields}, **given}
        else:
            filled[disposition] = given
    return filled
