"""Features: what they refuse, what is unknown, the calendar, and what an attempt of unknown result changes."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from models.attempts import AttemptLog, Result
from models.feature_kernels import COLUMNS, LEAD_HISTORY
from models.features import (
    FeatureSet,
    History,
    attempt_features,
    feature_set_of,
    features_at,
    fits,
    unknown_rows,
)
from models.lead_table import LeadTable

MONDAY = datetime(2026, 3, 2, 15, 30, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0


def log_of(*attempts: tuple[float, int, Result], number: int = 0, offset_s: int = 0, carrier: int = -1) -> AttemptLog:
    """Attempts as (at, lead, result)."""
    n = len(attempts)
    nothing = np.full(n, np.nan, dtype=np.float32)
    return AttemptLog(
        at=np.array([a[0] for a in attempts], dtype=np.float64),
        lead=np.array([a[1] for a in attempts], dtype=np.int32),
        number=np.full(n, number, dtype=np.int8),
        offset_s=np.full(n, offset_s, dtype=np.int32),
        result=np.array([a[2] for a in attempts], dtype=np.int8),
        holiday=np.zeros(n, dtype=np.bool_),
        carrier=np.full(n, carrier, dtype=np.int16),
        ring_s=nothing + 20.0,
        talk_s=nothing,
        propensity=nothing,
        carriers=("norte", "sur"),
    )


def three_leads(**changes: object) -> LeadTable:
    table = LeadTable(
        ids=("a", "b", "c"),
        numeric={"amount": np.array([10.0, np.nan, 30.0], dtype=np.float32)},
        categories={"product": np.array([1, 0, -1], dtype=np.int32)},
        of_numbers={"line_type": np.array([[0, 1], [1, -1], [0, 0]], dtype=np.int32)},
        vocabularies={"product": ("loan", "card"), "line_type": ("mobile", "fixed")},
    )
    return replace(table, **changes)  # type: ignore[arg-type]


ALL_TRIED = log_of(*((MONDAY, lead, Result.NO_ANSWER) for lead in range(3)))


def row_of(
    history: History,
    at: float,
    *,
    lead: int = 0,
    number: int = 0,
    leads: LeadTable | None = None,
    features: FeatureSet | None = None,
    offset_s: int = 0,
) -> dict[str, float]:
    leads, features = leads or three_leads(), features or FeatureSet()
    places = np.array([lead], np.int32), np.array([number], np.int8)
    zone = np.array([offset_s], np.int32), np.array([False])
    (row,) = features_at(history, leads, features, *places, at, *zone)
    return dict(zip(features.names, row.tolist(), strict=True))


def test_hour_weekday_and_pay_days_are_of_the_local_calendar() -> None:
    """Every eleventh day of forty years, against Python's calendar."""
    history, wanted = History(3), (5, 15, 31)
    features = FeatureSet(paydays=wanted)
    for k in range(0, 40 * 365, 11):
        at = datetime(1995, 1, 1, 22, 59, 59, tzinfo=UTC) + timedelta(days=k)
        local = at + timedelta(hours=-5)
        around = [local.date() + timedelta(days=d) for d in range(-40, 41)]
        paid = [d for d in around if d.day in [min(w, calendar.monthrange(d.year, d.month)[1]) for w in wanted]]
        row = row_of(history, at.timestamp(), features=features, offset_s=-5 * 3600)
        assert (row["hour"], row["weekday"]) == (local.hour, local.weekday())
        assert row["days_to_payday"] == min((d - local.date()).days for d in paid if d >= local.date())
        assert row["days_since_payday"] == min((local.date() - d).days for d in paid if d <= local.date())


def test_without_pay_days_there_is_nothing_to_count_to() -> None:
    row = row_of(History(3), MONDAY, features=FeatureSet(paydays=()))
    assert np.isnan(row["days_to_payday"]) and np.isnan(row["days_since_payday"])


def test_an_unknown_result_changes_nothing() -> None:
    told, untold = History(3), History(3)
    for history in (told, untold):
        history.observe(log_of((MONDAY, 0, Result.BUSY)))
    told.observe(log_of((MONDAY + HOUR, 0, Result.UNKNOWN), (MONDAY + HOUR, 1, Result.UNKNOWN)))
    assert told.records.tobytes() == untold.records.tobytes()


def test_a_lead_never_called_has_no_times() -> None:
    row = row_of(History(3), MONDAY)
    unknown = {name for name, value in row.items() if np.isnan(value)}
    since = {name for name in COLUMNS if name.startswith("hours_since")}
    assert unknown == {"carrier", "previous_result", "previous_ring_s", *since}
    assert row["answer_rate"] == pytest.approx(0.1)


