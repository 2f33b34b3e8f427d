import msgspec
import numpy as np
import pytest

from models.boosted import TreeSettings
from models.bundle import MANIFEST, Manifest, ModelBundle, ModelRefused, TrainingSettings, manifest_of, sealed
from models.features import attempt_features
from models.training import trained
from tests.unit.models.small_world import small_world

WORLD = small_world(leads=800, days=12, a_day=700, seed=5)
SETTINGS = TrainingSettings(trees=TreeSettings(rounds=15, eta=0.3))
BUNDLE = trained(WORLD.log, WORLD.leads, settings=SETTINGS, seed=1, now=float(WORLD.log.at[-1]), nthread=1).bundle
FILES = BUNDLE.to_files()
X = attempt_features(WORLD.log, WORLD.leads, BUNDLE.feature_set)


def refused(files: dict[str, bytes]) -> str:
    with pytest.raises(ModelRefused) as told:
        ModelBundle.from_files(files)
    message = str(told.value)
    assert "\n" not in message and len(message) < 300 and message.isprintable()
    return message


def test_files_tell_what_the_bundle_told() -> None:
    again = ModelBundle.from_files(FILES, nthread=1)
    for told in ("answer", "right_party", "promise", "talk_s"):
        assert np.array_equal(getattr(again, told)(X), getattr(BUNDLE, told)(X), equal_nan=True)
        assert getattr(again, told)(X).dtype == np.float32
    assert again.manifest.id == BUNDLE.id and again.feature_set == BUNDLE.feature_set
    assert again.to_files() == FILES
    assert again.id.startswith("m-2026011") and manifest_of(FILES).metrics == BUNDLE.manifest.metrics


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_cut_short_changed_or_missing_is_refused(name: str) -> None:
    data = FILES[name]
    for size in (0, 1, len(data) // 2, len(data) - 3):
        assert name in refused({**FILES, name: data[:size]})
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(data), 20):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        assert name in refused({**FILES, name: bytes(changed)})
    assert name in refused({k: v for k, v in FILES.items() if k != name})


@pytest.mark.parametrize("hostile", [b"", b"[]", b"null", b"\xff\xfe", b"{" * 50_000, b"\x00" * 100, b"[" * 100_000])
def test_a_hostile_manifest_is_refused(hostile: bytes) -> None:
    assert MANIFEST in refused({**FILES, MANIFEST: hostile})


def resealed(**change: object) -> dict[str, bytes]:
    """Files of a manifest that was changed by somebody who can seal."""
    manifest = msgspec.json.decode(FILES[MANIFEST], type=Manifest)
    changed = msgspec.structs.replace(manifest, seal="0" * 64, **change)
    return {**FILES, MANIFEST: sealed(msgspec.json.encode(changed))}


def test_another_feature_set_version_or_format_is_refused() -> None:
    fewer = msgspec.structs.replace(BUNDLE.feature_set, numeric=())
    assert "feature set" in refused(resealed(feature_set=fewer))
    assert "range" in refused(resealed(feature_set=fewer, feature_hash=fewer.hash))
    older = msgspec.structs.replace(BUNDLE.feature_set, version=0)
    assert "train the model again" in refused(resealed(feature_set=older, feature_hash=older.hash))
    assert "format" in refused(resealed(format=99))


def test_what_the_manifest_lacks_is_told() -> None:
    assert "part" in refused(resealed(parts={}))
    assert "calibration" in refused(resealed(calibrations={}))
    assert "found none" in refused(resealed(sha256={}))


def test_no_file_of_another_name_is_read() -> None:
    assert ModelBundle.from_files({**FILES, "../../x": b"no", "extra.ubj": b""}).id == BUNDLE.id


def test_rows_of_other_columns_are_an_error_not_a_number() -> None:
    with pytest.raises(ValueError, match="columns of model"):
        BUNDLE.answer(X[:, 1:])
    assert len(BUNDLE.answer(X[:0])) == 0


def test_probabilities_stay_within_bounds_whatever_a_row_holds() -> None:
    rows = np.concatenate([np.full((1, X.shape[1]), v, np.float32) for v in (np.nan, 0.0, -1e30, 1e30)])
    for told in (BUNDLE.answer(rows), BUNDLE.right_party(rows), BUNDLE.by_tables("answer", rows)):
        assert ((told >= 0.0) & (told <= 1.0)).all()
    assert (BUNDLE.talk_s(rows) > 0.0).all()
