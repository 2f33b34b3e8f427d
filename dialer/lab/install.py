"""Gets Asterisk 22 and SIPp for the lab: Debian's packages, unpacked into one folder. No root; the host stays as it is.

How it works: a private apt configuration (own lists, own empty dpkg status) resolves and downloads the packages and
every library they need from the mirror that the host itself uses; `dpkg-deb -x` unpacks them; `patchelf` (from the
same packages) points the two programs at the unpacked loader and libraries, so that they run as plain programs. No
maintainer script runs. Signatures are checked; the suite's Release file may be past its date on a mirror.

Run `python -m dialer.lab.install` to do it beforehand; the lab does it by itself when it is missing.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dialer.errors import DialerError

SUITE = "forky"  # the Debian release that has Asterisk 22; bookworm and trixie have none
PACKAGES = ("asterisk", "sip-tester", "patchelf")
MAJOR = 22
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Debian architecture -> multiarch triplet, loader
ARCHITECTURES = {
    "amd64": ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "arm64": ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


class LabUnavailable(DialerError):
    """The lab cannot be set up or started on this machine; the message is one line."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """An unpacked lab: where its programs and files are."""

    folder: Path
    triplet: str
    loader: str

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def libraries(self) -> Path:
        return self.root / "usr/lib" / self.triplet

    @property
    def asterisk(self) -> Path:
        return self.root / "usr/sbin/asterisk"

    @property
    def sipp(self) -> Path:
        return self.root / "usr/bin/sipp"


def lab_folder() -> Path:
    """The cache: `CADENCIA_LAB` where set, else `.lab` in the checkout."""
    named = os.environ.get("CADENCIA_LAB")
    return Path(named).absolute() if named else Path(__file__).resolve().parents[2] / ".lab"


def install(folder: Path | None = None) -> Prefix:
    """Return the unpacked lab, setting it up first where it is missing (about 10 s, 90 MB of packages).

    Safe against concurrent callers. Raises `LabUnavailable` with one line on anything but Debian on amd64 or arm64.
    """
    folder = folder or lab_folder()
    triplet, loader, architecture = _host()
    prefix = Prefix(folder, triplet, loader)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        if not prefix.root.exists():
            _unpack(prefix, architecture)
        # The programs hold absolute paths: a moved folder is patched again.
        stamp, wanted = folder / "patched", str(prefix.root)
        if not stamp.exists() or stamp.read_text() != wanted:
            _patch(prefix)
            stamp.write_text(wanted)
        _check_version(prefix)
    return prefix


def asterisk_version(prefix: Prefix) -> str:
    """What `asterisk -V` says, such as `Asterisk 22.10.1`."""
    return _run([str(prefix.asterisk), "-V"]).strip()


def _host() -> tuple[str, str, str]:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise LabUnavailable("the lab needs Debian's apt-get and dpkg-deb to fetch Asterisk; this machine has none")
    if not KEYRING.exists():
        raise LabUnavailable(
            f"the lab needs a Debian machine (no {KEYRING}): Debian's packages cannot be verified here"
        )
    architecture = _run(["dpkg", "--print-architecture"]).strip()
    if architecture not in ARCHITECTURES:
        raise LabUnavailable(f"the lab runs on {' and '.join(ARCHITECTURES)}, this machine is {architecture}")
    return *ARCHITECTURES[architecture], architecture


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _mirror() -> str:
    """The mirror from which the host takes its own release, by apt's own reading of its sources."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suites = {release.get("VERSION_CODENAME", "").strip('"'), "stable", "testing", "sid", "unstable", SUITE} - {""}
    for line in _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)"]).splitlines():
        uri, _, suite = line.partition(" ")
        if suite in suites:
            return uri
    raise LabUnavailable("apt's sources name no Debian mirror for this machine's own release")


def _apt_configuration(apt: Path, architecture: str) -> Path:
    """Write a configuration under which apt knows nothing of the host's packages and writes nowhere else."""
    for name in ("state/lists/partial", "cache/archives/partial", "etc/none"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").write_text("")
    # A mirror may serve this suite's Release file past its date; its signature is still checked.
    (apt / "etc/sources.list").write_text(f"deb [signed-by={KEYRING} check-valid-until=no] {_mirror()} {SUITE} main\n")
    settings = {
        "Dir": f"{apt}/",
        "Dir::State": f"{apt}/state",
        "Dir::State::status": f"{apt}/status",
        "Dir::Cache": f"{apt}/cache",
        "Dir::Etc": f"{apt}/etc",
        "Dir::Etc::sourcelist": f"{apt}/etc/sources.list",
        "Dir::Etc::sourceparts": f"{apt}/etc/none",
        "Dir::Etc::main": f"{apt}/etc/none.conf",
        "Dir::Etc::parts": f"{apt}/etc/none",
        "Dir::Etc::preferencesparts": f"{apt}/etc/none",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "APT::Architecture": architecture,
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    # How this host reaches its mirror (a proxy, say) holds for us too.
    reach = re.findall(r'^Acquire::https?::.*".*";$', _run(["apt-config", "dump", "Acquire"]), re.MULTILINE)
    file = apt / "apt.conf"
    file.write_text("\n".join([*reach, *(f'{key} "{value}";' for key, value in settings.items())]) + "\n")
    return file


def _unpack(prefix: Prefix, architecture: str) -> None:
    apt, part = prefix.folder / "apt", prefix.folder / "root.part"
    for leftover in (apt, part):
        shutil.rmtree(leftover, ignore_errors=True)
    environment = {**os.environ, "APT_CONFIG": str(_apt_configuration(apt, architecture))}
    _run(["apt-get", "-qq", "update"], environment)
    _run(["apt-get", "-qq", "-y", "--download-only", "install", *PACKAGES], environment)
    part.mkdir()
    archives = sorted((apt / "cache/archives").glob("*.deb"))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda archive: _run(["dpkg-deb", "-x", str(archive), str(part)]), archives))
    part.rename(prefix.root)
    shutil.rmtree(apt)


def _patch(prefix: Prefix) -> None:
    loader = prefix.libraries / prefix.loader
    through_loader = [str(loader), "--library-path", str(prefix.libraries), str(prefix.root / "usr/bin/patchelf")]
    for program in (prefix.asterisk, prefix.sipp):
        options = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", str(prefix.libraries)]
        _run([*through_loader, *options, str(program)])


def _check_version(prefix: Prefix) -> None:
    version = asterisk_version(prefix)
    if not version.startswith(f"Asterisk {MAJOR}."):
        raise LabUnavailable(f"expected Asterisk {MAJOR} from Debian {SUITE}, found {version!r}")


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise LabUnavailable(f"{command[0]} {command[1] if len(command) > 1 else ''} failed: {last}")
    return done.stdout


def main() -> int:
    """Set the lab up and say which Asterisk it has."""
    try:
        prefix = install()
    except LabUnavailable as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{asterisk_version(prefix)} in {prefix.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
