"""The lab: a real Asterisk, carriers and agents' telephones on loopback, for tests, rehearsals and fault-finding.

    with Lab(agents=10, carriers=2) as lab:
        campaign = {"campaign": "lab", ..., **lab.settings()}
        os.environ["CADENCIA_AMI_SECRET"] = lab.secret
        numbers = [lab.number("00", i) for i in range(100)]

Starting takes about a second once the programs are unpacked (see `dialer.lab.install`). Several labs run side by side,
each in its own range of loopback addresses. Nothing leaves the machine. Blocking: in asyncio, start it in a thread.
"""

from __future__ import annotations

import atexit
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from dialer.lab.asterisk import AsteriskServer
from dialer.lab.block import Block, claim_block
from dialer.lab.install import LabUnavailable, Prefix, install
from dialer.lab.sipp import TAIL_DIGITS, Sipp, carrier, telephones
from dialer.lab.sound import write_sound

CALLER_ID = "+5116000000"
_LOGIN_LIMIT_S = 30.0


class Lab:
    """Everything that a dialer needs on the other side of its manager link.

    `agents`: telephones agent1, agent2, ... that dial in at the start, wait off-hook and press `key` every
    `key_every_s` (an empty `key`: none). `mix`: outcomes of numbers with 00, in per cents
    (see `dialer.lab.sipp.DEFAULT_MIX`). `amd`: called parties can be heard, which answering-machine detection needs.
    `redials`: a telephone whose leg is lost dials in again; it notices by its next key, or when the switch says so.
    `no_reply_s`, `qualify_s`: see `dialer.lab.asterisk.AsteriskServer`.
    """

    def __init__(
        self, folder: Path | None = None, *,
        agents: int = 10, carriers: int = 2, mix: Mapping[str, float] | None = None, amd: bool = False,
        ring_s: float = 3.0, talk_s: tuple[float, float] = (8.0, 30.0), key: str = "1", key_every_s: float = 1.5,
        max_channels: int = 100, max_cps: float = 20.0, redials: bool = False,
        no_reply_s: float = 6.4, qualify_s: int = 0,
    ) -> None:  # fmt: skip
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._folder = folder
        self.secret = secrets.token_urlsafe(16)
        self.agents = tuple(f"agent{index + 1}" for index in range(agents))
        self.amd = amd
        self.carriers: tuple[Sipp, ...] = ()
        self._carrier_count = carriers
        self._mix, self._ring_s, self._talk_s = mix, ring_s, talk_s
        self._key, self._key_every_s = key, key_every_s
        self._redials = redials
        self._no_reply_s, self._qualify_s = no_reply_s, qualify_s
        self._limits = {"max_channels": max_channels, "max_cps": max_cps}
        self._telephones: list[Sipp] = []
        self._asterisk: AsteriskServer | None = None
        self._block: Block | None = None
        self._prefix: Prefix | None = None

    # ---- life -------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Bring everything up. Raises `LabUnavailable` (one line); leaves nothing running then."""
        atexit.register(self.stop)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process that this lab started, and give its addresses back. Twice is once."""
        for process in (*self._telephones, *self.carriers):
            process.stop()
        if self._asterisk is not None:
            self._asterisk.stop()
        if self._block is not None:
            self._block.release()
            self._block = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._folder = None
        atexit.unregister(self.stop)

    def __enter__(self) -> Lab:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # ---- what a campaign needs --------------------------------------------------------------------------------
    def settings(self) -> dict[str, Any]:
        """The parts of a campaign file that name this lab: trunks, caller ID, agents and the switch."""
        return {
            "jurisdictions": ["PE"],
            "trunks": [{"name": trunk, "carrier": trunk, **self._limits} for trunk in self._trunks()],
            "caller_ids": [CALLER_ID],
            "agents": [{"id": agent, "endpoint": agent} for agent in self.agents],
            "amd": self.amd,
            "asterisk": {"host": self.asterisk.address, "port": self.asterisk.ami_port, "user": "cadencia"},
        }

    @staticmethod
    def number(outcome: str, index: int) -> str:
        """A Peruvian mobile number, in E.164, whose two digits `outcome` the carriers obey (`00`: by chance)."""
        if len(outcome) != 2 or not 0 <= index < 10**TAIL_DIGITS:
            raise ValueError(f"expected two digits and an index below {10**TAIL_DIGITS}, was {outcome!r}, {index}")
        return f"+519{outcome}{index:0{TAIL_DIGITS}d}"

    # ---- counters ---------------------------------------------------------------------------------------------
    def invites(self) -> dict[str, int]:
        """INVITEs that came in at each carrier so far, retransmissions not counted; up to 1 s old."""
        return {sipp.name: sipp.calls() for sipp in self.carriers}

    def dialled(self) -> list[str]:
        """The dialled number of every INVITE so far, carrier by carrier."""
        return [number for sipp in self.carriers for number in sipp.dialled()]

    @property
    def folder(self) -> Path:
        """Where its files are: configurations, logs, records. Raises `LabUnavailable` before the start."""
        if self._folder is None:
            raise LabUnavailable("the lab has not been started")
        return self._folder.absolute()

    # ---- changes in a run -------------------------------------------------------------------------------------
    @property
    def asterisk(self) -> AsteriskServer:
        """The switch: its address, console, records and faults. Raises `LabUnavailable` before the start."""
        if self._asterisk is None:
            raise LabUnavailable("the lab has not been started")
        return self._asterisk

    def ring_in(
        self, *users: str,
        key: str = "1", every_s: float = 1.5, presses: int = 0, leaves: bool = False, redials: bool = False,
    ) -> Sipp:  # fmt: skip
        """Let further telephones dial in: `presses` times `key`, one every `every_s`, then silence or, where the
        agent `leaves`, on-hook after another `every_s`. One that `redials` must be alone."""
        if self._block is None or self._prefix is None:
            raise LabUnavailable("the lab has not been started")
        group = len(self._telephones)
        switch = f"{self.asterisk.address}:{self.asterisk.sip_port}"
        sipp = telephones(
            self._prefix, self.folder / "sipp", f"telephones{group}", self._block.telephones(group),
            users=users, switch=switch, key=key, every_s=every_s, presses=presses, leaves=leaves,
            redials=redials,
        )  # fmt: skip
        self._telephones.append(sipp)
        sipp.start()
        return sipp

    def change_carrier(self, name: str, *, always: str = "") -> None:
        """Let a carrier begin again, alive or not: `always` is the outcome of all its calls from now on, as two digits;
        empty: as the numbers say. Its calls under way are lost."""
        sipp = next(sipp for sipp in self.carriers if sipp.name == name)
        sipp.stop()
        sipp.scenario = self._carrier(name, sipp.address, always=always).scenario
        sipp.start()

    def _carrier(self, name: str, address: str, *, always: str = "") -> Sipp:
        if self._prefix is None:
            raise LabUnavailable("the lab has not been started")
        return carrier(
            self._prefix, self.folder / "sipp", name, address,
            mix=self._mix, ring_s=self._ring_s, talk_s=self._talk_s,
            sound=self.folder / "sound" if self.amd else None, always=always,
        )  # fmt: skip

    def _trunks(self) -> list[str]:
        return [f"carrier{index + 1}" for index in range(self._carrier_count)]

    def _start(self) -> None:
        self._prefix = install()
        self._block = claim_block()
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="cadencia-lab-")
            self._folder = Path(self._temporary.name)
        sound = self.folder / "sound"
        write_sound(sound)
        trunks = [(name, self._block.carrier(index)) for index, name in enumerate(self._trunks(), 1)]
        self._asterisk = AsteriskServer(
            self._prefix, self.folder / "asterisk", self._block.asterisk, self.secret, trunks, self.agents, sound,
            self._no_reply_s, self._qualify_s,
        )  # fmt: skip
        self._asterisk.start()
        for name, address in trunks:
            sipp = self._carrier(name, address)
            self.carriers = (*self.carriers, sipp)
            sipp.start()
        if self.agents:
            presses = 1_000_000 if self._key else 0
            groups = [(agent,) for agent in self.agents] if self._redials else [self.agents]
            for group in groups:
                self.ring_in(*group, key=self._key, every_s=self._key_every_s, presses=presses, redials=self._redials)
            self._await_agents()

    def _await_agents(self) -> None:
        until = time.monotonic() + _LOGIN_LIMIT_S
        while self.asterisk.cli("core show channels concise").count("!cadencia-agents!login!") < len(self.agents):
            if time.monotonic() > until:
                raise LabUnavailable(f"not all agents' telephones were connected within {_LOGIN_LIMIT_S:.0f} s")
            time.sleep(0.05)
