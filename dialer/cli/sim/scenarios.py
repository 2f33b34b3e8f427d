"""`dialer sim init`, `list` and `schema`: scenario files."""

from __future__ import annotations

from pathlib import Path


def init(file: Path, *, force: bool = False) -> int:
    """Write a commented scenario to begin with: every key, its unit, its default and its meaning.

    Parameters
    ----------
    file
        Where to write it, as in my-day.yaml.
    force
        Replace a file that is there.
    """
    from dialer.cli.safe_text import say
    from dialer.cli.sim.output import check_targets, write_whole
    from sim.scenario_file import TEMPLATE

    check_targets(file)
    write_whole(file, TEMPLATE.read_text(encoding="utf-8"), keep=not force)
    say(file)
    return 0


def list_scenarios() -> int:
    """Name the scenarios that come with the program."""
    from dialer.cli.safe_text import make_console
    from dialer.cli.sim.tables import scenario_table
    from sim.scenario_file import load_scenario, packaged_names

    make_console().print(scenario_table({name: load_scenario(name) for name in packaged_names()}))
    return 0


def schema(*, out: Path | None = None) -> int:
    """Print the JSON schema of scenario files, by which editors complete and check while one types.

    Parameters
    ----------
    out
        Write it to a file instead.
    """
    from dialer.cli.sim.output import STDOUT, check_targets, write_whole
    from sim.schema import schema_text

    check_targets(out)
    write_whole(STDOUT if out is None else out, schema_text())
    return 0
