"""`dialer compliance rules` and `lint`: what they print, and their exit codes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from dialer.cli.compliance import rule_words
from dialer.cli.compliance.lint import lint
from dialer.cli.compliance.rules import rules
from dialer.config.rule_packs import built_in_profiles, country_profiles, edition, policy
from dialer.errors import ConfigError

TODAY = edition().as_of + timedelta(days=1)


def test_all_rules_in_short(capsys):
    assert rules() == 0
    shown = capsys.readouterr().out
    assert all(profile.id in shown for profile in built_in_profiles())


def test_one_scope(capsys):
    rules(scope="debt_collection")
    shown = capsys.readouterr().out
    assert "pe-debt" in shown and "pe-tmk" not in shown and "policy" in shown


def test_a_states_rules_come_with_the_countrys_and_no_other_states(capsys):
    rules("us-ma")
    shown = capsys.readouterr().out
    assert "us-fed-debt" in shown and "us-ma-2-in-7-days" in shown and "policy" in shown
    assert "us-wa-debt" not in shown
    assert "940 CMR 7.04(1)(f), (h)" in shown
    assert "https://regulations.justia.com" in shown


def test_a_country_names_its_parts(capsys):
    rules("CA", scope="debt_collection")
    assert "Parts of CA with rules of their own: CA-BC, CA-ON, CA-QC" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["CO", "US", "FR", "GB", "IN", "US-NY-NYC"])
def test_every_value_is_shown_with_its_citation(place, capsys):
    rules(place)
    shown = " ".join(capsys.readouterr().out.split())
    for profile in country_profiles(place[:2]):
        if place.startswith(profile.jurisdiction):
            assert all(" ".join(duty.split()) in shown for duty in profile.duties)
            for _, value, cited in rule_words.values(profile):
                assert f"{cited.confidence} {cited.cite}" in shown
                assert value.split()[0] in shown


def test_json_holds_every_value(capsys):
    rules("CO", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["version"] == "2026.11.21"
    (law, registry, house) = told["profiles"]
    assert (law["id"], registry["id"], house["id"]) == ("co-2300", "co-2300-tmk", "policy")
    assert law["windows"][0]["confidence"] == "V2"
    assert set(told["sources"]) == {"co-2300"}


@pytest.mark.parametrize("place", ["XX", "", "\x1b[31m"])
def test_an_unknown_jurisdiction_is_refused(place):
    with pytest.raises(ConfigError, match="no rules for"):
        rules(place)


def test_our_packs_pass(capsys):
    assert lint(today=TODAY) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 to mend, ")


def test_old_packs_do_not_pass(capsys):
    assert lint(today=TODAY + timedelta(days=400)) == 1
    assert "pack.yaml:3: warning: nobody has looked at these packs since" in capsys.readouterr().out


def test_faults_are_told_one_a_line_and_for_scripts(tmp_path: Path, capsys):
    path = tmp_path / "own.yaml"
    path.write_text("jurisdiction: PE\nprofiles: []\nhours: 9\n", encoding="utf-8")
    assert lint(path, today=TODAY) == 1
    assert f"{path}:2: error: profiles: expected at least one entry, found none" in capsys.readouterr().out
    assert lint(path, json=True, today=TODAY) == 1
    found = json.loads(capsys.readouterr().out)
    assert {(finding["line"], finding["level"]) for finding in found} == {(2, "error"), (3, "error")}


def test_a_pack_cannot_command_the_terminal(tmp_path: Path, capsys):
    path = tmp_path / "own.yaml"
    path.write_text('jurisdiction: PE\nprofiles: []\n"\\e[31mred": 9\n', encoding="utf-8")
    lint(path, today=date(2026, 12, 1))
    assert "\x1b" not in capsys.readouterr().out


def test_words():
    by_id = {profile.id: profile for profile in (*built_in_profiles(), policy())}
    assert rule_words.hours(by_id["us-tx-tmk"].windows) == "Mon–Sat 09:00–21:00, Sun 12:00–21:00"
    assert rule_words.hours((), otherwise="–") == "–"
    assert rule_words.hours(by_id["fr-tmk"].windows) == "Mon–Fri 10:00–13:00 and 14:00–20:00"
    assert rule_words.limits(by_id["us-fed-debt"]) == (
        "7 attempts in 7 days, by person and debt; "
        "none for 7 days after a conversation (that day is day 1), by person and debt"
    )
    assert rule_words.limits(by_id["us-wa-debt"]) == (
        "3 communications a week, by person, on voice, letter, sms and email; "
        "1 communication a week, by person, on numbers at work"
    )
    assert rule_words.limits(by_id["pe-debt"]) == "–"
    assert rule_words.further(by_id["es-tmk"]) == "consent, registries, caller ID, duties"
