"""Which columns a model is fed: named, in an order, with the values that categories had when it was trained."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.attempts import AttemptLog
from models.feature_kernels import COLUMNS
from models.lead_table import LeadTable

VERSION = 1  # of the columns of `feature_kernels`: another meaning of one of them is another version
_TOLD_VALUES = 3
_TOLD_LENGTH = 40


class FeatureSet(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of a feature matrix X: those of time and history, then the lead's own.

    `vocabularies`: the values of each category, by code. `paydays`: days of the month; one that a month lacks is its
    last day.
    """

    numeric: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    of_numbers: tuple[str, ...] = ()
    vocabularies: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    carriers: tuple[str, ...] = ()
    paydays: tuple[int, ...] = (15, 31)
    version: int = VERSION

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of X in order. A column of the list that is named as one before it has `list_` put before it."""
        names = list(COLUMNS)
        for name in (*self.numeric, *self.categories, *self.of_numbers):
            while name in names:
                name = f"list_{name}"
            names.append(name)
        return tuple(names)

    @property
    def hash(self) -> str:
        """16 hex digits, equal for equal columns with equal codes."""
        return hashlib.sha256(msgspec.json.encode([self.names, self], order="sorted")).hexdigest()[:16]


def feature_set_of(leads: LeadTable, log: AttemptLog, *, paydays: tuple[int, ...] = (15, 31)) -> FeatureSet:
    """Choose the columns that attempts on these leads can teach something about.

    Numbers of which nothing is known for any lead attempted are left out. A vocabulary holds what occurred among the
    leads attempted, sorted, so that two trainings on the same people have the same codes. Raises `ValueError` for a
    pay-day that is no day of a month.
    """
    if any(not 1 <= day <= 31 for day in paydays):
        raise ValueError(f"expected pay-days in [1, 31], were {', '.join(map(str, paydays))}")
    tried = np.unique(log.lead[log.known])
    vocabularies = {}
    for kind in (leads.categories, leads.of_numbers):
        for name, codes in kind.items():
            words = leads.vocabularies.get(name, ())
            seen = np.unique(codes[tried])
            vocabularies[name] = tuple(sorted(words[code] for code in seen if 0 <= code < len(words)))
    used = np.unique(log.carrier)
    return FeatureSet(
        numeric=tuple(sorted(name for name, x in leads.numeric.items() if np.isfinite(x[tried]).any())),
        categories=tuple(sorted(name for name in leads.categories if vocabularies[name])),
        of_numbers=tuple(sorted(name for name in leads.of_numbers if vocabularies[name])),
        vocabularies={name: words for name, words in sorted(vocabularies.items()) if words},
        carriers=tuple(sorted({log.carriers[code] for code in used if 0 <= code < len(log.carriers)})),
        paydays=tuple(sorted(set(paydays))),
    )


def fits(feature_set: FeatureSet, leads: LeadTable) -> list[str]:
    """Say what keeps these leads from being described by this feature set; an empty list if nothing does.

    A value that the feature set does not know is no such thing: see `unknown_rows`.
    """
    wrong = shape_faults(feature_set, leads)
    for name in (*feature_set.categories, *feature_set.of_numbers):
        codes = leads.categories.get(name, leads.of_numbers.get(name))
        words = leads.vocabularies.get(name, ())
        if codes is not None and codes.size and not -1 <= codes.min() <= codes.max() < len(words):
            span = f"{codes.min()} to {codes.max()}"
            wrong.append(f"expected codes of {name} in [-1, {len(words) - 1}], found {span}")
    return wrong


def shape_faults(feature_set: FeatureSet, leads: LeadTable) -> list[str]:
    """Say which columns are missing or of another shape: what `fits` says, without a look at every lead."""
    wrong = []
    if feature_set.version != VERSION:
        wrong.append(f"expected features of version {VERSION}, found {feature_set.version}: train the model again")
    held = ((feature_set.numeric, leads.numeric, 1), (feature_set.categories, leads.categories, 1))
    for names, columns, dimensions in (*held, (feature_set.of_numbers, leads.of_numbers, 2)):
        for name in names:
            found = columns.get(name)
            if found is None:
                wrong.append(f"expected a column {name}, found none: add it to the list, or train again without it")
            elif found.ndim != dimensions or len(found) != len(leads):
                wrong.append(f"expected {len(leads)} leads in column {name}, found shape {found.shape}")
    return wrong


def unknown_rows(feature_set: FeatureSet, leads: LeadTable) -> tuple[NDArray[np.bool_], list[str]]:
    """Find leads with a value that no attempt had shown when the feature set was made.

    Returns a mask, shape (leads,), and one line for each column with such values. A value that is merely missing is
    not unknown. `features_at` gives both as NaN.
    """
    mask = np.zeros(len(leads), dtype=np.bool_)
    told = []
    for kind, names in ((leads.categories, feature_set.categories), (leads.of_numbers, feature_set.of_numbers)):
        for name in names:
            if name not in kind:
                continue
            words = leads.vocabularies.get(name, ())
            strange = np.isnan(recoding(words, feature_set.vocabularies.get(name, ()))[:-1])
            codes = kind[name]
            hit = (codes >= 0) & np.append(strange, False)[np.clip(codes, -1, len(words))]
            rows = hit if hit.ndim == 1 else hit.any(axis=1)
            if rows.any():
                found = [words[code] for code in np.unique(codes[hit])]
                some = ", ".join(repr(word[:_TOLD_LENGTH]) for word in found[:_TOLD_VALUES])
                more = f" and {len(found) - _TOLD_VALUES} more" if len(found) > _TOLD_VALUES else ""
                told.append(f"{name}: {some}{more} never seen in training; leads: {rows.sum()}")
            mask |= rows
    return mask, told


@lru_cache(maxsize=64)
def recoding(words: tuple[str, ...], vocabulary: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the code in `vocabulary` of each of `words`, NaN where it has none, and NaN as the last: of code -1."""
    code_of = {word: code for code, word in enumerate(vocabulary)}
    codes = np.array([*(code_of.get(word, np.nan) for word in words), np.nan], dtype=np.float32)
    codes.flags.writeable = False
    return codes
