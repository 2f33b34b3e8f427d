"""What bootstrap refuses: a secret that others can read, and another clock for a switch that reaches people."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.adapters.clock import SystemClock
from dialer.bootstrap import Place, ami_secret, live
from dialer.errors import ComplianceBreach, ConfigError
from tests.unit.core.bench_engine import campaign_of

VARIABLE = "CADENCIA_TEST_SECRET"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "ami.secret"
    path.write_text("hush\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_of_its_owner_alone_is_read(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    assert ami_secret(campaign_of(asterisk={"secret_file": str(secret_file)})) == "hush"


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o601, 0o610, 0o777])
def test_a_secret_that_others_can_reach_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(ConfigError, match=r"expected mode 600, was .*chmod 600") as raised:
        ami_secret(campaign_of(asterisk={"secret_file": str(secret_file)}))
    assert "hush" not in str(raised.value)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere: the AMI secret cannot be read: No such file"):
        ami_secret(campaign_of(asterisk={"secret_file": str(tmp_path / "nowhere")}))


def test_the_file_goes_before_the_environment(secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "loud")
    assert ami_secret(campaign_of(asterisk={"secret_env": VARIABLE})) == "loud"
    assert ami_secret(campaign_of(asterisk={"secret_env": VARIABLE, "secret_file": str(secret_file)})) == "hush"


@pytest.mark.parametrize("value", [None, ""])
def test_no_secret_at_all_is_the_operator_s_to_mend(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConfigError, match=VARIABLE):
        ami_secret(campaign_of(asterisk={"secret_env": VARIABLE}))


@pytest.mark.parametrize("host", ["10.0.0.5", "192.0.2.1", "2001:db8::1"])
async def test_another_clock_is_refused_for_a_switch_that_reaches_people(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "hush")
    campaign = campaign_of(asterisk={"host": host, "secret_env": VARIABLE})
    with pytest.raises(ComplianceBreach, match="system's clock"):
        async with live(campaign, [], Place(data_dir=tmp_path), seed=1, clock=SystemClock(shift_s=3600.0)):
            pass
    assert list(tmp_path.iterdir()) == [], "something was begun all the same"


@pytest.mark.parametrize(("host", "clock"), [("127.0.0.1", SystemClock(shift_s=3600.0)), ("10.0.0.5", None)])
async def test_the_lab_s_clock_on_loopback_and_the_system_s_anywhere_are_taken(
    host: str, clock: SystemClock | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come as far as the secret, which is not there."""
    monkeypatch.delenv(VARIABLE, raising=False)
    campaign = campaign_of(asterisk={"host": host, "secret_env": VARIABLE})
    with pytest.raises(ConfigError, match=VARIABLE):
        async with live(campaign, [], Place(data_dir=tmp_path), seed=1, clock=clock):
            pass
