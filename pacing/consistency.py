"""Whether a view can be true. What cannot is the caller's bug, and no policy may dial by it."""

from __future__ import annotations

from math import inf

from pacing.view import SEGMENTS, Floats, InconsistentView, PacingView

_FIRST_TIME, _LAST_TIME = -1e15, 1e15  # UTC seconds; beyond them a clock has lost its seconds


def check_view(view: PacingView) -> None:
    """Raise `InconsistentView` where anything in the view cannot be true."""
    check_counts(view)
    check_rows(view)


def check_counts(view: PacingView) -> None:
    """Raise `InconsistentView` where the view's scalars or shapes cannot be true. Looks at no row: about 1 us."""
    _check_agents(view)
    _check_lines(view)
    _check_bounds(view)


def check_rows(view: PacingView) -> None:
    """Raise `InconsistentView` where a row of an agent or a line cannot be true. For what `check_counts` passed."""
    now = view.now
    _expect(view.handling_since, "handling_since", _FIRST_TIME, now)
    _expect(view.ringing_since, "ringing_since", _FIRST_TIME, now)
    _expect(view.answer_probability, "answer_probability", 0.0, 1.0)
    _expect(view.handling_segment, "handling_segment", 0.0, SEGMENTS - 1.0)
    _expect(view.line_segment, "line_segment", 0.0, SEGMENTS - 1.0)
    _expect(view.leaves_at, "leaves_at", -inf, inf)
    _expect(view.idle_leaves_at, "idle_leaves_at", -inf, inf)
    _check_rung(view.rung_since, view.ringing_since, now)


def check_clock(now: float, decided_at: float | None) -> None:
    """Raise `InconsistentView` where time runs back; `decided_at` is when the last decision was, None before any."""
    if decided_at is not None and now < decided_at:
        raise InconsistentView(f"expected a time from {decided_at} on, was {now}")


def _check_agents(view: PacingView) -> None:
    if min(view.idle, view.waiting, view.talking, view.requested) < 0:
        raise InconsistentView(
            f"expected counts >= 0, were idle {view.idle}, waiting {view.waiting}, talking {view.talking}, "
            f"requested {view.requested}"
        )
    busy = len(view.handling_since)
    if len(view.handling_segment) not in (0, busy) or len(view.leaves_at) not in (0, busy):
        raise InconsistentView(
            f"expected one row for each of {busy} busy agents, were {len(view.handling_segment)} in handling_segment, "
            f"{len(view.leaves_at)} in leaves_at"
        )
    if len(view.idle_leaves_at) > view.idle:
        raise InconsistentView(f"expected at most {view.idle} idle agents to leave, were {len(view.idle_leaves_at)}")


def _check_lines(view: PacingView) -> None:
    lines = len(view.ringing_since)
    if len(view.answer_probability) != lines:
        raise InconsistentView(
            f"expected one probability a line, were {len(view.answer_probability)} for {lines} lines"
        )
    if len(view.rung_since) not in (0, lines) or len(view.line_segment) not in (0, lines):
        raise InconsistentView(
            f"expected one row for each of {lines} lines, were {len(view.rung_since)} in rung_since, "
            f"{len(view.line_segment)} in line_segment"
        )
    if view.launched < lines and view.launched != -1:
        raise InconsistentView(f"expected at most {view.launched} lines in flight, the number launched, were {lines}")
    if not 0 <= view.next_segment < SEGMENTS:
        raise InconsistentView(f"expected next_segment in [0, {SEGMENTS}), was {view.next_segment}")


def _check_bounds(view: PacingView) -> None:
    if not (0.0 <= view.next_answer_probability <= 1.0 and 0.0 <= view.target_abandon_rate <= 1.0):
        raise InconsistentView(
            f"expected fractions in [0, 1], were next_answer_probability {view.next_answer_probability}, "
            f"target_abandon_rate {view.target_abandon_rate}"
        )
    if not (view.max_lines_per_idle_agent >= 0.0 and _FIRST_TIME < view.now < _LAST_TIME):
        raise InconsistentView(
            f"expected max_lines_per_idle_agent >= 0 and a finite time, "
            f"were {view.max_lines_per_idle_agent}, {view.now}"
        )
    if not (0.0 <= view.lines_per_idle_agent < inf and view.calls_per_hour >= 0.0 and view.capacity >= 0):
        raise InconsistentView(
            f"expected lines_per_idle_agent >= 0 and finite, calls_per_hour >= 0, capacity >= 0, "
            f"were {view.lines_per_idle_agent}, {view.calls_per_hour}, {view.capacity}"
        )
    if not (-inf <= view.budget_left <= inf and view.hang_up_after_ring_s >= 0.0):
        raise InconsistentView(
            f"expected a number as budget_left and hang_up_after_ring_s >= 0, "
            f"were {view.budget_left}, {view.hang_up_after_ring_s}"
        )


def _expect(values: Floats, name: str, low: float, high: float) -> None:
    if not len(values):
        return
    least, most = values.min(), values.max()
    if not (least >= low and most <= high):  # written so that a NaN is refused too
        raise InconsistentView(f"expected every {name} from {low:.15g} to {high:.15g}, were {least} to {most}")


def _check_rung(rung_since: Floats, ringing_since: Floats, now: float) -> None:
    if len(rung_since) and not ((rung_since >= ringing_since) & ((rung_since <= now) | (rung_since == inf))).all():
        raise InconsistentView(f"expected every rung_since from its line's ringing_since to {now:.15g}, or infinity")
