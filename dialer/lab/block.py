"""A range of loopback addresses for one lab, so that several run side by side on one machine."""

from __future__ import annotations

import socket
from types import TracebackType

from dialer.lab.install import LabUnavailable

AMI_PORT = 5038
SIP_PORT = 5060
_CLAIM_PORT = 5999
_BLOCKS = range(1, 200)


class Block:
    """The addresses 127.77.N.0/24. The claim is a listening socket: the kernel frees it when its process ends."""

    def __init__(self, number: int, claim: socket.socket) -> None:
        self._net = f"127.77.{number}"
        self._claim = claim

    @property
    def asterisk(self) -> str:
        return f"{self._net}.1"

    def carrier(self, index: int) -> str:
        """The address of carrier 1, 2, ..."""
        return f"{self._net}.{10 + index}"

    def telephones(self, group: int) -> str:
        """The address of a group of agents' telephones, counted from 0."""
        return f"{self._net}.{100 + group}"

    def release(self) -> None:
        self._claim.close()

    def __enter__(self) -> Block:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def claim_block() -> Block:
    """Claim a range in which nothing else listens. Raises `LabUnavailable` where none is left."""
    for number in _BLOCKS:
        claim = socket.socket()
        try:
            claim.bind((f"127.77.{number}.254", _CLAIM_PORT))
            claim.listen(1)
            with socket.socket() as ami:  # the Asterisk of a lab that was killed may still be there
                ami.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                ami.bind((f"127.77.{number}.1", AMI_PORT))
        except OSError:
            claim.close()
            continue
        return Block(number, claim)
    raise LabUnavailable(f"all {len(_BLOCKS)} ranges of loopback addresses are taken")
