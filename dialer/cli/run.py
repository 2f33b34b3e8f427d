"""`dialer run`: dial a campaign."""

from __future__ import annotations

from pathlib import Path


def run(
    campaign: Path,
    *,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
    sandbox: bool = False,
    seed: int = 1,
) -> int:
    """Dial a campaign on the Asterisk that it names, until its list is finished.

    Ctrl-C stops launching, lets live calls finish, then leaves; a second Ctrl-C hangs up.

    Parameters
    ----------
    campaign
        The campaign file; `dialer init` writes an example.
    data
        Folder for the journal, the logs and the embedded store.
    redis_url
        A Redis or Valkey server instead of the embedded store, as in redis://host:6379/0.
    sandbox
        Simulated carriers, people and agents instead of Asterisk: nobody is called.
    seed
        Feeds the little chance in the policy's decisions; it stands in the journal.
    """
    from dialer.cli.loop import run_async

    return run_async(_run(campaign, data, redis_url, sandbox, seed))


async def _run(path: Path, data: Path, redis_url: str | None, simulated: bool, seed: int) -> int:
    from datetime import datetime

    from rich.console import Console

    from dialer.adapters.attempt_export import export_attempts
    from dialer.adapters.campaign_lists import load_lists
    from dialer.adapters.logs import set_up_logs
    from dialer.bootstrap import Place, live, sandbox
    from dialer.cli.loop import on_interrupt
    from dialer.cli.watch import Watch
    from dialer.config.campaign_file import list_paths, read_campaign

    campaign = read_campaign(path)
    console = Console()
    leads = load_lists(list_paths(path, campaign), campaign, say=console.print)
    set_up_logs(data / "dialer.log")
    open_session = sandbox if simulated else live
    async with open_session(campaign, leads, Place(data_dir=data, redis_url=redis_url), seed=seed) as session:
        on_interrupt(lambda: session.runtime.drain("Ctrl-C"), lambda: session.runtime.stop("Ctrl-C"))
        engine = session.runtime.engine

        def share() -> float:
            status = engine.status()
            return 1.0 - status.leads_open / status.leads if status.leads else 1.0

        zone = datetime.now().astimezone().tzinfo
        assert zone is not None
        note = "sandbox" if simulated else "live"
        await Watch(console=console, zone=zone, share=share, note=note, line_every_s=10.0).run(session)
    attempts = session.journal.with_suffix(".attempts.csv")
    console.print(f"{export_attempts(session.journal, attempts):,} attempts in {attempts}", soft_wrap=True)
    console.print(f"journal: {session.journal}", soft_wrap=True)
    return 0
