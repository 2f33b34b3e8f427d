from dataclasses import replace

import numpy as np
import pytest

from models.attempts import Result
from models.boosted import TreeSettings
from models.bundle import ANSWER, PROMISE, RIGHT_PARTY, Kind, TrainingSettings
from models.evaluation import log_loss, scores
from models.features import attempt_features
from models.training import TrainingRefused, score_since, trained
from tests.unit.models.small_world import MONDAY, small_world

WORLD = small_world(leads=2000, days=16, a_day=1500, seed=7)
LOG, LEADS = WORLD.log, WORLD.leads
SETTINGS = TrainingSettings(trees=TreeSettings(rounds=20, eta=0.2))
CUT = int(np.searchsorted(LOG.at, MONDAY + 14 * 86400.0))
PAST = LOG.rows(slice(0, CUT))
NOW = MONDAY + 14 * 86400.0
DONE = trained(PAST, LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1)
BUNDLE = DONE.bundle


def test_it_tells_days_to_come_nearly_as_well_as_the_truth_does() -> None:
    found, rows, told = score_since(BUNDLE, LOG, LEADS, NOW)
    y = LOG.answered[rows]
    truth = log_loss(y, WORLD.truth[rows])
    nothing = found.base_log_loss
    assert nothing is not None and found.log_loss is not None and found.ece is not None
    assert np.array_equal(rows, np.arange(CUT, len(LOG)))
    assert (nothing - found.log_loss) > 0.4 * (nothing - truth)
    assert found.ece < 0.04 and len(told) == len(rows)


def test_the_future_of_the_log_does_not_change_what_is_told_of_the_past() -> None:
    result = LOG.result.copy()
    result[CUT + 1500 :] = Result.NO_ANSWER
    _, _, told = score_since(BUNDLE, LOG, LEADS, NOW)
    _, _, again = score_since(BUNDLE, replace(LOG, result=result), LEADS, NOW)
    assert np.array_equal(told[:1500], again[:1500]) and not np.array_equal(told, again)


def test_the_last_days_are_scored_by_models_that_did_not_see_them() -> None:
    manifest = BUNDLE.manifest
    assert manifest.first_at == PAST.at[0] and manifest.last_at == PAST.at[-1]
    assert manifest.scored_from % 86400.0 > 7 * 3600.0  # the first attempt of a day
    assert (LOG.at[DONE.rows] >= manifest.scored_from).all() and len(DONE.rows) == len(DONE.y) == len(DONE.told)
    assert manifest.metrics == scores(DONE.y, DONE.told)
    # Other outcomes on the last days: the same things are told of them, up to the outcomes of the days themselves.
    result = PAST.result.copy()
    first = int(DONE.rows[0])
    last = len(PAST) - 50
    result[last:] = np.where(PAST.answered[last:], Result.NO_ANSWER, Result.RIGHT_PARTY)
    other = trained(replace(PAST, result=result), LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1)
    assert other.rows[0] == first
    assert np.array_equal(other.told[: last - first], DONE.told[: last - first])


def test_a_seed_gives_the_same_bundle() -> None:
    again = trained(PAST, LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1).bundle
    assert again.to_files() == BUNDLE.to_files()
    assert trained(PAST, LEADS, settings=SETTINGS, seed=2, now=NOW, nthread=1).bundle.id != BUNDLE.id


def test_parts_of_which_little_is_known_are_tables_and_never_fail() -> None:
    result = PAST.result.copy()
    result[result >= Result.WRONG_PARTY] = Result.ANSWERED
    result[np.flatnonzero(result == Result.ANSWERED)[:100]] = Result.RIGHT_PARTY
    silent = replace(PAST, result=result, talk_s=np.full(len(PAST), np.nan, np.float32))
    bundle = trained(silent, LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1).bundle
    parts = bundle.manifest.parts
    assert parts[RIGHT_PARTY].kind is parts[PROMISE].kind is Kind.TABLES and parts[RIGHT_PARTY].why
    assert parts[RIGHT_PARTY].rows == 100 and parts[PROMISE].positives == 0
    X = attempt_features(PAST.rows(slice(0, 500)), LEADS, bundle.feature_set)
    assert np.isnan(bundle.talk_s(X)).all()
    for told in (bundle.right_party(X), bundle.promise(X)):
        assert ((told > 0.0) & (told < 1.0)).all()
    assert bundle.promise(X).max() < 0.3


def test_talk_times_are_expected_seconds() -> None:
    X = attempt_features(PAST, LEADS, BUNDLE.feature_set)[PAST.answered]
    talk = PAST.talk_s[PAST.answered]
    told = BUNDLE.talk_s(X)
    assert told.mean() == pytest.approx(talk.mean(), rel=0.06)
    product = X[:, BUNDLE.feature_set.names.index("product")]
    assert told[product == 3].mean() > 1.5 * told[product == 0].mean()
    assert (told > 0.0).all()


