"""The call ledger: any order of the switch's messages, any number of copies, one legal story."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.asterisk.calls import NO_CHANNEL_S, CallLedger
from dialer.adapters.asterisk.orphans import ORPHAN_LIMIT_S
from dialer.adapters.asterisk.translate import ClearConnected, HangUpChannel, Message, Order
from dialer.core.events import (
    AttemptAnswered,
    AttemptBridged,
    AttemptEnded,
    AttemptRinging,
    AttemptSurvived,
    BridgeFailed,
    Event,
)

CHANNEL, LEG = "cad-camp-7-1~", "lab-1.3"
LETTERS = {
    "AttemptRinging": "R",
    "AttemptAnswered": "A",
    "AttemptScreened": "S",
    "AttemptAbandoned": "X",
    "AttemptBridged": "B",
    "BridgeFailed": "F",
    "AttemptSurvived": "V",
    "AttemptEnded": "E",
}
# Written from the engine's side: what it can follow, with and without detection.
LEGAL = {False: re.compile(r"R{0,2}(AF*X?F*B?)?E"), True: re.compile(r"R{0,2}(A(SF*X?F*B?)?)?E")}


def dial(event: str, **more: str) -> Message:
    return {"Event": event, "DestUniqueid": CHANNEL, **more}


def said(name: str, **more: str) -> Message:
    return {"Event": "UserEvent", "UserEvent": name, "Uniqueid": CHANNEL, **more}


def bridge(event: str, channel: str, bridge_id: str = "b1") -> Message:
    return {"Event": event, "Uniqueid": channel, "BridgeUniqueid": bridge_id}


HANGUP = {"Event": "Hangup", "Uniqueid": CHANNEL, "Cause": "16"}
SUCCESS = {"Event": "OriginateResponse", "ActionID": CHANNEL, "Uniqueid": CHANNEL, "Response": "Success"}
FAILURE = {**SUCCESS, "Response": "Failure", "Reason": "0"}
ANSWERED_CALL = [
    {"Response": "Success", "ActionID": CHANNEL, "Message": "Originate successfully queued"},
    dial("DialBegin"),
    dial("DialState", DialStatus="PROGRESS"),
    dial("DialState", DialStatus="RINGING"),
    dial("DialEnd", DialStatus="ANSWER"),
    SUCCESS,
    said("CadenciaAnswered"),
    bridge("BridgeEnter", CHANNEL),
    bridge("BridgeEnter", LEG),
]
EVERYTHING = [
    *ANSWERED_CALL,
    FAILURE,
    dial("DialEnd", DialStatus="BUSY"),
    said("CadenciaScreened", Status="HUMAN"),
    said("CadenciaAbandoned"),
    bridge("BridgeLeave", CHANNEL),
    bridge("BridgeLeave", LEG),
    {"Response": "Error", "ActionID": f"bridge:{CHANNEL}", "Message": "Channel2 does not exists: x"},
    {"Response": "Error", "ActionID": CHANNEL, "Message": "Extension does not exist."},
    HANGUP,
]


def ledger(*, amd: bool = False, agent: bool = True) -> CallLedger:
    calls = CallLedger("camp", amd=amd)
    calls.place(7, 1)
    if agent:
        calls.bridging(7, "ana", LEG)
    return calls


def hear(calls: CallLedger, messages: Sequence[Message]) -> list[Event | Order]:
    return [found for i, message in enumerate(messages) for found in calls.hear(message, float(i))]


def listing(
    calls: CallLedger, channels: Sequence[Message], at: float, *, heard: Sequence[str] = ()
) -> list[Event | Order]:
    return calls.reconcile(channels, at, heard=heard, agent_of=lambda leg: "ana" if leg == LEG else "")


def story(found: Sequence[Event | Order]) -> str:
    return "".join(LETTERS[type(f).__name__] for f in found if isinstance(f, Event))


@given(st.permutations(ANSWERED_CALL), st.booleans())
def test_any_order_of_an_answered_call_is_bridged_once(messages: list[Message], amd: bool) -> None:
    calls = ledger(amd=amd)
    found = hear(calls, [*messages, HANGUP])
    assert LEGAL[amd].fullmatch(story(found))
    assert re.sub("[RS]", "", story(found)) == "ABE"
    assert len(calls) == 0


@given(st.lists(st.sampled_from(EVERYTHING), max_size=30), st.booleans())
def test_any_messages_at_all_make_a_legal_story(messages: list[Message], amd: bool) -> None:
    """Copies, contradictions and stragglers included; the end is told exactly once, and nothing after it."""
    calls = ledger(amd=amd)
    found = hear(calls, [*messages, HANGUP])
    found += calls.overdue(1e6)
    assert LEGAL[amd].fullmatch(story(found)), story(found)
    assert calls.next_due_at is None


@given(st.permutations(ANSWERED_CALL))
def test_a_second_copy_adds_nothing(messages: list[Message]) -> None:
    once = story(hear(ledger(), [*messages, HANGUP]))
    twice = story(hear(ledger(), [m for message in [*messages, HANGUP] for m in (message, message)]))
    assert once == twice


def test_failure_without_a_channel_ends_after_a_grace() -> None:
    calls = ledger(agent=False)
    assert calls.hear(FAILURE, 5.0) == []
    assert calls.next_due_at == 5.0 + NO_CHANNEL_S
    assert calls.overdue(5.0 + NO_CHANNEL_S / 2) == []
    assert calls.overdue(5.0 + NO_CHANNEL_S) == [
        AttemptEnded(at=5.0 + NO_CHANNEL_S, attempt_id=7, try_no=1, cause=38, sip_code=None)
    ]


@given(st.permutations([FAILURE, dial("DialBegin"), dial("DialEnd", DialStatus="BUSY")]))
def test_failure_with_a_channel_takes_the_outcome_of_the_hangup(messages: list[Message]) -> None:
    calls = ledger(agent=False)
    busy = {**HANGUP, "Cause": "17", "TechCause": "486"}
    found = hear(calls, [*messages, busy, *messages])
    ended = [f for f in found if isinstance(f, AttemptEnded)]
    assert [(e.cause, e.sip_code) for e in ended] == [(17, 486)]
    # A straggler of a call that has ended is taken for a call that nobody minds.
    assert all(isinstance(f, AttemptEnded | HangUpChannel) for f in found)


def test_own_time_out_has_no_code_of_the_carrier() -> None:
    """The switch notes 480 for its own CANCEL; only a DialEnd tells that the carrier ended the call."""
    found = hear(ledger(agent=False), [dial("DialBegin"), {**HANGUP, "Cause": "19", "TechCause": "480"}])
    assert isinstance(found[0], AttemptEnded)
    assert (found[0].cause, found[0].sip_code) == (19, None)


def test_answered_and_dropped_at_once_is_told_as_answered() -> None:
    """The switch's own limit can drop a call as it is answered: a person heard silence."""
    found = hear(ledger(agent=False), [dial("DialBegin"), dial("DialEnd", DialStatus="ANSWER"), HANGUP])
    assert story(found) == "AE"


