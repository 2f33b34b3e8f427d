"""Puts the report on models together: sentences, drawings, tables, and a policy that lets the browser fetch nothing."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources

from jinja2 import BaseLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from dialer.adapters.model_report import drawings
from dialer.adapters.model_report.drawings import DAYS, HeatMap, Line, Plot, percent
from models.best_time import SegmentHours
from models.evaluation import Scores, ece_by_chance
from models.report_data import ModelReport, PlannedWear, Prediction, SegmentWear
from models.wear import LEAST_ROWS, WearCurve

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
    base: str
    by_model: str
    by_lot: str
    model: Plot | None
    lots: Plot | None
    seen: Plot | None  # where there is neither
    legend: tuple[Line, ...]
    heads: tuple[str, ...]
    rows: Rows


def render_models(report: ModelReport) -> str:
    """Return the report as one HTML page that loads nothing. Equal reports give equal pages; all texts are escaped."""
    style = _file("report.css")
    return _template().render(
        report=report,
        told=[_told(one) for one in report.predictions],
        weeks=[_week(one) for one in report.hours],
        worn=[_worn(one) for one in report.wear],
        wear_index=_wear_index(report.wear_index),
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
def _worn(one: SegmentWear) -> _Worn:
    seen = () if one.raw is None else (one.raw,)
    every = (*one.model, *one.lots, *seen)
    end = drawings.wear_end(every)
    model = drawings.wear_plot(one.model, one.raw, end) if one.model else None
    lots = drawings.wear_plot(one.lots, one.raw, end) if one.lots else None
    alone = drawings.wear_plot((), one.raw, end) if seen and model is None and lots is None else None
    attempts = sorted({attempt for curve in every for attempt in curve.attempts})
    columns = [
        *((f"model, {drawings.rest_name(curve.rest_days)}", curve) for curve in one.model),
        *((f"lots, {drawings.rest_name(curve.rest_days)}", curve) for curve in one.lots),
        *((drawings.SEEN, curve) for curve in seen),
    ]
    ratios = [dict(zip(curve.attempts, curve.ratio, strict=True)) for _, curve in columns]
    drawn = next((plot for plot in (model, lots, alone) if plot is not None), None)
    return _Worn(
        name=one.segment or "all leads",
        base=f"n = {one.leads:,} leads, {one.attempts:,} attempts; base: the first attempt, 100%",
        by_model=_by_model(one.model),
        by_lot=_by_lot(one),
        model=model,
        lots=lots,
        seen=alone,
        legend=() if drawn is None else drawn.lines,
        heads=("Attempt", *(head for head, _ in columns)),
        rows=[(str(attempt), *(percent(found.get(attempt)) for found in ratios)) for attempt in attempts],
    )


def _by_model(curves: Sequence[WearCurve]) -> str:
    said = []
    for curve in sorted(curves, key=lambda curve: curve.rest_days):
        known = [(j, ratio) for j, ratio in zip(curve.attempts, curve.ratio, strict=True) if not math.isnan(ratio)]
        if known:
            attempt, ratio = known[-1]
            said.append(f"{percent(ratio, 0)} of the first at attempt {attempt} {drawings.rest_name(curve.rest_days)}")
    if not said:
        return "The model cannot be asked."
    return f"The chance of an answer is {', and '.join((said[0], *said[1:][-1:]))}."


def _by_lot(one: SegmentWear) -> str:
    if one.effect is None and not one.drawn:
        return "No rest after a call in vain has been drawn by lot yet (models.explore of the campaign file)."
    lots = f"{one.drawn:,} calls after a drawn rest, worth {one.worth:,.0f} equally likely ones"
    effect = one.effect
    if effect is None:
        return f"The lots do not tell yet: {lots}; {LEAST_ROWS} are the least."
    found = f"{effect.drop:.2f} ± {effect.error:.2f} off the logit of an answer for each call in vain while it is fresh"
    if not one.lots_tell:
        return f"The lots do not tell yet: {lots}; so far {found}, which may be chance."
    return f"{found[0].upper()}{found[1:]}, half of it {effect.half_life_days:g} days later. From {lots}."


def _wear_index(found: PlannedWear | None) -> str:
    if found is None:
        return ""
    at = datetime.fromtimestamp(found.at, UTC)
    return (
        f"Portfolio wear index {found.index:.2f}: of the contacts that were expected of the list when it was loaded, "
        f"{percent(found.index, 0)} are still to be had, as the plan of {at:%Y-%m-%d %H:%M} UTC had it."
    )


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
