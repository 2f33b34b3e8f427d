"""What `bootstrap` refuses to mix, and what it takes from an opening."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dialer.adapters.store.redis import open_store
from dialer.bootstrap import Place, ami_secret, claim_folder, live, on_the_lists, replay_journal, sandbox, simulate
from dialer.config.campaign import Campaign
from dialer.core.actions import Claim
from dialer.core.lead import Lead, LeadProgress
from dialer.errors import ComplianceBreach, ConfigError
from dialer.ports import Opening
from sim.clock import VirtualClock
from sim.scenario_file import packaged_scenario
from tests.unit.core.bench_engine import campaign_of, lead_of


def opening_of(*leads: Lead, under_way: tuple[str, ...] = ()) -> Opening:
    claims = tuple(
        Claim(attempt_id=index, lead_id=lead, number="+1", at=0.0, stop_keys=(), fact_keys=(), caps=())
        for index, lead in enumerate(under_way)
    )
    progress = tuple(LeadProgress(lead_id=lead.lead_id, attempts=3) for lead in leads)
    return Opening(run=1, leads=leads, progress=progress, in_flight=claims)


def test_a_run_dials_the_leads_that_the_lists_have_now_as_they_say_them() -> None:
    before, dropped, calling = lead_of("L1"), lead_of("L2"), lead_of("L3")
    now = lead_of("L1", numbers=2)
    opening = on_the_lists(opening_of(before, dropped, calling, under_way=("L3",)), [now])
    assert opening.leads == (now, calling)
    assert [progress.attempts for progress in opening.progress] == [3, 3]
    assert opening.unlisted == ("L3",)


def test_a_folder_belongs_to_one_environment(tmp_path: Path) -> None:
    claim_folder(tmp_path / "data", "sandbox")
    claim_folder(tmp_path / "data", "sandbox")
    with pytest.raises(ConfigError, match="expected a folder for live, is one for sandbox"):
        claim_folder(tmp_path / "data", "live")


def with_switch(**settings: object) -> Campaign:
    return campaign_of(asterisk=settings)


def test_the_secret_comes_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    assert ami_secret(with_switch(secret_file=str(file))) == "s3cret"
    file.chmod(0o640)
    with pytest.raises(ConfigError, match="expected mode 600, was 640"):
        ami_secret(with_switch(secret_file=str(file)))


def test_the_secret_comes_from_the_environment_or_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = with_switch(secret_env="CADENCIA_TEST_SECRET")
    with pytest.raises(ConfigError, match="set CADENCIA_TEST_SECRET"):
        ami_secret(campaign)
    monkeypatch.setenv("CADENCIA_TEST_SECRET", "s3cret")
    assert ami_secret(campaign) == "s3cret"


async def test_another_clock_is_refused_where_the_switch_reaches_people() -> None:
    session = live(with_switch(host="192.0.2.1"), [], None, seed=1, clock=VirtualClock(0.0))  # type: ignore[arg-type]
    with pytest.raises(ComplianceBreach):
        await session.__aenter__()


def test_a_journal_of_another_policy_replays_with_that_policy(tmp_path: Path) -> None:
    scenario = packaged_scenario("collections_demo", agents=4, leads=80, duration_s=300.0)
    journal = simulate(scenario, policy="progressive-v1", journal_dir=tmp_path).journal
    assert journal is not None
    header, result = replay_journal(journal)
    assert set(header.policies.values()) == {"progressive-v1"}
    assert result.difference is None


def test_a_number_s_rest_follows_the_number_to_its_new_place_on_the_list() -> None:
    stored = lead_of("L1", numbers=2)
    first, second = stored.numbers
    progress = LeadProgress(lead_id="L1", number_index=1, number_ready_at=(None, 50.0))
    opening = Opening(run=1, leads=(stored,), progress=(progress,), in_flight=())
    turned = msgspec.structs.replace(stored, numbers=(second, first))
    (moved,) = on_the_lists(opening, [turned]).progress
    assert (moved.number_ready_at, moved.number_index) == ((50.0, None), 0)
    (dead,) = on_the_lists(opening, [msgspec.structs.replace(stored, numbers=(first,))]).progress
    assert dead.status == "finished"


async def test_nothing_starts_while_the_emergency_stop_is_set(tmp_path: Path) -> None:
    campaign = campaign_of()
    async with open_store(None, tmp_path) as store:
        await store.stop("everything", "emergency")
        session = sandbox(campaign, [lead_of("L1")], Place(data_dir=tmp_path), seed=1)
        with pytest.raises(ConfigError, match="lifts the emergency stop"):
            await session.__aenter__()
        await store.lift("everything")
        async with sandbox(campaign, [lead_of("L1")], Place(data_dir=tmp_path), seed=1):
            pass
