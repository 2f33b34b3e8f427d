"""`dialer models list`: the versions of a campaign's models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialer.adapters.model_registry import ModelRegistry, Standing


def list_models(campaign: str, *, data: Path | None = None, check: bool = False, json: bool = False) -> int:
    """Show a campaign's versions: when and on what they were trained, how they did, and which of them serve.

    Exit codes: 0 shown; 1 with --check, one that serves cannot be read; 2 no such campaign.

    Parameters
    ----------
    campaign
        The campaign's file, or its name.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    check
        Read those that serve to the last byte.
    json
        Print JSON.
    """
    import msgspec

    from dialer.cli.models.campaign_models import known_models
    from dialer.cli.safe_text import make_console, safe_json, say

    named = known_models(campaign, data)
    standing = named.registry.standing()
    rows = [_version(named.registry, model, standing) for model in named.registry.ids()]
    broken = named.registry.serving().told if check else ()
    if json:
        answer = {"campaign": named.name, "versions": rows, "told": broken, "history": standing.history}
        print(safe_json(msgspec.json.encode(answer).decode()))
        return 1 if broken else 0
    if not rows:
        say(f"{named.name}: no models yet: `dialer models train` makes one")
    else:
        make_console().print(_table(named.name, rows))
    for line in broken:
        say(line)
    return 1 if broken else 0


def _version(registry: ModelRegistry, model: str, standing: Standing) -> dict[str, Any]:
    from dialer.errors import ConfigError

    row: dict[str, Any] = {"model": model, "role": _role(registry, model, standing)}
    try:
        manifest = registry.manifest(model)
    except ConfigError as error:
        return {**row, "broken": str(error)}
    return {
        **row,
        "made_at": manifest.made_at,
        "first_at": manifest.first_at,
        "last_at": manifest.last_at,
        "rows": manifest.rows,
        "positives": manifest.positives,
        "feature_hash": manifest.feature_hash,
        "scores": manifest.metrics,
    }


def _role(registry: ModelRegistry, model: str, standing: Standing) -> str:
    if model == standing.champion:
        return "champion"
    if model == standing.challenger:
        return f"challenger, {standing.challenger_share:.0%}"
    if model in standing.before:
        return "former"
    return "refused" if registry.refused_because(model) else ""


def _table(campaign: str, rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    from dialer.cli.models.training_view import day
    from dialer.cli.safe_text import safe

    table = Table(title=f"{safe(campaign)}: models", title_justify="left")
    for name in ("model", "serves as", "attempts from", "to"):
        table.add_column(name)
    for name in ("attempts", "answered", "AUC", "ECE", "log loss"):
        table.add_column(name, justify="right")
    for row in rows:
        if "broken" in row:
            table.add_row(row["model"], row["role"], "cannot be read", "", "", "", "", "", "")
            continue
        scores = row["scores"]
        figures = (("auc", 3), ("ece", 4), ("log_loss", 4))
        shown = [f"{value:.{n}f}" if (value := getattr(scores, name)) is not None else "–" for name, n in figures]
        counts = f"{row['rows']:,}", f"{row['positives']:,}"
        table.add_row(row["model"], row["role"], day(row["first_at"]), day(row["last_at"]), *counts, *shown)
    return table
