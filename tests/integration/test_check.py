"""`dialer check`: what it finds, against a real store and a switch that answers as Asterisk does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import pytest

from dialer.adapters.campaign_lists import load_lists
from dialer.adapters.store.redis import open_store
from dialer.adapters.switch_probe import probe_switch
from dialer.bootstrap import claim_folder
from dialer.cli.checkup import Checkup, check_up
from dialer.config.campaign import Asterisk, Campaign
from dialer.config.campaign_file import list_paths, read_campaign
from dialer.config.example import write_example
from dialer.core.actions import Claim, Settlement
from dialer.core.lead import LeadProgress
from dialer.errors import CommandTimeout, LinkLost, LoginRefused
from tests.integration.conftest import Station

OPEN = datetime.fromisoformat("2026-11-23T10:00:00-05:00").timestamp()
CLOSED = datetime.fromisoformat("2026-11-23T23:00:00-05:00").timestamp()
SECRET = "let me in"
ENDPOINTS = ("agent-ana", "agent-luis", "carrier-a")


# ---- a switch -----------------------------------------------------------------------------------------------
Reply = Callable[[dict[str, str]], str]


def asterisk(*, endpoints: tuple[str, ...] = ENDPOINTS, permitted: bool = True) -> Reply:
    """Answer as Asterisk 22's manager interface does."""

    def reply(asked: dict[str, str]) -> str:
        head = f"ActionID: {asked['ActionID']}\r\n"
        if asked["Action"] == "Login":
            took = asked["Username"] == "cadencia" and asked["Secret"] == SECRET
            return f"Response: {'Success' if took else 'Error'}\r\n{head}Message: Authentication {took}\r\n\r\n"
        if asked["Action"] != "PJSIPShowEndpoints":
            return ""
        if not permitted:
            return f"Response: Error\r\n{head}Message: Permission denied\r\n\r\n"
        if not endpoints:
            return f"Response: Error\r\n{head}Message: No endpoints found\r\n\r\n"
        items = "".join(
            f"Event: EndpointList\r\n{head}ObjectName: {name}\r\nTransport: \r\nDeviceState: Unavailable\r\n\r\n"
            for name in endpoints
        )
        return (
            f"Response: Success\r\n{head}EventList: start\r\n\r\nEvent: FullyBooted\r\n\r\n{items}"
            f"Event: EndpointListComplete\r\n{head}EventList: Complete\r\n\r\n"
        )

    return reply