def test_bridge_error_blames_the_right_side() -> None:
    for text, expected in (
        ("Channel2 does not exists: x", [True]),
        ("Unable to add Channel2 to bridge: x", [False]),
        ("Unable to add Channel1 to bridge: x", [False]),
        ("Channel1 does not exists", []),
    ):
        calls = ledger()
        found = hear(
            calls, [said("CadenciaAnswered"), {"Response": "Error", "ActionID": f"bridge:{CHANNEL}", "Message": text}]
        )
        assert [f.agent_gone for f in found if isinstance(f, BridgeFailed)] == expected
        assert [f for f in found if isinstance(f, ClearConnected)] == [ClearConnected(CHANNEL)] * len(expected)


def test_leg_in_another_bridge_is_not_bridged() -> None:
    found = hear(ledger(), [bridge("BridgeEnter", CHANNEL, "b1"), bridge("BridgeEnter", LEG, "b2")])
    assert not [f for f in found if isinstance(f, AttemptBridged)]


def test_bridge_goes_by_the_channels_name() -> None:
    calls = ledger(agent=False)
    assert calls.bridging(7, "ana", LEG) == (CHANNEL, CHANNEL)
    hear(calls, [{**said("CadenciaAnswered"), "Channel": "PJSIP/t1-0000000a"}])
    assert calls.bridging(7, "ana", LEG) == (CHANNEL, "PJSIP/t1-0000000a")


def test_no_bridge_once_the_message_plays() -> None:
    calls = ledger(agent=False)
    hear(calls, [said("CadenciaAbandoned")])
    assert calls.bridging(7, "ana", LEG) is None


def test_listing_ends_what_is_gone_and_hangs_up_what_nobody_minds() -> None:
    calls = ledger(agent=False)
    calls.place(8, 1)
    channels = [
        {"Uniqueid": "cad-camp-8-1~", "ChannelStateDesc": "Up", "Application": "Wait"},
        {"Uniqueid": "cad-camp-3-1~", "ChannelStateDesc": "Ringing"},
        {"Uniqueid": "cad-camp-4-1~", "ChannelStateDesc": "Up", "BridgeId": "b"},
        {"Uniqueid": "cad-camp-x-9-1~", "ChannelStateDesc": "Ringing"},
        {"Uniqueid": "lab-1.5", "ChannelStateDesc": "Ringing"},
    ]
    found = [*listing(calls, channels, 9.0), *calls.overdue(9.0 + NO_CHANNEL_S)]
    assert AttemptEnded(at=9.0 + NO_CHANNEL_S, attempt_id=7, try_no=1, cause=0, lost=True) in found
    assert [f for f in found if isinstance(f, HangUpChannel)] == [HangUpChannel("cad-camp-3-1~")]
    assert story(found) == "AE"
    assert len(calls) == 1


