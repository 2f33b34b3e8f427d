"""Rate decks as carriers and Excel write them: read whole, or refused with every fault by its line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.rates import Deck, Rate
from dialer.config.campaign import Campaign
from dialer.config.campaign_file import read_campaign
from dialer.config.carriers import RateRow
from dialer.config.rate_deck_file import MAX_BYTES, MAX_FAULTS, calling_codes, read_rate_deck, rows_of
from dialer.config.supply import supply_of
from dialer.errors import ConfigError
from sim.overrides import override
from sim.scenario import Scenario
from sim.scenario_file import load_scenario

HEADER = "prefix,price_per_minute,billing\n"
Faults = Callable[[str | bytes], list[str]]


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    return tmp_path / "deck.csv"


@pytest.fixture
def faults(deck: Path) -> Faults:
    def read(content: str | bytes) -> list[str]:
        deck.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigError) as refused:
            read_rate_deck(deck, currency="USD")
        assert all(fault.startswith(str(deck)) for fault in refused.value.faults)
        return [fault.removeprefix(str(deck)).removeprefix(":") for fault in refused.value.faults]

    return read


def rows(path: Path, content: bytes | str) -> tuple[RateRow, ...]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rate_deck(path, currency="USD").rows


# ---- what is read ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        HEADER + "51,0.012,60/60\n511,0.01,30/6\n",
        HEADER + "511,0.01,30/6\r\n51,0.012,60/60\r\n",  # any order
        "\ufeffPREFIJO;Tarifa por minuto;Facturación\r\n51;0,012;60/60\r\n511;0,01;30/6\r\n",
        "Prefix\tRate\tIncrements\tDestination\n+51\t0.012\t60/60\tPeru\n51 1\t0.01\t30/6\t=cmd|'/c calc'!A0\n",
        'sep=,\n"Código","Precio","Incremento"\n"51","0.012","60 / 60"\n\'511,"0.01","30+6"\n',
        "prefix,price,minimum,step,notes\n51,0.012,60,60,x\n511,1E-2,30.0,6,\n",
        'dial_code,rate,billing\n"=""51""",0.012,60/60\n511,0.01,30/6\n',
        "prefix,price,billing,moneda\n51,0.012,60/60,USD\n511,0.01,30/6,USD\n",
    ],
)
def test_a_deck_is_read_however_it_is_written(deck: Path, content: str) -> None:
    assert rows(deck, content) == (("51", 0.012, 60.0, 60.0, 0.0, 0.0), ("511", 0.01, 30.0, 6.0, 0.0, 0.0))


def test_an_excel_file_in_utf_16(deck: Path) -> None:
    text = "prefijo;precio;incremento;cargo por conexión;cargo por intento\r\n51;0,01;1/1;0,002;0,001\r\n"
    assert rows(deck, text.encode("utf-16")) == (("51", 0.01, 1.0, 1.0, 0.002, 0.001),)


def test_columns_that_nobody_reads_are_named(deck: Path) -> None:
    deck.write_text("prefix,price,billing,Effective date,,country\n51,0,1/1,2026-01-01,,Peru\n")
    assert read_rate_deck(deck, currency="USD").unread == ("Effective date",)


def test_a_hundred_thousand_rows(deck: Path) -> None:
    lines = "".join(f"1{number},{number % 97 / 1000},6/6,0.001\n" for number in range(100_000, 200_000))
    deck.write_text("prefix,rate,billing,connection_fee\n" + lines)
    assert len(rows_of(read_rate_deck(deck, currency="USD").rows, {"1"})) == 100_000


