"""Tastes: drawn as the scenario says, leaning on what is known of a lead, and the same one by one and in columns."""

from __future__ import annotations

from math import exp, log
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dialer.core.lead import Lead
from dialer.errors import ConfigError
from sim.leanings import Lean, factors
from sim.people import People
from sim.population import make_leads
from sim.scenario import Scenario, Wear
from sim.scenario_file import TEMPLATE, load_scenario
from sim.tastes import Tastes, worn_by
from tests.unit.sim.scenes import LIMA, TOKYO, scenario

MANY = 6000


def tastes_of(made: Scenario, seed: int = 3) -> tuple[Tastes, list[Lead]]:
    leads = make_leads(made.population, seed)
    return Tastes.of(made.population, leads, seed), leads


def test_log_odds_are_normal_about_the_live_rate() -> None:
    tastes, _ = tastes_of(scenario(population={"leads": MANY, "live_rate": 0.2, "live_rate_sd": 0.8}))
    logs = np.log(tastes.own)
    assert tastes.on_odds
    assert logs.mean() == pytest.approx(log(0.25), abs=0.04)
    assert logs.std() == pytest.approx(0.8, abs=0.03)
    assert abs(((logs - logs.mean()) ** 3).mean()) < 0.1


def test_without_the_new_keys_people_are_as_they_were() -> None:
    made = scenario(population={"leads": 500, "live_rate": 0.4, "live_rate_spread": 0.3})
    tastes, _ = tastes_of(made)
    assert not tastes.on_odds
    assert 0.28 <= tastes.own.min() < 0.3 and 0.5 < tastes.own.max() <= 0.52
    assert set(tastes.right_party.tolist()) == {0.75}
    said = made.model_dump(mode="json")["population"]
    assert not {"live_rate_sd", "lean", "right_party_rate_sd"} & said.keys()
    assert "lean" in made.model_dump()["population"]  # a setting by path must find it


@pytest.mark.parametrize("sd", [None, 0.5])
def test_a_lean_multiplies_the_odds(sd: float | None) -> None:
    base = {"leads": 400, "live_rate": 0.3, "live_rate_spread": 0.2, "live_rate_sd": sd}
    lean = {"product": {"card": 2.0}, "region": {"Tokyo": 0.5}}
    plain, leads = tastes_of(scenario(population={**base, "regions": [LIMA, TOKYO]}))
    leaning, _ = tastes_of(scenario(population={**base, "regions": [LIMA, TOKYO], "lean": lean}))
    for before, after, lead in zip(plain.own.tolist(), leaning.own.tolist(), leads, strict=True):
        times = (2.0 if lead.product == "card" else 1.0) * (0.5 if lead.region == "Tokyo" else 1.0)
        if sd is None:
            before, after = before / (1 - before), after / (1 - after)
        assert after == pytest.approx(before * times)


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(0.01, 100)), min_size=1, max_size=4, unique_by=lambda p: p[0]),
    st.floats(-10, 1200),
)
def test_points_are_met_and_nothing_is_beyond_them(points: list[tuple[float, float]], days: float) -> None:
    points = sorted(points)
    lean = Lean(days_past_due=tuple(points))
    bare = msgspec.structs.replace(make_leads(scenario(population={"leads": 1}).population, 1)[0], days_past_due=None)
    leads = [msgspec.structs.replace(bare, days_past_due=at) for at, _ in points]
    assert factors(lean, leads) == pytest.approx([factor for _, factor in points])
    between = factors(lean, [bare, msgspec.structs.replace(bare, days_past_due=days)])
    of_points = [factor for _, factor in points]
    assert between[0] == 1.0
    assert min(of_points) * (1 - 1e-9) <= between[1] <= max(of_points) * (1 + 1e-9)


def test_habits_lean_on_what_is_known() -> None:
    habits = [{"name": "a", "share": 1, "lean": {"product": {"card": 3.0}}}, {"name": "b", "share": 1}]
    tastes, leads = tastes_of(scenario(population={"leads": MANY, "habits": habits}))
    of_card = np.array([lead.product == "card" for lead in leads])
    assert (tastes.kind[of_card] == 0).mean() == pytest.approx(0.75, abs=0.03)
    assert (tastes.kind[~of_card] == 0).mean() == pytest.approx(0.5, abs=0.03)


