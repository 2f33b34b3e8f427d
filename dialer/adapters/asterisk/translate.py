"""Actions as messages of the manager interface, and values of its messages as our own. Pure.

Every value is checked here, at the only place where text becomes bytes for the switch: a line break in a value would
end the message and begin another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from dialer.config.campaign import Campaign, Trunk
from dialer.core.actions import Originate
from dialer.errors import UnsafeValue

Message = Mapping[str, str]

CALLED_CONTEXT = "cadencia-called"
AGENTS_CONTEXT, AGENTS_EXTENSION = "cadencia-agents", "login"
AGENT_EVENT = "CadenciaAgent"
ANSWERED_EVENT = "CadenciaAnswered"
SCREENED_EVENT = "CadenciaScreened"
ABANDONED_EVENT = "CadenciaAbandoned"

# What is read at all: a switch that sends more than conf/manager_cadencia.conf asks for costs little.
HEARD_EVENTS = frozenset(
    {
        b"BridgeEnter",
        b"BridgeLeave",
        b"CoreShowChannel",
        b"CoreShowChannelsComplete",
        b"DTMFEnd",
        b"DialBegin",
        b"DialEnd",
        b"DialState",
        b"FullyBooted",
        b"Hangup",
        b"OriginateResponse",
        b"Shutdown",
        b"UserEvent",
    }
)

MAX_VALUE = 255  # characters; Asterisk refuses a ChannelId of more than 149
# The dialplan's wait ends this much before the deadline, so that the message begins in time on a busy switch.
DEADLINE_MARGIN_S = 0.1
# Detection decides this long after the greeting's end (amd.conf: after_greeting_silence), from where the time runs.
SCREENING_SILENCE_S = 0.8
NOT_PLACED = 38  # Q.850, network out of order: the call never reached a carrier
_CLOCK_SKEW_S = 5.0

_DIALLABLE = re.compile(r"\+?[0-9*#]{1,32}")
_CALLER_ID = re.compile(r"\+?[0-9]{1,20}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TRY = re.compile(r"([0-9]{1,18})-([0-9]{1,3})~")


class HangUpChannel(msgspec.Struct, frozen=True):
    """Wanted of the switch: end this channel."""

    channel: str


class ClearConnected(msgspec.Struct, frozen=True):
    """Wanted of the switch: the caller has no agent after all, so the dialplan's limit holds again."""

    channel: str


Order = HangUpChannel | ClearConnected


def packet(fields: Iterable[tuple[str, str]]) -> bytes:
    """One message, as bytes. Raises `UnsafeValue` for control characters or a value of more than 255 characters."""
    lines = []
    for key, value in fields:
        if not is_safe(value):
            raise UnsafeValue(f"expected at most {MAX_VALUE} printable characters in {key}, found {value[:40]!r}")
        lines.append(f"{key}: {value}\r\n")
    return ("".join(lines) + "\r\n").encode()


def is_safe(value: str) -> bool:
    """Say whether a value may stand in a message: at most 255 characters, none of them a control character, and only
    such as have bytes (half of a surrogate pair has none)."""
    return len(value) <= MAX_VALUE and not _CONTROL.search(value)


def channel_id(campaign: str, attempt_id: int, try_no: int) -> str:
    """The name under which the switch knows one try of an attempt: its ChannelId, Uniqueid and ActionID.

    No such id begins another one, thanks to its last character, which no campaign's name has: the switch refuses an
    id that is the beginning of a living channel's.
    """
    return f"cad-{campaign}-{attempt_id}-{try_no}~"


def try_of(campaign: str, channel: str) -> tuple[int, int] | None:
    """The attempt and the try that `channel_id` made a channel's id of, in this run or an earlier one; None for a
    channel that is not this campaign's."""
    prefix = f"cad-{campaign}-"
    found = _TRY.fullmatch(channel, len(prefix)) if channel.startswith(prefix) else None
    return (int(found[1]), int(found[2])) if found else None


def is_own(campaign: str, channel: str) -> bool:
    """Say whether a channel id was made by `channel_id` for this campaign, in this run or an earlier one."""
    return try_of(campaign, channel) is not None


def dial_string(number: str, trunk: Trunk) -> str:
    """The number as this trunk wants it. Raises `UnsafeValue` for anything that is not a number."""
    dialled = trunk.prefix + (number.removeprefix("+") if trunk.strip_plus else number)
    # Anything else, such as & or /, would change what the switch dials.
    return _checked(_DIALLABLE, dialled, "a number")


