"""Training a campaign's models, and again when it is time. A worse or miscalibrated one does not serve."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dialer.adapters.model_registry import ModelRegistry, Standing
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.attempt_history import PastAttempts
    from models.acceptance import Judgement
    from models.bundle import ModelBundle, TrainingSettings

Role = Literal["champion", "challenger"]

DAY_S = 86400.0
TAUGHT_DAYS = 120.0  # of attempts: people who were called longer ago have changed
CHALLENGER_SHARE = 0.1  # of the leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a training is wanted."""

    role: Role = "champion"  # in which it is to serve
    share: float = CHALLENGER_SHARE  # of the leads, a challenger's
    force: bool = False  # whether it serves even where it is refused
    settings: TrainingSettings | None = None
    seed: int = 1
    by: str = ""  # whoever ordered it
    days: float = TAUGHT_DAYS
    threads: int = 2  # of the training
    automatic: bool = False  # nobody looks at it: it never overrules a person, nor goes by no comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What came of a training."""

    bundle: ModelBundle
    judgement: Judgement
    against: str | None  # the champion that it was judged against
    serves_as: Role | None  # None: it is kept aside
    told: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()  # why it is kept aside although it was not refused

    @property
    def model(self) -> str:
        """The version's id."""
        return self.bundle.id


def train_model(registry: ModelRegistry, past: PastAttempts, *, now: float, order: Order | None = None) -> Training:
    """Train on attempts on record, judge the model against the champion on the last days, and register it.

    One that is refused is kept aside, unless the order forces it; else it serves in its role, and as the champion where
    there is none. An automatic one is also kept aside, until somebody promotes it, after somebody rolled back, and
    where the champion cannot be compared. `now` is UTC seconds. Raises `ConfigError` for attempts that cannot teach.
    """
    from models.acceptance import judged
    from models.training import TrainingRefused, trained

    order = order or Order()
    serving = registry.serving()
    told = [*past.told, *serving.told]
    try:
        candidate = trained(
            past.log, past.table, settings=order.settings, seed=order.seed, now=now, nthread=order.threads
        )
    except TrainingRefused as refusal:
        raise ConfigError(f"{registry.campaign}: no model was trained: {refusal}") from refusal
    champion = serving.champion
    try:
        judgement = judged(candidate, champion, past.log, past.table)
    except ValueError as fault:  # the champion is of columns that the lists have no longer
        told.append(f"{champion.id if champion else 'the champion'} cannot be compared: {fault}")
        champion, judgement = None, judged(candidate, None, past.log, past.table)
    standing = registry.standing()
    aside = _aside(standing, champion is not None) if order.automatic else ()
    refusals = tuple(judgement.refusals)
    model = registry.add(candidate.bundle, at=now, refused=refusals)
    serves_as: Role | None = None
    if not aside and (order.force or not refusals):
        serves_as = "champion" if standing.champion is None else order.role
        part = order.share if serves_as == "challenger" else None
        registry.promote(model, at=now, by=order.by, challenger_share=part, force=order.force)
    registry.prune()
    return Training(
        bundle=candidate.bundle,
        judgement=judgement,
        against=None if champion is None else champion.id,
        serves_as=serves_as,
        told=tuple(told),
        aside=aside,
    )


def _aside(standing: Standing, compared: bool) -> tuple[str, ...]:
    """Why nobody but a person may let a model serve."""
    turns = [turn for turn in standing.history if turn.what in ("champion", "rolled_back")]
    said = []
    if turns and turns[-1].what == "rolled_back":
        by = f" by {turns[-1].because[0]}" if turns[-1].because else ""
        said.append(f"rolled back{by}: a new model serves when somebody promotes one")
    if standing.champion is not None and not compared:
        said.append(f"{standing.champion} cannot be compared: somebody must promote one")
    return tuple(said)


def retrain_if_due(
    data: Path, campaign: str, now: float, every_days: float, *, order: Order | None = None
) -> Training | None:
    """Train a campaign's models on its journals if the last training is `every_days` old; None where it is not.

    A training whose model was refused counts too: the same attempts would give the same model. Raises as `train_model`
    and `read_campaign_history` do.
    """
    registry = ModelRegistry(data, campaign)
    last = last_trained_at(registry)
    if last is not None and now < last + every_days * DAY_S:
        return None
    from dialer.adapters.attempt_history import read_campaign_history

    order = replace(order or Order(), automatic=True)
    past = read_campaign_history(data, campaign, now=now, since=now - order.days * DAY_S)
    return train_model(registry, past, now=now, order=order)


def last_trained_at(registry: ModelRegistry) -> float | None:
    """Return when the newest version was made, UTC seconds; None where there is none that says so."""
    for model in reversed(registry.ids()):
        try:
            return registry.manifest(model).made_at
        except ConfigError:
            continue
    return None
