"""The tables of places against the libraries: a new release that disagrees fails here."""

import re
from collections import defaultdict

import holidays
import phonenumbers
import pytest
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

from compliance.places.tables import (
    area_codes,
    plain_name,
    postal_codes,
    postal_formats,
    subdivision_names,
    subdivisions,
    territories,
)
from compliance.zones import known_zones
from dialer.config.rule_packs import country_profiles, known_jurisdictions

ROWS = [
    (table, country, prefix, row)
    for table, countries in (("area", area_codes()), ("postal", postal_codes()))
    for country, rows in countries.items()
    for prefix, row in rows.items()
]
# Of the calendars' subdivisions these are no places where people have telephones, or are parts that we do not tell.
NOT_TOLD = {
    "US-UM", "ES-Barcelona", "BR-São Paulo Capital", "DE-Augsburg", "AU-NSW Western", "FR-Zone A", "FR-Zone B",
    "FR-Zone C", "FR-NC", "FR-PF", "FR-TF", "FR-WF",
    "FR-971", "FR-972", "FR-973", "FR-974", "FR-976",  # by their letters here
}  # fmt: skip


# ---- each table by itself ------------------------------------------------------------------------------------
def test_every_zone_is_in_tzdata():
    zones = {zone for place in subdivisions().values() for zone in place.zones}
    zones |= {zone for *_, row in ROWS for zone in row.zones}
    assert zones <= known_zones()


def test_every_subdivision_has_a_zone_and_is_part_of_something():
    for code, place in subdivisions().items():
        assert place.zones, code
        assert place.part_of == place.country or subdivisions()[place.part_of].country == place.country
        assert re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}(-NYC)?", code)


def test_no_name_means_two_subdivisions_of_a_country():
    names = defaultdict(set)
    for code, place in subdivisions().items():
        for name in (place.name, *place.aliases):
            names[place.country, plain_name(name)].add(code)
    twice = {key: codes for key, codes in names.items() if len(codes) > 1}
    assert not twice
    # A name is no other's code: "CO" in a column of Irish counties.
    for (country, name), code in subdivision_names().items():
        assert subdivisions().get(f"{country}-{name.upper()}", subdivisions()[code]).code == code


def test_rows_name_known_subdivisions_of_their_country():
    for table, country, prefix, row in ROWS:
        assert prefix.isalnum()
        assert row.subdivisions or row.zones
        for code in row.subdivisions:
            assert code in subdivisions() and code.startswith(f"{country}-"), (table, country, prefix)


def test_every_country_with_postal_codes_has_a_format_that_its_rows_and_example_fit():
    assert postal_formats().keys() == postal_codes().keys()
    for country, form in postal_formats().items():
        example = re.sub(r"[\s-]", "", form.example)
        assert form.pattern.fullmatch(example)
        assert any(example.startswith(prefix) for prefix in postal_codes()[country])
        longest = len(example)
        for prefix in postal_codes()[country]:
            assert len(prefix) <= longest


def test_territories_belong_to_countries_with_a_pack():
    for region, territory in territories().items():
        assert region in phonenumbers.SUPPORTED_REGIONS
        assert territory.country in known_jurisdictions()
        assert all(subdivisions()[code].country == territory.country for code in territory.subdivisions)


# ---- against the packs ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("country", known_jurisdictions())
def test_every_subdivision_of_a_pack_is_known(country):
    for profile in country_profiles(country):
        assert profile.jurisdiction == country or profile.jurisdiction in subdivisions()


@pytest.mark.parametrize("country", known_jurisdictions())
def test_every_subdivision_with_a_calendar_is_known(country):
    theirs = {f"{country}-{code}" for code in holidays.country_holidays(country).subdivisions}
    assert theirs - NOT_TOLD <= subdivisions().keys()


# ---- against libphonenumber ----------------------------------------------------------------------------------
NANP = [str(code) for code in range(200, 1000)]