def test_hours_since_go_no_further_than_500() -> None:
    history = History(3)
    history.observe(log_of((MONDAY, 0, Result.PROMISE)))
    near, far = row_of(history, MONDAY + 3 * HOUR), row_of(history, MONDAY + 400 * DAY)
    for name in ("attempt", "answer", "right_party", "promise"):
        assert (near[f"hours_since_{name}"], far[f"hours_since_{name}"]) == (3.0, 500.0)


def test_a_week_is_seven_local_days() -> None:
    history = History(3)
    history.observe(log_of(*((MONDAY + k * DAY, 0, Result.NO_ANSWER) for k in range(10))))
    last = MONDAY + 9 * DAY
    assert row_of(history, last)["attempts_7_days"] == 7
    assert row_of(history, last)["attempts_today"] == 1
    assert row_of(history, last + 9 * HOUR)["attempts_today"] == 0  # 00:30 of the next day
    assert [row_of(history, last + k * DAY)["attempts_7_days"] for k in (1, 5, 6, 7, 400)] == [6, 2, 1, 0, 0]


@pytest.mark.parametrize(("days_ago", "counted"), [(6, 2), (7, 1), (14, 1)])
def test_an_attempt_told_a_week_late_is_none_of_today(days_ago: int, counted: int) -> None:
    history = History(3)
    history.observe(log_of((MONDAY, 0, Result.NO_ANSWER)))
    history.observe(log_of((MONDAY - days_ago * DAY, 0, Result.NO_ANSWER)))
    row = row_of(history, MONDAY + HOUR)
    assert (row["attempts_today"], row["attempts_7_days"], row["attempts"]) == (1, counted, 2)


def test_numbers_of_a_lead_are_told_apart() -> None:
    history = History(3)
    history.observe(log_of((MONDAY, 0, Result.WRONG_PARTY), (MONDAY + 1, 0, Result.DEAD), number=1))
    fresh, called = row_of(history, MONDAY + HOUR, number=0), row_of(history, MONDAY + HOUR, number=1)
    assert [fresh[name] for name in ("number_unanswered", "number_answered", "number_dead")] == [0, 0, 0]
    assert [called[name] for name in ("number_answered", "number_wrong_parties", "number_dead")] == [1, 1, 1]
    assert np.isnan(row_of(history, MONDAY + HOUR, number=9)["number_answered"])  # more than anybody keeps


def test_counts_stay_at_their_most() -> None:
    history = History(3)
    history.observe(log_of(*((MONDAY + k, 0, Result.NO_ANSWER) for k in range(40_000))))
    row = row_of(history, MONDAY + DAY)
    assert (row["attempts"], row["number_unanswered"], row["unanswered_since_answer"]) == (32767, 255, 32767)


def test_carriers_go_by_their_names() -> None:
    features = replace_carriers(feature_set_of(three_leads(), ALL_TRIED), ("sur", "norte"))
    found = [
        attempt_features(log_of((MONDAY, 0, Result.BUSY), carrier=code), three_leads(), features)[0]
        for code in (-1, 0, 1, 7)
    ]
    column = [float(row[COLUMNS.index("carrier")]) for row in found]
    np.testing.assert_array_equal(column, [np.nan, 1.0, 0.0, np.nan])


def replace_carriers(features: FeatureSet, carriers: tuple[str, ...]) -> FeatureSet:
    return FeatureSet(**{**{f: getattr(features, f) for f in features.__struct_fields__}, "carriers": carriers})


# ---- the columns of the list ------------------------------------------------------------------------------------
def test_codes_of_a_list_are_put_into_those_of_the_feature_set() -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    assert features.vocabularies == {"product": ("card", "loan"), "line_type": ("fixed", "mobile")}
    own = [row_of(History(3), MONDAY, lead=k, number=1, features=features) for k in range(3)]
    words = [("card", "fixed"), ("loan", None), (None, "mobile")]
    for row, (product, line_type) in zip(own, words, strict=True):
        for name, word in (("product", product), ("line_type", line_type)):
            assert row[name] == features.vocabularies[name].index(word) if word else np.isnan(row[name])
    assert [row["amount"] for row in own] == [10.0, pytest.approx(np.nan, nan_ok=True), 30.0]
    assert np.isnan(row_of(History(3), MONDAY, number=2, features=features)["line_type"])  # no such number


def test_a_list_with_its_words_in_another_order_reads_the_same() -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    turned = three_leads(
        categories={"product": np.array([2, 1, -1], dtype=np.int32)},
        vocabularies={"product": ("mortgage", "loan", "card"), "line_type": ("mobile", "fixed")},
    )
    for lead in range(3):
        rows = [row_of(History(3), MONDAY, lead=lead, leads=t, features=features) for t in (three_leads(), turned)]
        np.testing.assert_array_equal(*[list(row.values()) for row in rows])


