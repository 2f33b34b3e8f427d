"""Whether a message that a person sent asks us to stop calling.

The words are those that 47 CFR 64.1200(a)(10)(i) names ("stop", "quit", "end", "revoke", "opt out", "cancel",
"unsubscribe"), those that carriers act on by themselves (CTIA Short Code Monitoring Handbook: STOPALL), what they are
in other languages, and phrases by which a person says so plainly: any reasonable means revokes. The list is data,
`stop_words.csv`. One stop holds for all campaigns and channels.

How it works: the text is brought to plain small words. It is a request if it consists of stop words, apart from
politeness and digits; if its first line does (what follows is a quote or a signature); or if it has a plain phrase
anywhere. What only looks like one ("can't stop now") is taken out first.
"""

from __future__ import annotations

import csv
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import Literal

Kind = Literal["word", "polite", "phrase", "but"]

_MAX_LENGTH = 2000  # characters that are looked at: nobody asks later than that
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ"))


def is_stop_request(text: str) -> bool:
    """Return whether the message asks not to be called any more. Case, accents and punctuation do not count.

    Pure: equal texts give equal answers. In doubt it is none: an agent reads it.
    """
    text = text[:_MAX_LENGTH]
    lines = [words for line in text.splitlines() if (words := _plain(line))]
    if not lines:
        return False
    everything = tuple(word for line in lines for word in line)
    return _is_whole(everything) or _is_whole(lines[0]) or _has_phrase(everything)


def _plain(text: str) -> tuple[str, ...]:
    """Return the words of a line in small letters without accents; letters written apart (`S.T.O.P.`) are joined."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    # Format characters (Cf) are not seen and would hide a word; marks (Mn) are the accents.
    seen = "".join(sign for sign in decomposed if unicodedata.category(sign) not in ("Cf", "Mn"))
    words = "".join(sign if sign.isalnum() else " " for sign in seen).split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return ("".join(words),)
    return tuple(words)


def _is_whole(words: tuple[str, ...]) -> bool:
    """Whether nothing but stop words, politeness and digits is there, one stop word at least."""
    stops = polite = at = 0
    while at < len(words):
        if length := _longest(words, at, "word"):
            stops += 1
        elif length := _longest(words, at, "polite") or int(words[at].isdigit()):
            polite += 1
        else:
            return False
        at += length
    return stops > 0


def _has_phrase(words: tuple[str, ...]) -> bool:
    """Whether a plain phrase is there that is no part of one which means something else."""
    at = 0
    while at < len(words):
        if length := _longest(words, at, "but"):
            at += length
        elif _longest(words, at, "phrase"):
            return True
        else:
            at += 1
    return False


def _longest(words: tuple[str, ...], at: int, kind: Kind) -> int:
    """Return how many words the longest entry of this kind has that begins here; 0: none does."""
    entries, longest = _entries(kind)
    for length in range(min(longest, len(words) - at), 0, -1):
        if words[at : at + length] in entries:
            return length
    return 0


@lru_cache
def _entries(kind: Kind) -> tuple[frozenset[tuple[str, ...]], int]:
    """The entries of a kind as plain words, and the length of the longest."""
    text = (resources.files("compliance") / "stop_words.csv").read_text(encoding="utf-8")
    entries = frozenset(_plain(row["text"]) for row in csv.DictReader(text.splitlines()) if row["kind"] == kind)
    return entries, max(map(len, entries))