# ---- what is refused ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("51,-0.01,60/60", "price: expected 0 to 1,000,000, was '-0.01'"),
        ("51,1e99,60/60", "price: expected a number"),
        ("51,9999999,60/60", "price: expected 0 to"),
        ("51,free,60/60", "price: expected a number such as 0.0125, was 'free'"),
        ("51,nan,60/60", "price: expected a number"),
        ("51,inf,60/60", "price: expected a number"),
        ("51,$0.01,60/60", "price: expected a number"),
        ("51,,60/60", "price: expected a number, was empty"),
        ("51", "price: expected a number, was empty"),
        ("51,٣,60/60", "price: expected a number"),
        ("51,0.01,", "billing: expected first/step in seconds, as in 60/60, was ''"),
        ("51,0.01,60/0", "a step of at least 1"),
        ("51,0.01,60/-6", "billing: expected first/step"),
        ("51,0.01,99999/1", "expected seconds up to 3600"),
        ("51,0.01,6/6/6", "billing: expected first/step"),
        ("51,0.01,06-jun", "a spreadsheet made a date of it"),
        ("51,0.01,1-Jan", "a spreadsheet made a date of it"),
        ("51,0.01,01/06/2026", "a spreadsheet made a date of it"),
        ("5.1E+10,0.01,60/60", "prefix: expected 1 to 15 digits, country first, was '5.1E+10': it lost digits"),
        ("51.0,0.01,60/60", "saved as a decimal number"),
        ("0051,0.01,60/60", "write it without 00"),
        ("011,0.01,60/60", "write the country's calling code first"),
        (",0.01,60/60", "prefix: expected 1 to 15 digits, country first, was ''"),
        ("51-54,0.01,60/60", "one prefix a row"),
        ("1234567890123456,0.01,60/60", "prefix: expected 1 to 15 digits"),
        ("٥١,0.01,60/60", "prefix: expected 1 to 15 digits"),
        ("=51+1,0.01,60/60", "prefix: expected 1 to 15 digits"),
        ("\x1b[31m51,0.01,60/60", r"was '\x1b[31m51'"),
        ("51,0.01,60/60,1", "expected 3 cells, found 4"),
        ("51," + "9" * 5000 + ",60/60", "price: expected a number such as 0.0125, was '9999"),
    ],
)
def test_a_fault_is_told_by_its_line(faults: Faults, row: str, says: str) -> None:
    (told,) = faults(HEADER + "52,0.02,60/60\n" + row + "\n")
    assert told.startswith("3: ") and says in told and told.isprintable() and len(told) < 300


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", ["1: expected a line of column names, found nothing"]),
        ("\n\n", ["1: expected a line of column names, found nothing"]),
        (HEADER, ["1: expected a row for each prefix, found none"]),
        ("price,billing\n0.1,1/1\n", ["1: expected a column of the prefix"]),
        ("prefix,billing\n51,1/1\n", ["1: expected a column of the per minute"]),
        ("prefix,price\n51,1\n", ["1: expected a column `billing`"]),
        ("prefix,price,step\n51,1,6\n", ["1: expected a column `billing`"]),
        ("prefix,price,billing,step\n51,1,1/1,6\n", ["1: expected billing or first_s and step_s"]),
        ("prefix,price,cost,billing\n51,1,2,1/1\n", ["1: 'cost' says what 'price' says: remove one"]),
        ("prefix,price,billing,setup_fee\n51,1,1/1,\n", ["2: connection fee: expected a number, was empty"]),
        ("prefix,price,billing,moneda\n51,1,1/1,PEN\n", ["2: expected prices in USD"]),
        (HEADER + "51,0.1,1/1\n52,0.2,1/1\n51,0.1,1/1\n", ["4: prefix 51 stands twice (first in line 2): keep one"]),
        (HEADER + '51,"0,1",1/1\n52,0.2,1/1\n', ["3: '.' parts a fraction here and ',' in line 2"]),
        (HEADER + "51,-1,1/1\n5x,1,1/1\n", ["2: price: ", "3: prefix: "]),
        (HEADER + '51,"0.1,1/1\n', ["2: a quote is opened here and never closed"]),
        (b"prefix,price\n51\x00,1\n", ["2: a NUL byte"]),
        (b"PK\x03\x04 workbook", ["1: this is an Excel workbook"]),
        (bytes(range(255, -1, -1)), ["1: "]),
        (b"\x81\x8d\x8f\n", ["1: not text"]),
    ],
)
def test_a_bad_file_is_refused(faults: Faults, content: str | bytes, says: list[str]) -> None:
    told = faults(content)
    assert len(told) == len(says)
    assert all(fault.startswith(start) for fault, start in zip(told, says, strict=True)), told


def test_of_many_faults_the_first_are_told(faults: Faults) -> None:
    told = faults(HEADER + "51,-1,1/1\n" * 500)
    assert len(told) == MAX_FAULTS + 1
    assert told[0].startswith("2: ") and told[-1] == f" and {500 - MAX_FAULTS} faults more"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    for name in (".", "none.csv", "a\x00b", "x" * 5000):
        with pytest.raises(FileNotFoundError):
            read_rate_deck(tmp_path / name, currency="USD")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):  # nobody waits for a writer
        read_rate_deck(tmp_path / "pipe", currency="USD")


def test_a_line_without_end_is_not_swallowed(faults: Faults) -> None:
    assert "expected at most 32 MiB" in faults(b"prefix,price,billing\n" + b"5" * 50_000_000)[0]
    assert "expected lines of at most" in faults(HEADER + "5" * 3_000_000)[0]
    assert "expected lines of at most" in faults(HEADER + "5," * 3_000_000)[0]
    assert MAX_BYTES == 32 << 20


@given(st.binary(max_size=300))
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "deck.csv"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        read_rate_deck(path, currency="USD")


cells = st.one_of(st.text(max_size=6), st.sampled_from(["51", "0.1", "1/1", "-1", "1E5", '"', "511", "0,1"]))


