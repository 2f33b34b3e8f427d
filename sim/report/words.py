"""Plain words and looks: what the report calls things, and how it tells them apart without colour."""

from __future__ import annotations

from typing import NamedTuple

from sim.day import DayRecord

# Strokes over a colour, in an 8 x 8 tile (SVG path data): for the screen, the legend and the printer alike.
PATTERNS = {
    "plain": "",
    "diagonal": "M-2 2L2 -2M-2 10L10 -2M6 10L10 6",
    "dots": "M1.5 2h1.6M5.5 6h1.6",
    "back": "M-2 6L2 10M-2 -2L10 10M6 -2L10 2",
    "upright": "M2 -1V9M6 -1V9",
}


class Look(NamedTuple):
    """How a series is drawn: its name, the CSS variable of its colour, a pattern and the dashes of its line."""

    name: str
    colour: str
    pattern: str = "plain"
    dash: tuple[int, ...] = ()


# From the bottom of the stack upwards.
STATES = {
    "on_call": Look("On a call", "on-call"),
    "wrap_up": Look("Wrap-up", "wrap-up", "diagonal"),
    "reserved": Look("Reserved", "reserved", "dots"),
    "idle": Look("Idle", "idle"),
    "paused": Look("Paused", "paused", "back"),
    "offline": Look("Offline", "offline", "dots"),
}
_TRUNK_PATTERNS = ("plain", "diagonal", "dots", "upright")
_TRUNK_DASHES: tuple[tuple[int, ...], ...] = ((), (7, 3), (2, 3), (9, 3, 2, 3))
TRUNK_COLOURS = 8


def agent_states(day: DayRecord) -> list[str]:
    """The states on record, from the bottom of the stack upwards; a state that nobody was in is left out."""
    known = [state for state in STATES if state in day.agents]
    names = known + sorted(set(day.agents) - set(STATES))
    return [name for name in names if any(day.agents[name])]


def state_look(state: str) -> Look:
    """How an agents' state is drawn."""
    return STATES.get(state) or Look(spoken(state), "offline", "upright")


def trunk_look(name: str, place: int) -> Look:
    """How the trunk at this place of the list is drawn: colour and pattern together repeat after 32."""
    turn = (place + place // TRUNK_COLOURS) % len(_TRUNK_PATTERNS)
    return Look(name, f"trunk-{place % TRUNK_COLOURS}", _TRUNK_PATTERNS[turn], _TRUNK_DASHES[turn])


class Kind(NamedTuple):
    """A kind of moment: its name, the CSS variable of its colour, its mark (SVG path data around 0, 0)."""

    name: str
    colour: str
    mark: str


KINDS = {
    "abandoned": Kind("Abandoned", "bad", "M-4 -4L4 4M-4 4L4 -4"),
    "guard": Kind("Guard", "reserved", "M0 -5L5 0L0 5L-5 0Z"),
    "launch": Kind("Launch", "on-call", "M-4.5 4L0 -4.5L4.5 4Z"),
    "changed": Kind("Changed", "good", "M0 -4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0 -4.5Z"),
    "blocked": Kind("Blocked", "warn", "M-4 -4H4V4H-4Z"),
    "link": Kind("Link", "bad", "M-4.5 -4L0 4.5L4.5 -4Z"),
    "store": Kind("Store", "bad", "M-5 -2H5V2H-5Z"),
}


def kind_of(name: str) -> Kind:
    """How a kind of moment is drawn; a kind that nobody knows gets a dash."""
    return KINDS.get(name) or Kind(spoken(name), "muted", "M-5 0H5")


DISPOSITIONS = {
    "NO_ANSWER": "No answer",
    "BUSY": "Busy",
    "CONGESTION": "Congestion",
    "INVALID_NUMBER": "Invalid number",
    "MACHINE": "Answering machine",
    "ABANDONED": "Abandoned",
    "CANCELLED": "Cancelled before an answer",
    "FAILED": "Failed in the network",
    "UNKNOWN": "Outcome unknown",
    "UNDISPOSED": "No disposition set",
    "RPC": "Right party, no promise",
    "PTP": "Promise to pay",
    "REFUSED": "Refused to pay",
    "CALLBACK": "Call back later",
    "PAID": "Says it is paid",
    "DISPUTED": "Disputes the debt",
    "DNC_REQUEST": "Wants no more calls",
    "WRONG_PARTY": "Wrong party",
}


def spoken(name: str) -> str:
    """A code as words: `wrap_up` is `Wrap up`."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:].lower() if text.isupper() else text[:1].upper() + text[1:]
