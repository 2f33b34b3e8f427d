"""`dialer sim ...`: simulated days. A file a command; each loads what it needs only when it runs."""
