"""Leads: the people or accounts to be reached, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from compliance.clearance import Place


class PhoneNumber(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a lead. `zones` are all IANA zones the number may be in: a window must hold in every one."""

    e164: str
    zones: tuple[str, ...]
    country: str  # ISO 3166 alpha-2 of the numbering plan, "" where unknown
    line_type: str = "unknown"  # mobile | fixed | fixed_or_mobile | voip | toll_free | unknown
    jurisdictions: tuple[str, ...] = ()  # candidates, `US` and `US-MA`; empty: the country alone
    use: str = ""  # "work": a number of the person's place of work
    network: str = ""  # its own carrier as far as known, `fixed` for a fixed line

    @property
    def place(self) -> Place:
        """Where the called person may be."""
        return Place(self.jurisdictions or (self.country,), self.zones)


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A person or account to be reached in one campaign, with one or more numbers in the order to be tried."""

    lead_id: str
    numbers: tuple[PhoneNumber, ...]
    person: str  # key of the person: caps hold across all their leads
    debt: str  # key of the particular debt; equals lead_id where the list names none
    account: str = ""  # key of the account that the debt is on; empty: the debt is its own account
    name: str = ""
    priority: int = 0  # higher is dialled first
    product: str = ""
    region: str = ""
    amount: float | None = None
    days_past_due: int | None = None
    answer_probability: float | None = None  # from a model, in [0, 1]; None: the campaign's own estimate
    extra: dict[str, str] = {}


class LeadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What the store remembers of a lead between runs."""

    lead_id: str
    status: str = "ready"  # ready | finished | stopped
    number_index: int = 0
    attempts: int = 0
    next_at: float = 0.0  # UTC seconds; not before this
    number_ready_at: tuple[float | None, ...] = ()  # each number's rest, UTC seconds; None: never again
    by_disposition: dict[str, int] = {}
    last_contact_at: float | None = None  # UTC seconds, of the right party; None: never reached


LEADS_PER_EVENT = 2000


def lead_chunks(
    leads: Sequence[Lead], progress: Sequence[LeadProgress]
) -> Iterator[tuple[tuple[Lead, ...], tuple[LeadProgress, ...], bool]]:
    """Cut a list into what one event carries, and say which is the last; an empty list is one empty chunk."""
    for begin in range(0, max(1, len(leads)), LEADS_PER_EVENT):
        end = begin + LEADS_PER_EVENT
        yield tuple(leads[begin:end]), tuple(progress[begin:end]), end >= len(leads)
