"""Orders to a running campaign over its control socket, with a real store and a simulated switch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from dialer import bootstrap
from dialer.adapters import control
from dialer.adapters import control_messages as msg
from dialer.adapters.audit import audit_log
from dialer.adapters.control import ControlPlace, ask, running_campaigns
from dialer.bootstrap import Place, Session, sandbox
from dialer.cli.control_view import detail_lines
from dialer.config.campaign import Campaign
from dialer.core import events as ev
from dialer.core.agent import AgentState
from dialer.core.lead import Lead, PhoneNumber
from dialer.errors import CampaignRunning, DialerError

AT = datetime.fromisoformat("2026-11-23T10:00:00-05:00")
CAMPAIGN = Campaign.model_validate(
    {
        "campaign": "morning",
        "jurisdictions": ["PE"],
        "trunks": [{"name": "t"}],
        "caller_ids": ["+5117000000"],
        "agents": [{"id": name, "name": name.title()} for name in ("ana", "luis", "rosa")],
    }
)


def leads(count: int) -> list[Lead]:
    return [
        Lead(
            lead_id=f"L{number}",
            numbers=(PhoneNumber(e164=f"+5198700{number:04}", zones=("America/Lima",), country="PE"),),
            person=f"p{number}",
            debt=f"d{number}",
        )
        for number in range(count)
    ]


class Floor:
    """A running campaign, and what its engine was told."""

    def __init__(self, session: Session, facts: list[ev.Event], data_dir: Path) -> None:
        self.session = session
        self.facts = facts
        self.data_dir = data_dir

    async def ask(self, request: msg.AnyRequest) -> msg.AnyAnswer:
        return await asyncio.to_thread(ask, self.data_dir, "morning", request)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    def told(self, kind: type[ev.Event]) -> list[ev.Event]:
        return [fact for fact in self.facts if type(fact) is kind]

    def log_in(self, agent_id: str) -> None:
        """Log in at once, without the simulated agent's dawdling."""
        self.session.runtime.emit(ev.AgentLoggedIn(at=self.session.clock.now(), agent_id=agent_id))


@contextlib.asynccontextmanager
async def running(data_dir: Path, count: int = 40) -> AsyncIterator[Floor]:
    facts: list[ev.Event] = []
    place = Place(data_dir=data_dir)
    async with sandbox(
        CAMPAIGN, leads(count), place, seed=1, at=AT, observer=lambda fact, _: facts.append(fact)
    ) as session:
        task = asyncio.create_task(session.run())
        floor = Floor(session, facts, data_dir)
        await floor.until(lambda: bool(floor.told(ev.LinkUp)))
        try:
            yield floor
        finally:
            session.runtime.stop("end of the test")
            await asyncio.wait_for(task, 20)


