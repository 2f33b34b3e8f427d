"""SIPp processes: carriers that answer as the dialled number says, and agents' telephones that dial in."""

from __future__ import annotations

import csv
import math
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dialer.lab.block import SIP_PORT
from dialer.lab.install import LabUnavailable, Prefix
from dialer.lab.render import render

_SCENARIOS = Path(__file__).parent / "scenarios"
LOGIN_EXTENSION = "*77"
TAIL_DIGITS = 6  # digits of the dialled number behind the two that choose the outcome

# Per cents of the outcomes that a number with 00 meets; the rest is answered by a human.
DEFAULT_MIX: dict[str, float] = {
    "busy": 10, "noanswer": 35, "480": 5, "404": 4, "503": 1, "machine": 15, "early": 2,
}  # fmt: skip
_OUTCOMES = ("busy", "noanswer", "480", "404", "503", "machine", "early")

_SOUND = """  <nop next="machine" test="is">
    <action><test assign_to="is" variable="code" compare="equal" value="20"/></action>
  </nop>
  <nop next="heard"><action><exec rtp_stream="{folder}/human.al,1,8"/></action></nop>
  <label id="machine"/>
  <nop><action><exec rtp_stream="{folder}/machine.al,1,8"/></action></nop>
  <label id="heard"/>"""


# The outcomes that are a refusal: at once, but for 32.
_REFUSALS = {
    30: "486 Busy Here", 32: "480 Temporarily Unavailable", 40: "404 Not Found", 50: "503 Service Unavailable",
    53: "500 Server Internal Error", 54: "403 Forbidden", 60: "603 Decline",
}  # fmt: skip
_RINGS_FIRST = 32
_REFUSAL = """  <nop next="r{code}" test="is"><action>
    <test assign_to="is" variable="code" compare="equal" value="{code}"/>
  </action></nop>"""
_REFUSED = """  <label id="r{code}"/>
  <send retrans="500">
    <![CDATA[
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]T[call_number]
      [last_Call-ID:]
      CSeq: [$icseq] INVITE
      Content-Length: 0

    ]]>
  </send>
  <recv request="ACK" next="end"/>
"""

_COUNTER = "invites(C)"  # the scenario counts them; SIPp's own counter has every OPTIONS as well
_INVITE = re.compile(r"INVITE sip:(\S+) ([0-9.]+) ([0-9.]+)")


class Invite(NamedTuple):
    """An INVITE as its carrier saw it."""

    dialled: str  # the user part
    at: float  # UTC s, by the machine's clock


