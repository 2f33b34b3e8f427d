from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from compliance.calendars import is_holiday
from compliance.frequency import DialCandidate
from compliance.zones import known_zones
from dialer.config.campaign import Campaign
from dialer.config.names import DISPOSITIONS
from dialer.config.rule_packs import default_profile, known_jurisdictions, profiles_of, rule_set
from dialer.config.yaml_lines import read_yaml
from dialer.errors import ConfigError

PROFILES = [default_profile(), *(p for code in known_jurisdictions() for p in profiles_of(code, "debt_collection"))]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_a_profile_is_cited_and_names_what_exists(profile):
    with resources.as_file(resources.files("compliance") / "rules" / "sources.yaml") as path:
        sources = read_yaml(path).data
    assert profile.cite
    assert profile.confidence == "POLICY" or profile.sources
    assert {*profile.sources, *(s for cap in profile.caps for s in cap.sources)} <= set(sources)
    assert set(profile.zones) <= known_zones()
    assert (profile.tz_basis == "fixed") == bool(profile.zones)
    assert {name for cap in profile.caps for name in cap.exclude} <= set(DISPOSITIONS)
    if profile.holidays:
        assert is_holiday(profile.holidays, datetime(2026, 12, 25).date())


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.id)
def test_what_was_only_recalled_loosens_nothing(profile):
    if profile.confidence in ("R", "U"):
        assert not profile.windows
        assert not profile.caps


def test_a_pack_is_named_by_its_jurisdiction():
    assert all(p.jurisdiction == code for code in known_jurisdictions() for p in profiles_of(code, "debt_collection"))


def test_a_jurisdiction_or_scope_without_rules_is_refused():
    with pytest.raises(ConfigError, match="no rules for 'XX': expected one of AR, CL"):
        profiles_of("XX", "debt_collection")
    with pytest.raises(ConfigError, match="no rules for the scope 'surveys'"):
        profiles_of("PE", "surveys")


def test_a_campaigns_own_rules_are_added():
    campaign = Campaign.model_validate(
        {
            "campaign": "c",
            "jurisdictions": ["PE"],
            "windows": [{"days": ["wed"], "allow": [["08:00", "12:30"], ["15:00", "24:00"]]}],
            "caps": [{"max": 1, "period": {"kind": "calendar_month"}, "key": ["debt", "person"], "count": "contact"}],
            "closed_dates": ["2026-07-22"],
            "ring_guard_s": 60,
            "trunks": [{"name": "a"}],
            "caller_ids": ["+5117009000"],
            "agents": [{"id": "ana"}],
        }
    )
    rules, zones, lima = rule_set(campaign), ("America/Lima",), ZoneInfo("America/Lima")
    morning = datetime(2026, 7, 15, 9, tzinfo=lima).timestamp()
    assert rules.window("PE", zones, morning).changes_at == datetime(2026, 7, 15, 12, 29, tzinfo=lima).timestamp()
    evening = datetime(2026, 7, 15, 16, tzinfo=lima).timestamp()
    assert rules.window("PE", zones, evening).changes_at == datetime(2026, 7, 15, 19, 59, tzinfo=lima).timestamp()
    assert rules.window("PE", zones, morning + 7 * 86_400).rule == "campaign.closed_dates"

    slot = rules.caps(
        DialCandidate(lead_id="L", person="P", debt="D", number="+1", country="PE", zones=zones), morning
    )[-1]
    assert (slot.rule, slot.key, slot.max) == ("campaign.cap-1", "person+debt:P|D", 1)
    assert slot.since == datetime(2026, 7, 1, tzinfo=lima).timestamp()
    assert "NO_ANSWER" in slot.ignores
