import msgspec
import numpy as np
import pytest
from scipy.special import expit, logit

from models.empirical_bayes import CodedColumn, RateTable, RateTables, RateTablesFile, table_plan
from models.evaluation import ece, scores
from models.features import attempt_features, feature_set_of
from tests.unit.models.small_world import small_world

WORLD = small_world(leads=3000, days=14, a_day=2000, seed=3)
FEATURES = feature_set_of(WORLD.leads, WORLD.log)
X = attempt_features(WORLD.log, WORLD.leads, FEATURES)
Y = WORLD.log.answered
CUT = 20_000
TABLES = RateTables.fit(X[:CUT], Y[:CUT], FEATURES)


def slow_margin(stored: RateTablesFile, row: np.ndarray) -> float:
    """Cell by cell, as the words say it."""

    def code(column: CodedColumn) -> int:
        value = float(row[column.index])
        if np.isnan(value):
            return column.codes - 1
        if column.whole:
            return min(max(int(value), 0), column.whole - 1)
        return sum(edge <= value for edge in column.edges)

    told = stored.base
    for table in stored.tables:
        cell = 0
        for place in table.columns:
            cell = cell * stored.columns[place].codes + code(stored.columns[place])
        told += table.moves[cell]
    return told


def test_the_kernel_tells_what_the_tables_say() -> None:
    rows = X[:: len(X) // 300].copy()
    rows[::7] = np.nan
    rows[3::7] *= -1.0
    rows[5::7] *= 1e6
    expected = [slow_margin(TABLES.stored, row) for row in rows]
    np.testing.assert_allclose(TABLES.margin(rows), expected, atol=1e-5)
    for row, margin in zip(rows[:20], expected, strict=False):
        assert sum(move for _, move in TABLES.explained(row)) == pytest.approx(margin, abs=1e-5)


def test_threads_tell_the_same() -> None:
    many = np.tile(X[:5000], (25, 1))
    assert np.array_equal(TABLES.margin(many, nthread=2), TABLES.margin(many))


def test_later_rows_are_told_better_than_by_the_rate_of_all_and_come_true() -> None:
    told = expit(TABLES.margin(X[CUT:]))
    found = scores(Y[CUT:], told)
    assert found.auc is not None and found.auc > 0.63
    assert ece(Y[CUT:], told) < 0.035


def test_labels_by_chance_move_nothing() -> None:
    y = np.random.default_rng(1).random(CUT) < 0.2
    tables = RateTables.fit(X[:CUT], y, FEATURES)
    assert np.ptp(tables.margin(X)) < 0.35
    assert tables.margin(X).mean() == pytest.approx(logit(y.mean()), abs=0.02)


def test_a_cell_of_few_rows_stays_near_what_the_tables_before_say() -> None:
    rng = np.random.default_rng(2)
    rows = X[:CUT].copy()
    product = FEATURES.names.index("product")
    rows[:, product] = rng.integers(0, 3, CUT)
    rows[:4, product] = 3
    y = rng.random(CUT) < np.array([0.1, 0.2, 0.3, 0.0])[rows[:, product].astype(int)]
    y[:4] = True
    tables = RateTables.fit(rows, y, FEATURES)
    few, many = rows[:4].copy(), rows[4:4000]
    few[:], told = many[0], {}
    for code in range(4):
        few[0, product] = code
        told[code] = float(expit(tables.margin(few[:1]))[0])
    assert told[0] < told[1] < told[2]
    assert told[3] < 0.45  # four answers of four


def test_no_rows_tell_the_prior_rate() -> None:
    tables = RateTables.fit(X[:0], Y[:0], FEATURES, prior_rate=0.3)
    np.testing.assert_allclose(expit(tables.margin(X[:5])), 0.3, rtol=1e-6)


def test_weights_count_as_rows() -> None:
    twice = np.concatenate([np.arange(4000), np.arange(2000)])
    weight = np.where(np.arange(4000) < 2000, 2.0, 1.0)
    by_rows = RateTables.fit(X[twice], Y[twice], FEATURES)
    by_weight = RateTables.fit(X[:4000], Y[:4000], FEATURES, weight=weight)
    assert by_weight.stored.base == pytest.approx(by_rows.stored.base)


def test_files_say_the_same_and_broken_ones_are_seen() -> None:
    width = X.shape[1]
    again = RateTables.from_bytes(TABLES.to_bytes(), width)
    assert np.array_equal(again.margin(X), TABLES.margin(X))
    column = CodedColumn(name="hour", index=0, whole=2)
    bad = [
        RateTablesFile(base=0.0, rows=1, positives=0, columns=[CodedColumn(name="hour", index=width, whole=2)]),
        RateTablesFile(base=0.0, rows=1, positives=0, columns=[CodedColumn(name="hour", index=-1, whole=2)]),
        RateTablesFile(base=0.0, rows=1, positives=0, tables=[RateTable(columns=[0], moves=[0.0], weight=1.0)]),
        RateTablesFile(
            base=0.0, rows=1, positives=0, columns=[column], tables=[RateTable(columns=[0], moves=[0.0], weight=1.0)]
        ),
    ]
    for stored in bad:
        with pytest.raises(ValueError, match=r"expected|out of range|columns"):
            RateTables.from_bytes(msgspec.json.encode(stored), width)
    with pytest.raises(ValueError, match=r"truncated|malformed"):
        RateTables.from_bytes(TABLES.to_bytes()[:-5], width)


def test_the_plan_names_columns_of_the_feature_set_only() -> None:
    plan = table_plan(FEATURES)
    assert ("weekday", "hour") in plan and ("product", "hour") in plan and ("line_type",) in plan
    assert all(name in FEATURES.names for columns in plan for name in columns)