def test_listing_finds_a_bridge_made_in_the_gap() -> None:
    calls = ledger()
    up = {"ChannelStateDesc": "Up", "Application": "Wait", "BridgeId": "b"}
    assert story(listing(calls, [{"Uniqueid": CHANNEL, **up}, {"Uniqueid": LEG, **up}], 1.0)) == "AB"


def test_listing_finds_that_a_bridge_was_not_made() -> None:
    calls = ledger()
    found = listing(calls, [{"Uniqueid": CHANNEL, "ChannelStateDesc": "Up", "Application": "Wait"}], 1.0)
    assert story(found) == "AF"
    assert ClearConnected(CHANNEL) in found


def test_listing_hangs_up_what_was_to_be_hung_up() -> None:
    calls = ledger(agent=False)
    assert calls.hanging_up(7) == CHANNEL
    assert listing(calls, [{"Uniqueid": CHANNEL, "ChannelStateDesc": "Ringing"}], 1.0) == [HangUpChannel(CHANNEL)]


def test_call_that_ends_in_the_gap_is_lost_and_one_that_is_still_to_come_is_not() -> None:
    """The switch reads two links independently: an order on the old one may be carried out after the list."""
    calls = ledger(agent=False)
    calls.place(8, 1)
    hear(calls, [dial("DialBegin")])
    assert listing(calls, [], 9.0) == [AttemptEnded(at=9.0, attempt_id=7, try_no=1, cause=0, lost=True)]
    hear(calls, [{"Event": "DialState", "DestUniqueid": "cad-camp-8-1~", "DialStatus": "RINGING"}])
    assert calls.overdue(1e6) == []
    assert calls.is_live(8)


def test_call_of_which_there_is_news_is_not_ended_by_the_list() -> None:
    calls = ledger(agent=False)
    hear(calls, [dial("DialBegin")])
    assert listing(calls, [], 9.0, heard=[CHANNEL]) == []
    busy = {**HANGUP, "Cause": "17", "TechCause": "486"}
    assert [f.cause for f in hear(calls, [busy]) if isinstance(f, AttemptEnded)] == [17]


# ---- calls of an earlier run ------------------------------------------------------------------------------------
OLD = "cad-camp-3-2~"
TALKING = [
    {"Uniqueid": OLD, "Channel": "PJSIP/t1-0000000a", "ChannelStateDesc": "Up", "BridgeId": "b"},
    {"Uniqueid": LEG, "ChannelStateDesc": "Up", "BridgeId": "b"},
]


def test_call_that_talks_with_an_agent_is_taken_over() -> None:
    calls = CallLedger("camp", amd=True)
    assert calls.own_bridges(TALKING) == {"b"}
    assert listing(calls, TALKING, 1.0) == [AttemptSurvived(at=1.0, attempt_id=3, agent_id="ana", try_no=2, trunk="t1")]
    assert calls.hanging_up(3) == OLD
    stragglers = [bridge("BridgeEnter", LEG, "b"), {**said("CadenciaAnswered"), "Uniqueid": OLD}]
    assert hear(calls, stragglers) == []
    ended = hear(calls, [{**HANGUP, "Uniqueid": OLD}])
    assert [(f.attempt_id, f.try_no) for f in ended if isinstance(f, AttemptEnded)] == [(3, 2)]
    assert len(ended) == 1
    assert len(calls) == 0


def test_call_that_talks_is_taken_over_once() -> None:
    calls = CallLedger("camp", amd=False)
    listing(calls, TALKING, 1.0)
    assert listing(calls, TALKING, 2.0) == []
    assert story(listing(calls, [], 3.0)) == "E"


def test_call_that_talks_with_a_stranger_is_left_alone() -> None:
    calls = CallLedger("camp", amd=False)
    assert listing(calls, [TALKING[0], {**TALKING[1], "Uniqueid": "lab-9"}], 1.0) == []
    assert calls.next_due_at is None
    assert len(calls) == 0


def test_call_that_waits_is_the_dialplans_until_its_limit() -> None:
    """The message must not be cut off by whoever comes new to the switch."""
    waits = {"Uniqueid": OLD, "ChannelStateDesc": "Up", "Application": "Wait"}
    calls = CallLedger("camp", amd=False)
    assert listing(calls, [waits], 1.0) == []
    assert hear(calls, [{**said("CadenciaAbandoned"), "Uniqueid": OLD}]) == []
    assert calls.next_due_at == 1.0 + ORPHAN_LIMIT_S
    assert calls.overdue(1.0 + ORPHAN_LIMIT_S) == [HangUpChannel(OLD)]
    assert calls.next_due_at is None


