"""Cells: which calls are alike to routing, and what the market then knows of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from carriers.cells import MOST_CELLS, MOST_NETWORKS, MOST_REGIONS, OTHER, Cells
from carriers.loads import Loads
from carriers.rates import Rate
from carriers.supply import Carrier, SetUpLimit, Supply, Surcharge, Trunk

LIMIT = (SetUpLimit(calls=10, per_s=1.0),)


def trunk(name: str, *rates: Rate, **changes: object) -> Trunk:
    return Trunk(
        name=name, carrier=name, max_channels=10, limits=LIMIT, **{"rates": rates or (Rate(prefix=""),), **changes}
    )  # type: ignore[arg-type]


def cells_of(*trunks: Trunk) -> Cells:
    supply = Supply(carriers=tuple(Carrier(name=t.carrier) for t in trunks), trunks=trunks)
    return Cells(supply, Loads(supply))


PERU = {"region": "Lima", "network": "claro", "country": "PE"}
A = trunk("a", Rate(prefix="51", per_minute=0.6), Rate(prefix="519", per_minute=0.3, first_s=60.0, step_s=60.0))
B = trunk("b", Rate(prefix="51", per_minute=0.12, connection_fee=0.01, attempt_fee=0.001))


def test_calls_of_equal_terms_are_one_cell_whatever_their_prefixes() -> None:
    many = [Rate(prefix=f"1305{n}", per_minute=0.01) for n in range(200, 300)]
    cells = cells_of(trunk("us", *many))
    first = cells.of("+13052005555", region="FL", network="", country="US")
    assert {cells.of(f"+1305{n}0000", region="FL", network="", country="US") for n in range(200, 300)} == {first}
    assert cells.prefix(first) == "1305"


@pytest.mark.parametrize("changes", [{"region": "Cusco"}, {"network": "entel"}])
def test_region_and_network_make_cells(changes: dict[str, str]) -> None:
    cells = cells_of(A, B)
    assert cells.of("+51999000111", **PERU) != cells.of("+51999000111", **{**PERU, **changes})


def test_the_market_has_each_trunks_longest_prefix() -> None:
    cells = cells_of(A, B)
    mobile, fixed = cells.of("+51999000111", **PERU), cells.of("+5117000000", **PERU)
    market = cells.market
    assert market.per_s[:, mobile] == pytest.approx([0.3 / 60, 0.12 / 60])
    assert market.per_s[:, fixed] == pytest.approx([0.6 / 60, 0.12 / 60])
    assert market.first_s[:, mobile].tolist() == [60.0, 1.0]
    assert (market.connection_fee[1, mobile], market.attempt_fee[1, mobile]) == (0.01, 0.001)
    assert market.cells == 2 and market.usable.shape == (2, 2) and market.usable.all()


def test_a_trunk_without_a_rate_or_outside_its_regions_serves_nobody_there() -> None:
    cells = cells_of(A, trunk("local", regions=("Cusco",)))
    chile = cells.of("+56999000111", region="Cusco", network="", country="CL")
    lima = cells.of("+51999000111", **PERU)
    assert cells.served[:, chile].tolist() == [False, True]
    assert cells.served[:, lima].tolist() == [True, False]
    assert cells.rates[chile][0] is None


def test_circuits_know_numbers_without_a_prefix_by_their_country() -> None:
    cells = cells_of(trunk("flat"))
    assert cells.prefix(cells.of("+51999000111", **PERU)) == "PE"


def test_what_lists_write_cannot_make_cells_without_end() -> None:
    cells = cells_of(trunk("flat"))
    for number in range(5_000):
        cells.of("+51999000111", region=f"region {number}", network=f"agent {number}", country="PE")
    assert len(cells.keys) <= MOST_CELLS
    assert len({network for _, network, _, _ in cells.keys}) <= MOST_NETWORKS + 1


def test_a_restored_desk_has_the_same_cells_in_the_same_order() -> None:
    cells = cells_of(A, B)
    made = [
        cells.of(number, region=region, network=network, country="PE")
        for number in ("+51999000111", "+5117000000")
        for region in ("Lima", "Cusco")
        for network in ("", "claro")
    ]
    again = cells_of(A, B)
    again.restore(json.loads(json.dumps(cells.snapshot())))
    assert again.keys == cells.keys and again.rates == cells.rates
    for name in ("region", "destination", "per_s", "first_s", "usable"):
        assert np.array_equal(getattr(again.market, name), getattr(cells.market, name))
    assert again.of("+51999000111", **PERU) in made
    with pytest.raises(ValueError, match="no cells yet"):
        again.restore(cells.snapshot())
    with pytest.raises(ValueError, match="1 trunks"):
        cells_of(A).restore(cells.snapshot())


def test_surcharges_are_of_the_account() -> None:
    cheap = Carrier(name="a", cancelled_calls=Surcharge(above=0.2, fee=0.005), max_channels=7)
    supply = Supply(carriers=(Carrier(name="b"), cheap), trunks=(A, B))
    market = Cells(supply, Loads(supply)).market
    assert market.account.tolist() == [1, 0]
    assert (market.cancelled_above.tolist(), market.cancelled_fee.tolist()) == ([1.0, 0.2], [0.0, 0.005])
    assert market.account_channels.tolist() == [float("inf"), 7.0]


def test_a_regions_own_allowance_holds_beyond_the_limit_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carriers.cells.MOST_CELLS", 2)
    cells = cells_of(trunk("all"), trunk("cusco", regions=("Cusco",)))
    here = {"network": "", "country": "PE"}
    for region in ("Cusco", "Puno", "Tacna"):
        cells.of("+51999000111", region=region, **here)
    assert cells.served[:, cells.of("+51999000111", region="Ica", **here)].tolist() == [True, False]
    assert cells.served[:, cells.of("+51999000111", region="Cusco", **here)].tolist() == [True, True]
    assert len(cells.keys) == 2


def test_a_region_that_trunks_name_is_itself_beyond_the_limit_of_regions() -> None:
    cells = cells_of(trunk("all"), trunk("cusco", regions=("Cusco",)))
    here = {"network": "", "country": "PE"}
    for region in range(MOST_REGIONS + 5):
        cells.of("+51999000111", region=f"region {region}", **here)
    cusco = cells.of("+51999000111", region="Cusco", **here)
    assert cells.keys[cusco][0] == "Cusco" and cells.served[:, cusco].all()
    other = cells.of("+51999000111", region="elsewhere", **here)
    assert cells.keys[other][0] == OTHER and cells.served[:, other].tolist() == [True, False]


def test_cells_of_prices_that_no_deck_has_any_more_do_not_fill_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("carriers.cells.MOST_CELLS", 8)
    cells = cells_of(A, B)
    for region in range(5):
        cells.of("+51999000111", region=str(region), network="", country="PE")
    kept = json.loads(json.dumps(cells.snapshot()))
    dearer = trunk("b", Rate(prefix="51", per_minute=0.13, connection_fee=0.01, attempt_fee=0.001))
    new = cells_of(A, dearer)
    with pytest.raises(ValueError, match="at most 4 cells of prices that no deck has any more, were 5"):
        new.restore(kept)
    assert new.keys == []
    new.restore(kept[:4])
    cells_of(A, B).restore(kept)
