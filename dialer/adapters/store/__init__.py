"""The store: leads, caps, claims in flight, stops and leases, on the Redis protocol or in memory."""
