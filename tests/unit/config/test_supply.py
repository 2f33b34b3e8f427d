"""The sections of carriers, trunks, caller IDs and routing: what is refused and where, and the supply they make."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carriers.rates import Rate
from carriers.registry import ROUTER_IDS
from carriers.supply import Carrier, Hours, SetUpLimit, Surcharge
from dialer.config.campaign import Campaign, Trunk
from dialer.config.campaign_file import read_campaign
from dialer.config.routing import RouterId
from dialer.config.supply import cps_limit, supply_of
from dialer.errors import ConfigError

BASE = """\
campaign: lima
jurisdictions: [PE]
caller_ids: ["+5117009000", "+5117009001"]
agents:
  - {id: ana}
"""
TRUNKS = "trunks:\n  - {name: a}\n"
Fault = tuple[int, str, str]
Read = Callable[[str], list[Fault]]


@pytest.fixture
def faults(tmp_path: Path) -> Read:
    def read(text: str) -> list[Fault]:
        path = tmp_path / "c.yaml"
        path.write_text(BASE + text, encoding="utf-8")
        with pytest.raises(ConfigError) as refused:
            read_campaign(path)
        told = [fault.removeprefix(f"{path}:") for fault in refused.value.faults]
        parts = [fault.split(": ", 2) for fault in told]
        return [(int(line), key, text) for line, key, text in parts]

    return read


# ---- what is refused ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("trunk", "key", "says"),
    [
        (
            "price: {per_minute: -0.01, billing: 1/1}",
            "price.per_minute",
            "expected greater than or equal to 0, was '-0.01'",
        ),
        ("price: {per_minute: .nan, billing: 1/1}", "price.per_minute", "expected a finite number"),
        ("price: {per_minute: .inf, billing: 1/1}", "price.per_minute", "expected a finite number"),
        ("price: {per_minute: 0.01}", "price.billing", "expected this key, found none: first/step in seconds"),
        ("price: {per_minute: 0.01, billing: 60/0}", "price.billing", "a step of at least 1"),
        ("price: {per_minute: 0.01, billing: 9999/1}", "price.billing", "expected seconds up to 3600"),
        ("price: {per_minute: 0.01, billing: a}", "price.billing", "pattern"),
        ("price: {per_minut: 0.01, billing: 1/1}", "price.per_minut", "unknown key: did you mean per_minute?"),
        ("rates: a.csv, price: {per_minute: 0.01, billing: 1/1}", "", "expected rates or price, found both"),
        ('deck: [["51", -1, 1, 1, 0, 0]]', "deck.0.1", "greater than or equal to 0"),
        ('deck: [["+51", 1, 1, 1, 0, 0]]', "deck.0.0", "pattern"),
        ('deck: [["51", 1, 1, 0, 0, 0]]', "deck.0.3", "greater than 0"),
        ('deck: [["51", 1, 1]]', "deck.0.3", "expected this key, found none"),
        ('deck: [["51", 1, 1, 1, 0, 0], ["51", 2, 1, 1, 0, 0]]', "deck", "prefix 51 stands twice"),
        ("limits: [{calls: 0, per_s: 1}]", "limits.0.calls", "greater than or equal to 1"),
        ("limits: [{calls: 1, per_s: 0}]", "limits.0.per_s", "greater than 0"),
        ("limits: [{calls: 1, per_s: 1, kind: leaky}]", "limits.0.kind", "expected one of rolling, bucket, clock"),
        ("limits: [{calls: 1, per_s: 7, kind: clock}]", "limits.0", "clock: expected a per_s that divides the day"),
        ("limits: [{call: 1, per_s: 7}]", "limits.0.call", "unknown key: did you mean calls?"),
        ('hours: [{days: [mon], allow: [["09:00", "08:00"]], zone: America/Lima}]', "hours.0.allow", "a begin before"),
        ('hours: [{days: [mon], allow: [["08:00", "09:00"]], zone: Lima}]', "hours.0.zone", "expected a time zone"),
        ('hours: [{days: [mon], allow: [["08:00", "09:00"]]}]', "hours.0.zone", "expected this key"),
        ('caller_ids: ["+5117009002"]', "caller_ids.0", "expected one of caller_ids, was '+5117009002': did you mean"),
        ("attestation: D", "attestation", "expected one of A, B, C, none"),
        ('carrier: "a\\eb"', "carrier", "none that commands a terminal"),
        ("cariers: 1", "cariers", "unknown key: did you mean carrier?"),
    ],
)
def test_a_fault_of_a_trunk_has_its_line(faults: Read, trunk: str, key: str, says: str) -> None:
    found = faults(f"trunks:\n  - {{name: b}}\n  - {{name: a, {trunk}}}\n")
    told = {name: (line, text) for line, name, text in found}
    name = f"trunks.1{'.' if key else ''}{key}"
    assert told[name][0] == 8 and says in told[name][1], found
    assert all(text.isprintable() for _, _, text in found)


@pytest.mark.parametrize(
    ("section", "line", "key", "says"),
    [
        ("carriers:\n  - {name: T}\n  - {name: T}\n", 10, "carriers.1.name", "'T' stands twice"),
        ('carriers:\n  - {name: ""}\n', 9, "carriers.0.name", "at least 1 character"),
        ("carriers:\n  - {name: a}\n", 7, "trunks.0.name", "'a' is a carrier's name too, and the trunk has none"),
        ("carriers:\n  - {name: T, chanels: 1}\n", 9, "carriers.0.chanels", "unknown key"),
        (
            "carriers:\n  - {name: T, short_calls: {above: 1, fee: 1}}\n",
            9,
            "carriers.0.short_calls.above",
            "less than 1",
        ),
        (
            "carriers:\n  - {name: T, short_calls: {above: 0, fee: -1}}\n",
            9,
            "carriers.0.short_calls.fee",
            "or equal to 0",
        ),
        (
            "carriers:\n  - {name: T, cancelled_calls: {abov: 0.1, fee: 1}}\n",
            9,
            "carriers.0.cancelled_calls.abov",
            "did you mean above?",
        ),
        (
            'caller_id_pools:\n  - {name: p, numbers: ["+5117009009"]}\n',
            9,
            "caller_id_pools.0.numbers.0",
            "expected one of caller_ids, was '+5117009009'",
        ),
        (
            'caller_id_pools:\n  - {name: p, numbers: ["+5117009000"]}\n  - {name: q, numbers: ["+5117009000"]}\n',
            10,
            "caller_id_pools.1.numbers.0",
            "is in the pool 'p' already",
        ),
        (
            'caller_id_pools:\n  - {name: p, numbers: ["+5117009000"], jurisdictions: [CL]}\n',
            9,
            "caller_id_pools.0.jurisdictions.0",
            "expected a place in PE",
        ),
        ("routing: {router: fifo}\n", 8, "routing.router", "expected one of hoe-lp-v1, round-robin-v1, static-lcr-v1"),
        ("routing: {exploration: 0.21}\n", 8, "routing.exploration", "less than or equal to 0.2"),
        ("routing: {exploration: -0.1}\n", 8, "routing.exploration", "greater than or equal to 0"),
        ("routing: {max_tries: 6}\n", 8, "routing.max_tries", "less than or equal to 5"),
        ("routing: {contact_value: 0}\n", 8, "routing.contact_value", "greater than 0"),
        ("routing: {contact_values: {card: -1}}\n", 8, "routing.contact_values.card", "greater than 0"),
        ("routing: {currency: usd}\n", 8, "routing.currency", "pattern"),
        ("routing: {max_trys: 2}\n", 8, "routing.max_trys", "did you mean max_tries?"),
    ],
)
def test_a_fault_of_another_section_has_its_line(faults: Read, section: str, line: int, key: str, says: str) -> None:
    found = faults(TRUNKS + section)
    (told,) = [text for at, name, text in found if (at, name) == (line, key)] or [str(found)]
    assert says in told, found


# ---- what it comes to -----------------------------------------------------------------------------------------
def campaign_of(**changes: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "lima",
            "jurisdictions": ["PE"],
            "trunks": [{"name": "a"}],
            "caller_ids": ["+5117009000"],
            "agents": [{"id": "ana"}],
            **changes,
        }
    )


def test_the_supply_of_a_campaign() -> None:
    campaign = campaign_of(
        carriers=[
            {
                "name": "Telnyx",
                "limits": [{"calls": 150, "per_s": 5}],
                "max_channels": 100,
                "short_calls": {"above": 0.15, "fee": 0.01},
                "cancelled_calls": {"above": 0.2, "fee": 0.005},
            }
        ],
        trunks=[
            {
                "name": "t1",
                "carrier": "Telnyx",
                "max_channels": 60,
                "max_cps": 0.5,
                "limits": [{"calls": 10, "per_s": 60, "kind": "clock"}],
                "deck": [["519", 0.02, 60, 6, 0.001, 0.002], ["51", 0.01, 60, 60, 0, 0]],
                "regions": ["Lima"],
                "hours": [
                    {
                        "days": ["fri", "mon", "mon"],
                        "allow": [["08:00", "13:30"], ["15:00", "24:00"]],
                        "zone": "America/Lima",
                    }
                ],
                "caller_ids": ["+5117009000"],
                "attestation": "A",
            },
            {"name": "t2", "carrier": "Other", "price": {"per_minute": 0.03, "billing": "30/6"}},
            {"name": "t3"},
            {"name": "t4", "carrier": "Other"},
        ],
    )
    supply = supply_of(campaign)
    assert supply.carriers == (
        Carrier(
            name="Telnyx",
            limits=(SetUpLimit(calls=150, per_s=5.0),),
            max_channels=100,
            short_calls=Surcharge(above=0.15, fee=0.01, up_to_s=6.0),
            cancelled_calls=Surcharge(above=0.2, fee=0.005),
        ),
        Carrier(name="Other"),
        Carrier(name="t3"),
    )
    first, second, third, fourth = supply.trunks
    assert first.limits == (SetUpLimit(calls=1, per_s=2.0), SetUpLimit(calls=10, per_s=60.0, kind="clock"))
    assert first.rates == (
        Rate(prefix="51", per_minute=0.01, first_s=60.0, step_s=60.0),
        Rate(prefix="519", per_minute=0.02, first_s=60.0, step_s=6.0, connection_fee=0.001, attempt_fee=0.002),
    )
    assert first.hours == (
        Hours(zone="America/Lima", weekdays=(0, 4), begin_minute=480, end_minute=810),
        Hours(zone="America/Lima", weekdays=(0, 4), begin_minute=900, end_minute=1440),
    )
    assert (first.regions, first.caller_ids, first.attestation) == (("Lima",), ("+5117009000",), "A")
    assert second.rates == (Rate(prefix="", per_minute=0.03, first_s=30.0, step_s=6.0),)
    assert third.rates == (Rate(prefix=""),) and third.carrier == "t3" and fourth.carrier == "Other"
    assert Campaign.model_validate(campaign.model_dump(mode="json")) == campaign
    assert Campaign.model_validate(json.loads(json.dumps(campaign.model_dump(mode="json")))) == campaign


def test_a_deck_that_was_not_read_is_not_free() -> None:
    with pytest.raises(ConfigError, match=r"trunk a: expected the rows of a\.csv"):
        supply_of(campaign_of(trunks=[{"name": "a", "rates": "a.csv"}]))


def test_the_names_of_carriers_and_trunks_do_not_meet_by_chance() -> None:
    with pytest.raises(ValidationError, match="'b' is a carrier's name too"):
        campaign_of(trunks=[{"name": "a", "carrier": "b"}, {"name": "b"}])
    supply = supply_of(campaign_of(trunks=[{"name": "a", "carrier": "b"}, {"name": "b", "carrier": "b"}]))
    assert supply.carriers == (Carrier(name="b"),)


@given(st.one_of(st.floats(0.01, 40), st.integers(1, 1000).map(float)))
def test_max_cps_is_as_many_in_a_second_as_it_allows(max_cps: float) -> None:
    """Above 1 whole calls in each second, below it one call in each 1 / max_cps seconds; never more for long."""
    limit = cps_limit(max_cps)
    assert limit.kind == "rolling"
    if max_cps < 1:
        assert limit.calls == 1 and limit.per_s * max_cps == pytest.approx(1.0)
    else:
        assert limit.per_s == 1.0 and limit.calls <= max_cps < limit.calls + 1


def test_a_price_is_never_negative_wherever_it_stands() -> None:
    priced = {
        name: field
        for name, field in Trunk.model_fields["price"].annotation.__args__[0].model_fields.items()  # type: ignore[union-attr]
        if name != "billing"
    }
    assert set(priced) == {"per_minute", "connection_fee", "attempt_fee"}
    for name in priced:
        for bad in (-0.01, float("nan"), float("inf"), 1e7, "x", None):
            with pytest.raises(ValidationError):
                Trunk.model_validate({"name": "a", "price": {"per_minute": 0, "billing": "1/1", name: bad}})


def test_every_router_that_a_campaign_may_name_can_be_made() -> None:
    assert set(get_args(RouterId)) == set(ROUTER_IDS)
