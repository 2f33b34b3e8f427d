"""A trunk that Asterisk does not know: told by `dialer check`, and no run begins with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.cli.carriers.known_trunks import require_known_trunks, unknown_trunks
from dialer.cli.checkup import check_up
from dialer.cli.run import _run
from dialer.config.campaign_file import read_campaign
from dialer.config.example import write_example
from dialer.errors import ConfigError, TelephonyError
from tests.integration.test_check import OPEN, SECRET, asterisk, of, switch

TRUNK = "  - {name: carrier-a, carrier: Carrier A, max_channels: 60, max_cps: 5}\n"
GHOST = "  - {name: ghost}\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CADENCIA_AMI_SECRET", SECRET)
    path = write_example(tmp_path / "campaign")[0]
    text = path.read_text()
    assert TRUNK in text
    path.write_text(text.replace(TRUNK, TRUNK + GHOST))
    return path


def at(file: Path, port: int) -> int:
    """Write the port into the file; return the line of the trunk that nobody knows."""
    file.write_text(file.read_text().replace("port: 5038", f"port: {port}"))
    return file.read_text().splitlines().index(GHOST.rstrip()) + 1


async def test_a_run_does_not_begin(file: Path, tmp_path: Path) -> None:
    async with switch(asterisk()) as port:
        line = at(file, port)
        with pytest.raises(ConfigError) as refused:
            await _run(file, tmp_path / "data", None, simulated=False, at=None, drain_limit_s=1.0, seed=1)
    assert refused.value.faults == (f"{file}:{line}: trunks.1.name: the switch has no PJSIP endpoint 'ghost'",)
    assert not (tmp_path / "data" / "environment").exists()


async def test_it_is_a_fault_of_the_checkup(file: Path, tmp_path: Path) -> None:
    async with switch(asterisk()) as port:
        at(file, port)
        found = await check_up(file, read_campaign(file), tmp_path / "data", None, now=OPEN, switch=True)
    assert of(found, "trunks")[:2] == (False, "1 of 2 are endpoints of the switch") and not found.would_dial


async def test_a_switch_that_does_not_say_stops_nobody_here(file: Path) -> None:
    told: list[str] = []
    async with switch(asterisk(permitted=False)) as port:
        at(file, port)
        await require_known_trunks(file, read_campaign(file), say=told.append)
    await require_known_trunks(file, read_campaign(file), say=told.append)  # nobody listens there any more
    assert [line.split(": ")[0] for line in told] == ["trunks not looked at"] * 2


async def test_a_switch_that_knows_all(file: Path) -> None:
    async with switch(asterisk(endpoints=("carrier-a", "ghost"))) as port:
        at(file, port)
        assert await unknown_trunks(read_campaign(file)) == []
        await require_known_trunks(file, read_campaign(file), say=lambda line: pytest.fail(line))


async def test_a_switch_that_refuses_us(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADENCIA_AMI_SECRET", "guess")
    async with switch(asterisk()) as port:
        at(file, port)
        with pytest.raises(TelephonyError):
            await unknown_trunks(read_campaign(file))