@pytest.mark.parametrize("in_a_gap", [False, True])
def test_call_that_waits_and_ends_by_itself_is_forgotten(in_a_gap: bool) -> None:
    calls = CallLedger("camp", amd=False)
    listing(calls, [{"Uniqueid": OLD, "ChannelStateDesc": "Up"}], 1.0)
    assert (listing(calls, [], 2.0) if in_a_gap else hear(calls, [{**HANGUP, "Uniqueid": OLD}])) == []
    assert calls.next_due_at is None


# ---- tries -------------------------------------------------------------------------------------------------------
FIRST = [
    {"Response": "Success", "ActionID": CHANNEL, "Message": "Originate successfully queued"},
    dial("DialBegin"),
    dial("DialEnd", DialStatus="CONGESTION"),
    FAILURE,
    {**HANGUP, "Cause": "34", "TechCause": "503"},
]
AGAIN = "cad-camp-7-2~"


def of_try_2(message: Message) -> Message:
    return {key: AGAIN if value == CHANNEL else value for key, value in message.items()}


@given(st.lists(st.sampled_from([*EVERYTHING, *FIRST]), max_size=12), st.permutations(ANSWERED_CALL), st.data())
def test_stragglers_of_a_failed_try_do_not_touch_the_next_one(
    late: list[Message], messages: list[Message], data: st.DataObject
) -> None:
    """Neither its story nor its channel; what is ordered is ordered of the channel that is gone."""
    calls = ledger(agent=False)
    (ended,) = hear(calls, FIRST)
    assert isinstance(ended, AttemptEnded)
    assert (ended.try_no, ended.cause, ended.sip_code) == (1, 34, 503)
    calls.place(7, 2)
    late = [message for message in late if LEG not in message.values()]
    mixed = data.draw(st.permutations([*map(of_try_2, messages), *late]))
    calls.bridging(7, "ana", LEG)
    found = [*hear(calls, mixed), *calls.hear({**HANGUP, "Uniqueid": AGAIN}, 99.0)]
    assert re.sub("R", "", story(found)) == "ABE"
    assert {f.try_no for f in found if isinstance(f, AttemptEnded | AttemptRinging | AttemptAnswered)} == {2}
    assert all(f == HangUpChannel(CHANNEL) for f in found if not isinstance(f, Event))
    assert len(calls) == 0


def test_the_next_try_is_the_one_that_is_hung_up() -> None:
    calls = ledger(agent=False)
    hear(calls, FIRST)
    assert calls.hanging_up(7) is None, "between two tries there is no call"
    calls.place(7, 2)
    assert calls.hanging_up(7) == AGAIN


def test_both_tries_of_an_earlier_run_on_the_switch() -> None:
    """The first one's channel is still going: it is hung up; the second one talks on."""
    channels = [{**TALKING[0], "Uniqueid": "cad-camp-3-2~"}, TALKING[1]]
    failing = {"Uniqueid": "cad-camp-3-1~", "ChannelStateDesc": "Down"}
    for listed in ([failing, *channels], [*channels, failing]):
        calls = CallLedger("camp", amd=False)
        found = listing(calls, listed, 1.0)
        assert [f for f in found if isinstance(f, AttemptSurvived)] == [
            AttemptSurvived(at=1.0, attempt_id=3, agent_id="ana", try_no=2, trunk="t1")
        ]
        assert [f for f in found if not isinstance(f, Event)] == [HangUpChannel("cad-camp-3-1~")]
        ended = hear(calls, [{**HANGUP, "Uniqueid": "cad-camp-3-1~"}, {**HANGUP, "Uniqueid": "cad-camp-3-2~"}])
        assert [f.try_no for f in ended if isinstance(f, AttemptEnded)] == [2]


# ---- hanging up ---------------------------------------------------------------------------------------------------
def test_call_hung_up_before_its_channel_is_hung_up_again() -> None:
    calls = ledger(agent=False)
    calls.hanging_up(7)
    gone = {"Response": "Error", "ActionID": f"hangup:{CHANNEL}", "Message": "No such channel"}
    assert hear(calls, [gone, dial("DialBegin")]) == [HangUpChannel(CHANNEL)]
    assert calls.overdue(1e6) == []


def test_call_that_cannot_be_hung_up_any_more_is_lost() -> None:
    """Its Hangup was missed, or will never come: the books must not keep it for ever."""
    calls = ledger(agent=False)
    hear(calls, [dial("DialBegin")])
    calls.hanging_up(7)
    gone = {"Response": "Error", "ActionID": f"hangup:{CHANNEL}", "Message": "No such channel"}
    assert calls.hear(gone, 5.0) == []
    assert [f.lost for f in calls.overdue(5.0 + NO_CHANNEL_S) if isinstance(f, AttemptEnded)] == [True]
