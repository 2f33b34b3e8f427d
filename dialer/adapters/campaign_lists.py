"""All lists of a campaign, read together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dialer.adapters.lead_list import LeadList, Seen, read_leads, write_rejected
from dialer.config.campaign import Campaign
from dialer.core.lead import Lead


def read_lists(paths: Sequence[Path], campaign: Campaign) -> list[LeadList]:
    """Read a campaign's lists in order; a person or number that an earlier list or row has is rejected.

    The campaign's first jurisdiction is the country of numbers that name none. Raises `ConfigError` where a file as a
    whole is bad.
    """
    seen = Seen()
    home = campaign.jurisdictions[0]
    return [read_leads(path, default_country=home, jurisdictions=campaign.jurisdictions, seen=seen) for path in paths]


def load_lists(paths: Sequence[Path], campaign: Campaign, *, say: Callable[[str], None]) -> list[Lead]:
    """Read lists as `read_lists` does, and return their leads.

    Each list with rejected rows gets a file beside it that names them; `say` is told one line a list.
    """
    leads: list[Lead] = []
    for read in read_lists(paths, campaign):
        leads += read.leads
        line = f"{read.path}: {len(read.leads):,} leads"
        if read.dropped:
            line += f", {len(read.dropped):,} numbers left out of leads that keep another"
        rejected = write_rejected(read)
        if rejected is not None:
            line += f", {len(read.rejected):,} rows rejected: see {rejected}"
        say(line)
    return leads
