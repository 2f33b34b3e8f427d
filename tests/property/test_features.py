"""Features: against a slow twin, that nothing looks ahead, and that a model is served what it was trained on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attempts import AttemptLog, Result
from models.feature_kernels import COLUMNS
from models.features import FeatureSet, History, attempt_features, feature_set_of, features_at
from models.lead_table import LeadTable
from tests.property.feature_twin import earlier_rows, slow_row

LEADS = 4
STEPS_S = (60.0, 1800.0, 3600.0, 86400.0 / 3, 86400.0, 9 * 86400.0)
OFFSETS_S = (-12 * 3600, -18000, 0, 20700, 14 * 3600)
CARRIER = COLUMNS.index("carrier")


def random_columns(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Everything of n attempts but their times."""
    return {
        "lead": rng.integers(0, LEADS, n).astype(np.int32),
        "number": rng.integers(-1, 3, n).astype(np.int8),
        "offset_s": rng.choice(np.array(OFFSETS_S, dtype=np.int32), n),
        "result": rng.integers(Result.UNKNOWN, Result.ANSWERED + 1, n).astype(np.int8),
        "holiday": rng.random(n) < 0.2,
        "carrier": rng.integers(-1, 3, n).astype(np.int16),
        "ring_s": np.where(rng.random(n) < 0.3, np.nan, rng.uniform(1.0, 40.0, n)).astype(np.float32),
        "talk_s": np.where(rng.random(n) < 0.3, np.nan, rng.uniform(1.0, 400.0, n)).astype(np.float32),
        "propensity": rng.uniform(0.0, 1.0, n).astype(np.float32),
    }


def random_times(rng: np.random.Generator, n: int, begin_at: float) -> np.ndarray:
    """Many of them equal, and now and then a long rest."""
    return begin_at + np.cumsum(rng.choice(np.array(STEPS_S), n) * (rng.random(n) < 0.5))


