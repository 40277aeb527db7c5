"""Measurements, and the rig that kills brokers and ingesters to count what is lost."""
