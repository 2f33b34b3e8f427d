"""Whether a newly trained model may take over: judged on the same last days as the champion, never on random rows."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from models.attempts import AttemptLog
from models.bundle import ModelBundle
from models.evaluation import Scores, ece_by_chance, scores
from models.lead_table import LeadTable
from models.training import Trained, score_since

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


def refusals(candidate: Scores, champion: Scores | None = None, limits: Limits | None = None) -> list[str]:
    """Say why a candidate is refused, one line each; nothing where it is accepted.

    Both must be scored on the same rows. Without a champion, a candidate must beat telling everybody the same.
    """
    allowed = limits or Limits()
    if candidate.log_loss is None or candidate.ece is None or candidate.base_rate is None:
        return ["no attempts on the last days to judge by"]
    told = []
    if champion is not None and (champion.rows, champion.positives) != (candidate.rows, candidate.positives):
        told.append(f"compared on different rows: {candidate.rows} and the champion's {champion.rows}")
    elif champion is not None and champion.log_loss is not None:
        most = champion.log_loss * (1.0 + allowed.worse_log_loss)
        if candidate.log_loss > most:
            told.append(f"worse than the champion: log loss {candidate.log_loss:.4f} against {champion.log_loss:.4f}")
    base = candidate.base_log_loss
    if base is not None and candidate.log_loss > base * (1.0 + allowed.worse_log_loss):
        told.append(f"worse than telling everybody the same: log loss {candidate.log_loss:.4f} against {base:.4f}")
    most_ece = allowed.most_ece + 1.5 * ece_by_chance(candidate.rows, candidate.base_rate)
    if candidate.ece > most_ece:
        told.append(f"miscalibrated: expected calibration error {candidate.ece:.4f}, at most {most_ece:.4f}")
    return told


def judged(
    candidate: Trained, champion: ModelBundle | None, log: AttemptLog, leads: LeadTable, limits: Limits | None = None
) -> Judgement:
    """Judge a candidate, trained on `log`, against the champion on the last days, told before they were taught.

    Only attempts after the champion's training count, since it tells those it was taught by too well. Where these are
    too few, the candidate is refused: there is nothing yet by which it could be better.
    """
    since = candidate.bundle.manifest.scored_from
    if champion is None:
        told = scores(candidate.y, candidate.told)
        return Judgement(refusals(told, None, limits), told, None, since)
    unseen = log.at[candidate.rows] > champion.manifest.last_at
    rows, answers = int(unseen.sum()), int(candidate.y[unseen].sum())
    if rows < _LEAST_UNSEEN or answers < _LEAST_ANSWERS:
        wanted = f"expected {_LEAST_UNSEEN} attempts and {_LEAST_ANSWERS} answers since the champion was trained"
        told = scores(candidate.y, candidate.told)
        return Judgement([f"{wanted}, found {rows} and {answers}: train again later"], told, None, since)
    since = float(log.at[candidate.rows[unseen][0]])
    told = scores(candidate.y[unseen], candidate.told[unseen])
    held = score_since(champion, log, leads, since)[0]
    return Judgement(refusals(told, held, limits), told, held, since)
