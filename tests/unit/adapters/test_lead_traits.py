"""What models read of a list: known columns, columns of its own, and nothing that names a single lead."""

from __future__ import annotations

import numpy as np

from dialer.adapters.lead_traits import MOST_EXTRA, lead_table_of
from dialer.core.lead import Lead, PhoneNumber
from models.lead_table import MOST_NUMBERS


def lead(place: int, *, numbers: int = 1, **fields: object) -> Lead:
    phones = tuple(
        PhoneNumber(
            e164=f"+5199{place:05d}{n:02d}",
            zones=("America/Lima",),
            country="PE",
            line_type="mobile" if n % 2 == 0 else "unknown",
            network="Claro" if n == 0 else "",
        )
        for n in range(numbers)
    )
    return Lead(lead_id=f"L{place}", numbers=phones, person=f"P{place}", debt=f"D{place}", **fields)  # type: ignore[arg-type]


def test_what_is_not_told_is_unknown_and_never_zero() -> None:
    table = lead_table_of([lead(0, amount=120.5, product="card", numbers=2), lead(1, days_past_due=0)])
    assert table.ids == ("L0", "L1")
    assert table.numeric["amount"][0] == 120.5 and np.isnan(table.numeric["amount"][1])
    assert np.isnan(table.numeric["days_past_due"][0]) and table.numeric["days_past_due"][1] == 0.0
    assert table.vocabularies["product"] == ("card",)
    assert table.categories["product"].tolist() == [0, -1]
    assert table.of_numbers["line_type"].tolist() == [[0, -1], [0, -1]]
    assert table.vocabularies["line_type"] == ("mobile",)  # `unknown` is no word
    assert table.of_numbers["network"].tolist() == [[0, -1], [0, -1]]


def test_the_codes_do_not_depend_on_the_order_of_the_list() -> None:
    leads = [lead(n, product=word) for n, word in enumerate(("loan", "card", "loan", "auto"))]
    one, other = lead_table_of(leads), lead_table_of(leads[::-1])
    assert one.vocabularies == other.vocabularies
    assert one.categories["product"].tolist() == other.categories["product"].tolist()[::-1]


def test_columns_of_the_lists_own_are_numbers_or_categories_or_left_out() -> None:
    leads = [
        lead(
            n,
            extra={
                "Cuotas Pagadas": str(n % 7) if n else "",
                "tasa": f"{n % 9},5",
                "Canal": "web" if n % 3 else "tienda",
                "DNI": str(40_000_000 + n * 17),
                "direccion": f"calle {n}",
                "fija": "x",
                "amount": "9",
                "grande": "1e300" if n == 3 else "2",
            },
        )
        for n in range(100)
    ]
    table = lead_table_of(leads)
    assert np.isnan(table.numeric["cuotas_pagadas"][0]) and table.numeric["cuotas_pagadas"][5] == 5.0
    assert table.numeric["tasa"][1] == 1.5
    assert table.vocabularies["canal"] == ("tienda", "web")
    assert np.isnan(table.numeric["grande"][3])  # does not fit into a single float
    assert np.isnan(table.numeric["amount"]).all()  # a column of that name does not stand in for the known one
    assert {"dni", "direccion", "fija"}.isdisjoint({*table.numeric, *table.categories})


def test_a_list_of_very_many_columns_or_numbers_is_cut() -> None:
    leads = [lead(n, numbers=12, extra={f"c{k}": str(n * k % 5) for k in range(200)}) for n in range(20)]
    table = lead_table_of(leads)
    assert len(table.numeric) == 3 + MOST_EXTRA
    assert table.of_numbers["line_type"].shape == (20, MOST_NUMBERS)


def test_no_leads_give_an_empty_table() -> None:
    table = lead_table_of([])
    assert len(table) == 0 and table.of_numbers["line_type"].shape == (0, 1)