@st.composite
def logs(draw: st.DrawFn, least: int = 1) -> tuple[AttemptLog, np.random.Generator]:
    """Few leads with much happening to them, over ends of months and a leap day."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(least, 40))
    begin = draw(st.datetimes(datetime(1999, 12, 20), datetime(2032, 3, 5)))
    at = random_times(rng, n, np.floor(begin.replace(tzinfo=UTC).timestamp()))
    return AttemptLog(at=at, carriers=("norte", "sur", "este"), **random_columns(rng, n)), rng


def some_leads(rng: np.random.Generator) -> LeadTable:
    return LeadTable(
        ids=tuple(f"L{k}" for k in range(LEADS)),
        numeric={"amount": rng.uniform(1.0, 1e4, LEADS).astype(np.float32)},
        categories={"product": rng.integers(-1, 2, LEADS).astype(np.int32)},
        of_numbers={"line_type": rng.integers(-1, 2, (LEADS, 2)).astype(np.int32)},
        vocabularies={"product": ("card", "loan"), "line_type": ("mobile", "fixed")},
    )


@given(logs())
@settings(max_examples=60, deadline=None)
def test_a_row_is_what_the_slow_twin_says(drawn: tuple[AttemptLog, np.random.Generator]) -> None:
    log, rng = drawn
    leads, paydays = some_leads(rng), tuple(sorted(rng.choice(np.arange(1, 32), 2, replace=False).tolist()))
    features = feature_set_of(leads, log, paydays=paydays)
    rows = attempt_features(log, leads, features)
    for i in range(len(log)):
        past = earlier_rows(log, int(log.lead[i]), float(log.at[i]))
        slow = slow_row(past, float(log.at[i]), int(log.number[i]), int(log.offset_s[i]), bool(log.holiday[i]), paydays)
        if log.number[i] < 0:
            slow |= {name: np.nan for name in slow if name.startswith("number_")}
        found = {name: rows[i, features.names.index(name)] for name in slow}
        np.testing.assert_allclose(list(found.values()), list(slow.values()), rtol=2e-5, err_msg=str(found))


@given(logs(least=2))
@settings(max_examples=80, deadline=None)
def test_nothing_that_is_not_earlier_changes_a_row(drawn: tuple[AttemptLog, np.random.Generator]) -> None:
    """The rest of the same moment included, and what the attempt itself came to."""
    log, rng = drawn
    leads = some_leads(rng)
    features = feature_set_of(leads, log)
    rows = attempt_features(log, leads, features)
    i = int(rng.integers(len(log)))
    future = log.at >= log.at[i]
    drawn_anew = random_columns(rng, len(log))
    changed = {name: np.where(future, drawn_anew[name], getattr(log, name)) for name in drawn_anew}
    for name in ("lead", "number", "offset_s", "holiday", "carrier"):
        changed[name][i] = getattr(log, name)[i]  # known when it is placed
    at = np.where(np.arange(len(log)) > i, log.at + np.cumsum(future) * rng.choice([0.0, 3600.0]), log.at)
    other = attempt_features(replace(log, at=at, **changed), leads, features)
    np.testing.assert_array_equal(other[i], rows[i])
    np.testing.assert_array_equal(other[~future], rows[~future])


@given(logs())
@settings(max_examples=40, deadline=None)
def test_a_model_is_served_what_it_was_trained_on(drawn: tuple[AttemptLog, np.random.Generator]) -> None:
    log, rng = drawn
    leads = some_leads(rng)
    features = feature_set_of(leads, log)
    rows = attempt_features(log, leads, features)
    history, out = History(LEADS), np.full((LEADS, len(features.names)), -7.0, dtype=np.float32)
    for at in np.unique(log.at):
        now = np.flatnonzero(log.at == at)
        for i in now:
            who = np.repeat(log.lead[i], LEADS)
            places = (np.repeat(column[i], LEADS) for column in (log.number, log.offset_s, log.holiday))
            number, offset_s, holiday = places
            served = features_at(history, leads, features, who, number, float(at), offset_s, holiday, out)
            assert served is out
            expected = rows[i].copy()
            expected[CARRIER] = np.nan
            np.testing.assert_array_equal(served, np.tile(expected, (LEADS, 1)))
        history.observe(log.rows(now))


@given(logs(least=2))
@settings(max_examples=40, deadline=None)
def test_a_log_in_pieces_is_the_log(drawn: tuple[AttemptLog, np.random.Generator]) -> None:
    log, rng = drawn
    leads = some_leads(rng)
    features = feature_set_of(leads, log)
    whole, pieces = History(LEADS), History(LEADS)
    rows = whole.features_and_observe(log, leads, features)
    cut = int(np.searchsorted(log.at, rng.choice(log.at)))  # between moments
    both = [pieces.features_and_observe(log.rows(part), leads, features) for part in (slice(0, cut), slice(cut, None))]
    np.testing.assert_array_equal(np.concatenate(both), rows)
    assert pieces.records.tobytes() == whole.records.tobytes()


@given(logs(least=2))
@settings(max_examples=40, deadline=None)
def test_what_is_told_late_is_counted_all_the_same(drawn: tuple[AttemptLog, np.random.Generator]) -> None:
    """Calls are told when they are over, not as they were placed; only attempts since an answer go by that."""
    log, rng = drawn
    log = replace(log, at=log.at + np.arange(len(log)))  # each at its own moment
    leads, features = some_leads(rng), FeatureSet()
    in_order, late = History(LEADS), History(LEADS)
    in_order.observe(log)
    for i in rng.permutation(len(log)):
        late.observe(log.rows(slice(i, i + 1)))
    who = np.arange(LEADS, dtype=np.int32)
    number, offset_s, holiday = np.zeros(LEADS, np.int8), np.zeros(LEADS, np.int32), np.zeros(LEADS, np.bool_)
    rows = [
        np.delete(
            features_at(history, leads, features, who, number, float(log.at[-1]) + 60.0, offset_s, holiday),
            COLUMNS.index("unanswered_since_answer"),
            axis=1,
        )
        for history in (in_order, late)
    ]
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-4)
