"""Messages to the switch, and values from it."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.asterisk import translate
from dialer.config.campaign import NAME, Campaign, Trunk
from dialer.core.actions import Originate
from dialer.errors import UnsafeValue

CAMPAIGN = Campaign.model_validate(
    {
        "campaign": "mora-30",
        "jurisdictions": ["PE"],
        "trunks": [{"name": "t1", "prefix": "00"}, {"name": "t2", "strip_plus": False}],
        "caller_ids": ["+5116000000"],
        "agents": [{"id": "ana"}],
    }
)
TRUNKS = translate.by_name(CAMPAIGN.trunks)
# Every control character of Unicode (Cc, Zl, Zp), and halves of surrogate pairs, which have no bytes.
CONTROLS = st.characters(categories=("Cc", "Zl", "Zp", "Cs"))
NAMES = st.from_regex(NAME, fullmatch=True)


def originate(
    number: str = "+51987654321", caller_id: str = "+5116000000", trunk: str = "t1", *, message: bool = True
) -> bytes:
    action = Originate(
        attempt_id=7,
        try_no=2,
        lead_id="l",
        number=number,
        trunk=trunk,
        caller_id=caller_id,
        ring_timeout_s=22.5,
        message=message,
    )
    return translate.originate(action, campaign=CAMPAIGN, run=3, trunks=TRUNKS)


def test_originate_says_everything_the_switch_needs() -> None:
    assert originate().decode().split("\r\n") == [
        "Action: Originate",
        "ActionID: cad-mora-30-7-2~",
        "ChannelId: cad-mora-30-7-2~",
        "Channel: PJSIP/0051987654321@t1",
        "Context: cadencia-called",
        "Exten: s",
        "Priority: 1",
        "Timeout: 22500",
        "CallerID: <+5116000000>",
        "Async: true",
        "Variable: CADENCIA_WAIT=1.90",
        "Variable: CADENCIA_AMD=off",
        "Variable: CADENCIA_MESSAGE=on",
        "Variable: CADENCIA_RUN=3",
        "",
        "",
    ]


def test_the_message_is_switched_off_where_the_law_forbids_it() -> None:
    assert b"\r\nVariable: CADENCIA_MESSAGE=off\r\n" in originate(message=False)


def test_the_dialplan_hangs_up_without_a_message_where_it_is_off() -> None:
    """The switch alone sees to it: right after the abandoned call is told, and before the sound."""
    lines = (files("dialer.adapters.asterisk") / "conf" / "extensions_cadencia.conf").read_text().splitlines()
    told = next(number for number, line in enumerate(lines) if "UserEvent(CadenciaAbandoned)" in line)
    assert lines[told + 1 : told + 3] == [
        ' same => n,GotoIf($["${CADENCIA_MESSAGE}" = "off"]?done)',
        " same => n,Playback(cadencia/no-agent-free)",
    ]


def test_trunk_decides_how_a_number_is_written() -> None:
    assert b"PJSIP/+51987654321@t2\r\n" in originate(trunk="t2")


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_no_text_adds_a_line_or_another_dial_string(number: str, caller_id: str, trunk: str) -> None:
    """Whatever comes in: refused, or exactly one message with one plain dial string."""
    try:
        sent = originate(number, caller_id, trunk)
    except UnsafeValue:
        return
    assert sent.count(b"\r\n\r\n") == 1
    assert sent.count(b"\r\n") == 15
    assert re.search(rb"\r\nChannel: PJSIP/\+?[0-9*#]+@[A-Za-z0-9_.-]+\r\n", sent)


@given(st.text(max_size=20), CONTROLS, st.text(max_size=20))
def test_control_characters_never_become_bytes(before: str, control: str, after: str) -> None:
    with pytest.raises(UnsafeValue):
        translate.packet([("Key", before + control + after)])


def test_too_long_a_value_is_refused() -> None:
    assert translate.packet([("K", "x" * 255)])
    with pytest.raises(UnsafeValue, match="255"):
        translate.packet([("K", "x" * 256)])


@given(st.integers(0, 10**15), st.integers(1, 9))
def test_own_channels_are_known_by_their_name(attempt_id: int, try_no: int) -> None:
    channel = translate.channel_id("mora-30", attempt_id, try_no)
    assert translate.is_own("mora-30", channel)
    assert not translate.is_own("mora", channel)
    assert not translate.is_own("mora-30-7", channel)


@given(NAMES, NAMES, st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 99), st.integers(1, 99))
def test_no_channel_id_begins_another(one: str, two: str, first: int, second: int, try_one: int, try_two: int) -> None:
    """The switch takes an id that begins a living channel's for that channel."""
    a, b = translate.channel_id(one, first, try_one), translate.channel_id(two, second, try_two)
    assert a == b or not b.startswith(a)
    longer = translate.channel_id(f"{one}-{first}-{try_one}", second, try_two)
    assert not longer.startswith(a)


