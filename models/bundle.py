"""A trained set of models as one thing: answer, right party of an answer, promise of a right party, talk time.

It tells rows of its own feature set, and travels as files whose digests stand in its manifest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from enum import StrEnum

import msgspec
import numpy as np

from models.attempts import Singles
from models.boosted import Boosted, TreeSettings, TreesRefused
from models.calibration import Calibration
from models.empirical_bayes import RateTables
from models.evaluation import Scores
from models.feature_set import VERSION, FeatureSet

FORMAT = 1
MANIFEST = "manifest.json"
_NO_SEAL = "0" * 64
ANSWER, RIGHT_PARTY, PROMISE = "answer", "right_party", "promise"
PARTS = (ANSWER, RIGHT_PARTY, PROMISE)
_TALK_TREES = "talk.ubj"
_LARGEST = 256 * 2**20  # bytes of one file
LEAST_TALK_S, MOST_TALK_S = 1.0, 6 * 3600.0


class ModelRefused(ValueError):
    """Files that are no model, or not the one that was written, or of columns that this version does not make."""


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How models are trained."""

    trees: TreeSettings = TreeSettings()
    calibrate_share: float = 0.1  # of the rows, the last before those that score
    score_share: float = 0.08  # of the rows, the very last: candidates are accepted by them
    least_rows: int = 500  # attempts that teach
    least_positives: int = 30  # answers, and as many attempts without one
    least_for_trees: int = 200  # positives and negatives each; fewer: the tables alone
    # Rows: up to so many, trees that start at the tables' logit are tried too. With more they never told better.
    on_tables_up_to: int = 200_000
    without_carrier: float = 0.3  # share of the rows whose carrier is hidden, since plans are made before it is chosen
    refit_up_to: int = 1_500_000  # rows: up to so many, trees are grown once more on all rows, the last days included
    right_party_prior: float = 0.6  # of an answer, where none is known
    promise_prior: float = 0.3  # of a right party, where none is known
    without: tuple[str, ...] = ()  # columns of the list to leave out


class Kind(StrEnum):
    """What tells a part: whatever told later days best."""

    TABLES = "tables"
    TREES_ON_TABLES = "trees on tables"  # the tables' logit is the trees' start
    TREES = "trees"  # they start at the rate of all


class PartFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the models was taught by, and how it did on the last days before it was grown once more."""

    rows: int
    positives: int
    scores: Scores
    kind: Kind
    why: str | None = None  # no trees were tried
    rounds: int = 0  # trees


class TalkFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The talk time: logarithms about `mean_log` with deviation `sigma`, moved by trees where there are enough."""

    rows: int
    mean_log: float | None  # None: no talk time was known
    sigma: float = 0.0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is."""

    format: int = FORMAT
    id: str
    made_at: float  # UTC seconds
    feature_set: FeatureSet
    feature_hash: str
    first_at: float  # training window, UTC seconds, both within
    last_at: float
    scored_from: float  # the last days begin here
    rows: int  # attempts that taught
    positives: int  # answers among them
    parts: dict[str, PartFigures]
    talk: TalkFigures
    calibrations: dict[str, Calibration]
    settings: TrainingSettings
    seed: int
    sha256: dict[str, str] = {}  # by file
    seal: str = ""  # see `sealed`

    @property
    def metrics(self) -> Scores:
        """How `answer` did on the last days."""
        return self.parts[ANSWER].scores


class ModelBundle:
    """Models ready to tell rows X (n, k) of `feature_set`, NaN unknown. Pure: equal rows, equal numbers."""

    def __init__(
        self, manifest: Manifest, parts: Mapping[str, tuple[RateTables, Boosted | None]], talk: Boosted | None
    ) -> None:
        self.manifest = manifest
        self.tables = {name: tables for name, (tables, _) in parts.items()}
        self.trees = {name: trees for name, (_, trees) in parts.items()}
        self._talk = talk
        self.nthread = 2  # threads that telling may take

    @property
    def id(self) -> str:
        """The version's name."""
        return self.manifest.id

    @property
    def feature_set(self) -> FeatureSet:
        """The columns it is fed."""
        return self.manifest.feature_set

    def answer(self, X: Singles) -> Singles:
        """Probability of a live answer, float32 (n,), in (0, 1)."""
        return self._told(ANSWER, X)

    def right_party(self, X: Singles) -> Singles:
        """Probability that it is the right party, of an answer."""
        return self._told(RIGHT_PARTY, X)

    def promise(self, X: Singles) -> Singles:
        """Probability of a promise, of a right party."""
        return self._told(PROMISE, X)

    def talk_s(self, X: Singles) -> Singles:
        """Expected talk time of an answer, seconds, above 0; NaN where no talk time was ever known.

        exp(mean of the logarithm + sigma^2 / 2): the mean of a lognormal.
        """
        figures = self.manifest.talk
        if figures.mean_log is None:
            return np.full(len(X), np.nan, dtype=np.float32)
        mean = np.full(len(X), figures.mean_log, dtype=np.float32)
        if self._talk is not None:
            mean = self._talk.margins(X, mean, nthread=self.nthread)
        told = np.exp(np.minimum(mean + np.float32(figures.sigma**2 / 2.0), np.float32(20.0)))
        within: Singles = np.clip(told, np.float32(LEAST_TALK_S), np.float32(MOST_TALK_S))
        return within

    def by_tables(self, part: str, X: Singles) -> Singles:
        """Probability of a part by its tables alone, float32 (n,): for leads that the trees know nothing of."""
        self._check(X)
        odds = np.exp(-self.tables[part].margin(X, nthread=self.nthread))
        told: Singles = np.reciprocal(odds + np.float32(1.0))
        return told

    def margins(self, part: str, X: Singles) -> Singles:
        """Logits of a part before its calibration."""
        self._check(X)
        tables, trees = self.tables[part], self.trees[part]
        if trees is None:
            return tables.margin(X, nthread=self.nthread)
        start: Singles
        if self.manifest.parts[part].kind is Kind.TREES:
            start = np.full(len(X), tables.stored.base, dtype=np.float32)
        else:
            start = tables.margin(X, nthread=self.nthread)
        return trees.margins(X, start, nthread=self.nthread)

    def explained(self, part: str, row: Singles, most: int = 8) -> list[tuple[str, float]]:
        """What moves the logit of one row (k,): the tables in their order, then the strongest columns of the trees.

        Their sum, with the trees' columns not shown as the last, is the logit before calibration.
        """
        self._check(row[None, :])
        told = self.tables[part].explained(row)
        trees = self.trees[part]
        if trees is None:
            return told
        if self.manifest.parts[part].kind is Kind.TREES:
            told = told[:1]
        start = np.array([sum(move for _, move in told)], dtype=np.float32)
        total = float(trees.margins(row[None, :], start)[0] - start[0])
        added = trees.contributions(row[None, :], np.zeros(1, dtype=np.float32))[0, :-1].astype(np.float64)
        strongest = [int(i) for i in np.argsort(-np.abs(added))[:most] if abs(added[i]) > 1e-4]
        told += [(self.feature_set.names[i], float(added[i])) for i in strongest]
        return [*told, ("other columns", total - float(sum(added[i] for i in strongest)))]

    def _told(self, part: str, X: Singles) -> Singles:
        return self.manifest.calibrations[part].probabilities(self.margins(part, X))

    def _check(self, X: Singles) -> None:
        expected = len(self.feature_set.names)
        if X.ndim != 2 or X.shape[1] != expected:
            raise ValueError(f"expected rows of the {expected} columns of model {self.id}, were of shape {X.shape}")

    # ---- files --------------------------------------------------------------------------------------------------
    def to_files(self) -> dict[str, bytes]:
        """The bundle as files by name. Equal bundles give equal bytes."""
        files: dict[str, bytes] = {}
        for name in PARTS:
            files[f"{name}.tables.json"] = self.tables[name].to_bytes()
            trees = self.trees[name]
            if trees is not None:
                files[f"{name}.ubj"] = trees.to_bytes()
        if self._talk is not None:
            files[_TALK_TREES] = self._talk.to_bytes()
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
        unsealed = msgspec.structs.replace(self.manifest, sha256=digests, seal=_NO_SEAL)
        data = msgspec.json.format(msgspec.json.encode(unsealed), indent=1) + b"\n"
        return {MANIFEST: sealed(data), **files}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, nthread: int = 2) -> ModelBundle:
        """Read a bundle. Raises `ModelRefused` in one line for whatever is not exactly what `to_files` wrote."""
        manifest = manifest_of(files)
        columns = len(manifest.feature_set.names)
        parts: dict[str, tuple[RateTables, Boosted | None]] = {}
        for name in PARTS:
            tables = _tables(files, manifest, f"{name}.tables.json", columns)
            trees = None
            if manifest.parts[name].kind is not Kind.TABLES:
                trees = _trees(files, manifest, f"{name}.ubj", columns, nthread)
            parts[name] = (tables, trees)
        talk = _trees(files, manifest, _TALK_TREES, columns, nthread) if _TALK_TREES in manifest.sha256 else None
        bundle = cls(manifest, parts, talk)
        bundle.nthread = nthread
        return bundle


