"""All lists of a campaign, read together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dialer.adapters.lead_list import Seen, read_leads, write_rejected
from dialer.config.campaign import Campaign
from dialer.core.lead import Lead


def load_lists(paths: Sequence[Path], campaign: Campaign, *, say: Callable[[str], None]) -> list[Lead]:
    """Read a campaign's lists in order; a person or number that an earlier list or row has is rejected.

    Each list with rejected rows gets a file beside it that names them; `say` is told one line a list. The campaign's
    first jurisdiction is the country of numbers that name none. Raises `ConfigError` where a file as a whole is bad.
    """
    seen = Seen()
    leads: list[Lead] = []
    for path in paths:
        read = read_leads(
            path, default_country=campaign.jurisdictions[0], jurisdictions=campaign.jurisdictions, seen=seen
        )
        leads += read.leads
        line = f"{path}: {len(read.leads):,} leads"
        if read.dropped:
            line += f", {len(read.dropped):,} numbers left out of leads that keep another"
        rejected = write_rejected(read)
        if rejected is not None:
            line += f", {len(read.rejected):,} rows rejected: see {rejected}"
        say(line)
    return leads
