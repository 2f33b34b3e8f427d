"""Where a person may be: the known traps, one by one, and anything at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.places.tables import postal_codes, subdivisions
from compliance.resolve import read_subdivision, resolve
from compliance.zones import known_zones


def _place(number, **address):
    found = resolve(number, **address)
    assert (found.fault, found.fault_text) == ("", "")
    return set(found.place.jurisdictions), set(found.place.zones)


def _zones(*names):
    return {name if "/" in name and name.split("/")[0] in ("Europe", "Atlantic", "Pacific", "Indian")
            else f"America/{name}" for name in names}  # fmt: skip


# ---- the number ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "jurisdictions", "zones"),
    [
        ("+51987654321", "PE", "Lima"),
        ("+12165550123", "US US-OH", "New_York"),
        # Arizona keeps standard time but for the Navajo nation; Phoenix' own codes are outside of that.
        ("+16025550123", "US US-AZ", "Phoenix"),
        ("+19285550123", "US US-AZ", "Phoenix Denver"),
        # Indiana has two clocks; libphonenumber has one of them for the overlay 930.
        ("+13175550123", "US US-IN", "New_York"),
        ("+12195550123", "US US-IN", "Chicago New_York Indiana/Knox"),
        ("+18502345678", "US US-FL", "Chicago New_York"),
        ("+14482345678", "US US-FL", "Chicago New_York"),
        ("+13642345678", "US US-KY", "Chicago New_York"),
        ("+14582345678", "US US-OR", "Los_Angeles Boise"),
        # New York City by its area codes
        ("+12125550123", "US US-NY US-NY-NYC", "New_York"),
        ("+19175550123", "US US-NY US-NY-NYC", "New_York"),
        ("+15165550123", "US US-NY", "New_York"),
        # two provinces, and British Columbia's five clocks
        ("+19025550123", "CA CA-NS CA-PE", "Halifax"),
        ("+17785550123", "CA CA-BC", "Vancouver Creston Dawson_Creek Edmonton Fort_Nelson"),
        ("+14035550123", "CA CA-AB", "Edmonton"),
        ("+13675550123", "CA CA-QC", "Toronto Halifax Blanc-Sablon"),
        # territories of others
        ("+17875550123", "US US-PR", "Puerto_Rico"),
        ("+16712345678", "US US-GU", "Pacific/Guam"),
        ("+262692123456", "FR FR-RE", "Indian/Reunion Indian/Mayotte"),
        ("+590690271234", "FR FR-GP FR-BL FR-MF", "Guadeloupe"),
        ("+596696123456", "FR FR-MQ", "Martinique"),
        # mobile numbers that are anywhere in their country
        ("+34612345678", "ES", "Europe/Madrid Atlantic/Canary"),
        ("+593991234567", "EC", "Guayaquil Pacific/Galapagos"),
        ("+56961234567", "CL", "Santiago Punta_Arenas Coyhaique"),
        ("+34912345678", "ES ES-MD", "Europe/Madrid"),
        ("+34928123456", "ES ES-CN", "Atlantic/Canary"),
        ("+34956123456", "ES ES-AN ES-CE", "Europe/Madrid"),
        # Buenos Aires is a city and a province, and mobile numbers have a 9 in front
        ("+541143211234", "AR AR-B AR-C", "Buenos_Aires"),
        ("+5491143211234", "AR AR-B AR-C", "Buenos_Aires"),
        ("+5493514123456", "AR AR-X", "Buenos_Aires"),
        ("+5581991234567", "BR BR-PE", "Recife Noronha"),
        # Mexico's 1 for mobiles is gone
        ("+5215512345678", "MX", "Mexico_City"),
        ("+61891641234", "AU AU-CX AU-NSW AU-NT AU-SA AU-WA", "Indian/Christmas"),
    ],
)  # fmt: skip
def test_where_a_number_may_be(number, jurisdictions, zones):
    assert _place(number) == (set(jurisdictions.split()), _zones(*zones.split()))


def test_mexicos_old_form_is_read_as_todays():
    assert resolve("+5215512345678").number == "+525512345678"


def test_867_is_three_territories_and_all_their_clocks():
    jurisdictions, zones = _place("+18674561234")
    assert jurisdictions == {"CA", "CA-YT", "CA-NT", "CA-NU"}
    own = {zone for code in ("CA-YT", "CA-NT", "CA-NU") for zone in subdivisions()[code].zones}
    assert own <= zones


def test_the_exchange_of_a_north_american_number_says_nothing():
    assert resolve("+16052345678").place == resolve("+16053562345").place


def test_a_number_of_the_channel_islands_is_of_no_country_with_a_pack():
    # Part of Britain's numbering plan, and not of Britain: the rules deny a country without a pack.
    assert resolve("+447911123456").country == "GG"
    assert resolve("+447911123456").place.jurisdictions == ("GG",)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", "number.invalid"),
        ("987654321", "number.invalid"),
        ("+5198765432", "number.invalid"),
        ("+999123456789", "number.invalid"),
        ("+18005550123", "number.non_geographic"),
        ("+15005550006", "number.non_geographic"),  # personal
        ("+16005551234", "number.non_geographic"),  # satellite and the like
        ("+80012345678", "number.non_geographic"),  # of the world
        ("+447012345678", "number.non_geographic"),
        ("+5180512345", "number.non_geographic"),
    ],
)
def test_numbers_of_no_place(number, fault):
    found = resolve(number, zone="America/Lima")
    assert (found.fault, found.place) == (fault, ((), ()))
    assert found.fault_text


# ---- the address ---------------------------------------------------------------------------------------------
def test_a_lead_that_moved_is_in_both_places():
    assert _place("+16175550123", subdivision="US-TX") == (
        {"US", "US-MA", "US-TX"}, _zones("New_York", "Chicago", "Denver"),
    )  # fmt: skip
    assert _place("+16175550123", postal="75001") == ({"US", "US-MA", "US-TX"}, _zones("New_York", "Chicago"))


def test_a_lead_that_moved_abroad():
    assert _place("+51987654321", subdivision="ES-CN") == ({"PE", "ES", "ES-CN"}, _zones("Lima", "Atlantic/Canary"))
    # The postal code is of the address's country.
    assert _place("+51987654321", subdivision="ES-CN", postal="35001")[0] == {"PE", "ES", "ES-CN"}


@pytest.mark.parametrize("postal", ["10001", "10463", "11201", "11375-2222", "11691", "10301", "11004"])
def test_new_york_city_by_zip(postal):
    assert _place("+13055552368", postal=postal)[0] == {"US", "US-FL", "US-NY", "US-NY-NYC"}


def test_a_neighbour_of_the_city_is_in_the_state_alone():
    assert _place("+13055552368", postal="11501")[0] == {"US", "US-FL", "US-NY"}


@pytest.mark.parametrize(
    ("number", "postal", "code", "zones"),
    [
        ("+34612345678", "35001", "ES-CN", "Atlantic/Canary Europe/Madrid"),
        ("+34912345678", "38 001", "ES-CN", "Atlantic/Canary Europe/Madrid"),
        ("+34912345678", "52001", "ES-ML", "Europe/Madrid Africa/Ceuta"),
        ("+14165550123", "x0a 0h0", "CA-NU", None),
        ("+14165550123", "H2X-1Y4", "CA-QC", "Toronto"),
        ("+593991234567", "200150", "EC-W", "Guayaquil Pacific/Galapagos"),
        ("+525512345678", "22000", "MX-BCN", "Mexico_City Tijuana"),
        ("+541143211234", "C1425ABC", "AR-C", None),
        ("+541143211234", "1425", "AR-C", None),
        ("+33612345678", "97400", "FR-RE", "Europe/Paris Indian/Reunion"),
        ("+33612345678", "57000", "FR-57", None),
        ("+5511991234567", "69005-010", "BR-AM", "Sao_Paulo Manaus Eirunepe"),
        ("+61412345678", "0872", "AU-WA", None),
        ("+12125550123", "00901", "US-PR", "New_York Puerto_Rico"),
        ("+12125550123", "96799", "US-AS", "New_York Pacific/Pago_Pago"),
    ],
)
def test_where_a_postal_code_is(number, postal, code, zones):
    found, its_zones = _place(number, postal=postal)
    assert {code, subdivisions()[code].part_of} <= found
    if zones:
        assert its_zones == {zone if "/" in zone else f"America/{zone}" for zone in zones.split()}


@pytest.mark.parametrize(
    ("number", "postal", "zones"),
    [
        ("+18505550123", "32501", "Chicago New_York"),
        ("+13055552368", "32501", "New_York Chicago"),
        ("+13055552368", "33101", "New_York"),
        ("+12125550123", "79901", "New_York Denver Chicago"),
        ("+12125550123", "86001", "New_York Phoenix Denver"),
        ("+12125550123", "46401", "New_York Chicago"),
    ],
)
def test_a_postal_codes_own_zones_stand_instead_of_its_states(number, postal, zones):
    assert _place(number, postal=postal)[1] == _zones(*zones.split())


@pytest.mark.parametrize(
    ("number", "address", "fault", "says"),
    [
        ("+13055552368", {"subdivision": "US-XX"}, "subdivision.unknown", "such as US-MA, was 'US-XX'"),
        ("+13055552368", {"subdivision": "MA"}, "subdivision.unknown", "such as US-MA, was 'MA'"),
        ("+13055552368", {"postal": "2139"}, "postal.unknown", "such as 02139, was '2139' (a spreadsheet takes"),
        ("+34612345678", {"postal": "8001"}, "postal.unknown", "such as 08001, was '8001'"),
        ("+34612345678", {"postal": "53001"}, "postal.unknown", "no address of ES has the postal code '53001'"),
        ("+13055552368", {"postal": "09012"}, "postal.unknown", "no address of US"),  # an army's
        ("+13055552368", {"postal": "96940"}, "postal.unknown", "no address of US"),  # Palau
        ("+34612345678", {"subdivision": "ES-CN", "postal": "28001"}, "address.contradictory", "ES-MD, not in ES-CN"),
        ("+51987654321", {"subdivision": "US-MA", "postal": "15001"}, "address.contradictory", "US-PA, not in US-MA"),
        ("+13055552368", {"subdivision": "US"}, "subdivision.unknown", "two letters alone name a country"),
        ("+13055552368", {"country": "es"}, "country.unknown", "such as ES, was 'es'"),
        ("+12125550123", {"zone": "Asia/Tokyo"}, "zone.contradictory", "Asia/Tokyo is no time zone of US: name one"),
        ("+573001234567", {"zone": "Europe/Madrid"}, "zone.contradictory", "is no time zone of CO: name one"),
        ("+573001234567", {"zone": "America/Lima"}, "zone.contradictory", "is no time zone of CO: name one"),
        ("+573001234567", {"subdivision": "ES-MD", "zone": "Asia/Tokyo"}, "zone.contradictory", "of CO or ES"),
        ("+573001234567", {"subdivision": "ES-MD", "zone": "Atlantic/Canary"}, "zone.contradictory", "America/Bogota"),
        ("+573001234567", {"country": "ES", "zone": "America/Lima"}, "zone.contradictory", "of CO or ES"),
        ("+12125550123", {"subdivision": "US-TX", "zone": "America/Los_Angeles"}, "zone.contradictory", "/Chicago"),
        ("+12125550123", {"postal": "75001", "zone": "America/Los_Angeles"}, "zone.contradictory", "/Chicago"),
        ("+51987654321", {"zone": "Lima"}, "zone.unknown", "such as America/Lima, was 'Lima'"),
        ("+51987654321", {"zone": "UTC"}, "zone.unknown", "was 'UTC'"),
        ("+51987654321", {"zone": "Etc/GMT+5"}, "zone.unknown", "was 'Etc/GMT+5'"),
    ],
)  # fmt: skip
def test_addresses_that_cannot_be(number, address, fault, says):
    found = resolve(number, **address)
    assert (found.fault, found.place) == (fault, ((), ()))
    assert says in found.fault_text


@pytest.mark.parametrize(
    ("subdivision", "postal"), [("US-NY", "10001"), ("US-NY-NYC", "12201"), ("FR-GES", "57000"), ("CA-NT", "X0A 0H0")]
)
def test_a_part_and_its_whole_are_no_contradiction(subdivision, postal):
    number = {"US": "+13055552368", "FR": "+33612345678", "CA": "+14165550123"}[subdivision[:2]]
    assert resolve(number, subdivision=subdivision, postal=postal).fault == ""


def test_postal_codes_of_a_country_without_any_say_nothing():
    assert "PE" not in postal_codes()
    assert resolve("+51987654321", postal="anything").place == resolve("+51987654321").place


def test_a_zone_of_the_list_stands_instead_of_all_others():
    assert _place("+34612345678", subdivision="ES-MD", zone="Europe/Madrid") == (
        {"ES", "ES-MD"}, {"Europe/Madrid"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "address", "zone"),
    [
        ("+573001234567", {"subdivision": "ES-MD"}, "Europe/Madrid"),
        ("+573001234567", {"subdivision": "ES-MD"}, "America/Bogota"),
        ("+573001234567", {"country": "ES"}, "Atlantic/Canary"),
        ("+12125550123", {}, "America/Los_Angeles"),
        ("+12125550123", {}, "Pacific/Guam"),  # a territory's
        ("+12125550123", {}, "US/Eastern"),  # an old name
        ("+541143211234", {}, "America/Buenos_Aires"),
        ("+13135550123", {"subdivision": "US-MI"}, "America/New_York"),  # keeps Detroit's clock
        ("+12125550123", {"postal": "75001"}, "America/Chicago"),
    ],
)
def test_a_zone_of_the_countries_or_of_the_address_is_taken(number, address, zone):
    assert _place(number, zone=zone, **address)[1] == {zone}


def test_a_state_without_a_postal_code_stands_for_its_cities():
    assert _place("+13055552368", subdivision="US-NY")[0] == {"US", "US-FL", "US-NY", "US-NY-NYC"}
    assert _place("+13055552368", subdivision="US-NY", postal="12201")[0] == {"US", "US-FL", "US-NY"}
    assert _place("+13055552368", subdivision="US-NY", postal="10001")[0] == {"US", "US-FL", "US-NY", "US-NY-NYC"}
    assert _place("+15185550123")[0] == {"US", "US-NY"}  # a number's own area is no address
    # Ireland's postal codes are in no table: that one is given says nothing.
    assert "IE-CO" in _place("+353861234567", subdivision="IE-M", postal="T12 AB34")[0]
    assert {"FR-57", "FR-6AE"} <= _place("+33612345678", subdivision="FR-GES")[0]


def test_a_country_of_the_address():
    ours = _place("+51987654321", country="PE")
    assert ours == _place("+51987654321")
    spain = {"Africa/Ceuta", "Atlantic/Canary", "Europe/Madrid"}
    assert _place("+51987654321", country="ES") == ({"PE", "ES"}, {"America/Lima", *spain})
    # Its part, if known, is where the person is; and the postal code is of its form.
    assert _place("+51987654321", country="ES", subdivision="ES-CN")[1] == _zones("Lima", "Atlantic/Canary")
    assert _place("+51987654321", country="ES", postal="35001")[0] == {"PE", "ES", "ES-CN"}
    assert _place("+51987654321", country="PR")[0] == {"PE", "US", "US-PR"}
    assert _place("+51987654321", country="XX")[0] == {"PE", "XX"}  # without a pack: denied


# ---- names ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("", "US", ""),
        ("MA", "US", "US-MA"),
        ("us-ma", "PE", "US-MA"),
        (" Massachusetts ", "US", "US-MA"),
        ("NYC", "US", "US-NY-NYC"),
        ("New York", "US", "US-NY"),
        ("D.C.", "US", "US-DC"),
        ("Puerto Rico", "PR", "US-PR"),
        ("Comunidad de Madrid", "ES", "ES-MD"),
        ("MADRID", "ES", "ES-MD"),
        ("Barcelona", "ES", "ES-CT"),
        ("País Vasco", "ES", "ES-PV"),
        ("Québec", "CA", "CA-QC"),
        ("CDMX", "MX", "MX-CMX"),
        ("Capital Federal", "AR", "AR-C"),
        ("Buenos Aires", "AR", "AR-B"),
        ("São Paulo", "BR", "BR-SP"),
        ("FR-974", "FR", "FR-RE"),
        ("Metropolitana", "CL", "CL-RM"),
    ],
)
def test_subdivisions_as_lists_write_them(text, country, code):
    assert read_subdivision(text, country) == code


@pytest.mark.parametrize(
    ("text", "country", "says"),
    [
        ("Lagos", "US", "expected a subdivision of US such as US-AK or Alaska, was 'Lagos'"),
        ("Castile", "ES", "expected a subdivision of ES such as ES-AN or Andalucía"),
        ("x" * 500, "GG", "expected a subdivision of GG such as US-MA, was 'xxx"),
    ],
)
def test_what_is_no_subdivision_is_refused_with_an_example(text, country, says):
    with pytest.raises(ValueError, match="expected a subdivision") as caught:
        read_subdivision(text, country)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 200


# ---- anything at all -----------------------------------------------------------------------------------------
numbers = st.one_of(
    st.text(max_size=16),
    st.sampled_from(["1", "34", "51", "52", "54", "56", "262", "590", "44", "61", "800"]).flatmap(
        lambda code: st.integers(10**6, 10**10).map(lambda rest: f"+{code}{rest}")
    ),
    st.sampled_from(["+12125550123", "+34612345678", "+5491143211234", "+51987654321"]),
)
countries = st.one_of(st.just(""), st.just(""), st.text(max_size=3), st.sampled_from(["US", "ES", "PR", "GP", "JP"]))
codes = st.one_of(st.just(""), st.text(max_size=8), st.sampled_from(sorted(subdivisions())))
posts = st.one_of(st.just(""), st.text(max_size=10), st.integers(0, 99_999).map("{:05}".format))
zones = st.one_of(st.just(""), st.just(""), st.text(max_size=12), st.sampled_from(sorted(known_zones())))


@settings(max_examples=500, deadline=None)
@given(numbers, countries, codes, posts, zones)
@example("+1" + "9" * 300, "", "", "", "")
@example("+１２１２５５５０１２３", "", "", "", "")
def test_any_text_gives_a_place_or_a_fault_and_never_both(number, country, subdivision, postal, zone):
    found = resolve(number, country=country, subdivision=subdivision, postal=postal, zone=zone)
    assert bool(found.fault) == (not found.place.zones) == bool(found.fault_text)
    assert len(found.fault_text) < 250 and found.fault_text.isprintable()
    if not found.fault:
        assert found.country in found.place.jurisdictions
        assert set(found.place.zones) <= known_zones()
        assert list(found.place.zones) == sorted(set(found.place.zones))
        assert list(found.place.jurisdictions) == sorted(set(found.place.jurisdictions))
        assert found == resolve(number, country=country, subdivision=subdivision, postal=postal, zone=zone)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20), st.sampled_from(["US", "ES", "PR", "PE", ""]))
def test_any_text_is_a_subdivision_or_refused(text, country):
    try:
        code = read_subdivision(text, country)
    except ValueError:
        return
    assert code == "" or code in subdivisions()
