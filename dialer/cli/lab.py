"""`dialer lab`: a campaign through a real Asterisk, on this machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

if TYPE_CHECKING:
    from dialer.lab.trial import TrialResult


def lab(
    *,
    leads: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=10_000))] = 200,
    agents: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100))] = 10,
    folder: Path | None = None,
    json: bool = False,
) -> int:
    """Dial a campaign through a real Asterisk 22, with SIPp as carriers and as agents' telephones, all on loopback.

    The first time, Debian's packages of Asterisk and SIPp are unpacked into .lab/ (no root, nothing on the host
    changes). Exits 1 where a figure is not as it must be.

    Parameters
    ----------
    leads
        How many people are on the list; their numbers say what their lines do.
    agents
        How many telephones dial in and wait.
    folder
        Keep the campaign, its journal, and the switch's files there; thrown away if not named.
    json
        Print the figures as JSON.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="cadencia-lab-") as temporary:
        return _lab(leads, agents, Path(temporary) if folder is None else folder, json=json)


def _lab(leads: int, agents: int, folder: Path, *, json: bool) -> int:
    import msgspec
    from rich.console import Console

    from dialer.adapters.logs import set_up_logs
    from dialer.cli.loop import run_async
    from dialer.errors import ConfigError
    from dialer.lab.install import LabUnavailable, asterisk_version, install
    from dialer.lab.lab import Lab
    from dialer.lab.trial import dial, write_campaign

    console = Console(stderr=json)
    folder = folder.absolute()
    if (folder / "campaign.yaml").exists():
        raise ConfigError(f"{folder}: expected a folder without an earlier trial")
    set_up_logs(folder / "dialer.log")
    console.print("starting Asterisk, carriers and telephones (the first time takes half a minute) ...")
    try:
        bench = Lab(folder / "switch", agents=agents, carriers=2, talk_s=(4.0, 12.0))
        with bench:
            console.print(f"dialling {leads} leads for {agents} agents through {asterisk_version(install())} ...")
            result = run_async(dial(bench, write_campaign(bench, folder, leads=leads)))
    except LabUnavailable as error:
        raise ConfigError(str(error)) from None
    if json:
        print(msgspec.json.encode(result).decode())
    else:
        for line in _figures(result):
            console.print(line, highlight=False, soft_wrap=True)
    for fault in result.faults:
        console.print(f"FAULT: {fault}", style="red", soft_wrap=True)
    return 1 if result.faults else 0


def _figures(result: TrialResult) -> list[str]:
    """The trial for people."""
    median = result.bridge_median_s
    bridge = "–" if median is None else f"median {1000 * median:.1f} ms, worst {1000 * result.bridge_s[-1]:.1f} ms"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(result.dispositions.items()))
    return [
        f"{result.leads} leads, {result.attempts} attempts in {result.duration_s:.0f} s",
        f"live answers {result.live_answers}, bridged {result.bridged}, abandoned {result.abandoned}",
        f"dispositions: {counts}; not as their line implies: {len(result.unexpected)}",
        f"journal {result.tries} calls and {result.journal_answers} answers; switch {result.switch_calls} and "
        f"{result.switch_answers}; carriers {result.invites} INVITEs",
        f"answer to agent, {len(result.bridge_s)} calls that found one idle: {bridge}",
        f"persons above the cap: {result.over_cap}; placed twice: {result.repeated_originates}",
        f"replay: {'every action equal' if result.replay_equal else 'differs'}",
    ]