def test_values_never_seen_are_told_and_read_as_unknown() -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    evil = "<b>\x1b[31m" + "x" * 500
    today = three_leads(
        categories={"product": np.array([0, 2, -1], dtype=np.int32)},
        vocabularies={"product": ("loan", "card", evil), "line_type": ("mobile", "fixed")},
    )
    mask, told = unknown_rows(features, today)
    assert mask.tolist() == [False, True, False]
    assert len(told) == 1 and told[0].startswith("product: ") and told[0].endswith("leads: 1")
    assert len(told[0]) < 150 and told[0].isprintable()
    assert np.isnan(row_of(History(3), MONDAY, lead=1, leads=today, features=features)["product"])
    assert unknown_rows(features, three_leads()) == (pytest.approx(np.zeros(3)), [])


def test_a_number_with_a_value_never_seen_marks_its_lead() -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    words = {"product": ("loan", "card"), "line_type": ("mobile", "fixed", "satellite")}
    numbers = {"line_type": np.array([[0, 1], [1, -1], [0, 2]], dtype=np.int32)}
    mask, told = unknown_rows(features, three_leads(vocabularies=words, of_numbers=numbers))
    assert mask.tolist() == [False, False, True] and "'satellite'" in told[0]


def test_only_what_was_seen_among_leads_attempted_is_a_feature() -> None:
    features = feature_set_of(three_leads(), log_of((MONDAY, 1, Result.BUSY), (MONDAY, 0, Result.UNKNOWN)))
    assert features.numeric == ()  # lead b's amount is unknown
    assert features.vocabularies == {"product": ("loan",), "line_type": ("fixed",)}
    assert feature_set_of(three_leads(), log_of()).names == COLUMNS


def test_a_column_of_the_list_named_as_a_feature_has_a_name_of_its_own() -> None:
    amount = np.ones(3, dtype=np.float32)
    leads = three_leads(numeric={"hour": amount, "list_hour": amount})
    names = feature_set_of(leads, ALL_TRIED).names
    assert len(set(names)) == len(names)
    assert names[len(COLUMNS) : len(COLUMNS) + 2] == ("list_hour", "list_list_hour")


def test_the_hash_tells_feature_sets_apart() -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    assert features.hash == feature_set_of(three_leads(), ALL_TRIED).hash
    assert len(features.hash) == 16 and int(features.hash, 16) >= 0
    assert msgspec.json.decode(msgspec.json.encode(features), type=FeatureSet).hash == features.hash
    turned = dict(reversed(features.vocabularies.items()))
    assert FeatureSet(vocabularies=turned).hash == FeatureSet(vocabularies=features.vocabularies).hash
    others = [
        FeatureSet(numeric=("a",)),
        FeatureSet(categories=("a",)),
        FeatureSet(paydays=(15,)),
        FeatureSet(carriers=("sur",)),
        FeatureSet(vocabularies={"a": ("x", "y")}),
        FeatureSet(vocabularies={"a": ("y", "x")}),
        FeatureSet(version=2),
        FeatureSet(),
    ]
    assert len({other.hash for other in others}) == len(others)


# ---- what is refused --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"numeric": {}}, "expected a column amount, found none"),
        ({"categories": {}}, "expected a column product, found none"),
        ({"of_numbers": {"line_type": np.zeros(3, dtype=np.int32)}}, r"column line_type, found shape \(3,\)"),
        ({"numeric": {"amount": np.zeros(2, dtype=np.float32)}}, "expected 3 leads in column amount"),
        ({"categories": {"product": np.array([0, 1, 2], dtype=np.int32)}}, r"product in \[-1, 1\], found 0 to 2"),
        ({"categories": {"product": np.array([0, 1, -2], dtype=np.int32)}}, "found -2 to 1"),
        ({"vocabularies": {"line_type": ("mobile", "fixed")}}, r"expected codes of product in \[-1, -1\]"),
    ],
)
def test_leads_that_do_not_fit_are_refused(changes: dict[str, object], said: str) -> None:
    features = feature_set_of(three_leads(), ALL_TRIED)
    assert fits(features, three_leads()) == []
    with pytest.raises(ValueError, match=said):
        attempt_features(ALL_TRIED, three_leads(**changes), features)


def test_rows_are_not_looked_through_for_codes_at_every_hour() -> None:
    """A code without a word is unknown then; a column that is missing is still refused."""
    features = feature_set_of(three_leads(), ALL_TRIED)
    strange = three_leads(categories={"product": np.array([99, -7, 1], dtype=np.int32)})
    rows = [row_of(History(3), MONDAY, lead=k, leads=strange, features=features)["product"] for k in range(3)]
    np.testing.assert_array_equal(rows, [np.nan, np.nan, 0.0])
    with pytest.raises(ValueError, match="expected a column product, found none"):
        row_of(History(3), MONDAY, leads=three_leads(categories={}), features=features)