def _region(area_code):
    for subscriber in ("2345678", "5550123", "5562345", "9876543"):
        number = phonenumbers.PhoneNumber(country_code=1, national_number=int(area_code + subscriber))
        if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE:
            return phonenumbers.region_code_for_number(number)
    return None


def test_every_american_and_canadian_area_code_is_there_and_no_other():
    theirs = {(_region(code), code) for code in NANP}
    for country in ("US", "CA"):
        assert {code for region, code in theirs if region == country} <= area_codes()[country].keys()
    ours = [("US", code) for code in area_codes()["US"]] + [("CA", code) for code in area_codes()["CA"]]
    assert len(area_codes()["US"]) >= 359
    # A code that is no longer one, or of the other country: its row says where nobody is.
    assert [pair for pair in ours if _region(pair[1]) not in (pair[0], None)] == []


def _named_places(text, country):
    """Return the subdivisions that the geocoder's `Yuma, AZ` or `Nova Scotia/Prince Edward Island` names."""
    last = text.rsplit(", ", 1)[-1]
    code = f"{country}-{last}"
    if code in subdivisions():
        return {code}
    names = {subdivision_names().get((country, plain_name(part))) for part in text.split("/")}
    return names - {None}


@pytest.mark.parametrize("country", ["US", "CA"])
def test_the_geocoder_knows_no_state_that_an_area_code_lacks(country):
    checked = set()
    for prefix, names in GEOCODE_DATA.items():
        area_code = prefix[1:4]
        if prefix[0] == "1" and area_code in area_codes()[country]:
            named = _named_places(names.get("en", ""), country)
            ours = area_codes()[country][area_code].subdivisions
            assert named <= {*ours, *(subdivisions()[code].part_of for code in ours)}, (prefix, names)
            if named:
                checked.add(area_code)
    assert len(checked) >= len(area_codes()[country]) - 1  # 257 is "British Colombia" there


def test_the_geocoder_knows_no_argentine_province_that_a_code_lacks():
    checked = 0
    for prefix, names in GEOCODE_DATA.items():
        if prefix.startswith("54") and len(prefix) > 4:
            last = (names.get("es") or names.get("en", "")).rsplit(", ", 1)[-1].rsplit("/", 1)[-1]
            province = subdivision_names().get(("AR", plain_name(last)))
            row = next(area_codes()["AR"].get(prefix[2:end]) for end in (6, 5) if prefix[2:end] in area_codes()["AR"])
            assert province in row.subdivisions, (prefix, names)
            checked += 1
    assert checked > 250
    fixed = {prefix for prefix in area_codes()["AR"] if not prefix.startswith("9")}
    assert {prefix for prefix in area_codes()["AR"] if prefix.startswith("9")} == {f"9{prefix}" for prefix in fixed}


def test_the_geocoder_knows_no_spanish_community_that_a_code_lacks():
    checked = 0
    for prefix, names in GEOCODE_DATA.items():
        place = names.get("es") or names.get("en", "")
        community = subdivision_names().get(("ES", plain_name(place.split("/")[0])))
        row = next((area_codes()["ES"][prefix[2:end]] for end in (5, 4) if prefix[2:end] in area_codes()["ES"]), None)
        if prefix.startswith("34") and community and row:
            assert community in row.subdivisions, (prefix, place)
            checked += 1
    assert checked > 90


@pytest.mark.parametrize("country", ["US", "CA"])
def test_an_area_code_with_zones_has_them_all_from_its_states(country):
    """What a row adds are zones of its own subdivisions, or of libphonenumber's for one of its exchanges."""
    theirs = defaultdict(set)
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix[0] == "1":
            theirs[prefix[1:4]].update(zones)
    overlaid = {"America/Halifax"}  # Labrador's clock, by the name of its neighbour
    for area_code, row in area_codes()[country].items():
        own = {zone for code in row.subdivisions for zone in subdivisions()[code].zones}
        assert set(row.zones) <= own | theirs[area_code] | overlaid | {"America/Denver"}, area_code
