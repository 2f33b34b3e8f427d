"""What a call's end means: Q.850 causes and SIP answers as the switch reports them.

How it works: the SIP answer decides where it says more than the cause: the switch folds 403 (the carrier refuses us)
and 603 (the person declined) into the one cause 21. The cause decides where gateways fold many into one answer
(RFC 3398: 404 for "unallocated" as for "no route"), for the switch takes it from the answer's `Reason` header
(RFC 3326) where there is one. Where the two contradict each other, what was said of the called
party holds: in doubt nobody is called a second time.
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
# How much an end speaks against its trunk.
_FAULTS = {EndKind.CARRIER_FAULT: 1.0, EndKind.CONGESTION: 0.5, EndKind.CALLED_PARTY: 0.0}

# Names and classes: RFC 3261 section 21, but where another is named. 408 and 487 depend on ringing, see below.
_BY_SIP: dict[int, CallEnd] = {
    400: CallEnd.FAILED,  # bad request
    401: CallEnd.FAILED,  # the carrier does not know us
    402: CallEnd.FAILED,  # unpaid
    403: CallEnd.FAILED,  # forbidden: caller ID, destination or number of channels barred by the carrier
    404: CallEnd.INVALID_NUMBER,  # not found
    405: CallEnd.FAILED,  # method not allowed
    406: CallEnd.FAILED,  # not acceptable
    407: CallEnd.FAILED,  # the proxy does not know us
    409: CallEnd.FAILED,  # conflict (RFC 2543)
    410: CallEnd.INVALID_NUMBER,  # gone
    411: CallEnd.FAILED,  # length required (RFC 2543)
    412: CallEnd.FAILED,  # conditional request failed (RFC 3903)
    413: CallEnd.FAILED,  # request too large
    414: CallEnd.FAILED,  # URI too long
    415: CallEnd.FAILED,  # media type
    416: CallEnd.FAILED,  # URI scheme
    417: CallEnd.FAILED,  # resource priority (RFC 4412)
    420: CallEnd.FAILED,  # extension
    421: CallEnd.FAILED,  # extension required
    422: CallEnd.FAILED,  # session interval too small (RFC 4028)
    423: CallEnd.FAILED,  # interval too brief
    428: CallEnd.FAILED,  # identity header wanted (RFC 8224): the carrier does not sign our calls
    429: CallEnd.CONGESTION,  # too many calls a second, as providers use it; RFC 3892 has another 429, of REFER alone
    433: CallEnd.REJECTED,  # anonymity disallowed by the called party (RFC 5079)
    436: CallEnd.FAILED,  # bad identity (RFC 8224)
    437: CallEnd.FAILED,  # certificate not supported (RFC 8224)
    438: CallEnd.FAILED,  # identity header invalid (RFC 8224)
    470: CallEnd.REJECTED,  # the called party's consent is wanted (RFC 5360)
    480: CallEnd.NO_ANSWER,  # temporarily unavailable
    481: CallEnd.FAILED,  # no such call
    482: CallEnd.FAILED,  # loop
    483: CallEnd.FAILED,  # too many hops
    484: CallEnd.INVALID_NUMBER,  # address incomplete
    485: CallEnd.INVALID_NUMBER,  # ambiguous
    486: CallEnd.BUSY,
    488: CallEnd.FAILED,  # media not acceptable
    491: CallEnd.FAILED,  # request pending
    493: CallEnd.FAILED,  # undecipherable
    494: CallEnd.FAILED,  # security agreement required (RFC 3329)
    500: CallEnd.FAILED,  # server internal error
    501: CallEnd.FAILED,  # not implemented
    502: CallEnd.FAILED,  # bad gateway
    503: CallEnd.CONGESTION,  # service unavailable: overload by the letter, whatever else carriers use it for
    504: CallEnd.FAILED,  # server time-out
    505: CallEnd.FAILED,  # version
    513: CallEnd.FAILED,  # message too large
    580: CallEnd.FAILED,  # precondition (RFC 3312)
    600: CallEnd.BUSY,  # busy everywhere
    603: CallEnd.REJECTED,  # declined
    604: CallEnd.INVALID_NUMBER,  # does not exist anywhere
    606: CallEnd.REJECTED,  # not acceptable: their telephone was reached
    607: CallEnd.REJECTED,  # unwanted (RFC 8197)
    608: CallEnd.REJECTED,  # blocked on the called party's behalf (RFC 8688): another trunk would only harass
}

# Q.850 (2018) table 1. Those that mean nothing by themselves (16, 18, 31) are below; 7, 23 and 30 end no call of ours
# and say nothing of the called party, so they stay unknown.
_BY_CAUSE: dict[int, CallEnd] = {
    1: CallEnd.INVALID_NUMBER,  # unallocated
    2: CallEnd.FAILED,  # no route to the transit network
    3: CallEnd.FAILED,  # no route to the destination
    4: CallEnd.INVALID_NUMBER,  # out of reach for long, with the special information tone
    5: CallEnd.FAILED,  # trunk prefix misdialled: by this trunk's form of the number
    6: CallEnd.FAILED,  # channel unacceptable
    8: CallEnd.CONGESTION,  # pre-empted
    9: CallEnd.CONGESTION,  # pre-empted, circuit reserved
    14: CallEnd.FAILED,  # ported, and not routed on
    17: CallEnd.BUSY,
    19: CallEnd.NO_ANSWER,  # no answer from the user; also our own time-out, which the switch reports as 480
    20: CallEnd.NO_ANSWER,  # subscriber absent: switched off or out of reach
    21: CallEnd.REJECTED,
    22: CallEnd.INVALID_NUMBER,  # number changed
    24: CallEnd.REJECTED,  # by a feature at the destination
    25: CallEnd.FAILED,  # exchange routing error
    26: CallEnd.FAILED,  # misrouted (ANSI; to the calling side the other sense, non-selected user, is never sent)
    27: CallEnd.FAILED,  # destination out of order
    28: CallEnd.INVALID_NUMBER,  # format
    29: CallEnd.FAILED,  # facility rejected
    34: CallEnd.CONGESTION,  # no circuit
    38: CallEnd.FAILED,  # network out of order
    39: CallEnd.FAILED,  # permanent connection out of service
    41: CallEnd.FAILED,  # temporary failure
    42: CallEnd.CONGESTION,  # switching equipment congestion
    43: CallEnd.FAILED,  # access information discarded
    44: CallEnd.CONGESTION,  # circuit not available
    46: CallEnd.CONGESTION,  # precedence call blocked
    47: CallEnd.CONGESTION,  # resource unavailable
    49: CallEnd.FAILED,  # quality of service not available
    50: CallEnd.FAILED,  # facility not subscribed
    52: CallEnd.FAILED,  # outgoing calls barred
    53: CallEnd.FAILED,  # outgoing calls barred within a closed user group
    54: CallEnd.REJECTED,  # incoming calls barred: the called line takes none
    55: CallEnd.REJECTED,  # incoming calls barred within a closed user group
    57: CallEnd.FAILED,  # bearer capability not authorised
    58: CallEnd.FAILED,  # bearer capability not available
    62: CallEnd.FAILED,  # outgoing access and subscriber class inconsistent
    63: CallEnd.FAILED,  # service not available
    65: CallEnd.FAILED,  # bearer capability not implemented
    66: CallEnd.FAILED,  # channel type not implemented
    69: CallEnd.FAILED,  # facility not implemented
    70: CallEnd.FAILED,  # restricted digital information only
    79: CallEnd.FAILED,  # service not implemented
    81: CallEnd.FAILED,  # invalid call reference
    82: CallEnd.FAILED,  # channel does not exist
    83: CallEnd.FAILED,  # another call is suspended
    84: CallEnd.FAILED,  # call identity in use
    85: CallEnd.FAILED,  # no call suspended
    86: CallEnd.FAILED,  # call of this identity cleared
    87: CallEnd.REJECTED,  # not a member of the called party's closed user group
    88: CallEnd.FAILED,  # incompatible destination
    90: CallEnd.FAILED,  # closed user group does not exist
    91: CallEnd.FAILED,  # invalid transit network
    95: CallEnd.FAILED,  # invalid message
    96: CallEnd.FAILED,  # information element missing
    97: CallEnd.FAILED,  # message type
    98: CallEnd.FAILED,  # message in this state
    99: CallEnd.FAILED,  # information element
    100: CallEnd.FAILED,  # contents of an information element
    101: CallEnd.FAILED,  # message in this state
    102: CallEnd.FAILED,  # recovery on timer expiry
    103: CallEnd.FAILED,  # parameter passed on
    110: CallEnd.FAILED,  # message discarded for a parameter
    111: CallEnd.FAILED,  # protocol error
    127: CallEnd.FAILED,  # interworking, unspecified
}

# Answers into which gateways fold causes of every kind (RFC 3398, section 7.2.4.1): the cause decides.
_FOLDED = frozenset({404, 480, 503})
# Causes about the called party which the switch itself makes of answers that are not about them.
_MADE_UP = {401: 21, 402: 21, 403: 21, 407: 21, 483: 19}
# No reply from the far side: the carrier's silence if nothing rang, the person's if it did.
_NO_REPLY_CAUSE, _NO_REPLY_SIP = 18, 408
# Nothing is said: cleared from our side before an answer, lost on the way, or an end of the "normal" class.
_UNSPECIFIC_CAUSES, _CANCELLED_SIP = frozenset({16, 31}), 487
_INTERWORKING = 127  # what the switch makes of an answer that it does not know


def read_end(cause: int, sip_code: int | None, *, rang: bool, answered: bool) -> CallEnd:
    """Say how a call ended from its Q.850 cause (0: none given) and the carrier's final SIP answer, if any.

    `rang`: the called line rang or sound came before an answer. Cause 19 without ringing stays NO_ANSWER: our own
    time-out and a telephone that is switched off look the same there, and NO_ANSWER counts against the caps.
    """
    if answered:
        return CallEnd.ANSWERED
    if sip_code is not None:
        end = _by_answer(sip_code, cause)
        if end is not None:
            return end
    if sip_code == _NO_REPLY_SIP or cause == _NO_REPLY_CAUSE:
        return CallEnd.NO_ANSWER if rang else CallEnd.FAILED
    if sip_code == _CANCELLED_SIP or cause in _UNSPECIFIC_CAUSES:
        return CallEnd.NO_ANSWER if rang else CallEnd.UNKNOWN
    if sip_code is not None and cause == _INTERWORKING:
        return CallEnd.UNKNOWN
    return _BY_CAUSE.get(cause, CallEnd.UNKNOWN)


def _by_answer(sip_code: int, cause: int) -> CallEnd | None:
    """What the answer says beside the cause; None where it depends on ringing or on the cause alone.

    An unknown 5xx or 6xx counts as 500 or 600 (RFC 3261 section 8.1.3.2); an unknown 4xx, against it, as nothing, for
    400 would be tried elsewhere.
    """
    end = _BY_SIP.get(sip_code)
    if end is None and 500 <= sip_code < 700:
        end = _BY_SIP[sip_code // 100 * 100]
    if cause == _NO_REPLY_CAUSE and 500 <= sip_code < 600:
        return None
    by_cause = _BY_CAUSE.get(cause)
    if by_cause is None or cause == _MADE_UP.get(sip_code):
        return end
    if sip_code in _FOLDED and cause != _INTERWORKING:
        return by_cause
    blames_carrier = end in (CallEnd.FAILED, CallEnd.CONGESTION) or sip_code == _NO_REPLY_SIP
    return by_cause if blames_carrier and KINDS[by_cause] is EndKind.CALLED_PARTY else end


def kind_of(end: CallEnd) -> EndKind | None:
    """Say whose doing an end is; None where that is not known."""
    return KINDS[end]


def fault_of(end: CallEnd, *, rang: bool, ended_by_us: bool, lost: bool) -> float | None:
    """Say how much a try's end speaks against its trunk: 1 fault, 0.5 congestion, 0 none; None: nothing is learned.

    What rang was carried, whatever ended it. `lost`: the switch lost sight of the call.
    """
    if rang or end is CallEnd.ANSWERED:
        return 0.0
    kind = KINDS[end]
    return None if lost or ended_by_us or kind is None else _FAULTS[kind]


def may_try_elsewhere(end: CallEnd, *, rang: bool, ended_by_us: bool, lost: bool) -> bool:
    """Say whether an attempt whose try ended so may be tried again at once, on another trunk.

    Only what the carrier or the network ended and that can have reached nobody: never after ringing or sound, an end of
    our own, a fact about the called party (603, 607 and 608 least of all), nor where the end is not known.
    """
    return KINDS[end] in (EndKind.CARRIER_FAULT, EndKind.CONGESTION) and not (rang or ended_by_us or lost)
