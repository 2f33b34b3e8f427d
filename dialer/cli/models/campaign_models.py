"""Which campaign's models a command is about: named by its file or by its name, in a data folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.config.section import NAME
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.model_registry import ModelRegistry
    from dialer.config.campaign import Campaign
    from dialer.core.lead import Lead

DATA_FOLDERS = (Path(".cadencia"), Path(".cadencia-sandbox"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignModels:
    """A campaign, its data folder and its models. `settings` None: it was named without its file."""

    name: str
    data: Path
    registry: ModelRegistry
    file: Path | None = None
    settings: Campaign | None = None

    def listed(self) -> list[Lead] | None:
        """Return the leads of its lists as they are now, None where its file was not named. Raises `ConfigError`."""
        if self.settings is None or self.file is None:
            return None
        from dialer.adapters.campaign_lists import read_lists
        from dialer.config.campaign_file import list_paths

        return [lead for read in read_lists(list_paths(self.file, self.settings), self.settings) for lead in read.leads]


def campaign_models(campaign: str, data: Path | None) -> CampaignModels:
    """Find the campaign that a command names: `campaign` is its file, or its name.

    Without `data` the folder is the first of `DATA_FOLDERS` that has journals or models of it. Raises `ConfigError`.
    """
    from dialer.adapters.model_registry import ModelRegistry

    file, settings, name = None, None, campaign
    if Path(campaign).is_file() or Path(campaign).suffix in (".yaml", ".yml"):
        from dialer.config.campaign_file import read_campaign

        file = Path(campaign)
        settings = read_campaign(file)
        name = settings.campaign
    if not re.match(NAME, name):
        raise ConfigError(f"{name[:70]!r}: expected a campaign's name or its file, found neither")
    folder = data or next((folder for folder in DATA_FOLDERS if _knows(folder, name)), DATA_FOLDERS[0])
    return CampaignModels(name=name, data=folder, registry=ModelRegistry(folder, name), file=file, settings=settings)


def known_models(campaign: str, data: Path | None) -> CampaignModels:
    """Find the campaign as `campaign_models` does. Raises `ConfigError` also for a name of which nothing is on disk."""
    named = campaign_models(campaign, data)
    if named.file is None and not _knows(named.data, named.name):
        folders = DATA_FOLDERS if data is None else (data,)
        where = " or ".join(map(str, folders))
        raise ConfigError(f"{named.name}: expected a campaign with journals or models in {where}, found none")
    return named


def _knows(folder: Path, name: str) -> bool:
    return any((folder / kind / name).is_dir() for kind in ("journal", "models"))


def orderer() -> str:
    """Return the name of whoever gives an order, for the registry's history."""
    from dialer.adapters.audit import myself

    return myself().name


def models_of(model: str, campaign: str | None, data: Path | None) -> CampaignModels:
    """Find the campaign of a version: the one that is named, else the only one that has it. Raises `ConfigError`."""
    if campaign is not None:
        return campaign_models(campaign, data)
    from dialer.adapters.model_registry import ID

    if not re.fullmatch(ID, model):
        raise ConfigError(
            f"{model[:60]!r}: expected a model such as m-20261123-140000-0a1b, as `dialer models list` has it"
        )
    folders = [data] if data is not None else list(DATA_FOLDERS)
    found = [
        (folder, place.parent.name)
        for folder in folders
        for place in sorted((folder / "models").glob(f"*/{model}"))
        if re.match(NAME, place.parent.name)
    ]
    if len(found) != 1:
        where = ", ".join(str(folder / "models") for folder in folders)
        several = "several campaigns with it: name one" if found else "none: name the data folder with --data"
        raise ConfigError(f"{model}: expected a campaign with this model in {where}, found {several}")
    return campaign_models(found[0][1], found[0][0])
