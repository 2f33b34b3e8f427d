"""`dialer lead record`: what happened to a person outside our campaigns, so that caps count it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from compliance.facts import FactKind
from compliance.rule import Channel
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.lead_search import Sought
    from dialer.adapters.outside_fact import Happening
    from dialer.ports import OutsideFact

_KINDS: tuple[str, ...] = get_args(FactKind)
_CHANNELS: tuple[str, ...] = get_args(Channel)
_NAMES = ("lead", "person", "number", "debt", "account")


# Long for its options: each is a parameter and its help.
def record(
    key: str = "",
    *,
    kind: FactKind | None = None,
    channel: Channel = "voice",
    at: str = "",
    person: str = "",
    number: str = "",
    debt: str = "",
    account: str = "",
    subject: str = "",
    text: str = "",
    file: Path | None = None,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Record a letter, a message, a visit, a call of theirs or of another system: it counts like one of our own.

    A fact without a debt counts for every debt of the person. A message that asks to stop is a
    do-not-call request: whoever sent it is never dialled again, by any campaign. The same fact told twice is one.

    Parameters
    ----------
    key
        Whom it happened to: a lead's id, a number (+51...), `person:ID`, `debt:ID` or `account:ID`.
    kind
        What it was.
    channel
        How it came about; inbound is a call of theirs.
    at
        When, with the offset from UTC, as 2026-11-20T10:00-05:00; now if not named.
    person
        The person, where the key does not say.
    number
        The number, where the key does not say.
    debt
        The debt that it was about, where the key does not say; every debt if none is named.
    account
        The account that it was about.
    subject
        What the call was about, as the campaigns name it; everything if it is not named.
    text
        What the person wrote or said.
    file
        CSV with more facts: columns key, person, number, debt or account; kind, channel, at and text. Rows that cannot
        be read go to `FILE.rejected.csv`; the rest is recorded, and the exit code is 1.
    country
        The country of numbers without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    import time

    from dialer.cli.loop import run_async

    now = time.time()
    told: list[Happening] = []
    rejected = 0
    named = {"person": person, "number": number, "debt": debt, "account": account}
    if key or any(named.values()):
        if kind is None:
            raise ConfigError(f"expected --kind, one of {', '.join(_KINDS)}")
        values = {"key": key, **named, "kind": kind, "channel": channel, "at": at, "subject": subject, "text": text}
        told.append(_happening(values, country, now))
    elif file is None:
        raise ConfigError("expected whom it happened to, or --file")
    if file is not None:
        more, rejected = _of_file(file, country, now, kind=kind or "", channel=channel)
        told += more
    if told:
        run_async(_record(told, data, redis_url))
    return 1 if rejected else 0


def _happening(values: dict[str, str], country: str, now: float) -> Happening:
    """Read what is told of a fact. Raises `ConfigError`."""
    import msgspec

    from dialer.adapters.outside_fact import Happening
    from dialer.cli.record_key import read_keys
    from dialer.cli.record_store import past_moment

    named: dict[str, list[str]] = {}
    texts = [values["key"]] if values.get("key") else []
    texts += [f"{name}:{values[name]}" for name in _NAMES if values.get(name)]
    for text in texts:
        keys = read_keys(text, _NAMES, country)
        name = keys[0].partition(":")[0]
        ids = [key.partition(":")[2] for key in keys]
        if named.setdefault(name, ids) != ids:
            raise ConfigError(f"expected one {name}, found {named[name][0]} and {ids[0]}")
    if not named:
        raise ConfigError("nobody is named")
    kind = _one_of("kind", values.get("kind", ""), _KINDS)
    channel = _one_of("channel", values.get("channel", "") or "voice", _CHANNELS)
    if values.get("at") and len(values["at"]) <= len("2026-11-20"):
        raise ConfigError(f"at {values['at']}: expected a time with its offset, as 2026-11-20T10:00-05:00")
    at = past_moment("at", values["at"], now) if values.get("at") else now
    who = {name: ids[0] for name, ids in named.items() if name != "number"}
    more = {"subject": values.get("subject", ""), "text": values.get("text", ""), "kind": kind, "channel": channel}
    return msgspec.convert({"at": at, "numbers": named.get("number", []), **who, **more}, Happening)


def _one_of(what: str, text: str, choices: tuple[str, ...]) -> str:
    if text.casefold() not in choices:
        raise ConfigError(f"expected a {what}, one of {', '.join(choices)}, was {text[:40]!r}")
    return text.casefold()


def _of_file(file: Path, country: str, now: float, *, kind: str, channel: str) -> tuple[list[Happening], int]:
    from dialer.adapters.record_rows import open_record_file
    from dialer.adapters.rejected_rows import RejectedRows
    from dialer.cli.safe_text import say

    read = open_record_file(file, [("key", *_NAMES[1:]), ("at",), *([] if kind else [("kind",)])])
    told: list[Happening] = []
    with RejectedRows(file, header=read.header, separator=read.separator) as rejected:
        for row in read.rows():
            try:
                if not row.get("at"):
                    raise ConfigError("expected when it happened")
                values = {"kind": kind, "channel": channel, **{name: text for name, text in row.values.items() if text}}
                told.append(_happening(values, country, now))
            except ConfigError as fault:
                rejected.add(row.line, str(fault), row.cells)
        path = rejected.keep()
    if path is not None:
        say(f"{file}: {rejected.count:,} rows are no facts and are in {path}; the first: {rejected.first}")
    return told, rejected.count


async def _record(told: list[Happening], data: Path, redis_url: str | None) -> None:
    from compliance.stop_words import is_stop_request
    from dialer.adapters.lead_search import find_leads
    from dialer.adapters.outside_fact import fact_of, persons_of
    from dialer.adapters.store.embedded import EmbeddedValkey
    from dialer.cli.dnc import DO_NOT_CALL
    from dialer.cli.record_store import note, open_records, stop_all
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        where = redis_url or EmbeddedValkey(data).socket_path
        leads = await find_leads(where, _sought(told))
        facts: list[OutsideFact] = []
        stops: list[str] = []
        unknown = 0
        for happening in told:
            whom = persons_of(happening, leads)
            facts.append(fact_of(happening, whom, (lead for _, lead in leads if lead.person in whom)))
            unknown += not whom
            if happening.text and is_stop_request(happening.text):
                stops += [f"person:{person}" for person in whom]
                stops += [f"number:{number}" for number in happening.numbers]
        note(data, "lead record", facts=len(facts), kinds=", ".join(sorted({entry.kind for entry in told})))
        await store.record_facts(facts)
        say(f"{len(facts):,} recorded")
        if unknown:
            say(f"{unknown:,} of them name nobody on a list here: they count for the number, debt or account alone")
        if stops:
            await stop_all(store, [(key, DO_NOT_CALL) for key in dict.fromkeys(stops)], data, "stop word")


def _sought(told: list[Happening]) -> Sought:
    from dialer.adapters.lead_search import Sought

    return Sought(
        leads={entry.lead for entry in told if entry.lead},
        persons={entry.person for entry in told if entry.person},
        numbers={number for entry in told for number in entry.numbers},
        debts={entry.debt for entry in told if entry.debt},
        accounts={entry.account for entry in told if entry.account},
    )
