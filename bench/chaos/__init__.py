"""The loss rig: real machines, broker, ingesters and databases, broken in every way we know, and every tap counted."""
