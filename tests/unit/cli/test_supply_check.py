"""What `dialer carriers check` finds, and what it lets pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dialer.cli.carriers.check import check
from dialer.cli.carriers.coverage import Coverage
from dialer.config.campaign_file import read_campaign
from dialer.config.supply import supply_of
from dialer.errors import ConfigError

BASE = """\
campaign: lima
jurisdictions: [PE]
lists: [leads.csv]
caller_ids: ["+5117009000", "+5117009001"]
agents: [{id: ana}]
"""
LEADS = "id,telefono,region,producto\nL1,+51999888777,Lima,card\nL2,+5154222333,Arequipa,loan\n"
DECKS = {
    "peru.csv": "prefix,price,billing\n51,0.01,60/60\n519,0.02,60/60\n",
    "mobile.csv": "prefix,price,billing,valid from\n519,0.02,60/60,2026-01-01\n",
    "chile.csv": "prefix,price,billing\n56,0.01,60/60\n51999,0.01,1/1\n",
}
Finding = tuple[str, str, str]
Look = Callable[..., list[Finding]]
ONE = "trunks: [{name: a}]\n"
OF_T = "trunks: [{name: a, carrier: T}]\n"
POOL = 'caller_id_pools: [{name: p, numbers: ["+5117009000"]}]\n'
NIGHT = """\
trunks:
  - name: a
    hours: [{days: [mon, tue, wed, thu, fri, sat, sun], allow: [["01:00", "04:00"]], zone: America/Lima}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "leads.csv").write_text(LEADS)
    for name, text in DECKS.items():
        (tmp_path / name).write_text(text)
    return tmp_path / "c.yaml"


@pytest.fixture
def look(file: Path, capsys: pytest.CaptureFixture[str]) -> Look:
    """Return a function that gives the findings on a file's text as (level, key, text)."""

    def findings(text: str, base: str = BASE) -> list[Finding]:
        file.write_text(base + text, encoding="utf-8")
        code = check(file, json=True)
        told = json.loads(capsys.readouterr().out)
        assert told["whole"] == (code == 0) == all(each["level"] != "error" for each in told["findings"])
        lines = file.read_text().splitlines()
        assert all(each["line"] is None or 1 <= each["line"] <= len(lines) for each in told["findings"])
        return [(each["level"], each["key"], each["text"]) for each in told["findings"]]

    return findings


WHOLE = """\
carriers:
  - {name: T, max_channels: 100, limits: [{calls: 25, per_s: 5}]}
trunks:
  - {name: a, carrier: T, rates: peru.csv, max_channels: 50}
  - {name: b, carrier: T, price: {per_minute: 0.02, billing: 1/1}, max_channels: 50}
"""


def test_a_whole_supply_has_nothing_to_mend(look: Look) -> None:
    assert look(WHOLE) == [
        ("note", "trunks.0.rates", "2 rows, 2 of them decide for numbers of the campaign's countries")
    ]


@pytest.mark.parametrize(
    ("text", "level", "key", "says"),
    [
        # who can be called
        (
            "trunks: [{name: a, rates: mobile.csv}]\n",
            "warning",
            "lists",
            "no trunk carries 1 of the lists' 2 numbers: +5154222333 (L2)",
        ),
        ("trunks: [{name: a, regions: [Cusco]}]\n", "error", "lists", "no trunk carries 2 of the lists' 2 numbers"),
        (
            "trunks: [{name: a, regions: [Cusco]}]\n",
            "warning",
            "trunks.0.regions.0",
            "nobody on the lists has the region 'Cusco'",
        ),
        ("trunks: [{name: a, regions: [Lina]}]\n", "warning", "trunks.0.regions.0", "did you mean Lima?"),
        (ONE, "note", "trunks.0", "the only trunk: where it fails nobody is called"),
        (
            "trunks: [{name: a, rates: peru.csv}, {name: b, rates: mobile.csv}]\n",
            "note",
            "trunks.0",
            "no other trunk carries 51: no failover there, 1 of the lists' numbers among them",
        ),
        (
            ONE + "routing: {contact_values: {cards: 1}}\n",
            "warning",
            "routing.contact_values.cards",
            "the product 'cards': did you mean card?",
        ),
        # prices
        (
            "trunks: [{name: a, rates: peru.csv}, {name: b}]\n",
            "warning",
            "trunks.1",
            "no price among trunks that have one",
        ),
        (
            "trunks: [{name: a, price: {per_minute: 50, billing: 1/1}}]\n",
            "warning",
            "trunks.0.price",
            "as a contact is worth (0.25 USD), or more: all numbers",
        ),
        ("trunks: [{name: a, rates: mobile.csv}]\n", "note", "trunks.0.rates", "columns that are not read: valid from"),
        # accounts
        (
            "carriers: [{name: T, max_channels: 10}]\n" + OF_T,
            "warning",
            "trunks.0.max_channels",
            "30 channels, T has 10",
        ),
        (
            "carriers: [{name: T, limits: [{calls: 5, per_s: 5}]}]\n" + OF_T,
            "warning",
            "trunks.0.max_cps",
            "5 set-ups/s, T takes 1 from all",
        ),
        (
            "carriers: [{name: T, max_channels: 40}]\ntrunks: [{name: a, carrier: T}, {name: b, carrier: T}]\n",
            "note",
            "carriers.0.max_channels",
            "its 2 trunks have 60 channels, the account 40",
        ),
        (
            "carriers: [{name: Telnyx}]\ntrunks: [{name: a, carrier: Telnix}]\n",
            "warning",
            "trunks.0.carrier",
            "'Telnix' is not among carriers: an account of its own: did you mean Telnyx?",
        ),
        ("carriers: [{name: Telnyx}]\ntrunks: [{name: a}]\n", "note", "trunks.0.name", "'a' is not among carriers"),
        (
            "carriers: [{name: Telnyx}]\ntrunks: [{name: a}]\n",
            "warning",
            "carriers.0.name",
            "no trunk is of the carrier 'Telnyx'",
        ),
        (
            "carriers: [{name: T, cancelled_calls: {above: 0.2, fee: 0.005}}]\n" + OF_T,
            "note",
            "carriers.0.cancelled_calls",
            "above 20% each call that we end before an answer costs 0.005 USD",
        ),
        (
            "amd: true\ncarriers: [{name: T, short_calls: {above: 0.15, fee: 0.01}}]\n" + OF_T,
            "note",
            "carriers.0.short_calls",
            "above 15% each answered call of up to 6 s costs 0.01 USD",
        ),
        # caller IDs
        ('trunks: [{name: a, caller_ids: ["+5117009000"]}]\n', "warning", "caller_ids.1", "no trunk takes +5117009001"),
        (
            'trunks: [{name: a, caller_ids: ["+5117009000"]}]\n' + POOL.replace("9000", "9001"),
            "warning",
            "caller_id_pools.0.numbers",
            "no trunk takes any of them",
        ),
        (ONE + POOL, "note", "caller_ids.1", "+5117009001 is in no pool"),
        (
            "trunks: [{name: a, attestation: A}, {name: b}]\n",
            "note",
            "trunks.1.attestation",
            "does not sign our numbers, a signs A",
        ),
        (
            ONE + POOL.replace('"]}', '", "+5117009001"], products: [card]}'),
            "warning",
            "caller_id_pools",
            "nothing may be shown to 1 of the lists' numbers, in PE of 'loan': no call is placed",
        ),
        (
            ONE + POOL.replace('"]}', '", "+5117009001"], products: [cards]}'),
            "error",
            "caller_id_pools",
            "nothing may be shown to 2 of the lists' numbers",
        ),
        # hours
        (
            NIGHT,
            "error",
            "trunks.0.hours",
            "never open while anybody on the lists may be called",
        ),
    ],
)
def test_what_is_found(look: Look, text: str, level: str, key: str, says: str) -> None:
    found = look(text)
    assert any((level, key) == each[:2] and says in each[2] for each in found), found


