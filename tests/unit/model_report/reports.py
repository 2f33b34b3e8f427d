"""A made-up report with every part."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from models.best_time import HourFigures, SegmentHours
from models.call_evaluation import Period, gain_curve
from models.evaluation import reliability, scores
from models.report_data import ModelReport, PlannedWear, Prediction, SegmentWear
from models.wear import WearCurve, WearEffect


def made_up_prediction(name: str = "answer", rows: int = 6_000) -> Prediction:
    """Probabilities that lean a little, and what came."""
    rng = np.random.default_rng(8)
    truth = rng.beta(1.2, 9.0, rows)
    came = rng.random(rows) < truth
    told = np.clip(truth * rng.uniform(0.8, 1.3, rows), 0.001, 0.999)
    return Prediction(
        name=name,
        scores=scores(came, told),
        before=scores(came, np.sqrt(told) / 2),
        reliability=tuple(reliability(came, told)),
        gain=gain_curve(came, told),
        periods=tuple(
            Period(first=at, last=at + 1_999, scores=scores(came[at : at + 2_000], told[at : at + 2_000]))
            for at in range(0, rows, 2_000)
        ),
    )


def made_up_week(name: str = "late-large") -> SegmentHours:
    """A week with a best evening, hours hardly tried, and a Sunday on which nobody is called."""
    hours = []
    for day in range(6):
        for hour in range(8, 21 if day < 5 else 14):
            rate = 0.06 + 0.05 * np.exp(-((hour - 18.5) ** 2) / 6.0) + 0.004 * (day == 1)
            attempts = 9 if hour == 20 else 140 + 31 * day
            hours.append(
                HourFigures(
                    day=day,
                    hour=hour,
                    rate=float(rate),
                    low=float(rate) * 0.8,
                    high=float(rate) * 1.25,
                    lift=float(rate) / 0.075,
                    attempts=attempts,
                    leads=1_200,
                    supported=attempts >= 30,
                    better=hour in (18, 19),
                )
            )
    return SegmentHours(name=name, leads=1_200, attempts=12_345, mean=0.075, hours=tuple(hours))


def made_up_curves(segment: str = "early", *, bounded: bool = True) -> tuple[WearCurve, ...]:
    """Curves that recover with rest; the last value of one is not known."""
    attempts = tuple(range(1, 9))
    curves = []
    for rest in (1.0, 3.0, 7.0, 14.0):
        ratio = [float(np.exp(-0.14 * (j - 1) * 0.5 ** (rest / 4.0))) for j in attempts]
        if rest == 14.0:
            ratio[-1] = float("nan")
        low, high = tuple(0.93 * r for r in ratio), tuple(1.06 * r for r in ratio)
        curve = WearCurve(segment=segment, rest_days=rest, attempts=attempts, ratio=tuple(ratio), rows=900)
        curves.append(structs.replace(curve, low=low, high=high) if bounded else curve)
    return tuple(curves)


def made_up_wear(segment: str = "early", *, drop: float = 0.21, drawn: int = 4_321) -> SegmentWear:
    """A segment whose lots tell if `drop` is more than two errors of 0.05; without `drawn` there are no lots."""
    ratio = tuple(0.75 ** (j - 1) for j in range(1, 7))
    raw = WearCurve(segment=segment, rest_days=float("nan"), attempts=tuple(range(1, 7)), ratio=ratio, rows=9_000)
    effect = WearEffect(drop=drop, error=0.05, half_life_days=4.0, rows=drawn, effective_rows=0.6 * drawn)
    found = SegmentWear(
        segment=segment,
        leads=1_200,
        attempts=9_876,
        model=made_up_curves(segment, bounded=False),
        raw=raw,
        drawn=drawn,
        worth=0.6 * drawn,
        effect=effect if drawn else None,
    )
    return structs.replace(found, lots=made_up_curves(segment)) if found.lots_tell else found


def made_up_report(title: str = "Norte, mora temprana") -> ModelReport:
    """Everything that a report can hold."""
    return ModelReport(
        title=title,
        summary="Trained on 28 days of calls, measured on the five days after them.",
        facts=(("Model", "m-20261122-100000-ab12"), ("Features", "31"), ("Trained on", "1,080,000 attempts")),
        predictions=(made_up_prediction(), made_up_prediction("right party", 3_000)),
        hours=(made_up_week(), made_up_week("early")),
        wear=(made_up_wear("early"), made_up_wear("late", drop=0.08, drawn=612), made_up_wear("others", drawn=0)),
        wear_index=PlannedWear(at=1_795_000_000.0, index=0.873),
        told=("duration_s: known only after the call: left out",),
        version="0.1.0",
    )
