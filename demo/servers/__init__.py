"""Real servers on loopback, for demo, bench and tests: each a context manager with start, stop, kill and restart."""
