"""What the auditor is asked, what it is told of the past, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

# What each kind is besides itself.
_IMPLIED: dict[str, tuple[str, ...]] = {
    "attempt": (),
    "contact": (),
    "conversation": ("contact",),
    "refusal": ("conversation", "contact"),
    "abandoned": ("contact",),
}
# What an attempt of ours is besides an attempt, by what became of it.
_NOBODY = ("NO_ANSWER", "BUSY", "CONGESTION", "INVALID_NUMBER", "MACHINE", "CANCELLED", "FAILED")
_RIGHT_PARTY = ("RPC", "PTP", "CALLBACK", "PAID", "DISPUTED", "UNDISPOSED")
_BECAME: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_NOBODY, ()),
    **dict.fromkeys(_RIGHT_PARTY, ("conversation",)),
    "ABANDONED": ("abandoned",),
    "WRONG_PARTY": ("contact",),
    "REFUSED": ("refusal",),
    "DNC_REQUEST": ("refusal",),
}
_EVERYTHING = tuple(_IMPLIED)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the past, with all the kinds that it is. `at` is UTC seconds.

    An empty part of a key (no debt, no number) agrees with every attempt. `disposition` is that of an attempt of ours.
    """

    at: float
    kinds: frozenset[str]
    channel: str = "voice"
    disposition: str = ""
    person: str = ""
    debt: str = ""
    account: str = ""
    number: str = ""
    subject: str = ""
    campaign: str = ""
    use: str | None = None  # of the number; None: nobody said


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """May this call begin at `at` (UTC seconds), after all that is in `history`?"""

    number: str  # as E.164 has it
    at: float
    country: str = ""  # of the address
    subdivision: str = ""
    postal: str = ""
    zone: str = ""  # the list's own
    person: str = ""
    debt: str = ""
    account: str = ""
    subject: str = ""
    campaign: str = ""
    use: str = ""
    agent_held: bool = False
    history: tuple[Happening, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One rule that forbids the call."""

    rule: str
    text: str
    cite: str = ""


def kinds_of(*named: str) -> frozenset[str]:
    """Return what facts of these kinds are: a refusal is a conversation and a contact too."""
    return frozenset(named).union(*(_IMPLIED[kind] for kind in named))


def kinds_of_attempt(disposition: str | None) -> frozenset[str]:
    """Return what an attempt of ours is: everything while its outcome is pending (None) or unknown."""
    return kinds_of("attempt", *_BECAME.get(disposition or "", _EVERYTHING))


def one_by_one(facts: Iterable[Happening]) -> tuple[Happening, ...]:
    """Join facts that were told one by one: those of one time and debt are one event.

    That is, where nothing else that was told of them sets them apart. An event keeps its disposition only where all
    that was told of it had one.
    """
    joined: dict[Happening, Happening] = {}
    for fact in facts:
        same = msgspec.structs.replace(fact, kinds=frozenset(), disposition="")
        before = joined.get(same)
        joined[same] = msgspec.structs.replace(
            fact,
            kinds=kinds_of(*fact.kinds) | (before.kinds if before else frozenset()),
            disposition=fact.disposition if before is None or before.disposition else "",
        )
    return tuple(joined.values())
