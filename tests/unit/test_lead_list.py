import csv
import time

import msgspec
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.carrier import name_for_number

from dialer.adapters.lead_columns import read_columns
from dialer.adapters.lead_list import Seen, read_leads, write_rejected
from dialer.core.lead import PhoneNumber
from dialer.errors import ConfigError

PE = {"default_country": "PE", "jurisdictions": ["PE"]}


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a list given as text (or bytes) with its options."""

    def read_text(content, name="leads.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_leads(path, **{**PE, **options})

    return read_text


def _numbers(read_list):
    return [[number.e164 for number in lead.numbers] for lead in read_list.leads]


# ---- the text ------------------------------------------------------------------------------------------------
ROWS = "teléfono;nombre\r\n987654321;Íñigo Núñez\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "cp1252"])
def test_encodings_that_tools_write(read, encoding):
    content = b"\xff\xfe" + ROWS.encode("utf-16-le") if encoding == "utf-16-le-bom" else ROWS.encode(encoding)
    lead = read(content).leads[0]
    assert (lead.name, lead.numbers[0].e164) == ("Íñigo Núñez", "+51987654321")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_found_out(read, separator):
    text = separator.join(["phone", '"name, or; other"', "city"]) + "\n" + separator.join(["987654321", "x", "Lima"])
    lead = read(text).leads[0]
    assert (lead.region, lead.extra) == ("Lima", {"name, or; other": "x"})


def test_excels_own_separator_line_is_obeyed(read):
    assert _numbers(read("sep=;\r\nphone;a,b,c\r\n987654321;1,2,3\r\n")) == [["+51987654321"]]


def test_quotes_line_breaks_and_controls(read):
    lead = read('phone,name,note\n987654321,"Ana ""la"" Paz","one\r\ntwo\x07\u202e"\n').leads[0]
    assert (lead.name, lead.extra) == ('Ana "la" Paz', {"note": "one two"})


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"", 1, "found nothing"),
        (b"PK\x03\x04rest", 1, "Excel workbook"),
        (b"phone\n987654321\nx\0y\n", 3, "NUL byte"),
        ("phone\n1\n".encode("utf-16-le"), 1, "NUL byte"),
        (b"phone,name\n987654321,\xe9\n987654322,\x81\n", 3, "not text in UTF-8"),
        (b"name,city\nAna,Lima\n", 1, "one of numbers"),
        (b'phone,name\n987654321,a\n987654322,"b\n987654323,c\n', 3, "opened here and never closed"),
        (b'phone,name\n987654321,"a" b\n', 2, "closing quote"),
        (b"phone,name\n987654321," + b"x" * 10_001 + b"\n", 2, "at most 10000 characters"),
        (b"phone,name\n987654321," + b"x" * 200_000 + b"\n", 2, "at most 10000 characters"),
        (b"phone\n987654321" + b"," * 1000 + b"\n", 2, "at most 1000 columns"),
    ],
)
def test_a_file_that_is_no_list_is_refused_by_line(read, content, line, says):
    with pytest.raises(ConfigError) as caught:
        read(content)
    assert f"leads.csv:{line}: " in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_leads(tmp_path / "none.csv", **PE)


# ---- the columns ---------------------------------------------------------------------------------------------
def test_columns_by_spanish_and_english_names():
    columns = read_columns(
        ["ID", "Nº", "Documento", "Nombre Completo", "TELÉFONO 1", "Celular", "telefono_trabajo", "Tel. Referencia",
         "Saldo", "Días Mora", "PRODUCTO", "Ciudad", "Prioridad", "Zona horaria", "País", "Obligación", "DNI", ""]
    )  # fmt: skip
    assert columns.numbers == (4, 5, 6)
    assert columns.fields == {
        "lead_id": 0, "person": 2, "name": 3, "amount": 8, "days_past_due": 9, "product": 10, "region": 11,
        "priority": 12, "zone": 13, "country": 14, "debt": 15,
    }  # fmt: skip
    # A reference is a third party: it stands among the extra columns and is never dialled.
    assert columns.extra == ((1, "Nº"), (7, "Tel. Referencia"), (16, "DNI"))


def test_a_whole_row(read):
    row = read(
        "id,dni,nombre,credito,telefono2,telefono1,saldo,mora,producto,region,prioridad,zona_horaria,gestor\n"
        'L9,\'0123,Ana,C-7,01 421 0001,987 654 321,"1.234,50",12,tarjeta,Lima,5,America/Lima,Rosa\n'
    ).leads[0]
    assert (row.lead_id, row.person, row.debt, row.name, row.amount) == ("L9", "0123", "C-7", "Ana", 1234.5)
    assert (row.days_past_due, row.product, row.region, row.priority) == (12, "tarjeta", "Lima", 5)
    assert row.extra == {"gestor": "Rosa"}
    assert [(n.e164, n.line_type, n.country, n.zones) for n in row.numbers] == [
        ("+5114210001", "fixed", "PE", ("America/Lima",)),
        ("+51987654321", "mobile", "PE", ("America/Lima",)),
    ]


def test_ids_fall_back_to_the_debt_the_person_and_the_number(read):
    leads = read("phone,dni,credito\n987654321,,\n987654322,P2,\n987654323,P3,D3\n").leads
    assert [(lead.lead_id, lead.person, lead.debt) for lead in leads] == [
        ("+51987654321", "+51987654321", "+51987654321"),
        ("P2", "P2", "P2"),
        ("D3", "P3", "D3"),
    ]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("", None),
        ("n/a", None),
        ("1234", 1234.0),
        ("1234.5", 1234.5),
        ("1234,5", 1234.5),
        ("1.234", 1234.0),
        ("1,234", 1234.0),
        ("0,500", 0.5),
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("1.234.567", 1_234_567.0),
        ("12345.678", 12345.678),
        ("S/ 1,234.50", 1234.5),
        ("$ 1.234,50", 1234.5),
        ("1 234,50 €", 1234.5),
        ("-20", -20.0),
        ("US$ 20", 20.0),
    ],
)
def test_amounts(read, cell, amount):
    assert read(f'phone;saldo\n987654321;"{cell}"\n').leads[0].amount == amount


# ---- the numbers ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("cell", "country", "jurisdictions", "e164", "zones"),
    [
        ("987654321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
        ("'987654321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
        ("51987654321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
        ("0051 987654321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
        ("+51 (987) 654-321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
        ("(01) 421.0001", "PE", ["PE"], "+5114210001", ("America/Lima",)),
        ("34612345678", "PE", ["PE", "ES"], "+34612345678", ("Atlantic/Canary", "Europe/Madrid")),
        ("612345678", "ES", ["ES"], "+34612345678", ("Atlantic/Canary", "Europe/Madrid")),
        ("+5215512345678", "MX", ["MX"], "+525512345678", ("America/Mexico_City",)),
        ("55 1234 5678", "MX", ["MX"], "+525512345678", ("America/Mexico_City",)),
        ("305-555-2368", "US", ["US"], "+13055552368", ("America/New_York",)),
        # Its exchange is Chicago's, but a mobile keeps it anywhere in an area code of several zones.
        (
            "605-234-5678", "US", ["US"], "+16052345678",
            ("America/Chicago", "America/Denver", "America/North_Dakota/Center"),
        ),
        ("\uff19\uff18\uff17654321", "PE", ["PE"], "+51987654321", ("America/Lima",)),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(read, cell, country, jurisdictions, e164, zones):
    number = read(f'phone;x\n"{cell}";\n', default_country=country, jurisdictions=jurisdictions).leads[0].numbers[0]
    assert (number.e164, number.zones) == (e164, zones)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("5.19871E+10", "lost digits in a spreadsheet: format the column as text"),
        ("5,19871E+10", "lost digits in a spreadsheet: format the column as text"),
        ("51987654321.0", "saved as a decimal number: format the column as text"),
        ("98765", "no valid number of PE"),
        ("000000000", "no valid number of PE"),
        ("34612345678", "no valid number of PE"),
        ("+34612345678", "a number of ES, the campaign's jurisdictions are PE"),
        ("987654321 ext 5", "expected a telephone number"),
        ("1-800-FLOWERS", "expected a telephone number"),
        ("=1+1", "expected a telephone number"),
        ("", "no number in the row"),
        ("n/a", "no number in the row"),
        ("080512345", "is a premium or special number"),
    ],
)
def test_numbers_that_cannot_be_dialled_reject_the_row(read, cell, says):
    result = read(f'phone;x\n"{cell}";y\n')
    assert not result.leads
    assert [(row.line, row.cells) for row in result.rejected] == [(2, (cell, "y"))]
    assert says in result.rejected[0].reason


def test_a_bad_number_is_left_out_of_a_lead_that_has_a_good_one(read):
    result = read("phone1,phone2,phone3\n12,987654321 / 987654322,987654321\n")
    assert _numbers(result) == [["+51987654321", "+51987654322"]]
    assert [(drop.line, drop.cell) for drop in result.dropped] == [(2, "12")]


US = {"default_country": "US", "jurisdictions": ["US"]}


def test_toll_free_numbers_reject_the_row(read):
    rejected = read("phone\n+18005550123\n", **US).rejected
    assert [(row.line, row.reason) for row in rejected] == [
        (2, "+18005550123 is a toll-free number: nobody knows the hour where it rings")
    ]


def test_a_territorys_number_is_one_of_its_country(read):
    result = read("phone\n7875551234\n+17875551235\n+51987654321\n", **US)
    assert [(lead.numbers[0].country, lead.numbers[0].jurisdictions) for lead in result.leads] == [
        ("US", ("US", "US-PR")),
        ("US", ("US", "US-PR")),
    ]
    assert "a number of PE, the campaign's jurisdictions are US" in result.rejected[0].reason


def test_a_number_of_guernsey_is_none_of_britains(read):
    result = read("phone\n+447911123456\n", default_country="GB", jurisdictions=["GB"])
    assert "is a number of GG, the campaign's jurisdictions are GB" in result.rejected[0].reason


# ---- the address ---------------------------------------------------------------------------------------------
def test_an_address_adds_its_jurisdictions_and_zones_to_every_number(read):
    lead = read("phone1,phone2,state,zip\n6175550123,2125550123,Texas,75001-1234\n", **US).leads[0]
    assert [(number.jurisdictions, number.zones) for number in lead.numbers] == [
        (("US", "US-MA", "US-TX"), ("America/Chicago", "America/Denver", "America/New_York")),
        (("US", "US-NY", "US-NY-NYC", "US-TX"), ("America/Chicago", "America/Denver", "America/New_York")),
    ]


@pytest.mark.parametrize(
    ("header", "cell", "says"),
    [
        ("zona_horaria", "Lima", "expected a time zone such as America/Lima, was 'Lima'"),
        ("tz", "UTC", "expected a time zone such as America/Lima, was 'UTC'"),
        ("state", "Lagos", "expected a subdivision of US such as US-AK or Alaska, was 'Lagos'"),
        ("state", "US", "two letters alone name a country: name a part of it"),
        ("zona_horaria", "Asia/Tokyo", "Asia/Tokyo is no time zone of US: name one of its zones, or give the address"),
        ("provincia", "ES-MD", "the address is in ES-MD, the campaign's jurisdictions are US"),
        ("zip", "2139", "such as 02139, was '2139' (a spreadsheet takes zeros off"),
        ("zip", "00000", "no address of US has the postal code '00000'"),
        ("state", "ES-MD", "the address is in ES-MD, the campaign's jurisdictions are US"),
    ],
)
def test_an_address_that_cannot_be_rejects_the_row(read, header, cell, says):
    result = read(f"phone,{header}\n6175550123,{cell}\n6175550124,\n6175550125,n/a\n", **US)
    assert _numbers(result) == [["+16175550124"], ["+16175550125"]]
    assert [(row.line, row.cells) for row in result.rejected] == [(2, ("6175550123", cell))]
    assert says in result.rejected[0].reason


def test_a_row_whose_address_contradicts_itself_is_rejected(read):
    result = read("phone,state,zip\n6175550123,TX,'02139\n", **US)
    assert result.rejected[0].reason == "the postal code 021… is in US-MA, not in US-TX"


def test_a_zone_that_the_address_has_not_rejects_the_row(read):
    result = read("phone,state,tz\n2125550123,TX,America/Los_Angeles\n2125550124,TX,US/Central\n", **US)
    assert result.rejected[0].reason.startswith("America/Los_Angeles is a time zone neither of the address nor of the")
    assert result.leads[0].numbers[0].zones == ("US/Central",)


def test_an_address_in_a_country_of_no_campaign_rejects_the_row(read):
    result = read("phone,pais\n+16175550123,España\n", **US)
    assert result.rejected[0].reason == "the address is in ES, the campaign's jurisdictions are US"


def test_an_address_in_another_country_is_a_second_place(read):
    """Nobody knows where in it: each of its zones counts, and the rules of each of its parts."""
    result = read("phone,pais,provincia\n+51987654321,España,\n+51987654322,ES,Madrid\n", jurisdictions=["PE", "ES"])
    assert [(lead.numbers[0].jurisdictions, lead.numbers[0].zones) for lead in result.leads] == [
        (("ES", "PE"), ("Africa/Ceuta", "America/Lima", "Atlantic/Canary", "Europe/Madrid")),
        (("ES", "ES-MD", "PE"), ("America/Lima", "Europe/Madrid")),
    ]


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("provincia", "Barcelona", "ES-CT"),
        ("Departamento", "Las Palmas", "ES-CN"),
        ("ciudad,provincia", "Tudela,Navarra", "ES-NC"),
        ("provincia", "Valle Alto", ""),
        ("provincia", "", ""),
        ("departamento", "n/a", ""),
        ("ciudad", "Madrid", ""),
        ("province", "Madrid", "ES-MD"),
        ("ccaa,provincia", "Galicia,Barcelona", "ES-GA"),
    ],
)  # fmt: skip
def test_a_region_that_names_a_subdivision_is_one(read, header, cell, code):
    result = read(f"phone,{header}\n612345678,{cell}\n", default_country="ES", jurisdictions=["ES"])
    assert not result.rejected
    assert result.leads[0].numbers[0].jurisdictions == (("ES", code) if code else ("ES",))
    if header in ("provincia", "Departamento") and code:
        assert result.leads[0].region == cell


def test_a_province_is_read_by_the_numbers_country(read):
    lead = read("phone,provincia\n+34612345678/987654321,Madrid\n", jurisdictions=["PE", "ES"]).leads[0]
    assert [number.jurisdictions for number in lead.numbers] == [("ES", "ES-MD"), ("PE",)]


def test_what_is_no_province_rejects_nothing(read):
    assert read("phone,province\n4165550123,Lagos\n", default_country="CA", jurisdictions=["CA"]).rejected
    assert not read("phone,provincia\n4165550123,Lagos\n", default_country="CA", jurisdictions=["CA"]).rejected


def test_north_dakota_is_no_empty_cell(read):
    result = read("phone,state\n2125550123,ND\n2125550124,n/a\n", **US)
    assert [lead.numbers[0].jurisdictions for lead in result.leads] == [
        ("US", "US-ND", "US-NY", "US-NY-NYC"), ("US", "US-NY", "US-NY-NYC"),
    ]  # fmt: skip


def test_a_bad_address_leaves_nothing_of_the_row_behind(read):
    seen = Seen()
    read("dni,phone,phone2,zip\nP1,6175550123,12,2139\n", seen=seen, **US)
    assert seen == Seen()


def test_a_debts_estado_is_no_state(read):
    lead = read("phone,estado,provincia\n6175550123,vencido,Lima\n", **US).leads[0]
    assert (lead.extra, lead.region) == ({"estado": "vencido"}, "Lima")


@pytest.mark.parametrize(
    ("header", "debt", "account"),
    [("cuenta,x", "1", ""), ("credito,x", "1", ""), ("cuenta,credito", "2", "1"), ("loan_id,account_id", "1", "2"),
     ("account,cuenta", "1", "")],
)  # fmt: skip
def test_an_account_is_the_debt_where_no_column_names_that(read, header, debt, account):
    lead = read(f"phone,{header}\n987654321,1,2\n").leads[0]
    assert (lead.debt, lead.account) == (debt, account)


def test_a_number_at_work_is_known_by_its_column(read):
    lead = read(
        "telefono_trabajo,celular,phone_work_2,tel_oficina,phone_home\n"
        "987654321,987654322,987654323,987654324,987654325\n"
    ).leads[0]
    assert [number.use for number in lead.numbers] == ["work", "", "work", "work", ""]


def test_a_number_at_work_too_is_one_at_work(read):
    lead = read("celular,telefono_trabajo,phone2\n987654321,987654321,987654321\n").leads[0]
    assert [(number.e164, number.use) for number in lead.numbers] == [("+51987654321", "work")]


def test_a_country_column_reads_national_numbers(read):
    result = read("phone,pais\n612345678,España\n987654321,\n55,Mars\n", jurisdictions=["PE", "ES"])
    assert _numbers(result) == [["+34612345678"], ["+51987654321"]]
    assert "expected a country such as PE, was 'Mars'" in result.rejected[0].reason


# ---- the rows ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        ("saldo", "abc", "expected an amount such as 1234.50, was 'abc'"),
        ("saldo", "1.2,3.4", "expected an amount"),
        ("mora", "12.5", "expected a whole number for days_past_due"),
        ("prioridad", "alta", "expected a whole number for priority"),
        ("dni", "x" * 129, "at most 128 characters for the person"),
        ("dni", "1.2345E+10", "the person '1.2345E+10' lost digits"),
        ("nota", "a,b", "expected 2 cells, found 3: put quotes"),
    ],
)
def test_rows_are_rejected_with_their_mend(read, header, row, says):
    separator = "," if header == "nota" else ";"
    result = read(f"phone{separator}{header}\n987654321{separator}{row}\n987654322{separator}\n")
    assert _numbers(result) == [["+51987654322"]]
    assert says in result.rejected[0].reason


def test_the_first_of_a_person_number_or_id_wins_over_all_lists(read):
    seen = Seen()
    first = read("id,dni,phone,phone2\nL1,P1,987654321,987654399\n", name="a.csv", seen=seen)
    second = read(
        "id,dni,phone,phone2\n"
        "L2,P1,987654322,\n"  # the person
        "L3,P3,987654321,\n"  # the number
        "L1,P4,987654324,\n"  # the id
        "L5,P5,987654399,987654325\n"  # one of two numbers
        "L6,P3,987654326,\n"  # P3's first row gave no lead
        "L7,P6,987654325,\n",
        name="b.csv",
        seen=seen,
    )
    assert [lead.lead_id for lead in first.leads] == ["L1"]
    assert [(lead.lead_id, [n.e164[-3:] for n in lead.numbers]) for lead in second.leads] == [
        ("L5", ["325"]),
        ("L6", ["326"]),
    ]
    assert [(row.line, row.reason) for row in second.rejected] == [
        (2, "person 'P1' is a duplicate of a.csv:2"),
        (3, "+51987654321 is a duplicate of a.csv:2"),
        (4, "id 'L1' is a duplicate of a.csv:2"),
        (7, "+51987654325 is a duplicate of b.csv:5"),
    ]


def test_lines_are_those_of_the_file(read):
    result = read('phone,note\n\n987654321,"a\nb"\n12,c\n')
    assert [row.line for row in result.rejected] == [5]


# ---- the rejected rows ---------------------------------------------------------------------------------------
def test_rejected_rows_are_written_harmlessly(read):
    result = read('phone;=cmd;x\n12;"=1+1";@a\n"+34612345678";-5;ok\n')
    path = write_rejected(result)
    assert path.name == "leads.rejected.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["line", "reason", "phone", "'=cmd", "x"]
    assert [row[0] for row in rows[1:]] == ["2", "3"]
    assert [row[2:] for row in rows[1:]] == [["12", "'=1+1", "'@a"], ["'+34612345678", "'-5", "ok"]]
    # Mended rows can be read from that very file.
    again = read_leads(path, default_country="PE", jurisdictions=["ES"])
    assert _numbers(again) == [["+34612345678"]]


def test_without_rejected_rows_an_older_file_goes(read, tmp_path):
    write_rejected(read("phone\n12\n"))
    assert (tmp_path / "leads.rejected.csv").exists()
    assert write_rejected(read("phone\n987654321\n")) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["leads.csv"]


# ---- size ----------------------------------------------------------------------------------------------------
def test_the_time_grows_with_the_rows_and_not_with_their_square(read):
    def cpu_s(rows):
        text = "dni,phone\n" + "".join(f"{i},{900_000_000 + i * 11}\n" for i in range(rows))
        begin = time.process_time()
        assert len(read(text).leads) == rows
        return time.process_time() - begin

    cpu_s(100)  # the numbering data are loaded once
    assert cpu_s(16_000) < 8 * cpu_s(4_000)


# ---- anything at all -----------------------------------------------------------------------------------------
cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["987654321", "+51987654322", "1.234,5", "5E+9", "'0", "=x", "n/a", "\u200e", '"', "PE", "-"]),
)
HEADER = "telefono1,telefono_trabajo,dni,id,saldo,mora,pais,zona_horaria,state,cp,cuenta"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cells, max_size=12), max_size=6), st.sampled_from(["utf-8", "utf-16"]))
def test_any_cells_give_leads_rejected_rows_or_one_clear_line(tmp_path_factory, rows, encoding):
    path = tmp_path_factory.mktemp("fuzz") / "l.csv"
    with path.open("w", encoding=encoding, errors="replace", newline="") as file:
        file.write(HEADER + "\r\n")
        csv.writer(file).writerows(rows)
    try:
        result = read_leads(path, **PE)
    except ConfigError as error:
        assert str(error).startswith(f"{path}:")
        return
    filled = sum(any(row) for row in rows)
    assert len(result.leads) + len(result.rejected) == filled
    assert all(lead.numbers and lead.person and lead.lead_id for lead in result.leads)
    assert len({number.e164 for lead in result.leads for number in lead.numbers}) == sum(
        len(lead.numbers) for lead in result.leads
    )
    assert all(number.zones and "PE" in number.jurisdictions for lead in result.leads for number in lead.numbers)
    assert all(row.reason for row in result.rejected)
    write_rejected(result)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "l.csv"
    path.write_bytes(b"phone,name\n" + content)
    try:
        read_leads(path, **PE)
    except ConfigError as error:
        assert str(error).startswith(f"{path}:")


# ---- the numbers' own carrier --------------------------------------------------------------------------------
def _networks(read_list):
    return [[number.network for number in lead.numbers] for lead in read_list.leads]


def test_the_plan_says_whose_a_mobile_is_and_fixed_lines_are_fixed(read):
    found = read("phone\n" + "".join(f"9{block}654321\n" for block in range(10, 99)))
    names = {number.e164: number.network for lead in found.leads for number in lead.numbers}
    parsed = {e164: phonenumbers.parse(e164, None) for e164 in names}
    assert names == {e164: name_for_number(number, "en").lower() for e164, number in parsed.items()}
    assert {"claro", "entel", "movistar"} <= set(names.values())
    fixed = read("telefono\n01 421 0001\n").leads[0].numbers[0]
    assert (fixed.line_type, fixed.network) == ("fixed", "fixed")


def test_where_no_table_says_the_carrier_is_unknown(read):
    assert _networks(read("phone\n212 555 0123\n", default_country="US", jurisdictions=["US"])) == [[""]]


@pytest.mark.parametrize("title", ["Operador", "network", "RED", "Compañía telefónica", "operador_movil", "Carrier"])
def test_the_list_knows_better_for_ported_numbers(read, title):
    found = read(f"telefono1;telefono2;{title}\n987654321;01 421 0001;  ENTEL   Perú \n986654321;;-\n")
    plan = read("phone\n986654321\n")
    assert _networks(found) == [["entel perú", "entel perú"], _networks(plan)[0]]
    assert found.leads[0].extra == {}


def test_each_number_may_have_its_own_carrier(read):
    columns = read_columns(
        ["operador_2", "telefono", "celular 2", "telefono_trabajo_3", "operador", "operador9", "red"]
    )
    assert columns.numbers == (1, 2, 3)
    assert columns.networks == (4, 0, 4)
    assert columns.extra == ((5, "operador9"), (6, "red"))
    found = read("telefono1,operador1,telefono2,operador2\n987654321,Bitel,986654321,Claro\n")
    assert _networks(found) == [["bitel", "claro"]]
    swapped = read("telefono2,operador1,telefono1,operador2\n987654321,Bitel,986654321,Claro\n")
    assert _networks(swapped) == [["claro", "bitel"]]


def test_a_carriers_name_is_text_of_a_stranger(read):
    name = "x\x1b[31m\u202e" + "y" * 500
    (network,) = _networks(read(f"telefono,operador\n987654321,{name}\n"))[0]
    assert network.isprintable() and len(network) == 40
    assert _networks(read("telefono,operador\n987654321\n")) == _networks(read("telefono\n987654321\n"))


def test_old_records_of_numbers_are_still_read():
    old = b'{"e164":"+51987654321","zones":["America/Lima"],"country":"PE"}'
    assert msgspec.json.decode(old, type=PhoneNumber).network == ""
