"""A simulated world that answers the engine's actions, and the ways to run and replay it."""