def test_longest_channel_id_fits() -> None:
    assert len(translate.channel_id("c" * 64, 10**18, 99)) <= 149


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [("99.5", 99.5), ("94.9", 100.0), ("100.001", 100.0), ("nonsense", 100.0), ("nan", 100.0), (None, 100.0)],
)
def test_event_time_is_the_switchs_where_sane(stamp: str | None, expected: float) -> None:
    message = {} if stamp is None else {"Timestamp": stamp}
    assert translate.event_time(message, 100.0) == expected


@pytest.mark.parametrize(
    ("cause", "tech", "expected"),
    [
        ("17", "486", (17, 486)),
        ("17", "SIP 486 Busy Here", (17, 486)),
        ("16", "", (16, None)),
        ("", "", (0, None)),
        ("999", "12", (0, None)),
        ("²", "200", (0, None)),
        ("٣", "٤٨٦", (0, None)),
        ("9" * 5000, "9" * 5000, (0, None)),
    ],
)
def test_hangup_cause(cause: str, tech: str, expected: tuple[int, int | None]) -> None:
    assert translate.hangup_cause({"Cause": cause, "TechCause": tech}) == expected


def test_deadline_is_shared_with_the_screening() -> None:
    assert translate.waiting_s(CAMPAIGN) == pytest.approx(1.9)
    assert translate.waiting_s(CAMPAIGN.model_copy(update={"amd": True})) == pytest.approx(1.1)
    assert translate.waiting_s(CAMPAIGN.model_copy(update={"amd": True, "connect_deadline_s": 0.5})) == 0.1


def test_bridge_tells_the_dialplan_first() -> None:
    setvar, bridge = (
        translate.bridge("cad-c-1-1~", "PJSIP/t1-00000001", "PJSIP/a-00000002").decode().split("\r\n\r\n")[:2]
    )
    assert "Variable: CADENCIA_CONNECTED\r\nValue: 1" in setvar
    assert bridge.startswith("Action: Bridge")
    assert "Channel1: PJSIP/t1-00000001\r\nChannel2: PJSIP/a-00000002" in bridge


def test_numbers_are_masked_in_the_log() -> None:
    assert translate.masked("+51987654321") == "+519•••4321"
    assert translate.masked("12345678") == "•••"
    assert "\n" not in translate.masked("+5\n9876543\n1")


def test_endpoint_of_a_channel_name() -> None:
    assert translate.endpoint_of("PJSIP/agent-1-0000000a") == "agent-1"
    assert translate.endpoint_of("Local/agent-1-0000000a") == ""


def test_trunk_that_the_campaign_does_not_have() -> None:
    with pytest.raises(UnsafeValue, match="trunk"):
        originate(trunk="t9")
    assert Trunk(name="t9").name not in TRUNKS


@given(st.text(max_size=40))
def test_only_whole_ids_of_our_own_name_a_try(tail: str) -> None:
    found = translate.try_of("camp", f"cad-camp-{tail}")
    assert found is None or f"cad-camp-{tail}" in {translate.channel_id("camp", *found), f"cad-camp-{tail}"}
    assert (found is not None) == bool(re.fullmatch(r"[0-9]{1,18}-[0-9]{1,3}~", tail))
