# mypy: allow-untyped-decorators
"""`priced-v1` as it is called: compiled ahead with explicit signatures, so that nothing is ever compiled in the middle
of a decision, and kept in numba's cache.

numba looks at one file only to tell whether a cached function is out of date, so the sources of all that is compiled in
are part of its key, as a constant in its closure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

from numba import boolean, float64, from_dtype, int64, njit, types

import pacing.view
from pacing.priced import answers, clocks, decision, learning, price, shortage, state
from pacing.priced.state import PRICED

SOURCES = (answers, clocks, decision, learning, price, shortage, state, pacing.view)

_state = from_dtype(PRICED)[::1]
_seen = types.Array(float64, 1, "A", readonly=True)
_row = float64[::1]


def source_code() -> int:
    """Return a number that changes with any source that is compiled in."""
    code = 0
    for module in SOURCES:
        code = zlib.crc32(Path(str(module.__file__)).read_bytes(), code)
    return code


def _compiled(
    code: int,
) -> tuple[Callable[..., int], Callable[..., None], Callable[..., None], Callable[..., None], Callable[..., None]]:
    @njit(
        int64(_state, float64, int64, int64, _seen, _seen, _seen, _seen, _seen, _seen, _seen, _seen, _row, _row, _row),
        cache=True,
    )
    def lines(  # type: ignore[no-untyped-def]
        state, now, idle, waiting, idle_leaves_at, handling_since, handling_segment, leaves_at, ringing_since,
        answer_probability, rung_since, line_segment, ask, out, hang_up,
    ):  # fmt: skip
        state[0].code = code
        return decision.priced_lines(
            state[0], now, idle, waiting, idle_leaves_at, handling_since, handling_segment, leaves_at, ringing_since,
            answer_probability, rung_since, line_segment, ask, out, hang_up,
        )  # fmt: skip

    @njit(types.void(_state, boolean, float64, float64, float64, int64), cache=True)
    def learn_line(state, answered, after_s, probability, rang_after_s, segment):  # type: ignore[no-untyped-def]
        state[0].code = code
        learning.learn_line_end(state[0], answered, after_s, probability, rang_after_s, segment)

    @njit(types.void(_state, float64, int64), cache=True)
    def learn_handled(state, handle_s, segment):  # type: ignore[no-untyped-def]
        state[0].code = code
        clocks.learn_handle_time(state[0], segment, handle_s)

    @njit(types.void(_state, float64, float64), cache=True)
    def learn_abandoned(state, answers, abandons):  # type: ignore[no-untyped-def]
        state[0].code = code
        price.count_answers(state[0], answers)
        price.count_abandons(state[0], abandons)

    @njit(types.void(_state), cache=True)
    def look_up_anew(state):  # type: ignore[no-untyped-def]
        state[0].code = code
        clocks.fill_look_ups(state[0])

    return lines, learn_line, learn_handled, learn_abandoned, look_up_anew


lines, learn_line, learn_handled, learn_abandoned, look_up_anew = _compiled(source_code())
