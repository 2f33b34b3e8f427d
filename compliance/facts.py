"""Facts: what happened to a person, and which of it a rule counts.

How it works: every stream of facts holds outcomes. An attempt of our own has its disposition, `PENDING` until it is
settled; what happened elsewhere is recorded as `KIND/CHANNEL` (`conversation/inbound`). `fact_of` says what an outcome
means and `counts` what a rule makes of it; the outcomes that a cap ignores are worked out from these two, so the store
and a verdict cannot count differently. An outcome that nobody knows counts for every rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from compliance.rule import Channel

FactKind = Literal["attempt", "contact", "conversation", "refusal", "abandoned"]
# What a rule may count: facts of a kind, or any fact on the channels that it names.
Counted = Literal["attempt", "contact", "conversation", "refusal", "abandoned", "communication"]

KINDS: tuple[FactKind, ...] = get_args(FactKind)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
PENDING = "PENDING"

# The dispositions after which surely nobody was reached; the core's own list, by name (a test holds them equal).
NO_CONTACT = ("BUSY", "CANCELLED", "CONGESTION", "FAILED", "INVALID_NUMBER", "MACHINE", "NO_ANSWER")

# Each kind with those that it is too: a refusal is a conversation, and a conversation a contact.
_IMPLIED: dict[FactKind, tuple[FactKind, ...]] = {
    "attempt": ("attempt",),
    "contact": ("contact",),
    "conversation": ("contact", "conversation"),
    "refusal": ("contact", "conversation", "refusal"),
    "abandoned": ("contact", "abandoned"),
}
# What an attempt of our own is besides an attempt, by its disposition. Lost and pending ones are everything.
_OWN: dict[str, tuple[FactKind, ...]] = {
    **dict.fromkeys(NO_CONTACT, ("attempt",)),
    **dict.fromkeys(("ABANDONED",), ("attempt", *_IMPLIED["abandoned"])),
    **dict.fromkeys(("WRONG_PARTY",), ("attempt", "contact")),
    **dict.fromkeys(
        ("RPC", "PTP", "CALLBACK", "PAID", "DISPUTED", "UNDISPOSED"), ("attempt", *_IMPLIED["conversation"])
    ),
    **dict.fromkeys(("REFUSED", "DNC_REQUEST"), ("attempt", *_IMPLIED["refusal"])),
    **dict.fromkeys(("UNKNOWN", PENDING), KINDS),
}
OWN_OUTCOMES = tuple(sorted(_OWN))
_Meaning = tuple[tuple[FactKind, ...], Channel | Literal[""]]
_EVERYTHING: _Meaning = (KINDS, "")


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened to the person asked about, at a time (UTC seconds), on a channel, with all its kinds.

    Empty: nobody knows, and it counts for every debt, account, number and so on (for every channel, too). `outcome` is
    the disposition where it was an attempt of our own.
    """

    at: float
    kinds: tuple[FactKind, ...]
    channel: Channel | Literal[""] = "voice"
    debt: str = ""
    account: str = ""
    number: str = ""
    subject: str = ""
    campaign: str = ""
    use: str = ""
    outcome: str = ""


def outside_outcome(kind: FactKind, channel: Channel) -> str:
    """Return the outcome under which a fact from outside is recorded: `conversation/inbound`."""
    return f"{kind}/{channel}"


def fact_of(at: float, outcome: str, *, debt: str = "", account: str = "", number: str = "") -> Fact:
    """Return what a recorded outcome says happened. One that nobody knows is of every kind and on every channel."""
    own = _OWN.get(outcome)
    if own is not None:
        return Fact(at=at, kinds=own, debt=debt, account=account, number=number, outcome=outcome)
    kinds, channel = _outside().get(outcome, _EVERYTHING)
    return Fact(at=at, kinds=kinds, channel=channel, debt=debt, account=account, number=number)


@lru_cache(maxsize=1)
def _outside() -> dict[str, _Meaning]:
    return {outside_outcome(kind, channel): (_IMPLIED[kind], channel) for kind in KINDS for channel in CHANNELS}


def events_of(facts: Iterable[Fact]) -> list[Fact]:
    """Join what was told one by one: facts of the same time, debt and channel are one event with all their kinds.

    In the order of time, each with the kinds that its kinds imply.
    """
    events: dict[tuple[object, ...], Fact] = {}
    for fact in facts:
        same = (fact.at, fact.debt, fact.account, fact.channel, fact.number, fact.subject, fact.campaign, fact.use)
        before = events.get(same)
        kinds = set(before.kinds if before is not None else ())
        for kind in fact.kinds:
            kinds.update(_IMPLIED[kind])
        # What only one of two says of an event excuses nothing: a disposition must be that of both.
        outcome = fact.outcome if before is None or before.outcome == fact.outcome else ""
        ordered = tuple(kind for kind in KINDS if kind in kinds)
        events[same] = msgspec.structs.replace(fact, kinds=ordered, outcome=outcome)
    return sorted(events.values(), key=lambda fact: fact.at)


def counted_channels(count: Counted, channels: Sequence[Channel]) -> frozenset[Channel]:
    """Return the channels on which a rule counts. Only a cap on communication leaves out voice; what the person says in
    a call of theirs is contact, conversation and refusal as well, but no attempt of ours."""
    if count == "communication":
        return frozenset(channels)
    return frozenset((*channels, "voice")) | (frozenset() if count == "attempt" else frozenset(("inbound",)))


def counts(fact: Fact, count: Counted, channels: frozenset[Channel], exclude: Sequence[str]) -> bool:
    """Say whether a rule counts this fact; `channels` are those of `counted_channels`."""
    if fact.outcome and fact.outcome in exclude:
        return False
    if fact.channel and fact.channel not in channels:
        return False
    return count == "communication" or count in fact.kinds


@lru_cache(maxsize=1024)
def ignored_outcomes(count: Counted, channels: tuple[Channel, ...], exclude: tuple[str, ...]) -> frozenset[str]:
    """Return, of all outcomes that a store may hold, those that a rule does not count."""
    on = counted_channels(count, channels)
    every = (*_OWN, *_outside())
    return frozenset(exclude).union(o for o in every if not counts(fact_of(0.0, o), count, on, exclude))
