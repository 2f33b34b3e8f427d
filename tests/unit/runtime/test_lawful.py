"""What must be so before a campaign dials."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.zones import tzdata_age_days
from dialer.bootstrap import Place, sandbox
from dialer.bootstrap.lawful import OLD_ZONES_DAYS, TOO_OLD_ZONES_DAYS, require_lawful
from dialer.bootstrap.versions import versions_of
from dialer.config.campaign import Campaign
from dialer.errors import ConfigError
from tests.unit.core.bench_engine import campaign_of, lead_of

FAR = datetime(2040, 1, 1, tzinfo=UTC)
AGE_THEN = tzdata_age_days(FAR.date())


def days_old(age: int) -> float:
    """A moment at which the rules of clocks are so old."""
    return FAR.timestamp() - (AGE_THEN - age) * 86400.0


def doubts(campaign: Campaign, now: float) -> list[str]:
    told: list[str] = []
    require_lawful(campaign, now, told.append)
    return told


def test_rules_of_clocks_are_told_as_they_age_and_then_refused() -> None:
    assert doubts(campaign_of(), days_old(OLD_ZONES_DAYS)) == []
    (told,) = doubts(campaign_of(), days_old(OLD_ZONES_DAYS + 1))
    assert f"{OLD_ZONES_DAYS + 1} days old: upgrade the package tzdata" in told
    assert doubts(campaign_of(), days_old(TOO_OLD_ZONES_DAYS)) != []
    with pytest.raises(ConfigError, match="of the last 18 months, were 549 days old"):
        doubts(campaign_of(), days_old(TOO_OLD_ZONES_DAYS + 1))


async def test_a_run_begins_with_nothing_where_the_law_forbids_it(tmp_path: Path) -> None:
    place = Place(data_dir=tmp_path / "data")
    with pytest.raises(ConfigError, match="18 months"):
        async with sandbox(campaign_of(), [lead_of("L0")], place, seed=1, at=FAR):
            raise AssertionError("it must not begin")
    assert not place.data_dir.exists()


def spanish(*caller_ids: str) -> Campaign:
    return campaign_of(jurisdictions=["ES"], scope="telemarketing", caller_ids=list(caller_ids))


def test_spain_wants_its_range_from_its_first_day_on() -> None:
    before, after = (datetime(2026, 10, day, tzinfo=UTC).timestamp() for day in (15, 17))
    assert doubts(spanish("+34911234567"), before) == []
    with pytest.raises(ConfigError, match=r"caller_ids: ES: expected a caller ID that begins with \+34400"):
        doubts(spanish("+34911234567"), after)
    assert doubts(spanish("+34911234567", "+34400123456"), after) == []
    with pytest.raises(ConfigError, match="that is no mobile number"):
        doubts(spanish("+34612345678"), before)


def test_a_duty_that_nobody_verified_is_told_and_no_fault() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    (told,) = doubts(campaign_of(jurisdictions=["CL"], caller_ids=["+56221234567"]), now)
    assert "+56600" in told and "(cl-debt is not verified)" in told


def test_the_versions_are_of_all_that_verdicts_depend_on(tmp_path: Path) -> None:
    own = tmp_path / "ours.yaml"
    own.write_text("x")
    found = versions_of(campaign_of().model_copy(update={"rule_packs": (str(own),)}))
    assert set(found) == {"program", "rules", "tzdata", "holidays", "phonenumbers", "pack ours.yaml"}
    assert found["pack ours.yaml"].startswith("2d711642b726b044") and all(found.values())
    with pytest.raises(ConfigError, match="the rule pack cannot be read"):
        versions_of(campaign_of().model_copy(update={"rule_packs": (str(tmp_path / "none.yaml"),)}))