@contextlib.asynccontextmanager
async def switch(reply: Reply) -> AsyncIterator[int]:
    """Serve a manager interface on loopback; yields its port."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                asked = dict(line.split(": ", 1) for line in lines if line)
                writer.write(reply(asked).encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in talks:
            task.cancel()


# ---- a campaign ---------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_example(tmp_path / "campaign")[0]


def at_port(file: Path, port: int) -> Campaign:
    campaign = read_campaign(file)
    return campaign.model_copy(update={"asterisk": campaign.asterisk.model_copy(update={"port": port})})


async def look(file: Path, data: Path, *, now: float = OPEN) -> Checkup:
    return await check_up(file, read_campaign(file), data, None, now=now, switch=False)


def of(found: Checkup, what: str) -> tuple[bool, str, tuple[str, ...]]:
    (finding,) = (finding for finding in found.findings if finding.what == what)
    return finding.ok, finding.text, finding.notes


async def fill(file: Path, data: Path) -> None:
    """Leave in the store what a morning leaves: one lead rests, one is finished, one was stopped, one is in a call."""
    campaign = read_campaign(file)
    leads = load_lists(list_paths(file, campaign), campaign, say=lambda _: None)
    async with open_store(None, data) as store:
        await store.add_leads("example", leads)
        await store.open_campaign("example", owner="test")
        keys = [(f"person:{lead.person}",) for lead in leads]
        claims = [
            Claim(
                attempt_id=number,
                lead_id=leads[number].lead_id,
                number=leads[number].numbers[0].e164,
                at=OPEN - 60,
                stop_keys=(),
                fact_keys=keys[number],
                caps=(),
            )
            for number in (0, 1, 3)
        ]
        assert (await store.reserve("example", claims)).refusals == []
        ends = ((0, "BUSY", "ready", OPEN + 840), (1, "PTP", "finished", 0.0))
        await store.settle(
            "example",
            [
                Settlement(
                    attempt_id=number,
                    lead_id=leads[number].lead_id,
                    number=leads[number].numbers[0].e164,
                    at=OPEN - 30,
                    disposition=disposition,
                    reserved_at=OPEN - 60,
                    originated_at=None,
                    answered_at=None,
                    bridged_at=None,
                    ended_at=None,
                    agent_id=None,
                    trunk=None,
                    caller_id=None,
                    fact_keys=keys[number],
                    progress=LeadProgress(
                        lead_id=leads[number].lead_id,
                        status=status,
                        attempts=1,
                        next_at=next_at,
                        by_disposition={disposition: 1},
                    ),
                )
                for number, disposition, status, next_at in ends
            ],
        )
        await store.stop(f"lead:{leads[2].lead_id}", "deceased")


# ---- findings -----------------------------------------------------------------------------------------------
async def test_a_new_campaign_would_dial(file: Path, tmp_path: Path) -> None:
    found = await look(file, tmp_path / "data")
    assert found.would_dial and found.queue is not None
    assert (found.queue.callable_now, len(found.queue.leads)) == (5, 5)
    assert of(found, "list")[1].endswith("5 leads, 0 rows rejected, 0 numbers left out")
    assert "5 leads of the lists are not in the store yet" in of(found, "store")[2][0]
    assert of(found, "rules")[2][0].startswith("America/Lima: open until")


async def test_the_stores_records_say_who_waits_and_why(file: Path, tmp_path: Path) -> None:
    await fill(file, tmp_path / "data")
    found = await look(file, tmp_path / "data")
    assert found.queue is not None
    assert {state.lead_id: (state.why, state.rule) for state in found.queue.leads} == {
        "C-1001": ("rest", "BUSY"),
        "C-1002": ("finished", "PTP"),
        "C-1003": ("stopped", "deceased"),
        "C-1004": ("held", ""),
        "C-1005": ("", ""),
    }
    again = await look(file, tmp_path / "data")
    assert again.queue == found.queue  # looking changes nothing


async def test_a_cap_that_another_campaign_used_up_is_seen(file: Path, tmp_path: Path) -> None:
    campaign = read_campaign(file)
    leads = load_lists(list_paths(file, campaign), campaign, say=lambda _: None)
    async with open_store(None, tmp_path) as store:
        for other in ("spring", "autumn"):
            await store.add_leads(other, leads[:1])
            await store.open_campaign(other, owner="test")
            claim = Claim(
                attempt_id=1,
                lead_id=leads[0].lead_id,
                number=leads[0].numbers[0].e164,
                at=OPEN - 3600,
                stop_keys=(),
                fact_keys=(f"person:{leads[0].person}",),
                caps=(),
            )
            assert (await store.reserve(other, [claim])).refusals == []
    found = await look(file, tmp_path)
    assert found.queue is not None and found.queue.callable_now == 4
    assert ("cap", "policy-2-a-day", 1) in found.queue.counts


# ---- the law ------------------------------------------------------------------------------------------------
async def test_the_age_of_the_rules_of_clocks_is_told_and_too_old_ones_are_a_fault(file: Path, tmp_path: Path) -> None:
    found = await look(file, tmp_path)
    assert of(found, "rule packs")[1].startswith("version 2")
    ok, text, notes = of(found, "time zones")
    assert ok and text.startswith("tzdata 2") and not notes
    day_s = 86400.0
    later = await look(file, tmp_path, now=OPEN + 400 * day_s)
    assert of(later, "time zones")[0] and "last nine months" in of(later, "time zones")[2][0]
    years = await look(file, tmp_path, now=OPEN + 1000 * day_s)
    assert not of(years, "time zones")[0] and not years.would_dial


@pytest.mark.parametrize("stale_lists", ["block", "warn"])
async def test_a_registry_is_told_with_its_age_and_holds_for_leads_that_are_new(
    file: Path, tmp_path: Path, stale_lists: str
) -> None:
    with file.open("a") as settings:
        settings.write(f"dnc_registries: [house]\nstale_lists: {stale_lists}\n")
    campaign = read_campaign(file)
    leads = load_lists(list_paths(file, campaign), campaign, say=lambda _: None)
    none = await look(file, tmp_path)
    assert not none.would_dial and "found none: `dialer dnc import` one" in of(none, "registry")[1]
    assert of(none, "registry")[2] == ("no number there is dialled meanwhile",)
    assert none.queue is not None and none.queue.counts == (("dnc", "house:missing", 5),)
    listed = [number.e164 for number in leads[0].numbers]
    async with open_store(None, tmp_path) as store:
        await store.replace_registry("house", listed, as_of=OPEN - 3 * 86400, source="house.csv")
    found = await look(file, tmp_path)
    text = f"house (asked for by campaign.dnc_registries): {len(listed)} numbers, 3 days old"
    assert found.would_dial and of(found, "registry") == (True, text, ())
    assert found.queue is not None and ("dnc", "house", 1) in found.queue.counts


PACK = """\
jurisdiction: PE
profiles:
  - id: house-range
    scope: [debt_collection]
    cite: art. 9
    confidence: {confidence}
    caller_id: {{required_prefixes: ["+51999"], since: 2026-11-25}}
