"""A pack of one's own only narrows, however sure it says to be of its hours, unless it puts ours aside and says why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.auditor import Auditor, Rulebook
from compliance.clearance import Place
from compliance.places.tables import subdivisions
from compliance.resolve import country_zones
from compliance.rule import Profile, Scope
from compliance.ruleset import RuleSet
from dialer.config.rule_pack_file import DAYS, OwnPackProfile
from dialer.config.rule_packs import OwnProfile, known_jurisdictions, own_profile, policy, stacked

SCOPE: Scope = "debt_collection"
MINUTE_S = 60
SUNDAY_0300 = datetime(2026, 7, 12, 6, tzinfo=UTC).timestamp()  # in São Paulo
BRAZIL = Place(("BR",), ("America/Sao_Paulo",))
ALL_DAY = {"days": list(DAYS), "allow": [["00:00", "24:00"]]}


def own(jurisdiction: str, windows: list[dict[str, object]], **rest: object) -> OwnProfile:
    """Return a profile as the loader makes it of a file."""
    file = OwnPackProfile.model_validate(
        {
            "id": "house", "jurisdiction": jurisdiction, "scope": [SCOPE], "windows": windows, "cite": "counsel",
            "confidence": "V1", **rest,
        }
    )  # fmt: skip
    found = own_profile(file, jurisdiction[:2])
    return OwnProfile(
        profile=found, path=Path("own.yaml"), replaces=file.replaces, override_reason=file.override_reason
    )


def both_open(profiles: tuple[Profile, ...], place: Place, at: float) -> bool:
    """Say whether a moment is open, engine and auditor agreeing."""
    rules = RuleSet({place.jurisdictions[0][:2]: profiles}, policy=policy(), scope=SCOPE)
    book = Rulebook(profiles=profiles, policy=policy(), scope=SCOPE)
    found = rules.window(place, at).open
    assert found == (not Auditor(book).shut(place, at)), (place, at)
    return found


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def places_of(country: str) -> st.SearchStrategy[Place]:
    anywhere = Place((country,), (min(country_zones(country)),))
    parts = [Place((country, part.code), part.zones[:1]) for part in subdivisions().values() if part.part_of == country]
    return st.sampled_from([anywhere, *parts])


spans = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda span: span[0] < span[1])
windows = st.builds(
    lambda days, span, confidence: {
        "days": days, "allow": [[clock(span[0]), clock(span[1])]], "confidence": confidence,
    },
    st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
    st.one_of(spans, st.just((0, 1440))),
    st.sampled_from(["V1", "V2", "R", "U", "POLICY"]),
)  # fmt: skip
asked = st.sampled_from(known_jurisdictions()).flatmap(places_of)
days = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 12, 31)))


@settings(max_examples=250, deadline=None)
@given(
    place=asked,
    part=st.booleans(),
    some=st.lists(windows, max_size=3),
    first=days,
    holidays=st.booleans(),
    minute=st.integers(0, 2 * 365 * 1440),
)
@example(place=BRAZIL, part=False, some=[ALL_DAY], first=None, holidays=False, minute=0).via("where it was found")
def test_a_pack_without_a_reason_opens_no_closed_minute(
    place: Place, part: bool, some: list[dict[str, object]], first: date | None, holidays: bool, minute: int
) -> None:
    at = SUNDAY_0300 + minute * MINUTE_S
    country = place.jurisdictions[0]
    rest: dict[str, object] = {"in_force": {"first": None if first is None else first.isoformat()}}
    if holidays:
        rest["holidays"] = {"calendar": country, "regions": "known"}
    house = own(place.jurisdictions[-1] if part else country, some, **rest)
    without = both_open(stacked(country, SCOPE, ()), place, at)
    assert without or not both_open(stacked(country, SCOPE, [house]), place, at)


def test_brazils_night_stays_closed_but_for_a_reason() -> None:
    beside, instead = (
        own("BR", [ALL_DAY]),
        own("BR", [ALL_DAY], replaces=["br-debt"], override_reason="counsel's opinion"),
    )
    assert (beside.profile.own, instead.profile.own) == (True, False)
    assert not both_open(stacked("BR", SCOPE, [beside]), BRAZIL, SUNDAY_0300)
    assert both_open((instead.profile,), BRAZIL, SUNDAY_0300)


def test_a_country_that_a_pack_opens_keeps_the_policys_hours() -> None:
    uruguay = Place(("UY",), ("America/Montevideo",))
    house = own("UY", [ALL_DAY])
    assert not both_open((house.profile,), uruguay, SUNDAY_0300)
    assert both_open((house.profile,), uruguay, datetime(2026, 7, 14, 15, tzinfo=UTC).timestamp())
