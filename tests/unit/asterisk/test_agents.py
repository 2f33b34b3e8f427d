"""Agents' legs."""

from __future__ import annotations

from dialer.adapters.asterisk.agents import AgentLegs
from dialer.adapters.asterisk.translate import HangUpChannel, Message
from dialer.config.campaign import Agent
from dialer.core.events import AgentKeyed, AgentLoggedIn, AgentLoggedOut


def legs() -> AgentLegs:
    return AgentLegs([Agent(id="ana", endpoint="tel1"), Agent(id="tel2")])


def login(endpoint: str, leg: str) -> Message:
    return {
        "Event": "UserEvent",
        "UserEvent": "CadenciaAgent",
        "Endpoint": endpoint,
        "Uniqueid": leg,
        "Channel": f"N{leg}",
    }


def waiting(endpoint: str, leg: str, bridge: str = "") -> Message:
    return {
        "Channel": f"PJSIP/{endpoint}-0000000a",
        "Uniqueid": leg,
        "Context": "cadencia-agents",
        "Exten": "login",
        "BridgeId": bridge,
    }


def test_endpoint_names_the_agent() -> None:
    known = legs()
    assert known.hear(login("tel1", "l1"), 1.0) == [AgentLoggedIn(at=1.0, agent_id="ana")]
    assert known.hear(login("tel2", "l2"), 1.0) == [AgentLoggedIn(at=1.0, agent_id="tel2")]
    assert known.hear(login("stranger", "l3"), 1.0) == []
    assert (known.leg("ana"), known.leg("tel2"), known.leg("stranger")) == (("l1", "Nl1"), ("l2", "Nl2"), None)


def test_same_leg_logs_in_once() -> None:
    known = legs()
    known.hear(login("tel1", "l1"), 1.0)
    assert known.hear(login("tel1", "l1"), 2.0) == []
    assert known.reconcile([waiting("tel1", "l1")], 3.0) == []


def test_newer_leg_wins_and_the_older_ones_hangup_says_nothing() -> None:
    known = legs()
    known.hear(login("tel1", "l1"), 1.0)
    assert known.hear(login("tel1", "l2"), 2.0) == [
        AgentLoggedOut(at=2.0, agent_id="ana"),
        HangUpChannel("l1"),
        AgentLoggedIn(at=2.0, agent_id="ana"),
    ]
    assert known.hear({"Event": "Hangup", "Uniqueid": "l1"}, 3.0) == []
    assert known.hear({"Event": "Hangup", "Uniqueid": "l2"}, 4.0) == [AgentLoggedOut(at=4.0, agent_id="ana")]


def test_only_keys_that_the_agent_pressed() -> None:
    known = legs()
    known.hear(login("tel1", "l1"), 1.0)
    key = {"Event": "DTMFEnd", "Uniqueid": "l1", "Digit": "#", "Direction": "Received"}
    assert known.hear(key, 2.0) == [AgentKeyed(at=2.0, agent_id="ana", key="#")]
    assert known.hear({**key, "Direction": "Sent"}, 2.0) == []
    assert known.hear({**key, "Uniqueid": "caller"}, 2.0) == []
    assert known.hear({**key, "Digit": "1; rm"}, 2.0) == []


def test_listing_tells_who_came_and_went_in_the_gap() -> None:
    known = legs()
    known.hear(login("tel1", "l1"), 1.0)
    caller = {"Channel": "PJSIP/tel1-0000000b", "Uniqueid": "x", "Context": "elsewhere", "Exten": "login"}
    assert known.reconcile([waiting("tel2", "l2"), caller], 5.0) == [
        AgentLoggedOut(at=5.0, agent_id="ana"),
        AgentLoggedIn(at=5.0, agent_id="tel2"),
    ]


def test_leg_in_a_call_of_the_campaigns_is_logged_in() -> None:
    """Its agent is busy, not absent: whose call it is the ledger tells."""
    known = legs()
    channels = [waiting("tel1", "l1", bridge="b"), waiting("tel2", "l2", bridge="other")]
    assert known.reconcile(channels, 1.0, {"b"}) == [AgentLoggedIn(at=1.0, agent_id="ana")]
    assert (known.agent_of("l1"), known.agent_of("l2"), known.agent_of("l3")) == ("ana", "tel2", "")


def test_leg_in_anothers_call_logs_in_when_that_is_over() -> None:
    """Offered before, it would be taken out of a living call."""
    known = legs()
    assert known.reconcile([waiting("tel1", "l1", bridge="b")], 1.0) == []
    assert known.hear({"Event": "BridgeLeave", "Uniqueid": "l1"}, 2.0) == [AgentLoggedIn(at=2.0, agent_id="ana")]
    assert known.hear({"Event": "BridgeLeave", "Uniqueid": "l1"}, 3.0) == []


def test_leg_lost_in_anothers_call_was_never_logged_in() -> None:
    known = legs()
    known.reconcile([waiting("tel1", "l1", bridge="b")], 1.0)
    assert known.hear({"Event": "Hangup", "Uniqueid": "l1"}, 2.0) == []
    assert known.leg("ana") is None


def test_log_out_hangs_the_leg_up_and_its_end_tells_it() -> None:
    known = legs()
    assert known.logging_out("ana") is None
    known.hear(login("tel1", "l1"), 1.0)
    assert known.logging_out("ana") == HangUpChannel("l1")
    assert known.hear({"Event": "Hangup", "Uniqueid": "l1"}, 2.0) == [AgentLoggedOut(at=2.0, agent_id="ana")]
    assert known.logging_out("ana") is None


def test_log_out_while_nothing_can_be_sent_is_done_by_the_next_listing() -> None:
    known = legs()
    known.hear(login("tel1", "l1"), 1.0)
    known.logging_out("ana")
    assert known.reconcile([waiting("tel1", "l1")], 2.0) == [HangUpChannel("l1")]
    known.hear({"Event": "Hangup", "Uniqueid": "l1"}, 3.0)
    known.hear(login("tel1", "l1"), 4.0)
    assert known.reconcile([waiting("tel1", "l1")], 5.0) == []


def test_leg_that_no_order_could_name_is_not_logged_in() -> None:
    known = legs()
    assert known.hear(login("tel1", "l" * 300), 1.0) == []
    assert known.hear(login("tel1", "l\n1"), 1.0) == []
    assert known.leg("ana") is None