"""


@pytest.mark.parametrize("confidence", ["V1", "U"])
async def test_a_caller_id_that_may_not_be_shown_is_told(file: Path, tmp_path: Path, confidence: str) -> None:
    (file.parent / "ours.yaml").write_text(PACK.format(confidence=confidence))
    with file.open("a") as settings:
        settings.write("rule_packs: [ours.yaml]\n")
    assert of(await look(file, tmp_path), "caller IDs")[0]
    tomorrow = await look(file, tmp_path, now=OPEN + 86400)
    ok, text, notes = of(tomorrow, "caller IDs")
    assert "expected a caller ID that begins with +51999 (art. 9)" in text
    assert (ok, tomorrow.would_dial, len(notes)) == ((False, False, 0) if confidence == "V1" else (True, True, 1))
    assert "pack ours.yaml, SHA-256 " in of(tomorrow, "rule packs")[2][0]


async def test_at_night_nobody_is_callable(file: Path, tmp_path: Path) -> None:
    found = await look(file, tmp_path, now=CLOSED)
    assert found.queue is not None and not found.would_dial
    assert [(why, count) for why, _, count in found.queue.counts] == [("window", 5)]
    assert found.queue.next_callable_at == datetime.fromisoformat("2026-11-24T08:00:00-05:00").timestamp()


async def test_an_emergency_stop_is_told(file: Path, tmp_path: Path) -> None:
    async with open_store(None, tmp_path) as store:
        await store.stop("everything", "emergency")
    found = await look(file, tmp_path)
    assert not found.would_dial and "resume --all" in of(found, "emergency stop")[1]


async def test_a_running_campaign_is_seen_and_left_alone(file: Path, tmp_path: Path) -> None:
    async with open_store(None, tmp_path) as store:
        opened = await store.open_campaign("example", owner="host:1")
        found = await look(file, tmp_path)
        assert "host:1 holds its lease" in " ".join(of(found, "store")[2])
        await store.close_campaign("example")
        assert (await store.open_campaign("example", owner="host:2")).run == opened.run + 1


async def test_a_store_that_is_not_there_is_told(file: Path, tmp_path: Path) -> None:
    found = await check_up(file, read_campaign(file), tmp_path, "redis://127.0.0.1:1/0", now=OPEN, switch=False)
    assert not found.would_dial and found.queue is None and not of(found, "store")[0]


async def test_the_folder_of_another_environment_is_told(file: Path, tmp_path: Path) -> None:
    claim_folder(tmp_path, "live")
    found = await look(file, tmp_path)
    assert not found.would_dial and "is one for live" in of(found, "data folder")[1]


async def test_leads_that_left_the_list_are_told_and_not_counted(file: Path, tmp_path: Path) -> None:
    campaign = read_campaign(file)
    leads = load_lists(list_paths(file, campaign), campaign, say=lambda _: None)
    async with open_store(None, tmp_path) as store:
        await store.add_leads("example", leads)
    rows = (file.parent / "leads.csv").read_text().splitlines()
    (file.parent / "leads.csv").write_text("\n".join(rows[:-1]) + "\n")
    found = await look(file, tmp_path)
    assert found.queue is not None and len(found.queue.leads) == 4
    assert of(found, "store")[2] == ("1 leads of the store are on no list any more: they are not dialled",)


async def test_rejected_rows_are_told_and_no_file_is_written(file: Path, tmp_path: Path) -> None:
    with (file.parent / "leads.csv").open("a") as list_file:
        list_file.write("10000009;Nadie;C-1009;12;;1,00;1;tarjeta;Lima\n")
    before = sorted(file.parent.iterdir())
    found = await look(file, tmp_path / "data")
    assert "5 leads, 1 rows rejected" in of(found, "list")[1] and of(found, "list")[2][0].startswith("line 7: ")
    assert sorted(file.parent.iterdir()) == before


# ---- the switch ---------------------------------------------------------------------------------------------
async def look_at_switch(
    file: Path, data: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, *, secret: str = SECRET
) -> Checkup:
    monkeypatch.setenv("CADENCIA_AMI_SECRET", secret)
    async with switch(reply) as port:
        return await check_up(file, at_port(file, port), data, None, now=OPEN, switch=True)


async def test_a_switch_with_all_endpoints(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await look_at_switch(file, tmp_path, monkeypatch, asterisk())
    assert found.would_dial
    assert of(found, "trunks")[1:] == ("1 of 1 are endpoints of the switch", ("carrier-a: Unavailable",))
    assert of(found, "telephones")[1] == "2 of 2 are endpoints of the switch"


async def test_missing_endpoints(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await look_at_switch(file, tmp_path, monkeypatch, asterisk(endpoints=("agent-ana",)))
    assert not found.would_dial and not of(found, "trunks")[0]
    assert of(found, "telephones") == (
        True,
        "1 of 2 are endpoints of the switch",
        ("agent-ana: Unavailable", "agent-luis: no such PJSIP endpoint"),
    )


async def test_a_switch_without_endpoints(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await look_at_switch(file, tmp_path, monkeypatch, asterisk(endpoints=()))
    assert not of(found, "trunks")[0] and not of(found, "telephones")[0]


async def test_a_switch_that_does_not_list(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await look_at_switch(file, tmp_path, monkeypatch, asterisk(permitted=False))
    assert found.would_dial and "Permission denied" in of(found, "trunks")[1]


async def test_a_wrong_secret(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await look_at_switch(file, tmp_path, monkeypatch, asterisk(), secret="guess")
    assert not found.would_dial and "refused the manager user 'cadencia'" in of(found, "AMI")[1]


async def test_a_secret_that_others_can_read(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    campaign = read_campaign(file)
    open_secret = campaign.model_copy(
        update={"asterisk": campaign.asterisk.model_copy(update={"secret_file": str(secret)})}
    )
    found = await check_up(file, open_secret, tmp_path, None, now=OPEN, switch=True)
    assert not found.would_dial and "expected mode 600, was 644" in of(found, "AMI secret")[1]


async def test_a_switch_that_says_nothing_or_hangs_up() -> None:
    async with switch(lambda _: "") as port:
        with pytest.raises(CommandTimeout):
            await probe_switch(Asterisk(port=port), SECRET, limit_s=0.1)
    with pytest.raises(LinkLost):
        await probe_switch(Asterisk(port=port), SECRET)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n", b"x" * 2_000_000, b"Asterisk Call Manager/9\r\n"]
)
async def test_what_is_no_switch(greeting: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        with pytest.raises(LinkLost):
            await probe_switch(Asterisk(port=server.sockets[0].getsockname()[1]), SECRET)


@pytest.mark.lab
@pytest.mark.timeout(240)
async def test_a_real_asterisk(station: Station) -> None:
    settings = station.campaign().asterisk
    view = await probe_switch(settings, station.lab.secret)
    assert view.endpoints is not None
    trunks = {trunk.name for trunk in station.campaign().trunks} - {"ghost"}
    assert trunks <= view.endpoints.keys() and "ghost" not in view.endpoints
    with pytest.raises(LoginRefused):
        await probe_switch(settings, "wrong")
