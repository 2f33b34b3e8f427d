from dataclasses import replace

import msgspec
import numpy as np
import pytest
from scipy.special import expit

from models.acceptance import judged, refusals
from models.attempts import joined
from models.boosted import TreeSettings
from models.bundle import TrainingSettings
from models.training import trained
from tests.unit.models.small_world import MONDAY, small_world

SETTINGS = TrainingSettings(trees=TreeSettings(rounds=25, eta=0.2))
RNG = np.random.default_rng(1)
P = RNG.uniform(0.05, 0.5, 20_000)
Y = RNG.random(20_000) < P


def test_a_good_model_is_accepted_with_and_without_a_champion() -> None:
    assert refusals(Y, P) == []
    assert refusals(Y, P, P) == []
    assert refusals(Y, P, np.full(len(Y), Y.mean())) == []


def test_a_worse_model_is_refused() -> None:
    noisy = np.clip(P + RNG.normal(0.0, 0.08, len(P)), 0.01, 0.99)
    assert any("worse than the champion" in line for line in refusals(Y, noisy, P))
    assert refusals(Y, P, noisy) == []


def test_a_miscalibrated_model_is_refused_even_without_a_champion() -> None:
    assert any("miscalibrated" in line for line in refusals(Y, P * 0.7))
    assert any("telling everybody the same" in line for line in refusals(Y, 0.55 - P))


def test_few_rows_are_allowed_the_error_of_chance() -> None:
    accepted = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.05, 0.5, 600)
        accepted += refusals(rng.random(600) < p, p) == []
    assert accepted >= 37


def _days_judged(rows: int, own: float, theirs: float, times: int) -> float:
    """The share of days on which a model whose logits err by `own` is refused for being worse than one whose err by
    `theirs`: the truth and the noise of each are drawn anew every time."""
    refused = 0
    for seed in range(times):
        rng = np.random.default_rng(seed)
        logit = rng.normal(-2.0, 0.8, rows)
        y = rng.random(rows) < expit(logit)
        told, held = (expit(logit + rng.normal(0.0, error, rows)) for error in (own, theirs))
        refused += any("worse than the champion" in line for line in refusals(y, told, held))
    return refused / times


@pytest.mark.parametrize(("rows", "times"), [(1_000, 300), (20_000, 120)])
def test_an_equal_model_is_seldom_refused(rows: int, times: int) -> None:
    # One in forty-four by theory, and less where the tolerance is wider than the errors. Binomial, 120 times: at most
    # 7 with 99 %. A bare tolerance of 0.2 % refuses nearly half of them at 1,000 rows.
    assert _days_judged(rows, own=0.3, theirs=0.3, times=times) < 0.06


def test_a_worse_model_is_always_refused_where_there_are_rows_enough() -> None:
    # Logits that err by 0.5 and 0.3: 2.4 % of log loss apart, six standard errors at 20,000 rows.
    assert _days_judged(20_000, own=0.5, theirs=0.3, times=50) == 1.0
    assert _days_judged(1_000, own=0.9, theirs=0.3, times=100) > 0.8


def test_a_slip_within_the_tolerance_is_accepted_however_sure_it_is() -> None:
    y, p = np.tile(Y, 20), np.tile(P, 20)
    assert refusals(y, expit(np.log(p / (1 - p)) + 0.03), p) == []


def test_other_rows_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="expected probabilities of the same 20000 rows"):
        refusals(Y, P, P[1:])
    assert refusals(Y[:0], P[:0]) == ["no attempts on the last days to judge by"]


WORLD = small_world(leads=1500, days=24, a_day=900, seed=11)
LOG = WORLD.log


def _days(first: int, last: int) -> slice:
    return slice(*(int(np.searchsorted(LOG.at, MONDAY + day * 86400.0)) for day in (first, last)))


def test_both_are_compared_on_the_same_days_that_neither_was_taught_by() -> None:
    champion = trained(
        LOG.rows(_days(0, 14)), WORLD.leads, settings=SETTINGS, seed=1, now=float(LOG.at[-1]), nthread=1
    ).bundle
    candidate = trained(LOG, WORLD.leads, settings=SETTINGS, seed=1, now=float(LOG.at[-1]), nthread=1)
    found = judged(candidate, champion, LOG, WORLD.leads)
    assert found.refusals == []
    assert found.champion is not None and found.champion.rows == found.candidate.rows
    assert found.champion.positives == found.candidate.positives
    assert found.since >= max(candidate.bundle.manifest.scored_from, champion.manifest.last_at)
    assert judged(candidate, None, LOG, WORLD.leads).champion is None


def test_a_candidate_taught_nonsense_is_refused() -> None:
    past = LOG.rows(_days(0, 14))
    champion = trained(past, WORLD.leads, settings=SETTINGS, seed=1, now=float(LOG.at[-1]), nthread=1).bundle
    shuffled = past.rows(slice(0, len(past)))
    shuffled = replace(shuffled, result=np.random.default_rng(1).permutation(shuffled.result))
    told = joined([shuffled, LOG.rows(_days(14, 24))])
    candidate = trained(
        told,
        WORLD.leads,
        settings=msgspec.structs.replace(SETTINGS, calibrate_share=0.2, score_share=0.2),
        seed=1,
        now=float(LOG.at[-1]),
        nthread=1,
    )
    assert any("worse than the champion" in line for line in judged(candidate, champion, LOG, WORLD.leads).refusals)


def test_nothing_new_since_the_champion_is_nothing_to_judge_by() -> None:
    done = trained(LOG, WORLD.leads, settings=SETTINGS, seed=1, now=float(LOG.at[-1]), nthread=1)
    (line,) = judged(done, done.bundle, LOG, WORLD.leads).refusals
    assert "since the champion was trained, found 0 and 0" in line
