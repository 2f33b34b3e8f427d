"""A scenario fitted to a day that another scenario made says what that one said, as a file that loads again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from dialer.adapters.call_logs import CallLog, read_call_log
from dialer.core.logged_call import LoggedCall
from dialer.errors import ConfigError
from sim.calibration import Calibration, calibrate, fits_table, scenario_yaml
from sim.scenario import Scenario
from sim.scenario_file import load_scenario
from sim.scenario_text import yaml_text


@pytest.fixture(scope="module")
def log(journal: Path) -> CallLog:
    return read_call_log(journal)


@pytest.fixture(scope="module")
def fitted(log: CallLog, scenario: Scenario) -> Calibration:
    return calibrate(log.calls, scenario)


def test_a_journal_tells_every_call_that_ended(log: CallLog, journal: Path) -> None:
    assert log.kind == "journal"
    placed = journal.read_text().count('A {"type":"Originate"')
    assert len(log.calls) + log.passed_over == placed > 400
    human = [call for call in log.calls if call.result == "answered-human"]
    assert all(call.talk_s is not None and call.ring_s is not None and call.agent for call in human)
    assert {call.hour for call in log.calls} <= {8, 9}  # Lima and Bogotá at 9, Mexico at 8


def test_the_rates_of_the_day_come_back_within_their_intervals(fitted: Calibration, scenario: Scenario) -> None:
    fits = {fit.name: fit for fit in fitted.fits}
    for name in ("busy_rate", "machine_rate", "dead_number_rate"):
        fit, truth = fits[f"population.{name}"], getattr(scenario.population, name)
        if name == "machine_rate":  # some would have answered after we gave up
            truth *= 0.95
        assert fit.low is not None and fit.high is not None
        assert fit.low * 0.8 <= truth <= fit.high * 1.2, name
    assert fitted.scenario.population.live_rate == pytest.approx(scenario.population.live_rate * 0.92, rel=0.25)


def test_ringing_and_post_dial_delay_come_back(fitted: Calibration, scenario: Scenario) -> None:
    for u in (0.25, 0.5):
        found = fitted.scenario.population.answer_s.quantile(u)
        assert found == pytest.approx(scenario.population.answer_s.quantile(u), rel=0.2)
    truth = {carrier.trunk: carrier for carrier in scenario.carriers}
    for carrier in fitted.scenario.carriers:
        expected = truth[carrier.trunk].post_dial_delay_s.quantile(0.5)
        assert carrier.post_dial_delay_s.quantile(0.5) == pytest.approx(expected, rel=0.15)


def test_the_file_loads_again_as_the_same_scenario_with_its_reasons(fitted: Calibration, tmp_path: Path) -> None:
    text = scenario_yaml(fitted)
    path = tmp_path / "fitted.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_scenario(str(path)) == fitted.scenario
    assert "# The log cannot tell:" in text and "KS distance, n " in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_same_log_gives_the_same_file(log: CallLog, scenario: Scenario, fitted: Calibration) -> None:
    assert scenario_yaml(calibrate(list(reversed(log.calls)), scenario)) == scenario_yaml(fitted)


def test_fits_are_plain_values_for_json(fitted: Calibration) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fits_table(fitted.fits)))[0]["n"] > 0


def logged(n: int, **fields: object) -> list[LoggedCall]:
    rng = np.random.default_rng(7)
    common: dict[str, object] = {"hour": 10, **fields}
    calls = []
    for index in range(n):
        answered = rng.random() < 0.4
        calls.append(
            LoggedCall(
                at=1763992800.0 + 10.0 * index,
                lead=f"lead{index}",
                result="answered" if answered else "no-answer",
                line_s=float(rng.integers(4, 18)) if answered else 25.0,
                talk_s=float(np.round(90.0 * np.exp(0.6 * rng.standard_normal()))) if answered else None,
                **common,  # type: ignore[arg-type]
            )
        )
    return calls


def test_what_a_cdr_cannot_tell_is_said_and_stays_as_in_the_base(scenario: Scenario) -> None:
    fitted = calibrate(logged(800), scenario)
    told = "\n".join(fitted.unknown)
    for word in ("who answered", "dead numbers", "dispositions", "wrap-up", "wear", "trunks", "agents", "patience"):
        assert word in told, word
    people, base = fitted.scenario.population, scenario.population
    assert people.conversations["PTP"].wrap_up_s == base.conversations["PTP"].wrap_up_s
    assert people.conversations["PTP"].talk_s.quantile(0.5) == pytest.approx(90.0, rel=0.1)
    assert people.dead_number_rate == base.dead_number_rate
    assert people.live_rate + people.machine_rate == pytest.approx(0.4, abs=0.06)
    share = base.live_rate / (base.live_rate + base.machine_rate)
    assert people.live_rate / (people.live_rate + people.machine_rate) == pytest.approx(share, abs=0.05)
    assert fitted.scenario.campaign.agents == scenario.campaign.agents


def test_a_log_of_several_days_keeps_the_bases_day(scenario: Scenario) -> None:
    calls = [
        msgspec.structs.replace(call, at=call.at + 86400.0 * (index % 3)) for index, call in enumerate(logged(300))
    ]
    fitted = calibrate(calls, scenario)
    assert (fitted.scenario.start, fitted.scenario.duration) == (scenario.start, scenario.duration)
    assert any("several" in what for what in fitted.unknown)


def test_too_little_is_refused_in_one_line(scenario: Scenario) -> None:
    with pytest.raises(ConfigError, match="expected at least 100 calls"):
        calibrate(logged(99), scenario)
    silent = [msgspec.structs.replace(call, result="no-answer") for call in logged(200)]
    with pytest.raises(ConfigError, match="nobody answered any of 200 calls"):
        calibrate(silent, scenario)
    lost = [msgspec.structs.replace(call, result="failed") for call in logged(200)]
    with pytest.raises(ConfigError, match="none of 200 calls reached a line"):
        calibrate(lost, scenario)


def test_text_is_quoted_and_comments_cannot_end_their_line() -> None:
    text = yaml_text({"a": {"b": "x: y # z", "c": [1.0, 0.5]}}, {("a", "b"): "first\x1b\nsecond"})
    assert text == '\na:\n  # first\n  # second\n  b: "x: y # z"\n  c: [1, 0.5]\n'
