# mypy: allow-untyped-decorators
"""Every peer as compiled functions on one record: what the fast simulator and the pacing policies both call.

The functions `peer_*` are compiled ahead, with explicit signatures, and kept in numba's cache; the laws are compiled
into them. numba looks at one file only to tell whether a cached function is out of date, so the sources of all that is
compiled in are part of its key, as a constant in a closure. Whoever compiles them into something that is cached adds
`SOURCE_CODE` to a key of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numba import float64, int64, njit, typeof, types

from pacing.peers import books, chance, erlang, idle_ratio, impact, issabel, omnidialer, unicom, vicidial
from pacing.peers.constants import Constant, set_constants
from pacing.peers.names import LAWS, PEER_IDS, Law, UnknownPeer
from pacing.view import Floats

_MODULES = (vicidial, omnidialer, issabel, impact, unicom, erlang, idle_ratio)  # in the order of Law
_WINDOW_S = {Law.UNICOM: unicom.WINDOW_S}
_USUAL_WINDOW_S = 1800.0
PEER = np.dtype(
    [
        ("law", np.int64),
        ("code", np.int64),
        ("books", books.BOOKS),
        *((law.name.lower(), _MODULES[law].RECORD) for law in Law),
    ],
    align=True,
)


def peer_constants(peer_id: str) -> tuple[Constant, ...]:
    """Return the constants of a peer's law, with the defaults of that id. Raises `UnknownPeer` for another id."""
    if peer_id not in LAWS:
        raise UnknownPeer(f"expected a peer of {', '.join(PEER_IDS)}, was {peer_id!r}")
    constants: tuple[Constant, ...] = _MODULES[LAWS[peer_id]].CONSTANTS
    if vicidial.METHODS.get(peer_id) == vicidial.Method.RATIO:
        return tuple(c._replace(default=vicidial.RATIO_LEVEL) if c.name == "level" else c for c in constants)
    return constants


def new_peer(peer_id: str, constants: Mapping[str, float] = MappingProxyType({})) -> Any:
    """Return the state of a peer that has learned nothing: an array of PEER, shape (1,).

    `constants` replace documented ones. Raises `UnknownPeer` for a name or a value that its law does not take.
    """
    known = peer_constants(peer_id)
    law = LAWS[peer_id]
    state = np.zeros(1, dtype=PEER)
    state["law"] = law
    state["books"]["window_s"] = _WINDOW_S.get(law, _USUAL_WINDOW_S)
    state["vicidial"]["method"] = vicidial.METHODS.get(peer_id, 0)
    set_constants(state[law.name.lower()], peer_id, known, constants)
    return state


# ---- the laws by their number -----------------------------------------------------------------------------------
@njit()
def _lines(
    c: Any,
    now: float,
    idle: int,
    talking: int,
    waiting: int,
    logged_in: int,
    handling_since: Floats,
    ringing_since: Floats,
) -> int:
    ringing = len(ringing_since)
    if c.law == Law.VICIDIAL:
        return int(vicidial.lines(c, now, idle, talking, waiting, logged_in, ringing))
    if c.law == Law.OMNIDIALER:
        return int(omnidialer.lines(c, now, idle, waiting, handling_since, ringing))
    if c.law == Law.ISSABEL:
        return int(issabel.lines(c, now, idle, waiting, handling_since, ringing))
    if c.law == Law.IMPACT:
        return int(impact.lines(c, now, idle, waiting, handling_since, ringing_since))
    if c.law == Law.UNICOM:
        return int(unicom.lines(c, now, idle, waiting, ringing))
    if c.law == Law.ERLANG:
        return int(erlang.lines(c, now, idle, waiting, logged_in, ringing))
    return int(idle_ratio.lines(c, idle, waiting, ringing))


@njit()
def _line_ended(c: Any, after_s: float, answered: bool) -> None:
    books.count_line(c.books, after_s, answered)
    if c.law == Law.OMNIDIALER:
        omnidialer.line_ended(c.omnidialer, answered)
    elif c.law == Law.IMPACT:
        impact.line_ended(c.impact, c.books.looked_at, after_s, answered)


