"""Features as of an attempt: what was known before it, for those on record and for those that might be placed."""

from __future__ import annotations

from models.attempts import AttemptLog, Singles
from models.feature_set import FeatureSet, feature_set_of, fits, unknown_rows
from models.history import History, features_at
from models.lead_table import LeadTable

__all__ = ["FeatureSet", "History", "attempt_features", "feature_set_of", "features_at", "fits", "unknown_rows"]


def attempt_features(log: AttemptLog, leads: LeadTable, feature_set: FeatureSet) -> Singles:
    """Return a row for each attempt, of what was known before it, by playing the log from its beginning.

    Shape (attempts, columns of `feature_set.names`), float32, NaN unknown. No row depends on an attempt that is not
    earlier than it. Raises `ValueError` for attempts out of order or leads that do not fit.
    """
    return History(len(leads)).features_and_observe(log, leads, feature_set)