def test_a_country_that_no_trunk_carries(look: Look) -> None:
    base = BASE.replace("[PE]", "[PE, CL, CO]")
    found = look("trunks: [{name: a, rates: peru.csv}, {name: b, rates: chile.csv}]\n", base)
    assert [each for each in found if each[0] == "error"] == [
        ("error", "jurisdictions.2", "no trunk carries numbers of CO (57...)")
    ]
    alone = [text for _, key, text in found if key.startswith("trunks") and "no failover" in text]
    assert [text.split(": no")[0] for text in alone] == ["no other trunk carries 51", "no other trunk carries 56"]


def test_a_country_whose_caller_ids_its_trunks_do_not_take(look: Look) -> None:
    """Chile wants +56600 where we have such a number."""
    base = BASE.replace("[PE]", "[PE, CL]").replace('"+5117009001"', '"+566001234567"')
    trunk = 'trunks: [{name: a, caller_ids: ["+5117009000"]}, {name: b, rates: peru.csv}'
    told = [(level, key) for level, key, text in look(trunk + "]\n", base) if "may be shown" in text]
    assert told == [("error", "jurisdictions.1")]
    told = [(level, key) for level, key, text in look(trunk + ", {name: c}]\n", base) if "may be shown" in text]
    assert told == [("warning", "trunks.0.caller_ids")]


def test_faults_of_the_file_are_findings_too(look: Look) -> None:
    (found,) = look("trunks: [{name: a, rates: none.csv}]\n")
    assert found[0] == "error" and "expected a rate deck" in found[2]


def test_for_people(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(BASE + WHOLE.replace("carrier: T, price", 'carrier: "T ‮evil", price'), encoding="utf-8")
    assert check(file) == 0
    out = capsys.readouterr().out
    assert "trunks of lima, prices in USD" in out and "0.01 to 0.02" in out and "0 to mend" in out
    assert "‮" not in out and r"\u202e" in out
    file.write_text(BASE + "trunks: [{name: a, regions: [Cusco]}]\n")
    assert check(file) == 2
    file.write_text(BASE + "trunks: [{name: a, rates: none.csv}]\n")
    with pytest.raises(ConfigError):
        check(file)


def test_coverage_is_what_each_number_shows(file: Path) -> None:
    """Prefixes of one trunk alone, against every number of four more digits."""
    file.write_text(
        BASE + "trunks: [{name: a, rates: peru.csv}, {name: b, rates: mobile.csv}, {name: c, rates: chile.csv}]\n"
    )
    supply = supply_of(read_campaign(file))
    alone = Coverage(supply, ["PE"], []).alone()
    prefixes = [[rate.prefix for rate in trunk.rates] for trunk in supply.trunks]
    for rest in range(10_000):
        number = f"51{rest:04}"
        carrying = [any(number.startswith(prefix) for prefix in own) for own in prefixes]
        told = [any(number.startswith(prefix) for prefix in own) for own in alone]
        if sum(carrying) == 1:
            assert told == carrying
