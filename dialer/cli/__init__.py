"""The commands. Each group has its own file and imports what it needs only when it runs: `--help` stays quick."""
