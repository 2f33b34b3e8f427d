"""The control laws of other dialers, from their published descriptions: what the benchmark compares ours with.

One file a law, each with its constants and where they come from. `pacing.peers.compiled` runs them all on one record
for the fast simulator, `pacing.peers.policy` makes pacing policies of them, `pacing.peers.tuning` says which of their
constants are worth tuning. They are here to be simulated: no campaign can choose one.
"""
