"""Where marks stand: on the diagonal what is right, in the frame what there is."""

from __future__ import annotations

import pytest

from dialer.adapters.model_report import drawings
from models.call_evaluation import GainPoint
from models.evaluation import Bin
from models.wear import WearCurve
from tests.unit.model_report.reports import made_up_curves, made_up_prediction, made_up_wear, made_up_week


def _inside(x: float, y: float) -> bool:
    return (
        drawings.LEFT <= x <= drawings.WIDTH - drawings.RIGHT
        and drawings.TOP - 0.1 <= y <= drawings.HEIGHT - drawings.BOTTOM + 0.1
    )


def _beyond(ratio: float) -> WearCurve:
    return WearCurve(segment="", rest_days=3.0, attempts=(1, 2), ratio=(1.0, ratio), low=(1.0, 0.0), high=(1.0, 20.0))


def test_what_is_right_lies_on_the_diagonal() -> None:
    bins = [Bin(rows=10_000, told=p, came=p) for p in (0.02, 0.1, 0.31)]
    wide = drawings.WIDTH - drawings.LEFT - drawings.RIGHT
    high = drawings.HEIGHT - drawings.TOP - drawings.BOTTOM
    for mark in drawings.reliability_plot(bins).lines[0].marks:
        across, up = (mark.x - drawings.LEFT) / wide, (drawings.HEIGHT - drawings.BOTTOM - mark.y) / high
        assert across == pytest.approx(up, abs=0.002)
        assert mark.high < mark.y < mark.low


@pytest.mark.parametrize("came", [0.0, 1.0, 0.5])
def test_every_mark_is_inside_the_frame(came: float) -> None:
    plots = [
        drawings.reliability_plot([Bin(rows=3, told=0.999, came=came), Bin(rows=1, told=0.001, came=came)]),
        drawings.reliability_plot(made_up_prediction().reliability),
        drawings.gain_plot([GainPoint(share=0.5, captured=came), GainPoint(share=1.0, captured=1.0)]),
        drawings.wear_plot(made_up_curves(), made_up_wear().raw),
        drawings.wear_plot((), made_up_wear().raw),
        drawings.wear_plot([_beyond(9.0), _beyond(0.0)]),
    ]
    for plot in plots:
        for line in plot.lines:
            for mark in line.marks:
                assert _inside(mark.x, mark.y) and _inside(mark.x, mark.low) and _inside(mark.x, mark.high)
        assert 2 <= len(plot.ys) <= 8


def test_wilsons_interval_is_as_published() -> None:
    assert drawings.wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert drawings.wilson(0.0, 20)[0] == 0.0


def test_a_week_has_a_cell_an_hour_and_never_recommends_the_untried() -> None:
    week = made_up_week()
    found = drawings.heat_map(week)
    assert len(found.cells) == len(week.hours) == len({(cell.x, cell.y) for cell in found.cells})
    assert len(found.heads) == 13
    assert 0 < sum(cell.best for cell in found.cells) <= 5
    assert not any(cell.best for cell in found.cells if not cell.supported)
    assert {cell.shade for cell in found.cells} <= set(range(7))
    assert all("by the tables: only 9 attempts" in cell.said for cell in found.cells if not cell.supported)


def test_what_is_not_known_of_wear_is_left_out() -> None:
    lines = drawings.wear_plot(made_up_curves(), made_up_wear().raw).lines
    assert [len(line.marks) for line in lines] == [8, 8, 8, 7, 6]
    assert [line.name for line in lines] == [
        "the next day",
        "after 3 days of rest",
        "after 7 days of rest",
        "after 14 days of rest",
        "as seen: selection and wear mixed",
    ]
    assert len({line.tone for line in lines}) == len({line.dash for line in lines}) == 5


def test_intervals_of_curves_do_not_hide_one_another() -> None:
    lines = drawings.wear_plot(made_up_curves()).lines
    assert len({line.marks[2].x for line in lines}) == 4
    assert len({line.marks[2].x for line in drawings.wear_plot(made_up_curves(bounded=False)).lines}) == 1
