"""The errors of the dialer, and whose fault each one is.

DialerError
├─ ConfigError                 operator: mend the file (names file, line and mend)
├─ CampaignRunning             operator: this campaign already has a writer
├─ JournalError                operator: the journal is damaged, foreign or of another version
│   └─ JournalCutOff           its last line is not whole: the program was killed, or the disk was full
├─ IllegalTransition           our bug: stop
├─ ComplianceBreach            our bug: a blocked number reached the shell: stop
├─ TelephonyError
│   ├─ LinkLost                outcome unknown: reconcile
│   ├─ LoginRefused            operator: wrong user or secret; not retried
│   ├─ UnsafeValue             a value with control characters was refused before it reached the switch
│   └─ CommandTimeout          outcome unknown: reconcile
└─ StoreError                  not durable: do not dial; a stall that may pass
    └─ LeaseLost               a later run has the campaign: stop for good
"""

from __future__ import annotations


class DialerError(Exception):
    """Anything the dialer raises on purpose. The message says what was expected and what was found."""


class ConfigError(DialerError):
    """One or more faults in a file that a person wrote; each fault is one line `file:line: key: mend`."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class CampaignRunning(DialerError):
    """Another process holds this campaign's lease. `owner` is what that process called itself."""

    def __init__(self, message: str, *, owner: str = "") -> None:
        super().__init__(message)
        self.owner = owner


class JournalError(DialerError):
    """A journal that cannot be read or replayed."""


class JournalCutOff(JournalError):
    """A journal whose last line is not whole: the program was killed while it wrote, or the disk was full."""


class IllegalTransition(DialerError):
    """A state machine was asked for a move that its table does not have."""


class ComplianceBreach(DialerError):
    """An attempt that the rules forbid was about to be dialled."""


class TelephonyError(DialerError):
    """The switch or the link to it failed."""


class LinkLost(TelephonyError):
    """The link to the switch is gone: what was under way has an unknown outcome."""


class LoginRefused(TelephonyError):
    """The switch refused the user or the secret; trying again would not help."""


class UnsafeValue(TelephonyError):
    """A value holds control characters and was refused before it reached the switch."""


class CommandTimeout(TelephonyError):
    """The switch did not answer in time: the outcome is unknown."""


class StoreError(DialerError):
    """The store did not confirm a write: nothing that depends on it may be dialled."""


class LeaseLost(StoreError):
    """A later run of the campaign has its lease: this writer will never write again, so trying again is no use."""
