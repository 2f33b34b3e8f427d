"""The picture of the comparison: what each policy has lost against the oracle by each minute of one day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from benchmarks.carriers.policies import OURS, UNPRICED
from benchmarks.carriers.study import DESK, Run
from benchmarks.carriers.world import make_world

matplotlib.use("svg")
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "carriers.svg"
# Colours that stand out from white and from near-black alike.
_OURS, _OUTAGE, _TEXT, _GRID = "#2f81f7", "#c2410c55", "#7d8590", "#7d859055"
_PEERS = ("#8b949e", "#a371f7", "#3fb950", "#d29922", "#db61a2", "#e5534b", "#56b6c2", "#986801", "#6e7fd6", "#5f8a5f")
_LEFT_OUT = (DESK, UNPRICED)


def draw(runs: Sequence[Run], *, seed: int, path: Path = PICTURE) -> None:
    """Draw the base world of one seed as an SVG without a background, to be read on light and on dark pages alike."""
    shown = [run for run in runs if (run.variant, run.seed) == ("base", seed) and run.policy not in _LEFT_OUT]
    settings: dict[Any, Any] = {
        "svg.hashsalt": "carriers",
        "svg.fonttype": "none",
        "font.size": 8,
        "font.family": "sans-serif",
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(8.4, 4.6), layout="constrained")
        figure.patch.set_alpha(0.0)
        _draw_day(figure.subplots(), shown, seed)
        unfinished = path.with_suffix(".part")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(unfinished, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    unfinished.replace(path)


def _draw_day(panel: Any, runs: Sequence[Run], seed: int) -> None:
    minutes = len(runs[0].lost)
    for outage in make_world(seed, minutes=minutes).outages:
        panel.axvspan(outage.begin, outage.end, color=_OUTAGE, linewidth=0)
    lost = {run.policy: np.cumsum(run.lost) for run in runs}
    colours = dict(zip((policy for policy in lost if policy != OURS), _PEERS, strict=False))
    step = max(float(values[-1]) for values in lost.values()) / 26.0
    above = -np.inf
    for policy, values in sorted(lost.items(), key=lambda item: float(item[1][-1])):
        ours = policy == OURS
        colour = _OURS if ours else colours[policy]
        panel.plot(np.arange(1, minutes + 1), values, color=colour, linewidth=2.2 if ours else 1.0)
        above = max(float(values[-1]), above + step)
        name = policy.removesuffix("-v1") if not ours else policy
        panel.annotate(
            name, (minutes, float(values[-1])), xytext=(minutes + 4, above), color=colour, fontsize=7, va="center",
            fontweight="bold" if ours else "normal", annotation_clip=False,
        )  # fmt: skip
    panel.set_facecolor("none")
    panel.set_title("lost against the plan that knows the truth; shaded: outages of a carrier", color=_TEXT, loc="left")
    panel.set_xlabel("minute", color=_TEXT)
    panel.set_ylabel("currency, summed", color=_TEXT)
    panel.set_xlim(0, minutes * 1.33)
    panel.set_ylim(bottom=0.0)
    panel.set_xticks(range(0, minutes + 1, 60))
    panel.tick_params(colors=_TEXT)
    panel.grid(color=_GRID, linewidth=0.5)
    for side in panel.spines.values():
        side.set_color(_GRID)