def originate(action: Originate, *, campaign: Campaign, run: int, trunks: Mapping[str, Trunk]) -> bytes:
    """The message that places a call. Raises `UnsafeValue` for a value that must not reach the switch."""
    trunk = trunks.get(action.trunk)
    if trunk is None:
        raise UnsafeValue(f"expected a trunk of the campaign, found {action.trunk[:40]!r}")
    channel = channel_id(campaign.campaign, action.attempt_id, action.try_no)
    return packet(
        [
            ("Action", "Originate"),
            ("ActionID", channel),
            ("ChannelId", channel),
            ("Channel", f"PJSIP/{dial_string(action.number, trunk)}@{_checked(_NAME, trunk.name, 'an endpoint')}"),
            ("Context", CALLED_CONTEXT),
            ("Exten", "s"),
            ("Priority", "1"),
            ("Timeout", str(round(action.ring_timeout_s * 1000))),
            ("CallerID", f"<{_checked(_CALLER_ID, action.caller_id, 'a caller ID')}>"),
            ("Async", "true"),
            ("Variable", f"CADENCIA_WAIT={waiting_s(campaign):.2f}"),
            ("Variable", f"CADENCIA_AMD={'on' if campaign.amd else 'off'}"),
            ("Variable", f"CADENCIA_MESSAGE={'on' if action.message else 'off'}"),
            ("Variable", f"CADENCIA_RUN={run}"),
        ]
    )


def waiting_s(campaign: Campaign) -> float:
    """How long the dialplan lets an answered call wait for an agent, s."""
    spent = DEADLINE_MARGIN_S + (SCREENING_SILENCE_S if campaign.amd else 0.0)
    return max(0.1, campaign.connect_deadline_s - spent)


def bridge(channel: str, caller_name: str, leg_name: str) -> bytes:
    """Both messages that join a caller and an agent's leg; the first one tells the dialplan that it was not in vain.

    The Bridge takes channel names, not ids: it looks for channels that begin with what it is given, so that the leg
    with the id `1700000000.1` would stand for `1700000000.10` as well. Names are of one length.
    """
    return _set_connected(channel, "1") + packet(
        [("Action", "Bridge"), ("ActionID", f"bridge:{channel}"), ("Channel1", caller_name), ("Channel2", leg_name)]
    )


def order(wanted: Order) -> bytes:
    """The message for something that the state machines want."""
    if isinstance(wanted, ClearConnected):
        return _set_connected(wanted.channel, "0")
    return packet(
        [("Action", "Hangup"), ("ActionID", f"hangup:{wanted.channel}"), ("Channel", wanted.channel), ("Cause", "16")]
    )


def event_time(message: Message, now: float) -> float:
    """When a message's fact happened, UTC s: the switch's own time where it is within 5 s before `now`, else `now`."""
    try:
        at = float(message.get("Timestamp", "nan"))
    except ValueError:
        return now
    return at if now - _CLOCK_SKEW_S <= at <= now else now


def hangup_cause(message: Message) -> tuple[int, int | None]:
    """Q.850 cause (0: unknown) and SIP status code of a Hangup. OriginateResponse's Reason tells nothing of use."""
    cause = message.get("Cause", "")
    code = re.search(r"\b[3-6][0-9][0-9]\b", message.get("TechCause", "")[:MAX_VALUE])
    known = re.fullmatch(r"[0-9]{1,3}", cause) is not None and int(cause) <= 127
    return int(cause) if known else 0, int(code[0]) if code else None


def endpoint_of(channel_name: str) -> str:
    """The PJSIP endpoint of a channel name such as `PJSIP/agent1-0000000a`; empty for another technology."""
    technology, _, rest = channel_name.partition("/")
    return rest.rpartition("-")[0] if technology == "PJSIP" else ""


def masked(number: str) -> str:
    """A number for the log: the first four and the last four characters, and no control characters."""
    shown = f"{number[:4]}•••{number[-4:]}" if len(number) > 8 else "•••"
    return _CONTROL.sub("?", shown)


def verdict(status: str) -> str:
    """AMD's status as ours: human, machine or uncertain."""
    return {"HUMAN": "human", "MACHINE": "machine"}.get(status, "uncertain")


def _set_connected(channel: str, value: str) -> bytes:
    return packet(
        [
            ("Action", "Setvar"),
            ("ActionID", f"setvar:{channel}"),
            ("Channel", channel),
            ("Variable", "CADENCIA_CONNECTED"),
            ("Value", value),
        ]
    )


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UnsafeValue(f"expected {what}, found {value[:40]!r}")
    return value


def by_name(trunks: Sequence[Trunk]) -> dict[str, Trunk]:
    """The trunks by their endpoints' names."""
    return {trunk.name: trunk for trunk in trunks}
