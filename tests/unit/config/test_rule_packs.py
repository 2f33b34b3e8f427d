"""Our packs, value by value where people go wrong, and packs of one's own."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from compliance.clearance import Place
from compliance.rule import VERIFIED
from compliance.zones import known_zones
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import (
    SCOPES,
    built_in_profiles,
    country_profiles,
    edition,
    known_jurisdictions,
    law,
    own_profiles,
    pack_version,
    packaged,
    policy,
    profiles_of,
    rule_set,
    stacked,
)
from dialer.errors import ConfigError

BY_ID = {profile.id: profile for profile in (*built_in_profiles(), policy())}
WEEKDAYS, SATURDAY, SUNDAY = (0, 1, 2, 3, 4), 5, 6

# As the law was researched: every one of them has a profile here.
RESEARCHED = re.findall(
    r"\S+",
    """
us-fed-debt us-fed-tmk us-al-tmk us-ct-tmk us-fl-tmk us-il-tmk us-ky-tmk us-la-tmk us-me-tmk us-md-tmk us-ma-tmk
us-mi-tmk us-mn-tmk us-ms-tmk us-nv-tmk us-nm-tmk us-ny-tmk us-ok-tmk us-or-tmk us-pa-tmk us-ri-tmk us-tx-tmk us-ut-tmk
us-va-tmk us-wa-tmk us-wy-tmk us-pr-tmk us-ma-debt us-ny-nyc-debt us-wa-debt us-wv-debt us-dc-debt ca-tmk ca-on-debt
ca-bc-debt ca-qc-debt uk-ofcom uk-pecr-tmk uk-conc-debt ie-cpc ie-epriv es-tmk es-debt mx-debt mx-tmk co-2300 pe-debt
pe-tmk cl-debt ar-tmk ar-caba-debt ar-debt br-net br-tmk br-debt ec-debt cr-debt de-dialer de-tmk-consent fr-tmk fr-debt
in-debt in-tmk au-debt au-tmk
""",
)


def week(profile_id):
    """The hours of a profile by weekday, `HH:MM-HH:MM`."""
    hours = {}
    for window in BY_ID[profile_id].windows:
        begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.begin_minute, window.end_minute))
        for day in window.days:
            hours[day] = f"{hours.get(day, '')} {begin}-{end}".strip()
    return hours


def caps(profile_id):
    return [(cap.count, cap.max, cap.kind, cap.n, cap.key) for cap in BY_ID[profile_id].caps]


# ---- the packs as a whole ------------------------------------------------------------------------------------
def test_every_researched_profile_is_there():
    assert len(RESEARCHED) == 65
    assert set(RESEARCHED) <= set(BY_ID)


def test_every_profile_names_zones_that_exist():
    assert all(set(profile.zones) <= known_zones() for profile in BY_ID.values())


def test_a_pack_holds_its_country_and_its_parts():
    for country in known_jurisdictions():
        assert all(profile.country == country for profile in country_profiles(country))


def test_every_country_has_rules_for_debt_collection():
    countries = {"AR", "AU", "BR", "CA", "CL", "CO", "CR", "DE", "EC", "ES", "FR", "GB", "IE", "IN", "MX", "PE", "US"}
    assert set(known_jurisdictions()) == countries
    assert all(profiles_of(country, "debt_collection") for country in known_jurisdictions())


@pytest.mark.parametrize("country", ["CL", "CR", "EC"])
def test_a_scope_without_rules_is_refused(country):
    with pytest.raises(ConfigError, match=rf"{country}.yaml:1: no rules for the scope 'telemarketing'"):
        profiles_of(country, "telemarketing")
    assert country not in law("telemarketing").profiles_by_country
    assert country in law("debt_collection").profiles_by_country


def test_a_jurisdiction_without_rules_is_refused():
    with pytest.raises(ConfigError, match="no rules for 'XX': expected one of AR, AU"):
        profiles_of("XX", "debt_collection")


def test_the_edition():
    assert pack_version() == "2026.11.21"
    assert edition().as_of == date(2026, 11, 21)


def test_parts_inherit_what_they_do_not_say_themselves():
    federal = BY_ID["us-fed-debt"]
    assert (federal.windows[0].cite, federal.windows[0].confidence) == (federal.cite, "V1")
    assert (federal.caps[0].sources, federal.caps[0].confidence) == (("us-regf",), "V2")
    assert federal.windows[0].note == ""


# ---- the traps -----------------------------------------------------------------------------------------------
def test_the_policy():
    assert week("policy") == {**dict.fromkeys(WEEKDAYS, "09:00-20:00"), SATURDAY: "10:00-14:00"}
    assert caps("policy") == [
        ("attempt", 2, "calendar_day", 1, ("person",)),
        ("attempt", 7, "rolling_calendar_days", 7, ("person",)),
    ]
    rest = policy().cooldowns[0]
    assert (rest.after, rest.hours, rest.key, rest.unless_agent_held) == ("abandoned", 72, ("person",), True)
    assert (policy().abandon.max_rate, policy().abandon.window, policy().ring.min_s) == (0.03, "rolling_24h", 15.0)
    assert (policy().holidays.calendar, policy().holidays.regions) == ("*", "known")
    assert policy().scope == SCOPES


def test_peru_is_closed_on_saturdays():
    assert week("pe-debt") == dict.fromkeys(WEEKDAYS, "07:00-20:00")
    assert BY_ID["pe-tmk"].consent.required


def test_colombia():
    assert week("co-2300") == {**dict.fromkeys(WEEKDAYS, "07:00-19:00"), SATURDAY: "08:00-15:00"}
    assert caps("co-2300") == [("contact", 1, "calendar_day", 1, ("person",))]
    assert {"voice", "sms", "whatsapp", "email"} <= set(BY_ID["co-2300"].caps[0].channels)
    assert BY_ID["co-2300-tmk"].scope == ("telemarketing",)  # the registry binds no debt collector


def test_chile_one_contact_a_week_and_its_prefix():
    assert week("cl-debt") == dict.fromkeys((*WEEKDAYS, SATURDAY), "08:00-20:00")
    assert caps("cl-debt") == [("contact", 1, "calendar_week_mon", 1, ("person", "debt"))]
    assert BY_ID["cl-debt"].caps[0].channels == ("voice", "visit")
    assert BY_ID["cl-debt"].caller_id.required_prefixes == ("+56600",)


def test_ecuador_one_attempt_a_day_and_both_its_clocks():
    assert week("ec-debt") == dict.fromkeys(WEEKDAYS, "07:00-20:00")
    assert caps("ec-debt") == [("attempt", 1, "calendar_day", 1, ("person",))]
    assert set(BY_ID["ec-debt"].zones) == {"America/Guayaquil", "Pacific/Galapagos"}


def test_massachusetts():
    assert caps("us-ma-debt") == [
        ("attempt", 2, "rolling_calendar_days", 7, ("person", "debt")),
        ("attempt", 2, "rolling_calendar_days", 30, ("person", "debt", "use")),
    ]
    assert BY_ID["us-ma-debt"].caps[1].only_use == "work"


def test_washington_counts_every_form_and_one_at_work():
    assert caps("us-wa-debt") == [
        ("communication", 3, "calendar_week_mon", 1, ("person",)),
        ("communication", 1, "calendar_week_mon", 1, ("person", "use")),
    ]


def test_new_york_city_counts_by_account_on_all_channels():
    city = BY_ID["us-ny-nyc-debt"]
    assert (city.jurisdiction, city.in_force.first) == ("US-NY-NYC", date(2026, 9, 1))
    assert caps("us-ny-nyc-debt") == [("communication", 3, "rolling_calendar_days", 7, ("person", "account"))]


def test_regulation_f():
    federal = BY_ID["us-fed-debt"]
    assert caps("us-fed-debt") == [("attempt", 7, "rolling_calendar_days", 7, ("person", "debt"))]
    assert set(federal.caps[0].exclude) == {"BUSY", "CONGESTION", "FAILED", "INVALID_NUMBER"}
    rest = federal.cooldowns[0]
    assert (rest.after, rest.days, rest.first_day, rest.key) == ("conversation", 7, "event_day", ("person", "debt"))
    assert federal.abandon.max_rate is None
    assert federal.message.abandoned_call == "forbidden"


def test_france():
    assert week("fr-tmk") == dict.fromkeys(WEEKDAYS, "10:00-13:00 14:00-20:00")
    assert caps("fr-tmk") == [("attempt", 4, "rolling_calendar_days", 30, ("person",))]
    rest = BY_ID["fr-tmk"].cooldowns[0]
    assert (rest.after, rest.days, rest.first_day) == ("refusal", 60, "next_day")
    assert BY_ID["fr-tmk"].consent.since == date(2026, 8, 11)


def test_spain():
    assert week("es-tmk") == dict.fromkeys(WEEKDAYS, "09:00-21:00")
    assert (BY_ID["es-tmk"].holidays.calendar, BY_ID["es-tmk"].holidays.regions) == ("ES", "any")
    assert BY_ID["es-tmk"].consent.max_age_days == 730
    assert (BY_ID["es-tmk"].caller_id.forbid_mobile, BY_ID["es-tmk"].caller_id.since) == (True, date(2025, 6, 7))
    prefix = BY_ID["es-tmk-400"].caller_id
    assert (prefix.required_prefixes, prefix.since) == (("+34400",), date(2026, 10, 17))


def test_mississippi_keeps_standard_time():
    assert BY_ID["us-ms-tmk"].zones == ("Etc/GMT+6",)
    assert SUNDAY not in week("us-ms-tmk")


@pytest.mark.parametrize("state", ["fl", "md", "ok"])
def test_three_in_24_hours_a_subject(state):
    assert caps(f"us-{state}-tmk") == [("attempt", 3, "rolling_hours", 24, ("person", "subject"))]
    assert BY_ID[f"us-{state}-tmk"].consent.required


def test_autodialers_have_their_own_hours():
    assert week("us-me-tmk-autodialer") == dict.fromkeys(WEEKDAYS, "09:00-17:00")
    assert week("us-il-tmk-autodialer")[SUNDAY] == "09:00-21:00"


def test_india_ends_at_19():
    assert set(week("in-debt").values()) == {"08:00-19:00"}


def test_the_united_kingdoms_figure_is_no_law():
    ofcom = BY_ID["uk-ofcom"]
    assert (ofcom.abandon.max_rate, ofcom.abandon.legal_threshold, ofcom.abandon.clock_start) == (
        0.03,
        False,
        "connect",
    )
    assert (ofcom.cooldowns[0].hours, ofcom.cooldowns[0].unless_agent_held) == (72, True)
    assert ofcom.message.abandoned_call == "required"


def test_what_nobody_verified_ends_nothing_and_loosens_nothing():
    for profile in BY_ID.values():
        if profile.in_force.confidence not in (*VERIFIED, "POLICY"):
            assert profile.in_force.last is None
        if profile.abandon is not None and profile.abandon.confidence in ("R", "U"):
            assert profile.abandon.max_rate is None
    assert BY_ID["br-net"].in_force.last is None  # its extension after 2026-05-31 was not verified


def test_registries_are_telemarketings():
    assert all(profile.scope == ("telemarketing",) for profile in BY_ID.values() if profile.dnc is not None)
    assert BY_ID["us-fed-tmk"].dnc.max_age_days == 31


# ---- a campaign ----------------------------------------------------------------------------------------------
def campaign(**changes):
    return Campaign.model_validate(
        {
            "campaign": "c",
            "jurisdictions": ["PE"],
            "trunks": [{"name": "a"}],
            "caller_ids": ["+5117009000"],
            "agents": [{"id": "ana"}],
            **changes,
        }
    )


def test_a_campaigns_own_rules_are_added():
    rules = rule_set(
        campaign(
            windows=[{"days": ["wed"], "allow": [["08:00", "12:30"], ["15:00", "24:00"]]}],
            closed_dates=["2026-07-22"],
            ring_guard_s=60,
        )
    )
    place, lima = Place(("PE",), ("America/Lima",)), ZoneInfo("America/Lima")
    morning = datetime(2026, 7, 15, 9, tzinfo=lima).timestamp()
    assert rules.window(place, morning).changes_at == datetime(2026, 7, 15, 12, 29, tzinfo=lima).timestamp()
    evening = datetime(2026, 7, 15, 16, tzinfo=lima).timestamp()
    assert rules.window(place, evening).changes_at == datetime(2026, 7, 15, 19, 59, tzinfo=lima).timestamp()
    assert not rules.window(place, morning + 7 * 86_400).open


# ---- packs of one's own --------------------------------------------------------------------------------------
OWN = """\
jurisdiction: {country}
sources:
  mine: {{read: our lawyers' letter of 2026}}
profiles:
  - id: {id}
    scope: [debt_collection]
    windows:
      - {{days: [mon], allow: [["10:00", "12:00"]]}}
    cite: our lawyers
    sources: [mine]
    confidence: V2
"""
WINDOWLESS = OWN.replace("    windows:\n", "").replace('      - {{days: [mon], allow: [["10:00", "12:00"]]}}\n', "")
REPLACING = "    replaces: [{ids}]\n    override_reason: counsel's opinion of 2026-11-01\n"


def write(folder, text, name="own.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def own(path, scope="debt_collection"):
    return own_profiles([path], scope)


def test_an_own_profile_stands_beside_ours(tmp_path):
    path = write(tmp_path, OWN.format(country="PE", id="house-pe"))
    assert [p.id for p in stacked("PE", "debt_collection", own(path))] == ["pe-debt", "house-pe"]
    assert own(path, "telemarketing") == ()
    rules = rule_set(campaign(rule_packs=["own.yaml"]), tmp_path)
    tuesday = datetime(2026, 7, 14, 11, tzinfo=ZoneInfo("America/Lima")).timestamp()
    assert not rules.window(Place(("PE",), ("America/Lima",)), tuesday).open


def test_an_own_profile_replaces_ours_only_with_a_reason(tmp_path):
    text = OWN.format(country="PE", id="pe-debt")
    path = write(tmp_path, text + REPLACING.format(ids="pe-debt"))
    (found,) = own(path)
    assert (found.replaces, found.path) == (("pe-debt",), path)
    assert "counsel" in found.override_reason
    assert [p.cite for p in stacked("PE", "debt_collection", (found,))] == ["our lawyers"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (OWN.format(country="PE", id="pe-debt"), 5, "'pe-debt' is the id of a profile of ours"),
        (OWN.format(country="PE", id="policy"), 5, "'policy' is the id of a profile of ours"),
        (OWN.format(country="PE", id="x") + "    replaces: [pe-debt]\n", 5, "expected an override_reason"),
        (OWN.format(country="PE", id="x") + "    override_reason: because\n", 5, "expected replaces beside"),
        (OWN.format(country="PE", id="x") + REPLACING.format(ids="policy"), 12, "the policy cannot be put aside"),
        (OWN.format(country="PE", id="x") + REPLACING.format(ids="pe-dept"), 12, "did you mean pe-debt"),
        (OWN.format(country="PE", id="x") + REPLACING.format(ids="co-2300"), 12, "expected a profile of PE"),
        (OWN.format(country="PE", id="x") + "    jurisdiction: CL\n", 12, "expected PE or a part of it, was 'CL'"),
        (OWN.format(country="PE", id="x") + "    holidays: {calendar: XX}\n", 12, "expected a calendar such as CO"),
        (OWN.format(country="PE", id="x") + "    zones: [America/Limbo]\n", 12, "expected a time zone"),
        (OWN.format(country="PE", id="x") + "    windoes: []\n", 12, "unknown key: did you mean windows?"),
        (OWN.format(country="PE", id="x") + "    in_force: {first: 20261017}\n", 12, "expected a date such as"),
        (OWN.format(country="PE", id="x") + "    in_force: {first: 2026-02-30}\n", 12, "date"),
        (OWN.format(country="PE", id="x") + "    ring: {min_s: soon}\n", 12, "expected to be|expected a valid number"),
        (OWN.format(country="PE", id="x").replace("V2", "V3"), 11, "was 'V3'"),
        (OWN.format(country="PE", id="x").replace('"12:00"', '"25:00"'), 8, "expected a quoted local time"),
        (WINDOWLESS.format(country="ZZ", id="x"), 1, "no rules of ours for ZZ"),
        (OWN.format(country="ZZ", id="x") + "    jurisdiction: ZZ-A\n", 1, "no rules of ours for ZZ"),
        ("jurisdiction: [\n", 2, "not YAML"),
    ],
)  # fmt: skip
def test_a_fault_of_an_own_pack_has_its_line(tmp_path, text, line, message):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        own(path)
    assert any(fault.startswith(f"{path}:{line}: ") for fault in caught.value.faults), caught.value.faults


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("caps: [{id: a, count: attempt, max: 1, period: {kind: calendar_day}, key: [person, use]}]", "only_use"),
        ("cooldowns: [{id: a, after: refusal, key: [person]}]", "exactly one of days and hours"),
        ("cooldowns: [{id: a, after: refusal, key: [person], days: 1, hours: 2}]", "exactly one of days and hours"),
        ("cooldowns: [{id: a, after: refusal, key: [person], hours: 2, first_day: next_day}]", "beside days only"),
        ("abandon: {max_rate: 0.03}", "expected a window beside max_rate"),
        ("caller_id: {}", "found neither"),
        ("in_force: {first: 2026-02-02, last: 2026-02-01}", "expected a first day before the last"),
        ("dnc: {registries: [\"no such: name\"]}", "pattern"),
    ],
)  # fmt: skip
def test_parts_that_contradict_themselves_are_refused(tmp_path, part, message):
    with pytest.raises(ConfigError, match=message):
        own(write(tmp_path, OWN.format(country="PE", id="x") + f"    {part}\n"))


def test_all_faults_of_all_packs_are_told_at_once(tmp_path):
    first = write(tmp_path, OWN.format(country="PE", id="pe-debt"), "first.yaml")
    second = write(tmp_path, OWN.format(country="PE", id="x").replace("V2", "V9"), "second.yaml")
    with pytest.raises(ConfigError) as caught:
        own_profiles([first, second], "debt_collection")
    assert len(caught.value.faults) == 2


def test_two_own_profiles_of_one_id_are_refused(tmp_path):
    paths = [write(tmp_path, OWN.format(country="PE", id="x"), name) for name in ("a.yaml", "b.yaml")]
    with pytest.raises(ConfigError, match="'x' stands twice"):
        own_profiles(paths, "debt_collection")


def test_an_own_pack_may_open_a_country(tmp_path):
    path = write(tmp_path, OWN.format(country="UY", id="uy-house"))
    assert [p.id for p in stacked("UY", "debt_collection", own(path))] == ["uy-house"]


def test_only_own_packs_replace():
    with pytest.raises(ConfigError, match="unknown key"):
        from dialer.config.rule_pack_file import Pack, validated
        from dialer.config.yaml_lines import Document

        data = packaged("PE").data
        data["profiles"][0]["replaces"] = ["co-2300"]
        validated(Document(packaged("PE").path, data), Pack)
