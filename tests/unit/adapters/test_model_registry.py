"""The registry: versions are whole or not there, who serves is told, and damage never stops a campaign."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from dialer.adapters.model_registry import KEPT, ModelRegistry, Standing
from dialer.errors import ConfigError
from models.attempts import AttemptLog, Result
from models.bundle import ModelBundle
from models.lead_table import LeadTable
from models.training import trained

AT = 1_763_672_400.0


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    """A model of so few attempts that it is made of tables alone."""
    rng = np.random.default_rng(3)
    n, leads = 600, 40
    log = AttemptLog(
        at=AT - 20 * 86400.0 + np.sort(rng.uniform(0.0, 19 * 86400.0, n)),
        lead=rng.integers(0, leads, n).astype(np.int32),
        number=np.zeros(n, dtype=np.int8),
        offset_s=np.zeros(n, dtype=np.int32),
        result=np.where(rng.random(n) < 0.2, Result.RIGHT_PARTY, Result.NO_ANSWER).astype(np.int8),
        holiday=np.zeros(n, dtype=np.bool_),
        carrier=np.full(n, -1, dtype=np.int16),
        ring_s=np.full(n, np.nan, dtype=np.float32),
        talk_s=np.full(n, np.nan, dtype=np.float32),
        propensity=np.full(n, np.nan, dtype=np.float32),
    )
    return trained(log, LeadTable(ids=tuple(map(str, range(leads)))), seed=1, now=AT, nthread=1).bundle


def named(bundle: ModelBundle, number: int) -> ModelBundle:
    """The same under another id."""
    other = msgspec.structs.replace(bundle.manifest, id=f"m-20261120-1{number:05d}-0a1b", made_at=AT + number)
    return ModelBundle(other, {name: (bundle.tables[name], bundle.trees[name]) for name in bundle.tables}, None)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path, "mora")


def added(registry: ModelRegistry, bundle: ModelBundle, *numbers: int) -> list[str]:
    return [registry.add(named(bundle, number), at=AT + number) for number in numbers]


def test_a_version_is_read_as_it_was_written(registry: ModelRegistry, bundle: ModelBundle) -> None:
    assert registry.ids() == [] and registry.serving().champion is None and registry.serving().told == ()
    model = registry.add(bundle, at=AT)
    assert registry.ids() == [model] == [bundle.id]
    assert registry.load(model).to_files() == bundle.to_files()
    assert registry.manifest(model).rows == bundle.manifest.rows
    assert registry.standing().champion is None  # kept, not serving
    assert (registry.folder / model).stat().st_mode & 0o077 == 0
    assert not [path for path in registry.folder.iterdir() if path.name.endswith(".part")]


def test_the_champion_changes_and_changes_back(registry: ModelRegistry, bundle: ModelBundle) -> None:
    one, two, three = added(registry, bundle, 1, 2, 3)
    registry.promote(one, at=AT)
    registry.promote(two, at=AT)
    registry.promote(three, at=AT, challenger_share=0.2)
    serving = registry.serving()
    assert serving.champion is not None and serving.champion.id == two
    assert serving.challenger is not None and serving.challenger.id == three
    assert serving.challenger_share == 0.2
    assert registry.promote(three, at=AT).challenger is None  # a champion challenges nobody
    assert registry.rollback(at=AT)[0].champion == two
    assert registry.rollback(at=AT)[0].champion == one
    assert registry.rollback(at=AT)[0].champion is None  # the tables
    with pytest.raises(ConfigError, match="expected a champion to roll back from"):
        registry.rollback(at=AT)
    assert [turn.what for turn in registry.standing().history][-3:] == ["rolled_back"] * 3


def test_a_former_champion_that_is_broken_is_passed_over(registry: ModelRegistry, bundle: ModelBundle) -> None:
    one, two, three = added(registry, bundle, 1, 2, 3)
    for model in (one, two, three):
        registry.promote(model, at=AT)
    (registry.folder / two / "answer.tables.json").write_bytes(b"{")
    standing, told = registry.rollback(at=AT)
    assert standing.champion == one
    assert len(told) == 1 and two in told[0]


def test_one_that_was_refused_serves_only_by_force(registry: ModelRegistry, bundle: ModelBundle) -> None:
    model = registry.add(named(bundle, 1), at=AT, refused=("miscalibrated",))
    assert registry.refused_because(model) == ("miscalibrated",)
    with pytest.raises(ConfigError, match=r"was refused \(miscalibrated\)"):
        registry.promote(model, at=AT)
    assert registry.promote(model, at=AT, force=True).champion == model
    assert registry.refused_because(model) == ()


def test_a_version_is_retired(registry: ModelRegistry, bundle: ModelBundle) -> None:
    one, two, three = added(registry, bundle, 1, 2, 3)
    registry.promote(one, at=AT)
    registry.promote(two, at=AT)
    registry.promote(three, at=AT, challenger_share=0.1)
    assert registry.retire(three, at=AT).challenger is None
    assert registry.retire(one, at=AT).before == ()
    assert registry.retire(two, at=AT).champion is None
    assert registry.ids() == [one, two, three]


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
@pytest.mark.parametrize("name", ["manifest.json", "answer.tables.json"])
def test_a_truncated_champion_leaves_the_tables_and_one_line(
    registry: ModelRegistry, bundle: ModelBundle, name: str, cut: int
) -> None:
    (model,) = added(registry, bundle, 1)
    registry.promote(model, at=AT)
    path = registry.folder / model / name
    path.write_bytes(path.read_bytes()[:cut])
    serving = registry.serving()
    assert serving.champion is None
    assert len(serving.told) == 1 and "\n" not in serving.told[0] and "goes by the tables" in serving.told[0]
    with pytest.raises(ConfigError, match=model):
        registry.load(model)


def test_a_model_of_another_feature_set_is_refused(registry: ModelRegistry, bundle: ModelBundle) -> None:
    (model,) = added(registry, bundle, 1)
    registry.promote(model, at=AT)
    path = registry.folder / model / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["feature_set"]["version"] += 1
    path.write_text(json.dumps(manifest))
    (line,) = registry.serving().told
    assert model in line


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"champion":"../../etc"}',
        b'{"champion":1}',
        b'{"challenger_share":7}',
        b"\xff\xfe",
        b'{"x":1}',
    ],
)
def test_a_damaged_registry_is_told_and_the_tables_go_on(
    registry: ModelRegistry, bundle: ModelBundle, content: bytes
) -> None:
    added(registry, bundle, 1)
    (registry.folder / "registry.json").write_bytes(content)
    serving = registry.serving()
    assert serving.champion is None and len(serving.told) == 1 and "registry.json:1" in serving.told[0]
    with pytest.raises(ConfigError, match=r"registry\.json:1"):
        registry.promote(registry.ids()[0], at=AT)


@pytest.mark.parametrize("model", ["", "..", "../m-20261120-100001-0a1b", "m-20261120-100001-0a1b/..", "x\x1b[31m"])
def test_a_name_that_is_no_version_is_refused(registry: ModelRegistry, bundle: ModelBundle, model: str) -> None:
    added(registry, bundle, 1)
    for ask in (registry.load, registry.manifest):
        with pytest.raises(ConfigError, match="expected a model of mora"):
            ask(model)
    with pytest.raises(ConfigError):
        registry.promote(model, at=AT)


def test_a_share_out_of_bounds_is_refused(registry: ModelRegistry, bundle: ModelBundle) -> None:
    (model,) = added(registry, bundle, 1)
    registry.promote(model, at=AT)
    for share in (0.0, 0.6, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="--share"):
            registry.promote(model, at=AT, challenger_share=share)
    with pytest.raises(ConfigError, match="expected another than the champion"):
        registry.promote(model, at=AT, challenger_share=0.1)


def test_old_versions_go_but_never_one_that_serves_or_did(registry: ModelRegistry, bundle: ModelBundle) -> None:
    models = added(registry, bundle, *range(KEPT + 6))
    for model in models[:3]:
        registry.promote(model, at=AT)
    gone = registry.prune()
    assert gone == models[3:6]
    assert registry.ids() == models[:3] + models[6:]


def test_nothing_to_roll_back_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a champion to roll back from"):
        ModelRegistry(tmp_path, "mora").rollback(at=AT)
    assert list(tmp_path.iterdir()) == []


def test_a_campaign_is_no_path(tmp_path: Path) -> None:
    for name in ("../other", "", ".hidden", "a/b"):
        with pytest.raises(ConfigError):
            ModelRegistry(tmp_path, name)
    assert ModelRegistry(tmp_path, "none").standing() == Standing()
