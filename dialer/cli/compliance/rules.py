"""`dialer compliance rules`: the rules as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compliance.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from compliance.rule import Profile


def rules(jurisdiction: str | None = None, *, scope: Scope | None = None, json: bool = False) -> int:
    """Show the rules of law and our policy: all in short, or those of one jurisdiction with every value's citation.

    Confidence: V1, the law's text was read; V2, a regulator's page, or a source that quotes it; R, recalled and not
    verified; U, sources conflict; POLICY, our own caution. This is no legal advice.

    Parameters
    ----------
    jurisdiction
        CO, US-MA, US-NY-NYC: it comes with what it is a part of.
    scope
        Only the rules for debt_collection, or for telemarketing.
    json
        For scripts: the edition, every profile, and the sources that they name.
    """
    from dialer.cli.safe_text import make_console, say
    from dialer.config.rule_packs import policy

    shown = [profile for profile in (*_chosen(jurisdiction), policy()) if scope is None or scope in profile.scope]
    if json:
        from json import dumps

        say(dumps(_told(shown), indent=2, ensure_ascii=False))
        return 0

    console = make_console()
    for part in _table(shown) if jurisdiction is None else _details(shown, jurisdiction.upper()):
        console.print(part, soft_wrap=jurisdiction is not None)
    return 0


def _chosen(jurisdiction: str | None) -> tuple[Profile, ...]:
    """Return the profiles of a jurisdiction and of what it is a part of; all of them for None.

    Raises `ConfigError` for a country that has no pack.
    """
    from dialer.config.rule_packs import built_in_profiles, country_profiles

    if jurisdiction is None:
        return built_in_profiles()
    place = jurisdiction.upper()
    parts = place.split("-")
    within = {"-".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return tuple(profile for profile in country_profiles(parts[0]) if profile.jurisdiction in within)


def _told(profiles: Sequence[Profile]) -> dict[str, Any]:
    import msgspec

    from dialer.config.rule_packs import edition

    named = {source for profile in profiles for source in _sources_of(profile)}
    return {
        **edition().model_dump(mode="json"),
        "profiles": [msgspec.to_builtins(profile) for profile in profiles],
        "sources": {name: text for name, text in _sources().items() if name in named},
    }


def _table(profiles: Sequence[Profile]) -> list[RenderableType]:
    from rich.table import Table

    from dialer.cli.compliance import rule_words
    from dialer.config.rule_packs import edition

    table = Table(box=None, pad_edge=False)
    for name in ("", "rules", "scope", "hours, local", "holidays", "limits", "also", "confidence"):
        table.add_column(name, overflow="fold")
    for profile in profiles:
        scope = "both" if len(profile.scope) > 1 else profile.scope[0].replace("_", " ")
        table.add_row(
            profile.jurisdiction,
            profile.id,
            scope,
            rule_words.hours(profile.windows, otherwise="–"),
            "–" if profile.holidays is None else "closed",
            rule_words.limits(profile),
            rule_words.further(profile),
            profile.confidence,
        )
    found = edition()
    return [
        table,
        "",
        f"Rules {found.version}, looked at on {found.as_of}. Not legal advice. Where no verified rule names hours, the "
        "policy's hold; its limits always do. `dialer compliance rules CO` shows every value with its citation.",
    ]


def _details(profiles: Sequence[Profile], place: str) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from dialer.cli.compliance import rule_words
    from dialer.cli.safe_text import safe
    from dialer.config.rule_packs import country_profiles, edition

    parts: list[RenderableType] = []
    for profile in profiles:
        scope = " and ".join(profile.scope).replace("_", " ")
        parts.append(Text(f"{profile.id}  {profile.jurisdiction}, {scope}, {_plain(profile.force)}", style="bold"))
        told = (profile.applies_to and f"For {profile.applies_to}.", profile.note)
        parts += [Text(f"  {text}") for text in told if text]
        table = Table(box=None, pad_edge=False, show_header=False)
        for what, value, cited in rule_words.values(profile):
            table.add_row(what, f"{value}{' – ' + cited.note if cited.note and cited is not profile else ''}")
            table.add_row("", Text(f"{cited.confidence}  {cited.cite}  [{', '.join(cited.sources)}]", style="dim"))
        parts.append(Padding(table, (0, 0, 0, 2)))
        parts += [Text(f"  duty: {duty}") for duty in profile.duties]
        parts.append("")
    others = {p.jurisdiction for p in country_profiles(place[:2]) if p.jurisdiction.startswith(f"{place}-")}
    if others:
        parts.append(f"Parts of {safe(place)} with rules of their own: {', '.join(sorted(others))}")
    named = {source for profile in profiles for source in _sources_of(profile)}
    for name, source in _sources().items():
        if name in named:
            parts.append(f"[{name}] {source['url'] or 'no address'}: {source['read']}")
    parts.append(f"Rules {edition().version}, looked at on {edition().as_of}. Not legal advice.")
    return parts


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _sources_of(profile: Profile) -> set[str]:
    from dialer.cli.compliance import rule_words

    return {*profile.sources, *(source for _, _, cited in rule_words.values(profile) for source in cited.sources)}


def _sources() -> dict[str, dict[str, str | None]]:
    from dialer.config.rule_packs import packaged

    sources: dict[str, dict[str, str | None]] = packaged("sources").data
    return sources
