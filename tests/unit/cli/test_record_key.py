"""Keys as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.cli.record_key import KINDS, read_keys
from dialer.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "kinds", "country", "keys"),
    [
        ("+51999000111", KINDS, "", ("number:+51999000111",)),
        ("number:+51 999 000 111", KINDS, "", ("number:+51999000111",)),
        ("number:999000111", KINDS, "PE", ("number:+51999000111",)),
        ("999000111", ("number", "person"), "PE", ("number:+51999000111",)),
        ("+5215512345678", KINDS, "", ("number:+525512345678",)),
        ("+541123456789", KINDS, "", ("number:+541123456789", "number:+5491123456789")),
        ("C-17", KINDS, "", ("lead:C-17",)),
        ("lead:+51999000111", KINDS, "", ("lead:+51999000111",)),
        ("person: 0012 ", KINDS, "", ("person:0012",)),
        ("work:12:b", KINDS, "", ("work:12:b",)),
        ("contract:9", KINDS, "", ("lead:contract:9",)),
    ],
)
def test_a_key_is_what_the_claims_look_for(text: str, kinds: tuple[str, ...], country: str, keys: list[str]) -> None:
    assert read_keys(text, kinds, country) == keys


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", KINDS),
        ("person:", KINDS),
        ("51999000111", KINDS),
        ("+51", KINDS),
        ("number:999000111", KINDS),
        ("C-17", ("number", "person")),
        ("lead:C-17", ("number", "person")),
        ("person:a\x1b[31m", KINDS),
        ("person:a\nb", KINDS),
        ("x" * 200, KINDS),
    ],
)
def test_what_is_no_key_is_refused(text: str, kinds: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        read_keys(text, kinds)


@given(st.text())
def test_any_text_is_a_key_of_a_kind_or_refused(text: str) -> None:
    try:
        keys = read_keys(text)
    except ConfigError:
        return
    assert all(key.partition(":")[0] in KINDS and key.isprintable() for key in keys)