def test_an_even_lean_draws_the_same_habits() -> None:
    shares = [{"name": "a", "share": 2}, {"name": "b", "share": 1}, {"name": "c", "share": 0.5}]
    plain, _ = tastes_of(scenario(population={"leads": MANY, "habits": shares}))
    shares[0]["lean"] = {"product": {"card": 1.0}}
    assert np.array_equal(plain.kind, tastes_of(scenario(population={"leads": MANY, "habits": shares}))[0].kind)


def test_right_party_rates_are_people_s_own_and_stay() -> None:
    population = {"leads": MANY, "right_party_rate": 0.6, "right_party_rate_sd": 0.12}
    made = scenario(population=population)
    tastes, leads = tastes_of(made)
    assert tastes.right_party.mean() == pytest.approx(0.6, abs=0.01)
    assert tastes.right_party.std() == pytest.approx(0.12, abs=0.01)
    assert tastes.right_party.min() >= 0.0 and tastes.right_party.max() <= 1.0
    people = People(made, leads, seed=3)
    low, high = np.argsort(tastes.right_party)[[0, -1]].tolist()

    def right(subject: int) -> int:
        calls = [
            people.outcome(subject=subject, draw=draw, number_index=0, trunk="north", at=made.start_at)
            for draw in range(200)
        ]
        return sum(call.disposition != "WRONG_PARTY" for call in calls)

    assert right(low) < 90 and right(high) > 160


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 199), st.floats(0, 7 * 86400), st.booleans())
def test_columns_say_what_the_person_does(subject: int, after_s: float, on_odds: bool) -> None:
    habits = [{"name": "a", "share": 1, "hours": [h / 10 for h in range(24)]}, {"name": "b", "share": 1}]
    sd = {"live_rate_sd": 0.7} if on_odds else {}
    made = scenario(
        population={"live_rate": 0.2, "habits": habits, "wear": {"strength": 0.2}, "machine_rate": 0.3, **sd}
    )
    tastes, leads = tastes_of(made)
    people = People(made, leads, seed=3)
    first = people.live_rate(subject, 0, made.start_at)
    at = made.start_at + after_s
    second = people.live_rate(subject, 1, at)
    load = 0.5 ** (after_s / made.population.wear.half_life)
    for rate, when, carried in ((first, made.start_at, 0.0), (second, at, load)):
        hour = int((when - 5 * 3600) // 3600 + 72) % 168  # Lima
        worn = worn_by(made.population.wear, np.array([carried]))
        assert tastes.live_rates(np.array([subject]), np.array([hour]), worn)[0] == pytest.approx(rate, abs=1e-12)


@given(st.floats(0, 5), st.floats(0, 50), st.floats(0, 1))
def test_wear_leaves_between_the_floor_and_all(strength: float, load: float, floor: float) -> None:
    left = float(worn_by(Wear(strength=strength, floor=floor), np.array([load]))[0])
    assert left == pytest.approx(floor + (1 - floor) * exp(-strength * load)) and floor <= left + 1e-12 <= 1 + 2e-12


@pytest.mark.parametrize(
    ("line", "bad", "told"),
    [
        (
            "lean: {product:",
            "  lean: {product: {car: 2}}",
            "expected one of card, loan, mortgage, telephone, was 'car'",
        ),
        ("lean: {product:", "  lean: {region: {Lime: 2}}", "expected one of population.regions"),
        ("lean: {product:", "  lean: {amount: [[5, 1], [2, 1]]}", "expected points with rising values, was 2 after 5"),
        ("lean: {product:", "  lean: {product: {card: 0}}", "expected greater than 0"),
        ("live_rate_sd:", "  live_rate_sd: 9", "expected less than or equal to 3"),
        ("right_party_rate_sd:", "  right_party_rate_sd: 0.7", "expected less than or equal to 0.5"),
    ],
)
def test_a_fault_is_named_by_its_line(tmp_path: Path, line: str, bad: str, told: str) -> None:
    lines = TEMPLATE.read_text().splitlines()
    number = next(n for n, text in enumerate(lines) if text.strip().removeprefix("# ").startswith(line))
    lines[number] = bad
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError) as raised:
        load_scenario(str(path))
    (fault,) = raised.value.faults
    assert fault.startswith(f"{path}:{number + 1}:") and told in fault


def test_odds_need_a_rate_below_one() -> None:
    with pytest.raises(ValidationError, match="odds have no end"):
        scenario(population={"live_rate_sd": 0.8})
