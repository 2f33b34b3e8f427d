"""Wear as it is told of a campaign: by segments that last, by the lots where they tell, and never by what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.special import expit

from dialer.adapters.attempt_history import PastAttempts
from dialer.adapters.journal import Header, Journal
from dialer.adapters.lead_traits import lead_table_of
from dialer.adapters.wear_on_record import LEAST_SEEN, MOST_LEADS, WearOnRecord, planned_wear, wear_on_record
from dialer.core.events import HoursPlanned, TimePassed
from dialer.core.lead import Lead
from models.attempts import AttemptLog, Singles
from models.boosted import TreeSettings
from models.bundle import ModelBundle, TrainingSettings
from models.plan import HourPlan
from models.report_data import SegmentWear
from models.training import trained
from models.wear import LEAST_ROWS, faded_wear
from tests.unit.adapters.test_best_hours import lead
from tests.unit.core.bench_engine import campaign_of
from tests.unit.models.test_wear import LEADS, world

BEGIN, DAY_S = 1_770_000_000.0 // 86_400.0 * 86_400.0, 86_400.0
NOW = BEGIN + 36 * DAY_S
DAYS_PAST_DUE = (10, 200, None)
PEOPLE = [lead(row, days_past_due=DAYS_PAST_DUE[row % 3]) for row in range(LEADS)]


def past_of(log: AttemptLog, leads: Sequence[Lead] = PEOPLE) -> PastAttempts:
    return PastAttempts(leads=tuple(leads), table=lead_table_of(leads), log=replace(log, at=log.at + BEGIN))


PAST = past_of(world(1, [0.35]))


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    settings = TrainingSettings(trees=TreeSettings(rounds=30, eta=0.2))
    return trained(PAST.log, PAST.table, settings=settings, seed=1, now=NOW, nthread=1).bundle


@pytest.fixture(scope="module")
def found(bundle: ModelBundle) -> WearOnRecord:
    return wear_on_record(bundle, PAST, campaign_of(), now=NOW)


def one(found: WearOnRecord, name: str) -> SegmentWear:
    return next(part for part in found.segments if part.segment == name)


def test_stages_are_told_where_there_are_no_segments_and_all_leads_last(found: WearOnRecord) -> None:
    assert [part.segment for part in found.segments] == ["early", "late", "all others", "all leads"]
    assert found.told == ()
    assert sum(part.attempts for part in found.segments[:-1]) == found.segments[-1].attempts == len(PAST.log)
    assert sum(part.leads for part in found.segments[:-1]) == len(np.unique(PAST.log.lead))


class Worn(ModelBundle):
    """A model that knows how calls wear: 0.3 off the logit for each in vain, half of it after eight days."""

    def answer(self, X: Singles) -> Singles:
        return expit(-1.6 - 0.3 * X[:, self.feature_set.names.index("wear_8_days")])  # type: ignore[no-any-return]


def test_the_model_is_asked_about_the_same_leads_with_their_calls_moved(bundle: ModelBundle) -> None:
    worn = Worn(bundle.manifest, {name: (bundle.tables[name], bundle.trees[name]) for name in bundle.tables}, None)
    found = wear_on_record(worn, PAST, campaign_of(), now=NOW)
    for part in found.segments:
        assert [curve.rest_days for curve in part.model] == [1.0, 3.0, 7.0, 14.0]
        assert {curve.rows for curve in part.model} == {min(part.leads, MOST_LEADS)}
        for curve in part.model:
            worn_by = [faded_wear(j - 1, curve.rest_days, 1.0, 8.0) for j in curve.attempts]
            truth = [expit(-1.6 - 0.3 * wear) / expit(-1.6) for wear in worn_by]
            assert curve.ratio == pytest.approx(truth, rel=1e-4)


def test_lots_are_counted_as_drawn_and_tell_where_wear_is_strong(found: WearOnRecord) -> None:
    part = one(found, "all leads")
    assert part.effect is not None and part.lots_tell
    assert abs(part.effect.drop - 0.35) < 3.0 * part.effect.error
    assert part.drawn == part.effect.rows == sum(other.drawn for other in found.segments[:-1])
    assert part.worth == pytest.approx(part.effect.effective_rows, rel=1e-3)
    assert len(part.lots) == 4
    for curve in part.lots:
        assert all(low <= ratio <= high for low, ratio, high in zip(curve.low, curve.ratio, curve.high, strict=True))


def test_few_lots_and_none_are_told_as_such(bundle: ModelBundle) -> None:
    drawn = np.flatnonzero(PAST.log.propensity > 0.0)
    for kept in (drawn[: LEAST_ROWS // 2], drawn[:0]):
        propensity = np.full(len(PAST.log), np.nan, dtype=np.float32)
        propensity[kept] = PAST.log.propensity[kept]
        log = replace(PAST.log, propensity=propensity)
        part = wear_on_record(bundle, replace(PAST, log=log), None, now=NOW).segments[-1]
        assert part.effect is None and part.lots == () and not part.lots_tell
        assert 0 <= part.drawn <= len(kept) and (part.worth > 0.0) == (part.drawn > 0)


def test_what_is_seen_ends_where_few_are_left(found: WearOnRecord) -> None:
    log = PAST.log
    counts: dict[int, int] = {}
    numbers = []
    for who in log.lead.tolist():
        counts[who] = counts.get(who, 0) + 1
        numbers.append(counts[who])
    part = one(found, "all leads")
    assert part.raw is not None
    answered = [log.answered[np.array(numbers) == j].mean() for j in (1, 2, 3)]
    assert part.raw.ratio[:3] == pytest.approx([rate / answered[0] for rate in answered])
    counted = np.bincount(numbers)
    enough = [j for j in range(1, 11) if counted[j] >= LEAST_SEEN]
    assert part.raw.attempts == tuple(enough)


def test_a_few_calls_are_not_shown_as_a_curve(bundle: ModelBundle) -> None:
    log = PAST.log.rows(slice(0, 200))
    (part,) = wear_on_record(bundle, replace(PAST, log=log), None, now=NOW).segments
    assert part.raw is None and part.attempts == 200


def test_a_segment_of_what_came_of_calls_is_told_of_all_who_could_be_of_it(bundle: ModelBundle) -> None:
    segments = [
        {"name": "likely", "when": {"stage": ["late"], "propensity": {"at_least": 0.1}}},
        {"name": "early", "when": {"stage": ["early"]}},
    ]
    found = wear_on_record(bundle, PAST, campaign_of(segments=segments), now=NOW)
    assert [part.segment for part in found.segments] == ["likely", "early", "all others", "all leads"]
    assert one(found, "likely").leads == len({who for who in PAST.log.lead.tolist() if who % 3 == 1})
    (line,) = found.told
    assert line.startswith("likely: its wear is that of all who could be of it")


def test_a_list_that_the_model_cannot_read_still_has_its_lots(bundle: ModelBundle) -> None:
    missing = msgspec.structs.replace(bundle.feature_set, numeric=(*bundle.feature_set.numeric, "score"))
    other = ModelBundle(
        msgspec.structs.replace(bundle.manifest, feature_set=missing, feature_hash=missing.hash),
        {name: (bundle.tables[name], bundle.trees[name]) for name in bundle.tables},
        None,
    )
    found = wear_on_record(other, PAST, None, now=NOW)
    (line,) = found.told
    assert "cannot say how calls wear: expected a column score" in line
    (part,) = found.segments
    assert part.model == () and part.lots and part.raw is not None


def test_equal_seeds_tell_the_same(bundle: ModelBundle, found: WearOnRecord) -> None:
    again = wear_on_record(bundle, PAST, campaign_of(), now=NOW)
    assert msgspec.json.encode(again.segments) == msgspec.json.encode(found.segments)


# ---- the plan -------------------------------------------------------------------------------------------------------
def plan(at: float, index: float | None) -> HoursPlanned:
    empty = dict.fromkeys(("order", "held", "held_until", "answer", "right_party", "because", "propensity"), b"")
    return HoursPlanned(
        at=at, plan=HourPlan(number=1, until=at + 600.0, models=("m",), arm=b"", wear_index=index, **empty)
    )


def journal(path: Path, plans: Sequence[HoursPlanned]) -> Path:
    made = Journal(path, Header(campaign={"campaign": "mora"}, run=1, seed=1, started_at=NOW))
    for event in plans:
        made.append(event, [])
        made.append(TimePassed(at=event.at + 1.0), [])
    made.close()
    return path


def test_the_wear_index_is_that_of_the_last_plan_that_has_one(tmp_path: Path) -> None:
    old = journal(tmp_path / "1.jsonl", [plan(NOW, 0.9), plan(NOW + 600.0, 0.8), plan(NOW + 1200.0, None)])
    new = journal(tmp_path / "2.jsonl", [plan(NOW + 9e4, None)])
    index = planned_wear([old, new])
    assert index is not None and (index.at, index.index) == (NOW + 600.0, 0.8)
    with old.open("ab") as file:
        file.write(b'E {"type":"HoursPlanned","at":1.0,"plan":{"wear_in')
    assert planned_wear([old]) == index
    assert planned_wear([new]) is None and planned_wear([]) is None
