"""What a list tells of leads before any call, as the columns that models read.

How it works: amount, days past due and the count of numbers are numbers; product, region and country are categories;
of each number its kind of line and its network. Of a list's other columns those that hold numbers become numbers and
those of few different texts become categories; the rest is names, addresses and ids, which would only be learned by
heart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dialer.adapters.lead_columns import plain_name
from dialer.core.lead import Lead, PhoneNumber
from models.feature_set import FeatureSet
from models.lead_table import MOST_NUMBERS, LeadTable

MOST_EXTRA = 40  # columns of a list's own, the fullest first
MOST_WORDS = 64  # different texts of a category
_WORDS_SHARE = 0.2  # of the leads: a column with more different texts than that names single leads
_NUMBERS_SHARE = 0.95  # of the cells that are not empty
_ID_DIGITS = 6  # whole numbers that never repeat and are longer than that are ids
LARGEST = 1e30  # of a number: what is larger is a slip, and does not fit into a single float
_NO_WORD = frozenset({"", "unknown"})

_NUMERIC: dict[str, Callable[[Lead], float | None]] = {
    "amount": lambda lead: lead.amount,
    "days_past_due": lambda lead: lead.days_past_due,
    "numbers": lambda lead: len(lead.numbers),
}
_CATEGORIES: dict[str, Callable[[Lead], str]] = {
    "product": lambda lead: lead.product,
    "region": lambda lead: lead.region,
    "country": lambda lead: lead.numbers[0].country if lead.numbers else "",
}
_OF_NUMBERS: dict[str, Callable[[PhoneNumber], str]] = {
    "line_type": lambda number: number.line_type,
    "network": lambda number: number.network,
}


def lead_table_of(leads: Sequence[Lead], columns: FeatureSet | None = None) -> LeadTable:
    """Return the table of these leads, one row each in their order.

    With `columns`, a model's, the list's own columns are those that it knows, of the kind that it knows them as: so a
    list that fills one of them otherwise than the lists it was trained on still has it, unless no lead does.
    A lead of more than `MOST_NUMBERS` numbers shows the first ones. Vocabularies are in alphabetical order, so the same
    list gives the same codes; what a cell leaves empty is NaN or -1.
    """
    numeric = {name: _floats(map(read, leads)) for name, read in _NUMERIC.items()}
    vocabularies: dict[str, tuple[str, ...]] = {}
    categories: dict[str, NDArray[np.int32]] = {}
    for name, word_of in _CATEGORIES.items():
        categories[name], vocabularies[name] = _coded([word_of(lead) for lead in leads])
    for title in _extra_titles(leads):
        name = plain_name(title)
        if not name or name in numeric or name in categories or name in _OF_NUMBERS:
            continue
        cells = [lead.extra.get(title, "").strip() for lead in leads]
        values = [_number(cell) for cell in cells]
        kind = _kind_of(cells, values) if columns is None else _known_kind(name, columns)
        if kind == "number":
            numeric[name] = _floats(values)
        elif kind == "word":
            categories[name], vocabularies[name] = _coded(cells)
        if len(numeric) + len(categories) >= len(_NUMERIC) + len(_CATEGORIES) + MOST_EXTRA:
            break
    of_numbers: dict[str, NDArray[np.int32]] = {}
    width = max(1, min(MOST_NUMBERS, max((len(lead.numbers) for lead in leads), default=1)))
    owners = np.repeat(np.arange(len(leads)), [min(width, len(lead.numbers)) for lead in leads])
    places = np.array([place for lead in leads for place in range(min(width, len(lead.numbers)))], dtype=np.int64)
    for name, of_number in _OF_NUMBERS.items():
        words = [of_number(number) for lead in leads for number in lead.numbers[:width]]
        codes, vocabularies[name] = _coded(words)
        of_numbers[name] = np.full((len(leads), width), -1, dtype=np.int32)
        of_numbers[name][owners, places] = codes
    return LeadTable(
        ids=tuple(lead.lead_id for lead in leads),
        numeric=numeric,
        categories=categories,
        of_numbers=of_numbers,
        vocabularies=vocabularies,
    )


def _extra_titles(leads: Sequence[Lead]) -> list[str]:
    """Return the titles of the list's own columns, the fullest first."""
    filled: Counter[str] = Counter()
    for lead in leads:
        filled.update(lead.extra.keys())
    return sorted(filled, key=lambda title: (-filled[title], title))


def _kind_of(cells: Sequence[str], values: Sequence[float | None]) -> str:
    """Say what a column holds: `number`, `word`, or nothing that says something of many leads."""
    filled = sum(bool(cell) for cell in cells)
    if sum(value is not None for value in values) >= _NUMBERS_SHARE * filled:
        return "" if _are_ids(values) else "number"
    words = {cell for cell in cells if cell}
    return "word" if 2 <= len(words) <= min(MOST_WORDS, max(2.0, _WORDS_SHARE * len(cells))) else ""


def _known_kind(name: str, columns: FeatureSet) -> str:
    return "number" if name in columns.numeric else "word" if name in columns.categories else ""


def _number(cell: str) -> float | None:
    if not cell or not cell[-1].isdigit():
        return None
    try:
        value = float(cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _are_ids(values: Sequence[float | None]) -> bool:
    """Whether these name single leads: long whole numbers, all different."""
    known = [value for value in values if value is not None]
    return (
        len(known) > 1
        and len(set(known)) == len(known)
        and all(value == int(value) for value in known)
        and min(abs(value) for value in known) >= 10**_ID_DIGITS
    )


def _floats(values: Iterable[float | None]) -> NDArray[np.float32]:
    return np.array(
        [math.nan if value is None or abs(value) > LARGEST else value for value in values], dtype=np.float32
    )


def _coded(words: Sequence[str]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    vocabulary = tuple(sorted(set(words) - _NO_WORD))
    codes = {word: code for code, word in enumerate(vocabulary)}
    return np.array([codes.get(word, -1) for word in words], dtype=np.int32), vocabulary
