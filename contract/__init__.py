"""What crosses a border between two programs: topics, messages, series names, sealed cards. Pure; imports nothing of Hadir."""