def test_without_a_carrier_it_is_as_well_calibrated() -> None:
    rng = np.random.default_rng(1)
    lost = LOG.answered & (LOG.carrier == 1) & (rng.random(len(LOG)) < 0.6)
    log = replace(LOG, result=np.where(lost, Result.NO_ANSWER, LOG.result).astype(np.int8))
    bundle = trained(log.rows(slice(0, CUT)), LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1).bundle
    found, _, told = score_since(bundle, log, LEADS, NOW)
    assert found.ece is not None and found.ece < 0.04
    assert told.mean() == pytest.approx(log.answered[CUT:].mean(), abs=0.02)


def test_rows_that_teach_nothing_are_left_out() -> None:
    result = PAST.result.copy()
    result[::3] = Result.UNKNOWN
    bundle = trained(replace(PAST, result=result), LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1).bundle
    assert bundle.manifest.rows == int((result != Result.UNKNOWN).sum())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"result": np.full(CUT, Result.NO_ANSWER, np.int8)}, "found 0 answered of"),
        ({"result": np.full(CUT, Result.PROMISE, np.int8)}, "a single class"),
        ({"result": np.full(CUT, Result.UNKNOWN, np.int8)}, "at least 500 attempts"),
        ({"at": np.append(PAST.at[:-1], NOW + 86400.0)}, r"attempt \d+ lies in the future, at 2026-01-20"),
        ({"at": np.append(PAST.at[:-1], np.nan)}, "a time of every attempt"),
        ({"at": np.full(CUT, PAST.at[0])}, "at least three moments"),
        ({"at": PAST.at[::-1].copy()}, "in order of time"),
        ({"lead": np.append(PAST.lead[:-1], 2000).astype(np.int32)}, "is of a lead that is none of the 2000"),
    ],
)
def test_attempts_that_cannot_teach_are_refused_in_one_line(change: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(TrainingRefused, match=said) as told:
        trained(replace(PAST, **change), LEADS, settings=SETTINGS, seed=1, now=NOW, nthread=1)
    assert "\n" not in str(told.value)


def test_a_column_filled_in_after_the_calls_is_refused_unless_left_out() -> None:
    log = PAST.rows(slice(0, 2000))
    answered = np.zeros(len(LEADS), np.float32)
    one_each = np.unique(log.lead, return_index=True)[1]
    log = log.rows(np.sort(one_each))
    answered[log.lead] = log.answered * 30.0
    numeric = replace(LEADS, numeric={"last_talk": answered})
    words = {**LEADS.vocabularies, "status": ("called", "reached")}
    codes = {"status": (answered > 0).astype(np.int32)}
    for leads, name in ((numeric, "last_talk"), (replace(LEADS, categories=codes, vocabularies=words), "status")):
        with pytest.raises(TrainingRefused, match=f"column {name} alone tells .* leave it out"):
            trained(log, leads, seed=1, now=NOW, nthread=1)
        bundle = trained(log, leads, settings=TrainingSettings(without=(name,)), seed=1, now=NOW, nthread=1).bundle
        assert name not in bundle.feature_set.names
    with pytest.raises(TrainingRefused, match="expected a column salary to leave out"):
        trained(PAST, LEADS, settings=TrainingSettings(without=("salary",)), seed=1, now=NOW)


@pytest.mark.parametrize(("result", "said"), [(Result.RIGHT_PARTY, "right parties"), (Result.PROMISE, "promises")])
def test_a_column_that_tells_what_answers_came_to_is_refused_too(result: Result, said: str) -> None:
    """Of people who answered once: it says nothing of who answers, and all of what came of it."""
    log = PAST.rows(np.sort(np.unique(PAST.lead, return_index=True)[1]))
    draw = np.random.default_rng(3)
    known = draw.integers(0, 2, len(LEADS)).astype(np.float32)
    other = Result.WRONG_PARTY if result is Result.RIGHT_PARTY else Result.RIGHT_PARTY
    talked = log.result >= Result.WRONG_PARTY
    came = np.where(talked, np.where(known[log.lead] > 0, result, other), log.result).astype(np.int8)
    leads = replace(LEADS, numeric={**LEADS.numeric, "paid": known})
    with pytest.raises(TrainingRefused, match=f"column paid alone tells {said} .* leave it out"):
        trained(replace(log, result=came), leads, seed=1, now=NOW, nthread=1)


def test_explanations_sum_to_the_logit() -> None:
    X = attempt_features(PAST, LEADS, BUNDLE.feature_set)
    for part in (ANSWER, RIGHT_PARTY):
        for row in X[:: len(X) // 7]:
            told = BUNDLE.explained(part, row)
            assert sum(move for _, move in told) == pytest.approx(float(BUNDLE.margins(part, row[None])[0]), abs=1e-4)
