"""`dialer models ...`: answer models, and the best time to collect."""
