"""The sentence for a supervisor."""

from __future__ import annotations

from pacing.explain import explain

FIGURES = {
    "forecast_free": 3.42,
    "forecast_answers": 2.08,
    "marginal_abandon_probability": 0.031,
    "threshold": 0.022,
    "price": 44.0,
    "budget_left": 4.2,
    "answer_multiplier": 1.1,
}


def test_a_priced_decision() -> None:
    assert explain("priced-v1", FIGURES, idle=1, ringing=6, lines=2) == (
        "Dialled 2 more lines with 1 idle agent and 6 lines in flight: about 3.4 agents will be free for 2.1 answers "
        "when a call dialled now is answered; one line more would find no agent in 3.1% of cases, over the 2.2% that "
        "a budget of 4.2 abandons left allows."
    )


def test_an_overdrawn_budget_and_its_guard() -> None:
    said = explain("priced-v1", FIGURES | {"budget_left": -1.25}, idle=0, ringing=1, lines=0, guard="abandon_budget")
    assert said.startswith("Dialled nothing with 0 idle agents and 1 line in flight:")
    assert "a budget overdrawn by 1.2 abandons" in said
    assert said.endswith("only one line per idle agent is dialled.")


def test_a_progressive_decision() -> None:
    assert explain("progressive-v1", {}, idle=2, ringing=0, lines=2) == (
        "Dialled 2 more lines with 2 idle agents and 0 lines in flight: progressive-v1 gives each idle agent one line."
    )


def test_a_guard_of_another_name_is_named() -> None:
    assert explain("x-v1", {}, idle=2, ringing=0, lines=0, guard="holiday").endswith("; held by holiday.")


def test_the_other_modes() -> None:
    power = {"lines_per_idle_agent": 1.5, "budget_left": 0.4}
    assert explain("power-v1", power, idle=4, ringing=1, lines=3, guard="abandon_budget") == (
        "Dialled 3 more lines with 4 idle agents and 1 line in flight: power-v1 gives each idle agent 1.5 lines; the "
        "abandon budget has less than one call left, so only one line per idle agent is dialled."
    )
    assert explain("on-request-v1", {"requested": 1.0}, idle=3, ringing=0, lines=1, guard="not_asked") == (
        "Dialled 1 more line with 3 idle agents and 0 lines in flight: idle agents have asked for 1 call; no agent has "
        "asked for more."
    )
    stream = {"room": 40.0, "calls_per_hour": 600.0}
    assert explain("agentless-v1", stream, idle=0, ringing=9, lines=1) == (
        "Dialled 1 more line with 0 idle agents and 9 lines in flight: 600 calls an hour are wanted, and there is room "
        "for 40 calls."
    )
    full = explain("agentless-v1", {"room": 0.0}, idle=0, ringing=9, lines=0, guard="capacity")
    assert full.endswith("there is room for 0 calls; the channels and the voice response take no more at a time.")


def test_lines_that_were_hung_up_are_told() -> None:
    said = explain("priced-v1", FIGURES, idle=0, ringing=6, lines=0, hung_up=2)
    assert said.startswith("Dialled nothing and hung up 2 ringing lines with 0 idle agents and 6 lines in flight:")
    assert explain("priced-v1", {}, idle=0, ringing=1, lines=0, guard="no_agents", hung_up=1) == (
        "Dialled nothing and hung up 1 ringing line: no agent is logged in."
    )
