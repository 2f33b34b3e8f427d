"""What a call's end means: Q.850 causes and SIP answers as the switch reports them.

The SIP answer decides where it says more than the cause: the switch folds 403 (the carrier refuses us) and 603 (the
person declined) into the one cause 21.
"""

from __future__ import annotations

from enum import StrEnum


class CallEnd(StrEnum):
    """How a call ended. The names are those of system dispositions, but for ANSWERED and REJECTED (a kind of BUSY)."""

    ANSWERED = "ANSWERED"
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    REJECTED = "REJECTED"  # the called party (or their telephone) declined
    CONGESTION = "CONGESTION"
    INVALID_NUMBER = "INVALID_NUMBER"
    FAILED = "FAILED"  # the carrier, our switch or our request is at fault: the called party was never reached
    UNKNOWN = "UNKNOWN"


class EndKind(StrEnum):
    """Whose doing an end is; only the first two speak against a trunk."""

    CARRIER_FAULT = "carrier_fault"
    CONGESTION = "congestion"
    CALLED_PARTY = "called_party"


KINDS: dict[CallEnd, EndKind | None] = {
    CallEnd.ANSWERED: EndKind.CALLED_PARTY,
    CallEnd.NO_ANSWER: EndKind.CALLED_PARTY,
    CallEnd.BUSY: EndKind.CALLED_PARTY,
    CallEnd.REJECTED: EndKind.CALLED_PARTY,
    CallEnd.INVALID_NUMBER: EndKind.CALLED_PARTY,
    CallEnd.CONGESTION: EndKind.CONGESTION,
    CallEnd.FAILED: EndKind.CARRIER_FAULT,
    CallEnd.UNKNOWN: None,
}

# SIP answers that say more than the cause into which the switch folds them, or that it folds differently by version.
_BY_SIP: dict[int, CallEnd] = {
    401: CallEnd.FAILED,  # the carrier does not know us
    402: CallEnd.FAILED,  # unpaid
    403: CallEnd.FAILED,  # caller ID or destination barred by the carrier
    404: CallEnd.INVALID_NUMBER,
    407: CallEnd.FAILED,
    410: CallEnd.INVALID_NUMBER,  # gone
    429: CallEnd.CONGESTION,
    484: CallEnd.INVALID_NUMBER,  # address incomplete
    486: CallEnd.BUSY,
    503: CallEnd.CONGESTION,
    600: CallEnd.BUSY,  # busy everywhere
    603: CallEnd.REJECTED,
    604: CallEnd.INVALID_NUMBER,  # does not exist anywhere
    607: CallEnd.REJECTED,  # unwanted
    608: CallEnd.REJECTED,  # blocked on the called party's behalf: another trunk would only harass
}

_BY_CAUSE: dict[int, CallEnd] = {
    1: CallEnd.INVALID_NUMBER,  # unallocated
    2: CallEnd.FAILED,  # no route to the transit network
    3: CallEnd.FAILED,  # no route to the destination
    6: CallEnd.FAILED,  # channel unacceptable
    17: CallEnd.BUSY,
    19: CallEnd.NO_ANSWER,  # no answer from the user; also our own time-out, which the switch reports as 480
    20: CallEnd.NO_ANSWER,  # subscriber absent: switched off or out of reach
    21: CallEnd.REJECTED,
    22: CallEnd.INVALID_NUMBER,  # number changed
    26: CallEnd.FAILED,  # misrouted
    27: CallEnd.FAILED,  # destination out of order
    28: CallEnd.INVALID_NUMBER,  # format
    29: CallEnd.FAILED,  # facility rejected
    31: CallEnd.FAILED,  # normal, unspecified
    34: CallEnd.CONGESTION,  # no circuit
    38: CallEnd.FAILED,  # network out of order
    41: CallEnd.FAILED,  # temporary failure
    42: CallEnd.CONGESTION,  # switching equipment congestion
    44: CallEnd.CONGESTION,  # circuit not available
    47: CallEnd.CONGESTION,  # resource unavailable
    50: CallEnd.FAILED,  # facility not subscribed
    52: CallEnd.FAILED,  # outgoing calls barred
    54: CallEnd.FAILED,  # incoming calls barred
    57: CallEnd.FAILED,  # bearer capability not authorised
    58: CallEnd.FAILED,  # bearer capability not available
    65: CallEnd.FAILED,  # bearer capability not implemented
    69: CallEnd.FAILED,  # facility not implemented
    79: CallEnd.FAILED,  # service not implemented
    88: CallEnd.FAILED,  # incompatible destination
    102: CallEnd.FAILED,  # recovery on timer expiry
    111: CallEnd.FAILED,  # protocol error
    127: CallEnd.FAILED,  # interworking, unspecified
}

# No reply from the far side: the carrier's silence if nothing rang, the person's if it did.
_NO_REPLY_CAUSE, _NO_REPLY_SIP = 18, 408
_NORMAL_CLEARING = 16


def read_end(cause: int, sip_code: int | None, *, rang: bool, answered: bool) -> CallEnd:
    """Say how a call ended from its Q.850 cause (0: none given) and the carrier's final SIP answer, if any.

    `rang`: the called line rang or sound came before an answer. Cause 19 without ringing stays NO_ANSWER: our own
    time-out and a telephone that is switched off look the same there, and NO_ANSWER counts against the caps.
    """
    if answered:
        return CallEnd.ANSWERED
    if sip_code in _BY_SIP:
        return _BY_SIP[sip_code]
    if sip_code == _NO_REPLY_SIP or cause == _NO_REPLY_CAUSE:
        return CallEnd.NO_ANSWER if rang else CallEnd.FAILED
    if cause == _NORMAL_CLEARING:  # cleared from our side before an answer, or lost on the way
        return CallEnd.NO_ANSWER if rang else CallEnd.UNKNOWN
    if cause in _BY_CAUSE:
        return _BY_CAUSE[cause]
    return CallEnd.FAILED if sip_code is not None and 500 <= sip_code < 600 else CallEnd.UNKNOWN


def kind_of(end: CallEnd) -> EndKind | None:
    """Say whose doing an end is; None where that is not known."""
    return KINDS[end]
