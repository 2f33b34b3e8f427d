import pytest

from carriers.causes import KINDS, CallEnd, EndKind, kind_of, read_end
from dialer.core.disposition import SYSTEM_DISPOSITIONS


@pytest.mark.parametrize(
    ("cause", "sip_code", "rang", "end"),
    [
        # As a real switch reported them.
        (17, 486, False, CallEnd.BUSY),
        (19, 480, True, CallEnd.NO_ANSWER),
        (19, 480, False, CallEnd.NO_ANSWER),
        (1, 404, False, CallEnd.INVALID_NUMBER),
        (34, 503, False, CallEnd.CONGESTION),
        (21, 603, True, CallEnd.REJECTED),
        (18, 408, False, CallEnd.FAILED),
        (18, 408, True, CallEnd.NO_ANSWER),
        (16, None, True, CallEnd.NO_ANSWER),
        (0, None, True, CallEnd.UNKNOWN),
        (0, None, False, CallEnd.UNKNOWN),
        # The SIP answer says whose refusal it is; the cause is the same.
        (21, 403, False, CallEnd.FAILED),
        (21, None, True, CallEnd.REJECTED),
        (21, 608, False, CallEnd.REJECTED),
        # Without a SIP answer, and with one that says nothing more.
        (17, None, False, CallEnd.BUSY),
        (18, None, False, CallEnd.FAILED),
        (18, 504, True, CallEnd.NO_ANSWER),
        (20, 480, False, CallEnd.NO_ANSWER),
        (38, 502, False, CallEnd.FAILED),
        (42, None, False, CallEnd.CONGESTION),
        (16, None, False, CallEnd.UNKNOWN),
        (99, 500, False, CallEnd.FAILED),
        (99, None, False, CallEnd.UNKNOWN),
    ],
)
def test_ends(cause, sip_code, rang, end):
    assert read_end(cause, sip_code, rang=rang, answered=False) is end


@pytest.mark.parametrize(("cause", "sip_code"), [(16, None), (0, None), (34, 503)])
def test_an_answered_call_was_answered_however_it_ended(cause, sip_code):
    assert read_end(cause, sip_code, rang=True, answered=True) is CallEnd.ANSWERED


def test_a_line_that_rang_is_never_held_against_the_carrier_for_want_of_an_answer():
    for cause in (16, 18, 19, 20):
        assert kind_of(read_end(cause, None, rang=True, answered=False)) is EndKind.CALLED_PARTY


def test_every_end_has_its_kind_and_its_disposition():
    assert set(KINDS) == set(CallEnd)
    own = {CallEnd.ANSWERED, CallEnd.REJECTED}
    assert {str(end) for end in CallEnd if end not in own} <= {str(name) for name in SYSTEM_DISPOSITIONS}
    assert kind_of(CallEnd.FAILED) is EndKind.CARRIER_FAULT
    assert kind_of(CallEnd.CONGESTION) is EndKind.CONGESTION
    assert kind_of(CallEnd.UNKNOWN) is None
