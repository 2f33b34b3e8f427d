"""A real Asterisk in a folder of its own, on a loopback address of its own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dialer.lab.block import AMI_PORT, SIP_PORT
from dialer.lab.install import LabUnavailable, Prefix
from dialer.lab.render import render

_OWN = Path(__file__).parent / "conf"
_SITE = Path(__file__).resolve().parents[1] / "adapters/asterisk/conf"
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 10.0

_TRUNK = """
[{name}](cadencia-trunk,lab-media)
context = from-carrier
aors = {name}
[{name}]
type = aor
contact = sip:{address}:{port}
qualify_frequency = {qualify_s}
qualify_timeout = 1.0
[{name}]
type = identify
endpoint = {name}
match = {address}/32
"""
_TELEPHONE = """
[{name}](cadencia-telephone,lab-media)
[{name}]
type = aor
"""


@dataclass(slots=True)
class AsteriskServer:
    """One Asterisk. `trunks` are (endpoint, address) pairs; each telephone is an endpoint known by its user name.

    `no_reply_s`: how long an INVITE of which nothing is heard lives (timer B; RFC 3261 has 32 s), at least 6.4 s.
    `qualify_s`: how often a trunk is asked whether it is there; 0: never.
    """

    prefix: Prefix
    folder: Path
    address: str
    secret: str
    trunks: Sequence[tuple[str, str]]
    telephones: Sequence[str]
    sound: Path
    no_reply_s: float = 6.4
    qualify_s: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def ami_port(self) -> int:
        return AMI_PORT

    @property
    def sip_port(self) -> int:
        return SIP_PORT

    def start(self) -> float:
        """Start it and wait until it is fully booted. Returns the seconds that took; raises `LabUnavailable`."""
        self._render()
        begun = time.monotonic()
        with (self.folder / "log/stdout").open("ab") as out:
            self.process = subprocess.Popen(
                self._command("-f"), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        self.await_boot()
        return time.monotonic() - begun

    def await_boot(self) -> None:
        """Log in until Asterisk says FullyBooted: the port opens before that. Raises `LabUnavailable` after 30 s."""
        until = time.monotonic() + _START_LIMIT_S
        login = f"Action: Login\r\nUsername: lab\r\nSecret: {self.secret}\r\nEvents: on\r\n\r\n".encode()
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                raise LabUnavailable(f"Asterisk did not start: {_last(self.folder / 'log/stdout')}")
            try:
                with socket.create_connection((self.address, self.ami_port), 0.2) as link:
                    link.settimeout(max(0.1, until - time.monotonic()))
                    link.sendall(login)
                    heard = b""
                    while b"FullyBooted" not in heard and (part := link.recv(4096)):
                        heard += part
            except OSError:
                time.sleep(0.02)
                continue
            if b"FullyBooted" in heard:
                return
        raise LabUnavailable(f"Asterisk was not fully booted within {_START_LIMIT_S:.0f} s")

    def cli(self, command: str) -> str:
        """What the console prints for a command."""
        return subprocess.run(self._command("-rx", command), capture_output=True, text=True, timeout=10).stdout

    def stop(self) -> None:
        """End it and its calls; by force after 10 s. Does nothing where it does not run."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process = None

    def kill(self) -> None:
        """End it as a crash would: no goodbye to anybody."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Stop it where it is: its links stay open and say nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def cdr_rows(self) -> list[str]:
        """The call detail records so far, one a line. A bridged call is under its leg: count by CEL."""
        return _lines(self.folder / "log/cdr-csv/Master.csv")

    def cel_rows(self) -> list[str]:
        """The channel event records so far, one a line, with the columns of Asterisk's own sample."""
        return _lines(self.folder / "log/cel-custom/Master.csv")

    def log(self) -> str:
        """What Asterisk itself complained of."""
        file = self.folder / "log/messages"
        return file.read_text(errors="replace") if file.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def _command(self, *arguments: str) -> list[str]:
        return [str(self.prefix.asterisk), "-C", str(self.folder / "etc/asterisk.conf"), *arguments]

    def _render(self) -> None:
        for name in ("etc", "varlib", "spool", "run", "log/cdr-csv", "log/cel-custom", "cache", "data/sounds"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        share = self.prefix.root / "usr/share/asterisk"
        # The configuration framework reads its own documentation; the sounds' link is made by a script we do not run.
        _link(self.folder / "data/documentation", share / "documentation")
        _link(self.folder / "data/sounds/en", share / "sounds/en_US_f_Allison")
        _link(self.folder / "data/sounds/cadencia", self.sound)
        values = {
            "RUN": self.folder,
            "ROOT": self.prefix.root,
            "LIBRARIES": self.prefix.libraries,
            "ADDRESS": self.address,
            "AMI_PORT": self.ami_port,
            "SIP_PORT": self.sip_port,
            "SECRET": self.secret,
            "TIMER_T1_MS": round(1000 * self.no_reply_s / 64),
            "TIMER_B_MS": round(1000 * self.no_reply_s),
            "TRUNKS": "".join(
                _TRUNK.format(name=n, address=a, port=SIP_PORT, qualify_s=self.qualify_s) for n, a in self.trunks
            ),
            "TELEPHONES": "".join(_TELEPHONE.format(name=name) for name in self.telephones),
        }
        for source in _OWN.glob("*.conf"):
            (self.folder / "etc" / source.name).write_text(render(source.read_text(), values))
        for source in _SITE.glob("*.conf"):
            shutil.copy(source, self.folder / "etc")
        manager = self.folder / "etc/manager_cadencia.conf"
        manager.write_text(manager.read_text().replace("CHANGE-ME", self.secret))


def _link(place: Path, target: Path) -> None:
    if not place.is_symlink():
        place.symlink_to(target)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _last(file: Path) -> str:
    return (_lines(file) or ["no output"])[-1]
