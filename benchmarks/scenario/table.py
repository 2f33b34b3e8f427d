"""The table of the comparison: an entry for each world and setting, for the file and for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from benchmarks.scenario.days import Point
from benchmarks.scenario.frontier import Comparison, Mix
from benchmarks.scenario.study import Found

Entry = dict[str, Any]
_COLUMNS = (
    "policy", "occupancy %", "abandoned % (95 %)", "idle s", "calls/h", "of bound %", "gap closed %",
    "ours less theirs, points (95 %)", "there abandoned %",
)  # fmt: skip


def entries_of(found: Sequence[Found]) -> list[Entry]:
    """Return every setting that was measured on all days, as plain values of five digits; rates and shares are
    fractions, times seconds."""
    return [_rounded(entry) for one in found for entry in _entries(one)]


def _rounded(entry: Entry) -> Entry:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in entry.items()}


def shown(found: Sequence[Found]) -> list[Table]:
    """Return a table a world: our policy, progressive dialling, and every peer as it comes and at its best."""
    return [_shown(one) for one in found]


def _entries(found: Found) -> Iterator[Entry]:
    yield _entry(found, found.progressive, "progressive")
    for point in found.our_points:
        yield _entry(found, point, "ours" if point is found.ours else "frontier")
    for peer in found.peers.values():
        yield _entry(found, peer.default, "default", peer.default_against)
        against = peer.tuned_against
        yield {**_mixed(found, against.theirs), **_against(against)}
        for point in peer.tuned:
            yield _entry(found, point, "frontier")


def _entry(found: Found, point: Point, kind: str, against: Comparison | None = None) -> Entry:
    occupancy, abandoned = point.occupancy_estimate(), point.abandon_estimate()
    return {
        "scenario": found.world.name,
        "policy": point.setting.policy,
        "kind": kind,
        "setting": point.setting.label,
        "days": len(point.days.answers),
        "occupancy": point.occupancy,
        "occupancy_low": occupancy.low,
        "occupancy_high": occupancy.high,
        "abandon_rate": point.abandon_rate,
        "abandon_rate_low": None if abandoned.low is None else max(0.0, abandoned.low),
        "abandon_rate_high": abandoned.high,
        "mean_idle_s": point.mean_idle_s,
        "calls_per_agent_hour": point.calls_per_agent_hour,
        **_shares(found, point.occupancy, point.abandon_rate),
        **({} if against is None else _against(against)),
    }


def _mixed(found: Found, mix: Mix) -> Entry:
    """A peer's best: a place on its frontier, which may lie between two settings."""
    parts = [(1.0 - mix.share, mix.left), (mix.share, mix.right)]
    told = [f"{share:.0%} {point.setting.label or 'defaults'}" for share, point in parts if share >= 0.005]
    return {
        "scenario": found.world.name,
        "policy": mix.left.setting.policy,
        "kind": "tuned",
        "setting": "; ".join(told).removeprefix("100% "),
        "days": len(mix.left.days.answers),
        "occupancy": mix.occupancy,
        "abandon_rate": mix.abandon_rate,
        "mean_idle_s": mix.mean_idle_s,
        "calls_per_agent_hour": mix.calls_per_agent_hour,
        **_shares(found, mix.occupancy, mix.abandon_rate),
    }


def _shares(found: Found, occupancy: float, abandon_rate: float) -> Entry:
    """How near to the bound at this abandon rate: of it, and of the way to it from progressive dialling."""
    bound, progressive = found.bound.at(abandon_rate), found.progressive.occupancy
    gap = bound - progressive
    return {
        "bound": bound,
        "bound_is": "exact" if found.bound.exact else "of a Markov world with the same means: a reference",
        "share_of_bound": occupancy / bound,
        "gap_closed": (occupancy - progressive) / gap if gap > 0.001 else None,
    }


def _against(against: Comparison) -> Entry:
    return {
        "ours_less_theirs": against.difference.mean,
        "ours_less_theirs_low": against.difference.low,
        "ours_less_theirs_high": against.difference.high,
        "compared_at_abandon_rate": against.abandon_rate,
        "ours_at_fewer_abandons": against.beyond,
        "method": against.difference.method,
    }


def _shown(found: Found) -> Table:
    bound = found.bound.at(found.ours.abandon_rate)
    kind = "exact bound" if found.bound.exact else "Markov reference"
    title = f"{found.world.name}: {kind} {100 * bound:.2f} % at {100 * found.ours.abandon_rate:.2f} % abandoned"
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(_COLUMNS):
        table.add_column(column, justify="left" if place == 0 else "right")
    for entry in _entries(found):
        if entry["kind"] in ("progressive", "ours", "default", "tuned"):
            table.add_row(*_cells(entry))
    return table


def _cells(entry: Entry) -> tuple[str, ...]:
    spread = ""
    if entry.get("abandon_rate_low") is not None:
        spread = f" ({100 * entry['abandon_rate_low']:.2f}–{100 * entry['abandon_rate_high']:.2f})"
    against = ""
    if entry.get("ours_less_theirs") is not None:
        against = f"{100 * entry['ours_less_theirs']:+.2f}"
        if entry["ours_less_theirs_low"] is not None:
            against += f" ({100 * entry['ours_less_theirs_low']:+.2f} to {100 * entry['ours_less_theirs_high']:+.2f})"
        if entry["ours_at_fewer_abandons"]:
            against += " *"
    return (
        f"{entry['policy']}{', tuned' if entry['kind'] == 'tuned' else ''}",
        _number(100 * entry["occupancy"], 2),
        _number(100 * entry["abandon_rate"], 2) + spread,
        _number(entry["mean_idle_s"], 1),
        _number(entry["calls_per_agent_hour"], 1),
        _number(100 * entry["share_of_bound"], 1),
        _number(None if entry["gap_closed"] is None else 100 * entry["gap_closed"], 1),
        against,
        _number(100 * entry["compared_at_abandon_rate"], 2) if against else "",
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
