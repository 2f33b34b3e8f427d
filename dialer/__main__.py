"""`python -m dialer`, and the `dialer` command."""

from __future__ import annotations

from dialer.cli.app import main

if __name__ == "__main__":
    main()