def test_a_history_of_other_leads_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 leads, as the history has, were 3"):
        row_of(History(2), MONDAY)
    with pytest.raises(ValueError, match="expected 4 leads, as the history has, were 3"):
        History(4).features_and_observe(ALL_TRIED, three_leads(), FeatureSet())


def test_features_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="expected features of version 1, found 9: train the model again"):
        row_of(History(3), MONDAY, features=FeatureSet(version=9))


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (log_of((MONDAY, 3, Result.BUSY)), r"expected leads in \[0, 2\], were 3 to 3"),
        (log_of((MONDAY, -1, Result.BUSY)), "were -1 to -1"),
        (log_of((MONDAY, 0, Result.BUSY), (MONDAY - 1, 0, Result.BUSY)), "expected attempts in order of time"),
        (log_of((MONDAY, 0, Result.BUSY), (np.nan, 0, Result.BUSY)), "expected UTC seconds"),
        (log_of((MONDAY, 0, Result.BUSY), (np.nan, 0, Result.BUSY), (MONDAY, 0, Result.BUSY)), "in order of time"),
        (log_of((1e300, 0, Result.BUSY)), "expected UTC seconds"),
        (log_of((-1.0, 0, Result.BUSY)), "expected UTC seconds"),
        (replace(ALL_TRIED, result=np.zeros(1, np.int8)), "expected columns of equal length, were of 3, 3, 3, 3, 1, 3"),
    ],
)
def test_a_log_that_is_none_changes_nothing(log: AttemptLog, said: str) -> None:
    history = History(3)
    with pytest.raises(ValueError, match=said):
        history.observe(log)
    with pytest.raises(ValueError, match=said):
        history.features_and_observe(log, three_leads(), FeatureSet())
    assert history.records.tobytes() == History(3).records.tobytes()


def test_what_is_asked_of_other_leads_or_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected leads in \[0, 2\]"):
        row_of(History(3), MONDAY, lead=3)
    with pytest.raises(ValueError, match="expected UTC seconds"):
        row_of(History(3), float("inf"))
    places = np.zeros(2, np.int32), np.zeros(1, np.int8), MONDAY, np.zeros(2, np.int32), np.zeros(2, np.bool_)
    with pytest.raises(ValueError, match="were 2, 1, 2 and 2"):
        features_at(History(3), three_leads(), FeatureSet(), *places)


@pytest.mark.parametrize(
    "out",
    [np.empty((2, len(COLUMNS)), np.float32), np.empty((1, len(COLUMNS))), np.empty((1, 2 * len(COLUMNS)))[:, ::2]],
)
def test_rows_are_not_written_where_they_do_not_fit(out: np.ndarray) -> None:
    one = np.zeros(1, np.int32), np.zeros(1, np.int8), MONDAY, np.zeros(1, np.int32), np.zeros(1, np.bool_)
    with pytest.raises(ValueError, match=r"expected float32 of shape \(1, \d+\) to write to"):
        features_at(History(3), three_leads(), FeatureSet(), *one, out)


@pytest.mark.parametrize("day", [0, 32, -1])
def test_a_pay_day_is_a_day_of_a_month(day: int) -> None:
    with pytest.raises(ValueError, match=r"expected pay-days in \[1, 31\]"):
        feature_set_of(three_leads(), ALL_TRIED, paydays=(day,))


# ---- histories --------------------------------------------------------------------------------------------------
def test_a_history_grows_and_keeps_what_it_has() -> None:
    history = History(1)
    history.observe(log_of((MONDAY, 0, Result.RIGHT_PARTY)))
    history.grow(3)
    assert history.attempts.tolist() == [1, 0, 0] and history.answers.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(history.attempt_at, [MONDAY, np.nan, np.nan])
    np.testing.assert_array_equal(history.right_party_at, [MONDAY, np.nan, np.nan])
    with pytest.raises(ValueError, match="expected at least the 3 leads"):
        history.grow(2)


def test_columns_that_nobody_may_write_to_are_read_all_the_same() -> None:
    """Those of a plan request are bytes."""
    which, number = np.frombuffer(b"\0\0\0\0", "<i4"), np.frombuffer(b"\0", "i1")
    zone = np.frombuffer(b"\0\0\0\0", "<i4"), np.frombuffer(b"\0", "?")
    rows = features_at(History(3), three_leads(), FeatureSet(), which, number, MONDAY, *zone)
    assert rows.shape == (1, len(COLUMNS))
    assert (
        features_at(
            History(3), three_leads(), FeatureSet(), which[:0], number[:0], MONDAY, zone[0][:0], zone[1][:0]
        ).shape[0]
        == 0
    )


def test_a_history_is_small() -> None:
    assert LEAD_HISTORY.itemsize <= 192  # a million leads in 192 MB
