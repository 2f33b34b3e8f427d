"""What a training came to, for people and for scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialer.adapters.retraining import Training
    from models.evaluation import Scores


def show_training(campaign: str, training: Training, *, share: float, json: bool) -> None:
    """Tell how a model was trained, how it compares, and whether it serves."""
    import msgspec

    from dialer.cli.safe_text import make_console, safe_json, say

    if json:
        print(safe_json(msgspec.json.encode(as_result(campaign, training)).decode()))
        return
    manifest, judged = training.bundle.manifest, training.judgement
    for line in training.told:
        say(line)
    say(
        f"{campaign}: trained {training.model} on {manifest.rows:,} attempts, {manifest.positives:,} answered, "
        f"from {day(manifest.first_at)} to {day(manifest.last_at)}"
    )
    for name, part in manifest.parts.items():
        why = f" ({part.why})" if part.why else ""
        say(f"{name.replace('_', ' ')}: by {part.kind}{why}, {part.rows:,} rows, {part.positives:,} of them positive")
    columns = {"candidate": judged.candidate}
    if judged.champion is not None and training.against is not None:
        columns[training.against] = judged.champion
    make_console().print(score_table(f"answers since {day(judged.since)}, told before they came", columns))
    for reason in judged.refusals:
        say(f"refused: {reason}")
    for reason in training.aside:
        say(f"kept aside: {reason}")
    say(_outcome(training, share))


def show_not_due(campaign: str, *, json: bool) -> int:
    """Tell that nothing was trained; returns the exit code."""
    from dialer.cli.safe_text import say

    if json:
        print('{"trained":false}')
    else:
        say(f"{campaign}: no training is due")
    return 0


def _outcome(training: Training, share: float) -> str:
    if training.serves_as is None:
        champion = training.against or "whoever served"
        force = " --force" if training.judgement.refusals else ""
        return f"{training.model} is kept aside; {champion} goes on (`dialer models promote {training.model}{force}`)"
    if training.serves_as == "challenger":
        return f"{training.model} challenges {training.against} on {share:.0%} of the leads"
    return f"{training.model} is the champion now"


def as_result(campaign: str, training: Training) -> dict[str, Any]:
    """Return the training as plain values."""
    manifest, judged = training.bundle.manifest, training.judgement
    return {
        "trained": True,
        "campaign": campaign,
        "model": training.model,
        "serves_as": training.serves_as,
        "refusals": judged.refusals,
        "kept_aside": training.aside,
        "rows": manifest.rows,
        "positives": manifest.positives,
        "first_at": manifest.first_at,
        "last_at": manifest.last_at,
        "judged_since": judged.since,
        "candidate": judged.candidate,
        "against": training.against,
        "champion": judged.champion,
        "parts": manifest.parts,
        "told": training.told,
    }


def score_table(title: str, columns: dict[str, Scores]) -> Any:
    """Return figures of several scorings, one column each; `–` where the rows cannot tell."""
    from rich.table import Table

    from dialer.cli.safe_text import safe

    table = Table(title=safe(title), title_justify="left")
    table.add_column("")
    for name in columns:
        table.add_column(safe(name), justify="right")
    held = list(columns.values())
    table.add_row("attempts", *(f"{scores.rows:,}" for scores in held))
    table.add_row("came", *(_figure(scores.base_rate, 4) for scores in held))
    for name, field, digits in (
        ("AUC", "auc", 3),
        ("calibration error (ECE)", "ece", 4),
        ("log loss", "log_loss", 4),
        ("Brier", "brier", 4),
        ("lift of the best tenth", "lift10", 2),
        ("captured by the better half", "top_half", 3),
    ):
        table.add_row(name, *(_figure(getattr(scores, field), digits) for scores in held))
    return table


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def day(at: float) -> str:
    """Return a moment (UTC seconds) to the minute, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