# ---- compilation ------------------------------------------------------------------------------------------------
def _source_code() -> int:
    """A number that changes with any source that is compiled into the functions of this file."""
    code = 0
    for module in (books, chance, *_MODULES):
        code = zlib.crc32(Path(str(module.__file__)).read_bytes(), code)
    return zlib.crc32(Path(__file__).read_bytes(), code)


SOURCE_CODE = _source_code()
_state = typeof(new_peer("idle-ratio"))  # type: ignore[no-untyped-call]
_seen = types.Array(float64, 1, "A", readonly=True)


def _compiled_look(code: int) -> Callable[..., int]:
    @njit(int64(_state, float64, int64, int64, int64, int64, _seen, _seen), cache=True)
    def peer_lines(
        state: Any,
        now: float,
        idle: int,
        talking: int,
        waiting: int,
        logged_in: int,
        handling_since: Floats,
        ringing_since: Floats,
    ) -> int:
        """Return the lines to launch now (>= 0). Call at every change of the floor, and once a second.

        `now` in seconds, never going back; `idle` agents neither reserved nor promised to a waiting call; `talking`
        agents in a call (others that are busy are in wrap-up); `waiting` answered calls; `logged_in` agents, those on
        a break too; `handling_since`, shape (busy agents,); `ringing_since`, shape (lines in flight,).
        """
        c = state[0]
        c.code = code
        books.look(c.books, now)
        if logged_in <= 0:
            return 0
        return max(_lines(c, now, idle, talking, waiting, logged_in, handling_since, ringing_since), 0)

    return peer_lines


def _compiled_line(code: int, answered: bool) -> Callable[[Any, float, float], None]:
    @njit(types.void(_state, float64, float64), cache=True)
    def peer_line_ended(state: Any, after_s: float, probability: float) -> None:  # noqa: ARG001
        """Learn that a line ended `after_s` seconds after its launch. No peer uses a lead's own probability."""
        c = state[0]
        c.code = code
        _line_ended(c, after_s, answered)

    return peer_line_ended


def _compiled_handled(code: int) -> Callable[[Any, float], None]:
    @njit(types.void(_state, float64), cache=True)
    def peer_handled(state: Any, handle_s: float) -> None:
        """Learn how long an agent was taken by a call, wrap-up included."""
        c = state[0]
        c.code = code
        c.books.handle_s += handle_s
        c.books.handled += 1.0
        if c.law == Law.IMPACT:
            impact.call_handled(c.impact, handle_s)

    return peer_handled


def _compiled_abandoned(code: int) -> Callable[[Any], None]:
    @njit(types.void(_state), cache=True)
    def peer_abandoned(state: Any) -> None:
        """Learn that a live answer found no agent in time."""
        c = state[0]
        c.code = code
        books.count_abandoned(c.books, 1.0)
        if c.law == Law.OMNIDIALER:
            omnidialer.call_abandoned(c.omnidialer, 1.0)

    compiled: Callable[[Any], None] = peer_abandoned
    return compiled


def _compiled_lost(code: int) -> Callable[[Any, float], None]:
    @njit(types.void(_state, float64), cache=True)
    def peer_lost(state: Any, answers: float) -> None:
        """Learn that so many live answers were taken for machines: answers, and abandoned ones, of lines that were
        told of as not answered. No peer's own product is told so much (generous)."""
        c = state[0]
        c.code = code
        books.count_lost(c.books, answers)
        if c.law == Law.OMNIDIALER:
            omnidialer.call_abandoned(c.omnidialer, answers)

    return peer_lost


@njit(types.void(_state), cache=True)
def peer_new_day(state: Any) -> None:
    """Begin a new day at the next look: counts since midnight start again. A night of six hours does so by itself."""
    state[0].books.new_day = 1


peer_lines = _compiled_look(SOURCE_CODE)
peer_answered = _compiled_line(SOURCE_CODE, True)
peer_not_answered = _compiled_line(SOURCE_CODE, False)
peer_handled = _compiled_handled(SOURCE_CODE)
peer_abandoned = _compiled_abandoned(SOURCE_CODE)
peer_lost = _compiled_lost(SOURCE_CODE)
