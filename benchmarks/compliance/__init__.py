"""Whether the rules are kept, and how fast they answer."""
