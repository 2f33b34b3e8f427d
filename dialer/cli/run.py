"""`dialer run`: dial a campaign."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dialer.errors import ConfigError


def run(
    campaign: Path,
    *,
    data: Path | None = None,
    redis_url: str | None = None,
    sandbox: bool = False,
    at: datetime | None = None,
    drain_limit: str = "120s",
    seed: int = 1,
) -> int:
    """Dial a campaign on the Asterisk that it names, until its list is finished.

    Ctrl-C stops launching, lets live calls finish, then leaves; a second Ctrl-C hangs up, a third ends the program at
    once. SIGTERM does the same, and hangs up by itself when the drain limit has passed. Exits 0 when every call is
    recorded, however the campaign ended.

    Parameters
    ----------
    campaign
        The campaign file; `dialer init` writes an example.
    data
        Folder for the journal, the logs and the embedded store: .cadencia, or .cadencia-sandbox with --sandbox.
    redis_url
        A Redis or Valkey server instead of the embedded store, as in redis://host:6379/0.
    sandbox
        Simulated carriers, people and agents instead of Asterisk: nobody is called.
    at
        With --sandbox: as if it were then, as in 2026-11-23T10:00:00-05:00, to see a campaign outside office hours.
    drain_limit
        How long live calls may go on after a SIGTERM, as in 90s, 15m, 2h.
    seed
        Feeds the little chance in the policy's decisions; it stands in the journal.
    """
    from dialer.cli.loop import run_async

    if at is not None and (not sandbox or at.tzinfo is None):
        raise ConfigError(f"--at {at.isoformat()}: expected --sandbox, and a time with its offset from UTC")
    limit_s = _seconds(drain_limit)
    folder = data or Path(".cadencia-sandbox" if sandbox else ".cadencia")
    return run_async(_run(campaign, folder, redis_url, simulated=sandbox, at=at, drain_limit_s=limit_s, seed=seed))


def _seconds(text: str) -> float:
    from pydantic import TypeAdapter, ValidationError

    from dialer.config.campaign import Duration

    try:
        return TypeAdapter[float](Duration).validate_python(text)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"--drain-limit {text}: {message}") from None


async def _run(
    path: Path,
    data: Path,
    redis_url: str | None,
    *,
    simulated: bool,
    at: datetime | None,
    drain_limit_s: float,
    seed: int,
) -> int:
    from dialer.adapters.attempt_export import export_attempts
    from dialer.adapters.campaign_lists import load_lists
    from dialer.adapters.logs import set_up_logs
    from dialer.bootstrap import Place, live, sandbox
    from dialer.cli.carriers.known_trunks import require_known_trunks
    from dialer.cli.loop import on_interrupt
    from dialer.cli.safe_text import make_console, safe
    from dialer.cli.watch import Watch
    from dialer.config.campaign_file import list_paths, read_campaign

    campaign = read_campaign(path)
    console = make_console()
    leads = load_lists(list_paths(path, campaign), campaign, say=lambda line: console.print(safe(line), soft_wrap=True))
    set_up_logs(data / "dialer.log")
    if not simulated:
        await require_known_trunks(path, campaign, say=lambda line: console.print(safe(line), soft_wrap=True))
    place = Place(data_dir=data, redis_url=redis_url)
    opening = (
        sandbox(campaign, leads, place, seed=seed, at=at) if simulated else live(campaign, leads, place, seed=seed)
    )
    async with opening as session:
        on_interrupt(session.runtime.drain, session.runtime.stop, drain_limit_s=drain_limit_s)
        engine = session.runtime.engine

        def share() -> float:
            status = engine.status()
            return 1.0 - status.leads_open / status.leads if status.leads else 1.0

        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        note = "sandbox" if simulated else "live"
        await Watch(console=console, zone=zone, share=share, note=note, line_every_s=10.0).run(session)
    attempts = session.journal.with_suffix(".attempts.csv")
    console.print(safe(f"{export_attempts(session.journal, attempts):,} attempts in {attempts}"), soft_wrap=True)
    console.print(safe(f"journal: {session.journal}"), soft_wrap=True)
    return 0
