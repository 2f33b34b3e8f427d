"""Keys of the records on people, as they are typed: `+51...`, `person:ID`, `lead:ID`."""

from __future__ import annotations

from collections.abc import Sequence

from dialer.errors import ConfigError

KINDS = ("lead", "number", "person", "debt", "account", "work")
MAX_KEY = 128
_EXAMPLES = {"number": "+51999000111", "lead": "a lead's id"}


def read_keys(text: str, kinds: Sequence[str] = KINDS, country: str = "") -> tuple[str, ...]:
    """Return what a person means, one key for each form that a number may have in a list.

    `+51...` is a number; without a kind all else is a lead's id where leads are meant, else a number of `country`.
    Raises `ConfigError` for what is none of `kinds`.
    """
    kind, colon, rest = text.strip().partition(":")
    if not colon or kind not in KINDS:
        kind, rest = "", text.strip()
        if rest.startswith("+") or (country and rest[:1].isdigit() and "lead" not in kinds):
            kind = "number"
        elif "lead" in kinds:
            kind = "lead"
            if rest.isdigit() and len(rest) >= 10:
                raise ConfigError(f"{text}: expected +{rest} for a number, or lead:{rest} for a lead of that id")
    rest = rest.strip()
    printable = rest != "" and rest.isprintable() and len(rest) <= MAX_KEY
    if kind not in kinds or not printable:
        wanted = ", ".join(_EXAMPLES.get(wanted, f"{wanted}:ID") for wanted in kinds)
        raise ConfigError(f"{text[:MAX_KEY]!r}: expected one of {wanted}")
    if kind != "number":
        return (f"{kind}:{rest}",)
    return tuple(f"number:{form}" for form in read_number_forms(rest, country))


def read_number_forms(text: str, country: str = "") -> tuple[str, ...]:
    """Return a number in E.164, in every form that a list may have. Raises `ConfigError`."""
    from dialer.adapters.number_plan import BadNumber
    from dialer.adapters.registered_number import check_country, registered_forms

    check_country(country)
    try:
        return registered_forms(text, country)
    except BadNumber as fault:
        raise ConfigError(f"{text}: expected a number in E.164, as in +51999000111: {fault}") from fault