async def test_a_campaign_seen_paused_changed_and_stopped_from_outside(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        assert running_campaigns(tmp_path) == ["morning"]
        seen = await floor.ask(msg.GetStatus())
        assert isinstance(seen, msg.Status) and (seen.pid, seen.status.leads) == (os.getpid(), 40)

        assert await floor.ask(msg.Pause()) == msg.Done(what="pause")
        floor.log_in("ana")
        seen = await floor.ask(msg.GetStatus())
        assert isinstance(seen, msg.Status) and seen.status.paused and seen.status.attempts == 0

        done = await floor.ask(msg.SetPacing(changes={"mode": "progressive", "target_abandon_rate": "0.02"}))
        assert done == msg.Done(
            what="set",
            changes=(
                msg.Change(key="mode", old="predictive", new="progressive"),
                msg.Change(key="target_abandon_rate", old=0.03, new=0.02),
            ),
        )
        refused = await floor.ask(msg.SetPacing(changes={"target_abandon_rate": "0.2"}))
        assert isinstance(refused, msg.Refused) and refused.mendable and "310.4(b)(4)" in refused.reasons[0]

        assert await floor.ask(msg.Resume()) == msg.Done(what="resume")
        await floor.until(lambda: floor.session.runtime.engine.counters.attempts > 0)
        seen = await floor.ask(msg.GetStatus())
        assert isinstance(seen, msg.Status)
        assert (seen.status.mode, seen.status.target_abandon_rate) == ("progressive", 0.02)
        assert seen.status.decisions[-1][1].policy == "progressive-v1"

        assert await floor.ask(msg.StopNow()) == msg.Done(what="stop --now")
        await floor.until(lambda: floor.session.runtime.ended)

    assert running_campaigns(tmp_path) == []
    entries = audit_log(tmp_path).read()
    assert [(entry.what, entry.accepted) for entry in entries] == [
        ("pause", True), ("set", True), ("set", False), ("resume", True), ("stop --now", True),
    ]  # fmt: skip
    assert {entry.pid for entry in entries} == {os.getpid()} and {entry.campaign for entry in entries} == {"morning"}
    assert entries[1].old == {"mode": "predictive", "target_abandon_rate": 0.03}
    assert entries[1].new == {"mode": "progressive", "target_abandon_rate": 0.02}
    assert entries[2].old == {"target_abandon_rate": 0.02} and entries[2].new == {"target_abandon_rate": "0.2"}


async def test_power_dialling_is_chosen_and_changed_from_outside(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        floor.log_in("ana")
        done = await floor.ask(msg.SetPacing(changes={"mode": "power", "lines_per_idle_agent": "2"}))
        assert done == msg.Done(
            what="set",
            changes=(
                msg.Change(key="mode", old="predictive", new="power"),
                msg.Change(key="lines_per_idle_agent", old=1.5, new=2.0),
            ),
        )
        refused = await floor.ask(msg.SetPacing(changes={"mode": "preview"}))
        assert isinstance(refused, msg.Refused) and refused.mendable
        assert "preview does not run yet" in refused.reasons[0]
        await floor.until(lambda: floor.session.runtime.engine.status().policy == "power-v1")
        seen = await floor.ask(msg.GetStatus())
        assert isinstance(seen, msg.Status)
        assert (seen.status.mode, seen.status.lines_per_idle_agent) == ("power", 2.0)
        assert any("lines_per_idle_agent 2, " in line for line in detail_lines(seen))


async def test_a_drain_lets_the_campaign_end_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        assert await floor.ask(msg.Drain()) == msg.Done(what="drain")
        await floor.until(lambda: floor.session.runtime.ended)


async def test_the_routing_is_shown_from_outside(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        seen = await floor.ask(msg.GetRouting())
        assert isinstance(seen, msg.Routing) and seen.campaign == "morning"
        (trunk,), (number,) = seen.standing.trunks, seen.standing.caller_ids
        assert (seen.standing.router, trunk.trunk, trunk.carrier) == ("hoe-lp-v1", "t", "t")
        assert (trunk.tries, trunk.share, trunk.asr, trunk.circuit) == (0, None, None, "closed")
        assert (number.number, number.calls_today) == ("+5117000000", 0)

        floor.log_in("ana")
        await floor.until(lambda: floor.session.runtime.engine.counters.attempts > 0)
        seen = await floor.ask(msg.GetRouting())
        assert isinstance(seen, msg.Routing)
        (trunk,), (number,) = seen.standing.trunks, seen.standing.caller_ids
        assert trunk.tries >= 1 and trunk.share == 1.0 and 0 <= trunk.in_use <= trunk.max_channels == 30
        assert number.calls_today >= 1
    assert audit_log(tmp_path).read() == []  # a question is no order


async def test_agents_are_listed_paused_resumed_and_logged_out(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        await floor.ask(msg.Pause())
        engine = floor.session.runtime.engine
        floor.log_in("ana")
        await floor.until(lambda: engine.floor.agents["ana"].state is AgentState.IDLE)

        assert await floor.ask(msg.PauseAgent(agent_id="ana", reason="talk to me")) == msg.Done(what="agents pause ana")
        listed = await floor.ask(msg.ListAgents())
        assert isinstance(listed, msg.Agents)
        rows = {row.agent_id: row for row in listed.agents}
        assert list(rows) == ["ana", "luis", "rosa"]
        assert (rows["ana"].name, rows["ana"].state, rows["ana"].pause_reason) == ("Ana", "paused", "talk to me")

        await floor.ask(msg.ResumeAgent(agent_id="ana"))
        assert engine.floor.agents["ana"].state is AgentState.IDLE
        again = await floor.ask(msg.ResumeAgent(agent_id="ana"))
        assert isinstance(again, msg.Refused) and not again.mendable and "found none" in again.reasons[0]
        unknown = await floor.ask(msg.LogOutAgent(agent_id="anna"))
        assert isinstance(unknown, msg.Refused) and unknown.mendable and "did you mean ana?" in unknown.reasons[0]
        assert await floor.ask(msg.AnnounceLeave(agent_id="ana", when="10m")) == msg.Done(what="agents leave ana")
        listed = await floor.ask(msg.ListAgents())
        assert isinstance(listed, msg.Agents)
        assert 590.0 < (listed.agents[0].leaves_in_s or 0.0) <= 600.0
        vague = await floor.ask(msg.AnnounceLeave(agent_id="ana", when="soon"))
        assert isinstance(vague, msg.Refused) and vague.mendable and "such as 13:00" in vague.reasons[0]
        await floor.ask(msg.LogOutAgent(agent_id="ana"))
        assert [fact.agent_id for fact in floor.told(ev.AgentLogoutOrdered)] == ["ana"]  # type: ignore[attr-defined]


async def test_the_emergency_stop_forbids_every_call_until_it_is_lifted(tmp_path: Path) -> None:
    from dialer.adapters.store.redis import open_store

    async with running(tmp_path) as floor:
        floor.log_in("ana")
        await floor.until(lambda: floor.session.runtime.engine.counters.attempts > 0)
        placed = floor.session.runtime.engine.counters.attempts
        answer = await floor.ask(msg.StopNow(everywhere=True))
        assert answer == msg.Done(what="stop --all --now", stored=True)
        await floor.until(lambda: floor.session.runtime.ended)
        assert floor.session.runtime.engine.counters.attempts == placed
    async with open_store(None, tmp_path) as store:
        assert await store.lift("everything") and not await store.lift("everything")


# ---- the socket ---------------------------------------------------------------------------------------------
async def test_only_the_owner_reaches_the_socket(tmp_path: Path) -> None:
    async with running(tmp_path):
        place = ControlPlace(tmp_path, "morning")
        assert place.folder.stat().st_mode & 0o777 == 0o700
        assert place.socket_path.stat().st_mode & 0o777 == 0o600
    assert not place.socket_path.exists()


async def test_a_peer_that_is_not_ours_is_turned_away_unheard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "peer_of", lambda _: None)
    async with running(tmp_path) as floor:
        with pytest.raises(DialerError):
            await floor.ask(msg.Pause())
        assert floor.told(ev.LaunchingPaused) == []
    assert audit_log(tmp_path).read() == []


class Peer:
    """A connection of whose other end the kernel says this."""

    def __init__(self, uid: int) -> None:
        self._raw = struct.pack("3i", 77, uid, 0)

    def getsockopt(self, *_: int) -> bytes:
        return self._raw


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="needs Linux, which names the peer")
def test_only_this_user_and_root_are_ours() -> None:
    mine, root, other = (control.peer_of(Peer(uid)) for uid in (os.geteuid(), 0, os.geteuid() + 1))  # type: ignore[arg-type]
    assert mine is not None and (mine.name, mine.pid) == (pwd.getpwuid(os.geteuid()).pw_name, 77)
    assert root is not None and root.name == pwd.getpwuid(0).pw_name
    assert other is None


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"ask":"Explode"}\n',
        b'{"ask":"SetPacing","changes":[1]}\n',
        b"[" * 5000 + b"\n",
    ],
)
async def test_what_is_no_request_is_refused_and_the_link_stays(tmp_path: Path, line: bytes) -> None:
    async with running(tmp_path):
        reader, writer = await asyncio.open_unix_connection(ControlPlace(tmp_path, "morning").socket_path)
        writer.write(line + b'{"ask":"Pause"}\n')
        refused = msgspec.json.decode(await reader.readline(), type=msg.AnyAnswer)
        assert isinstance(refused, msg.Refused) and "of this version" in refused.reasons[0]
        assert msgspec.json.decode(await reader.readline(), type=msg.AnyAnswer) == msg.Done(what="pause")
        writer.close()


