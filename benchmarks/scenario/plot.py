"""The picture of the comparison: occupancy against abandon rate, a panel for each world."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.scenario.days import Point
from benchmarks.scenario.study import Found

matplotlib.use("svg")
_PANELS_IN_A_ROW = 4
_MOST_SHOWN = 0.30  # of the abandon rates; the axis is that of their root, for what matters is near 0
_TICKS = (0.0, 0.01, 0.03, 0.1, 0.2, 0.3)
# Colours that stand out from white and from near-black alike.
_OURS, _BOUND, _TEXT, _GRID = "#2f81f7", "#c2410c", "#7d8590", "#7d859055"
_PEERS = ("#8b949e", "#a371f7", "#3fb950", "#d29922", "#db61a2", "#e5534b", "#56b6c2", "#986801", "#6e7fd6", "#5f8a5f")
_SHORT = {
    "vicidial-ratio": "VICIdial ratio", "vicidial-hard-limit": "VICIdial hard", "vicidial-average": "VICIdial average",
    "vicidial-tapered": "VICIdial tapered", "omnidialer-gamma": "OmniDialer", "issabel-predictor": "Issabel",
    "impact-simulated": "Impact", "unicom-pi": "UNICOM PI", "erlang-b": "Erlang-B", "idle-ratio": "ratio on idle",
}  # fmt: skip


def draw(found: Sequence[Found], path: Path) -> None:
    """Draw the frontiers as an SVG without a background, to be read on light and on dark pages alike."""
    rows = -(-len(found) // _PANELS_IN_A_ROW)
    settings: dict[Any, Any] = {
        "svg.hashsalt": "pacing-frontier",
        "svg.fonttype": "none",
        "font.size": 8,
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(4.2 * _PANELS_IN_A_ROW, 3.4 * rows), layout="constrained")
        figure.patch.set_alpha(0.0)
        panels = figure.subplots(rows, _PANELS_IN_A_ROW, squeeze=False).flat
        for one, panel in zip(found, panels, strict=False):
            _draw_world(panel, one)
        for panel in list(figure.axes)[len(found) :]:
            panel.set_visible(False)
        unfinished = path.with_suffix(".part")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(unfinished, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    unfinished.replace(path)


def _draw_world(panel: Any, found: Found) -> None:
    """The bound, our frontier, and every peer: its frontier as a thin line, its defaults as a point."""
    _frame(panel, found)
    rates = np.linspace(0.0, min(_MOST_SHOWN, found.bound.rates[-1]), 80)
    bound = [100.0 * found.bound.at(rate) for rate in rates]
    panel.plot(np.sqrt(rates), bound, color=_BOUND, linewidth=1.2, linestyle="-" if found.bound.exact else ":")
    name = "exact bound" if found.bound.exact else "Markov reference"
    panel.annotate(name, (np.sqrt(rates[-1]), bound[-1]), color=_BOUND, ha="right", va="bottom", fontsize=7)
    labels = []
    for (peer, measured), colour in zip(found.peers.items(), _PEERS, strict=False):
        tried = [point for point in _frontier_of(measured.tried) if point.abandon_rate <= _MOST_SHOWN]
        panel.plot(*_curve(tried), color=colour, linewidth=0.8, alpha=0.8)
        if measured.default.abandon_rate <= _MOST_SHOWN:
            panel.plot(*_curve([measured.default]), color=colour, marker="o", markersize=4, linestyle="none")
            labels.append((*_place(measured.default), _SHORT.get(peer, peer), colour))
    ours = [point for point in found.our_frontier if point.abandon_rate <= _MOST_SHOWN]
    panel.plot(*_curve(ours), color=_OURS, linewidth=2.2, marker=".", markersize=5)
    labels.append((*_place(found.ours), "priced-v1", _OURS))
    _label(panel, labels)


def _frame(panel: Any, found: Found) -> None:
    panel.set_facecolor("none")
    panel.set_title(found.world.name, color=_TEXT, fontsize=9, loc="left")
    panel.set_xticks([np.sqrt(rate) for rate in _TICKS], [f"{100 * rate:g}" for rate in _TICKS])
    panel.set_xlim(-0.01, np.sqrt(_MOST_SHOWN))
    lowest = min(found.progressive.occupancy, *(peer.default.occupancy for peer in found.peers.values()))
    panel.set_ylim(100.0 * max(lowest - 0.02, found.progressive.occupancy - 0.12), 100.0)
    panel.set_xlabel("abandoned, % of live answers", color=_TEXT)
    panel.set_ylabel("occupancy, %", color=_TEXT)
    panel.tick_params(colors=_TEXT)
    panel.grid(color=_GRID, linewidth=0.5)
    for side in panel.spines.values():
        side.set_color(_GRID)


def _label(panel: Any, labels: Sequence[tuple[float, float, str, str]]) -> None:
    """Write names beside their points, moved apart where points are near each other."""
    low, high = panel.get_ylim()
    line = (high - low) / 20.0
    written: list[tuple[float, float]] = []
    for x, y, name, colour in sorted(labels, key=lambda label: -label[1]):
        if not low <= y <= high:
            continue
        at = y
        while any(abs(x - other_x) < 0.16 and abs(at - other_at) < line for other_x, other_at in written):
            at -= line / 2.0
        written.append((x, at))
        to_left = x > 0.38
        panel.annotate(
            name,
            (x, y),
            xytext=(x - 0.012 if to_left else x + 0.012, at),
            color=colour,
            fontsize=7,
            ha="right" if to_left else "left",
            va="center",
            fontweight="bold" if name == "priced-v1" else "normal",
        )


def _frontier_of(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats, abandon rate rising."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.abandon_rate, -p.occupancy)):
        if not best or point.occupancy > best[-1].occupancy:
            best.append(point)
    return best


def _curve(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    places = [_place(point) for point in points]
    return [x for x, _ in places], [y for _, y in places]


def _place(point: Point) -> tuple[float, float]:
    return float(np.sqrt(point.abandon_rate)), 100.0 * point.occupancy
