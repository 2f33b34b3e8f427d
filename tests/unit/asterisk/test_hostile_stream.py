"""Whatever bytes come in, in whatever pieces: nothing raises, no order is unsafe, every attempt's story is legal."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.asterisk import translate
from dialer.adapters.asterisk.agents import AgentLegs
from dialer.adapters.asterisk.calls import CallLedger
from dialer.adapters.asterisk.translate import Message, Order
from dialer.config.campaign import Agent
from dialer.core.events import AgentLoggedIn, AgentLoggedOut, Event
from tests.unit.asterisk.test_calls import LEGAL, LETTERS
from tests.unit.asterisk.test_link import Ear

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
CHANNELS = ["cad-camp-1-1~", "cad-camp-2-1~", "cad-camp-3-1~", "leg1", "leg2", "", "cad-camp-" + "9" * 400 + "-1~"]
TEXTS = st.one_of(
    st.sampled_from(["", "\x00", "x" * 400, "\n", "Zoë 東京", "-1", "1e999", "nan", "٣", "9" * 5000, "a: b", ";;"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12),
)
VALUES: dict[str, Any] = {
    "Uniqueid": st.sampled_from(CHANNELS),
    "DestUniqueid": st.sampled_from(CHANNELS),
    "ActionID": st.sampled_from(
        [*CHANNELS, *(f"{kind}:{name}" for kind in ("bridge", "hangup", "ask") for name in CHANNELS)]
    ),
    "Channel": TEXTS,
    "DestChannel": TEXTS,
    "UserEvent": st.sampled_from(["CadenciaAgent", "CadenciaAnswered", "CadenciaScreened", "CadenciaAbandoned", "x"]),
    "Endpoint": st.sampled_from(["ana", "bruno", "x"]),
    "Status": st.sampled_from(["HUMAN", "MACHINE", "?"]),
    "DialStatus": st.sampled_from(["RINGING", "PROGRESS", "ANSWER", "BUSY", ""]),
    "BridgeUniqueid": st.sampled_from(["b1", "b2", ""]),
    "Response": st.sampled_from(["Success", "Failure", "Error", "Follows", ""]),
    "Message": st.sampled_from(["No such channel", "Channel2 does not exists: x", "Channel1 does not exist", "?"]),
    "Cause": TEXTS,
    "TechCause": TEXTS,
    "Timestamp": TEXTS,
    "Direction": st.sampled_from(["Received", "Sent"]),
    "Digit": TEXTS,
}
EVENTS = st.sampled_from([*sorted(name.decode() for name in translate.HEARD_EVENTS), "", "VarSet", "東"])


@st.composite
def message(draw: st.DrawFn) -> bytes:
    """Something like a message, with fields that are missing, repeated or absurd."""
    lines = [] if draw(st.booleans()) and draw(st.booleans()) else [f"Event: {draw(EVENTS)}"]
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=8))
    lines += [f"{name}: {draw(VALUES[name])}" for name in names]
    return "\r\n".join([*lines, "", ""]).encode()


BYTES = st.lists(st.one_of(message(), message(), message(), st.binary(max_size=60)), max_size=25).map(b"".join)


class Switchboard:
    """A link, a ledger and legs, joined as the adapter joins them."""

    def __init__(self, *, amd: bool) -> None:
        self.calls = CallLedger("camp", amd=amd)
        self.legs = AgentLegs([Agent(id="ana"), Agent(id="bruno")])
        self.found: list[Event | Order] = []
        self.ear = Ear()
        self.ear.link._hear = lambda _link, message: self.hear(message)
        self.calls.place(1, 1)
        self.calls.place(2, 1)
        self.calls.bridging(1, "ana", "leg1")

    def hear(self, message: Message) -> None:
        at = translate.event_time(message, 100.0)
        assert 95.0 <= at <= 100.0
        self.take([*self.legs.hear(message, at), *self.calls.hear(message, at)])

    def take(self, found: list[Event | Order]) -> None:
        for wanted in found:
            if not isinstance(wanted, Event):
                translate.order(wanted)  # raises for what must not reach the switch
        self.found += found

    def end(self) -> None:
        """The switch is gone: whatever is left has an end."""
        self.take(self.legs.reconcile([], 100.0))
        self.take(self.calls.reconcile([], 100.0, heard=(), agent_of=self.legs.agent_of))
        self.take(self.calls.overdue(1e6))

    def story(self, attempt_id: int) -> str:
        return "".join(LETTERS[type(f).__name__] for f in self.found if getattr(f, "attempt_id", None) == attempt_id)


@given(BYTES, st.lists(st.integers(0, 4000), max_size=12), st.booleans())
def test_any_bytes_in_any_pieces(stream: bytes, cuts: list[int], amd: bool) -> None:
    board = Switchboard(amd=amd)
    data = GREETING + stream
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for begin, end in pairwise(edges):
        board.ear.link.data_received(data[begin:end])
    assert board.ear.faults == []
    board.end()
    for attempt_id in (1, 2):
        assert LEGAL[amd].fullmatch(board.story(attempt_id)), board.story(attempt_id)
    assert board.story(3) == ""
    assert len(board.calls) == 0


@given(BYTES)
def test_agents_come_and_go_in_turns(stream: bytes) -> None:
    board = Switchboard(amd=False)
    board.ear.link.data_received(GREETING + stream)
    board.end()
    for agent_id in ("ana", "bruno"):
        turns = [
            type(f) for f in board.found if isinstance(f, AgentLoggedIn | AgentLoggedOut) and f.agent_id == agent_id
        ]
        assert turns == [AgentLoggedIn, AgentLoggedOut] * (len(turns) // 2)


LISTED = st.lists(
    st.fixed_dictionaries(
        {
            "Uniqueid": st.sampled_from(CHANNELS),
            "Channel": st.one_of(st.sampled_from(["PJSIP/ana-1", "PJSIP/bruno-2"]), TEXTS),
            "ChannelStateDesc": st.sampled_from(["Up", "Ringing", "Down", ""]),
            "BridgeId": st.sampled_from(["", "b1", "b2"]),
            "Application": st.sampled_from(["Wait", "Playback", "AMD", ""]),
            "Context": st.sampled_from(["cadencia-agents", "cadencia-called"]),
            "Exten": st.sampled_from(["login", "s"]),
        }
    ),
    max_size=8,
)


@given(st.lists(st.one_of(BYTES, LISTED), max_size=8), st.booleans())
def test_any_bytes_between_any_lists(parts: list[bytes | list[dict[str, str]]], amd: bool) -> None:
    """With gaps in between: what survived of an earlier run ends once, too."""
    board = Switchboard(amd=amd)
    board.ear.link.data_received(GREETING)
    for part in parts:
        if isinstance(part, bytes):
            board.ear.link.data_received(part + b"\r\n\r\n")
        else:
            board.take(board.legs.reconcile(part, 100.0, board.calls.own_bridges(part)))
            board.take(board.calls.reconcile(part, 100.0, heard=(), agent_of=board.legs.agent_of))
    assert board.ear.faults == []
    board.end()
    for attempt_id in (1, 2):
        story = board.story(attempt_id)
        head, _, survived = story.partition("V")
        assert LEGAL[amd].fullmatch(head), story
        assert survived.replace("EV", "") in ("", "E"), story
    assert board.story(3).replace("VE", "") == ""
