"""The scenarios, a file per group. Each is a function of a `Stage` that breaks something and counts what came of it."""
