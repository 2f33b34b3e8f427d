"""What asks us to stop, and what only looks like it."""

from __future__ import annotations

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.stop_words import is_stop_request

# 47 CFR 64.1200(a)(10)(i), the CTIA handbook, and the same in the countries' languages.
WORDS = [
    "stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe", "stopall", "baja", "alto", "no llamar",
    "no me llamen", "parar", "cancelar", "sair", "arrêt", "stopp",
]  # fmt: skip

REQUESTS = [
    "STOP.",
    "  Stop!!! ",
    "S.T.O.P.",
    "s t o p",
    "ＳＴＯＰ",
    "ST\u200bOP",
    "stop stop STOP",
    "Please stop, thank you",
    "STOP 36111",
    "opt-out",
    "OptOut",
    "stop\n\nSent from my telephone",
    "STOP\n> Hello Ana, please call us back about your account",
    "STOP CALLING ME",
    "I told you to stop calling this number!",
    "Don't ever call me again",
    "please take me off your list",
    "Remove my number from your system",
    "I revoke my consent to be called",
    "leave me alone",
    "¡Ya no me llamen, por favor!",
    "No me llamen más",
    "BAJA por favor",
    "Dejen de llamar a mi trabajo",
    "no quiero que me llamen",
    "Não me ligue mais",
    "pare de ligar",
    "Ne m’appelez plus",
    "Cessez de m'appeler",
    "Bitte nicht anrufen",
    "Rufen Sie mich nicht mehr an.",
    "non chiamatemi più",
]

NEAR_MISSES = [
    "",
    " \n ",
    "?!",
    "12345",
    "please",
    "can't stop now, call me later",
    "I can't stop calling, nobody answers",
    "Please don't stop calling, I want to pay",
    "stop by the office tomorrow",
    "I will stop at the bank and pay",
    "the bus stop",
    "I pay at the end of the month",
    "cancel my appointment",
    "quiero cancelar mi deuda",
    "cancelar el saldo en dos cuotas",
    "la cuota es muy alta, quiero una más baja",
    "trabajo en baja california",
    "para mañana",
    "no me llamen más tarde de las 8",
    "no dejen de llamar por favor",
    "llámenme mañana",
    "call me later",
    "nonstop",
    "stopwatch",
    "endless",
    "je vous rappelle à la fin du mois",
    "am Ende des Monats",
    "ne m'appelez pas avant midi",
    "não posso parar agora",
    "yes",
    "wrong number",
    "who is this?",
]


@pytest.mark.parametrize("text", [*WORDS, *REQUESTS])
def test_a_request_is_heard(text: str) -> None:
    assert is_stop_request(text)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_is_none(text: str) -> None:
    assert not is_stop_request(text)


@given(
    word=st.sampled_from(WORDS),
    before=st.text(" \t.,!¡¿?*\"'“”-—🛑", max_size=5),
    after=st.text(" \t.,!?*\"'“”-—🛑", max_size=5),
    capitals=st.booleans(),
)
def test_case_and_punctuation_do_not_count(word: str, before: str, after: str, capitals: bool) -> None:
    assert is_stop_request(before + (word.upper() if capitals else word) + after)


@given(st.text())
def test_any_text_is_answered_and_blanks_do_not_count(text: str) -> None:
    assert is_stop_request(text) is is_stop_request(f"\n {text} \n")


def test_every_row_of_the_data_is_used() -> None:
    text = (resources.files("compliance") / "stop_words.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["kind"] for row in rows} == {"word", "polite", "phrase", "but"}
    assert len({(row["kind"], row["language"], row["text"]) for row in rows}) == len(rows)
    for row in rows:
        assert is_stop_request(row["text"]) == (row["kind"] in ("word", "phrase")), row
