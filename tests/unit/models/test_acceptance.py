from dataclasses import replace

import msgspec
import numpy as np

from models.acceptance import judged, refusals
from models.attempts import joined
from models.boosted import TreeSettings
from models.bundle import TrainingSettings
from models.evaluation import Scores, scores
from models.training import trained
from tests.unit.models.small_world import MONDAY, small_world

SETTINGS = TrainingSettings(trees=TreeSettings(rounds=25, eta=0.2))
RNG = np.random.default_rng(1)
P = RNG.uniform(0.05, 0.5, 20_000)
Y = RNG.random(20_000) < P
GOOD = scores(Y, P)


def test_a_good_model_is_accepted_with_and_without_a_champion() -> None:
    assert refusals(GOOD) == []
    assert refusals(GOOD, GOOD) == []
    assert refusals(GOOD, scores(Y, np.full(len(Y), Y.mean()))) == []


def test_a_worse_model_is_refused() -> None:
    noisy = scores(Y, np.clip(P + RNG.normal(0.0, 0.08, len(P)), 0.01, 0.99))
    assert any("worse than the champion" in line for line in refusals(noisy, GOOD))
    assert refusals(GOOD, noisy) == []


def test_a_miscalibrated_model_is_refused_even_without_a_champion() -> None:
    assert any("miscalibrated" in line for line in refusals(scores(Y, P * 0.7)))
    assert any("telling everybody the same" in line for line in refusals(scores(Y, 0.55 - P)))


def test_few_rows_are_allowed_the_error_of_chance() -> None:
    accepted = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.05, 0.5, 600)
        accepted += refusals(scores(rng.random(600) < p, p)) == []
    assert accepted >= 37


def test_other_rows_are_no_comparison() -> None:
    assert any("different rows" in line for line in refusals(GOOD, scores(Y[1:], P[1:])))
    assert refusals(Scores(rows=0, positives=0)) == ["no attempts on the last days to judge by"]


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