def manifest_of(files: Mapping[str, bytes]) -> Manifest:
    """Read and check the manifest alone, digests of the files included. Raises `ModelRefused` in one line."""
    data = files.get(MANIFEST)
    if data is None:
        raise ModelRefused(f"expected a file {MANIFEST}, found none")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise ModelRefused(f"{MANIFEST}: cut short or no manifest ({_shown(str(fault))})") from fault
    if manifest.format != FORMAT:
        raise ModelRefused(f"{MANIFEST}: expected format {FORMAT}, was {manifest.format}: train the model again")
    if sealed(data.replace(manifest.seal.encode(), _NO_SEAL.encode())) != data:
        raise ModelRefused(
            f"{MANIFEST}: was changed after the training (its seal does not fit): restore or train again"
        )
    found = manifest.feature_set.hash
    if found != manifest.feature_hash or manifest.feature_set.version != VERSION:
        raise ModelRefused(
            f"{MANIFEST}: is of feature set {manifest.feature_hash}, this version makes {found}: train the model again"
        )
    for name, digest in manifest.sha256.items():
        held = files.get(name)
        if held is None:
            raise ModelRefused(f"expected a file {_shown(name)}, found none")
        if len(held) > _LARGEST or hashlib.sha256(held).hexdigest() != digest:
            raise ModelRefused(f"{_shown(name)}: cut short or changed after the training (its sha256 does not fit)")
    _check_parts(manifest)
    return manifest


def _check_parts(manifest: Manifest) -> None:
    for name in PARTS:
        if name not in manifest.parts or name not in manifest.calibrations:
            raise ModelRefused(f"{MANIFEST}: expected a part {name} and its calibration, found none")
        faults = manifest.calibrations[name].faults()
        if faults:
            raise ModelRefused(f"{MANIFEST}: calibration of {name}: {faults[0]}")
    talk = manifest.talk
    if talk.mean_log is not None and not (math.isfinite(talk.mean_log) and 0.0 <= talk.sigma < 10.0):
        raise ModelRefused(f"{MANIFEST}: expected a finite talk time, was {talk.mean_log} with deviation {talk.sigma}")


def sealed(data: bytes) -> bytes:
    """A manifest's bytes with the seal in its place: sha256 of them while the seal was all zeros."""
    return data.replace(_NO_SEAL.encode(), hashlib.sha256(data).hexdigest().encode())


def _tables(files: Mapping[str, bytes], manifest: Manifest, name: str, columns: int) -> RateTables:
    if name not in manifest.sha256:
        raise ModelRefused(f"{MANIFEST}: expected a file {name}, found none")
    try:
        return RateTables.from_bytes(files[name], columns)
    except ValueError as fault:
        raise ModelRefused(f"{name}: {_shown(str(fault))}") from fault


def _trees(files: Mapping[str, bytes], manifest: Manifest, name: str, columns: int, nthread: int) -> Boosted:
    if name not in manifest.sha256:
        raise ModelRefused(f"{MANIFEST}: expected a file {name}, found none")
    try:
        return Boosted.from_bytes(files[name], columns, nthread=nthread)
    except TreesRefused as fault:
        raise ModelRefused(f"{name}: {_shown(str(fault))}") from fault


def _shown(text: str) -> str:
    """Foreign text on one line."""
    return "".join(c if c.isprintable() else "?" for c in text)[:160]
