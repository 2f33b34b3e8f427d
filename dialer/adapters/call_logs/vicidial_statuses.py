"""VICIdial's own statuses and what each says of a call.

Source: the rows of `vicidial_statuses` and of `extras/cpd_statuses.sql` in the schema that VICIdial 2.14 installs, and
the codes that `FastAGI_log.pl` writes for carriers' ends. Campaigns add statuses of their own: those are not here.
"""

from __future__ import annotations

from typing import NamedTuple

from dialer.core.disposition import Disposition as D
from dialer.core.logged_call import Result


class Meaning(NamedTuple):
    """What a status says. `result` None: no outbound call was placed under it, or it came from outside."""

    result: Result | None
    disposition: D | None = None


STATUSES: dict[str, Meaning] = {
    # nobody answered
    "NA": Meaning("no-answer", D.NO_ANSWER),
    "N": Meaning("no-answer", D.NO_ANSWER),
    "CPDNA": Meaning("no-answer", D.NO_ANSWER),
    "AB": Meaning("busy", D.BUSY),
    "B": Meaning("busy", D.BUSY),
    "CPDB": Meaning("busy", D.BUSY),
    "ADC": Meaning("invalid", D.INVALID_NUMBER),
    "DC": Meaning("invalid", D.INVALID_NUMBER),
    "ADCCAR": Meaning("invalid", D.INVALID_NUMBER),  # a filter before the carrier knows the number as dead
    "CPDINV": Meaning("invalid", D.INVALID_NUMBER),
    "CPDSI": Meaning("invalid", D.INVALID_NUMBER),  # intercept tone
    "CPDSV": Meaning("invalid", D.INVALID_NUMBER),  # vacant code
    "ADCT": Meaning("failed", D.CONGESTION),  # causes 18, 19, 21, 34, 38 and 102 before any answer
    "LRERR": Meaning("failed", D.FAILED),
    "CPDATB": Meaning("failed", D.CONGESTION),
    "CPDREJ": Meaning("failed", D.FAILED),
    "CPDSUA": Meaning("failed", D.CONGESTION),
    "CPDSNC": Meaning("failed", D.CONGESTION),
    "CPDSR": Meaning("failed", D.CONGESTION),
    "CPDSUK": Meaning("failed", D.FAILED),
    "CPDUK": Meaning("unknown"),
    "CPDERR": Meaning("unknown"),
    # a machine answered
    "A": Meaning("answered-machine", D.MACHINE),  # an agent heard it
    "AA": Meaning("answered-machine", D.MACHINE),
    "AM": Meaning("answered-machine", D.MACHINE),
    "AL": Meaning("answered-machine", D.MACHINE),
    "AFAX": Meaning("answered-machine", D.MACHINE),
    # a person answered and got no agent
    "DROP": Meaning("abandoned", D.ABANDONED),
    "PDROP": Meaning("abandoned", D.ABANDONED),  # before the call was routed
    "IVRXFR": Meaning("abandoned", D.ABANDONED),  # dropped to a menu
    # a person spoke to an agent
    "SALE": Meaning("answered-human", D.PTP),  # a sale, and to a collector a promise
    "XFER": Meaning("answered-human", D.RPC),
    "NP": Meaning("answered-human", D.RPC),
    "NI": Meaning("answered-human", D.REFUSED),
    "DEC": Meaning("answered-human", D.REFUSED),
    "CALLBK": Meaning("answered-human", D.CALLBACK),
    "CBHOLD": Meaning("answered-human", D.CALLBACK),
    "DNC": Meaning("answered-human", D.DNC_REQUEST),
    "RQXFER": Meaning("answered-human", D.RPC),
    # answered, by whom it does not say
    "PU": Meaning("answered"),
    "PM": Meaning("answered"),
    "SVYEXT": Meaning("answered"),
    "SVYVM": Meaning("answered"),
    "SVYHU": Meaning("answered"),
    "SVYREC": Meaning("answered"),
    "SVYCLM": Meaning("answered"),
    "ERI": Meaning("unknown"),
    "INCALL": Meaning("unknown"),  # under way as the log was exported
    # not placed, or inbound
    "NEW": Meaning(None),
    "QUEUE": Meaning(None),
    "DNCL": Meaning(None),
    "DNCC": Meaning(None),
    "DNCCAR": Meaning(None),
    "XDROP": Meaning(None),
    "TIMEOT": Meaning(None),
    "AFTHRS": Meaning(None),
    "NANQUE": Meaning(None),
    "IQNANQ": Meaning(None),
    "MAXCAL": Meaning(None),
    "QVMAIL": Meaning(None),
    # not VICIdial's own, and usual in collections
    "PTP": Meaning("answered-human", D.PTP),
    "PDP": Meaning("answered-human", D.PTP),  # promesa de pago
    "PAID": Meaning("answered-human", D.PAID),
    "RPC": Meaning("answered-human", D.RPC),
    "WN": Meaning("answered-human", D.WRONG_PARTY),
    "WRONG": Meaning("answered-human", D.WRONG_PARTY),
    "DISP": Meaning("answered-human", D.DISPUTED),
}