async def test_a_request_without_an_end_is_cut_off(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        reader, writer = await asyncio.open_unix_connection(ControlPlace(tmp_path, "morning").socket_path)
        with contextlib.suppress(ConnectionError):
            writer.write(b"x" * (4 * control.REQUEST_LIMIT))
            await writer.drain()
            await reader.read()
        writer.close()
        assert isinstance(await floor.ask(msg.GetStatus()), msg.Status)


async def test_a_silent_peer_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with running(tmp_path) as floor:
        _, writer = await asyncio.open_unix_connection(ControlPlace(tmp_path, "morning").socket_path)
        assert isinstance(await floor.ask(msg.GetStatus()), msg.Status)
    writer.close()


async def test_a_folder_with_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with running(deep) as floor:
        path = ControlPlace(deep, "morning").socket_path
        assert not path.is_relative_to(tmp_path) and path.parent.stat().st_mode & 0o777 == 0o700
        assert isinstance(await floor.ask(msg.GetStatus()), msg.Status)
    assert not path.parent.exists()


async def test_a_dead_programs_socket_is_removed(tmp_path: Path) -> None:
    place = ControlPlace(tmp_path, "morning")
    place.folder.mkdir()
    place.lock_path.touch()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket_path))
    assert running_campaigns(tmp_path) == [] and not place.socket_path.exists()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket_path))
    async with running(tmp_path) as floor:
        assert isinstance(await floor.ask(msg.GetStatus()), msg.Status)