@dataclass(slots=True)
class Sipp:
    """One SIPp process with one scenario. It runs from `start` to `stop`, in a folder that it may fill; it may be
    started again, and goes on counting."""

    prefix: Prefix
    folder: Path
    name: str
    address: str
    scenario: str  # the XML's text, rendered
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started: bool = field(default=False, init=False)
    _earlier_calls: int = field(default=0, init=False)  # of processes that have ended
    _earlier_invites: list[Invite] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start it. Raises `LabUnavailable` where SIPp refuses the scenario, which it does at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._started:
            self._earlier_invites += self._invites()
            self._earlier_calls += self._calls()
        for suffix in ("csv", "log"):
            self._file(suffix).unlink(missing_ok=True)
        self._started = True
        (self._file("xml")).write_text(self.scenario)
        command = [
            str(self.prefix.sipp), "-sf", str(self._file("xml")), "-i", self.address, "-p", str(SIP_PORT),
            "-mi", self.address, "-mp", "20000", "-nostdin", "-deadcall_wait", "0",
            "-trace_stat", "-stf", str(self._file("csv")), "-fd", "1",
            "-trace_logs", "-log_file", str(self._file("log")), "-log_overwrite", "true", *self.arguments,
        ]  # fmt: skip
        with self._file("out").open("wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        self._await_listening()

    def stop(self) -> None:
        """End it at once. Does nothing where it does not run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def calls(self) -> int:
        """INVITEs with a Call-ID of their own that came in so far (retransmissions not counted); up to 1 s old."""
        return self._earlier_calls + self._calls()

    def dialled(self) -> list[str]:
        """The user part of each INVITE that came in, in order."""
        return [invite.dialled for invite in self.invites()]

    def invites(self) -> list[Invite]:
        """Each INVITE that came in, in order."""
        return [*self._earlier_invites, *self._invites()]

    def _calls(self) -> int:
        if not self._file("csv").exists():
            return 0
        with self._file("csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file, delimiter=";") if row.get(_COUNTER)]
        return int(rows[-1][_COUNTER]) if rows else 0

    def _invites(self) -> list[Invite]:
        file = self._file("log")
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        found = (_INVITE.search(line) for line in lines)
        return [Invite(line[1], float(line[2]) + float(line[3]) / 1e6) for line in found if line is not None]

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{self.name}.{suffix}"

    def _await_listening(self) -> None:
        """Wait until SIPp has its UDP port, or has given up."""
        wanted = f"{_kernel_address(self.address)}:{SIP_PORT:04X}"
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                last = (self._file("out").read_text(errors="replace").strip() or "no output").splitlines()[-1]
                raise LabUnavailable(f"SIPp ended at once: {last}")
            if wanted in Path("/proc/net/udp").read_text():
                return
            time.sleep(0.02)
        raise LabUnavailable("SIPp did not open its port within 5 s")


def carrier(
    prefix: Prefix, folder: Path, name: str, address: str, *,
    mix: Mapping[str, float] | None = None, ring_s: float = 3.0, talk_s: tuple[float, float] = (8.0, 30.0),
    sound: Path | None = None, always: str = "",
) -> Sipp:  # fmt: skip
    """A carrier at `address`. `mix`: per cents by chance; `ring_s`: median; `sound`: folder of the A-law files;
    `always`: the two digits of the one outcome that all numbers have."""
    shares = DEFAULT_MIX if mix is None else mix
    unknown = set(shares) - set(_OUTCOMES)
    if unknown:
        raise LabUnavailable(
            f"expected outcomes of {', '.join(_OUTCOMES)} in the mix, found {', '.join(sorted(unknown))}"
        )
    values: dict[str, object] = {"TAIL": TAIL_DIGITS}
    share = 0.0
    for outcome in _OUTCOMES:
        share += shares.get(outcome, 0)
        values[f"P_{outcome.upper()}"] = share
    # The lognormal's parameters are those of the logarithm; a tick is 0.2 s.
    values["RINGDIST"] = f'distribution="lognormal" mean="{math.log(ring_s / 0.2):.3f}" stdev="0.4"'
    values["TALKDIST"] = f'distribution="uniform" min="{talk_s[0] * 2:g}" max="{talk_s[1] * 2:g}"'
    values["REFUSALS"] = "\n".join(_REFUSAL.format(code=code) for code in _REFUSALS if code != _RINGS_FIRST)
    values["REFUSED"] = "\n".join(_REFUSED.format(code=code, status=status) for code, status in _REFUSALS.items())
    values["ALWAYS"] = f'<assign assign_to="code" value="{int(always)}"/>' if always else ""
    values["PORT"] = "[rtpstream_audio_port]" if sound else "[media_port]"
    values["SOUND"] = _SOUND.format(folder=sound) if sound else ""
    text = render((_SCENARIOS / "carrier.xml").read_text(), values)
    return Sipp(prefix, folder, name, address, text)


def telephones(
    prefix: Prefix, folder: Path, name: str, address: str, *,
    users: Sequence[str], switch: str, key: str, every_s: float, presses: int, leaves: bool, redials: bool = False,
) -> Sipp:  # fmt: skip
    """Telephones that dial in at once and stay off-hook: `presses` times `key`, one every `every_s`, then silence or,
    where it `leaves`, on-hook. One alone can be told to dial in again, within a second, whenever its leg is lost."""
    values = {
        "LOGIN": LOGIN_EXTENSION, "KEY": key, "PERIOD_MS": round(every_s * 1000),
        "PRESSES": presses, "LEAVES": int(leaves),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    list_file = folder / f"{name}.users"
    list_file.write_text("SEQUENTIAL\n" + "".join(f"{user};\n" for user in users))
    text = render((_SCENARIOS / "telephone.xml").read_text(), values)
    if redials and len(users) > 1:
        raise ValueError(f"expected one telephone that dials in again, were {len(users)}: SIPp would mix them up")
    count = str(len(users))
    limit = ("-r", "1") if redials else ("-m", count, "-r", "50")
    arguments = ("-inf", str(list_file), "-l", count, *limit, switch)
    return Sipp(prefix, folder, name, address, text, arguments)


def _kernel_address(address: str) -> str:
    """An IPv4 address as /proc/net/udp writes it (little-endian hexadecimal)."""
    return "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
