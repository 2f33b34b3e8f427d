"""`dialer init`: a commented campaign to begin with."""

from __future__ import annotations

from pathlib import Path


def init(folder: Path = Path()) -> int:
    """Write a commented campaign.yaml and an example list of leads. Nothing that is there is overwritten.

    Parameters
    ----------
    folder
        Where to write them; made if it is not there.
    """
    from dialer.cli.safe_text import say
    from dialer.config.example import write_example

    for path in write_example(folder):
        say(path)
    return 0