@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=6))
def test_whatever_is_read_is_a_deck(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "deck.csv"
    path.write_text(HEADER + "\n".join(",".join(row) for row in table), encoding="utf-8", errors="replace")
    try:
        found = read_rate_deck(path, currency="USD").rows
    except ConfigError as refused:
        assert all(fault.startswith(f"{path}:") for fault in refused.faults)
    else:
        assert found and all(row[0].isascii() and row[0].isdigit() and min(row[1:]) >= 0 < row[3] for row in found)


# ---- what a campaign keeps ------------------------------------------------------------------------------------
prefixes = st.text(alphabet="15", min_size=1, max_size=5)
decks = st.dictionaries(prefixes, st.sampled_from([0.1, 0.2]), max_size=15)


@given(decks, st.sets(st.sampled_from(["1", "51", "55"]), min_size=1), st.text(alphabet="15", max_size=7))
def test_what_is_kept_says_what_the_deck_says(prices: dict[str, float], codes: set[str], rest: str) -> None:
    whole = tuple(sorted((prefix, price, 1.0, 1.0, 0.0, 0.0) for prefix, price in prices.items()))
    kept = rows_of(whole, codes)
    assert set(kept) <= set(whole) and list(kept) == sorted(kept)
    decks = [Deck(Rate(prefix=row[0], per_minute=row[1]) for row in rows) for rows in (whole, kept)]
    for code in codes:
        rates = [deck.rate_of(code + rest) for deck in decks]
        assert len({None if rate is None else rate.per_minute for rate in rates}) == 1


def test_calling_codes() -> None:
    assert calling_codes(["PE", "US", "CA", "XX"]) == {"51", "1"}


CAMPAIGN = """\
campaign: lima
jurisdictions: [PE]
trunks:
  - {name: a, rates: decks/a.csv}
  - name: b
    rates: decks/a.csv
  - {name: c, price: {per_minute: 0.02, billing: 60/60, attempt_fee: 0.001}}
caller_ids: ["+5117009000"]
agents:
  - {id: ana}
"""
SCENARIO = "scenario: s\nstart: '2026-11-23T09:00:00-05:00'\nduration: 1h\npopulation: {leads: 1}\ncampaign:\n"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    (tmp_path / "decks").mkdir()
    (tmp_path / "decks" / "a.csv").write_text(HEADER + "5,0.5,60/60\n519,0.03,60/60\n5191,0.03,60/60\n54,0.1,1/1\n")
    (tmp_path / "c.yaml").write_text(CAMPAIGN)
    (tmp_path / "s.yaml").write_text(SCENARIO + "".join(f"  {line}\n" for line in CAMPAIGN.splitlines()))
    return tmp_path / "c.yaml"


KEPT = (("5", 0.5, 60.0, 60.0, 0.0, 0.0), ("519", 0.03, 60.0, 60.0, 0.0, 0.0))


def test_a_campaign_holds_the_rows_that_its_countries_need(campaign: Path) -> None:
    read = read_campaign(campaign)
    assert [trunk.deck for trunk in read.trunks] == [KEPT, KEPT, ()]
    (campaign.parent / "decks" / "a.csv").unlink()
    again = Campaign.model_validate(read.model_dump(mode="json"))
    assert again == read and supply_of(again) == supply_of(read)


def test_a_scenario_does_so_too(campaign: Path) -> None:
    read = load_scenario(str(campaign.with_name("s.yaml")))
    assert read.campaign.trunks[0].deck == KEPT
    assert Scenario.model_validate(read.model_dump(mode="json")) == read


def test_a_deck_cannot_be_changed_without_its_file(campaign: Path) -> None:
    scenario = load_scenario(str(campaign.with_name("s.yaml")))
    with pytest.raises(ConfigError, match="a rate deck is read with the file that names it"):
        override(scenario, {"campaign.trunks.0.rates": "b.csv"})
    changed = override(scenario, {"campaign.trunks.2.price.per_minute": 0.5, "campaign.routing.max_tries": 1})
    assert changed.campaign.routing.max_tries == 1 and changed.campaign.trunks[0].deck == KEPT


@pytest.mark.parametrize(
    ("deck_text", "says"),
    [
        (None, ["{c}:4: trunks.0.rates: expected a rate deck, found none at {d}"]),  # once, though two trunks name it
        (HEADER + "54,1,1/1\n", ["{c}:4: trunks.0.rates: expected a prefix that begins 51..., found none in {d}"]),
        (HEADER + "51,x,1/1\n52,-1,1/1\n", ["{d}:2: price: ", "{d}:3: price: "]),
    ],
)
def test_faults_of_decks_keep_a_campaign_from_loading(campaign: Path, deck_text: str | None, says: list[str]) -> None:
    path = campaign.parent / "decks" / "a.csv"
    path.unlink()
    if deck_text is not None:
        path.write_text(deck_text)
    with pytest.raises(ConfigError) as refused:
        read_campaign(campaign)
    expected = [text.format(c=campaign, d=path) for text in says]
    assert len(refused.value.faults) == len(says)
    assert all(fault.startswith(text) for fault, text in zip(refused.value.faults, expected, strict=True))
    with pytest.raises(ConfigError) as refused:
        load_scenario(str(campaign.with_name("s.yaml")))
    assert len(refused.value.faults) == len(says)
