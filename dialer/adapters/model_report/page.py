"""Puts the report on models together: sentences, drawings, tables, and a policy that lets the browser fetch nothing."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import BaseLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from dialer.adapters.model_report import drawings
from dialer.adapters.model_report.drawings import DAYS, HeatMap, Plot, percent
from models.best_time import SegmentHours
from models.evaluation import Scores, ece_by_chance
from models.report_data import ModelReport, Prediction
from models.wear import WearCurve

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One model's part of the page."""

    name: str
    figures: list[tuple[str, str, str]]  # name, value, what it means
    calibrated: str
    ranked: str
    reliability: Plot | None
    gain: Plot | None
    bins: Rows
    gains: Rows
    periods: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Week:
    name: str
    sentence: str
    base: str
    map: HeatMap
    best: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worn:
    name: str
    sentence: str
    base: str
    plot: Plot
    heads: tuple[str, ...]
    rows: Rows


def render_models(report: ModelReport) -> str:
    """Return the report as one HTML page that loads nothing. Equal reports give equal pages; all texts are escaped."""
    style = _file("report.css")
    return _template().render(
        report=report,
        told=[_told(one) for one in report.predictions],
        weeks=[_week(one) for one in report.hours],
        worn=_worn_segments(report.wear),
        drawings=drawings,
        style=Markup(style),
        policy="; ".join(
            ["default-src 'none'", f"style-src {_digest(style)}", "base-uri 'none'", "form-action 'none'"]
        ),
    )


# ---- how well it tells ------------------------------------------------------------------------------------------
def _told(one: Prediction) -> _Told:
    return _Told(
        name=one.name,
        figures=_figures(one),
        calibrated=_calibrated(one),
        ranked=_ranked(one.scores),
        reliability=drawings.reliability_plot(one.reliability) if one.reliability else None,
        gain=drawings.gain_plot(one.gain) if one.gain else None,
        bins=[(percent(b.told), percent(b.came), f"{b.rows:,}") for b in one.reliability],
        gains=[(percent(g.share, 0), percent(g.captured), f"{g.captured / g.share:.2f}") for g in one.gain],
        periods=[
            (
                f"{p.first:,} to {p.last:,}",
                f"{p.scores.rows:,}",
                percent(p.scores.base_rate),
                _plain(p.scores.auc, 3),
                percent(p.scores.ece),
                _plain(p.scores.log_loss, 4),
            )
            for p in one.periods
        ],
    )


def _figures(one: Prediction) -> list[tuple[str, str, str]]:
    scores = one.scores
    figures = [
        ("Calls told", f"{scores.rows:,}", f"{scores.positives:,} of them came: {percent(scores.base_rate)}"),
        ("AUC", _plain(scores.auc, 3), "the chance that a success was told more than a failure; 0.5 is by chance"),
        ("ECE", percent(scores.ece), "how far told and came are apart, on average"),
        ("Lift of the best tenth", _plain(scores.lift10, 2), "its rate over the rate of all"),
        ("Log loss", _plain(scores.log_loss, 4), f"{_plain(scores.base_log_loss, 4)} for telling all the base rate"),
    ]
    if one.before is None:
        return figures
    was = one.before
    before = ("", _plain(was.auc, 3), percent(was.ece), _plain(was.lift10, 2), _plain(was.log_loss, 4))
    return [
        (name, value, f"{meaning}; {one.before_name}: {other}" if other else meaning)
        for (name, value, meaning), other in zip(figures, before, strict=True)
    ]


def _calibrated(one: Prediction) -> str:
    scores = one.scores
    if scores.ece is None or scores.base_rate is None:
        return "No call was told."
    chance = ece_by_chance(scores.rows, scores.base_rate)
    mend = ""
    if one.before is not None and one.before.ece is not None:
        mend = f" ({percent(one.before.ece)} {one.before_name})"
    return (
        f"Of {scores.rows:,} calls {scores.positives:,} came ({percent(scores.base_rate)}). What was told and what "
        f"came are {percent(scores.ece)} apart on average{mend}; chance alone would show {percent(chance)}."
    )


def _ranked(scores: Scores) -> str:
    if scores.lift10 is None or scores.top_half is None:
        return "Without successes nothing can be said of the order."
    return (
        f"The tenth that was told most succeeded {scores.lift10:.1f} times as often as all; the better half holds "
        f"{percent(scores.top_half, 0)} of the {scores.positives:,} successes among {scores.rows:,} calls."
    )


# ---- the best time ----------------------------------------------------------------------------------------------
def _week(segment: SegmentHours) -> _Week:
    best = segment.best()
    if best:
        first = best[0]
        sentence = (
            f"Best: {DAYS[first.day]} {first.hour}:00 with {percent(first.rate)} ({percent(first.low)} to "
            f"{percent(first.high)}), {first.lift:.2f} times the segment's mean of {percent(segment.mean)}."
        )
    else:
        sentence = "No hour above the mean has been tried often enough to be recommended."
    return _Week(
        name=segment.name,
        sentence=sentence,
        base=f"n = {segment.leads:,} leads, {segment.attempts:,} attempts; base rate {percent(segment.mean)}; "
        f"{segment.supported} of {len(segment.hours)} hours have support",
        map=drawings.heat_map(segment),
        best=[
            (
                f"{DAYS[one.day]} {one.hour}:00",
                percent(one.rate),
                f"{percent(one.low)} to {percent(one.high)}",
                f"{one.lift:.2f}",
                f"{one.attempts:,}",
            )
            for one in best
        ],
    )


# ---- wear -------------------------------------------------------------------------------------------------------
def _worn_segments(curves: Sequence[WearCurve]) -> list[_Worn]:
    by_segment: dict[str, list[WearCurve]] = {}
    for curve in curves:
        if curve.attempts:
            by_segment.setdefault(curve.segment, []).append(curve)
    return [_worn(name, sorted(found, key=lambda c: c.rest_days)) for name, found in by_segment.items()]


def _worn(name: str, curves: Sequence[WearCurve]) -> _Worn:
    attempts = sorted({attempt for curve in curves for attempt in curve.attempts})
    ratios = [dict(zip(curve.attempts, curve.ratio, strict=True)) for curve in curves]
    return _Worn(
        name=name or "all leads",
        sentence=_wear_sentence(curves),
        base=f"n = {max(curve.rows for curve in curves):,} attempts or leads behind it; base: the first attempt, 100%",
        plot=drawings.wear_plot(curves),
        heads=("Attempt", *(drawings.rest_name(curve.rest_days) for curve in curves)),
        rows=[(str(attempt), *(percent(found.get(attempt)) for found in ratios)) for attempt in attempts],
    )


def _wear_sentence(curves: Sequence[WearCurve]) -> str:
    said = []
    for curve in (curves[0], curves[-1]) if len(curves) > 1 else curves:
        known = [(j, ratio) for j, ratio in zip(curve.attempts, curve.ratio, strict=True) if not math.isnan(ratio)]
        if known:
            attempt, ratio = known[-1]
            said.append(
                f"{percent(ratio, 0)} of the first at attempt {attempt} after {drawings.rest_name(curve.rest_days)}"
            )
    return f"The chance of an answer is {', and '.join(said)}." if said else "Too few attempts to tell."


def _plain(value: float | None, places: int) -> str:
    return "–" if value is None else f"{value:.{places}f}"


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@cache
def _file(name: str) -> str:
    return resources.files("dialer.adapters.model_report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=BaseLoader(), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("report.html.j2"))