async def test_a_campaign_that_is_served_already_is_refused(tmp_path: Path) -> None:
    place = ControlPlace(tmp_path, "morning")
    place.folder.mkdir()
    lock = place.lock()
    assert lock is not None
    with lock, pytest.raises(CampaignRunning, match="found one that serves it"):
        async with running(tmp_path):
            pass


def test_the_message_for_one_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(DialerError, match="campaign x is not running; none is in"):
        ask(tmp_path, "x", msg.GetStatus())


@pytest.mark.parametrize("turns", range(12))
async def test_an_order_in_the_first_moment_ends_the_run(tmp_path: Path, turns: int) -> None:
    async with sandbox(CAMPAIGN, leads(3), Place(data_dir=tmp_path), seed=1, at=AT) as session:
        task = asyncio.create_task(session.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        session.runtime.drain("a test")
        await asyncio.wait_for(task, 20)


# ---- leases of the dead -------------------------------------------------------------------------------------
async def test_a_dead_programs_lease_is_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dialer.adapters.store.redis import open_store

    async with open_store(None, tmp_path) as store:
        owner = f"{socket.gethostname()}:4194305"  # beyond the kernel's largest process id
        await store.open_campaign("morning", owner=owner)
        async with open_store(None, tmp_path) as mine:
            assert (await bootstrap.open_by(mine, "morning")).run == 2


@pytest.mark.parametrize(
    "owner",
    [f"elsewhere:{os.getpid()}", f"{socket.gethostname()}:1", "strange"],
    ids=["another host", "a living process", "no process"],
)
async def test_another_lease_is_respected(tmp_path: Path, owner: str) -> None:
    from dialer.adapters.store.redis import open_store

    async with open_store(None, tmp_path) as store:
        await store.open_campaign("morning", owner=owner)
        async with open_store(None, tmp_path) as mine:
            with pytest.raises(CampaignRunning, match=owner):
                await bootstrap.open_by(mine, "morning")
