"""The ingester: stores what arrived and answers for it."""
