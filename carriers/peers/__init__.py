"""How others choose trunks, from their published descriptions: what the benchmark compares ours with.

One file a peer, each saying where it comes from and what it knows. Sorters (round robin, least cost, `*qos`, qrouting)
get what their originals get: prices, or who answered (200 OK), so that false answers fool them here as they do in
life. Bandits get human contacts and what a call costs: the fair choice. Of them only `round-robin-v1` and
`static-lcr-v1` can be chosen by a campaign. A propensity of NaN means that it is not known.
"""
