from itertools import product

import pytest

from carriers.causes import KINDS, CallEnd, EndKind, fault_of, kind_of, may_try_elsewhere, read_end
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
        (99, None, False, CallEnd.FAILED),
        # Nothing is said: in doubt the person is not called again.
        (31, None, False, CallEnd.UNKNOWN),
        (31, None, True, CallEnd.NO_ANSWER),
        (31, 480, False, CallEnd.NO_ANSWER),
        (127, 499, False, CallEnd.UNKNOWN),
        (127, 400, False, CallEnd.FAILED),
        (16, 487, False, CallEnd.UNKNOWN),
        (16, 487, True, CallEnd.NO_ANSWER),
        (16, 302, False, CallEnd.UNKNOWN),
        # Answers into which gateways fold many causes: the `Reason` header's one decides.
        (3, 404, False, CallEnd.FAILED),
        (127, 404, False, CallEnd.INVALID_NUMBER),
        (0, 404, False, CallEnd.INVALID_NUMBER),
        (20, 480, False, CallEnd.NO_ANSWER),
        (34, 480, False, CallEnd.CONGESTION),
        (18, 480, False, CallEnd.NO_ANSWER),
        (41, 503, False, CallEnd.FAILED),
        (0, 503, False, CallEnd.CONGESTION),
        (1, 503, False, CallEnd.INVALID_NUMBER),
        # Contradictions: what was said of the called party holds.
        (17, 500, False, CallEnd.BUSY),
        (17, 403, False, CallEnd.BUSY),
        (17, 408, False, CallEnd.BUSY),
        (34, 486, False, CallEnd.BUSY),
        (41, 603, False, CallEnd.REJECTED),
        (38, 607, False, CallEnd.REJECTED),
        # But not the causes that the switch itself makes of an answer.
        (21, 401, False, CallEnd.FAILED),
        (21, 407, False, CallEnd.FAILED),
        (19, 483, False, CallEnd.FAILED),
        # Answers that nobody knows.
        (42, 599, False, CallEnd.FAILED),
        (127, 699, False, CallEnd.BUSY),
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


# ---- the whole table, typed from Q.850 and the RFCs by number alone -------------------------------------------------
CARRIER = (
    "2 3 5 6 14 25 26 27 29 38 39 41 43 49 50 52 53 57 58 62 63 65 66 69 70 79 81 82 83 84 85 86 88 90 91 95 96 97 98 "
    "99 100 101 102 103 110 111 127"
)
BY_CAUSE = {
    CallEnd.INVALID_NUMBER: "1 4 22 28",
    CallEnd.BUSY: "17",
    CallEnd.NO_ANSWER: "19 20",
    CallEnd.REJECTED: "21 24 54 55 87",
    CallEnd.CONGESTION: "8 9 34 42 44 46 47",
    CallEnd.FAILED: CARRIER + " 18",  # 18 without ringing
}
BY_SIP = {
    CallEnd.INVALID_NUMBER: "404 410 484 485 604",
    CallEnd.BUSY: "486 600",
    CallEnd.NO_ANSWER: "480",
    CallEnd.REJECTED: "433 470 603 606 607 608",
    CallEnd.CONGESTION: "429 503",
    CallEnd.FAILED: "400 401 402 403 405 406 407 408 409 411 412 413 414 415 416 417 420 421 422 423 428 436 437 438 "
    "481 482 483 488 491 493 494 500 501 502 504 505 513 555 580",
}


def _numbers(table):
    return {int(number): end for end, numbers in table.items() for number in numbers.split()}


def test_every_cause_without_an_answer():
    expected = _numbers(BY_CAUSE)
    found = {cause: read_end(cause, None, rang=False, answered=False) for cause in range(128)}
    assert found == {cause: expected.get(cause, CallEnd.UNKNOWN) for cause in range(128)}


def test_every_sip_answer_without_a_cause():
    expected = _numbers(BY_SIP)
    for code in range(300, 500):
        assert read_end(0, code, rang=False, answered=False) is expected.get(code, CallEnd.UNKNOWN), code
    for code in range(500, 600):
        assert read_end(0, code, rang=False, answered=False) is expected.get(code, CallEnd.FAILED), code
    for code in range(600, 700):
        assert read_end(0, code, rang=False, answered=False) is expected.get(code, CallEnd.BUSY), code


ELSEWHERE = {CallEnd.FAILED, CallEnd.CONGESTION}


def test_what_may_be_tried_elsewhere():
    for end in CallEnd:
        for rang, ours, lost in product((False, True), repeat=3):
            may = may_try_elsewhere(end, rang=rang, ended_by_us=ours, lost=lost)
            assert may is (end in ELSEWHERE and not (rang or ours or lost)), (end, rang, ours, lost)


def test_no_answer_about_the_called_party_is_ever_tried_elsewhere_whatever_the_cause():
    for code, cause, rang in product((486, 600, 603, 604, 606, 607, 608, 699), range(128), (False, True)):
        end = read_end(cause, code, rang=rang, answered=False)
        assert not may_try_elsewhere(end, rang=rang, ended_by_us=False, lost=False), (code, cause)


def test_a_refusal_of_the_carrier_is_its_fault_and_tried_elsewhere():
    end = read_end(21, 403, rang=False, answered=False)
    assert may_try_elsewhere(end, rang=False, ended_by_us=False, lost=False)
    assert fault_of(end, rang=False, ended_by_us=False, lost=False) == 1.0


def test_how_much_an_end_speaks_against_its_trunk():
    free = {"rang": False, "ended_by_us": False, "lost": False}
    found = {end: fault_of(end, **free) for end in CallEnd}
    assert found == {
        CallEnd.ANSWERED: 0.0,
        CallEnd.NO_ANSWER: 0.0,
        CallEnd.BUSY: 0.0,
        CallEnd.REJECTED: 0.0,
        CallEnd.INVALID_NUMBER: 0.0,
        CallEnd.CONGESTION: 0.5,
        CallEnd.FAILED: 1.0,
        CallEnd.UNKNOWN: None,
    }
    for end in CallEnd:
        assert fault_of(end, rang=True, ended_by_us=True, lost=True) == 0.0
        if end is not CallEnd.ANSWERED:
            assert fault_of(end, rang=False, ended_by_us=True, lost=False) is None
            assert fault_of(end, rang=False, ended_by_us=False, lost=True) is None
