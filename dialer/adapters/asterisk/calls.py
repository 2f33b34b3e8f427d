"""Calls in flight on the switch: what its messages mean for our attempts. Pure: messages in, events and orders out.

How it works: a call is known by its channel id from the moment it is placed until its end is told. The switch sends
the messages of a call over several paths, so their order is not given: a Hangup can come before the OriginateResponse,
the dialplan's own event before either. Each message therefore only adds to what is known of its call, a second copy
adds nothing, and an event that needs another first (a bridge needs an answer) brings it along. The end is told once;
what comes after it finds no call and is ignored.

A call of an earlier run that talks with an agent is taken over; other channels of the campaign that are not in the
ledger are nobody's: those that ring are hung up, those that were answered are the dialplan's (see `orphans`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from dialer.adapters.asterisk.orphans import Orphans
from dialer.adapters.asterisk.translate import (
    ABANDONED_EVENT,
    ANSWERED_EVENT,
    NOT_PLACED,
    SCREENED_EVENT,
    SCREENING_SILENCE_S,
    ClearConnected,
    HangUpChannel,
    Message,
    Order,
    channel_id,
    endpoint_of,
    hangup_cause,
    is_own,
    is_safe,
    try_of,
    verdict,
)
from dialer.core.events import (
    AttemptAbandoned,
    AttemptAnswered,
    AttemptBridged,
    AttemptEnded,
    AttemptRinging,
    AttemptScreened,
    AttemptSurvived,
    BridgeFailed,
    Event,
)

Found = list[Event | Order]

# No sign of a channel: its first or its last message may still be on the way, or there is none.
NO_CHANNEL_S = 1.0


def channel_of(message: Message) -> str:
    """The id of the channel that an event is about; empty for a response."""
    event = message.get("Event", "")
    if not event:
        return ""
    key = {"OriginateResponse": "ActionID"}.get(event, "DestUniqueid" if event.startswith("Dial") else "Uniqueid")
    return message.get(key, "")


class Doubt(NamedTuple):
    """A call of which there should be a channel, and is none."""

    call: Call
    ends_at: float  # unless something is heard of it
    lost: bool  # whether it may have been a call all the same


class Call:
    """One try of one attempt, on the switch. Private to the ledger."""

    __slots__ = (
        "abandoned", "agent_id", "answered", "attempt_id", "bridge", "bridged", "carrier_ended", "channel", "early",
        "ended_by_us", "leg", "name", "picked_up", "ringing", "screened", "seen", "try_no",
    )  # fmt: skip

    def __init__(self, attempt_id: int, try_no: int, channel: str) -> None:
        self.attempt_id = attempt_id
        self.try_no = try_no
        self.channel = channel
        self.name = ""  # the channel's name, such as PJSIP/carrier1-0000000a
        self.seen = False  # the switch made a channel of it
        self.ringing = False
        self.early = False
        self.picked_up = False  # the carrier said so; the dialplan may not have begun
        self.carrier_ended = False  # the carrier gave a final answer, so the Hangup's SIP code is the carrier's
        self.answered = False
        self.screened = False
        self.abandoned = False
        self.bridged = False
        self.bridge = ""  # the switch's bridge that the caller is in
        self.agent_id = ""  # whom it is to be, or is, bridged with
        self.leg = ""
        self.ended_by_us = False


class CallLedger:
    """All calls in flight of one campaign."""

    def __init__(self, campaign: str, *, amd: bool) -> None:
        self._campaign = campaign
        self._amd = amd
        self._calls: dict[str, Call] = {}
        self._attempts: dict[int, Call] = {}
        self._doubts: dict[str, Doubt] = {}
        self._orphans = Orphans()
        self._leg_bridges: dict[str, str] = {}  # agent's leg -> the bridge it is in
        self._by_event: dict[str, Callable[[Call, Message, float], Found]] = {
            "DialBegin": self._dial_began,
            "DialState": self._dial_moved,
            "DialEnd": self._dial_ended,
            "OriginateResponse": self._originate_over,
            "UserEvent": self._dialplan_said,
            "BridgeEnter": self._entered,
            "BridgeLeave": self._left,
            "Hangup": self._hung_up,
        }

    def __len__(self) -> int:
        return len(self._calls)

    # ---- what we do -------------------------------------------------------------------------------------------
    def place(self, attempt_id: int, try_no: int) -> None:
        """Note that a call is being placed."""
        call = Call(attempt_id, try_no, channel_id(self._campaign, attempt_id, try_no))
        self._calls[call.channel] = self._attempts[attempt_id] = call

    def bridging(self, attempt_id: int, agent_id: str, leg: str) -> tuple[str, str] | None:
        """Note that a call is being joined with an agent's leg (its unique id); returns the call's channel id and name,
        None where it is too late."""
        call = self._attempts.get(attempt_id)
        if call is None or call.abandoned:
            return None
        call.agent_id, call.leg = agent_id, leg
        return call.channel, call.name or call.channel

    def hanging_up(self, attempt_id: int, *, unanswered_only: bool = False) -> str | None:
        """Note that a call is being hung up; returns its channel, None where it has ended or is to be let be."""
        call = self._attempts.get(attempt_id)
        if call is None or (unanswered_only and call.answered):
            return None
        call.ended_by_us = True
        return call.channel

    def is_live(self, attempt_id: int) -> bool:
        """Say whether the end of this attempt's call has yet to be told."""
        return attempt_id in self._attempts

    # ---- what the switch says ---------------------------------------------------------------------------------
    def hear(self, message: Message, at: float) -> Found:
        """Take in one message; returns what it tells and what must be ordered of the switch."""
        if "Event" not in message:
            return self._answered_us(message, at)
        event = message["Event"]
        handler = self._by_event.get(event)
        if handler is None:
            return []
        channel = channel_of(message)
        call = self._calls.get(channel)
        if call is None:
            return self._strange(event, channel, message, at)
        if event != "OriginateResponse":
            call.seen = True  # so its Hangup will come
            name = message.get("DestChannel") or message.get("Channel") or ""
            call.name = name if name and is_safe(name) else call.name
            self._doubts.pop(channel, None)
        return handler(call, message, at)

    def _strange(self, event: str, channel: str, message: Message, at: float) -> Found:
        """A channel that is no call of ours: an agent's leg, somebody else's, or an orphan."""
        if event in ("BridgeEnter", "BridgeLeave"):
            return self._leg_moved(event, channel, message, at)
        if event == "Hangup":
            self._leg_bridges.pop(channel, None)
            self._orphans.gone(channel)
        elif is_own(self._campaign, channel):
            if event == "UserEvent":
                self._orphans.found(channel, at)  # answered: the called party is to hear the message, not silence
            elif event in ("DialBegin", "DialState"):
                return [HangUpChannel(channel)]
        return []

    def overdue(self, at: float) -> Found:
        """End the calls of which there is no channel, and hang up the orphans whose time is over."""
        due = [doubt for doubt in self._doubts.values() if doubt.ends_at <= at]
        found: Found = [*self._orphans.overdue(at)]
        for doubt in due:
            cause = 0 if doubt.lost else NOT_PLACED
            found += self._end(doubt.call, at, cause=cause, sip_code=None, lost=doubt.lost)
        return found

    @property
    def next_due_at(self) -> float | None:
        """When `overdue` has something to say; None: not before another message."""
        due = [doubt.ends_at for doubt in self._doubts.values()]
        if (orphan_at := self._orphans.next_due_at) is not None:
            due.append(orphan_at)
        return min(due, default=None)

    # ---- after a gap ------------------------------------------------------------------------------------------
    def own_bridges(self, channels: Sequence[Message]) -> frozenset[str]:
        """The bridges in which answered calls of this campaign are, of this run or an earlier one."""
        return frozenset(
            channel.get("BridgeId", "")
            for channel in channels
            if is_own(self._campaign, channel.get("Uniqueid", "")) and channel.get("ChannelStateDesc") == "Up"
        ) - {""}

    def reconcile(
        self, channels: Sequence[Message], at: float, *, heard: Container[str], agent_of: Callable[[str], str]
    ) -> Found:
        """Take in the list of all live channels, after a gap in the messages: what is not there ended unheard.

        `heard`: channels of which there are messages yet to be taken in; those will tell. `agent_of` names the agent
        of a leg's unique id, empty for other channels.
        """
        listed = {channel.get("Uniqueid", ""): channel for channel in channels}
        self._leg_bridges = {leg: bridge for leg, c in listed.items() if (bridge := c.get("BridgeId", ""))}
        self._orphans.keep(listed)
        found: Found = []
        for call in list(self._calls.values()):
            channel = listed.get(call.channel)
            if channel is not None:
                found += self._found_alive(call, channel, at)
            elif call.channel in heard:
                continue
            elif not call.seen:  # its order may still be on the way: the switch reads two links independently
                self._doubts.setdefault(call.channel, Doubt(call, at + NO_CHANNEL_S, lost=True))
            else:
                found += self._end(call, at, cause=0, sip_code=None, lost=True)
        for name, channel in listed.items():
            if name not in self._calls and (found_try := try_of(self._campaign, name)) is not None:
                found += self._found_strange(found_try, channel, at, agent_of)
        return found

    def _found_strange(
        self, found_try: tuple[int, int], channel: Message, at: float, agent_of: Callable[[str], str]
    ) -> Found:
        """A call of an earlier run."""
        name, bridge = channel["Uniqueid"], channel.get("BridgeId", "")
        if channel.get("ChannelStateDesc") != "Up":
            return [HangUpChannel(name)]
        if not bridge:
            self._orphans.found(name, at)
            return []
        leg = next((leg for leg, its in self._leg_bridges.items() if its == bridge and agent_of(leg)), "")
        if not leg:
            return []  # it talks with somebody who is no agent any more
        call = Call(*found_try, name)
        call.seen = call.picked_up = call.answered = call.screened = call.bridged = True
        call.bridge = bridge
        call.leg, call.agent_id = leg, agent_of(leg)
        self._calls[name] = self._attempts[call.attempt_id] = call
        return [
            AttemptSurvived(
                at=at,
                attempt_id=call.attempt_id,
                agent_id=call.agent_id,
                try_no=call.try_no,
                trunk=endpoint_of(channel.get("Channel", "")),
            )
        ]

    def _found_alive(self, call: Call, channel: Message, at: float) -> Found:
        call.seen = True
        name = channel.get("Channel", "")
        call.name = name if name and is_safe(name) else call.name
        call.bridge = channel.get("BridgeId", "")
        if call.ended_by_us:
            return [HangUpChannel(call.channel)]
        if channel.get("ChannelStateDesc") == "Ringing":
            return self._ring(call, at, early=False)
        if channel.get("ChannelStateDesc") != "Up":
            return []
        found = self._answer(call, at)
        if self._amd and channel.get("Application") == "AMD":
            return found
        if channel.get("Application") == "Playback":
            found += self._abandon(call, at)
        found += self._join(call, at)
        if call.leg and not call.bridged:
            found += self._not_joined(call, at, agent_gone=False)
        return found

    # ---- messages, one by one ---------------------------------------------------------------------------------
    def _dial_began(self, call: Call, message: Message, at: float) -> Found:  # noqa: ARG002 - handlers share a signature
        # Hung up in the moment between its order and its channel: the first order found nothing to hang up.
        return [HangUpChannel(call.channel)] if call.ended_by_us else []

    def _dial_moved(self, call: Call, message: Message, at: float) -> Found:
        status = message.get("DialStatus")
        return self._ring(call, at, early=status == "PROGRESS") if status in ("RINGING", "PROGRESS") else []

    def _dial_ended(self, call: Call, message: Message, at: float) -> Found:  # noqa: ARG002
        if message.get("DialStatus") == "ANSWER":
            call.picked_up = True
        else:
            call.carrier_ended = True
        return []

    def _originate_over(self, call: Call, message: Message, at: float) -> Found:
        if message.get("Response") == "Success":
            call.picked_up = True
        elif not call.seen:
            self._doubts[call.channel] = Doubt(call, at + NO_CHANNEL_S, lost=False)
        return []

    def _dialplan_said(self, call: Call, message: Message, at: float) -> Found:
        match message.get("UserEvent"):
            case str(name) if name == ANSWERED_EVENT:
                return self._answer(call, at)
            case str(name) if name == SCREENED_EVENT:
                result = verdict(message.get("Status", ""))
                # A person has been silent for so long; of a greeting that went on, detection gave up.
                silence_s = SCREENING_SILENCE_S if result == "human" else 0.0
                return self._screen(call, at, result, greeting_ended_at=at - silence_s)
            case str(name) if name == ABANDONED_EVENT:
                return self._abandon(call, at)
        return []

    def _entered(self, call: Call, message: Message, at: float) -> Found:
        call.bridge = message.get("BridgeUniqueid", "")
        return self._join(call, at)

    def _left(self, call: Call, message: Message, at: float) -> Found:  # noqa: ARG002
        call.bridge = ""
        return []

    def _leg_moved(self, event: str, leg: str, message: Message, at: float) -> Found:
        if event == "BridgeLeave":
            self._leg_bridges.pop(leg, None)
            return []
        bridge = self._leg_bridges[leg] = message.get("BridgeUniqueid", "")
        return [
            e
            for call in self._calls.values()
            if call.leg == leg and call.bridge == bridge
            for e in self._join(call, at)
        ]

    def _hung_up(self, call: Call, message: Message, at: float) -> Found:
        cause, sip_code = hangup_cause(message)
        # At our own time-out or hang-up the switch cancels, and notes a code that the carrier never sent.
        from_carrier = call.carrier_ended and not call.picked_up and not call.ended_by_us
        return self._end(call, at, cause=cause, sip_code=sip_code if from_carrier else None)

    def _answered_us(self, message: Message, at: float) -> Found:
        """A Response. Only refusals tell something."""
        kind, _, channel = message.get("ActionID", "").rpartition(":")
        call = self._calls.get(channel)
        if message.get("Response") != "Error" or call is None:
            return []
        if kind == "":
            return self._end(call, at, cause=NOT_PLACED, sip_code=None)
        text = message.get("Message", "")
        if kind == "hangup" and "No such channel" in text:
            self._doubts.setdefault(channel, Doubt(call, at + NO_CHANNEL_S, lost=True))
            return []
        # Where the caller is gone, the Hangup tells it. "Unable to add" is a leg that is just leaving its last call.
        if kind != "bridge" or not call.leg or call.bridged or "Channel1 does not exist" in text:
            return []
        return self._not_joined(call, at, agent_gone="Channel2 does not exist" in text)

    # ---- what becomes known -----------------------------------------------------------------------------------
    def _ring(self, call: Call, at: float, *, early: bool) -> Found:
        if call.answered or (call.early if early else call.ringing):
            return []
        if early:
            call.early = True
        else:
            call.ringing = True
        return [AttemptRinging(at=at, attempt_id=call.attempt_id, try_no=call.try_no, early_media=early)]

    def _answer(self, call: Call, at: float) -> Found:
        if call.answered:
            return []
        call.answered = True
        return [AttemptAnswered(at=at, attempt_id=call.attempt_id, try_no=call.try_no)]

    def _screen(self, call: Call, at: float, result: str, greeting_ended_at: float | None = None) -> Found:
        found = self._answer(call, at)
        if self._amd and not call.screened:
            call.screened = True
            found.append(
                AttemptScreened(at=at, attempt_id=call.attempt_id, verdict=result, greeting_ended_at=greeting_ended_at)
            )
        return found

    def _abandon(self, call: Call, at: float) -> Found:
        found = self._screen(call, at, "uncertain")
        if not call.abandoned and not call.bridged:
            call.abandoned = True
            found.append(AttemptAbandoned(at=at, attempt_id=call.attempt_id))
        return found

    def _join(self, call: Call, at: float) -> Found:
        """Bridged is when the caller and the agent's leg are in the same bridge, whichever came first."""
        if call.bridged or not call.leg or not call.bridge or self._leg_bridges.get(call.leg) != call.bridge:
            return []
        found = self._screen(call, at, "uncertain")
        call.bridged = True
        found.append(AttemptBridged(at=at, attempt_id=call.attempt_id, agent_id=call.agent_id))
        return found

    def _not_joined(self, call: Call, at: float, *, agent_gone: bool) -> Found:
        found = self._screen(call, at, "uncertain")
        agent_id, call.agent_id, call.leg = call.agent_id, "", ""
        failed = BridgeFailed(at=at, attempt_id=call.attempt_id, agent_id=agent_id, agent_gone=agent_gone)
        return [*found, ClearConnected(call.channel), failed]

    def _end(self, call: Call, at: float, *, cause: int, sip_code: int | None, lost: bool = False) -> Found:
        # An answered call that the switch dropped at once was a silent call to a person: it must not look unanswered.
        found = self._answer(call, at) if call.picked_up else []
        del self._calls[call.channel]
        self._doubts.pop(call.channel, None)
        if self._attempts.get(call.attempt_id) is call:
            del self._attempts[call.attempt_id]
        found.append(
            AttemptEnded(
                at=at, attempt_id=call.attempt_id, try_no=call.try_no, cause=cause, sip_code=sip_code, lost=lost
            )
        )
        return found
