"""Streams of facts: where what happened is recorded, and which records a cap counts.

How it works: an attempt is recorded under each name that it has (its person, number, debt, account), always with the
same record: all parts by which a rule could tell it from others (`|n=+51..|d=D1|u=|`), and its outcome. A cap
looks into the stream of the first of its key's parts and holds the other parts against the records. What a record does
not name agrees with everything, so it is also looked for in the person's stream: a fact that names no debt counts for
every debt of the person, listed today or tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from compliance.clearance import CapSlot, DialCandidate
from compliance.facts import ignored_outcomes
from compliance.rule import KeyKind

# By which a stream may be named; of a key's parts the first of these names its stream.
STREAM_KINDS: tuple[KeyKind, ...] = ("person", "number", "debt", "account")

# How a record writes its parts: there are many records.
LETTERS: dict[KeyKind, str] = {"number": "n", "debt": "d", "account": "a", "subject": "s", "campaign": "c", "use": "u"}
_OUTSIDE = "|o="

_HOSTILE = str.maketrans({"%": "%25", "|": "%7C"})


class Record(NamedTuple):
    """A fact as a stream has it. `text` is all that stands before the outcome: `|c=mora|7|n=..|d=..|u=|`.

    What was told of one event in several records, one a kind, has one `event`: it counts once. Empty: its own.
    """

    at: float
    outcome: str
    text: str = "|"
    event: str = ""


class Shape(NamedTuple):
    """How the facts under a key are found: which part names the stream, which are held against its records, and which
    part a fact of the person may lack (empty: the stream is the person's own)."""

    stream: KeyKind
    where: tuple[KeyKind, ...]
    also: KeyKind | None


def somebody_in(key: tuple[KeyKind, ...]) -> tuple[KeyKind, ...]:
    """Return the key. Raises `ValueError` for one that names nobody: no fact could be found by it."""
    if not any(kind in key for kind in STREAM_KINDS):
        raise ValueError(f"expected person, debt, account or number in the key, was {', '.join(key) or 'none'}")
    return key


@lru_cache(maxsize=1024)
def shape_of(key: tuple[KeyKind, ...], has_account: bool) -> Shape:
    """Return how the facts under a key are found; without an account the debt is its own account.

    Raises `ValueError` for a key that names nobody.
    """
    named = next(kind for kind in STREAM_KINDS if kind in somebody_in(key))
    stream: KeyKind = "debt" if named == "account" and not has_account else named
    where = tuple(kind for kind in key if kind != named)
    return Shape(stream, where, None if named == "person" else named)


def streams_of(candidate: DialCandidate) -> tuple[str, ...]:
    """Return the streams in which an attempt is recorded, so that any campaign's caps see it."""
    named = (f"person:{candidate.person}", f"number:{candidate.number}", f"debt:{candidate.debt}")
    return (*named, f"account:{candidate.account}") if candidate.account else named


def safe(value: str) -> str:
    """Return a value as it stands in a record: `|` and `%` written as in a URL."""
    return value if value.isalnum() else value.translate(_HOSTILE)


def parts_of(candidate: DialCandidate) -> str:
    """Return the parts of an attempt's record. A number's use is told even where it is none: it is known then."""
    account = f"|a={candidate.account}" if candidate.account else ""
    subject = f"|s={candidate.subject}" if candidate.subject else ""
    parts = f"|n={candidate.number}|d={candidate.debt}{account}{subject}|u={candidate.use}"
    if "%" not in parts and parts.count("|") == 3 + bool(account) + bool(subject):
        return parts
    values = (candidate.number, candidate.debt, candidate.account, candidate.subject, candidate.use)
    told = zip("ndasu", values, strict=True)
    return "".join(f"|{letter}={safe(value)}" for letter, value in told if value or letter not in "as")


def text_of(campaign: str, attempt_id: int, parts: str) -> str:
    """Return the record of an attempt of ours, up to its outcome."""
    return f"|c={campaign}|{attempt_id}{parts}|"


def outside_text(fact_id: str, parts: str) -> str:
    """Return the record of a fact from outside, up to its outcome."""
    return f"{_OUTSIDE}{safe(fact_id)}{parts}|"


def record_of(at: float, member: str) -> Record:
    """Read a record: its outcome stands after the last `|`. What nobody can read is one that names nothing, and
    counts."""
    parts, bar, outcome = member.rpartition("|")
    text = parts + bar
    return Record(at, outcome, text, text[: text.index("|", 1)] if text.startswith(_OUTSIDE) else "")


# ---- what a cap counts --------------------------------------------------------------------------------------
def agreeing(kind: KeyKind, candidate: DialCandidate) -> str:
    """Return what a fact must not contradict in one part of a key: `d=D1`; empty where the attempt does not say.

    Several parts mean that one of them is enough. What is about the same debt is on the same account.
    """
    if kind == "account":
        debt = safe(candidate.debt)
        if not candidate.account:
            return f"d={debt}|a={debt}"
        return f"a={safe(candidate.account)}|d={debt}"
    value = getattr(candidate, kind)
    return f"{LETTERS[kind]}={safe(value)}" if value else ""


def names(text: str, part: str) -> bool:
    """Say whether a record names the first of these."""
    return f"|{part.partition('|')[0]}|" in text


def agrees(text: str, part: str) -> bool:
    """Say whether a record agrees with a part of a key: it names the same, or nothing of the kind."""
    if f"|{part}|" in text:
        return True
    alternatives = part.split("|")
    return any(f"|{same}|" in text for same in alternatives) or not any(f"|{same[:2]}" in text for same in alternatives)


def facts_under(slot: CapSlot, stream: Iterable[Record], of_person: Iterable[Record]) -> list[Record]:
    """Return the records under a slot's key, oldest first: those of its stream, and those of the person that do not
    name what the stream is named by. Both are oldest first."""
    found = list(stream)
    if slot.also:
        also = slot.also
        found += [record for record in of_person if not names(record.text, also) and agrees(record.text, also)]
        found.sort(key=lambda record: record.at)
    return [record for record in found if all(agrees(record.text, part) for part in slot.where)]


def counted(slot: CapSlot, records: Sequence[Record]) -> list[Record]:
    """Return those of the records under a slot's key that it counts, oldest first: each event once."""
    ignored = ignored_outcomes(slot.count, slot.channels, slot.exclude)
    found, events = list[Record](), set[tuple[float, str]]()
    for record in records:
        if record.at < slot.since or record.outcome in ignored:
            continue
        if record.event:
            if (record.at, record.event) in events:
                continue
            events.add((record.at, record.event))
        found.append(record)
    return found
