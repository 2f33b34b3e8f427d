"""A dialer in a process of its own, for tests that kill it: dials the lab campaign of a file to its end."""

from __future__ import annotations

import sys
from pathlib import Path

from dialer.adapters.logs import set_up_logs
from dialer.cli.loop import run_async
from dialer.lab.trial import dial_until_done

if __name__ == "__main__":
    file = Path(sys.argv[1])
    set_up_logs(file.parent / "dialer.log")
    run_async(dial_until_done(file))
