"""`dialer compliance ...`: what the rules say, and the proof that they were kept."""
