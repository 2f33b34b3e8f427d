"""The control socket of a running campaign: a local socket by which commands of the same user reach it.

How it works: `<data>/control/CAMPAIGN.sock` takes one JSON request a line and gives one JSON answer a line. The
program that serves it holds a lock on `CAMPAIGN.lock` for as long as it lives: who can have the lock knows that the
socket is a dead program's and may remove it. Who connects is asked of the kernel, not of the peer.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pwd
import shutil
import socket
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from dialer.adapters.audit import Person
from dialer.adapters.control_messages import AnyAnswer, AnyRequest, Refused
from dialer.adapters.supervisor import Supervisor
from dialer.config.names import meant
from dialer.errors import CampaignRunning, DialerError

SOCKET_PATH_LIMIT = 100  # bytes; the kernels' own limits are 107 (Linux) and 103 (macOS)
REQUEST_LIMIT = 1 << 16  # bytes
ANSWER_WITHIN_S = 5.0
LOCK_TRIES, LOCK_PAUSE_S = 50, 0.01
_request_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)
_answer_decoder: msgspec.json.Decoder[AnyAnswer] = msgspec.json.Decoder(AnyAnswer)


class ControlPlace:
    """The files of one campaign's control socket in a data folder."""

    def __init__(self, data_dir: Path, campaign: str) -> None:
        self.folder = data_dir.absolute() / "control"
        self.lock_path = self.folder / f"{campaign}.lock"
        self._plain = self.folder / f"{campaign}.sock"
        self._record = self.folder / f"{campaign}.path"  # where the socket is, if its path here would be too long

    @property
    def socket_path(self) -> Path:
        """Where the socket is: in the folder, or where that path would be too long, where the folder says."""
        if len(os.fsencode(self._plain)) <= SOCKET_PATH_LIMIT or not self._record.exists():
            return self._plain
        return Path(self._record.read_text().strip())

    def prepare(self) -> Path:
        """Clear what a dead program left and return where to listen. The lock must be held."""
        self.clear()
        if len(os.fsencode(self._plain)) > SOCKET_PATH_LIMIT:
            short = Path(tempfile.mkdtemp(prefix="cadencia-", dir="/tmp"))  # made with mode 700
            self._record.write_text(f"{short / 'control.sock'}\n")
        return self.socket_path

    def clear(self) -> None:
        """Remove the socket. The lock must be held."""
        path = self.socket_path
        path.unlink(missing_ok=True)
        if path != self._plain and path.parent.name.startswith("cadencia-"):
            shutil.rmtree(path.parent, ignore_errors=True)
        self._record.unlink(missing_ok=True)

    def lock(self) -> BinaryIO | None:
        """Lock the campaign's control without waiting; None where a living program has it."""
        file = self.lock_path.open("ab+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file


# ---- the campaign's side ------------------------------------------------------------------------------------
class ControlServer:
    """Serves one campaign's control socket while its runtime runs."""

    def __init__(self, supervisor: Supervisor, campaign: str, data_dir: Path) -> None:
        self._supervisor = supervisor
        self._campaign = campaign
        self._place = ControlPlace(data_dir, campaign)
        self._connections: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """Listen until the end of the block. Raises `CampaignRunning` where another program serves the campaign."""
        place = self._place
        place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.folder.chmod(0o700)
        lock = await self._lock()
        with lock:
            place.lock_path.chmod(0o600)
            path = place.prepare()
            listener = socket.socket(socket.AF_UNIX)
            try:
                listener.bind(str(path))
                path.chmod(0o600)  # nobody can connect before it listens
                server = await asyncio.start_unix_server(self._accept, sock=listener, limit=REQUEST_LIMIT)
                try:
                    yield
                finally:
                    server.close()
                    await self._hang_up()
            finally:
                listener.close()
                place.clear()

    async def _lock(self) -> BinaryIO:
        """Take the campaign's lock; a command that looks who runs may have it for an instant."""
        for _ in range(LOCK_TRIES):
            lock = self._place.lock()
            if lock is not None:
                return lock
            await asyncio.sleep(LOCK_PAUSE_S)
        raise CampaignRunning(
            f"campaign {self._campaign}: expected no other program in {self._place.folder}, found one that serves it"
        )

    async def _hang_up(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the peer left, or the campaign ended: nobody waits for the answer
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        who = peer_of(writer.get_extra_info("socket"))
        if who is None:
            return
        while True:
            try:
                line = await reader.readuntil()
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                writer.write(_line(Refused(reasons=(f"expected a request below {REQUEST_LIMIT} bytes",))))
                await writer.drain()
                return
            writer.write(_line(await self._answer(line, who)))
            await writer.drain()

    async def _answer(self, line: bytes, who: Person) -> AnyAnswer:
        try:
            request = _request_decoder.decode(line)
        except msgspec.MsgspecError as error:
            return Refused(reasons=(f"expected a request of this version: {error}",))
        return await self._supervisor.carry_out(request, who)


def peer_of(connection: socket.socket) -> Person | None:
    """Say who is at the other end, by the kernel's word; None for anybody but this user and root."""
    if hasattr(socket, "SO_PEERCRED"):
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", credentials)
        return Person(_user_name(uid), pid) if uid in (os.geteuid(), 0) else None
    # Elsewhere the folder's and the socket's modes keep all others out; the kernel is not asked.
    return Person(_user_name(os.geteuid()), None)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _line(message: msgspec.Struct) -> bytes:
    return msgspec.json.encode(message) + b"\n"


# ---- the commands' side -------------------------------------------------------------------------------------
def running_campaigns(data_dir: Path) -> list[str]:
    """Return the names of the campaigns that run in a data folder. Sockets of dead programs are removed."""
    running = []
    for path in sorted((data_dir / "control").glob("*.lock")):
        place = ControlPlace(data_dir, path.stem)
        lock = place.lock()
        if lock is None:
            running.append(path.stem)
        else:
            with lock:
                place.clear()
    return running


def ask(data_dir: Path, campaign: str, request: AnyRequest, *, limit_s: float = ANSWER_WITHIN_S) -> AnyAnswer:
    """Ask a running campaign. Raises `DialerError` where it does not run, or is silent for `limit_s` seconds."""
    running = running_campaigns(data_dir)
    if campaign not in running:
        raise DialerError(_not_running(data_dir, campaign, running))
    try:
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as answers:
            connection.settimeout(limit_s)
            connection.connect(str(ControlPlace(data_dir, campaign).socket_path))
            connection.sendall(_line(request))
            line = answers.readline()
    except OSError as error:
        reason = f"silent for {limit_s:g} s" if isinstance(error, TimeoutError) else str(error)
        raise DialerError(f"campaign {campaign}: expected an answer of its program, was: {reason}") from None
    if not line.endswith(b"\n"):
        raise DialerError(f"campaign {campaign}: ended before it answered")
    try:
        return _answer_decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise DialerError(f"campaign {campaign}: expected an answer of this version of the program: {error}") from None


def _not_running(data_dir: Path, campaign: str, running: list[str]) -> str:
    if not running:
        return f"campaign {campaign} is not running; none is in {data_dir}"
    near = meant(campaign, running)
    hint = f": {near}" if near.startswith("did") else ""
    return f"campaign {campaign} is not running{hint}; running in {data_dir}: {', '.join(running)}"
