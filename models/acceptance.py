"""Whether a newly trained model may take over: judged on the same last days as the champion, never on random rows.

How it works: on the same rows each model has a loss of its own, and the rows' differences say which is worse. Most of a
row's loss is chance that both share, so the mean difference is known far better than either log loss. A candidate is
worse only where that mean exceeds both a tolerance and `SURE` of its own standard errors. A training comes every day:
with the tolerance alone nearly every second of two equally good models would be kept aside at 1,000 rows, with one
error every sixth, with two one in forty-four. What slips through is worse by about two errors, 2 % of log loss at 1,000
rows and 0.5 % at 20,000 (for models that differ by 0.4 on the logit); the next training takes its place, and as each is
trained afresh, such slips do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from models.attempts import AttemptLog, Flags, Floats
from models.bundle import ModelBundle
from models.evaluation import Numbers, Scores, ece_by_chance, row_losses, scores
from models.lead_table import LeadTable
from models.training import Trained, score_since

SURE = 2.0  # standard errors of a mean difference
_LEAST_UNSEEN = 300  # attempts after the champion's training, to compare by
_LEAST_ANSWERS = 20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is still accepted."""

    worse_log_loss: float = 0.002  # share of the champion's log loss by which a candidate may be worse
    most_ece: float = 0.02  # beyond what chance alone shows of so many rows


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a candidate is accepted, and the scores that say so, on the same rows."""

    refusals: list[str]  # none: accepted
    candidate: Scores
    champion: Scores | None
    since: float  # the rows compared begin here, UTC seconds


def refusals(y: Flags, told: Numbers, held: Numbers | None = None, limits: Limits | None = None) -> list[str]:
    """Say why a candidate is refused, one line each; nothing where it is accepted.

    `y` (n,): what came. `told` (n,): the candidate's probabilities of the same rows, `held` the champion's. Without a
    champion, a candidate must still be no worse than telling everybody the same. Raises `ValueError` for other shapes.
    """
    for given in (told, *(() if held is None else (held,))):
        if given.shape != y.shape:
            raise ValueError(f"expected probabilities of the same {len(y)} rows, were {len(given)}")
    allowed = limits or Limits()
    found = scores(y, told)
    if found.log_loss is None or found.ece is None or found.base_rate is None:
        return ["no attempts on the last days to judge by"]
    losses, said = row_losses(y, told), []
    against = [] if held is None else [("the champion", row_losses(y, held))]
    same: Floats = np.full(len(y), found.base_rate)
    for name, theirs in (*against, ("telling everybody the same", row_losses(y, same))):
        if _worse(losses, theirs, allowed.worse_log_loss):
            said.append(f"worse than {name}: log loss {losses.mean():.4f} against {theirs.mean():.4f}")
    most_ece = allowed.most_ece + 1.5 * ece_by_chance(found.rows, found.base_rate)
    if found.ece > most_ece:
        said.append(f"miscalibrated: expected calibration error {found.ece:.4f}, at most {most_ece:.4f}")
    return said


def _worse(losses: Floats, theirs: Floats, tolerance: float) -> bool:
    """Whether the losses are larger than others of the same rows, by more than the tolerance and than chance."""
    more = losses - theirs
    mean, error = float(more.mean()), float(more.std() / np.sqrt(len(more)))
    return mean > tolerance * float(theirs.mean()) and mean > SURE * error


def judged(
    candidate: Trained, champion: ModelBundle | None, log: AttemptLog, leads: LeadTable, limits: Limits | None = None
) -> Judgement:
    """Judge a candidate, trained on `log`, against the champion on the last days, told before they were taught.

    Only attempts after the champion's training count, since it tells those it was taught by too well. Where these are
    too few, the candidate is refused: there is nothing yet by which it could be better.
    """
    since = candidate.bundle.manifest.scored_from
    y, told = candidate.y, candidate.told
    if champion is None:
        return Judgement(refusals(y, told, None, limits), scores(y, told), None, since)
    unseen = log.at[candidate.rows] > champion.manifest.last_at
    rows, answers = int(unseen.sum()), int(y[unseen].sum())
    if rows < _LEAST_UNSEEN or answers < _LEAST_ANSWERS:
        wanted = f"expected {_LEAST_UNSEEN} attempts and {_LEAST_ANSWERS} answers since the champion was trained"
        line = f"{wanted}, found {rows} and {answers}: train again later"
        return Judgement([line], scores(y, told), None, since)
    since = float(log.at[candidate.rows[unseen][0]])
    _, of_champion, held = score_since(champion, log, leads, since)
    # Attempts of the very second at which the last days begin may be of one and not of the other.
    _, own, theirs = np.intersect1d(candidate.rows[unseen], of_champion, assume_unique=True, return_indices=True)
    y, told, held = y[unseen][own], told[unseen][own], held[theirs]
    return Judgement(refusals(y, told, held, limits), scores(y, told), scores(y, held), since)
