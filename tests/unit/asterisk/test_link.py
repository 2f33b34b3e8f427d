"""The connection: framing, and the faults of the wire."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.asterisk.link import BATCH, MAX_MESSAGE, ManagerLink

STREAM = (
    "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n"
    "Event: UserEvent\r\nName: Zoë Ångström 東京\r\nChanVariable: a=1\r\nChanVariable: b=2\r\n\r\n"
    "Event: Hangup\r\nCause-txt: \r\nUniqueid: x\r\n\r\n"
).encode()
MESSAGES = [
    {"Response": "Success", "Message": "Authentication accepted"},
    {"Event": "UserEvent", "Name": "Zoë Ångström 東京", "ChanVariable": "a=1"},
    {"Event": "Hangup", "Cause-txt": "", "Uniqueid": "x"},
]


class Transport:
    """Takes bytes and an abort, and pauses."""

    def __init__(self) -> None:
        self.sent = b""
        self.aborted = False
        self.pauses = 0
        self.paused = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True
        self.pauses += 1

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


class Ear:
    """A link and all that it says."""

    def __init__(self, *, fail_on: str = "") -> None:
        self.messages: list[dict[str, str]] = []
        self.lost: list[str] = []
        self.faults: list[Exception] = []
        self.transport = Transport()
        self._fail_on = fail_on
        self.link = ManagerLink(self._hear, self._lose, self._fault)
        self.link.connection_made(self.transport)

    def _hear(self, _link: ManagerLink, message: Any) -> None:
        if message.get("Event") == self._fail_on:
            raise ValueError("a fault of ours")
        self.messages.append(dict(message))

    def _lose(self, _link: ManagerLink, reason: str) -> None:
        self.lost.append(reason)

    def _fault(self, _message: Any, fault: Exception) -> None:
        self.faults.append(fault)


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_any_cut_of_the_stream_gives_the_same_messages(cuts: list[int]) -> None:
    ear = Ear()
    edges = [0, *sorted(cuts), len(STREAM)]
    for begin, end in pairwise(edges):
        ear.link.data_received(STREAM[begin:end])
    assert ear.messages == MESSAGES


def test_fault_in_a_handler_keeps_the_link_and_the_rest() -> None:
    ear = Ear(fail_on="UserEvent")
    ear.link.data_received(STREAM)
    assert ear.messages == [MESSAGES[0], MESSAGES[2]]
    assert [str(fault) for fault in ear.faults] == ["a fault of ours"]
    assert not ear.lost


def test_loss_is_said_once() -> None:
    ear = Ear()
    ear.link.drop("no sign of life")
    ear.link.connection_lost(None)
    ear.link.connection_lost(OSError("reset"))
    assert ear.lost == ["no sign of life"]
    assert ear.transport.aborted


def test_nothing_is_written_to_a_lost_link() -> None:
    ear = Ear()
    ear.link.write(b"a")
    ear.link.connection_lost(None)
    ear.link.write(b"b")
    assert ear.transport.sent == b"a"


def test_something_else_that_listens_is_refused() -> None:
    ear = Ear()
    ear.link.data_received(b"SSH-2.0-OpenSSH\r\n")
    assert len(ear.lost) == 1
    assert "SSH-2.0" in ear.lost[0]


def test_endless_message_is_refused() -> None:
    ear = Ear()
    ear.link.data_received(STREAM + b"x" * (MAX_MESSAGE + 1))
    assert len(ear.lost) == 1


def test_endless_greeting_is_refused() -> None:
    ear = Ear()
    ear.link.data_received(b"Asterisk Call Manager/" + b"9" * 200)
    assert len(ear.lost) == 1
    assert ear.transport.aborted


def test_nothing_more_is_held_or_heard_once_it_is_lost() -> None:
    ear = Ear()
    ear.link.data_received(STREAM + b"x" * 10_000_000)
    ear.link.data_received(b"x" * 10_000_000 + b"\r\n\r\n" + STREAM)
    assert (ear.messages, len(ear.lost)) == ([], 1)


def test_events_that_nobody_asked_for_are_skipped() -> None:
    ear = Ear()
    ear.link.data_received(STREAM + b"Event: VarSet\r\nUniqueid: x\r\n\r\n" + b"Event: Hangup\r\nUniqueid: y\r\n\r\n")
    assert ear.messages == [*MESSAGES, {"Event": "Hangup", "Uniqueid": "y"}]


async def test_a_flood_leaves_the_loop_its_turns() -> None:
    """Nothing is read while messages are left over, and other work gets a turn between two batches."""
    ear = Ear()
    ear.link.data_received(STREAM)
    burst = b"".join(b"Event: Hangup\r\nUniqueid: %d\r\n\r\n" % i for i in range(BATCH * 10 + 5))
    ear.link.data_received(burst)
    seen = [len(ear.messages) - len(MESSAGES)]
    while ear.transport.paused:
        await asyncio.sleep(0)
        seen.append(len(ear.messages) - len(MESSAGES))
    assert ear.transport.pauses == 1
    assert [message["Uniqueid"] for message in ear.messages[3:]] == [str(i) for i in range(BATCH * 10 + 5)]
    assert max(later - earlier for earlier, later in pairwise(seen)) <= BATCH


async def test_what_is_left_over_is_heard_before_the_loss_is_told() -> None:
    ear = Ear()
    burst = b"".join(b"Event: Hangup\r\nUniqueid: %d\r\n\r\n" % i for i in range(BATCH * 3))
    ear.link.data_received(STREAM + burst)
    assert len(ear.messages) == BATCH
    ear.link.connection_lost(None)
    assert len(ear.messages) == BATCH * 3 + len(MESSAGES)
    assert ear.lost == ["the switch closed the connection"]
    await asyncio.sleep(0)  # the turn that was asked for finds nothing to do
    assert len(ear.messages) == BATCH * 3 + len(MESSAGES)


def test_shutdown_is_an_event_like_any_other() -> None:
    """panoramisk takes it for the end of the connection; the socket's own end tells that."""
    ear = Ear()
    ear.link.data_received(b"Asterisk Call Manager/11.0.0\r\nEvent: Shutdown\r\nRestart: False\r\n\r\n")
    assert ear.messages == [{"Event": "Shutdown", "Restart": "False"}]
    assert not ear.lost
