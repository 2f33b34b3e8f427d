"""Never two servers on one folder, whoever dies when: many programs and their server, killed at random."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PROGRAMS = 8
KILLS = 8

# A program that uses the store and counts, aloud, what it was answered: "+" for each addition that was confirmed.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from dialer.adapters.store import embedded
from dialer.adapters.store.embedded import EmbeddedValkey
from dialer.adapters.store.redis import RedisStore
from dialer.adapters.store.server import connect
from dialer.errors import StoreError
import structlog

structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
embedded.RESTART_WAITS_S = (0.05,)

async def main():
    server = EmbeddedValkey(Path(sys.argv[1]))
    await server.start()
    server.watch()
    client = connect(server.socket_path)
    print("ready", flush=True)
    while True:
        try:
            await client.incr("count")
            print("+", flush=True)
        except Exception:
            print("-", flush=True)
        await asyncio.sleep(0.01)

asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")


def servers_on(folder: Path) -> list[int]:
    """The server processes of a folder that run now: not zombies, and not a child that rewrites the file."""
    wanted, found = f"unixsocket:{folder}/", []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if "valkey-server" in command and wanted in command and state != "Z":
                found.append(int(entry.name))
    return found


def start(data_dir: Path, output: Path) -> subprocess.Popen[bytes]:
    with output.open("ab") as file:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(data_dir)], stdout=file, stderr=file)


def confirmed(outputs: list[Path]) -> int:
    return sum(output.read_bytes().count(b"+\n") for output in outputs)


def watched_until(folder: Path, when: float) -> int:
    """Look at the folder's servers again and again; returns the most that there were at once."""
    most = 0
    while time.monotonic() < when:
        most = max(most, len(servers_on(folder)))
        time.sleep(0.03)
    return most


def test_at_most_one_server_ever_holds_a_folder(tmp_path: Path) -> None:
    """Eight programs start at once, and programs and servers are killed at random; no confirmed addition is lost."""
    rng = random.Random(7)
    folder = tmp_path / "store"
    outputs = [tmp_path / f"output{number}" for number in range(PROGRAMS)]
    programs = [start(tmp_path, output) for output in outputs]
    most, served = 0, set()
    try:
        deadline = time.monotonic() + 60
        while not all(output.exists() and b"ready" in output.read_bytes() for output in outputs):
            most = max(most, watched_until(folder, time.monotonic() + 0.1))
            assert time.monotonic() < deadline and all(program.poll() is None for program in programs)
        for _ in range(KILLS):
            most = max(most, watched_until(folder, time.monotonic() + rng.uniform(0.0, 0.5)))
            running = servers_on(folder)
            served.update(running)
            if rng.random() < 0.6 and running:
                os.kill(running[0], signal.SIGKILL)
            if rng.random() < 0.4:
                number = rng.randrange(PROGRAMS)
                programs[number].kill()
                programs[number].wait()
                programs[number] = start(tmp_path, outputs[number])
        before = confirmed(outputs)
        deadline = time.monotonic() + 15
        while confirmed(outputs) < before + 50:  # it still works, for whoever lives
            most = max(most, watched_until(folder, time.monotonic() + 0.05))
            assert time.monotonic() < deadline, "nobody is served any more"
        served.update(servers_on(folder))
        for program in programs:
            program.send_signal(signal.SIGSTOP)  # what they were answered so far is printed
        time.sleep(0.05)
        known = confirmed(outputs)
        with redis.Redis(unix_socket_path=str(folder / "valkey.sock"), retry=Retry(NoBackoff(), 0)) as client:
            assert int(client.get("count") or 0) >= known > 0
        assert most == 1
        assert len(served) > 3
    finally:
        for program in programs:
            program.kill()
            program.wait()
        for pid in servers_on(folder):
            os.kill(pid, signal.SIGKILL)
