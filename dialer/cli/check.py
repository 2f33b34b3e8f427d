"""`dialer check`: whether a campaign would dial now, and whom."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dialer.errors import ConfigError


def check(
    campaign: Path,
    *,
    data: Path | None = None,
    redis_url: str | None = None,
    sandbox: bool = False,
    at: datetime | None = None,
    rows: int = 20,
    json: bool = False,
) -> int:
    """Look at all that a campaign needs, without dialling: file, lists, rules, store, switch, and who is callable.

    A running campaign is not disturbed. Exits 0 where it would dial, 1 where something keeps it from dialling, 2 where
    the file is at fault.

    Parameters
    ----------
    campaign
        The campaign file.
    data
        The data folder of the campaign: .cadencia, or .cadencia-sandbox with --sandbox. Its embedded store is started
        for the look if it does not run.
    redis_url
        The server, where the campaign uses one.
    sandbox
        As for `dialer run --sandbox`: leaves the switch out.
    at
        As if it were then, as in 2026-11-23T10:00:00-05:00.
    rows
        How many leads to list one by one; the counts are of all. JSON has all.
    json
        Print JSON.
    """
    import msgspec

    from dialer.cli.check_view import show
    from dialer.cli.checkup import check_up
    from dialer.cli.loop import run_async
    from dialer.config.campaign_file import read_campaign

    if at is not None and at.tzinfo is None:
        raise ConfigError(f"--at {at.isoformat()}: expected a time with its offset from UTC")
    settings = read_campaign(campaign)
    now = (datetime.now().astimezone() if at is None else at).timestamp()
    folder = data or Path(".cadencia-sandbox" if sandbox else ".cadencia")
    found = run_async(check_up(campaign, settings, folder, redis_url, now=now, switch=not sandbox))
    if json:
        print(msgspec.json.encode(found).decode())
    else:
        show(found, rows)
    return 0 if found.would_dial else 1
