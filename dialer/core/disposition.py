"""Final results of an attempt."""

from __future__ import annotations

from enum import StrEnum

from carriers.causes import CallEnd
from models.attempts import Result


class Disposition(StrEnum):
    """What became of an attempt. System dispositions come from the switch, agent dispositions from a person."""

    # system
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    CONGESTION = "CONGESTION"
    INVALID_NUMBER = "INVALID_NUMBER"
    MACHINE = "MACHINE"
    ABANDONED = "ABANDONED"
    CANCELLED = "CANCELLED"  # we hung up before any answer
    FAILED = "FAILED"  # never reached the called party: our switch or the carrier
    UNKNOWN = "UNKNOWN"  # the outcome was lost; counts against every cap
    UNDISPOSED = "UNDISPOSED"  # bridged, but the agent set nothing before the wrap-up limit
    # agent
    RPC = "RPC"  # right party, no promise
    PTP = "PTP"  # promise to pay
    REFUSED = "REFUSED"
    CALLBACK = "CALLBACK"
    PAID = "PAID"
    DISPUTED = "DISPUTED"
    DNC_REQUEST = "DNC_REQUEST"
    WRONG_PARTY = "WRONG_PARTY"


SYSTEM_DISPOSITIONS = frozenset(
    {
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.CONGESTION,
        Disposition.INVALID_NUMBER,
        Disposition.MACHINE,
        Disposition.ABANDONED,
        Disposition.CANCELLED,
        Disposition.FAILED,
        Disposition.UNKNOWN,
        Disposition.UNDISPOSED,
    }
)
AGENT_DISPOSITIONS = frozenset(Disposition) - SYSTEM_DISPOSITIONS

# How an unanswered call's end becomes an attempt's disposition; any other end is UNKNOWN.
END_DISPOSITION = {
    CallEnd.NO_ANSWER: Disposition.NO_ANSWER,
    CallEnd.BUSY: Disposition.BUSY,
    CallEnd.REJECTED: Disposition.BUSY,
    CallEnd.CONGESTION: Disposition.CONGESTION,
    CallEnd.INVALID_NUMBER: Disposition.INVALID_NUMBER,
    CallEnd.FAILED: Disposition.FAILED,
}

# What models learn from a disposition; any other teaches nothing, for nobody knows who would have answered.
RESULT_OF: dict[str, Result] = {
    Disposition.NO_ANSWER: Result.NO_ANSWER,
    Disposition.MACHINE: Result.MACHINE,
    Disposition.BUSY: Result.BUSY,
    Disposition.INVALID_NUMBER: Result.DEAD,
    Disposition.WRONG_PARTY: Result.WRONG_PARTY,
    Disposition.RPC: Result.RIGHT_PARTY,
    Disposition.REFUSED: Result.RIGHT_PARTY,
    Disposition.CALLBACK: Result.RIGHT_PARTY,
    Disposition.PAID: Result.RIGHT_PARTY,
    Disposition.DISPUTED: Result.RIGHT_PARTY,
    Disposition.DNC_REQUEST: Result.RIGHT_PARTY,
    Disposition.PTP: Result.PROMISE,
    Disposition.ABANDONED: Result.ANSWERED,
    Disposition.UNDISPOSED: Result.ANSWERED,
}

# The call came to nothing in the network; nobody was reached.
NETWORK_FAULTS = frozenset({Disposition.CONGESTION, Disposition.FAILED})

# A right-party contact: the intended person was spoken to.
RIGHT_PARTY = frozenset(
    {
        Disposition.RPC,
        Disposition.PTP,
        Disposition.REFUSED,
        Disposition.CALLBACK,
        Disposition.PAID,
        Disposition.DISPUTED,
        Disposition.DNC_REQUEST,
    }
)

# Surely no live person was reached. Whatever is not here counts as a contact where a cap counts contacts,
# a pending or unknown outcome included: safety first in doubt.
NO_CONTACT = frozenset(
    {
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.CONGESTION,
        Disposition.INVALID_NUMBER,
        Disposition.MACHINE,
        Disposition.CANCELLED,
        Disposition.FAILED,
    }
)

# After these the lead is never dialled again, in any campaign that shares the store; the value is the stop's reason.
STOPPING: dict[str, str] = {
    Disposition.PAID: "paid",
    Disposition.DISPUTED: "disputed",
    Disposition.DNC_REQUEST: "do_not_call",
}
# What they stop, by the kinds of stop keys: a request binds whoever made it, on every number of theirs; what is paid or
# disputed is the debt, whoever else owes it.
STOPPED_BY: dict[str, tuple[str, ...]] = {
    Disposition.PAID: ("lead", "number", "person", "debt"),
    Disposition.DISPUTED: ("lead", "number", "person", "debt"),
    Disposition.DNC_REQUEST: ("lead", "number", "person"),
}
