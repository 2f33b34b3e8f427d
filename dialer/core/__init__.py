"""The dialer without I/O: events in, actions out. Pure: no clock, no ambient randomness, no logging."""
