"""The whole comparison in small: one world, two days, every peer with its defaults and one other setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.scenario import bars, tuning
from benchmarks.scenario.measurement import Sample
from benchmarks.scenario.study import Found, Plan, study
from benchmarks.scenario.table import entries_of, shown
from benchmarks.scenario.worlds import HOUR_S, markov_world


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Found, ...]]:
    """A study of two days of an hour each, for each of two seeds."""
    with pytest.MonkeyPatch.context() as patch:
        other = {"idle-ratio": [{"lines_per_idle_agent": 4.0}]}
        patch.setattr(tuning, "settings_of", lambda peer: other.get(peer, []))
        sample = Sample((1, 2), days=2, warm_up_s=7 * HOUR_S)
        trial = Sample((1,), days=2, warm_up_s=7 * HOUR_S)
        yield study(Plan((markov_world(5),), sample, trial, (None, 0.1), (0.03, 0.2)), jobs=1)


def test_every_policy_is_in_the_table(found: tuple[Found, ...]) -> None:
    entries = entries_of(found)
    assert {entry["policy"] for entry in entries} == {"priced-v1", "progressive-v1", *tuning.peer_ids()}
    for entry in entries:
        assert entry["bound_is"] == "exact"
        assert 0.0 < entry["occupancy"] < 1.0
        assert entry["share_of_bound"] == pytest.approx(
            entry["occupancy"] / entry["bound"], abs=2e-5
        )  # kept with five digits
    progressive = next(entry for entry in entries if entry["kind"] == "progressive")
    assert progressive["abandon_rate"] == 0.0
    assert progressive["gap_closed"] is None  # nothing to be gained where nobody is abandoned
    defaults = [entry for entry in entries if entry["kind"] == "default"]
    assert [entry["compared_at_abandon_rate"] for entry in defaults] == [entry["abandon_rate"] for entry in defaults]


def test_the_table_for_people_has_a_line_for_each_peer_as_it_comes_and_tuned(found: tuple[Found, ...]) -> None:
    (table,) = shown(found)
    assert "exact bound" in str(table.title)
    assert table.row_count == 2 + 2 * len(tuning.peer_ids())


def test_there_is_a_bar_for_each_peer_as_it_comes_and_tuned(found: tuple[Found, ...]) -> None:
    rows = bars.peer_bars(found)
    assert len(rows) == 2 * len(tuning.peer_ids())
    assert all("Markov, 5 agents" in row["bar"] for row in rows)


def test_the_plot_is_one_svg_that_names_the_policies(found: tuple[Found, ...], tmp_path: Path) -> None:
    from benchmarks.scenario.plot import draw

    picture = tmp_path / "frontier.svg"
    draw(found, picture)
    text = picture.read_text()
    assert "priced-v1" in text and "exact bound" in text and "Markov, 5 agents" in text
    assert list(tmp_path.iterdir()) == [picture]
